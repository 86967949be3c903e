/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory for a vhost back end: see vhost-memory.h.
 *
 * Two sets tell everything: m->there is the memory that there is, m->table what
 * the back end has. Whatever happens changes the first; then the second is made
 * to follow, at once, or at the end of a change of topology. Offsets that are
 * told are into the region that owns the RAM.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/error-report.h"
#include "vhost-memory.h"
#include "vhost-needs.h"

/* RAM that is followed: all of a section, or what is populated of it. */
struct VhostSection {
    VhostMemory *m;
    MemoryRegion *mr;
    hwaddr gpa;
    uint64_t size;
    ram_addr_t offset;                    /* in the region */
    bool managed;
    RamDiscardListener listener;          /* if managed */
    QLIST_ENTRY(VhostSection) next;
};

/* --- the back end's table --- */

/* What has to change to make @wanted of the table, and its being carried out. */
static bool change_table(VhostMemory *m, GArray *wanted, Error **errp)
{
    g_autoptr(GArray) gone = vhost_regions_new();
    g_autoptr(GArray) come = vhost_regions_new();
    const VhostTableChange change = {
        .gone = gone,
        .come = come,
        .wanted = wanted,
        .both = vhost_table_diff(m->table, wanted, gone, come),
    };

    bool ok;

    if (!gone->len && !come->len) {
        return true;
    }
    ok = m->ops->change_table(m, &change, errp);
    if (ok) {
        g_array_unref(m->table);
        m->table = g_array_ref(wanted);
    }
    m->ops->table_settled(m);
    return ok;
}

/* The table follows what is there; false: *errp, and it is as it was. */
static bool follow(VhostMemory *m, bool whole, Error **errp)
{
    g_autoptr(GArray) wanted = vhost_regions_new();

    if (!m->following) {
        return true;
    }
    if (!vhost_table_plan(m->table, m->there, m->slots, whole, wanted)) {
        error_setg(errp, "it takes %u regions of memory, and guest memory is "
                   "at %u places or more", m->slots, wanted->len);
        return false;
    }
    return change_table(m, wanted, errp);
}

/* The same for what cannot be undone: memory went away. */
static void must_follow(VhostMemory *m)
{
    Error *err = NULL;

    if (follow(m, m->whole, &err)) {
        return;
    }
    m->ops->cut_off(m, err);
    follow(m, m->whole, NULL);
}

const VhostRegion *vhost_memory_find(VhostMemory *m, hwaddr gpa, uint64_t size)
{
    for (int joined = 0; joined < 2; joined++) {
        if (joined && (vhost_regions_within(m->table, gpa, size, NULL) < size ||
                       !follow(m, true, NULL))) {
            return NULL;
        }
        for (guint i = 0; i < m->table->len; i++) {
            const VhostRegion *r = vhost_region_at(m->table, i);

            if (gpa >= r->gpa && gpa - r->gpa < r->size &&
                size <= r->size - (gpa - r->gpa)) {
                return r;
            }
        }
    }
    return NULL;
}

/* --- sections --- */

/* @size bytes at @offset of the section's region. */
static VhostRegion section_run(const VhostSection *s, ram_addr_t offset,
                               uint64_t size)
{
    return (VhostRegion) {
        .gpa = s->gpa + (offset - s->offset),
        .size = size,
        .block = memory_region_ram_block(s->mr),
        .offset = offset,
    };
}

static int vhost_notify_populate(RamDiscardListener *rdl,
                                 const MemoryRegion *mr, ram_addr_t offset,
                                 ram_addr_t size)
{
    VhostSection *s = container_of(rdl, VhostSection, listener);
    VhostMemory *m = s->m;
    VhostRegion run = section_run(s, offset, size);
    Error *err = NULL;

    vhost_regions_add(m->there, &run);
    if (m->in_transaction || follow(m, m->whole, &err)) {
        return 0;
    }
    vhost_regions_remove(m->there, run.gpa, run.size);
    error_prepend(&err, "%s: the back end does not take memory: ", m->name);
    ram_discard_listener_object(rdl, err, NULL);
    return -ENOSPC;
}

