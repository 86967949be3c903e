/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net's queue pairs that somebody else works: the kernel, each pair by
 * itself (tap with vhost=on), or another process, all of them (vhost-user). The
 * control queue stays here.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "virtio-net.h"

/* --- the kernel ----------------------------------------------------------- */

/* For those pairs that the netdev wants to have worked so. */
static bool add_kernel(VirtIONet *n, Netdev *nd, Error **errp)
{
    int vhost_fd, tap_fd;

    for (unsigned i = 0; i < n->max_pairs; i++) {
        if (!NETDEV_GET_CLASS(nd)->get_vhost ||
            !NETDEV_GET_CLASS(nd)->get_vhost(nd, i, &vhost_fd, &tap_fd)) {
            continue;
        }
        n->pairs[i].vhost = vhost_net_new(VIRTIO_DEVICE(n), i, vhost_fd, tap_fd,
                                          n->has_vnet_hdr, errp);
        if (!n->pairs[i].vhost) {
            error_prepend(errp, "netdev '%s': vhost=on: ", nd->id);
            virtio_net_remove_vhost(n);
            return false;
        }
    }
    return true;
}

/* --- another process ------------------------------------------------------ */

/* Meanwhile others add and delete devices and netdevs: this one stays, for this
 * device only. */
static void await_user(Netdev *nd, Error **errp)
{
    CharBackend *chardev;
    uint32_t timeout_ms;

    if (nd->awaited) {
        error_setg(errp, "netdev '%s' is in use", nd->id);
        return;
    }
    object_ref(OBJECT(nd));
    nd->awaited = true;
    chardev = NETDEV_GET_CLASS(nd)->get_vhost_user(nd, &timeout_ms);
    if (!vhost_user_net_await(chardev, timeout_ms, errp)) {
        error_prepend(errp, "netdev '%s': ", nd->id);
    }
    nd->awaited = false;
    object_unref(OBJECT(nd));
}

void virtio_net_prepare(VirtIONet *n, Error **errp)
{
    Netdev *nd = n->netdev ? netdev_find(n->netdev) : NULL;

    /* One that is in use already has whoever has it speak there. */
    if (nd && NETDEV_GET_CLASS(nd)->get_vhost_user && !nd->ends[0].peer) {
        await_user(nd, errp);
    }
}

static void back_end_changed(VirtIODevice *vdev)
{
    virtio_net_link_changed(&VIRTIO_NET(vdev)->ends[0]);
}

static bool add_user(VirtIONet *n, Netdev *nd, Error **errp)
{
    VhostUserNetConfig config = {
        .pairs = n->max_pairs,
        .mtu = n->host_mtu,
        .changed = back_end_changed,
    };

    config.chardev = NETDEV_GET_CLASS(nd)->get_vhost_user(nd,
                                                          &config.timeout_ms);
    n->served = true;
    n->vhost_user = vhost_user_net_new(VIRTIO_DEVICE(n), &config, errp);
    if (!n->vhost_user) {
        error_prepend(errp, "netdev '%s': ", nd->id);
    }
    return n->vhost_user;
}

/* --- either --------------------------------------------------------------- */

bool virtio_net_add_vhost(VirtIONet *n, Error **errp)
{
    Netdev *nd = virtio_net_netdev(n);

    if (nd && NETDEV_GET_CLASS(nd)->get_vhost_user) {
        return add_user(n, nd, errp);
    }
    return !nd || add_kernel(n, nd, errp);
}

void virtio_net_remove_vhost(VirtIONet *n)
{
    g_clear_pointer(&n->vhost_user, vhost_user_net_free);
    for (unsigned i = 0; i < n->max_pairs; i++) {
        g_clear_pointer(&n->pairs[i].vhost, vhost_net_free);
    }
}

bool virtio_net_vhost_is_up(const VirtIONet *n)
{
    return n->vhost_user ? vhost_user_net_works(n->vhost_user) : !n->served;
}

uint64_t virtio_net_vhost_features(const VirtIONet *n, uint64_t features)
{
    if (n->vhost_user) {
        return vhost_user_net_get_features(n->vhost_user, features);
    }
    return n->pairs[0].vhost ? vhost_net_get_features(n->pairs[0].vhost, features)
                             : features;
}

/* Without MQ the second pair's queues are not what they are called. */
void virtio_net_run_changed(VirtIODevice *vdev)
{
    VirtIONet *n = VIRTIO_NET(vdev);
    bool mq = virtio_vdev_has_feature(vdev, VIRTIO_NET_F_MQ);

    if (n->vhost_user) {
        vhost_user_net_run_changed(n->vhost_user, !n->link_up,
                                   mq ? n->max_pairs : 1);
    }
    for (unsigned i = 0; i < n->max_pairs; i++) {
        if (n->pairs[i].vhost) {
            vhost_net_run_changed(n->pairs[i].vhost, !n->link_up || (i && !mq));
        }
    }
}

/* The netdev has been deleted, and its character device goes with it. */
void virtio_net_lose_vhost_user(VirtIONet *n)
{
    if (n->vhost_user && !n->ends[0].peer) {
        vhost_user_net_run_changed(n->vhost_user, true, 1);
        g_clear_pointer(&n->vhost_user, vhost_user_net_free);
    }
}
