/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM with a RamDiscardMgr: what is discarded does not answer and is not
 * touched. The manager here has 16 blocks of two pages.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "extra-manager.h"
#include "memory-test.h"
#include "qapi/error.h"

#define ATTRS MEMTXATTRS_UNSPECIFIED
#define BLOCK (2 * PAGE)
#define BLOCKS 16

/* Managed RAM at 0x100000, and a piece of it, from its page 3 on, at 0. */
typedef struct Fixture {
    TestSpace t;
    MemoryRegion ram, part;
    uint8_t *host;
    ExtraManager *mgr;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    test_space_init(&f->t);
    g_assert_true(memory_region_init_ram(&f->ram, NULL, "ram", BLOCKS * BLOCK,
                                         &error_abort));
    f->mgr = extra_manager_new(&f->ram, BLOCK);
    memory_region_set_ram_discard_mgr(&f->ram, RAM_DISCARD_MGR(f->mgr));
    memory_region_init_alias(&f->part, NULL, "part", &f->ram, 3 * PAGE,
                             8 * PAGE);
    memory_region_add_subregion(&f->t.root, 0x100000, &f->ram);
    memory_region_add_subregion(&f->t.root, 0, &f->part);
    f->host = memory_region_get_ram_ptr(&f->ram);
}

static void teardown(Fixture *f, const void *unused)
{
    memory_region_del_subregion(&f->t.root, &f->ram);
    memory_region_del_subregion(&f->t.root, &f->part);
    memory_region_set_ram_discard_mgr(&f->ram, NULL);
    extra_manager_free(f->mgr);
    object_unref(&f->part);
    object_unref(&f->ram);
    test_space_cleanup(&f->t);
}

/* Just the blocks whose bit is set in @mask. */
static void set_populated(Fixture *f, unsigned mask)
{
    ram_discard_blocks_discard_all(&f->mgr->blocks);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (mask & 1U << i) {
            ram_discard_blocks_populate(&f->mgr->blocks, i * BLOCK, BLOCK);
        }
    }
}

/* The pages of the RAM that the host has backed by memory. */
static unsigned resident_pages(Fixture *f)
{
    unsigned char pages[BLOCKS * BLOCK / PAGE];
    unsigned n = 0;

    g_assert_cmpint(mincore(f->host, BLOCKS * BLOCK, pages), ==, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        n += pages[i] & 1;
    }
    return n;
}

static void populated_part_is_as_any_ram(Fixture *f, const void *unused)
{
    uint8_t in = 0;

    set_populated(f, 1U << 2);
    g_assert_cmpint(address_space_set(&f->t.as, 0x100000 + 2 * BLOCK, 0x5a,
                                      BLOCK, ATTRS), ==, MEMTX_OK);
    g_assert_cmpint(address_space_read(&f->t.as, PAGE, ATTRS, &in, 1), ==,
                    MEMTX_OK);
    g_assert_cmphex(in, ==, 0x5a);
    address_space_stb(&f->t.as, PAGE, 0x77, ATTRS, NULL);
    g_assert_cmphex(f->host[2 * BLOCK], ==, 0x77);
}

static void discarded_part_is_refused_and_not_touched(Fixture *f,
                                                      const void *unused)
{
    uint8_t buf[64] = { 0x5a };
    MemTxResult r = MEMTX_OK;

    g_assert_cmpint(address_space_write(&f->t.as, 0x100000, ATTRS, buf, 64), ==,
                    MEMTX_ERROR);
    g_assert_cmpint(address_space_read(&f->t.as, 0x100000, ATTRS, buf, 64), ==,
                    MEMTX_ERROR);
    g_assert_cmphex(buf[0], ==, 0);
    g_assert_cmpint(address_space_set(&f->t.as, 0, 1, PAGE, ATTRS), ==,
                    MEMTX_ERROR);
    address_space_stl_le(&f->t.as, 0x100000, 1, ATTRS, &r);
    g_assert_cmpint(r, ==, MEMTX_ERROR);
    g_assert_cmphex(address_space_ldl_le(&f->t.as, 0x100000, ATTRS, &r), ==, 0);
    g_assert_cmpint(r, ==, MEMTX_ERROR);
    g_assert_cmpuint(resident_pages(f), ==, 0);
}

