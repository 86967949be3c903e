/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that come with a message to -chardev socket (QMP's getfd): those
 * of the last message wait until somebody takes them, or the next ones come. None
 * may outlive the connection.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "char-socket.h"

void char_socket_discard_msg_fds(SocketChardev *s)
{
    for (unsigned i = 0; i < s->nr_msg_fds; i++) {
        close(s->msg_fds[i]);
    }
    s->nr_msg_fds = 0;
}

int char_socket_get_msg_fd(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    int fd;

    if (!s->nr_msg_fds) {
        return -1;
    }
    fd = s->msg_fds[0];
    s->nr_msg_fds--;
    memmove(s->msg_fds, s->msg_fds + 1, s->nr_msg_fds * sizeof(int));
    return fd;
}

/* Whoever is read in turns has no use for descriptors: they do not even come. */
static ssize_t receive_bytes(SocketChardev *s, void *buf, size_t len)
{
    struct iovec iov = { buf, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    do {
        n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t char_socket_receive(SocketChardev *s, void *buf, size_t len)
{
    int fds[SOCKET_FDS_MAX];
    unsigned nr = 0;
    ssize_t n;

    if (aio_in_turn()) {
        return receive_bytes(s, buf, len);
    }
    n = socket_recv_fds(s->fd, buf, len, fds, &nr, ARRAY_SIZE(fds));
    /* Those of an earlier message were not wanted. */
    if (nr) {
        char_socket_discard_msg_fds(s);
        memcpy(s->msg_fds, fds, nr * sizeof(int));
        s->nr_msg_fds = nr;
    }
    return n;
}
