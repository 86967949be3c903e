/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws L1-L8 of exec/memory.h, one by one, for softmmu/ram-discard.c. What
 * listeners are told is compared as text: "+A4:2" is listener A told that two
 * blocks from block 4 are populated, "-" discarded, "!" an objection, "-A*"
 * all discarded. test-ram-discard-random.c has the sequences nobody thought of.
 */
#include "qemu/osdep.h"
#include "extra-manager.h"
#include "qapi/error.h"
#include "recording-listener.h"
#include "qemu/units.h"

#define BLOCK (2 * MiB)

typedef struct Fixture {
    MemoryRegion mr;
    ExtraManager *mgr;
    RecordingListener a, b, c;
    GString *log;
    GString *discards;            /* of memory: "4:2" */
    int discard_error;
} Fixture;

static int fake_discard(void *opaque, uint64_t offset, uint64_t size)
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

static void set_up_blocks(Fixture *f, uint64_t nr_blocks)
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

static void set_up(Fixture *f, gconstpointer data)
{
    set_up_blocks(f, GPOINTER_TO_UINT(data));
}

static void tear_down(Fixture *f, gconstpointer data)
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

static int populate(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_populate(&f->mgr->blocks, block * BLOCK, nr * BLOCK);
}

static int discard(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_discard(&f->mgr->blocks, block * BLOCK, nr * BLOCK);
}

static bool is_populated(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_state_is_populated(
        memory_region_ram_discard_state(&f->mr), block * BLOCK, nr * BLOCK);
}

static const RamDiscardState *state_of(Fixture *f)
{
    return memory_region_ram_discard_state(&f->mr);
}

static RamDiscardMgr *mgr_of(Fixture *f)
{
    return memory_region_get_ram_discard_mgr(&f->mr);
}

static int reg(Fixture *f, RecordingListener *l)
{
    return ram_discard_mgr_register_listener(mgr_of(f), &f->mr, &l->rdl, NULL);
}

static void unreg(Fixture *f, RecordingListener *l)
{
    ram_discard_mgr_unregister_listener(mgr_of(f), &f->mr, &l->rdl);
}

static void register_abc(Fixture *f)
{
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
}

static void unregister_abc(Fixture *f)
{
    unreg(f, &f->a);
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void expect_log(Fixture *f, const char *text)
{
    g_assert_cmpstr(f->log->str, ==, text);
    g_string_truncate(f->log, 0);
}

static void l1_listeners_hold_what_is_populated(Fixture *f, gconstpointer data)
{
    register_abc(f);
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    g_assert_cmpint(populate(f, 7, 1), ==, 0);
    g_assert_cmpint(discard(f, 5, 1), ==, 0);
    recording_check(&f->a, &f->mr);
    recording_check(&f->b, &f->mr);
    recording_check(&f->c, &f->mr);
    g_assert_cmpuint(f->mgr->blocks.populated, ==, 2 * BLOCK);
    unregister_abc(f);
}

static void l2_all_are_asked_in_order(Fixture *f, gconstpointer data)
{
    register_abc(f);
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2 +B4:2 +C4:2");
    unregister_abc(f);
}

static void l2_objection_is_rolled_back_in_reverse(Fixture *f,
                                                   gconstpointer data)
{
    register_abc(f);
    f->c.objections_from = 1;
    g_assert_cmpint(populate(f, 4, 2), ==, -ENOSPC);
    expect_log(f, "+A4:2 +B4:2 !C4:2 -B4:2 -A4:2");
    g_assert_false(is_populated(f, 4, 1));
    g_assert_cmpuint(f->mgr->blocks.populated, ==, 0);
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    unregister_abc(f);
}

/* What a listener sees while it is being asked. */
static void check_not_yet_populated(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    g_assert_false(is_populated(f, 4, 2));
}

static void l2_not_populated_before_all_agreed(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->a.on_notify = f->b.on_notify = f->c.on_notify = check_not_yet_populated;
    f->a.on_notify_opaque = f->b.on_notify_opaque = f->c.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    g_assert_true(is_populated(f, 4, 2));
    f->a.on_notify = f->b.on_notify = f->c.on_notify = NULL;
    unregister_abc(f);
}

static void l3_memory_is_discarded_first(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 4);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(discard(f, 5, 2), ==, 0);
    expect_log(f, "mem -A5:2 -B5:2 -C5:2");
    g_assert_cmpstr(f->discards->str, ==, "5:2");
    unregister_abc(f);
}

