/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: regions, address spaces, flat views, listeners, and the
 * agreement on which parts of a RAM region are really there (RamDiscardMgr).
 *
 * A MemoryRegion is a node of an acyclic graph: a container, RAM, MMIO or an
 * alias of a part of another region. An AddressSpace looks at one root region;
 * rendering it gives a flat view: sorted, non-overlapping ranges, each naming
 * the region and offset that answers there. A MemoryListener is told, by
 * differences, how the flat view of an address space changes.
 *
 * This header knows no device, no KVM and no VFIO. Names and signatures are
 * those of a QEMU 5.2 tree. Unless said otherwise, all is called with the big
 * lock held, and sizes and offsets are bytes.
 */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include "exec/hwaddr.h"
#include "exec/memattrs.h"
#include "qemu/int128.h"
#include "qemu/queue.h"
#include "qom/object.h"

#define TYPE_MEMORY_REGION "qemu:memory-region"
DECLARE_INSTANCE_CHECKER(MemoryRegion, MEMORY_REGION, TYPE_MEMORY_REGION)

#define TYPE_RAM_DISCARD_MGR "qemu:ram-discard-mgr"
typedef struct RamDiscardMgrClass RamDiscardMgrClass;
typedef struct RamDiscardState RamDiscardState;
typedef struct RamDiscardBlocks RamDiscardBlocks;
DECLARE_OBJ_CHECKERS(RamDiscardMgr, RamDiscardMgrClass, RAM_DISCARD_MGR,
                     TYPE_RAM_DISCARD_MGR)

/* --- RamDiscardMgr ------------------------------------------------------ */

/*
 * A RAM region may be sparse: a device (the manager, e.g. virtio-mem) decides
 * which parts are populated, that is backed by memory and used by the guest,
 * and which are discarded, that is given back to the host. Whoever pins, maps
 * or saves guest RAM must touch only the populated parts and follow their
 * changes. The manager is a QOM object that implements TYPE_RAM_DISCARD_MGR;
 * memory_region_get_ram_discard_mgr() finds it. A consumer registers a
 * RamDiscardListener with it. Several managers may share a region: what they
 * all say is populated, is, and any of them speaks for all.
 *
 * What holds (the laws; everything else refers to them by their numbers):
 *  L1 outside a notification, what a registered listener was told equals what
 *     is populated;
 *  L2 before a range becomes populated every listener is asked, in the order of
 *     registration; if one objects (it has undone its own work by then), those
 *     already asked are told the discard of the same range, last one first,
 *     and nothing has changed: the guest gets an answer on which it can try
 *     again;
 *  L3 the memory is discarded first, then all listeners are told; if the
 *     discard fails, nobody is told and nothing has changed; once it is gone
 *     the range does not count as populated, for those being told neither;
 *  L4 notifications are aligned to, and multiples of, the minimum granularity
 *     (but for L7); a run is told once, never block by block: the consumer
 *     splits it as its own unmapping demands;
 *  L5 registering replays each maximal populated run in ascending order; if
 *     the listener objects, what it was told is taken back, it is not
 *     registered, and the error, with its reason, reaches the caller;
 *  L6 a manager is set only on an unmapped RAM region where none was set, and
 *     cleared only on an unmapped one without listeners; further ones come and
 *     go at any time outside notifications, and listeners are told just what
 *     becomes discarded or populated by that;
 *  L7 offsets are into the MemoryRegion that owns the RAM, never into a
 *     section or an alias of it; a listener that follows a part of the region
 *     is told of that part only;
 *  L8 a listener may come, or leave, during a notification of another one: who
 *     leaves is told the discard of exactly what it holds at that moment;
 *  L9 what is pinned (exec/memory-pin.h), because somebody who cannot be stopped
 *     at once reads or writes it, is not discarded: that fails with -EBUSY
 *     before anything is done, and the guest can try again.
 *
 * With several managers the range of a change may have holes, where another one
 * says discarded: then each listener in turn is told the runs in between, in
 * ascending order, and one that objects to a later run is the first to be told
 * the discard of its earlier ones.
 */

