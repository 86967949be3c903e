/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared state machine of RamDiscardMgr implementations; see
 * exec/ram-discard.h for the interface and exec/memory.h for the laws L1-L8.
 *
 * The bitmap says what is populated. It is changed last when something becomes
 * populated (all listeners have agreed by then), and right after the memory is
 * gone when something is discarded (from then on nobody may think it is there).
 * In between, s->walk says which listener is being told of which range, so that
 * another one that unregisters meanwhile is told of exactly what it holds.
 *
 * In a group of managers (ram-discard-group.c) the range of a change has holes,
 * where another manager says discarded: each listener is told run by run.
 *
 * This file must know no device and no consumer.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "ram-discard-bitmap.h"
#include "ram-discard-internal.h"
#include "trace.h"

typedef enum {
    WALK_POPULATE,          /* those before current have been told, and hold it */
    WALK_DISCARD,           /* those after current, up to last, still hold it */
    WALK_DISCARD_ALL,       /* the same, for all that the bitmap has */
} RamDiscardWalkKind;

struct RamDiscardWalk {
    RamDiscardWalkKind kind;
    uint64_t offset;
    uint64_t size;
    RamDiscardListener *current;
    RamDiscardListener *last;   /* discards: the last one to be told */
};

/* --- queries --- */

/* Blocks that @offset .. @offset + @size touches; false if not in the region. */
static bool blocks_of(const RamDiscardState *s, uint64_t offset, uint64_t size,
                      uint64_t *first, uint64_t *last)
{
    uint64_t end;

    if (!size || __builtin_add_overflow(offset, size, &end) ||
        end > s->nr_blocks * s->granularity) {
        return false;
    }
    *first = block_of(s, offset);
    *last = block_of(s, end - 1);
    return true;
}

/* While all is being discarded, the bitmap still says what listeners hold. */
static bool all_discarded(const RamDiscardState *s)
{
    return s->walk && s->walk->kind == WALK_DISCARD_ALL;
}

bool ram_discard_state_is_populated(const RamDiscardState *s,
                                    uint64_t offset, uint64_t size)
{
    uint64_t first, last;

    return blocks_of(s, offset, size, &first, &last) && !all_discarded(s) &&
           blocks_are(s, first, last, true);
}

bool ram_discard_state_is_discarded(const RamDiscardState *s,
                                    uint64_t offset, uint64_t size)
{
    uint64_t first, last;

    return blocks_of(s, offset, size, &first, &last) &&
           (all_discarded(s) || blocks_are(s, first, last, false));
}

static bool next_run_in_bitmap(const RamDiscardState *s, bool populated,
                               uint64_t *offset, uint64_t *size)
{
    uint64_t block = block_of(s, *offset + s->granularity - 1);
    uint64_t end;

    block = populated ? next_populated(s, block) : next_discarded(s, block);
    if (block == s->nr_blocks) {
        return false;
    }
    end = populated ? next_discarded(s, block) : next_populated(s, block);
    *offset = block * s->granularity;
    *size = (end - block) * s->granularity;
    return true;
}

bool ram_discard_state_next_run(const RamDiscardState *s, bool populated,
                                uint64_t *offset, uint64_t *size)
{
    uint64_t end = s->nr_blocks * s->granularity;

    if (!all_discarded(s)) {
        return next_run_in_bitmap(s, populated, offset, size);
    }
    *offset = QEMU_ALIGN_UP(*offset, s->granularity);
    *size = end - MIN(end, *offset);
    return !populated && *size;
}

/* --- telling one listener --- */

int ram_discard_state_replay_populated(const RamDiscardState *s,
                                       RamDiscardListener *rdl)
{
    uint64_t offset = 0, size;

    while (ram_discard_state_next_run(s, true, &offset, &size)) {
        int ret = rdl->notify_populate(rdl, s->mr, offset, size);

        if (ret) {
            return ret;
        }
        offset += size;
    }
    return 0;
}

void ram_discard_state_replay_discarded(const RamDiscardState *s,
                                        RamDiscardListener *rdl)
{
    uint64_t offset = 0, size;

    while (ram_discard_state_next_run(s, false, &offset, &size)) {
        rdl->notify_discard(rdl, s->mr, offset, size);
        offset += size;
    }
}

