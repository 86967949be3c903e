/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of -chardev socket: char-socket.c has options and the connection,
 * char-socket-server.c and char-socket-client.c how it comes about, and
 * char-socket-fds.c the descriptors that a peer sends. Nobody else includes it.
 */
#ifndef CHARDEV_CHAR_SOCKET_H
#define CHARDEV_CHAR_SOCKET_H

#include "chardev/char.h"
#include "qemu/socket-fds.h"
#include "qemu/timer.h"
#include "qemu/yank.h"
#include "socket-address.h"

typedef struct SocketChardev {
    Chardev parent_obj;

    /* options */
    char *path;                           /* this, or the two below, */
    char *host;
    char *port;
    char *fd_text;                        /* or this: a socket's descriptor */
    bool server;
    bool wait;                            /* server: for the first client */
    bool nodelay;
    uint32_t reconnect;                   /* client: seconds; 0: never */
    uint32_t reconnect_ms;                /* or milliseconds */

    SocketAddress address;
    int listen_fd;                        /* -1: no server */
    SocketFile file;                      /* that it listens on */
    int connect_fd;                       /* -1: not just connecting */
    QEMUTimer *reconnect_timer;

    int fd;                               /* -1: no peer */
    YankInstance *yank;
    int msg_fds[SOCKET_FDS_MAX];          /* came with the last message, and */
    unsigned nr_msg_fds;                  /* nobody has taken them */
    bool write_failed;                    /* the peer takes no more */
    bool read_ended;                      /* nor sends any, as a turn found */
} SocketChardev;

DECLARE_INSTANCE_CHECKER(SocketChardev, SOCKET_CHARDEV, TYPE_CHARDEV_SOCKET)

/* @fd, a nonblocking socket, is the peer's, and @s's to close, from now on. */
void char_socket_connected(SocketChardev *s, int fd);
/* nodelay=on, for @fd, and for what is accepted from it, which inherits it: a
 * sandbox without hot plug has no call for it any more. */
void char_socket_set_options(SocketChardev *s, int fd);

/* --- server --- */

/* Listens at the first of the @n addresses of @list that works, and does what
 * char_socket_await_first() does; false and *errp: none does. */
bool char_socket_start_server(SocketChardev *s, const SocketAddress *list,
                              unsigned n, Error **errp);
/* Waits for the first client if wait=on, else lets it come later. */
bool char_socket_await_first(SocketChardev *s, Error **errp);
/* Without a peer: the next that connects is it. */
void char_socket_accept_next(SocketChardev *s);
/* Removes the socket's file unless it is no longer the one that we made. */
void char_socket_remove_file(SocketChardev *s);

/* --- client --- */

/* Connects to one of the @n addresses of @list; with reconnect, to the first,
 * sooner or later. */
bool char_socket_start_client(SocketChardev *s, const SocketAddress *list,
                              unsigned n, Error **errp);
/* Milliseconds until the next try; 0: there is none. */
int64_t char_socket_retry_ms(const SocketChardev *s);
/* Without a peer: connects again after the time of reconnect, if that is set. */
void char_socket_retry_later(SocketChardev *s);
/* The timer's; @opaque is the SocketChardev. */
void char_socket_try_connect(void *opaque);

/* --- descriptors that come with messages --- */

/* As socket_recv_fds(); keeps the descriptors that come, but not in a turn. */
ssize_t char_socket_receive(SocketChardev *s, void *buf, size_t len);
/* ChardevClass.chr_get_msg_fd: the first one kept, the caller's; -1: none. */
int char_socket_get_msg_fd(Chardev *chr);
/* Closes those that nobody has taken. */
void char_socket_discard_msg_fds(SocketChardev *s);

#endif
