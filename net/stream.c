/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev stream: frames over a stream socket, each behind its length (4 bytes,
 * big endian), to another emulator or to passt. The socket is a character
 * device, /chardevs/netdev-ID, so listening, connecting and connecting again are
 * what they are there.
 *
 * Of what comes at most a frame is held here, of what goes a buffer of them, as
 * they are written together; without a peer, what the guest sends is dropped, as
 * from a cable that is not plugged in.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "net/net.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"

#define TYPE_NETDEV_STREAM "netdev-stream"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevStream, NETDEV_STREAM)

#define LENGTH_SIZE sizeof(uint32_t)
#define BUFFER_SIZE (LENGTH_SIZE + NET_FRAME_MAX)

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
    uint8_t *in;                          /* from the peer, not yet handed on */
    size_t in_size;
    uint8_t *out;                         /* frames to the peer, not written */
    size_t out_size, out_done;
    guint watch;                          /* until more can be written; 0: none */
    uint64_t nr_bad;                      /* lengths that no frame has */
};

/* --- to the peer ---------------------------------------------------------- */

static void stop_watching(NetdevStream *s)
{
    if (s->watch) {
        g_source_remove(s->watch);
        s->watch = 0;
    }
}

static void drop_output(NetdevStream *s)
{
    stop_watching(s);
    s->out_size = s->out_done = 0;
}

static gboolean can_write(void *do_not_use, GIOCondition cond, void *opaque);

/* Writes what it can of the frames in @s->out. */
static void write_output(NetdevStream *s)
{
    int n = qemu_chr_fe_write(&s->chr, s->out + s->out_done,
                              s->out_size - s->out_done);

    s->out_done += MAX(n, 0);
    if (s->out_done == s->out_size) {
        s->out_size = s->out_done = 0;
    } else if (!s->watch) {
        s->watch = qemu_chr_fe_add_watch(&s->chr, G_IO_OUT, can_write, s);
        if (!s->watch) {
            drop_output(s);               /* nobody is there any more */
        }
    }
}

static gboolean can_write(void *do_not_use, GIOCondition cond, void *opaque)
{
    NetdevStream *s = opaque;

    if (cond & G_IO_HUP) {
        s->watch = 0;
        drop_output(s);
    } else {
        write_output(s);
    }
    if (s->out_size) {
        return G_SOURCE_CONTINUE;
    }
    s->watch = 0;
    net_end_has_room(&NETDEV(s)->ends[0]);
    return G_SOURCE_REMOVE;
}

static void stream_flush(NetEnd *end)
{
    NetdevStream *s = end->owner;

    if (s->out_size && !s->watch) {
        write_output(s);
    }
}

