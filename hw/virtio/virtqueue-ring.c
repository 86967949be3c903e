/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request path of virtqueues: popping descriptor chains, publishing used
 * entries, suppressing notifications; here for split rings (VIRTIO 1.2, 2.7),
 * in virtqueue-packed.c for packed ones. Elements, and where buffers are, are
 * virtqueue-element.c's.
 *
 * The rings are shared with a driver that runs at the same time and may write
 * anything at any moment. Hence each field is fetched once and checked after;
 * every walk is bounded; whatever is wrong ends in virtio_error(), never in a
 * wild access or an endless loop.
 */
#include "qemu/osdep.h"

#include "virtqueue-internal.h"

/* --- the rings as host memory --- */

void *virtqueue_ring_host(VirtQueue *vq, hwaddr addr, hwaddr size,
                          bool is_write)
{
    const MemoryRun *run = virtqueue_run(vq, addr, size);

    if (!run || !memory_run_holds(run, addr, size) ||
        (is_write && run->readonly)) {
        return NULL;
    }
    return run->host + (addr - run->first);
}

static bool split_map(VirtQueue *vq)
{
    vq->desc_ring = virtqueue_ring_host(
        vq, vq->desc, vq->num * sizeof(struct vring_desc), false);
    /* Each ring is followed by the 16-bit event index. */
    vq->avail_ring = virtqueue_ring_host(
        vq, vq->avail, sizeof(struct vring_avail) +
        (vq->num + 1) * sizeof(uint16_t), false);
    vq->used_ring = virtqueue_ring_host(
        vq, vq->used, sizeof(struct vring_used) +
        vq->num * sizeof(struct vring_used_elem) + sizeof(uint16_t), true);
    return vq->desc_ring && vq->avail_ring && vq->used_ring;
}

bool virtqueue_map_rings(VirtQueue *vq)
{
    virtqueue_forget_runs(vq);
    if (!vq->packed && !is_power_of_2(vq->num)) {
        virtio_error(vq->vdev, "queue %u: a split ring of %u entries, which "
                     "is no power of two", vq->index, vq->num);
        return false;
    }
    if (!(vq->packed ? packed_map(vq) : split_map(vq))) {
        vq->map_generation = 0;
        virtio_error(vq->vdev, "queue %u: rings at 0x%" PRIx64 ", 0x%" PRIx64
                     ", 0x%" PRIx64 " are not in RAM", vq->index, vq->desc,
                     vq->avail, vq->used);
        return false;
    }
    vq->map_generation = memory_map_generation();
    return true;
}

/* Whether the rings may be looked at; from then on map_generation is the
 * current one. */
static inline bool virtqueue_ready(VirtQueue *vq)
{
    return virtqueue_is_live(vq) &&
           (G_LIKELY(vq->map_generation == memory_map_generation()) ||
            virtqueue_map_rings(vq));
}

/* Kick when the entry @idx becomes available (2.7.10). */
static void set_avail_event(VirtQueue *vq, uint16_t idx)
{
    virtqueue_store16((uint16_t *)&vq->used_ring->ring[vq->num], idx);
}

static uint16_t get_used_event(const VirtQueue *vq)
{
    return virtqueue_load16(&vq->avail_ring->ring[vq->num]);
}

/* --- what is available --- */

/*
 * How many entries can be popped. Looks into the ring when all that was seen
 * is popped; before that, asks for a kick for the next entry, so that one
 * which comes after the look is announced.
 */
static uint16_t virtqueue_num_heads(VirtQueue *vq)
{
    uint16_t heads = vq->shadow_avail_idx - vq->last_avail_idx;

    if (heads) {
        return heads;
    }
    if (virtqueue_has_event_idx(vq)) {
        set_avail_event(vq, vq->last_avail_idx);
    }
    virtqueue_full_barrier();
    vq->shadow_avail_idx = virtqueue_load16(&vq->avail_ring->idx);
    /* The entries were written before the index. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return vq->shadow_avail_idx - vq->last_avail_idx;
}

/* --- descriptor chains --- */

/* The queue's descriptors, or an indirect table. */
typedef struct DescTable {
    const uint8_t *base;
    uint32_t num;
    bool indirect;
} DescTable;

/* A copy that does not change any more, in host byte order. */
static struct vring_desc fetch_desc(const DescTable *t, uint32_t i)
{
    struct vring_desc d;

    memcpy(&d, t->base + i * sizeof(d), sizeof(d));
    /* Without this the compiler may read memory again instead of the copy. */
    __asm__ volatile("" : "+m"(d) : : "memory");
    d.addr = GUINT64_FROM_LE(d.addr);
    d.len = GUINT32_FROM_LE(d.len);
    d.flags = GUINT16_FROM_LE(d.flags);
    d.next = GUINT16_FROM_LE(d.next);
    return d;
}

const void *virtqueue_indirect_table(VirtQueue *vq, hwaddr addr, uint32_t len,
                                     bool next)
{
    const char *wrong = NULL;
    const void *table = NULL;

    if (!virtio_vdev_has_feature(vq->vdev, VIRTIO_RING_F_INDIRECT_DESC)) {
        wrong = "indirect descriptors, which were not negotiated";
    } else if (next) {
        wrong = "an indirect table that is not the last of its chain";
    } else if (!len || len % sizeof(struct vring_desc) ||
               len / sizeof(struct vring_desc) > VIRTQUEUE_MAX_SIZE) {
        wrong = "an indirect table of an impossible size";
    } else if (addr + len < addr) {
        wrong = "an indirect table beyond the end of memory";
    } else {
        table = virtqueue_ring_host(vq, addr, len, false);
        wrong = table ? NULL : "an indirect table that is not in RAM";
    }
    if (wrong) {
        virtio_error(vq->vdev, "queue %u: %s", vq->index, wrong);
    }
    return table;
}

/* Goes on in the table that @d points to (2.7.5.3). */
static bool table_enter(VirtQueue *vq, DescTable *t, const struct vring_desc *d)
{
    if (t->indirect) {
        virtio_error(vq->vdev, "queue %u: an indirect table in an indirect "
                     "table", vq->index);
        return false;
    }
    t->base = virtqueue_indirect_table(vq, d->addr, d->len,
                                       d->flags & VRING_DESC_F_NEXT);
    t->num = d->len / sizeof(struct vring_desc);
    t->indirect = true;
    return t->base != NULL;
}

static bool read_chain(VirtQueue *vq, VirtQueueReader *r, uint32_t head)
{
    DescTable t = { .base = (const uint8_t *)vq->desc_ring, .num = vq->num };
    uint32_t i = head;

    for (uint32_t seen = 0; ; ) {
        struct vring_desc d;

        if (i >= t.num || seen++ == t.num) {
            virtio_error(vq->vdev, "queue %u: descriptor %u of %u, %s",
                         vq->index, i, t.num,
                         i >= t.num ? "which is none" : "a loop");
            return false;
        }
        d = fetch_desc(&t, i);
        if (d.flags & VRING_DESC_F_INDIRECT) {
            if (!table_enter(vq, &t, &d)) {
                return false;
            }
            seen = 0;
            i = 0;
            continue;
        }
        if (!virtqueue_element_add(r, d.addr, d.len,
                                   d.flags & VRING_DESC_F_WRITE)) {
            return false;
        }
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            return true;
        }
        i = d.next;
    }
}

