/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Law L9 of exec/memory.h: what is pinned is not discarded. */
#include "qemu/osdep.h"

#include "ram-discard-test.h"

static void pin(Fixture *f, RamDiscardPin *p, uint64_t offset, uint64_t size)
{
    ram_discard_state_pin((RamDiscardState *)state_of(f), p, offset, size);
}

static void l9_pinned_memory_is_not_discarded(Fixture *f, gconstpointer data)
{
    RamDiscardPin p;

    register_abc(f);
    g_assert_cmpint(populate(f, 4, 4), ==, 0);
    g_string_truncate(f->log, 0);
    pin(f, &p, 5 * BLOCK + 4096, 512);
    g_assert_cmpint(discard(f, 5, 1), ==, -EBUSY);
    g_assert_cmpint(discard(f, 4, 4), ==, -EBUSY);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==,
                    -EBUSY);
    expect_log(f, "");
    g_assert_true(is_populated(f, 4, 4));
    /* Its neighbours are as free as ever. */
    g_assert_cmpint(discard(f, 4, 1), ==, 0);
    g_assert_cmpint(discard(f, 6, 2), ==, 0);
    ram_discard_pin_remove(&p);
    g_assert_cmpint(discard(f, 5, 1), ==, 0);
    recording_check(&f->a, &f->mr);
    unregister_abc(f);
}

static void l9_pins_end_with_their_last_byte(Fixture *f, gconstpointer data)
{
    RamDiscardPin p;

    g_assert_cmpint(populate(f, 4, 4), ==, 0);
    pin(f, &p, 5 * BLOCK, BLOCK);
    g_assert_cmpint(discard(f, 4, 1), ==, 0);
    g_assert_cmpint(discard(f, 6, 1), ==, 0);
    g_assert_cmpint(discard(f, 5, 1), ==, -EBUSY);
    ram_discard_pin_remove(&p);
    pin(f, &p, 5 * BLOCK, 1);
    g_assert_cmpint(discard(f, 5, 1), ==, -EBUSY);
    ram_discard_pin_remove(&p);
    pin(f, &p, 6 * BLOCK - 1, 1);
    g_assert_cmpint(discard(f, 5, 1), ==, -EBUSY);
    ram_discard_pin_remove(&p);
    g_assert_cmpint(discard(f, 5, 1), ==, 0);
}

static void l9_each_pin_counts(Fixture *f, gconstpointer data)
{
    RamDiscardPin p[100];

    g_assert_cmpint(populate(f, 4, 4), ==, 0);
    for (int i = 0; i < 100; i++) {
        pin(f, &p[i], 4 * BLOCK + i * 4096, BLOCK);
    }
    for (int i = 0; i < 100; i++) {
        g_assert_cmpint(discard(f, 4, 1), ==, -EBUSY);
        ram_discard_pin_remove(&p[i * 37 % 100]);
    }
    g_assert_cmpint(discard(f, 4, 4), ==, 0);
}

/* Whichever manager it is that wants to discard. */
static void l9_holds_for_each_manager(Fixture *f, gconstpointer data)
{
    ExtraManager *other = extra_manager_new(&f->mr, BLOCK);
    RamDiscardPin p;

    ram_discard_blocks_populate(&other->blocks, 4 * BLOCK, 2 * BLOCK);
    g_assert_true(memory_region_add_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(other), &error_abort));
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    pin(f, &p, 4 * BLOCK, 1);
    g_assert_cmpint(ram_discard_blocks_discard(&other->blocks, 4 * BLOCK,
                                               BLOCK), ==, -EBUSY);
    g_assert_cmpint(discard(f, 4, 1), ==, -EBUSY);
    ram_discard_pin_remove(&p);
    g_assert_cmpint(ram_discard_blocks_discard(&other->blocks, 4 * BLOCK,
                                               BLOCK), ==, 0);
    g_assert_true(memory_region_del_ram_discard_mgr(
        &f->mr, RAM_DISCARD_MGR(other), &error_abort));
    extra_manager_free(other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD_SIZES(l9_pinned_memory_is_not_discarded);
    ADD(l9_pins_end_with_their_last_byte, 300);
    ADD(l9_each_pin_counts, 300);
    ADD(l9_holds_for_each_manager, 300);
    return g_test_run();
}
