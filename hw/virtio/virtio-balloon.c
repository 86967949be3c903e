/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-balloon, the device: see hw/virtio/virtio-balloon.h. What the guest
 * names is hostile: only whole host pages of plain or populated RAM are ever
 * discarded, whatever the page frame numbers say.
 */
#include "qemu/osdep.h"
#include "virtio-balloon.h"
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "hw/boards.h"
#include "hw/mem/guest-memory-stats.h"
#include "hw/qdev-properties.h"
#include "monitor/qmp.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"

#define QUEUE_SIZE 128
#define PAGE_SIZE (1ULL << VIRTIO_BALLOON_PFN_SHIFT)
/* Frame numbers that are sorted, and so joined, together; Linux sends as many. */
#define BATCH 256
/* In one buffer, so that a guest cannot occupy the main loop for long. */
#define MAX_PFNS (16 * BATCH)
/* What there is of the configuration space without other features. */
#define CONFIG_SIZE                                                          \
    offsetof(struct virtio_balloon_config, free_page_hint_cmd_id)

/* --- discarding --- */

static bool may_discard(VirtIOBalloon *b)
{
    const char *who = ram_block_discard_disabled_by();

    if (who && !b->said_forbidden) {
        b->said_forbidden = true;
        warn_report("virtio-balloon: nothing is given back to the host: %s "
                    "forbids uncoordinated discards of guest memory", who);
    }
    return !who;
}

/* The whole pages of a range of @mr that are the guest's. */
static void discard_in_region(VirtIOBalloon *b, MemoryRegion *mr,
                              uint64_t offset, uint64_t size)
{
    RAMBlock *rb = memory_region_ram_block(mr);
    uint64_t first, end;
    int ret;

    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr) ||
        memory_region_is_rom(mr) || rb->flags & RAM_PREALLOC) {
        return;
    }
    if (memory_region_has_ram_discard_mgr(mr) &&
        !ram_discard_mgr_is_populated(memory_region_get_ram_discard_mgr(mr),
                                      mr, offset, size)) {
        return;
    }
    first = QEMU_ALIGN_UP(offset, qemu_ram_pagesize(rb));
    end = QEMU_ALIGN_DOWN(offset + size, qemu_ram_pagesize(rb));
    if (first >= end) {
        return;
    }
    ret = ram_block_discard_range(rb, first, end - first);
    if (ret && !b->said_failed) {
        b->said_failed = true;
        warn_report("virtio-balloon: memory region '%s': cannot discard %"
                    PRIu64 " bytes: %s", memory_region_name(mr), end - first,
                    strerror(-ret));
    }
}

static void discard_guest_range(VirtIOBalloon *b, hwaddr addr, uint64_t size)
{
    while (size) {
        MemoryRegionSection s = memory_region_find(get_system_memory(), addr,
                                                   size);
        uint64_t done;

        if (!s.mr) {
            return;
        }
        done = s.offset_within_address_space - addr + int128_get64(s.size);
        discard_in_region(b, s.mr, s.offset_within_region,
                          int128_get64(s.size));
        memory_region_unref(s.mr);
        addr += done;
        size -= done;
    }
}

/* --- the queues --- */

static int compare_pfns(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Discards @pfns, in as few runs as they make. */
static void discard_pfns(VirtIOBalloon *b, uint32_t *pfns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pfns[i] = GUINT32_FROM_LE(pfns[i]);
    }
    qsort(pfns, n, sizeof(*pfns), compare_pfns);
    for (size_t i = 0, next; i < n; i = next) {
        uint64_t pages;

        next = i + 1;
        while (next < n && pfns[next] - pfns[next - 1] <= 1) {
            next++;
        }
        pages = pfns[next - 1] - pfns[i] + 1ULL;
        discard_guest_range(b, pfns[i] * PAGE_SIZE, pages * PAGE_SIZE);
    }
}

static void inflate(VirtIOBalloon *b, const VirtQueueElement *elem)
{
    uint32_t pfns[BATCH];
    size_t offset = 0, n;

    while ((n = iov_to_buf(elem->out_sg, elem->out_num, offset, pfns,
                           sizeof(pfns)) / sizeof(*pfns))) {
        discard_pfns(b, pfns, n);
        offset += n * sizeof(*pfns);
    }
}