/* Tells @rdl that the populated runs below @end are discarded. */
static void tell_discard_of_runs(const RamDiscardState *s,
                                 RamDiscardListener *rdl, uint64_t end)
{
    uint64_t offset = 0, size;

    while (next_run_in_bitmap(s, true, &offset, &size) && offset < end) {
        rdl->notify_discard(rdl, s->mr, offset, size);
        offset += size;
    }
}

static uint64_t end_of(const RamDiscardWalk *walk)
{
    return walk->offset + walk->size;
}

/* The next run at or after *offset, before @end, that does change. */
static bool next_change(const RamDiscardState *s, uint64_t end,
                        uint64_t *offset, uint64_t *size)
{
    if (*offset >= end || !s->next_change(s->discard_opaque, offset, size) ||
        *offset >= end) {
        return false;
    }
    *size = MIN(*size, end - *offset);
    return true;
}

/* Of one manager, which is nearly always, all of the range changes: the calls
 * for a range with holes are kept apart, so that it pays one test for them. */
static G_GNUC_NO_INLINE void tell_discard_runs(const RamDiscardState *s,
                                               const RamDiscardWalk *walk,
                                               RamDiscardListener *rdl,
                                               uint64_t end)
{
    uint64_t offset = walk->offset, size;

    while (next_change(s, end, &offset, &size)) {
        rdl->notify_discard(rdl, s->mr, offset, size);
        offset += size;
    }
}

/* Tells @rdl the discard of what the walk changes. */
static inline void tell_discard(const RamDiscardState *s,
                                const RamDiscardWalk *walk,
                                RamDiscardListener *rdl)
{
    if (G_LIKELY(!s->next_change)) {
        rdl->notify_discard(rdl, s->mr, walk->offset, walk->size);
    } else {
        tell_discard_runs(s, walk, rdl, end_of(walk));
    }
}

static G_GNUC_NO_INLINE int tell_populate_runs(const RamDiscardState *s,
                                               const RamDiscardWalk *walk,
                                               RamDiscardListener *rdl)
{
    uint64_t offset = walk->offset, size;

    while (next_change(s, end_of(walk), &offset, &size)) {
        int ret = rdl->notify_populate(rdl, s->mr, offset, size);

        if (ret) {
            tell_discard_runs(s, walk, rdl, offset);
            return ret;
        }
        offset += size;
    }
    return 0;
}

