/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to a vhost-user back end: one message there, one back. A back
 * end that does not answer in time, says nonsense or goes away breaks it: from
 * then on every call fails at once, for the same reason, until there is another
 * connection. What it refuses breaks nothing.
 *
 * Big lock held; no call holds it for longer than the time-out, nor do several
 * between begin and end.
 */
#ifndef HW_VIRTIO_VHOST_USER_CHANNEL_H
#define HW_VIRTIO_VHOST_USER_CHANNEL_H

#include "qapi/error.h"
#include "qemu/slow-peer.h"
#include "vhost-user-protocol.h"

typedef struct VhostUserChannel {
    int fd;                               /* somebody else's; -1: none */
    uint32_t timeout_ms;
    bool reply_ack;                       /* both sides know REPLY_ACK */
    unsigned depth;                       /* of begin */
    int64_t since, deadline;              /* g_get_monotonic_time() */
    SlowPeer slow;                        /* over all connections */
    Error *error;                         /* why it broke; NULL: it works */
} VhostUserChannel;

void vhost_user_channel_init(VhostUserChannel *ch, uint32_t timeout_ms);
void vhost_user_channel_destroy(VhostUserChannel *ch);
/* A new connection, a nonblocking socket which stays the caller's; or with -1
 * the end of one. */
void vhost_user_channel_set_fd(VhostUserChannel *ch, int fd);
/* Whether anybody could answer. */
static inline bool vhost_user_channel_works(const VhostUserChannel *ch)
{
    return ch->fd >= 0 && !ch->error;
}
/* Breaks it, if it is not broken already, because of what the text says. */
void vhost_user_channel_break(VhostUserChannel *ch, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);

/* Calls up to the matching end share one time-out. A back end that uses up as much
 * as that again and again breaks it, too, and whoever connects next has only a
 * hundredth until the time-outs are further apart. */
void vhost_user_channel_begin(VhostUserChannel *ch);
void vhost_user_channel_end(VhostUserChannel *ch);

/*
 * Sends @request with the first @size bytes of @payload and @nr_fds descriptors,
 * which stay the caller's. With REPLY_ACK, waits until the back end has done
 * it. false: *errp; the back end refuses, or nobody is there.
 */
bool vhost_user_channel_tell(VhostUserChannel *ch, VhostUserRequest request,
                             const void *payload, uint32_t size,
                             const int *fds, unsigned nr_fds, Error **errp);
/*
 * Sends it, and waits for the reply, which must have @reply_size bytes of
 * @payload. *@fd, the caller's, is the descriptor that comes with it, or -1;
 * with @fd NULL none may come.
 */
bool vhost_user_channel_ask(VhostUserChannel *ch, VhostUserRequest request,
                            VhostUserPayload *payload, uint32_t size,
                            uint32_t reply_size, int *fd, Error **errp);

#endif
