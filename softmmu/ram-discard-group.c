/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several managers on one RAM region: populated is what all of them say is.
 *
 * A region with more than one manager, or with one that was added to it rather
 * than set, has a group: an object that implements the interface and has a
 * RamDiscardState of its own, with the smallest of the members' block sizes,
 * whose listeners are the region's. It is the one listener of each member: what
 * a member populates or discards is passed on as far as all the others have it
 * populated. A region with a single manager never comes here.
 *
 * The group must never change its block size under a listener that holds
 * something: mappings are given back as they were made, and a moment without
 * them is the end of a device's transfer.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "ram-discard-bitmap.h"
#include "ram-discard-internal.h"

#define TYPE_RAM_DISCARD_GROUP "qemu:ram-discard-group"
OBJECT_DECLARE_SIMPLE_TYPE(RamDiscardGroup, RAM_DISCARD_GROUP)

typedef struct GroupMember {
    RamDiscardListener rdl;               /* of state */
    RamDiscardGroup *group;
    RamDiscardMgr *rdm;
    RamDiscardState *state;               /* rdm's */
    QTAILQ_ENTRY(GroupMember) next;
} GroupMember;

struct RamDiscardGroup {
    Object parent_obj;

    RamDiscardState state;                /* what all members agree on */
    RamDiscardMgr *first;                 /* that was set; NULL: none */
    QTAILQ_HEAD(GroupMembers, GroupMember) members;
    /* The change in progress: */
    GroupMember *changing;                /* the member that makes it, or ... */
    GroupMember *moving;                  /* ... that comes or goes */
};

/* --- what changes --- */

/* Whether @s has @offset populated; *end: up to where that is so. */
static bool extent_at(const RamDiscardState *s, uint64_t offset, uint64_t *end)
{
    uint64_t block = offset / s->granularity;
    uint64_t discarded = next_discarded(s, block);
    bool populated = discarded > block;

    *end = (populated ? discarded : next_populated(s, block)) * s->granularity;
    return populated;
}

/*
 * Whether a change takes effect at @offset; *end: up to where that is so. It
 * does where the others are populated, and, if a member comes or goes, where it
 * is discarded itself.
 */
static bool takes_effect(const RamDiscardGroup *group, uint64_t offset,
                         uint64_t *end)
{
    const GroupMember *member;

    *end = memory_region_size(group->state.mr);
    QTAILQ_FOREACH(member, &group->members, next) {
        bool wanted = member != group->moving;
        uint64_t until;

        if (member == group->changing) {
            continue;
        }
        if (extent_at(member->state, offset, &until) != wanted) {
            *end = until;
            return false;
        }
        *end = MIN(*end, until);
    }
    return true;
}

static bool group_next_change(void *opaque, uint64_t *offset, uint64_t *size)
{
    const RamDiscardGroup *group = opaque;
    uint64_t total = memory_region_size(group->state.mr);

    while (*offset < total) {
        uint64_t end;

        if (takes_effect(group, *offset, &end)) {
            *size = end - *offset;
            return true;
        }
        *offset = end;
    }
    return false;
}

/* The memory is the members' to give back, and they have done so. */
static int group_discard_memory(void *opaque, uint64_t offset, uint64_t size)
{
    return 0;
}

/* --- the block size --- */

static uint64_t smallest_blocks(const RamDiscardGroup *group,
                                const GroupMember *except)
{
    const GroupMember *member;
    uint64_t smallest = 0;

    QTAILQ_FOREACH(member, &group->members, next) {
        uint64_t granularity = member->state->granularity;

        if (member != except && (!smallest || granularity < smallest)) {
            smallest = granularity;
        }
    }
    return smallest;
}

static bool is_held(const RamDiscardState *s)
{
    return s->populated && !QTAILQ_EMPTY(&s->listeners);
}

/* Looks at all members anew, if nobody holds anything; if somebody does, each
 * change was told. */
static void refresh(RamDiscardGroup *group)
{
    if (!QTAILQ_EMPTY(&group->members) && !is_held(&group->state)) {
        ram_discard_state_rebuild(&group->state, smallest_blocks(group, NULL));
    }
}

