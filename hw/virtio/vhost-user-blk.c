/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user-blk: a disk that another process serves, qemu-storage-daemon say.
 * All of the configuration space is the back end's, but for the number of queues;
 * the guest may change the write cache mode, which the next back end is told.
 */
#include "qemu/osdep.h"

#include <linux/virtio_blk.h>

#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "vhost-user-blk.h"

/* What came to VIRTIO later is left out, which back ends may not know. */
#define CONFIG_SIZE offsetof(struct virtio_blk_config, max_secure_erase_sectors)

static const int blk_feature_bits[] = {
    VIRTIO_BLK_F_SIZE_MAX, VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_F_GEOMETRY,
    VIRTIO_BLK_F_RO, VIRTIO_BLK_F_BLK_SIZE, VIRTIO_BLK_F_FLUSH,
    VIRTIO_BLK_F_TOPOLOGY, VIRTIO_BLK_F_CONFIG_WCE, VIRTIO_BLK_F_MQ,
    VIRTIO_BLK_F_DISCARD, VIRTIO_BLK_F_WRITE_ZEROES,
    VHOST_INVALID_FEATURE_BIT,
};

static bool tell_wce(VhostUserBase *base, uint8_t wce, Error **errp)
{
    return vhost_user_set_config(&base->peer.user, &wce,
                                 offsetof(struct virtio_blk_config, wce),
                                 sizeof(wce), errp);
}

/* The size may be another; what the guest has chosen stays. */
static bool blk_arrived(VhostUserBase *base, uint8_t *config, bool again,
                        Error **errp)
{
    struct virtio_blk_config *now = (void *)config;
    const struct virtio_blk_config *before = (void *)base->config;

    if (!again || now->wce == before->wce) {
        return true;
    }
    now->wce = before->wce;
    return tell_wce(base, now->wce, errp);
}

static uint64_t blk_get_features(VirtIODevice *vdev, uint64_t features,
                                 Error **errp)
{
    VirtioDeviceClass *parent = VIRTIO_DEVICE_CLASS(
        object_class_by_name(TYPE_VHOST_USER_BASE));

    features = parent->get_features(vdev, features, errp);
    if (!VHOST_USER_BLK(vdev)->config_wce) {
        virtio_clear_feature(&features, VIRTIO_BLK_F_CONFIG_WCE);
    }
    if (VHOST_USER_BASE(vdev)->num_queues > 1) {
        virtio_add_feature(&features, VIRTIO_BLK_F_MQ);
    } else {
        virtio_clear_feature(&features, VIRTIO_BLK_F_MQ);
    }
    return features;
}

static void blk_get_config(VirtIODevice *vdev, uint8_t *config)
{
    VhostUserBase *base = VHOST_USER_BASE(vdev);
    struct virtio_blk_config *c = (void *)config;

    memcpy(config, base->config, CONFIG_SIZE);
    c->num_queues = GUINT16_TO_LE(base->num_queues);
}

static void blk_set_config(VirtIODevice *vdev, const uint8_t *config)
{
    VhostUserBase *base = VHOST_USER_BASE(vdev);
    const struct virtio_blk_config *c = (const void *)config;
    struct virtio_blk_config *now = (void *)base->config;
    Error *err = NULL;

    if (c->wce == now->wce ||
        !virtio_vdev_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE)) {
        return;
    }
    if (!vhost_user_channel_works(&base->peer.user.channel) ||
        tell_wce(base, c->wce, &err)) {
        now->wce = c->wce;
    } else {
        warn_report_counted(&base->peer.losses, "%s: the write cache stays as it "
                            "is: %s", base->peer.name, error_get_pretty(err));
        error_free(err);
    }
}

/* --- type --- */

static const Property blk_properties[] = {
    DEFINE_PROP_UINT16("num-queues", VhostUserBlk, parent_obj.num_queues,
                       VHOST_USER_AUTO_QUEUES),
    DEFINE_PROP_UINT16("queue-size", VhostUserBlk, parent_obj.queue_size, 128),
    DEFINE_PROP_BOOL("config-wce", VhostUserBlk, config_wce, true),
    DEFINE_PROP_END_OF_LIST(),
};

static void blk_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    VhostUserBaseClass *bc = VHOST_USER_BASE_CLASS(klass);

    dc->desc = "disk that another process serves (vhost-user)";
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    device_class_set_props(dc, blk_properties);
    vdc->get_features = blk_get_features;
    vdc->get_config = blk_get_config;
    vdc->set_config = blk_set_config;
    bc->name = TYPE_VHOST_USER_BLK;
    bc->device_id = VIRTIO_ID_BLOCK;
    bc->feature_bits = blk_feature_bits;
    bc->config_size = CONFIG_SIZE;
    bc->arrived = blk_arrived;
}

static const TypeInfo blk_types[] = {
    {
        .name = TYPE_VHOST_USER_BLK,
        .parent = TYPE_VHOST_USER_BASE,
        .instance_size = sizeof(VhostUserBlk),
        .class_init = blk_class_init,
    },
};
DEFINE_TYPES(blk_types)
