/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk whose image another process has (blk_serve()): the back end gets
 * the queues and guest memory, by vhost-user. The device is the same for the
 * guest and for clients, with the properties that a back end can have. See
 * virtio-blk.h.
 */
#include "qemu/osdep.h"

#include "hw/virtio/vhost-user-link.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "virtio-blk.h"

/* Of the back end's configuration space, what all have. */
#define BACK_END_CONFIG                                                      \
    (offsetof(struct virtio_blk_config, write_zeroes_may_unmap) + 1)

typedef struct VirtIOBlkServed {
    VhostUserLink *link;
    struct virtio_blk_config config;      /* the back end's */
    uint64_t warnings;
} VirtIOBlkServed;

/* --- what the back end says --- */

static bool read_config(VirtIOBlkServed *served, Error **errp)
{
    return vhost_user_link_get_config(served->link, &served->config,
                                      BACK_END_CONFIG, errp);
}

uint64_t virtio_blk_served_size(const VirtIOBlock *s)
{
    uint64_t sectors = GUINT64_FROM_LE(s->served->config.capacity);

    return MIN(sectors, INT64_MAX / BLOCK_SECTOR) * BLOCK_SECTOR;
}

uint64_t virtio_blk_served_features(VirtIOBlock *s, uint64_t features)
{
    static const int depend_on_back_end[] = {
        VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_F_CONFIG_WCE, VIRTIO_BLK_F_DISCARD,
        VIRTIO_BLK_F_WRITE_ZEROES, VIRTIO_RING_F_INDIRECT_DESC,
        VIRTIO_RING_F_EVENT_IDX, -1
    };

    return vhost_user_link_features(s->served->link, depend_on_back_end,
                                    features);
}

/* Of two little-endian numbers. */
static uint32_t lower(uint32_t a, uint32_t b)
{
    return GUINT32_FROM_LE(a) < GUINT32_FROM_LE(b) ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return lower(a, b) == a ? b : a;
}

void virtio_blk_served_config(VirtIOBlock *s, struct virtio_blk_config *c)
{
    const struct virtio_blk_config *theirs = &s->served->config;
    uint32_t seg_max = MIN(GUINT32_FROM_LE(theirs->seg_max),
                           GUINT32_FROM_LE(c->seg_max));

    c->seg_max = GUINT32_TO_LE(seg_max);
    c->max_discard_sectors = lower(theirs->max_discard_sectors,
                                   c->max_discard_sectors);
    c->max_discard_seg = theirs->max_discard_seg;
    c->discard_sector_alignment = higher(theirs->discard_sector_alignment,
                                         c->discard_sector_alignment);
    c->max_write_zeroes_sectors = lower(theirs->max_write_zeroes_sectors,
                                        c->max_write_zeroes_sectors);
    c->max_write_zeroes_seg = theirs->max_write_zeroes_seg;
    c->write_zeroes_may_unmap = theirs->write_zeroes_may_unmap;
}

/* The daemon of QEMU 7.2 goes by the new size, but does not tell it. */
void virtio_blk_served_resized(VirtIOBlock *s)
{
    uint64_t size = blk_size(s->blk);

    if (size) {
        s->served->config.capacity = GUINT64_TO_LE(size / BLOCK_SECTOR);
    }
}

/* --- the write cache --- */

bool virtio_blk_served_write_cache(const VirtIOBlock *s)
{
    return s->served->config.wce;
}

void virtio_blk_served_set_write_cache(VirtIOBlock *s, bool on)
{
    VirtIOBlkServed *served = s->served;
    const uint8_t wce = on;
    Error *err = NULL;

    if (served->config.wce == wce) {
        return;
    }
    if (vhost_user_link_set_config(served->link, &wce,
                                   offsetof(struct virtio_blk_config, wce),
                                   sizeof(wce), &err)) {
        served->config.wce = wce;
        return;
    }
    warn_report_counted(&served->warnings, "virtio-blk: the write cache stays "
                        "as it is: %s", error_get_pretty(err));
    error_free(err);
}

/* --- life --- */

/* What no back end does, whether the device or -drive says so. */
static bool check_properties(VirtIOBlock *s, Error **errp)
{
    const struct { const char *name; BlockErrorPolicy policy; } given[] = {
        { "werror", s->werror ?: blk_error_policy(s->blk, false) },
        { "rerror", s->rerror ?: blk_error_policy(s->blk, true) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
        if (given[i].policy != BLOCK_ERROR_AUTO &&
            given[i].policy != BLOCK_ERROR_REPORT) {
            error_setg(errp, "%s=%s: an image of qemu-storage-daemon can have "
                       "report only", given[i].name,
                       BlockErrorPolicy_lookup.array[given[i].policy]);
            return false;
        }
    }
    if (s->serial) {
        warn_report("serial=%s: the guest sees qemu-storage-daemon's instead, "
                    "which is vhost_user_blk", s->serial);
    }
    if (s->iothread) {
        warn_report("iothread=%s: qemu-storage-daemon processes the disk's "
                    "queues, in its own thread",
                    object_get_canonical_path_component(OBJECT(s->iothread)));
    }
    return true;
}

bool virtio_blk_served_prepare(VirtIOBlock *s, Error **errp)
{
    const BlockServeOptions options = {
        .num_queues = s->num_queues,
        .logical_block_size = s->logical_block_size,
    };

    g_autofree char *name = g_strdup_printf("drive '%s'", s->drive);

    s->export = block_export_new(s->drive, &options, errp);
    return s->export &&
           (!qdev_hotplug ||
            vhost_user_link_await(block_export_fd(s->export), name, errp));
}

bool virtio_blk_served_connect(VirtIOBlock *s, Error **errp)
{
    g_autofree char *name = g_strdup_printf("drive '%s'", s->drive);
    VhostUserLink *link;

    if (!check_properties(s, errp)) {
        return false;
    }
    link = vhost_user_link_new(VIRTIO_DEVICE(s), name,
                               blk_serve(s->blk, g_steal_pointer(&s->export)),
                               errp);
    if (!link) {
        return false;
    }
    s->served = g_new0(VirtIOBlkServed, 1);
    s->served->link = link;
    return read_config(s->served, errp);
}

bool virtio_blk_served_start(VirtIOBlock *s, Error **errp)
{
    unsigned available = vhost_user_link_queues(s->served->link);

    if (s->num_queues > available) {
        error_setg(errp, "num-queues=%u: qemu-storage-daemon has %u",
                   s->num_queues, available);
        return false;
    }
    return vhost_user_link_start(s->served->link, s->num_queues, s->queue_size,
                                 errp);
}

void virtio_blk_served_end(VirtIOBlock *s)
{
    vhost_user_link_free(s->served->link);
    g_clear_pointer(&s->served, g_free);
}

/* --- the device's course --- */

void virtio_blk_served_run_changed(VirtIOBlock *s)
{
    vhost_user_link_run_changed(s->served->link);
}

void virtio_blk_served_reset(VirtIOBlock *s)
{
    vhost_user_link_reset(s->served->link);
}