/* Goes over to the smallest blocks of all but @except, if nobody holds any. */
static void settle(RamDiscardGroup *group, const GroupMember *except)
{
    uint64_t smallest = smallest_blocks(group, except);

    if (smallest && smallest != group->state.granularity &&
        !is_held(&group->state)) {
        ram_discard_state_rebuild(&group->state, smallest);
    }
}

/* --- what members tell --- */

static GroupMember *member_of(RamDiscardListener *rdl)
{
    return container_of(rdl, GroupMember, rdl);
}

static int member_populate(RamDiscardListener *rdl, const MemoryRegion *mr,
                           ram_addr_t offset, ram_addr_t size)
{
    GroupMember *member = member_of(rdl);
    RamDiscardGroup *group = member->group;
    int ret;

    settle(group, NULL);
    group->changing = member;
    ret = ram_discard_state_populate(&group->state, offset, size);
    group->changing = NULL;
    if (ret) {
        /* For the member to remember who it was, and why. */
        rdl->kind = group->state.refusal.kind;
        ram_discard_listener_object(rdl, group->state.refusal.reason);
    }
    return ret;
}

static void member_discard(RamDiscardListener *rdl, const MemoryRegion *mr,
                           ram_addr_t offset, ram_addr_t size)
{
    GroupMember *member = member_of(rdl);

    member->group->changing = member;
    ram_discard_state_discard(&member->group->state, offset, size);
    member->group->changing = NULL;
}

/* Where one member has nothing left, there is nothing left to agree on. */
static void member_discard_all(RamDiscardListener *rdl, const MemoryRegion *mr)
{
    ram_discard_state_discard_all(&member_of(rdl)->group->state);
}

/* --- membership --- */

static RamDiscardGroup *group_of(const MemoryRegion *mr)
{
    return (RamDiscardGroup *)object_dynamic_cast((Object *)mr->rdm,
                                                  TYPE_RAM_DISCARD_GROUP);
}

bool ram_discard_group_exists(const MemoryRegion *mr)
{
    return group_of(mr);
}

static GroupMember *find_member(RamDiscardGroup *group,
                                const RamDiscardMgr *rdm)
{
    GroupMember *member;

    QTAILQ_FOREACH(member, &group->members, next) {
        if (member->rdm == rdm) {
            return member;
        }
    }
    g_assert_not_reached();
}

/* Nobody is told. The caller sees to what listeners of the group hold. */
static GroupMember *join(RamDiscardGroup *group, RamDiscardMgr *rdm)
{
    GroupMember *member = g_new0(GroupMember, 1);

    member->group = group;
    member->rdm = rdm;
    member->state = ram_discard_mgr_get_state(rdm, group->state.mr);
    g_assert(member->state && member->state->mr == group->state.mr &&
             !member->state->walk && QTAILQ_EMPTY(&member->state->listeners));
    ram_discard_listener_init(&member->rdl, member_populate, member_discard,
                              member_discard_all);
    QTAILQ_INSERT_TAIL(&member->state->listeners, &member->rdl, next);
    QTAILQ_INSERT_TAIL(&group->members, member, next);
    return member;
}

static void leave(RamDiscardGroup *group, GroupMember *member)
{
    QTAILQ_REMOVE(&member->state->listeners, &member->rdl, next);
    QTAILQ_REMOVE(&group->members, member, next);
    g_free(member->rdl.objection);
    g_free(member);
}

static RamDiscardGroup *group_new(MemoryRegion *mr, uint64_t granularity)
{
    RamDiscardGroup *group =
        RAM_DISCARD_GROUP(object_new(TYPE_RAM_DISCARD_GROUP));

    ram_discard_state_init(&group->state, mr, granularity,
                           group_discard_memory, group);
    group->state.next_change = group_next_change;
    QTAILQ_INIT(&group->members);
    return group;
}

/* The group of @mr; if it has none, with the manager that it has. */
static RamDiscardGroup *get_group(MemoryRegion *mr, uint64_t granularity)
{
    RamDiscardGroup *group = group_of(mr);
    RamDiscardMgr *first = mr->rdm;

    if (group) {
        return group;
    }
    if (first) {
        RamDiscardState *state = ram_discard_mgr_get_state(first, mr);

        group = group_new(mr, state->granularity);
        ram_discard_state_move_listeners(state, &group->state);
        join(group, first);
        ram_discard_state_rebuild(&group->state, state->granularity);
    } else {
        group = group_new(mr, granularity);
    }
    group->first = first;
    mr->rdm = RAM_DISCARD_MGR(group);
    return group;
}

