/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev tap: an interface of the host's kernel, by name (made if it is not
 * there) or as descriptors of one that somebody else has opened, one for each
 * queue. Checksums and segmentation are left to the kernel.
 *
 * What comes is read only while the guest takes it; what the kernel has no room
 * for stays with the guest. No script is ever run: whoever needs an interface in
 * a bridge puts it there before.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "monitor/fds.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/sandbox-need.h"

#define TYPE_NETDEV_TAP "netdev-tap"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevTap, NETDEV_TAP)

#define TUN_DEVICE "/dev/net/tun"
#define VHOST_DEVICE "/dev/vhost-net"
/* Frames that are read before others have their turn. */
#define READ_BURST 64
#define BUFFER_SIZE (sizeof(struct virtio_net_hdr_v1) + NET_FRAME_MAX)

/* A descriptor of the interface. */
typedef struct TapQueue {
    NetEnd *end;
    int fd;                               /* -1: none */
    uint8_t *frame;                       /* from the kernel, not yet taken */
    size_t frame_size;                    /* 0: none */
    bool write_waits;                     /* the guest has a frame for us */
    int vhost_fd;                         /* of the kernel's vhost; -1: none */
    bool detached;                        /* the device does not use it */
} TapQueue;

struct NetdevTap {
    Netdev parent_obj;

    /* Options. */
    char *ifname;
    char *fd_text, *fds_text;
    char *script, *downscript;
    bool vhost, vhostforce;
    char *vhostfd_text, *vhostfds_text;
    bool vnet_hdr;
    uint32_t nr_queues;

    TapQueue queues[NET_QUEUES_MAX];
    AioContext *ctx;                      /* handles frames; NULL: the main loop */
};

/* --- frames --------------------------------------------------------------- */

static void tap_read(void *opaque);
static void tap_write(void *opaque);

/* With vhost, frames are the kernel's business. */
static void update_handlers(TapQueue *q)
{
    if (q->vhost_fd >= 0) {
        return;
    }
    aio_set_fd_handler(NETDEV_TAP(q->end->owner)->ctx, q->fd,
                       q->frame_size ? NULL : tap_read,
                       q->write_waits ? tap_write : NULL, q);
}

static bool tap_set_aio_context(Netdev *nd, AioContext *ctx)
{
    NetdevTap *s = NETDEV_TAP(nd);

    if (ctx && s->vhost) {
        return false;
    }
    if (s->ctx == ctx) {
        return true;
    }
    for (unsigned i = 0; i < nd->nr_ends; i++) {
        aio_set_fd_handler(s->ctx, s->queues[i].fd, NULL, NULL, NULL);
    }
    s->ctx = ctx;
    for (unsigned i = 0; i < nd->nr_ends; i++) {
        update_handlers(&s->queues[i]);
    }
    return true;
}

/* Hands on the frame that was read; false: there is no room for it. */
static bool hand_on(TapQueue *q)
{
    struct iovec iov = { q->frame, q->frame_size };

    if (!net_end_send(q->end, &iov, 1)) {
        return false;
    }
    q->frame_size = 0;
    return true;
}

static void tap_read(void *opaque)
{
    TapQueue *q = opaque;

    for (unsigned i = 0; i < READ_BURST; i++) {
        ssize_t n = read(q->fd, q->frame, BUFFER_SIZE);

        if (n <= 0) {
            break;
        }
        q->frame_size = n;
        if (!hand_on(q)) {
            update_handlers(q);
            break;
        }
    }
    net_end_flush(q->end);
}

static void tap_peer_has_room(NetEnd *end)
{
    TapQueue *q = &NETDEV_TAP(end->owner)->queues[end->index];

    if (q->frame_size && hand_on(q)) {
        net_end_flush(end);
        update_handlers(q);
    }
}

/* An interface that is down, or a frame that the kernel does not like, takes
 * nothing: it is lost, as on a wire. */
static bool tap_receive(NetEnd *end, const struct iovec *iov, unsigned iov_cnt)
{
    TapQueue *q = &NETDEV_TAP(end->owner)->queues[end->index];
    ssize_t n;

    if (q->write_waits) {
        return false;
    }
    if (q->vhost_fd >= 0) {
        return true;                      /* which does not work now */
    }
    do {
        n = pwritev2(q->fd, iov, iov_cnt, -1, 0);     /* as writev() */
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        q->write_waits = true;
        update_handlers(q);
        return false;
    }
    return true;
}

static void tap_write(void *opaque)
{
    TapQueue *q = opaque;

    q->write_waits = false;
    update_handlers(q);
    net_end_has_room(q->end);
}

