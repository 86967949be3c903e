/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region and three managers for it, of which the first is at work, and three
 * listeners that write down what they are told: for the tests of several
 * managers on one region. Numbers are of the first manager's blocks.
 */
#ifndef TESTS_UNIT_RAM_DISCARD_GROUP_H
#define TESTS_UNIT_RAM_DISCARD_GROUP_H

#include "extra-manager.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "recording-listener.h"

#define BLOCK (2 * MiB)
#define NR_BLOCKS 400

typedef struct Fixture {
    MemoryRegion root, mr;
    ExtraManager *first, *second, *third;     /* blocks of 1, 2 and 4 */
    RecordingListener a, b, c;
    GString *log;
} Fixture;

/* Only the first manager is at work; all have all discarded. */
static inline void set_up(Fixture *f, gconstpointer data)
{
    memory_region_init(&f->root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_ptr(&f->mr, NULL, "ram", NR_BLOCKS * BLOCK,
                               (void *)(uintptr_t)(16 * MiB));
    f->first = extra_manager_new(&f->mr, BLOCK);
    f->second = extra_manager_new(&f->mr, 2 * BLOCK);
    f->third = extra_manager_new(&f->mr, 4 * BLOCK);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
    f->log = g_string_new(NULL);
    recording_init(&f->a, 'A', &f->first->blocks, false, f->log);
    recording_init(&f->b, 'B', &f->first->blocks, false, f->log);
    recording_init(&f->c, 'C', &f->first->blocks, true, f->log);
    f->b.rdl.kind = "test-b";
}

static inline void tear_down(Fixture *f, gconstpointer data)
{
    g_assert_true(memory_region_get_ram_discard_mgr(&f->mr) ==
                  RAM_DISCARD_MGR(f->first));
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    g_assert_false(memory_region_has_ram_discard_mgr(&f->mr));
    extra_manager_free(f->first);
    extra_manager_free(f->second);
    extra_manager_free(f->third);
    recording_destroy(&f->a);
    recording_destroy(&f->b);
    recording_destroy(&f->c);
    g_string_free(f->log, TRUE);
    object_unref(OBJECT(&f->mr));
    object_unref(OBJECT(&f->root));
}

static inline RamDiscardMgr *mgr_of(Fixture *f)
{
    return memory_region_get_ram_discard_mgr(&f->mr);
}

static inline const RamDiscardState *state_of(Fixture *f)
{
    return memory_region_ram_discard_state(&f->mr);
}

static inline uint64_t granularity(Fixture *f)
{
    return ram_discard_mgr_get_min_granularity(mgr_of(f), &f->mr) / BLOCK;
}

static inline void add(Fixture *f, ExtraManager *mgr)
{
    memory_region_add_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(mgr),
                                      &error_abort);
}

static inline void del(Fixture *f, ExtraManager *mgr)
{
    memory_region_del_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(mgr),
                                      &error_abort);
}

static inline void add_fails(Fixture *f, ExtraManager *mgr,
                             const char *pattern)
{
    RamDiscardMgr *before = mgr_of(f);
    Error *err = NULL;

    g_assert_false(memory_region_add_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(mgr), &err));
    if (!g_pattern_match_simple(pattern, error_get_pretty(err))) {
        g_error("unexpected: %s", error_get_pretty(err));
    }
    error_free(err);
    g_assert_true(mgr_of(f) == before);
}

static inline void del_fails(Fixture *f, ExtraManager *mgr,
                             const char *pattern)
{
    RamDiscardMgr *before = mgr_of(f);
    Error *err = NULL;

    g_assert_false(memory_region_del_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(mgr), &err));
    if (!g_pattern_match_simple(pattern, error_get_pretty(err))) {
        g_error("unexpected: %s", error_get_pretty(err));
    }
    error_free(err);
    g_assert_true(mgr_of(f) == before);
}

static inline int populate(ExtraManager *mgr, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_populate(&mgr->blocks, block * BLOCK, nr * BLOCK);
}

static inline int discard(ExtraManager *mgr, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_discard(&mgr->blocks, block * BLOCK, nr * BLOCK);
}

static inline bool is_populated(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_mgr_is_populated(mgr_of(f), &f->mr, block * BLOCK,
                                        nr * BLOCK);
}

static inline int reg(Fixture *f, RecordingListener *l)
{
    return ram_discard_mgr_register_listener(mgr_of(f), &f->mr, &l->rdl, NULL);
}

static inline void unreg(Fixture *f, RecordingListener *l)
{
    ram_discard_mgr_unregister_listener(mgr_of(f), &f->mr, &l->rdl);
}

static inline void expect_log(Fixture *f, const char *text)
{
    g_assert_cmpstr(f->log->str, ==, text);
    g_string_truncate(f->log, 0);
}

#endif
