/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev socket: a server that serves one client at a time, or a client that
 * may connect again and again. Output waits in the kernel's buffer only, so it
 * is bounded. It must never wait for a peer, except at the start if wait=on.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "char-socket.h"
#include "qemu/cutils.h"
#include "qemu/units.h"

/* The address for people: "unix:/path"; the caller's. */
static char *socket_address_name(const SocketChardev *s)
{
    if (s->fd_text) {
        return g_strdup_printf("fd:%s", s->fd_text);
    }
    return s->path ? g_strdup_printf("unix:%s", s->path)
                   : g_strdup_printf("tcp:%s:%s", s->host, s->port);
}

/* "unix:/path,server=on", with "disconnected:" before it. */
static void socket_name(SocketChardev *s)
{
    g_autofree char *address = socket_address_name(s);
    Chardev *chr = CHARDEV(s);

    g_free(chr->filename);
    chr->filename = g_strdup_printf("%s%s%s",
                                    s->fd < 0 ? "disconnected:" : "", address,
                                    s->server ? ",server=on" : "");
}

/* --- a connection --------------------------------------------------------- */

static void socket_close(SocketChardev *s)
{
    int fd = s->fd;

    s->fd = -1;
    s->read_ended = s->write_failed = false;
    chardev_read_stop(CHARDEV(s));
    chardev_watches_hang_up(CHARDEV(s));
    char_socket_discard_msg_fds(s);
    yank_instance_set_socket(s->yank, -1);
    close(fd);
    socket_name(s);
}

/* There is no peer: what has to happen to get one. */
static void socket_await_peer(SocketChardev *s)
{
    if (s->server) {
        char_socket_accept_next(s);
    } else {
        char_socket_retry_later(s);
    }
}

static void socket_disconnected(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    AioContext *ctx = chr->ctx;

    aio_context_pause(ctx);
    if (s->fd >= 0) {
        socket_close(s);
        socket_await_peer(s);
        qemu_chr_be_event(chr, CHR_EVENT_CLOSED);
    }
    aio_context_resume(ctx);
}

static void socket_read(Chardev *chr, int max)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    uint8_t buf[64 * KiB];
    ssize_t n = char_socket_receive(s, buf, MIN((size_t)max, sizeof(buf)));

    if (n > 0) {
        qemu_chr_be_write(chr, buf, n);
    } else if (n != -EAGAIN && aio_in_turn()) {
        s->read_ended = true;
        chardev_read_stop(chr);
        chardev_rest_later(chr);
    } else if (n != -EAGAIN) {
        socket_disconnected(chr);
    }
}

/* A peer that takes no more may have left something to read, and its end is found
 * behind that. Only where nobody reads is it to be ended here. */
static void socket_rest(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);

    if (s->read_ended ||
        (s->write_failed && qemu_chr_be_can_write(chr) == 0)) {
        socket_disconnected(chr);
    }
}

static int socket_write(Chardev *chr, const uint8_t *buf, int len)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    struct iovec iov = { (void *)buf, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (s->fd < 0 || s->write_failed) {
        return len;
    }
    do {
        n = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        s->write_failed = true;
        chardev_rest_later(chr);
        return len;
    }
    return n;
}

static int socket_fd(Chardev *chr)
{
    return SOCKET_CHARDEV(chr)->fd;
}

void char_socket_set_options(SocketChardev *s, int fd)
{
    if (s->nodelay && !s->path) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    }
}

void char_socket_connected(SocketChardev *s, int fd)
{
    Chardev *chr = CHARDEV(s);

    if (!s->server) {
        char_socket_set_options(s, fd);
    }
    aio_context_pause(chr->ctx);
    s->fd = fd;
    yank_instance_set_socket(s->yank, fd);
    chardev_read_start(chr, fd, socket_read);
    socket_name(s);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    aio_context_resume(chr->ctx);
}

/* --- a socket that somebody else has made ---------------------------------- */

/* The socket behind fd=; -1 and *errp: it is none, or not of the kind that
 * server= says. */
static int socket_check_fd(SocketChardev *s, Error **errp)
{
    const char *text = s->fd_text;
    int listens = 0;
    socklen_t len = sizeof(listens);
    uint64_t fd;

    if (qemu_strtou64(text, NULL, 10, &fd) < 0 || fd > INT_MAX) {
        error_setg(errp, "fd=%s: the number of a descriptor is expected", text);
        return -1;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0) {
        error_setg_errno(errp, errno, "fd=%s: a socket is expected", text);
        return -1;
    }
    if (!listens != !s->server) {
        error_setg(errp, "fd=%s: this socket %s, which is server=%s", text,
                   listens ? "listens" : "does not listen",
                   listens ? "on" : "off");
        return -1;
    }
    return fd;
}

static bool char_socket_start_with_fd(SocketChardev *s, Error **errp)
{
    int fd = socket_check_fd(s, errp);

    if (fd < 0) {
        return false;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!s->server) {
        char_socket_connected(s, fd);
        return true;
    }
    s->listen_fd = fd;
    return char_socket_await_first(s, errp);
}

/* --- beginning and end ---------------------------------------------------- */

