/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio/listener.c and container.c: plain RAM sections, and set-up that is
 * undone as a whole. Managed sections: test-vfio-ram-discard.c.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "discard-use.h"
#include "fake-iommu.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL

typedef struct Fixture {
    TestSpace *space;
    FakeIOMMU *iommu;
    MemoryRegion ram;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->space = test_space_new();
    f->iommu = fake_iommu_new();
    fake_ram_init(&f->ram, "ram", 64 * MiB, HOST);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    fake_iommu_free(f->iommu);
    test_space_free(f->space);
    object_unref(OBJECT(&f->ram));
}

static void start(Fixture *f)
{
    Error *err = NULL;

    fake_iommu_start(f->iommu, &f->space->as, &err);
    g_assert_no_error(err);
}

static void *host_of(uint64_t offset)
{
    return (void *)(uintptr_t)(HOST + offset);
}

static void expect_devices(const Fixture *f, const char *names)
{
    g_autofree char *said = g_strjoinv(" ", f->iommu->container.space.devices);

    g_assert_cmpstr(said, ==, names);
}

static void test_knows_its_devices(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "a", "b", "c" };

    start(f);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        vfio_container_add_device(&f->iommu->container, names[i]);
    }
    expect_devices(f, "a b c");
    vfio_container_remove_device(&f->iommu->container, "b");
    expect_devices(f, "a c");
    vfio_container_remove_device(&f->iommu->container, "a");
    vfio_container_remove_device(&f->iommu->container, "c");
    expect_devices(f, "");
    fake_iommu_stop(f->iommu);
}

static void test_whole(Fixture *f, gconstpointer data)
{
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    start(f);
    g_assert_cmpuint(fake_iommu_count(f->iommu, true), ==, 1);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 64 * MiB);
    g_assert_true(fake_iommu_translate(f->iommu, 1 * GiB + 5) == host_of(5));
    g_assert_null(fake_iommu_translate(f->iommu, 1 * GiB - 1));

    memory_region_del_subregion(&f->space->root, &f->ram);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 0);
    fake_iommu_stop(f->iommu);
}

static void test_alias(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 8 * MiB, 4 * MiB);
    start(f);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &alias);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 4 * MiB);
    g_assert_true(fake_iommu_translate(f->iommu, 2 * GiB) == host_of(8 * MiB));
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

static void test_rom(Fixture *f, gconstpointer data)
{
    start(f);
    memory_region_set_readonly(&f->ram, true);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &f->ram);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 0);
    memory_region_del_subregion(&f->space->root, &f->ram);
    fake_iommu_stop(f->iommu);
}

/* The guest cannot write it now, but it is the guest's. */
static void test_readonly_ram(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    start(f);
    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 0, 4 * MiB);
    memory_region_set_readonly(&alias, true);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &alias);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 4 * MiB);
    g_assert_true(g_array_index(f->iommu->mappings, FakeMapping, 0).readonly);
    memory_region_set_readonly(&alias, false);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 4 * MiB);
    memory_region_del_subregion(&f->space->root, &alias);
    fake_iommu_stop(f->iommu);
    object_unref(OBJECT(&alias));
}

static void test_moves(Fixture *f, gconstpointer data)
{
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    start(f);
    memory_region_set_address(&f->ram, 3 * GiB);
    g_assert_null(fake_iommu_translate(f->iommu, 1 * GiB));
    g_assert_true(fake_iommu_translate(f->iommu, 3 * GiB) == host_of(0));
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->ram);
}

static void test_shrinks_to_pages(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    f->iommu->page_size = 64 * KiB;
    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 4 * KiB,
                             256 * KiB);
    memory_region_add_subregion(&f->space->root, 1 * GiB + 4 * KiB, &alias);
    start(f);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 192 * KiB);
    g_assert_null(fake_iommu_translate(f->iommu, 1 * GiB + 60 * KiB));
    g_assert_true(fake_iommu_translate(f->iommu, 1 * GiB + 64 * KiB) ==
                  host_of(64 * KiB));
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

static void test_smaller_than_a_page(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    f->iommu->page_size = 64 * KiB;
    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 4 * KiB, 8 * KiB);
    memory_region_add_subregion(&f->space->root, 1 * GiB + 4 * KiB, &alias);
    start(f);
    g_assert_cmpuint(f->iommu->ops->len, ==, 0);
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

static void test_unequally_aligned(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    f->iommu->page_size = 64 * KiB;
    memory_region_add_subregion(&f->space->root, 1 * GiB + 4 * KiB, &f->ram);
    g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "65536"));
    error_free(err);
    memory_region_del_subregion(&f->space->root, &f->ram);
}