static void l3_failed_discard_changes_nothing(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 4);
    g_string_truncate(f->log, 0);
    f->discard_error = -EIO;
    g_assert_cmpint(discard(f, 5, 2), ==, -EIO);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, -EIO);
    expect_log(f, "");
    g_assert_true(is_populated(f, 4, 4));
    recording_check(&f->a, &f->mr);
    unregister_abc(f);
}

static void l3_discard_all_skips_the_unplugged(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 2, 2);
    populate(f, 6, 1);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    expect_log(f, "mem -A2:2 -A6:1 -B2:2 -B6:1 -C*");
    g_assert_cmpstr(f->discards->str, ==, "2:5");
    g_assert_cmpuint(f->mgr->blocks.populated, ==, 0);
    recording_check(&f->a, &f->mr);
    unregister_abc(f);
}

static void l3_discard_all_of_nothing_does_nothing(Fixture *f,
                                                   gconstpointer data)
{
    register_abc(f);
    f->discard_error = -EIO;
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    expect_log(f, "");
    unregister_abc(f);
}

static void l4_a_run_is_told_once(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f, 0, 1), ==, 0);
    g_assert_cmpint(populate(f, 1, 1), ==, 0);
    g_assert_cmpint(populate(f, 2, 6), ==, 0);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    expect_log(f, "+A0:8");
    unreg(f, &f->a);
    expect_log(f, "-A0:8");
}

static void l5_register_replays_maximal_runs_ascending(Fixture *f,
                                                       gconstpointer data)
{
    uint64_t last = f->mgr->blocks.nr_blocks - 1;
    g_autofree char *want = g_strdup_printf("+A0:2 +A63:2 +A%" PRIu64 ":1",
                                            last);

    populate(f, last, 1);
    populate(f, 63, 2);
    populate(f, 0, 2);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    expect_log(f, want);
    unreg(f, &f->a);
}

static void l5_objection_to_replay_is_taken_back(Fixture *f,
                                                 gconstpointer data)
{
    populate(f, 0, 2);
    populate(f, 4, 2);
    populate(f, 7, 1);
    f->a.objections_from = 3;
    g_assert_cmpint(reg(f, &f->a), ==, -ENOSPC);
    expect_log(f, "+A0:2 +A4:2 !A7:1 -A0:2 -A4:2");
    g_assert_cmpint(discard(f, 0, 2), ==, 0);
    expect_log(f, "mem");
}

static void l8_told_listener_unregisters(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    unreg(f, &f->a);
}

static void l8_told_one_leaves_during_populate(Fixture *f, gconstpointer data)
{
    populate(f, 0, 1);
    register_abc(f);
    g_string_truncate(f->log, 0);
    f->b.on_notify = l8_told_listener_unregisters;
    f->b.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2 -A0:1 -A4:2 +B4:2 +C4:2");
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void unregister_b_and_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void l8_untold_ones_leave_during_populate(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2");
    unreg(f, &f->a);
}

static void l8_untold_ones_leave_during_discard(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 2);
    g_string_truncate(f->log, 0);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(discard(f, 5, 1), ==, 0);
    expect_log(f, "mem -B4:1 -B5:1 -C4:1 -C5:1 -A5:1");
    unreg(f, &f->a);
}

static void l8_untold_ones_leave_during_discard_all(Fixture *f,
                                                    gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 2);
    g_string_truncate(f->log, 0);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    expect_log(f, "mem -B4:2 -C* -A4:2");
    unreg(f, &f->a);
    expect_log(f, "");
}

static void unregister_a_in_rollback(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    /* The first notification of B asks, the second takes back. */
    if (l->held[4]) {
        l->on_notify = NULL;
        unreg(f, &f->a);
    }
}

