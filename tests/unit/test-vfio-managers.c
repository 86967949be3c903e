/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO container on memory whose managers come and go: what it has mapped is
 * what they agree on, each unmap is of whole mappings, and its budget is asked
 * before blocks get smaller. For backends that unmap ranges and for those that
 * unmap exactly what was mapped.
 *
 * SEED=n repeats the random run.
 */
#include "qemu/osdep.h"
#include "extra-manager.h"
#include "fake-iommu.h"
#include "hw/vfio/budget.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define BLOCK (4 * MiB)
#define NR_BLOCKS 100
#define HOST (64 * GiB)
#define IOVA (1 * TiB)

typedef struct Fixture {
    TestSpace *space;
    SparseRam *ram;                           /* blocks of 4 MiB */
    ExtraManager *large, *small;              /* of 8 and 1 MiB */
    FakeIOMMU *iommu;
} Fixture;

static void set_up(Fixture *f, gconstpointer exact)
{
    f->space = test_space_new();
    f->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
    f->large = extra_manager_new(&f->ram->mr, 2 * BLOCK);
    f->small = extra_manager_new(&f->ram->mr, BLOCK / 4);
    memory_region_add_subregion(&f->space->root, IOVA, &f->ram->mr);
    f->iommu = fake_iommu_new();
    f->iommu->exact = GPOINTER_TO_INT(exact);
}

static void start(Fixture *f)
{
    fake_iommu_start(f->iommu, &f->space->as, &error_abort);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(f->iommu->violations, ==, 0);
    fake_iommu_free(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    sparse_ram_free(f->ram);
    extra_manager_free(f->large);
    extra_manager_free(f->small);
    test_space_free(f->space);
}

static bool add(Fixture *f, ExtraManager *mgr, Error **errp)
{
    return memory_region_add_ram_discard_mgr(&f->ram->mr, RAM_DISCARD_MGR(mgr),
                                             errp);
}

static bool del(Fixture *f, ExtraManager *mgr, Error **errp)
{
    return memory_region_del_ram_discard_mgr(&f->ram->mr, RAM_DISCARD_MGR(mgr),
                                             errp);
}

/* What of the region is mapped is what is populated, MiB by MiB. */
static void check(Fixture *f)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(&f->ram->mr);

    for (uint64_t at = 0; at < NR_BLOCKS * BLOCK; at += MiB) {
        g_assert_cmpint(fake_iommu_translate(f->iommu, IOVA + at) != NULL, ==,
                        ram_discard_mgr_is_populated(rdm, &f->ram->mr, at,
                                                     MiB));
    }
    g_assert_cmpuint(f->iommu->violations, ==, 0);
    g_assert_false(f->iommu->container.space.broken);
}

static void managers_come_and_go(Fixture *f, gconstpointer data)
{
    start(f);
    g_assert_cmpint(sparse_ram_plug(f->ram, 1, 20), ==, 0);
    g_assert_cmpint(ram_discard_blocks_populate(&f->large->blocks, 4 * BLOCK,
                                               6 * BLOCK), ==, 0);
    fake_iommu_forget(f->iommu);
    add(f, f->large, &error_abort);
    check(f);
    g_assert_cmpuint(fake_iommu_count(f->iommu, true), ==, 0);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 6);
    sparse_ram_unplug(f->ram, 3, 3);
    check(f);
    fake_iommu_forget(f->iommu);
    del(f, f->large, &error_abort);
    check(f);
    g_assert_cmpuint(fake_iommu_count(f->iommu, false), ==, 0);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 17);
    fake_iommu_stop(f->iommu);
}

static void devices_come_and_go_meanwhile(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, 10), ==, 0);
    g_assert_cmpint(ram_discard_blocks_populate(&f->small->blocks, MiB, 5 * MiB),
                    ==, 0);
    add(f, f->small, &error_abort);
    start(f);
    check(f);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 5 * MiB);
    del(f, f->small, &error_abort);
    check(f);
    /* In the blocks that the device has had all the time. */
    sparse_ram_unplug(f->ram, 1, 1);
    check(f);
    fake_iommu_stop(f->iommu);
    g_assert_cmpint(sparse_ram_plug(f->ram, 1, 1), ==, 0);
}

/* What is mapped in blocks of a manager that has left is taken away in these,
 * even if the one that comes leaves nothing populated. */
