/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev dgram: frames as datagrams between Unix sockets, a frame each. The own
 * socket has a path, or is a descriptor that is connected already; whoever sends to
 * it is the peer, and what the guest sends goes to remote.path, be somebody there
 * or not.
 *
 * The kernel does not tell when a peer's queue has room again, so a frame that it
 * has no room for is tried again a little later.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "monitor/fds.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"
#include "qemu/sandbox-need.h"
#include "qemu/socket-path.h"
#include "qemu/timer.h"

#define TYPE_NETDEV_DGRAM "netdev-dgram"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevDgram, NETDEV_DGRAM)

/* Frames that are read before others have their turn. */
#define READ_BURST 64
#define RETRY_MS 1

struct NetdevDgram {
    Netdev parent_obj;

    /* Options. */
    char *local_type, *local_path, *local_str;
    char *remote_type, *remote_path;

    int fd;                               /* -1: none */
    struct sockaddr_un local, remote;
    SocketFile file;                      /* that of local */
    socklen_t remote_size;                /* 0: the socket is connected */
    uint8_t *frame;                       /* from the peer, not yet taken */
    size_t frame_size;                    /* 0: none */
    bool write_waits;                     /* the guest has a frame for us */
    QEMUTimer *retry;
    struct QEMUBH *retry_bh;              /* starts it */
    AioContext *ctx;                      /* handles frames; NULL: the main loop */
};

/* --- frames --------------------------------------------------------------- */

static void dgram_read(void *opaque);

static void update_handler(NetdevDgram *s)
{
    aio_set_fd_handler(s->ctx, s->fd, s->frame_size ? NULL : dgram_read, NULL, s);
}

static bool dgram_set_aio_context(Netdev *nd, AioContext *ctx)
{
    NetdevDgram *s = NETDEV_DGRAM(nd);

    if (s->ctx != ctx) {
        aio_set_fd_handler(s->ctx, s->fd, NULL, NULL, NULL);
        s->ctx = ctx;
        update_handler(s);
    }
    return true;
}

/* Hands on the frame that was read; false: there is no room for it. */
static bool hand_on(NetdevDgram *s)
{
    struct iovec iov = { s->frame, s->frame_size };

    if (!net_end_send(&NETDEV(s)->ends[0], &iov, 1)) {
        return false;
    }
    s->frame_size = 0;
    return true;
}

/* The next datagram, or the next that is a frame; false: there is none now. */
static bool read_frame(NetdevDgram *s)
{
    struct iovec iov = { s->frame, NET_FRAME_MAX };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);

    s->frame_size = n > 0 && !(msg.msg_flags & MSG_TRUNC) ? n : 0;
    return n >= 0;
}

static void dgram_read(void *opaque)
{
    NetdevDgram *s = opaque;

    for (unsigned i = 0; i < READ_BURST && read_frame(s); i++) {
        if (s->frame_size && !hand_on(s)) {
            update_handler(s);
            break;
        }
    }
    net_end_flush(&NETDEV(s)->ends[0]);
}

static void dgram_peer_has_room(NetEnd *end)
{
    NetdevDgram *s = end->owner;

    if (s->frame_size && hand_on(s)) {
        net_end_flush(end);
        update_handler(s);
    }
}

static bool dgram_receive(NetEnd *end, const struct iovec *iov, unsigned iov_cnt)
{
    NetdevDgram *s = end->owner;
    struct msghdr msg = {
        .msg_name = s->remote_size ? &s->remote : NULL,
        .msg_namelen = s->remote_size,
        .msg_iov = (struct iovec *)iov,
        .msg_iovlen = iov_cnt,
    };
    ssize_t n;

    if (s->write_waits) {
        return false;
    }
    do {
        n = sendmsg(s->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        s->write_waits = true;
        qemu_bh_schedule(s->retry_bh);    /* this may be an I/O thread */
        return false;
    }
    return true;                          /* to nobody: lost */
}

static void start_retry(void *opaque)
{
    timer_mod(NETDEV_DGRAM(opaque)->retry,
              qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + RETRY_MS);
}

static void retry(void *opaque)
{
    NetdevDgram *s = opaque;

    aio_context_pause(s->ctx);
    s->write_waits = false;
    net_end_has_room(&NETDEV(s)->ends[0]);
    aio_context_resume(s->ctx);
}

/* --- opening -------------------------------------------------------------- */

static bool set_path(const char *option, const char *path,
                     struct sockaddr_un *addr, Error **errp)
{
    if (!path) {
        error_setg(errp, "Parameter '%s' is missing", option);
        return false;
    }
    if (!socket_path_address(addr, path)) {
        error_setg(errp, "%s=%s is too long: at most %zu bytes are possible",
                   option, path, sizeof(addr->sun_path) - 1);
        return false;
    }
    return true;
}

static bool bind_local(NetdevDgram *s, Error **errp)
{
    int ret = socket_path_bind(s->fd, &s->local, &s->file);

    if (ret == -ENOTSOCK) {
        error_setg(errp, "local.path=%s exists, and is no socket",
                   s->local_path);
    } else if (ret == -EADDRINUSE) {
        error_setg(errp, "local.path=%s is another socket's", s->local_path);
    } else if (ret) {
        error_setg_errno(errp, -ret, "local.path=%s cannot be had",
                         s->local_path);
    }
    return !ret;
}

static bool open_unix(NetdevDgram *s, Error **errp)
{
    if (g_strcmp0(s->remote_type, "unix")) {
        error_setg(errp, "Parameter 'remote.type' expects unix, which goes with "
                   "local.type=unix");
        return false;
    }
    if (!set_path("local.path", s->local_path, &s->local, errp) ||
        !set_path("remote.path", s->remote_path, &s->remote, errp)) {
        return false;
    }
    s->remote_size = sizeof(s->remote);
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return bind_local(s, errp);
}

static bool is_datagram_socket(int fd)
{
    int type;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
        return false;
    }
    errno = EPROTOTYPE;
    return type == SOCK_DGRAM;
}

