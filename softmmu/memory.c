/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The region graph: who contains whom and where, transactions over changes of
 * it, and the address spaces that look at it.
 *
 * A change marks what it may affect; the commit of the outermost transaction
 * renders each distinct root once, and hands old and new view of each address
 * space to the listeners. A change that cannot be seen from any address space
 * costs nothing.
 *
 * Never: tell a listener outside of a commit, or drop a flat view while address
 * spaces are walked, since that may let devices, and their address spaces, go.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "memory-internal.h"
#include "qemu/units.h"

static QTAILQ_HEAD(, AddressSpace) address_spaces =
    QTAILQ_HEAD_INITIALIZER(address_spaces);

static unsigned transaction_depth;
static bool topology_pending;
static bool eventfds_pending;
static bool committing;
uint64_t memory_map_generation_now = 1;

void memory_map_generation_bump(void)
{
    memory_map_generation_now++;
}

GPtrArray *address_spaces_list(void)
{
    GPtrArray *list = g_ptr_array_new();
    AddressSpace *as;

    QTAILQ_FOREACH(as, &address_spaces, address_spaces_link) {
        g_ptr_array_add(list, as);
    }
    return list;
}

/* --- what a change affects --- */

AddressSpace *address_space_of_root(const MemoryRegion *root)
{
    AddressSpace *as;

    QTAILQ_FOREACH(as, &address_spaces, address_spaces_link) {
        if (as->root == root) {
            return as;
        }
    }
    return NULL;
}

/*
 * Whether a change of @mr may show in some address space. Never false when it
 * would; the other error costs a rendering.
 */
static bool memory_region_may_be_visible(const MemoryRegion *mr)
{
    for (; mr && mr->enabled; mr = mr->container) {
        if (mr->mapped_via_alias || address_space_of_root(mr)) {
            return true;
        }
    }
    return false;
}

static void topology_changed(const MemoryRegion *mr)
{
    topology_pending |= memory_region_may_be_visible(mr);
}

void memory_region_eventfds_changed(const MemoryRegion *mr)
{
    eventfds_pending |= memory_region_may_be_visible(mr);
}

/* --- transactions --- */

/* A view that some address space already has of @root, or NULL. */
static FlatView *present_view(const MemoryRegion *root)
{
    AddressSpace *as;

    QTAILQ_FOREACH(as, &address_spaces, address_spaces_link) {
        if (as->current_map && as->current_map->root == root) {
            return as->current_map;
        }
    }
    return NULL;
}

/* A view of @root as it is now, and the caller's reference to it; the present
 * one if nothing has changed. */
static FlatView *view_of(MemoryRegion *root)
{
    FlatView *fresh = flatview_new(root);
    FlatView *present = present_view(root);

    if (present && flatview_equal(present, fresh)) {
        flatview_unref(fresh);
        return flatview_ref(present);
    }
    return fresh;
}

/* The same, rendering each root once; @views owns a reference. */
static FlatView *cached_view_of(GHashTable *views, MemoryRegion *root)
{
    FlatView *fv = g_hash_table_lookup(views, root);

    if (!fv) {
        fv = view_of(root);
        g_hash_table_insert(views, root, fv);
    }
    return fv;
}

/* Replaces the view of @as; @retired takes over the reference to the old. */
static void address_space_set_view(AddressSpace *as, FlatView *new,
                                   GPtrArray *retired)
{
    FlatView *old = as->current_map;

    g_ptr_array_add(retired, old);
    memory_listeners_removed(as, old, new);
    flatview_ref(new);
    if (old != new) {
        memory_map_change_begin();
        as->current_map = new;
        memory_map_generation_bump();
        memory_map_change_end();
    }
    memory_listeners_added(as, old, new);
}

