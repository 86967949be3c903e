/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to a vhost-user back end and its answers: see vhost-user-channel.h.
 * What comes back is hostile: a header is checked against what was asked before
 * anything else is read, nothing is stored beyond what was asked for, and each
 * descriptor is taken or closed.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/socket.h>

#include "qemu/cutils.h"
#include "qemu/sandbox-need.h"
#include "qemu/socket-fds.h"
#include "vhost-user-channel.h"

/* Of a time-out, for those who come after one who was too slow. */
#define IMPATIENT_SHARE 100
#define HEADER_SIZE sizeof(VhostUserHeader)

/* --- life --- */

void vhost_user_channel_init(VhostUserChannel *ch, uint32_t timeout_ms)
{
    sandbox_need(SANDBOX_PEERS);
    *ch = (VhostUserChannel) { .fd = -1, .timeout_ms = timeout_ms };
}

void vhost_user_channel_destroy(VhostUserChannel *ch)
{
    vhost_user_channel_set_fd(ch, -1);
}

void vhost_user_channel_set_fd(VhostUserChannel *ch, int fd)
{
    ch->fd = fd;
    ch->reply_ack = false;
    if (ch->error) {
        error_free(ch->error);
        ch->error = NULL;
    }
}

void vhost_user_channel_break(VhostUserChannel *ch, const char *fmt, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    if (ch->error) {
        return;
    }
    va_start(ap, fmt);
    why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_setg(&ch->error, "%s", why);
    /* Whose socket it is finds its end there. */
    if (ch->fd >= 0) {
        shutdown(ch->fd, SHUT_RDWR);
    }
}

static int64_t timeout_us(const VhostUserChannel *ch)
{
    return ch->timeout_ms * INT64_C(1000);
}

void vhost_user_channel_begin(VhostUserChannel *ch)
{
    int64_t patience = timeout_us(ch);

    if (ch->depth++) {
        return;
    }
    if (slow_peer_is_out(&ch->slow, patience)) {
        patience /= IMPATIENT_SHARE;
    }
    ch->since = g_get_monotonic_time();
    ch->deadline = ch->since + patience;
}

void vhost_user_channel_end(VhostUserChannel *ch)
{
    g_assert(ch->depth);
    if (--ch->depth == 0 &&
        slow_peer_charge(&ch->slow, ch->since, timeout_us(ch))) {
        vhost_user_channel_break(ch, "it is too slow: it has held up the guest "
                                 "for %" PRId64 " ms in %" PRId64 " ms",
                                 ch->slow.sum / 1000,
                                 slow_peer_window(&ch->slow) / 1000);
    }
}

/* --- names, for people --- */