static void l8_one_leaves_during_rollback(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->b.on_notify = unregister_a_in_rollback;
    f->b.on_notify_opaque = f;
    f->c.objections_from = 1;
    g_assert_cmpint(populate(f, 4, 2), ==, -ENOSPC);
    expect_log(f, "+A4:2 +B4:2 !C4:2 -A4:2 -B4:2");
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void register_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    g_assert_cmpint(reg(f, &f->c), ==, 0);
}

static void registering_during_a_notification_is_safe(Fixture *f,
                                                      gconstpointer data)
{
    reg(f, &f->a);
    populate(f, 0, 2);
    f->a.on_notify = register_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 1), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->c);

    f->a.on_notify = register_c;
    g_assert_cmpint(discard(f, 0, 1), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->c);

    f->a.on_notify = register_c;
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->a);
    unreg(f, &f->c);
}

static void queries_need_no_alignment(Fixture *f, gconstpointer data)
{
    uint64_t size = f->mgr->blocks.nr_blocks * BLOCK;

    populate(f, 4, 2);
    g_assert_true(ram_discard_state_is_populated(state_of(f), 4 * BLOCK + 1, 1));
    g_assert_true(ram_discard_state_is_populated(state_of(f), 6 * BLOCK - 1, 1));
    g_assert_false(ram_discard_state_is_populated(state_of(f), 6 * BLOCK - 1, 2));
    g_assert_false(ram_discard_state_is_populated(state_of(f), 4 * BLOCK - 1, 2));
    g_assert_false(ram_discard_state_is_populated(state_of(f), 4 * BLOCK, 0));
    g_assert_false(ram_discard_state_is_populated(state_of(f), size, 1));
    g_assert_false(ram_discard_state_is_populated(state_of(f), size - 1, 2));
    g_assert_false(ram_discard_state_is_populated(state_of(f), UINT64_MAX, 2));
    g_assert_true(ram_discard_blocks_are_discarded(&f->mgr->blocks, 0, 4 * BLOCK));
    g_assert_false(ram_discard_blocks_are_discarded(&f->mgr->blocks, 0, 4 * BLOCK + 1));
    g_assert_false(ram_discard_blocks_are_discarded(&f->mgr->blocks, size, 1));
}

static int replay(Fixture *f, RecordingListener *l)
{
    return ram_discard_mgr_replay_populated(mgr_of(f), &f->mr, &l->rdl);
}

static void replays_need_no_registration(Fixture *f, gconstpointer data)
{
    populate(f, 4, 2);
    populate(f, 7, 1);
    g_assert_cmpint(replay(f, &f->a), ==, 0);
    expect_log(f, "+A4:2 +A7:1");
}

static void replay_stops_at_the_first_objection(Fixture *f, gconstpointer data)
{
    populate(f, 0, 1);
    populate(f, 2, 1);
    populate(f, 4, 1);
    f->a.objections_from = 2;
    g_assert_cmpint(replay(f, &f->a), ==, -ENOSPC);
    expect_log(f, "+A0:1 !A2:1");
}

/* --- law L7: listeners of a part ------------------------------------------ */

/* Listener A follows blocks 4 to 7. */
static void follow_a_part(Fixture *f)
{
    ram_discard_listener_set_range(&f->a.rdl, 4 * BLOCK, 4 * BLOCK);
}

static void l7_a_part_is_told_of_itself_only(Fixture *f, gconstpointer data)
{
    populate(f, 0, 1);
    populate(f, 3, 2);
    follow_a_part(f);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(populate(f, 6, 20), ==, 0);
    g_assert_cmpint(populate(f, 40, 2), ==, 0);
    expect_log(f, "+A4:1 +A6:2");
    g_assert_cmpint(discard(f, 40, 2), ==, 0);
    g_assert_cmpint(discard(f, 7, 3), ==, 0);
    expect_log(f, "mem mem -A7:1");
    unreg(f, &f->a);
    expect_log(f, "-A4:1 -A6:1");
}

static void l7_roll_back_of_a_part(Fixture *f, gconstpointer data)
{
    follow_a_part(f);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    f->b.objections_from = 1;
    g_assert_cmpint(populate(f, 2, 3), ==, -ENOSPC);
    expect_log(f, "+A4:1 !B2:3 -A4:1");
    unreg(f, &f->a);
    unreg(f, &f->b);
}

