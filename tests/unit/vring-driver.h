/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's side of a split virtqueue (VIRTIO 1.2, 2.7) in guest memory,
 * written by plain accesses to an address space. It does what the test says,
 * right or wrong; it keeps only what a driver must remember.
 */
#ifndef TESTS_UNIT_VRING_DRIVER_H
#define TESTS_UNIT_VRING_DRIVER_H

#include <linux/virtio_ring.h>

#include "exec/memory.h"

typedef struct VRingDriver {
    AddressSpace *as;
    unsigned num;                         /* entries */
    hwaddr desc;
    hwaddr avail;
    hwaddr used;
    hwaddr end;                           /* first address after the rings */
    uint16_t avail_idx;                   /* published so far */
    uint16_t last_used;                   /* collected so far */
} VRingDriver;

/* Descriptor table, available and used ring from @base on, all zero. */
static inline void vring_driver_init(VRingDriver *v, AddressSpace *as,
                                     unsigned num, hwaddr base)
{
    *v = (VRingDriver) { .as = as, .num = num, .desc = base };
    v->avail = v->desc + num * sizeof(struct vring_desc);
    v->used = ROUND_UP(v->avail + 2 * (num + 3), VRING_USED_ALIGN_SIZE);
    v->end = ROUND_UP(v->used + 6 + num * sizeof(struct vring_used_elem), 16);
    address_space_set(as, base, 0, v->end - base, MEMTXATTRS_UNSPECIFIED);
}

static inline uint16_t vring_read16(VRingDriver *v, hwaddr addr)
{
    return address_space_lduw_le(v->as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
}

static inline void vring_write16(VRingDriver *v, hwaddr addr, uint16_t val)
{
    address_space_stw_le(v->as, addr, val, MEMTXATTRS_UNSPECIFIED, NULL);
}

/* Descriptor @i of the table at @table (the queue's, or an indirect one). */
static inline void vring_set_desc(VRingDriver *v, hwaddr table, unsigned i,
                                  hwaddr addr, uint32_t len, uint16_t flags,
                                  uint16_t next)
{
    struct vring_desc d = {
        .addr = GUINT64_TO_LE(addr),
        .len = GUINT32_TO_LE(len),
        .flags = GUINT16_TO_LE(flags),
        .next = GUINT16_TO_LE(next),
    };

    address_space_write(v->as, table + i * sizeof(d), MEMTXATTRS_UNSPECIFIED,
                        &d, sizeof(d));
}

/* Makes the chain that begins at @head available. */
static inline void vring_offer(VRingDriver *v, uint16_t head)
{
    vring_write16(v, v->avail + 4 + 2 * (v->avail_idx % v->num), head);
    vring_write16(v, v->avail + 2, ++v->avail_idx);
}

/* A request: @out_len bytes at @out to read, @in_len at @in to write, in the
 * descriptors @head and @head + 1. */
static inline void vring_offer_request(VRingDriver *v, uint16_t head,
                                       hwaddr out, uint32_t out_len, hwaddr in,
                                       uint32_t in_len)
{
    vring_set_desc(v, v->desc, head, out, out_len, VRING_DESC_F_NEXT, head + 1);
    vring_set_desc(v, v->desc, head + 1, in, in_len, VRING_DESC_F_WRITE, 0);
    vring_offer(v, head);
}

static inline uint16_t vring_used_idx(VRingDriver *v)
{
    return vring_read16(v, v->used + 2);
}

/* Collects the next used entry; false if there is none. */
static inline bool vring_get_used(VRingDriver *v, uint32_t *id, uint32_t *len)
{
    hwaddr e = v->used + 4 + 8 * (v->last_used % v->num);

    if (v->last_used == vring_used_idx(v)) {
        return false;
    }
    *id = address_space_ldl_le(v->as, e, MEMTXATTRS_UNSPECIFIED, NULL);
    *len = address_space_ldl_le(v->as, e + 4, MEMTXATTRS_UNSPECIFIED, NULL);
    v->last_used++;
    return true;
}

/* Suppression of notifications: flags, and event indexes. */
static inline void vring_set_avail_flags(VRingDriver *v, uint16_t flags)
{
    vring_write16(v, v->avail, flags);
}

static inline void vring_set_used_event(VRingDriver *v, uint16_t idx)
{
    vring_write16(v, v->avail + 4 + 2 * v->num, idx);
}

static inline uint16_t vring_get_used_flags(VRingDriver *v)
{
    return vring_read16(v, v->used);
}

static inline uint16_t vring_get_avail_event(VRingDriver *v)
{
    return vring_read16(v, v->used + 4 + 8 * v->num);
}

#endif
