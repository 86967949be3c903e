/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of open files (qemu/fdset.h). */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "qemu/cutils.h"
#include "qemu/fdset.h"
#include "qemu/regular-file.h"

#define FDSET_PATH "/dev/fdset/"

/* By ascending id; lives for ever. */
static GPtrArray *fdsets;

static void clear_fd(gpointer data)
{
    FdsetFd *f = data;

    close(f->fd);
    g_free(f->opaque);
}

static void free_set(gpointer data)
{
    Fdset *set = data;

    g_array_unref(set->fds);
    g_free(set);
}

static guint count_sets(void)
{
    return fdsets ? fdsets->len : 0;
}

/* Where set @id is, or, *found false, where it would be. */
static guint position(int64_t id, bool *found)
{
    guint i = 0;

    while (i < count_sets() && ((Fdset *)fdsets->pdata[i])->id < id) {
        i++;
    }
    *found = i < count_sets() && ((Fdset *)fdsets->pdata[i])->id == id;
    return i;
}

static Fdset *find_set(int64_t id)
{
    bool found;
    guint i = position(id, &found);

    return found ? fdsets->pdata[i] : NULL;
}

static int64_t lowest_free_id(void)
{
    int64_t id = 0;

    while (find_set(id)) {
        id++;
    }
    return id;
}

static Fdset *new_set(int64_t id, Error **errp)
{
    bool found;
    guint i = position(id, &found);
    Fdset *set;

    if (count_sets() == FDSET_MAX) {
        error_setg(errp, "there are %d fd sets, more are not possible",
                   FDSET_MAX);
        return NULL;
    }
    if (!fdsets) {
        fdsets = g_ptr_array_new_with_free_func(free_set);
    }
    set = g_new0(Fdset, 1);
    set->id = id;
    set->fds = g_array_new(false, false, sizeof(FdsetFd));
    g_array_set_clear_func(set->fds, clear_fd);
    g_ptr_array_insert(fdsets, i, set);
    return set;
}

int64_t fdset_add(int fd, int64_t id, const char *opaque, Error **errp)
{
    FdsetFd f = { fd, NULL };
    Fdset *set;

    id = id < 0 ? lowest_free_id() : id;
    set = find_set(id);
    set = set ? set : new_set(id, errp);
    if (!set) {
        return -1;
    }
    if (set->fds->len == FDSET_MAX_FDS) {
        error_setg(errp, "fd set %" PRId64 " has %d descriptors, more are not "
                   "possible", id, FDSET_MAX_FDS);
        return -1;
    }
    f.opaque = g_strdup(opaque);
    g_array_append_val(set->fds, f);
    return id;
}

static bool remove_fd(Fdset *set, int fd)
{
    for (guint i = 0; i < set->fds->len; i++) {
        if (g_array_index(set->fds, FdsetFd, i).fd == fd) {
            g_array_remove_index(set->fds, i);
            return true;
        }
    }
    return false;
}

bool fdset_remove(int64_t id, int fd, Error **errp)
{
    Fdset *set = find_set(id);

    if (!set || (fd >= 0 && !remove_fd(set, fd))) {
        g_autofree char *which = fd >= 0 ? g_strdup_printf(", fd:%d", fd)
                                         : g_strdup("");

        error_setg(errp, "File descriptor named 'fdset-id:%" PRId64 "%s' not "
                   "found", id, which);
        return false;
    }
    if (fd < 0 || !set->fds->len) {
        g_ptr_array_remove(fdsets, set);
    }
    return true;
}

void fdset_foreach(void (*fn)(const Fdset *set, void *opaque), void *opaque)
{
    for (guint i = 0; i < count_sets(); i++) {
        fn(fdsets->pdata[i], opaque);
    }
}

bool fdset_is_path(const char *path)
{
    return g_str_has_prefix(path, FDSET_PATH);
}

static bool allows(int fd, int access)
{
    int flags = fcntl(fd, F_GETFL);
    int mode = flags & O_ACCMODE;

    return flags >= 0 && (mode == O_RDWR || mode == access);
}

/* A duplicate of the first file of @set that allows @access, or -errno. */
static int duplicate(const Fdset *set, int access)
{
    for (guint i = 0; i < set->fds->len; i++) {
        int fd = g_array_index(set->fds, FdsetFd, i).fd;

        if (allows(fd, access)) {
            fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
            return fd < 0 ? -errno : fd;
        }
    }
    return -EACCES;
}

int fdset_open(const char *path, int access, Error **errp)
{
    static const char *const what[] = {
        [O_RDONLY] = "read", [O_WRONLY] = "written",
        [O_RDWR] = "read and written",
    };
    uint64_t id;
    Fdset *set;
    int fd;

    set = qemu_strtou64(path + strlen(FDSET_PATH), NULL, 10, &id) < 0 ||
          id > INT64_MAX ? NULL : find_set((int64_t)id);
    if (!set) {
        error_setg(errp, "%s: there is no such fd set: -add-fd makes them",
                   path);
        return -ENOENT;
    }
    fd = duplicate(set, access);
    if (fd < 0) {
        error_setg_errno(errp, -fd, "%s: no file of the set can be %s", path,
                         what[access]);
    }
    return fd;
}

int fdset_or_open(const char *path, int flags, Error **errp)
{
    int fd;

    if (fdset_is_path(path)) {
        return fdset_open(path, flags & O_ACCMODE, errp);
    }
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        fd = -errno;
        error_setg_errno(errp, -fd, "%s cannot be opened", path);
    }
    return fd;
}

int fdset_open_write(const char *path, int flags, Error **errp)
{
    return fdset_is_path(path) ? fdset_open(path, O_WRONLY, errp)
                               : regular_file_open_write(path, flags, errp);
}

int fdset_open_read(const char *path, Error **errp)
{
    return fdset_is_path(path) ? fdset_open(path, O_RDONLY, errp)
                               : regular_file_open_read(path, errp);
}