static void access_that_is_partly_discarded_touches_nothing(Fixture *f,
                                                            const void *unused)
{
    uint8_t buf[64] = { 0x5a };

    set_populated(f, 1U << 0);
    g_assert_cmpint(address_space_write(&f->t.as, 0x100000 + BLOCK - 32, ATTRS,
                                        buf, 64), ==, MEMTX_ERROR);
    g_assert_cmpuint(resident_pages(f), ==, 0);
    g_assert_cmpint(address_space_write(&f->t.as, 0x100000 + BLOCK - 64, ATTRS,
                                        buf, 64), ==, MEMTX_OK);
}

static void dispatch_refuses_discarded_ram(Fixture *f, const void *unused)
{
    uint64_t value;

    set_populated(f, 1U << 1);
    g_assert_cmpint(memory_region_dispatch_read(&f->ram, 0, &value, 4, ATTRS),
                    ==, MEMTX_ERROR);
    g_assert_cmpint(memory_region_dispatch_write(&f->ram, 0, 1, 4, ATTRS), ==,
                    MEMTX_ERROR);
    g_assert_cmpint(memory_region_dispatch_write(&f->ram, BLOCK, 1, 4, ATTRS),
                    ==, MEMTX_OK);
    g_assert_cmphex(f->host[BLOCK], ==, 1);
}

/* Maps @len bytes at @addr; what it gets must be @expected long (0: NULL). */
static void check_map(Fixture *f, hwaddr addr, hwaddr len, hwaddr expected,
                      ram_addr_t offset)
{
    void *host = address_space_map(&f->t.as, addr, &len, true, ATTRS);

    g_assert_cmphex(len, ==, expected);
    g_assert_true(host == (expected ? f->host + offset : NULL));
    if (host) {
        address_space_unmap(&f->t.as, host, len, true, len);
    }
}

static void map_stops_where_memory_is_discarded(Fixture *f, const void *unused)
{
    set_populated(f, 0x7e);             /* blocks 1 to 6 */
    check_map(f, 0x100000, PAGE, 0, 0);
    check_map(f, 0x100000 + BLOCK - 1, 2, 0, 0);
    check_map(f, 0x100000 + BLOCK, PAGE, PAGE, BLOCK);
    check_map(f, 0x100000 + BLOCK, UINT64_MAX, 6 * BLOCK, BLOCK);
    check_map(f, 0x100000 + BLOCK + 5, 8 * BLOCK, 6 * BLOCK - 5, BLOCK + 5);
    check_map(f, 0x100000 + 7 * BLOCK - 1, 2, 1, 7 * BLOCK - 1);
    /* by the part, whose offset is not its address */
    check_map(f, 0, UINT64_MAX, 8 * PAGE, 3 * PAGE);
    set_populated(f, 0x06);             /* pages 2 to 5 */
    check_map(f, 0, UINT64_MAX, 3 * PAGE, 3 * PAGE);
    check_map(f, 3 * PAGE, 1, 0, 0);
    check_map(f, 0x100000 + BLOCK, 2 * BLOCK + PAGE, 2 * BLOCK, BLOCK);
    set_populated(f, 0xffff);
    check_map(f, 0x100000, UINT64_MAX, BLOCKS * BLOCK, 0);
}

static void what_is_mapped_is_not_discarded(Fixture *f, const void *unused)
{
    hwaddr len = PAGE, more = 2 * PAGE;
    void *host, *again;

    set_populated(f, 0x06);             /* pages 2 to 5 */
    host = address_space_map(&f->t.as, 0x100000 + 3 * PAGE, &len, true, ATTRS);
    again = address_space_map(&f->t.as, 0, &more, true, ATTRS);
    g_assert_true(host == again);
    g_assert_cmpint(ram_discard_blocks_discard(&f->mgr->blocks, BLOCK, BLOCK),
                    ==, -EBUSY);
    address_space_unmap(&f->t.as, again, more, true, more);
    g_assert_cmpint(ram_discard_blocks_discard(&f->mgr->blocks, 2 * BLOCK,
                                               BLOCK), ==, 0);
    g_assert_cmpint(ram_discard_blocks_discard(&f->mgr->blocks, BLOCK, BLOCK),
                    ==, -EBUSY);
    address_space_unmap(&f->t.as, host, len, true, len);
    g_assert_cmpint(ram_discard_blocks_discard(&f->mgr->blocks, BLOCK, BLOCK),
                    ==, 0);
}

/* What is found at @addr must be @first to @last, with @offset of the RAM at
 * @first. */
static void check_run(Fixture *f, hwaddr addr, hwaddr first, hwaddr last,
                      ram_addr_t offset)
{
    MemoryRun run;

    g_assert_true(address_space_find_run(&f->t.as, addr, &run));
    g_assert_cmphex(run.first, ==, first);
    g_assert_cmphex(run.last, ==, last);
    g_assert_cmphex(run.offset, ==, offset);
    g_assert_true(run.host == f->host + offset && run.mr == &f->ram);
    g_assert_false(run.readonly);
}

