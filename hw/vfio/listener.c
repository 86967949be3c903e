/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's MemoryListener: which sections of the guest's address space
 * are mapped for devices, and how.
 *
 *   plain RAM       one mapping, read-only where the guest may not write
 *   a device's BAR  the same, but a failure only costs peer-to-peer DMA: warn
 *   managed RAM     handed to hw/vfio/ram-discard.c
 *   anything else   nothing
 *
 * It must not map a byte of a region that has a manager by itself.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "hw/vfio/container.h"
#include "qapi/error.h"
#include "trace.h"

static VFIOContainer *vfio_container_of(MemoryListener *listener)
{
    return container_of(listener, VFIOContainer, listener);
}

/* That which must be aligned as its address is. */
static uint64_t vfio_section_place(const VFIOContainer *container,
                                   const MemoryRegionSection *section)
{
    return section->offset_within_region +
           (container->ops->by_offset
            ? 0 : (uintptr_t)memory_region_get_ram_ptr(section->mr));
}

bool vfio_section_extent(const VFIOContainer *container,
                         const MemoryRegionSection *section,
                         VFIOExtent *extent, Error **errp)
{
    const uint64_t page = vfio_container_page_size(container);
    const uint64_t mask = page - 1;
    hwaddr start = section->offset_within_address_space;
    uint64_t place = vfio_section_place(container, section);
    uint64_t head = -start & mask;
    Int128 end, size;

    *extent = (VFIOExtent) { 0 };
    if ((start ^ place) & mask) {
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

static bool vfio_section_readonly(const MemoryRegionSection *section)
{
    return section->readonly || section->mr->readonly;
}

static bool vfio_plain_add(VFIOContainer *container,
                           const MemoryRegionSection *section,
                           const VFIOExtent *extent, Error **errp)
{
    VFIODMAMapping mapping = {
        .iova = extent->iova,
        .size = extent->size,
        .vaddr = (uint8_t *)memory_region_get_ram_ptr(section->mr) +
                 extent->offset,
        .mr = section->mr,
        .offset = extent->offset,
        .readonly = vfio_section_readonly(section),
    };
    VFIOPlainSection *plain;
    int ret;

    vfio_prefault(container, &mapping);
    ret = vfio_container_dma_map(container, &mapping);
    if (ret) {
        error_setg_errno(errp, -ret, "memory region '%s': cannot map "
                         "0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx,
                         memory_region_name(section->mr), mapping.size,
                         mapping.iova);
        return false;
    }
    plain = g_new(VFIOPlainSection, 1);
    plain->mr = section->mr;
    plain->iova = extent->iova;
    plain->size = extent->size;
    QLIST_INSERT_HEAD(&container->plain, plain, next);
    return true;
}

static void vfio_plain_del(VFIOContainer *container, MemoryRegion *mr,
                           const VFIOExtent *extent)
{
    VFIOPlainSection *plain, *tmp;

    QLIST_FOREACH_SAFE(plain, &container->plain, next, tmp) {
        if (plain->mr == mr && plain->iova == extent->iova) {
            vfio_container_dma_unmap(container, mr, plain->iova, plain->size);
            QLIST_REMOVE(plain, next);
            g_free(plain);
            return;
        }
    }
}

/*
 * Whether any populated state of a managed section could be mapped. A region
 * with too many blocks was refused before it was managed (vfio_budget_guard);
 * for one that turns up all the same, seen twice say, nobody can be told no:
 * then this is a warning, and each plug is refused when its time comes.
 */
static bool vfio_managed_suits(const VFIOContainer *container,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(section->mr);

    if (!vfio_budget_blocks_fit_pages(
            container, section->mr,
            ram_discard_mgr_get_min_granularity(rdm, section->mr), errp)) {
        return false;
    }
    if (!vfio_container_reaches(container, extent->iova, extent->size)) {
        error_setg(errp, "memory region '%s': the IOMMU cannot translate "
                   "all addresses from 0x%" HWADDR_PRIx " to 0x%" HWADDR_PRIx,
                   memory_region_name(section->mr), extent->iova,
                   extent->iova + (extent->size - 1));
        return false;
    }
    return !container->live ||
           vfio_budget_managed_fits(container, section->mr, extent,
                                    vfio_ram_discard_granule(container,
                                                             section->mr),
                                    vfio_budget_container_mappings(container),
                                    errp);
}

static bool vfio_managed_add(VFIOContainer *container,
                             const MemoryRegionSection *section,
                             const VFIOExtent *extent, Error **errp)
{
    Error *err = NULL;

    if (!vfio_managed_suits(container, section, extent, &err)) {
        if (!container->live) {
            error_propagate(errp, err);
            return false;
        }
        vfio_container_warn(container, section->mr, err);
    }
    if (!vfio_ram_discard_register(container, section, extent, errp)) {
        return false;
    }
    if (container->live) {
        vfio_budget_warn_worst_case(container);
    }
    return true;
}

static void vfio_listener_region_add(MemoryListener *listener,
                                     MemoryRegionSection *section)
{
    VFIOContainer *container = vfio_container_of(listener);
    MemoryRegion *mr = section->mr;
    VFIOExtent extent;
    Error *err = NULL;
    bool ok;

    if (!memory_region_is_ram(mr) || container->error) {
        return;
    }
    trace_vfio_listener_region_add(memory_region_name(mr),
                                   section->offset_within_address_space,
                                   int128_get64(section->size));
    ok = vfio_section_extent(container, section, &extent, &err);
    if (ok && extent.size) {
        ok = memory_region_has_ram_discard_mgr(mr)
             ? vfio_managed_add(container, section, &extent, &err)
             : vfio_plain_add(container, section, &extent, &err);
    }
    if (ok) {
        return;
    }
    if (memory_region_is_ram_device(mr)) {
        error_prepend(&err, "no DMA between devices: ");
        vfio_container_warn(container, mr, err);
    } else {
        vfio_container_fail(container, mr, err);
    }
}

static void vfio_listener_region_del(MemoryListener *listener,
                                     MemoryRegionSection *section)
{
    VFIOContainer *container = vfio_container_of(listener);
    VFIOExtent extent;

    if (!memory_region_is_ram(section->mr) ||
        !vfio_section_extent(container, section, &extent, NULL) ||
        !extent.size) {
        return;
    }
    trace_vfio_listener_region_del(memory_region_name(section->mr),
                                   extent.iova, extent.size);
    if (!vfio_ram_discard_unregister(container, section->mr, &extent)) {
        vfio_plain_del(container, section->mr, &extent);
    }
}

void vfio_listener_init(MemoryListener *listener)
{
    *listener = (MemoryListener) {
        .region_add = vfio_listener_region_add,
        .region_del = vfio_listener_region_del,
    };
}
