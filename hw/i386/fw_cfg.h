/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: numbered items that a guest reads byte by
 * byte. Select by a 16-bit write to port 0x510, read at 0x511. There is no
 * firmware here; test programs and guests learn sizes from it. Big lock held.
 */
#ifndef HW_I386_FW_CFG_H
#define HW_I386_FW_CFG_H

#include "hw/qdev-core.h"

#define TYPE_FW_CFG "fw_cfg_io"
OBJECT_DECLARE_SIMPLE_TYPE(FWCfgState, FW_CFG)

#define FW_CFG_IO_BASE 0x510

#define FW_CFG_SIGNATURE 0x00
#define FW_CFG_ID 0x01
#define FW_CFG_UUID 0x02
#define FW_CFG_RAM_SIZE 0x03
#define FW_CFG_NB_CPUS 0x05
#define FW_CFG_MAX_CPUS 0x0f
#define FW_CFG_FILE_DIR 0x19

/* Adds item @key; @data is copied. Before the guest runs, once per key. */
void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data,
                      size_t len);
void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value);
void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value);

#endif
