/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the region graph is rendered: overlap, priority, aliases, clipping. */
#include "qemu/osdep.h"
#include "memory-test.h"

static TestSpace t;

static void view_of_an_empty_root_is_empty(void)
{
    test_space_init(&t);
    assert_view(&t.as, "");
    test_space_cleanup(&t);
}

/* Two leaves, @low below @high, at the given places; asserts the view. */
static void check_two(hwaddr low_at, uint64_t low_size, int low_priority,
                      hwaddr high_at, uint64_t high_size, int high_priority,
                      const char *expected)
{
    MemoryRegion low, high;

    test_space_init(&t);
    test_leaf_init(&low, "low", low_size);
    test_leaf_init(&high, "high", high_size);
    memory_region_add_subregion_overlap(&t.root, low_at, &low, low_priority);
    memory_region_add_subregion_overlap(&t.root, high_at, &high,
                                        high_priority);
    assert_view(&t.as, expected);
    memory_region_del_subregion(&t.root, &high);
    memory_region_del_subregion(&t.root, &low);
    object_unref(&high);
    object_unref(&low);
    test_space_cleanup(&t);
}

static void higher_priority_covers_lower(void)
{
    check_two(0, 0x3000, 1, 0x1000, 0x1000, 2,
              "0-fff low@0; 1000-1fff high@0; 2000-2fff low@2000; ");
    check_two(0x1000, 0x1000, 2, 0, 0x3000, 1,
              "0-fff high@0; 1000-1fff low@0; 2000-2fff high@2000; ");
    check_two(0, 0x2000, -2, 0x1000, 0x2000, -1,
              "0-fff low@0; 1000-2fff high@0; ");
}

static void among_equals_the_one_added_last_wins(void)
{
    check_two(0, 0x2000, 0, 0x1000, 0x2000, 0,
              "0-fff low@0; 1000-2fff high@0; ");
}

static void whole_64_bits_are_covered_to_the_last_byte(void)
{
    check_two(0, UINT64_MAX, 0, 0x1000, 0x1000, 1,
              "0-fff low@0; 1000-1fff high@0; 2000-ffffffffffffffff"
              " low@2000; ");
    check_two(0, UINT64_MAX, 0, -0x1000ULL, 0x1000, 1,
              "0-ffffffffffffefff low@0; fffffffffffff000-ffffffffffffffff"
              " high@0; ");
}

static void what_reaches_beyond_64_bits_is_cut(void)
{
    check_two(-0x1000ULL, 0x4000, 0, 0, 0x1000, 0,
              "0-fff high@0; fffffffffffff000-ffffffffffffffff low@0; ");
}

static void subregion_is_clipped_to_its_container(void)
{
    MemoryRegion container, leaf;

    test_space_init(&t);
    memory_region_init(&container, NULL, "container", 0x2000);
    test_leaf_init(&leaf, "leaf", 0x4000);
    memory_region_add_subregion(&container, 0x1000, &leaf);
    memory_region_add_subregion(&t.root, 0x8000, &container);
    assert_view(&t.as, "9000-9fff leaf@0; ");
    memory_region_set_size(&container, 0x3000);
    assert_view(&t.as, "9000-afff leaf@0; ");

    memory_region_del_subregion(&t.root, &container);
    object_unref(&container);
    object_unref(&leaf);
    test_space_cleanup(&t);
}

static void container_shines_through_where_it_is_empty(void)
{
    MemoryRegion container, inner, behind;

    test_space_init(&t);
    memory_region_init(&container, NULL, "container", 0x3000);
    test_leaf_init(&inner, "inner", 0x1000);
    test_leaf_init(&behind, "behind", 0x3000);
    memory_region_add_subregion(&container, 0x1000, &inner);
    memory_region_add_subregion_overlap(&t.root, 0, &container, 1);
    memory_region_add_subregion(&t.root, 0, &behind);
    assert_view(&t.as, "0-fff behind@0; 1000-1fff inner@0;"
                " 2000-2fff behind@2000; ");

    object_unref(&behind);
    object_unref(&inner);
    object_unref(&container);
    address_space_destroy(&t.as);
    object_unref(&t.root);
}

