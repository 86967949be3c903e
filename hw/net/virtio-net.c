/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net: properties, features, configuration space, and which queue is
 * which. virtio-net.h says where the rest is.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "macaddr.h"
#include "virtio-net.h"

#define CONFIG_SIZE G_STRUCT_OFFSET(struct virtio_net_config, speed)
#define CTRL_QUEUE_SIZE 64
/* Of a ring: what Linux asks for at least, with segmentation. */
#define QUEUE_SIZE_MIN 64
#define QUEUE_SIZE_DEFAULT 256
#define MTU_MIN 68                        /* of IPv4 */

#define BIT(feature) (1ULL << VIRTIO_NET_F_##feature)
/* What the driver takes off its own hands, and off the host's. */
#define GUEST_OFFLOADS (BIT(GUEST_CSUM) | BIT(GUEST_TSO4) |                  \
                        BIT(GUEST_TSO6) | BIT(GUEST_ECN) | BIT(GUEST_UFO))
#define HOST_OFFLOADS (BIT(CSUM) | BIT(HOST_TSO4) | BIT(HOST_TSO6) |         \
                       BIT(HOST_ECN) | BIT(HOST_UFO))
#define NEED_CTRL_VQ (BIT(CTRL_RX) | BIT(CTRL_VLAN) | BIT(CTRL_RX_EXTRA) |   \
                      BIT(MQ) | BIT(CTRL_MAC_ADDR) |                         \
                      BIT(CTRL_GUEST_OFFLOADS) | BIT(GUEST_ANNOUNCE))

Netdev *virtio_net_netdev(const VirtIONet *n)
{
    return n->ends[0].peer ? n->ends[0].peer->owner : NULL;
}

/* --- queues --------------------------------------------------------------- */

/* The queues that the driver sees are those of the pairs that it may use, and
 * then the control queue (5.1.2). */
static void virtio_net_handle_queue(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIONet *n = VIRTIO_NET(vdev);
    unsigned pairs = virtio_vdev_has_feature(vdev, VIRTIO_NET_F_MQ)
                         ? n->max_pairs : 1;

    for (unsigned i = 0; i < pairs; i++) {
        if (vq == n->pairs[i].rx) {
            virtio_net_handle_rx(n, i);
            return;
        }
        if (vq == n->pairs[i].tx) {
            virtio_net_handle_tx(n, i);
            return;
        }
    }
    if (vq == virtio_get_queue(vdev, 2 * pairs)) {
        n->ctrl = vq;
        virtio_net_handle_ctrl(n);
    }
}

static void add_queues(VirtIONet *n)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(n);

    for (unsigned i = 0; i < n->max_pairs; i++) {
        n->pairs[i].rx = virtio_add_queue(vdev, n->rx_queue_size,
                                          virtio_net_handle_queue);
        n->pairs[i].tx = virtio_add_queue(vdev, n->tx_queue_size,
                                          virtio_net_handle_queue);
    }
    virtio_add_queue(vdev, CTRL_QUEUE_SIZE, virtio_net_handle_queue);
}

void virtio_net_use_pairs(VirtIONet *n, unsigned pairs)
{
    Netdev *nd = virtio_net_netdev(n);

    n->pairs_used = pairs;
    if (nd && NETDEV_GET_CLASS(nd)->set_queues) {
        NETDEV_GET_CLASS(nd)->set_queues(nd, pairs);
    }
    if (n->vhost_user) {
        vhost_user_net_use_pairs(n->vhost_user, pairs);
    }
}

/* --- features ------------------------------------------------------------- */

static uint64_t virtio_net_get_features(VirtIODevice *vdev, uint64_t features,
                                        Error **errp)
{
    VirtIONet *n = VIRTIO_NET(vdev);

    features |= BIT(MAC);
    if (n->host_mtu) {
        features |= BIT(MTU);
    }
    if (!n->has_vnet_hdr) {
        features &= ~(GUEST_OFFLOADS | HOST_OFFLOADS |
                      BIT(CTRL_GUEST_OFFLOADS));
    }
    if (n->max_pairs == 1) {
        features &= ~BIT(MQ);
    }
    if (!(features & BIT(CTRL_VQ))) {
        features &= ~NEED_CTRL_VQ;
    }
    return virtio_net_vhost_features(n, features);
}

void virtio_net_set_offload(VirtIONet *n, uint64_t features)
{
    Netdev *nd = virtio_net_netdev(n);

    if (nd && NETDEV_GET_CLASS(nd)->set_offload) {
        NETDEV_GET_CLASS(nd)->set_offload(nd, features & GUEST_OFFLOADS);
    }
}

