/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of firmware and option ROMs (qemu/datadir.h). A name is looked up when
 * it is asked for: packages may come and go.
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "qemu/datadir.h"

/* Of Debian's packages seabios, qemu-system-data, ipxe-qemu, ovmf. */
static const char *const installed[] = {
    "/usr/share/seabios", "/usr/share/qemu", "/usr/lib/ipxe/qemu",
    "/usr/share/OVMF", "/usr/share/ovmf",
};

static GPtrArray *added;                  /* of -L; NULL: none */

void qemu_add_data_dir(const char *path)
{
    if (!added) {
        added = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(added, g_strdup(path));
}

static void foreach_dir(bool (*fn)(const char *dir, void *opaque), void *opaque)
{
    for (guint i = 0; added && i < added->len; i++) {
        if (fn(added->pdata[i], opaque)) {
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(installed); i++) {
        if (fn(installed[i], opaque)) {
            return;
        }
    }
}

/* By opening it, which is allowed to a running machine that plugs devices; asking for
 * no more than whether it is there would be a call that nobody else needs. */
static bool exists(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

typedef struct Search {
    const char *name;
    char *found;
} Search;

static bool look_into(const char *dir, void *opaque)
{
    Search *search = opaque;
    g_autofree char *path = g_build_filename(dir, search->name, NULL);

    if (!exists(path)) {
        return false;
    }
    search->found = g_steal_pointer(&path);
    return true;
}

char *qemu_find_file(const char *name)
{
    Search search = { .name = name };

    if (!*name) {
        return NULL;
    }
    if (exists(name)) {
        return g_strdup(name);
    }
    if (!g_path_is_absolute(name)) {
        foreach_dir(look_into, &search);
    }
    return search.found;
}

static bool print_dir(const char *dir, void *opaque)
{
    puts(dir);
    return false;
}

void qemu_list_data_dirs(void)
{
    foreach_dir(print_dir, NULL);
}
