/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev stream: frames over a stream socket, each behind its length (4 bytes,
 * big endian), to another emulator or to passt. The socket is that of a character
 * device, /chardevs/netdev-ID, so listening, connecting and connecting again are
 * what they are there, and the main loop's. What goes over it is read and written
 * here, by who handles the netdev's frames: the main loop, or an I/O thread.
 *
 * In either direction a buffer of frames is held, as many are read, or written, by
 * one call; without a peer, what the guest sends is dropped, as from a cable that
 * is not plugged in.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "chardev/char.h"
#include "net/net.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qemu/sandbox-need.h"

#define TYPE_NETDEV_STREAM "netdev-stream"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevStream, NETDEV_STREAM)

#define LENGTH_SIZE sizeof(uint32_t)
#define BUFFER_SIZE (LENGTH_SIZE + NET_FRAME_MAX)
/* Times that is read before others have their turn. Until there is nothing: while
 * frames are handed on the peer sends more, and to wait again costs more than to
 * ask. */
#define READ_BURST 8

struct NetdevStream {
    Netdev parent_obj;

    /* Options. */
    char *addr_type;
    char *addr_path;
    char *addr_host;
    char *addr_port;
    char *addr_str;
    bool server;
    uint32_t reconnect;

    CharBackend chr;
    struct QEMUBH *hang_up_bh;            /* the peer's end is the main loop's */
    uint64_t nr_bad;                      /* lengths that no frame has */

    /* Of who handles frames. */
    AioContext *ctx;                      /* NULL: the main loop */
    int fd;                               /* the peer's socket; -1: there is none,
                                             or will be none soon */
    uint8_t *in;                          /* from the peer, not yet handed on */
    size_t in_size;
    bool read_waits;                      /* the guest has no room for the frame
                                             that @in begins with */
    uint8_t *out;                         /* frames to the peer, not written */
    size_t out_size, out_done;
    bool write_waits;                     /* the socket has no room for them */
    bool bad_length;                      /* is why the peer is hung up on */
};

static void stream_read(void *opaque);
static void stream_write(void *opaque);

/* --- the socket ----------------------------------------------------------- */

static void update_handlers(NetdevStream *s)
{
    aio_set_fd_handler(s->ctx, s->fd, s->read_waits ? NULL : stream_read,
                       s->write_waits ? stream_write : NULL, s);
}

static void forget_frames(NetdevStream *s)
{
    s->in_size = s->out_size = s->out_done = 0;
    s->read_waits = s->write_waits = false;
}

/* The peer has gone, or has to: nothing more is read or written, and the main loop
 * does the rest. */
static void hang_up(NetdevStream *s)
{
    aio_set_fd_handler(s->ctx, s->fd, NULL, NULL, NULL);
    s->fd = -1;
    forget_frames(s);
    qemu_bh_schedule(s->hang_up_bh);
}

static bool stream_set_aio_context(Netdev *nd, AioContext *ctx)
{
    NetdevStream *s = NETDEV_STREAM(nd);
    int fd = qemu_chr_fe_get_socket(&s->chr);

    if (s->ctx == ctx) {
        return true;
    }
    if (fd >= 0) {
        aio_set_fd_handler(s->ctx, fd, NULL, NULL, NULL);
    }
    s->ctx = ctx;
    if (s->fd >= 0) {
        update_handlers(s);
    }
    return true;
}

/* --- to the peer ---------------------------------------------------------- */

/* Writes what it can of the frames in @s->out. */
static void write_output(NetdevStream *s)
{
    bool waited = s->write_waits;
    struct iovec iov = { s->out + s->out_done, s->out_size - s->out_done };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    do {
        n = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        hang_up(s);
        return;
    }
    s->out_done += MAX(n, 0);
    s->write_waits = s->out_done < s->out_size;
    if (!s->write_waits) {
        s->out_size = s->out_done = 0;
    }
    if (s->write_waits != waited) {
        update_handlers(s);
    }
}

static void stream_write(void *opaque)
{
    NetdevStream *s = opaque;

    if (s->out_size) {
        write_output(s);
    }
    if (!s->out_size) {
        net_end_has_room(&NETDEV(s)->ends[0]);
    }
}

static void stream_flush(NetEnd *end)
{
    NetdevStream *s = end->owner;

    if (s->out_size && !s->write_waits) {
        write_output(s);
    }
}

static bool stream_receive(NetEnd *end, const struct iovec *iov,
                           unsigned iov_cnt)
{
    NetdevStream *s = end->owner;
    size_t size = iov_size(iov, iov_cnt);
    uint32_t length = GUINT32_TO_BE((uint32_t)size);

    if (s->out_size + LENGTH_SIZE + size > BUFFER_SIZE) {
        stream_flush(end);
    }
    if (size == 0 || size > NET_FRAME_MAX || s->fd < 0) {
        return true;
    }
    if (s->write_waits) {
        return false;
    }
    memcpy(s->out + s->out_size, &length, LENGTH_SIZE);
    iov_to_buf(iov, iov_cnt, 0, s->out + s->out_size + LENGTH_SIZE, size);
    s->out_size += LENGTH_SIZE + size;
    return true;
}

