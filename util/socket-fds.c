/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors beside bytes: see qemu/socket-fds.h. Used by vfio-user, vhost-user
 * and -chardev socket.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "qemu/socket-fds.h"

/* Room for the descriptors of one message. */
typedef union Control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(SOCKET_FDS_MAX * sizeof(int))];
} Control;

/* Takes those of one control message; how many there is no room for. */
static size_t take_fds(const struct cmsghdr *c, int *fds, unsigned *nr_fds,
                       unsigned max_fds)
{
    size_t nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), surplus = 0;

    for (size_t i = 0; i < nr; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        if (*nr_fds < max_fds) {
            fds[(*nr_fds)++] = fd;
        } else {
            close(fd);
            surplus++;
        }
    }
    return surplus;
}

ssize_t socket_recv_fds(int fd, void *buf, size_t size, int *fds,
                        unsigned *nr_fds, unsigned max_fds)
{
    Control control;
    struct iovec iov = { .iov_base = buf, .iov_len = size };
    struct msghdr mh = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    size_t surplus;
    ssize_t n;

    do {
        n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    surplus = mh.msg_flags & MSG_CTRUNC ? 1 : 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            surplus += take_fds(c, fds, nr_fds, max_fds);
        }
    }
    return surplus ? -EMSGSIZE : n;
}

ssize_t socket_send_fds(int fd, const struct iovec *iov, int iov_cnt,
                        const int *fds, unsigned nr_fds)
{
    Control control = { 0 };
    struct msghdr mh = { .msg_iov = (struct iovec *)iov,
                         .msg_iovlen = iov_cnt };
    ssize_t n;

    g_assert(nr_fds <= SOCKET_FDS_MAX);
    if (nr_fds) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, nr_fds * sizeof(int));
    }
    do {
        n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
