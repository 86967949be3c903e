/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtqueue (VIRTIO 1.2, 2.6), shared by virtqueue.c (set-up, kicks),
 * virtqueue-ring.c (the request path, and split rings), virtqueue-packed.c
 * (packed rings) and virtqueue-element.c (elements, and where guest memory is).
 * Nobody else looks inside.
 */
#ifndef HW_VIRTIO_VIRTQUEUE_INTERNAL_H
#define HW_VIRTIO_VIRTQUEUE_INTERNAL_H

#include "exec/memory-pin.h"
#include "hw/virtio/virtio.h"

/* Segments that an element of the free list has room for. */
#define VIRTQUEUE_POOL_SEGS 32

/* Runs of guest memory that a queue remembers. */
#define VIRTQUEUE_RUNS 4

/* Precedes each element in memory; its segments and their addresses follow. */
typedef struct VirtQueueSlot {
    struct VirtQueueSlot *next;           /* in the free list */
    size_t elem_size;
    unsigned int capacity;                /* segments */
    unsigned int nr_pins;                 /* segments that are pinned */
    MemoryPin *pins;                      /* room for capacity, or NULL */
} __attribute__((aligned(16))) VirtQueueSlot;

/* An element while its chain is read: virtqueue_element_begin() and so on. */
typedef struct VirtQueueReader {
    VirtQueue *vq;
    VirtQueueSlot *slot;
    struct iovec *sg;                     /* in the slot: to read, to write */
    hwaddr *addr;
    unsigned int num;                     /* segments */
    unsigned int in_num;                  /* of which the last are to write */
    uint64_t bytes;
} VirtQueueReader;

/* A place in a packed ring: the descriptor, and the wrap counter there. */
typedef struct PackedPosition {
    uint16_t idx;
    bool wrap;
} PackedPosition;

struct VirtQueue {
    VirtIODevice *vdev;
    unsigned int index;
    unsigned int num_max;                 /* entries the device offers */
    VirtIOHandleOutput handle_output;

    /* What the driver has set. */
    unsigned int num;                     /* entries; split: a power of two */
    bool packed;                          /* the layout */
    hwaddr desc;                          /* packed: the ring */
    hwaddr avail;                         /* packed: the driver's event */
    hwaddr used;                          /* packed: the device's event */
    uint16_t vector;
    bool enabled;

    /* The rings in this process, and what else was looked up, if
     * map_generation is the current one. */
    uint64_t map_generation;
    MemoryRun runs[VIRTQUEUE_RUNS];
    unsigned int nr_runs;
    unsigned int oldest_run;
    const struct vring_desc *desc_ring;
    const struct vring_avail *avail_ring;
    struct vring_used *used_ring;
    struct vring_packed_desc *packed_ring;
    const struct vring_packed_desc_event *driver_event;
    struct vring_packed_desc_event *device_event;

    uint16_t last_avail_idx;              /* next to pop */
    uint16_t shadow_avail_idx;            /* the driver's, as last seen */
    uint16_t used_idx;                    /* next to publish */
    uint16_t signalled_used;              /* used_idx at the last notification */
    bool signalled_used_valid;
    unsigned int inuse;                   /* popped, not yet given back */

    /* Of a packed ring. */
    PackedPosition packed_avail;          /* next to pop */
    PackedPosition packed_used;           /* next to publish */
    PackedPosition packed_filled;         /* behind what is filled */
    unsigned int nr_filled;               /* elements, not yet published */
    unsigned int descs_filled;            /* their descriptors */
    uint16_t first_flags;                 /* of the first of them */
    unsigned int descs_unsignalled;       /* published since the last look at
                                             the driver's event */

    VirtQueueSlot *free_slots;

    EventNotifier host_notifier;          /* valid if has_notifier */
    bool has_notifier;
    bool delegated;                       /* somebody else polls the notifier */
    bool notifier_is_own;                 /* ... which was made for that */
    EventNotifier guest_notifier;         /* ... and signals this one */
    bool kick_pending;                    /* came while it could not be handled */
    bool interrupt_pending;               /* is for the main loop */
};

/* Everything the driver has set, and what came of it, is forgotten. */
void virtqueue_reset(VirtQueue *vq);
/* The layout is the negotiated one; the rings are to be found again. */
void virtqueue_settle_layout(VirtQueue *vq);
/* Whether elements may be popped and pushed now. Does not look at the rings. */
static inline bool virtqueue_is_live(const VirtQueue *vq)
{
    const VirtIODevice *vdev = vq->vdev;

    return vq->enabled && virtio_device_ready(vdev) && !vdev->broken &&
           !vdev->disabled;
}
/* The device may run, or may not any more, or something is left for the main
 * loop: tells the model, and handles the kicks that came while they could not be.
 * @opaque: the VirtIODevice. */
