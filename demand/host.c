/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's memory: see host.h. */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "host.h"
#include "qemu/cutils.h"

#define CGROUPS "/sys/fs/cgroup"
/* More than any of these files has. */
#define TEXT_SIZE 512

/* Groups, from the own one up, whose limits count; more are not looked at. */
#define LEVELS_MAX 16

typedef enum HostFile {
    HOST_CURRENT,
    HOST_HIGH,
    HOST_MAX,
    HOST_NR_FILES,
} HostFile;

static const char *const file_names[HOST_NR_FILES] = {
    [HOST_CURRENT] = "memory.current",
    [HOST_HIGH] = "memory.high",
    [HOST_MAX] = "memory.max",
};
static const char pressure_name[] = "memory.pressure";

/* Descriptors; -1: there is no such file. */
typedef struct HostLevel {
    int fds[HOST_NR_FILES];
} HostLevel;

struct HostMemory {
    int pressure;                         /* a descriptor, or -1 */
    unsigned nr_levels;
    HostLevel levels[LEVELS_MAX];
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

/* What the limits of a group leave; UINT64_MAX: it has none. */
static uint64_t level_room(const HostLevel *level)
{
    uint64_t limit = MIN(read_bytes(level->fds[HOST_HIGH]),
                         read_bytes(level->fds[HOST_MAX]));
    uint64_t current = read_bytes(level->fds[HOST_CURRENT]);

    if (limit == UINT64_MAX || current == UINT64_MAX) {
        return UINT64_MAX;
    }
    return limit > current ? limit - current : 0;
}

void host_memory_read(const HostMemory *host, DemandHost *figures)
{
    char text[TEXT_SIZE];

    read_text(host->pressure, text);
    figures->pressure = host_memory_parse_pressure(text);
    figures->room = UINT64_MAX;
    for (unsigned i = 0; i < host->nr_levels; i++) {
        figures->room = MIN(figures->room, level_room(&host->levels[i]));
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

static int open_file(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* @dir and the groups above it, as far as they tell what they use: the uppermost,
 * which is all of the host, does not. */
static void open_levels(HostMemory *host, const char *dir)
{
    g_autofree char *at = g_canonicalize_filename(dir, NULL);

    while (host->nr_levels < LEVELS_MAX) {
        HostLevel *level = &host->levels[host->nr_levels];
        char *above;

        for (int i = 0; i < HOST_NR_FILES; i++) {
            level->fds[i] = open_file(at, file_names[i]);
        }
        host->nr_levels++;
        if (level->fds[HOST_CURRENT] < 0) {
            return;
        }
        above = g_path_get_dirname(at);
        g_free(at);
        at = above;
    }
}

HostMemory *host_memory_open(const char *dir, Error **errp)
{
    g_autofree char *own = dir ? NULL : own_cgroup();
    HostMemory *host = g_new0(HostMemory, 1);

    host->pressure = -1;
    if (dir || own) {
        host->pressure = open_file(dir ?: own, pressure_name);
        open_levels(host, dir ?: own);
    }
    if (host->pressure < 0 && !dir) {
        host->pressure = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
    } else if (host->pressure < 0) {
        error_setg(errp, "cgroup=%s: there is no file '%s' that can be read",
                   dir, pressure_name);
        host_memory_close(host);
        return NULL;
    }
    return host;
}

static void close_file(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void host_memory_close(HostMemory *host)
{
    close_file(host->pressure);
    for (unsigned i = 0; i < host->nr_levels; i++) {
        for (int j = 0; j < HOST_NR_FILES; j++) {
            close_file(host->levels[i].fds[j]);
        }
    }
    g_free(host);
}
