/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy of the memory controller: see policy.h. Each step of a decision is
 * a function; demand_decide() has their order. What was decided before is only
 * known by what is requested, so that whoever else sets a request is no surprise.
 */
#include "qemu/osdep.h"

#include "policy.h"
#include "share.h"

#define WHOLE 1000                        /* of thousandths */
/* For how many intervals growing looks ahead. */
#define LOOKAHEAD 4
/* The most that goes at once: that part of what the guest has, or half of what is too
 * much, if that is more. */
#define SHRINK_PART 8
#define SHRINK_PART_PRESSED 4
/* Shrinks in one shrink_delay_ms. */
#define SHRINKS_IN_DELAY 4
/* A growth that soon after a shrink, in delays, shows that it was a mistake. */
#define MISTAKE_DELAYS 5
#define MISTAKE_MAX 16
/* Under pressure of the host the band is that much lower. */
#define PRESSED_PART 4
/* More major faults a second than that: the guest reads again what it had. A program
 * that starts has some, too. */
#define FAULTS_PER_SECOND 200
/* Figures older than that are no more than history. */
#define OLD_INTERVALS 3
#define OLD_MS 2000
/* A clock that moves more than that between two decisions has jumped. */
#define JUMP_INTERVALS 10
#define JUMP_MS 60000
/* Limits of pressure: that of priority 0, and how much more for each above. */
#define PRESSURE_FIRST 50
#define PRESSURE_STEP 4

unsigned demand_pressure_limit(unsigned priority)
{
    return PRESSURE_FIRST + PRESSURE_STEP * priority;
}

/* --- the band --- */

/* Its edges, as thousandths of thousandths, so that halves of small headrooms
 * are not lost. */
typedef struct Band {
    uint64_t low;
    uint64_t middle;                      /* where growing and shrinking end */
    uint64_t high;
} Band;

static Band band_of(const DemandConfig *c, bool pressed)
{
    const uint64_t whole = WHOLE * WHOLE;
    uint64_t low = c->headroom * WHOLE / (pressed ? PRESSED_PART : 1);
    uint64_t part = low * (whole - low) / whole;

    return (Band) { low, low + part / 4, low + part / 2 };
}

/* What a guest that uses @used must have, so that @available, of a band, of it
 * is available. */
static uint64_t total_for(uint64_t used, uint64_t available)
{
    const uint64_t whole = WHOLE * WHOLE;
    unsigned __int128 total = (unsigned __int128)used * whole /
                              (whole - available);

    return total > UINT64_MAX / 2 ? UINT64_MAX / 2 : (uint64_t)total;
}

/* --- a decision in the making --- */

typedef struct Making {
    DemandPolicy *p;
    const DemandConfig *c;
    const DemandFigures *f;
    DemandDecision *d;
    Band band;
    uint64_t largest_block;
    int64_t delay_ms;                     /* before shrinking */
    uint64_t used;                        /* of the guest now */
    uint64_t peak;                        /* and at most, during the delay */
    int64_t base;                         /* what it has besides what is plugged */
    uint64_t growth;                      /* what it may take soon */
    bool risen;                           /* it uses more than at any time since
                                             it was last given memory */
    bool swaps;
    bool faults;
} Making;

static uint64_t sum_of(const uint64_t *sizes, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        sum += sizes[i];
    }
    return sum;
}

static uint64_t sum_plugged(const DemandFigures *f)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        sum += f->devices[i].plugged;
    }
    return sum;
}

/* Shares out @goal. Devices that are put off are left alone unless it @must be. */
static void share_out(Making *m, uint64_t goal, bool must)
{
    const DemandFigures *f = m->f;
    DemandDecision *d = m->d;
    DemandShare shares[DEMAND_DEVICES_MAX];
    bool grows = goal > d->sum;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        const DemandDeviceState *s = &m->p->devices[i];
        uint64_t now = d->requests[i];
        bool may = must || (grows ? demand_device_may_grow(s, f->now_ms)
                                  : demand_device_may_shrink(s, f->now_ms));

        shares[i].low = !may || grows ? now : 0;
        shares[i].high = !may || !grows ? now : f->devices[i].size;
    }
    demand_share_out(f->devices, shares, f->nr_devices, goal, m->c->max);
    for (unsigned i = 0; i < f->nr_devices; i++) {
        d->requests[i] = shares[i].size;
    }
    d->sum = sum_of(d->requests, f->nr_devices);
}

/* --- the steps --- */

