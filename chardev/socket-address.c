/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening on, and connecting to, sockets (socket-address.h). It must never
 * take the address away from a server that lives.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include <netdb.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "socket-address.h"

/* @path from the root, as a daemon leaves its directory; but not if that is too
 * long for a socket. g_free(). */
static char *absolute_path(const char *path, size_t room)
{
    g_autofree char *dir = g_path_is_absolute(path) ? NULL
                                                    : g_get_current_dir();
    g_autofree char *whole = dir ? g_build_filename(dir, path, NULL) : NULL;

    return g_strdup(whole && strlen(whole) < room ? whole : path);
}

bool socket_address_unix(SocketAddress *a, const char *path, Error **errp)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->addr;
    g_autofree char *whole = NULL;

    if (strlen(path) >= sizeof(un->sun_path)) {
        error_setg(errp, "UNIX socket path '%s' is too long: it must be less "
                   "than %zu bytes", path, sizeof(un->sun_path));
        return false;
    }
    memset(a, 0, sizeof(*a));
    un->sun_family = AF_UNIX;
    whole = absolute_path(path, sizeof(un->sun_path));
    strcpy(un->sun_path, whole);
    a->len = sizeof(*un);
    return true;
}

const char *socket_address_path(const SocketAddress *a)
{
    return a->addr.ss_family == AF_UNIX
               ? ((const struct sockaddr_un *)&a->addr)->sun_path : NULL;
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

/* Removes the socket @path if nobody listens there; 0 or -errno, -ENOTSOCK:
 * something else is there. */
static int remove_stale(const SocketAddress *a, const char *path)
{
    struct stat st;
    bool pending;
    int fd;

    if (lstat(path, &st) < 0) {
        return 0;                         /* bind() will tell */
    }
    if (!S_ISSOCK(st.st_mode)) {
        return -ENOTSOCK;
    }
    fd = socket_connect(a, &pending);
    if (fd >= 0) {
        close(fd);
        return -EADDRINUSE;
    }
    if (fd != -ECONNREFUSED) {
        return -EADDRINUSE;               /* busy, or not ours to ask */
    }
    return unlink(path) < 0 ? -errno : 0;
}

int socket_listen(const SocketAddress *a)
{
    const char *path = socket_address_path(a);
    int err = path ? remove_stale(a, path) : 0;
    int fd = err ? err : socket_new(a);

    if (fd < 0) {
        return fd;
    }
    if (!path) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    }
    if (bind(fd, (const struct sockaddr *)&a->addr, a->len) < 0 ||
        listen(fd, 1) < 0) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}
