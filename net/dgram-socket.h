/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of -netdev dgram: what its options say of the own end (local.) and of
 * the peer's (remote.), and the socket that comes of it. Used by dgram.c only. Big
 * lock held.
 */
#ifndef NET_DGRAM_SOCKET_H
#define NET_DGRAM_SOCKET_H

#include <sys/socket.h>

#include "qapi/error.h"
#include "qemu/socket-path.h"

/* What the options of one side say; NULL: nothing. */
typedef struct DgramAddress {
    char *type;                           /* "unix", "inet", "fd" */
    char *path;
    char *host, *port;
    char *str;                            /* fd: which */
} DgramAddress;

typedef struct DgramSocket {
    int fd;                               /* -1: none */
    struct sockaddr_storage remote;
    socklen_t remote_size;                /* 0: the socket is connected */
    struct sockaddr_un path;              /* of file */
    SocketFile file;
} DgramSocket;

/* Opens @s; false and *errp: there is none, and nothing is left of it. */
bool dgram_socket_open(DgramSocket *s, const DgramAddress *local,
                       const DgramAddress *remote, Error **errp);
/* What it is, for people; the caller's. */
char *dgram_socket_name(const DgramSocket *s, const DgramAddress *local,
                        const DgramAddress *remote);
/* The file of its path goes; a second call does nothing. */
void dgram_socket_remove_file(DgramSocket *s);
/* Closes it, if there is one. */
void dgram_socket_close(DgramSocket *s);

#endif
