/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: what firmware, an operating system and
 * test programs are told of the machine, as items with 16-bit keys and as files
 * with names. The keys and structures are <linux/qemu_fw_cfg.h>'s.
 *
 * The guest selects an item by a 16-bit write to port 0x510 and reads its bytes
 * at 0x511, or has them copied by DMA (ports 0x514 to 0x51b): the address of a
 * struct fw_cfg_dma_access. Reading beyond an item, or one that is not there,
 * gives zeros. An item is read only unless it was added as writable.
 *
 * The board makes one and fills it in before the guest runs. Big lock held.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include <linux/qemu_fw_cfg.h>

#include "hw/qdev-core.h"

#define TYPE_FW_CFG "fw_cfg_io"
OBJECT_DECLARE_SIMPLE_TYPE(FWCfgState, FW_CFG)

#define FW_CFG_IO_BASE 0x510
#define FW_CFG_IO_SIZE 12                 /* with the DMA interface */
/* There may be so many files. */
#define FW_CFG_FILE_SLOTS 64
/* By DMA, so many zeros at most are read from beyond an item; bytes. */
#define FW_CFG_DMA_BEYOND_MAX MiB

/* The machine's device; NULL: it has none. */
FWCfgState *fw_cfg_find(void);

/* Adds item @key; @data is copied. Before the guest runs, once per key. */
void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data,
                      size_t len);
/* The same of a little-endian number. */
void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value);
void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value);
void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value);

/*
 * Adds file @name of the @len bytes @data, which are copied. false: *errp: the
 * name is none, too long or taken, the contents are 4 GiB or more, or there are
 * too many files.
 */
bool fw_cfg_add_file(FWCfgState *s, const char *name, const void *data,
                     size_t len, Error **errp);
/* Replaces the contents of @name, which was added by fw_cfg_add_file(), by the
 * @len bytes @data, which are copied. The guest sees it when it next looks. */
void fw_cfg_modify_file(FWCfgState *s, const char *name, const void *data,
                        size_t len);
/*
 * As fw_cfg_add_file(), of a file that the guest can write. The @len bytes at @data stay the
 * caller's, live as long as the device, and change at any time; @written is
 * called after each change. What the guest writes is not to be trusted.
 */
typedef void FWCfgWritten(void *opaque);
bool fw_cfg_add_writable_file(FWCfgState *s, const char *name, void *data,
                              size_t len, FWCfgWritten *written, void *opaque,
                              Error **errp);

#endif
