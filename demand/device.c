/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the requests to one memory device: see device.h. */
#include "qemu/osdep.h"

#include "device.h"

/* For the guest to do something about a request. */
#define PATIENCE_MS 5000
#define PAUSE_FIRST_MS 10000
#define PAUSE_MAX_MS 300000

static void pause_for(int64_t *until_ms, int64_t *pause_ms, int64_t now_ms)
{
    *pause_ms = *pause_ms ? MIN(*pause_ms * 2, PAUSE_MAX_MS) : PAUSE_FIRST_MS;
    *until_ms = now_ms + *pause_ms;
}

void demand_device_restart(DemandDeviceState *s, const DemandDevice *dev,
                           int64_t now_ms)
{
    s->plugged = dev->plugged;
    s->progress_ms = now_ms;
    s->grow_ms = now_ms + s->grow_pause_ms;
    s->shrink_ms = now_ms + s->shrink_pause_ms;
}

/* What the guest has done since. */
static void note_progress(DemandDeviceState *s, const DemandDevice *dev,
                          int64_t now_ms)
{
    if (dev->plugged > s->plugged) {
        s->grow_pause_ms = 0;
    }
    if (dev->plugged != s->plugged) {
        s->plugged = dev->plugged;
        s->progress_ms = now_ms;
        s->stalled = false;
    }
    if (dev->plugged <= dev->requested && s->shrinking) {
        s->shrinking = false;
        s->shrink_pause_ms = 0;
    }
}

uint64_t demand_device_update(DemandDeviceState *s, const DemandDevice *dev,
                              int64_t now_ms)
{
    bool news = dev->refusals != s->refusals;

    note_progress(s, dev, now_ms);
    s->refusals = dev->refusals;
    if (dev->plugged < dev->requested) {
        if (news && dev->refused) {
            pause_for(&s->grow_ms, &s->grow_pause_ms, now_ms);
            return dev->plugged;
        }
        s->stalled = now_ms - s->progress_ms >= PATIENCE_MS;
    } else if (dev->plugged > dev->requested &&
               now_ms - s->progress_ms >= PATIENCE_MS) {
        pause_for(&s->shrink_ms, &s->shrink_pause_ms, now_ms);
        s->shrinking = false;
        return dev->plugged;
    } else {
        s->stalled = false;
    }
    return dev->requested;
}

void demand_device_requested(DemandDeviceState *s, const DemandDevice *dev,
                             uint64_t request, int64_t now_ms)
{
    s->progress_ms = now_ms;
    s->shrinking = request < dev->plugged;
}

bool demand_device_may_grow(const DemandDeviceState *s, int64_t now_ms)
{
    return !s->stalled && (!s->grow_pause_ms || now_ms >= s->grow_ms);
}

bool demand_device_may_shrink(const DemandDeviceState *s, int64_t now_ms)
{
    return !s->shrink_pause_ms || now_ms >= s->shrink_ms;
}
