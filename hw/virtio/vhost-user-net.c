/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queue pairs of virtio-net that another process works, see
 * hw/virtio/vhost-user-net.h; used by hw/net. */
#include "qemu/osdep.h"

/* Before virtio.h, which includes it without the names of the legacy header. */
#include <linux/virtio_net.h>

#include "hw/virtio/vhost-user-net.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "vhost-user-peer.h"

#define KIND "vhost-user-net"
#define PAIR_QUEUES 2
#define PROTOCOL_FEATURES                                                    \
    (VHOST_USER_COMMON_FEATURES | 1ULL << VHOST_USER_PROTOCOL_F_RARP |       \
     1ULL << VHOST_USER_PROTOCOL_F_NET_MTU)

struct VhostUserNet {
    VhostUserPeer peer;
    VirtIODevice *vdev;
    VhostUserNetConfig config;
};

static VhostUserNet *net_of(VhostUserPeer *p)
{
    return container_of(p, VhostUserNet, peer);
}

/* --- a back end comes and goes -------------------------------------------- */

/* Of a network, back ends count pairs. */
static bool net_get_acquainted(VhostUserPeer *p, bool again, Error **errp)
{
    VhostUser *u = &p->user;
    const VhostUserNetConfig *config = &net_of(p)->config;

    if (u->queues < config->pairs) {
        error_setg(errp, "it has %u queue pairs, and queues=%u is asked for",
                   u->queues, config->pairs);
        return false;
    }
    /* Without, a queue cannot be told from one that the driver does not use. */
    if (config->pairs > 1 &&
        !virtio_has_feature(u->dev.features, VHOST_USER_F_PROTOCOL_FEATURES)) {
        error_setg(errp, "queues=%u takes one that enables queues one by one "
                   "(VHOST_USER_F_PROTOCOL_FEATURES)", config->pairs);
        return false;
    }
    return !config->mtu || !vhost_user_has(u, VHOST_USER_PROTOCOL_F_NET_MTU) ||
           vhost_user_set_mtu(u, config->mtu, errp);
}

static void net_changed(VhostUserPeer *p)
{
    net_of(p)->config.changed(net_of(p)->vdev);
}

static const VhostUserPeerOps net_peer_ops = {
    .get_acquainted = net_get_acquainted,
    .changed = net_changed,
};

/* --- life ----------------------------------------------------------------- */

static bool set_up(VhostUserNet *net, Error **errp)
{
    VhostUserPeer *p = &net->peer;
    bool ok;

    p->user.dev.held = true;
    vhost_user_channel_begin(&p->user.channel);
    ok = vhost_user_peer_find(p, errp) &&
         vhost_user_peer_give_memory(p, net->vdev,
                                     PAIR_QUEUES * net->config.pairs, errp);
    vhost_user_channel_end(&p->user.channel);
    return ok;
}

bool vhost_user_net_await(CharBackend *chardev, uint32_t timeout_ms,
                          Error **errp)
{
    return vhost_user_peer_await(chardev, KIND, timeout_ms, errp);
}

VhostUserNet *vhost_user_net_new(VirtIODevice *vdev,
                                 const VhostUserNetConfig *config, Error **errp)
{
    VhostUserNet *net = g_new0(VhostUserNet, 1);

    net->vdev = vdev;
    net->config = *config;
    vhost_user_peer_init(&net->peer, &net_peer_ops, config->chardev, KIND,
                         config->timeout_ms, PROTOCOL_FEATURES);
    if (!set_up(net, errp)) {
        vhost_user_peer_destroy(&net->peer);
        g_free(net);
        return NULL;
    }
    vhost_user_peer_watch(&net->peer);
    return net;
}

void vhost_user_net_free(VhostUserNet *net)
{
    if (net) {
        vhost_user_peer_unwatch(&net->peer);
        vhost_user_peer_destroy(&net->peer);
        g_free(net);
    }
}

/* --- the device's course -------------------------------------------------- */

/* The control queue is not the back end's, and what it commands neither. */
uint64_t vhost_user_net_get_features(const VhostUserNet *net, uint64_t features)
{
    static const int bits[] = {
        VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
        VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4,
        VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_UFO,
        VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_HOST_ECN,
        VIRTIO_NET_F_HOST_UFO, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MTU,
        VIRTIO_NET_F_MQ, VHOST_INVALID_FEATURE_BIT,
    };

    return vhost_get_features(&net->peer.user.dev, bits, features);
}

bool vhost_user_net_works(const VhostUserNet *net)
{
    return vhost_user_peer_works(&net->peer);
}

void vhost_user_net_run_changed(VhostUserNet *net, bool held, unsigned pairs)
{
    struct vhost_dev *dev = &net->peer.user.dev;

    dev->held = held;
    if (!dev->started) {
        dev->nvqs_run = PAIR_QUEUES * pairs;
    }
    vhost_dev_run_changed(dev);
}

void vhost_user_net_use_pairs(VhostUserNet *net, unsigned pairs)
{
    vhost_dev_enable_queues(&net->peer.user.dev, PAIR_QUEUES * pairs);
}

void vhost_user_net_announce(VhostUserNet *net, const uint8_t *mac)
{
    VhostUser *u = &net->peer.user;
    Error *err = NULL;

    if (vhost_user_net_works(net) &&
        vhost_user_has(u, VHOST_USER_PROTOCOL_F_RARP) &&
        !vhost_user_send_rarp(u, mac, &err)) {
        warn_report_err(err);
    }
}
