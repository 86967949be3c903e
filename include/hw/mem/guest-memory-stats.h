/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device whose driver tells how much memory the guest has and uses: an
 * interface, which virtio-balloon implements; hw/mem/guest-memory-stats.c. What
 * is told is the guest's word, and not checked. Big lock held.
 */
#ifndef HW_MEM_GUEST_MEMORY_STATS_H
#define HW_MEM_GUEST_MEMORY_STATS_H

#include "qemu/notify.h"
#include "qom/object.h"

#define TYPE_GUEST_MEMORY_STATS "guest-memory-stats"
typedef struct GuestMemoryStatsClass GuestMemoryStatsClass;
DECLARE_CLASS_CHECKERS(GuestMemoryStatsClass, GUEST_MEMORY_STATS,
                       TYPE_GUEST_MEMORY_STATS)

/* Bytes; UINT64_MAX: not told. */
typedef struct GuestMemoryFigures {
    bool driver;                          /* one that tells statistics is there */
    int64_t age_ms;                       /* of the virtual clock; -1: there are
                                             none since the last reset */
    uint64_t total;
    uint64_t available;
    uint64_t swapped_out;                 /* since the guest started */
    uint64_t major_faults;                /* the same; a number */
} GuestMemoryFigures;

struct GuestMemoryStatsClass {
    InterfaceClass parent_class;

    void (*get)(Object *obj, GuestMemoryFigures *figures);
    /* Asks the driver for new figures, if it has told the last ones. */
    void (*ask)(Object *obj);
};

/* The one device that there is, realized or not; NULL: none. Borrowed. */
Object *guest_memory_stats_find(void);

/* @listener, removed by notifier_remove(), is told of new figures, without data. */
void guest_memory_stats_add_listener(Notifier *listener);
/* For devices: there are new figures. */
void guest_memory_stats_updated(void);

#endif
