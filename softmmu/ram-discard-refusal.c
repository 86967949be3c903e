/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something was not populated: kept once, with the region, for everybody who
 * asks, and passed on to those who tell management clients. A guest that tries
 * again and again must not be able to make anybody say the same for ever.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "ram-discard-internal.h"
#include "trace.h"

static QLIST_HEAD(, RamDiscardObserver) ram_discard_observers =
    QLIST_HEAD_INITIALIZER(ram_discard_observers);

void ram_discard_observer_add(RamDiscardObserver *observer)
{
    g_assert(observer->refused && observer->gone);
    QLIST_INSERT_HEAD(&ram_discard_observers, observer, next);
}

void ram_discard_observer_remove(RamDiscardObserver *observer)
{
    QLIST_REMOVE(observer, next);
}

void ram_discard_listener_object(RamDiscardListener *rdl, Error *err,
                                 const RamDiscardLimit *limit)
{
    error_free(rdl->objection);
    rdl->objection = err;
    rdl->objection_limit = limit ? *limit : (RamDiscardLimit) { 0 };
}

/* A person is told of a region once, whatever else follows. */
static void tell_person(RamDiscardState *s)
{
    if (!s->told_refusal) {
        s->told_refusal = true;
        warn_report("memory region '%s': a plug is refused by %s, the guest "
                    "may try again: %s", memory_region_name(s->mr),
                    s->refusal.kind, s->refusal.reason);
    }
}

void ram_discard_state_refuse(RamDiscardState *s, uint64_t offset,
                              uint64_t size, const char *kind, Error *err,
                              const RamDiscardLimit *limit)
{
    RamDiscardRefusal *refusal = &s->refusal;
    const char *reason = error_get_pretty(err);
    bool news = !refusal->standing || strcmp(refusal->reason, reason);
    RamDiscardObserver *observer;

    if (news) {
        g_free(refusal->reason);
        refusal->reason = g_strdup(reason);
    }
    error_free(err);
    refusal->count++;
    refusal->offset = offset;
    refusal->size = size;
    refusal->kind = kind ? kind : "unnamed";
    refusal->limit = limit ? *limit : (RamDiscardLimit) { 0 };
    refusal->time = g_get_monotonic_time();
    refusal->standing = true;
    trace_ram_discard_object(memory_region_name(s->mr), refusal->kind, offset,
                             size);
    tell_person(s);
    if (news) {
        QLIST_FOREACH(observer, &ram_discard_observers, next) {
            observer->refused(observer, s);
        }
    }
}

void ram_discard_blocks_refuse(RamDiscardBlocks *b, uint64_t offset,
                               uint64_t size, const char *kind, Error *err)
{
    g_assert(b->state);
    ram_discard_state_refuse(b->state, offset, size, kind, err, NULL);
}

void ram_discard_state_forget_refusal(RamDiscardState *s)
{
    RamDiscardObserver *observer;

    QLIST_FOREACH(observer, &ram_discard_observers, next) {
        observer->gone(observer, s);
    }
    g_free(s->refusal.reason);
}
