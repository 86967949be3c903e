/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of RamDiscardMgr (softmmu/ram-discard*.c) have to tell each
 * other. Nobody else includes this.
 */
#ifndef SOFTMMU_RAM_DISCARD_INTERNAL_H
#define SOFTMMU_RAM_DISCARD_INTERNAL_H

#include "exec/ram-discard.h"

/* --- ram-discard.c: what is agreed on, and telling of it --- */

/* Of a state; the methods of the interface. */
int ram_discard_state_register(RamDiscardState *s, RamDiscardListener *rdl,
                               Error **errp);
void ram_discard_state_unregister(RamDiscardState *s, RamDiscardListener *rdl);
int ram_discard_state_replay_populated(const RamDiscardState *s,
                                       RamDiscardListener *rdl);

/* Whether a listener may hold something: then blocks must not change size. */
bool ram_discard_state_is_held(const RamDiscardState *s);

typedef enum {
    WALK_POPULATE,          /* those before current have been told, and hold it */
    WALK_DISCARD,           /* those after current, up to last, still hold it */
    WALK_DISCARD_ALL,       /* the same, for all that there was */
} RamDiscardWalkKind;

/* A change that listeners are told of, one after the other. */
struct RamDiscardWalk {
    RamDiscardWalkKind kind;
    const RamDiscardBlocks *by; /* of the manager whose change this is */
    bool moving;                /* it comes or goes: what it has discarded changes,
                                   not what it changes itself */
    bool whole;                 /* there is nobody to disagree: no holes */
    uint64_t offset;
    uint64_t end;
    /* ram-discard.c's: */
    RamDiscardListener *current;
    RamDiscardListener *last;   /* discards: the last one to be told */
};

/* Asks all listeners for what @walk, a populate, changes. 0; or the -errno of
 * the one that objects, and nobody holds any of it. */
int ram_discard_state_ask(RamDiscardState *s, RamDiscardWalk *walk);
/* Tells all listeners of what @walk, a discard, changes. */
void ram_discard_state_tell(RamDiscardState *s, RamDiscardWalk *walk);

/* --- ram-discard-managers.c: who manages a region --- */

/* The smallest granularity of all managers but @except, which may be NULL; 0:
 * there are no others. */
uint64_t ram_discard_state_smallest(const RamDiscardState *s,
                                    const RamDiscardBlocks *except);
/* Goes over to the smallest granularity, unless somebody holds something. */
void ram_discard_state_settle(RamDiscardState *s);

/* --- ram-discard-mgr.c --- */

/* What @rdm has of @mr. */
RamDiscardBlocks *ram_discard_mgr_get_blocks(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr);

/* --- ram-discard-refusal.c --- */

/* Keeps why a populate came to nothing. Takes @err. @kind, @limit: may be
 * NULL. */
void ram_discard_state_refuse(RamDiscardState *s, uint64_t offset,
                              uint64_t size, const char *kind, Error *err,
                              const RamDiscardLimit *limit);
/* @s is about to be freed. */
void ram_discard_state_forget_refusal(RamDiscardState *s);

#endif