/* Ends the group if who is left needs none, and sees it no differently. */
static void dissolve_if_alone(MemoryRegion *mr, RamDiscardGroup *group)
{
    GroupMember *member = QTAILQ_FIRST(&group->members);

    if (member) {
        RamDiscardState *state = member->state;

        if (QTAILQ_NEXT(member, next) || member->rdm != group->first ||
            state->granularity != group->state.granularity) {
            return;
        }
        leave(group, member);
        ram_discard_state_move_listeners(&group->state, state);
    }
    mr->rdm = group->first;
    ram_discard_state_destroy(&group->state);
    object_unref(OBJECT(group));
}

/* --- the first manager --- */

static void clear_first(MemoryRegion *mr, RamDiscardGroup *group)
{
    if (group->first) {
        leave(group, find_member(group, group->first));
        group->first = NULL;
    }
    refresh(group);
    dissolve_if_alone(mr, group);
}

void ram_discard_group_set_first(MemoryRegion *mr, RamDiscardMgr *rdm)
{
    RamDiscardGroup *group = group_of(mr);

    g_assert(QTAILQ_EMPTY(&group->state.listeners));
    if (!rdm) {
        clear_first(mr, group);
        return;
    }
    g_assert(!group->first);
    join(group, rdm);
    group->first = rdm;
    refresh(group);
}

/* --- further managers --- */

static char *path_of(const RamDiscardMgr *rdm)
{
    return object_get_canonical_path(OBJECT(rdm));
}

/* "vfio, mem-lock": who listens. */
static char *kinds_of(const RamDiscardState *s)
{
    g_autoptr(GPtrArray) kinds = g_ptr_array_new();
    const RamDiscardListener *rdl;

    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        const char *kind = rdl->kind ? rdl->kind : "a consumer";

        if (!g_ptr_array_find_with_equal_func(kinds, kind, g_str_equal, NULL)) {
            g_ptr_array_add(kinds, (gpointer)kind);
        }
    }
    g_ptr_array_add(kinds, NULL);
    return g_strjoinv(", ", (char **)kinds->pdata);
}

/* Whether listeners could follow @granularity, smaller than what they have. */
static bool may_get_smaller(const MemoryRegion *mr, const RamDiscardState *s,
                            uint64_t granularity, Error **errp)
{
    g_autofree char *kinds = NULL;

    if (!is_held(s)) {
        return ram_discard_consumers_check(mr, granularity, errp);
    }
    kinds = kinds_of(s);
    error_setg(errp, "memory region '%s' is in use by %s in blocks of %" PRIu64
               " bytes, which another manager cannot split into blocks of %"
               PRIu64 ": use granularity=%" PRIu64 ", or add it while nothing "
               "is plugged", memory_region_name(mr), kinds, s->granularity,
               granularity, s->granularity);
    return false;
}

static bool may_add(MemoryRegion *mr, uint64_t granularity, Error **errp)
{
    const RamDiscardState *s;

    if (!mr->rdm) {
        if (memory_region_is_mapped(mr)) {
            error_setg(errp, "memory region '%s' is in use as a whole: a "
                       "manager can be added before that, or beside a device "
                       "that manages it (virtio-mem)", memory_region_name(mr));
            return false;
        }
        return ram_discard_consumers_check(mr, granularity, errp);
    }
    s = ram_discard_mgr_get_state(mr->rdm, mr);
    if (!s) {
        error_setg(errp, "the manager of memory region '%s' does not share it",
                   memory_region_name(mr));
        return false;
    }
    g_assert(!s->walk);
    return granularity >= s->granularity ||
           may_get_smaller(mr, s, granularity, errp);
}

/* Who comes changes what listeners hold, or nobody holds anything. */
static void join_and_tell(RamDiscardGroup *group, RamDiscardMgr *rdm)
{
    bool held = is_held(&group->state);
    GroupMember *member = join(group, rdm);

    if (held) {
        group->moving = member;
        ram_discard_state_discard(&group->state, 0,
                                  memory_region_size(group->state.mr));
        group->moving = NULL;
    } else {
        memory_map_generation_bump();
    }
    refresh(group);
}

