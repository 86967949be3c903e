/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO needs of locked memory and DMA mappings: of containers that are
 * there, and of devices that a command line names (exec/memory-needs.h). Only
 * looks.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "needs.h"
#include "qemu/cutils.h"

/* How many mappings the kernel gives a container, and how many unless that module
 * parameter says otherwise; and the pages of any IOMMU of x86. */
#define KERNEL_MAPPINGS_FILE \
    "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
#define KERNEL_MAPPINGS UINT16_MAX
#define KERNEL_PAGE 4096
/* A device has six BARs at most, and one of them has its MSI-X table in its midst,
 * which is not mapped. */
#define BAR_MAPPINGS_MAX 7

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
        needs->bar_mappings += memory_region_is_ram_device(plain->mr);
    }
    QLIST_FOREACH(vrdl, &space->managed, next) {
        needs->locked += locks ? vrdl->mapped : 0;
        needs->locked_max += locks ? vrdl->extent.size : 0;
        needs->mappings += vrdl->mappings;
    }
    needs->locked += space->own;
    needs->locked_max += space->own;
    needs->mappings += space->own_mappings;
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
                     unsigned nr, uint64_t limit, MemoryNeeds *needs)
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
        .bar_mappings = nr * BAR_MAPPINGS_MAX,
        .locked = found.locked,
        .locked_max = found.locked_max,
    };
}

static uint64_t kernel_mappings(void)
{
    g_autofree char *text = NULL;
    uint64_t limit;

    if (g_file_get_contents(KERNEL_MAPPINGS_FILE, &text, NULL, NULL) &&
        !qemu_strtou64(g_strchomp(text), NULL, 10, &limit)) {
        return limit;
    }
    return KERNEL_MAPPINGS;
}

static void forecast_kernel(AddressSpace *as, unsigned nr, MemoryNeeds *needs)
{
    static const VFIOIOMMUBackendClass ops = { .name = "type1" };

    forecast(as, &ops, nr, kernel_mappings(), needs);
}

/* Its limit is what the server says. */
static void forecast_user(AddressSpace *as, unsigned nr, MemoryNeeds *needs)
{
    static const VFIOIOMMUBackendClass ops = {
        .name = "vfio-user", .by_offset = true,
    };

    forecast(as, &ops, nr, 0, needs);
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