static void subregion_covers_the_leaf_that_contains_it(void)
{
    MemoryRegion leaf, inner;

    test_space_init(&t);
    test_leaf_init(&leaf, "leaf", 0x3000);
    test_leaf_init(&inner, "inner", 0x1000);
    memory_region_add_subregion(&leaf, 0x1000, &inner);
    memory_region_add_subregion(&t.root, 0, &leaf);
    assert_view(&t.as, "0-fff leaf@0; 1000-1fff inner@0; 2000-2fff leaf@2000; ");

    memory_region_del_subregion(&t.root, &leaf);
    object_unref(&leaf);
    object_unref(&inner);
    test_space_cleanup(&t);
}

/* A leaf of four pages, and an alias of it, both in the address space. */
typedef struct AliasFixture {
    MemoryRegion leaf, alias;
} AliasFixture;

static void alias_setup(AliasFixture *f, const void *unused)
{
    test_space_init(&t);
    test_leaf_init(&f->leaf, "leaf", 0x4000);
    memory_region_init_alias(&f->alias, NULL, "alias", &f->leaf, 0x1000,
                             0x2000);
    memory_region_add_subregion(&t.root, 0x10000, &f->alias);
}

static void alias_teardown(AliasFixture *f, const void *unused)
{
    memory_region_del_subregion(&t.root, &f->alias);
    object_unref(&f->alias);
    object_unref(&f->leaf);
    test_space_cleanup(&t);
}

static void alias_shows_a_part_at_another_address(AliasFixture *f,
                                                  const void *unused)
{
    assert_view(&t.as, "10000-11fff leaf@1000; ");
    memory_region_set_alias_offset(&f->alias, 0x3000);
    assert_view(&t.as, "10000-10fff leaf@3000; ");
    memory_region_set_alias_offset(&f->alias, 0x4000);
    assert_view(&t.as, "");
}

static void neighbours_that_continue_each_other_are_one(AliasFixture *f,
                                                        const void *unused)
{
    MemoryRegion next;

    memory_region_init_alias(&next, NULL, "next", &f->leaf, 0x3000, 0x1000);
    memory_region_add_subregion(&t.root, 0x12000, &next);
    assert_view(&t.as, "10000-12fff leaf@1000; ");
    memory_region_set_readonly(&next, true);
    assert_view(&t.as, "10000-11fff leaf@1000; 12000-12fff leaf@3000 ro; ");
    memory_region_set_readonly(&next, false);
    memory_region_set_alias_offset(&next, 0x2000);
    assert_view(&t.as, "10000-11fff leaf@1000; 12000-12fff leaf@2000; ");
    memory_region_del_subregion(&t.root, &next);
    object_unref(&next);
}

static void disabled_region_hides_behind_its_alias_too(AliasFixture *f,
                                                       const void *unused)
{
    memory_region_set_enabled(&f->leaf, false);
    assert_view(&t.as, "");
    memory_region_set_enabled(&f->leaf, true);
    memory_region_set_enabled(&f->alias, false);
    assert_view(&t.as, "");
    memory_region_set_enabled(&f->alias, true);
    assert_view(&t.as, "10000-11fff leaf@1000; ");
}

static void readonly_is_inherited_through_aliases(AliasFixture *f,
                                                  const void *unused)
{
    memory_region_set_readonly(&f->leaf, true);
    assert_view(&t.as, "10000-11fff leaf@1000 ro; ");
    memory_region_set_readonly(&f->leaf, false);
    memory_region_set_readonly(&t.root, true);
    assert_view(&t.as, "10000-11fff leaf@1000 ro; ");
}

/* What is beside it may change without its section being another one. */
static void unmergeable_alias_is_a_range_of_its_own(AliasFixture *f,
                                                    const void *unused)
{
    MemoryRegion next;

    memory_region_init_alias(&next, NULL, "next", &f->leaf, 0x3000, 0x1000);
    memory_region_add_subregion(&t.root, 0x12000, &next);
    assert_view(&t.as, "10000-12fff leaf@1000; ");
    memory_region_set_unmergeable(&next, true);
    assert_view(&t.as, "10000-11fff leaf@1000; 12000-12fff leaf@3000; ");
    memory_region_set_unmergeable(&f->alias, true);
    assert_view(&t.as, "10000-12fff leaf@1000; ");
    memory_region_del_subregion(&t.root, &next);
    object_unref(&next);
}

