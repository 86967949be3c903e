/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that come over a vfio-user connection: assembled from what the kernel
 * has, checked, put into the inbox. It must not allocate what a peer asks for
 * before it is checked, or read beyond the end of a message.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "socket-internal.h"

/* Messages deferred while a reply is awaited: this is not normal any more. */
#define MAX_DEFERRED 256

/* Takes the descriptors that came with @mh. 0 or -errno. */
static int socket_take_fds(VFIOUserSocket *s, struct msghdr *mh)
{
    VFIOUserMessage *in = s->in;
    bool too_many = mh->msg_flags & MSG_CTRUNC;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        size_t nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < nr; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (in->nr_fds < VFIO_USER_MAX_FDS) {
                in->fds[in->nr_fds++] = fd;
            } else {
                close(fd);
                too_many = true;
            }
        }
    }
    return too_many ? vfio_user_socket_break(s, EPROTO, "more than %d "
                                             "descriptors in a message",
                                             VFIO_USER_MAX_FDS) : 0;
}

/* Bytes received, which is not 0; 0: none for now; -errno: broken. */
static ssize_t socket_recv(VFIOUserSocket *s, void *buf, size_t size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VFIO_USER_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = buf, .iov_len = size };
    struct msghdr mh = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;
    int err;

    do {
        n = recvmsg(s->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        err = errno;
    } while (n < 0 && err == EINTR);
    if (n < 0 && err == EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        return vfio_user_socket_break(s, EPIPE, "the connection has been lost"
                                      "%s%s", n ? ": " : "",
                                      n ? g_strerror(err) : "");
    }
    err = socket_take_fds(s, &mh);
    return err ? err : n;
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