static bool stream_receive(NetEnd *end, const struct iovec *iov,
                           unsigned iov_cnt)
{
    NetdevStream *s = end->owner;
    size_t size = iov_size(iov, iov_cnt);
    uint32_t length = GUINT32_TO_BE((uint32_t)size);

    if (size == 0 || size > NET_FRAME_MAX || !qemu_chr_fe_backend_open(&s->chr)) {
        return true;
    }
    if (s->out_size + LENGTH_SIZE + size > BUFFER_SIZE) {
        stream_flush(end);
    }
    if (s->watch) {
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

static void refuse_length(NetdevStream *s)
{
    warn_report_counted(&s->nr_bad, "netdev '%s': the peer sent no frame: its "
                        "length must be 1 to %d; the connection is closed",
                        NETDEV(s)->id, NET_FRAME_MAX);
    s->in_size = 0;
    qemu_chr_fe_disconnect(&s->chr);
}

/* Hands the frames of @data on until one is refused, or the rest is none; how
 * many bytes of it that were. */
static size_t hand_on(NetdevStream *s, const uint8_t *data, size_t size)
{
    NetEnd *end = &NETDEV(s)->ends[0];
    size_t at = 0, part;

    while ((part = frame_in(data + at, size - at)) && part != SIZE_MAX) {
        struct iovec iov = { (void *)(data + at + LENGTH_SIZE),
                             part - LENGTH_SIZE };

        if (!net_end_send(end, &iov, 1)) {
            break;
        }
        at += part;
    }
    net_end_flush(end);
    if (part == SIZE_MAX) {
        refuse_length(s);
        return size;
    }
    return at;
}

static void hand_on_kept(NetdevStream *s)
{
    size_t done = hand_on(s, s->in, s->in_size);

    /* Refusing a length has thrown all away. */
    s->in_size -= MIN(done, s->in_size);
    memmove(s->in, s->in + done, s->in_size);
}

/* Nothing while a frame that is all there waits to be taken. */
static int stream_can_read(void *opaque)
{
    NetdevStream *s = opaque;

    return frame_in(s->in, s->in_size) ? 0 : BUFFER_SIZE - s->in_size;
}

static void keep(NetdevStream *s, const uint8_t *buf, size_t size)
{
    memcpy(s->in + s->in_size, buf, size);
    s->in_size += size;
}

/* Bytes that the frame that is kept lacks, or its length. */
static size_t missing(const NetdevStream *s)
{
    uint32_t length;

    if (s->in_size < LENGTH_SIZE) {
        return LENGTH_SIZE - s->in_size;
    }
    memcpy(&length, s->in, LENGTH_SIZE);
    return LENGTH_SIZE + GUINT32_FROM_BE(length) - s->in_size;
}

/* Hands on the frame that is kept if @buf has the rest of it; how many bytes of
 * @buf that took. */
static size_t complete_kept(NetdevStream *s, const uint8_t *buf, size_t size)
{
    size_t done = 0;

    while (done < size && !frame_in(s->in, s->in_size)) {
        size_t part = MIN(missing(s), size - done);

        keep(s, buf + done, part);
        done += part;
    }
    hand_on_kept(s);
    return done;
}

/* What is kept is a frame that is not all there, or those that wait. */
static void stream_read(void *opaque, const uint8_t *buf, int size)
{
    NetdevStream *s = opaque;
    size_t done = s->in_size ? complete_kept(s, buf, size) : 0;

    if (!s->in_size && qemu_chr_fe_backend_open(&s->chr)) {
        done += hand_on(s, buf + done, size - done);
    }
    if (qemu_chr_fe_backend_open(&s->chr)) {
        keep(s, buf + done, size - done);
    }
}

static void stream_peer_has_room(NetEnd *end)
{
    NetdevStream *s = end->owner;

    hand_on_kept(s);
    qemu_chr_fe_accept_input(&s->chr);
}

/* --- connections ---------------------------------------------------------- */

static JsonObject *event_data(NetdevStream *s)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "netdev-id", NETDEV(s)->id);
    return data;
}

static void stream_event(void *opaque, QEMUChrEvent event)
{
    NetdevStream *s = opaque;

    if (event == CHR_EVENT_OPENED) {
        qapi_event_emit("NETDEV_STREAM_CONNECTED", event_data(s));
    } else if (event == CHR_EVENT_CLOSED) {
        s->in_size = 0;
        drop_output(s);
        net_end_has_room(&NETDEV(s)->ends[0]);
        qapi_event_emit("NETDEV_STREAM_DISCONNECTED", event_data(s));
    }
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
    s->in = g_malloc(BUFFER_SIZE);
    s->out = g_malloc(BUFFER_SIZE);
    nd->info = g_strdup_printf("stream,%s", chr->filename);
    qemu_chr_fe_init(&s->chr, chr, &error_abort);
    qemu_chr_fe_set_handlers(&s->chr, stream_can_read, stream_read,
                             stream_event, NULL, s, NULL, true);
    return true;
}

static void stream_finalize(Object *obj)
{
    NetdevStream *s = NETDEV_STREAM(obj);

    stop_watching(s);
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
}

static const TypeInfo stream_types[] = {
    {
        .name = TYPE_NETDEV_STREAM,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevStream),
        .instance_finalize = stream_finalize,
        .class_init = stream_class_init,
    },
};
DEFINE_TYPES(stream_types)