static bool clock_has_jumped(const DemandPolicy *p, const DemandConfig *c,
                             int64_t now_ms)
{
    return now_ms < p->last_ms ||
           now_ms - p->last_ms > JUMP_MS + JUMP_INTERVALS * c->interval_ms;
}

/* What is known of a time that is past, or never was, is of no use. */
static void mind_clock(Making *m)
{
    DemandPolicy *p = m->p;
    int64_t now_ms = m->f->now_ms;

    if (!p->started || clock_has_jumped(p, m->c, now_ms)) {
        demand_history_forget(&p->history);
        for (unsigned i = 0; i < m->f->nr_devices; i++) {
            demand_device_restart(&p->devices[i], &m->f->devices[i], now_ms);
        }
        p->may_shrink_ms = now_ms;
        p->shrunk = false;
        p->most_used = 0;
        p->pressed_until_ms = now_ms;
    }
}

/* Takes back requests that led to nothing. */
static void mind_devices(Making *m)
{
    const DemandFigures *f = m->f;
    DemandDecision *d = m->d;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        const DemandDevice *dev = &f->devices[i];

        d->requests[i] = demand_device_update(&m->p->devices[i], dev,
                                              f->now_ms);
        if (d->requests[i] != dev->requested) {
            d->reason = d->requests[i] < dev->requested ? DEMAND_REFUSED
                                                        : DEMAND_NOT_UNPLUGGED;
        }
        d->old_sum += dev->requested;
    }
    d->sum = sum_of(d->requests, f->nr_devices);
}

/* The minimum and the maximum hold whatever else is known. */
static void mind_bounds(Making *m)
{
    DemandDecision *d = m->d;

    if (d->sum < m->c->min) {
        share_out(m, m->c->min, true);
        d->reason = d->old_sum < m->c->min ? DEMAND_BELOW_MIN : d->reason;
    } else if (d->sum > m->c->max) {
        share_out(m, m->c->max, true);
        d->reason = d->old_sum > m->c->max ? DEMAND_ABOVE_MAX : d->reason;
    }
}

static void mind_pressure(Making *m)
{
    DemandPolicy *p = m->p;
    unsigned limit = demand_pressure_limit(m->c->priority);
    unsigned pressure = m->f->host.pressure;
    int64_t now_ms = m->f->now_ms;

    if (pressure >= limit || (p->pressed && pressure >= limit / 2)) {
        p->pressed = true;
        p->pressed_until_ms = now_ms + 2 * m->c->shrink_delay_ms;
    } else if (now_ms >= p->pressed_until_ms) {
        p->pressed = false;
    }
    m->d->pressed = p->pressed;
    m->band = band_of(m->c, p->pressed);
}

/* The most memory that the guest can have. */
static uint64_t most_total(const DemandFigures *f)
{
    uint64_t most = f->boot;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        most += f->devices[i].size;
    }
    return most;
}

/* false: no decision can be based on what the guest says. */
static bool check_statistics(Making *m)
{
    const DemandGuest *g = &m->f->guest;
    DemandReason *reason = &m->d->reason;

    if (!g->driver) {
        *reason = DEMAND_NO_DRIVER;
    } else if (g->age_ms < 0) {
        *reason = DEMAND_NO_STATISTICS;
    } else if (g->age_ms > OLD_INTERVALS * m->c->interval_ms + OLD_MS) {
        *reason = DEMAND_OLD_STATISTICS;
    } else if (g->total == UINT64_MAX || g->available == UINT64_MAX) {
        *reason = DEMAND_NO_STATISTICS;
    } else if (!g->total || g->available > g->total ||
               g->total > most_total(m->f)) {
        *reason = DEMAND_FALSE_STATISTICS;
    } else {
        return true;
    }
    return false;
}

/* By how much a counter of the guest has gone up; 0: it does not tell, or began
 * anew. Keeps it in *@last. */
static uint64_t gone_up(uint64_t *last, uint64_t now)
{
    uint64_t before = *last;

    *last = now;
    return before == UINT64_MAX || now == UINT64_MAX || now < before
           ? 0 : now - before;
}

/* Whether it swaps out, or reads pages again, since the last figures, @passed ms
 * ago. Nothing is taken away then. */
