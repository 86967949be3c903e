/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions in words: the last part of policy.h. */
#include "qemu/osdep.h"

#include "policy.h"
#include "qemu/cutils.h"

static const char *const reason_names[DEMAND_REASON__MAX] = {
    [DEMAND_IN_BAND] = "in-band",
    [DEMAND_BELOW_BAND] = "below-band",
    [DEMAND_GUEST_SWAPS] = "guest-swaps",
    [DEMAND_GUEST_FAULTS] = "guest-faults",
    [DEMAND_ABOVE_BAND] = "above-band",
    [DEMAND_WAITING] = "waiting",
    [DEMAND_BELOW_MIN] = "below-min",
    [DEMAND_ABOVE_MAX] = "above-max",
    [DEMAND_AT_MAX] = "at-max",
    [DEMAND_HOST_PRESSURE] = "host-pressure",
    [DEMAND_HOST_LIMIT] = "host-limit",
    [DEMAND_REFUSED] = "refused",
    [DEMAND_NOT_PLUGGED] = "not-plugged",
    [DEMAND_NOT_UNPLUGGED] = "not-unplugged",
    [DEMAND_NO_DRIVER] = "no-driver",
    [DEMAND_NO_STATISTICS] = "no-statistics",
    [DEMAND_OLD_STATISTICS] = "old-statistics",
    [DEMAND_FALSE_STATISTICS] = "false-statistics",
};

static const char *const reason_words[DEMAND_REASON__MAX] = {
    [DEMAND_IN_BAND] = "within the band",
    [DEMAND_BELOW_BAND] = "less than the headroom",
    [DEMAND_GUEST_SWAPS] = "the guest swaps",
    [DEMAND_GUEST_FAULTS] = "the guest reads again what it had in memory",
    [DEMAND_ABOVE_BAND] = "more than the band",
    [DEMAND_WAITING] = "more than the band, but not for long enough",
    [DEMAND_BELOW_MIN] = "less than min was requested",
    [DEMAND_ABOVE_MAX] = "more than max was requested",
    [DEMAND_AT_MAX] = "less than the headroom, but max is reached",
    [DEMAND_HOST_PRESSURE] = "the host is short of memory",
    [DEMAND_HOST_LIMIT] = "less than the headroom, but the cgroup's limit is "
                          "near",
    [DEMAND_REFUSED] = "a plug was refused, and is not tried again for a while",
    [DEMAND_NOT_PLUGGED] = "the guest does not plug what is requested",
    [DEMAND_NOT_UNPLUGGED] = "the guest cannot unplug what it should, and is "
                             "not asked again for a while",
    [DEMAND_NO_DRIVER] = "standing still: no balloon driver tells statistics",
    [DEMAND_NO_STATISTICS] = "standing still: the guest has told no statistics",
    [DEMAND_OLD_STATISTICS] = "standing still: the guest's statistics are old",
    [DEMAND_FALSE_STATISTICS] = "standing still: the guest's statistics cannot "
                                "be true",
};

const char *demand_reason_name(DemandReason reason)
{
    return reason_names[reason];
}

static void append_size(GString *text, uint64_t size)
{
    g_autofree char *words = size_to_str(size);

    g_string_append(text, words);
}

char *demand_explain(const DemandConfig *c, const DemandFigures *f,
                     const DemandDecision *d)
{
    GString *text = g_string_new(NULL);

    if (d->sum != d->old_sum) {
        append_size(text, d->old_sum);
        g_string_append(text, " -> ");
        append_size(text, d->sum);
        g_string_append(text, ": ");
    }
    g_string_append(text, reason_words[d->reason]);
    if (d->used) {
        g_string_append(text, " (the guest has ");
        append_size(text, f->guest.available);
        g_string_append(text, " of ");
        append_size(text, f->guest.total);
        g_string_append_printf(text, " available, headroom %u.%u %%)",
                               c->headroom / 10, c->headroom % 10);
    }
    if (d->pressed && d->reason != DEMAND_HOST_PRESSURE) {
        g_string_append(text, "; a quarter of the headroom must do, as the "
                        "host is short of memory");
    }
    return g_string_free(text, FALSE);
}
