/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of RamDiscardMgr: see exec/ram-discard.h for the interface
 * and exec/memory.h for the laws L1-L9.
 *
 * Populated is what all managers of a region have populated; each has a bitmap
 * (ram-discard-blocks.c), and there is no other. A change of one manager takes
 * effect where all others have populated. While listeners are told, s->walk says
 * which one is told of which range, so that another one that unregisters
 * meanwhile is told of exactly what it holds.
 *
 * This file must know no device and no consumer.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "qapi/error.h"
#include "ram-discard-bitmap.h"
#include "ram-discard-internal.h"
#include "trace.h"

/* --- what managers agree on --- */

/*
 * The next run that all managers have populated, @moving the other way around:
 * it has it discarded. @changing, which may be NULL, is not asked. *offset is
 * not lowered.
 */
static bool next_agreed(const RamDiscardState *s,
                        const RamDiscardBlocks *changing,
                        const RamDiscardBlocks *moving, uint64_t *offset,
                        uint64_t *size)
{
    uint64_t start = *offset, end, until;
    const RamDiscardBlocks *b;

    do {
        end = UINT64_MAX;
        QTAILQ_FOREACH(b, &s->managers, next) {
            if (b == changing) {
                continue;
            }
            if (!next_run(b, b != moving, &start, &until)) {
                return false;
            }
            end = MIN(end, start + until);
        }
    } while (start >= end);
    *offset = start;
    *size = end - start;
    return true;
}

static inline bool next_populated_run(const RamDiscardState *s,
                                      uint64_t *offset, uint64_t *size)
{
    const RamDiscardBlocks *first = QTAILQ_FIRST(&s->managers);

    /* While all is being discarded, the bitmap still says what listeners hold. */
    if (s->vanishing) {
        return false;
    }
    /* Replays have many runs, and nearly always there is one manager. */
    return QTAILQ_NEXT(first, next) ? next_agreed(s, NULL, NULL, offset, size)
                                    : next_run(first, true, offset, size);
}

bool ram_discard_state_next_run(const RamDiscardState *s, uint64_t *offset,
                                uint64_t *size)
{
    return next_populated_run(s, offset, size);
}

uint64_t ram_discard_state_populated(const RamDiscardState *s)
{
    uint64_t offset = 0, size, sum = 0;

    while (ram_discard_state_next_run(s, &offset, &size)) {
        sum += size;
        offset += size;
    }
    return sum;
}

bool ram_discard_state_is_populated(const RamDiscardState *s, uint64_t offset,
                                    uint64_t size)
{
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &s->managers, next) {
        if (!ram_discard_blocks_are_populated(b, offset, size)) {
            return false;
        }
    }
    return true;
}

bool ram_discard_state_is_backed(const RamDiscardState *s)
{
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &s->managers, next) {
        if (b->backed) {
            return true;
        }
    }
    return false;
}

bool ram_discard_state_is_held(const RamDiscardState *s)
{
    uint64_t offset = 0, size;

    return !QTAILQ_EMPTY(&s->listeners) &&
           next_agreed(s, NULL, NULL, &offset, &size);
}

/* --- telling one listener, of what it follows --- */

/* Each populated run at or after *offset. Stops at the first objection, to a
 * run at *offset, which is returned. */
static int replay(const RamDiscardState *s, RamDiscardListener *rdl,
                  uint64_t *offset)
{
    uint64_t size = 0;
    int ret = 0;

    while (!ret && next_populated_run(s, offset, &size) &&
           *offset < rdl->end) {
        size = MIN(size, rdl->end - *offset);
        ret = rdl->notify_populate(rdl, s->mr, *offset, size);
        *offset += ret ? 0 : size;
    }
    return ret;
}

int ram_discard_state_replay_populated(const RamDiscardState *s,
                                       RamDiscardListener *rdl)
{
    uint64_t offset = rdl->first;

    return replay(s, rdl, &offset);
}

/* That the populated runs below @end are discarded. */
static void tell_discard_of_runs(const RamDiscardState *s,
                                 RamDiscardListener *rdl, uint64_t end)
{
    uint64_t offset = rdl->first, size;

    end = MIN(end, rdl->end);
    while (next_agreed(s, NULL, NULL, &offset, &size) && offset < end) {
        size = MIN(size, end - offset);
        rdl->notify_discard(rdl, s->mr, offset, size);
        offset += size;
    }
}

/* The next run at or after *offset, before @end, that the walk changes. */
static inline bool next_change(const RamDiscardState *s,
                               const RamDiscardWalk *walk, uint64_t end,
                               uint64_t *offset, uint64_t *size)
{
    if (*offset >= end) {
        return false;
    }
    if (walk->whole) {
        *size = end - *offset;
        return true;
    }
    if (!next_agreed(s, walk->moving ? NULL : walk->by,
                     walk->moving ? walk->by : NULL, offset, size) ||
        *offset >= end) {
        return false;
    }
    *size = MIN(*size, end - *offset);
    return true;
}

/* The discard of what the walk changes below @end. */
static void tell_discard(const RamDiscardState *s, const RamDiscardWalk *walk,
                         RamDiscardListener *rdl, uint64_t end)
{
    uint64_t offset = MAX(walk->offset, rdl->first), size;

    end = MIN(end, rdl->end);
    for (; next_change(s, walk, end, &offset, &size); offset += size) {
        rdl->notify_discard(rdl, s->mr, offset, size);
    }
}

