/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular files by name (qemu/regular-file.h). O_NONBLOCK is for what proves to
 * be something else, such as a FIFO that nobody reads; regular files do not
 * know it. A file is looked at only when it is open: its name may mean another
 * a moment later.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "qemu/regular-file.h"
#include "qemu/timer.h"

#define READ_CHUNK 4096
/* Names that are tried for a new file. */
#define NAMES_MAX 100

static int set_error(const char *path, int err, Error **errp)
{
    switch (err) {
    case ENXIO:                           /* a FIFO, or a socket */
        error_setg(errp, "%s: it is not a regular file", path);
        break;
    default:
        error_setg_errno(errp, err, "%s: cannot be opened", path);
    }
    return -1;
}

static int check_regular(int fd, const char *path, Error **errp)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return fd;
    }
    error_setg(errp, "%s: it is not a regular file", path);
    close(fd);
    return -1;
}

/* /dev/null, by its number (Linux, Documentation/admin-guide/devices.txt). */
static bool is_null_device(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(1, 3);
}

int regular_file_open_write(const char *path, int flags, Error **errp)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
                  O_CLOEXEC | (flags & O_APPEND), 0600);

    if (fd < 0 && errno == ELOOP) {
        error_setg(errp, "%s: it is a symbolic link, which is not followed: "
                   "name the file itself", path);
        return -1;
    }
    if (fd < 0) {
        return set_error(path, errno, errp);
    }
    if (is_null_device(fd)) {
        return fd;
    }
    fd = check_regular(fd, path, errp);
    if (fd >= 0 && flags & O_TRUNC && ftruncate(fd, 0) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be emptied", path);
        close(fd);
        return -1;
    }
    return fd;
}

int regular_file_open_new(const char *path, char **name, Error **errp)
{
    struct stat st;
    int fd = -1;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        error_setg(errp, "'%s' is not a regular file", path);
        return -1;
    }
    errno = EEXIST;
    for (unsigned i = 0; i < NAMES_MAX && fd < 0 && errno == EEXIST; i++) {
        g_autofree char *new = g_strdup_printf(
            "%s.%06" PRIx64, path,
            qemu_clock_get_ns(QEMU_CLOCK_HOST) & 0xffffff);

        fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            *name = g_steal_pointer(&new);
        }
    }
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot create '%s'", path);
    }
    return fd;
}

int regular_file_open_read(const char *path, Error **errp)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    return fd < 0 ? set_error(path, errno, errp)
                  : check_regular(fd, path, errp);
}

/* Up to its end, wherever that is by now; false: *errp. */
static bool read_to_end(int fd, const char *path, size_t max, GByteArray *all,
                        Error **errp)
{
    uint8_t buf[READ_CHUNK];

    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            error_setg_errno(errp, errno, "%s: cannot be read", path);
            return false;
        }
        if (n == 0) {
            return true;
        }
        if ((size_t)n > max - all->len) {
            error_setg(errp, "%s: is larger than %zu bytes", path, max);
            return false;
        }
        g_byte_array_append(all, buf, n);
    }
}

GBytes *regular_file_read(const char *path, size_t max, Error **errp)
{
    int fd = regular_file_open_read(path, errp);
    GByteArray *all;
    struct stat st;
    bool complete;

    if (fd < 0) {
        return NULL;
    }
    all = g_byte_array_sized_new(fstat(fd, &st) ? 0 : MIN((uint64_t)st.st_size,
                                                          max));
    complete = read_to_end(fd, path, max, all, errp);
    close(fd);
    if (!complete) {
        g_byte_array_unref(all);
        return NULL;
    }
    return g_byte_array_free_to_bytes(all);
}
