/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices reach by DMA of a guest address space, and how: sections cut to
 * the IOMMU's pages, mapped by checked calls of a backend. The ground on which
 * the consumer of RamDiscardMgr (hw/vfio/ram-discard.h) and the budgets
 * (hw/vfio/budget.h) stand; a container (hw/vfio/container.h) has one.
 *
 * How mappings are made is the business of a VFIOIOMMUBackendClass: the
 * kernel's type1, a vfio-user server, or whatever else can map and unmap.
 *
 * Everything runs under the big lock. Sizes, offsets and addresses are bytes.
 */
#ifndef HW_VFIO_DMA_SPACE_H
#define HW_VFIO_DMA_SPACE_H

#include "exec/ram-discard.h"

typedef struct VFIODMASpace VFIODMASpace;

/* What is to be mapped: all of it lies in one RAM region. */
typedef struct VFIODMAMapping {
    hwaddr iova;
    uint64_t size;                        /* not 0; iova + size <= 2^64 */
    void *vaddr;                          /* where it is in this process */
    MemoryRegion *mr;                     /* for backends that pass an fd ... */
    ram_addr_t offset;                    /* ... and where in it */
    bool readonly;                        /* the device may only read */
} VFIODMAMapping;

/* Addresses that the IOMMU can translate, both ends included. */
typedef struct VFIOIOVARange {
    hwaddr first;
    hwaddr last;
} VFIOIOVARange;

/* What a backend can do; asked for when the space comes to life. */
typedef struct VFIOIOMMUInfo {
    uint64_t pgsizes;                     /* bit n: pages of 2^n; not 0 */
    uint64_t dma_max_mappings;            /* at the same time; 0: no limit */
    GArray *iova_ranges;                  /* VFIOIOVARange, ascending;
                                             empty: everything */
} VFIOIOMMUInfo;

/* How a kind of IOMMU is driven. Tables of this type are static const. */
typedef struct VFIOIOMMUBackendClass {
    const char *name;
    /*
     * true: dma_unmap takes exactly what one dma_map was given. false: it
     * takes a range over any number of whole mappings, with or without holes.
     */
    bool unmap_exact;
    /*
     * true: memory is passed by its place in a region, so that the address in
     * this process need not be aligned to the IOMMU's pages.
     */
    bool by_offset;
    /* 0, or -errno with nothing mapped. Never called for what is mapped. */
    int (*dma_map)(VFIODMASpace *space, const VFIODMAMapping *mapping);
    /* 0, or -errno with everything still mapped. */
    int (*dma_unmap)(VFIODMASpace *space, hwaddr iova, uint64_t size);
    /*
     * Optional, both: maps and unmaps that follow, until dma_end, together may
     * take no longer than one by itself. false: that is so already.
     */
    bool (*dma_begin)(VFIODMASpace *space);
    void (*dma_end)(VFIODMASpace *space);
    /*
     * Optional: has the host back @run, which is about to be mapped by one or
     * several dma_map; only about speed.
     */
    void (*prefault)(VFIODMASpace *space, const VFIODMAMapping *run);
    /*
     * The limit on the memory that this process may lock, and how much of it
     * is in use; false if there is none. NULL: mapping does not lock memory.
     */
    bool (*memlock)(VFIODMASpace *space, uint64_t *used, uint64_t *limit);
    /* Optional: how many mappings can still be made, as who makes them counts;
     * false: that cannot be known. */
    bool (*mappings_left)(VFIODMASpace *space, uint64_t *left);
} VFIOIOMMUBackendClass;

/* The part of a section that the IOMMU's pages can cover. */
typedef struct VFIOExtent {
    hwaddr iova;
    uint64_t size;                        /* 0: none */
    ram_addr_t offset;                    /* in the region */
} VFIOExtent;

/* A plain RAM section: one mapping. */
typedef struct VFIOPlainSection {
    MemoryRegion *mr;
    hwaddr iova;
    uint64_t size;
    ram_addr_t offset;                    /* in the region */
    QLIST_ENTRY(VFIOPlainSection) next;
} VFIOPlainSection;