static void test_top_of_address_space(Fixture *f, gconstpointer data)
{
    memory_region_add_subregion(&f->space->root, -(64 * MiB), &f->ram);
    start(f);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 64 * MiB);
    g_assert_true(fake_iommu_translate(f->iommu, UINT64_MAX) ==
                  host_of(64 * MiB - 1));
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->ram);
}

/* A BAR that the IOMMU cannot reach costs only DMA between devices. */
static void test_bar_only_warns(Fixture *f, gconstpointer data)
{
    MemoryRegion bar;

    f->iommu->last_iova = 4 * GiB - 1;
    memory_region_init_ram_device_ptr(&bar, NULL, "bar", 64 * KiB,
                                      host_of(1 * GiB));
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    memory_region_add_subregion(&f->space->root, 8 * GiB, &bar);
    start(f);
    g_assert_false(f->iommu->container.space.broken);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 64 * MiB);

    memory_region_set_address(&bar, 2 * GiB);
    g_assert_nonnull(fake_iommu_translate(f->iommu, 2 * GiB));
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &bar);
    memory_region_del_subregion(&f->space->root, &f->ram);
    object_unref(OBJECT(&bar));
}

static void test_beyond_reach_fails_set_up(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    f->iommu->last_iova = 1 * GiB;
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'ram'"));
    error_free(err);
    memory_region_del_subregion(&f->space->root, &f->ram);
}

/* Whichever of three mappings fails, nothing stays mapped, and it can be
 * tried again. */
static void test_set_up_unrolls(Fixture *f, gconstpointer data)
{
    MemoryRegion other[2];

    fake_ram_init(&other[0], "other0", 1 * MiB, HOST + 1 * GiB);
    fake_ram_init(&other[1], "other1", 1 * MiB, HOST + 2 * GiB);
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &other[0]);
    memory_region_add_subregion(&f->space->root, 3 * GiB, &other[1]);
    for (int n = 0; n < 3; n++) {
        Error *err = NULL;

        f->iommu->fail_map_after = n;
        g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
        error_free_or_abort(&err);
        g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
        g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, 0);
        discard_use(RAM_DISCARD_REQUIRE, false);
    }
    start(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 3);
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->ram);
    for (int i = 0; i < 2; i++) {
        memory_region_del_subregion(&f->space->root, &other[i]);
        object_unref(OBJECT(&other[i]));
    }
}

static void test_run_time_failure_breaks(Fixture *f, gconstpointer data)
{
    start(f);
    f->iommu->fail_map_after = 0;
    memory_region_add_subregion(&f->space->root, 1 * GiB, &f->ram);
    g_assert_true(f->iommu->container.space.broken);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 0);
    /* What was not mapped must not be unmapped. */
    fake_iommu_forget(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->ram);
    g_assert_cmpuint(f->iommu->ops->len, ==, 0);
    fake_iommu_stop(f->iommu);
}

static void test_blocks_uncoordinated_discards(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    start(f);
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, -EBUSY);
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE_COORDINATED, true), ==, 0);
    discard_use(RAM_DISCARD_REQUIRE_COORDINATED, false);
    fake_iommu_stop(f->iommu);

    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, 0);
    g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
    error_free_or_abort(&err);
    discard_use(RAM_DISCARD_REQUIRE, false);
}

#define ADD(name, fn) \
    g_test_add("/vfio/listener/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("knows its devices", test_knows_its_devices);
    ADD("maps a section whole", test_whole);
    ADD("maps the part that an alias shows", test_alias);
    ADD("leaves ROM alone", test_rom);
    ADD("maps RAM that is shown readonly", test_readonly_ram);
    ADD("follows a region that moves", test_moves);
    ADD("shrinks a section to pages of the IOMMU", test_shrinks_to_pages);
    ADD("leaves out less than a page", test_smaller_than_a_page);
    ADD("refuses unequal alignment", test_unequally_aligned);
    ADD("maps up to the end of the address space", test_top_of_address_space);
    ADD("only warns of a BAR out of reach", test_bar_only_warns);
    ADD("refuses RAM out of reach", test_beyond_reach_fails_set_up);
    ADD("unrolls a set-up that fails", test_set_up_unrolls);
    ADD("is broken by a failure at run time", test_run_time_failure_breaks);
    ADD("blocks uncoordinated discards", test_blocks_uncoordinated_discards);
    return g_test_run();
}
