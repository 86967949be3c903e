/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file behind a guest's memory, seen from outside. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memfd.h"

char *qtest_find_memfd(QTestState *s, uint64_t size)
{
    g_autofree char *dir_path = g_strdup_printf("/proc/%d/fd", qtest_pid(s));
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    const char *entry;

    g_assert_nonnull(dir);
    while ((entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(dir_path, entry, NULL);
        g_autofree char *target = g_file_read_link(path, NULL);
        GStatBuf st;

        if (target && g_str_has_prefix(target, "/memfd:") &&
            g_stat(path, &st) == 0 && (uint64_t)st.st_size == size) {
            return g_steal_pointer(&path);
        }
    }
    g_error("the emulator has no memfd of %" PRIu64 " bytes", size);
}

uint64_t qtest_memfd_allocated(const char *path)
{
    GStatBuf st;

    g_assert_no_errno(g_stat(path, &st));
    return (uint64_t)st.st_blocks * 512;
}

uint64_t qtest_memfd_allocated_in(const char *path, uint64_t offset,
                                  uint64_t size)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    off_t at = offset, end = offset + size;
    uint64_t sum = 0;

    g_assert_cmpint(fd, >=, 0);
    while (at < end && (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < end) {
        off_t hole = lseek(fd, at, SEEK_HOLE);

        g_assert_cmpint(hole, >, at);
        sum += MIN(hole, end) - at;
        at = hole;
    }
    close(fd);
    return sum;
}
