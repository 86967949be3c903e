/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of monitor/ share. Main loop, big lock held. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include <json-glib/json-glib.h>

#include "chardev/char-output.h"
#include "qapi/error.h"

/* --- monitor.c ----------------------------------------------------------- */

/* Whether the command @name is carried out now; false: *errp. Any thread. */
bool monitor_check_restriction(const char *name, Error **errp);

/* --- qmp-session.c ------------------------------------------------------- */

/* @message (taken) as it is sent, with the end of the line; the caller's. Any
 * thread. */
char *qmp_message_line(JsonObject *message, bool pretty);

/* Sends @event to every session that has negotiated; stays the caller's. */
void qmp_sessions_broadcast(JsonObject *event);
/* The next descriptor beside the command that is being carried out, the
 * caller's; -1: none. */
int qmp_current_get_msgfd(void);
/* The same as monitor_cleanup(), for sessions of one kind. */
void qmp_sessions_close(gint64 deadline);

/* --- hmp.c --------------------------------------------------------------- */

void hmp_sessions_close(gint64 deadline);

#endif
