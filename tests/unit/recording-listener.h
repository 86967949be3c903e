/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A RamDiscardListener that writes down what it is told, checks that it is
 * never told the same block twice, and objects or unregisters on demand.
 * For the tests of the laws of exec/memory.h.
 */
#ifndef TESTS_RECORDING_LISTENER_H
#define TESTS_RECORDING_LISTENER_H

#include "exec/ram-discard.h"

typedef struct RecordingListener {
    RamDiscardListener rdl;
    char name;
    uint64_t granularity;
    uint64_t nr_blocks;
    uint8_t *held;            /* one byte a block: what it was told it has */
    GString *log;             /* may be shared by several: "+A0:2 -A0:2" */
    int objections_from;      /* the n-th populate from now on objects; 0: none */
    int objection;            /* the -errno of an objection */
    void (*on_notify)(struct RecordingListener *l, void *opaque);
    void *on_notify_opaque;
} RecordingListener;

static inline void recording_note(RecordingListener *l, char sign,
                                  uint64_t offset, uint64_t size)
{
    g_assert_cmpuint(size, >, 0);
    g_assert_cmpuint(offset % l->granularity, ==, 0);
    g_assert_cmpuint(size % l->granularity, ==, 0);
    g_assert_cmpuint((offset + size) / l->granularity, <=, l->nr_blocks);
    if (l->log) {
        g_string_append_printf(l->log, "%s%c%c%" PRIu64 ":%" PRIu64,
                               l->log->len ? " " : "", sign, l->name,
                               offset / l->granularity, size / l->granularity);
    }
}

static inline int recording_populate(RamDiscardListener *rdl,
                                     const MemoryRegion *mr, ram_addr_t offset,
                                     ram_addr_t size)
{
    RecordingListener *l = container_of(rdl, RecordingListener, rdl);

    if (l->on_notify) {
        l->on_notify(l, l->on_notify_opaque);
    }
    if (l->objections_from && --l->objections_from == 0) {
        recording_note(l, '!', offset, size);
        return l->objection;
    }
    recording_note(l, '+', offset, size);
    for (uint64_t b = 0; b < size / l->granularity; b++) {
        g_assert_false(l->held[offset / l->granularity + b]);
        l->held[offset / l->granularity + b] = 1;
    }
    return 0;
}

static inline void recording_discard(RamDiscardListener *rdl,
                                     const MemoryRegion *mr, ram_addr_t offset,
                                     ram_addr_t size)
{
    RecordingListener *l = container_of(rdl, RecordingListener, rdl);

    if (l->on_notify) {
        l->on_notify(l, l->on_notify_opaque);
    }
    recording_note(l, '-', offset, size);
    for (uint64_t b = 0; b < size / l->granularity; b++) {
        g_assert_true(l->held[offset / l->granularity + b]);
        l->held[offset / l->granularity + b] = 0;
    }
}

static inline void recording_discard_all(RamDiscardListener *rdl,
                                         const MemoryRegion *mr)
{
    RecordingListener *l = container_of(rdl, RecordingListener, rdl);

    if (l->on_notify) {
        l->on_notify(l, l->on_notify_opaque);
    }
    if (l->log) {
        g_string_append_printf(l->log, "%s-%c*", l->log->len ? " " : "",
                               l->name);
    }
    memset(l->held, 0, l->nr_blocks);
}

static inline void recording_init(RecordingListener *l, char name,
                                  const RamDiscardBlocks *b, bool with_all,
                                  GString *log)
{
    *l = (RecordingListener) {
        .name = name,
        .granularity = b->granularity,
        .nr_blocks = b->nr_blocks,
        .held = g_new0(uint8_t, b->nr_blocks),
        .log = log,
        .objection = -ENOSPC,
    };
    ram_discard_listener_init(&l->rdl, recording_populate, recording_discard,
                              with_all ? recording_discard_all : NULL);
}

static inline void recording_destroy(RecordingListener *l)
{
    g_clear_pointer(&l->held, g_free);
}

/* Law L1: @l holds what is populated of @mr, no more and no less. */
static inline void recording_check(const RecordingListener *l,
                                   const MemoryRegion *mr)
{
    const RamDiscardState *s = memory_region_ram_discard_state(mr);

    for (uint64_t b = 0; b < l->nr_blocks; b++) {
        g_assert_cmpint(l->held[b], ==,
                        ram_discard_state_is_populated(s, b * l->granularity,
                                                       l->granularity));
    }
}

#endif
