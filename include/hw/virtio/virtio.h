/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices (VIRTIO 1.2), apart from the transport that carries them.
 *
 * A device model derives from TYPE_VIRTIO_DEVICE; in realize it calls
 * virtio_init() and virtio_add_queue(), in unrealize virtio_delete_queue() and
 * virtio_cleanup(). A queue's handler runs after the driver has kicked: it pops
 * all that is available, fills used elements, flushes once, notifies once.
 *
 * Only VIRTIO 1, over split or packed rings: no legacy interface. What the
 * driver puts into a ring is hostile. Whatever breaks the rules breaks only the
 * device: virtio_error() sets DEVICE_NEEDS_RESET, nothing is processed any
 * more, and the driver's reset repairs it.
 *
 * A device may have an I/O thread (virtio_use_iothread()): its kicks are handled
 * in turns of that, without the big lock (qemu/aio-context.h), where a handler
 * may use the request path below, virtio_error() and virtio_queue_kick_later().
 * All else holds the big lock, with the thread paused: the core sees to that for
 * what drivers do, for run states, resets and unrealize.
 */
#ifndef HW_VIRTIO_H
#define HW_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <sys/uio.h>

#include "exec/memory.h"
#include "hw/qdev-core.h"
#include "qemu/event_notifier.h"
#include "sysemu/iothread.h"

#define VIRTIO_QUEUE_MAX 1024             /* queues of a device */
#define VIRTQUEUE_MAX_SIZE 1024           /* entries of a ring, segments of an
                                             element */
#define VIRTIO_NO_VECTOR 0xffff
/* VirtIODevice.isr: what happened since the driver read it (4.1.4.5). */
#define VIRTIO_ISR_QUEUE 0x1
#define VIRTIO_ISR_CONFIG 0x2

#define TYPE_VIRTIO_DEVICE "virtio-device"
typedef struct VirtioDeviceClass VirtioDeviceClass;
DECLARE_OBJ_CHECKERS(VirtIODevice, VirtioDeviceClass, VIRTIO_DEVICE,
                     TYPE_VIRTIO_DEVICE)

/*
 * A chain of descriptors in the device's hands. A model may put it first in a
 * bigger struct of its own. Segments are host memory, out_sg for the device to
 * read, in_sg to write; to be used only while memory_map_generation() is what it
 * was at virtqueue_pop(), as it is until the handler returns unless the handler
 * itself changes the map; or until the element is filled, if it was pinned.
 */
typedef struct VirtQueueElement {
    unsigned int index;                   /* head descriptor; packed: its id */
    unsigned int ndescs;                  /* descriptors it takes, if packed */
    unsigned int out_num;                 /* segments the device reads */
    unsigned int in_num;                  /* segments the device writes */
    hwaddr *in_addr;                      /* their DMA addresses */
    hwaddr *out_addr;
    struct iovec *in_sg;
    struct iovec *out_sg;
} VirtQueueElement;

/* Called after a kick; also once per queue after the VM was stopped, if there
 * was a kick meanwhile. */
typedef void (*VirtIOHandleOutput)(VirtIODevice *vdev, VirtQueue *vq);

struct VirtIODevice {
    DeviceState parent_obj;

    /* Bits offered. Properties: indirect_desc, event_idx, iommu_platform,
     * packed. */
    uint64_t host_features;

    /* What the driver sees and has said. */
    uint8_t status;                       /* VIRTIO_CONFIG_S_* */
    uint8_t isr;                          /* VIRTIO_ISR_* */
    uint16_t queue_sel;
    uint64_t guest_features;              /* acknowledged */
    uint8_t generation;                   /* of the configuration space */
    uint16_t config_vector;               /* VIRTIO_NO_VECTOR: none */

    const char *name;                     /* for messages */
    uint16_t device_id;                   /* VIRTIO_ID_* */
    size_t config_len;                    /* bytes of configuration space */
    uint8_t *config;                      /* as the driver last could see it,
                                             then as much scratch */

    VirtQueue **vq;
    unsigned int nvqs;
    AddressSpace *dma_as;                 /* where rings and buffers are */
    bool broken;                          /* by the driver, until its reset */
    char *broken_why;                     /* not said yet; or NULL */
    bool disabled;                        /* by the transport: no DMA now */
    bool vm_running;
    unsigned int errors;                  /* virtio_error() so far */
    struct VMChangeStateEntry *vmstate;
    struct QEMUBH *kick_bh;               /* what has to wait for the main loop */
    IOThread *iothread;                   /* NULL: none */
    AioContext *aio_context;              /* its; NULL: the main loop */
};

struct VirtioDeviceClass {
    DeviceClass parent_class;

