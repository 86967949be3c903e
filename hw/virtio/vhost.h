/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices whose queues somebody else processes: the kernel, or another
 * process. What both have in common is here: when queues start and stop, kicks
 * and interrupts by eventfds, guest memory (vhost-memory.h). How a back end is
 * told is the business of VhostOps. QEMU's names, where it has them.
 *
 * A back end may go away at any time. Then the device has no one to work for it
 * until there is another back end: the guest's requests wait. What it was doing
 * is done again, or, if that cannot be told apart from what it had finished, the
 * device needs a reset.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_H
#define HW_VIRTIO_VHOST_H

#include "hw/virtio/virtio.h"
#include "vhost-memory.h"

struct vhost_dev;

/* Where the parts of a ring are, in the back end's terms. */
typedef struct VhostRingAddr {
    uint64_t desc;
    uint64_t avail;
    uint64_t used;
} VhostRingAddr;

/*
 * How a kind of back end is driven. All that can fail returns false and *errp,
 * because it refuses or because it has gone. @n is a queue.
 */
typedef struct VhostOps {
    const char *name;                     /* kind of listener */
    bool (*vhost_set_features)(struct vhost_dev *dev, uint64_t features,
                               Error **errp);
    bool (*vhost_set_vring_num)(struct vhost_dev *dev, unsigned n,
                                unsigned num, Error **errp);
    bool (*vhost_set_vring_base)(struct vhost_dev *dev, unsigned n,
                                 uint16_t base, Error **errp);
    bool (*vhost_set_vring_addr)(struct vhost_dev *dev, unsigned n,
                                 const VhostRingAddr *addr, Error **errp);
    /* @fd stays the caller's. */
    bool (*vhost_set_vring_kick)(struct vhost_dev *dev, unsigned n, int fd,
                                 Error **errp);
    bool (*vhost_set_vring_call)(struct vhost_dev *dev, unsigned n, int fd,
                                 Error **errp);
    /* Lets a queue of which all is told begin; or, not @enable, be processed no
     * more, though it stays where it is. */
    bool (*vhost_set_vring_enable)(struct vhost_dev *dev, unsigned n,
                                   bool enable, Error **errp);
    /* Stops a queue: *base is the next entry that it would have taken. */
    bool (*vhost_get_vring_base)(struct vhost_dev *dev, unsigned n,
                                 uint16_t *base, Error **errp);
    /* Optional: whether it can have this memory; false: *errp says what would
     * help. */
    bool (*vhost_accepts)(const struct vhost_dev *dev, RAMBlock *block,
                          Error **errp);
    /* How the back end names guest address @gpa, which is in @r. */
    uint64_t (*vhost_ring_addr)(const VhostRegion *r, hwaddr gpa);
    /* Whether queues must stand still while @change is carried out. */
    bool (*vhost_table_stops)(const struct vhost_dev *dev,
                              const VhostTableChange *change);
    bool (*vhost_set_mem_table)(struct vhost_dev *dev,
                                const VhostTableChange *change, Error **errp);
    /* Optional: before queues start, what it needs to be able to go on with what
     * another one was doing. */
    bool (*vhost_set_inflight)(struct vhost_dev *dev, Error **errp);
    /* Whether that is so. */
    bool (*vhost_has_inflight)(const struct vhost_dev *dev);
    /* What follows may take as long as one wait for the back end, until end. */
    void (*vhost_begin)(struct vhost_dev *dev);
    void (*vhost_end)(struct vhost_dev *dev);
    /* Until when, g_get_monotonic_time(). */
    int64_t (*vhost_deadline)(const struct vhost_dev *dev);
    /* Whether the back end is there ... */
    bool (*vhost_connected)(const struct vhost_dev *dev);
    /* ... which ends here, because of @err (taken). Nothing more is asked of it.
     * vhost_dev_lost() is called later. */
    void (*vhost_disconnect)(struct vhost_dev *dev, Error *err);
} VhostOps;

struct vhost_virtqueue {
    struct vhost_dev *dev;
    unsigned index;                       /* of the back end's */
    VhostRingAddr addr;
    bool started;
};

struct vhost_dev {
    const VhostOps *vhost_ops;
    VirtIODevice *vdev;
    struct vhost_virtqueue *vqs;
    unsigned nvqs;
    unsigned vq_index;                    /* of vdev's queues, the first one */
    unsigned nvqs_run;                    /* the first ones, that run when the
                                             device does; from one run to the next */
    unsigned nvqs_enabled;                /* of these, that are processed */
    uint64_t features;                    /* the back end's */
    uint64_t own_features;                /* it is told besides the driver's */
    uint64_t acked_features;              /* what it was told */
    bool held;                            /* queues are not to run, whatever the
                                             driver says */
    bool started;
    bool changing;                        /* start or stop is at work */
    bool lost;                            /* where the queues are is in the
                                             rings only */
    VhostMemory memory;
};

/*
 * @dev has its vhost_ops; the back end is connected and takes @slots regions of
 * memory. Gives it guest memory. @vdev has its queues, @nvqs of which are the
 * back end's, from dev->vq_index on. false: *errp, and nothing is left.
 */
bool vhost_dev_init(struct vhost_dev *dev, VirtIODevice *vdev, unsigned nvqs,
                    guint slots, bool whole, Error **errp);
/* The device is stopped. */
void vhost_dev_cleanup(struct vhost_dev *dev);

/* Clears each bit of @feature_bits (ends with VHOST_INVALID_FEATURE_BIT) that
 * the back end does not have from @features. */
#define VHOST_INVALID_FEATURE_BIT 0xff
uint64_t vhost_get_features(const struct vhost_dev *dev,
                            const int *feature_bits, uint64_t features);

/*
 * Starts or stops the queues as virtio_device_may_run() and dev->held say: for
 * VirtioDeviceClass.run_changed. A back end that cannot is disconnected.
 */
void vhost_dev_run_changed(struct vhost_dev *dev);
/* The driver uses the first @n queues from now on. */
void vhost_dev_enable_queues(struct vhost_dev *dev, unsigned n);
/* There is no back end any more ... */
void vhost_dev_lost(struct vhost_dev *dev);
/* ... and here is another one, with dev->features, which goes on where that was.
 * false: *errp; it is to be disconnected. */
bool vhost_dev_found(struct vhost_dev *dev, guint slots, bool whole,
                     Error **errp);

#endif
