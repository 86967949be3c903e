/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws L1-L8 of exec/memory.h with three managers on one region, where the
 * range of a change has holes that another manager keeps discarded. What is
 * told is compared as text, as in test-ram-discard.c;
 * test-ram-discard-group-random.c has the sequences nobody thought of.
 */
#include "qemu/osdep.h"
#include "ram-discard-group.h"

/* The others have 2-3, 6-7 and 10-13 populated. */
static void add_others_with_holes(Fixture *f)
{
    g_assert_cmpint(populate(f->second, 2, 2), ==, 0);
    g_assert_cmpint(populate(f->second, 6, 8), ==, 0);
    g_assert_cmpint(populate(f->third, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->third, 8, 8), ==, 0);
    g_assert_cmpint(discard(f->second, 8, 2), ==, 0);
    add(f, f->second);
    add(f, f->third);
}

static void set_up_holes(Fixture *f, gconstpointer data)
{
    set_up(f, data);
    add_others_with_holes(f);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
    expect_log(f, "");
}

static void tear_down_holes(Fixture *f, gconstpointer data)
{
    const RamDiscardState *s = state_of(f);

    while (!QTAILQ_EMPTY(&s->listeners)) {
        ram_discard_mgr_unregister_listener(mgr_of(f), &f->mr,
                                            QTAILQ_FIRST(&s->listeners));
    }
    del(f, f->second);
    del(f, f->third);
    tear_down(f, data);
}

static void l1_listeners_hold_what_all_agree_on(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 1, 12), ==, 0);
    recording_check(&f->a, &f->mr);
    g_assert_cmpint(discard(f->third, 4, 4), ==, 0);
    recording_check(&f->a, &f->mr);
    recording_check(&f->c, &f->mr);
    g_assert_cmpuint(ram_discard_state_populated(state_of(f)), ==, 5 * BLOCK);
}

static void l2_each_listener_is_asked_run_by_run(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 1, 6), ==, 0);
    expect_log(f, "+A2:2 +A6:1 +B2:2 +B6:1 +C2:2 +C6:1");
}

static void l2_nobody_is_asked_where_another_disagrees(Fixture *f,
                                                       gconstpointer data)
{
    f->a.objections_from = 1;
    g_assert_cmpint(populate(f->first, 4, 2), ==, 0);
    g_assert_cmpint(populate(f->first, 20, 9), ==, 0);
    expect_log(f, "");
}

static void l2_objection_takes_all_back(Fixture *f, gconstpointer data)
{
    f->c.objections_from = 2;
    g_assert_cmpint(populate(f->first, 2, 6), ==, -ENOSPC);
    expect_log(f, "+A2:2 +A6:2 +B2:2 +B6:2 +C2:2 !C6:2 "
               "-C2:2 -B2:2 -B6:2 -A2:2 -A6:2");
    g_assert_cmpuint(f->first->blocks.populated, ==, 0);
    g_assert_false(is_populated(f, 2, 1));
    g_assert_cmpint(populate(f->first, 2, 6), ==, 0);
}

static void l2_first_to_be_asked_may_object(Fixture *f, gconstpointer data)
{
    f->a.objections_from = 1;
    g_assert_cmpint(populate(f->first, 2, 6), ==, -ENOSPC);
    expect_log(f, "!A2:2");
}

static void object_with_reason(RecordingListener *l, void *opaque)
{
    Error *err = NULL;

    error_setg(&err, "for the test");
    ram_discard_listener_object(&l->rdl, err,
                                &(RamDiscardLimit) { 3, 2, 4 });
}

static void l2_who_objected_is_remembered(Fixture *f, gconstpointer data)
{
    const RamDiscardRefusal *refusal = &state_of(f)->refusal;

    f->b.on_notify = object_with_reason;
    f->b.objections_from = 1;
    g_assert_cmpint(populate(f->first, 2, 6), ==, -ENOSPC);
    g_assert_cmpuint(refusal->count, ==, 1);
    g_assert_cmpuint(refusal->offset, ==, 2 * BLOCK);
    g_assert_cmpuint(refusal->size, ==, 6 * BLOCK);
    g_assert_cmpstr(refusal->kind, ==, "test-b");
    g_assert_cmpstr(refusal->reason, ==, "for the test");
    g_assert_cmpuint(refusal->limit.needed, ==, 3);
    g_assert_cmpuint(refusal->limit.used, ==, 2);
    g_assert_cmpuint(refusal->limit.limit, ==, 4);
    g_assert_true(refusal->standing);
    f->b.on_notify = NULL;
    g_assert_cmpint(populate(f->first, 2, 6), ==, 0);
    g_assert_false(refusal->standing);
}

static void expect_all_gone(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    g_assert_false(is_populated(f, 2, 1));
    g_assert_false(is_populated(f, 6, 1));
}

