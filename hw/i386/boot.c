/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a kernel, an initrd and a command line into a machine without
 * firmware (boot.h). This file decides where the initrd goes; the kinds of
 * kernel are in boot-linux.c, boot-pvh.c and boot-multiboot.c, reading and copying
 * in boot-file.c.
 * Nothing of a file is kept in memory: it is read straight into guest RAM at
 * each reset, and may have changed by then.
 */
#include "qemu/osdep.h"

#include "boot.h"
#include "boot-elf.h"
#include "boot-linux.h"
#include "boot-multiboot.h"
#include "boot-plan.h"
#include "boot-pvh.h"
#include "qapi/error.h"

#define HEAD_SIZE BOOT_MULTIBOOT_SEARCH
#define PAGE_SIZE 4096ULL

/* Flat 4 GiB segments; the CPU has already loaded what these describe. */
static const uint64_t boot_gdt[] = {
    0,
    0,
    [X86_BOOT_CS / 8] = 0x00cf9b000000ffffULL,
    [X86_BOOT_DS / 8] = 0x00cf93000000ffffULL,
};

/* The long-mode code segment differs in its L and D bits. */
#define GDT_LONG_MODE_CS 0x00af9b000000ffffULL

static void write_gdt(AddressSpace *as, X86Entry *entry)
{
    uint64_t gdt[ARRAY_SIZE(boot_gdt)];

    memcpy(gdt, boot_gdt, sizeof(gdt));
    if (entry->long_mode) {
        gdt[X86_BOOT_CS / 8] = GDT_LONG_MODE_CS;
    }
    boot_write(as, BOOT_GDT, gdt, sizeof(gdt));
    entry->gdt_base = BOOT_GDT;
    entry->gdt_limit = sizeof(gdt) - 1;
}

/* --- the plan --- */

/* As high as the kernel allows, out of the way of its own unpacking. */
static bool plan_initrd(X86Boot *boot, Error **errp)
{
    uint64_t limit = MIN(boot->map.below_4g, boot->initrd_max + 1);
    uint64_t room = limit > boot->kernel_end ? limit - boot->kernel_end : 0;

    boot->initrd_addr = ROUND_DOWN(limit - boot->initrd.size, PAGE_SIZE);
    if (boot->initrd.size > room || boot->initrd_addr < boot->kernel_end) {
        error_setg(errp, "-initrd %s: is %" PRIu64 " bytes, but between the"
                   " kernel, which ends at 0x%" PRIx64 ", and 0x%" PRIx64
                   " there are only %" PRIu64, boot->initrd.path,
                   boot->initrd.size, boot->kernel_end, limit, room);
        return false;
    }
    return true;
}

static bool open_initrd(X86Boot *boot, const char *initrd, Error **errp)
{
    if (boot->kind == BOOT_MULTIBOOT) {
        return boot_multiboot_plan_modules(boot, initrd, errp);
    }
    return boot_file_open(&boot->initrd, "-initrd", initrd, errp) &&
           plan_initrd(boot, errp);
}

static bool plan_kernel(X86Boot *boot, Error **errp)
{
    uint8_t head[HEAD_SIZE];
    size_t size = MIN(boot->kernel.size, sizeof(head));

    if (!boot_file_read(&boot->kernel, 0, head, size, errp)) {
        return false;
    }
    if (boot_linux_detect(head, size)) {
        return boot_linux_plan(boot, errp);
    }
    /* Xen, for one, is both. */
    if (boot_multiboot_detect(head, size)) {
        return boot_multiboot_plan(boot, head, size, errp);
    }
    if (boot_elf_detect(head, size)) {
        return boot_pvh_plan(boot, errp);
    }
    error_setg(errp, "-kernel %s: is neither a Linux bzImage nor an ELF image nor "
               "a multiboot kernel", boot->kernel.path);
    return false;
}

X86Boot *x86_boot_new(const char *kernel, const char *initrd,
                      const char *cmdline, const X86MemoryMap *map,
                      Error **errp)
{
    g_autoptr(X86Boot) boot = g_new0(X86Boot, 1);

    boot->map = *map;
    boot->kernel.fd = -1;
    boot->initrd.fd = -1;
    boot->cmdline = g_strdup(cmdline ?: "");
    boot->segments = g_array_new(false, false, sizeof(BootSegment));
    boot->modules = g_array_new(false, false, sizeof(BootModule));
    if (strlen(boot->cmdline) >= BOOT_CMDLINE_MAX) {
        error_setg(errp, "-append: %zu characters, at most %d are supported",
                   strlen(boot->cmdline), BOOT_CMDLINE_MAX - 1);
        return NULL;
    }
    if (!boot_file_open(&boot->kernel, "-kernel", kernel, errp) ||
        !plan_kernel(boot, errp)) {
        return NULL;
    }
    if (initrd && !open_initrd(boot, initrd, errp)) {
        return NULL;
    }
    return g_steal_pointer(&boot);
}

void x86_boot_free(X86Boot *boot)
{
    if (!boot) {
        return;
    }
    boot_file_close(&boot->kernel);
    boot_file_close(&boot->initrd);
    for (unsigned i = 0; i < boot->modules->len; i++) {
        BootModule *module = &g_array_index(boot->modules, BootModule, i);

        boot_file_close(&module->file);
        g_free(module->cmdline);
    }
    g_array_unref(boot->modules);
    g_array_unref(boot->segments);
    g_free(boot->cmdline);
    g_free(boot);
}

/* --- loading --- */

bool x86_boot_load(X86Boot *boot, AddressSpace *as, uint64_t rsdp,
                   X86Entry *entry, Error **errp)
{
    for (unsigned i = 0; i < boot->segments->len; i++) {
        const BootSegment *s = &g_array_index(boot->segments, BootSegment, i);

        if (!boot_load(&boot->kernel, s->offset, as, s->addr, s->file_size, errp)) {
            return false;
        }
        address_space_set(as, s->addr + s->file_size, 0,
                          s->mem_size - s->file_size, MEMTXATTRS_UNSPECIFIED);
    }
    if (boot->initrd.path && !boot_load(&boot->initrd, 0, as, boot->initrd_addr,
                                   boot->initrd.size, errp)) {
        return false;
    }
    if (!boot_multiboot_load_modules(boot, as, errp)) {
        return false;
    }
    boot_write(as, BOOT_CMDLINE, boot->cmdline, strlen(boot->cmdline) + 1);
    *entry = (X86Entry) { .rip = boot->entry };
    switch (boot->kind) {
    case BOOT_LINUX:
        boot_linux_write_info(boot, as, rsdp, entry);
        break;
    case BOOT_PVH:
        boot_pvh_write_info(boot, as, rsdp, entry);
        break;
    case BOOT_MULTIBOOT:
        boot_multiboot_write_info(boot, as, entry);
        break;
    }
    write_gdt(as, entry);
    return true;
}
