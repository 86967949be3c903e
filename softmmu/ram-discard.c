/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of RamDiscardMgr: see exec/ram-discard.h for the interface
 * and exec/memory.h for the laws L1-L8.
 *
 * Populated is what all managers of a region have populated; each has a bitmap,
 * and there is no other. A change of one manager takes effect where all others
 * have populated; its bitmap is changed last when something becomes populated
 * (all listeners have agreed by then), and right after the memory is gone when
 * something is discarded (from then on nobody may think it is there). In
 * between, s->walk says which listener is being told of which range, so that
 * another one that unregisters meanwhile is told of exactly what it holds.
 *
 * This file must know no device and no consumer.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "ram-discard-bitmap.h"
#include "ram-discard-internal.h"
#include "trace.h"

typedef enum {
    WALK_POPULATE,          /* those before current have been told, and hold it */
    WALK_DISCARD,           /* those after current, up to last, still hold it */
    WALK_DISCARD_ALL,       /* the same, for all that there was */
} RamDiscardWalkKind;

struct RamDiscardWalk {
    RamDiscardWalkKind kind;
    const RamDiscardBlocks *by; /* of the manager whose change this is */
    bool moving;                /* it comes or goes: what it has discarded changes,
                                   not what it changes itself */
    bool whole;                 /* there is nobody to disagree: no holes */
    uint64_t offset;
    uint64_t end;
    RamDiscardListener *current;
    RamDiscardListener *last;   /* discards: the last one to be told */
};

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

/* While all is being discarded, the bitmap still says what listeners hold. */
static bool is_vanishing(const RamDiscardState *s)
{
    return s->walk && s->walk->kind == WALK_DISCARD_ALL;
}

