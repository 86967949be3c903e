/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev pipe: the named pipes PATH.in (read) and PATH.out (written), or if
 * there are none, PATH for both. Who made them is not our business.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "char-fd.h"
#include "qapi/error.h"

typedef struct PipeChardev {
    FDChardev parent_obj;

    char *path;
} PipeChardev;

DECLARE_INSTANCE_CHECKER(PipeChardev, PIPE_CHARDEV, TYPE_CHARDEV_PIPE)

/* What the guest sends is not to overwrite a file that was named by mistake. */
static bool is_pipe(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

/* Open for both, a pipe never ends and never refuses for want of a peer. -1:
 * errno; ENOSTR: it is something else. */
static int open_pipe(const char *path, const char *suffix)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);
    int fd = open(name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0 && !is_pipe(fd)) {
        close(fd);
        errno = ENOSTR;
        return -1;
    }
    return fd;
}

static bool set_open_error(const PipeChardev *p, int err, Error **errp)
{
    const char *label = CHARDEV(p)->label;

    if (err == ENOSTR) {
        error_setg(errp, "chardev '%s': '%s' is no named pipe; mkfifo makes one, "
                   "and the backend file is for files", label, p->path);
    } else {
        error_setg_errno(errp, err, "cannot open '%s.in' and '%s.out', or '%s', "
                         "for chardev '%s'", p->path, p->path, p->path, label);
    }
    return false;
}

static bool pipe_open(Chardev *chr, Error **errp)
{
    PipeChardev *p = PIPE_CHARDEV(chr);
    int in, out, err;

    if (!p->path || !*p->path) {
        error_setg(errp, "chardev: pipe: no device path given");
        return false;
    }
    in = open_pipe(p->path, ".in");
    out = in < 0 ? -1 : open_pipe(p->path, ".out");
    if (out < 0) {
        err = errno;
        if (in >= 0) {
            close(in);
        }
        in = out = err == ENOSTR ? -1 : open_pipe(p->path, "");
        if (in < 0) {
            return set_open_error(p, err == ENOSTR ? err : errno, errp);
        }
    }
    chr->filename = g_strdup_printf("pipe:%s", p->path);
    fd_chardev_start(chr, in, out);
    return true;
}

static const ChardevOption pipe_options[] = {
    { .name = "path", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(PipeChardev, path),
      .description = "The pipe, or the pipes without .in and .out" },
    { },
};

static void pipe_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "pipe";
    cc->help = "path=PIPE";
    cc->open = pipe_open;
    chardev_class_add_options(klass, pipe_options);
}

static const TypeInfo pipe_types[] = {
    {
        .name = TYPE_CHARDEV_PIPE,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(PipeChardev),
        .class_init = pipe_class_init,
    },
};

DEFINE_TYPES(pipe_types)
