/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO as a consumer of RamDiscardMgr: maps, for the devices of a DMA space,
 * the populated granules of one managed section, and follows plug and unplug.
 *
 * Offsets that it is told are into the MemoryRegion that owns the RAM, and in
 * the section, which may be seen at any address. Granule boundaries are
 * multiples of the granule in the region, which makes the pieces of an unmap
 * those of the maps whatever the runs were.
 *
 * It must not know which device the manager is, nor map what is discarded,
 * nor remember the granularity between notifications.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "qapi/error.h"
#include "ram-discard.h"

static VFIORamDiscardListener *vfio_rdl_of(RamDiscardListener *rdl)
{
    return container_of(rdl, VFIORamDiscardListener, listener);
}

static VFIODMAMapping vfio_rdl_mapping(const VFIORamDiscardListener *vrdl,
                                       uint64_t offset, uint64_t size)
{
    return (VFIODMAMapping) {
        .iova = vrdl->extent.iova + (offset - vrdl->extent.offset),
        .size = size,
        .vaddr = (uint8_t *)memory_region_get_ram_ptr(vrdl->mr) + offset,
        .mr = vrdl->mr,
        .offset = offset,
        .readonly = vrdl->readonly,
    };
}

/* The first piece of the range that lies in one granule. */
static uint64_t vfio_piece_size(uint64_t offset, uint64_t size,
                                uint64_t granule)
{
    return MIN(size, granule - (offset & (granule - 1)));
}

/* --- unmapping --- */

/* Takes a range off the account; the granularity may have changed since. */
static void vfio_rdl_forget(VFIORamDiscardListener *vrdl, uint64_t offset,
                            uint64_t size, uint64_t granule)
{
    uint64_t nr = vfio_budget_mappings(offset, size, granule);

    vrdl->mapped -= MIN(size, vrdl->mapped);
    vrdl->mappings -= vrdl->mapped ? MIN(nr, vrdl->mappings) : vrdl->mappings;
}

/* All that is mapped of a range; holes are for backends that take them. */
static void vfio_rdl_unmap(VFIORamDiscardListener *vrdl, uint64_t offset,
                           uint64_t size)
{
    VFIODMASpace *space = vrdl->space;
    uint64_t granule = vfio_dma_space_granule(space, vrdl->mr);
    hwaddr iova = vrdl->extent.iova + (offset - vrdl->extent.offset);
    int64_t start = g_get_monotonic_time();
    uint64_t piece;

    vfio_rdl_forget(vrdl, offset, size, granule);
    if (!space->ops->unmap_exact) {
        vfio_dma_space_unmap(space, vrdl->mr, iova, size);
        ram_discard_times_add(&vrdl->unmap_times, start);
        return;
    }
    for (uint64_t done = 0; done < size; done += piece) {
        piece = vfio_piece_size(offset + done, size - done, granule);
        vfio_dma_space_unmap(space, vrdl->mr, iova + done, piece);
        start = ram_discard_times_add(&vrdl->unmap_times, start);
    }
}

/* --- mapping --- */

/* What can be known beforehand. 0, or -errno, having said why. */
static int vfio_rdl_check(VFIORamDiscardListener *vrdl, uint64_t size)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(vrdl->mr);
    uint64_t page = vfio_dma_space_page_size(vrdl->space);
    RamDiscardLimit limit = { 0 };
    Error *err = NULL;

    if (ram_discard_mgr_get_min_granularity(rdm, vrdl->mr) < page) {
        error_setg(&err, "memory region '%s': its blocks are smaller "
                   "than the IOMMU's page of %" PRIu64 " bytes",
                   memory_region_name(vrdl->mr), page);
        ram_discard_listener_object(&vrdl->listener, err, NULL);
        return -EINVAL;
    }
    if (!vfio_budget_may_lock(vrdl->space, size, &limit, &err)) {
        ram_discard_listener_object(&vrdl->listener, err, &limit);
        return -ENOMEM;
    }
    return 0;
}

/* Of the range, @done bytes were mapped, then @piece bytes could not be. */
static void vfio_rdl_undo(VFIORamDiscardListener *vrdl, uint64_t offset,
                          uint64_t done, uint64_t piece, int ret)
{
    Error *err = NULL;

    error_setg_errno(&err, -ret, "memory region '%s': cannot map 0x%" PRIx64
                     " bytes at 0x%" HWADDR_PRIx, memory_region_name(vrdl->mr),
                     piece,
                     vfio_rdl_mapping(vrdl, offset + done, piece).iova);
    ram_discard_listener_object(&vrdl->listener, err, NULL);
    if (done) {
        vfio_rdl_unmap(vrdl, offset, done);
    }
}

