/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-rng (VIRTIO 1.2, 5.4): random bytes for the guest, from a source on the
 * host (sysemu/rng.h), and at most so many in a period of time.
 */
#ifndef HW_VIRTIO_VIRTIO_RNG_H
#define HW_VIRTIO_VIRTIO_RNG_H

#include "hw/virtio/virtio.h"
#include "qemu/timer.h"
#include "sysemu/rng.h"

#define TYPE_VIRTIO_RNG "virtio-rng-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIORNG, VIRTIO_RNG)

struct VirtIORNG {
    VirtIODevice parent_obj;

    /* Properties. */
    RngBackend *rng;                      /* none given: a child of its own */
    uint64_t max_bytes;                   /* in a period */
    uint32_t period_ms;
    IOThread *iothread;

    VirtQueue *vq;
    uint64_t quota;                       /* bytes left in this period */
    QEMUTimer *timer;                     /* the period's end; pending once
                                             something was given in it */
    Notifier ready;                       /* the source has bytes again */
    bool waiting;                         /* for that ... */
    bool told;                            /* ... as the source knows */
    int error;                            /* of the source, not said yet; errno */
    struct QEMUBH *rest_bh;               /* what a turn leaves to the main loop */
    uint64_t nr_failures;                 /* of the source */
};

#endif
