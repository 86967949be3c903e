/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flash chip (NOR) with the command set of Intel, CFI 01, one byte wide: what
 * PC firmware keeps itself and its variables in. Reads are of memory; a write is a
 * command, and until the command for reading is given, reads are of a status or a
 * table. What is programmed or erased is in the image before the guest goes on.
 * Big lock held.
 */
#ifndef HW_BLOCK_FLASH_H
#define HW_BLOCK_FLASH_H

#include "exec/memory.h"
#include "hw/qdev-core.h"

/* Its property "drive" names a node of -blockdev or a -drive, whose size, a multiple
 * of FLASH_BLOCK_SIZE, is the chip's. One that is read-only is protected. */
#define TYPE_PFLASH_CFI01 "cfi.pflash01"
OBJECT_DECLARE_SIMPLE_TYPE(PFlashCFI01, PFLASH_CFI01)

#define FLASH_BLOCK_SIZE 4096             /* what is erased at once; bytes */

/* Of a chip that is realized: all of it, to be mapped. */
MemoryRegion *pflash_cfi01_get_memory(PFlashCFI01 *flash);
/* The @size bytes at @offset, for who wants a copy. */
const uint8_t *pflash_cfi01_bytes(PFlashCFI01 *flash, uint64_t offset);

#endif
