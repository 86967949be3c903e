/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a vfio-user connection (socket.h): socket.c has its life, requests
 * and the peer's commands, socket-receive.c and socket-send.c the messages on
 * their way, socket-time.c the deadlines. Nobody else includes it.
 */
#ifndef HW_VFIO_USER_SOCKET_INTERNAL_H
#define HW_VFIO_USER_SOCKET_INTERNAL_H

#include "qemu/slow-peer.h"
#include "socket.h"

#define HEADER_SIZE sizeof(VFIOUserHeader)

struct VFIOUserSocket {
    int fd;
    char *name;
    uint32_t timeout_ms;
    const VFIOUserSocketOps *ops;
    void *opaque;
    uint16_t next_id;
    bool waiting;                         /* for a reply */
    bool busy;                            /* deadline is that of somebody who
                                             called us */
    unsigned batch_requests;              /* ... for several: so far, plus 1 */
    int64_t deadline;                     /* g_get_monotonic_time() */
    int64_t batch_since;                  /* the same */
    SlowPeer slow;
    Error *error;
    VFIOUserMessage *in;                  /* being received; may be NULL */
    size_t got;                           /* bytes of it, header included */
    GQueue inbox;                         /* VFIOUserMessage * */
};

/* --- receiving --- */

/*
 * Takes what the kernel has, without waiting. 1: one more message is in the
 * inbox; 0: not yet; -errno: broken. Reads no byte of the message after it, whose
 * descriptors would be lost.
 */
int vfio_user_socket_receive(VFIOUserSocket *s);

/* --- sending --- */

/*
 * Sends all of a message, and receives meanwhile. 0 or -errno: broken. @what is
 * what the peer has not done if it takes too long: "answered".
 */
int vfio_user_socket_send(VFIOUserSocket *s, const VFIOUserHeader *header,
                          const VFIOUserBody *body, const char *what);

/* --- time --- */

/*
 * Everything from the outermost call on has one deadline, a time-out after @since
 * (g_get_monotonic_time()). true: this is it; false: it has one already.
 */
bool vfio_user_socket_begin_call(VFIOUserSocket *s, int64_t since);
/* @outermost is what vfio_user_socket_begin_call() returned. */
void vfio_user_socket_end_call(VFIOUserSocket *s, bool outermost);
/*
 * A wait that began at @started is over. Each has its time-out; this is about
 * many that are shorter, as a guest has that uses the device. May break @s.
 */
void vfio_user_socket_charge(VFIOUserSocket *s, int64_t started);
/*
 * Waits for poll()'s @events (0: none), or until something has been received.
 * 0, or -errno: broken, for one by the deadline. @command and @what name what is
 * waited for.
 */
int vfio_user_socket_wait(VFIOUserSocket *s, short events, uint16_t command,
                          const char *what);

#endif
