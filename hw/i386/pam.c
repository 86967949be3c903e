/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The segments between 768 KiB and 1 MiB (pam.h). The host bridge has them,
 * and calls pam_update() when its registers change.
 */
#include "qemu/osdep.h"

#include "pam.h"
#include "qemu/units.h"

#define SEGMENT_SIZE (16 * KiB)
#define LAST_SEGMENT (PAM_SEGMENTS - 1)   /* PAM0's, at 0xf0000 */
#define LAST_SEGMENT_SIZE (64 * KiB)

#define READ_RAM 0x1
#define WRITE_RAM 0x2

/* PAM1 has the first two, the lower one in its lower half, and so on. */
static unsigned segment_mode(const uint8_t *registers, unsigned n)
{
    if (n == LAST_SEGMENT) {
        return registers[0] >> 4;
    }
    return registers[1 + n / 2] >> (n % 2 ? 4 : 0);
}

void pam_update(PAMState *pam, const uint8_t *registers)
{
    memory_region_transaction_begin();
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        unsigned mode = segment_mode(registers, n);

        memory_region_set_readonly(&pam->segments[n], !(mode & WRITE_RAM));
        memory_region_set_enabled(&pam->segments[n], mode & READ_RAM);
    }
    memory_region_transaction_commit();
}

void pam_init(PAMState *pam, Object *owner, MemoryRegion *memory,
              MemoryRegion *ram)
{
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        uint64_t base = PAM_AREA_BASE + n * SEGMENT_SIZE;

        memory_region_init_alias(&pam->segments[n], owner, "pam", ram, base,
                                 n == LAST_SEGMENT ? LAST_SEGMENT_SIZE
                                                   : SEGMENT_SIZE);
        memory_region_set_enabled(&pam->segments[n], false);
        memory_region_add_subregion(memory, base, &pam->segments[n]);
    }
}
