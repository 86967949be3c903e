/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel for firmware: kernel, initrd and command line as items of the firmware
 * configuration device, where OVMF looks for them by itself and SeaBIOS by an
 * option ROM that is a file there, too (QEMU's linuxboot_dma.bin). The kernel is
 * entered by the 16-bit boot protocol, or as an EFI program.
 *
 * Used by the machine in place of x86_boot_load(). The plan has checked the header.
 */
#include "qemu/osdep.h"

#include "boot.h"
#include "boot-linux.h"
#include "firmware.h"
#include "qapi/error.h"
#include "qemu/datadir.h"
#include "qemu/regular-file.h"

/* Where the option ROM is to put things. */
#define SETUP_ADDR 0x10000
#define CMDLINE_ADDR 0x20000
#define KERNEL_ADDR 0x100000
#define LOADER_ID 0xb0                    /* of QEMU's, in type_of_loader */
#define SETUP_START 0x200                 /* in the setup code: its heap's offsets
                                           * count from there */
#define ROM_MAX (64 * KiB)

/* Item @key, the @size bytes of @file at @offset, and their number, @size_key. */
static bool add_part(FWCfgState *s, const BootFile *file, uint64_t offset,
                     uint64_t size, uint16_t key, uint16_t size_key,
                     Error **errp)
{
    g_autofree uint8_t *bytes = NULL;

    if (size > UINT32_MAX) {
        error_setg(errp, "%s: has more than the %u bytes that firmware can "
                   "read", file->path, UINT32_MAX);
        return false;
    }
    bytes = g_malloc(size);
    if (!boot_file_read(file, offset, bytes, size, errp)) {
        return false;
    }
    fw_cfg_add_bytes(s, key, bytes, size);
    fw_cfg_add_i32(s, size_key, size);
    return true;
}

/* The setup code, whose header says where the rest is. */
static bool add_setup(FWCfgState *s, const X86Boot *boot, uint64_t size,
                      Error **errp)
{
    g_autofree uint8_t *setup = g_malloc(size);
    struct setup_header h = boot->header;

    if (!boot_file_read(&boot->kernel, 0, setup, size, errp)) {
        return false;
    }
    h.type_of_loader = LOADER_ID;
    h.loadflags |= CAN_USE_HEAP;
    h.heap_end_ptr = CMDLINE_ADDR - SETUP_ADDR - SETUP_START;
    h.cmd_line_ptr = CMDLINE_ADDR;
    h.ramdisk_image = boot->initrd_addr;
    h.ramdisk_size = boot->initrd.size;
    memcpy(setup + offsetof(struct boot_params, hdr), &h,
           boot_linux_header_size(&boot->header));
    fw_cfg_add_i32(s, FW_CFG_SETUP_ADDR, SETUP_ADDR);
    fw_cfg_add_i32(s, FW_CFG_SETUP_SIZE, size);
    fw_cfg_add_bytes(s, FW_CFG_SETUP_DATA, setup, size);
    return true;
}

/* What is not there has size 0. */
static bool add_initrd(FWCfgState *s, const X86Boot *boot, Error **errp)
{
    fw_cfg_add_i32(s, FW_CFG_INITRD_ADDR, boot->initrd_addr);
    if (!boot->initrd.path) {
        fw_cfg_add_i32(s, FW_CFG_INITRD_SIZE, 0);
        return true;
    }
    return add_part(s, &boot->initrd, 0, boot->initrd.size, FW_CFG_INITRD_DATA,
                    FW_CFG_INITRD_SIZE, errp);
}

static void add_cmdline(FWCfgState *s, const X86Boot *boot)
{
    size_t size = strlen(boot->cmdline) + 1;

    fw_cfg_add_i32(s, FW_CFG_CMDLINE_ADDR, CMDLINE_ADDR);
    fw_cfg_add_i32(s, FW_CFG_CMDLINE_SIZE, size);
    fw_cfg_add_bytes(s, FW_CFG_CMDLINE_DATA, boot->cmdline, size);
}

bool x86_boot_add_items(const X86Boot *boot, FWCfgState *s, Error **errp)
{
    const BootSegment *kernel = &g_array_index(boot->segments, BootSegment, 0);

    if (boot->kind != BOOT_LINUX) {
        error_setg(errp, "-kernel %s: firmware starts bzImages, and this is an "
                   "ELF image or a multiboot kernel: leave out -bios and pflash0",
                   boot->kernel.path);
        return false;
    }
    fw_cfg_add_i32(s, FW_CFG_KERNEL_ADDR, KERNEL_ADDR);
    add_cmdline(s, boot);
    return add_setup(s, boot, kernel->offset, errp) &&
           add_part(s, &boot->kernel, kernel->offset, kernel->file_size,
                    FW_CFG_KERNEL_DATA, FW_CFG_KERNEL_SIZE, errp) &&
           add_initrd(s, boot, errp);
}

bool x86_boot_add_rom(FWCfgState *s, Error **errp)
{
    g_autofree char *path = qemu_find_file(X86_BOOT_ROM);
    g_autoptr(GBytes) rom = NULL;
    gsize size;
    const void *data;

    if (!path) {
        error_setg(errp, "-kernel by -bios: the option ROM %s is not installed: "
                   "it comes with the package %s", X86_BOOT_ROM,
                   X86_BOOT_ROM_PACKAGE);
        return false;
    }
    rom = regular_file_read(path, ROM_MAX, errp);
    if (!rom) {
        return false;
    }
    data = g_bytes_get_data(rom, &size);
    return fw_cfg_add_file(s, "genroms/" X86_BOOT_ROM, data, size, errp);
}
