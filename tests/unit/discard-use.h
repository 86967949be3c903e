/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that discards guest memory, or cannot live with that. */
#ifndef TESTS_UNIT_DISCARD_USE_H
#define TESTS_UNIT_DISCARD_USE_H

#include "exec/ramblock.h"

/* Adds or removes it. 0, or -EBUSY: somebody else is in the way. */
static inline int discard_use(RamDiscardUse use, bool add)
{
    static const char name[] = "a device";

    if (add) {
        return ram_block_discard_add_user(use, name, NULL) ? 0 : -EBUSY;
    }
    ram_block_discard_remove_user(use, name);
    return 0;
}

#endif
