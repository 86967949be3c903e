/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of RamDiscardMgr (softmmu/ram-discard*.c) have to tell each
 * other: a state machine that follows several managers, and the group that
 * owns it. Nobody else includes this.
 */
#ifndef SOFTMMU_RAM_DISCARD_INTERNAL_H
#define SOFTMMU_RAM_DISCARD_INTERNAL_H

#include "exec/ram-discard.h"

/* --- ram-discard.c, for the state of a group --- */

/*
 * A new bitmap with blocks of @granularity, populated where s->next_change says
 * so. Nobody is told: what listeners hold must not change by that.
 */
void ram_discard_state_rebuild(RamDiscardState *s, uint64_t granularity);
/* All listeners, in their order, without telling them: what is populated is
 * the same on both sides. */
void ram_discard_state_move_listeners(RamDiscardState *from,
                                      RamDiscardState *to);

/* --- ram-discard-group.c --- */

/* Whether several managers may share @mr: it has a group. */
bool ram_discard_group_exists(const MemoryRegion *mr);
/* memory_region_set_ram_discard_mgr() of a region with a group. */
void ram_discard_group_set_first(MemoryRegion *mr, RamDiscardMgr *rdm);

#endif
