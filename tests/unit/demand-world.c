/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest in steps: see demand-world.h. */
#include "qemu/osdep.h"

#include "demand-world.h"

#define BOOT (1 * GiB)

void demand_world_init(DemandWorld *w)
{
    *w = (DemandWorld) {
        .config = { .min = 0, .max = 16 * GiB, .headroom = 150, .priority = 50,
                    .interval_ms = 250, .shrink_delay_ms = 3000 },
        .used = 300 * MiB, .overhead = 40 * MiB, .plugs = 512 * MiB,
        .unplugs = 512 * MiB, .refused_above = UINT64_MAX,
    };
    w->figures.now_ms = 1000000;
    w->figures.boot = BOOT;
    w->figures.host.room = UINT64_MAX;
    demand_world_add(w, 16 * GiB, 2 * MiB, BOOT);
}

void demand_world_add(DemandWorld *w, uint64_t size, uint64_t block,
                      uint64_t boot)
{
    w->figures.devices[w->figures.nr_devices++] = (DemandDevice) {
        .size = size, .block = block, .boot = boot,
    };
}

static void plug(DemandWorld *w, DemandDevice *dev)
{
    uint64_t size = MIN(dev->requested - dev->plugged,
                        QEMU_ALIGN_DOWN(w->plugs, dev->block));

    if (size && w->plugged + size > w->refused_above) {
        dev->refusals++;
        dev->refused = true;
        return;
    }
    dev->plugged += size;
    w->plugged += size;
    dev->refused = dev->refused && !size;
}

static void unplug(DemandWorld *w, DemandDevice *dev)
{
    uint64_t total = w->figures.boot - w->overhead + w->plugged;
    uint64_t free = total > w->used ? total - w->used : 0;
    uint64_t loose = w->plugged > w->keeps ? w->plugged - w->keeps : 0;
    uint64_t size = MIN(MIN(free, loose), dev->plugged - dev->requested);

    size = QEMU_ALIGN_DOWN(MIN(size, w->unplugs), dev->block);
    dev->plugged -= size;
    w->plugged -= size;
}

static void guest_acts(DemandWorld *w)
{
    DemandFigures *f = &w->figures;
    uint64_t before = w->plugged, total;
    int64_t available;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        DemandDevice *dev = &f->devices[i];

        if (dev->requested > dev->plugged) {
            plug(w, dev);
        } else {
            unplug(w, dev);
        }
    }
    w->spent += w->plugged;
    if (w->silent) {
        f->guest.age_ms += w->config.interval_ms;
        return;
    }
    total = f->boot - w->overhead +
            (w->late ? MIN(before, w->plugged) : w->plugged);
    w->starved += w->used >= f->boot - w->overhead + w->plugged;
    available = (int64_t)(total - MIN(total, w->used)) + w->noise;
    w->cached = MIN(w->cached + w->reads, (uint64_t)MAX(0, available));
    f->guest.driver = true;
    f->guest.age_ms = 0;
    f->guest.total = total;
    f->guest.available = MIN((uint64_t)MAX(0, available), total);
}

static void check(const DemandWorld *w)
{
    const DemandDecision *d = &w->decision;
    g_autofree char *text = demand_explain(&w->config, &w->figures, d);
    uint64_t sum = 0;

    for (unsigned i = 0; i < w->figures.nr_devices; i++) {
        const DemandDevice *dev = &w->figures.devices[i];

        g_assert_cmpuint(d->requests[i], <=, dev->size);
        g_assert_cmpuint(d->requests[i] % dev->block, ==, 0);
        sum += d->requests[i];
    }
    g_assert_cmpuint(sum, ==, d->sum);
    g_assert_cmpuint(sum, >=, w->config.min);
    g_assert_cmpuint(sum, <=, w->config.max);
    g_assert_nonnull(demand_reason_name(d->reason));
    g_assert_cmpuint(strlen(text), >, 0);
}

void demand_world_step(DemandWorld *w)
{
    DemandFigures *f = &w->figures;

    guest_acts(w);
    demand_decide(&w->policy, &w->config, f, &w->decision);
    check(w);
    w->grown += w->decision.sum > w->decision.old_sum;
    w->shrunk += w->decision.sum < w->decision.old_sum;
    for (unsigned i = 0; i < f->nr_devices; i++) {
        w->requests += w->decision.requests[i] != f->devices[i].requested;
        f->devices[i].requested = w->decision.requests[i];
    }
    f->now_ms += w->config.interval_ms;
}

void demand_world_steps(DemandWorld *w, unsigned n)
{
    while (n--) {
        demand_world_step(w);
    }
}

bool demand_world_settles(DemandWorld *w, unsigned quiet, unsigned n)
{
    unsigned since = 0;

    for (unsigned i = 0; i < n && since < quiet; i++) {
        unsigned before = w->requests;

        demand_world_step(w);
        since = w->requests == before ? since + 1 : 0;
    }
    return since >= quiet;
}

unsigned demand_world_available(const DemandWorld *w)
{
    return w->figures.guest.available * 1000 / w->figures.guest.total;
}

void demand_world_assert_settles(DemandWorld *w)
{
    g_assert_true(demand_world_settles(w, 2 * MINUTE, 20 * MINUTE));
}

void demand_world_assert_in_band(const DemandWorld *w)
{
    g_assert_cmpuint(demand_world_available(w), >=, LOW);
    g_assert_cmpuint(demand_world_available(w), <=, HIGH + 1);
}

void demand_world_start(DemandWorld *w, uint64_t used)
{
    demand_world_init(w);
    w->used = used;
    demand_world_assert_settles(w);
    w->requests = w->grown = w->shrunk = w->starved = 0;
}
