/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several managers on one region (softmmu/ram-discard-managers.c): what they agree
 * on, what listeners are told when one comes or goes, the size of blocks, and
 * what a user can get wrong. What is told is compared as text, as in
 * test-ram-discard.c.
 */
#include "qemu/osdep.h"
#include "ram-discard-group.h"

/* --- agreement ------------------------------------------------------------ */

static void populated_is_what_all_agree_on(Fixture *f, gconstpointer data)
{
    add(f, f->second);
    add(f, f->third);
    g_assert_cmpint(populate(f->first, 1, 9), ==, 0);
    g_assert_cmpint(populate(f->second, 2, 4), ==, 0);
    g_assert_false(is_populated(f, 2, 1));
    g_assert_cmpint(populate(f->third, 4, 4), ==, 0);
    g_assert_true(is_populated(f, 4, 2));
    g_assert_false(is_populated(f, 3, 1));
    g_assert_false(is_populated(f, 6, 1));
    g_assert_cmpuint(ram_discard_state_populated(state_of(f)), ==, 2 * BLOCK);
    del(f, f->second);
    g_assert_true(is_populated(f, 4, 4));
    del(f, f->third);
    g_assert_true(is_populated(f, 1, 9));
}

static void who_speaks_stays_the_same(Fixture *f, gconstpointer data)
{
    g_assert_true(mgr_of(f) == RAM_DISCARD_MGR(f->first));
    add(f, f->second);
    g_assert_true(mgr_of(f) == RAM_DISCARD_MGR(f->first));
    del(f, f->second);
    g_assert_true(mgr_of(f) == RAM_DISCARD_MGR(f->first));
}

/* Consumers may ask any of them. */
static void each_manager_speaks_for_all(Fixture *f, gconstpointer data)
{
    RamDiscardMgr *second = RAM_DISCARD_MGR(f->second);

    add(f, f->second);
    g_assert_cmpint(populate(f->second, 0, 4), ==, 0);
    g_assert_cmpint(populate(f->first, 3, 1), ==, 0);
    g_assert_cmpuint(ram_discard_mgr_get_min_granularity(second, &f->mr), ==,
                     BLOCK);
    g_assert_false(ram_discard_mgr_is_populated(second, &f->mr, 0, BLOCK));
    g_assert_true(ram_discard_mgr_is_populated(second, &f->mr, 3 * BLOCK,
                                               BLOCK));
    del(f, f->second);
}

static void managers_leave_in_any_order(Fixture *f, gconstpointer data)
{
    add(f, f->second);
    add(f, f->third);
    del(f, f->second);
    add(f, f->second);
    del(f, f->third);
    g_assert_cmpint(populate(f->first, 0, 4), ==, 0);
    g_assert_cmpint(populate(f->second, 0, 2), ==, 0);
    g_assert_true(is_populated(f, 0, 2));
    g_assert_false(is_populated(f, 2, 1));
    del(f, f->second);
}

/* --- who comes and goes --------------------------------------------------- */

static void who_comes_takes_what_it_has_discarded(Fixture *f,
                                                  gconstpointer data)
{
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(populate(f->first, 1, 9), ==, 0);
    g_assert_cmpint(populate(f->second, 4, 4), ==, 0);
    g_string_truncate(f->log, 0);
    add(f, f->second);
    expect_log(f, "-A1:3 -A8:2 -B1:3 -B8:2");
    unreg(f, &f->a);
    unreg(f, &f->b);
    expect_log(f, "-A4:4 -B4:4");
    del(f, f->second);
}

static void who_comes_with_all_populated_changes_nothing(Fixture *f,
                                                         gconstpointer data)
{
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(populate(f->first, 1, 9), ==, 0);
    g_assert_cmpint(populate(f->third, 0, NR_BLOCKS), ==, 0);
    g_string_truncate(f->log, 0);
    add(f, f->third);
    del(f, f->third);
    expect_log(f, "");
    unreg(f, &f->a);
    expect_log(f, "-A1:9");
}

static void who_goes_gives_what_only_it_had_discarded(Fixture *f,
                                                      gconstpointer data)
{
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
    g_assert_cmpint(populate(f->first, 1, 15), ==, 0);
    g_assert_cmpint(populate(f->second, 4, 4), ==, 0);
    g_assert_cmpint(populate(f->third, 4, 8), ==, 0);
    add(f, f->second);
    add(f, f->third);
    g_string_truncate(f->log, 0);
    del(f, f->second);
    expect_log(f, "+A8:4 +C8:4");
    del(f, f->third);
    expect_log(f, "+A1:3 +A12:4 +C1:3 +C12:4");
    recording_check(&f->a, &f->mr);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->a);
    unreg(f, &f->c);
}

