/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is seen from 768 KiB to 1 MiB: 13 segments, each either RAM or what PCI
 * has there, which is the firmware's ROM at its end. Firmware copies itself from
 * one to the other and says so in the host bridge's registers PAM0 to PAM6
 * (Intel 316966, 5.1). Without firmware there is RAM only, and none of this.
 *
 * Two bits a segment: reads go to RAM, writes go to RAM. Writes alone are not
 * possible here: then all goes to PCI.
 */
#ifndef HW_I386_PAM_H
#define HW_I386_PAM_H

#include "exec/memory.h"

#define PAM_REGISTERS 7
/* PAM0 has one segment, in its upper half. */
#define PAM_MASK(reg) ((reg) == 0 ? 0x30 : 0x33)
#define PAM_SEGMENTS 13
#define PAM_AREA_BASE 0xc0000

typedef struct PAMState {
    MemoryRegion segments[PAM_SEGMENTS];  /* of RAM, over what PCI has there */
} PAMState;

/* Puts the segments, which are @owner's, into @memory: parts of @ram at the same
 * addresses, none of which is seen yet. */
void pam_init(PAMState *pam, Object *owner, MemoryRegion *memory,
              MemoryRegion *ram);
/* Shows what PAM0 and those after it, at @registers, say. Big lock held. */
void pam_update(PAMState *pam, const uint8_t *registers);

#endif
