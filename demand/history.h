/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The most that was seen of two figures during the last while: what the guest
 * used, and what it has besides the memory that is plugged. Kept in a few
 * spans of time, not sample by sample. Pure; milliseconds, bytes.
 */
#ifndef DEMAND_HISTORY_H
#define DEMAND_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define DEMAND_SPANS 8

typedef struct DemandSpan {
    int64_t begin_ms;
    uint64_t used;
    int64_t base;
} DemandSpan;

/* All zero: empty. */
typedef struct DemandHistory {
    DemandSpan spans[DEMAND_SPANS];       /* the latest is the last of them */
    unsigned nr_spans;
    bool full;                            /* goes back for all of the while */
} DemandHistory;

/* Empties it. */
void demand_history_forget(DemandHistory *h);
/* Adds what is seen at @now_ms, not before what was added last, and drops what is
 * older than @while_ms, but for what shares a span with what is not. */
void demand_history_add(DemandHistory *h, int64_t now_ms, int64_t while_ms,
                        uint64_t used, int64_t base);
/* Whether it goes back for all of the while. */
bool demand_history_is_full(const DemandHistory *h);
/* The most of each; something must have been added. */
DemandSpan demand_history_peak(const DemandHistory *h);

#endif
