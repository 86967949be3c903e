/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux bzImage, by the 64-bit boot protocol; for boot.c.
 */
#ifndef HW_I386_BOOT_LINUX_H
#define HW_I386_BOOT_LINUX_H

#include "boot-plan.h"
#include "target/i386/cpu.h"

/* Whether a file with @head, its first @size bytes, is one. */
bool boot_linux_detect(const uint8_t *head, size_t size);
/* How much of a header there is, as it states itself; bytes. */
size_t boot_linux_header_size(const struct setup_header *h);
/* The plan for it: segments, entry, kernel_start, kernel_end, initrd_max. */
bool boot_linux_plan(X86Boot *boot, Error **errp);
/* Writes what the kernel finds besides itself; fills in *entry. */
void boot_linux_write_info(const X86Boot *boot, AddressSpace *as,
                           uint64_t rsdp, X86Entry *entry);

#endif
