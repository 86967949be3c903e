/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws L1-L8 of exec/memory.h, one by one, for softmmu/ram-discard.c. What
 * listeners are told is compared as text: "+A4:2" is listener A told that two
 * blocks from block 4 are populated, "-" discarded, "!" an objection, "-A*"
 * all discarded. test-ram-discard-random.c has the sequences nobody thought of.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "recording-listener.h"

#define BLOCK (2 * MiB)

typedef struct Fixture {
    MemoryRegion mr;
    RamDiscardState s;
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
    memory_region_init(&f->mr, NULL, "ram", nr_blocks * BLOCK);
    ram_discard_state_init(&f->s, &f->mr, BLOCK, fake_discard, f);
    f->log = g_string_new(NULL);
    f->discards = g_string_new(NULL);
    recording_init(&f->a, 'A', &f->s, false, f->log);
    recording_init(&f->b, 'B', &f->s, false, f->log);
    recording_init(&f->c, 'C', &f->s, true, f->log);
}

static void set_up(Fixture *f, gconstpointer data)
{
    set_up_blocks(f, GPOINTER_TO_UINT(data));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    ram_discard_state_destroy(&f->s);
    recording_destroy(&f->a);
    recording_destroy(&f->b);
    recording_destroy(&f->c);
    g_string_free(f->log, TRUE);
    g_string_free(f->discards, TRUE);
    object_unref(OBJECT(&f->mr));
}

static int populate(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_state_populate(&f->s, block * BLOCK, nr * BLOCK);
}

static int discard(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_state_discard(&f->s, block * BLOCK, nr * BLOCK);
}

static bool is_populated(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_state_is_populated(&f->s, block * BLOCK, nr * BLOCK);
}

static void register_abc(Fixture *f)
{
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->a.rdl), ==, 0);
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->b.rdl), ==, 0);
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->c.rdl), ==, 0);
}

static void unregister_abc(Fixture *f)
{
    ram_discard_state_unregister(&f->s, &f->a.rdl);
    ram_discard_state_unregister(&f->s, &f->b.rdl);
    ram_discard_state_unregister(&f->s, &f->c.rdl);
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
    recording_check(&f->a, &f->s);
    recording_check(&f->b, &f->s);
    recording_check(&f->c, &f->s);
    g_assert_cmpuint(f->s.populated, ==, 2 * BLOCK);
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
    g_assert_cmpuint(f->s.populated, ==, 0);
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
    g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, -EIO);
    expect_log(f, "");
    g_assert_true(is_populated(f, 4, 4));
    recording_check(&f->a, &f->s);
    unregister_abc(f);
}

static void l3_discard_all_skips_the_unplugged(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 2, 2);
    populate(f, 6, 1);
    g_string_truncate(f->log, 0);
    g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, 0);
    expect_log(f, "mem -A2:2 -A6:1 -B2:2 -B6:1 -C*");
    g_assert_cmpstr(f->discards->str, ==, "2:5");
    g_assert_cmpuint(f->s.populated, ==, 0);
    recording_check(&f->a, &f->s);
    unregister_abc(f);
}

static void l3_discard_all_of_nothing_does_nothing(Fixture *f,
                                                   gconstpointer data)
{
    register_abc(f);
    f->discard_error = -EIO;
    g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, 0);
    expect_log(f, "");
    unregister_abc(f);
}

static void l4_a_run_is_told_once(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f, 0, 1), ==, 0);
    g_assert_cmpint(populate(f, 1, 1), ==, 0);
    g_assert_cmpint(populate(f, 2, 6), ==, 0);
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->a.rdl), ==, 0);
    expect_log(f, "+A0:8");
    ram_discard_state_unregister(&f->s, &f->a.rdl);
    expect_log(f, "-A0:8");
}

static void l5_register_replays_maximal_runs_ascending(Fixture *f,
                                                       gconstpointer data)
{
    uint64_t last = f->s.nr_blocks - 1;
    g_autofree char *want = g_strdup_printf("+A0:2 +A63:2 +A%" PRIu64 ":1",
                                            last);

    populate(f, last, 1);
    populate(f, 63, 2);
    populate(f, 0, 2);
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->a.rdl), ==, 0);
    expect_log(f, want);
    ram_discard_state_unregister(&f->s, &f->a.rdl);
}

static void l5_objection_to_replay_is_taken_back(Fixture *f,
                                                 gconstpointer data)
{
    populate(f, 0, 2);
    populate(f, 4, 2);
    populate(f, 7, 1);
    f->a.objections_from = 3;
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->a.rdl), ==, -ENOSPC);
    expect_log(f, "+A0:2 +A4:2 !A7:1 -A0:2 -A4:2");
    g_assert_cmpint(discard(f, 0, 2), ==, 0);
    expect_log(f, "mem");
}

