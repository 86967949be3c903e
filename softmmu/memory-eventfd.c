/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds: writes that signal an EventNotifier in place of a callback.
 *
 * A region keeps its own, sorted; an address space keeps those that show in its
 * flat view, at their addresses there, so that the next commit can tell the
 * listeners (KVM) just what came and went. Nothing here owns a notifier.
 */
#include "qemu/osdep.h"
#include "qemu/event_notifier.h"
#include "memory-internal.h"

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int eventfd_compare(const MemoryRegionIoeventfd *a,
                           const MemoryRegionIoeventfd *b)
{
    int r = compare_u64(a->addr, b->addr);

    r = r ? r : compare_u64(a->size, b->size);
    r = r ? r : compare_u64(a->match_data, b->match_data);
    r = r ? r : compare_u64(a->data, b->data);
    return r ? r : compare_u64((uintptr_t)a->e, (uintptr_t)b->e);
}

/* The index of the first eventfd of @mr that is not before @fd. */
static unsigned eventfd_position(const MemoryRegion *mr,
                                 const MemoryRegionIoeventfd *fd)
{
    unsigned i = 0;

    while (i < mr->ioeventfd_nb && eventfd_compare(&mr->ioeventfds[i], fd) < 0) {
        i++;
    }
    return i;
}

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryRegionIoeventfd fd = {
        .addr = addr, .size = size,
        .match_data = match_data, .data = match_data ? data : 0, .e = e,
    };
    unsigned at = eventfd_position(mr, &fd);

    memory_region_transaction_begin();
    mr->ioeventfds = g_renew(MemoryRegionIoeventfd, mr->ioeventfds,
                             mr->ioeventfd_nb + 1);
    memmove(&mr->ioeventfds[at + 1], &mr->ioeventfds[at],
            (mr->ioeventfd_nb - at) * sizeof(fd));
    mr->ioeventfds[at] = fd;
    mr->ioeventfd_nb++;
    memory_region_eventfds_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryRegionIoeventfd fd = {
        .addr = addr, .size = size,
        .match_data = match_data, .data = match_data ? data : 0, .e = e,
    };
    unsigned at = eventfd_position(mr, &fd);

    g_assert(at < mr->ioeventfd_nb &&
             !eventfd_compare(&mr->ioeventfds[at], &fd));
    memory_region_transaction_begin();
    mr->ioeventfd_nb--;
    memmove(&mr->ioeventfds[at], &mr->ioeventfds[at + 1],
            (mr->ioeventfd_nb - at) * sizeof(fd));
    memory_region_eventfds_changed(mr);
    memory_region_transaction_commit();
}

bool memory_region_signal_eventfd(MemoryRegion *mr, hwaddr addr, uint64_t data,
                                  unsigned size)
{
    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        const MemoryRegionIoeventfd *fd = &mr->ioeventfds[i];

        if (fd->addr == addr && (!fd->size || fd->size == size) &&
            (!fd->match_data || fd->data == data)) {
            event_notifier_set(fd->e);
            return true;
        }
    }
    return false;
}

/* --- what shows in an address space --- */

/* @fd, of a region of which @fr is a part, as it looks from outside; false if
 * it is not wholly in that part. */
static bool eventfd_in_range(const MemoryRegionIoeventfd *fd,
                             const FlatRange *fr, MemoryRegionIoeventfd *shown)
{
    hwaddr bytes = MAX(fd->size, 1U);
    hwaddr room = fr->last - fr->start;

    if (fd->addr < fr->offset || fd->addr - fr->offset > room ||
        bytes - 1 > room - (fd->addr - fr->offset)) {
        return false;
    }
    *shown = *fd;
    shown->addr = fr->start + (fd->addr - fr->offset);
    if (fr->mr->ops && fr->mr->ops->endianness == DEVICE_BIG_ENDIAN) {
        shown->data = GUINT64_SWAP_LE_BE(fd->data) >> (64 - 8 * bytes);
    }
    return true;
}

static GArray *collect_eventfds(const FlatView *fv)
{
    GArray *fds = g_array_new(false, false, sizeof(MemoryRegionIoeventfd));

    for (unsigned i = 0; i < fv->nr; i++) {
        const MemoryRegion *mr = fv->ranges[i].mr;

        for (unsigned k = 0; k < mr->ioeventfd_nb; k++) {
            MemoryRegionIoeventfd shown;

            if (eventfd_in_range(&mr->ioeventfds[k], &fv->ranges[i], &shown)) {
                g_array_append_val(fds, shown);
            }
        }
    }
    g_array_sort(fds, (GCompareFunc)eventfd_compare);
    return fds;
}

typedef void EventfdFn(MemoryListener *listener, MemoryRegionSection *section,
                       bool match_data, uint64_t data, EventNotifier *e);

/* The section of an eventfd is just its place: it has no region. */
static void tell(MemoryListener *l, EventfdFn *fn, FlatView *fv,
                 const MemoryRegionIoeventfd *fd)
{
    MemoryRegionSection section = {
        .fv = fv,
        .offset_within_address_space = fd->addr,
        .size = fd->size,
    };

    if (fn) {
        fn(l, &section, fd->match_data, fd->data, fd->e);
    }
}

static void tell_removed(AddressSpace *as, const MemoryRegionIoeventfd *fd)
{
    MemoryListener *l;

    QTAILQ_FOREACH_REVERSE(l, address_space_listeners(as), link_as) {
        tell(l, l->eventfd_del, as->current_map, fd);
    }
}

static void tell_added(AddressSpace *as, const MemoryRegionIoeventfd *fd)
{
    MemoryListener *l;

    QTAILQ_FOREACH(l, &as->listeners, link_as) {
        tell(l, l->eventfd_add, as->current_map, fd);
    }
}

/* Calls @fn for each of @fds that is not among @others; both are sorted. */
static void for_each_missing(AddressSpace *as, const MemoryRegionIoeventfd *fds,
                             unsigned nr, const MemoryRegionIoeventfd *others,
                             unsigned nr_others,
                             void (*fn)(AddressSpace *as,
                                        const MemoryRegionIoeventfd *fd))
{
    unsigned cursor = 0;

    for (unsigned i = 0; i < nr; i++) {
        while (cursor < nr_others &&
               eventfd_compare(&others[cursor], &fds[i]) < 0) {
            cursor++;
        }
        if (cursor < nr_others && !eventfd_compare(&others[cursor], &fds[i])) {
            cursor++;
            continue;
        }
        fn(as, &fds[i]);
    }
}

void address_space_update_ioeventfds(AddressSpace *as)
{
    g_autofree MemoryRegionIoeventfd *old = as->ioeventfds;
    unsigned nr_old = as->ioeventfd_nb;
    GArray *now = collect_eventfds(as->current_map);

    as->ioeventfd_nb = now->len;
    as->ioeventfds = (MemoryRegionIoeventfd *)g_array_free(now, false);
    for_each_missing(as, old, nr_old, as->ioeventfds, as->ioeventfd_nb,
                     tell_removed);
    for_each_missing(as, as->ioeventfds, as->ioeventfd_nb, old, nr_old,
                     tell_added);
}

void memory_listener_replay_ioeventfds(MemoryListener *listener,
                                       AddressSpace *as, bool add)
{
    for (unsigned i = 0; i < as->ioeventfd_nb; i++) {
        tell(listener, add ? listener->eventfd_add : listener->eventfd_del,
             as->current_map, &as->ioeventfds[i]);
    }
}
