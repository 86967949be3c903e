/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locking guest RAM (sysemu/mem-lock.h): a consumer of RamDiscardMgr with a
 * MemoryListener for the sections of an address space and, for each managed
 * one, a RamDiscardListener. vl.c makes the one that -overcommit asks for.
 *
 * Locks of one page do not add up: what one section unlocks is locked again if
 * another section shows it, too. It must never lock what is discarded: that
 * would allocate it.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/sandbox-need.h"
#include "mem-lock.h"

/* In messages, to people. */
static const char mem_lock_name[] = "mem-lock";

/* The whole host pages of a section; offsets into its region. */
typedef struct LockedSection {
    RamDiscardListener listener;
    MemLock *ml;
    MemoryRegion *mr;
    uint64_t first;
    uint64_t end;
    hwaddr address;                       /* of the section, to find it by */
    uint64_t populated;                   /* bytes; if managed */
    bool leaving;                         /* its region's memory is not */
    QLIST_ENTRY(LockedSection) next;
} LockedSection;

struct MemLock {
    MemoryListener listener;
    MemoryConsumer consumer;
    QLIST_HEAD(, LockedSection) sections;
    /* While the first sections are told: what they take, and what failed. */
    bool live;
    uint64_t needed;                      /* bytes */
    int error;                            /* -errno */
    bool unlock_failed;                   /* and said so */
};

/* --- locking --- */

static uint8_t *host_address(const LockedSection *s, uint64_t offset)
{
    return (uint8_t *)memory_region_get_ram_ptr(s->mr) + offset;
}

/* All or nothing: a failed mlock() may have locked a part. */
static int lock_run(LockedSection *s, uint64_t first, uint64_t end)
{
    uint8_t *host = host_address(s, first);
    int err;

    if (mlock(host, end - first)) {
        err = errno;
        munlock(host, end - first);
        return -err;
    }
    return 0;
}

/* At the start a failure is noted, and all else that is needed is added up. */
static int lock_or_note(LockedSection *s, uint64_t first, uint64_t end)
{
    MemLock *ml = s->ml;

    if (ml->live) {
        return lock_run(s, first, end);
    }
    ml->needed += end - first;
    if (!ml->error) {
        ml->error = lock_run(s, first, end);
    }
    return 0;
}

/* Locks again what other sections show of a run that @s has unlocked. */
static void lock_for_others(LockedSection *s, uint64_t first, uint64_t end)
{
    LockedSection *other;

    QLIST_FOREACH(other, &s->ml->sections, next) {
        uint64_t from = MAX(first, other->first), to = MIN(end, other->end);

        if (other != s && other->mr == s->mr && from < to) {
            lock_run(other, from, to);
        }
    }
}

static void unlock_run(LockedSection *s, uint64_t first, uint64_t end)
{
    /* Splitting a mapping can exceed the number that a process may have. */
    if (munlock(host_address(s, first), end - first) &&
        !s->ml->unlock_failed) {
        s->ml->unlock_failed = true;
        warn_report("mem-lock: memory region '%s': cannot unlock %" PRIu64
                    " bytes: %s", memory_region_name(s->mr), end - first,
                    strerror(errno));
    }
    if (s->leaving) {
        lock_for_others(s, first, end);
    }
}

/* --- what is told to people --- */

static void set_limit_error(Error **errp, int err, uint64_t needed)
{
    g_autofree char *allowed = g_strdup("any number of");
    struct rlimit limit;

    if (!getrlimit(RLIMIT_MEMLOCK, &limit) &&
        limit.rlim_cur != RLIM_INFINITY) {
        g_free(allowed);
        allowed = g_strdup_printf("%" PRIu64, (uint64_t)limit.rlim_cur);
    }
    error_setg_errno(errp, err, "cannot lock guest memory: %" PRIu64 " bytes "
                     "are needed, RLIMIT_MEMLOCK allows %s bytes in all "
                     "(ulimit -l, prlimit --memlock, LimitMEMLOCK= of a "
                     "service)", needed, allowed);
}

/* --- managed sections --- */

static int mem_lock_populate(RamDiscardListener *rdl, const MemoryRegion *mr,
                             ram_addr_t offset, ram_addr_t size)
{
    LockedSection *s = container_of(rdl, LockedSection, listener);
    int ret = lock_or_note(s, offset, offset + size);
    Error *err = NULL;

    if (ret) {
        set_limit_error(&err, -ret, size);
        ram_discard_listener_object(rdl, err, NULL);
    } else {
        s->populated += size;
    }
    return ret;
}

static void mem_lock_discard(RamDiscardListener *rdl, const MemoryRegion *mr,
                             ram_addr_t offset, ram_addr_t size)
{
    LockedSection *s = container_of(rdl, LockedSection, listener);

    unlock_run(s, offset, offset + size);
    s->populated -= size;
}

static void mem_lock_get_info(const RamDiscardListener *rdl,
                              RamDiscardListenerInfo *info)
{
    info->mapped = container_of(rdl, LockedSection, listener)->populated;
}

/* --- sections --- */

