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

    ram_discard_state_init(&mgr->state, mr, granularity, extra_discard, mgr);
    return mgr;
}

void extra_manager_free(ExtraManager *mgr)
{
    ram_discard_state_destroy(&mgr->state);
    object_unref(OBJECT(mgr));
}

static RamDiscardState *extra_get_state(const RamDiscardMgr *rdm,
                                        const MemoryRegion *mr)
{
    ExtraManager *mgr = EXTRA_MANAGER(rdm);

    return mgr->secretive ? NULL : &mgr->state;
}

static uint64_t extra_get_min_granularity(const RamDiscardMgr *rdm,
                                          const MemoryRegion *mr)
{
    return EXTRA_MANAGER(rdm)->state.granularity;
}

static bool extra_is_populated(const RamDiscardMgr *rdm, const MemoryRegion *mr,
                               ram_addr_t offset, ram_addr_t size)
{
    return ram_discard_state_is_populated(&EXTRA_MANAGER(rdm)->state, offset,
                                          size);
}

static int extra_register(RamDiscardMgr *rdm, const MemoryRegion *mr,
                          RamDiscardListener *rdl)
{
    return ram_discard_state_register(&EXTRA_MANAGER(rdm)->state, rdl);
}

static void extra_unregister(RamDiscardMgr *rdm, const MemoryRegion *mr,
                             RamDiscardListener *rdl)
{
    ram_discard_state_unregister(&EXTRA_MANAGER(rdm)->state, rdl);
}

static void extra_class_init(ObjectClass *klass, void *data)
{
    RamDiscardMgrClass *rdmc = RAM_DISCARD_MGR_CLASS(klass);

    rdmc->get_min_granularity = extra_get_min_granularity;
    rdmc->is_populated = extra_is_populated;
    rdmc->register_listener = extra_register;
    rdmc->unregister_listener = extra_unregister;
    rdmc->get_state = extra_get_state;
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
