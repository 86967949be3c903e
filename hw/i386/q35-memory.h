/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot RAM of a q35 machine, where its memory map says, and room for what is plugged. */
#ifndef HW_I386_Q35_MEMORY_H
#define HW_I386_Q35_MEMORY_H

#include "hw/boards.h"
#include "memory-map.h"

typedef struct Q35Memory {
    MemoryRegion below_4g;
    MemoryRegion below_pam;               /* with firmware: the beginning of it */
    MemoryRegion above_4g;
} Q35Memory;

/* Computes @map, and maps the machine's RAM and its device memory by it; ends the
 * program if they do not fit. @firmware: the PAM registers will be there. */
void q35_memory_init(Q35Memory *mem, MachineState *ms, X86MemoryMap *map,
                     bool firmware);

#endif
