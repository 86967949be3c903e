/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws of RamDiscardMgr as a state machine: managers plug, unplug, come and go,
 * devices come and go, mappings and discards fail. After each step, what each
 * device's IOMMU has mapped is what all managers have populated, and no rule of the
 * IOMMU was broken. The IOMMU, the region and its managers are those of the unit
 * tests.
 */
#include "qemu/osdep.h"

#include "fuzz.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "tests/unit/extra-manager.h"
#include "tests/unit/fake-iommu.h"
#include "tests/unit/sparse-ram.h"

#define BLOCK (4 * MiB)
#define NR_BLOCKS 70                      /* more than a word of the bitmap */
#define SIZE (NR_BLOCKS * BLOCK)
#define HOST (64 * GiB)
#define IOVA (1 * TiB)
/* The second section: it begins and ends within blocks. */
#define ALIAS_IOVA (8 * GiB)
#define ALIAS_OFFSET (3 * MiB)
#define ALIAS_SIZE (90 * MiB)
#define NR_EXTRAS 2
#define NR_IOMMUS 2
#define MOST_STEPS 100

typedef struct World {
    TestSpace *space;
    SparseRam *ram;
    MemoryRegion alias;
    ExtraManager *extra[NR_EXTRAS];       /* blocks of 8 and 1 MiB */
    bool present[NR_EXTRAS];
    FakeIOMMU *iommu[NR_IOMMUS];          /* one unmaps only what was mapped */
    bool running[NR_IOMMUS];
    bool aliased;
} World;

static void create(World *w)
{
    *w = (World) { .space = test_space_new() };
    w->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
    w->extra[0] = extra_manager_new(&w->ram->mr, 2 * BLOCK);
    w->extra[1] = extra_manager_new(&w->ram->mr, BLOCK / 4);
    memory_region_init_alias(&w->alias, NULL, "alias", &w->ram->mr, ALIAS_OFFSET,
                             ALIAS_SIZE);
    memory_region_add_subregion(&w->space->root, IOVA, &w->ram->mr);
    for (unsigned i = 0; i < NR_IOMMUS; i++) {
        w->iommu[i] = fake_iommu_new();
        w->iommu[i]->exact = i;
    }
}

/* --- the laws ------------------------------------------------------------- */

static void check_section(const World *w, const FakeIOMMU *iommu, hwaddr iova,
                          uint64_t offset, uint64_t size)
{
    const RamDiscardState *s = memory_region_ram_discard_state(&w->ram->mr);

    for (uint64_t at = 0; at < size; at += MiB) {
        bool populated = ram_discard_state_is_populated(s, offset + at, MiB);
        uintptr_t host = (uintptr_t)fake_iommu_translate(iommu, iova + at);

        g_assert_cmphex(host, ==, populated ? HOST + offset + at : 0);
    }
}

static void check(const World *w)
{
    for (unsigned i = 0; i < NR_IOMMUS; i++) {
        const FakeIOMMU *iommu = w->iommu[i];

        g_assert_cmpuint(iommu->violations, ==, 0);
        if (!w->running[i]) {
            g_assert_cmpuint(iommu->mappings->len, ==, 0);
            continue;
        }
        check_section(w, iommu, IOVA, 0, SIZE);
        if (w->aliased) {
            check_section(w, iommu, ALIAS_IOVA, ALIAS_OFFSET, ALIAS_SIZE);
        }
    }
}

/* --- steps ---------------------------------------------------------------- */

static RamDiscardBlocks *any_manager(FuzzInput *in, World *w)
{
    unsigned which = fuzz_below(in, 1 + NR_EXTRAS);

    return which ? &w->extra[which - 1]->blocks : &w->ram->blocks;
}

/* Plugs a range that is discarded, unplugs one that is populated. */
static void flip(FuzzInput *in, World *w)
{
    RamDiscardBlocks *b = any_manager(in, w);
    uint64_t first = fuzz_u16(in) % b->nr_blocks;
    uint64_t nr = 1 + fuzz_u8(in) % MIN(b->nr_blocks - first, 64);
    uint64_t offset = first * b->granularity, size = nr * b->granularity;

    if (ram_discard_blocks_are_discarded(b, offset, size)) {
        ram_discard_blocks_populate(b, offset, size);
    } else if (ram_discard_blocks_are_populated(b, offset, size)) {
        ram_discard_blocks_discard(b, offset, size);
    }
}