static void l8_told_listener_unregisters(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    ram_discard_state_unregister(&f->s, &f->a.rdl);
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
    ram_discard_state_unregister(&f->s, &f->b.rdl);
    ram_discard_state_unregister(&f->s, &f->c.rdl);
}

static void unregister_b_and_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    ram_discard_state_unregister(&f->s, &f->b.rdl);
    ram_discard_state_unregister(&f->s, &f->c.rdl);
}

static void l8_untold_ones_leave_during_populate(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2");
    ram_discard_state_unregister(&f->s, &f->a.rdl);
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
    ram_discard_state_unregister(&f->s, &f->a.rdl);
}

static void l8_untold_ones_leave_during_discard_all(Fixture *f,
                                                    gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 2);
    g_string_truncate(f->log, 0);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, 0);
    expect_log(f, "mem -B4:2 -C* -A4:2");
    ram_discard_state_unregister(&f->s, &f->a.rdl);
    expect_log(f, "");
}

static void unregister_a_in_rollback(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    /* The first notification of B asks, the second takes back. */
    if (l->held[4]) {
        l->on_notify = NULL;
        ram_discard_state_unregister(&f->s, &f->a.rdl);
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
    ram_discard_state_unregister(&f->s, &f->b.rdl);
    ram_discard_state_unregister(&f->s, &f->c.rdl);
}

static void register_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    g_assert_cmpint(ram_discard_state_register(&f->s, &f->c.rdl), ==, 0);
}

static void registering_during_a_notification_is_safe(Fixture *f,
                                                      gconstpointer data)
{
    ram_discard_state_register(&f->s, &f->a.rdl);
    populate(f, 0, 2);
    f->a.on_notify = register_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 1), ==, 0);
    recording_check(&f->c, &f->s);
    ram_discard_state_unregister(&f->s, &f->c.rdl);

    f->a.on_notify = register_c;
    g_assert_cmpint(discard(f, 0, 1), ==, 0);
    recording_check(&f->c, &f->s);
    ram_discard_state_unregister(&f->s, &f->c.rdl);

    f->a.on_notify = register_c;
    g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, 0);
    recording_check(&f->c, &f->s);
    ram_discard_state_unregister(&f->s, &f->a.rdl);
    ram_discard_state_unregister(&f->s, &f->c.rdl);
}

static void queries_need_no_alignment(Fixture *f, gconstpointer data)
{
    uint64_t size = f->s.nr_blocks * BLOCK;

    populate(f, 4, 2);
    g_assert_true(ram_discard_state_is_populated(&f->s, 4 * BLOCK + 1, 1));
    g_assert_true(ram_discard_state_is_populated(&f->s, 6 * BLOCK - 1, 1));
    g_assert_false(ram_discard_state_is_populated(&f->s, 6 * BLOCK - 1, 2));
    g_assert_false(ram_discard_state_is_populated(&f->s, 4 * BLOCK - 1, 2));
    g_assert_false(ram_discard_state_is_populated(&f->s, 4 * BLOCK, 0));
    g_assert_false(ram_discard_state_is_populated(&f->s, size, 1));
    g_assert_false(ram_discard_state_is_populated(&f->s, size - 1, 2));
    g_assert_false(ram_discard_state_is_populated(&f->s, UINT64_MAX, 2));
    g_assert_true(ram_discard_state_is_discarded(&f->s, 0, 4 * BLOCK));
    g_assert_false(ram_discard_state_is_discarded(&f->s, 0, 4 * BLOCK + 1));
    g_assert_false(ram_discard_state_is_discarded(&f->s, size, 1));
}

static void replays_need_no_registration(Fixture *f, gconstpointer data)
{
    g_autofree char *rest = g_strdup_printf(
        "+A4:2 -A0:4 -A6:%" PRIu64, f->s.nr_blocks - 6);

    populate(f, 4, 2);
    g_assert_cmpint(ram_discard_state_replay_populated(&f->s, &f->a.rdl), ==,
                    0);
    memset(f->a.held, 1, f->s.nr_blocks);
    ram_discard_state_replay_discarded(&f->s, &f->a.rdl);
    expect_log(f, rest);
}

static void replay_stops_at_the_first_objection(Fixture *f, gconstpointer data)
{
    populate(f, 0, 1);
    populate(f, 2, 1);
    populate(f, 4, 1);
    f->a.objections_from = 2;
    g_assert_cmpint(ram_discard_state_replay_populated(&f->s, &f->a.rdl), ==,
                    -ENOSPC);
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
            g_assert_true(ram_discard_state_next_run(&f->s, true, &offset,
                                                     &size));
            g_assert_cmpuint(offset, ==, edges[i] * BLOCK);
            g_assert_cmpuint(size, ==, nr * BLOCK);
            offset += size;
            g_assert_false(ram_discard_state_next_run(&f->s, true, &offset,
                                                      &size));
            g_assert_cmpint(ram_discard_state_discard_all(&f->s), ==, 0);
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
    ADD(runs_cross_words, 320);
    return g_test_run();
}