/* The buffers are the free pages themselves. */
static void report(VirtIOBalloon *b, const VirtQueueElement *elem)
{
    for (unsigned i = 0; i < elem->in_num; i++) {
        discard_guest_range(b, elem->in_addr[i], elem->in_sg[i].iov_len);
    }
}

static bool check_element(VirtIOBalloon *b, VirtQueue *vq,
                          const VirtQueueElement *elem)
{
    size_t size = iov_size(elem->out_sg, elem->out_num);

    if ((vq != b->inflate_vq && vq != b->deflate_vq) ||
        size <= MAX_PFNS * sizeof(uint32_t)) {
        return true;
    }
    virtio_error(VIRTIO_DEVICE(b), "a buffer of %zu bytes has more than %d "
                 "page frame numbers", size, MAX_PFNS);
    return false;
}

/* Linux numbers just the queues of the features that it takes, others number
 * those of the features that are offered: which one @vq, behind the first two
 * queues, belongs to. */
static unsigned feature_of(VirtIOBalloon *b, VirtQueue *vq)
{
    VirtQueue *const vqs[] = { b->stats_vq, b->hint_vq, b->report_vq };
    static const unsigned features[] = {
        VIRTIO_BALLOON_F_STATS_VQ, VIRTIO_BALLOON_F_FREE_PAGE_HINT,
        VIRTIO_BALLOON_F_REPORTING,
    };
    unsigned taken[ARRAY_SIZE(vqs)], of_vq = 0, at = 0, nr_taken = 0, n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(vqs); i++) {
        if (virtio_vdev_has_feature(VIRTIO_DEVICE(b), features[i])) {
            taken[nr_taken++] = features[i];
        }
        if (vqs[i] == vq) {
            of_vq = features[i];
            at = n;
        }
        n += vqs[i] != NULL;
    }
    return at < nr_taken ? taken[at] : of_vq;
}

/* Pages that leave the balloon need nothing: they read as zero. Hints are for a
 * migration, and none has asked for any: whatever comes just goes back. */
static void handle_element(VirtIOBalloon *b, VirtQueue *vq,
                           const VirtQueueElement *elem)
{
    unsigned feature = vq == b->inflate_vq || vq == b->deflate_vq
                       ? 0 : feature_of(b, vq);

    if (vq == b->deflate_vq || feature == VIRTIO_BALLOON_F_FREE_PAGE_HINT ||
        !may_discard(b)) {
        return;
    }
    if (vq == b->inflate_vq) {
        inflate(b, elem);
    } else if (virtio_vdev_has_feature(VIRTIO_DEVICE(b),
                                       VIRTIO_BALLOON_F_REPORTING)) {
        report(b, elem);
    }
}

static void virtio_balloon_handle_queue(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOBalloon *b = VIRTIO_BALLOON(vdev);
    VirtQueueElement *elem;
    unsigned n = 0;

    while (n < QUEUE_SIZE && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        if (!check_element(b, vq, elem)) {
            virtqueue_detach_element(vq, elem, 0);
            virtqueue_free_element(vq, elem);
            break;
        }
        handle_element(b, vq, elem);
        virtqueue_fill(vq, elem, 0, n++);
        virtqueue_free_element(vq, elem);
    }
    if (n) {
        virtqueue_flush(vq, n);
        virtio_notify(vdev, vq);
    }
    if (n == QUEUE_SIZE) {
        virtio_queue_kick_later(vq);
    }
}

static void virtio_balloon_handle_third(VirtIODevice *vdev, VirtQueue *vq)
{
    if (virtio_vdev_has_feature(vdev, VIRTIO_BALLOON_F_STATS_VQ)) {
        virtio_balloon_stats_handle_queue(vdev, vq);
    } else {
        virtio_balloon_handle_queue(vdev, vq);
    }
}

/* --- bus callbacks --- */

