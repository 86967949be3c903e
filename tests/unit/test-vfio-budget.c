/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio/budget.c: too few DMA mappings or too little lockable memory are
 * refused when something is added, with numbers that are right.
 */
#include "qemu/osdep.h"

#include "fake-iommu.h"
#include "hw/vfio/budget.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL
#define BLOCK (2 * MiB)

static void test_counts(void)
{
    g_assert_cmpuint(vfio_budget_mappings(0, 10 * BLOCK, BLOCK), ==, 10);
    g_assert_cmpuint(vfio_budget_mappings(0, 1, BLOCK), ==, 1);
    g_assert_cmpuint(vfio_budget_mappings(BLOCK - 1, 2, BLOCK), ==, 2);
    g_assert_cmpuint(vfio_budget_mappings(7 * BLOCK, 1 * TiB, BLOCK), ==,
                     1 * TiB / BLOCK);
    g_assert_cmpuint(vfio_budget_mappings(-(2 * BLOCK), 2 * BLOCK, BLOCK), ==,
                     2);
}

static void test_fitting_granule(void)
{
    g_assert_cmpuint(vfio_budget_fitting_granule(0, 1 * TiB, BLOCK, 65535), ==,
                     32 * MiB);
    g_assert_cmpuint(vfio_budget_fitting_granule(0, 1 * TiB, BLOCK, 65536), ==,
                     16 * MiB);
    g_assert_cmpuint(vfio_budget_fitting_granule(0, 1 * GiB, BLOCK, 512), ==,
                     BLOCK);
    g_assert_cmpuint(vfio_budget_fitting_granule(0, 1 * GiB, BLOCK, 0), ==, 0);
}

static void test_memlock(void)
{
    Error *err = NULL;

    g_assert_true(vfio_budget_memlock_fits(100, 0, 100, &err));
    g_assert_true(vfio_budget_memlock_fits(0, 100, 100, &err));
    g_assert_false(vfio_budget_memlock_fits(4097, 8192, 12288, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "4097 bytes"));
    g_assert_nonnull(strstr(error_get_pretty(err), "12288 bytes"));
    error_free_or_abort(&err);
    g_assert_false(vfio_budget_memlock_fits(1, 200, 100, NULL));
    g_assert_false(vfio_budget_memlock_fits(UINT64_MAX, 1, UINT64_MAX, NULL));
}

static void test_process_memlock(void)
{
    uint64_t used = UINT64_MAX, limit = UINT64_MAX;

    if (vfio_budget_process_memlock(&used, &limit)) {
        g_assert_cmpuint(limit, !=, UINT64_MAX);
        g_assert_cmpuint(used, <, 1 * TiB);
    } else {
        g_assert_cmpuint(limit, ==, UINT64_MAX);
    }
}

/* A guest with boot RAM and a managed region of as many blocks as are one too
 * many, then as many as fit. */
static void test_limit(gconstpointer data)
{
    const uint64_t max = GPOINTER_TO_UINT(data);

    for (uint64_t nr = max; nr >= max - 1; nr--) {
        TestSpace *space = test_space_new();
        FakeIOMMU *iommu = fake_iommu_new();
        SparseRam *ram = sparse_ram_new("mem0", BLOCK, nr, HOST);
        MemoryRegion boot;
        Error *err = NULL;
        bool fits = nr < max;

        iommu->max_mappings = max;
        fake_ram_init(&boot, "boot", 1 * GiB, HOST - 1 * GiB);
        memory_region_add_subregion(&space->root, 0, &boot);
        memory_region_add_subregion(&space->root, 1 * TiB, &ram->mr);
        g_assert_cmpint(fake_iommu_start(iommu, &space->as, &err), ==, fits);
        if (fits) {
            g_assert_cmpint(sparse_ram_plug(ram, 0, nr), ==, 0);
            g_assert_cmpuint(vfio_budget_space_mappings(&iommu->container.space),
                             ==, max);
            g_assert_cmpuint(iommu->mappings->len, ==, max);
            fake_iommu_stop(iommu);
        } else {
            g_assert_nonnull(strstr(error_get_pretty(err),
                                    "block-size=4194304"));
            error_free(err);
        }
        fake_iommu_free(iommu);
        memory_region_del_subregion(&space->root, &boot);
        memory_region_del_subregion(&space->root, &ram->mr);
        sparse_ram_free(ram);
        test_space_free(space);
        object_unref(OBJECT(&boot));
    }
}

