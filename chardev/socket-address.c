/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening on, and connecting to, sockets (socket-address.h). */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include <netdb.h>
#include <poll.h>

#include "socket-address.h"

bool socket_address_unix(SocketAddress *a, const char *path, Error **errp)
{
    memset(a, 0, sizeof(*a));
    if (!socket_path_address((struct sockaddr_un *)&a->addr, path)) {
        error_setg(errp, "UNIX socket path '%s' is too long: it must be less "
                   "than %zu bytes", path,
                   sizeof(((struct sockaddr_un *)0)->sun_path));
        return false;
    }
    a->len = sizeof(struct sockaddr_un);
    return true;
}

const struct sockaddr_un *socket_address_un(const SocketAddress *a)
{
    return a->addr.ss_family == AF_UNIX ? (const struct sockaddr_un *)&a->addr
                                        : NULL;
}

unsigned socket_address_tcp(SocketAddress *list, const char *host,
                            const char *port, bool passive, Error **errp)
{
    struct addrinfo hints = {
        .ai_flags = passive ? AI_PASSIVE : 0,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found;
    unsigned n = 0;
    int ret = getaddrinfo(host && *host ? host : NULL, port, &hints, &found);

    if (ret) {
        error_setg(errp, "address resolution failed for %s:%s: %s",
                   host ? host : "", port, gai_strerror(ret));
        return 0;
    }
    for (struct addrinfo *ai = found; ai && n < SOCKET_MAX_ADDRESSES;
         ai = ai->ai_next) {
        memcpy(&list[n].addr, ai->ai_addr, ai->ai_addrlen);
        list[n++].len = ai->ai_addrlen;
    }
    freeaddrinfo(found);
    return n;
}

static int socket_new(const SocketAddress *a)
{
    int fd = socket(a->addr.ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

int socket_connect(const SocketAddress *a, bool *pending)
{
    int fd = socket_new(a);
    int ret, err;

    if (fd < 0) {
        return fd;
    }
    do {
        ret = connect(fd, (const struct sockaddr *)&a->addr, a->len);
        err = ret < 0 ? errno : 0;
    } while (err == EINTR);
    *pending = err == EINPROGRESS;
    if (err && !*pending) {
        close(fd);
        return -err;
    }
    return fd;
}

int socket_connect_result(int fd, int timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int err = 0;
    socklen_t len = sizeof(err);

    if (timeout_ms) {
        int n = qemu_poll_ms(&p, 1, timeout_ms);

        if (n <= 0) {
            return n ? -errno : -ETIMEDOUT;
        }
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

int socket_listen(const SocketAddress *a, SocketFile *file)
{
    const struct sockaddr_un *un = socket_address_un(a);
    int fd = socket_new(a);
    int err;

    if (fd < 0) {
        return fd;
    }
    if (un) {
        err = socket_path_bind(fd, un, file);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
        err = bind(fd, (const struct sockaddr *)&a->addr, a->len) < 0 ? -errno
                                                                      : 0;
    }
    if (!err && listen(fd, 1) < 0) {
        err = -errno;
    }
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}