/*
 * @offset .. @offset + @size of @mr is about to be populated. Returns 0, or
 * -errno to object, having undone whatever it had done for this range, and
 * having said why by ram_discard_listener_object().
 */
typedef int (*NotifyRamPopulate)(RamDiscardListener *rdl,
                                 const MemoryRegion *mr,
                                 ram_addr_t offset, ram_addr_t size);
/*
 * @offset .. @offset + @size of @mr is no longer populated, or, after a
 * populate that another listener objected to, will not be. It may span several
 * ranges told before, but never cuts a granule. Must not fail.
 */
typedef void (*NotifyRamDiscard)(RamDiscardListener *rdl,
                                 const MemoryRegion *mr,
                                 ram_addr_t offset, ram_addr_t size);
/* All of @mr is discarded; optional, else a NotifyRamDiscard per run. */
typedef void (*NotifyRamDiscardAll)(RamDiscardListener *rdl,
                                    const MemoryRegion *mr);

/* How often something took how long: counts[n] less than 2^n us, and not less
 * than half of that; the last: however long. */
#define RAM_DISCARD_TIMES 26
typedef struct RamDiscardTimes {
    uint64_t counts[RAM_DISCARD_TIMES];
} RamDiscardTimes;

/* Adds what began at @start, g_get_monotonic_time(); returns when it ended. */
int64_t ram_discard_times_add(RamDiscardTimes *times, int64_t start);

/* What a consumer tells of one of its registrations, for people to read. */
typedef struct RamDiscardListenerInfo {
    const char *const *devices;           /* for which it does it: ids, then NULL;
                                             the listener's. NULL: for none */
    uint64_t mapped;                      /* bytes it holds now */
    uint64_t mappings;                    /* in which it holds them */
    uint64_t mappings_budget;             /* limit that it shares; 0: none */
    uint64_t surplus;                     /* discarded bytes that it reaches */
    const RamDiscardTimes *map_times;     /* of a mapping; NULL: not measured */
    const RamDiscardTimes *unmap_times;   /* the same */
} RamDiscardListenerInfo;

/* Fills in @info, which is all 0. Changes nothing. */
typedef void (*RamDiscardListenerGetInfo)(const RamDiscardListener *rdl,
                                          RamDiscardListenerInfo *info);

/* A limit in bytes that keeps something from being populated. */
typedef struct RamDiscardLimit {
    uint64_t needed;                      /* more than is in use */
    uint64_t used;
    uint64_t limit;                       /* 0: it was no limit */
} RamDiscardLimit;

/* A consumer's registration. Embedded in, and owned by, the consumer. */
struct RamDiscardListener {
    NotifyRamPopulate notify_populate;
    NotifyRamDiscard notify_discard;
    NotifyRamDiscardAll notify_discard_all;   /* may be NULL */
    /* What of the region it follows: @first <= offset < @end. */
    ram_addr_t first;
    ram_addr_t end;
    /* Set after ram_discard_listener_init() if what a populate costs it, one
     * that it objects to included, goes by runs, not by blocks or bytes: then
     * it is asked for adjacent ranges at once, and once more for each of them
     * if that did not work. */
    bool by_run;
    /* For people; set after ram_discard_listener_init(), or left NULL. */
    const char *kind;                         /* of consumer; a literal */
    RamDiscardListenerGetInfo get_info;
    /* The region's, while registered. */
    QTAILQ_ENTRY(RamDiscardListener) next;
    Error *objection;                         /* until it has been passed on */
    RamDiscardLimit objection_limit;
};

/* Fills in @rdl, for all of a region; @discard_all_fn may be NULL. */
static inline void ram_discard_listener_init(RamDiscardListener *rdl,
                                             NotifyRamPopulate populate_fn,
                                             NotifyRamDiscard discard_fn,
                                             NotifyRamDiscardAll discard_all_fn)
{
    *rdl = (RamDiscardListener) {
        .notify_populate = populate_fn,
        .notify_discard = discard_fn,
        .notify_discard_all = discard_all_fn,
        .end = UINT64_MAX,
    };
}

/* Before @rdl is registered: it is to follow @size bytes from @offset only.
 * Notifications are clipped to that, wherever blocks begin and end. */
