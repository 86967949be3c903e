/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of monitor/ share. Main loop, big lock held. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include <json-glib/json-glib.h>

#include "chardev/char-output.h"
#include "qapi/error.h"

/* --- qmp.c --------------------------------------------------------------- */

/* Sends @event to every session that has negotiated; stays the caller's. */
void qmp_sessions_broadcast(JsonObject *event);
/* The same as monitor_cleanup(), for sessions of one kind. */
void qmp_sessions_close(gint64 deadline);

/* --- hmp.c --------------------------------------------------------------- */

void hmp_sessions_close(gint64 deadline);

#endif
