/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of monitor/ share. Main loop, big lock held. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include <json-glib/json-glib.h>

#include "chardev/char.h"
#include "qapi/error.h"
#include "qemu/units.h"

/* --- monitor-output.c: what a slow reader has not taken yet -------------- */

/* Beyond the first, no more input is taken; beyond the second, the client is
 * taken for dead. Bytes. */
#define MONITOR_OUTPUT_PAUSE (1 * MiB)
#define MONITOR_OUTPUT_MAX (64 * MiB)

typedef struct MonitorOutput {
    CharBackend *be;                      /* the session's */
    GString *pending;
    size_t sent;                          /* of pending, already written */
    guint watch;                          /* GLib source; 0: none */
} MonitorOutput;

void monitor_output_init(MonitorOutput *out, CharBackend *be);
void monitor_output_destroy(MonitorOutput *out);
/* Sends @data, or keeps what cannot be sent now. false: more than
 * MONITOR_OUTPUT_MAX would be kept; then nothing more is to be expected. */
bool monitor_output_add(MonitorOutput *out, const char *data, size_t len);
/* Bytes that are kept. */
size_t monitor_output_pending(const MonitorOutput *out);
/* Forgets them: the peer is gone. */
void monitor_output_discard(MonitorOutput *out);
/* Waits until all is sent or @deadline (g_get_monotonic_time()) is past. */
void monitor_output_drain(MonitorOutput *out, gint64 deadline);

/* --- qmp.c --------------------------------------------------------------- */

/* Sends @event to every session that has negotiated; stays the caller's. */
void qmp_sessions_broadcast(JsonObject *event);
/* The same as monitor_cleanup(), for sessions of one kind. */
void qmp_sessions_close(gint64 deadline);

/* --- hmp.c --------------------------------------------------------------- */

void hmp_sessions_close(gint64 deadline);

#endif
