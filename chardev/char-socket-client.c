/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev socket as a client: it connects at once, or with reconnect=SECONDS or
 * reconnect-ms=MS again and again, without ever waiting.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "char-socket.h"
#include "qemu/error-report.h"
#include "qemu/may-open.h"

#define SOCKET_CONNECT_TIMEOUT_MS 5000

int64_t char_socket_retry_ms(const SocketChardev *s)
{
    return s->reconnect ? (int64_t)s->reconnect * 1000 : s->reconnect_ms;
}

void char_socket_retry_later(SocketChardev *s)
{
    int64_t ms = char_socket_retry_ms(s);

    if (ms) {
        timer_mod(s->reconnect_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + ms);
    }
}

static void socket_connect_done(void *opaque)
{
    SocketChardev *s = opaque;
    int fd = s->connect_fd;

    qemu_set_fd_handler(fd, NULL, NULL, NULL);
    s->connect_fd = -1;
    if (qemu_may_open(NULL) && socket_connect_result(fd, 0) == 0) {
        char_socket_connected(s, fd);
    } else {
        close(fd);
        char_socket_retry_later(s);
    }
}

void char_socket_try_connect(void *opaque)
{
    SocketChardev *s = opaque;
    bool pending;
    Error *err = NULL;
    int fd;

    if (!qemu_may_open(&err)) {
        error_prepend(&err, "chardev '%s' is not connected again: ",
                      CHARDEV(s)->label);
        error_report_err(err);
        return;
    }
    fd = socket_connect(&s->address, &pending);
    if (fd < 0) {
        char_socket_retry_later(s);
    } else if (pending) {
        s->connect_fd = fd;
        qemu_set_fd_handler(fd, NULL, socket_connect_done, s);
    } else {
        char_socket_connected(s, fd);
    }
}

/* Without reconnect a client must succeed at once. */
static bool socket_must_connect(SocketChardev *s, const SocketAddress *list,
                                unsigned n, Error **errp)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        bool pending;
        int fd = socket_connect(&list[i], &pending);

        err = fd < 0 ? fd : 0;
        if (!err && pending) {
            err = socket_connect_result(fd, SOCKET_CONNECT_TIMEOUT_MS);
        }
        if (!err) {
            char_socket_connected(s, fd);
            return true;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (err == -ECONNREFUSED && s->path && socket_path_is_no_socket(s->path)) {
        error_setg(errp, "Failed to connect to '%s': it is no socket", s->path);
        return false;
    }
    error_setg_errno(errp, -err, "Failed to connect to '%s%s%s'",
                     s->path ? s->path : s->host, s->path ? "" : ":",
                     s->path ? "" : s->port);
    return false;
}

bool char_socket_start_client(SocketChardev *s, const SocketAddress *list,
                                unsigned n, Error **errp)
{
    if (!char_socket_retry_ms(s)) {
        return socket_must_connect(s, list, n, errp);
    }
    s->address = list[0];
    char_socket_try_connect(s);
    return true;
}
