/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio/prefault.c: the host backs what is about to be pinned, and nothing
 * else. The IOMMU is a fake that touches no memory, so that what is resident is
 * what was prefaulted.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "exec/ramblock.h"
#include "fake-iommu.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define SIZE (96 * MiB)
#define BLOCK (16 * MiB)
#define BASE (4 * GiB)

typedef struct Fixture {
    TestSpace *space;
    FakeIOMMU *iommu;
    MemoryRegion ram;
    VFIOIOMMUBackendClass ops;
} Fixture;

/* Shared memory, whose file tells what of it is there. */
static void set_up(Fixture *f, gconstpointer data)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);

    f->space = test_space_new();
    f->iommu = fake_iommu_new();
    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    g_assert_true(memory_region_init_ram_from_fd(&f->ram, NULL, "ram", SIZE,
                                                 RAM_SHARED, fd, 0,
                                                 &error_abort));
    ram_block_set_populate(f->ram.ram_block, 2, 0);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    fake_iommu_stop(f->iommu);
    fake_iommu_free(f->iommu);
    if (memory_region_is_mapped(&f->ram)) {
        memory_region_del_subregion(&f->space->root, &f->ram);
    }
    test_space_free(f->space);
    object_unref(OBJECT(&f->ram));
}

static uint64_t resident(MemoryRegion *mr, uint64_t start, uint64_t size)
{
    uint64_t page = qemu_real_host_page_size(), n = 0;
    g_autofree unsigned char *pages = g_malloc(size / page);

    g_assert_cmpint(mincore(mr->ram_block->host + start, size, pages), ==, 0);
    for (uint64_t i = 0; i < size / page; i++) {
        n += pages[i] & 1;
    }
    return n * page;
}

static void start(Fixture *f)
{
    fake_iommu_start(f->iommu, &f->space->as, &error_abort);
}

static void add_ram(Fixture *f)
{
    memory_region_add_subregion(&f->space->root, BASE, &f->ram);
}

/* The section was, or was not, mapped; nothing of it was prefaulted. */
static void check_untouched(Fixture *f, uint64_t mapped)
{
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, mapped);
    g_assert_cmpuint(resident(&f->ram, 0, SIZE), ==, 0);
}

static void test_section_is_backed(Fixture *f, gconstpointer data)
{
    add_ram(f);
    start(f);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, SIZE);
    g_assert_cmpuint(resident(&f->ram, 0, SIZE), ==, SIZE);
}

static void test_alias_is_backed_where_it_is(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 8 * MiB, 40 * MiB);
    memory_region_add_subregion(&f->space->root, BASE, &alias);
    start(f);
    g_assert_cmpuint(resident(&f->ram, 0, SIZE), ==, 40 * MiB);
    g_assert_cmpuint(resident(&f->ram, 8 * MiB, 40 * MiB), ==, 40 * MiB);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

static void test_readonly_is_not_touched(Fixture *f, gconstpointer data)
{
    memory_region_set_readonly(&f->space->root, true);
    add_ram(f);
    start(f);
    check_untouched(f, SIZE);
}

static void test_little_is_left_to_the_kernel(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 0, 16 * MiB);
    memory_region_add_subregion(&f->space->root, BASE, &alias);
    start(f);
    check_untouched(f, 16 * MiB);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

/* It would do no more than the map call does. */
static void test_one_thread_is_no_help(Fixture *f, gconstpointer data)
{
    ram_block_set_populate(f->ram.ram_block, 1, 0);
    add_ram(f);
    start(f);
    check_untouched(f, SIZE);
}

static void test_no_budget_no_prefault(Fixture *f, gconstpointer data)
{
    start(f);
    f->iommu->lock_limit = SIZE / 2;
    add_ram(f);
    check_untouched(f, 0);
}

static void test_out_of_reach_is_not_touched(Fixture *f, gconstpointer data)
{
    f->iommu->last_iova = BASE + SIZE - 2;
    start(f);
    add_ram(f);
    check_untouched(f, 0);
}

/* vfio-user: mapping costs no memory. */
static void test_backend_that_does_not_pin(Fixture *f, gconstpointer data)
{
    start(f);
    f->ops = *f->iommu->container.space.ops;
    f->ops.memlock = NULL;
    f->ops.prefault = NULL;
    f->iommu->container.space.ops = &f->ops;
    add_ram(f);
    check_untouched(f, SIZE);
}

/* What cannot be backed is for the map call to refuse. */
static void test_lack_of_memory_is_no_error(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ftruncate(memory_region_get_fd(&f->ram), 64 * MiB), ==, 0);
    add_ram(f);
    start(f);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, SIZE);
    g_assert_cmpint(ftruncate(memory_region_get_fd(&f->ram), SIZE), ==, 0);
}

/* Blocks 1 to 3 of a managed region, then 5, which is too little to prefault. */
static void test_plugged_run_is_backed(Fixture *f, gconstpointer data)
{
    SparseRam *ram = SPARSE_RAM(object_new(TYPE_SPARSE_RAM));

    g_assert_true(memory_region_init_ram_flags(&ram->mr, NULL, "mem0", SIZE,
                                               RAM_SHARED, &error_abort));
    ram_block_set_populate(ram->mr.ram_block, 2, 0);
    ram_discard_blocks_init(&ram->blocks, RAM_DISCARD_MGR(ram), &ram->mr,
                            BLOCK, NULL, NULL);
    memory_region_set_ram_discard_mgr(&ram->mr, RAM_DISCARD_MGR(ram));
    memory_region_add_subregion(&f->space->root, BASE, &ram->mr);
    start(f);
    g_assert_cmpuint(resident(&ram->mr, 0, SIZE), ==, 0);
    g_assert_cmpint(sparse_ram_plug(ram, 1, 3), ==, 0);
    g_assert_cmpuint(resident(&ram->mr, 0, SIZE), ==, 3 * BLOCK);
    g_assert_cmpuint(resident(&ram->mr, BLOCK, 3 * BLOCK), ==, 3 * BLOCK);
    g_assert_cmpint(sparse_ram_plug(ram, 5, 1), ==, 0);
    g_assert_cmpuint(resident(&ram->mr, 5 * BLOCK, BLOCK), ==, 0);
    sparse_ram_unplug(ram, 1, 3);
    g_assert_cmpuint(resident(&ram->mr, 0, SIZE), ==, 0);
    /* Once is enough: here the manager says that it did. */
    ram->blocks.backed = true;
    g_assert_cmpint(sparse_ram_plug(ram, 1, 3), ==, 0);
    g_assert_cmpuint(resident(&ram->mr, 0, SIZE), ==, 0);
    memory_region_del_subregion(&f->space->root, &ram->mr);
    sparse_ram_free(ram);
}

#define ADD(name, fn) \
    g_test_add("/vfio-prefault/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("section-is-backed", test_section_is_backed);
    ADD("alias-is-backed-where-it-is", test_alias_is_backed_where_it_is);
    ADD("readonly-is-not-touched", test_readonly_is_not_touched);
    ADD("little-is-left-to-the-kernel", test_little_is_left_to_the_kernel);
    ADD("one-thread-is-no-help", test_one_thread_is_no_help);
    ADD("no-budget-no-prefault", test_no_budget_no_prefault);
    ADD("out-of-reach-is-not-touched", test_out_of_reach_is_not_touched);
    ADD("backend-that-does-not-pin", test_backend_that_does_not_pin);
    ADD("lack-of-memory-is-no-error", test_lack_of_memory_is_no_error);
    ADD("plugged-run-is-backed", test_plugged_run_is_backed);
    return g_test_run();
}