static void toggle_manager(FuzzInput *in, World *w)
{
    unsigned i = fuzz_below(in, NR_EXTRAS);
    RamDiscardMgr *rdm = RAM_DISCARD_MGR(w->extra[i]);
    Error *err = NULL;
    bool done = w->present[i] ?
        memory_region_del_ram_discard_mgr(&w->ram->mr, rdm, &err) :
        memory_region_add_ram_discard_mgr(&w->ram->mr, rdm, &err);

    g_assert_true(done == !err);
    w->present[i] ^= done;
    error_free(err);
}

static void toggle_device(FuzzInput *in, World *w)
{
    unsigned i = fuzz_below(in, NR_IOMMUS);
    Error *err = NULL;

    if (w->running[i]) {
        fake_iommu_stop(w->iommu[i]);
        w->running[i] = false;
    } else {
        w->running[i] = fake_iommu_start(w->iommu[i], &w->space->as, &err);
        g_assert_true(w->running[i] == !err);
        error_free(err);
    }
}

/* A second section; one that cannot be mapped would leave a device without it. */
static void toggle_alias(World *w)
{
    for (unsigned i = 0; i < NR_IOMMUS; i++) {
        w->iommu[i]->fail_map_after = -1;
    }
    if (w->aliased) {
        memory_region_del_subregion(&w->space->root, &w->alias);
    } else {
        memory_region_add_subregion(&w->space->root, ALIAS_IOVA, &w->alias);
    }
    w->aliased = !w->aliased;
}

static void let_something_fail(FuzzInput *in, World *w)
{
    static const int errors[] = { ENOMEM, ENOSPC, EIO, EFAULT };
    FakeIOMMU *iommu = w->iommu[fuzz_below(in, NR_IOMMUS)];
    uint8_t what = fuzz_u8(in);

    if (what < 192) {
        iommu->fail_map_after = what & 31;
        iommu->fail_map_errno = errors[what >> 5 & 3];
    } else {
        w->extra[what & 1]->discard_error = what & 2 ? -EIO : 0;
    }
}

static void step(FuzzInput *in, World *w)
{
    switch (fuzz_below(in, 10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        flip(in, w);
        break;
    case 4:
        toggle_manager(in, w);
        break;
    case 5:
        toggle_device(in, w);
        break;
    case 6:
        ram_discard_blocks_discard_all(any_manager(in, w));
        break;
    case 7:
    case 8:
        let_something_fail(in, w);
        break;
    default:
        toggle_alias(w);
    }
}

/* --- the end -------------------------------------------------------------- */

static void destroy(World *w)
{
    for (unsigned i = 0; i < NR_IOMMUS; i++) {
        w->iommu[i]->fail_map_after = -1;
    }
    for (unsigned i = 0; i < NR_EXTRAS; i++) {
        if (w->present[i]) {
            memory_region_del_ram_discard_mgr(
                &w->ram->mr, RAM_DISCARD_MGR(w->extra[i]), &error_abort);
        }
    }
    for (unsigned i = 0; i < NR_IOMMUS; i++) {
        if (w->running[i]) {
            fake_iommu_stop(w->iommu[i]);
        }
        fake_iommu_free(w->iommu[i]);
    }
    if (w->aliased) {
        memory_region_del_subregion(&w->space->root, &w->alias);
    }
    memory_region_del_subregion(&w->space->root, &w->ram->mr);
    object_unref(OBJECT(&w->alias));
    sparse_ram_free(w->ram);
    for (unsigned i = 0; i < NR_EXTRAS; i++) {
        extra_manager_free(w->extra[i]);
    }
    test_space_free(w->space);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    World w;

    create(&w);
    for (unsigned i = 0; in.at < in.end && i < MOST_STEPS; i++) {
        step(&in, &w);
        check(&w);
    }
    destroy(&w);
    return 0;
}
