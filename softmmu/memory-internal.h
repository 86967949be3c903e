/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the memory core share: the flat view and the seams between
 * the region graph, the address spaces and the listeners. Nobody outside
 * softmmu/memory*.c and softmmu/flatview.c includes it.
 *
 *   memory-region.c    life of a region, by kind
 *   memory.c           the graph, transactions, address spaces
 *   flatview.c         graph -> flat view, lookup
 *   memory-listener.c  differences of flat views -> listeners
 *   memory-eventfd.c   the same for eventfds
 *   memory-dispatch.c  one access to one MMIO region
 *   memory-access.c    any access to an address space
 *   memory-mtree.c     graph and flat views as text
 */
#ifndef SOFTMMU_MEMORY_INTERNAL_H
#define SOFTMMU_MEMORY_INTERNAL_H

#include "exec/ram-discard.h"

/* --- flat views (flatview.c) --- */

/* One range of a flat view, both ends included so that 2^64 needs no care. */
typedef struct FlatRange {
    MemoryRegion *mr;                     /* referenced */
    hwaddr start;                         /* in the address space */
    hwaddr last;
    hwaddr offset;                        /* of start, in mr */
    bool readonly;
    bool unmergeable;                     /* but with its like */
} FlatRange;

/*
 * What a root looks like from outside: ranges sorted by address, no two
 * overlapping, neighbours that continue each other merged. Immutable but for
 * the lookup's memory; shared by all address spaces that look the same.
 */
struct FlatView {
    unsigned ref;
    unsigned nr;
    unsigned hit;                         /* the range found last; any thread's */
    const MemoryRegion *root;             /* an identity, not to be followed */
    FlatRange *ranges;
};

/*
 * The region that looks exactly like @root but is deeper in the graph, if
 * there is one, so that roots which only forward to another share its view.
 * NULL if nothing is to be seen.
 */
MemoryRegion *flatview_root(MemoryRegion *root);
/* Renders @root (NULL: an empty view), a result of flatview_root(). */
FlatView *flatview_new(MemoryRegion *root);
FlatView *flatview_ref(FlatView *fv);
/* The last reference drops those to the regions, whose owners may go. */
void flatview_unref(FlatView *fv);
bool flatview_equal(const FlatView *a, const FlatView *b);
/* The index of the first range that ends at or after @addr, or nr. */
unsigned flatview_first(const FlatView *fv, hwaddr addr);
MemoryRegionSection section_from_range(FlatView *fv, const FlatRange *fr);

static inline bool flat_range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset == b->offset && a->readonly == b->readonly &&
           a->unmergeable == b->unmergeable;
}

static inline bool flat_range_holds(const FlatRange *fr, hwaddr addr)
{
    return addr - fr->start <= fr->last - fr->start;
}

/* The range at @addr, or NULL; *last is where it, or the gap, ends. */
static inline const FlatRange *flatview_lookup(FlatView *fv, hwaddr addr,
                                               hwaddr *last)
{
    unsigned i = __atomic_load_n(&fv->hit, __ATOMIC_RELAXED);

    if (i >= fv->nr || !flat_range_holds(&fv->ranges[i], addr)) {
        i = flatview_first(fv, addr);
        if (i == fv->nr || !flat_range_holds(&fv->ranges[i], addr)) {
            *last = i == fv->nr ? HWADDR_MAX : fv->ranges[i].start - 1;
            return NULL;
        }
        __atomic_store_n(&fv->hit, i, __ATOMIC_RELAXED);
    }
    *last = fv->ranges[i].last;
    return &fv->ranges[i];
}

/* --- references (memory-region.c) --- */

/*
 * What @user, a container or an alias, takes and drops on @mr. Within one owner
 * that is nothing: both go with it, and a reference would keep the owner by
 * something that goes only with the owner.
 */
void memory_region_ref_for(MemoryRegion *mr, const MemoryRegion *user);
void memory_region_unref_for(MemoryRegion *mr, const MemoryRegion *user);

/* --- the graph (memory.c) --- */

/* All address spaces (borrowed), the oldest first. */
GPtrArray *address_spaces_list(void);
/* An address space that looks at @root itself, or NULL. */
AddressSpace *address_space_of_root(const MemoryRegion *root);
/* At the commit of the transaction in hand, look for changes of eventfds. */
void memory_region_eventfds_changed(const MemoryRegion *mr);
/* For a region that is being finalized: leaves its container, if any, and
 * removes what it contains. */
void memory_region_leave_graph(MemoryRegion *mr);

/* --- listeners (memory-listener.c) --- */

typedef QTAILQ_HEAD(MemoryListenerHead, MemoryListener) MemoryListenerHead;

/* The listeners of @as; its own field has no name to walk backwards by. */
static inline MemoryListenerHead *address_space_listeners(AddressSpace *as)
{
    QEMU_BUILD_BUG_ON(sizeof(as->listeners) != sizeof(MemoryListenerHead));
    return (MemoryListenerHead *)&as->listeners;
}

void memory_listeners_begin(void);
void memory_listeners_commit(void);
/* Tells the listeners of @as of what is in @old but not in @new. */
void memory_listeners_removed(AddressSpace *as, FlatView *old, FlatView *new);
/* Tells them of what is new in @new, and of what stays. */
void memory_listeners_added(AddressSpace *as, FlatView *old, FlatView *new);

/* --- eventfds (memory-eventfd.c) --- */

struct MemoryRegionIoeventfd {
    hwaddr addr;                          /* in the region or address space */
    unsigned size;                        /* 0: any */
    bool match_data;
    uint64_t data;
    EventNotifier *e;
};

/* Brings as->ioeventfds up to date with its view, and tells the listeners. */
void address_space_update_ioeventfds(AddressSpace *as);
/* Tells one listener that all the eventfds of @as are there, or go. */
void memory_listener_replay_ioeventfds(MemoryListener *listener,
                                       AddressSpace *as, bool add);
/* Signals the eventfd that wants this write; false if none does. */
bool memory_region_signal_eventfd(MemoryRegion *mr, hwaddr addr, uint64_t data,
                                  unsigned size);

/* --- access (memory-dispatch.c) --- */

/* Of RAM that is not accessed directly: a device's. */
extern const MemoryRegionOps memory_ram_ops;
/* Of a region whose device gave none: nothing is accepted. */
extern const MemoryRegionOps memory_unassigned_ops;

/* Whether the core may access @mr by plain loads and stores. */
static inline bool memory_region_is_direct(const MemoryRegion *mr)
{
    return mr->ram && !mr->ram_device;
}

/* Whether all of the range of @mr, RAM, is there to be accessed. */
static inline bool memory_region_is_populated(const MemoryRegion *mr,
                                              ram_addr_t offset,
                                              ram_addr_t size)
{
    return !mr->discard_state ||
           ram_discard_state_is_populated(mr->discard_state, offset, size);
}

#endif
