/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's storage daemon as a child: all that QEMU's block layer can and this
 * process cannot. It is asked by QMP, over a pair of sockets, and ends with this
 * process, however that ends. Used by served.c.
 *
 * Main thread, big lock held; no call holds it for longer than a stated time.
 */
#ifndef BLOCK_STORAGE_DAEMON_H
#define BLOCK_STORAGE_DAEMON_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* How long an answer may take; to open an image over a network takes long. */
#define STORAGE_DAEMON_TIMEOUT_MS 30000

/* Starts it, if it does not run; in a sandbox that is too late. false: *errp. */
bool storage_daemon_start(Error **errp);
bool storage_daemon_runs(void);
/* Where it can make sockets; it has been started. */
const char *storage_daemon_directory(void);
/*
 * What @command returns. @args, or NULL, stays the caller's. NULL: *errp; what
 * the daemon says is wrong, or that it has gone.
 */
JsonNode *storage_daemon_execute(const char *command, JsonObject *args,
                                 Error **errp);
/* A copy of @options of blockdev-add in which text has the types that the
 * daemon's own schema names. NULL: *errp. */
JsonObject *storage_daemon_type_options(JsonObject *options, Error **errp);

#endif