/* --- from the peer -------------------------------------------------------- */

/* Bytes of the frame, with its length, that @data begins with; 0: it is not all
 * there; SIZE_MAX: there can be none. */
static size_t frame_in(const uint8_t *data, size_t size)
{
    uint32_t length;

    if (size < LENGTH_SIZE) {
        return 0;
    }
    memcpy(&length, data, LENGTH_SIZE);
    length = GUINT32_FROM_BE(length);
    if (length == 0 || length > NET_FRAME_MAX) {
        return SIZE_MAX;
    }
    return size < LENGTH_SIZE + length ? 0 : LENGTH_SIZE + length;
}

/* Hands on the frames that are there until one is refused. */
static void hand_on(NetdevStream *s)
{
    NetEnd *end = &NETDEV(s)->ends[0];
    size_t at = 0, part;

    s->read_waits = false;
    while ((part = frame_in(s->in + at, s->in_size - at)) && part != SIZE_MAX) {
        struct iovec iov = { s->in + at + LENGTH_SIZE, part - LENGTH_SIZE };

        if (!net_end_send(end, &iov, 1)) {
            s->read_waits = true;
            break;
        }
        at += part;
    }
    net_end_flush(end);
    s->in_size -= at;
    memmove(s->in, s->in + at, s->in_size);
    if (part == SIZE_MAX) {
        s->bad_length = true;
        hang_up(s);
    }
}

/* More of what the peer has sent; false: there is none now. */
static bool read_input(NetdevStream *s)
{
    struct iovec iov = { s->in + s->in_size, BUFFER_SIZE - s->in_size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    do {
        n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        return false;
    }
    if (n <= 0) {
        hang_up(s);
        return false;
    }
    s->in_size += n;
    return true;
}

static void stream_read(void *opaque)
{
    NetdevStream *s = opaque;

    for (unsigned i = 0; i < READ_BURST && s->fd >= 0 && !s->read_waits; i++) {
        if (!read_input(s)) {
            break;
        }
        hand_on(s);
    }
    if (s->read_waits) {
        update_handlers(s);
    }
}

static void stream_peer_has_room(NetEnd *end)
{
    NetdevStream *s = end->owner;

    if (s->read_waits) {
        hand_on(s);
        if (!s->read_waits && s->fd >= 0) {
            update_handlers(s);
        }
    }
}

/* --- connections ---------------------------------------------------------- */

static JsonObject *event_data(NetdevStream *s)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "netdev-id", NETDEV(s)->id);
    return data;
}

/* The frames that the guest could not send yet are sent to nobody. */
static void stream_event(void *opaque, QEMUChrEvent event)
{
    NetdevStream *s = opaque;

    if (event == CHR_EVENT_OPENED) {
        aio_context_pause(s->ctx);
        s->fd = qemu_chr_fe_get_socket(&s->chr);
        update_handlers(s);
        aio_context_resume(s->ctx);
        qapi_event_emit("NETDEV_STREAM_CONNECTED", event_data(s));
    } else if (event == CHR_EVENT_CLOSED) {
        aio_context_pause(s->ctx);
        net_end_has_room(&NETDEV(s)->ends[0]);
        aio_context_resume(s->ctx);
        qapi_event_emit("NETDEV_STREAM_DISCONNECTED", event_data(s));
    }
}

/* The main loop's part of hang_up(). */
static void disconnect(void *opaque)
{
    NetdevStream *s = opaque;

    aio_context_pause(s->ctx);
    aio_set_fd_handler(s->ctx, qemu_chr_fe_get_socket(&s->chr), NULL, NULL,
                       NULL);
    aio_context_resume(s->ctx);
    if (s->bad_length) {
        s->bad_length = false;
        warn_report_counted(&s->nr_bad, "netdev '%s': the peer sent no frame: "
                            "its length must be 1 to %d; the connection is "
                            "closed", NETDEV(s)->id, NET_FRAME_MAX);
    }
    qemu_chr_fe_disconnect(&s->chr);
}

/* The option that addr.type= needs; NULL and *errp: it is not there. */
static bool need(const char *type, const char *name, const char *value,
                 Error **errp)
{
    if (!value) {
        error_setg(errp, "Parameter 'addr.%s' is missing: addr.type=%s needs it",
                   name, type);
    }
    return value;
}

