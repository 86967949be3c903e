/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices whose queues somebody else processes: see vhost.h. Used by
 * vhost-user devices and those of the kernel.
 *
 * The rings tell where a queue is; a back end that stops in order tells it, too.
 * Whoever starts after a stop is kicked and makes the guest look at once, so
 * that nothing that was said in between is lost.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "exec/address-spaces.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "vhost.h"
#include "virtqueue-internal.h"

/* Between two looks at a queue that is to come to rest. */
#define DRAIN_NAP_MS 1

static bool is_connected(const struct vhost_dev *dev)
{
    return dev->vhost_ops->vhost_connected(dev);
}

/* Of the device's queues, the one that is @n to the back end. */
static unsigned queue_of(const struct vhost_dev *dev, unsigned n)
{
    return dev->vq_index + n;
}

uint64_t vhost_get_features(const struct vhost_dev *dev,
                            const int *feature_bits, uint64_t features)
{
    for (; *feature_bits != VHOST_INVALID_FEATURE_BIT; feature_bits++) {
        if (!virtio_has_feature(dev->features, *feature_bits)) {
            virtio_clear_feature(&features, *feature_bits);
        }
    }
    return features;
}

/* --- where the rings are --- */

typedef struct Ring {
    hwaddr gpa;
    uint64_t size;
} Ring;

enum { RING_DESC, RING_AVAIL, RING_USED, NR_RINGS };

/* VIRTIO 1.2, 2.7; each of the latter two with its event index. */
static void find_rings(VirtIODevice *vdev, unsigned n, Ring *rings)
{
    uint64_t num = virtio_queue_get_num(vdev, n);

    rings[RING_DESC] = (Ring) { virtio_queue_get_desc_addr(vdev, n),
                                num * sizeof(struct vring_desc) };
    rings[RING_AVAIL] = (Ring) { virtio_queue_get_avail_addr(vdev, n),
                                 sizeof(struct vring_avail) +
                                 (num + 1) * sizeof(uint16_t) };
    rings[RING_USED] = (Ring) { virtio_queue_get_used_addr(vdev, n),
                                sizeof(struct vring_used) +
                                num * sizeof(struct vring_used_elem) +
                                sizeof(uint16_t) };
}

/* A back end may look no further than the region that a ring begins in. false:
 * the driver has put them where there is no memory, and the device broke. */
static bool locate_rings(struct vhost_dev *dev, unsigned n)
{
    VhostRingAddr *addr = &dev->vqs[n].addr;
    uint64_t *const where[NR_RINGS] = { &addr->desc, &addr->avail,
                                        &addr->used };
    Ring rings[NR_RINGS];

    find_rings(dev->vdev, queue_of(dev, n), rings);
    for (unsigned i = 0; i < NR_RINGS; i++) {
        const VhostRegion *r = vhost_memory_find(&dev->memory, rings[i].gpa,
                                                 rings[i].size);

        if (!r) {
            virtio_error(dev->vdev, "queue %u: a ring at 0x%" PRIx64 " is not "
                         "in memory that the back end has", queue_of(dev, n),
                         rings[i].gpa);
            return false;
        }
        *where[i] = dev->vhost_ops->vhost_ring_addr(r, rings[i].gpa);
    }
    return true;
}

/* Whether @set has all of the rings of queue @n. */
static bool has_rings(const GArray *set, VirtIODevice *vdev, unsigned n)
{
    Ring rings[NR_RINGS];
    bool has = true;

    find_rings(vdev, n, rings);
    for (const Ring *r = rings; r < rings + NR_RINGS; r++) {
        has = has && vhost_regions_within(set, r->gpa, r->size,
                                          NULL) == r->size;
    }
    return has;
}

/* The same for all queues that run. */
static bool rings_are_in(struct vhost_dev *dev, const GArray *set)
{
    unsigned n = 0;

    while (n < dev->nvqs &&
           (!dev->vqs[n].started ||
            has_rings(set, dev->vdev, queue_of(dev, n)))) {
        n++;
    }
    return n == dev->nvqs;
}

/* --- one queue --- */

