/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of regions: who keeps whom, and what failing to make one leaves. */
#include "qemu/osdep.h"
#include "exec/ramblock.h"
#include "memory-test.h"
#include "property-value.h"
#include "qapi/error.h"

/* An object that owns regions, and tells when it is gone. */
#define TYPE_OWNER "test-owner"
OBJECT_DECLARE_SIMPLE_TYPE(Owner, OWNER)

struct Owner {
    Object parent_obj;
    MemoryRegion container, leaf, alias;
};

static unsigned owners_alive;

static void owner_init(Object *obj)
{
    owners_alive++;
}

static void owner_finalize(Object *obj)
{
    owners_alive--;
}

static const TypeInfo owner_info = {
    .name = TYPE_OWNER,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Owner),
    .instance_init = owner_init,
    .instance_finalize = owner_finalize,
};

static Owner *owner_new(void)
{
    Owner *o = OWNER(object_new(TYPE_OWNER));

    memory_region_init(&o->container, OBJECT(o), "container", 4 * PAGE);
    memory_region_init_io(&o->leaf, OBJECT(o), &test_leaf_ops, o, "leaf", PAGE);
    return o;
}

static void mapping_keeps_the_owner_alive(void)
{
    TestSpace t;
    Owner *o = owner_new();

    test_space_init(&t);
    memory_region_add_subregion(&t.root, 0, &o->leaf);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 1);
    memory_region_del_subregion(&t.root, &o->leaf);
    g_assert_cmpuint(owners_alive, ==, 0);
    test_space_cleanup(&t);
}

static void mapping_within_one_owner_is_no_cycle(void)
{
    Owner *o = owner_new();

    memory_region_add_subregion(&o->container, 0, &o->leaf);
    memory_region_init_alias(&o->alias, OBJECT(o), "alias", &o->leaf, 0, PAGE);
    memory_region_add_subregion(&o->container, PAGE, &o->alias);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void alias_keeps_the_target_s_owner_alive(void)
{
    Owner *o = owner_new();
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &o->leaf, 0, PAGE);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 1);
    object_unref(&alias);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void found_section_keeps_the_owner_alive(void)
{
    TestSpace t;
    Owner *o = owner_new();
    MemoryRegionSection s;

    test_space_init(&t);
    memory_region_add_subregion(&t.root, 0, &o->leaf);
    s = memory_region_find(&t.root, 0, 1);
    object_unref(o);
    memory_region_del_subregion(&t.root, &o->leaf);
    g_assert_cmpuint(owners_alive, ==, 1);
    memory_region_unref(s.mr);
    g_assert_cmpuint(owners_alive, ==, 0);
    test_space_cleanup(&t);
}

static void map_keeps_the_owner_alive(void)
{
    TestSpace t;
    Owner *o = OWNER(object_new(TYPE_OWNER));
    hwaddr len = PAGE;
    char *host;

    test_space_init(&t);
    g_assert_true(memory_region_init_ram(&o->leaf, OBJECT(o), "ram", PAGE,
                                         &error_abort));
    memory_region_add_subregion(&t.root, 0, &o->leaf);
    host = address_space_map(&t.as, 0, &len, true, MEMTXATTRS_UNSPECIFIED);
    memory_region_del_subregion(&t.root, &o->leaf);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 1);
    host[0] = 1;
    address_space_unmap(&t.as, host, len, true, len);
    g_assert_cmpuint(owners_alive, ==, 0);
    test_space_cleanup(&t);
}

/* The last reference to an owner may be the old flat view's. */
static void owner_may_go_with_the_old_view(void)
{
    TestSpace t;
    Owner *o = owner_new();

    test_space_init(&t);
    memory_region_add_subregion(&o->container, 0, &o->leaf);
    memory_region_add_subregion(&t.root, 0, &o->container);
    object_unref(o);
    assert_view(&t.as, "0-fff leaf@0; ");
    memory_region_transaction_begin();
    memory_region_del_subregion(&t.root, &o->container);
    g_assert_cmpuint(owners_alive, ==, 1);
    memory_region_transaction_commit();
    g_assert_cmpuint(owners_alive, ==, 0);
    test_space_cleanup(&t);
}