static void l7_a_part_of_replay_is_taken_back(Fixture *f, gconstpointer data)
{
    populate(f, 0, 5);
    populate(f, 6, 20);
    follow_a_part(f);
    f->a.objections_from = 2;
    g_assert_cmpint(reg(f, &f->a), ==, -ENOSPC);
    expect_log(f, "+A4:1 !A6:2 -A4:1");
}

static void l7_discard_all_of_a_part(Fixture *f, gconstpointer data)
{
    follow_a_part(f);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    populate(f, 0, 5);
    populate(f, 7, 5);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    expect_log(f, "mem -A4:1 -A7:1");
    unreg(f, &f->a);
}

/* A section may begin and end within blocks. */
static int append_run(const MemoryRegionSection *run, void *opaque)
{
    g_string_append_printf(opaque, "%" PRIx64 "+%" PRIx64 "@%" PRIx64 " ",
                           (uint64_t)run->offset_within_region,
                           (uint64_t)int128_get64(run->size),
                           (uint64_t)run->offset_within_address_space);
    return 0;
}

static int stop_at_once(const MemoryRegionSection *run, void *opaque)
{
    ++*(int *)opaque;
    return -EAGAIN;
}

static void l7_walks_are_clipped(Fixture *f, gconstpointer data)
{
    MemoryRegionSection section = {
        .mr = &f->mr,
        .offset_within_region = 4 * BLOCK + 0x1000,
        .offset_within_address_space = 0x100001000,
        .size = int128_make64(4 * BLOCK),
    };
    g_autoptr(GString) runs = g_string_new(NULL);
    int calls = 0;

    memory_region_section_foreach_populated(&section, append_run, runs);
    g_assert_cmpstr(runs->str, ==, "");
    populate(f, 0, 5);
    populate(f, 6, 1);
    populate(f, 8, 8);
    memory_region_section_foreach_populated(&section, append_run, runs);
    g_assert_cmpstr(runs->str, ==, "801000+1ff000@100001000 "
                    "c00000+200000@100400000 1000000+1000@100800000 ");
    g_assert_cmpint(memory_region_section_foreach_populated(
        &section, stop_at_once, &calls), ==, -EAGAIN);
    g_assert_cmpint(calls, ==, 1);
}

/* --- refusals ------------------------------------------------------------- */

typedef struct Observer {
    RamDiscardObserver observer;
    unsigned refused, gone;
} Observer;

static void observe_refused(RamDiscardObserver *observer, RamDiscardState *s)
{
    container_of(observer, Observer, observer)->refused++;
}

static void observe_gone(RamDiscardObserver *observer, RamDiscardState *s)
{
    container_of(observer, Observer, observer)->gone++;
}

static void refuse_populate(Fixture *f)
{
    f->a.objections_from = 1;
    g_assert_cmpint(populate(f, 4, 2), ==, -ENOSPC);
}

static void only_news_is_passed_on(Fixture *f, gconstpointer data)
{
    Observer o = {
        .observer = { .refused = observe_refused, .gone = observe_gone },
    };

    ram_discard_observer_add(&o.observer);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    refuse_populate(f);
    refuse_populate(f);
    g_assert_cmpuint(o.refused, ==, 1);
    g_assert_cmpuint(state_of(f)->refusal.count, ==, 2);
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    g_assert_cmpint(discard(f, 4, 2), ==, 0);
    refuse_populate(f);
    g_assert_cmpuint(o.refused, ==, 2);
    unreg(f, &f->a);
    g_assert_cmpuint(o.gone, ==, 0);
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    g_assert_cmpuint(o.gone, ==, 1);
    ram_discard_observer_remove(&o.observer);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->mgr));
}

static void managers_refuse_too(Fixture *f, gconstpointer data)
{
    const RamDiscardRefusal *refusal = &state_of(f)->refusal;
    Error *err = NULL;

    error_setg(&err, "no pages");
    ram_discard_blocks_refuse(&f->mgr->blocks, 4 * BLOCK, BLOCK, "test", err);
    g_assert_cmpstr(refusal->kind, ==, "test");
    g_assert_cmpstr(refusal->reason, ==, "no pages");
    g_assert_cmpuint(refusal->limit.limit, ==, 0);
}

