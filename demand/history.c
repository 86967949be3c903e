/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The most that was seen during the last while: see history.h. */
#include "qemu/osdep.h"

#include "history.h"

void demand_history_forget(DemandHistory *h)
{
    h->nr_spans = 0;
    h->full = false;
}

/* Drops @nr of the oldest. */
static void drop(DemandHistory *h, unsigned nr)
{
    h->nr_spans -= nr;
    memmove(h->spans, h->spans + nr, h->nr_spans * sizeof(*h->spans));
}

/* Spans of which all is before the while. */
static unsigned nr_past(const DemandHistory *h, int64_t begin_ms)
{
    unsigned nr = 0;

    while (nr + 1 < h->nr_spans && h->spans[nr + 1].begin_ms <= begin_ms) {
        nr++;
    }
    return nr;
}

void demand_history_add(DemandHistory *h, int64_t now_ms, int64_t while_ms,
                        uint64_t used, int64_t base)
{
    /* So long that those that begin in the while, and one more, have room. */
    int64_t length = MAX(1, while_ms / (DEMAND_SPANS - 2));
    DemandSpan *last = h->nr_spans ? &h->spans[h->nr_spans - 1] : NULL;

    if (last && now_ms - last->begin_ms < length) {
        last->used = MAX(last->used, used);
        last->base = MAX(last->base, base);
    } else {
        drop(h, h->nr_spans == DEMAND_SPANS);
        h->spans[h->nr_spans++] = (DemandSpan) { now_ms, used, base };
    }
    drop(h, nr_past(h, now_ms - while_ms));
    h->full = h->spans[0].begin_ms <= now_ms - while_ms;
}

bool demand_history_is_full(const DemandHistory *h)
{
    return h->full;
}

DemandSpan demand_history_peak(const DemandHistory *h)
{
    DemandSpan peak = h->spans[0];

    for (unsigned i = 1; i < h->nr_spans; i++) {
        peak.used = MAX(peak.used, h->spans[i].used);
        peak.base = MAX(peak.base, h->spans[i].base);
    }
    return peak;
}
