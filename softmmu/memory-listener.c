/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory listeners: registration, and the differences between two flat views
 * of an address space told range by range.
 *
 * memory.c calls in here during a commit. Removals are told before additions,
 * in ascending order of addresses, each range to all listeners before the
 * next: removals from the highest priority down, additions from the lowest up.
 * A range that differs in anything, its being read only included, goes and
 * comes back.
 */
#include "qemu/osdep.h"
#include "memory-internal.h"

/* Sorted by priority, equals in order of arrival, as those of each space. */
static MemoryListenerHead all_listeners =
    QTAILQ_HEAD_INITIALIZER(all_listeners);

void memory_listeners_begin(void)
{
    MemoryListener *l;

    QTAILQ_FOREACH(l, &all_listeners, link) {
        if (l->begin) {
            l->begin(l);
        }
    }
}

void memory_listeners_commit(void)
{
    MemoryListener *l;

    QTAILQ_FOREACH(l, &all_listeners, link) {
        if (l->commit) {
            l->commit(l);
        }
    }
}

/* Whether @fv has exactly @fr. *cursor follows ascending calls; 0 at first. */
static bool has_range(const FlatView *fv, const FlatRange *fr, unsigned *cursor)
{
    while (*cursor < fv->nr && fv->ranges[*cursor].start < fr->start) {
        ++*cursor;
    }
    return *cursor < fv->nr && flat_range_equal(&fv->ranges[*cursor], fr);
}

void memory_listeners_removed(AddressSpace *as, FlatView *old, FlatView *new)
{
    unsigned cursor = 0;

    if (old == new || QTAILQ_EMPTY(&as->listeners)) {
        return;
    }
    for (unsigned i = 0; i < old->nr; i++) {
        MemoryRegionSection section = section_from_range(old, &old->ranges[i]);
        MemoryListener *l;

        if (has_range(new, &old->ranges[i], &cursor)) {
            continue;
        }
        QTAILQ_FOREACH_REVERSE(l, address_space_listeners(as), link_as) {
            if (l->region_del) {
                l->region_del(l, &section);
            }
        }
    }
}

void memory_listeners_added(AddressSpace *as, FlatView *old, FlatView *new)
{
    unsigned cursor = 0;

    if (QTAILQ_EMPTY(&as->listeners)) {
        return;
    }
    for (unsigned i = 0; i < new->nr; i++) {
        MemoryRegionSection section = section_from_range(new, &new->ranges[i]);
        bool stays = has_range(old, &new->ranges[i], &cursor);
        MemoryListener *l;

        QTAILQ_FOREACH(l, &as->listeners, link_as) {
            if (stays && l->region_nop) {
                l->region_nop(l, &section);
            } else if (!stays && l->region_add) {
                l->region_add(l, &section);
            }
        }
    }
}

/* Tells @listener alone that all of its address space comes, or goes. */
static void replay(MemoryListener *listener, bool add)
{
    FlatView *fv = flatview_ref(listener->address_space->current_map);
    void (*tell)(MemoryListener *, MemoryRegionSection *) =
        add ? listener->region_add : listener->region_del;

    if (listener->begin) {
        listener->begin(listener);
    }
    for (unsigned i = 0; tell && i < fv->nr; i++) {
        MemoryRegionSection section = section_from_range(fv, &fv->ranges[i]);

        tell(listener, &section);
    }
    memory_listener_replay_ioeventfds(listener, listener->address_space, add);
    if (listener->commit) {
        listener->commit(listener);
    }
    flatview_unref(fv);
}

#define INSERT_BY_PRIORITY(head, listener, field)                            \
    do {                                                                     \
        MemoryListener *other_;                                              \
        QTAILQ_FOREACH(other_, head, field) {                                \
            if (other_->priority > (listener)->priority) {                   \
                break;                                                       \
            }                                                                \
        }                                                                    \
        if (other_) {                                                        \
            QTAILQ_INSERT_BEFORE(other_, listener, field);                   \
        } else {                                                             \
            QTAILQ_INSERT_TAIL(head, listener, field);                       \
        }                                                                    \
    } while (0)

void memory_listener_register(MemoryListener *listener, AddressSpace *as)
{
    g_assert(!listener->address_space);
    listener->address_space = as;
    INSERT_BY_PRIORITY(&all_listeners, listener, link);
    INSERT_BY_PRIORITY(&as->listeners, listener, link_as);
    replay(listener, true);
}

void memory_listener_unregister(MemoryListener *listener)
{
    AddressSpace *as = listener->address_space;

    if (as) {
        replay(listener, false);
        QTAILQ_REMOVE(&all_listeners, listener, link);
        QTAILQ_REMOVE(&as->listeners, listener, link_as);
        listener->address_space = NULL;
    }
}
