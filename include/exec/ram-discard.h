/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is behind RamDiscardMgr, for managers, and for who tells people of them.
 *
 * Each managed region has one RamDiscardState: who manages it, who listens, and
 * how a change is carried out so that the laws of exec/memory.h hold even when
 * a listener objects or a discard fails. It comes with the region's first
 * manager and goes with its last.
 *
 * A manager (virtio-mem) embeds RamDiscardBlocks: which blocks of the region it
 * has populated. Its class shows them by get_blocks; it changes them by the
 * functions below and never touches the bitmap or calls a listener by itself.
 *
 * Costs: work is in words of the bitmap and in runs, never in single bits, and
 * nothing is proportional to the region when little of it is populated.
 * Nothing is allocated for a change. Big lock held throughout; what may be
 * called in a turn of an I/O thread, too, says so.
 */
#ifndef EXEC_RAM_DISCARD_H
#define EXEC_RAM_DISCARD_H

#include "exec/memory.h"

/*
 * Gives @offset .. @offset + @size of the region back to the host. 0 or
 * -errno; then the range counts as still populated.
 */
typedef int (*RamDiscardFn)(void *opaque, uint64_t offset, uint64_t size);

/* What one manager has populated of one region. The manager's; all fields but
 * @backed and @plug_times are for reading only. */
struct RamDiscardBlocks {
    MemoryRegion *mr;
    RamDiscardMgr *rdm;                   /* whose they are */
    uint64_t granularity;                 /* of a block, bytes, a power of two */
    uint64_t nr_blocks;
    uint64_t populated;                   /* bytes */
    unsigned long *bitmap;                /* bit set: block populated */
    unsigned long *summary;               /* bit set: bitmap word is not 0 */
    RamDiscardFn discard;
    void *discard_opaque;
    /* The manager has the host back what it populates before it does so. */
    bool backed;
    RamDiscardTimes plug_times;           /* the manager's to add to: of what it
                                             was asked to populate */
    bool vanishing;                       /* all are being discarded; the bitmap
                                             says what listeners still hold */
    bool trying;                          /* to populate: an objection is not the
                                             last word, and not kept */
    RamDiscardState *state;               /* the region's; NULL: not managing */
    QTAILQ_ENTRY(RamDiscardBlocks) next;
};

/* The last populate that a listener, or a manager, objected to. */
typedef struct RamDiscardRefusal {
    uint64_t count;                       /* refusals so far; 0: none */
    uint64_t offset;
    uint64_t size;
    const char *kind;                     /* who: a literal */
    char *reason;                         /* why, for people */
    RamDiscardLimit limit;
    int64_t time;                         /* us, g_get_monotonic_time() */
    bool standing;                        /* nothing was populated since */
} RamDiscardRefusal;

typedef struct RamDiscardWalk RamDiscardWalk;

/* Keeps a range of a managed region from being discarded (law L9). Embedded in,
 * and owned by, who has given its address away: to the kernel for I/O, say. */
typedef struct RamDiscardPin {
    uint64_t offset;
    uint64_t size;
    QLIST_ENTRY(RamDiscardPin) next;
} RamDiscardPin;

/* Of a managed region; for reading only. */
struct RamDiscardState {
    MemoryRegion *mr;
    uint64_t granularity;                 /* in which listeners are told */
    uint64_t smallest;                    /* of the managers' */
    QTAILQ_HEAD(RamDiscardManagers, RamDiscardBlocks) managers;
    RamDiscardBlocks *set;                /* the first of them, if it was set,
                                             not added; else NULL */
    QTAILQ_HEAD(RamDiscardListeners, RamDiscardListener) listeners;
    QLIST_HEAD(RamDiscardPins, RamDiscardPin) pins;
    RamDiscardWalk *walk;                 /* the notification in progress */
    bool vanishing;                       /* it is that all is discarded */
    RamDiscardRefusal refusal;
    bool told_refusal;                    /* a person */
};

/* --- for managers --- */

/*
 * All of @mr, a RAM region whose size is a multiple of @granularity, starts
 * discarded. @discard NULL: ram_block_discard_range() on the region's block.
 * From then on get_blocks of @rdm shows @b; it does not manage @mr before it is
 * set, or added, as a manager.
 */
void ram_discard_blocks_init(RamDiscardBlocks *b, RamDiscardMgr *rdm,
                             MemoryRegion *mr, uint64_t granularity,
                             RamDiscardFn discard, void *opaque);
/* @b is no longer of a manager of the region. Does not discard anything. */
void ram_discard_blocks_destroy(RamDiscardBlocks *b);

/* Whether all of the range is populated, or all discarded, as far as this
 * manager goes. No alignment is demanded; an empty range, or one beyond the
 * region, is neither. */
bool ram_discard_blocks_are_populated(const RamDiscardBlocks *b,
                                      uint64_t offset, uint64_t size);