    void (*realize)(DeviceState *dev, Error **errp);
    void (*unrealize)(DeviceState *dev);
    /* Adds the model's feature bits to @requested_features. */
    uint64_t (*get_features)(VirtIODevice *vdev, uint64_t requested_features,
                             Error **errp);
    /* The driver has settled (FEATURES_OK accepted). May be NULL. */
    void (*set_features)(VirtIODevice *vdev, uint64_t val);
    /* Nonzero refuses FEATURES_OK. May be NULL. */
    int (*validate_features)(VirtIODevice *vdev);
    /* Writes config_len bytes, fields little endian. */
    void (*get_config)(VirtIODevice *vdev, uint8_t *config);
    /* The driver wrote; @config is all of it. NULL: read only. */
    void (*set_config)(VirtIODevice *vdev, const uint8_t *config);
    /* The driver's reset (status 0), or the machine's; queues are reset by the
     * core. A model that must tell the two apart registers a reset handler
     * (qemu_register_reset()) for the machine's. */
    void (*reset)(VirtIODevice *vdev);
    /* Before vdev->status becomes @val. May be NULL. */
    void (*set_status)(VirtIODevice *vdev, uint8_t val);
    /* What virtio_device_may_run() says may have changed. For models of which
     * somebody else processes the queues, or that wait for it; may be NULL. */
    void (*run_changed)(VirtIODevice *vdev);
};

/* --- devices --- */

/* First in a model's realize. @name is not copied. */
void virtio_init(VirtIODevice *vdev, const char *name, uint16_t device_id,
                 size_t config_size);
/*
 * Next in it: from now on the device's kicks are for @iothread, if it is not
 * NULL. false: *errp; the transport cannot do that.
 */
bool virtio_use_iothread(VirtIODevice *vdev, IOThread *iothread, Error **errp);
/* Last in unrealize; all queues must be deleted. */
void virtio_cleanup(VirtIODevice *vdev);

static inline bool virtio_has_feature(uint64_t features, unsigned int fbit)
{
    g_assert(fbit < 64);
    return features & (1ULL << fbit);
}
static inline void virtio_add_feature(uint64_t *features, unsigned int fbit)
{
    g_assert(fbit < 64);
    *features |= 1ULL << fbit;
}
static inline void virtio_clear_feature(uint64_t *features, unsigned int fbit)
{
    g_assert(fbit < 64);
    *features &= ~(1ULL << fbit);
}
/* Whether the driver acknowledged it. */
static inline bool virtio_vdev_has_feature(const VirtIODevice *vdev,
                                           unsigned int fbit)
{
    return virtio_has_feature(vdev->guest_features, fbit);
}

/* The configuration space has changed: interrupts the driver once it is ready,
 * and changes the generation. */
void virtio_notify_config(VirtIODevice *vdev);
/*
 * The driver broke the rules: reports it, and breaks the device until it is
 * reset. Harmless if it is broken already.
 */
void virtio_error(VirtIODevice *vdev, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);

static inline bool virtio_device_ready(const VirtIODevice *vdev)
{
    return vdev->status & VIRTIO_CONFIG_S_DRIVER_OK;
}

/* Stops the device's I/O thread, if it has one, and lets it go on. Nests. */
static inline void virtio_pause(VirtIODevice *vdev)
{
    aio_context_pause(vdev->aio_context);
}
static inline void virtio_resume(VirtIODevice *vdev)
{
    aio_context_resume(vdev->aio_context);
}

/* Whether queues may be processed now: the driver is ready, the VM runs, and
 * neither the driver's faults nor the transport are against it. */
static inline bool virtio_device_may_run(const VirtIODevice *vdev)
{
    return virtio_device_ready(vdev) && vdev->vm_running && !vdev->disabled &&
           !vdev->broken;
}

/* --- for transports --- */

/*
 * The driver writes device_status (2.1): 0 resets; FEATURES_OK is refused (it
 * does not stick) if the features are not acceptable, DRIVER_OK without
 * FEATURES_OK likewise. What stuck is in vdev->status.
 */
void virtio_set_status(VirtIODevice *vdev, uint8_t val);
/* The driver acknowledges @val of the 32 features from bit @select * 32. */
void virtio_set_features_word(VirtIODevice *vdev, uint32_t select,
                              uint32_t val);
/* All is as after realize, but for what the model itself keeps. */
void virtio_reset(VirtIODevice *vdev);
/* Stops (or allows) all processing; kicks meanwhile are handled afterwards. */
void virtio_set_disabled(VirtIODevice *vdev, bool disable);

/* @size (1, 2, 4) bytes, little endian, at @addr of configuration space;
 * beyond its end: zeros, writes ignored. */
uint32_t virtio_config_read(VirtIODevice *vdev, uint32_t addr, unsigned size);
void virtio_config_write(VirtIODevice *vdev, uint32_t addr, uint32_t val,
                         unsigned size);
/* The generation, changed if the space was since it was last read. */
uint8_t virtio_config_generation(VirtIODevice *vdev);

/* --- queues: set-up --- */

