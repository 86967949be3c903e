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
 * A plug that cannot be mapped is refused to the manager, and told to QMP
 * clients by the event VFIO_POPULATE_REFUSED, once until the reason changes or
 * a plug has succeeded: region (its name), offset and size (bytes, in the
 * region), reason (text); if it was RLIMIT_MEMLOCK, also needed, used and limit
 * (bytes).
 *
 * How mappings are made is the business of a VFIOIOMMUBackendClass: the
 * kernel's type1 (hw/vfio/type1.h), or whatever else can map and unmap.
 * A backend embeds the VFIOContainer in its own state.
 *
 * Everything runs under the big lock. Sizes, offsets and addresses are bytes.
 */
#ifndef HW_VFIO_CONTAINER_H
#define HW_VFIO_CONTAINER_H

#include "exec/ram-discard.h"

typedef struct VFIOContainer VFIOContainer;

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

/* What a backend can do; asked for when the container comes to life. */
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
    int (*dma_map)(VFIOContainer *container, const VFIODMAMapping *mapping);
    /* 0, or -errno with everything still mapped. */
    int (*dma_unmap)(VFIOContainer *container, hwaddr iova, uint64_t size);
    /*
     * Optional, both: maps and unmaps that follow, until dma_end, together may
     * take no longer than one by itself. false: that is so already.
     */
    bool (*dma_begin)(VFIOContainer *container);
    void (*dma_end)(VFIOContainer *container);
    /*
     * The limit on the memory that this process may lock, and how much of it
     * is in use; false if there is none. NULL: mapping does not lock memory.
     */
    bool (*memlock)(VFIOContainer *container, uint64_t *used, uint64_t *limit);
} VFIOIOMMUBackendClass;

/* A plain RAM section: one mapping. */
typedef struct VFIOPlainSection {
    MemoryRegion *mr;
    hwaddr iova;
    uint64_t size;
    QLIST_ENTRY(VFIOPlainSection) next;
} VFIOPlainSection;

/* A plug that was refused. Offsets and sizes are bytes. */
typedef struct VFIORefusal {
    char *reason;                         /* text; NULL: none so far */
    bool standing;                        /* no plug has succeeded since */
    uint64_t offset;                      /* in the region */
    uint64_t size;
    bool lock_limit;                      /* used + size exceeds limit */
    uint64_t used;
    uint64_t limit;
} VFIORefusal;

/* A managed section: what is populated of it is mapped, by granules. */
typedef struct VFIORamDiscardListener {
    VFIOContainer *container;
    MemoryRegion *mr;                     /* owns the RAM */
    hwaddr offset_within_region;          /* aligned to the IOMMU's pages ... */
    hwaddr offset_within_address_space;   /* ... and so is this: the IOVA */
    uint64_t size;
    bool readonly;
    Error **errp;                         /* while it registers, else NULL */
    uint64_t mapped;                      /* bytes ... */
    uint64_t mappings;                    /* ... in so many mappings */
    VFIORefusal refusal;                  /* that clients were told of last */
    RamDiscardListener listener;
    QLIST_ENTRY(VFIORamDiscardListener) next;
} VFIORamDiscardListener;

struct VFIOContainer {
    const VFIOIOMMUBackendClass *ops;
    AddressSpace *as;
    VFIOIOMMUInfo info;
    MemoryListener listener;
    RamDiscardConsumer consumer;          /* asked about regions to come */
    /* While the container is set up errors end it; later they are told. */
    bool live;
    Error *error;                         /* the first one during set-up */
    /* Once live: some RAM of the guest could not be mapped, or not unmapped.
     * The guest runs on; DMA there is stopped by the IOMMU. Never cleared. */
    bool broken;
    GHashTable *complained;               /* region -> what was said of it */
    uint64_t worst_warned;                /* bytes to lock, as was warned of */
    QLIST_HEAD(, VFIOPlainSection) plain;
    QLIST_HEAD(, VFIORamDiscardListener) managed;
    QLIST_ENTRY(VFIOContainer) next;      /* of those that are guarded */
};

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

/* The IOMMU's smallest page. */
uint64_t vfio_container_page_size(const VFIOContainer *container);
/* Whether the IOMMU can translate all of @iova .. @iova + @size - 1. */
bool vfio_container_reaches(const VFIOContainer *container, hwaddr iova,
                            uint64_t size);

/* For the listeners: the backend's operations, checked. 0 or -errno;
 * -ERANGE: the IOMMU cannot translate the address. */
int vfio_container_dma_map(VFIOContainer *container,
                           const VFIODMAMapping *mapping);
/* A failure marks the container broken, and is reported. */
void vfio_container_dma_unmap(VFIOContainer *container, MemoryRegion *mr,
                              hwaddr iova, uint64_t size);

/* Around a notification's maps and unmaps: the backend's dma_begin and dma_end,
 * where it has them. */
bool vfio_container_dma_begin(VFIOContainer *container);
void vfio_container_dma_end(VFIOContainer *container, bool begun);

/*
 * What became of @mr: takes @err. During set-up it is kept for
 * vfio_container_init(). Once live it is reported, once for each region, and
 * the container is broken.
 */
void vfio_container_fail(VFIOContainer *container, MemoryRegion *mr,
                         Error *err);
/* Warns of @err (taken), once for each region. */
void vfio_container_warn(VFIOContainer *container, MemoryRegion *mr,
                         Error *err);

/*
 * hw/vfio/prefault.c: has the host back @run, which is about to be mapped as
 * one or several mappings, by several threads, if the backend pins memory and
 * @run is large. What keeps it from being mapped is left for mapping to find.
 */
void vfio_prefault(VFIOContainer *container, const VFIODMAMapping *run);

/* --- sections (hw/vfio/listener.c) --- */

/* The part of a section that the IOMMU's pages can cover. */
typedef struct VFIOExtent {
    hwaddr iova;
    uint64_t size;                        /* 0: none */
    ram_addr_t offset;                    /* in the region */
} VFIOExtent;

/*
 * Shrinks @section, of a RAM region, to whole pages of the IOMMU. false with
 * *errp if its address and its memory are not equally aligned.
 */
bool vfio_section_extent(const VFIOContainer *container,
                         const MemoryRegionSection *section,
                         VFIOExtent *extent, Error **errp);
/* The callbacks of a container's MemoryListener. */
void vfio_listener_init(MemoryListener *listener);

/* --- managed sections (hw/vfio/ram-discard.c) --- */

/*
 * Follows the manager of @section's region over @extent. false with *errp:
 * a populated part could not be mapped, and nothing of it is.
 */
bool vfio_ram_discard_register(VFIOContainer *container,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp);
/* Unmaps what is populated of the section that was registered at
 * @extent, and forgets it; false: there is none. */
bool vfio_ram_discard_unregister(VFIOContainer *container, MemoryRegion *mr,
                                 const VFIOExtent *extent);
/* The unit of mapping @mr, which has a manager, as of now. */
uint64_t vfio_ram_discard_granule(const VFIOContainer *container,
                                  const MemoryRegion *mr);
/* How much of @extent of @mr is populated. */
uint64_t vfio_ram_discard_populated(const MemoryRegion *mr,
                                    const VFIOExtent *extent);

#endif
