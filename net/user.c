/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: a network that exists in this process only, by libslirp. The
 * guest reaches what this user may connect to, by sockets of this process, and
 * nobody reaches the guest but by hostfwd=. It needs no rights.
 *
 * Here are the frames: to libslirp, from it, and its sockets and timers in the
 * main loop. What it is told of the network is in user-options.c.
 *
 * libslirp opens sockets as the guest asks for connections. Only the main thread
 * may do that in the sandbox, so nothing but the main thread calls it.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/iov.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "user.h"

/* What libslirp has sent while the guest had no room. Its sockets rest then, so
 * this is what one round of them brings, and answers to the guest's frames. */
#define WAITING_MAX 512

/* A socket of libslirp's, in the main loop. */
typedef struct SlirpPoll {
    GPollFD fd;
    bool wanted;                          /* by the round that is prepared */
} SlirpPoll;

typedef struct SlirpSource {
    GSource source;
    NetdevUser *user;
    GHashTable *polls;                    /* descriptor -> SlirpPoll */
    int64_t deadline_ms;                  /* of libslirp's timers; -1: none */
} SlirpSource;

/* --- to the guest --------------------------------------------------------- */

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    NetdevUser *s = opaque;
    struct iovec iov = { (void *)buf, len };

    if (g_queue_is_empty(&s->waiting) &&
        net_end_send(&NETDEV(s)->ends[0], &iov, 1)) {
        return len;
    }
    if (g_queue_get_length(&s->waiting) < WAITING_MAX) {
        g_queue_push_tail(&s->waiting, g_bytes_new(buf, len));
    }
    return len;
}

static void user_peer_has_room(NetEnd *end)
{
    NetdevUser *s = end->owner;
    GBytes *frame;

    while ((frame = g_queue_peek_head(&s->waiting))) {
        size_t size;
        const void *data = g_bytes_get_data(frame, &size);
        struct iovec iov = { (void *)data, size };

        if (!net_end_send(end, &iov, 1)) {
            break;
        }
        g_bytes_unref(g_queue_pop_head(&s->waiting));
    }
    net_end_flush(end);
    qemu_notify_event();                  /* the sockets may be polled again */
}

/* --- from the guest ------------------------------------------------------- */

static void main_thread_has_room(void *opaque)
{
    net_end_has_room(&NETDEV(opaque)->ends[0]);
}

static bool user_receive(NetEnd *end, const struct iovec *iov, unsigned iov_cnt)
{
    NetdevUser *s = end->owner;
    size_t size = iov_size(iov, iov_cnt);

    if (!qemu_in_main_thread()) {
        qemu_bh_schedule(s->has_room);
        return false;
    }
    if (size > NET_FRAME_MAX) {
        return true;
    }
    iov_to_buf(iov, iov_cnt, 0, s->frame, size);
    slirp_input(s->slirp, s->frame, size);
    return true;
}

/* --- sockets -------------------------------------------------------------- */

static const struct {
    int slirp, glib;
} conditions[] = {
    { SLIRP_POLL_IN, G_IO_IN },
    { SLIRP_POLL_OUT, G_IO_OUT },
    { SLIRP_POLL_PRI, G_IO_PRI },
    { SLIRP_POLL_ERR, G_IO_ERR },
    { SLIRP_POLL_HUP, G_IO_HUP },
};

/* A socket's index is its descriptor. */
static int add_poll(int fd, int events, void *opaque)
{
    SlirpSource *source = opaque;
    SlirpPoll *p = g_hash_table_lookup(source->polls, GINT_TO_POINTER(fd));

    if (!p) {
        p = g_new0(SlirpPoll, 1);
        p->fd.fd = fd;
        g_hash_table_insert(source->polls, GINT_TO_POINTER(fd), p);
        g_source_add_poll(&source->source, &p->fd);
    }
    if (!p->wanted) {
        p->wanted = true;
        p->fd.events = 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
        p->fd.events |= events & conditions[i].slirp ? conditions[i].glib : 0;
    }
    return fd;
}

static int get_revents(int fd, void *opaque)
{
    SlirpSource *source = opaque;
    SlirpPoll *p = g_hash_table_lookup(source->polls, GINT_TO_POINTER(fd));
    int revents = 0;

    for (size_t i = 0; p && i < ARRAY_SIZE(conditions); i++) {
        revents |= p->fd.revents & conditions[i].glib ? conditions[i].slirp : 0;
    }
    return revents;
}

static gboolean remove_unwanted(gpointer key, gpointer value, gpointer opaque)
{
    SlirpPoll *p = value;

    if (!p->wanted) {
        g_source_remove_poll(opaque, &p->fd);
    }
    return !p->wanted;
}

static void forget_wishes(gpointer key, gpointer value, gpointer opaque)
{
    ((SlirpPoll *)value)->wanted = false;
}

/* Comes after whatever has called libslirp: sockets, timers, the guest. While
 * frames wait for the guest, the host's sockets rest. */
