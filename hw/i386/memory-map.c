/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest-physical layout of a q35 machine (memory-map.h). Used by the
 * machine when it is created; must never look at guest memory or devices, so
 * that it can be tested by itself.
 */
#include "qemu/osdep.h"

#include <asm/bootparam.h>

#include "memory-map.h"
#include "sysemu/kvm-x86.h"
#include "qemu/units.h"

#define E820_RAM 1
#define E820_RESERVED 2

/*
 * RAM that ends before MMCONFIG stays in one piece. More than that is split at
 * 2 GiB, which keeps the part above 4 GiB aligned for huge pages.
 */
#define LOW_RAM_MAX X86_MMCONFIG_BASE
#define LOW_RAM_SPLIT (2 * GiB)
#define HIGH_RAM_BASE (4 * GiB)

#define PCI64_MIN_SIZE GiB
/* Enough for any BAR; more would only cost the guest page tables. */
#define PCI64_MAX_SIZE TiB

/* *value = @base + @size, rounded up to 1 GiB; false: more than 64 bits. */
static bool place(uint64_t base, uint64_t size, uint64_t *value)
{
    uint64_t end;

    if (__builtin_add_overflow(base, size, &end) ||
        __builtin_add_overflow(end, GiB - 1, &end)) {
        return false;
    }
    *value = ROUND_DOWN(end, GiB);
    return true;
}

/* Device memory, with 1 GiB more per slot to align devices; false: too big. */
static bool place_device_memory(X86MemoryMap *map, uint64_t maxram_size,
                                uint64_t ram_slots)
{
    uint64_t device_size = maxram_size - map->below_4g - map->above_4g;
    uint64_t slack;

    if (!place(HIGH_RAM_BASE, map->above_4g, &map->device_base)) {
        return false;
    }
    if (device_size &&
        (__builtin_mul_overflow(ram_slots, GiB, &slack) ||
         __builtin_add_overflow(device_size, slack, &device_size))) {
        return false;
    }
    map->device_size = device_size;
    return true;
}

bool x86_memory_map_init(X86MemoryMap *map, uint64_t ram_size,
                         uint64_t maxram_size, uint64_t ram_slots,
                         unsigned phys_bits, Error **errp)
{
    uint64_t limit = phys_bits < 64 ? 1ULL << phys_bits : UINT64_MAX;
    uint64_t end;

    g_assert(maxram_size >= ram_size);
    map->below_4g = ram_size <= LOW_RAM_MAX ? ram_size : LOW_RAM_SPLIT;
    map->above_4g = ram_size - map->below_4g;

    if (!place_device_memory(map, maxram_size, ram_slots) ||
        !place(map->device_base, map->device_size, &map->pci64_base) ||
        !place(map->pci64_base, PCI64_MIN_SIZE, &end) || end > limit) {
        error_setg(errp, "-m: RAM, device memory and PCI memory need more than"
                   " the %u physical address bits of the CPU; maxmem is 0x%"
                   PRIx64 " with %" PRIu64 " slots, all must end below 0x%"
                   PRIx64, phys_bits, maxram_size, ram_slots, limit);
        return false;
    }
    map->pci64_end = MIN(limit, map->pci64_base + PCI64_MAX_SIZE);
    return true;
}

/* Copies those of @all that are not empty; their number. */
static unsigned copy_entries(const struct boot_e820_entry *all, size_t n,
                             struct boot_e820_entry *table)
{
    unsigned kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (all[i].size) {
            table[kept++] = all[i];
        }
    }
    return kept;
}

unsigned x86_e820_build(const X86MemoryMap *map, struct boot_e820_entry *table)
{
    const struct boot_e820_entry all[X86_E820_MAX] = {
        { 0, MIN(map->below_4g, X86_LOW_RAM_END), E820_RAM },
        { X86_LOW_RAM_END, MiB - X86_LOW_RAM_END, E820_RESERVED },
        { MiB, map->below_4g > MiB ? map->below_4g - MiB : 0, E820_RAM },
        { X86_MMCONFIG_BASE, X86_MMCONFIG_SIZE, E820_RESERVED },
        { KVM_X86_IDENTITY_BASE, KVM_X86_PAGES_SIZE, E820_RESERVED },
        { HIGH_RAM_BASE, map->above_4g, E820_RAM },
    };

    return copy_entries(all, ARRAY_SIZE(all), table);
}

unsigned x86_e820_build_for_firmware(const X86MemoryMap *map,
                                     struct boot_e820_entry *table)
{
    const struct boot_e820_entry all[X86_E820_MAX] = {
        { 0, map->below_4g, E820_RAM },
        { KVM_X86_IDENTITY_BASE, KVM_X86_PAGES_SIZE, E820_RESERVED },
        { HIGH_RAM_BASE, map->above_4g, E820_RAM },
    };

    return copy_entries(all, ARRAY_SIZE(all), table);
}
