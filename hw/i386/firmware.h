/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a PC, looked at by nobody here: a file in ROM (-bios), or one or
 * two flash chips that keep what is written. It ends at 4 GiB, where a CPU starts,
 * with its last 128 KiB below 1 MiB, too, as long as the host bridge shows PCI
 * there (pam.h).
 */
#ifndef HW_I386_FIRMWARE_H
#define HW_I386_FIRMWARE_H

#include "hw/block/flash.h"
#include "qemu/units.h"

/* Bytes, of both chips together, too; files of -bios are a multiple of 64 KiB. */
#define X86_FIRMWARE_MAX (8 * MiB)
#define X86_FLASH_CHIPS 2

/* What starts when no -bios says otherwise, and the Debian package with it. */
#define X86_FIRMWARE_DEFAULT "bios-256k.bin"
#define X86_FIRMWARE_PACKAGE "seabios"

typedef struct X86Firmware {
    MemoryRegion rom;
    MemoryRegion shadow;                  /* of its end; of flash: a copy */
} X86Firmware;

/* Loads the file @path, maps it in @memory, and its end in @pci. false: *errp,
 * which begins with "-bios". */
bool x86_firmware_init(X86Firmware *fw, Object *owner, const char *path,
                       MemoryRegion *memory, MemoryRegion *pci, Error **errp);

/* The same of chips, which @owner keeps: their images are called @drives, the first
 * one's ends at 4 GiB, the other's (NULL: none) is below it. */
bool x86_firmware_init_flash(X86Firmware *fw, Object *owner,
                             char *const drives[X86_FLASH_CHIPS],
                             MemoryRegion *memory, MemoryRegion *pci,
                             Error **errp);

#endif
