/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev socket as a server: it listens, has one client at a time, and removes
 * the file that it made. Only wait=on may wait, and only at the start.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/socket.h>

#include "char-socket.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/sandbox-need.h"

static void socket_accept(void *opaque)
{
    SocketChardev *s = opaque;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        /* The next one waits until this one has gone. */
        qemu_set_fd_handler(s->listen_fd, NULL, NULL, NULL);
        char_socket_connected(s, fd);
    }
}

void char_socket_accept_next(SocketChardev *s)
{
    qemu_set_fd_handler(s->listen_fd, socket_accept, NULL, s);
}

static bool socket_wait_for_client(SocketChardev *s, Error **errp)
{
    Chardev *chr = CHARDEV(s);
    struct pollfd p = { .fd = s->listen_fd, .events = POLLIN };

    info_report("QEMU waiting for connection on: %s", chr->filename);
    while (s->fd < 0) {
        if (qemu_poll_ms(&p, 1, -1) < 0) {
            error_setg_errno(errp, errno, "nobody connected to '%s'",
                             chr->filename);
            return false;
        }
        socket_accept(s);
    }
    return true;
}

bool char_socket_await_first(SocketChardev *s, Error **errp)
{
    sandbox_need(SANDBOX_LISTEN);
    char_socket_set_options(s, s->listen_fd);
    if (s->wait) {
        return socket_wait_for_client(s, errp);
    }
    char_socket_accept_next(s);
    return true;
}

/* Listens at the first address that works; 0 or -errno. */
static int socket_listen_any(SocketChardev *s, const SocketAddress *list,
                             unsigned n)
{
    int fd = -EINVAL;

    for (unsigned i = 0; i < n && fd < 0; i++) {
        fd = socket_listen(&list[i], &s->file);
        s->address = list[i];
    }
    s->listen_fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

bool char_socket_start_server(SocketChardev *s, const SocketAddress *list,
                                unsigned n, Error **errp)
{
    int err = socket_listen_any(s, list, n);

    if (err == -ENOTSOCK) {
        error_setg(errp, "cannot listen on '%s': it exists, and is no socket",
                   s->path);
        return false;
    }
    if (err == -EADDRINUSE) {
        error_setg(errp, "cannot listen on '%s': it is in use by a running "
                   "server", s->path ? s->path : s->port);
        return false;
    }
    if (err) {
        error_setg_errno(errp, -err, "cannot listen on '%s'",
                         s->path ? s->path : s->port);
        return false;
    }
    return char_socket_await_first(s, errp);
}

void char_socket_remove_file(SocketChardev *s)
{
    const struct sockaddr_un *un = socket_address_un(&s->address);

    if (un) {
        socket_path_remove(un, &s->file);
    }
}
