/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that leave over a vfio-user connection: in as many pieces as the kernel
 * takes, the descriptors with the first. Whoever waits here also receives, as the
 * peer may be waiting for us to read.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "qemu/socket-fds.h"
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
        ssize_t sent = socket_send_fds(s->fd, rest, n, body->fds,
                                       done ? 0 : body->nr_fds);

        if (sent > 0) {
            done += sent;
        } else if (sent == 0 || sent == -EAGAIN) {
            ret = vfio_user_socket_wait(s, POLLOUT, header->command, what);
        } else {
            ret = vfio_user_socket_break(s, -sent, "the connection has been "
                                         "lost: %s", g_strerror(-sent));
        }
    }
    return ret ? ret : s->error ? -EIO : 0;
}
