/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who locks guest memory, or maps it for devices, and what that takes: now, and
 * once all that can be plugged is. Consumers tell it of themselves while they
 * live, and of devices that do not exist yet; system/memory-budget.c adds it
 * up for people. Big lock held. Bytes.
 */
#ifndef EXEC_MEMORY_NEEDS_H
#define EXEC_MEMORY_NEEDS_H

#include "exec/memory.h"

typedef struct MemoryNeeds {
    const char *kind;                     /* who: a literal */
    uint64_t locked;                      /* against RLIMIT_MEMLOCK */
    uint64_t locked_max;                  /* the same, at worst */
    uint64_t lock_limit;                  /* what the process may lock; 0: all it
                                             likes, or not known here */
    uint64_t lock_used;                   /* of it, as the kernel counts */
    uint64_t mappings;                    /* DMA mappings */
    uint64_t mappings_max;
    uint64_t mappings_limit;              /* 0: there is none, or not known */
    bool counted;                         /* the next is valid */
    uint64_t mappings_left;               /* as the kernel counts */
    uint64_t bar_mappings;                /* of devices' BARs: in mappings, or, of
                                             a forecast, at most, besides these */
    uint64_t slots;                       /* regions that a back end is given */
    uint64_t slots_max;
    uint64_t slots_limit;                 /* 0: not known, or none is used */
} MemoryNeeds;

/* A consumer that lives; embedded in, and owned by, it. */
typedef struct MemoryConsumer MemoryConsumer;
struct MemoryConsumer {
    /* Fills in @needs, which is all 0. */
    void (*get_needs)(MemoryConsumer *consumer, MemoryNeeds *needs);
    QLIST_ENTRY(MemoryConsumer) next;
};

void memory_consumer_register(MemoryConsumer *consumer);
void memory_consumer_unregister(MemoryConsumer *consumer);

/* What devices of type @driver will need in @as. Lives for ever. */
typedef struct MemoryForecast MemoryForecast;
struct MemoryForecast {
    const char *driver;
    bool shared;                          /* all are told of at once, as they
                                             follow memory together */
    /* Of @nr devices: 1 unless it is shared. */
    void (*get_needs)(AddressSpace *as, unsigned nr, MemoryNeeds *needs);
    QLIST_ENTRY(MemoryForecast) next;
};

/* By constructors. */
void memory_forecast_register(MemoryForecast *forecast);
/* NULL: such a device needs nothing. */
const MemoryForecast *memory_forecast_find(const char *driver);

/* Calls @fn with the needs of each consumer that lives. */
void memory_needs_foreach(void (*fn)(const MemoryNeeds *needs, void *opaque),
                          void *opaque);

#endif
