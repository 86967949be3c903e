/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that have a path, which a command line or a QMP client names. What is
 * there may be somebody else's: only a socket that nobody has any more is
 * replaced, and only what was made is removed.
 */
#ifndef QEMU_SOCKET_PATH_H
#define QEMU_SOCKET_PATH_H

#include <sys/types.h>
#include <sys/un.h>

/* The file that a socket has made; all 0: none. */
typedef struct SocketFile {
    dev_t dev;
    ino_t ino;
} SocketFile;

/* The address of @path, from the root if that is not too long, as a daemon
 * leaves its directory; false: @path itself is. */
bool socket_path_address(struct sockaddr_un *addr, const char *path);
/*
 * Binds the socket @fd to @addr; 0, and *file, or -errno. -EADDRINUSE: another
 * process has the socket there, -ENOTSOCK: something else is there.
 */
int socket_path_bind(int fd, const struct sockaddr_un *addr, SocketFile *file);
/* Removes @file if it is still at @addr, and forgets it. */
void socket_path_remove(const struct sockaddr_un *addr, SocketFile *file);
/* Whether @path is taken by something that nobody can connect to: the kernel
 * says of it what it says of a socket on which nobody listens. */
bool socket_path_is_no_socket(const char *path);

#endif