/* Takes the queue back; where it is has been settled, or is in the rings. */
static void release_queue(struct vhost_virtqueue *vq)
{
    vq->started = false;
    virtio_queue_undelegate(virtio_get_queue(vq->dev->vdev,
                                             queue_of(vq->dev, vq->index)));
}

/* Interrupts and kicks have their descriptors. false: *errp, and none has. */
static bool acquire_queue(struct vhost_virtqueue *vq, int *kick_fd,
                          int *call_fd, Error **errp)
{
    VirtQueue *queue = virtio_get_queue(vq->dev->vdev,
                                        queue_of(vq->dev, vq->index));
    int ret = virtio_queue_delegate(queue, kick_fd, call_fd);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot make an eventfd");
        return false;
    }
    vq->started = true;
    return true;
}

static bool start_queue(struct vhost_virtqueue *vq, Error **errp)
{
    struct vhost_dev *dev = vq->dev;
    const VhostOps *ops = dev->vhost_ops;
    VirtIODevice *vdev = dev->vdev;
    unsigned n = vq->index, queue = queue_of(dev, n);
    int kick_fd, call_fd;

    return ops->vhost_set_vring_num(dev, n, virtio_queue_get_num(vdev, queue),
                                    errp) &&
           ops->vhost_set_vring_base(
               dev, n, virtio_queue_get_last_avail_idx(vdev, queue), errp) &&
           ops->vhost_set_vring_addr(dev, n, &vq->addr, errp) &&
           acquire_queue(vq, &kick_fd, &call_fd, errp) &&
           ops->vhost_set_vring_call(dev, n, call_fd, errp) &&
           ops->vhost_set_vring_kick(dev, n, kick_fd, errp);
}

/*
 * Waits until the back end, which takes no more requests, has completed those
 * before @base: until then it uses their memory. false: *errp.
 */
static bool drain_queue(struct vhost_virtqueue *vq, uint16_t base,
                        Error **errp)
{
    struct vhost_dev *dev = vq->dev;
    int64_t deadline = dev->vhost_ops->vhost_deadline(dev);
    uint16_t used;

    while (virtio_queue_read_used_idx(dev->vdev, queue_of(dev, vq->index),
                                      &used) &&
           used != base) {
        if (g_get_monotonic_time() >= deadline) {
            error_setg(errp, "it has been told to stop, and %u requests of "
                       "queue %u are still not completed",
                       (uint16_t)(base - used), vq->index);
            return false;
        }
        qemu_poll_ms(NULL, 0, DRAIN_NAP_MS);
    }
    return true;
}

static bool stop_queue(struct vhost_virtqueue *vq, Error **errp)
{
    struct vhost_dev *dev = vq->dev;
    uint16_t base;

    if (!dev->vhost_ops->vhost_get_vring_base(dev, vq->index, &base, errp) ||
        !drain_queue(vq, base, errp)) {
        return false;
    }
    virtio_queue_set_last_avail_idx(dev->vdev, queue_of(dev, vq->index), base);
    return true;
}

/* --- all of them --- */

/* Whatever the back end does now, it does not do for us. */
static void abandon_queues(struct vhost_dev *dev)
{
    for (unsigned n = 0; n < dev->nvqs; n++) {
        if (dev->vqs[n].started) {
            release_queue(&dev->vqs[n]);
        }
    }
    dev->started = false;
    dev->lost = true;
}

static void vhost_dev_stop(struct vhost_dev *dev)
{
    Error *err = NULL;
    bool ok = true;

    for (unsigned n = 0; n < dev->nvqs; n++) {
        if (dev->vqs[n].started) {
            ok = ok && stop_queue(&dev->vqs[n], &err);
        }
    }
    abandon_queues(dev);
    dev->lost = !ok;
    if (!ok) {
        dev->vhost_ops->vhost_disconnect(dev, err);
    }
}

/* Where the last back end stopped amid its work. false: it cannot be told. */
static bool find_place(struct vhost_dev *dev, unsigned n)
{
    VirtIODevice *vdev = dev->vdev;
    unsigned queue = queue_of(dev, n);
    uint16_t used;

    if (!dev->vhost_ops->vhost_has_inflight(dev)) {
        return virtio_queue_restore_last_avail_idx(vdev, queue);
    }
    if (!virtio_queue_read_used_idx(vdev, queue, &used)) {
        return false;
    }
    virtio_queue_set_last_avail_idx(vdev, queue, used);
    return true;
}