/* --- what the kernel leaves undone ---------------------------------------- */

/* VIRTIO_NET_F_GUEST_* as the kernel has it. */
static unsigned offload_flags(uint64_t features)
{
    static const struct {
        unsigned feature, flag;
    } table[] = {
        { VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM },
        { VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
        { VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 },
        { VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
    };
    unsigned flags = 0;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (features & (1ULL << table[i].feature)) {
            flags |= table[i].flag;
        }
    }
    return flags & TUN_F_CSUM ? flags : 0;
}

/* Of the interface, so of all queues; it cannot fail for these. */
static void tap_set_offload(Netdev *nd, uint64_t features)
{
    ioctl(NETDEV_TAP(nd)->queues[0].fd, TUNSETOFFLOAD, offload_flags(features));
}

/* --- queues --------------------------------------------------------------- */

/* The kernel spreads frames over those that are attached. */
static void tap_set_queues(Netdev *nd, unsigned n)
{
    NetdevTap *s = NETDEV_TAP(nd);

    for (unsigned i = 0; nd->nr_ends > 1 && i < nd->nr_ends; i++) {
        TapQueue *q = &s->queues[i];
        bool detach = q->vhost_fd >= 0 && i >= n;
        struct ifreq ifr = {
            .ifr_flags = detach ? IFF_DETACH_QUEUE : IFF_ATTACH_QUEUE,
        };

        if (detach != q->detached && ioctl(q->fd, TUNSETQUEUE, &ifr) == 0) {
            q->detached = detach;
        }
    }
}

static bool tap_get_vhost(Netdev *nd, unsigned n, int *vhost_fd, int *tap_fd)
{
    TapQueue *q = &NETDEV_TAP(nd)->queues[n];

    *vhost_fd = q->vhost_fd;
    *tap_fd = q->fd;
    return q->vhost_fd >= 0;
}

static bool is_vhost(int fd)
{
    uint64_t features;

    return ioctl(fd, VHOST_GET_FEATURES, &features) == 0;
}

/* One for each queue: opened, or those of vhostfd= or vhostfds=. */
static bool open_vhost(NetdevTap *s, Error **errp)
{
    unsigned n = NETDEV(s)->nr_ends;
    const char *option = s->vhostfds_text ? "vhostfds" : "vhostfd";
    const char *text = s->vhostfds_text ? s->vhostfds_text : s->vhostfd_text;
    g_auto(GStrv) texts = text ? g_strsplit(text, ":", -1) : NULL;

    if (texts && g_strv_length(texts) != n) {
        error_setg(errp, "%s= has %u descriptors, but there are %u queues",
                   option, g_strv_length(texts), n);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        int fd = monitor_fd_open(option, texts ? texts[i] : NULL, VHOST_DEVICE,
                                 is_vhost, errp);

        if (fd < 0) {
            return false;
        }
        s->queues[i].vhost_fd = fd;
    }
    return true;
}

/* --- opening -------------------------------------------------------------- */

/* A descriptor that is an interface, of the kind that can be used. */
static bool check_interface(NetdevTap *s, int fd, const char *what, Error **errp)
{
    int hdr_size = sizeof(struct virtio_net_hdr_v1);
    struct ifreq ifr = { };

    if (ioctl(fd, TUNGETIFF, &ifr) < 0) {
        error_setg_errno(errp, errno, "%s is no tap interface", what);
        return false;
    }
    if (!(ifr.ifr_flags & IFF_TAP) || !(ifr.ifr_flags & IFF_NO_PI)) {
        error_setg(errp, "%s: interface %s is not one of IFF_TAP and IFF_NO_PI",
                   what, ifr.ifr_name);
        return false;
    }
    NETDEV(s)->has_vnet_hdr = ifr.ifr_flags & IFF_VNET_HDR;
    if (NETDEV(s)->has_vnet_hdr && ioctl(fd, TUNSETVNETHDRSZ, &hdr_size) < 0) {
        error_setg_errno(errp, errno, "%s: TUNSETVNETHDRSZ", what);
        return false;
    }
    g_free(NETDEV(s)->info);
    NETDEV(s)->info = g_strdup_printf("ifname=%s", ifr.ifr_name);
    return true;
}

/* Takes over @fd, unless it fails. */
static bool add_queue(NetdevTap *s, unsigned n, int fd, const char *what,
                      Error **errp)
{
    TapQueue *q = &s->queues[n];

    if (!check_interface(s, fd, what, errp)) {
        return false;
    }
    sandbox_need(SANDBOX_TAP);
    q->end = &NETDEV(s)->ends[n];
    q->fd = fd;
    q->frame = g_malloc(BUFFER_SIZE);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return true;
}

static bool open_by_name(NetdevTap *s, unsigned n, Error **errp)
{
    struct ifreq ifr = {
        .ifr_flags = IFF_TAP | IFF_NO_PI | (s->vnet_hdr ? IFF_VNET_HDR : 0) |
                     (s->nr_queues > 1 ? IFF_MULTI_QUEUE : 0),
    };
    int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        error_setg_errno(errp, errno, TUN_DEVICE " cannot be opened");
        return false;
    }
    g_strlcpy(ifr.ifr_name, s->ifname ? s->ifname : "tap%d", IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        error_setg_errno(errp, errno, "the interface %s cannot be opened with "
                         "%u queues", ifr.ifr_name, s->nr_queues);
        close(fd);
        return false;
    }
    if (!s->ifname) {
        s->ifname = g_strdup(ifr.ifr_name);
    }
    if (!add_queue(s, n, fd, s->ifname, errp)) {
        close(fd);
        return false;
    }
    return true;
}