static uint64_t virtio_balloon_get_features(VirtIODevice *vdev,
                                            uint64_t features, Error **errp)
{
    VirtIOBalloon *b = VIRTIO_BALLOON(vdev);

    virtio_add_feature(&features, VIRTIO_BALLOON_F_STATS_VQ);
    if (b->deflate_on_oom) {
        virtio_add_feature(&features, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
    }
    if (b->free_page_hint) {
        virtio_add_feature(&features, VIRTIO_BALLOON_F_FREE_PAGE_HINT);
    }
    if (b->free_page_reporting) {
        virtio_add_feature(&features, VIRTIO_BALLOON_F_REPORTING);
    }
    return features;
}

static size_t config_size(const VirtIOBalloon *b)
{
    return b->free_page_hint
           ? offsetof(struct virtio_balloon_config, poison_val) : CONFIG_SIZE;
}

static void virtio_balloon_get_config(VirtIODevice *vdev, uint8_t *data)
{
    VirtIOBalloon *b = VIRTIO_BALLOON(vdev);
    struct virtio_balloon_config config = {
        .num_pages = GUINT32_TO_LE(b->num_pages),
        .actual = GUINT32_TO_LE(b->actual),
        .free_page_hint_cmd_id = GUINT32_TO_LE(VIRTIO_BALLOON_CMD_ID_STOP),
    };

    memcpy(data, &config, config_size(b));
}

static uint64_t ram_size(void)
{
    return current_machine ? current_machine->ram_size : 0;
}

/* What the guest has left of its boot RAM, bytes. */
static uint64_t remaining(const VirtIOBalloon *b)
{
    uint64_t size = b->actual * PAGE_SIZE;

    return size < ram_size() ? ram_size() - size : 0;
}

static JsonObject *change_data(void *opaque)
{
    JsonObject *data = json_object_new();

    json_object_set_int_member(data, "actual", (gint64)remaining(opaque));
    return data;
}

static void virtio_balloon_set_config(VirtIODevice *vdev, const uint8_t *data)
{
    VirtIOBalloon *b = VIRTIO_BALLOON(vdev);
    struct virtio_balloon_config config;
    uint32_t old = b->actual;

    memcpy(&config, data, CONFIG_SIZE);
    b->actual = GUINT32_FROM_LE(config.actual);
    if (b->actual != old) {
        qapi_event_emit_thinned("BALLOON_CHANGE", change_data, b);
    }
}

static void virtio_balloon_set_status(VirtIODevice *vdev, uint8_t val)
{
    if (val & ~vdev->status & VIRTIO_CONFIG_S_DRIVER_OK) {
        virtio_balloon_stats_driver_ok(VIRTIO_BALLOON(vdev));
    }
}

/* The next driver starts with an empty balloon. */
static void virtio_balloon_reset(VirtIODevice *vdev)
{
    VirtIOBalloon *b = VIRTIO_BALLOON(vdev);

    b->actual = 0;
    virtio_balloon_stats_reset(b);
}

/* --- realize --- */

/* The only balloon that there is; NULL: none. */
static VirtIOBalloon *find_balloon(bool *ambiguous)
{
    return (VirtIOBalloon *)object_resolve_path_type("", TYPE_VIRTIO_BALLOON,
                                                     ambiguous);
}

static void virtio_balloon_realize(DeviceState *dev, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIOBalloon *b = VIRTIO_BALLOON(dev);
    bool ambiguous = false;

    find_balloon(&ambiguous);
    if (ambiguous) {
        error_setg(errp, "there is a balloon already, and QMP's balloon command "
                   "names none: one is supported");
        return;
    }
    virtio_init(vdev, "virtio-balloon", VIRTIO_ID_BALLOON,
                config_size(b));
    b->inflate_vq = virtio_add_queue(vdev, QUEUE_SIZE,
                                     virtio_balloon_handle_queue);
    b->deflate_vq = virtio_add_queue(vdev, QUEUE_SIZE,
                                     virtio_balloon_handle_queue);
    b->stats_vq = virtio_add_queue(vdev, QUEUE_SIZE,
                                   virtio_balloon_handle_third);
    b->hint_vq = b->free_page_hint
                 ? virtio_add_queue(vdev, QUEUE_SIZE,
                                    virtio_balloon_handle_queue) : NULL;
    b->report_vq = b->free_page_reporting
                   ? virtio_add_queue(vdev, QUEUE_SIZE,
                                      virtio_balloon_handle_queue) : NULL;
    virtio_balloon_stats_realize(b);
}

static void virtio_balloon_unrealize(DeviceState *dev)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIOBalloon *b = VIRTIO_BALLOON(dev);

    qapi_event_forget_source(b);
    virtio_balloon_stats_unrealize(b);
    if (b->report_vq) {
        virtio_delete_queue(b->report_vq);
    }
    if (b->hint_vq) {
        virtio_delete_queue(b->hint_vq);
    }
    virtio_delete_queue(b->stats_vq);
    virtio_delete_queue(b->deflate_vq);
    virtio_delete_queue(b->inflate_vq);
    virtio_cleanup(vdev);
}