static void manager_comes_that_has_nothing(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, 10), ==, 0);
    g_assert_cmpint(ram_discard_blocks_populate(&f->small->blocks, 0, BLOCK),
                    ==, 0);
    add(f, f->small, &error_abort);
    start(f);
    del(f, f->small, &error_abort);
    check(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 40);
    add(f, f->large, &error_abort);
    check(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
    /* From now on, in blocks of those that are there. */
    g_assert_cmpint(ram_discard_blocks_populate(&f->large->blocks, 0,
                                                2 * BLOCK), ==, 0);
    check(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 2);
    del(f, f->large, &error_abort);
    fake_iommu_stop(f->iommu);
}

static void failed_map_keeps_the_manager(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    start(f);
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, 10), ==, 0);
    add(f, f->large, &error_abort);
    f->iommu->fail_map_after = 7;
    f->iommu->fail_map_errno = ENOSPC;
    g_assert_false(del(f, f->large, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "refused by vfio: memory "
                            "region 'mem0': cannot map"));
    error_free(err);
    check(f);
    del(f, f->large, &error_abort);
    check(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 10);
    fake_iommu_stop(f->iommu);
}

/* The region's own share is not counted against it. */
static void budget_is_asked_before_blocks_get_smaller(Fixture *f,
                                                      gconstpointer data)
{
    Error *err = NULL;

    f->iommu->max_mappings = 4 * NR_BLOCKS - 1;
    start(f);
    g_assert_false(add(f, f->small, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "can need 400 DMA mappings "
                            "and the rest of the guest 0, but the IOMMU allows "
                            "399"));
    error_free(err);
    check(f);
    fake_iommu_stop(f->iommu);
    f->iommu->max_mappings++;
    start(f);
    add(f, f->small, &error_abort);
    g_assert_cmpuint(vfio_budget_space_mappings(&f->iommu->container.space), ==,
                     4 * NR_BLOCKS);
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, NR_BLOCKS), ==, 0);
    g_assert_cmpint(ram_discard_blocks_populate(&f->small->blocks, 0,
                                               NR_BLOCKS * BLOCK), ==, 0);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 4 * NR_BLOCKS);
    del(f, f->small, &error_abort);
    fake_iommu_stop(f->iommu);
}

/* --- random --------------------------------------------------------------- */

static void flip(GRand *rand, RamDiscardBlocks *b)
{
    uint64_t nr = b->nr_blocks;
    uint64_t first = (uint64_t)g_rand_int_range(rand, 0, (gint32)nr);
    uint64_t most = MIN(nr - first, 12);
    uint64_t count = 1 + (uint64_t)g_rand_int_range(rand, 0, (gint32)most);
    uint64_t offset = first * b->granularity, size = count * b->granularity;

    if (ram_discard_blocks_are_discarded(b, offset, size)) {
        ram_discard_blocks_populate(b, offset, size);
    } else if (ram_discard_blocks_are_populated(b, offset, size)) {
        ram_discard_blocks_discard(b, offset, size);
    } else if (first == 0) {
        ram_discard_blocks_discard_all(b);
    }
}

static void random_steps(Fixture *f, gconstpointer exact)
{
    const char *text = g_getenv("SEED");
    uint32_t seed = text ? (uint32_t)g_ascii_strtoull(text, NULL, 0)
                         : g_random_int();
    GRand *rand = g_rand_new_with_seed(seed);
    ExtraManager *mgrs[] = { f->large, f->small };
    bool present[] = { false, false };

    g_test_message("SEED=%u", seed);
    start(f);
    for (int i = 0; i < 4000; i++) {
        int n = g_rand_int_range(rand, 0, 2);

        f->iommu->fail_map_after = g_rand_int_range(rand, -20, 4);
        f->iommu->fail_map_errno = ENOMEM;
        if (g_rand_int_range(rand, 0, 12)) {
            flip(rand, i & 1 ? &f->ram->blocks : &mgrs[n]->blocks);
        } else if (present[n]) {
            present[n] = !del(f, mgrs[n], NULL);
        } else {
            present[n] = add(f, mgrs[n], NULL);
        }
        check(f);
    }
    f->iommu->fail_map_after = -1;
    for (int n = 0; n < 2; n++) {
        if (present[n]) {
            del(f, mgrs[n], &error_abort);
        }
    }
    check(f);
    fake_iommu_stop(f->iommu);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(test)                                                          \
    g_test_add("/vfio/managers/range/" #test, Fixture, GINT_TO_POINTER(0), \
               set_up, test, tear_down);                                   \
    g_test_add("/vfio/managers/exact/" #test, Fixture, GINT_TO_POINTER(1), \
               set_up, test, tear_down)
    ADD(managers_come_and_go);
    ADD(devices_come_and_go_meanwhile);
    ADD(manager_comes_that_has_nothing);
    ADD(failed_map_keeps_the_manager);
    ADD(budget_is_asked_before_blocks_get_smaller);
    ADD(random_steps);
    return g_test_run();
}
