/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line and status 1 in place of GLib's message and abort(). */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "one-line-errors.h"

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
