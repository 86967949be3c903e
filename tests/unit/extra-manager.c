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

static void extra_class_init(ObjectClass *klass, void *data)
{
    ram_discard_mgr_class_use_state(RAM_DISCARD_MGR_CLASS(klass),
                                    extra_get_state);
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
