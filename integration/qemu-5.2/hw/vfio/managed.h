/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Managed RAM in a type1 container: between QEMU's container, of which
 * common.c keeps the sections, and the DMA space that follows RamDiscardMgr
 * (hw/vfio/dma-space.h). Big lock held.
 */
#ifndef HW_VFIO_MANAGED_H
#define HW_VFIO_MANAGED_H

#include "hw/vfio/vfio-common.h"

/* common.c: how type1 maps. 0 or -errno. */
int vfio_dma_map(VFIOContainer *container, hwaddr iova, ram_addr_t size,
                 void *vaddr, bool readonly);
int vfio_dma_unmap(VFIOContainer *container, hwaddr iova, ram_addr_t size,
                   IOMMUTLBEntry *iotlb);

/* A new type1 container, whose pgsizes are known. */
void vfio_managed_init(VFIOContainer *container);
/* Whether what is in the container's address space fits its budgets: DMA
 * mappings and locked memory. Before anything is mapped. */
bool vfio_managed_check(VFIOContainer *container, Error **errp);
/* All sections have been added; an error of that becomes container->error. */
void vfio_managed_begin(VFIOContainer *container);
/* No section is left. No harm if there was no vfio_managed_init(). */
void vfio_managed_destroy(VFIOContainer *container);

/* Maps what is populated of @section, which has a manager, and follows it. An
 * error is kept until vfio_managed_begin(), or reported. */
void vfio_managed_add(VFIOContainer *container, MemoryRegionSection *section);
/* Unmaps @section if it was added; false: it has no manager. */
bool vfio_managed_del(VFIOContainer *container, MemoryRegionSection *section);
/* common.c has mapped @section as a whole: it counts, until it is deleted. */
void vfio_managed_note_plain(VFIOContainer *container,
                             const MemoryRegionSection *section);

/* Whether a part of the range of @mr is discarded, so that a guest's IOMMU must
 * not have it mapped; says so, once. */
bool vfio_managed_refuses(MemoryRegion *mr, hwaddr offset, uint64_t size);

#endif