/* Asks for what the walk changes. If @rdl objects it holds none of it. */
static int tell_populate(const RamDiscardState *s, const RamDiscardWalk *walk,
                         RamDiscardListener *rdl)
{
    uint64_t offset = MAX(walk->offset, rdl->first);
    uint64_t end = MIN(walk->end, rdl->end), size;

    for (; next_change(s, walk, end, &offset, &size); offset += size) {
        int ret = rdl->notify_populate(rdl, s->mr, offset, size);

        if (ret) {
            tell_discard(s, walk, rdl, offset);
            return ret;
        }
    }
    return 0;
}

static void tell_discard_all(const RamDiscardState *s, RamDiscardListener *rdl)
{
    if (rdl->notify_discard_all) {
        rdl->notify_discard_all(rdl, s->mr);
    } else {
        tell_discard_of_runs(s, rdl, UINT64_MAX);
    }
}

/* --- registration --- */

int ram_discard_state_register(RamDiscardState *s, RamDiscardListener *rdl,
                               Error **errp)
{
    uint64_t offset = rdl->first;
    int ret;

    g_assert(rdl->notify_populate && rdl->notify_discard);
    trace_ram_discard_register_listener(s->mr->name,
                                        rdl->kind ?: "unnamed");
    ret = replay(s, rdl, &offset);
    if (!ret) {
        QTAILQ_INSERT_TAIL(&s->listeners, rdl, next);
        return 0;
    }
    tell_discard_of_runs(s, rdl, offset);
    if (!rdl->objection) {
        error_setg_errno(&rdl->objection, -ret, "memory region '%s': cannot "
                         "follow what is plugged", memory_region_name(s->mr));
    }
    error_propagate(errp, rdl->objection);
    rdl->objection = NULL;
    return ret;
}

/* Whether @a, which is registered, comes before @b. */
static bool comes_before(const RamDiscardState *s, const RamDiscardListener *a,
                         const RamDiscardListener *b)
{
    const RamDiscardListener *rdl;

    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        if (rdl == a || rdl == b) {
            return rdl == a && a != b;
        }
    }
    g_assert_not_reached();
}

/*
 * Whether @rdl holds the range of the walk in progress: a populate's, if it was
 * told already; a discard's, if it was not told yet (listeners behind the last
 * one registered during the walk and never had it).
 */
static bool holds_range_in_flight(const RamDiscardState *s,
                                  const RamDiscardListener *rdl)
{
    const RamDiscardWalk *walk = s->walk;

    if (walk->kind == WALK_POPULATE) {
        return comes_before(s, rdl, walk->current);
    }
    return comes_before(s, walk->current, rdl) &&
           !comes_before(s, walk->last, rdl);
}

/* @rdl, another than the one being told, leaves. */
static void leave_walk(RamDiscardState *s, RamDiscardWalk *walk,
                       RamDiscardListener *rdl)
{
    bool holds = holds_range_in_flight(s, rdl);

    if (walk->kind != WALK_DISCARD_ALL) {
        tell_discard_of_runs(s, rdl, UINT64_MAX);
        if (holds) {
            tell_discard(s, walk, rdl, walk->end);
        }
    } else if (holds) {
        tell_discard_all(s, rdl);
    }
    if (rdl == walk->last) {
        walk->last = QTAILQ_PREV(rdl, next);
    }
}

void ram_discard_state_unregister(RamDiscardState *s, RamDiscardListener *rdl)
{
    RamDiscardWalk *walk = s->walk;

    g_assert(!walk || rdl != walk->current);
    trace_ram_discard_unregister_listener(s->mr->name,
                                          rdl->kind ?: "unnamed");
    if (walk) {
        leave_walk(s, walk, rdl);
    } else {
        tell_discard_of_runs(s, rdl, UINT64_MAX);
    }
    QTAILQ_REMOVE(&s->listeners, rdl, next);
}

/* --- telling all listeners --- */

/* Takes back what those before walk->current were told, last one first. */
static void roll_back_populate(RamDiscardState *s, RamDiscardWalk *walk)
{
    RamDiscardListener *rdl = walk->current;

    while ((rdl = QTAILQ_PREV(rdl, next))) {
        walk->current = rdl;
        tell_discard(s, walk, rdl, walk->end);
    }
}

/* Who objected keeps nothing of it; its reason is the region's from now on. */
static void pass_objection_on(RamDiscardState *s, const RamDiscardWalk *walk,
                              int err)
{
    RamDiscardListener *rdl = walk->current;
    Error *reason = rdl->objection;

    rdl->objection = NULL;
    if (walk->by->trying) {
        error_free(reason);
        return;
    }
    if (!reason) {
        error_setg(&reason, "%s", strerror(-err));
    }
    ram_discard_state_refuse(s, walk->offset, walk->end - walk->offset,
                             rdl->kind, reason, &rdl->objection_limit);
}

int ram_discard_state_ask(RamDiscardState *s, RamDiscardWalk *walk)
{
    RamDiscardListener *rdl;
    int ret = 0;

    g_assert(!s->walk);
    s->walk = walk;
    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        walk->current = rdl;
        ret = tell_populate(s, walk, rdl);
        if (ret) {
            pass_objection_on(s, walk, ret);
            roll_back_populate(s, walk);
            break;
        }
    }
    s->walk = NULL;
    if (!ret) {
        s->refusal.standing = false;
    }
    return ret;
}

void ram_discard_state_tell(RamDiscardState *s, RamDiscardWalk *walk)
{
    RamDiscardListener *rdl;

    g_assert(!s->walk);
    s->walk = walk;
    walk->last = QTAILQ_LAST(&s->listeners);
    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        walk->current = rdl;
        if (walk->kind == WALK_DISCARD_ALL) {
            tell_discard_all(s, rdl);
        } else {
            tell_discard(s, walk, rdl, walk->end);
        }
        if (rdl == walk->last) {
            break;
        }
    }
    s->walk = NULL;
}
