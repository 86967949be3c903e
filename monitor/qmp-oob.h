/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out-of-band execution. Once a client has enabled it, a thread of its own
 * reads what it sends. A request with "exec-oob" is carried out by that thread
 * at once, though the main loop may be waiting for something; the others wait
 * for the main loop, in order, and while QMP_OOB_QUEUE_MAX of them do, nothing
 * more is read. Private to monitor/. Main loop, unless said otherwise.
 */
#ifndef MONITOR_QMP_OOB_H
#define MONITOR_QMP_OOB_H

#include "chardev/char.h"

#include "qmp-stream.h"

/* As QEMU's. */
#define QMP_OOB_QUEUE_MAX 8

typedef struct QmpOob QmpOob;

/* Both are called by the main loop; the second may free the QmpOob. */
typedef struct QmpOobOps {
    QmpStreamFunc *handle;                /* a request that is not out of band */
    void (*ended)(void *opaque);          /* the client has gone, all is handled */
} QmpOobOps;

/*
 * For the client that is connected to @chr by @socket, which stay the
 * caller's; until qmp_oob_begin() nothing is read. @pretty: indented replies.
 * NULL: *errp.
 */
QmpOob *qmp_oob_new(Chardev *chr, int socket, bool pretty,
                    const QmpOobOps *ops, void *opaque, Error **errp);
/* Waits for what the thread is carrying out, then sends what is to be sent
 * until @deadline (g_get_monotonic_time()) is past. */
void qmp_oob_free(QmpOob *o, gint64 deadline);

/*
 * From now on the thread reads. The @len bytes of @rest, and the @nr_fds
 * descriptors that are taken over, have been read already; @unsent has still
 * to be sent.
 */
void qmp_oob_begin(QmpOob *o, const uint8_t *rest, size_t len, const int *fds,
                   unsigned nr_fds, GString *unsent);

/* Sends @len bytes of @line; a client for which too much is kept loses its
 * connection. Any thread. */
void qmp_oob_send(QmpOob *o, const char *line, size_t len);

/* The next descriptor beside the request that is being handled, the caller's;
 * -1: none. */
int qmp_oob_get_msgfd(QmpOob *o);

#endif
