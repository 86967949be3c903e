/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The most that was seen during the last while: see history.h. */
#include "qemu/osdep.h"

#include "history.h"

void demand_history_forget(DemandHistory *h)
{
    h->nr_spans = 0;
}

/* Makes room for a span that begins now. */
static DemandSpan *begin_span(DemandHistory *h, int64_t now_ms)
{
    if (h->nr_spans == DEMAND_SPANS) {
        memmove(h->spans, h->spans + 1, (DEMAND_SPANS - 1) * sizeof(*h->spans));
        h->nr_spans--;
    }
    h->span_ms = now_ms;
    return &h->spans[h->nr_spans++];
}

void demand_history_add(DemandHistory *h, int64_t now_ms, int64_t while_ms,
                        uint64_t used, int64_t base)
{
    int64_t length = MAX(1, while_ms / (DEMAND_SPANS - 1));
    DemandSpan *span;

    if (!h->nr_spans || now_ms - h->span_ms >= length) {
        *begin_span(h, now_ms) = (DemandSpan) { used, base };
        return;
    }
    span = &h->spans[h->nr_spans - 1];
    span->used = MAX(span->used, used);
    span->base = MAX(span->base, base);
}

bool demand_history_is_full(const DemandHistory *h)
{
    return h->nr_spans == DEMAND_SPANS;
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
