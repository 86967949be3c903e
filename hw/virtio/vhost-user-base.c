/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of vhost-user back ends: see vhost-user-base.h. */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "hw/qdev-properties-system.h"
#include "qapi/error.h"
#include "vhost-user-base.h"

/* --- a back end comes --- */

static VhostUserBase *base_of(VhostUserPeer *p)
{
    return container_of(p, VhostUserBase, peer);
}

/* Whether it is one for this device; its configuration is taken over. */
static bool base_get_acquainted(VhostUserPeer *p, bool again, Error **errp)
{
    VhostUserBase *base = base_of(p);
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    VhostUser *u = &p->user;
    uint8_t config[VHOST_USER_CONFIG_MAX] = { 0 };

    if (again && u->queues < u->dev.nvqs) {
        error_setg(errp, "it has %u queues, and the device has %u", u->queues,
                   u->dev.nvqs);
        return false;
    }
    if (!bc->own_config && !vhost_user_has(u, VHOST_USER_PROTOCOL_F_CONFIG)) {
        error_setg(errp, "it does not tell its configuration "
                   "(VHOST_USER_PROTOCOL_F_CONFIG)");
        return false;
    }
    if (!bc->own_config &&
        !vhost_user_get_config(u, config, bc->config_size, errp)) {
        return false;
    }
    if (bc->arrived && !bc->arrived(base, config, again, errp)) {
        return false;
    }
    memcpy(base->config, config, sizeof(config));
    return true;
}

static void base_changed(VhostUserPeer *p)
{
    if (vhost_user_peer_works(p)) {
        virtio_notify_config(VIRTIO_DEVICE(base_of(p)));
    }
}

static const VhostUserPeerOps base_peer_ops = {
    .get_acquainted = base_get_acquainted,
    .changed = base_changed,
};

/* --- the virtio device --- */

static uint64_t base_get_features(VirtIODevice *vdev, uint64_t features,
                                  Error **errp)
{
    static const int ring_bits[] = {
        VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
        VHOST_INVALID_FEATURE_BIT,
    };
    VhostUserBase *base = VHOST_USER_BASE(vdev);
    const int *bits = VHOST_USER_BASE_GET_CLASS(base)->feature_bits;

    for (unsigned i = 0; bits[i] != VHOST_INVALID_FEATURE_BIT; i++) {
        virtio_add_feature(&features, bits[i]);
    }
    features = vhost_get_features(&base->peer.user.dev, ring_bits, features);
    return vhost_get_features(&base->peer.user.dev, bits, features);
}

static void base_get_config(VirtIODevice *vdev, uint8_t *config)
{
    memcpy(config, VHOST_USER_BASE(vdev)->config, vdev->config_len);
}

static void base_run_changed(VirtIODevice *vdev)
{
    vhost_dev_run_changed(&VHOST_USER_BASE(vdev)->peer.user.dev);
}

static void base_reset(VirtIODevice *vdev)
{
    vhost_user_forget_inflight(&VHOST_USER_BASE(vdev)->peer.user);
}

/* A queue that nobody processes: its kick is made up for later. */
static void base_handle_output(VirtIODevice *vdev, VirtQueue *vq)
{
}

/* --- realize --- */

void vhost_user_base_prepare(VhostUserBase *base, Error **errp)
{
    if (base->timeout_ms && qemu_chr_fe_get_driver(&base->chardev)) {
        vhost_user_peer_await(&base->chardev,
                              VHOST_USER_BASE_GET_CLASS(base)->name,
                              base->timeout_ms, errp);
    }
}

static bool base_check_properties(VhostUserBase *base, Error **errp)
{
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    const char *name = bc->name;

    if (bc->check && !bc->check(base, errp)) {
        return false;
    }
    if (!qemu_chr_fe_get_driver(&base->chardev)) {
        error_setg(errp, "%s: chardev=ID must name the character device by "
                   "which the back end is reached", name);
        return false;
    }
    if (!is_power_of_2(base->queue_size) ||
        base->queue_size > VIRTQUEUE_MAX_SIZE) {
        error_setg(errp, "%s: queue-size=%u is not possible: a power of 2 up "
                   "to %u is", name, base->queue_size, VIRTQUEUE_MAX_SIZE);
        return false;
    }
    if (!base->num_queues || !base->timeout_ms) {
        error_setg(errp, "%s: %s=0 is not possible: 1 or more is", name,
                   base->num_queues ? "x-msg-timeout" : "num-queues");
        return false;
    }
    return true;
}