/* All of the range or nothing. */
static int vfio_rdl_notify_populate(RamDiscardListener *rdl,
                                    const MemoryRegion *mr,
                                    ram_addr_t offset, ram_addr_t size)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);
    VFIODMASpace *space = vrdl->space;
    uint64_t granule = vfio_dma_space_granule(space, mr), done = 0, piece;
    VFIODMAMapping mapping = vfio_rdl_mapping(vrdl, offset, size);
    bool begun = vfio_dma_space_begin(space);
    int ret = vfio_rdl_check(vrdl, size);
    int64_t start;

    if (!ret) {
        vfio_dma_space_prefault(space, &mapping);
    }
    start = g_get_monotonic_time();
    while (!ret && done < size) {
        piece = vfio_piece_size(offset + done, size - done, granule);
        mapping = vfio_rdl_mapping(vrdl, offset + done, piece);
        ret = vfio_dma_space_map(space, &mapping);
        if (ret) {
            vfio_rdl_undo(vrdl, offset, done, piece, ret);
            break;
        }
        start = ram_discard_times_add(&vrdl->map_times, start);
        vrdl->mapped += piece;
        vrdl->mappings++;
        done += piece;
    }
    vfio_dma_space_end(space, begun);
    return ret;
}

/* --- the other notifications --- */

static void vfio_rdl_notify_discard(RamDiscardListener *rdl,
                                    const MemoryRegion *mr,
                                    ram_addr_t offset, ram_addr_t size)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);
    bool begun = vfio_dma_space_begin(vrdl->space);

    vfio_rdl_unmap(vrdl, offset, size);
    vfio_dma_space_end(vrdl->space, begun);
}

/* Only for backends that unmap over holes: one call for the whole section. */
static void vfio_rdl_notify_discard_all(RamDiscardListener *rdl,
                                        const MemoryRegion *mr)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);

    vfio_rdl_unmap(vrdl, vrdl->extent.offset, vrdl->extent.size);
}

static void vfio_rdl_get_info(const RamDiscardListener *rdl,
                              RamDiscardListenerInfo *info)
{
    const VFIORamDiscardListener *vrdl =
        container_of(rdl, VFIORamDiscardListener, listener);

    info->devices = (const char *const *)vrdl->space->devices;
    info->mapped = vrdl->mapped;
    info->mappings = vrdl->mappings;
    info->mappings_budget = vrdl->space->info.dma_max_mappings;
    info->map_times = &vrdl->map_times;
    info->unmap_times = &vrdl->unmap_times;
}

/* --- managed sections --- */

static VFIORamDiscardListener *vfio_rdl_new(VFIODMASpace *space,
                                            const MemoryRegionSection *section,
                                            const VFIOExtent *extent)
{
    VFIORamDiscardListener *vrdl = g_new0(VFIORamDiscardListener, 1);

    vrdl->space = space;
    vrdl->mr = section->mr;
    vrdl->extent = *extent;
    vrdl->readonly = section->readonly;
    ram_discard_listener_init(&vrdl->listener, vfio_rdl_notify_populate,
                              vfio_rdl_notify_discard,
                              space->ops->unmap_exact
                              ? NULL : vfio_rdl_notify_discard_all);
    ram_discard_listener_set_range(&vrdl->listener, extent->offset,
                                   extent->size);
    vrdl->listener.kind = "vfio";
    vrdl->listener.get_info = vfio_rdl_get_info;
    return vrdl;
}

bool vfio_ram_discard_register(VFIODMASpace *space,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(section->mr);
    uint64_t page = vfio_dma_space_page_size(space);
    VFIORamDiscardListener *vrdl;

    if (!QEMU_IS_ALIGNED(extent->offset, page)) {
        error_setg(errp, "memory region '%s': its memory is not aligned "
                   "to the IOMMU's pages of %" PRIu64 " bytes",
                   memory_region_name(section->mr), page);
        return false;
    }
    vrdl = vfio_rdl_new(space, section, extent);
    if (ram_discard_mgr_register_listener(rdm, vrdl->mr, &vrdl->listener,
                                          errp)) {
        g_free(vrdl);
        return false;
    }
    QLIST_INSERT_HEAD(&space->managed, vrdl, next);
    return true;
}

bool vfio_ram_discard_unregister(VFIODMASpace *space, MemoryRegion *mr,
                                 const VFIOExtent *extent)
{
    VFIORamDiscardListener *vrdl;

    QLIST_FOREACH(vrdl, &space->managed, next) {
        if (vrdl->mr == mr && vrdl->extent.iova == extent->iova) {
            ram_discard_mgr_unregister_listener(
                memory_region_get_ram_discard_mgr(mr), mr, &vrdl->listener);
            QLIST_REMOVE(vrdl, next);
            g_free(vrdl);
            return true;
        }
    }
    return false;
}
