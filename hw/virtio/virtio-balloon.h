/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-balloon (virtio 1.2, section 5.5): the guest gives pages back, those
 * it puts into the balloon (QMP's balloon command says how many) and, with
 * free-page-reporting, those that it happens not to use.
 *
 * It is the uncoordinated discarder: nobody is told of what it discards, so it
 * discards nothing while somebody forbids that (ram_block_discard_disabled_by):
 * the guest notices no difference, but nothing is saved, and a warning says so
 * once.
 *
 * Of a region with a RamDiscardMgr it discards just what is populated; that
 * stays populated: it is the guest's, and reads as zero.
 */
#ifndef HW_VIRTIO_VIRTIO_BALLOON_H
#define HW_VIRTIO_VIRTIO_BALLOON_H

#include <linux/virtio_balloon.h>

#include "hw/virtio/virtio.h"
#include "qemu/timer.h"

#define TYPE_VIRTIO_BALLOON "virtio-balloon-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOBalloon, VIRTIO_BALLOON)

/* What the driver last told of the guest's memory: virtio-balloon-stats.c. */
typedef struct VirtIOBalloonStats {
    uint32_t interval;                    /* seconds between two questions; 0:
                                             none is asked */
    uint64_t values[VIRTIO_BALLOON_S_NR]; /* UINT64_MAX: not told */
    int64_t last_update;                  /* seconds since 1970; 0: never */
    int64_t update_ms;                    /* the same, of the virtual clock; not
                                             valid if last_update is 0 */
    QEMUTimer *timer;                     /* NULL: not realized */
} VirtIOBalloonStats;

struct VirtIOBalloon {
    VirtIODevice parent_obj;

    /* Properties. */
    bool deflate_on_oom;
    bool free_page_reporting;
    bool free_page_hint;

    /* What the guest sees, in pages of 4 KiB. */
    uint32_t num_pages;                   /* that it should give back */
    uint32_t actual;                      /* that it says it has */

    /* The host's. */
    VirtQueue *inflate_vq;
    VirtQueue *deflate_vq;
    /* What for, the driver's features say (feature_of()). */
    VirtQueue *stats_vq;
    VirtQueue *hint_vq;                   /* NULL: no free-page-hint */
    VirtQueue *report_vq;                 /* NULL: no free-page-reporting */
    VirtIOBalloonStats stats;
    bool said_forbidden;
    bool said_failed;
};

/* The interface by which others ask for the figures. */
void virtio_balloon_stats_class_init(ObjectClass *klass);
/* In this order; the first adds the properties. */
void virtio_balloon_stats_init(VirtIOBalloon *b);
void virtio_balloon_stats_realize(VirtIOBalloon *b);
void virtio_balloon_stats_reset(VirtIOBalloon *b);
void virtio_balloon_stats_unrealize(VirtIOBalloon *b);
/* The driver is ready. Linux makes the first figures available earlier, when no
 * kick counts; so they are asked for now. */
void virtio_balloon_stats_driver_ok(VirtIOBalloon *b);
/* The driver has made figures available. */
void virtio_balloon_stats_handle_queue(VirtIODevice *vdev, VirtQueue *vq);

#endif
