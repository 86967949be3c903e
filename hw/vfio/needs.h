/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the devices of a DMA space need of the host (exec/memory-needs.h). Used by
 * hw/vfio/container.c. */
#ifndef HW_VFIO_NEEDS_H
#define HW_VFIO_NEEDS_H

#include "exec/memory-needs.h"
#include "hw/vfio/dma-space.h"

/* Fills in @needs, which is all 0, for a live @space. */
void vfio_needs_get(VFIODMASpace *space, MemoryNeeds *needs);

#endif