/* A managed section: what is populated of it is mapped, by granules. */
typedef struct VFIORamDiscardListener {
    VFIODMASpace *space;
    MemoryRegion *mr;                     /* owns the RAM */
    VFIOExtent extent;
    bool readonly;
    uint64_t mapped;                      /* bytes ... */
    uint64_t mappings;                    /* ... in so many mappings */
    RamDiscardTimes map_times;            /* of each */
    RamDiscardTimes unmap_times;
    RamDiscardListener listener;
    QLIST_ENTRY(VFIORamDiscardListener) next;
} VFIORamDiscardListener;

/* A backend embeds it, or what has it, in its own state. */
struct VFIODMASpace {
    const VFIOIOMMUBackendClass *ops;
    VFIOIOMMUInfo info;
    /* While it is set up errors end it; later they are told. */
    bool live;
    Error *error;                         /* the first one during set-up */
    /* Once live: some RAM of the guest could not be mapped, or not unmapped.
     * The guest runs on; DMA there is stopped by the IOMMU. Never cleared. */
    bool broken;
    GHashTable *complained;               /* region -> what was said of it */
    char **devices;                       /* whose it is, for people: ids, then
                                             NULL; NULL: nobody has said */
    QLIST_HEAD(, VFIOPlainSection) plain;
    QLIST_HEAD(, VFIORamDiscardListener) managed;
    uint64_t own;                         /* bytes mapped that are not a guest's */
    uint64_t own_mappings;
    /* hw/vfio/budget.c: */
    RamDiscardConsumer consumer;          /* asked about regions to come */
    uint64_t worst_warned;                /* bytes to lock, as was warned of */
    QLIST_ENTRY(VFIODMASpace) next;       /* of those that are guarded */
};

/* Nothing is mapped. Takes @info, and the array in it. */
void vfio_dma_space_init(VFIODMASpace *space, const VFIOIOMMUBackendClass *ops,
                         const VFIOIOMMUInfo *info);
/* Nothing may be left mapped. */
void vfio_dma_space_destroy(VFIODMASpace *space);

/* The IOMMU's smallest page. */
uint64_t vfio_dma_space_page_size(const VFIODMASpace *space);
/* The unit of mapping @mr, which has a manager, as of now. */
uint64_t vfio_dma_space_granule(const VFIODMASpace *space,
                                const MemoryRegion *mr);
/* Whether the IOMMU can translate all of @iova .. @iova + @size - 1. */
bool vfio_dma_space_reaches(const VFIODMASpace *space, hwaddr iova,
                            uint64_t size);
/*
 * Shrinks @section, of a RAM region, to whole pages of the IOMMU. false with
 * *errp if its address and its memory are not equally aligned.
 */
bool vfio_dma_space_extent(const VFIODMASpace *space,
                           const MemoryRegionSection *section,
                           VFIOExtent *extent, Error **errp);

/* The backend's operations, checked. 0 or -errno; -ERANGE: the IOMMU cannot
 * translate the address. */
int vfio_dma_space_map(VFIODMASpace *space, const VFIODMAMapping *mapping);
/* A failure marks the space broken, and is reported. */
void vfio_dma_space_unmap(VFIODMASpace *space, MemoryRegion *mr, hwaddr iova,
                          uint64_t size);
/* Around the maps and unmaps of a notification: dma_begin and dma_end, where the
 * backend has them. */
bool vfio_dma_space_begin(VFIODMASpace *space);
void vfio_dma_space_end(VFIODMASpace *space, bool begun);
/* The backend's prefault, if it has one and @run is not backed already. */
void vfio_dma_space_prefault(VFIODMASpace *space, const VFIODMAMapping *run);

/*
 * What became of @mr: takes @err. During set-up it is kept in @space->error.
 * Once live it is reported, once for each region, and the space is broken.
 */
void vfio_dma_space_fail(VFIODMASpace *space, MemoryRegion *mr, Error *err);
/* Warns of @err (taken), once for each region. */
void vfio_dma_space_warn(VFIODMASpace *space, MemoryRegion *mr, Error *err);

#endif