/* Asks @rdl for what the walk changes. If it objects it holds none of it. */
static inline int tell_populate(const RamDiscardState *s,
                                const RamDiscardWalk *walk,
                                RamDiscardListener *rdl)
{
    return G_LIKELY(!s->next_change)
           ? rdl->notify_populate(rdl, s->mr, walk->offset, walk->size)
           : tell_populate_runs(s, walk, rdl);
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

int ram_discard_state_register(RamDiscardState *s, RamDiscardListener *rdl)
{
    uint64_t offset = 0, size;

    g_assert(rdl->notify_populate && rdl->notify_discard);
    trace_ram_discard_register_listener(s->mr->name, rdl->kind ?: "unnamed");
    while (ram_discard_state_next_run(s, true, &offset, &size)) {
        int ret = rdl->notify_populate(rdl, s->mr, offset, size);

        if (ret) {
            tell_discard_of_runs(s, rdl, offset);
            g_clear_pointer(&rdl->objection, g_free);
            return ret;
        }
        offset += size;
    }
    QTAILQ_INSERT_TAIL(&s->listeners, rdl, next);
    return 0;
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

void ram_discard_state_unregister(RamDiscardState *s, RamDiscardListener *rdl)
{
    RamDiscardWalk *walk = s->walk;

    g_assert(!walk || rdl != walk->current);
    trace_ram_discard_unregister_listener(s->mr->name,
                                          rdl->kind ?: "unnamed");
    if (!walk) {
        tell_discard_of_runs(s, rdl, UINT64_MAX);
    } else {
        bool holds = holds_range_in_flight(s, rdl);

        if (walk->kind != WALK_DISCARD_ALL) {
            tell_discard_of_runs(s, rdl, UINT64_MAX);
            if (holds) {
                tell_discard(s, walk, rdl);
            }
        } else if (holds) {
            tell_discard_all(s, rdl);
        }
        if (rdl == walk->last) {
            walk->last = QTAILQ_PREV(rdl, next);
        }
    }
    QTAILQ_REMOVE(&s->listeners, rdl, next);
    g_clear_pointer(&rdl->objection, g_free);
}

/* --- changes --- */

static void begin_walk(RamDiscardState *s, RamDiscardWalk *walk)
{
    g_assert(!s->walk);
    s->walk = walk;
}

static void end_walk(RamDiscardState *s)
{
    s->walk = NULL;
}

/* Takes back what those before walk->current were told, last one first. */
static void roll_back_populate(RamDiscardState *s, RamDiscardWalk *walk)
{
    RamDiscardListener *rdl = walk->current;

    while ((rdl = QTAILQ_PREV(rdl, next))) {
        walk->current = rdl;
        tell_discard(s, walk, rdl);
    }
}

/* Keeps why a populate came to nothing, for people. Takes @reason. */
static void note_refusal(RamDiscardState *s, uint64_t offset, uint64_t size,
                         int err, const char *kind, char *reason)
{
    RamDiscardRefusal *refusal = &s->refusal;

    trace_ram_discard_object(s->mr->name, kind ?: "unnamed", offset, size,
                             err);
    g_free(refusal->reason);
    *refusal = (RamDiscardRefusal) {
        .count = refusal->count + 1,
        .offset = offset,
        .size = size,
        .err = err,
        .kind = kind,
        .reason = reason,
        .time = g_get_monotonic_time(),
        .standing = true,
    };
}

void ram_discard_state_refuse(RamDiscardState *s, uint64_t offset,
                              uint64_t size, int err, const char *kind,
                              const char *reason)
{
    note_refusal(s, offset, size, err, kind, g_strdup(reason));
}

static bool is_aligned_range(const RamDiscardState *s, uint64_t offset,
                             uint64_t size)
{
    return QEMU_IS_ALIGNED(offset | size, s->granularity);
}

static G_GNUC_NO_INLINE void commit_runs(RamDiscardState *s, uint64_t offset,
                                         uint64_t end, bool populated)
{
    uint64_t size;

    while (next_change(s, end, &offset, &size)) {
        commit(s, offset, size, populated);
        offset += size;
    }
}

/* Of what does change in the range. */
static inline void commit_change(RamDiscardState *s, uint64_t offset,
                                 uint64_t size, bool populated)
{
    if (G_LIKELY(!s->next_change)) {
        commit(s, offset, size, populated);
    } else {
        commit_runs(s, offset, offset + size, populated);
    }
}

int ram_discard_state_populate(RamDiscardState *s, uint64_t offset,
                               uint64_t size)
{
    RamDiscardWalk walk = {
        .kind = WALK_POPULATE, .offset = offset, .size = size,
    };
    RamDiscardListener *rdl;
    int ret = 0;

    g_assert(is_aligned_range(s, offset, size));
    g_assert(s->next_change || ram_discard_state_is_discarded(s, offset, size));
    trace_ram_discard_populate(s->mr->name, offset, size);
    begin_walk(s, &walk);
    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        walk.current = rdl;
        ret = tell_populate(s, &walk, rdl);
        if (ret) {
            note_refusal(s, offset, size, ret, rdl->kind,
                         g_steal_pointer(&rdl->objection));
            roll_back_populate(s, &walk);
            break;
        }
    }
    end_walk(s);
    if (!ret) {
        commit_change(s, offset, size, true);
        s->refusal.standing = false;
    }
    return ret;
}

/* Discards the memory; from then on nobody may use it. */
static int discard_memory(RamDiscardState *s, uint64_t offset, uint64_t size)
{
    int ret = s->discard(s->discard_opaque, offset, size);

    if (!ret) {
        memory_map_generation_bump();
    }
    return ret;
}

static void tell_listeners(RamDiscardState *s, RamDiscardWalk *walk)
{
    RamDiscardListener *rdl;

    begin_walk(s, walk);
    walk->last = QTAILQ_LAST(&s->listeners);
    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        walk->current = rdl;
        if (walk->kind == WALK_DISCARD_ALL) {
            tell_discard_all(s, rdl);
        } else {
            tell_discard(s, walk, rdl);
        }
        if (rdl == walk->last) {
            break;
        }
    }
    end_walk(s);
}