static void mind_shortage(Making *m, bool follows, int64_t passed)
{
    const DemandGuest *g = &m->f->guest;
    DemandPolicy *p = m->p;
    uint64_t swapped = gone_up(&p->last_swapped_out, g->swapped_out);
    uint64_t faults = gone_up(&p->last_major_faults, g->major_faults);

    if (follows) {
        m->swaps = swapped;
        m->faults = faults > FAULTS_PER_SECOND * (uint64_t)passed / 1000;
    }
    if (m->swaps || m->faults) {
        p->may_shrink_ms = m->f->now_ms + m->delay_ms;
    }
}

/* Takes the statistics in: history, how fast the guest allocates, whether it
 * swaps. */
static void mind_statistics(Making *m)
{
    const DemandGuest *g = &m->f->guest;
    DemandPolicy *p = m->p;
    bool follows = p->history.nr_spans;
    int64_t passed = MAX(1, m->f->now_ms - p->last_ms);
    uint64_t before = follows ? demand_history_peak(&p->history).used : 0;
    DemandSpan peak;

    m->used = g->total - g->available;
    m->risen = m->used > p->most_used;
    p->most_used = MAX(p->most_used, m->used);
    demand_history_add(&p->history, m->f->now_ms, m->delay_ms, m->used,
                       (int64_t)(g->total - sum_plugged(m->f)));
    peak = demand_history_peak(&p->history);
    m->peak = peak.used;
    m->base = peak.base;
    if (follows && m->used > before) {
        unsigned __int128 growth = (unsigned __int128)(m->used - before) *
                                   LOOKAHEAD * m->c->interval_ms / passed;

        m->growth = growth < g->total ? (uint64_t)growth : g->total;
    }
    mind_shortage(m, follows, passed);
    m->d->used = m->used;
}

/* What the guest will have once it has done what is requested, as far as it can
 * be counted on. What it tells of a plug comes after the plug, which the peak
 * of @base makes up for. */
static uint64_t expected_total(const Making *m)
{
    int64_t total = m->base;

    for (unsigned i = 0; i < m->f->nr_devices; i++) {
        total += m->p->devices[i].stalled ? m->f->devices[i].plugged
                                          : m->d->requests[i];
    }
    return total > 0 ? total : 0;
}

/* The sum with which the guest has @total. */
static uint64_t sum_with(const Making *m, uint64_t total)
{
    int64_t sum = (int64_t)total - m->base;

    return MIN(MAX(sum > 0 ? (uint64_t)sum : 0, m->c->min), m->c->max);
}

/* Why the devices have not, or not enough, grown. */
static DemandReason why_not_grown(const Making *m)
{
    for (unsigned i = 0; i < m->f->nr_devices; i++) {
        const DemandDeviceState *s = &m->p->devices[i];

        if (m->d->requests[i] < m->f->devices[i].size &&
            !demand_device_may_grow(s, m->f->now_ms)) {
            return s->stalled ? DEMAND_NOT_PLUGGED : DEMAND_REFUSED;
        }
    }
    return DEMAND_AT_MAX;
}

static void grow(Making *m, DemandReason reason)
{
    const DemandHost *host = &m->f->host;
    DemandDecision *d = m->d;
    uint64_t plugged = sum_plugged(m->f), old = d->sum, goal = d->wanted;
    bool limited = host->room != UINT64_MAX && goal > plugged &&
                   goal - plugged > host->room;

    if (limited) {
        goal = plugged + QEMU_ALIGN_DOWN(host->room, m->largest_block);
    }
    if (goal > d->sum) {
        share_out(m, goal, false);
    }
    if (d->sum > old) {
        d->reason = reason;
    } else {
        d->reason = limited ? DEMAND_HOST_LIMIT : why_not_grown(m);
    }
}

static bool unplugs(const DemandFigures *f)
{
    for (unsigned i = 0; i < f->nr_devices; i++) {
        if (f->devices[i].plugged > f->devices[i].requested) {
            return true;
        }
    }
    return false;
}

/* Takes a part of what is too much away, unless it is too early to. */
static void shrink(Making *m, uint64_t expected)
{
    DemandPolicy *p = m->p;
    DemandDecision *d = m->d;
    int64_t now_ms = m->f->now_ms;
    uint64_t part = expected / (d->pressed ? SHRINK_PART_PRESSED : SHRINK_PART);
    uint64_t old = d->sum;
    uint64_t step = MAX(QEMU_ALIGN_UP(MAX(part, (old - d->wanted) / 2),
                                      m->largest_block), m->largest_block);

    if (unplugs(m->f) ||
        (!d->pressed && (!demand_history_is_full(&p->history) ||
                         now_ms < p->may_shrink_ms))) {
        d->reason = DEMAND_WAITING;
        return;
    }
    share_out(m, MAX(d->wanted, old - MIN(old, step)), false);
    if (d->sum < old) {
        p->may_shrink_ms = now_ms + m->c->shrink_delay_ms / SHRINKS_IN_DELAY;
        d->reason = d->pressed ? DEMAND_HOST_PRESSURE : DEMAND_ABOVE_BAND;
        return;
    }
    for (unsigned i = 0; i < m->f->nr_devices; i++) {
        if (d->requests[i] && !demand_device_may_shrink(&p->devices[i], now_ms)) {
            d->reason = DEMAND_NOT_UNPLUGGED;
        }
    }
}

