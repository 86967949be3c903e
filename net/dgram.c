/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev dgram: frames as datagrams, a frame each: of Unix sockets, of UDP, of a
 * multicast group, or of a descriptor that is connected already. Whoever sends to the
 * own socket is the peer, and what the guest sends goes to the remote one, be
 * somebody there or not. dgram-socket.c makes the socket.
 *
 * The kernel does not tell when a peer's queue has room again, so a frame that it
 * has no room for is tried again a little later.
 */
#include "qemu/osdep.h"

#include "dgram-socket.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"
#include "qemu/sandbox-need.h"
#include "qemu/timer.h"

#define TYPE_NETDEV_DGRAM "netdev-dgram"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevDgram, NETDEV_DGRAM)

/* Frames that are read before others have their turn. */
#define READ_BURST 64
#define RETRY_MS 1

struct NetdevDgram {
    Netdev parent_obj;

    /* Options. */
    DgramAddress local, remote;

    DgramSocket socket;
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
    aio_set_fd_handler(s->ctx, s->socket.fd, s->frame_size ? NULL : dgram_read, NULL, s);
}

static bool dgram_set_aio_context(Netdev *nd, AioContext *ctx)
{
    NetdevDgram *s = NETDEV_DGRAM(nd);

    if (s->ctx != ctx) {
        aio_set_fd_handler(s->ctx, s->socket.fd, NULL, NULL, NULL);
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
    ssize_t n = recvmsg(s->socket.fd, &msg, MSG_DONTWAIT);

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
        .msg_name = s->socket.remote_size ? &s->socket.remote : NULL,
        .msg_namelen = s->socket.remote_size,
        .msg_iov = (struct iovec *)iov,
        .msg_iovlen = iov_cnt,
    };
    ssize_t n;

    if (s->write_waits) {
        return false;
    }
    do {
        n = sendmsg(s->socket.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
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

static bool dgram_open(Netdev *nd, Error **errp)
{
    NetdevDgram *s = NETDEV_DGRAM(nd);

    if (!dgram_socket_open(&s->socket, &s->local, &s->remote, errp)) {
        return false;
    }
    nd->info = dgram_socket_name(&s->socket, &s->local, &s->remote);
    sandbox_need(SANDBOX_NET_SOCKET);
    s->frame = g_malloc(NET_FRAME_MAX);
    s->retry = timer_new_ms(QEMU_CLOCK_REALTIME, retry, s);
    s->retry_bh = qemu_bh_new(start_retry, s);
    update_handler(s);
    return true;
}

static void dgram_init(Object *obj)
{
    NETDEV_DGRAM(obj)->socket.fd = -1;
}

static void dgram_at_exit(Netdev *nd)
{
    dgram_socket_remove_file(&NETDEV_DGRAM(nd)->socket);
}

static void dgram_finalize(Object *obj)
{
    NetdevDgram *s = NETDEV_DGRAM(obj);

    g_clear_pointer(&s->retry_bh, qemu_bh_delete);
    timer_free(s->retry);
    if (s->socket.fd >= 0) {
        aio_set_fd_handler(s->ctx, s->socket.fd, NULL, NULL, NULL);
    }
    dgram_socket_close(&s->socket);
    g_free(s->frame);
}

/* --- the type ------------------------------------------------------------- */

static const NetEndOps dgram_ops = {
    .receive = dgram_receive,
    .peer_has_room = dgram_peer_has_room,
};

static const NetdevOption dgram_options[] = {
    NETDEV_OPTION(NetdevDgram, "local.type", STR, local.type, "unix, inet or fd"),
    NETDEV_OPTION(NetdevDgram, "local.path", STR, local.path, "unix: the own socket"),
    NETDEV_OPTION(NetdevDgram, "local.host", STR, local.host, "inet: the own address"),
    NETDEV_OPTION(NetdevDgram, "local.port", STR, local.port, "inet: the own UDP port"),
    NETDEV_OPTION(NetdevDgram, "local.str", STR, local.str, "fd: a socket's descriptor"),
    NETDEV_OPTION(NetdevDgram, "remote.type", STR, remote.type, "unix or inet"),
    NETDEV_OPTION(NetdevDgram, "remote.path", STR, remote.path, "unix: the peer's socket"),
    NETDEV_OPTION(NetdevDgram, "remote.host", STR, remote.host,
                  "inet: the peer's address, or that of a multicast group"),
    NETDEV_OPTION(NetdevDgram, "remote.port", STR, remote.port, "inet: the peer's UDP port"),
    { },
};

static void dgram_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "dgram";
    nc->help = "local.type=unix,local.path=PATH,remote.type=unix,"
               "remote.path=PATH | [local.type=inet,local.host=ADDRESS,local.port="
               "PORT,]remote.type=inet,remote.host=ADDRESS,remote.port=PORT | "
               "local.type=fd,local.str=N";
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
