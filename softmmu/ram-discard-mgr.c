/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface TYPE_RAM_DISCARD_MGR: who manages a RAM region, the calls to
 * the manager, and the methods of managers that have a RamDiscardState. No
 * policy: ram-discard.c has the state machine.
 */
#include "qemu/osdep.h"
#include "ram-discard-internal.h"

static QLIST_HEAD(, RamDiscardConsumer) ram_discard_consumers =
    QLIST_HEAD_INITIALIZER(ram_discard_consumers);

void ram_discard_consumer_register(RamDiscardConsumer *consumer)
{
    g_assert(consumer->check_region);
    QLIST_INSERT_HEAD(&ram_discard_consumers, consumer, next);
}

void ram_discard_consumer_unregister(RamDiscardConsumer *consumer)
{
    QLIST_REMOVE(consumer, next);
}

bool ram_discard_consumers_check(const MemoryRegion *mr, uint64_t granularity,
                                 Error **errp)
{
    RamDiscardConsumer *consumer;

    if (mr->rdm) {
        granularity = MIN(granularity,
                          ram_discard_mgr_get_min_granularity(mr->rdm, mr));
    }
    QLIST_FOREACH(consumer, &ram_discard_consumers, next) {
        if (!consumer->check_region(consumer, mr, granularity, errp)) {
            return false;
        }
    }
    return true;
}

RamDiscardMgr *memory_region_get_ram_discard_mgr(const MemoryRegion *mr)
{
    return mr->rdm;
}

/* Law L6; that no listener is left only the manager itself can know. */
void memory_region_set_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm)
{
    g_assert(memory_region_is_ram(mr));
    g_assert(!memory_region_is_mapped(mr));
    if (ram_discard_group_exists(mr)) {
        ram_discard_group_set_first(mr, rdm);
        return;
    }
    g_assert(!rdm || !mr->rdm);
    mr->rdm = rdm;
}

uint64_t ram_discard_mgr_get_min_granularity(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->get_min_granularity(rdm, mr);
}

bool ram_discard_mgr_is_populated(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr,
                                  ram_addr_t offset, ram_addr_t size)
{
    uint64_t total = memory_region_size(mr);

    if (!size || offset >= total || size > total - offset) {
        return false;
    }
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->is_populated(rdm, mr, offset, size);
}

int ram_discard_mgr_register_listener(RamDiscardMgr *rdm,
                                      const MemoryRegion *mr,
                                      RamDiscardListener *rdl)
{
    g_assert(mr->rdm == rdm);
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->register_listener(rdm, mr, rdl);
}

void ram_discard_mgr_unregister_listener(RamDiscardMgr *rdm,
                                         const MemoryRegion *mr,
                                         RamDiscardListener *rdl)
{
    g_assert(mr->rdm == rdm);
    RAM_DISCARD_MGR_GET_CLASS(rdm)->unregister_listener(rdm, mr, rdl);
}

int ram_discard_mgr_replay_populated(const RamDiscardMgr *rdm,
                                     const MemoryRegion *mr,
                                     RamDiscardListener *rdl)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->replay_populated(rdm, mr, rdl);
}

void ram_discard_mgr_replay_discarded(const RamDiscardMgr *rdm,
                                      const MemoryRegion *mr,
                                      RamDiscardListener *rdl)
{
    RAM_DISCARD_MGR_GET_CLASS(rdm)->replay_discarded(rdm, mr, rdl);
}

RamDiscardState *ram_discard_mgr_get_state(const RamDiscardMgr *rdm,
                                           const MemoryRegion *mr)
{
    RamDiscardMgrClass *klass = RAM_DISCARD_MGR_GET_CLASS(rdm);

    return klass->get_state ? klass->get_state(rdm, mr) : NULL;
}

void ram_discard_listener_object(RamDiscardListener *rdl, const char *reason)
{
    g_free(rdl->objection);
    rdl->objection = g_strdup(reason);
}

/* --- managers that have a RamDiscardState --- */

static uint64_t forward_get_min_granularity(const RamDiscardMgr *rdm,
                                            const MemoryRegion *mr)
{
    return ram_discard_mgr_get_state(rdm, mr)->granularity;
}

static bool forward_is_populated(const RamDiscardMgr *rdm,
                                 const MemoryRegion *mr, ram_addr_t offset,
                                 ram_addr_t size)
{
    return ram_discard_state_is_populated(ram_discard_mgr_get_state(rdm, mr),
                                          offset, size);
}

static int forward_register_listener(RamDiscardMgr *rdm,
                                     const MemoryRegion *mr,
                                     RamDiscardListener *rdl)
{
    return ram_discard_state_register(ram_discard_mgr_get_state(rdm, mr), rdl);
}

static void forward_unregister_listener(RamDiscardMgr *rdm,
                                        const MemoryRegion *mr,
                                        RamDiscardListener *rdl)
{
    ram_discard_state_unregister(ram_discard_mgr_get_state(rdm, mr), rdl);
}

static int forward_replay_populated(const RamDiscardMgr *rdm,
                                    const MemoryRegion *mr,
                                    RamDiscardListener *rdl)
{
    return ram_discard_state_replay_populated(
        ram_discard_mgr_get_state(rdm, mr), rdl);
}

static void forward_replay_discarded(const RamDiscardMgr *rdm,
                                     const MemoryRegion *mr,
                                     RamDiscardListener *rdl)
{
    ram_discard_state_replay_discarded(ram_discard_mgr_get_state(rdm, mr),
                                       rdl);
}

void ram_discard_mgr_class_use_state(
    RamDiscardMgrClass *klass,
    RamDiscardState *(*get_state)(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr))
{
    klass->get_min_granularity = forward_get_min_granularity;
    klass->is_populated = forward_is_populated;
    klass->register_listener = forward_register_listener;
    klass->unregister_listener = forward_unregister_listener;
    klass->replay_populated = forward_replay_populated;
    klass->replay_discarded = forward_replay_discarded;
    klass->get_state = get_state;
}

static const TypeInfo ram_discard_mgr_info = {
    .name = TYPE_RAM_DISCARD_MGR,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(RamDiscardMgrClass),
};

static void ram_discard_mgr_register_types(void)
{
    type_register_static(&ram_discard_mgr_info);
}
type_init(ram_discard_mgr_register_types)
