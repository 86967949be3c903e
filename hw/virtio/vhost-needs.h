/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many regions of memory a vhost back end may have to be given. Used by
 * vhost-memory.c. */
#ifndef HW_VIRTIO_VHOST_NEEDS_H
#define HW_VIRTIO_VHOST_NEEDS_H

#include "exec/memory-needs.h"

/* Whether it is for back ends at all. */
bool vhost_wants_section(const MemoryRegionSection *section);
/* Of @size bytes of @mr, which follow each other; at worst. */
uint64_t vhost_slots_max(const MemoryRegion *mr, uint64_t size);

#endif
