/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws L1 to L5 of exec/memory.h, one by one, for softmmu/ram-discard.c, and
 * its queries and replays. The other laws have tests beside this one, and
 * test-ram-discard-random.c has the sequences nobody thought of.
 */
#include "qemu/osdep.h"

#include "ram-discard-test.h"

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
    ADD_SIZES(queries_need_no_alignment);
    ADD_SIZES(replays_need_no_registration);
    ADD(replay_stops_at_the_first_objection, 300);
    ADD(runs_cross_words, 320);
    return g_test_run();
}
