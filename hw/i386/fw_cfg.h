/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC says in its firmware configuration device (hw/nvram/fw_cfg.h): the
 * items that firmware for QEMU's q35 reads, and the files of -fw_cfg.
 */
#ifndef HW_I386_FW_CFG_H
#define HW_I386_FW_CFG_H

#include "hw/boards.h"
#include "hw/nvram/fw_cfg.h"
#include "memory-map.h"

/* Keys of PCs alone. */
#define FW_CFG_IRQ0_OVERRIDE (FW_CFG_ARCH_LOCAL + 2)
/* Empty until the machine sets it; with firmware only. */
#define BOOT_ORDER_FILE "bootorder"

/* What there is to be told; borrowed during the call. */
typedef struct X86FWCfg {
    const MachineState *machine;
    const X86MemoryMap *map;
    const uint8_t *apic_ids;              /* of each CPU */
    unsigned apic_id_limit;               /* all that are possible are below */
    bool firmware;                        /* which wants more than a guest */
} X86FWCfg;

/* Adds all of it to @s. false: *errp: a file of -fw_cfg is not possible. */
bool x86_fw_cfg_fill(FWCfgState *s, const X86FWCfg *config, Error **errp);

#endif