int ram_discard_state_discard(RamDiscardState *s, uint64_t offset,
                              uint64_t size)
{
    RamDiscardWalk walk = {
        .kind = WALK_DISCARD, .offset = offset, .size = size,
    };
    int ret;

    g_assert(!s->walk && is_aligned_range(s, offset, size));
    g_assert(s->next_change || ram_discard_state_is_populated(s, offset, size));
    trace_ram_discard_discard(s->mr->name, offset, size);
    ret = discard_memory(s, offset, size);
    if (!ret) {
        commit_change(s, offset, size, false);
        tell_listeners(s, &walk);
    }
    return ret;
}

int ram_discard_state_discard_all(RamDiscardState *s)
{
    RamDiscardWalk walk = { .kind = WALK_DISCARD_ALL };
    uint64_t first, end;
    int ret;

    g_assert(!s->walk);
    if (!s->populated) {
        return 0;
    }
    /* One call for all: to discard the discarded once more costs nothing. */
    first = next_populated(s, 0);
    end = end_of_populated(s);
    trace_ram_discard_discard_all(s->mr->name, first * s->granularity,
                                  (end - first) * s->granularity);
    ret = discard_memory(s, first * s->granularity,
                         (end - first) * s->granularity);
    if (!ret) {
        tell_listeners(s, &walk);
        commit_discard_all(s);
    }
    return ret;
}

/* --- life --- */

static int discard_ram_block(void *opaque, uint64_t offset, uint64_t size)
{
    RamDiscardState *s = opaque;

    return ram_block_discard_range(s->mr->ram_block, offset, size);
}

/* A new bitmap, all discarded. */
static void allocate_bitmap(RamDiscardState *s, uint64_t granularity)
{
    uint64_t size = memory_region_size(s->mr);

    g_assert(is_power_of_2(granularity) && size &&
             QEMU_IS_ALIGNED(size, granularity));
    s->granularity = granularity;
    s->nr_blocks = size / granularity;
    s->populated = 0;
    s->bitmap = g_new0(unsigned long, words_for(s->nr_blocks));
    s->summary = g_new0(unsigned long, words_for(words_for(s->nr_blocks)));
}

void ram_discard_state_init(RamDiscardState *s, MemoryRegion *mr,
                            uint64_t granularity, RamDiscardFn discard,
                            void *opaque)
{
    *s = (RamDiscardState) {
        .mr = mr,
        .discard = discard ?: discard_ram_block,
        .discard_opaque = discard ? opaque : s,
    };
    allocate_bitmap(s, granularity);
    QTAILQ_INIT(&s->listeners);
}

void ram_discard_state_rebuild(RamDiscardState *s, uint64_t granularity)
{
    g_assert(!s->walk);
    g_free(s->bitmap);
    g_free(s->summary);
    allocate_bitmap(s, granularity);
    commit_change(s, 0, memory_region_size(s->mr), true);
}

void ram_discard_state_move_listeners(RamDiscardState *from,
                                      RamDiscardState *to)
{
    RamDiscardListener *rdl;

    g_assert(!from->walk && !to->walk);
    while ((rdl = QTAILQ_FIRST(&from->listeners))) {
        QTAILQ_REMOVE(&from->listeners, rdl, next);
        QTAILQ_INSERT_TAIL(&to->listeners, rdl, next);
    }
}

void ram_discard_state_destroy(RamDiscardState *s)
{
    g_assert(!s->walk && QTAILQ_EMPTY(&s->listeners));
    g_clear_pointer(&s->bitmap, g_free);
    g_clear_pointer(&s->summary, g_free);
    g_clear_pointer(&s->refusal.reason, g_free);
}
