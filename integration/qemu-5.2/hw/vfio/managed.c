/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Managed RAM in a type1 container. It must not map plain RAM, nor know which
 * device is the manager.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "managed.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "ram-discard.h"

static VFIOContainer *container_of_space(VFIODMASpace *space)
{
    return container_of(space, VFIOContainer, managed);
}

/* --- how a type1 container maps --- */

static int managed_dma_map(VFIODMASpace *space, const VFIODMAMapping *mapping)
{
    return vfio_dma_map(container_of_space(space), mapping->iova,
                        mapping->size, mapping->vaddr, mapping->readonly);
}

static int managed_dma_unmap(VFIODMASpace *space, hwaddr iova, uint64_t size)
{
    return vfio_dma_unmap(container_of_space(space), iova, size, NULL);
}

static bool managed_memlock(VFIODMASpace *space, uint64_t *used,
                            uint64_t *limit)
{
    return vfio_budget_process_memlock(used, limit);
}

static const VFIOIOMMUBackendClass managed_ops = {
    .name = "type1",
    .dma_map = managed_dma_map,
    .dma_unmap = managed_dma_unmap,
    .memlock = managed_memlock,
};

/* --- life --- */

void vfio_managed_init(VFIOContainer *container)
{
    VFIOIOMMUInfo info = { .pgsizes = container->pgsizes };

    vfio_dma_space_init(&container->managed, &managed_ops, &info);
}

bool vfio_managed_check(VFIOContainer *container, Error **errp)
{
    return !container->managed.ops ||
           vfio_budget_check(&container->managed, container->space->as, errp);
}

void vfio_managed_begin(VFIOContainer *container)
{
    VFIODMASpace *space = &container->managed;

    if (!space->ops) {
        return;
    }
    if (space->error) {
        error_propagate(&container->error, space->error);
        space->error = NULL;
    }
    if (!container->error) {
        space->live = true;
        vfio_budget_guard(space);
    }
}

void vfio_managed_destroy(VFIOContainer *container)
{
    VFIODMASpace *space = &container->managed;

    if (!space->ops) {
        return;
    }
    if (space->live) {
        vfio_budget_unguard(space);
    }
    vfio_dma_space_destroy(space);
}

/* --- sections --- */

/* sPAPR: how its windows would follow a manager has yet to be found. */
static void managed_unsupported(VFIOContainer *container, MemoryRegion *mr)
{
    Error *err = NULL;

    error_setg(&err, "memory region '%s': this kind of IOMMU cannot follow "
               "memory that is plugged in blocks", memory_region_name(mr));
    if (container->initialized) {
        error_report_err(err);
    } else {
        error_propagate(&container->error, err);
    }
}

void vfio_managed_add(VFIOContainer *container, MemoryRegionSection *section)
{
    VFIODMASpace *space = &container->managed;
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(section->mr);
    VFIOExtent extent;
    Error *err = NULL;

    if (!space->ops) {
        managed_unsupported(container, section->mr);
        return;
    }
    if (vfio_dma_space_extent(space, section, &extent, &err) &&
        (!extent.size ||
         (vfio_budget_blocks_fit_pages(
              space, section->mr,
              ram_discard_mgr_get_min_granularity(rdm, section->mr), &err) &&
          vfio_ram_discard_register(space, section, &extent, &err)))) {
        if (space->live) {
            vfio_budget_warn_worst_case(space);
        }
        return;
    }
    vfio_dma_space_fail(space, section->mr, err);
}

static void managed_forget_plain(VFIODMASpace *space,
                                 const MemoryRegionSection *section)
{
    VFIOPlainSection *plain, *next;

    QLIST_FOREACH_SAFE(plain, &space->plain, next, next) {
        if (plain->mr == section->mr &&
            plain->iova == section->offset_within_address_space) {
            QLIST_REMOVE(plain, next);
            g_free(plain);
            return;
        }
    }
}

bool vfio_managed_del(VFIOContainer *container, MemoryRegionSection *section)
{
    VFIODMASpace *space = &container->managed;
    VFIOExtent extent;

    if (!space->ops) {
        return false;
    }
    if (!memory_region_has_ram_discard_mgr(section->mr)) {
        managed_forget_plain(space, section);
        return false;
    }
    if (vfio_dma_space_extent(space, section, &extent, NULL)) {
        vfio_ram_discard_unregister(space, section->mr, &extent);
    }
    return true;
}

void vfio_managed_note_plain(VFIOContainer *container,
                             const MemoryRegionSection *section)
{
    VFIOPlainSection *plain;

    if (container->managed.ops) {
        plain = g_new0(VFIOPlainSection, 1);
        plain->mr = section->mr;
        plain->iova = section->offset_within_address_space;
        plain->size = int128_get64(section->size);
        QLIST_INSERT_HEAD(&container->managed.plain, plain, next);
    }
}

/* --- a guest's IOMMU --- */

bool vfio_managed_refuses(MemoryRegion *mr, hwaddr offset, uint64_t size)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);

    if (!rdm || ram_discard_mgr_is_populated(rdm, mr, offset, size)) {
        return false;
    }
    error_report_once("vfio: the guest's IOMMU maps memory of '%s' that is not "
                      "plugged: 0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx
                      "; devices cannot reach it", memory_region_name(mr),
                      size, offset);
    return true;
}