/* The memory went first. What a request that was in flight has written there since
 * goes once more, now that nobody has it. */
static void vhost_notify_discard(RamDiscardListener *rdl,
                                 const MemoryRegion *mr, ram_addr_t offset,
                                 ram_addr_t size)
{
    VhostSection *s = container_of(rdl, VhostSection, listener);
    VhostRegion run = section_run(s, offset, size);

    vhost_regions_remove(s->m->there, run.gpa, run.size);
    if (!s->m->in_transaction) {
        must_follow(s->m);
        ram_block_discard_range(run.block, offset, size);
    }
}

/* One change for all that is discarded. */
static void vhost_notify_discard_all(RamDiscardListener *rdl,
                                     const MemoryRegion *mr)
{
    VhostSection *s = container_of(rdl, VhostSection, listener);

    vhost_notify_discard(rdl, mr, s->offset, s->size);
}

static void vhost_get_info(const RamDiscardListener *rdl,
                           RamDiscardListenerInfo *info)
{
    const VhostSection *s = container_of(rdl, VhostSection, listener);
    uint64_t there = vhost_regions_within(s->m->there, s->gpa, s->size, NULL);
    guint count;
    uint64_t all = vhost_regions_within(s->m->table, s->gpa, s->size, &count);

    info->devices = s->m->ids[0] ? s->m->ids : NULL;
    info->mapped = MIN(all, there);
    info->surplus = all - info->mapped;
    info->mappings = count;
    info->mappings_budget = s->m->slots;
}

static bool section_follow(VhostSection *s, Error **errp)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(s->mr);
    VhostRegion run = section_run(s, s->offset, s->size);

    s->managed = rdm != NULL;
    if (!s->managed) {
        vhost_regions_add(s->m->there, &run);
        return true;
    }
    ram_discard_listener_init(&s->listener, vhost_notify_populate,
                              vhost_notify_discard, vhost_notify_discard_all);
    ram_discard_listener_set_range(&s->listener, s->offset, s->size);
    s->listener.by_run = true;            /* one message, whatever its size */
    s->listener.kind = s->m->kind;
    s->listener.get_info = vhost_get_info;
    return ram_discard_mgr_register_listener(rdm, s->mr, &s->listener,
                                             errp) == 0;
}

static void section_leave(VhostSection *s)
{
    if (s->managed) {
        ram_discard_mgr_unregister_listener(
            memory_region_get_ram_discard_mgr(s->mr), s->mr, &s->listener);
    } else {
        vhost_regions_remove(s->m->there, s->gpa, s->size);
    }
}

/* --- topology --- */

static void vhost_begin(MemoryListener *listener)
{
    container_of(listener, VhostMemory, listener)->in_transaction = true;
}

static void vhost_region_add(MemoryListener *listener,
                             MemoryRegionSection *section)
{
    VhostMemory *m = container_of(listener, VhostMemory, listener);
    VhostSection *s;
    Error *err = NULL;

    if (!vhost_wants_section(section)) {
        return;
    }
    s = g_new0(VhostSection, 1);
    s->m = m;
    s->mr = section->mr;
    s->gpa = section->offset_within_address_space;
    s->offset = section->offset_within_region;
    s->size = int128_get64(section->size);
    if (m->ops->accepts(m, memory_region_ram_block(s->mr), &err) &&
        section_follow(s, &err)) {
        QLIST_INSERT_HEAD(&m->sections, s, next);
        return;
    }
    g_free(s);
    if (m->error) {
        error_free(err);
    } else {
        m->error = err;
    }
}

static void vhost_region_del(MemoryListener *listener,
                             MemoryRegionSection *section)
{
    VhostMemory *m = container_of(listener, VhostMemory, listener);
    VhostSection *s;

    QLIST_FOREACH(s, &m->sections, next) {
        if (s->mr == section->mr &&
            s->gpa == section->offset_within_address_space) {
            section_leave(s);
            QLIST_REMOVE(s, next);
            g_free(s);
            return;
        }
    }
}

/* Whether the back end could still use memory that is there no more. */
static bool reaches_too_much(const VhostMemory *m)
{
    for (guint i = 0; i < m->table->len; i++) {
        const VhostRegion *r = vhost_region_at(m->table, i);

        if (vhost_regions_within(m->there, r->gpa, r->size, NULL) < r->size) {
            return true;
        }
    }
    return false;
}

