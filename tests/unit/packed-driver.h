/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's side of a packed virtqueue (VIRTIO 1.2, 2.8) in guest memory,
 * written by plain accesses to an address space. It does what the test says,
 * right or wrong.
 */
#ifndef TESTS_UNIT_PACKED_DRIVER_H
#define TESTS_UNIT_PACKED_DRIVER_H

#include <linux/virtio_ring.h>

#include "exec/memory.h"

#define PACKED_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED (1U << VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP (1U << VRING_PACKED_EVENT_F_WRAP_CTR)

typedef struct PackedDriver {
    AddressSpace *as;
    unsigned num;                         /* descriptors */
    hwaddr ring;
    hwaddr driver_event;
    hwaddr device_event;
    unsigned next;                        /* to make available */
    bool wrap;                            /* the counter there */
    unsigned last_used;                   /* next to collect */
    bool used_wrap;
} PackedDriver;

static inline void packed_driver_init(PackedDriver *v, AddressSpace *as,
                                      unsigned num, hwaddr base)
{
    *v = (PackedDriver) {
        .as = as, .num = num, .ring = base, .wrap = true, .used_wrap = true,
    };
    v->driver_event = base + num * sizeof(struct vring_packed_desc);
    v->device_event = v->driver_event + sizeof(struct vring_packed_desc_event);
    address_space_set(as, base, 0, num * sizeof(struct vring_packed_desc) +
                      2 * sizeof(struct vring_packed_desc_event),
                      MEMTXATTRS_UNSPECIFIED);
}

static inline uint16_t packed_read16(PackedDriver *v, hwaddr addr)
{
    return address_space_lduw_le(v->as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
}

static inline void packed_write16(PackedDriver *v, hwaddr addr, uint16_t val)
{
    address_space_stw_le(v->as, addr, val, MEMTXATTRS_UNSPECIFIED, NULL);
}

/* Entry @i of the table at @table: the ring, or an indirect one. */
static inline void packed_set_desc(PackedDriver *v, hwaddr table, unsigned i,
                                   hwaddr addr, uint32_t len, uint16_t id,
                                   uint16_t flags)
{
    struct vring_packed_desc d = {
        .addr = GUINT64_TO_LE(addr),
        .len = GUINT32_TO_LE(len),
        .id = GUINT16_TO_LE(id),
        .flags = GUINT16_TO_LE(flags),
    };

    address_space_write(v->as, table + i * sizeof(d), MEMTXATTRS_UNSPECIFIED,
                        &d, sizeof(d));
}

/* Makes the next descriptor available. */
static inline void packed_offer(PackedDriver *v, hwaddr addr, uint32_t len,
                                uint16_t id, uint16_t flags)
{
    packed_set_desc(v, v->ring, v->next, addr, len, id,
                    flags | (v->wrap ? PACKED_AVAIL : PACKED_USED));
    if (++v->next == v->num) {
        v->next = 0;
        v->wrap = !v->wrap;
    }
}

/* A request: @len bytes at @out to read, and as many at @in to write. */
static inline void packed_offer_request(PackedDriver *v, uint16_t id,
                                        hwaddr out, hwaddr in, uint32_t len)
{
    packed_offer(v, out, len, 0xdead, VRING_DESC_F_NEXT);
    packed_offer(v, in, len, id, VRING_DESC_F_WRITE);
}

/* Collects the next used descriptor, of a chain of @ndescs; false if there is
 * none. */
static inline bool packed_get_used(PackedDriver *v, unsigned ndescs,
                                   uint16_t *id, uint32_t *len)
{
    hwaddr d = v->ring + v->last_used * sizeof(struct vring_packed_desc);
    uint16_t flags = packed_read16(
        v, d + offsetof(struct vring_packed_desc, flags));

    if (!!(flags & PACKED_AVAIL) != v->used_wrap ||
        !!(flags & PACKED_USED) != v->used_wrap) {
        return false;
    }
    *id = packed_read16(v, d + offsetof(struct vring_packed_desc, id));
    *len = address_space_ldl_le(
        v->as, d + offsetof(struct vring_packed_desc, len),
        MEMTXATTRS_UNSPECIFIED, NULL);
    v->last_used += ndescs;
    if (v->last_used >= v->num) {
        v->last_used -= v->num;
        v->used_wrap = !v->used_wrap;
    }
    return true;
}

/* When the device shall interrupt: a flag, and the place for FLAG_DESC. */
static inline void packed_set_event(PackedDriver *v, uint16_t flags,
                                    unsigned idx, bool wrap)
{
    packed_write16(v, v->driver_event, idx | (wrap ? PACKED_WRAP : 0));
    packed_write16(v, v->driver_event + 2, flags);
}

#endif
