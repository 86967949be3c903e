/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plug between a virtio device and its transport: a bus with one device,
 * owned by the transport. A transport derives its bus type from
 * TYPE_VIRTIO_BUS. The device learns nothing of the transport but this.
 * Big lock held throughout, the device's I/O thread paused.
 */
#ifndef HW_VIRTIO_BUS_H
#define HW_VIRTIO_BUS_H

#include "hw/virtio/virtio.h"

#define TYPE_VIRTIO_BUS "virtio-bus"
typedef struct VirtioBusState VirtioBusState;
typedef struct VirtioBusClass VirtioBusClass;
DECLARE_OBJ_CHECKERS(VirtioBusState, VirtioBusClass, VIRTIO_BUS,
                     TYPE_VIRTIO_BUS)

struct VirtioBusState {
    BusState parent_obj;
    bool ioeventfd_started;
};

/* @d is the transport, the parent of the bus. Optional ones may be NULL. */
struct VirtioBusClass {
    BusClass parent;

    /* Interrupt by @vector (VIRTIO_NO_VECTOR: none); vdev->isr is set. */
    void (*notify)(DeviceState *d, uint16_t vector);
    /* The same, of a queue, in a turn of the device's I/O thread. false: it has
     * to be done with the big lock held. Only where there are notifiers. */
    bool (*notify_in_turn)(DeviceState *d, uint16_t vector);
    /* The device is realized (features offered are in host_features). */
    void (*device_plugged)(DeviceState *d, Error **errp);
    void (*device_unplugged)(DeviceState *d);       /* optional */
    /* The address space of DMA with VIRTIO_F_ACCESS_PLATFORM; optional. */
    AddressSpace *(*get_dma_as)(DeviceState *d);
    /* Whether kicks come by event notifiers; optional (no). */
    bool (*ioeventfd_enabled)(DeviceState *d);
    /* Ties a kick of queue @n to @notifier, or unties it. 0 or -errno. */
    int (*ioeventfd_assign)(DeviceState *d, EventNotifier *notifier, int n,
                            bool assign);
    /* @notifier, signalled, is an interrupt of queue @n, which the transport raises
     * without us, or @handler is called by the main loop; NULL: no longer. */
    void (*guest_notifier_assign)(DeviceState *d, EventNotifier *notifier, int n,
                                  EventNotifierHandler *handler);
};

/* The device on the bus, or NULL. */
VirtIODevice *virtio_bus_get_device(VirtioBusState *bus);
/* Called by TYPE_VIRTIO_DEVICE as it is realized and unrealized. */
void virtio_bus_device_plugged(VirtIODevice *vdev, Error **errp);
void virtio_bus_device_unplugged(VirtIODevice *vdev);
/* Resets the device, if there is one. */
void virtio_bus_reset(VirtioBusState *bus);
/* Whether there are event notifiers for kicks, and switching them on (0, or
 * -errno: kicks come by virtio_queue_notify()) and off, handling what is
 * signalled already. Idempotent. */
bool virtio_bus_ioeventfd_enabled(VirtioBusState *bus);
int virtio_bus_start_ioeventfd(VirtioBusState *bus);

#endif
