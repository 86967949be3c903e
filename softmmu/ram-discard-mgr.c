/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface TYPE_RAM_DISCARD_MGR as consumers see it: its methods, the
 * calls to them, walking what is populated, and being asked beforehand. No
 * policy: ram-discard.c has the state machine.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "ram-discard-internal.h"

/* --- the manager of a region --- */

const RamDiscardState *memory_region_ram_discard_state(const MemoryRegion *mr)
{
    return mr->discard_state;
}

RamDiscardMgr *memory_region_get_ram_discard_mgr(const MemoryRegion *mr)
{
    const RamDiscardState *s = mr->discard_state;

    return s ? QTAILQ_FIRST(&s->managers)->rdm : NULL;
}

RamDiscardBlocks *ram_discard_mgr_get_blocks(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr)
{
    RamDiscardBlocks *b = RAM_DISCARD_MGR_GET_CLASS(rdm)->get_blocks(rdm, mr);

    g_assert(b->mr == mr && b->rdm == rdm);
    return b;
}

/* --- calls --- */

uint64_t ram_discard_mgr_get_min_granularity(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->get_min_granularity(rdm, mr);
}

bool ram_discard_mgr_is_populated(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr,
                                  ram_addr_t offset, ram_addr_t size)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->is_populated(rdm, mr, offset, size);
}

int ram_discard_mgr_register_listener(RamDiscardMgr *rdm,
                                      const MemoryRegion *mr,
                                      RamDiscardListener *rdl, Error **errp)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->register_listener(rdm, mr, rdl,
                                                             errp);
}

void ram_discard_mgr_unregister_listener(RamDiscardMgr *rdm,
                                         const MemoryRegion *mr,
                                         RamDiscardListener *rdl)
{
    RAM_DISCARD_MGR_GET_CLASS(rdm)->unregister_listener(rdm, mr, rdl);
}

int ram_discard_mgr_replay_populated(const RamDiscardMgr *rdm,
                                     const MemoryRegion *mr,
                                     RamDiscardListener *rdl)
{
    return RAM_DISCARD_MGR_GET_CLASS(rdm)->replay_populated(rdm, mr, rdl);
}

/* --- methods that come with the interface --- */

/* Any manager of @mr speaks for all. */
static RamDiscardState *state_of(const RamDiscardMgr *rdm,
                                 const MemoryRegion *mr)
{
    g_assert(mr->discard_state);
    return mr->discard_state;
}

static uint64_t state_get_min_granularity(const RamDiscardMgr *rdm,
                                          const MemoryRegion *mr)
{
    return state_of(rdm, mr)->granularity;
}

static bool state_is_populated(const RamDiscardMgr *rdm,
                               const MemoryRegion *mr, ram_addr_t offset,
                               ram_addr_t size)
{
    return ram_discard_state_is_populated(state_of(rdm, mr), offset, size);
}

static int state_register_listener(RamDiscardMgr *rdm, const MemoryRegion *mr,
                                   RamDiscardListener *rdl, Error **errp)
{
    return ram_discard_state_register(state_of(rdm, mr), rdl, errp);
}

static void state_unregister_listener(RamDiscardMgr *rdm,
                                      const MemoryRegion *mr,
                                      RamDiscardListener *rdl)
{
    ram_discard_state_unregister(state_of(rdm, mr), rdl);
}

static int state_replay_populated(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr,
                                  RamDiscardListener *rdl)
{
    return ram_discard_state_replay_populated(state_of(rdm, mr), rdl);
}

static void ram_discard_mgr_class_init(ObjectClass *klass, void *data)
{
    RamDiscardMgrClass *rdmc = RAM_DISCARD_MGR_CLASS(klass);

    rdmc->get_min_granularity = state_get_min_granularity;
    rdmc->is_populated = state_is_populated;
    rdmc->register_listener = state_register_listener;
    rdmc->unregister_listener = state_unregister_listener;
    rdmc->replay_populated = state_replay_populated;
}

static const TypeInfo ram_discard_mgr_info = {
    .name = TYPE_RAM_DISCARD_MGR,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(RamDiscardMgrClass),
    .class_init = ram_discard_mgr_class_init,
};

static void ram_discard_mgr_register_types(void)
{
    type_register_static(&ram_discard_mgr_info);
}
type_init(ram_discard_mgr_register_types)

/* --- walking a section --- */

/* The part of @section that begins at @offset of its region. */
static MemoryRegionSection part_of(const MemoryRegionSection *section,
                                   uint64_t offset, uint64_t size)
{
    MemoryRegionSection part = *section;

    part.offset_within_region = offset;
    part.offset_within_address_space += offset - section->offset_within_region;
    part.size = int128_make64(size);
    return part;
}

int memory_region_section_foreach_populated(const MemoryRegionSection *section,
                                            MemoryRegionSectionFn *fn,
                                            void *opaque)
{
    const RamDiscardState *s = section->mr->discard_state;
    uint64_t offset = section->offset_within_region, size;
    uint64_t end = offset + int128_get64(section->size);
    int ret = 0;

    if (!s) {
        return fn(section, opaque);
    }
    while (!ret && ram_discard_state_next_run(s, &offset, &size) &&
           offset < end) {
        MemoryRegionSection part = part_of(section, offset,
                                           MIN(size, end - offset));

        ret = fn(&part, opaque);
        offset += size;
    }
    return ret;
}

/* --- being asked beforehand --- */

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

bool ram_discard_consumers_check(MemoryRegion *mr, uint64_t granularity,
                                 Error **errp)
{
    const RamDiscardState *s = mr->discard_state;
    RamDiscardConsumer *consumer;

    if (s) {
        granularity = MIN(granularity, s->granularity);
    }
    QLIST_FOREACH(consumer, &ram_discard_consumers, next) {
        if (!consumer->check_region(consumer, mr, granularity, errp)) {
            return false;
        }
    }
    return true;
}

/* --- times --- */

int64_t ram_discard_times_add(RamDiscardTimes *times, int64_t start)
{
    int64_t now = g_get_monotonic_time();
    uint64_t us = now > start ? now - start : 0;
    unsigned n = us ? 64 - __builtin_clzll(us) : 0;

    times->counts[MIN(n, RAM_DISCARD_TIMES - 1)]++;
    return now;
}
