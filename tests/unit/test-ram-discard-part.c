/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Law L7 of exec/memory.h: listeners and walks of a part of a region are told of
 * that part, clipped, and of nothing else.
 */
#include "qemu/osdep.h"

#include "ram-discard-test.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(l7_a_part_is_told_of_itself_only, 300);
    ADD(l7_roll_back_of_a_part, 300);
    ADD(l7_a_part_of_replay_is_taken_back, 300);
    ADD(l7_discard_all_of_a_part, 300);
    ADD(l7_walks_are_clipped, 300);
    return g_test_run();
}