bool memory_region_add_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp)
{
    uint64_t granularity = ram_discard_mgr_get_state(rdm, mr)->granularity;

    g_assert(memory_region_is_ram(mr));
    if (!may_add(mr, granularity, errp)) {
        return false;
    }
    object_ref(OBJECT(rdm));
    join_and_tell(get_group(mr, granularity), rdm);
    return true;
}

/* Asks listeners for what @member alone kept discarded. */
static bool populate_without(RamDiscardGroup *group, GroupMember *member,
                             Error **errp)
{
    const RamDiscardRefusal *refusal = &group->state.refusal;
    const MemoryRegion *mr = group->state.mr;
    g_autofree char *path = path_of(member->rdm);
    int ret;

    if (QTAILQ_EMPTY(&group->state.listeners)) {
        return true;
    }
    settle(group, member);
    group->moving = member;
    ret = ram_discard_state_populate(&group->state, 0, memory_region_size(mr));
    group->moving = NULL;
    if (ret) {
        settle(group, NULL);
        error_setg(errp, "manager '%s' of memory region '%s' has to stay: what "
                   "only it keeps discarded is refused by %s: %s", path,
                   memory_region_name(mr),
                   refusal->kind ? refusal->kind : "a consumer",
                   refusal->reason ? refusal->reason : strerror(-ret));
    }
    return !ret;
}

bool memory_region_del_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp)
{
    RamDiscardGroup *group = group_of(mr);
    GroupMember *member = find_member(group, rdm);

    g_assert(rdm != group->first && !group->state.walk);
    if (!QTAILQ_NEXT(QTAILQ_FIRST(&group->members), next)) {
        g_autofree char *path = path_of(rdm);

        if (memory_region_is_mapped(mr) ||
            !QTAILQ_EMPTY(&group->state.listeners)) {
            error_setg(errp, "manager '%s' is the only one of memory region "
                       "'%s', which is in use", path, memory_region_name(mr));
            return false;
        }
    } else if (!populate_without(group, member, errp)) {
        return false;
    }
    leave(group, member);
    refresh(group);
    dissolve_if_alone(mr, group);
    object_unref(OBJECT(rdm));
    return true;
}

bool memory_region_check_sole_ram_discard_mgr(const MemoryRegion *mr,
                                              const RamDiscardMgr *rdm,
                                              Error **errp)
{
    RamDiscardGroup *group = group_of(mr);
    GroupMember *member;

    if (!group) {
        return true;
    }
    QTAILQ_FOREACH(member, &group->members, next) {
        if (member->rdm != rdm) {
            g_autofree char *path = path_of(member->rdm);

            error_setg(errp, "memory region '%s' has another manager, '%s', "
                       "which has to go first", memory_region_name(mr), path);
            return false;
        }
    }
    return true;
}

void memory_region_foreach_ram_discard_mgr(const MemoryRegion *mr,
                                           void (*fn)(RamDiscardMgr *rdm,
                                                      void *opaque),
                                           void *opaque)
{
    RamDiscardGroup *group = group_of(mr);
    GroupMember *member;

    if (!group) {
        fn(mr->rdm, opaque);
        return;
    }
    QTAILQ_FOREACH(member, &group->members, next) {
        fn(member->rdm, opaque);
    }
}

/* --- the interface --- */

static RamDiscardState *group_get_state(const RamDiscardMgr *rdm,
                                        const MemoryRegion *mr)
{
    RamDiscardGroup *group = RAM_DISCARD_GROUP(rdm);

    g_assert(group->state.mr == mr);
    return &group->state;
}

static void ram_discard_group_class_init(ObjectClass *klass, void *data)
{
    ram_discard_mgr_class_use_state(RAM_DISCARD_MGR_CLASS(klass),
                                    group_get_state);
}

static const TypeInfo ram_discard_group_info = {
    .name = TYPE_RAM_DISCARD_GROUP,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(RamDiscardGroup),
    .class_init = ram_discard_group_class_init,
    .interfaces = (InterfaceInfo[]) {
        { TYPE_RAM_DISCARD_MGR },
        { }
    },
};

static void ram_discard_group_register_types(void)
{
    type_register_static(&ram_discard_group_info);
}
type_init(ram_discard_group_register_types)
