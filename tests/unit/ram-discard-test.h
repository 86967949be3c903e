/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region with one manager, and three listeners that write down what they are
 * told: for the tests of the laws. Numbers are of blocks. What listeners are told
 * is compared as text: "+A4:2" is listener A told that two blocks from block 4 are
 * populated, "-" discarded, "!" an objection, "-A*" all discarded, "mem" memory
 * given back.
 */
#ifndef TESTS_UNIT_RAM_DISCARD_TEST_H
#define TESTS_UNIT_RAM_DISCARD_TEST_H

#include "extra-manager.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "recording-listener.h"

#define BLOCK (2 * MiB)

typedef struct Fixture {
    MemoryRegion mr;
    ExtraManager *mgr;
    RecordingListener a, b, c;
    GString *log;
    GString *discards;            /* of memory: "4:2" */
    int discard_error;
} Fixture;

static inline int fake_discard(void *opaque, uint64_t offset, uint64_t size)
{
    Fixture *f = opaque;

    if (f->discard_error) {
        return f->discard_error;
    }
    g_string_append_printf(f->discards, "%s%" PRIu64 ":%" PRIu64,
                           f->discards->len ? " " : "", offset / BLOCK,
                           (uint64_t)(size / BLOCK));
    g_string_append_printf(f->log, "%smem", f->log->len ? " " : "");
    return 0;
}

static inline void set_up_blocks(Fixture *f, uint64_t nr_blocks)
{
    memory_region_init_ram_ptr(&f->mr, NULL, "ram", nr_blocks * BLOCK,
                               (void *)(uintptr_t)(16 * MiB));
    f->mgr = extra_manager_new(&f->mr, BLOCK);
    f->mgr->blocks.discard = fake_discard;
    f->mgr->blocks.discard_opaque = f;
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->mgr));
    f->log = g_string_new(NULL);
    f->discards = g_string_new(NULL);
    recording_init(&f->a, 'A', &f->mgr->blocks, false, f->log);
    recording_init(&f->b, 'B', &f->mgr->blocks, false, f->log);
    recording_init(&f->c, 'C', &f->mgr->blocks, true, f->log);
}

static inline void set_up(Fixture *f, gconstpointer data)
{
    set_up_blocks(f, GPOINTER_TO_UINT(data));
}

static inline void tear_down(Fixture *f, gconstpointer data)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    extra_manager_free(f->mgr);
    recording_destroy(&f->a);
    recording_destroy(&f->b);
    recording_destroy(&f->c);
    g_string_free(f->log, TRUE);
    g_string_free(f->discards, TRUE);
    object_unref(OBJECT(&f->mr));
}

static inline int populate(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_populate(&f->mgr->blocks, block * BLOCK, nr * BLOCK);
}

static inline int discard(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_discard(&f->mgr->blocks, block * BLOCK, nr * BLOCK);
}

static inline bool is_populated(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_state_is_populated(
        memory_region_ram_discard_state(&f->mr), block * BLOCK, nr * BLOCK);
}

static inline const RamDiscardState *state_of(Fixture *f)
{
    return memory_region_ram_discard_state(&f->mr);
}

static inline RamDiscardMgr *mgr_of(Fixture *f)
{
    return memory_region_get_ram_discard_mgr(&f->mr);
}

static inline int reg(Fixture *f, RecordingListener *l)
{
    return ram_discard_mgr_register_listener(mgr_of(f), &f->mr, &l->rdl, NULL);
}

static inline void unreg(Fixture *f, RecordingListener *l)
{
    ram_discard_mgr_unregister_listener(mgr_of(f), &f->mr, &l->rdl);
}

static inline void register_abc(Fixture *f)
{
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
}

static inline void unregister_abc(Fixture *f)
{
    unreg(f, &f->a);
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static inline void expect_log(Fixture *f, const char *text)
{
    g_assert_cmpstr(f->log->str, ==, text);
    g_string_truncate(f->log, 0);
}

/* A test for a region of @blocks blocks. */
#define ADD(name, blocks)                                                    \
    g_test_add("/ram-discard/" #name "/" #blocks, Fixture,                   \
               GUINT_TO_POINTER(blocks), set_up, name, tear_down)
#define ADD_SIZES(name)                                                      \
    ADD(name, 80); ADD(name, 300); ADD(name, 70000)

#endif
