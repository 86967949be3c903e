/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that lives in steps of one interval, for tests of demand/policy.h: it
 * uses memory, tells statistics, plugs and unplugs as it is asked to, at most so
 * much in a step, and not always. After each step what must always hold of a
 * decision is asserted.
 */
#ifndef UNIT_DEMAND_WORLD_H
#define UNIT_DEMAND_WORLD_H

#include "demand/policy.h"
#include "qemu/units.h"

#define SECOND 4                          /* steps, by the policy's defaults */
#define MINUTE (60 * SECOND)
#define DELAY (3 * SECOND)                /* before shrinking */
#define LOW 150                           /* of the band, in thousandths */
#define HIGH 214

typedef struct DemandWorld {
    DemandPolicy policy;
    DemandConfig config;
    DemandFigures figures;
    DemandDecision decision;              /* the last one */

    /* What the guest is like. */
    uint64_t used;
    uint64_t overhead;                    /* boot RAM that it does not count */
    uint64_t reads;                       /* of files, bytes in a step; they stay
                                             cached until memory is short */
    uint64_t plugs, unplugs;              /* bytes in a step, at most */
    uint64_t keeps;                       /* plugged that it cannot unplug */
    uint64_t refused_above;               /* plugged; beyond, plugs are refused */
    bool silent;                          /* tells no statistics */
    bool late;                            /* its total lacks what the last step
                                             has plugged */
    int64_t noise;                        /* of what is available, bytes */

    /* What has happened. */
    unsigned requests;                    /* sizes that were requested */
    unsigned grown, shrunk;               /* decisions */
    unsigned starved;                     /* steps without available memory */
    uint64_t spent;                       /* plugged, summed over the steps */
    uint64_t plugged;
    uint64_t cached;                      /* what it has read: available, not free */
} DemandWorld;

/* A guest with 1 GiB and one device of 16 GiB in blocks of 2 MiB, which uses
 * 300 MiB; the policy's defaults. */
void demand_world_init(DemandWorld *w);
/* Adds a device, or the first one. */
void demand_world_add(DemandWorld *w, uint64_t size, uint64_t block,
                      uint64_t boot);
void demand_world_step(DemandWorld *w);
void demand_world_steps(DemandWorld *w, unsigned n);
/* Steps until nothing has been requested for @quiet of them; @n at most. */
bool demand_world_settles(DemandWorld *w, unsigned quiet, unsigned n);
/* What is available, in thousandths of what the guest has. */
unsigned demand_world_available(const DemandWorld *w);
/* Begins a life in which @used is used, from when nothing is requested any more;
 * what has happened until then is not counted. */
void demand_world_start(DemandWorld *w, uint64_t used);
void demand_world_assert_settles(DemandWorld *w);
/* What is available is within the default headroom's band. */
void demand_world_assert_in_band(const DemandWorld *w);

#endif
