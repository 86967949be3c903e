/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus between a virtio device and its transport: what happens when the
 * device is plugged, and the event notifiers that carry kicks. A transport
 * that cannot do notifiers gets kicks to virtio_queue_notify() itself.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/virtio/virtio-bus.h"
#include "qapi/error.h"
#include "virtqueue-internal.h"

VirtIODevice *virtio_bus_get_device(VirtioBusState *bus)
{
    BusChild *kid = QTAILQ_FIRST(&bus->parent_obj.children);

    return kid ? VIRTIO_DEVICE(kid->child) : NULL;
}

static VirtioBusState *virtio_get_bus(VirtIODevice *vdev)
{
    return VIRTIO_BUS(qdev_get_parent_bus(DEVICE(vdev)));
}

/* --- plugging --- */

static bool virtio_bus_set_dma_as(VirtIODevice *vdev, VirtioBusState *bus,
                                  Error **errp)
{
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);

    vdev->dma_as = &address_space_memory;
    if (!virtio_has_feature(vdev->host_features, VIRTIO_F_ACCESS_PLATFORM)) {
        return true;
    }
    if (!k->get_dma_as) {
        error_setg(errp, "%s: iommu_platform=on is not possible on %s",
                   vdev->name, object_get_typename(OBJECT(bus)));
        return false;
    }
    vdev->dma_as = k->get_dma_as(BUS(bus)->parent);
    return true;
}

void virtio_bus_device_plugged(VirtIODevice *vdev, Error **errp)
{
    ERRP_GUARD();
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    VirtioBusState *bus = virtio_get_bus(vdev);
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);

    if (vdc->get_features) {
        vdev->host_features = vdc->get_features(vdev, vdev->host_features,
                                                errp);
        if (*errp) {
            return;
        }
    }
    virtio_add_feature(&vdev->host_features, VIRTIO_F_VERSION_1);
    if (!virtio_bus_set_dma_as(vdev, bus, errp)) {
        return;
    }
    virtio_config_generation(vdev);
    k->device_plugged(BUS(bus)->parent, errp);
}

void virtio_bus_device_unplugged(VirtIODevice *vdev)
{
    VirtioBusState *bus = virtio_get_bus(vdev);
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);

    virtio_reset(vdev);
    if (k->device_unplugged) {
        k->device_unplugged(BUS(bus)->parent);
    }
}

void virtio_bus_reset(VirtioBusState *bus)
{
    VirtIODevice *vdev = virtio_bus_get_device(bus);

    if (vdev) {
        virtio_reset(vdev);
    }
}

/* --- kicks by event notifiers --- */

bool virtio_bus_ioeventfd_enabled(VirtioBusState *bus)
{
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);

    return k->ioeventfd_assign && k->ioeventfd_enabled &&
           k->ioeventfd_enabled(BUS(bus)->parent);
}

static int virtio_bus_assign_notifier(VirtioBusState *bus, VirtQueue *vq)
{
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);
    EventNotifier *e = &vq->host_notifier;
    int ret = event_notifier_init(e, 0);

    if (ret < 0) {
        return ret;
    }
    ret = k->ioeventfd_assign(BUS(bus)->parent, e, vq->index, true);
    if (ret < 0) {
        event_notifier_cleanup(e);
        return ret;
    }
    vq->has_notifier = true;
    aio_set_event_notifier(vq->vdev->aio_context, e,
                           virtio_queue_host_notifier_read);
    return 0;
}

/*
 * Takes the notifiers from the queues that have one. They are closed only when
 * the memory map no longer names them. A kick that is signalled but not yet
 * handled is not lost.
 */
static void virtio_bus_drop_notifiers(VirtioBusState *bus, VirtIODevice *vdev)
{
    VirtioBusClass *k = VIRTIO_BUS_GET_CLASS(bus);

    memory_region_transaction_begin();
    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        VirtQueue *vq = vdev->vq[i];

        if (vq->has_notifier) {
            k->ioeventfd_assign(BUS(bus)->parent, &vq->host_notifier, i, false);
        }
    }
    memory_region_transaction_commit();
    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        VirtQueue *vq = vdev->vq[i];

        if (vq->has_notifier) {
            vq->has_notifier = false;
            aio_set_event_notifier(vdev->aio_context, &vq->host_notifier,
                                   NULL);
            virtio_queue_host_notifier_read(&vq->host_notifier);
            event_notifier_cleanup(&vq->host_notifier);
        }
    }
}

int virtio_bus_start_ioeventfd(VirtioBusState *bus)
{
    VirtIODevice *vdev = virtio_bus_get_device(bus);
    int ret = 0;

    if (!vdev || !virtio_bus_ioeventfd_enabled(bus)) {
        return -ENOSYS;
    }
    if (bus->ioeventfd_started) {
        return 0;
    }
    memory_region_transaction_begin();
    for (unsigned int i = 0; i < vdev->nvqs && ret == 0; i++) {
        if (vdev->vq[i]->enabled) {
            ret = virtio_bus_assign_notifier(bus, vdev->vq[i]);
        }
    }
    memory_region_transaction_commit();
    if (ret < 0) {
        virtio_bus_drop_notifiers(bus, vdev);
        return ret;
    }
    bus->ioeventfd_started = true;
    return 0;
}

static void virtio_bus_stop_ioeventfd(VirtioBusState *bus)
{
    if (bus->ioeventfd_started) {
        bus->ioeventfd_started = false;
        virtio_bus_drop_notifiers(bus, virtio_bus_get_device(bus));
    }
}

void virtio_bus_sync_ioeventfd(VirtIODevice *vdev)
{
    VirtioBusState *bus = virtio_get_bus(vdev);

    if (virtio_device_ready(vdev)) {
        /* Without notifiers kicks take the slow way, which works as well. */
        virtio_bus_start_ioeventfd(bus);
    } else {
        virtio_bus_stop_ioeventfd(bus);
    }
}

/* --- type --- */

static void virtio_bus_class_init(ObjectClass *klass, void *data)
{
    BUS_CLASS(klass)->max_dev = 1;
}

static const TypeInfo virtio_bus_types[] = {
    {
        .name = TYPE_VIRTIO_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(VirtioBusState),
        .abstract = true,
        .class_size = sizeof(VirtioBusClass),
        .class_init = virtio_bus_class_init,
    },
};
DEFINE_TYPES(virtio_bus_types)
