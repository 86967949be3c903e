/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of vhost-user back ends: see vhost-user-base.h. The character device
 * tells when a back end comes and goes; what is said in between goes over its
 * descriptor, past it. It must never wait for a back end to come.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "hw/qdev-properties-system.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "vhost-user-base.h"

/* --- a back end comes --- */

/* Whether it is one for this device; its configuration is taken over. */
static bool base_get_acquainted(VhostUserBase *base, bool again, Error **errp)
{
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    VhostUser *u = &base->user;
    uint8_t config[VHOST_USER_CONFIG_MAX] = { 0 };

    if (!vhost_user_connect(u, qemu_chr_fe_get_socket(&base->chardev), errp)) {
        return false;
    }
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

/* Another one, for a device that the guest has. */
static void base_found(VhostUserBase *base)
{
    VhostUser *u = &base->user;
    Error *err = NULL;

    vhost_user_channel_begin(&u->channel);
    if (base_get_acquainted(base, true, &err) &&
        vhost_dev_found(&u->dev, u->slots, vhost_user_whole(u), &err)) {
        virtio_notify_config(VIRTIO_DEVICE(base));
    } else {
        vhost_user_channel_break(&u->channel, "%s", error_get_pretty(err));
        error_free(err);
    }
    vhost_user_channel_end(&u->channel);
}

static void base_lost(VhostUserBase *base)
{
    VhostUser *u = &base->user;

    warn_report_counted(&base->losses, "%s: the back end has gone: %s; "
                        "requests wait for another one", base->name,
                        u->channel.error ? error_get_pretty(u->channel.error)
                                         : "it has closed the connection");
    vhost_dev_lost(&u->dev);
    vhost_user_disconnect(u);
}

static void base_event(void *opaque, QEMUChrEvent event)
{
    if (event == CHR_EVENT_OPENED) {
        base_found(opaque);
    } else if (event == CHR_EVENT_CLOSED) {
        base_lost(opaque);
    }
}

/* Answers are awaited elsewhere. */
static int base_can_read(void *opaque)
{
    return 1;
}

static void base_read(void *opaque, const uint8_t *buf, int size)
{
    VhostUserBase *base = opaque;

    qemu_chr_fe_discard_msgfds(&base->chardev);
    vhost_user_channel_break(&base->user.channel,
                             "it speaks without being asked");
}

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
    features = vhost_get_features(&base->user.dev, ring_bits, features);
    return vhost_get_features(&base->user.dev, bits, features);
}

static void base_get_config(VirtIODevice *vdev, uint8_t *config)
{
    memcpy(config, VHOST_USER_BASE(vdev)->config, vdev->config_len);
}

static void base_run_changed(VirtIODevice *vdev)
{
    vhost_dev_run_changed(&VHOST_USER_BASE(vdev)->user.dev);
}

static void base_reset(VirtIODevice *vdev)
{
    vhost_user_forget_inflight(&VHOST_USER_BASE(vdev)->user);
}

/* A queue that nobody processes: its kick is made up for later. */
static void base_handle_output(VirtIODevice *vdev, VirtQueue *vq)
{
}

/* --- realize --- */

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

static bool base_find_back_end(VhostUserBase *base, Error **errp)
{
    Chardev *chr = qemu_chr_fe_get_driver(&base->chardev);

    if (qemu_chr_fe_get_socket(&base->chardev) < 0) {
        error_setg(errp, "%s: %s", base->name,
                   object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_SOCKET)
                   ? "no back end is connected: start it first"
                   : "its character device must be a socket");
        return false;
    }
    if (!base_get_acquainted(base, false, errp)) {
        error_prepend(errp, "%s: the back end cannot be used: ", base->name);
        return false;
    }
    return true;
}

/* How many queues there are; 0: *errp. */
static unsigned base_choose_queues(VhostUserBase *base, Error **errp)
{
    unsigned available = base->user.queues;

    if (base->num_queues == VHOST_USER_AUTO_QUEUES) {
        base->num_queues = MAX(1, MIN(available, current_machine->smp.cpus));
    }
    if (base->num_queues > available) {
        error_setg(errp, "%s: %u queues are not possible: the back end has %u",
                   base->name, base->num_queues, available);
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

/* Gives it guest memory. A back end that goes at this moment is no reason for
 * vhost_dev_init() to fail, but for a device that nobody has yet. */
static bool base_give_memory(VhostUserBase *base, unsigned nvqs, Error **errp)
{
    VhostUser *u = &base->user;

    if (!vhost_dev_init(&u->dev, VIRTIO_DEVICE(base), nvqs, u->slots,
                        vhost_user_whole(u), errp)) {
        return false;
    }
    if (!vhost_user_channel_works(&u->channel)) {
        error_propagate(errp, error_copy(u->channel.error));
        vhost_dev_cleanup(&u->dev);
        return false;
    }
    return true;
}

static bool base_set_up(VhostUserBase *base, Error **errp)
{
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    VirtIODevice *vdev = VIRTIO_DEVICE(base);
    unsigned nvqs;

    if (!base_find_back_end(base, errp)) {
        return false;
    }
    nvqs = base_choose_queues(base, errp);
    if (!nvqs) {
        return false;
    }
    virtio_init(vdev, base->name, bc->device_id, bc->config_size);
    for (unsigned n = 0; n < nvqs; n++) {
        virtio_add_queue(vdev, base->queue_size, base_handle_output);
    }
    base->user.queue_size = base->queue_size;
    if (!base_give_memory(base, nvqs, errp)) {
        error_prepend(errp, "%s: ", base->name);
        base_delete_queues(vdev);
        virtio_cleanup(vdev);
        return false;
    }
    return true;
}

/* The next user of the character device shall find a back end that works. */
static void base_part(VhostUserBase *base)
{
    if (base->user.channel.error) {
        qemu_chr_fe_disconnect(&base->chardev);
    }
    vhost_user_cleanup(&base->user);
    g_clear_pointer(&base->name, g_free);
}

static void base_realize(DeviceState *dev, Error **errp)
{
    VhostUserBase *base = VHOST_USER_BASE(dev);
    VhostUserBaseClass *bc = VHOST_USER_BASE_GET_CLASS(base);
    bool ok;

    if (!base_check_properties(base, errp)) {
        return;
    }
    base->name = g_strdup_printf("%s '%s'", bc->name,
                                 qemu_chr_fe_get_driver(&base->chardev)->label);
    vhost_user_init(&base->user, base->timeout_ms);
    vhost_user_channel_begin(&base->user.channel);
    ok = base_set_up(base, errp);
    vhost_user_channel_end(&base->user.channel);
    if (!ok) {
        base_part(base);
        return;
    }
    qemu_chr_fe_set_handlers(&base->chardev, base_can_read, base_read,
                             base_event, NULL, base, NULL, false);
}

static void base_unrealize(DeviceState *dev)
{
    VhostUserBase *base = VHOST_USER_BASE(dev);
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);

    qemu_chr_fe_set_handlers(&base->chardev, NULL, NULL, NULL, NULL, NULL,
                             NULL, false);
    vhost_dev_cleanup(&base->user.dev);
    base_delete_queues(vdev);
    virtio_cleanup(vdev);
    /* It still has guest memory. */
    qemu_chr_fe_disconnect(&base->chardev);
    base_part(base);
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
