/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A split virtqueue (VIRTIO 1.2, 2.7), shared by virtqueue.c (set-up, kicks)
 * and virtqueue-ring.c (the request path). Nobody else looks inside.
 */
#ifndef HW_VIRTIO_VIRTQUEUE_INTERNAL_H
#define HW_VIRTIO_VIRTQUEUE_INTERNAL_H

#include "hw/virtio/virtio.h"

/* Segments that an element of the free list has room for. */
#define VIRTQUEUE_POOL_SEGS 32

/* Precedes each element in memory. */
typedef struct VirtQueueSlot {
    struct VirtQueueSlot *next;           /* in the free list */
    size_t elem_size;
    bool pooled;                          /* has VIRTQUEUE_POOL_SEGS segments */
} __attribute__((aligned(16))) VirtQueueSlot;

struct VirtQueue {
    VirtIODevice *vdev;
    unsigned int index;
    unsigned int num_max;                 /* entries the device offers */
    VirtIOHandleOutput handle_output;

    /* What the driver has set. */
    unsigned int num;                     /* entries, power of two */
    hwaddr desc;
    hwaddr avail;
    hwaddr used;
    uint16_t vector;
    bool enabled;

    /* The rings in this process, if map_generation is the current one. */
    uint64_t map_generation;
    const struct vring_desc *desc_ring;
    const struct vring_avail *avail_ring;
    struct vring_used *used_ring;

    uint16_t last_avail_idx;              /* next to pop */
    uint16_t shadow_avail_idx;            /* the driver's, as last seen */
    uint16_t used_idx;                    /* next to publish */
    uint16_t signalled_used;              /* used_idx at the last notification */
    bool signalled_used_valid;
    unsigned int inuse;                   /* popped, not yet given back */

    VirtQueueSlot *free_slots;

    EventNotifier host_notifier;          /* valid if has_notifier */
    bool has_notifier;
    bool kick_pending;                    /* came while it could not be handled */
};

/* Everything the driver has set, and what came of it, is forgotten. */
void virtqueue_reset(VirtQueue *vq);
/* Whether elements may be popped and pushed now. Does not look at the rings. */
bool virtqueue_is_live(const VirtQueue *vq);
/* Handles the kicks that came while they could not be. @opaque: the
 * VirtIODevice. */
void virtio_run_pending_kicks(void *opaque);
/* Frees the free list. */
void virtqueue_free_slots(VirtQueue *vq);
/* Interrupts the driver for a queue. */
void virtio_notify_vector(VirtIODevice *vdev, uint16_t vector);
/* Event notifiers for kicks are on while DRIVER_OK is set. */
void virtio_bus_sync_ioeventfd(VirtIODevice *vdev);

#endif
