/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -chardev file: writes to a file, which is made anew unless append=on. */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "char-fd.h"
#include "qemu/fdset.h"

typedef struct FileChardev {
    FDChardev parent_obj;

    char *path;
    bool append;
} FileChardev;

DECLARE_INSTANCE_CHECKER(FileChardev, FILE_CHARDEV, TYPE_CHARDEV_FILE)

static bool file_open(Chardev *chr, Error **errp)
{
    ERRP_GUARD();
    FileChardev *f = FILE_CHARDEV(chr);
    int fd;

    if (!f->path || !*f->path) {
        error_setg(errp, "chardev: file: no filename given");
        return false;
    }
    fd = fdset_open_write(f->path, f->append ? O_APPEND : O_TRUNC, errp);
    if (fd < 0) {
        error_prepend(errp, "chardev '%s': ", chr->label);
        return false;
    }
    chr->filename = g_strdup_printf("file:%s", f->path);
    fd_chardev_start(chr, -1, fd);
    return true;
}

static const ChardevOption file_options[] = {
    { .name = "path", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(FileChardev, path),
      .description = "The file that is written" },
    { .name = "append", .kind = CHARDEV_OPTION_BOOL,
      .offset = offsetof(FileChardev, append),
      .description = "Keep what the file has" },
    { },
};

static void file_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "file";
    cc->help = "path=FILE[,append=on]";
    cc->open = file_open;
    chardev_class_add_options(klass, file_options);
}

static const TypeInfo file_types[] = {
    {
        .name = TYPE_CHARDEV_FILE,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(FileChardev),
        .class_init = file_class_init,
    },
};

DEFINE_TYPES(file_types)
