/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's memory: see host.h. */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "host.h"
#include "qemu/cutils.h"

#define CGROUPS "/sys/fs/cgroup"
/* More than any of these files has. */
#define TEXT_SIZE 512

typedef enum HostFile {
    HOST_PRESSURE,
    HOST_CURRENT,
    HOST_HIGH,
    HOST_MAX,
    HOST_NR_FILES,
} HostFile;

static const char *const file_names[HOST_NR_FILES] = {
    [HOST_PRESSURE] = "memory.pressure",
    [HOST_CURRENT] = "memory.current",
    [HOST_HIGH] = "memory.high",
    [HOST_MAX] = "memory.max",
};

struct HostMemory {
    int fds[HOST_NR_FILES];               /* -1: there is none */
};

/* --- what the files say --- */

unsigned host_memory_parse_pressure(const char *text)
{
    const char *number = strstr(text, "some avg10=");
    uint64_t percent;
    const char *rest;

    if (!number || qemu_strtou64(number + strlen("some avg10="), &rest, 10,
                                 &percent) || percent > 100) {
        return 0;
    }
    return percent * 10 + (*rest == '.' && g_ascii_isdigit(rest[1])
                           ? g_ascii_digit_value(rest[1]) : 0);
}

uint64_t host_memory_parse_bytes(const char *text)
{
    const char *rest;
    uint64_t bytes;

    return qemu_strtou64(text, &rest, 10, &bytes) || (*rest && *rest != '\n')
           ? UINT64_MAX : bytes;
}

/* --- the files --- */

/* "" if nothing can be read. */
static void read_text(int fd, char text[TEXT_SIZE])
{
    ssize_t len = fd < 0 ? -1 : pread(fd, text, TEXT_SIZE - 1, 0);

    text[len > 0 ? len : 0] = '\0';
}

static uint64_t read_bytes(int fd)
{
    char text[TEXT_SIZE];

    read_text(fd, text);
    return host_memory_parse_bytes(text);
}

void host_memory_read(const HostMemory *host, DemandHost *figures)
{
    uint64_t limit = MIN(read_bytes(host->fds[HOST_HIGH]),
                         read_bytes(host->fds[HOST_MAX]));
    uint64_t current = read_bytes(host->fds[HOST_CURRENT]);
    char text[TEXT_SIZE];

    read_text(host->fds[HOST_PRESSURE], text);
    figures->pressure = host_memory_parse_pressure(text);
    figures->room = UINT64_MAX;
    if (limit != UINT64_MAX && current != UINT64_MAX) {
        figures->room = limit > current ? limit - current : 0;
    }
}

/* The directory of this process's cgroup; NULL: it is in none of version 2. */
static char *own_cgroup(void)
{
    g_autofree char *text = NULL;
    char *path, *end;

    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL)) {
        return NULL;
    }
    path = g_str_has_prefix(text, "0::/") ? text : strstr(text, "\n0::/");
    if (!path) {
        return NULL;
    }
    path = strchr(path, '/');
    end = strchr(path, '\n');
    return g_strdup_printf(CGROUPS "%.*s",
                           (int)(end ? end - path : (ssize_t)strlen(path)),
                           path);
}

static void open_files(HostMemory *host, const char *dir)
{
    for (int i = 0; i < HOST_NR_FILES; i++) {
        g_autofree char *path = g_build_filename(dir, file_names[i], NULL);

        host->fds[i] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
}

HostMemory *host_memory_open(const char *dir, Error **errp)
{
    g_autofree char *own = dir ? NULL : own_cgroup();
    HostMemory *host = g_new(HostMemory, 1);

    memset(host->fds, -1, sizeof(host->fds));
    if (dir || own) {
        open_files(host, dir ?: own);
    }
    if (host->fds[HOST_PRESSURE] < 0 && !dir) {
        host->fds[HOST_PRESSURE] = open("/proc/pressure/memory",
                                        O_RDONLY | O_CLOEXEC);
    } else if (host->fds[HOST_PRESSURE] < 0) {
        error_setg(errp, "cgroup=%s: there is no file '%s' that can be read",
                   dir, file_names[HOST_PRESSURE]);
        host_memory_close(host);
        return NULL;
    }
    return host;
}

void host_memory_close(HostMemory *host)
{
    for (int i = 0; i < HOST_NR_FILES; i++) {
        if (host->fds[i] >= 0) {
            close(host->fds[i]);
        }
    }
    g_free(host);
}