/* Under pressure nothing waits for what was used a while ago. */
static void mind_band(Making *m)
{
    DemandDecision *d = m->d;
    uint64_t expected = expected_total(m);
    uint64_t peak = d->pressed ? m->used : m->peak;

    if (expected < total_for(m->used, m->band.low)) {
        d->wanted = sum_with(m, total_for(m->used + m->growth,
                                          m->band.middle));
        grow(m, DEMAND_BELOW_BAND);
    } else if ((m->swaps || m->faults) &&
               expected < total_for(m->used, m->band.middle)) {
        d->wanted = sum_with(m, total_for(m->used, m->band.middle));
        grow(m, m->swaps ? DEMAND_GUEST_SWAPS : DEMAND_GUEST_FAULTS);
    } else if (expected > total_for(peak, m->band.high)) {
        d->wanted = sum_with(m, total_for(peak, m->band.middle));
        if (d->wanted < d->sum) {
            shrink(m, expected);
        }
    } else {
        d->wanted = d->sum;
        d->reason = expected > total_for(m->used, m->band.high)
                    ? DEMAND_WAITING : d->reason;
    }
}

/* What is given back only to be taken again soon costs more than it saves: the
 * delay is doubled; and halved where it has shown to be long enough. That the guest
 * needs more than before could not have been known by waiting longer. */
static void mind_mistakes(Making *m)
{
    DemandPolicy *p = m->p;
    int64_t now_ms = m->f->now_ms;
    int64_t soon_ms = p->shrunk_ms + MISTAKE_DELAYS * m->delay_ms;

    if (m->d->sum > m->d->old_sum) {
        if (p->shrunk && now_ms >= soon_ms) {
            p->mistakes /= 2;
        } else if (p->shrunk && !m->risen) {
            p->mistakes = MIN(MAX(1, p->mistakes) * 2, MISTAKE_MAX);
        }
        p->shrunk = false;
        p->most_used = m->used;
        /* What it looked ahead for is left for a while longer. */
        p->may_shrink_ms = now_ms + m->delay_ms + m->c->shrink_delay_ms;
    } else if (m->d->sum < m->d->old_sum) {
        p->shrunk = true;
        p->shrunk_ms = now_ms;
    }
}

/* Takes down what is requested from now on. */
static void remember(Making *m)
{
    const DemandFigures *f = m->f;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        if (m->d->requests[i] != f->devices[i].requested) {
            demand_device_requested(&m->p->devices[i], &f->devices[i],
                                    m->d->requests[i], f->now_ms);
        }
    }
    mind_mistakes(m);
    m->p->started = true;
    m->p->last_ms = f->now_ms;
}

static uint64_t largest_block(const DemandFigures *f)
{
    uint64_t largest = 1;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        largest = MAX(largest, f->devices[i].block);
    }
    return largest;
}

void demand_decide(DemandPolicy *p, const DemandConfig *c,
                   const DemandFigures *f, DemandDecision *d)
{
    Making m = { .p = p, .c = c, .f = f, .d = d,
                 .largest_block = largest_block(f),
                 .delay_ms = c->shrink_delay_ms * MAX(1, p->mistakes) };
    DemandReason done;
    uint64_t sum;

    *d = (DemandDecision) { .reason = DEMAND_IN_BAND };
    mind_clock(&m);
    mind_devices(&m);
    mind_bounds(&m);
    mind_pressure(&m);
    done = d->reason;
    sum = d->sum;
    if (check_statistics(&m)) {
        mind_statistics(&m);
        mind_band(&m);
    } else {
        demand_history_forget(&p->history);
    }
    /* What was done counts for more than that nothing else is to do. */
    if (done != DEMAND_IN_BAND && d->sum == sum) {
        d->reason = done;
    }
    remember(&m);
}
