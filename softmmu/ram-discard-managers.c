/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who manages a RAM region: the first manager brings the region's
 * RamDiscardState, further ones join it, the last one to go takes it along. One
 * that is set differs from one that is added by when it may come and go only
 * (law L6).
 *
 * The state must never change its block size under a listener that holds
 * something: mappings are given back as they were made, and a moment without
 * them is the end of a device's transfer.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "qapi/error.h"
#include "ram-discard-internal.h"

/* --- the block size --- */

uint64_t ram_discard_state_smallest(const RamDiscardState *s,
                                    const RamDiscardBlocks *except)
{
    const RamDiscardBlocks *b;
    uint64_t smallest = 0;

    QTAILQ_FOREACH(b, &s->managers, next) {
        if (b != except && (!smallest || b->granularity < smallest)) {
            smallest = b->granularity;
        }
    }
    return smallest;
}

void ram_discard_state_settle(RamDiscardState *s)
{
    if (!ram_discard_state_is_held(s)) {
        s->granularity = s->smallest;
    }
}

/* --- coming and going --- */

static RamDiscardState *state_new(MemoryRegion *mr)
{
    RamDiscardState *s = g_new0(RamDiscardState, 1);

    s->mr = mr;
    QTAILQ_INIT(&s->managers);
    QTAILQ_INIT(&s->listeners);
    return s;
}

static void state_free(RamDiscardState *s)
{
    g_assert(QTAILQ_EMPTY(&s->listeners) && QLIST_EMPTY(&s->pins));
    ram_discard_state_forget_refusal(s);
    g_free(s);
}

/* Nobody is told, and the block size stays: what listeners hold, but @b does not
 * have, has to be taken away in the blocks in which it was given. */
static void attach(MemoryRegion *mr, RamDiscardBlocks *b, bool first)
{
    RamDiscardState *s = mr->discard_state;

    g_assert(b->mr == mr && !b->state);
    memory_map_change_begin();
    if (!s) {
        s = mr->discard_state = state_new(mr);
    }
    g_assert(!s->walk);
    if (first) {
        QTAILQ_INSERT_HEAD(&s->managers, b, next);
    } else {
        QTAILQ_INSERT_TAIL(&s->managers, b, next);
    }
    b->state = s;
    s->smallest = ram_discard_state_smallest(s, NULL);
    memory_map_generation_bump();
    memory_map_change_end();
}

/* Nobody is told, and nothing that anybody was told may change by it. */
static void detach(MemoryRegion *mr, RamDiscardBlocks *b)
{
    RamDiscardState *s = b->state;

    g_assert(!s->walk);
    memory_map_change_begin();
    QTAILQ_REMOVE(&s->managers, b, next);
    b->state = NULL;
    mr->discard_state = QTAILQ_EMPTY(&s->managers) ? NULL : s;
    memory_map_change_end();
    if (!mr->discard_state) {
        state_free(s);
        return;
    }
    s->smallest = ram_discard_state_smallest(s, NULL);
    ram_discard_state_settle(s);
}

/* --- the manager that is set --- */

static void clear_set(MemoryRegion *mr)
{
    RamDiscardState *s = mr->discard_state;
    RamDiscardBlocks *set = s ? s->set : NULL;

    if (set) {
        g_assert(QTAILQ_EMPTY(&s->listeners));
        s->set = NULL;
        detach(mr, set);
    }
}

void memory_region_set_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm)
{
    RamDiscardBlocks *b;

    g_assert(memory_region_is_ram(mr) && !memory_region_is_mapped(mr));
    if (!rdm) {
        clear_set(mr);
        return;
    }
    b = ram_discard_mgr_get_blocks(rdm, mr);
    g_assert(!mr->discard_state ||
             (!mr->discard_state->set &&
              QTAILQ_EMPTY(&mr->discard_state->listeners)));
    attach(mr, b, true);
    ram_discard_state_settle(b->state);
    mr->discard_state->set = b;
}

/* --- managers that are added --- */

static char *path_of(const RamDiscardBlocks *b)
{
    return object_get_canonical_path(OBJECT(b->rdm));
}

static bool has_kind(const GPtrArray *kinds, const char *kind)
{
    for (guint i = 0; i < kinds->len; i++) {
        if (!strcmp(g_ptr_array_index(kinds, i), kind)) {
            return true;
        }
    }
    return false;
}

/* "vfio, mem-lock": who listens. */
static char *kinds_of(const RamDiscardState *s)
{
    GPtrArray *kinds = g_ptr_array_new();
    const RamDiscardListener *rdl;
    char *joined;

    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        const char *kind = rdl->kind ? rdl->kind : "a consumer";

        if (!has_kind(kinds, kind)) {
            g_ptr_array_add(kinds, (gpointer)kind);
        }
    }
    g_ptr_array_add(kinds, NULL);
    joined = g_strjoinv(", ", (char **)kinds->pdata);
    g_ptr_array_free(kinds, TRUE);
    return joined;
}