/* Nobody can be told no: what the back end does not take it does not have. */
static void vhost_commit(MemoryListener *listener)
{
    VhostMemory *m = container_of(listener, VhostMemory, listener);
    Error *err = NULL;

    m->in_transaction = false;
    if (!follow(m, m->whole, &err)) {
        if (reaches_too_much(m)) {
            must_follow(m);
        }
        error_propagate(m->error ? NULL : &m->error, err);
    }
    if (m->error && m->following) {
        warn_report_counted(&m->failures, "%s: the device cannot use all of "
                            "guest memory: %s", m->name,
                            error_get_pretty(m->error));
        error_free(m->error);
        m->error = NULL;
    }
}

/* A managed region is to come, which may need a slot more. */
static bool vhost_check_region(RamDiscardConsumer *consumer, MemoryRegion *mr,
                               uint64_t granularity, Error **errp)
{
    VhostMemory *m = container_of(consumer, VhostMemory, consumer);
    VhostSection *s;
    guint nr = 1;

    QLIST_FOREACH(s, &m->sections, next) {
        nr += s->mr != mr;
    }
    if (nr > m->slots) {
        error_setg(errp, "%s: the back end takes %u regions of memory, of "
                   "which none is left", m->name, m->slots);
        return false;
    }
    if (!m->ops->accepts(m, memory_region_ram_block(mr), errp)) {
        error_prepend(errp, "%s: ", m->name);
        return false;
    }
    return true;
}

/* At worst every second block of a region is plugged, in a slot of its own. */
static void vhost_get_needs(MemoryConsumer *consumer, MemoryNeeds *needs)
{
    VhostMemory *m = container_of(consumer, VhostMemory, needs);
    VhostSection *s;

    needs->kind = m->kind;
    needs->slots = m->table->len;
    needs->slots_limit = m->slots;
    QLIST_FOREACH(s, &m->sections, next) {
        needs->slots_max += vhost_slots_max(s->mr, s->size);
    }
}

/* --- life --- */

static void free_sets(VhostMemory *m)
{
    g_clear_pointer(&m->there, g_array_unref);
    g_clear_pointer(&m->table, g_array_unref);
}

bool vhost_memory_init(VhostMemory *m, const VhostMemoryOps *ops,
                       const char *name, const char *kind, AddressSpace *as,
                       guint slots, bool whole, Error **errp)
{
    *m = (VhostMemory) {
        .ops = ops,
        .name = name,
        .kind = kind,
        .slots = slots,
        .whole = whole,
        .there = vhost_regions_new(),
        .table = vhost_regions_new(),
        .listener = {
            .begin = vhost_begin,
            .commit = vhost_commit,
            .region_add = vhost_region_add,
            .region_del = vhost_region_del,
        },
        .consumer.check_region = vhost_check_region,
        .needs.get_needs = vhost_get_needs,
    };
    QLIST_INIT(&m->sections);
    memory_listener_register(&m->listener, as);
    if (m->error || !vhost_memory_replay(m, slots, whole, &m->error)) {
        memory_listener_unregister(&m->listener);
        error_propagate(errp, m->error);
        free_sets(m);
        return false;
    }
    ram_discard_consumer_register(&m->consumer);
    memory_consumer_register(&m->needs);
    return true;
}

void vhost_memory_destroy(VhostMemory *m)
{
    m->following = false;
    memory_consumer_unregister(&m->needs);
    ram_discard_consumer_unregister(&m->consumer);
    memory_listener_unregister(&m->listener);
    free_sets(m);
}

void vhost_memory_lost(VhostMemory *m)
{
    m->following = false;
    g_array_set_size(m->table, 0);
}

bool vhost_memory_replay(VhostMemory *m, guint slots, bool whole,
                         Error **errp)
{
    vhost_memory_lost(m);
    m->slots = slots;
    m->whole = whole;
    m->following = true;
    if (!follow(m, true, errp)) {
        vhost_memory_lost(m);
        return false;
    }
    return true;
}