/* Two managed regions and two plain ones: the sum counts, not the last. */
static void test_sum(void)
{
    TestSpace *space = test_space_new();
    FakeIOMMU *iommu = fake_iommu_new();
    SparseRam *ram[2] = {
        sparse_ram_new("mem0", BLOCK, 100, HOST),
        sparse_ram_new("mem1", 2 * BLOCK, 50, HOST + 1 * TiB),
    };
    Error *err = NULL;

    memory_region_add_subregion(&space->root, 0, &ram[0]->mr);
    memory_region_add_subregion(&space->root, 1 * TiB, &ram[1]->mr);
    iommu->max_mappings = 149;
    g_assert_false(fake_iommu_start(iommu, &space->as, &err));
    error_free_or_abort(&err);
    iommu->max_mappings = 150;
    g_assert_true(fake_iommu_start(iommu, &space->as, &err));
    g_assert_cmpuint(vfio_budget_space_mappings(&iommu->container.space), ==,
                     150);
    fake_iommu_stop(iommu);
    fake_iommu_free(iommu);
    for (int i = 0; i < 2; i++) {
        memory_region_del_subregion(&space->root, &ram[i]->mr);
        sparse_ram_free(ram[i]);
    }
    test_space_free(space);
}

/* A region that is to be managed while the container lives: exactly what the
 * limit leaves, then one block more, which larger blocks would cure. */
static void test_later_region(gconstpointer data)
{
    const uint64_t max = GPOINTER_TO_UINT(data);
    TestSpace *space = test_space_new();
    FakeIOMMU *iommu = fake_iommu_new();
    MemoryRegion boot, fits, exceeds;
    g_autofree char *cure = g_strdup_printf("block-size=%" PRIu64, 2 * BLOCK);
    Error *err = NULL;

    iommu->max_mappings = max;
    fake_ram_init(&boot, "boot", 1 * GiB, HOST - 1 * GiB);
    fake_ram_init(&fits, "fits", (max - 1) * BLOCK, HOST);
    fake_ram_init(&exceeds, "exceeds", max * BLOCK, HOST);
    memory_region_add_subregion(&space->root, 0, &boot);
    g_assert_true(fake_iommu_start(iommu, &space->as, &error_abort));

    g_assert_true(ram_discard_consumers_check(&fits, BLOCK, &error_abort));
    g_assert_false(ram_discard_consumers_check(&exceeds, BLOCK, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), cure));
    g_assert_true(ram_discard_consumers_check(&exceeds, 2 * BLOCK,
                                              &error_abort));
    error_free_or_abort(&err);

    fake_iommu_stop(iommu);
    g_assert_true(ram_discard_consumers_check(&exceeds, BLOCK, &error_abort));
    memory_region_del_subregion(&space->root, &boot);
    object_unref(OBJECT(&boot));
    object_unref(OBJECT(&fits));
    object_unref(OBJECT(&exceeds));
    fake_iommu_free(iommu);
    test_space_free(space);
}

/* --- the worst case --- */

static void hear(const char *line, void *opaque)
{
    g_string_append_printf(opaque, "%s\n", line);
}

