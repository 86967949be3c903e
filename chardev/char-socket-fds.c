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

/* Those of an earlier message were not wanted. */
static void socket_keep_msg_fds(SocketChardev *s, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

            char_socket_discard_msg_fds(s);
            memcpy(s->msg_fds, CMSG_DATA(c), n * sizeof(int));
            s->nr_msg_fds = n;
        }
    }
}

ssize_t char_socket_receive(SocketChardev *s, void *buf, size_t len)
{
    union {
        char bytes[CMSG_SPACE(SOCKET_MAX_MSG_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { buf, len };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;

    do {
        n = recvmsg(s->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        socket_keep_msg_fds(s, &msg);
    }
    return n;
}