/* --- QMP --- */

static VirtIOBalloon *get_balloon(Error **errp)
{
    VirtIOBalloon *b = find_balloon(NULL);

    if (!b || !DEVICE(b)->realized) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE,
                  "No balloon device has been activated");
        return NULL;
    }
    return b;
}

static JsonNode *qmp_balloon(JsonObject *args, Error **errp)
{
    gint64 value = json_object_get_int_member(args, "value");
    VirtIOBalloon *b = get_balloon(errp);
    uint64_t pages;

    if (!b) {
        return NULL;
    }
    if (value <= 0) {
        error_setg(errp, "Parameter 'value' expects a size: the bytes of boot "
                   "RAM that the guest shall keep, of %" PRIu64, ram_size());
        return NULL;
    }
    pages = (ram_size() - MIN(ram_size(), (uint64_t)value)) / PAGE_SIZE;
    b->num_pages = MIN(pages, UINT32_MAX);
    virtio_notify_config(VIRTIO_DEVICE(b));
    return NULL;
}

static JsonNode *qmp_query_balloon(JsonObject *args, Error **errp)
{
    VirtIOBalloon *b = get_balloon(errp);
    JsonObject *info;

    if (!b) {
        return NULL;
    }
    info = json_object_new();
    json_object_set_int_member(info, "actual", (gint64)remaining(b));
    return json_object_node(info);
}

static const QmpType balloon_types[] = {
    { .name = "BalloonInfo", .members = "actual:int",
      .help = "How much of its boot RAM the guest has.\n"
      "actual: in bytes" },
};

static const QmpCommand balloon_commands[] = {
    { .name = "balloon", .args = "value:int", .fn = qmp_balloon,
      .help =
      "Asks the guest to keep this many bytes of its boot RAM and to give the "
      "rest back; event BALLOON_CHANGE.\n"
      "value: in bytes\n"
      "Errors: DeviceNotActive, if there is no virtio-balloon" },
    { .name = "query-balloon", .returns = "BalloonInfo",
      .fn = qmp_query_balloon,
      .help = "How much of its boot RAM the guest has.\n"
      "Errors: DeviceNotActive, if there is no virtio-balloon" },
};

/* --- type --- */

static const Property virtio_balloon_properties[] = {
    DEFINE_PROP_BOOL("deflate-on-oom", VirtIOBalloon, deflate_on_oom, false),
    DEFINE_PROP_BOOL("free-page-reporting", VirtIOBalloon,
                     free_page_reporting, false),
    DEFINE_PROP_BOOL("free-page-hint", VirtIOBalloon, free_page_hint, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void virtio_balloon_instance_init(Object *obj)
{
    virtio_balloon_stats_init(VIRTIO_BALLOON(obj));
}

static void virtio_balloon_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "memory that the guest gives back to the host";
    device_class_set_props(dc, virtio_balloon_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    vdc->realize = virtio_balloon_realize;
    vdc->reset = virtio_balloon_reset;
    vdc->unrealize = virtio_balloon_unrealize;
    vdc->set_status = virtio_balloon_set_status;
    vdc->get_features = virtio_balloon_get_features;
    vdc->set_config = virtio_balloon_set_config;
    vdc->get_config = virtio_balloon_get_config;
    virtio_balloon_stats_class_init(klass);
}

static const TypeInfo virtio_balloon_info = {
    .parent = TYPE_VIRTIO_DEVICE,
    .name = TYPE_VIRTIO_BALLOON,
    .class_init = virtio_balloon_class_init,
    .instance_init = virtio_balloon_instance_init,
    .instance_size = sizeof(VirtIOBalloon),
    .interfaces = (InterfaceInfo[]) { { TYPE_GUEST_MEMORY_STATS }, { NULL } },
};

static void virtio_balloon_register_types(void)
{
    qmp_register_types(balloon_types, ARRAY_SIZE(balloon_types));
    qmp_register_commands(balloon_commands, ARRAY_SIZE(balloon_commands));
    type_register_static(&virtio_balloon_info);
}

type_init(virtio_balloon_register_types)
