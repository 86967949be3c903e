/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO container, whatever its backend: which sections of the guest's address
 * space are mapped for devices, and how, and set-up that is undone as a whole
 * when any part of it fails.
 *
 *   plain RAM       one mapping, read-only where the guest may not write
 *   a device's BAR  the same, but a failure only costs peer-to-peer DMA: warn
 *   managed RAM     handed to hw/vfio/ram-discard.c
 *   anything else   nothing
 *
 * Used by the backends (type1, vfio-user and the tests' fake). It must not know
 * how a mapping is made, nor which device manages a sparse region, nor map a
 * byte of such a region by itself.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "budget.h"
#include "needs.h"
#include "hw/vfio/container.h"
#include "qapi/error.h"
#include "ram-discard.h"
#include "trace.h"

/* Who it is that needs memory to stay where it is. */
static const char vfio_name[] = "vfio";

/* --- sections --- */

static VFIODMASpace *vfio_space_of(MemoryListener *listener)
{
    return &container_of(listener, VFIOContainer, listener)->space;
}

/* RAM that the guest cannot write now is the guest's all the same, and stays
 * pinned; firmware's ROM is not, and no device has business there. */
static bool vfio_section_is_wanted(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) &&
           !memory_region_is_rom(section->mr);
}

static bool vfio_plain_add(VFIODMASpace *space,
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
        .readonly = section->readonly,
    };
    VFIOPlainSection *plain;
    int ret;

    vfio_dma_space_prefault(space, &mapping);
    ret = vfio_dma_space_map(space, &mapping);
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
    plain->offset = extent->offset;
    QLIST_INSERT_HEAD(&space->plain, plain, next);
    return true;
}

