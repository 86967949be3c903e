/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost as a consumer of RamDiscardMgr: follows the RAM of an address space, in
 * managed regions what is populated of it, and has the back end follow by as
 * few changes of its table (vhost-table.h) as possible.
 *
 * A plug that the back end refuses is objected to (law L2). At an unplug the
 * back end has let go when the notification returns (law L3): one that does not
 * is cut off. It must not know which device the manager is, nor what the back
 * end is.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_MEMORY_H
#define HW_VIRTIO_VHOST_MEMORY_H

#include "exec/memory-needs.h"
#include "exec/ram-discard.h"
#include "vhost-table.h"

typedef struct VhostMemory VhostMemory;
typedef struct VhostSection VhostSection;

/* A change of the table; the sets are the caller's. */
typedef struct VhostTableChange {
    const GArray *gone;
    const GArray *come;
    const GArray *wanted;                 /* all of the table, afterwards */
    bool both;                            /* some memory is in gone and come */
} VhostTableChange;

typedef struct VhostMemoryOps {
    /* Whether the back end can have this memory at all; false: *errp says what
     * would help. */
    bool (*accepts)(VhostMemory *m, RAMBlock *block, Error **errp);
    /*
     * The back end is to carry out @change. All of it or, for false and *errp,
     * nothing. Nobody there to carry it out: true.
     */
    bool (*change_table)(VhostMemory *m, const VhostTableChange *change,
                         Error **errp);
    /* After change_table, whatever came of it: m->table is what it has now. */
    void (*table_settled)(VhostMemory *m);
    /* The back end has not let go of memory, because of @err (taken): it must
     * not be able to use it, whatever else that means for it. */
    void (*cut_off)(VhostMemory *m, Error *err);
} VhostMemoryOps;

/* Embedded in what has the back end. */
struct VhostMemory {
    const VhostMemoryOps *ops;
    const char *name;                     /* of the device, for messages */
    const char *kind;                     /* of listener: a literal */
    const char *ids[2];                   /* the device's, for who asks, then NULL;
                                             may be set after init */
    guint slots;                          /* regions that the back end takes */
    bool whole;                           /* it is told whole tables */
    GArray *there;                        /* VhostRegion: memory, joined */
    GArray *table;                        /* VhostRegion: the back end's */
    bool in_transaction;
    bool following;                       /* the back end is told of changes */
    Error *error;                         /* the first of a transaction */
    uint64_t failures;                    /* to follow what was not asked */
    MemoryListener listener;
    RamDiscardConsumer consumer;
    MemoryConsumer needs;
    QLIST_HEAD(, VhostSection) sections;
};

/*
 * Follows @as from now on, and has the back end, of @slots regions, follow.
 * false: *errp, and nothing is left. @name and @kind are not copied.
 */
bool vhost_memory_init(VhostMemory *m, const VhostMemoryOps *ops,
                       const char *name, const char *kind, AddressSpace *as,
                       guint slots, bool whole, Error **errp);
/* The back end hears nothing of it: it is gone, or about to be. */
void vhost_memory_destroy(VhostMemory *m);
/* The back end has gone: nobody follows until the replay. */
void vhost_memory_lost(VhostMemory *m);
/* There is a back end that has no table, and takes @slots regions now: gives it all
 * of it. false: *errp, and nobody follows. */
bool vhost_memory_replay(VhostMemory *m, guint slots, bool whole,
                         Error **errp);
/* The region of the table that has all of @size bytes at @gpa; NULL: none. If
 * neighbours have them together, they are joined first. */
const VhostRegion *vhost_memory_find(VhostMemory *m, hwaddr gpa,
                                     uint64_t size);

#endif