/* --- elements --- */

void *virtqueue_pop(VirtQueue *vq, size_t sz)
{
    VirtQueueReader r;
    uint16_t heads, head;

    g_assert(sz >= sizeof(VirtQueueElement));
    if (!virtqueue_ready(vq)) {
        return NULL;
    }
    if (vq->packed) {
        return packed_pop(vq, sz);
    }
    heads = virtqueue_num_heads(vq);
    if (!heads) {
        return NULL;
    }
    if (heads > vq->num || vq->inuse >= vq->num) {
        virtio_error(vq->vdev, "queue %u: more available (%u) and in use (%u) "
                     "than the queue has", vq->index, heads, vq->inuse);
        return NULL;
    }
    head = virtqueue_load16(&vq->avail_ring->ring[vq->last_avail_idx & (vq->num - 1)]);
    virtqueue_element_begin(&r, vq, sz);
    if (!read_chain(vq, &r, head)) {
        virtqueue_element_abandon(&r);
        return NULL;
    }
    vq->last_avail_idx++;
    vq->inuse++;
    return virtqueue_element_end(&r, head);
}

/* The device's hands are empty of @count more; a reset may have come before. */
static void virtqueue_dec_inuse(VirtQueue *vq, unsigned int count)
{
    vq->inuse -= MIN(count, vq->inuse);
}

void virtqueue_detach_element(VirtQueue *vq, VirtQueueElement *elem,
                              unsigned int len)
{
    virtqueue_unpin_element(elem);
    virtqueue_dec_inuse(vq, 1);
}

void virtqueue_unpop(VirtQueue *vq, VirtQueueElement *elem, unsigned int len)
{
    if (vq->packed) {
        packed_unpop(vq, elem);
    } else {
        vq->last_avail_idx--;
    }
    virtqueue_detach_element(vq, elem, len);
}

/* --- what is used --- */

void virtqueue_fill(VirtQueue *vq, const VirtQueueElement *elem,
                    unsigned int len, unsigned int idx)
{
    struct vring_used_elem *entry;

    virtqueue_unpin_element(elem);
    if (!virtqueue_ready(vq)) {
        return;
    }
    if (vq->packed) {
        packed_fill(vq, elem, len, idx);
        return;
    }
    entry = &vq->used_ring->ring[(uint16_t)(vq->used_idx + idx) &
                                 (vq->num - 1)];
    entry->id = GUINT32_TO_LE(elem->index);
    entry->len = GUINT32_TO_LE(len);
}

void virtqueue_flush(VirtQueue *vq, unsigned int count)
{
    uint16_t old = vq->used_idx;

    virtqueue_dec_inuse(vq, count);
    if (!virtqueue_ready(vq)) {
        return;
    }
    if (vq->packed) {
        packed_flush(vq);
        return;
    }
    vq->used_idx = old + count;
    /* The driver sees the entries no later than the index. */
    __atomic_store_n(&vq->used_ring->idx, GUINT16_TO_LE(vq->used_idx),
                     __ATOMIC_RELEASE);
    /* If the index went all the way round past the last notification, its
     * event index can no longer be told from one to come. */
    if ((uint16_t)(vq->used_idx - vq->signalled_used) < count) {
        vq->signalled_used_valid = false;
    }
}

/* Whether the driver wants an interrupt for what was published (2.7.7.2). */
static bool split_should_notify(VirtQueue *vq)
{
    uint16_t old = vq->signalled_used;
    bool valid = vq->signalled_used_valid;

    virtqueue_full_barrier();
    if (!virtqueue_has_event_idx(vq)) {
        return !(virtqueue_load16(&vq->avail_ring->flags) & VRING_AVAIL_F_NO_INTERRUPT);
    }
    vq->signalled_used = vq->used_idx;
    vq->signalled_used_valid = true;
    return !valid || vring_need_event(get_used_event(vq), vq->used_idx, old);
}

void virtio_notify(VirtIODevice *vdev, VirtQueue *vq)
{
    if (virtqueue_ready(vq) && (vq->packed ? packed_should_notify(vq)
                                           : split_should_notify(vq))) {
        virtqueue_interrupt(vq);
    }
}
