/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that come over a vfio-user connection: assembled from what the kernel
 * has, checked, put into the inbox. It must not allocate what a peer asks for
 * before it is checked, or read beyond the end of a message.
 */
#include "qemu/osdep.h"

#include "qemu/socket-fds.h"
#include "socket-internal.h"

/* Messages deferred while a reply is awaited: this is not normal any more. */
#define MAX_DEFERRED 256

/* Bytes received, which is not 0; 0: none for now; -errno: broken. */
static ssize_t socket_recv(VFIOUserSocket *s, void *buf, size_t size)
{
    VFIOUserMessage *in = s->in;
    ssize_t n = socket_recv_fds(s->fd, buf, size, in->fds, &in->nr_fds,
                                VFIO_USER_MAX_FDS);

    if (n == -EAGAIN) {
        return 0;
    }
    if (n == -EMSGSIZE) {
        return vfio_user_socket_break(s, EPROTO, "more than %d descriptors in "
                                      "a message", VFIO_USER_MAX_FDS);
    }
    if (n <= 0) {
        return vfio_user_socket_break(s, EPIPE, "the connection has been lost"
                                      "%s%s", n ? ": " : "",
                                      n ? g_strerror(-n) : "");
    }
    return n;
}

/* The header is complete. 0 or -errno. */
static int socket_header_done(VFIOUserSocket *s)
{
    VFIOUserMessage *in = s->in;
    g_autoptr(GError) err = NULL;

    if (!vfio_user_header_check(&in->header, &err)) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends nonsense: %s",
                                      error_get_pretty(err));
    }
    in->payload_size = in->header.size - HEADER_SIZE;
    in->payload = g_malloc(in->payload_size);
    return 0;
}

/* All of it is there. 0 or -errno. A command that makes no sense is refused
 * when it is handled; there is nobody to refuse a reply to. */
static int socket_message_done(VFIOUserSocket *s)
{
    VFIOUserMessage *in = s->in;
    g_autoptr(GError) err = NULL;

    in->verdict = vfio_user_message_check(in, &err);
    if (in->verdict && vfio_user_is_reply(&in->header)) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends nonsense: %s",
                                      error_get_pretty(err));
    }
    g_queue_push_tail(&s->inbox, in);
    s->in = NULL;
    s->got = 0;
    return 0;
}

int vfio_user_socket_receive(VFIOUserSocket *s)
{
    ssize_t n;
    int ret;

    if (s->error) {
        return -EIO;
    }
    if (s->inbox.length >= MAX_DEFERRED) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends more than %d "
                                      "commands before it answers",
                                      MAX_DEFERRED);
    }
    if (!s->in) {
        s->in = g_new0(VFIOUserMessage, 1);
    }
    while (s->got < HEADER_SIZE) {
        n = socket_recv(s, (uint8_t *)&s->in->header + s->got,
                        HEADER_SIZE - s->got);
        if (n <= 0) {
            return n;
        }
        s->got += n;
        ret = s->got == HEADER_SIZE ? socket_header_done(s) : 0;
        if (ret) {
            return ret;
        }
    }
    while (s->got < s->in->header.size) {
        n = socket_recv(s, s->in->payload + (s->got - HEADER_SIZE),
                        s->in->header.size - s->got);
        if (n <= 0) {
            return n;
        }
        s->got += n;
    }
    ret = socket_message_done(s);
    return ret ? ret : 1;
}