static inline void ram_discard_listener_set_range(RamDiscardListener *rdl,
                                                  ram_addr_t offset,
                                                  ram_addr_t size)
{
    rdl->first = offset;
    rdl->end = offset + size;
}

/* For a notify_populate that is about to object: why, for people, and the limit
 * (may be NULL) that it met. Takes @err. */
void ram_discard_listener_object(RamDiscardListener *rdl, Error *err,
                                 const RamDiscardLimit *limit);

/*
 * A manager has to say only what it has, by get_blocks. All else comes with the
 * interface; what a class puts in its place must keep the laws.
 */
struct RamDiscardMgrClass {
    InterfaceClass parent_class;

    /* What @rdm has populated of @mr, which it manages or is about to;
     * exec/ram-discard.h. */
    RamDiscardBlocks *(*get_blocks)(const RamDiscardMgr *rdm,
                                    const MemoryRegion *mr);
    /* Of the region, whoever manages it: */
    uint64_t (*get_min_granularity)(const RamDiscardMgr *rdm,
                                    const MemoryRegion *mr);
    bool (*is_populated)(const RamDiscardMgr *rdm, const MemoryRegion *mr,
                         ram_addr_t offset, ram_addr_t size);
    int (*register_listener)(RamDiscardMgr *rdm, const MemoryRegion *mr,
                             RamDiscardListener *rdl, Error **errp);
    void (*unregister_listener)(RamDiscardMgr *rdm, const MemoryRegion *mr,
                                RamDiscardListener *rdl);
    int (*replay_populated)(const RamDiscardMgr *rdm, const MemoryRegion *mr,
                            RamDiscardListener *rdl);
};

/* The unit, in bytes, in which parts of @mr are populated and discarded; a
 * power of two. May change when managers come or go, but never while a listener
 * holds something: what it mapped it can unmap by the same unit. Do not cache
 * it. */
uint64_t ram_discard_mgr_get_min_granularity(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr);
/* Whether all of the range is populated. No alignment is demanded; an empty
 * range, or one beyond the region, is not. */
bool ram_discard_mgr_is_populated(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr,
                                  ram_addr_t offset, ram_addr_t size);
/*
 * Tells @rdl of each populated run, then of each change. 0, or the -errno with
 * which the listener objected and *errp; then it is not registered and holds
 * nothing. @rdl stays the caller's and must live until it is unregistered.
 */
int ram_discard_mgr_register_listener(RamDiscardMgr *rdm,
                                      const MemoryRegion *mr,
                                      RamDiscardListener *rdl, Error **errp);
/* Tells @rdl that what is populated is discarded, then forgets it. */
void ram_discard_mgr_unregister_listener(RamDiscardMgr *rdm,
                                         const MemoryRegion *mr,
                                         RamDiscardListener *rdl);
/* Calls notify_populate of @rdl, registered or not, for each populated run in
 * ascending order. Stops at, and returns, the first -errno; undoes nothing. */
int ram_discard_mgr_replay_populated(const RamDiscardMgr *rdm,
                                     const MemoryRegion *mr,
                                     RamDiscardListener *rdl);

/* The manager that was set, or else one that was added; NULL: all of @mr, which
 * must be RAM, is populated. Stays the same while @mr is mapped. */
RamDiscardMgr *memory_region_get_ram_discard_mgr(const MemoryRegion *mr);
static inline bool memory_region_has_ram_discard_mgr(const MemoryRegion *mr);
/* Sets (law L6), or with NULL clears, the manager. Holds no reference. Managers
 * that were added may be there before, and stay behind. */
void memory_region_set_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm);

/*
 * Adds @rdm, whose blocks are of @mr, to the managers of @mr; holds a reference
 * until it is removed. Listeners are told the discard of what @rdm says is
 * discarded and was populated so far; the memory is left as it is. false, and
 * nothing has changed, if
 *  - @mr is mapped and has no manager: nobody there would follow it;
 *  - its blocks are smaller than those by which listeners hold something;
 *  - a consumer could not follow blocks so small (ram_discard_consumers_check).
 */
bool memory_region_add_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp);
/*
 * Removes @rdm, which was added. Listeners are first asked for what becomes
 * populated by that, as for any populate. false if one objects, or if @mr is in
 * use and has no other manager: then nothing has changed, @rdm stays.
 */
