/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the sockets of character devices are: in the file system or at a host
 * and port. For chardev/ only.
 */
#ifndef CHARDEV_SOCKET_ADDRESS_H
#define CHARDEV_SOCKET_ADDRESS_H

#include <sys/socket.h>

#include "qapi/error.h"
#include "qemu/socket-path.h"

/* The most that a host name is tried at. */
#define SOCKET_MAX_ADDRESSES 8

typedef struct SocketAddress {
    struct sockaddr_storage addr;
    socklen_t len;
} SocketAddress;

/* false and *errp: @path is too long for a socket. */
bool socket_address_unix(SocketAddress *a, const char *path, Error **errp);
/* Fills in at most SOCKET_MAX_ADDRESSES of @list; how many, 0 and *errp: none.
 * @passive: for listening, where an empty @host is any. May ask the network. */
unsigned socket_address_tcp(SocketAddress *list, const char *host,
                            const char *port, bool passive, Error **errp);

/*
 * A nonblocking socket that listens, or -errno, which is as that of
 * socket_path_bind(). *@file is the file that it has made, if any.
 */
int socket_listen(const SocketAddress *a, SocketFile *file);
/* A nonblocking socket that is connected, or if *@pending will be or have an
 * error (socket_connect_result()) when it can be written; or -errno. */
int socket_connect(const SocketAddress *a, bool *pending);
/* Waits up to @timeout_ms (0: not at all). 0 or -errno. */
int socket_connect_result(int fd, int timeout_ms);

/* The address of a unix socket, or NULL. */
const struct sockaddr_un *socket_address_un(const SocketAddress *a);

#endif