/* false: the device broke. */
static bool prepare_queue(struct vhost_dev *dev, unsigned n)
{
    if (dev->lost && !find_place(dev, n)) {
        virtio_error(dev->vdev, "queue %u: the back end went amid requests that "
                     "it had not completed in their order", queue_of(dev, n));
        return false;
    }
    return locate_rings(dev, n);
}

static bool prepare_queues(struct vhost_dev *dev)
{
    for (unsigned n = 0; n < dev->nvqs_run; n++) {
        if (virtio_queue_enabled(dev->vdev, queue_of(dev, n)) &&
            !prepare_queue(dev, n)) {
            return false;
        }
    }
    return true;
}

/* Tells it of those from @from on which are to be processed. */
static bool enable_queues(struct vhost_dev *dev, unsigned from, Error **errp)
{
    for (unsigned n = from; n < dev->nvqs; n++) {
        if (dev->vqs[n].started &&
            !dev->vhost_ops->vhost_set_vring_enable(
                dev, n, n < dev->nvqs_enabled, errp)) {
            return false;
        }
    }
    return true;
}

static bool start_queues(struct vhost_dev *dev, Error **errp)
{
    for (unsigned n = 0; n < dev->nvqs_run; n++) {
        if (virtio_queue_enabled(dev->vdev, queue_of(dev, n)) &&
            !start_queue(&dev->vqs[n], errp)) {
            return false;
        }
    }
    return enable_queues(dev, 0, errp);
}

/* Translation is done here, or not at all: a back end is not to ask for it. */
static uint64_t features_for(const struct vhost_dev *dev)
{
    return (dev->vdev->guest_features & dev->features &
            ~(1ULL << VIRTIO_F_ACCESS_PLATFORM)) | dev->own_features;
}

static void vhost_dev_start(struct vhost_dev *dev)
{
    const VhostOps *ops = dev->vhost_ops;
    Error *err = NULL;

    if (!prepare_queues(dev)) {
        return;
    }
    dev->acked_features = features_for(dev);
    if (!ops->vhost_set_features(dev, dev->acked_features, &err) ||
        (ops->vhost_set_inflight && !ops->vhost_set_inflight(dev, &err)) ||
        !start_queues(dev, &err)) {
        abandon_queues(dev);
        ops->vhost_disconnect(dev, err);
        return;
    }
    dev->started = true;
    dev->lost = false;
    for (unsigned n = 0; n < dev->nvqs; n++) {
        if (dev->vqs[n].started) {
            virtio_queue_notify(dev->vdev, queue_of(dev, n));
        }
    }
}

void vhost_dev_run_changed(struct vhost_dev *dev)
{
    bool run = virtio_device_may_run(dev->vdev) && is_connected(dev) &&
               dev->memory.following && !dev->held;

    if (!dev->changing && run != dev->started) {
        dev->changing = true;
        dev->vhost_ops->vhost_begin(dev);
        if (run) {
            vhost_dev_start(dev);
        } else {
            vhost_dev_stop(dev);
        }
        dev->vhost_ops->vhost_end(dev);
        dev->changing = false;
    }
    /* The driver's reset forgets where the queues were. */
    dev->lost = dev->lost && virtio_device_ready(dev->vdev);
}

void vhost_dev_enable_queues(struct vhost_dev *dev, unsigned n)
{
    unsigned from = MIN(n, dev->nvqs_enabled);
    bool same = n == dev->nvqs_enabled;
    Error *err = NULL;

    dev->nvqs_enabled = n;
    if (same || !dev->started) {
        return;
    }
    dev->vhost_ops->vhost_begin(dev);
    if (!enable_queues(dev, from, &err)) {
        abandon_queues(dev);
        dev->vhost_ops->vhost_disconnect(dev, err);
    }
    dev->vhost_ops->vhost_end(dev);
}

/* --- guest memory --- */

static struct vhost_dev *dev_of(VhostMemory *m)
{
    return container_of(m, struct vhost_dev, memory);
}

