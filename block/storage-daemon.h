/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's storage daemon as a child: all that QEMU's block layer can and this
 * process cannot. It is asked by QMP, over a pair of sockets, and ends with this
 * process, however that ends. Used by served.c.
 *
 * Who waits for it does so in the main thread only, and from the moment that a
 * guest runs, with the main loop going on: the big lock is given up, devices are
 * served, other clients' commands are carried out. What the caller knew before
 * may not be so afterwards. It says, or does, one thing after the other, so what
 * was asked first is done first.
 */
#ifndef BLOCK_STORAGE_DAEMON_H
#define BLOCK_STORAGE_DAEMON_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* How long an answer may take; to open an image over a network takes long. When
 * the program is to end nobody waits for one. */
#define STORAGE_DAEMON_TIMEOUT_MS 30000

/* Called by the main loop, or by who waits. They must not wait. */
typedef struct StorageDaemonOps {
    void (*event)(JsonObject *event);
    void (*gone)(void);                   /* and with it all that it had */
} StorageDaemonOps;

/* Starts it, if it does not run; in a sandbox that is too late. false: *errp. */
bool storage_daemon_start(const StorageDaemonOps *ops, Error **errp);
bool storage_daemon_runs(void);
/* Where it can make sockets; it has been started. */
const char *storage_daemon_directory(void);
/*
 * What @command returns. @args, or NULL, stays the caller's. NULL: *errp; what
 * the daemon says is wrong, or that it has gone. Main thread; waits.
 */
JsonNode *storage_daemon_execute(const char *command, JsonObject *args,
                                 Error **errp);
/* The same, and nobody waits: any thread, big lock held. There is a warning if it
 * goes wrong. */
void storage_daemon_tell(const char *command, JsonObject *args);
/* Waits for something else that it, or somebody, will do; whether that is so at
 * the end. Main thread. */
bool storage_daemon_wait(bool (*is_over)(const void *opaque),
                         const void *opaque, uint32_t timeout_ms);
/* A copy of @options of blockdev-add in which text has the types that the
 * daemon's own schema names. NULL: *errp. Waits. */
JsonObject *storage_daemon_type_options(JsonObject *options, Error **errp);

#endif
