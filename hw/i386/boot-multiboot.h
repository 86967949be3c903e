/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot kernels, and the modules that -initrd names; for boot.c.
 */
#ifndef HW_I386_BOOT_MULTIBOOT_H
#define HW_I386_BOOT_MULTIBOOT_H

#include "boot-plan.h"
#include "target/i386/cpu.h"

/* A header is within so many bytes. */
#define BOOT_MULTIBOOT_SEARCH 8192

/* Whether a file with @head, its first @size bytes, is one; an ELF image of 64 bits
 * only if the header says itself what is loaded. */
bool boot_multiboot_detect(const uint8_t *head, size_t size);
/* The plan for it: segments, entry, kernel_start, kernel_end, cmdline. */
bool boot_multiboot_plan(X86Boot *boot, const uint8_t *head, size_t size,
                         Error **errp);
/* Opens the modules, "FILE ARGUMENTS,FILE ARGUMENTS...", and places them. */
bool boot_multiboot_plan_modules(X86Boot *boot, const char *list, Error **errp);
/* Copies them to the guest. */
bool boot_multiboot_load_modules(const X86Boot *boot, AddressSpace *as,
                                 Error **errp);
/* Writes what the kernel finds besides itself; fills in *entry. */
void boot_multiboot_write_info(const X86Boot *boot, AddressSpace *as,
                               X86Entry *entry);

#endif
