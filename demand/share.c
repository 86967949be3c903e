/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sharing a sum out among devices: see share.h. */
#include "qemu/osdep.h"

#include "share.h"

/* How full a node is, of LEVEL_FULL. */
#define LEVEL_BITS 32
#define LEVEL_FULL (1ULL << LEVEL_BITS)

static uint64_t size_at(const DemandDevice *dev, const DemandShare *share,
                        uint64_t level)
{
    unsigned __int128 all = (unsigned __int128)dev->boot + dev->size;
    uint64_t part = (uint64_t)(all * level >> LEVEL_BITS);
    uint64_t size = part > dev->boot ? part - dev->boot : 0;

    /* The region is a multiple of the block, so this does not exceed it. */
    size = QEMU_ALIGN_UP(size, dev->block);
    return MIN(MAX(size, share->low), share->high);
}

static uint64_t fill(const DemandDevice *devices, DemandShare *shares,
                     unsigned n, uint64_t level)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        shares[i].size = size_at(&devices[i], &shares[i], level);
        sum += shares[i].size;
    }
    return sum;
}

/* Takes away blocks while what is left is at least @least, until it is at most
 * @most. Each device has at most one block more than it would have at a level
 * just below. */
static uint64_t trim(const DemandDevice *devices, DemandShare *shares,
                     unsigned n, uint64_t sum, uint64_t least, uint64_t most)
{
    for (unsigned i = 0; i < n && sum > most; i++) {
        uint64_t block = devices[i].block;

        while (sum > most && shares[i].size - shares[i].low >= block &&
               sum - least >= block) {
            shares[i].size -= block;
            sum -= block;
        }
    }
    return sum;
}

void demand_share_out(const DemandDevice *devices, DemandShare *shares,
                      unsigned n, uint64_t goal, uint64_t most)
{
    uint64_t below = 0, level = LEVEL_FULL, sum;

    while (level - below > 1) {
        uint64_t middle = below + (level - below) / 2;

        if (fill(devices, shares, n, middle) >= goal) {
            level = middle;
        } else {
            below = middle;
        }
    }
    sum = fill(devices, shares, n, level);
    sum = trim(devices, shares, n, sum, MIN(sum, goal), goal);
    trim(devices, shares, n, sum, 0, most);
}