static bool open_fd(NetdevDgram *s, Error **errp)
{
    if (s->remote_type || s->remote_path || !s->local_str) {
        error_setg(errp, "local.type=fd goes with local.str=, a socket that is "
                   "connected, and without remote.");
        return false;
    }
    s->fd = monitor_fd_open("local.str", s->local_str, NULL, is_datagram_socket,
                            errp);
    if (s->fd < 0) {
        return false;
    }
    fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
    return true;
}

static bool dgram_open(Netdev *nd, Error **errp)
{
    NetdevDgram *s = NETDEV_DGRAM(nd);
    bool fd = !g_strcmp0(s->local_type, "fd");

    if (!fd && g_strcmp0(s->local_type, "unix")) {
        error_setg(errp, "Parameter 'local.type' expects unix or fd");
        return false;
    }
    if (!(fd ? open_fd(s, errp) : open_unix(s, errp))) {
        return false;
    }
    nd->info = fd ? g_strdup_printf("dgram,fd=%s", s->local_str)
                  : g_strdup_printf("dgram,local.path=%s,remote.path=%s",
                                    s->local_path, s->remote_path);
    sandbox_need(SANDBOX_NET_SOCKET);
    s->frame = g_malloc(NET_FRAME_MAX);
    s->retry = timer_new_ms(QEMU_CLOCK_REALTIME, retry, s);
    s->retry_bh = qemu_bh_new(start_retry, s);
    update_handler(s);
    return true;
}

static void dgram_init(Object *obj)
{
    NETDEV_DGRAM(obj)->fd = -1;
}

static void dgram_at_exit(Netdev *nd)
{
    NetdevDgram *s = NETDEV_DGRAM(nd);

    socket_path_remove(&s->local, &s->file);
}

static void dgram_finalize(Object *obj)
{
    NetdevDgram *s = NETDEV_DGRAM(obj);

    g_clear_pointer(&s->retry_bh, qemu_bh_delete);
    timer_free(s->retry);
    if (s->fd >= 0) {
        aio_set_fd_handler(s->ctx, s->fd, NULL, NULL, NULL);
        close(s->fd);
    }
    dgram_at_exit(NETDEV(s));
    g_free(s->frame);
}

/* --- the type ------------------------------------------------------------- */

static const NetEndOps dgram_ops = {
    .receive = dgram_receive,
    .peer_has_room = dgram_peer_has_room,
};

static const NetdevOption dgram_options[] = {
    NETDEV_OPTION(NetdevDgram, "local.type", STR, local_type, "unix or fd"),
    NETDEV_OPTION(NetdevDgram, "local.path", STR, local_path, "unix: the own socket"),
    NETDEV_OPTION(NetdevDgram, "local.str", STR, local_str, "fd: a socket's descriptor"),
    NETDEV_OPTION(NetdevDgram, "remote.type", STR, remote_type, "unix"),
    NETDEV_OPTION(NetdevDgram, "remote.path", STR, remote_path, "unix: the peer's socket"),
    { },
};

static void dgram_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "dgram";
    nc->help = "local.type=unix,local.path=PATH,remote.type=unix,"
               "remote.path=PATH | local.type=fd,local.str=N";
    nc->options = dgram_options;
    nc->ops = &dgram_ops;
    nc->open = dgram_open;
    nc->at_exit = dgram_at_exit;
    nc->set_aio_context = dgram_set_aio_context;
}

static const TypeInfo dgram_types[] = {
    {
        .name = TYPE_NETDEV_DGRAM,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevDgram),
        .instance_init = dgram_init,
        .instance_finalize = dgram_finalize,
        .class_init = dgram_class_init,
    },
};
DEFINE_TYPES(dgram_types)
