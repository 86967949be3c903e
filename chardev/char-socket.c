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
#include <poll.h>
#include <sys/stat.h>

#include "chardev/char.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/may-open.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "socket-address.h"

#define SOCKET_CONNECT_TIMEOUT_MS 5000
/* The kernel's limit (SCM_MAX_FD), so that none is dropped on the way. */
#define SOCKET_MAX_MSG_FDS 253

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

    SocketAddress address;
    int listen_fd;                        /* -1: no server */
    dev_t file_dev;                       /* the socket's file, which is */
    ino_t file_ino;                       /* ours to remove; 0: none */
    int connect_fd;                       /* -1: not just connecting */
    QEMUTimer *reconnect_timer;

    int fd;                               /* -1: no peer */
    ChardevInput *input;
    int msg_fds[SOCKET_MAX_MSG_FDS];      /* came with the last message, and */
    unsigned nr_msg_fds;                  /* nobody has taken them */
    bool write_failed;                    /* the peer takes no more */
    QEMUBH *hang_up_bh;
} SocketChardev;

DECLARE_INSTANCE_CHECKER(SocketChardev, SOCKET_CHARDEV, TYPE_CHARDEV_SOCKET)

static void socket_await_peer(SocketChardev *s);

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

/* --- descriptors that come with messages ----------------------------------- */

static void socket_discard_msg_fds(SocketChardev *s)
{
    for (unsigned i = 0; i < s->nr_msg_fds; i++) {
        close(s->msg_fds[i]);
    }
    s->nr_msg_fds = 0;
}

static int socket_get_msg_fd(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    int fd;

    if (!s->nr_msg_fds) {
        return -1;
    }
    fd = s->msg_fds[0];
    s->nr_msg_fds--;
    memmove(s->msg_fds, s->msg_fds + 1, s->nr_msg_fds * sizeof(int));
    return fd;
}

/* Those of an earlier message were not wanted. */
static void socket_keep_msg_fds(SocketChardev *s, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

            socket_discard_msg_fds(s);
            memcpy(s->msg_fds, CMSG_DATA(c), n * sizeof(int));
            s->nr_msg_fds = n;
        }
    }
}

/* As read(), and keeps the descriptors that come with it. */
static ssize_t socket_receive(SocketChardev *s, void *buf, size_t len)
{
    union {
        char bytes[CMSG_SPACE(SOCKET_MAX_MSG_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { buf, len };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;

    do {
        n = recvmsg(s->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        socket_keep_msg_fds(s, &msg);
    }
    return n;
}

/* --- a connection --------------------------------------------------------- */

static void socket_close(SocketChardev *s)
{
    g_clear_pointer(&s->input, chardev_input_free);
    chardev_watches_hang_up(CHARDEV(s));
    socket_discard_msg_fds(s);
    close(s->fd);
    s->fd = -1;
    s->write_failed = false;
    qemu_bh_cancel(s->hang_up_bh);
    socket_name(s);
}

static void socket_disconnected(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);

    if (s->fd >= 0) {
        socket_close(s);
        socket_await_peer(s);
        qemu_chr_be_event(chr, CHR_EVENT_CLOSED);
    }
}

static void socket_read(Chardev *chr, int max)
{
    uint8_t buf[4 * KiB];
    ssize_t n = socket_receive(SOCKET_CHARDEV(chr), buf,
                               MIN((size_t)max, sizeof(buf)));

    if (n > 0) {
        qemu_chr_be_write(chr, buf, n);
    } else if (n == 0 || errno != EAGAIN) {
        socket_disconnected(chr);
    }
}

/* A peer that has gone may have left something to read, and its end is found
 * behind that. Only where nobody reads is it to be ended here. */
static void socket_hang_up(void *opaque)
{
    Chardev *chr = opaque;

    if (qemu_chr_be_can_write(chr) == 0) {
        socket_disconnected(chr);
    }
}

static int socket_write(Chardev *chr, const uint8_t *buf, int len)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);
    ssize_t n;

    if (s->fd < 0 || s->write_failed) {
        return len;
    }
    do {
        n = send(s->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        s->write_failed = true;
        qemu_bh_schedule(s->hang_up_bh);
        return len;
    }
    return n;
}

static int socket_write_fd(Chardev *chr)
{
    return SOCKET_CHARDEV(chr)->fd;
}

/* @fd, a nonblocking socket, is the peer's from now on. */
static void socket_connected(SocketChardev *s, int fd)
{
    Chardev *chr = CHARDEV(s);

    if (s->nodelay && !s->path) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    }
    s->fd = fd;
    s->input = chardev_input_new(chr, fd, socket_read);
    socket_name(s);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
}

/* --- server --------------------------------------------------------------- */

static void socket_accept(void *opaque)
{
    SocketChardev *s = opaque;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        /* The next one waits until this one has gone. */
        qemu_set_fd_handler(s->listen_fd, NULL, NULL, NULL);
        socket_connected(s, fd);
    }
}

static bool socket_wait_for_client(SocketChardev *s, Error **errp)
{
    Chardev *chr = CHARDEV(s);
    struct pollfd p = { .fd = s->listen_fd, .events = POLLIN };

    info_report("QEMU waiting for connection on: %s", chr->filename);
    while (s->fd < 0) {
        if (poll(&p, 1, -1) < 0) {
            error_setg_errno(errp, errno, "nobody connected to '%s'",
                             chr->filename);
            return false;
        }
        socket_accept(s);
    }
    return true;
}