static void run_ends_where_memory_is_discarded(Fixture *f, const void *unused)
{
    hwaddr base = 0x100000;
    MemoryRun run;

    set_populated(f, 0x06);             /* blocks 1 and 2 */
    g_assert_false(address_space_find_run(&f->t.as, base, &run));
    g_assert_false(address_space_find_run(&f->t.as, base + BLOCK - 1, &run));
    check_run(f, base + BLOCK, base + BLOCK, base + 3 * BLOCK - 1, BLOCK);
    check_run(f, base + 2 * BLOCK + 7, base + 2 * BLOCK + 7,
              base + 3 * BLOCK - 1, 2 * BLOCK + 7);
    g_assert_false(address_space_find_run(&f->t.as, base + 3 * BLOCK, &run));
    check_run(f, 0, 0, 3 * PAGE - 1, 3 * PAGE);
    g_assert_false(address_space_find_run(&f->t.as, 8 * PAGE, &run));
    g_assert_false(address_space_find_run(&f->t.as, UINT64_MAX, &run));
}

static void out_of_range_is_not_populated(Fixture *f, const void *unused)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(&f->ram);

    set_populated(f, 0xffff);
    g_assert_true(memory_region_has_ram_discard_mgr(&f->ram));
    g_assert_cmphex(ram_discard_mgr_get_min_granularity(rdm, &f->ram), ==,
                    BLOCK);
    g_assert_true(ram_discard_mgr_is_populated(rdm, &f->ram, 0,
                                               BLOCKS * BLOCK));
    g_assert_false(ram_discard_mgr_is_populated(rdm, &f->ram, 0, 0));
    g_assert_false(ram_discard_mgr_is_populated(rdm, &f->ram, 1,
                                                BLOCKS * BLOCK));
    g_assert_false(ram_discard_mgr_is_populated(rdm, &f->ram, BLOCKS * BLOCK,
                                                1));
    g_assert_false(ram_discard_mgr_is_populated(rdm, &f->ram, PAGE,
                                                UINT64_MAX));
}

/* --- law L6 --- */

/* Runs this test again in a process of its own, which must abort. */
static bool in_process_that_must_abort(void)
{
    if (g_test_subprocess()) {
        return true;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*assertion failed*");
    return false;
}

static void manager_of_a_mapped_region_cannot_be_cleared(Fixture *f,
                                                         const void *unused)
{
    if (in_process_that_must_abort()) {
        memory_region_set_ram_discard_mgr(&f->ram, NULL);
    }
}

static void manager_of_a_region_mapped_by_alias_cannot_be_cleared(
    Fixture *f, const void *unused)
{
    if (in_process_that_must_abort()) {
        memory_region_del_subregion(&f->t.root, &f->ram);
        memory_region_set_ram_discard_mgr(&f->ram, NULL);
    }
}

static void region_takes_no_second_manager(Fixture *f, const void *unused)
{
    if (in_process_that_must_abort()) {
        memory_region_del_subregion(&f->t.root, &f->ram);
        memory_region_del_subregion(&f->t.root, &f->part);
        memory_region_set_ram_discard_mgr(&f->ram, RAM_DISCARD_MGR(f->mgr));
    }
}

static void only_ram_takes_a_manager(Fixture *f, const void *unused)
{
    if (in_process_that_must_abort()) {
        MemoryRegion leaf;

        test_leaf_init(&leaf, "leaf", PAGE);
        memory_region_set_ram_discard_mgr(&leaf, RAM_DISCARD_MGR(f->mgr));
    }
}

#define ADD(name)                                                            \
    g_test_add("/memory/discard/" #name, Fixture, NULL, setup, name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(populated_part_is_as_any_ram);
    ADD(discarded_part_is_refused_and_not_touched);
    ADD(access_that_is_partly_discarded_touches_nothing);
    ADD(dispatch_refuses_discarded_ram);
    ADD(map_stops_where_memory_is_discarded);
    ADD(what_is_mapped_is_not_discarded);
    ADD(run_ends_where_memory_is_discarded);
    ADD(out_of_range_is_not_populated);
    ADD(manager_of_a_mapped_region_cannot_be_cleared);
    ADD(manager_of_a_region_mapped_by_alias_cannot_be_cleared);
    ADD(region_takes_no_second_manager);
    ADD(only_ram_takes_a_manager);
    return g_test_run();
}