static bool is_lockable(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) &&
           !memory_region_is_rom(section->mr) &&
           !memory_region_is_ram_device(section->mr);
}

static int add_managed(LockedSection *s, Error **errp)
{
    ram_discard_listener_init(&s->listener, mem_lock_populate,
                              mem_lock_discard, NULL);
    ram_discard_listener_set_range(&s->listener, s->first, s->end - s->first);
    s->listener.kind = mem_lock_name;
    s->listener.get_info = mem_lock_get_info;
    return ram_discard_mgr_register_listener(
        memory_region_get_ram_discard_mgr(s->mr), s->mr, &s->listener,
        errp);
}

static int add_plain(LockedSection *s, Error **errp)
{
    int ret = lock_or_note(s, s->first, s->end);

    if (ret) {
        set_limit_error(errp, -ret, s->end - s->first);
    }
    return ret;
}

static void mem_lock_region_add(MemoryListener *listener,
                                MemoryRegionSection *section)
{
    MemLock *ml = container_of(listener, MemLock, listener);
    uint64_t page = qemu_real_host_page_size();
    LockedSection *s;
    Error *err = NULL;

    if (!is_lockable(section)) {
        return;
    }
    s = g_new0(LockedSection, 1);
    s->ml = ml;
    s->mr = section->mr;
    s->address = section->offset_within_address_space;
    s->first = QEMU_ALIGN_UP(section->offset_within_region, page);
    s->end = QEMU_ALIGN_DOWN(section->offset_within_region +
                             int128_get64(section->size), page);
    if (s->first >= s->end) {
        g_free(s);                        /* not even a page */
        return;
    }
    if (memory_region_has_ram_discard_mgr(s->mr) ? add_managed(s, &err)
                                                 : add_plain(s, &err)) {
        error_prepend(&err, "mem-lock: memory region '%s' stays unlocked: ",
                      memory_region_name(s->mr));
        warn_report_err(err);
        g_free(s);
        return;
    }
    QLIST_INSERT_HEAD(&ml->sections, s, next);
}

static void remove_section(LockedSection *s)
{
    s->leaving = true;
    if (memory_region_has_ram_discard_mgr(s->mr)) {
        ram_discard_mgr_unregister_listener(
            memory_region_get_ram_discard_mgr(s->mr), s->mr, &s->listener);
    } else {
        unlock_run(s, s->first, s->end);
    }
    QLIST_REMOVE(s, next);
    g_free(s);
}

static void mem_lock_region_del(MemoryListener *listener,
                                MemoryRegionSection *section)
{
    MemLock *ml = container_of(listener, MemLock, listener);
    LockedSection *s;

    QLIST_FOREACH(s, &ml->sections, next) {
        if (s->mr == section->mr &&
            s->address == section->offset_within_address_space) {
            remove_section(s);
            return;
        }
    }
}

/* --- what it needs --- */

static void mem_lock_get_needs(MemoryConsumer *consumer, MemoryNeeds *needs)
{
    MemLock *ml = container_of(consumer, MemLock, consumer);
    const LockedSection *s;

    needs->kind = mem_lock_name;
    QLIST_FOREACH(s, &ml->sections, next) {
        uint64_t size = s->end - s->first;

        needs->locked += memory_region_has_ram_discard_mgr(s->mr)
                         ? s->populated : size;
        needs->locked_max += size;
    }
}

static int mem_lock_add_needs(const MemoryRegionSection *section, void *opaque)
{
    MemoryNeeds *needs = opaque;
    uint64_t size = int128_get64(section->size);

    if (is_lockable(section)) {
        needs->locked += memory_region_has_ram_discard_mgr(section->mr)
                         ? 0 : size;
        needs->locked_max += size;
    }
    return 0;
}

void mem_lock_forecast(AddressSpace *as, MemoryNeeds *needs)
{
    *needs = (MemoryNeeds) { .kind = mem_lock_name };
    address_space_foreach_section(as, mem_lock_add_needs, needs);
}

/* --- life --- */

MemLock *mem_lock_new(AddressSpace *as, Error **errp)
{
    MemLock *ml;

    if (!ram_block_discard_add_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                    mem_lock_name, errp)) {
        return NULL;
    }
    sandbox_need(SANDBOX_LOCK);
    sandbox_need(SANDBOX_MEM_LOCK);
    ml = g_new0(MemLock, 1);
    ml->listener.region_add = mem_lock_region_add;
    ml->listener.region_del = mem_lock_region_del;
    QLIST_INIT(&ml->sections);
    memory_listener_register(&ml->listener, as);
    if (ml->error) {
        set_limit_error(errp, -ml->error, ml->needed);
        mem_lock_free(ml);
        return NULL;
    }
    ml->live = true;
    ml->consumer.get_needs = mem_lock_get_needs;
    memory_consumer_register(&ml->consumer);
    return ml;
}

void mem_lock_free(MemLock *ml)
{
    if (ml->live) {
        memory_consumer_unregister(&ml->consumer);
    }
    memory_listener_unregister(&ml->listener);
    g_assert(QLIST_EMPTY(&ml->sections));
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                  mem_lock_name);
    g_free(ml);
}