static bool socket_check_options(SocketChardev *s, Error **errp)
{
    int addresses = !!s->path + (s->host || s->port) + !!s->fd_text;

    if (addresses > 1) {
        error_setg(errp, "chardev: socket: path, host/port and fd are "
                   "addresses: give one of them");
        return false;
    }
    if (!s->path && !s->port && !s->fd_text) {
        error_setg(errp, "chardev: socket: no path (or host and port) given");
        return false;
    }
    return true;
}

/* A server, or who has one connection only, has nothing to connect to again. */
static bool socket_check_reconnect(SocketChardev *s, Error **errp)
{
    const char *name = s->reconnect ? "reconnect" : "reconnect-ms";

    if (s->reconnect && s->reconnect_ms) {
        error_setg(errp, "'reconnect' and 'reconnect-ms' are mutually "
                   "exclusive");
        return false;
    }
    if (char_socket_retry_ms(s) && s->fd_text) {
        error_setg(errp, "'%s' option is incompatible with fd=: there is "
                   "nothing to connect to again", name);
        return false;
    }
    if (char_socket_retry_ms(s) && s->server) {
        error_setg(errp, "'%s' option is incompatible with socket in server "
                   "listen mode", name);
        return false;
    }
    return true;
}

static bool socket_open(Chardev *chr, Error **errp)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    g_autofree SocketAddress *list = g_new0(SocketAddress,
                                            SOCKET_MAX_ADDRESSES);
    unsigned n;

    if (!socket_check_options(s, errp) || !socket_check_reconnect(s, errp)) {
        return false;
    }
    s->yank = yank_instance_new(chr->label);
    s->reconnect_timer = timer_new_ms(QEMU_CLOCK_REALTIME, char_socket_try_connect,
                                      s);
    if (s->fd_text) {
        socket_name(s);
        return char_socket_start_with_fd(s, errp);
    }
    if (!s->path && !s->host) {
        s->host = g_strdup("");
    }
    n = s->path ? socket_address_unix(list, s->path, errp)
                : socket_address_tcp(list, s->host, s->port, s->server, errp);
    if (!n) {
        return false;
    }
    socket_name(s);
    return s->server ? char_socket_start_server(s, list, n, errp)
                     : char_socket_start_client(s, list, n, errp);
}

static void socket_init(Object *obj)
{
    SocketChardev *s = SOCKET_CHARDEV(obj);

    s->wait = true;
    s->listen_fd = -1;
    s->connect_fd = -1;
    s->fd = -1;
}

static void socket_close_waiting(int *fd)
{
    if (*fd >= 0) {
        qemu_set_fd_handler(*fd, NULL, NULL, NULL);
        close(*fd);
        *fd = -1;
    }
}

static void socket_finalize(Object *obj)
{
    SocketChardev *s = SOCKET_CHARDEV(obj);

    chardev_read_stop(CHARDEV(s));
    chardev_watches_hang_up(CHARDEV(s));
    char_socket_discard_msg_fds(s);
    g_clear_pointer(&s->yank, yank_instance_free);
    if (s->fd >= 0) {
        close(s->fd);
    }
    char_socket_remove_file(s);
    socket_close_waiting(&s->listen_fd);
    socket_close_waiting(&s->connect_fd);
    timer_free(s->reconnect_timer);
}

static const ChardevOption socket_options[] = {
    { .name = "path", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(SocketChardev, path), .description = "UNIX socket" },
    { .name = "host", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(SocketChardev, host),
      .description = "Host to connect to, or address to listen on" },
    { .name = "port", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(SocketChardev, port), .description = "TCP port" },
    { .name = "fd", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(SocketChardev, fd_text),
      .description = "Number of a descriptor: a socket that is connected, or listens" },
    { .name = "server", .kind = CHARDEV_OPTION_BOOL,
      .offset = offsetof(SocketChardev, server),
      .description = "Listen instead of connecting" },
    { .name = "wait", .kind = CHARDEV_OPTION_BOOL,
      .offset = offsetof(SocketChardev, wait),
      .description = "As a server, do not start before a client has connected" },
    { .name = "nodelay", .kind = CHARDEV_OPTION_BOOL,
      .offset = offsetof(SocketChardev, nodelay),
      .description = "Send small TCP packets at once" },
    { .name = "reconnect", .kind = CHARDEV_OPTION_UINT32,
      .offset = offsetof(SocketChardev, reconnect),
      .description = "As a client, seconds until the next try to connect" },
    { .name = "reconnect-ms", .kind = CHARDEV_OPTION_UINT32,
      .offset = offsetof(SocketChardev, reconnect_ms),
      .description = "The same in milliseconds" },
    { },
};

static void socket_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "socket";
    cc->help = "path=PATH, fd=N or host=HOST,port=PORT[,server=on[,wait=off]]"
               "[,reconnect=SECONDS][,reconnect-ms=MS]";
    cc->open = socket_open;
    cc->chr_write = socket_write;
    cc->chr_write_fd = socket_fd;
    cc->chr_disconnect = socket_disconnected;
    cc->chr_get_socket = socket_fd;
    cc->chr_get_msg_fd = char_socket_get_msg_fd;
    cc->chr_rest = socket_rest;
    chardev_class_add_options(klass, socket_options);
}

static const TypeInfo socket_types[] = {
    {
        .name = TYPE_CHARDEV_SOCKET,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(SocketChardev),
        .instance_init = socket_init,
        .instance_finalize = socket_finalize,
        .class_init = socket_class_init,
    },
};

DEFINE_TYPES(socket_types)