static void virtio_net_set_features(VirtIODevice *vdev, uint64_t features)
{
    virtio_net_set_offload(VIRTIO_NET(vdev), features);
}

/* --- configuration and link ----------------------------------------------- */

static void virtio_net_get_config(VirtIODevice *vdev, uint8_t *data)
{
    VirtIONet *n = VIRTIO_NET(vdev);
    struct virtio_net_config config = {
        .status = GUINT16_TO_LE((n->link_up ? VIRTIO_NET_S_LINK_UP : 0) |
                                (n->announce ? VIRTIO_NET_S_ANNOUNCE : 0)),
        .max_virtqueue_pairs = GUINT16_TO_LE(n->max_pairs),
        .mtu = GUINT16_TO_LE(n->host_mtu),
    };

    memcpy(config.mac, n->filter.mac.a, NET_MAC_SIZE);
    memcpy(data, &config, CONFIG_SIZE);
}

void virtio_net_link_changed(NetEnd *end)
{
    VirtIONet *n = end->owner;
    bool up = net_end_link_is_up(&n->ends[0]) && virtio_net_vhost_is_up(n);

    if (up != n->link_up) {
        n->link_up = up;
        virtio_net_run_changed(VIRTIO_DEVICE(n));
        virtio_notify_config(VIRTIO_DEVICE(n));
    }
    virtio_net_lose_vhost_user(n);
}

/* Drivers that cannot have had a RARP frame sent for them. */
static void virtio_net_announce(NetDevice *net)
{
    VirtIONet *n = container_of(net, VirtIONet, net);
    VirtIODevice *vdev = VIRTIO_DEVICE(n);

    if (n->link_up && virtio_device_ready(vdev) &&
        virtio_vdev_has_feature(vdev, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
        n->announce = true;
        virtio_notify_config(vdev);
    } else if (n->link_up && n->vhost_user) {
        vhost_user_net_announce(n->vhost_user, n->filter.mac.a);
    }
}

static void virtio_net_reset(VirtIODevice *vdev)
{
    VirtIONet *n = VIRTIO_NET(vdev);

    n->announce = false;
    virtio_net_use_pairs(n, 1);
    virtio_net_filter_reset(n);
    virtio_net_set_offload(n, 0);
    for (unsigned i = 0; i < n->max_pairs; i++) {
        net_end_has_room(&n->ends[i]);    /* what waits for the driver goes */
    }
}

/* --- life ----------------------------------------------------------------- */

static bool check_queue_size(const char *name, uint16_t size, Error **errp)
{
    if (size < QUEUE_SIZE_MIN || size > VIRTQUEUE_MAX_SIZE ||
        size & (size - 1)) {
        error_setg(errp, "'%s' is %u, but must be a power of two from %d to %d",
                   name, size, QUEUE_SIZE_MIN, VIRTQUEUE_MAX_SIZE);
        return false;
    }
    return true;
}

static bool check_properties(VirtIONet *n, Error **errp)
{
    if (n->host_mtu && n->host_mtu < MTU_MIN) {
        error_setg(errp, "'host_mtu' is %u, but must be 0 or at least %d",
                   n->host_mtu, MTU_MIN);
        return false;
    }
    return check_queue_size("rx_queue_size", n->rx_queue_size, errp) &&
           check_queue_size("tx_queue_size", n->tx_queue_size, errp);
}

/* As many queue pairs as the netdev has. */
static bool connect_net(VirtIONet *n, Error **errp)
{
    Netdev *nd = n->netdev ? netdev_find(n->netdev) : NULL;
    DeviceState *proxy = qdev_get_parent_bus(DEVICE(n))->parent;

    n->max_pairs = nd ? nd->nr_ends : 1;
    n->has_vnet_hdr = nd && nd->has_vnet_hdr;
    for (unsigned i = 0; i < n->max_pairs; i++) {
        n->ends[i] = (NetEnd) { .ops = &virtio_net_end_ops, .owner = n,
                                .index = i };
    }
    n->net = (NetDevice) { .model = "virtio-net-pci", .mac = n->mac,
                           .ends = n->ends, .nr_ends = n->max_pairs,
                           .announce = virtio_net_announce };
    if (!net_device_add(&n->net, proxy->id, n->netdev, errp)) {
        return false;
    }
    n->mac = n->net.mac;
    return true;
}

/* The other side's frames are for the device's I/O thread, too, if it has one. */
static bool share_iothread(VirtIONet *n, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(n);
    Netdev *nd = virtio_net_netdev(n);
    bool ok;

    virtio_pause(vdev);
    ok = !nd || netdev_set_aio_context(nd, vdev->aio_context, errp);
    virtio_resume(vdev);
    return ok;
}

static void remove_device(VirtIONet *n)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(n);
    Netdev *nd = virtio_net_netdev(n);

    if (nd) {
        netdev_set_aio_context(nd, NULL, &error_abort);
    }
    net_device_remove(&n->net);
    virtio_net_remove_vhost(n);
    while (vdev->nvqs) {
        virtio_delete_queue(virtio_get_queue(vdev, vdev->nvqs - 1));
    }
    virtio_cleanup(vdev);
}

