/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request path of packed virtqueues (VIRTIO 1.2, 2.8): one ring, in which
 * the driver makes descriptors available and the device overwrites them as
 * used. virtqueue-ring.c calls it for queues of this layout; elements are
 * virtqueue-element.c's.
 *
 * A descriptor is available, or used, by two bits beside a counter that flips
 * each time round. As in split rings the driver may write anything at any
 * moment: each descriptor is copied once and checked after, a chain is no
 * longer than the ring, and positions never come from guest memory.
 */
#include "qemu/osdep.h"

#include "virtqueue-internal.h"

#define DESC_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define DESC_USED (1U << VRING_PACKED_DESC_F_USED)
/* Of the flags of an event; the rest is reserved. */
#define EVENT_FLAGS 3
#define EVENT_WRAP (1U << VRING_PACKED_EVENT_F_WRAP_CTR)

/* --- positions --- */

/* @count <= num descriptors further. */
static PackedPosition position_after(const VirtQueue *vq, PackedPosition p,
                                     unsigned int count)
{
    unsigned int idx = p.idx + count;

    if (idx >= vq->num) {
        idx -= vq->num;
        p.wrap = !p.wrap;
    }
    p.idx = idx;
    return p;
}

static PackedPosition position_before(const VirtQueue *vq, PackedPosition p,
                                      unsigned int count)
{
    if (p.idx < count) {
        p.idx += vq->num;
        p.wrap = !p.wrap;
    }
    p.idx -= count;
    return p;
}

bool packed_map(VirtQueue *vq)
{
    vq->packed_ring = virtqueue_ring_host(
        vq, vq->desc, vq->num * sizeof(struct vring_packed_desc), true);
    vq->driver_event = virtqueue_ring_host(
        vq, vq->avail, sizeof(struct vring_packed_desc_event), false);
    vq->device_event = virtqueue_ring_host(
        vq, vq->used, sizeof(struct vring_packed_desc_event), true);
    return vq->packed_ring && vq->driver_event && vq->device_event;
}

/* --- what is available --- */

/* Whether the descriptor at @p is the driver's gift: its bits differ, and
 * AVAIL is the counter. */
static bool is_available(const VirtQueue *vq, PackedPosition p)
{
    uint16_t flags = virtqueue_load16(&vq->packed_ring[p.idx].flags);

    return !!(flags & DESC_AVAIL) == p.wrap && !!(flags & DESC_USED) != p.wrap;
}

/* Asks for a kick for the next descriptor (2.8.10); without event indexes the
 * driver's zeros ask for all. */
static void ask_for_kick(VirtQueue *vq)
{
    if (virtqueue_has_event_idx(vq)) {
        virtqueue_store16(&vq->device_event->off_wrap, vq->packed_avail.idx |
                          (vq->packed_avail.wrap ? EVENT_WRAP : 0));
        /* What is compared is there before it counts. */
        __atomic_thread_fence(__ATOMIC_RELEASE);
        virtqueue_store16(&vq->device_event->flags,
                          VRING_PACKED_EVENT_FLAG_DESC);
    }
}

/* Whether there is something to pop. One that comes after the last look is
 * announced. */
static bool has_available(VirtQueue *vq)
{
    if (!is_available(vq, vq->packed_avail)) {
        ask_for_kick(vq);
        virtqueue_full_barrier();
        if (!is_available(vq, vq->packed_avail)) {
            return false;
        }
    }
    /* The driver wrote the first descriptor's flags last. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return true;
}

/* --- chains --- */

/* A copy that does not change any more, in host byte order. */
static struct vring_packed_desc fetch_desc(const struct vring_packed_desc *p)
{
    struct vring_packed_desc d;

    memcpy(&d, p, sizeof(d));
    /* Without this the compiler may read memory again instead of the copy. */
    __asm__ volatile("" : "+m"(d) : : "memory");
    d.addr = GUINT64_FROM_LE(d.addr);
    d.len = GUINT32_FROM_LE(d.len);
    d.id = GUINT16_FROM_LE(d.id);
    d.flags = GUINT16_FROM_LE(d.flags);
    return d;
}

/* All entries of the table that @d points to, in their order; of their flags
 * only WRITE means anything (2.8.7). */
static bool read_table(VirtQueue *vq, VirtQueueReader *r,
                       const struct vring_packed_desc *d)
{
    const struct vring_packed_desc *table =
        virtqueue_indirect_table(vq, d->addr, d->len,
                                 d->flags & VRING_DESC_F_NEXT);

    for (uint32_t i = 0; table && i < d->len / sizeof(*table); i++) {
        struct vring_packed_desc entry = fetch_desc(&table[i]);

        if (!virtqueue_element_add(r, entry.addr, entry.len,
                                   entry.flags & VRING_DESC_F_WRITE)) {
            return false;
        }
    }
    return table != NULL;
}

/* Reads the chain that begins at packed_avail; *id is its buffer id, which the
 * last descriptor has. The number of its descriptors, 0: it is none. */
static unsigned int read_chain(VirtQueue *vq, VirtQueueReader *r, uint16_t *id)
{
    for (unsigned int n = 0; n < vq->num; n++) {
        PackedPosition p = position_after(vq, vq->packed_avail, n);
        struct vring_packed_desc d = fetch_desc(&vq->packed_ring[p.idx]);
        bool ok = d.flags & VRING_DESC_F_INDIRECT
            ? read_table(vq, r, &d)
            : virtqueue_element_add(r, d.addr, d.len,
                                    d.flags & VRING_DESC_F_WRITE);

        if (!ok) {
            return 0;
        }
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            *id = d.id;
            return n + 1;
        }
    }
    virtio_error(vq->vdev, "queue %u: a chain without an end", vq->index);
    return 0;
}

