/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One memory device as the policy sees it: what was asked of it, what became of
 * it, and for how long nothing should be asked again.
 *
 * - A plug was refused: the request goes back to what is plugged, and the device
 *   does not grow for 10 s, then 20 s, ... up to 5 minutes; one that works ends
 *   this.
 * - The guest has unplugged nothing for 5 s (what is left is in use): the same
 *   for shrinking.
 * - The guest has plugged nothing for 5 s, and was not refused (it has no driver
 *   yet): the request stays, but is not counted on, nor raised.
 *
 * Pure; bytes, milliseconds.
 */
#ifndef DEMAND_DEVICE_H
#define DEMAND_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* Figures. */
typedef struct DemandDevice {
    uint64_t block;                       /* a power of two */
    uint64_t size;                        /* of the region: the most */
    uint64_t boot;                        /* RAM of its node besides */
    uint64_t requested;
    uint64_t plugged;
    uint64_t refusals;                    /* so far */
    bool refused;                         /* and nothing plugged since */
} DemandDevice;

/* What is remembered of it. All zero: nothing yet. */
typedef struct DemandDeviceState {
    uint64_t plugged;                     /* when it was last looked at */
    uint64_t refusals;
    int64_t progress_ms;                  /* since when it has not changed */
    bool shrinking;
    bool stalled;                         /* the guest does not plug */
    int64_t grow_ms;                      /* not before that; and how long that */
    int64_t grow_pause_ms;                /* was put off; 0: may */
    int64_t shrink_ms;
    int64_t shrink_pause_ms;
} DemandDeviceState;

/* Begins anew at @now_ms, as the clock has jumped: what was to wait does so
 * again, as long as before. */
void demand_device_restart(DemandDeviceState *s, const DemandDevice *dev,
                           int64_t now_ms);
/*
 * Looks at what has become of the last request. Returns the request that should
 * stand now: the same, or, where it led to nothing, what is plugged.
 */
uint64_t demand_device_update(DemandDeviceState *s, const DemandDevice *dev,
                              int64_t now_ms);
/* Another size, @request, is requested now. */
void demand_device_requested(DemandDeviceState *s, const DemandDevice *dev,
                             uint64_t request, int64_t now_ms);

bool demand_device_may_grow(const DemandDeviceState *s, int64_t now_ms);
bool demand_device_may_shrink(const DemandDeviceState *s, int64_t now_ms);

#endif
