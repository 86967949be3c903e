/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices reach by DMA: see hw/vfio/dma-space.h. It must not know how a
 * mapping is made, nor which device manages a sparse region.
 */
#include "qemu/osdep.h"

#include "hw/vfio/dma-space.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "trace.h"

void vfio_dma_space_init(VFIODMASpace *space, const VFIOIOMMUBackendClass *ops,
                         const VFIOIOMMUInfo *info)
{
    g_assert(info->pgsizes);
    *space = (VFIODMASpace) {
        .ops = ops,
        .info = *info,
        .complained = g_hash_table_new(NULL, NULL),
    };
    QLIST_INIT(&space->plain);
    QLIST_INIT(&space->managed);
}

void vfio_dma_space_destroy(VFIODMASpace *space)
{
    g_assert(QLIST_EMPTY(&space->plain) && QLIST_EMPTY(&space->managed));
    if (space->info.iova_ranges) {
        g_array_unref(space->info.iova_ranges);
    }
    g_hash_table_unref(space->complained);
    g_strfreev(space->devices);
}

/* --- sizes and addresses --- */

uint64_t vfio_dma_space_page_size(const VFIODMASpace *space)
{
    return 1ULL << __builtin_ctzll(space->info.pgsizes);
}

uint64_t vfio_dma_space_granule(const VFIODMASpace *space,
                                const MemoryRegion *mr)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);

    return MAX(ram_discard_mgr_get_min_granularity(rdm, mr),
               vfio_dma_space_page_size(space));
}

bool vfio_dma_space_reaches(const VFIODMASpace *space, hwaddr iova,
                            uint64_t size)
{
    const GArray *ranges = space->info.iova_ranges;
    hwaddr last;

    if (__builtin_add_overflow(iova, size - 1, &last)) {
        return false;
    }
    if (!ranges || !ranges->len) {
        return true;
    }
    for (guint i = 0; i < ranges->len; i++) {
        VFIOIOVARange *r = &g_array_index(ranges, VFIOIOVARange, i);

        if (iova >= r->first && last <= r->last) {
            return true;
        }
    }
    return false;
}

/* That which must be aligned as its address is. */
static uint64_t section_place(const VFIODMASpace *space,
                              const MemoryRegionSection *section)
{
    return section->offset_within_region +
           (space->ops->by_offset
            ? 0 : (uintptr_t)memory_region_get_ram_ptr(section->mr));
}

bool vfio_dma_space_extent(const VFIODMASpace *space,
                           const MemoryRegionSection *section,
                           VFIOExtent *extent, Error **errp)
{
    const uint64_t page = vfio_dma_space_page_size(space);
    const uint64_t mask = page - 1;
    hwaddr start = section->offset_within_address_space;
    uint64_t head = -start & mask;
    Int128 end, size;

    *extent = (VFIOExtent) { 0 };
    if ((start ^ section_place(space, section)) & mask) {
        error_setg(errp, "memory region '%s' at 0x%" HWADDR_PRIx
                   " cannot be mapped: its address and its memory are not "
                   "equally aligned to the IOMMU's pages of %" PRIu64 " bytes",
                   memory_region_name(section->mr), start, page);
        return false;
    }
    /* In 128 bits: a section may end at 2^64. */
    end = int128_add(start, section->size) & ~(Int128)mask;
    size = int128_sub(end, int128_add(start, head));
    if (size > 0) {
        extent->iova = start + head;
        extent->offset = section->offset_within_region + head;
        extent->size = int128_get64(size);
    }
    return true;
}

/* --- mapping --- */

int vfio_dma_space_map(VFIODMASpace *space, const VFIODMAMapping *mapping)
{
    int ret;

    if (!vfio_dma_space_reaches(space, mapping->iova, mapping->size)) {
        return -ERANGE;
    }
    ret = space->ops->dma_map(space, mapping);
    trace_vfio_dma_map(space->ops->name, mapping->iova, mapping->size, ret);
    return ret;
}

void vfio_dma_space_unmap(VFIODMASpace *space, MemoryRegion *mr, hwaddr iova,
                          uint64_t size)
{
    int ret = space->ops->dma_unmap(space, iova, size);
    Error *err = NULL;

    trace_vfio_dma_unmap(space->ops->name, iova, size, ret);
    if (ret) {
        error_setg_errno(&err, -ret, "memory region '%s': cannot unmap "
                         "0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx,
                         memory_region_name(mr), size, iova);
        vfio_dma_space_fail(space, mr, err);
    }
}

bool vfio_dma_space_begin(VFIODMASpace *space)
{
    return space->ops->dma_begin && space->ops->dma_begin(space);
}

void vfio_dma_space_end(VFIODMASpace *space, bool begun)
{
    if (begun) {
        space->ops->dma_end(space);
    }
}

void vfio_dma_space_prefault(VFIODMASpace *space, const VFIODMAMapping *run)
{
    const RamDiscardState *s = memory_region_ram_discard_state(run->mr);

    if (space->ops->prefault && !(s && ram_discard_state_is_backed(s))) {
        space->ops->prefault(space, run);
    }
}

/* --- what is told to people --- */

/* Bits of what has been said about a region. */
enum { VFIO_SAID_WARNING = 1, VFIO_SAID_ERROR = 2 };

/* Whether @what has not been said of @mr so far. */
static bool is_new_complaint(VFIODMASpace *space, MemoryRegion *mr,
                             unsigned what)
{
    unsigned said = GPOINTER_TO_UINT(g_hash_table_lookup(space->complained,
                                                         mr));

    g_hash_table_insert(space->complained, mr, GUINT_TO_POINTER(said | what));
    return !(said & what);
}

void vfio_dma_space_fail(VFIODMASpace *space, MemoryRegion *mr, Error *err)
{
    if (!space->live) {
        if (space->error) {
            error_free(err);
        } else {
            space->error = err;
        }
        return;
    }
    space->broken = true;
    if (is_new_complaint(space, mr, VFIO_SAID_ERROR)) {
        error_prepend(&err, "vfio: devices cannot follow guest memory: ");
        error_report_err(err);
    } else {
        error_free(err);
    }
}

void vfio_dma_space_warn(VFIODMASpace *space, MemoryRegion *mr, Error *err)
{
    if (is_new_complaint(space, mr, VFIO_SAID_WARNING)) {
        error_prepend(&err, "vfio: ");
        warn_report_err(err);
    } else {
        error_free(err);
    }
}