/* At most @queue_size entries (power of two, <= VIRTQUEUE_MAX_SIZE). Kicks
 * call @handle_output. */
VirtQueue *virtio_add_queue(VirtIODevice *vdev, int queue_size,
                            VirtIOHandleOutput handle_output);
/* @vq is the last one added that is left. No element of it may be in the
 * device's hands. */
void virtio_delete_queue(VirtQueue *vq);

/*
 * Has the handler called again, where it was called, when others have had their
 * turn. For handlers that stop after so many elements: the ring may have more,
 * of which the driver will not tell again.
 */
void virtio_queue_kick_later(VirtQueue *vq);

/* NULL: no such queue. */
VirtQueue *virtio_get_queue(VirtIODevice *vdev, int n);
/* The @n of it. */
unsigned int virtio_get_queue_index(const VirtQueue *vq);

/* The driver's side of it (4.1.4.3), for transports; @n is checked. A change
 * while the queue is enabled, or an invalid size, is ignored. */
int virtio_queue_get_num(VirtIODevice *vdev, int n);
void virtio_queue_set_num(VirtIODevice *vdev, int n, unsigned int num);
void virtio_queue_set_rings(VirtIODevice *vdev, int n, hwaddr desc,
                            hwaddr avail, hwaddr used);
hwaddr virtio_queue_get_desc_addr(VirtIODevice *vdev, int n);
hwaddr virtio_queue_get_avail_addr(VirtIODevice *vdev, int n);
hwaddr virtio_queue_get_used_addr(VirtIODevice *vdev, int n);
void virtio_queue_enable(VirtIODevice *vdev, int n);
bool virtio_queue_enabled(VirtIODevice *vdev, int n);
uint16_t virtio_queue_vector(VirtIODevice *vdev, int n);
void virtio_queue_set_vector(VirtIODevice *vdev, int n, uint16_t vector);

/* The driver kicked queue @n: runs its handler, at once or when it may. */
void virtio_queue_notify(VirtIODevice *vdev, int n);
/* Handles a kick that an ioeventfd signalled. */
void virtio_queue_host_notifier_read(EventNotifier *n);

/* --- queues that somebody else processes (vhost) --- */

/*
 * From now on kicks of @vq, which is enabled, are the business of who polls
 * *kick_fd, an eventfd; no handler is called. What he writes to *call_fd, another
 * one, interrupts the driver; it does once already. Both stay the queue's. 0, or
 * -errno: there are no descriptors left. Undone before the device must not run any
 * more; a kick that nobody has taken by then is not lost.
 */
int virtio_queue_delegate(VirtQueue *vq, int *kick_fd, int *call_fd);
void virtio_queue_undelegate(VirtQueue *vq);
/* The next entry of the available ring to be processed. */
uint16_t virtio_queue_get_last_avail_idx(VirtIODevice *vdev, int n);
void virtio_queue_set_last_avail_idx(VirtIODevice *vdev, int n, uint16_t idx);
/* The index in the used ring; false: the ring is not in RAM. */
bool virtio_queue_read_used_idx(VirtIODevice *vdev, int n, uint16_t *idx);
/*
 * Who processed the queue has gone without a word: makes what was available
 * and is not used the next to be processed. false: it cannot be told, because
 * requests were completed in another order than they came, or the rings are
 * gone.
 */
bool virtio_queue_restore_last_avail_idx(VirtIODevice *vdev, int n);

/* --- queues: the request path; allocates nothing for chains of up to 32
 *     segments --- */

/*
 * The next available chain, as a struct of @sz bytes that begins with a
 * VirtQueueElement, the rest undefined; NULL if there is none or the device
 * broke. To be filled or detached, and then freed by virtqueue_free_element().
 */
void *virtqueue_pop(VirtQueue *vq, size_t sz);
void virtqueue_free_element(VirtQueue *vq, void *elem);
/* For who uses the segments after the handler has returned: pins them (see
 * exec/memory-pin.h) until the element is filled or detached. At once after the
 * pop. */
void virtqueue_pin_element(VirtQueue *vq, const VirtQueueElement *elem);
/* Gives back an element unused: publishes nothing. */
void virtqueue_detach_element(VirtQueue *vq, VirtQueueElement *elem,
                              unsigned int len);
/* The same, and the next pop takes it again. @elem is the last one popped. */
void virtqueue_unpop(VirtQueue *vq, VirtQueueElement *elem, unsigned int len);
/* Puts @elem, of which the device wrote the first @len bytes of in_sg, into the
 * @idx'th used entry not yet published. */
void virtqueue_fill(VirtQueue *vq, const VirtQueueElement *elem,
                    unsigned int len, unsigned int idx);
/* Publishes @count filled entries at once. */
void virtqueue_flush(VirtQueue *vq, unsigned int count);
/* Interrupts the driver if it wants to hear of what was flushed since. */
void virtio_notify(VirtIODevice *vdev, VirtQueue *vq);

#endif