static bool socket_await_first(SocketChardev *s, Error **errp)
{
    if (s->wait) {
        return socket_wait_for_client(s, errp);
    }
    socket_await_peer(s);
    return true;
}

/* Listens at the first address that works; 0 or -errno. */
static int socket_listen_any(SocketChardev *s, const SocketAddress *list,
                             unsigned n)
{
    int fd = -EINVAL;

    for (unsigned i = 0; i < n && fd < 0; i++) {
        fd = socket_listen(&list[i]);
        s->address = list[i];
    }
    s->listen_fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

static bool socket_start_server(SocketChardev *s, const SocketAddress *list,
                                unsigned n, Error **errp)
{
    int err = socket_listen_any(s, list, n);
    struct stat st;

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
    if (s->path && stat(s->path, &st) == 0) {
        s->file_dev = st.st_dev;
        s->file_ino = st.st_ino;
    }
    return socket_await_first(s, errp);
}

/* --- client --------------------------------------------------------------- */

static void socket_retry_later(SocketChardev *s)
{
    if (s->reconnect) {
        timer_mod(s->reconnect_timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  (int64_t)s->reconnect * 1000);
    }
}

static void socket_connect_done(void *opaque)
{
    SocketChardev *s = opaque;
    int fd = s->connect_fd;

    qemu_set_fd_handler(fd, NULL, NULL, NULL);
    s->connect_fd = -1;
    if (socket_connect_result(fd, 0) == 0) {
        socket_connected(s, fd);
    } else {
        close(fd);
        socket_retry_later(s);
    }
}

static void socket_try_connect(void *opaque)
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
        socket_retry_later(s);
    } else if (pending) {
        s->connect_fd = fd;
        qemu_set_fd_handler(fd, NULL, socket_connect_done, s);
    } else {
        socket_connected(s, fd);
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
            socket_connected(s, fd);
            return true;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    error_setg_errno(errp, -err, "Failed to connect to '%s%s%s'",
                     s->path ? s->path : s->host, s->path ? "" : ":",
                     s->path ? "" : s->port);
    return false;
}

static bool socket_start_client(SocketChardev *s, const SocketAddress *list,
                                unsigned n, Error **errp)
{
    if (!s->reconnect) {
        return socket_must_connect(s, list, n, errp);
    }
    s->address = list[0];
    socket_try_connect(s);
    return true;
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

static bool socket_start_with_fd(SocketChardev *s, Error **errp)
{
    int fd = socket_check_fd(s, errp);

    if (fd < 0) {
        return false;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!s->server) {
        socket_connected(s, fd);
        return true;
    }
    s->listen_fd = fd;
    return socket_await_first(s, errp);
}

/* --- beginning and end ---------------------------------------------------- */

/* There is no peer: what has to happen to get one. */
static void socket_await_peer(SocketChardev *s)
{
    if (s->server) {
        qemu_set_fd_handler(s->listen_fd, socket_accept, NULL, s);
    } else {
        socket_retry_later(s);
    }
}

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
    if (s->fd_text && s->reconnect) {
        error_setg(errp, "'reconnect' option is incompatible with fd=: there "
                   "is nothing to connect to again");
        return false;
    }
    if (s->server && s->reconnect) {
        error_setg(errp, "'reconnect' option is incompatible with socket in "
                   "server listen mode");
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

    if (!socket_check_options(s, errp)) {
        return false;
    }
    s->hang_up_bh = qemu_bh_new(socket_hang_up, s);
    s->reconnect_timer = timer_new_ms(QEMU_CLOCK_REALTIME, socket_try_connect,
                                      s);
    if (s->fd_text) {
        socket_name(s);
        return socket_start_with_fd(s, errp);
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
    return s->server ? socket_start_server(s, list, n, errp)
                     : socket_start_client(s, list, n, errp);
}

static void socket_init(Object *obj)
{
    SocketChardev *s = SOCKET_CHARDEV(obj);

    s->wait = true;
    s->listen_fd = -1;
    s->connect_fd = -1;
    s->fd = -1;
}

/* Removes the socket's file unless it is no longer the one that we made. */
static void socket_remove_file(SocketChardev *s)
{
    const char *path = socket_address_path(&s->address);
    struct stat st;

    if (s->file_ino && path && lstat(path, &st) == 0 &&
        st.st_dev == s->file_dev && st.st_ino == s->file_ino) {
        unlink(path);
    }
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

    g_clear_pointer(&s->input, chardev_input_free);
    chardev_watches_hang_up(CHARDEV(s));
    socket_discard_msg_fds(s);
    if (s->fd >= 0) {
        close(s->fd);
    }
    socket_remove_file(s);
    socket_close_waiting(&s->listen_fd);
    socket_close_waiting(&s->connect_fd);
    timer_free(s->reconnect_timer);
    g_clear_pointer(&s->hang_up_bh, qemu_bh_delete);
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
    { },
};

static void socket_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "socket";
    cc->help = "path=PATH, fd=N or host=HOST,port=PORT[,server=on[,wait=off]]"
               "[,reconnect=SECONDS]";
    cc->open = socket_open;
    cc->chr_write = socket_write;
    cc->chr_write_fd = socket_write_fd;
    cc->chr_disconnect = socket_disconnected;
    cc->chr_get_msg_fd = socket_get_msg_fd;
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
