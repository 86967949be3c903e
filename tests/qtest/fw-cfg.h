/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's driver of the firmware configuration device of a PC. */
#ifndef QTEST_FW_CFG_H
#define QTEST_FW_CFG_H

#include <linux/qemu_fw_cfg.h>

#include "libqtest.h"

#define QFW_CFG_SELECTOR 0x510
#define QFW_CFG_DATA 0x511
#define QFW_CFG_DMA 0x514

/* The first @n bytes of item @key, by the data port. */
void qfw_cfg_read(QTestState *s, uint16_t key, void *data, size_t n);
/* The first @n bytes of it as a little-endian number. */
uint64_t qfw_cfg_read_le(QTestState *s, uint16_t key, unsigned n);
/* The key of file @name, and its size; 0: there is none. */
uint16_t qfw_cfg_find_file(QTestState *s, const char *name, uint32_t *size);
/* All of file @name, g_byte_array_unref(); NULL: there is none. */
GByteArray *qfw_cfg_read_file(QTestState *s, const char *name);

/* Has a transfer done whose description is at @at, in RAM; what the device has
 * left in its control field, 0 or FW_CFG_DMA_CTL_ERROR. */
uint32_t qfw_cfg_dma(QTestState *s, uint64_t at, uint32_t control,
                     uint32_t length, uint64_t address);

#endif
