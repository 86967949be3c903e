/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a q35 machine has its boot RAM (q35-memory.h). What the map is made of is
 * memory-map.c's business, what hides parts of the first MiB is pam.c's.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "exec/address-spaces.h"
#include "hw/mem/memory-device.h"
#include "pam.h"
#include "q35-memory.h"
#include "sysemu/kvm-x86.h"

#define QTEST_PHYS_BITS 46
#define HUGE_PAGE (2 * MiB)

static void map_part(MemoryRegion *alias, MachineState *ms, const char *name,
                     uint64_t base, uint64_t offset, uint64_t size)
{
    memory_region_init_alias(alias, OBJECT(ms), name, ms->ram, offset, size);
    memory_region_add_subregion(get_system_memory(), base, alias);
}

/*
 * Firmware changes what is seen of the first MiB a few times. The rest is kept a
 * section of its own, lest all RAM be unmapped, unpinned and pinned again.
 */
static void map_low_ram(Q35Memory *mem, MachineState *ms, uint64_t size,
                        bool firmware)
{
    uint64_t rest = firmware ? MiB : 0;

    memory_region_transaction_begin();
    if (rest) {
        map_part(&mem->below_pam, ms, "ram-below-pam", 0, 0, PAM_AREA_BASE);
    }
    if (size > rest) {
        map_part(&mem->below_4g, ms, "ram-below-4g", rest, rest, size - rest);
        memory_region_set_unmergeable(&mem->below_4g, rest != 0);
    }
    memory_region_transaction_commit();
}

/*
 * Firmware's first MiB and what follows it are different slots of KVM's, which maps no
 * huge page across slots. The host should have none there either, or it would back
 * 2 MiB for the little that firmware uses. Advice: where memory is in huge pages in
 * any case, it stays so.
 */
static void advise_small_pages(void)
{
    MemoryRegionSection low = memory_region_find(get_system_memory(), 0,
                                                 PAM_AREA_BASE);
    MemoryRegion *ram = low.mr;
    uint64_t offset = low.offset_within_region;

    madvise((uint8_t *)memory_region_get_ram_ptr(ram) + offset,
            MIN(HUGE_PAGE, memory_region_size(ram) - offset), MADV_NOHUGEPAGE);
    memory_region_unref(ram);
}

void q35_memory_init(Q35Memory *mem, MachineState *ms, X86MemoryMap *map,
                     bool firmware)
{
    unsigned phys_bits = kvm_enabled() ? kvm_x86_phys_bits(kvm_state)
                                       : QTEST_PHYS_BITS;

    if (ms->ram_size < MiB) {
        error_setg(&error_fatal, "-m: %" PRIu64 " bytes are too little, 1M is"
                   " the least", ms->ram_size);
    }
    x86_memory_map_init(map, ms->ram_size, ms->maxram_size, ms->ram_slots,
                        phys_bits, &error_fatal);
    map_low_ram(mem, ms, map->below_4g, firmware);
    if (firmware) {
        advise_small_pages();
    }
    if (map->above_4g) {
        map_part(&mem->above_4g, ms, "ram-above-4g", 4 * GiB, map->below_4g,
                 map->above_4g);
    }
    if (map->device_size) {
        machine_memory_devices_init(ms, map->device_base, map->device_size);
    }
}
