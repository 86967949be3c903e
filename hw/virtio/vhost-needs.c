/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhost back ends need: slots, one for each region of memory that they are
 * given (vhost-table.h says what is done when these are short). It only looks, also
 * for devices that a command line names (exec/memory-needs.h). How many slots a back
 * end has, it tells when it is connected.
 */
#include "qemu/osdep.h"

#include "exec/ram-discard.h"
#include "vhost-needs.h"

/* ROM is not written by devices, and the memory of another device is out of a
 * back end's reach. */
bool vhost_wants_section(const MemoryRegionSection *section)
{
    MemoryRegion *mr = section->mr;

    return memory_region_is_ram(mr) && !memory_region_is_ram_device(mr) &&
           !section->readonly && !memory_region_is_rom(mr);
}

/* One for each run; a run ends where a block is not plugged. */
uint64_t vhost_slots_max(const MemoryRegion *mr, uint64_t size)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);
    uint64_t granule = rdm ? ram_discard_mgr_get_min_granularity(rdm, mr) : 0;

    return granule ? DIV_ROUND_UP(DIV_ROUND_UP(size, granule), 2) : 1;
}

static int add_section(const MemoryRegionSection *section, void *opaque)
{
    MemoryNeeds *needs = opaque;

    if (vhost_wants_section(section)) {
        needs->slots += !memory_region_has_ram_discard_mgr(section->mr);
        needs->slots_max += vhost_slots_max(section->mr,
                                            int128_get64(section->size));
    }
    return 0;
}

static void forecast(AddressSpace *as, const char *kind, MemoryNeeds *needs)
{
    *needs = (MemoryNeeds) { .kind = kind };
    address_space_foreach_section(as, add_section, needs);
}

static void forecast_user(AddressSpace *as, unsigned nr, MemoryNeeds *needs)
{
    forecast(as, "vhost-user", needs);
}

static void forecast_kernel(AddressSpace *as, unsigned nr, MemoryNeeds *needs)
{
    forecast(as, "vhost", needs);
}

static void vhost_needs_init(void)
{
    static MemoryForecast forecasts[] = {
        { .driver = "vhost-user-blk-pci", .get_needs = forecast_user },
        { .driver = "vhost-user-blk-pci-non-transitional",
          .get_needs = forecast_user },
        { .driver = "vhost-user-fs-pci", .get_needs = forecast_user },
        { .driver = "vhost-user-fs-pci-non-transitional",
          .get_needs = forecast_user },
        { .driver = "netdev-vhost-user", .get_needs = forecast_user },
        { .driver = "netdev-vhost", .get_needs = forecast_kernel },
        { .driver = "vhost-vsock-pci", .get_needs = forecast_kernel },
        { .driver = "vhost-vsock-pci-non-transitional",
          .get_needs = forecast_kernel },
    };

    for (size_t i = 0; i < ARRAY_SIZE(forecasts); i++) {
        memory_forecast_register(&forecasts[i]);
    }
}
type_init(vhost_needs_init)