static const char *request_name(VhostUserRequest request)
{
    static const char *const names[] = {
        [VHOST_USER_GET_FEATURES] = "GET_FEATURES",
        [VHOST_USER_SET_FEATURES] = "SET_FEATURES",
        [VHOST_USER_SET_OWNER] = "SET_OWNER",
        [VHOST_USER_SET_MEM_TABLE] = "SET_MEM_TABLE",
        [VHOST_USER_SET_VRING_NUM] = "SET_VRING_NUM",
        [VHOST_USER_SET_VRING_ADDR] = "SET_VRING_ADDR",
        [VHOST_USER_SET_VRING_BASE] = "SET_VRING_BASE",
        [VHOST_USER_GET_VRING_BASE] = "GET_VRING_BASE",
        [VHOST_USER_SET_VRING_KICK] = "SET_VRING_KICK",
        [VHOST_USER_SET_VRING_CALL] = "SET_VRING_CALL",
        [VHOST_USER_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
        [VHOST_USER_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
        [VHOST_USER_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
        [VHOST_USER_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
        [VHOST_USER_SEND_RARP] = "SEND_RARP",
        [VHOST_USER_NET_SET_MTU] = "NET_SET_MTU",
        [VHOST_USER_GET_CONFIG] = "GET_CONFIG",
        [VHOST_USER_SET_CONFIG] = "SET_CONFIG",
        [VHOST_USER_GET_INFLIGHT_FD] = "GET_INFLIGHT_FD",
        [VHOST_USER_SET_INFLIGHT_FD] = "SET_INFLIGHT_FD",
        [VHOST_USER_GET_MAX_MEM_SLOTS] = "GET_MAX_MEM_SLOTS",
        [VHOST_USER_ADD_MEM_REG] = "ADD_MEM_REG",
        [VHOST_USER_REM_MEM_REG] = "REM_MEM_REG",
    };

    return names[request];
}

/* --- waiting --- */

/* Until @events are there. false: the deadline has passed, and it broke. */
static bool channel_wait(VhostUserChannel *ch, short events,
                         VhostUserRequest request)
{
    struct pollfd pfd = { .fd = ch->fd, .events = events };
    int64_t left = ch->deadline - g_get_monotonic_time();

    if (left <= 0) {
        vhost_user_channel_break(ch, "it has not answered %s for %" PRId64
                                 " ms", request_name(request),
                                 (ch->deadline - ch->since) / 1000);
        return false;
    }
    qemu_poll_ms(&pfd, 1, MIN(DIV_ROUND_UP(left, 1000), INT_MAX));
    return true;
}

static bool channel_send(VhostUserChannel *ch, const VhostUserHeader *header,
                         const void *payload, const int *fds, unsigned nr_fds)
{
    size_t size = HEADER_SIZE + header->size, done = 0;
    uint8_t bytes[sizeof(VhostUserMsg)];

    g_assert(size <= sizeof(bytes));
    memcpy(bytes, header, HEADER_SIZE);
    if (header->size) {
        memcpy(bytes + HEADER_SIZE, payload, header->size);
    }
    while (!ch->error && done < size) {
        struct iovec iov = { bytes + done, size - done };
        ssize_t n = socket_send_fds(ch->fd, &iov, 1, fds, done ? 0 : nr_fds);

        if (n > 0) {
            done += n;
        } else if (n == -EAGAIN) {
            channel_wait(ch, POLLOUT, header->request);
        } else {
            vhost_user_channel_break(ch, "the connection has been lost: %s",
                                     g_strerror(-n));
        }
    }
    return !ch->error;
}

/* --- replies --- */

/* All of @size bytes. @fds has room for one descriptor. */
static bool channel_recv(VhostUserChannel *ch, void *buf, size_t size,
                         int *fd, unsigned *nr_fds, VhostUserRequest request)
{
    size_t done = 0;

    while (!ch->error && done < size) {
        ssize_t n = socket_recv_fds(ch->fd, (uint8_t *)buf + done, size - done,
                                    fd, nr_fds, 1);

        if (n > 0) {
            done += n;
        } else if (n == -EAGAIN) {
            channel_wait(ch, POLLIN, request);
        } else if (n == -EMSGSIZE) {
            vhost_user_channel_break(ch, "it answers %s with more than "
                                     "one descriptor", request_name(request));
        } else {
            vhost_user_channel_break(ch, "the connection has been lost%s%s",
                                     n ? ": " : "", n ? g_strerror(-n) : "");
        }
    }
    return !ch->error;
}

static bool header_answers(VhostUserChannel *ch, const VhostUserHeader *header,
                           VhostUserRequest request, uint32_t size)
{
    uint32_t flags = header->flags & ~(uint32_t)VHOST_USER_FLAG_NEED_REPLY;

    if (flags != (VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY)) {
        vhost_user_channel_break(ch, "it answers %s with flags 0x%" PRIx32,
                                 request_name(request), header->flags);
    } else if (header->request != (uint32_t)request) {
        vhost_user_channel_break(ch, "it was asked %s and answers "
                                 "message %" PRIu32, request_name(request),
                                 header->request);
    } else if (header->size != size) {
        vhost_user_channel_break(ch, "it answers %s with %" PRIu32
                                 " bytes instead of %" PRIu32,
                                 request_name(request), header->size, size);
    }
    return !ch->error;
}

/* *fd: as vhost_user_channel_ask() has it. */
static bool channel_reply(VhostUserChannel *ch, VhostUserRequest request,
                          void *payload, uint32_t size, int *fd)
{
    VhostUserHeader header;
    int got_fd = -1;
    unsigned nr_fds = 0;
    bool ok = channel_recv(ch, &header, HEADER_SIZE, &got_fd, &nr_fds,
                           request) &&
              header_answers(ch, &header, request, size) &&
              channel_recv(ch, payload, size, &got_fd, &nr_fds, request);

    if (ok && nr_fds && !fd) {
        vhost_user_channel_break(ch, "it answers %s with a descriptor",
                                 request_name(request));
        ok = false;
    }
    if (nr_fds && !ok) {
        close(got_fd);
        got_fd = -1;
    }
    if (fd) {
        *fd = got_fd;
    }
    return ok;
}

/* --- requests --- */

/* What broke it is the reason for everything that fails from then on. */
static bool channel_fails(const VhostUserChannel *ch, Error **errp)
{
    if (ch->error) {
        error_propagate(errp, error_copy(ch->error));
        return true;
    }
    if (ch->fd < 0) {
        error_setg(errp, "nobody is connected");
        return true;
    }
    return false;
}

bool vhost_user_channel_tell(VhostUserChannel *ch, VhostUserRequest request,
                             const void *payload, uint32_t size,
                             const int *fds, unsigned nr_fds, Error **errp)
{
    const VhostUserHeader header = {
        .request = request,
        .flags = VHOST_USER_VERSION |
                 (ch->reply_ack ? VHOST_USER_FLAG_NEED_REPLY : 0),
        .size = size,
    };
    uint64_t verdict = 0;

    if (channel_fails(ch, errp)) {
        return false;
    }
    vhost_user_channel_begin(ch);
    if (channel_send(ch, &header, payload, fds, nr_fds) && ch->reply_ack) {
        channel_reply(ch, request, &verdict, sizeof(verdict), NULL);
    }
    vhost_user_channel_end(ch);
    if (channel_fails(ch, errp)) {
        return false;
    }
    if (verdict) {
        error_setg(errp, "it refuses %s", request_name(request));
    }
    return !verdict;
}

bool vhost_user_channel_ask(VhostUserChannel *ch, VhostUserRequest request,
                            VhostUserPayload *payload, uint32_t size,
                            uint32_t reply_size, int *fd, Error **errp)
{
    const VhostUserHeader header = {
        .request = request,
        .flags = VHOST_USER_VERSION,
        .size = size,
    };
    bool ok;

    if (fd) {
        *fd = -1;
    }
    if (channel_fails(ch, errp)) {
        return false;
    }
    vhost_user_channel_begin(ch);
    ok = channel_send(ch, &header, payload, NULL, 0) &&
         channel_reply(ch, request, payload, reply_size, fd);
    vhost_user_channel_end(ch);
    return ok || !channel_fails(ch, errp);
}