static void who_goes_may_be_made_to_stay(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(populate(f->first, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->second, 2, 2), ==, 0);
    add(f, f->second);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_string_truncate(f->log, 0);
    f->b.objections_from = 2;
    del_fails(f, f->second, "*'ram' has to stay*refused by test-b: No space*");
    expect_log(f, "+A0:2 +A4:4 +B0:2 !B4:4 -B0:2 -A0:2 -A4:4");
    g_assert_true(is_populated(f, 2, 2));
    g_assert_false(is_populated(f, 0, 1));
    del(f, f->second);
    expect_log(f, "+A0:2 +A4:4 +B0:2 +B4:4");
    unreg(f, &f->a);
    unreg(f, &f->b);
}

static void listeners_keep_their_order_when_moved(Fixture *f,
                                                  gconstpointer data)
{
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(populate(f->second, 0, 8), ==, 0);
    add(f, f->second);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
    g_assert_cmpint(populate(f->first, 0, 1), ==, 0);
    expect_log(f, "+B0:1 +A0:1 +C0:1");
    del(f, f->second);
    g_assert_cmpint(populate(f->first, 1, 1), ==, 0);
    expect_log(f, "+B1:1 +A1:1 +C1:1");
    unreg(f, &f->a);
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void host_addresses_are_looked_up_again(Fixture *f, gconstpointer data)
{
    uint64_t before = memory_map_generation();

    g_assert_cmpint(populate(f->first, 0, 8), ==, 0);
    add(f, f->second);
    g_assert_cmpuint(memory_map_generation(), !=, before);
    del(f, f->second);
}

/* --- block sizes ---------------------------------------------------------- */

static void blocks_are_the_smallest(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(granularity(f), ==, 1);
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->third));
    g_assert_cmpuint(granularity(f), ==, 4);
    add(f, f->second);
    g_assert_cmpuint(granularity(f), ==, 2);
    add(f, f->first);
    g_assert_cmpuint(granularity(f), ==, 1);
    del(f, f->first);
    g_assert_cmpuint(granularity(f), ==, 2);
    del(f, f->second);
    g_assert_cmpuint(granularity(f), ==, 4);
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
}

static void replace_first_by_third(Fixture *f)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->third));
}

static void replace_third_by_first(Fixture *f)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
}

static void what_is_held_is_not_split(Fixture *f, gconstpointer data)
{
    replace_first_by_third(f);
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(populate(f->third, 0, 4), ==, 0);
    add_fails(f, f->second, "*'ram'*test-b in blocks of 8388608*blocks of "
              "4194304: use granularity=8388608*");
    expect_log(f, "+B0:4");
    g_assert_cmpint(discard(f->third, 0, 4), ==, 0);
    add(f, f->second);
    g_assert_cmpuint(granularity(f), ==, 2);
    unreg(f, &f->b);
    del(f, f->second);
    replace_third_by_first(f);
}

static void what_nobody_holds_is_split(Fixture *f, gconstpointer data)
{
    replace_first_by_third(f);
    g_assert_cmpint(populate(f->third, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->second, 2, 4), ==, 0);
    add(f, f->second);
    g_assert_true(is_populated(f, 2, 4));
    g_assert_false(is_populated(f, 1, 1));
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    expect_log(f, "+A2:4");
    unreg(f, &f->a);
    del(f, f->second);
    g_assert_true(is_populated(f, 0, 8));
    replace_third_by_first(f);
}

/* Mappings of the small blocks are unmapped as they were mapped. */
static void what_is_held_is_not_joined(Fixture *f, gconstpointer data)
{
    replace_first_by_third(f);
    add(f, f->second);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(populate(f->third, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->second, 0, 2), ==, 0);
    del(f, f->second);
    expect_log(f, "+A0:2 +A2:6");
    g_assert_cmpuint(granularity(f), ==, 2);
    g_assert_cmpint(discard(f->third, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->third, 4, 4), ==, 0);
    g_assert_cmpuint(granularity(f), ==, 4);
    unreg(f, &f->a);
    expect_log(f, "-A0:8 +A4:4 -A4:4");
    replace_third_by_first(f);
}

static void check_blocks_of_two(RecordingListener *l, void *opaque)
{
    g_assert_cmpuint(granularity(opaque), ==, 2);
}

/* Nor when all of it goes because of who comes. */
static void what_is_taken_goes_in_the_blocks_it_came_in(Fixture *f,
                                                        gconstpointer data)
{
    ExtraManager *fourth = extra_manager_new(&f->mr, 4 * BLOCK);

    replace_first_by_third(f);
    add(f, f->second);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_cmpint(populate(f->third, 0, 8), ==, 0);
    g_assert_cmpint(populate(f->second, 0, 8), ==, 0);
    del(f, f->second);
    f->a.on_notify = check_blocks_of_two;
    f->a.on_notify_opaque = f;
    add(f, fourth);
    f->a.on_notify = NULL;
    expect_log(f, "+A0:8 -A0:8");
    g_assert_cmpuint(granularity(f), ==, 4);
    unreg(f, &f->a);
    del(f, fourth);
    extra_manager_free(fourth);
    replace_third_by_first(f);
}

