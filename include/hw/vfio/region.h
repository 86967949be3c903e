/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region of a VFIO device as guest memory. Under everything lies an I/O
 * region whose accesses become reads and writes of the device; the parts that
 * can be mapped lie over it as RAM of the device, so that the guest (and, peer
 * to peer, other devices) reaches them directly.
 */
#ifndef HW_VFIO_REGION_H
#define HW_VFIO_REGION_H

#include "exec/memory.h"
#include "hw/vfio/device.h"

/* Areas of one region that are mapped at most. Devices have a handful. */
#define VFIO_REGION_MAX_MMAPS 64U

typedef struct VFIOMmap {
    MemoryRegion mem;
    uint64_t offset;                      /* in the region */
    uint64_t size;
    void *ptr;
} VFIOMmap;

typedef struct VFIORegion {
    VFIODevice *vdev;
    uint32_t index;
    uint64_t size;                        /* 0: the device has no such region */
    bool slow_ok;                         /* mem has been set up */
    MemoryRegion mem;
    unsigned nr_mmaps;
    VFIOMmap *mmaps;
    bool mmaps_enabled;
} VFIORegion;

/*
 * Makes region->mem, named @name, a child of @owner. With @want_mmap whatever
 * can be mapped is mapped; what cannot takes the slow path. false: *errp, and
 * nothing is left. A region of size 0 is no failure, and gets no mem.
 */
bool vfio_region_init(VFIORegion *region, Object *owner, VFIODevice *vdev,
                      uint32_t index, const char *name, bool want_mmap,
                      Error **errp);
/* Takes the memory regions apart; mem must be mapped nowhere. */
void vfio_region_exit(VFIORegion *region);
/* Unmaps what vfio_region_init() mapped: when nobody can have pointers into it
 * any more, that is in instance_finalize or when realize fails. */
void vfio_region_finalize(VFIORegion *region);
/* Whether the guest reaches the mapped parts directly, or all accesses take
 * the slow path. */
void vfio_region_mmaps_set_enabled(VFIORegion *region, bool enabled);

#endif