/* Whether listeners could follow @granularity, smaller than what they have. */
static bool may_get_smaller(const RamDiscardState *s, uint64_t granularity,
                            Error **errp)
{
    g_autofree char *kinds = NULL;

    if (!ram_discard_state_is_held(s)) {
        return ram_discard_consumers_check(s->mr, granularity, errp);
    }
    kinds = kinds_of(s);
    error_setg(errp, "memory region '%s' is in use by %s in blocks of %" PRIu64
               " bytes, which another manager cannot split into blocks of %"
               PRIu64 ": use granularity=%" PRIu64 ", or add it while nothing "
               "is plugged", memory_region_name(s->mr), kinds, s->granularity,
               granularity, s->granularity);
    return false;
}

static bool may_add(MemoryRegion *mr, uint64_t granularity, Error **errp)
{
    const RamDiscardState *s = mr->discard_state;

    if (s) {
        g_assert(!s->walk);
        return granularity >= s->granularity ||
               may_get_smaller(s, granularity, errp);
    }
    if (memory_region_is_mapped(mr)) {
        error_setg(errp, "memory region '%s' is in use as a whole: a manager "
                   "can be added before that, or beside a device that manages "
                   "it (virtio-mem)", memory_region_name(mr));
        return false;
    }
    return ram_discard_consumers_check(mr, granularity, errp);
}

/* Where all others have populated, @b, which comes or goes, makes a difference
 * by what it has discarded. */
static RamDiscardWalk walk_of_moving(RamDiscardWalkKind kind,
                                     const RamDiscardBlocks *b)
{
    return (RamDiscardWalk) {
        .kind = kind, .by = b, .moving = true,
        .end = b->nr_blocks * b->granularity,
    };
}

static void tell_came(const RamDiscardBlocks *b)
{
    RamDiscardWalk walk = walk_of_moving(WALK_DISCARD, b);

    ram_discard_state_tell(b->state, &walk);
}

static int ask_to_go(const RamDiscardBlocks *b)
{
    RamDiscardWalk walk = walk_of_moving(WALK_POPULATE, b);

    return ram_discard_state_ask(b->state, &walk);
}

bool memory_region_add_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp)
{
    RamDiscardBlocks *b = ram_discard_mgr_get_blocks(rdm, mr);

    g_assert(memory_region_is_ram(mr));
    if (!may_add(mr, b->granularity, errp)) {
        return false;
    }
    object_ref(OBJECT(rdm));
    attach(mr, b, false);
    tell_came(b);
    ram_discard_state_settle(b->state);
    return true;
}

/* Asks listeners for what @b alone kept discarded. What nobody holds yet is
 * given in the blocks that will be the smallest. */
static bool may_go(RamDiscardState *s, const RamDiscardBlocks *b, Error **errp)
{
    const RamDiscardRefusal *refusal = &s->refusal;
    g_autofree char *path = path_of(b);

    if (!ram_discard_state_is_held(s)) {
        s->granularity = ram_discard_state_smallest(s, b);
    }
    if (!ask_to_go(b)) {
        return true;
    }
    ram_discard_state_settle(s);
    error_setg(errp, "manager '%s' of memory region '%s' has to stay: what "
               "only it keeps discarded is refused by %s: %s", path,
               memory_region_name(s->mr), refusal->kind, refusal->reason);
    return false;
}

bool memory_region_del_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp)
{
    RamDiscardBlocks *b = ram_discard_mgr_get_blocks(rdm, mr);
    RamDiscardState *s = b->state;

    g_assert(s && b != s->set && !s->walk);
    if (ram_discard_state_smallest(s, b)) {
        if (!may_go(s, b, errp)) {
            return false;
        }
    } else if (memory_region_is_mapped(mr) || !QTAILQ_EMPTY(&s->listeners)) {
        g_autofree char *path = path_of(b);

        error_setg(errp, "manager '%s' is the only one of memory region '%s', "
                   "which is in use", path, memory_region_name(mr));
        return false;
    }
    detach(mr, b);
    object_unref(OBJECT(rdm));
    return true;
}

bool memory_region_check_sole_ram_discard_mgr(const MemoryRegion *mr,
                                              const RamDiscardMgr *rdm,
                                              Error **errp)
{
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &mr->discard_state->managers, next) {
        if (b->rdm != rdm) {
            g_autofree char *path = path_of(b);

            error_setg(errp, "memory region '%s' has another manager, '%s', "
                       "which has to go first", memory_region_name(mr), path);
            return false;
        }
    }
    return true;
}