static void set_reason(RecordingListener *l, void *opaque)
{
    Error *err = NULL;

    error_setg(&err, "for the test");
    ram_discard_listener_object(&l->rdl, err, NULL);
}

static void l5_the_reason_reaches_who_registers(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    populate(f, 4, 2);
    f->a.on_notify = set_reason;
    f->a.objections_from = 1;
    g_assert_cmpint(ram_discard_mgr_register_listener(
        mgr_of(f), &f->mr, &f->a.rdl, &err), ==, -ENOSPC);
    g_assert_cmpstr(error_get_pretty(err), ==, "for the test");
    g_clear_pointer(&err, error_free);
    f->a.on_notify = NULL;
    f->a.objections_from = 1;
    g_assert_cmpint(ram_discard_mgr_register_listener(
        mgr_of(f), &f->mr, &f->a.rdl, &err), ==, -ENOSPC);
    g_assert_nonnull(strstr(error_get_pretty(err), "'ram': cannot follow what "
                            "is plugged: No space left"));
    error_free(err);
}

/* Every run length and position around words, against single blocks. */
static void runs_cross_words(Fixture *f, gconstpointer data)
{
    static const uint64_t edges[] = { 0, 1, 62, 63, 64, 65, 127, 128, 191, 255,
                                      256, 257, 319 };

    for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
        for (size_t j = i + 1; j < ARRAY_SIZE(edges); j++) {
            uint64_t offset = 0, size = 0, nr = edges[j] - edges[i];

            g_assert_cmpint(populate(f, edges[i], nr), ==, 0);
            g_assert_true(ram_discard_state_next_run(state_of(f), &offset,
                                                     &size));
            g_assert_cmpuint(offset, ==, edges[i] * BLOCK);
            g_assert_cmpuint(size, ==, nr * BLOCK);
            offset += size;
            g_assert_false(ram_discard_state_next_run(state_of(f), &offset,
                                                      &size));
            g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
        }
    }
}

#define ADD(name, blocks)                                                    \
    g_test_add("/ram-discard/" #name "/" #blocks, Fixture,                   \
               GUINT_TO_POINTER(blocks), set_up, name, tear_down)
#define ADD_SIZES(name)                                                      \
    ADD(name, 80); ADD(name, 300); ADD(name, 70000)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD_SIZES(l1_listeners_hold_what_is_populated);
    ADD_SIZES(l2_all_are_asked_in_order);
    ADD_SIZES(l2_objection_is_rolled_back_in_reverse);
    ADD(l2_not_populated_before_all_agreed, 300);
    ADD(l3_memory_is_discarded_first, 300);
    ADD(l3_failed_discard_changes_nothing, 300);
    ADD_SIZES(l3_discard_all_skips_the_unplugged);
    ADD(l3_discard_all_of_nothing_does_nothing, 300);
    ADD(l4_a_run_is_told_once, 8);
    ADD_SIZES(l5_register_replays_maximal_runs_ascending);
    ADD(l5_objection_to_replay_is_taken_back, 300);
    ADD(l8_told_one_leaves_during_populate, 300);
    ADD(l8_untold_ones_leave_during_populate, 300);
    ADD(l8_untold_ones_leave_during_discard, 300);
    ADD(l8_untold_ones_leave_during_discard_all, 300);
    ADD(l8_one_leaves_during_rollback, 300);
    ADD(registering_during_a_notification_is_safe, 300);
    ADD_SIZES(queries_need_no_alignment);
    ADD_SIZES(replays_need_no_registration);
    ADD(replay_stops_at_the_first_objection, 300);
    ADD(l7_a_part_is_told_of_itself_only, 300);
    ADD(l7_roll_back_of_a_part, 300);
    ADD(l7_a_part_of_replay_is_taken_back, 300);
    ADD(l7_discard_all_of_a_part, 300);
    ADD(l7_walks_are_clipped, 300);
    ADD(only_news_is_passed_on, 300);
    ADD(managers_refuse_too, 300);
    ADD(l5_the_reason_reaches_who_registers, 300);
    ADD(runs_cross_words, 320);
    return g_test_run();
}
