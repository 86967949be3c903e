/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF kernel with a PVH entry point; for boot.c.
 */
#ifndef HW_I386_BOOT_PVH_H
#define HW_I386_BOOT_PVH_H

#include "boot-plan.h"
#include "target/i386/cpu.h"

/* The plan for an ELF image: segments, entry, kernel_start, kernel_end, initrd_max. */
bool boot_pvh_plan(X86Boot *boot, Error **errp);
/* Writes what the kernel finds besides itself; fills in *entry. */
void boot_pvh_write_info(const X86Boot *boot, AddressSpace *as, uint64_t rsdp,
                         X86Entry *entry);

#endif
