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

#define TYPE_VIRTIO_BALLOON "virtio-balloon-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOBalloon, VIRTIO_BALLOON)

struct VirtIOBalloon {
    VirtIODevice parent_obj;

    /* Properties. */
    bool deflate_on_oom;
    bool free_page_reporting;

    /* What the guest sees, in pages of 4 KiB. */
    uint32_t num_pages;                   /* that it should give back */
    uint32_t actual;                      /* that it says it has */

    /* The host's. */
    VirtQueue *inflate_vq;
    VirtQueue *deflate_vq;
    VirtQueue *report_vq;                 /* NULL: no free-page-reporting */
    bool said_forbidden;
    bool said_failed;
};

#endif
