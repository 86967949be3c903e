/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a vfio-user connection waits: one deadline for each call or series of
 * calls, and a sum for a peer that is slow again and again. No wait is without.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "qemu/cutils.h"
#include "socket-internal.h"

/* Messages received while we send; more stay in the kernel. */
#define MAX_INBOX 16

static int64_t timeout_us(const VFIOUserSocket *s)
{
    return s->timeout_ms * INT64_C(1000);
}

bool vfio_user_socket_begin_call(VFIOUserSocket *s, int64_t since)
{
    if (s->busy) {
        return false;
    }
    s->busy = true;
    s->deadline = since + timeout_us(s);
    return true;
}

void vfio_user_socket_end_call(VFIOUserSocket *s, bool outermost)
{
    if (outermost) {
        s->busy = false;
    }
}

void vfio_user_socket_charge(VFIOUserSocket *s, int64_t started)
{
    if (slow_peer_charge(&s->slow, started, timeout_us(s))) {
        vfio_user_socket_break(s, ETIMEDOUT, "the peer is too slow: it has held "
                               "up the guest for %" PRId64 " ms in %" PRId64
                               " ms", s->slow.sum / 1000,
                               slow_peer_window(&s->slow) / 1000);
    }
}

bool vfio_user_socket_begin(VFIOUserSocket *s, int64_t since)
{
    bool outermost = vfio_user_socket_begin_call(s, since);

    if (outermost) {
        s->batch_requests = 1;
        s->batch_since = since;
    }
    return outermost;
}

void vfio_user_socket_end(VFIOUserSocket *s)
{
    s->batch_requests = 0;
    vfio_user_socket_end_call(s, true);
    vfio_user_socket_charge(s, s->batch_since);
}

void vfio_user_socket_forgive(VFIOUserSocket *s)
{
    s->slow = (SlowPeer) { 0 };
}

/* The deadline has passed. Returns -ETIMEDOUT. */
static int socket_time_out(VFIOUserSocket *s, uint16_t command,
                           const char *what)
{
    char buf[16];

    return s->batch_requests > 2
           ? vfio_user_socket_break(s, ETIMEDOUT, "the peer takes more than "
                                    "%" PRIu32 " ms for a series of requests, "
                                    "the last one being %s", s->timeout_ms,
                                    vfio_user_command_name(command, buf))
           : vfio_user_socket_break(s, ETIMEDOUT, "the peer has not %s %s "
                                    "for %" PRIu32 " ms", what,
                                    vfio_user_command_name(command, buf),
                                    s->timeout_ms);
}

int vfio_user_socket_wait(VFIOUserSocket *s, short events, uint16_t command,
                          const char *what)
{
    bool room = !events || s->inbox.length < MAX_INBOX;
    struct pollfd pfd = { .fd = s->fd,
                          .events = events | (room ? POLLIN : 0) };
    int64_t left = s->deadline - g_get_monotonic_time();
    int ret;

    if (left <= 0) {
        return socket_time_out(s, command, what);
    }
    if (qemu_poll_ms(&pfd, 1, MIN(DIV_ROUND_UP(left, 1000), INT_MAX)) <= 0 ||
        !room ||
        !(pfd.revents & ~POLLOUT)) {
        return 0;
    }
    ret = vfio_user_socket_receive(s);
    return MIN(ret, 0);
}
