/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a PC (-bios): a file that is looked at by nobody here, put into
 * ROM that ends at 4 GiB, where a CPU starts, with its last 128 KiB below 1 MiB,
 * too, as long as the host bridge shows PCI there (pam.h).
 */
#ifndef HW_I386_FIRMWARE_H
#define HW_I386_FIRMWARE_H

#include "exec/memory.h"
#include "qemu/units.h"

/* Bytes; files are a multiple of 64 KiB. */
#define X86_FIRMWARE_MAX (8 * MiB)

/* What starts when no -bios says otherwise, and the Debian package with it. */
#define X86_FIRMWARE_DEFAULT "bios-256k.bin"
#define X86_FIRMWARE_PACKAGE "seabios"

/* The file that @name means: a path, or a file in a directory where firmware
 * usually is. NULL: there is none. */
char *x86_firmware_find(const char *name);

typedef struct X86Firmware {
    MemoryRegion rom;
    MemoryRegion shadow;                  /* of its end */
} X86Firmware;

/* Loads the file @path, maps it in @memory, and its end in @pci. false: *errp,
 * which begins with "-bios". */
bool x86_firmware_init(X86Firmware *fw, Object *owner, const char *path,
                       MemoryRegion *memory, MemoryRegion *pci, Error **errp);

#endif
