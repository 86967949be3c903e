/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory a guest should have: figures in, decision out. Who uses it is
 * the memory controller, which gathers the figures and carries out what is
 * decided. Nothing here reads a clock, a file or an object, so that tests replay
 * whatever can happen (tests/unit/test-demand-*.c).
 *
 * What is kept in a band is the share of its memory that the guest has
 * available, a. With the headroom h, of 1:
 *
 *     a < h                    grow, at once, to h + h(1 - h)/4
 *     a > h + h(1 - h)/2       shrink, to the same, if that has held for
 *                              shrink_delay_ms, and nothing has grown
 *                              for twice as long
 *
 * Growing looks ahead: what the guest has taken since the last figures, beyond
 * the most of the last while, it is taken to take again in each of the next
 * LOOKAHEAD intervals. So a guest that takes R bytes a second never runs out if
 * R times (interval + the time that a plug takes) is less than h times what it
 * has.
 *
 * Shrinking goes by the most that was used during shrink_delay_ms, so neither
 * a noisy figure nor a sawtooth makes it go up and down. It takes half of what is
 * too much, and looks again, so a mistake is half as bad; and it ends where growing
 * ends, well above where growing begins. So a load that is steady is left alone in
 * the end. What growing looked ahead for is left for twice the delay, so that a
 * load that climbs is not held up by taking back. Where growing follows a shrink
 * soon, the delay doubles, up to sixteen times, unless the guest needs more than
 * since it last grew: to have waited longer would not have told of that.
 *
 * A guest that swaps out, or that has to read many pages of its programs again
 * (major faults), is short of memory whatever it says is available: nothing is
 * taken from it, and it gets more, up to where growing ends.
 *
 * Sizes are bytes, times milliseconds of a clock that may jump.
 */
#ifndef DEMAND_POLICY_H
#define DEMAND_POLICY_H

#include "device.h"
#include "history.h"

#define DEMAND_DEVICES_MAX 16

/* --- figures --- */

typedef struct DemandConfig {
    uint64_t min;                         /* of all devices together; both are */
    uint64_t max;                         /* multiples of each block size */
    unsigned headroom;                    /* thousandths, 1 to 999 */
    unsigned priority;                    /* 0 to 100: the lower, the sooner
                                             memory goes back to the host */
    int64_t interval_ms;                  /* between two decisions */
    int64_t shrink_delay_ms;
} DemandConfig;

/* What the guest says; it may say anything. UINT64_MAX: not told. */
typedef struct DemandGuest {
    bool driver;                          /* that tells statistics is there */
    int64_t age_ms;                       /* of the figures; -1: there are none */
    uint64_t total;
    uint64_t available;
    uint64_t swapped_out;                 /* since it started */
    uint64_t major_faults;                /* the same: how many pages had to be
                                             read before a process could go on */
} DemandGuest;

/* Of the host. */
typedef struct DemandHost {
    unsigned pressure;                    /* thousandths of the time in which
                                             somebody waits for memory */
    uint64_t room;                        /* what may still be taken;
                                             UINT64_MAX: not limited */
} DemandHost;

typedef struct DemandFigures {
    int64_t now_ms;
    uint64_t boot;                        /* RAM that is always there */
    DemandGuest guest;
    DemandHost host;
    unsigned nr_devices;                  /* at most DEMAND_DEVICES_MAX */
    DemandDevice devices[DEMAND_DEVICES_MAX];
} DemandFigures;

/* --- the decision --- */

typedef enum DemandReason {
    DEMAND_IN_BAND,
    DEMAND_BELOW_BAND,                    /* grows */
    DEMAND_GUEST_SWAPS,                   /* grows, though not below the band */
    DEMAND_GUEST_FAULTS,                  /* the same */
    DEMAND_ABOVE_BAND,                    /* shrinks */
    DEMAND_WAITING,                       /* above the band, not long enough */
    DEMAND_BELOW_MIN,
    DEMAND_ABOVE_MAX,
    DEMAND_AT_MAX,                        /* below the band, but cannot grow */
    DEMAND_HOST_PRESSURE,                 /* gives back, or does not grow */
    DEMAND_HOST_LIMIT,                    /* below the band; no room in the host */
    DEMAND_REFUSED,                       /* a plug was; not tried for a while */
    DEMAND_NOT_PLUGGED,                   /* the guest does not ask for it */
    DEMAND_NOT_UNPLUGGED,                 /* the guest cannot; the same */
    DEMAND_NO_DRIVER,                     /* stands still */
    DEMAND_NO_STATISTICS,                 /* the same */
    DEMAND_OLD_STATISTICS,                /* the same */
    DEMAND_FALSE_STATISTICS,              /* the same */
    DEMAND_REASON__MAX
} DemandReason;

typedef struct DemandDecision {
    DemandReason reason;
    /* For each device what is to be requested; the sum of it, and of what was
     * requested before. */
    uint64_t requests[DEMAND_DEVICES_MAX];
    uint64_t sum;
    uint64_t old_sum;
    uint64_t wanted;                      /* the sum that would be right; 0: not
                                             known */
    uint64_t used;                        /* by the guest; 0: not known */
    bool pressed;                         /* the host is under pressure */
} DemandDecision;

/* --- the policy --- */

/* What it remembers. All zero: nothing yet. Owned by the caller. */
typedef struct DemandPolicy {
    DemandHistory history;
    DemandDeviceState devices[DEMAND_DEVICES_MAX];
    bool started;
    int64_t last_ms;                      /* the last decision */
    uint64_t last_swapped_out;
    uint64_t last_major_faults;
    uint64_t most_used;                   /* since it was last given memory */
    int64_t may_shrink_ms;
    bool shrunk;                          /* and not grown since */
    int64_t shrunk_ms;
    int mistakes;                         /* the delay is that many times as
                                             long; 0: once */
    bool pressed;
    int64_t pressed_until_ms;
} DemandPolicy;

/* Decides; to be called about every interval, and carried out. */
void demand_decide(DemandPolicy *p, const DemandConfig *c,
                   const DemandFigures *f, DemandDecision *d);

/* The pressure, in thousandths, from which @priority gives memory back. */
unsigned demand_pressure_limit(unsigned priority);
/* The reason's name in QMP, a literal. */
const char *demand_reason_name(DemandReason reason);
/* What was decided and why, for people; the caller's. */
char *demand_explain(const DemandConfig *c, const DemandFigures *f,
                     const DemandDecision *d);

#endif