static gboolean slirp_source_prepare(GSource *gsource, gint *timeout)
{
    SlirpSource *source = (SlirpSource *)gsource;
    uint32_t ms = UINT32_MAX;

    net_end_flush(&NETDEV(source->user)->ends[0]);
    g_hash_table_foreach(source->polls, forget_wishes, NULL);
    if (g_queue_is_empty(&source->user->waiting)) {
        slirp_pollfds_fill(source->user->slirp, &ms, add_poll, source);
    }
    g_hash_table_foreach_remove(source->polls, remove_unwanted, source);
    source->deadline_ms = ms > INT_MAX ? -1 : g_get_monotonic_time() / 1000 + ms;
    *timeout = ms > INT_MAX ? -1 : (gint)ms;
    return FALSE;
}

static gboolean slirp_source_check(GSource *gsource)
{
    SlirpSource *source = (SlirpSource *)gsource;
    GHashTableIter iter;
    void *p;

    if (source->deadline_ms >= 0 &&
        g_get_monotonic_time() / 1000 >= source->deadline_ms) {
        return TRUE;
    }
    g_hash_table_iter_init(&iter, source->polls);
    while (g_hash_table_iter_next(&iter, NULL, &p)) {
        if (((SlirpPoll *)p)->fd.revents) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean slirp_source_dispatch(GSource *gsource, GSourceFunc fn,
                                      gpointer data)
{
    SlirpSource *source = (SlirpSource *)gsource;

    slirp_pollfds_poll(source->user->slirp, 0, get_revents, source);
    return G_SOURCE_CONTINUE;
}

static void slirp_source_finalize(GSource *gsource)
{
    g_hash_table_unref(((SlirpSource *)gsource)->polls);
}

static GSourceFuncs slirp_source_funcs = {
    .prepare = slirp_source_prepare,
    .check = slirp_source_check,
    .dispatch = slirp_source_dispatch,
    .finalize = slirp_source_finalize,
};

static GSource *slirp_source_new(NetdevUser *s)
{
    GSource *gsource = g_source_new(&slirp_source_funcs, sizeof(SlirpSource));
    SlirpSource *source = (SlirpSource *)gsource;

    source->user = s;
    source->polls = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_source_attach(gsource, NULL);
    return gsource;
}

/* --- what libslirp asks for ----------------------------------------------- */

static int64_t clock_get_ns(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void *new_timer(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    return timer_new_ms(QEMU_CLOCK_VIRTUAL, cb, cb_opaque);
}

static void free_timer(void *timer, void *opaque)
{
    timer_free(timer);
}

static void mod_timer(void *timer, int64_t expire_ms, void *opaque)
{
    timer_mod(timer, expire_ms);
}

static void guest_error(const char *msg, void *opaque)
{
    qemu_log_mask(LOG_GUEST_ERROR, "guest error: netdev '%s': %s\n",
                  NETDEV(opaque)->id, msg);
}

/* Sockets are found anew before each poll, and all this is in the main thread:
 * nobody has to be woken. */
static void sockets_changed(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = new_timer,
    .timer_free = free_timer,
    .timer_mod = mod_timer,
    .register_poll_fd = sockets_changed,
    .unregister_poll_fd = sockets_changed,
    .notify = notify,
};

/* --- life ----------------------------------------------------------------- */

static bool user_open(Netdev *nd, Error **errp)
{
    NetdevUser *s = NETDEV_USER(nd);
    SlirpConfig config;

    if (!user_options_check(s, &config, errp)) {
        return false;
    }
    s->slirp = slirp_new(&config, &callbacks, s);
    if (!s->slirp) {
        error_setg(errp, "libslirp does not take such a network");
        return false;
    }
    if (!user_options_forward(s, errp)) {
        return false;
    }
    s->frame = g_malloc(NET_FRAME_MAX);
    s->has_room = qemu_bh_new(main_thread_has_room, s);
    s->source = slirp_source_new(s);
    return true;
}

static void user_init(Object *obj)
{
    NetdevUser *s = NETDEV_USER(obj);

    s->ipv4 = s->ipv6 = true;
    s->ipv6_prefixlen = 64;
    g_queue_init(&s->waiting);
}

static void user_finalize(Object *obj)
{
    NetdevUser *s = NETDEV_USER(obj);

    if (s->source) {
        g_source_destroy(s->source);
        g_source_unref(s->source);
    }
    g_clear_pointer(&s->has_room, qemu_bh_delete);
    /* Whose last frames go nowhere. */
    g_clear_pointer(&s->slirp, slirp_cleanup);
    g_queue_clear_full(&s->waiting, (GDestroyNotify)g_bytes_unref);
    g_free(s->frame);
    g_free(s->tftp_path);
}

/* --- the type ------------------------------------------------------------- */

static const NetEndOps user_ops = {
    .receive = user_receive,
    .peer_has_room = user_peer_has_room,
};

static void user_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "user";
    nc->help = "[net=ADDRESS/BITS][,host=ADDRESS][,hostfwd=tcp:[ADDRESS]:PORT-"
               "[ADDRESS]:PORT...][,restrict=on]...";
    nc->options = user_options;
    nc->ops = &user_ops;
    nc->open = user_open;
}

static const TypeInfo user_types[] = {
    {
        .name = TYPE_NETDEV_USER,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevUser),
        .instance_init = user_init,
        .instance_finalize = user_finalize,
        .class_init = user_class_init,
    },
};
DEFINE_TYPES(user_types)
