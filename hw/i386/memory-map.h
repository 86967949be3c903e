/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are in the guest-physical address space of a q35 machine, and
 * what of it the guest is told in the e820 map. Pure computation: knows no
 * device and touches no guest memory. The machine computes one map when it is
 * created; boot loading, ACPI tables and PCI set-up read it.
 *
 *   0            RAM, one flat range without holes: below_4g bytes
 *   0xb0000000   PCI configuration space by memory (MMCONFIG), 256 buses
 *   0xc0000000   PCI memory below 4 GiB
 *   0xfec00000   IOAPIC; 0xfee00000 local APICs and MSI
 *   0xfeffc000   pages that KVM needs for itself on Intel, reserved
 *   0xff000000   firmware, which ends at 4 GiB
 *   4 GiB        the rest of RAM: above_4g bytes
 *   ...          device memory, aligned to 1 GiB (virtio-mem and the like)
 *   ...          PCI memory above 4 GiB, aligned to 1 GiB
 */
#ifndef HW_I386_MEMORY_MAP_H
#define HW_I386_MEMORY_MAP_H

#include "qapi/error.h"
#include "qemu/units.h"

#define X86_MMCONFIG_BASE 0xb0000000ULL
#define X86_MMCONFIG_SIZE (256 * MiB)
#define X86_PCI32_BASE 0xc0000000ULL
#define X86_PCI32_END 0xfec00000ULL
#define X86_IOAPIC_BASE 0xfec00000ULL
#define X86_LAPIC_BASE 0xfee00000ULL
#define X86_LAPIC_SIZE MiB

/* Low memory that the guest may use ends here; then firmware's, up to 1 MiB. */
#define X86_LOW_RAM_END 0x9fc00ULL
#define X86_ACPI_BASE 0xe0000ULL
#define X86_ACPI_SIZE (128 * KiB)

/* All sizes in bytes, all ends exclusive. */
typedef struct X86MemoryMap {
    uint64_t below_4g;
    uint64_t above_4g;                    /* 0: all RAM is below */
    uint64_t device_base;
    uint64_t device_size;                 /* 0: no device memory */
    uint64_t pci64_base;
    uint64_t pci64_end;
} X86MemoryMap;

/*
 * Places @ram_size bytes of RAM and device memory of @maxram_size - @ram_size,
 * with room to align each of @ram_slots memory devices. Fails if that, with a
 * PCI window of at least 1 GiB, is more than @phys_bits address bits can reach.
 */
bool x86_memory_map_init(X86MemoryMap *map, uint64_t ram_size,
                         uint64_t maxram_size, uint64_t ram_slots,
                         unsigned phys_bits, Error **errp);

struct boot_e820_entry;

/* What x86_e820_build() needs at most. */
#define X86_E820_MAX 8

/*
 * Writes the e820 map, ascending and without overlaps, into @table of
 * X86_E820_MAX entries; their number. Device memory is not in it: the guest
 * learns of it from its device and from the SRAT.
 */
unsigned x86_e820_build(const X86MemoryMap *map, struct boot_e820_entry *table);
/* The same for firmware, which itself reserves what it has below 1 MiB. */
unsigned x86_e820_build_for_firmware(const X86MemoryMap *map,
                                     struct boot_e820_entry *table);

#endif
