/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-vsock (VIRTIO 1.2, 5.10): see vhost-vsock.h. */
#include "qemu/osdep.h"

#include <linux/virtio_vsock.h>

#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "vhost-vsock.h"

#define DEVICE_PATH "/dev/vhost-vsock"
#define QUEUE_SIZE 128
/* Received, sent; events are nobody's. */
#define KERNEL_QUEUES 2
#define QUEUES 3
/* 0 to 2 are the hypervisor, the own loopback and the host. */
#define CID_MIN 3
#define CID_MAX (UINT32_MAX - 1)

/* --- the kernel ----------------------------------------------------------- */

static bool set_running(VhostKernel *k, int running, Error **errp)
{
    return VHOST_KERNEL_CALL(k, VHOST_VSOCK_SET_RUNNING, &running, errp);
}

/* All queues are told by then; running once more does nothing. */
static bool vsock_start_queue(VhostKernel *k, unsigned n, Error **errp)
{
    return set_running(k, 1, errp);
}

static bool vsock_stop_queue(VhostKernel *k, unsigned n, Error **errp)
{
    return set_running(k, 0, errp);
}

static const VhostKernelClass vsock_kernel = {
    .start = vsock_start_queue,
    .stop = vsock_stop_queue,
};

static bool set_cid(VhostVsock *v, Error **errp)
{
    if (!VHOST_KERNEL_CALL(&v->kernel, VHOST_VSOCK_SET_GUEST_CID, &v->guest_cid,
                           errp)) {
        error_prepend(errp, "guest-cid=%" PRIu64 " cannot be had: ",
                      v->guest_cid);
        return false;
    }
    return true;
}

/* --- the device ----------------------------------------------------------- */

static uint64_t vsock_get_features(VirtIODevice *vdev, uint64_t features,
                                   Error **errp)
{
    static const int bits[] = {
        VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
        VIRTIO_VSOCK_F_SEQPACKET, VHOST_INVALID_FEATURE_BIT,
    };

    virtio_add_feature(&features, VIRTIO_VSOCK_F_SEQPACKET);
    return vhost_get_features(&VHOST_VSOCK(vdev)->kernel.dev, bits, features);
}

static void vsock_get_config(VirtIODevice *vdev, uint8_t *config)
{
    struct virtio_vsock_config c = {
        .guest_cid = GUINT64_TO_LE(VHOST_VSOCK(vdev)->guest_cid),
    };

    memcpy(config, &c, sizeof(c));
}

static void vsock_run_changed(VirtIODevice *vdev)
{
    vhost_dev_run_changed(&VHOST_VSOCK(vdev)->kernel.dev);
}

/* A queue that nobody processes: its kick is made up for later. */
static void vsock_handle_output(VirtIODevice *vdev, VirtQueue *vq)
{
}

static void remove_device(VhostVsock *v)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(v);

    while (vdev->nvqs) {
        virtio_delete_queue(virtio_get_queue(vdev, vdev->nvqs - 1));
    }
    virtio_cleanup(vdev);
}

static bool add_device(VhostVsock *v, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(v);

    virtio_init(vdev, v->name, VIRTIO_ID_VSOCK,
                sizeof(struct virtio_vsock_config));
    for (unsigned n = 0; n < QUEUES; n++) {
        virtio_add_queue(vdev, QUEUE_SIZE, vsock_handle_output);
    }
    if (!vhost_dev_init(&v->kernel.dev, vdev, KERNEL_QUEUES, v->kernel.slots,
                        true, errp)) {
        remove_device(v);
        return false;
    }
    return true;
}

static void vsock_realize(DeviceState *dev, Error **errp)
{
    VhostVsock *v = VHOST_VSOCK(dev);
    int fd;

    if (v->guest_cid < CID_MIN || v->guest_cid > CID_MAX) {
        error_setg(errp, "guest-cid=%" PRIu64 " is not possible: the guest's "
                   "address, %d to %u, is expected", v->guest_cid, CID_MIN,
                   CID_MAX);
        return;
    }
    fd = vhost_kernel_open(DEVICE_PATH, v->vhostfd, errp);
    if (fd < 0) {
        return;
    }
    v->name = g_strdup_printf("vhost-vsock %" PRIu64, v->guest_cid);
    if (vhost_kernel_init(&v->kernel, &vsock_kernel, v->name, fd, errp)) {
        if (set_cid(v, errp) && add_device(v, errp)) {
            return;
        }
        vhost_kernel_cleanup(&v->kernel);
    }
    g_clear_pointer(&v->name, g_free);
}

static void vsock_unrealize(DeviceState *dev)
{
    VhostVsock *v = VHOST_VSOCK(dev);

    vhost_dev_cleanup(&v->kernel.dev);
    vhost_kernel_cleanup(&v->kernel);
    remove_device(v);
    g_clear_pointer(&v->name, g_free);
}

/* --- type ----------------------------------------------------------------- */

static const Property vsock_properties[] = {
    DEFINE_PROP_UINT64("guest-cid", VhostVsock, guest_cid, 0),
    DEFINE_PROP_STRING("vhostfd", VhostVsock, vhostfd),
    DEFINE_PROP_END_OF_LIST(),
};

static void vsock_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);

    dc->desc = "sockets between guest and host (vhost)";
    device_class_set_props(dc, vsock_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    vdc->realize = vsock_realize;
    vdc->unrealize = vsock_unrealize;
    vdc->get_features = vsock_get_features;
    vdc->get_config = vsock_get_config;
    vdc->run_changed = vsock_run_changed;
}

static const TypeInfo vsock_types[] = {
    {
        .name = TYPE_VHOST_VSOCK,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VhostVsock),
        .class_init = vsock_class_init,
    },
};
DEFINE_TYPES(vsock_types)
