/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may discard guest memory: told by name, counted, in any order. */
#include "qemu/osdep.h"

#include "discard-use.h"
#include "exec/ramblock.h"
#include "qapi/error.h"

static const char pinner[] = "pinner";
static const char other_pinner[] = "other pinner";
static const char balloon[] = "balloon";

static void test_conflict_names_both(void)
{
    Error *err = NULL;

    g_assert_true(ram_block_discard_add_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                             pinner, &error_abort));
    g_assert_false(ram_block_discard_add_user(RAM_DISCARD_REQUIRE, balloon,
                                              &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "balloon needs to discard guest memory, but pinner forbids "
                    "uncoordinated discards of guest memory: remove one of "
                    "them");
    error_free(err);
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED, pinner);
    g_assert_true(ram_block_discard_add_user(RAM_DISCARD_REQUIRE, balloon,
                                             &error_abort));
    g_assert_false(ram_block_discard_add_user(RAM_DISCARD_DISABLE, pinner,
                                              NULL));
    ram_block_discard_remove_user(RAM_DISCARD_REQUIRE, balloon);
}

static void test_coordinated_is_compatible(void)
{
    g_assert_true(ram_block_discard_add_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                             pinner, &error_abort));
    g_assert_true(ram_block_discard_add_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                             balloon, &error_abort));
    ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED, balloon);
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED, pinner);
}

static void test_each_use_counts(void)
{
    g_assert_null(ram_block_discard_disabled_by());
    for (int i = 0; i < 2; i++) {
        g_assert_true(ram_block_discard_add_user(RAM_DISCARD_DISABLE, pinner,
                                                 &error_abort));
    }
    g_assert_true(ram_block_discard_add_user(RAM_DISCARD_DISABLE, other_pinner,
                                             &error_abort));
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE, pinner);
    g_assert_cmpstr(ram_block_discard_disabled_by(), ==, pinner);
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE, pinner);
    g_assert_cmpstr(ram_block_discard_disabled_by(), ==, other_pinner);
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, -EBUSY);
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE, other_pinner);
    g_assert_null(ram_block_discard_disabled_by());
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, 0);
    discard_use(RAM_DISCARD_REQUIRE, false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ram-block-discard/conflict-names-both-sides",
                    test_conflict_names_both);
    g_test_add_func("/ram-block-discard/coordinated-is-compatible",
                    test_coordinated_is_compatible);
    g_test_add_func("/ram-block-discard/each-use-counts",
                    test_each_use_counts);
    return g_test_run();
}