static bool add_address(NetdevStream *s, JsonObject *opts, Error **errp)
{
    const char *type = s->addr_type;

    if (!g_strcmp0(type, "unix") && need(type, "path", s->addr_path, errp)) {
        json_object_set_string_member(opts, "path", s->addr_path);
        return true;
    }
    if (!g_strcmp0(type, "fd") && need(type, "str", s->addr_str, errp)) {
        json_object_set_string_member(opts, "fd", s->addr_str);
        return true;
    }
    if (!g_strcmp0(type, "inet") && need(type, "host", s->addr_host, errp) &&
        need(type, "port", s->addr_port, errp)) {
        json_object_set_string_member(opts, "host", s->addr_host);
        json_object_set_string_member(opts, "port", s->addr_port);
        return true;
    }
    if (!*errp) {
        error_setg(errp, "Parameter 'addr.type' expects unix, inet or fd");
    }
    return false;
}

/* What -chardev would be given. */
static JsonObject *chardev_options(NetdevStream *s, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *id = g_strdup_printf("netdev-%s", NETDEV(s)->id);
    g_autoptr(JsonObject) opts = json_object_new();

    json_object_set_string_member(opts, "backend", "socket");
    json_object_set_string_member(opts, "id", id);
    json_object_set_boolean_member(opts, "server", s->server);
    json_object_set_boolean_member(opts, "wait", false);
    json_object_set_int_member(opts, "reconnect", s->reconnect);
    return add_address(s, opts, errp) ? g_steal_pointer(&opts) : NULL;
}

static bool stream_open(Netdev *nd, Error **errp)
{
    NetdevStream *s = NETDEV_STREAM(nd);
    g_autoptr(JsonObject) opts = chardev_options(s, errp);
    Chardev *chr = opts ? qemu_chr_new_from_json(opts, false, errp) : NULL;

    if (!chr) {
        return false;
    }
    sandbox_need(SANDBOX_NET_SOCKET);
    s->in = g_malloc(BUFFER_SIZE);
    s->out = g_malloc(BUFFER_SIZE);
    s->hang_up_bh = qemu_bh_new(disconnect, s);
    nd->info = g_strdup_printf("stream,%s", chr->filename);
    qemu_chr_fe_init(&s->chr, chr, &error_abort);
    qemu_chr_fe_set_handlers(&s->chr, NULL, NULL, stream_event, NULL, s, NULL,
                             true);
    return true;
}

/* The chardev closes the socket, which a thread may still look at. */
static void stream_at_exit(Netdev *nd)
{
    NetdevStream *s = NETDEV_STREAM(nd);

    if (s->fd >= 0) {
        aio_context_pause(s->ctx);
        aio_set_fd_handler(s->ctx, s->fd, NULL, NULL, NULL);
        s->fd = -1;
        aio_context_resume(s->ctx);
    }
}

static void stream_init(Object *obj)
{
    NETDEV_STREAM(obj)->fd = -1;
}

static void stream_finalize(Object *obj)
{
    NetdevStream *s = NETDEV_STREAM(obj);

    stream_at_exit(NETDEV(s));
    g_clear_pointer(&s->hang_up_bh, qemu_bh_delete);
    qemu_chr_fe_deinit(&s->chr, true);
    g_free(s->in);
    g_free(s->out);
}

/* --- the type ------------------------------------------------------------- */

static const NetEndOps stream_ops = {
    .receive = stream_receive,
    .flush = stream_flush,
    .peer_has_room = stream_peer_has_room,
};

static const NetdevOption stream_options[] = {
    NETDEV_OPTION(NetdevStream, "server", BOOL, server, "Listen instead of connecting"),
    NETDEV_OPTION(NetdevStream, "addr.type", STR, addr_type, "unix, inet or fd"),
    NETDEV_OPTION(NetdevStream, "addr.path", STR, addr_path, "unix: the socket"),
    NETDEV_OPTION(NetdevStream, "addr.host", STR, addr_host, "inet: the host, or address"),
    NETDEV_OPTION(NetdevStream, "addr.port", STR, addr_port, "inet: the TCP port"),
    NETDEV_OPTION(NetdevStream, "addr.str", STR, addr_str, "fd: a socket's descriptor"),
    NETDEV_OPTION(NetdevStream, "reconnect", UINT32, reconnect,
           "As a client, seconds until the next try to connect"),
    { },
};

static void stream_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "stream";
    nc->help = "addr.type=unix,addr.path=PATH | inet,addr.host=HOST,"
               "addr.port=PORT | fd,addr.str=N[,server=on][,reconnect=SECONDS]";
    nc->options = stream_options;
    nc->ops = &stream_ops;
    nc->open = stream_open;
    nc->at_exit = stream_at_exit;
    nc->set_aio_context = stream_set_aio_context;
}

static const TypeInfo stream_types[] = {
    {
        .name = TYPE_NETDEV_STREAM,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevStream),
        .instance_init = stream_init,
        .instance_finalize = stream_finalize,
        .class_init = stream_class_init,
    },
};
DEFINE_TYPES(stream_types)