static inline bool next_populated_run(const RamDiscardState *s,
                                      uint64_t *offset, uint64_t *size)
{
    const RamDiscardBlocks *first = QTAILQ_FIRST(&s->managers);

    if (is_vanishing(s)) {
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
    uint64_t size;

    while (next_populated_run(s, offset, &size) && *offset < rdl->end) {
        int ret;

        size = MIN(size, rdl->end - *offset);
        ret = rdl->notify_populate(rdl, s->mr, *offset, size);
        if (ret) {
            return ret;
        }
        *offset += size;
    }
    return 0;
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

    if (!reason) {
        error_setg(&reason, "%s", strerror(-err));
    }
    rdl->objection = NULL;
    ram_discard_state_refuse(s, walk->offset, walk->end - walk->offset,
                             rdl->kind, reason, &rdl->objection_limit);
}

/* Asks all for what the walk changes. 0; or the -errno of the one that objects,
 * and nobody holds any of it. */
static int ask_listeners(RamDiscardState *s, RamDiscardWalk *walk)
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

static void tell_listeners(RamDiscardState *s, RamDiscardWalk *walk)
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

/* Where all others agree, @b, which comes or goes, makes the difference. */
static RamDiscardWalk walk_of_moving(RamDiscardWalkKind kind,
                                     const RamDiscardBlocks *b)
{
    return (RamDiscardWalk) {
        .kind = kind, .by = b, .moving = true,
        .end = b->nr_blocks * b->granularity,
    };
}

void ram_discard_state_tell_came(RamDiscardState *s, const RamDiscardBlocks *b)
{
    RamDiscardWalk walk = walk_of_moving(WALK_DISCARD, b);

    memory_map_generation_bump();
    tell_listeners(s, &walk);
}

int ram_discard_state_ask_to_go(RamDiscardState *s, const RamDiscardBlocks *b)
{
    RamDiscardWalk walk = walk_of_moving(WALK_POPULATE, b);

    return ask_listeners(s, &walk);
}

/* --- the blocks of a manager --- */

/* Those that @offset .. @offset + @size touches; false if not in the region. */
static bool blocks_of(const RamDiscardBlocks *b, uint64_t offset,
                      uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t end;

    if (!size || __builtin_add_overflow(offset, size - 1, &end)) {
        return false;
    }
    *first = block_of(b, offset);
    *last = block_of(b, end);
    return *last < b->nr_blocks;
}

bool ram_discard_blocks_are_populated(const RamDiscardBlocks *b,
                                      uint64_t offset, uint64_t size)
{
    uint64_t first, last;

    return blocks_of(b, offset, size, &first, &last) && !b->vanishing &&
           blocks_are(b, first, last, true);
}

bool ram_discard_blocks_are_discarded(const RamDiscardBlocks *b,
                                      uint64_t offset, uint64_t size)
{
    uint64_t first, last;

    return blocks_of(b, offset, size, &first, &last) &&
           (b->vanishing || blocks_are(b, first, last, false));
}

bool ram_discard_blocks_next_run(const RamDiscardBlocks *b, uint64_t *offset,
                                 uint64_t *size)
{
    return !b->vanishing && next_run(b, true, offset, size);
}

static RamDiscardWalk walk_of_change(RamDiscardWalkKind kind,
                                     const RamDiscardBlocks *b,
                                     uint64_t offset, uint64_t size)
{
    g_assert(QEMU_IS_ALIGNED(offset | size, b->granularity));
    return (RamDiscardWalk) {
        .kind = kind, .by = b, .offset = offset, .end = offset + size,
        .whole = b->state && QTAILQ_FIRST(&b->state->managers) == b &&
                 !QTAILQ_NEXT(b, next),
    };
}

int ram_discard_blocks_populate(RamDiscardBlocks *b, uint64_t offset,
                                uint64_t size)
{
    RamDiscardWalk walk = walk_of_change(WALK_POPULATE, b, offset, size);
    RamDiscardState *s = b->state;
    int ret = 0;

    trace_ram_discard_populate(b->mr->name, offset, size);
    if (s) {
        if (s->granularity != s->smallest) {
            ram_discard_state_settle(s);
        }
        ret = ask_listeners(s, &walk);
    }
    if (!ret) {
        commit(b, offset, size, true);
    }
    return ret;
}

/* Discards the memory; from then on nobody may use it. */
static int discard_memory(RamDiscardBlocks *b, uint64_t offset, uint64_t size)
{
    int ret;

    g_assert(!b->state || !b->state->walk);
    ret = b->discard(b->discard_opaque, offset, size);
    if (!ret) {
        memory_map_generation_bump();
    }
    return ret;
}

int ram_discard_blocks_discard(RamDiscardBlocks *b, uint64_t offset,
                               uint64_t size)
{
    RamDiscardWalk walk = walk_of_change(WALK_DISCARD, b, offset, size);
    int ret;

    trace_ram_discard_discard(b->mr->name, offset, size);
    ret = discard_memory(b, offset, size);
    if (!ret) {
        commit(b, offset, size, false);
        if (b->state) {
            tell_listeners(b->state, &walk);
        }
    }
    return ret;
}

/* That nothing is left; where there was nothing, there is nothing to tell. */
static void tell_all_vanish(RamDiscardBlocks *b)
{
    RamDiscardWalk walk = { .kind = WALK_DISCARD_ALL, .by = b };

    if (b->state && ram_discard_state_is_held(b->state)) {
        b->vanishing = true;
        tell_listeners(b->state, &walk);
        b->vanishing = false;
    }
}

int ram_discard_blocks_discard_all(RamDiscardBlocks *b)
{
    uint64_t first, end;
    int ret;

    if (!b->populated) {
        return 0;
    }
    /* One call for all: to discard the discarded once more costs nothing. */
    first = next_populated(b, 0);
    end = end_of_populated(b);
    trace_ram_discard_discard_all(b->mr->name,
                                  first * b->granularity,
                                  (end - first) * b->granularity);
    ret = discard_memory(b, first * b->granularity,
                         (end - first) * b->granularity);
    if (!ret) {
        tell_all_vanish(b);
        commit_discard_all(b);
    }
    return ret;
}

static int discard_ram_block(void *opaque, uint64_t offset, uint64_t size)
{
    RamDiscardBlocks *b = opaque;

    return ram_block_discard_range(b->mr->ram_block, offset, size);
}

void ram_discard_blocks_init(RamDiscardBlocks *b, RamDiscardMgr *rdm,
                             MemoryRegion *mr, uint64_t granularity,
                             RamDiscardFn discard, void *opaque)
{
    uint64_t size = memory_region_size(mr);

    g_assert(is_power_of_2(granularity) && size &&
             QEMU_IS_ALIGNED(size, granularity));
    *b = (RamDiscardBlocks) {
        .mr = mr,
        .rdm = rdm,
        .granularity = granularity,
        .nr_blocks = size / granularity,
        .discard = discard ?: discard_ram_block,
        .discard_opaque = discard ? opaque : b,
    };
    b->bitmap = g_new0(unsigned long, words_for(b->nr_blocks));
    b->summary = g_new0(unsigned long, words_for(words_for(b->nr_blocks)));
}

void ram_discard_blocks_destroy(RamDiscardBlocks *b)
{
    g_assert(!b->state);
    g_clear_pointer(&b->bitmap, g_free);
    g_clear_pointer(&b->summary, g_free);
}