bool ram_discard_blocks_are_discarded(const RamDiscardBlocks *b,
                                      uint64_t offset, uint64_t size);
/* The next run of populated blocks of this manager: sets *offset, which is not
 * lowered, and *size, in bytes; false if there is none. */
bool ram_discard_blocks_next_run(const RamDiscardBlocks *b, uint64_t *offset,
                                 uint64_t *size);

/*
 * Populates a range that is wholly discarded and aligned to the granularity.
 * 0, or the -errno of the listener that objected; then nothing has changed.
 */
int ram_discard_blocks_populate(RamDiscardBlocks *b, uint64_t offset,
                                uint64_t size);
/* Whether it costs every listener less to be asked for adjacent ranges at once
 * (by_run); false if there are none. */
bool ram_discard_blocks_go_by_run(const RamDiscardBlocks *b);
/*
 * As ram_discard_blocks_populate(), for several ranges that were asked for one
 * by one. An objection is not kept, and nobody is told of it: the manager asks
 * for each range by itself next.
 */
int ram_discard_blocks_try_populate(RamDiscardBlocks *b, uint64_t offset,
                                    uint64_t size);
/*
 * Notes that the manager itself, which is at work, refused a populate, so that
 * nobody was asked. @kind: a literal; takes @err, the reason.
 */
void ram_discard_blocks_refuse(RamDiscardBlocks *b, uint64_t offset,
                               uint64_t size, const char *kind, Error *err);
/* Discards a range that is wholly populated and aligned. 0, or the -errno of
 * the failed discard (-EBUSY: some of it is pinned); then nothing has changed. */
int ram_discard_blocks_discard(RamDiscardBlocks *b, uint64_t offset,
                               uint64_t size);
/*
 * Discards whatever is populated, by one call of the discard function from the
 * first populated block to the last. 0 or its -errno (-EBUSY: some of it is
 * pinned); then nothing has changed.
 */
int ram_discard_blocks_discard_all(RamDiscardBlocks *b);

/* --- for who looks at a region --- */

/* NULL: nobody manages @mr. */
const RamDiscardState *memory_region_ram_discard_state(const MemoryRegion *mr);
/* Whether all managers have all of the range populated; see
 * ram_discard_mgr_is_populated(). Also in an I/O thread's turn. */
bool ram_discard_state_is_populated(const RamDiscardState *s, uint64_t offset,
                                    uint64_t size);
/* Whether the host backs what is populated before listeners are asked, so that
 * none of them needs to. */
bool ram_discard_state_is_backed(const RamDiscardState *s);
/* Bytes that all managers have populated; takes as long as they have runs. */
uint64_t ram_discard_state_populated(const RamDiscardState *s);
/* The next run that all have populated: sets *offset, which is not lowered, and
 * *size, in bytes; false if there is none. Also in an I/O thread's turn. */
bool ram_discard_state_next_run(const RamDiscardState *s, uint64_t *offset,
                                uint64_t *size);

/* --- pins, for short: a listener would be told of each change. Also in an I/O
 *     thread's turn --- */

/* @size > 0 bytes from @offset, which are populated, stay so until the pin is
 * removed. Pins may overlap. */
void ram_discard_state_pin(RamDiscardState *s, RamDiscardPin *pin,
                           uint64_t offset, uint64_t size);
void ram_discard_pin_remove(RamDiscardPin *pin);
/* Whether some of the range is pinned. Takes as long as there are pins. */
bool ram_discard_state_is_pinned(const RamDiscardState *s, uint64_t offset,
                                 uint64_t size);

/* --- consumers in general --- */

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
    bool (*check_region)(RamDiscardConsumer *consumer, MemoryRegion *mr,
                         uint64_t granularity, Error **errp);
    QLIST_ENTRY(RamDiscardConsumer) next;
};

void ram_discard_consumer_register(RamDiscardConsumer *consumer);
void ram_discard_consumer_unregister(RamDiscardConsumer *consumer);
/* Whether every consumer agrees; false: *errp is the first objection. Asks for
 * the smallest of @granularity and that of managers that @mr has already. */
bool ram_discard_consumers_check(MemoryRegion *mr, uint64_t granularity,
                                 Error **errp);

/* --- refusals --- */

/* Who passes refusals on to management clients. Owned by the caller. */
typedef struct RamDiscardObserver RamDiscardObserver;
struct RamDiscardObserver {
    /* s->refusal is a new one: the first, or after a populate that worked, or
     * for another reason. The guest may make it happen again and again. */
    void (*refused)(RamDiscardObserver *observer, RamDiscardState *s);
    /* @s is about to be freed. */
    void (*gone)(RamDiscardObserver *observer, RamDiscardState *s);
    QLIST_ENTRY(RamDiscardObserver) next;
};

void ram_discard_observer_add(RamDiscardObserver *observer);
void ram_discard_observer_remove(RamDiscardObserver *observer);

#endif
