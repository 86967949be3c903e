/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that leave over a vfio-user connection: in as many pieces as the kernel
 * takes, the descriptors with the first. Whoever waits here also receives, as the
 * peer may be waiting for us to read.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/socket.h>

#include "socket-internal.h"

/* What of @full is left after @done bytes; how many pieces. */
static int iov_rest(const struct iovec *full, int n, size_t done,
                    struct iovec *rest)
{
    int nr = 0;

    for (int i = 0; i < n; i++) {
        size_t skip = MIN(done, full[i].iov_len);

        done -= skip;
        if (full[i].iov_len > skip) {
            rest[nr].iov_base = (uint8_t *)full[i].iov_base + skip;
            rest[nr++].iov_len = full[i].iov_len - skip;
        }
    }
    return nr;
}

/* As sendmsg(); descriptors go with the first byte. */
static ssize_t socket_sendmsg(VFIOUserSocket *s, struct iovec *iov, int n,
                              const int *fds, unsigned nr_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VFIO_USER_MAX_FDS * sizeof(int))];
    } control = { 0 };
    struct msghdr mh = { .msg_iov = iov, .msg_iovlen = n };

    if (nr_fds) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, nr_fds * sizeof(int));
    }
    return sendmsg(s->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int vfio_user_socket_send(VFIOUserSocket *s, const VFIOUserHeader *header,
                          const VFIOUserBody *body, const char *what)
{
    const struct iovec full[] = {
        { (void *)header, HEADER_SIZE },
        { (void *)body->head, body->head_size },
        { (void *)body->data, body->data_size },
    };
    size_t done = 0;
    int ret = 0;

    g_assert(body->nr_fds <= VFIO_USER_MAX_FDS);
    while (!s->error && done < header->size) {
        struct iovec rest[ARRAY_SIZE(full)];
        int n = iov_rest(full, ARRAY_SIZE(full), done, rest);
        ssize_t sent = socket_sendmsg(s, rest, n, body->fds,
                                      done ? 0 : body->nr_fds);
        int err = errno;

        if (sent > 0) {
            done += sent;
        } else if (sent == 0 || err == EAGAIN) {
            ret = vfio_user_socket_wait(s, POLLOUT, header->command, what);
        } else if (err != EINTR) {
            ret = vfio_user_socket_break(s, err, "the connection has been "
                                         "lost: %s", g_strerror(err));
        }
    }
    return ret ? ret : s->error ? -EIO : 0;
}
