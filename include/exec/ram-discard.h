/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine behind a RamDiscardMgr: which blocks of one RAM region are
 * populated, who listens, and how a change is carried out so that the laws of
 * exec/memory.h hold even when a listener objects or a discard fails. A
 * manager (virtio-mem) embeds a RamDiscardState and has its interface methods
 * forwarded here (ram_discard_mgr_class_use_state()); it never touches the
 * bitmap or calls a listener by itself.
 *
 * Costs: work is in words of the bitmap and in runs, never in single bits, and
 * nothing is proportional to the region when little of it is populated.
 * Nothing is allocated after init. Big lock held throughout.
 */
#ifndef EXEC_RAM_DISCARD_H
#define EXEC_RAM_DISCARD_H

#include <json-glib/json-glib.h>

#include "exec/memory.h"

/*
 * Gives @offset .. @offset + @size of the region back to the host. 0 or
 * -errno; then the range counts as still populated.
 */
typedef int (*RamDiscardFn)(void *opaque, uint64_t offset, uint64_t size);

typedef struct RamDiscardWalk RamDiscardWalk;

/* The last populate that a listener, or the manager, objected to. */
typedef struct RamDiscardRefusal {
    uint64_t count;                       /* refusals so far; 0: none */
    uint64_t offset;
    uint64_t size;
    int err;                              /* -errno of the listener */
    const char *kind;                     /* its kind, may be NULL */
    char *reason;                         /* what it said, may be NULL */
    int64_t time;                         /* us, g_get_monotonic_time() */
    bool standing;                        /* nothing was populated since */
} RamDiscardRefusal;

struct RamDiscardState {
    MemoryRegion *mr;
    uint64_t granularity;                 /* bytes, a power of two */
    uint64_t nr_blocks;
    uint64_t populated;                   /* bytes */
    unsigned long *bitmap;                /* bit set: block populated */
    unsigned long *summary;               /* bit set: bitmap word is not 0 */
    RamDiscardFn discard;
    void *discard_opaque;
    /* Several managers on a region: the next run, at or after *offset, that the
     * change in progress changes. NULL, of one manager: all that it names. */
    bool (*next_change)(void *discard_opaque, uint64_t *offset,
                        uint64_t *size);
    QTAILQ_HEAD(RamDiscardListeners, RamDiscardListener) listeners;
    RamDiscardWalk *walk;                 /* the notification in progress */
    RamDiscardRefusal refusal;
};

/*
 * All of @mr, a RAM region whose size is a multiple of @granularity, starts
 * discarded. @discard NULL: ram_block_discard_range() on the region's block.
 */
void ram_discard_state_init(RamDiscardState *s, MemoryRegion *mr,
                            uint64_t granularity, RamDiscardFn discard,
                            void *opaque);
/* No listener may be left. Does not discard anything. */
void ram_discard_state_destroy(RamDiscardState *s);

/* The RamDiscardMgrClass methods, for the one region of @s. */
bool ram_discard_state_is_populated(const RamDiscardState *s,
                                    uint64_t offset, uint64_t size);
int ram_discard_state_register(RamDiscardState *s, RamDiscardListener *rdl);
void ram_discard_state_unregister(RamDiscardState *s, RamDiscardListener *rdl);
int ram_discard_state_replay_populated(const RamDiscardState *s,
                                       RamDiscardListener *rdl);
void ram_discard_state_replay_discarded(const RamDiscardState *s,
                                        RamDiscardListener *rdl);

/*
 * Makes of @klass that of managers with a RamDiscardState: @get_state, which
 * shows it and checks that the region is the manager's, and all other methods,
 * which forward to the above. A class may override one afterwards.
 */
void ram_discard_mgr_class_use_state(
    RamDiscardMgrClass *klass,
    RamDiscardState *(*get_state)(const RamDiscardMgr *rdm,
                                  const MemoryRegion *mr));

/* Whether no block of the range is populated; false if out of the region. */
bool ram_discard_state_is_discarded(const RamDiscardState *s,
                                    uint64_t offset, uint64_t size);
/* The next run of populated (or discarded) blocks at or after *offset: sets
 * *offset and *size in bytes; false if there is none. */
bool ram_discard_state_next_run(const RamDiscardState *s, bool populated,
                                uint64_t *offset, uint64_t *size);

/*
 * Populates a range that is wholly discarded and aligned to the granularity.
 * 0, or the -errno of the listener that objected; then nothing has changed.
 */
int ram_discard_state_populate(RamDiscardState *s, uint64_t offset,
                               uint64_t size);
/*
 * Notes in @s->refusal that the manager itself refused a populate, so that
 * nobody was asked: @err is -errno, @kind a literal, @reason is copied.
 */
void ram_discard_state_refuse(RamDiscardState *s, uint64_t offset,
                              uint64_t size, int err, const char *kind,
                              const char *reason);
/* What "last-refusal" has of @refusal, of which there was one: reason, kind (if
 * it has one), offset, size (bytes), count, standing, seconds-ago; the caller's. */
JsonObject *ram_discard_refusal_info(const RamDiscardRefusal *refusal);
/* Discards a range that is wholly populated and aligned. 0, or the -errno of
 * the failed discard; then nothing has changed. */
int ram_discard_state_discard(RamDiscardState *s, uint64_t offset,
                              uint64_t size);
/*
 * Discards whatever is populated, by one call of the discard function from the
 * first populated block to the last. 0 or its -errno; then nothing has changed.
 */
int ram_discard_state_discard_all(RamDiscardState *s);

/*
 * A consumer that lives, and will follow every managed region that is added.
 * A device asks all consumers before it becomes the manager of a region, so
 * that what one of them could not follow to the last block is refused while
 * somebody is there to read why. Embedded in, and owned by, the consumer.
 */
typedef struct RamDiscardConsumer RamDiscardConsumer;
struct RamDiscardConsumer {
    /* Whether all of @mr could be populated in blocks of @granularity bytes;
     * false: *errp names what would work. @mr is about to be managed, or is
     * managed and about to get smaller blocks: then it may be mapped. Looks
     * only, and does not register or unregister consumers. */
    bool (*check_region)(RamDiscardConsumer *consumer, const MemoryRegion *mr,
                         uint64_t granularity, Error **errp);
    QLIST_ENTRY(RamDiscardConsumer) next;
};

void ram_discard_consumer_register(RamDiscardConsumer *consumer);
void ram_discard_consumer_unregister(RamDiscardConsumer *consumer);
/* Whether every consumer agrees; false: *errp is the first objection. Asks for
 * the smallest of @granularity and that of managers that @mr has already. */
bool ram_discard_consumers_check(const MemoryRegion *mr, uint64_t granularity,
                                 Error **errp);

#endif
