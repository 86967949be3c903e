/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where -trace and -d write (qemu/log.h). */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "qemu/fdset.h"
#include "qemu/log.h"

unsigned qemu_loglevel;

static int log_fd = -1;

void qemu_log(const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (len >= (int)sizeof(line)) {
        len = sizeof(line);
        line[len - 1] = '\n';
    }
    if (write(log_fd < 0 ? STDERR_FILENO : log_fd, line, MAX(len, 0)) < 0) {
        /* Nobody reads it, or the disk is full: the guest goes on. */
    }
}

/* @path with the process id for its %d, g_free(); NULL: it has other %s. */
static char *expand(const char *path, Error **errp)
{
    const char *percent = strchr(path, '%');

    if (!percent) {
        return g_strdup(path);
    }
    if (percent[1] != 'd' || strchr(percent + 1, '%')) {
        error_setg(errp, "at most one %%, as %%d for the process id, may be in "
                   "the name of a log file");
        return NULL;
    }
    return g_strdup_printf("%.*s%d%s", (int)(percent - path), path,
                           (int)getpid(), percent + 2);
}

bool qemu_log_open(const char *path, Error **errp)
{
    g_autofree char *name = expand(path, errp);

    log_fd = name ? fdset_open_write(name, O_TRUNC, errp) : -1;
    return log_fd >= 0;
}

int qemu_log_fd(void)
{
    return log_fd;
}