void *packed_pop(VirtQueue *vq, size_t sz)
{
    VirtQueueElement *elem;
    VirtQueueReader r;
    unsigned int ndescs;
    uint16_t id = 0;

    if (!has_available(vq)) {
        return NULL;
    }
    if (vq->inuse >= vq->num) {
        virtio_error(vq->vdev, "queue %u: more available while %u are in use "
                     "than the queue has", vq->index, vq->inuse);
        return NULL;
    }
    virtqueue_element_begin(&r, vq, sz);
    ndescs = read_chain(vq, &r, &id);
    if (!ndescs) {
        virtqueue_element_abandon(&r);
        return NULL;
    }
    vq->packed_avail = position_after(vq, vq->packed_avail, ndescs);
    vq->inuse++;
    elem = virtqueue_element_end(&r, id);
    elem->ndescs = ndescs;
    return elem;
}

void packed_unpop(VirtQueue *vq, const VirtQueueElement *elem)
{
    /* A reset, and a smaller queue, may have come in between. */
    if (elem->ndescs <= vq->num) {
        vq->packed_avail = position_before(vq, vq->packed_avail, elem->ndescs);
    }
}

/* --- what is used --- */

/* AVAIL and USED as the driver finds them in a descriptor used at @p. */
static uint16_t used_flags(PackedPosition p, unsigned int len)
{
    return (p.wrap ? DESC_AVAIL | DESC_USED : 0) |
           (len ? VRING_DESC_F_WRITE : 0);
}

/*
 * The driver looks at one descriptor after the other. So all but the first of
 * those that are published at once can be written as used right away, and the
 * first one's flags, by packed_flush(), show them all.
 */
void packed_fill(VirtQueue *vq, const VirtQueueElement *elem, unsigned int len,
                 unsigned int idx)
{
    PackedPosition p = idx ? vq->packed_filled : vq->packed_used;
    struct vring_packed_desc *d = &vq->packed_ring[p.idx];

    /* A reset in between: nobody waits for it any more. */
    if (idx != vq->nr_filled || elem->ndescs > vq->num) {
        return;
    }
    d->id = GUINT16_TO_LE(elem->index);
    d->len = GUINT32_TO_LE(len);
    if (idx) {
        virtqueue_store16(&d->flags, used_flags(p, len));
    } else {
        vq->first_flags = used_flags(p, len);
    }
    vq->packed_filled = position_after(vq, p, elem->ndescs);
    vq->nr_filled++;
    vq->descs_filled += elem->ndescs;
}

void packed_flush(VirtQueue *vq)
{
    if (!vq->nr_filled) {
        return;
    }
    /* The driver sees the descriptors no later than these flags. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    virtqueue_store16(&vq->packed_ring[vq->packed_used.idx].flags,
                      vq->first_flags);
    vq->packed_used = vq->packed_filled;
    vq->descs_unsignalled = MIN(vq->descs_unsignalled + vq->descs_filled,
                                2 * vq->num);
    vq->nr_filled = 0;
    vq->descs_filled = 0;
}

/*
 * Whether the driver wants an interrupt for what was published (2.8.10). Its
 * event is a place in the ring: it is among the descriptors published since the
 * last time if it is not further behind than these are many.
 */
bool packed_should_notify(VirtQueue *vq)
{
    unsigned int since = vq->descs_unsignalled;
    uint16_t flags, event;
    int behind;

    vq->descs_unsignalled = 0;
    virtqueue_full_barrier();
    flags = virtqueue_load16(&vq->driver_event->flags) & EVENT_FLAGS;
    if (flags != VRING_PACKED_EVENT_FLAG_DESC || !virtqueue_has_event_idx(vq)) {
        return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
    }
    /* The driver wrote it before the flags. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    event = virtqueue_load16(&vq->driver_event->off_wrap);
    behind = (int)vq->packed_used.idx - (int)(event & ~EVENT_WRAP);
    if (!!(event & EVENT_WRAP) != vq->packed_used.wrap) {
        behind += vq->num;
    }
    return behind > 0 && (unsigned int)behind <= since;
}