/* Whether a netdev has @fd already. */
typedef struct FindFd {
    int fd;
    bool found;
} FindFd;

static void find_fd(Netdev *nd, void *opaque)
{
    NetdevTap *s = (NetdevTap *)object_dynamic_cast(OBJECT(nd), TYPE_NETDEV_TAP);
    FindFd *find = opaque;

    for (unsigned i = 0; s && i < nd->nr_ends; i++) {
        find->found |= s->queues[i].fd == find->fd;
    }
}

/* A descriptor that is a number is not ours before it proves to be usable. */
static bool take_number(NetdevTap *s, unsigned n, const char *text, Error **errp)
{
    g_autofree char *what = g_strdup_printf("fd=%s", text);
    FindFd find = { };
    uint64_t fd;

    if (qemu_strtou64(text, NULL, 10, &fd) < 0 || fd > INT_MAX) {
        error_setg(errp, "%s is no number of a descriptor", what);
        return false;
    }
    find.fd = fd;
    netdev_foreach(find_fd, &find);
    find_fd(NETDEV(s), &find);
    if (find.found) {
        error_setg(errp, "%s is in use by a netdev", what);
        return false;
    }
    return add_queue(s, n, fd, what, errp);
}

/* One that getfd gave a name is ours, whatever comes of it. */
static bool take_named(NetdevTap *s, unsigned n, const char *name, Error **errp)
{
    int fd = monitor_fd_take(name, errp);

    if (fd >= 0 && !add_queue(s, n, fd, name, errp)) {
        close(fd);
        fd = -1;
    }
    return fd >= 0;
}

static bool take_descriptors(NetdevTap *s, Error **errp)
{
    g_auto(GStrv) texts = s->fds_text ? g_strsplit(s->fds_text, ":", -1)
                                      : g_strsplit(s->fd_text, ":", 1);
    unsigned n = g_strv_length(texts);

    if (n < 1 || n > NET_QUEUES_MAX) {
        error_setg(errp, "fds= has %u descriptors, but must have 1 to %d", n,
                   NET_QUEUES_MAX);
        return false;
    }
    NETDEV(s)->nr_ends = n;
    for (unsigned i = 0; i < n; i++) {
        if (!(g_ascii_isdigit(*texts[i]) ? take_number(s, i, texts[i], errp)
                                         : take_named(s, i, texts[i], errp))) {
            return false;
        }
    }
    return true;
}

/* --- options -------------------------------------------------------------- */

static bool is_no_script(const char *name, const char *value, Error **errp)
{
    if (value && *value && strcmp(value, "no")) {
        error_setg(errp, "%s=%s: no script is run here; %s=no, and an interface "
                   "that is set up before", name, value, name);
        return false;
    }
    return true;
}

static bool check_options(NetdevTap *s, Error **errp)
{
    if (!!s->fd_text + !!s->fds_text + !!s->ifname > 1) {
        error_setg(errp, "ifname=, fd= and fds= exclude each other");
        return false;
    }
    if ((s->fd_text || s->fds_text) && s->nr_queues) {
        error_setg(errp, "queues= goes with ifname= only: each of fds= is one");
        return false;
    }
    if (s->nr_queues > NET_QUEUES_MAX) {
        error_setg(errp, "queues=%u, but there can be 1 to %d", s->nr_queues,
                   NET_QUEUES_MAX);
        return false;
    }
    if (s->ifname && strlen(s->ifname) >= IFNAMSIZ) {
        error_setg(errp, "ifname=%s is too long: a name has at most %d bytes",
                   s->ifname, IFNAMSIZ - 1);
        return false;
    }
    if (!s->vhost && (s->vhostfd_text || s->vhostfds_text)) {
        error_setg(errp, "vhostfd= and vhostfds= go with vhost=on");
        return false;
    }
    if (s->vhostfd_text && s->vhostfds_text) {
        error_setg(errp, "vhostfd= and vhostfds= exclude each other");
        return false;
    }
    return is_no_script("script", s->script, errp) &&
           is_no_script("downscript", s->downscript, errp);
}