/* How many queues there are; 0: *errp. */
static unsigned base_choose_queues(VhostUserBase *base, Error **errp)
{
    unsigned available = base->peer.user.queues;

    if (base->num_queues == VHOST_USER_AUTO_QUEUES) {
        base->num_queues = MAX(1, MIN(available, current_machine->smp.cpus));
    }
    if (base->num_queues > available) {
        error_setg(errp, "%s: %u queues are not possible: the back end has %u",
                   base->peer.name, base->num_queues, available);
        return 0;
    }
    return base->num_queues;
}

static void base_delete_queues(VirtIODevice *vdev)
{
    while (vdev->nvqs) {
        virtio_delete_queue(virtio_get_queue(vdev, vdev->nvqs - 1));
    }
}

static bool base_set_up(VhostUserBase *base, Error **errp)
{
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    VirtIODevice *vdev = VIRTIO_DEVICE(base);
    unsigned nvqs;

    if (!vhost_user_peer_find(&base->peer, errp)) {
        return false;
    }
    nvqs = base_choose_queues(base, errp);
    if (!nvqs) {
        return false;
    }
    virtio_init(vdev, base->peer.name, bc->device_id, bc->config_size);
    for (unsigned n = 0; n < nvqs; n++) {
        virtio_add_queue(vdev, base->queue_size, base_handle_output);
    }
    base->peer.user.queue_size = base->queue_size;
    if (!vhost_user_peer_give_memory(&base->peer, vdev, nvqs, errp)) {
        base_delete_queues(vdev);
        virtio_cleanup(vdev);
        return false;
    }
    return true;
}

static void base_realize(DeviceState *dev, Error **errp)
{
    VhostUserBase *base = VHOST_USER_BASE(dev);
    VhostUserChannel *ch = &base->peer.user.channel;
    bool ok;

    if (!base_check_properties(base, errp)) {
        return;
    }
    vhost_user_peer_init(&base->peer, &base_peer_ops, &base->chardev,
                         VHOST_USER_BASE_GET_CLASS(base)->name, base->timeout_ms,
                         VHOST_USER_BASE_FEATURES);
    vhost_user_channel_begin(ch);
    ok = base_set_up(base, errp);
    vhost_user_channel_end(ch);
    if (ok) {
        vhost_user_peer_watch(&base->peer);
    } else {
        vhost_user_peer_destroy(&base->peer);
    }
}

static void base_unrealize(DeviceState *dev)
{
    VhostUserBase *base = VHOST_USER_BASE(dev);
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);

    vhost_user_peer_unwatch(&base->peer);
    base_delete_queues(vdev);
    virtio_cleanup(vdev);
    vhost_user_peer_destroy(&base->peer);
}

/* --- type --- */

static const Property base_properties[] = {
    DEFINE_PROP_CHR("chardev", VhostUserBase, chardev),
    DEFINE_PROP_UINT32("x-msg-timeout", VhostUserBase, timeout_ms, 5000),
    DEFINE_PROP_END_OF_LIST(),
};

static void base_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);

    device_class_set_props(dc, base_properties);
    vdc->realize = base_realize;
    vdc->unrealize = base_unrealize;
    vdc->get_features = base_get_features;
    vdc->get_config = base_get_config;
    vdc->run_changed = base_run_changed;
    vdc->reset = base_reset;
}

static const TypeInfo base_types[] = {
    {
        .name = TYPE_VHOST_USER_BASE,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VhostUserBase),
        .abstract = true,
        .class_size = sizeof(VhostUserBaseClass),
        .class_init = base_class_init,
    },
};
DEFINE_TYPES(base_types)