bool memory_region_del_ram_discard_mgr(MemoryRegion *mr, RamDiscardMgr *rdm,
                                       Error **errp);
/* Whether nobody but @rdm manages @mr; false: *errp names who does. */
bool memory_region_check_sole_ram_discard_mgr(const MemoryRegion *mr,
                                              const RamDiscardMgr *rdm,
                                              Error **errp);

/* --- MemoryRegion ------------------------------------------------------- */

enum device_endian {
    DEVICE_NATIVE_ENDIAN,
    DEVICE_BIG_ENDIAN,
    DEVICE_LITTLE_ENDIAN,
};

/* How an MMIO or port region answers. */
typedef struct MemoryRegionOps {
    /* Either these ... */
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    /* ... or these, for regions that can refuse. */
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *data,
                                   unsigned size, MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data,
                                    unsigned size, MemTxAttrs attrs);
    enum device_endian endianness;
    /* What the guest may do; what is outside gets MEMTX_DECODE_ERROR. */
    struct {
        unsigned min_access_size;         /* 0: 1 */
        unsigned max_access_size;         /* 0: 8 */
        bool unaligned;
        bool (*accepts)(void *opaque, hwaddr addr, unsigned size,
                        bool is_write, MemTxAttrs attrs);
    } valid;
    /* What the callbacks can do; the core splits and widens to fit. */
    struct {
        unsigned min_access_size;         /* 0: 1 */
        unsigned max_access_size;         /* 0: 4 */
        bool unaligned;
    } impl;
} MemoryRegionOps;

typedef struct MemoryRegionIoeventfd MemoryRegionIoeventfd;

/* Private to softmmu/; use the functions. */
struct MemoryRegion {
    Object parent_obj;

    const char *name;
    Object *owner;
    const MemoryRegionOps *ops;
    void *opaque;
    Int128 size;
    hwaddr addr;                          /* in the container */
    hwaddr alias_offset;                  /* in the alias */
    int32_t priority;
    bool ram;
    bool ram_device;
    bool rom_device;                      /* readonly; writes are ops' */
    bool readonly;
    bool enabled;
    bool terminates;                      /* not a pure container */
    bool may_overlap;
    bool unmergeable;
    bool global_locking;                  /* callbacks need the big lock */
    RAMBlock *ram_block;
    RamDiscardState *discard_state;       /* NULL: nobody manages it */
    MemoryRegion *container;
    MemoryRegion *alias;
    unsigned mapped_via_alias;            /* containers reached by an alias */
    QTAILQ_HEAD(, MemoryRegion) subregions;   /* highest priority first */
    QTAILQ_ENTRY(MemoryRegion) subregions_link;
    unsigned ioeventfd_nb;
    MemoryRegionIoeventfd *ioeventfds;
};

static inline bool memory_region_has_ram_discard_mgr(const MemoryRegion *mr)
{
    return mr->discard_state != NULL;
}

/*
 * The init functions: @mr is embedded in, and a child of, @owner (which a
 * mapping keeps alive); with no owner it lives until object_unparent() or
 * object_unref(). @name is copied.
 */
/* A container; @size is a 64-bit number, UINT64_MAX standing for 2^64. */
void memory_region_init(MemoryRegion *mr, Object *owner, const char *name,
                        uint64_t size);
void memory_region_init_io(MemoryRegion *mr, Object *owner,
                           const MemoryRegionOps *ops, void *opaque,
                           const char *name, uint64_t size);
/* Anonymous memory. @size is rounded up to host pages. false: *errp, and @mr is
 * as if it had never been initialised (here and below). */
bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp);
/* @ram_flags: RAM_* of exec/ramblock.h. */
bool memory_region_init_ram_flags(MemoryRegion *mr, Object *owner,
                                  const char *name, uint64_t size,
                                  uint32_t ram_flags, Error **errp);
/* Maps @fd from @fd_offset; on success the region owns @fd. */
bool memory_region_init_ram_from_fd(MemoryRegion *mr, Object *owner,
                                    const char *name, uint64_t size,
                                    uint32_t ram_flags, int fd,
                                    uint64_t fd_offset, Error **errp);
