/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user-fs: a directory that another process serves, virtiofsd say; FUSE
 * over virtio. The configuration space is made here: a tag, and how many queues
 * there are besides the one for urgent requests.
 */
#include "qemu/osdep.h"

#include <linux/virtio_fs.h>

#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "vhost-user-fs.h"

static const int fs_feature_bits[] = { VHOST_INVALID_FEATURE_BIT };

static void fs_get_config(VirtIODevice *vdev, uint8_t *config)
{
    VhostUserFs *fs = VHOST_USER_FS(vdev);
    struct virtio_fs_config *c = (void *)config;

    /* Not ended by a 0 if it is as long as can be. */
    memcpy(c->tag, fs->tag, strlen(fs->tag));
    c->num_request_queues = GUINT32_TO_LE(fs->num_request_queues);
}

static bool fs_check(VhostUserBase *base, Error **errp)
{
    VhostUserFs *fs = VHOST_USER_FS(base);
    const size_t max = sizeof(((struct virtio_fs_config *)NULL)->tag);

    if (!fs->tag || !*fs->tag || strlen(fs->tag) > max) {
        error_setg(errp, "vhost-user-fs: tag=NAME must be given: 1 to %zu "
                   "bytes, by which the guest mounts it", max);
        return false;
    }
    if (!fs->num_request_queues || fs->num_request_queues >= VIRTIO_QUEUE_MAX) {
        error_setg(errp, "vhost-user-fs: num-request-queues=%u is not possible: "
                   "1 to %u are", fs->num_request_queues, VIRTIO_QUEUE_MAX - 1);
        return false;
    }
    base->num_queues = 1 + fs->num_request_queues;
    return true;
}

/* --- type --- */

static const Property fs_properties[] = {
    DEFINE_PROP_STRING("tag", VhostUserFs, tag),
    DEFINE_PROP_UINT16("num-request-queues", VhostUserFs, num_request_queues,
                       1),
    DEFINE_PROP_UINT16("queue-size", VhostUserFs, parent_obj.queue_size, 128),
    DEFINE_PROP_END_OF_LIST(),
};

static void fs_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VhostUserBaseClass *bc = VHOST_USER_BASE_CLASS(klass);

    dc->desc = "directory that another process serves (vhost-user)";
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    device_class_set_props(dc, fs_properties);
    VIRTIO_DEVICE_CLASS(klass)->get_config = fs_get_config;
    bc->name = "vhost-user-fs";
    bc->device_id = VIRTIO_ID_FS;
    bc->feature_bits = fs_feature_bits;
    bc->config_size = sizeof(struct virtio_fs_config);
    bc->own_config = true;
    bc->check = fs_check;
}

static const TypeInfo fs_types[] = {
    {
        .name = TYPE_VHOST_USER_FS,
        .parent = TYPE_VHOST_USER_BASE,
        .instance_size = sizeof(VhostUserFs),
        .class_init = fs_class_init,
    },
};
DEFINE_TYPES(fs_types)
