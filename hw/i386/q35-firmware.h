/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which firmware a q35 machine starts, if any, and what that is told: for q35.c.
 * Functions without an Error ** end the program if they cannot, by &error_fatal,
 * as the board's init does.
 */
#ifndef HW_I386_Q35_FIRMWARE_H
#define HW_I386_Q35_FIRMWARE_H

#include "boot.h"
#include "firmware.h"
#include "hw/boards.h"
#include "hw/pci/pci_bus.h"

typedef struct Q35Firmware {
    char *flash_drives[X86_FLASH_CHIPS];  /* properties of the machine */
    bool present;                         /* once it is chosen */
    char *path;                           /* NULL: it is in flash */
    X86Firmware mapped;
    bool has_boot_rom;                    /* which boots -kernel */
} Q35Firmware;

/* The property pflash@n, "" for none; false: *errp, it is set. */
bool q35_firmware_set_flash(Q35Firmware *fw, unsigned n, const char *drive,
                            Error **errp);
/* Decides, from the command line: fills in all that is above `mapped`. */
void q35_firmware_choose(Q35Firmware *fw, const MachineState *ms);
/* Maps it; the shadow of its end is in @pci. */
void q35_firmware_map(Q35Firmware *fw, Object *owner, MemoryRegion *pci);
/* Has it start @boot. */
void q35_firmware_add_kernel(Q35Firmware *fw, const X86Boot *boot,
                             FWCfgState *s);
/* At each reset: what follows from the devices that there are now, and @order, the
 * kinds to boot from. */
void q35_firmware_inform(const Q35Firmware *fw, FWCfgState *s, PCIBus *bus,
                         const char *order, bool strict,
                         const GByteArray *tables, uint64_t rsdp);
void q35_firmware_free(Q35Firmware *fw);

#endif