void virtio_run_pending_kicks(void *opaque);

/* --- rings of either layout --- */

/* Finds the rings in this process, if that is not known; false: they are not in
 * RAM, and the device broke. */
bool virtqueue_map_rings(VirtQueue *vq);

static inline uint16_t virtqueue_load16(const uint16_t *p)
{
    return GUINT16_FROM_LE(__atomic_load_n(p, __ATOMIC_RELAXED));
}

static inline void virtqueue_store16(uint16_t *p, uint16_t v)
{
    __atomic_store_n(p, GUINT16_TO_LE(v), __ATOMIC_RELAXED);
}

/* After our store, before our load of what the driver stores: the driver does
 * the same the other way round, so that one of us sees the other's. */
static inline void virtqueue_full_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline bool virtqueue_has_event_idx(const VirtQueue *vq)
{
    return virtio_vdev_has_feature(vq->vdev, VIRTIO_RING_F_EVENT_IDX);
}

/* Host address of @size bytes, all in one piece of RAM; or NULL. */
void *virtqueue_ring_host(VirtQueue *vq, hwaddr addr, hwaddr size,
                          bool is_write);
/* The indirect table of @len bytes at @addr, of a descriptor that says that its
 * chain goes on (@next) or not. NULL if the driver may not give such a one; the
 * device is broken then. */
const void *virtqueue_indirect_table(VirtQueue *vq, hwaddr addr, uint32_t len,
                                     bool next);

/* --- virtqueue-packed.c: what virtqueue-ring.c does, for packed rings, once
 *     the rings are known to be mapped --- */

/* false: they are not all in RAM. */
bool packed_map(VirtQueue *vq);
void *packed_pop(VirtQueue *vq, size_t sz);
void packed_unpop(VirtQueue *vq, const VirtQueueElement *elem);
void packed_fill(VirtQueue *vq, const VirtQueueElement *elem, unsigned int len,
                 unsigned int idx);
/* Publishes all that is filled. */
void packed_flush(VirtQueue *vq);
bool packed_should_notify(VirtQueue *vq);

/* --- virtqueue-element.c --- */

/* Nothing that was looked up holds any more. */
static inline void virtqueue_forget_runs(VirtQueue *vq)
{
    vq->nr_runs = 0;
    vq->oldest_run = 0;
}

static inline bool memory_run_holds(const MemoryRun *run, hwaddr addr,
                                    hwaddr len)
{
    return addr >= run->first && addr <= run->last &&
           len - 1 <= run->last - addr;
}

/* A run that the queue remembers and that has all of @len > 0 bytes at @addr,
 * or NULL. */
static inline const MemoryRun *virtqueue_known_run(const VirtQueue *vq,
                                                   hwaddr addr, hwaddr len)
{
    for (unsigned int i = 0; i < vq->nr_runs; i++) {
        if (memory_run_holds(&vq->runs[i], addr, len)) {
            return &vq->runs[i];
        }
    }
    return NULL;
}

/*
 * The run of guest memory that has all of @len > 0 bytes at @addr, or else as
 * many of them as are in one piece; NULL: there is no RAM. It is the queue's,
 * valid until the next call; what it says holds as long as map_generation is
 * current.
 */
const MemoryRun *virtqueue_run(VirtQueue *vq, hwaddr addr, hwaddr len);

/*
 * Reading a chain, of whatever kind of ring: begin; add for each buffer, in the
 * order of the chain; end, or abandon. The queue's map_generation is current.
 */
/* An element of @sz bytes, without buffers. */
void virtqueue_element_begin(VirtQueueReader *r, VirtQueue *vq, size_t sz);
/* false if the driver may not give such a buffer; the device is broken then. */
bool virtqueue_element_add(VirtQueueReader *r, hwaddr addr, uint32_t len,
                           bool is_write);
/* The element, whose head is descriptor @index. */
VirtQueueElement *virtqueue_element_end(VirtQueueReader *r,
                                        unsigned int index);
void virtqueue_element_abandon(VirtQueueReader *r);
/* Unpins the segments, if they are pinned. */
void virtqueue_unpin_element(const VirtQueueElement *elem);
/* Frees the free list. */
void virtqueue_free_slots(VirtQueue *vq);
/* Interrupts the driver for a queue, here or in the main loop. */
void virtqueue_interrupt(VirtQueue *vq);
/* Here. false: this is a turn of an I/O thread, and it takes the big lock. */
bool virtio_notify_vector(VirtIODevice *vdev, uint16_t vector);
/* What broke the device in a turn of its I/O thread, if something did. */
void virtio_say_why_broken(VirtIODevice *vdev);
/* Event notifiers for kicks are on while DRIVER_OK is set. */
void virtio_bus_sync_ioeventfd(VirtIODevice *vdev);

#endif
