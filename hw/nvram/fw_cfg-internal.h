/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the firmware configuration device. */
#ifndef HW_NVRAM_FW_CFG_INTERNAL_H
#define HW_NVRAM_FW_CFG_INTERNAL_H

#include "exec/memory.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/sysbus.h"

typedef struct FWCfgItem {
    uint32_t size;                        /* bytes */
    uint8_t *data;                        /* writable: somebody else's */
    FWCfgWritten *written;                /* NULL: read only */
    void *opaque;
} FWCfgItem;

struct FWCfgState {
    SysBusDevice parent_obj;

    uint16_t selected;
    uint32_t offset;                      /* of the next byte of the item */
    uint64_t dma_addr;                    /* what is written of it so far */

    GHashTable *items;                    /* key -> FWCfgItem */
    unsigned nr_files;
    MemoryRegion io;
    MemoryRegion dma_io;
};

/* fw_cfg.c */
void fw_cfg_select(FWCfgState *s, uint16_t key);
/* The selected item; NULL: there is none. */
FWCfgItem *fw_cfg_selected_item(FWCfgState *s);

/* fw_cfg-items.c */
void fw_cfg_items_init(FWCfgState *s);
void fw_cfg_items_free(FWCfgState *s);

/* fw_cfg-dma.c */
extern const MemoryRegionOps fw_cfg_dma_ops;

#endif
