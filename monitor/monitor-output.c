/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending half of a monitor: writes what the reader takes, keeps the rest,
 * and goes on when the character device is writable again. Used by QMP and HMP
 * sessions; it never waits, except in monitor_output_drain().
 */
#include "qemu/osdep.h"

#include "monitor-internal.h"
#include "qemu/units.h"

void monitor_output_init(MonitorOutput *out, CharBackend *be)
{
    out->be = be;
    out->pending = g_string_new(NULL);
    out->sent = 0;
    out->watch = 0;
}

size_t monitor_output_pending(const MonitorOutput *out)
{
    return out->pending->len - out->sent;
}

void monitor_output_discard(MonitorOutput *out)
{
    if (out->watch) {
        g_source_remove(out->watch);
        out->watch = 0;
    }
    out->sent = 0;
    if (out->pending->allocated_len > MONITOR_OUTPUT_PAUSE) {
        g_string_free(out->pending, TRUE);
        out->pending = g_string_new(NULL);
    }
    g_string_truncate(out->pending, 0);
}

void monitor_output_destroy(MonitorOutput *out)
{
    monitor_output_discard(out);
    g_string_free(out->pending, TRUE);
}

/* Writes what can be written; true if there is nothing left to wait for. */
static bool monitor_output_write(MonitorOutput *out)
{
    while (monitor_output_pending(out) > 0) {
        int chunk = MIN(monitor_output_pending(out), 1 * MiB);
        int n = qemu_chr_fe_write(out->be,
                                  (uint8_t *)out->pending->str + out->sent,
                                  chunk);
        if (n <= 0) {
            return false;
        }
        /* A device that fails may have told so, and pending may be gone. */
        if (monitor_output_pending(out) == 0) {
            break;
        }
        out->sent += n;
    }
    return true;
}

static void monitor_output_flush(MonitorOutput *out);

static gboolean monitor_output_writable(void *do_not_use, GIOCondition cond,
                                        void *opaque)
{
    MonitorOutput *out = opaque;

    out->watch = 0;
    monitor_output_flush(out);
    return G_SOURCE_REMOVE;
}

static void monitor_output_flush(MonitorOutput *out)
{
    if (monitor_output_write(out)) {
        bool was_paused = out->pending->len >= MONITOR_OUTPUT_PAUSE;

        monitor_output_discard(out);
        if (was_paused) {
            qemu_chr_fe_accept_input(out->be);
        }
    } else if (!out->watch) {
        out->watch = qemu_chr_fe_add_watch(out->be, G_IO_OUT | G_IO_HUP,
                                           monitor_output_writable, out);
        if (!out->watch) {
            monitor_output_discard(out);  /* nobody is connected */
        }
    }
}

bool monitor_output_add(MonitorOutput *out, const char *data, size_t len)
{
    if (monitor_output_pending(out) + len > MONITOR_OUTPUT_MAX) {
        return false;
    }
    if (out->sent > out->pending->len / 2) {
        g_string_erase(out->pending, 0, out->sent);
        out->sent = 0;
    }
    g_string_append_len(out->pending, data, len);
    if (!out->watch) {
        monitor_output_flush(out);
    }
    return true;
}

void monitor_output_drain(MonitorOutput *out, gint64 deadline)
{
    while (!monitor_output_write(out) && g_get_monotonic_time() < deadline) {
        g_usleep(1000);
    }
    monitor_output_discard(out);
}