/* How often a warning has been heard that has both numbers. */
static unsigned heard(const GString *said, uint64_t worst, uint64_t limit)
{
    g_autofree char *text = g_strdup_printf(
        "%" PRIu64 " bytes must be locked for devices, but RLIMIT_MEMLOCK "
        "allows %" PRIu64 " bytes", worst, limit);
    unsigned n = 0;

    for (const char *p = said->str; (p = strstr(p, text)); p++) {
        n++;
    }
    return n;
}

/* A limit for what is plugged but not for what could be: a warning when the
 * container comes, and when a region comes that makes it worse. */
static void test_lock_worst_case(void)
{
    TestSpace *space = test_space_new();
    FakeIOMMU *iommu = fake_iommu_new();
    FakeIOMMU *other = fake_iommu_new();
    SparseRam *ram[2] = {
        sparse_ram_new("mem0", BLOCK, 100, HOST),
        sparse_ram_new("mem1", BLOCK, 50, HOST + 1 * TiB),
    };
    g_autoptr(GString) said = g_string_new(NULL);

    error_set_printer(hear, said);
    iommu->lock_limit = 100 * BLOCK - 1;
    other->lock_limit = iommu->lock_limit;
    g_assert_cmpint(sparse_ram_plug(ram[0], 0, 10), ==, 0);
    memory_region_add_subregion(&space->root, 0, &ram[0]->mr);
    g_assert_true(fake_iommu_start(iommu, &space->as, &error_abort));
    g_assert_cmpuint(heard(said, 100 * BLOCK, iommu->lock_limit), ==, 1);
    memory_region_add_subregion(&space->root, 1 * TiB, &ram[1]->mr);
    g_assert_cmpuint(heard(said, 150 * BLOCK, iommu->lock_limit), ==, 1);
    memory_region_del_subregion(&space->root, &ram[1]->mr);
    memory_region_add_subregion(&space->root, 1 * TiB, &ram[1]->mr);
    g_assert_cmpuint(heard(said, 150 * BLOCK, iommu->lock_limit), ==, 1);

    /* Both containers draw on the limit. */
    g_assert_true(fake_iommu_start(other, &space->as, &error_abort));
    g_assert_cmpuint(heard(said, (10 + 2 * 140) * BLOCK, iommu->lock_limit),
                     ==, 1);
    error_set_printer(NULL, NULL);
    fake_iommu_stop(other);
    fake_iommu_stop(iommu);
    fake_iommu_free(other);
    fake_iommu_free(iommu);
    for (int i = 0; i < 2; i++) {
        memory_region_del_subregion(&space->root, &ram[i]->mr);
        sparse_ram_free(ram[i]);
    }
    test_space_free(space);
}

/* Enough for everything, or no limit at all: nothing is said. */
static void test_lock_no_worst_case(void)
{
    const uint64_t limits[] = { 100 * BLOCK, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        TestSpace *space = test_space_new();
        FakeIOMMU *iommu = fake_iommu_new();
        SparseRam *ram = sparse_ram_new("mem0", BLOCK, 100, HOST);
        g_autoptr(GString) said = g_string_new(NULL);

        error_set_printer(hear, said);
        iommu->lock_limit = limits[i];
        memory_region_add_subregion(&space->root, 0, &ram->mr);
        g_assert_true(fake_iommu_start(iommu, &space->as, &error_abort));
        g_assert_cmpint(sparse_ram_plug(ram, 0, 100), ==, 0);
        g_assert_cmpstr(said->str, ==, "");
        error_set_printer(NULL, NULL);
        fake_iommu_stop(iommu);
        fake_iommu_free(iommu);
        memory_region_del_subregion(&space->root, &ram->mr);
        sparse_ram_free(ram);
        test_space_free(space);
    }
}

