/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO as a consumer of RamDiscardMgr: managed sections of a DMA space, of which
 * just what is populated is mapped.
 */
#ifndef HW_VFIO_RAM_DISCARD_H
#define HW_VFIO_RAM_DISCARD_H

#include "hw/vfio/dma-space.h"

/*
 * Follows the manager of @section's region over @extent. false with *errp:
 * a populated part could not be mapped, and nothing of it is.
 */
bool vfio_ram_discard_register(VFIODMASpace *space,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp);
/* Unmaps what is populated of the section that was registered at
 * @extent, and forgets it; false: there is none. */
bool vfio_ram_discard_unregister(VFIODMASpace *space, MemoryRegion *mr,
                                 const VFIOExtent *extent);

#endif
