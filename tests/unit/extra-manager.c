/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test manager of extra-manager.h, on top of exec/ram-discard.h. */
#include "qemu/osdep.h"
#include "extra-manager.h"

static int extra_discard(void *opaque, uint64_t offset, uint64_t size)
{
    return ((ExtraManager *)opaque)->discard_error;
}

ExtraManager *extra_manager_new(MemoryRegion *mr, uint64_t granularity)
{
    ExtraManager *mgr = EXTRA_MANAGER(object_new(TYPE_EXTRA_MANAGER));

    ram_discard_blocks_init(&mgr->blocks, RAM_DISCARD_MGR(mgr), mr,
                            granularity, extra_discard, mgr);
    return mgr;
}

void extra_manager_free(ExtraManager *mgr)
{
    ram_discard_blocks_destroy(&mgr->blocks);
    object_unref(OBJECT(mgr));
}

static RamDiscardBlocks *extra_get_blocks(const RamDiscardMgr *rdm,
                                          const MemoryRegion *mr)
{
    return &EXTRA_MANAGER(rdm)->blocks;
}

static void extra_class_init(ObjectClass *klass, void *data)
{
    RAM_DISCARD_MGR_CLASS(klass)->get_blocks = extra_get_blocks;
}

static const TypeInfo extra_manager_types[] = {
    {
        .name = TYPE_EXTRA_MANAGER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(ExtraManager),
        .class_init = extra_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_RAM_DISCARD_MGR },
            { }
        },
    },
};

DEFINE_TYPES(extra_manager_types)
