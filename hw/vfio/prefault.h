/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Having the host back, by several threads, what is about to be pinned.
 */
#ifndef HW_VFIO_PREFAULT_H
#define HW_VFIO_PREFAULT_H

#include "hw/vfio/dma-space.h"

/* The prefault of a VFIOIOMMUBackendClass that pins what it maps; does nothing
 * if @run is small. What keeps it from being mapped is left for mapping to
 * find. */
void vfio_prefault(VFIODMASpace *space, const VFIODMAMapping *run);

#endif