static void l3_nothing_counts_once_memory_is_gone(Fixture *f,
                                                  gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 0, 16), ==, 0);
    g_string_truncate(f->log, 0);
    f->a.on_notify = expect_all_gone;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(discard(f->first, 0, 8), ==, 0);
    expect_log(f, "-A2:2 -A6:2 -B2:2 -B6:2 -C2:2 -C6:2");
    f->a.on_notify = NULL;
}

static void l3_failed_discard_is_told_to_nobody(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 0, 16), ==, 0);
    g_string_truncate(f->log, 0);
    f->first->discard_error = -EIO;
    g_assert_cmpint(discard(f->first, 0, 8), ==, -EIO);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->first->blocks), ==, -EIO);
    expect_log(f, "");
    g_assert_true(is_populated(f, 2, 2));
}

static void l4_runs_of_different_blocks_are_joined(Fixture *f,
                                                   gconstpointer data)
{
    for (uint64_t i = 8; i < 16; i++) {
        g_assert_cmpint(populate(f->first, i, 1), ==, 0);
    }
    g_string_truncate(f->log, 0);
    g_assert_cmpint(discard(f->third, 8, 8), ==, 0);
    expect_log(f, "-A10:4 -B10:4 -C10:4");
}

static void l5_replay_is_of_the_agreed_runs(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 3, 9), ==, 0);
    unreg(f, &f->a);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    expect_log(f, "+A3:1 +A6:2 +A10:2");
    unreg(f, &f->a);
    g_string_truncate(f->log, 0);
    f->a.objections_from = 3;
    g_assert_cmpint(reg(f, &f->a), ==, -ENOSPC);
    expect_log(f, "+A3:1 +A6:2 !A10:2 -A3:1 -A6:2");
}

static void discard_all_of_one_discards_all(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 0, 8), ==, 0);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->second->blocks), ==, 0);
    expect_log(f, "-A2:2 -A6:2 -B2:2 -B6:2 -C*");
    g_assert_cmpuint(f->first->blocks.populated, ==, 8 * BLOCK);
    g_assert_false(is_populated(f, 2, 1));
    g_assert_cmpint(populate(f->second, 2, 2), ==, 0);
    expect_log(f, "+A2:2 +B2:2 +C2:2");
}

static void l7_offsets_are_of_the_region(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->second, 390, 10), ==, 0);
    g_assert_cmpint(populate(f->third, 388, 12), ==, 0);
    g_assert_cmpint(populate(f->first, 380, 20), ==, 0);
    expect_log(f, "+A390:10 +B390:10 +C390:10");
}

typedef struct Leaver {
    Fixture *f;
    RecordingListener *who;
} Leaver;

/* Once, at the next notification. */
static void let_leave(RecordingListener *l, void *opaque)
{
    Leaver *leaver = opaque;
    RecordingListener *who = leaver->who;

    leaver->who = NULL;
    if (who) {
        unreg(leaver->f, who);
    }
}

static void l8_leaving_in_a_populate_takes_back_all_runs(Fixture *f,
                                                         gconstpointer data)
{
    Leaver leaver = { f, &f->a };

    f->b.on_notify = let_leave;
    f->b.on_notify_opaque = &leaver;
    g_assert_cmpint(populate(f->first, 2, 6), ==, 0);
    expect_log(f, "+A2:2 +A6:2 -A2:2 -A6:2 +B2:2 +B6:2 +C2:2 +C6:2");
    f->b.on_notify = NULL;
}

static void l8_leaving_in_a_discard_takes_what_is_left(Fixture *f,
                                                       gconstpointer data)
{
    Leaver leaver = { f, &f->c };

    g_assert_cmpint(populate(f->first, 2, 10), ==, 0);
    g_string_truncate(f->log, 0);
    f->b.on_notify = let_leave;
    f->b.on_notify_opaque = &leaver;
    g_assert_cmpint(discard(f->first, 2, 6), ==, 0);
    expect_log(f, "-A2:2 -A6:2 -C10:2 -C2:2 -C6:2 -B2:2 -B6:2");
    f->b.on_notify = NULL;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(test)                                                          \
    g_test_add("/ram-discard-group/laws/" #test, Fixture, NULL,            \
               set_up_holes, test, tear_down_holes)
    ADD(l1_listeners_hold_what_all_agree_on);
    ADD(l2_each_listener_is_asked_run_by_run);
    ADD(l2_nobody_is_asked_where_another_disagrees);
    ADD(l2_objection_takes_all_back);
    ADD(l2_first_to_be_asked_may_object);
    ADD(l2_who_objected_is_remembered);
    ADD(l3_nothing_counts_once_memory_is_gone);
    ADD(l3_failed_discard_is_told_to_nobody);
    ADD(l4_runs_of_different_blocks_are_joined);
    ADD(l5_replay_is_of_the_agreed_runs);
    ADD(discard_all_of_one_discards_all);
    ADD(l7_offsets_are_of_the_region);
    ADD(l8_leaving_in_a_populate_takes_back_all_runs);
    ADD(l8_leaving_in_a_discard_takes_what_is_left);
    return g_test_run();
}
