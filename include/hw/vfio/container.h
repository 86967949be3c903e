/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO container: one IOMMU address space that follows one guest address
 * space, so that devices reach by DMA what the guest believes they reach.
 *
 * The container listens to the address space. A plain RAM section becomes one
 * mapping. A section whose region has a RamDiscardMgr is followed by a
 * VFIORamDiscardListener: only what is populated is mapped, each granule by
 * itself, because a mapping can be taken away only as a whole. Mapping pins
 * memory, which is why nothing that is discarded may ever be mapped.
 *
 * A backend (hw/vfio/type1.h, hw/vfio-user/client.h) embeds the VFIOContainer
 * in its own state. Everything runs under the big lock.
 */
#ifndef HW_VFIO_CONTAINER_H
#define HW_VFIO_CONTAINER_H

#include "exec/memory-needs.h"
#include "hw/vfio/dma-space.h"

typedef struct VFIOContainer {
    VFIODMASpace space;
    AddressSpace *as;
    MemoryListener listener;
    MemoryConsumer consumer;
} VFIOContainer;

/*
 * Brings @container to life: takes @info (and the array in it), blocks
 * uncoordinated discards, checks the budgets (hw/vfio/budget.h), maps what is
 * in @as and follows it. false with *errp: nothing is left mapped, and
 * vfio_container_destroy() is not to be called.
 */
bool vfio_container_init(VFIOContainer *container,
                         const VFIOIOMMUBackendClass *ops, AddressSpace *as,
                         const VFIOIOMMUInfo *info, Error **errp);
/* Unmaps everything and stops following the address space. */
void vfio_container_destroy(VFIOContainer *container);

/* A device that is in it is there, or gone: @name is for people who ask for whom
 * memory is mapped, and copied. */
void vfio_container_add_device(VFIOContainer *container, const char *name);
void vfio_container_remove_device(VFIOContainer *container, const char *name);

#endif
