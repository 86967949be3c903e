/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-balloon: figures on the guest's memory (VIRTIO 1.2, 5.5.6.3), which
 * clients read as the property "guest-stats".
 *
 * The driver makes one buffer with its figures available; as soon as the device
 * has used it, a new one comes. So the device reads the buffer when it is made
 * available, and uses it when the next figures are due. Between the two nothing
 * of the guest's is held: the buffer stays in the ring, and is popped again.
 */
#include "qemu/osdep.h"
#include "hw/mem/guest-memory-stats.h"
#include "monitor/qmp.h"
#include "qapi/json-uint64.h"
#include "qapi/visitor.h"
#include "qemu/iov.h"
#include "qemu/timer.h"
#include "virtio-balloon.h"

/* Of one buffer; Linux sends ten. */
#define MAX_ENTRIES 64

/* Clients see them behind "stat-". */
static const char *const stat_names[VIRTIO_BALLOON_S_NR] = {
    [VIRTIO_BALLOON_S_SWAP_IN] = "swap-in",
    [VIRTIO_BALLOON_S_SWAP_OUT] = "swap-out",
    [VIRTIO_BALLOON_S_MAJFLT] = "major-faults",
    [VIRTIO_BALLOON_S_MINFLT] = "minor-faults",
    [VIRTIO_BALLOON_S_MEMFREE] = "free-memory",
    [VIRTIO_BALLOON_S_MEMTOT] = "total-memory",
    [VIRTIO_BALLOON_S_AVAIL] = "available-memory",
    [VIRTIO_BALLOON_S_CACHES] = "disk-caches",
    [VIRTIO_BALLOON_S_HTLB_PGALLOC] = "htlb-pgalloc",
    [VIRTIO_BALLOON_S_HTLB_PGFAIL] = "htlb-pgfail",
};

/* What a figure is that the driver has not told. */
#define NOT_TOLD UINT64_MAX

static void forget_figures(VirtIOBalloonStats *stats)
{
    for (unsigned i = 0; i < VIRTIO_BALLOON_S_NR; i++) {
        stats->values[i] = NOT_TOLD;
    }
}

/* --- the queue --- */

static void read_figures(VirtIOBalloonStats *stats,
                         const VirtQueueElement *elem)
{
    struct virtio_balloon_stat stat;

    forget_figures(stats);
    for (size_t i = 0; i < MAX_ENTRIES; i++) {
        uint16_t tag;

        if (iov_to_buf(elem->out_sg, elem->out_num, i * sizeof(stat), &stat,
                       sizeof(stat)) < sizeof(stat)) {
            break;
        }
        tag = GUINT16_FROM_LE(stat.tag);
        if (tag < VIRTIO_BALLOON_S_NR) {
            stats->values[tag] = GUINT64_FROM_LE(stat.val);
        }
    }
    stats->last_update = qemu_clock_get_ns(QEMU_CLOCK_HOST) /
                         NANOSECONDS_PER_SECOND;
    stats->update_ms = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);
}

/* Nothing is asked before the interval is over. */
static void ask_later(VirtIOBalloonStats *stats)
{
    timer_del(stats->timer);
    if (stats->interval) {
        timer_mod(stats->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
                  stats->interval * 1000LL);
    }
}

void virtio_balloon_stats_handle_queue(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOBalloonStats *stats = &VIRTIO_BALLOON(vdev)->stats;
    VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem));

    if (elem) {
        read_figures(stats, elem);
        virtqueue_unpop(vq, elem, 0);
        virtqueue_free_element(vq, elem);
        ask_later(stats);
        guest_memory_stats_updated();
    }
}

/* Uses the buffer: the driver answers with one that has new figures. */
static void ask(void *opaque)
{
    VirtIOBalloon *b = opaque;
    VirtQueue *vq = b->stats_vq;
    VirtQueueElement *elem;

    if (!virtio_vdev_has_feature(VIRTIO_DEVICE(b), VIRTIO_BALLOON_F_STATS_VQ)) {
        return;
    }
    elem = virtqueue_pop(vq, sizeof(*elem));
    if (elem) {
        virtqueue_fill(vq, elem, 0, 0);
        virtqueue_free_element(vq, elem);
        virtqueue_flush(vq, 1);
        virtio_notify(VIRTIO_DEVICE(b), vq);
        /* The next ones may be there already; if not, a kick is wanted. */
        virtio_balloon_stats_handle_queue(VIRTIO_DEVICE(b), vq);
    }
}

