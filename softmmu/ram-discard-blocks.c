/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one manager has populated, and how it changes that: see
 * exec/ram-discard.h. The bitmap is changed last when something becomes
 * populated (all listeners have agreed by then), and right after the memory is
 * gone when something is discarded (from then on nobody may think that it is
 * there). Telling listeners is for ram-discard.c.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "ram-discard-bitmap.h"
#include "ram-discard-internal.h"
#include "trace.h"

/* --- queries --- */

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

/* --- changes --- */

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
        ret = ram_discard_state_ask(s, &walk);
    }
    if (!ret) {
        memory_map_change_begin();
        commit(b, offset, size, true);
        memory_map_change_end();
    }
    return ret;
}

int ram_discard_blocks_try_populate(RamDiscardBlocks *b, uint64_t offset,
                                    uint64_t size)
{
    int ret;

    b->trying = true;
    ret = ram_discard_blocks_populate(b, offset, size);
    b->trying = false;
    return ret;
}

bool ram_discard_blocks_go_by_run(const RamDiscardBlocks *b)
{
    const RamDiscardListener *rdl;

    g_assert(b->state);
    QTAILQ_FOREACH(rdl, &b->state->listeners, next) {
        if (!rdl->by_run) {
            return false;
        }
    }
    return !QTAILQ_EMPTY(&b->state->listeners);
}

/* Discards the memory, unless somebody uses it; from then on nobody may. Within
 * a change of the memory map, so that nobody pins it meanwhile. */
static int discard_memory(RamDiscardBlocks *b, uint64_t offset, uint64_t size)
{
    int ret;

    g_assert(!b->state || !b->state->walk);
    if (b->state && ram_discard_state_is_pinned(b->state, offset, size)) {
        return -EBUSY;
    }
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
    memory_map_change_begin();
    ret = discard_memory(b, offset, size);
    if (!ret) {
        commit(b, offset, size, false);
    }
    memory_map_change_end();
    if (!ret && b->state) {
        ram_discard_state_tell(b->state, &walk);
    }
    return ret;
}

/* That nothing is left; where there was nothing, there is nothing to tell. */
static void tell_all_vanish(RamDiscardBlocks *b)
{
    RamDiscardWalk walk = { .kind = WALK_DISCARD_ALL, .by = b };

    if (b->state && ram_discard_state_is_held(b->state)) {
        b->vanishing = b->state->vanishing = true;
        ram_discard_state_tell(b->state, &walk);
        b->vanishing = b->state->vanishing = false;
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
    /* The bitmap says until the end what listeners still hold. */
    memory_map_change_begin();
    ret = discard_memory(b, first * b->granularity,
                         (end - first) * b->granularity);
    if (!ret) {
        tell_all_vanish(b);
        commit_discard_all(b);
    }
    memory_map_change_end();
    return ret;
}

/* --- life --- */

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
