/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO needs of locked memory and DMA mappings: of containers that are
 * there, and of devices that a command line names (exec/memory-needs.h). Only
 * looks.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "needs.h"

/* What a kernel allows unless a module parameter says otherwise, and the pages
 * of any IOMMU of x86. */
#define KERNEL_MAPPINGS UINT16_MAX
#define KERNEL_PAGE 4096

void vfio_needs_get(VFIODMASpace *space, MemoryNeeds *needs)
{
    const VFIORamDiscardListener *vrdl;
    const VFIOPlainSection *plain;
    bool locks = space->ops->memlock;

    QLIST_FOREACH(plain, &space->plain, next) {
        if (locks && !memory_region_is_ram_device(plain->mr)) {
            needs->locked += plain->size;
            needs->locked_max += plain->size;
        }
        needs->mappings++;
    }
    QLIST_FOREACH(vrdl, &space->managed, next) {
        needs->locked += locks ? vrdl->mapped : 0;
        needs->locked_max += locks ? vrdl->extent.size : 0;
        needs->mappings += vrdl->mappings;
    }
    needs->kind = space->ops->name;
    if (!vfio_budget_memlock(space, &needs->lock_used, &needs->lock_limit)) {
        needs->lock_limit = 0;
    }
    needs->mappings_max = vfio_budget_space_mappings(space);
    needs->mappings_limit = space->info.dma_max_mappings;
    needs->counted = space->ops->mappings_left &&
                     space->ops->mappings_left(space, &needs->mappings_left);
}

/* --- devices that are not there yet --- */

static void forecast(AddressSpace *as, const VFIOIOMMUBackendClass *ops,
                     uint64_t limit, MemoryNeeds *needs)
{
    const VFIOIOMMUInfo info = {
        .pgsizes = KERNEL_PAGE, .dma_max_mappings = limit,
    };
    VFIOBudgetForecast found;
    VFIODMASpace space;

    vfio_dma_space_init(&space, ops, &info);
    vfio_budget_forecast(&space, as, &found);
    vfio_dma_space_destroy(&space);
    *needs = (MemoryNeeds) {
        .kind = ops->name,
        .mappings = found.mappings,
        .mappings_max = found.mappings_max,
        .mappings_limit = limit,
        .locked = found.locked,
        .locked_max = found.locked_max,
    };
}

static void forecast_kernel(AddressSpace *as, MemoryNeeds *needs)
{
    static const VFIOIOMMUBackendClass ops = { .name = "type1" };

    forecast(as, &ops, KERNEL_MAPPINGS, needs);
}

/* Its limit is what the server says. */
static void forecast_user(AddressSpace *as, MemoryNeeds *needs)
{
    static const VFIOIOMMUBackendClass ops = {
        .name = "vfio-user", .by_offset = true,
    };

    forecast(as, &ops, 0, needs);
    needs->locked = needs->locked_max = 0;
}

static void vfio_needs_init(void)
{
    static MemoryForecast forecasts[] = {
        { .driver = "vfio-pci", .shared = true, .get_needs = forecast_kernel },
        { .driver = "vfio-user-pci", .get_needs = forecast_user },
    };

    for (size_t i = 0; i < ARRAY_SIZE(forecasts); i++) {
        memory_forecast_register(&forecasts[i]);
    }
}
type_init(vfio_needs_init)