/* --- properties --- */

static void get_interval(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    int64_t interval = VIRTIO_BALLOON(obj)->stats.interval;

    visit_type_int64(v, name, &interval, errp);
}

static void set_interval(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    VirtIOBalloonStats *stats = &VIRTIO_BALLOON(obj)->stats;
    int64_t interval;

    if (!visit_type_int64(v, name, &interval, errp)) {
        return;
    }
    if (interval < 0 || interval > UINT32_MAX) {
        error_setg(errp, "%s=%" PRId64 ": expected are seconds, 0 (do not ask "
                   "the guest) to %u", name, interval, UINT32_MAX);
        return;
    }
    stats->interval = interval;
    if (stats->timer) {
        ask_later(stats);
    }
}

static void get_figures(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const VirtIOBalloonStats *stats = &VIRTIO_BALLOON(obj)->stats;
    JsonObject *figures = json_object_new(), *value = json_object_new();
    g_autoptr(JsonNode) node = json_object_node(value);
    JsonNode *p = node;

    for (unsigned i = 0; i < VIRTIO_BALLOON_S_NR; i++) {
        g_autofree char *member = g_strconcat("stat-", stat_names[i], NULL);

        json_object_set_uint64_member(figures, member, stats->values[i]);
    }
    json_object_set_object_member(value, "stats", figures);
    json_object_set_int_member(value, "last-update", stats->last_update);
    visit_type_any(v, name, &p, errp);
}

/* --- for others --- */

static void get_memory_figures(Object *obj, GuestMemoryFigures *figures)
{
    const VirtIOBalloonStats *stats = &VIRTIO_BALLOON(obj)->stats;
    const VirtIODevice *vdev = VIRTIO_DEVICE(obj);
    int64_t now_ms = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);

    *figures = (GuestMemoryFigures) {
        .driver = virtio_device_ready(vdev) &&
                  virtio_vdev_has_feature(vdev, VIRTIO_BALLOON_F_STATS_VQ),
        .age_ms = stats->last_update ? now_ms - stats->update_ms : -1,
        .total = stats->values[VIRTIO_BALLOON_S_MEMTOT],
        .available = stats->values[VIRTIO_BALLOON_S_AVAIL],
        .swapped_out = stats->values[VIRTIO_BALLOON_S_SWAP_OUT],
        .major_faults = stats->values[VIRTIO_BALLOON_S_MAJFLT],
    };
}

static void ask_for_figures(Object *obj)
{
    if (VIRTIO_BALLOON(obj)->stats.timer) {
        ask(obj);
    }
}

void virtio_balloon_stats_class_init(ObjectClass *klass)
{
    GuestMemoryStatsClass *gsc = GUEST_MEMORY_STATS_CLASS(klass);

    gsc->get = get_memory_figures;
    gsc->ask = ask_for_figures;
}

/* --- life --- */

void virtio_balloon_stats_init(VirtIOBalloon *b)
{
    forget_figures(&b->stats);
    object_property_add(OBJECT(b), "guest-stats", "guest statistics",
                        get_figures, NULL, NULL, NULL);
    object_property_add(OBJECT(b), "guest-stats-polling-interval", "int",
                        get_interval, set_interval, NULL, NULL);
}

void virtio_balloon_stats_realize(VirtIOBalloon *b)
{
    b->stats.timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, ask, b);
}

void virtio_balloon_stats_driver_ok(VirtIOBalloon *b)
{
    timer_mod(b->stats.timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL));
}

void virtio_balloon_stats_reset(VirtIOBalloon *b)
{
    timer_del(b->stats.timer);
    forget_figures(&b->stats);
    b->stats.last_update = 0;
}

void virtio_balloon_stats_unrealize(VirtIOBalloon *b)
{
    timer_free(b->stats.timer);
    b->stats.timer = NULL;
}