static void vfio_plain_del(VFIODMASpace *space, MemoryRegion *mr,
                           const VFIOExtent *extent)
{
    VFIOPlainSection *plain, *tmp;

    QLIST_FOREACH_SAFE(plain, &space->plain, next, tmp) {
        if (plain->mr == mr && plain->iova == extent->iova) {
            vfio_dma_space_unmap(space, mr, plain->iova, plain->size);
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
static bool vfio_managed_suits(const VFIODMASpace *space,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(section->mr);

    if (!vfio_budget_blocks_fit_pages(
            space, section->mr,
            ram_discard_mgr_get_min_granularity(rdm, section->mr), errp)) {
        return false;
    }
    if (!vfio_dma_space_reaches(space, extent->iova, extent->size)) {
        error_setg(errp, "memory region '%s': the IOMMU cannot translate "
                   "all addresses from 0x%" HWADDR_PRIx " to 0x%" HWADDR_PRIx,
                   memory_region_name(section->mr), extent->iova,
                   extent->iova + (extent->size - 1));
        return false;
    }
    return !space->live ||
           vfio_budget_managed_fits(space, section->mr, extent,
                                    vfio_dma_space_granule(space,
                                                             section->mr),
                                    vfio_budget_space_mappings(space),
                                    errp);
}

static bool vfio_managed_add(VFIODMASpace *space,
                             const MemoryRegionSection *section,
                             const VFIOExtent *extent, Error **errp)
{
    Error *err = NULL;

    if (!vfio_managed_suits(space, section, extent, &err)) {
        if (!space->live) {
            error_propagate(errp, err);
            return false;
        }
        vfio_dma_space_warn(space, section->mr, err);
    }
    if (!vfio_ram_discard_register(space, section, extent, errp)) {
        return false;
    }
    if (space->live) {
        vfio_budget_warn_worst_case(space);
    }
    return true;
}

static void vfio_listener_region_add(MemoryListener *listener,
                                     MemoryRegionSection *section)
{
    VFIODMASpace *space = vfio_space_of(listener);
    MemoryRegion *mr = section->mr;
    VFIOExtent extent;
    Error *err = NULL;
    bool ok;

    if (!vfio_section_is_wanted(section) || space->error) {
        return;
    }
    trace_vfio_listener_region_add(memory_region_name(mr),
                                   section->offset_within_address_space,
                                   int128_get64(section->size));
    ok = vfio_dma_space_extent(space, section, &extent, &err);
    if (ok && extent.size) {
        ok = memory_region_has_ram_discard_mgr(mr)
             ? vfio_managed_add(space, section, &extent, &err)
             : vfio_plain_add(space, section, &extent, &err);
    }
    if (ok) {
        return;
    }
    if (memory_region_is_ram_device(mr)) {
        error_prepend(&err, "no DMA between devices: ");
        vfio_dma_space_warn(space, mr, err);
    } else {
        vfio_dma_space_fail(space, mr, err);
    }
}

static void vfio_listener_region_del(MemoryListener *listener,
                                     MemoryRegionSection *section)
{
    VFIODMASpace *space = vfio_space_of(listener);
    VFIOExtent extent;

    if (!vfio_section_is_wanted(section) ||
        !vfio_dma_space_extent(space, section, &extent, NULL) ||
        !extent.size) {
        return;
    }
    trace_vfio_listener_region_del(memory_region_name(section->mr),
                                   extent.iova, extent.size);
    if (!vfio_ram_discard_unregister(space, section->mr, &extent)) {
        vfio_plain_del(space, section->mr, &extent);
    }
}

/* --- life --- */

static void vfio_container_get_needs(MemoryConsumer *consumer,
                                     MemoryNeeds *needs)
{
    vfio_needs_get(&container_of(consumer, VFIOContainer, consumer)->space,
                   needs);
}

/* Maps all that is there, or nothing. */
static bool vfio_container_follow(VFIOContainer *container, Error **errp)
{
    VFIODMASpace *space = &container->space;

    memory_listener_register(&container->listener, container->as);
    if (!space->error) {
        space->live = true;
        return true;
    }
    memory_listener_unregister(&container->listener);
    error_propagate(errp, space->error);
    space->error = NULL;
    return false;
}

bool vfio_container_init(VFIOContainer *container,
                         const VFIOIOMMUBackendClass *ops, AddressSpace *as,
                         const VFIOIOMMUInfo *info, Error **errp)
{
    VFIODMASpace *space = &container->space;

    container->as = as;
    container->listener = (MemoryListener) {
        .region_add = vfio_listener_region_add,
        .region_del = vfio_listener_region_del,
    };
    vfio_dma_space_init(space, ops, info);
    if (!ram_block_discard_add_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                    vfio_name, errp)) {
        goto fail;
    }
    if (!vfio_budget_check(space, as, errp) ||
        !vfio_container_follow(container, errp)) {
        ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                      vfio_name);
        goto fail;
    }
    vfio_budget_guard(space);
    container->consumer.get_needs = vfio_container_get_needs;
    memory_consumer_register(&container->consumer);
    return true;

fail:
    vfio_dma_space_destroy(space);
    return false;
}

void vfio_container_destroy(VFIOContainer *container)
{
    memory_consumer_unregister(&container->consumer);
    vfio_budget_unguard(&container->space);
    memory_listener_unregister(&container->listener);
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                  vfio_name);
    vfio_dma_space_destroy(&container->space);
}

/* --- for whom --- */

void vfio_container_add_device(VFIOContainer *container, const char *name)
{
    VFIODMASpace *space = &container->space;
    guint n = space->devices ? g_strv_length(space->devices) : 0;

    space->devices = g_renew(char *, space->devices, n + 2);
    space->devices[n] = g_strdup(name);
    space->devices[n + 1] = NULL;
}

void vfio_container_remove_device(VFIOContainer *container, const char *name)
{
    char **entry = container->space.devices;

    while (strcmp(*entry, name) != 0) {
        entry++;
    }
    g_free(*entry);
    do {
        entry[0] = entry[1];
    } while (*entry++);
}
