/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that have a path (qemu/socket-path.h). It must never take the address
 * away from who lives, nor remove what is no socket.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include "qemu/sandbox-need.h"
#include "qemu/socket-path.h"

bool socket_path_address(struct sockaddr_un *addr, const char *path)
{
    g_autofree char *dir = g_path_is_absolute(path) ? NULL
                                                    : g_get_current_dir();
    g_autofree char *whole = dir ? g_build_filename(dir, path, NULL) : NULL;

    *addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
    if (whole && strlen(whole) < sizeof(addr->sun_path)) {
        path = whole;
    }
    if (strlen(path) >= sizeof(addr->sun_path)) {
        return false;
    }
    strcpy(addr->sun_path, path);
    return true;
}

static int bind_to(int fd, const struct sockaddr_un *addr)
{
    return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno
                                                                      : 0;
}

/* Whether nobody has the socket at @addr any more. A socket like @fd asks; if
 * that is of the wrong kind, too, somebody answers. */
static bool is_stale(int fd, const struct sockaddr_un *addr)
{
    int type = SOCK_STREAM;
    socklen_t size = sizeof(type);
    int probe, err;

    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    probe = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return false;
    }
    err = connect(probe, (const struct sockaddr *)addr, sizeof(*addr)) < 0
              ? errno : 0;
    close(probe);
    return err == ECONNREFUSED;
}

/* 0 or -errno, as socket_path_bind(): nothing is there any more. */
static int make_room(int fd, const struct sockaddr_un *addr)
{
    struct stat st;

    if (lstat(addr->sun_path, &st) < 0) {
        return -errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return -ENOTSOCK;
    }
    if (!is_stale(fd, addr)) {
        return -EADDRINUSE;
    }
    return unlink(addr->sun_path) < 0 ? -errno : 0;
}

int socket_path_bind(int fd, const struct sockaddr_un *addr, SocketFile *file)
{
    struct stat st;
    int ret = bind_to(fd, addr);

    if (ret == -EADDRINUSE) {
        ret = make_room(fd, addr);
        ret = ret ? ret : bind_to(fd, addr);
    }
    if (!ret && lstat(addr->sun_path, &st) == 0) {
        sandbox_need(SANDBOX_FILES);
        *file = (SocketFile) { .dev = st.st_dev, .ino = st.st_ino };
    }
    return ret;
}

void socket_path_remove(const struct sockaddr_un *addr, SocketFile *file)
{
    struct stat st;

    if (file->ino && lstat(addr->sun_path, &st) == 0 &&
        st.st_dev == file->dev && st.st_ino == file->ino) {
        unlink(addr->sun_path);
    }
    *file = (SocketFile) { 0 };
}

bool socket_path_is_no_socket(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}