static void alias_of_a_container_shows_its_part_of_each_child(void)
{
    MemoryRegion container, a, b, alias;

    test_space_init(&t);
    memory_region_init(&container, NULL, "container", 0x10000);
    test_leaf_init(&a, "a", 0x2000);
    test_leaf_init(&b, "b", 0x2000);
    memory_region_add_subregion(&container, 0, &a);
    memory_region_add_subregion(&container, 0x4000, &b);
    memory_region_init_alias(&alias, NULL, "alias", &container, 0x1000, 0x4000);
    memory_region_add_subregion(&t.root, 0x100000, &alias);
    assert_view(&t.as, "100000-100fff a@1000; 103000-103fff b@0; ");
    memory_region_set_address(&b, 0x3000);
    assert_view(&t.as, "100000-100fff a@1000; 102000-103fff b@0; ");

    memory_region_del_subregion(&t.root, &alias);
    object_unref(&alias);
    object_unref(&container);
    object_unref(&a);
    object_unref(&b);
    test_space_cleanup(&t);
}

static void alias_of_an_alias_adds_up_offsets(AliasFixture *f,
                                              const void *unused)
{
    MemoryRegion outer;

    memory_region_init_alias(&outer, NULL, "outer", &f->alias, 0x1000, 0x8000);
    memory_region_add_subregion(&t.root, 0x20000, &outer);
    assert_view(&t.as, "10000-11fff leaf@1000; 20000-20fff leaf@2000; ");
    memory_region_del_subregion(&t.root, &outer);
    object_unref(&outer);
}

static void alias_may_be_mapped_over_what_it_aliases(AliasFixture *f,
                                                     const void *unused)
{
    memory_region_add_subregion(&t.root, 0, &f->leaf);
    memory_region_set_address(&f->alias, 0x2000);
    assert_view(&t.as, "0-1fff leaf@0; 2000-3fff leaf@1000; ");
    memory_region_del_subregion(&t.root, &f->leaf);
}

static void root_may_be_an_alias_or_forward_to_another(AliasFixture *f,
                                                       const void *unused)
{
    MemoryRegion forward;
    AddressSpace as;

    memory_region_init_alias(&forward, NULL, "forward", &t.root, 0, UINT64_MAX);
    address_space_init(&as, &forward, "forward");
    assert_view(&as, "10000-11fff leaf@1000; ");
    memory_region_set_address(&f->alias, 0);
    assert_view(&as, "0-1fff leaf@1000; ");
    g_assert_true(as.current_map == t.as.current_map);
    memory_region_set_enabled(&forward, false);
    assert_view(&as, "");
    assert_view(&t.as, "0-1fff leaf@1000; ");
    address_space_destroy(&as);
    object_unref(&forward);
}

static void root_may_be_an_alias_of_a_part(AliasFixture *f,
                                           const void *unused)
{
    AddressSpace as;

    memory_region_set_size(&f->alias, 0x8000);
    address_space_init(&as, &f->alias, "part");
    assert_view(&as, "0-2fff leaf@1000; ");
    address_space_destroy(&as);
}

static void only_child_that_sticks_out_is_clipped(void)
{
    MemoryRegion small, leaf;
    AddressSpace as;

    memory_region_init(&small, NULL, "small", 0x1000);
    test_leaf_init(&leaf, "leaf", 0x4000);
    memory_region_add_subregion(&small, 0, &leaf);
    address_space_init(&as, &small, "small");
    assert_view(&as, "0-fff leaf@0; ");
    memory_region_set_readonly(&small, true);
    assert_view(&as, "0-fff leaf@0 ro; ");
    address_space_destroy(&as);
    object_unref(&small);
    object_unref(&leaf);
}

