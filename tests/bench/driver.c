/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the drivers of benchmarks share (driver.h). */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"

/* In place of GLib's message and abort(). */
static GLogWriterOutput write_log(GLogLevelFlags level,
                                  const GLogField *fields, gsize n_fields,
                                  gpointer opaque)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0 &&
            level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
            fprintf(stderr, "%s\n", (const char *)fields[i].value);
        }
    }
    if (level & G_LOG_LEVEL_ERROR) {
        /* The emulator goes with us: it asked the kernel for that. */
        _exit(1);
    }
    return G_LOG_WRITER_HANDLED;
}

void bench_one_line_errors(void)
{
    signal(SIGPIPE, SIG_IGN);
    g_log_set_writer_func(write_log, NULL, NULL);
}

const void *bench_find_figure(const char *name, const void *figures,
                              size_t size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *const *figure = (const void *)((const char *)figures +
                                                   i * size);

        if (strcmp(*figure, name) == 0) {
            return figure;
        }
    }
    fprintf(stderr, "there is no figure %s\n", name);
    exit(1);
}