/* Memory that the caller owns and that must outlive the region. */
void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner,
                                const char *name, uint64_t size, void *ptr);
/* The same, of a device: consumers map it, the core accesses it by MMIO-safe,
 * aligned loads and stores of the access's own width. */
void memory_region_init_ram_device_ptr(MemoryRegion *mr, Object *owner,
                                       const char *name, uint64_t size,
                                       void *ptr);
/*
 * ROM of which a device hears when it is written to, a flash chip's say: reads are
 * of anonymous memory, writes go to @ops. A device that now and then answers reads
 * itself has another region for that, over this one.
 */
bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size,
                                   Error **errp);
/* The part of @orig from @offset; keeps @orig's owner alive. */
void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size);

const char *memory_region_name(const MemoryRegion *mr);
/* Bytes; 2^64 is told as UINT64_MAX. */
uint64_t memory_region_size(MemoryRegion *mr);
static inline bool memory_region_is_ram(MemoryRegion *mr)
{
    return mr->ram;
}
static inline bool memory_region_is_ram_device(MemoryRegion *mr)
{
    return mr->ram_device;
}
/* Readonly RAM. */
static inline bool memory_region_is_rom(MemoryRegion *mr)
{
    return mr->ram && mr->readonly;
}
/* The memory behind RAM; NULL: it is no RAM, or an alias. */
static inline RAMBlock *memory_region_ram_block(const MemoryRegion *mr)
{
    return mr->ram_block;
}
/* Where @mr (RAM, or an alias of it) is in this process. */
void *memory_region_get_ram_ptr(MemoryRegion *mr);
/* The fd behind RAM, or -1; stays the region's. */
int memory_region_get_fd(MemoryRegion *mr);
/* Holds and drops the owner (or the region itself if it has none). */
void memory_region_ref(MemoryRegion *mr);
void memory_region_unref(MemoryRegion *mr);

/* Its callbacks may be called in a turn of an I/O thread, without the big lock. */
void memory_region_clear_global_locking(MemoryRegion *mr);

/* Readonly RAM: stores of the guest are dropped. */
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
/*
 * Keeps what is seen of @mr (usually an alias) a section of its own, also where
 * it continues its neighbour. So what changes in the neighbour is no change of
 * @mr, and listeners need not map its memory anew.
 */
void memory_region_set_unmergeable(MemoryRegion *mr, bool unmergeable);
void memory_region_set_enabled(MemoryRegion *mr, bool enabled);
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);
void memory_region_set_size(MemoryRegion *mr, uint64_t size);
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);
/* Maps @subregion, which must have no container, at @offset of @mr. */
void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *subregion);
/* The same; where regions overlap the higher @priority answers. */
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *subregion, int priority);
void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *subregion);
/* Whether it has a container, or an alias of it is mapped somewhere. */
bool memory_region_is_mapped(MemoryRegion *mr);

/*
 * Between begin and commit, changes are collected; listeners hear of them once,
 * at the outermost commit. Each function above is a transaction by itself.
 */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

/* A write of @size bytes (0: any) to @addr signals @e instead of a callback;
 * with @match_data only a write of @data. Carried out by listeners (KVM), and
 * by the core for its own dispatch. @e stays the caller's. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *pval, unsigned size,
                                        MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t data, unsigned size,
                                         MemTxAttrs attrs);

/* --- sections and listeners --------------------------------------------- */

/* A range of a flat view. */
struct MemoryRegionSection {
    MemoryRegion *mr;                     /* never an alias; NULL: nothing */
    FlatView *fv;
    hwaddr offset_within_region;
    hwaddr offset_within_address_space;
    Int128 size;
    bool readonly;
};

/*
 * The first section that overlaps @addr .. @addr + @size of @mr, which is, or is
 * contained in, an address space's root; clipped to that. .mr is NULL if there
 * is none. The caller owns a reference to .mr: memory_region_unref().
 */
MemoryRegionSection memory_region_find(MemoryRegion *mr, hwaddr addr,
                                       uint64_t size);

/* Looks at @section; non-0 ends the walk, and is what it returns. */
typedef int MemoryRegionSectionFn(const MemoryRegionSection *section,
                                  void *opaque);

