/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a sum is shared out among devices: each gets as large a part of what its
 * node could have at most, boot RAM included, as the others. Pure; bytes.
 */
#ifndef DEMAND_SHARE_H
#define DEMAND_SHARE_H

#include "device.h"

/* What a device can be given; all are multiples of its block. */
typedef struct DemandShare {
    uint64_t low;
    uint64_t high;
    uint64_t size;                        /* the result */
} DemandShare;

/*
 * Gives each of the @n devices a size, from its low to its high, in whole blocks.
 * The sum is at least @goal, by as little as blocks allow, and at most @most,
 * unless the lows or the highs do not allow it.
 */
void demand_share_out(const DemandDevice *devices, DemandShare *shares,
                      unsigned n, uint64_t goal, uint64_t most);

#endif
