/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A RamDiscardMgr for a region that somebody else made: several of them share
 * one. Its memory is given back by nobody; a test may let that fail.
 */
#ifndef TESTS_UNIT_EXTRA_MANAGER_H
#define TESTS_UNIT_EXTRA_MANAGER_H

#include "exec/ram-discard.h"

#define TYPE_EXTRA_MANAGER "test-extra-manager"
OBJECT_DECLARE_SIMPLE_TYPE(ExtraManager, EXTRA_MANAGER)

struct ExtraManager {
    Object parent_obj;
    RamDiscardBlocks blocks;
    int discard_error;                    /* -errno of each discard; 0: works */
};

/* All of @mr discarded. Not yet set or added; freed by extra_manager_free(),
 * when it is neither any more. */
ExtraManager *extra_manager_new(MemoryRegion *mr, uint64_t granularity);
void extra_manager_free(ExtraManager *mgr);

#endif