static void commit_topology(GPtrArray *retired)
{
    g_autoptr(GHashTable) views =
        g_hash_table_new_full(NULL, NULL, NULL,
                              (GDestroyNotify)flatview_unref);
    bool eventfds = eventfds_pending;
    AddressSpace *as;

    topology_pending = false;
    eventfds_pending = false;
    memory_listeners_begin();
    QTAILQ_FOREACH(as, &address_spaces, address_spaces_link) {
        FlatView *old = as->current_map;

        address_space_set_view(as, cached_view_of(views,
                                                  flatview_root(as->root)),
                               retired);
        if (eventfds || as->current_map != old) {
            address_space_update_ioeventfds(as);
        }
    }
    memory_listeners_commit();
}

static void commit_eventfds(void)
{
    AddressSpace *as;

    eventfds_pending = false;
    QTAILQ_FOREACH(as, &address_spaces, address_spaces_link) {
        address_space_update_ioeventfds(as);
    }
}

void memory_region_transaction_begin(void)
{
    transaction_depth++;
}

/*
 * A listener may change the graph; that is committed when the commit in hand
 * is through. Old views go last: their regions' owners may go with them.
 */
void memory_region_transaction_commit(void)
{
    g_autoptr(GPtrArray) retired = NULL;

    g_assert(transaction_depth);
    if (--transaction_depth || committing ||
        !(topology_pending || eventfds_pending)) {
        return;
    }
    retired = g_ptr_array_new_with_free_func((GDestroyNotify)flatview_unref);
    committing = true;
    while (topology_pending || eventfds_pending) {
        if (topology_pending) {
            commit_topology(retired);
        } else {
            commit_eventfds();
        }
    }
    committing = false;
}

/* --- properties of a region that show --- */

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    if (mr->readonly == readonly) {
        return;
    }
    memory_region_transaction_begin();
    mr->readonly = readonly;
    topology_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_set_unmergeable(MemoryRegion *mr, bool unmergeable)
{
    if (mr->unmergeable != unmergeable) {
        memory_region_transaction_begin();
        mr->unmergeable = unmergeable;
        topology_changed(mr);
        memory_region_transaction_commit();
    }
}

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    if (mr->enabled != enabled) {
        memory_region_transaction_begin();
        topology_changed(mr);
        mr->enabled = enabled;
        topology_changed(mr);
        memory_region_transaction_commit();
    }
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    if (memory_region_size(mr) != size) {
        g_assert(!mr->ram);
        memory_region_transaction_begin();
        mr->size = size == UINT64_MAX ? int128_2_64() : int128_make64(size);
        topology_changed(mr);
        memory_region_transaction_commit();
    }
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    g_assert(mr->alias);
    if (mr->alias_offset != offset) {
        memory_region_transaction_begin();
        mr->alias_offset = offset;
        topology_changed(mr);
        memory_region_transaction_commit();
    }
}

/* --- containers --- */

/* What the alias @mr stands for is, or is no longer, mapped through it. */
static void count_mapping(const MemoryRegion *mr, int delta)
{
    for (MemoryRegion *target = mr->alias; target; target = target->alias) {
        target->mapped_via_alias += delta;
    }
}

static bool contains(const MemoryRegion *mr, const MemoryRegion *container)
{
    for (; mr; mr = mr->container) {
        if (mr == container) {
            return true;
        }
    }
    return false;
}

/* Among equals the one added last comes first, and so it answers. */
static void insert_by_priority(MemoryRegion *mr, MemoryRegion *subregion)
{
    MemoryRegion *other;

    QTAILQ_FOREACH(other, &mr->subregions, subregions_link) {
        if (other->priority <= subregion->priority) {
            QTAILQ_INSERT_BEFORE(other, subregion, subregions_link);
            return;
        }
    }
    QTAILQ_INSERT_TAIL(&mr->subregions, subregion, subregions_link);
}

