/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test manager of sparse-ram.h, on top of exec/ram-discard.h. */
#include "qemu/osdep.h"

#include "sparse-ram.h"

static int sparse_ram_discard_nothing(void *opaque, uint64_t offset,
                                      uint64_t size)
{
    return 0;
}

SparseRam *sparse_ram_new(const char *name, uint64_t granularity,
                          uint64_t nr_blocks, uint64_t host)
{
    SparseRam *ram = SPARSE_RAM(object_new(TYPE_SPARSE_RAM));

    memory_region_init_ram_ptr(&ram->mr, NULL, name, granularity * nr_blocks,
                               (void *)(uintptr_t)host);
    ram_discard_blocks_init(&ram->blocks, RAM_DISCARD_MGR(ram), &ram->mr,
                            granularity, sparse_ram_discard_nothing, NULL);
    memory_region_set_ram_discard_mgr(&ram->mr, RAM_DISCARD_MGR(ram));
    return ram;
}

void sparse_ram_free(SparseRam *ram)
{
    memory_region_set_ram_discard_mgr(&ram->mr, NULL);
    ram_discard_blocks_destroy(&ram->blocks);
    object_unref(OBJECT(&ram->mr));
    object_unref(OBJECT(ram));
}

int sparse_ram_plug(SparseRam *ram, uint64_t block, uint64_t nr)
{
    uint64_t granularity = ram->blocks.granularity;

    return ram_discard_blocks_populate(&ram->blocks, block * granularity,
                                      nr * granularity);
}

void sparse_ram_unplug(SparseRam *ram, uint64_t block, uint64_t nr)
{
    uint64_t granularity = ram->blocks.granularity;
    int ret = ram_discard_blocks_discard(&ram->blocks, block * granularity,
                                        nr * granularity);

    g_assert_cmpint(ret, ==, 0);
}

bool sparse_ram_is_plugged(SparseRam *ram, uint64_t block)
{
    return ram_discard_blocks_are_populated(&ram->blocks,
                                          block * ram->blocks.granularity,
                                          ram->blocks.granularity);
}

TestSpace *test_space_new(void)
{
    TestSpace *space = g_new0(TestSpace, 1);

    memory_region_init(&space->root, NULL, "root", UINT64_MAX);
    address_space_init(&space->as, &space->root, "test");
    return space;
}

void test_space_free(TestSpace *space)
{
    address_space_destroy(&space->as);
    object_unref(OBJECT(&space->root));
    g_free(space);
}

void fake_ram_init(MemoryRegion *mr, const char *name, uint64_t size,
                   uint64_t host)
{
    memory_region_init_ram_ptr(mr, NULL, name, size, (void *)(uintptr_t)host);
}

/* --- the interface --- */

static RamDiscardBlocks *sparse_ram_get_blocks(const RamDiscardMgr *rdm,
                                               const MemoryRegion *mr)
{
    return &SPARSE_RAM(rdm)->blocks;
}

static uint64_t sparse_ram_get_min_granularity(const RamDiscardMgr *rdm,
                                               const MemoryRegion *mr)
{
    const SparseRam *ram = SPARSE_RAM(rdm);

    return ram->told_granularity ? ram->told_granularity
                                 : memory_region_ram_discard_state(mr)
                                       ->granularity;
}

static void sparse_ram_class_init(ObjectClass *klass, void *data)
{
    RamDiscardMgrClass *rdmc = RAM_DISCARD_MGR_CLASS(klass);

    rdmc->get_blocks = sparse_ram_get_blocks;
    rdmc->get_min_granularity = sparse_ram_get_min_granularity;
}

static const TypeInfo sparse_ram_types[] = {
    {
        .name = TYPE_SPARSE_RAM,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(SparseRam),
        .class_init = sparse_ram_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_RAM_DISCARD_MGR },
            { }
        },
    },
};

DEFINE_TYPES(sparse_ram_types)
