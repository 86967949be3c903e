/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev vhost-user: another process moves the frames, a switch say, from and to
 * the rings of the device, in guest memory. It is reached by a character device,
 * which the netdev has; who speaks there is the device (hw/net), as it has the
 * rings. No frame passes here.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "net/net.h"
#include "qapi/error.h"

#define TYPE_NETDEV_VHOST_USER "netdev-vhost-user"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevVhostUser, NETDEV_VHOST_USER)

#define ANSWER_TIMEOUT_MS 5000

struct NetdevVhostUser {
    Netdev parent_obj;

    /* Options. */
    char *chardev;
    uint32_t nr_queues;
    bool vhostforce;                      /* accepted; it is always so */
    uint32_t timeout_ms;

    CharBackend be;
};

/* --- the other end -------------------------------------------------------- */

/* The back end is not there now, or an announcement went to it, not here. */
static bool vhost_user_receive(NetEnd *end, const struct iovec *iov,
                               unsigned iov_cnt)
{
    return true;
}

static CharBackend *vhost_user_get(Netdev *nd, uint32_t *timeout_ms)
{
    NetdevVhostUser *s = NETDEV_VHOST_USER(nd);

    *timeout_ms = s->timeout_ms;
    return &s->be;
}

/* --- opening -------------------------------------------------------------- */

static bool check_options(NetdevVhostUser *s, Error **errp)
{
    if (!s->chardev) {
        error_setg(errp, "chardev=ID must name the character device by which the "
                   "back end is reached");
        return false;
    }
    if (s->nr_queues < 1 || s->nr_queues > NET_QUEUES_MAX) {
        error_setg(errp, "queues=%u, but there can be 1 to %d", s->nr_queues,
                   NET_QUEUES_MAX);
        return false;
    }
    if (!s->timeout_ms) {
        error_setg(errp, "x-msg-timeout=0 is not possible: 1 or more is");
        return false;
    }
    return true;
}

static bool take_chardev(NetdevVhostUser *s, Error **errp)
{
    Chardev *chr = qemu_chr_find(s->chardev);

    if (!chr) {
        error_setg(errp, "chardev \"%s\" not found", s->chardev);
        return false;
    }
    if (!object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_SOCKET)) {
        error_setg(errp, "chardev '%s' must be a socket", s->chardev);
        return false;
    }
    return qemu_chr_fe_init(&s->be, chr, errp);
}

static bool vhost_user_open(Netdev *nd, Error **errp)
{
    NetdevVhostUser *s = NETDEV_VHOST_USER(nd);

    if (!check_options(s, errp) || !take_chardev(s, errp)) {
        error_prepend(errp, "netdev vhost-user: ");
        return false;
    }
    nd->nr_ends = s->nr_queues;
    nd->has_vnet_hdr = true;
    nd->info = g_strdup_printf("chardev=%s", s->chardev);
    return true;
}

/* --- the type ------------------------------------------------------------- */

static void vhost_user_init(Object *obj)
{
    NETDEV_VHOST_USER(obj)->nr_queues = 1;
    NETDEV_VHOST_USER(obj)->timeout_ms = ANSWER_TIMEOUT_MS;
}

static void vhost_user_finalize(Object *obj)
{
    qemu_chr_fe_deinit(&NETDEV_VHOST_USER(obj)->be, false);
}

static const NetEndOps vhost_user_end_ops = {
    .receive = vhost_user_receive,
};

static const NetdevOption vhost_user_options[] = {
    NETDEV_OPTION(NetdevVhostUser, "chardev", STR, chardev, "The character device of the back end"),
    NETDEV_OPTION(NetdevVhostUser, "queues", UINT32, nr_queues, "How many queue pairs"),
    NETDEV_OPTION(NetdevVhostUser, "vhostforce", BOOL, vhostforce, "Does nothing"),
    NETDEV_OPTION(NetdevVhostUser, "x-msg-timeout", UINT32, timeout_ms,
                  "Milliseconds for an answer"),
    { },
};

static void vhost_user_class_init(ObjectClass *klass, void *data)
{
    NetdevClass *nc = NETDEV_CLASS(klass);

    nc->kind = "vhost-user";
    nc->help = "chardev=ID[,queues=N][,vhostforce=on][,x-msg-timeout=MS]";
    nc->options = vhost_user_options;
    nc->ops = &vhost_user_end_ops;
    nc->open = vhost_user_open;
    nc->get_vhost_user = vhost_user_get;
}

static const TypeInfo vhost_user_types[] = {
    {
        .name = TYPE_NETDEV_VHOST_USER,
        .parent = TYPE_NETDEV,
        .instance_size = sizeof(NetdevVhostUser),
        .instance_init = vhost_user_init,
        .instance_finalize = vhost_user_finalize,
        .class_init = vhost_user_class_init,
    },
};
DEFINE_TYPES(vhost_user_types)