static void virtio_net_realize(DeviceState *dev, Error **errp)
{
    VirtIONet *n = VIRTIO_NET(dev);

    if (!check_properties(n, errp) || !connect_net(n, errp)) {
        return;
    }
    virtio_init(VIRTIO_DEVICE(dev), "virtio-net", VIRTIO_ID_NET, CONFIG_SIZE);
    add_queues(n);
    if (!virtio_use_iothread(VIRTIO_DEVICE(dev), n->iothread, errp) ||
        !virtio_net_add_vhost(n, errp)) {
        remove_device(n);
        return;
    }
    virtio_net_use_pairs(n, 1);
    virtio_net_filter_reset(n);
    n->link_up = net_end_link_is_up(&n->ends[0]) && virtio_net_vhost_is_up(n);
    if (!share_iothread(n, errp)) {
        remove_device(n);
        return;
    }
    if (!n->netdev) {
        warn_report("nic %s has no peer", n->net.name);
    }
}

static void virtio_net_unrealize(DeviceState *dev)
{
    remove_device(VIRTIO_NET(dev));
}

/* --- type ----------------------------------------------------------------- */

#define FEATURE(name, feature)                                               \
    DEFINE_PROP_BIT64(name, VirtIONet, parent_obj.host_features,             \
                      VIRTIO_NET_F_##feature, true)

static const Property virtio_net_properties[] = {
    DEFINE_PROP_STRING("netdev", VirtIONet, netdev),
    DEFINE_PROP_MACADDR("mac", VirtIONet, mac),
    DEFINE_PROP_UINT16("rx_queue_size", VirtIONet, rx_queue_size,
                       QUEUE_SIZE_DEFAULT),
    DEFINE_PROP_UINT16("tx_queue_size", VirtIONet, tx_queue_size,
                       QUEUE_SIZE_DEFAULT),
    DEFINE_PROP_UINT16("host_mtu", VirtIONet, host_mtu, 0),
    DEFINE_PROP_LINK("iothread", VirtIONet, iothread, TYPE_IOTHREAD, IOThread *),
    FEATURE("csum", CSUM),
    FEATURE("guest_csum", GUEST_CSUM),
    FEATURE("guest_tso4", GUEST_TSO4),
    FEATURE("guest_tso6", GUEST_TSO6),
    FEATURE("guest_ecn", GUEST_ECN),
    FEATURE("guest_ufo", GUEST_UFO),
    FEATURE("host_tso4", HOST_TSO4),
    FEATURE("host_tso6", HOST_TSO6),
    FEATURE("host_ecn", HOST_ECN),
    FEATURE("host_ufo", HOST_UFO),
    FEATURE("ctrl_guest_offloads", CTRL_GUEST_OFFLOADS),
    FEATURE("mrg_rxbuf", MRG_RXBUF),
    FEATURE("status", STATUS),
    FEATURE("ctrl_vq", CTRL_VQ),
    FEATURE("ctrl_rx", CTRL_RX),
    FEATURE("ctrl_rx_extra", CTRL_RX_EXTRA),
    FEATURE("ctrl_vlan", CTRL_VLAN),
    FEATURE("ctrl_mac_addr", CTRL_MAC_ADDR),
    FEATURE("mq", MQ),
    FEATURE("guest_announce", GUEST_ANNOUNCE),
    DEFINE_PROP_END_OF_LIST(),
};

static void virtio_net_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "a network device";
    device_class_set_props(dc, virtio_net_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    vdc->realize = virtio_net_realize;
    vdc->unrealize = virtio_net_unrealize;
    vdc->get_features = virtio_net_get_features;
    vdc->set_features = virtio_net_set_features;
    vdc->get_config = virtio_net_get_config;
    vdc->reset = virtio_net_reset;
    vdc->run_changed = virtio_net_run_changed;
}

static const TypeInfo virtio_net_types[] = {
    {
        .name = TYPE_VIRTIO_NET,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIONet),
        .class_init = virtio_net_class_init,
    },
};
DEFINE_TYPES(virtio_net_types)