static bool vhost_accepts(VhostMemory *m, RAMBlock *block, Error **errp)
{
    struct vhost_dev *dev = dev_of(m);

    return !dev->vhost_ops->vhost_accepts ||
           dev->vhost_ops->vhost_accepts(dev, block, errp);
}

/* Queues stand still from here until the table is settled. */
static void pause_queues(struct vhost_dev *dev)
{
    if (dev->started && !dev->changing) {
        dev->changing = true;
        vhost_dev_stop(dev);
        dev->changing = false;
    }
}

static bool vhost_change_table(VhostMemory *m, const VhostTableChange *change,
                               Error **errp)
{
    struct vhost_dev *dev = dev_of(m);
    const VhostOps *ops = dev->vhost_ops;
    Error *err = NULL;
    bool ok;

    ops->vhost_begin(dev);
    if (!is_connected(dev)) {
        return true;
    }
    if (!rings_are_in(dev, change->wanted)) {
        virtio_error(dev->vdev, "its rings are in memory that has been given "
                     "back");
        pause_queues(dev);
    } else if (ops->vhost_table_stops(dev, change)) {
        pause_queues(dev);
    }
    ok = ops->vhost_set_mem_table(dev, change, &err);
    if (!ok && is_connected(dev)) {
        error_propagate(errp, err);
        return false;
    }
    if (!ok) {
        error_free(err);
    }
    return true;
}

static void vhost_table_settled(VhostMemory *m)
{
    struct vhost_dev *dev = dev_of(m);

    vhost_dev_run_changed(dev);
    dev->vhost_ops->vhost_end(dev);
}

static void vhost_cut_off(VhostMemory *m, Error *err)
{
    struct vhost_dev *dev = dev_of(m);

    dev->vhost_ops->vhost_disconnect(dev, err);
}

static const VhostMemoryOps memory_ops = {
    .accepts = vhost_accepts,
    .change_table = vhost_change_table,
    .table_settled = vhost_table_settled,
    .cut_off = vhost_cut_off,
};

/* --- life --- */

bool vhost_dev_init(struct vhost_dev *dev, VirtIODevice *vdev, unsigned nvqs,
                    guint slots, bool whole, Error **errp)
{
    if (virtio_has_feature(vdev->host_features, VIRTIO_F_RING_PACKED)) {
        error_setg(errp, "packed=on is not possible: a back end is given split "
                   "queues only; leave it out or say off");
        return false;
    }
    dev->vdev = vdev;
    dev->nvqs = dev->nvqs_run = dev->nvqs_enabled = nvqs;
    dev->vqs = g_new0(struct vhost_virtqueue, nvqs);
    for (unsigned n = 0; n < nvqs; n++) {
        dev->vqs[n].dev = dev;
        dev->vqs[n].index = n;
    }
    if (!vhost_memory_init(&dev->memory, &memory_ops, vdev->name,
                           dev->vhost_ops->name, &address_space_memory, slots,
                           whole, errp)) {
        g_clear_pointer(&dev->vqs, g_free);
        return false;
    }
    dev->memory.ids[0] = qdev_get_parent_bus(DEVICE(vdev))->parent->id;
    return true;
}

void vhost_dev_cleanup(struct vhost_dev *dev)
{
    g_assert(!dev->started);
    vhost_memory_destroy(&dev->memory);
    g_clear_pointer(&dev->vqs, g_free);
}

void vhost_dev_lost(struct vhost_dev *dev)
{
    if (dev->started) {
        abandon_queues(dev);
    }
    vhost_memory_lost(&dev->memory);
}

bool vhost_dev_found(struct vhost_dev *dev, guint slots, bool whole,
                     Error **errp)
{
    if (virtio_device_ready(dev->vdev) &&
        (dev->vdev->guest_features & ~dev->features & dev->acked_features)) {
        error_setg(errp, "it lacks features that the guest uses (0x%" PRIx64
                   ")", dev->acked_features & ~dev->features);
        return false;
    }
    if (!vhost_memory_replay(&dev->memory, slots, whole, errp)) {
        return false;
    }
    vhost_dev_run_changed(dev);
    return true;
}
