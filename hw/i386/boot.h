/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Booting without firmware: a kernel, perhaps an initrd and a command line are
 * put into RAM with what the kernel expects to find there, and the first CPU
 * starts right in the kernel.
 *
 * Three kinds of kernel: a Linux bzImage, by the 64-bit boot protocol
 * (Documentation/arch/x86/boot.rst of Linux); an ELF image with a PVH entry
 * point (docs/misc/pvh.pandoc of Xen), such as a vmlinux; and a multiboot kernel,
 * for which @initrd is a list of modules, "FILE ARGUMENTS,FILE ARGUMENTS".
 *
 * x86_boot_new() opens and checks everything and decides where it goes; a file
 * is not to be trusted. x86_boot_load() is called at each system reset and
 * copies from the files, which stay open, so nothing is kept in memory.
 */
#ifndef HW_I386_BOOT_H
#define HW_I386_BOOT_H

#include "hw/nvram/fw_cfg.h"
#include "memory-map.h"
#include "target/i386/cpu.h"

typedef struct X86Boot X86Boot;

/*
 * Opens @kernel and @initrd (NULL: none) and plans for RAM as in @map, which
 * is copied, as is @cmdline (NULL: empty). Messages name what would work.
 */
X86Boot *x86_boot_new(const char *kernel, const char *initrd,
                      const char *cmdline, const X86MemoryMap *map,
                      Error **errp);
/* Closes the files. @boot may be NULL. */
void x86_boot_free(X86Boot *boot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X86Boot, x86_boot_free)

/*
 * Writes all of it into @as; *entry tells how to start. @rsdp: where the ACPI
 * tables are. Fails if a file can no longer be read as it was.
 */
bool x86_boot_load(X86Boot *boot, AddressSpace *as, uint64_t rsdp,
                   X86Entry *entry, Error **errp);

/* boot-fw_cfg.c: instead of loading it, gives all of it to firmware, once. */
bool x86_boot_add_items(const X86Boot *boot, FWCfgState *s, Error **errp);

/* The option ROM with which SeaBIOS boots that: who has it, and what firmware calls
 * it where it lists what to boot from. */
#define X86_BOOT_ROM "linuxboot_dma.bin"
#define X86_BOOT_ROM_PACKAGE "qemu-system-data"
#define X86_BOOT_ROM_PATH "/rom@genroms/" X86_BOOT_ROM
bool x86_boot_add_rom(FWCfgState *s, Error **errp);

#endif