static void address_space_keeps_its_root(void)
{
    Owner *o = owner_new();
    AddressSpace as;

    address_space_init(&as, &o->container, "as");
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 1);
    address_space_destroy(&as);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void is_mapped_counts_aliases(void)
{
    Owner *o = owner_new();
    MemoryRegion alias, outer;

    memory_region_init_alias(&alias, NULL, "alias", &o->leaf, 0, PAGE);
    memory_region_init_alias(&outer, NULL, "outer", &alias, 0, PAGE);
    g_assert_false(memory_region_is_mapped(&o->leaf));
    memory_region_add_subregion(&o->container, 0, &outer);
    g_assert_true(memory_region_is_mapped(&outer));
    g_assert_true(memory_region_is_mapped(&alias));
    g_assert_true(memory_region_is_mapped(&o->leaf));
    memory_region_del_subregion(&o->container, &outer);
    g_assert_false(memory_region_is_mapped(&o->leaf));
    object_unref(&outer);
    object_unref(&alias);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void region_is_a_child_with_properties(void)
{
    Owner *o = owner_new();
    g_autofree char *path = NULL;

    object_property_add_child(object_get_objects_root(), "owner", OBJECT(o));
    memory_region_add_subregion(&o->container, 0x2000, &o->leaf);
    path = object_get_canonical_path(OBJECT(&o->leaf));
    g_assert_cmpstr(path, ==, "/objects/owner/leaf[0]");
    assert_property(OBJECT(&o->leaf), "addr", "8192");
    assert_property(OBJECT(&o->leaf), "size", "4096");
    object_unparent(OBJECT(o));
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void name_cannot_break_the_path(void)
{
    Owner *o = OWNER(object_new(TYPE_OWNER));

    memory_region_init(&o->container, OBJECT(o), "a/b[0]", PAGE);
    g_assert_cmpstr(memory_region_name(&o->container), ==, "a/b[0]");
    g_assert_cmpstr(object_get_canonical_path_component(
                        OBJECT(&o->container)), ==, "a-b-0-[0]");
    object_unref(o);
}

static void size_of_64_bits_is_told_as_the_greatest_number(void)
{
    MemoryRegion mr;

    memory_region_init(&mr, NULL, "all", UINT64_MAX);
    g_assert_cmphex(memory_region_size(&mr), ==, UINT64_MAX);
    g_assert_true(mr.size == int128_2_64());
    memory_region_set_size(&mr, UINT64_MAX - 1);
    g_assert_true(mr.size == int128_make64(UINT64_MAX - 1));
    object_unref(&mr);
}

static void failed_ram_leaves_nothing(void)
{
    Owner *o = OWNER(object_new(TYPE_OWNER));
    MemoryRegion lonely;
    Error *err = NULL;

    g_assert_false(memory_region_init_ram(&o->leaf, OBJECT(o), "huge",
                                          INT64_MAX & -PAGE, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'huge'"));
    error_free_or_abort(&err);
    g_assert_null(object_resolve_path_component(OBJECT(o), "huge[0]"));
    g_assert_false(memory_region_init_ram(&lonely, NULL, "huge",
                                          INT64_MAX & -PAGE, &err));
    error_free_or_abort(&err);
    g_assert_false(memory_region_init_ram_from_fd(&lonely, NULL, "no fd", PAGE,
                                                  RAM_SHARED, -1, 0, &err));
    error_free_or_abort(&err);
    object_unref(o);
    g_assert_cmpuint(owners_alive, ==, 0);
}

static void ram_size_is_rounded_up_to_pages(void)
{
    MemoryRegion mr;

    g_assert_true(memory_region_init_ram(&mr, NULL, "ram", 1, &error_abort));
    g_assert_cmphex(memory_region_size(&mr), ==, qemu_real_host_page_size());
    g_assert_cmpint(memory_region_get_fd(&mr), ==, -1);
    object_unref(&mr);
}

#define ADD(name) g_test_add_func("/memory/region/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    type_register_static(&owner_info);
    ADD(mapping_keeps_the_owner_alive);
    ADD(mapping_within_one_owner_is_no_cycle);
    ADD(alias_keeps_the_target_s_owner_alive);
    ADD(found_section_keeps_the_owner_alive);
    ADD(map_keeps_the_owner_alive);
    ADD(owner_may_go_with_the_old_view);
    ADD(address_space_keeps_its_root);
    ADD(is_mapped_counts_aliases);
    ADD(region_is_a_child_with_properties);
    ADD(name_cannot_break_the_path);
    ADD(size_of_64_bits_is_told_as_the_greatest_number);
    ADD(failed_ram_leaves_nothing);
    ADD(ram_size_is_rounded_up_to_pages);
    return g_test_run();
}