static bool tap_open(Netdev *nd, Error **errp)
{
    NetdevTap *s = NETDEV_TAP(nd);
    bool ok;

    s->vhost = s->vhost || s->vhostforce;
    ok = check_options(s, errp);
    if (ok && (s->fd_text || s->fds_text)) {
        ok = take_descriptors(s, errp);
    } else if (ok) {
        s->nr_queues = MAX(s->nr_queues, 1);
        nd->nr_ends = s->nr_queues;
        for (unsigned i = 0; ok && i < s->nr_queues; i++) {
            ok = open_by_name(s, i, errp);
        }
    }
    ok = ok && (!s->vhost || open_vhost(s, errp));
    for (unsigned i = 0; ok && i < nd->nr_ends; i++) {
        update_handlers(&s->queues[i]);
    }
    return ok;
}

static void tap_init(Object *obj)
{
    NetdevTap *s = NETDEV_TAP(obj);

    s->vnet_hdr = true;
    for (unsigned i = 0; i < NET_QUEUES_MAX; i++) {
        s->queues[i].fd = -1;
        s->queues[i].vhost_fd = -1;
    }
}

static void tap_finalize(Object *obj)
{
    NetdevTap *s = NETDEV_TAP(obj);

    for (unsigned i = 0; i < NET_QUEUES_MAX; i++) {
        TapQueue *q = &s->queues[i];

        if (q->fd >= 0) {
            qemu_set_fd_handler(q->fd, NULL, NULL, NULL);
            close(q->fd);
        }
        if (q->vhost_fd >= 0) {
            close(q->vhost_fd);
        }
        g_free(q->frame);
    }
}

/* --- the type ------------------------------------------------------------- */

static const NetEndOps tap_ops = {
    .receive = tap_receive,
    .peer_has_room = tap_peer_has_room,
};

static const NetdevOption tap_options[] = {
    NETDEV_OPTION(NetdevTap, "ifname", STR, ifname, "The interface; made if it is not there"),
    NETDEV_OPTION(NetdevTap, "fd", STR, fd_text, "A descriptor of one that is open"),
    NETDEV_OPTION(NetdevTap, "fds", STR, fds_text, "Several, with colons between: queues"),
    NETDEV_OPTION(NetdevTap, "queues", UINT32, nr_queues, "With ifname: how many queues"),
    NETDEV_OPTION(NetdevTap, "vnet_hdr", BOOL, vnet_hdr, "Leave checksums to the kernel"),
    NETDEV_OPTION(NetdevTap, "script", STR, script, "no"),
    NETDEV_OPTION(NetdevTap, "downscript", STR, downscript, "no"),
    NETDEV_OPTION(NetdevTap, "vhost", BOOL, vhost, "The kernel moves the frames"),
    NETDEV_OPTION(NetdevTap, "vhostforce", BOOL, vhostforce, "The same"),
    NETDEV_OPTION(NetdevTap, "vhostfd", STR, vhostfd_text, "A descriptor of " VHOST_DEVICE),
    NETDEV_OPTION(NetdevTap, "vhostfds", STR, vhostfds_text, "One for each queue"),
    { },
};

static void tap_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "tap";
    nc->help = "ifname=NAME[,queues=N] | fd=N | fds=N:N...[,vnet_hdr=off]"
               "[,script=no,downscript=no][,vhost=on[,vhostfd=N | vhostfds=N:N...]]";
    nc->options = tap_options;
    nc->ops = &tap_ops;
    nc->open = tap_open;
    nc->set_offload = tap_set_offload;
    nc->set_queues = tap_set_queues;
    nc->get_vhost = tap_get_vhost;
    nc->set_aio_context = tap_set_aio_context;
}

static const TypeInfo tap_types[] = {
    {
        .name = TYPE_NETDEV_TAP,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevTap),
        .instance_init = tap_init,
        .instance_finalize = tap_finalize,
        .class_init = tap_class_init,
    },
};
DEFINE_TYPES(tap_types)