/* Nobody holds anything yet: what comes is mapped in large blocks at once. */
static void what_becomes_populated_has_the_larger_blocks(Fixture *f,
                                                         gconstpointer data)
{
    replace_first_by_third(f);
    g_assert_cmpint(populate(f->third, 0, 8), ==, 0);
    add(f, f->second);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    f->a.objections_from = 1;
    del_fails(f, f->second, "*has to stay*unnamed: No space*");
    g_assert_cmpuint(granularity(f), ==, 2);
    del(f, f->second);
    expect_log(f, "!A0:8 +A0:8");
    g_assert_cmpuint(granularity(f), ==, 4);
    g_assert_true(mgr_of(f) == RAM_DISCARD_MGR(f->third));
    unreg(f, &f->a);
    replace_third_by_first(f);
}

static bool refuse_small(RamDiscardConsumer *consumer, MemoryRegion *mr,
                         uint64_t granularity, Error **errp)
{
    if (granularity < 2 * BLOCK) {
        error_setg(errp, "too small for the test");
    }
    return granularity >= 2 * BLOCK;
}

static void consumers_are_asked_about_smaller_blocks(Fixture *f,
                                                     gconstpointer data)
{
    RamDiscardConsumer consumer = { .check_region = refuse_small };
    Error *err = NULL;

    replace_first_by_third(f);
    ram_discard_consumer_register(&consumer);
    add(f, f->second);
    add_fails(f, f->first, "too small for the test");
    ram_discard_consumer_unregister(&consumer);
    add(f, f->first);
    ram_discard_consumer_register(&consumer);
    /* Who comes to a region of small blocks gets these, whatever it has. */
    g_assert_false(ram_discard_consumers_check(&f->mr, 8 * BLOCK, &err));
    error_free(err);
    ram_discard_consumer_unregister(&consumer);
    del(f, f->second);
    del(f, f->first);
    replace_third_by_first(f);
}

/* --- what a user can get wrong -------------------------------------------- */

static void memory_in_use_as_a_whole_gets_no_manager(Fixture *f,
                                                     gconstpointer data)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    memory_region_add_subregion(&f->root, 0, &f->mr);
    add_fails(f, f->second, "*'ram' is in use as a whole*");
    memory_region_del_subregion(&f->root, &f->mr);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
}

static void managers_come_before_the_first(Fixture *f, gconstpointer data)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    g_assert_cmpint(populate(f->second, 0, 4), ==, 0);
    add(f, f->second);
    g_assert_true(is_populated(f, 0, 4));
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
    g_assert_false(is_populated(f, 0, 1));
    g_assert_cmpuint(granularity(f), ==, 1);
    memory_region_add_subregion(&f->root, 0, &f->mr);
    g_assert_cmpint(populate(f->first, 3, 4), ==, 0);
    g_assert_true(is_populated(f, 3, 1));
    memory_region_del_subregion(&f->root, &f->mr);
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    g_assert_true(is_populated(f, 0, 4));
    g_assert_cmpuint(granularity(f), ==, 2);
    del(f, f->second);
    g_assert_false(memory_region_has_ram_discard_mgr(&f->mr));
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
}

static void only_manager_of_mapped_memory_stays(Fixture *f, gconstpointer data)
{
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    add(f, f->second);
    memory_region_add_subregion(&f->root, 0, &f->mr);
    del_fails(f, f->second, "*is the only one of memory region 'ram'*");
    memory_region_del_subregion(&f->root, &f->mr);
    del(f, f->second);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->first));
}

static void others_are_named(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    g_assert_true(memory_region_check_sole_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(f->first), &error_abort));
    object_property_add_child(object_get_objects_root(), "other",
                              OBJECT(f->second));
    add(f, f->second);
    g_assert_false(memory_region_check_sole_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(f->first), &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'/objects/other'"));
    error_free(err);
    del(f, f->second);
    object_unparent(OBJECT(f->second));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(test)                                                          \
    g_test_add("/ram-discard-group/" #test, Fixture, NULL, set_up, test,   \
               tear_down)
    ADD(populated_is_what_all_agree_on);
    ADD(who_speaks_stays_the_same);
    ADD(each_manager_speaks_for_all);
    ADD(managers_leave_in_any_order);
    ADD(who_comes_takes_what_it_has_discarded);
    ADD(who_comes_with_all_populated_changes_nothing);
    ADD(who_goes_gives_what_only_it_had_discarded);
    ADD(who_goes_may_be_made_to_stay);
    ADD(listeners_keep_their_order_when_moved);
    ADD(host_addresses_are_looked_up_again);
    ADD(blocks_are_the_smallest);
    ADD(what_is_held_is_not_split);
    ADD(what_nobody_holds_is_split);
    ADD(what_is_held_is_not_joined);
    ADD(what_is_taken_goes_in_the_blocks_it_came_in);
    ADD(what_becomes_populated_has_the_larger_blocks);
    ADD(consumers_are_asked_about_smaller_blocks);
    ADD(memory_in_use_as_a_whole_gets_no_manager);
    ADD(managers_come_before_the_first);
    ADD(only_manager_of_mapped_memory_stays);
    ADD(others_are_named);
    return g_test_run();
}