static void add_subregion(MemoryRegion *mr, hwaddr offset,
                          MemoryRegion *subregion)
{
    g_assert(!subregion->container);
    g_assert(!contains(mr, subregion));
    memory_region_transaction_begin();
    memory_region_ref_for(subregion, mr);
    subregion->container = mr;
    subregion->addr = offset;
    insert_by_priority(mr, subregion);
    count_mapping(subregion, 1);
    topology_changed(subregion);
    memory_region_transaction_commit();
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *subregion)
{
    subregion->may_overlap = false;
    subregion->priority = 0;
    add_subregion(mr, offset, subregion);
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *subregion, int priority)
{
    subregion->may_overlap = true;
    subregion->priority = priority;
    add_subregion(mr, offset, subregion);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *subregion)
{
    g_assert(subregion->container == mr);
    memory_region_transaction_begin();
    topology_changed(subregion);
    count_mapping(subregion, -1);
    QTAILQ_REMOVE(&mr->subregions, subregion, subregions_link);
    subregion->container = NULL;
    memory_region_unref_for(subregion, mr);
    memory_region_transaction_commit();
}

/* As if it were taken out and added again: the last among its equals. */
void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    MemoryRegion *container = mr->container;

    if (mr->addr == addr) {
        return;
    }
    mr->addr = addr;
    if (container) {
        memory_region_transaction_begin();
        QTAILQ_REMOVE(&container->subregions, mr, subregions_link);
        insert_by_priority(container, mr);
        topology_changed(mr);
        memory_region_transaction_commit();
    }
}

bool memory_region_is_mapped(MemoryRegion *mr)
{
    return mr->container || mr->mapped_via_alias;
}

void memory_region_leave_graph(MemoryRegion *mr)
{
    g_assert(!mr->mapped_via_alias);
    memory_region_transaction_begin();
    while (!QTAILQ_EMPTY(&mr->subregions)) {
        memory_region_del_subregion(mr, QTAILQ_FIRST(&mr->subregions));
    }
    if (mr->container) {
        memory_region_del_subregion(mr->container, mr);
    }
    memory_region_transaction_commit();
}

/* --- address spaces --- */

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    memory_region_ref(root);
    count_mapping(root, 1);
    as->name = g_strdup(name);
    as->root = root;
    as->current_map = view_of(flatview_root(root));
    as->ioeventfd_nb = 0;
    as->ioeventfds = NULL;
    QTAILQ_INIT(&as->listeners);
    QTAILQ_INSERT_TAIL(&address_spaces, as, address_spaces_link);
    address_space_update_ioeventfds(as);
}

void address_space_destroy(AddressSpace *as)
{
    g_assert(QTAILQ_EMPTY(&as->listeners) && !committing);
    QTAILQ_REMOVE(&address_spaces, as, address_spaces_link);
    memory_map_change_begin();
    memory_map_generation_bump();
    memory_map_change_end();
    g_clear_pointer(&as->ioeventfds, g_free);
    g_clear_pointer(&as->name, g_free);
    count_mapping(as->root, -1);
    g_clear_pointer(&as->current_map, flatview_unref);
    g_clear_pointer(&as->root, memory_region_unref);
}

/* --- the machine's two address spaces --- */

AddressSpace address_space_memory;
AddressSpace address_space_io;
static MemoryRegion system_memory;
static MemoryRegion system_io;

/* A port that no device answers reads as all ones; a write is lost. */
static uint64_t unassigned_port_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

static void unassigned_port_write(void *opaque, hwaddr addr, uint64_t data,
                                  unsigned size)
{
}

static const MemoryRegionOps unassigned_port_ops = {
    .read = unassigned_port_read,
    .write = unassigned_port_write,
    .endianness = DEVICE_NATIVE_ENDIAN,
    .valid.unaligned = true,
    .impl.unaligned = true,
};

void memory_map_init(void)
{
    memory_region_init(&system_memory, NULL, "system", UINT64_MAX);
    address_space_init(&address_space_memory, &system_memory, "memory");
    memory_region_init_io(&system_io, NULL, &unassigned_port_ops, NULL, "io",
                          64 * KiB);
    address_space_init(&address_space_io, &system_io, "I/O");
}

MemoryRegion *get_system_memory(void)
{
    return &system_memory;
}

MemoryRegion *get_system_io(void)
{
    return &system_io;
}