static void find_clips_and_skips_gaps(AliasFixture *f, const void *unused)
{
    MemoryRegionSection s = memory_region_find(&t.root, 0x11000, 0x8000);

    g_assert_true(s.mr == &f->leaf);
    g_assert_cmphex(s.offset_within_region, ==, 0x2000);
    g_assert_cmphex(s.offset_within_address_space, ==, 0x11000);
    g_assert_cmphex(int128_get64(s.size), ==, 0x1000);
    memory_region_unref(s.mr);

    s = memory_region_find(&t.root, 0, 0x10001);
    g_assert_true(s.mr == &f->leaf);
    g_assert_cmphex(s.offset_within_address_space, ==, 0x10000);
    g_assert_cmphex(int128_get64(s.size), ==, 1);
    memory_region_unref(s.mr);

    g_assert_null(memory_region_find(&t.root, 0, 0x10000).mr);
    g_assert_null(memory_region_find(&t.root, 0x12000, UINT64_MAX).mr);
    g_assert_null(memory_region_find(&t.root, 0x10000, 0).mr);
}

static void find_starts_from_a_contained_region(void)
{
    MemoryRegion container, leaf;
    MemoryRegionSection s;

    test_space_init(&t);
    memory_region_init(&container, NULL, "container", 0x4000);
    test_leaf_init(&leaf, "leaf", 0x1000);
    memory_region_add_subregion(&container, 0x1000, &leaf);
    g_assert_null(memory_region_find(&container, 0x1000, 1).mr);
    memory_region_add_subregion(&t.root, 0x8000, &container);
    s = memory_region_find(&container, 0x1800, 1);
    g_assert_true(s.mr == &leaf);
    g_assert_cmphex(s.offset_within_region, ==, 0x800);
    g_assert_cmphex(s.offset_within_address_space, ==, 0x9800);
    memory_region_unref(s.mr);
    memory_region_del_subregion(&t.root, &container);
    object_unref(&container);
    object_unref(&leaf);
    test_space_cleanup(&t);
}

static void set_address_puts_a_region_before_its_equals(void)
{
    MemoryRegion a, b;

    test_space_init(&t);
    test_leaf_init(&a, "a", 0x2000);
    test_leaf_init(&b, "b", 0x2000);
    memory_region_add_subregion(&t.root, 0x1000, &a);
    memory_region_add_subregion(&t.root, 0x2000, &b);
    assert_view(&t.as, "1000-1fff a@0; 2000-3fff b@0; ");
    memory_region_set_address(&a, 0x3000);
    assert_view(&t.as, "2000-2fff b@0; 3000-4fff a@0; ");
    memory_region_del_subregion(&t.root, &a);
    memory_region_del_subregion(&t.root, &b);
    object_unref(&a);
    object_unref(&b);
    test_space_cleanup(&t);
}

#define ADD(name) g_test_add_func("/memory/view/" #name, name)
#define ADD_ALIAS(name)                                                      \
    g_test_add("/memory/view/" #name, AliasFixture, NULL, alias_setup, name, \
               alias_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(view_of_an_empty_root_is_empty);
    ADD(higher_priority_covers_lower);
    ADD(among_equals_the_one_added_last_wins);
    ADD(whole_64_bits_are_covered_to_the_last_byte);
    ADD(what_reaches_beyond_64_bits_is_cut);
    ADD(subregion_is_clipped_to_its_container);
    ADD(container_shines_through_where_it_is_empty);
    ADD(subregion_covers_the_leaf_that_contains_it);
    ADD(alias_of_a_container_shows_its_part_of_each_child);
    ADD(only_child_that_sticks_out_is_clipped);
    ADD(find_starts_from_a_contained_region);
    ADD(set_address_puts_a_region_before_its_equals);
    ADD_ALIAS(alias_shows_a_part_at_another_address);
    ADD_ALIAS(neighbours_that_continue_each_other_are_one);
    ADD_ALIAS(disabled_region_hides_behind_its_alias_too);
    ADD_ALIAS(readonly_is_inherited_through_aliases);
    ADD_ALIAS(unmergeable_alias_is_a_range_of_its_own);
    ADD_ALIAS(alias_of_an_alias_adds_up_offsets);
    ADD_ALIAS(alias_may_be_mapped_over_what_it_aliases);
    ADD_ALIAS(root_may_be_an_alias_or_forward_to_another);
    ADD_ALIAS(root_may_be_an_alias_of_a_part);
    ADD_ALIAS(find_clips_and_skips_gaps);
    return g_test_run();
}