/* Blocks that are no whole pages of the IOMMU are refused before they come. */
static void test_later_region_of_small_blocks(void)
{
    TestSpace *space = test_space_new();
    FakeIOMMU *iommu = fake_iommu_new();
    MemoryRegion region;
    Error *err = NULL;

    iommu->page_size = 2 * BLOCK;
    fake_ram_init(&region, "region", 100 * BLOCK, HOST);
    g_assert_true(fake_iommu_start(iommu, &space->as, &error_abort));
    g_assert_false(ram_discard_consumers_check(&region, BLOCK, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "block-size=4194304"));
    error_free_or_abort(&err);
    g_assert_true(ram_discard_consumers_check(&region, 2 * BLOCK,
                                              &error_abort));
    fake_iommu_stop(iommu);
    fake_iommu_free(iommu);
    object_unref(OBJECT(&region));
    test_space_free(space);
}

/* Boot RAM and what is plugged must be lockable when a device is added. */
static void test_lock_at_set_up(void)
{
    TestSpace *space = test_space_new();
    FakeIOMMU *iommu = fake_iommu_new();
    SparseRam *ram = sparse_ram_new("mem0", BLOCK, 1000, HOST);
    MemoryRegion boot;
    Error *err = NULL;
    g_autofree char *needed =
        g_strdup_printf("%" PRIu64 " bytes must be locked",
                        (uint64_t)(1 * GiB + 10 * BLOCK));

    fake_ram_init(&boot, "boot", 1 * GiB, HOST - 1 * GiB);
    memory_region_add_subregion(&space->root, 0, &boot);
    memory_region_add_subregion(&space->root, 1 * TiB, &ram->mr);
    g_assert_cmpint(sparse_ram_plug(ram, 500, 10), ==, 0);
    iommu->lock_limit = 1 * GiB + 10 * BLOCK - 1;
    g_assert_false(fake_iommu_start(iommu, &space->as, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), needed));
    error_free_or_abort(&err);
    g_assert_cmpuint(iommu->ops->len, ==, 0);

    iommu->lock_limit++;
    g_assert_true(fake_iommu_start(iommu, &space->as, &err));
    g_assert_cmpuint(iommu->locked, ==, iommu->lock_limit);
    fake_iommu_stop(iommu);
    fake_iommu_free(iommu);
    memory_region_del_subregion(&space->root, &boot);
    memory_region_del_subregion(&space->root, &ram->mr);
    sparse_ram_free(ram);
    test_space_free(space);
    object_unref(OBJECT(&boot));
}

int main(int argc, char **argv)
{
    const unsigned limits[] = { 10, 1000, 65535 };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vfio/budget/counts granules that a range touches",
                    test_counts);
    g_test_add_func("/vfio/budget/proposes a block-size that fits",
                    test_fitting_granule);
    g_test_add_func("/vfio/budget/compares locked memory without overflow",
                    test_memlock);
    g_test_add_func("/vfio/budget/reads the limit of the process",
                    test_process_memlock);
    g_test_add_data_func("/vfio/budget/enforces a limit of 10",
                         GUINT_TO_POINTER(10), test_limit);
    g_test_add_data_func("/vfio/budget/enforces a limit of 1000",
                         GUINT_TO_POINTER(1000), test_limit);
    g_test_add_data_func("/vfio/budget/enforces a limit of 65535",
                         GUINT_TO_POINTER(65535), test_limit);
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        g_autofree char *path = g_strdup_printf(
            "/vfio/budget/refuses a later region beyond %u mappings",
            limits[i]);

        g_test_add_data_func(path, GUINT_TO_POINTER(limits[i]),
                             test_later_region);
    }
    g_test_add_func("/vfio/budget/sums all sections", test_sum);
    g_test_add_func("/vfio/budget/needs boot RAM and plugged memory",
                    test_lock_at_set_up);
    g_test_add_func("/vfio/budget/warns of a worst case beyond the lock limit",
                    test_lock_worst_case);
    g_test_add_func("/vfio/budget/says nothing if the worst case can be locked",
                    test_lock_no_worst_case);
    g_test_add_func("/vfio/budget/refuses a later region of blocks below a page",
                    test_later_region_of_small_blocks);
    return g_test_run();
}