/*
 * Calls @fn for each populated run of @section, of a RAM region, in ascending
 * order, clipped to it. All of a region without a manager is populated. @fn
 * changes nothing. 0, or what @fn returned.
 */
int memory_region_section_foreach_populated(const MemoryRegionSection *section,
                                            MemoryRegionSectionFn *fn,
                                            void *opaque);
/* Calls @fn, which changes nothing, for each section of the flat view of @as in
 * ascending order. 0, or what @fn returned. */
int address_space_foreach_section(AddressSpace *as, MemoryRegionSectionFn *fn,
                                  void *opaque);

/* A consumer of the changes of one address space. Callbacks may be NULL. */
struct MemoryListener {
    void (*begin)(MemoryListener *listener);
    void (*commit)(MemoryListener *listener);
    void (*region_add)(MemoryListener *listener, MemoryRegionSection *section);
    void (*region_del)(MemoryListener *listener, MemoryRegionSection *section);
    /* Told of sections that stay as they are. */
    void (*region_nop)(MemoryListener *listener, MemoryRegionSection *section);
    void (*eventfd_add)(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    void (*eventfd_del)(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    /* Additions are told from the lowest up, removals from the highest down. */
    unsigned priority;
    /* private: */
    AddressSpace *address_space;
    QTAILQ_ENTRY(MemoryListener) link;
    QTAILQ_ENTRY(MemoryListener) link_as;
};

/* Tells @listener all that is in @as, then what changes. */
void memory_listener_register(MemoryListener *listener, AddressSpace *as);
/* Tells it that all goes away, then forgets it. */
void memory_listener_unregister(MemoryListener *listener);

/* --- AddressSpace ------------------------------------------------------- */

struct AddressSpace {
    char *name;
    MemoryRegion *root;
    FlatView *current_map;
    unsigned ioeventfd_nb;
    MemoryRegionIoeventfd *ioeventfds;
    QTAILQ_HEAD(, MemoryListener) listeners;
    QTAILQ_ENTRY(AddressSpace) address_spaces_link;
};

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);
/* No listener may be left. */
void address_space_destroy(AddressSpace *as);

/*
 * Access to the address space as a device or a CPU has it. Discarded RAM does
 * not answer: MEMTX_ERROR, and nothing is read, written or populated there.
 * On error the bytes of a read are 0 from the failing piece on.
 */
MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                             void *buf, hwaddr len, bool is_write);
MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               void *buf, hwaddr len);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                const void *buf, hwaddr len);
MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                              hwaddr len, MemTxAttrs attrs);

/* One access of its own width, little endian; *result may be NULL. */
uint8_t address_space_ldub(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                           MemTxResult *result);
uint16_t address_space_lduw_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               MemTxResult *result);
uint32_t address_space_ldl_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
uint64_t address_space_ldq_le(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              MemTxResult *result);
void address_space_stb(AddressSpace *as, hwaddr addr, uint8_t val,
                       MemTxAttrs attrs, MemTxResult *result);
void address_space_stw_le(AddressSpace *as, hwaddr addr, uint16_t val,
                          MemTxAttrs attrs, MemTxResult *result);
void address_space_stl_le(AddressSpace *as, hwaddr addr, uint32_t val,
                          MemTxAttrs attrs, MemTxResult *result);
void address_space_stq_le(AddressSpace *as, hwaddr addr, uint64_t val,
                          MemTxAttrs attrs, MemTxResult *result);

/*
 * Direct access to populated RAM: the host address of @addr, with *plen
 * shortened to what is contiguous there; NULL if it is not RAM, is readonly
 * and @is_write, or is discarded. It is pinned (law L9) until
 * address_space_unmap() with the same arguments (@len as returned).
 */
void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                        bool is_write, MemTxAttrs attrs);
void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len,
                         bool is_write, hwaddr access_len);

/*
 * Appends to @out, in the format of QEMU's "info mtree", the graph of regions
 * below each address space, or, with @flatview, what each flat view consists
 * of, with the first populated runs of managed RAM.
 */
void mtree_info(GString *out, bool flatview);

#include "exec/memory-map.h"

#endif
