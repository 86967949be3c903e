/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk, the device: see virtio-blk.h. Properties, configuration space,
 * features, and what becomes of requests in flight when the VM stops, is reset,
 * or the device goes: all of these wait for them.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "sysemu/runstate.h"
#include "virtio-blk.h"

/* Segments of a request besides data: the header and the status. */
#define OTHER_SEGS 2
/* Of the configuration space, without what later features have. */
#define CONFIG_SIZE                                                          \
    (offsetof(struct virtio_blk_config, write_zeroes_may_unmap) + 1)
#define QUEUE_SIZE_MIN 4

/* --- what the driver sees --- */

static uint64_t size_of(const VirtIOBlock *s)
{
    return s->served ? virtio_blk_served_size(s) : blk_size(s->blk);
}

static bool write_cache(const VirtIOBlock *s)
{
    return s->served ? virtio_blk_served_write_cache(s)
                     : blk_write_cache(s->blk);
}

static void set_write_cache(VirtIOBlock *s, bool on)
{
    if (s->served) {
        virtio_blk_served_set_write_cache(s, on);
    } else {
        blk_set_write_cache(s->blk, on);
    }
}

/* No disk has had one for decades; it is what people have agreed to say. */
static void set_geometry(VirtIOBlock *s, struct virtio_blk_config *c)
{
    uint32_t heads = s->cyls ? s->heads : 16, secs = s->cyls ? s->secs : 63;
    uint64_t cylinders = size_of(s) / BLOCK_SECTOR / heads / secs;

    c->geometry.cylinders = GUINT16_TO_LE(s->cyls ?: CLAMP(cylinders, 2, 16383));
    c->geometry.heads = heads;
    c->geometry.sectors = secs;
}

static void get_config(VirtIODevice *vdev, uint8_t *config)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);
    struct virtio_blk_config c = {
        .capacity = GUINT64_TO_LE(size_of(s) / BLOCK_SECTOR),
        .seg_max = GUINT32_TO_LE(s->queue_size - OTHER_SEGS),
        .blk_size = GUINT32_TO_LE(s->logical_block_size),
        .physical_block_exp = __builtin_ctz(s->physical_block_size /
                                            s->logical_block_size),
        .min_io_size = GUINT16_TO_LE(s->min_io_size / s->logical_block_size),
        .opt_io_size = GUINT32_TO_LE(s->opt_io_size / s->logical_block_size),
        .wce = write_cache(s),
        .num_queues = GUINT16_TO_LE(s->num_queues),
        .max_discard_sectors = GUINT32_TO_LE(s->max_discard_sectors),
        .max_discard_seg = GUINT32_TO_LE(1),
        .discard_sector_alignment =
            GUINT32_TO_LE(s->discard_granularity / BLOCK_SECTOR),
        .max_write_zeroes_sectors = GUINT32_TO_LE(s->max_write_zeroes_sectors),
        .max_write_zeroes_seg = GUINT32_TO_LE(1),
        .write_zeroes_may_unmap = 1,
    };

    set_geometry(s, &c);
    if (s->served) {
        virtio_blk_served_config(s, &c);
    }
    memcpy(config, &c, vdev->config_len);
}

/* The driver may turn the cache on and off (5.2.5.2); all else is ours. */
static void set_config(VirtIODevice *vdev, const uint8_t *config)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);

    if (virtio_vdev_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE)) {
        set_write_cache(s, config[offsetof(struct virtio_blk_config, wce)]);
    }
}

static uint64_t get_features(VirtIODevice *vdev, uint64_t features,
                             Error **errp)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);
    const bool read_only = blk_is_read_only(s->blk);
    const struct {
        unsigned int feature;
        bool offered;
    } table[] = {
        { VIRTIO_BLK_F_FLUSH, true },
        { VIRTIO_BLK_F_SEG_MAX, true },
        { VIRTIO_BLK_F_BLK_SIZE, true },
        { VIRTIO_BLK_F_TOPOLOGY, true },
        { VIRTIO_BLK_F_GEOMETRY, true },
        { VIRTIO_BLK_F_CONFIG_WCE, s->config_wce },
        { VIRTIO_BLK_F_MQ, s->num_queues > 1 },
        { VIRTIO_BLK_F_RO, read_only },
        { VIRTIO_BLK_F_DISCARD, s->discard && !read_only },
        { VIRTIO_BLK_F_WRITE_ZEROES, s->write_zeroes && !read_only },
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        features |= (uint64_t)table[i].offered << table[i].feature;
    }
    return s->served ? virtio_blk_served_features(s, features) : features;
}

static void resized(void *opaque)
{
    VirtIOBlock *s = opaque;

    if (s->served) {
        virtio_blk_served_resized(s);
    }
    virtio_notify_config(VIRTIO_DEVICE(opaque));
}

static const BlockUserOps user_ops = {
    .batch_done = virtio_blk_notify_queues,
    .resized = resized,
};

/* --- stops and resets --- */

/* Something has failed. */
static void handle_failed(void *opaque)
{
    VirtIOBlock *s = opaque;

    virtio_pause(VIRTIO_DEVICE(s));
    virtio_blk_handle_failed(s);
    virtio_resume(VIRTIO_DEVICE(s));
    if (runstate_is_running() && !QTAILQ_EMPTY(&s->stopped)) {
        vm_stop(RUN_STATE_IO_ERROR);
    }
}

/* The device has paused its I/O thread, if it has one. */
static void drain(VirtIOBlock *s)
{
    blk_drain(s->blk);
    virtio_blk_handle_failed(s);
}

/* While it is stopped nothing changes, in memory or on the disk. */
static void vm_state_changed(void *opaque, int running, RunState state)
{
    VirtIOBlock *s = opaque;

    if (s->served) {
        return;                           /* run_changed is called, too */
    }
    virtio_pause(VIRTIO_DEVICE(s));
    if (running) {
        virtio_blk_restart_stopped(s);
    } else {
        drain(s);
    }
    virtio_resume(VIRTIO_DEVICE(s));
}

static void reset(VirtIODevice *vdev)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);

    drain(s);
    virtio_blk_drop_stopped(s);
    if (s->served) {
        virtio_blk_served_reset(s);
    }
    set_write_cache(s, s->write_cache != ON_OFF_AUTO_OFF);
}

static void run_changed(VirtIODevice *vdev)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);

    if (s->served) {
        virtio_blk_served_run_changed(s);
    }
}

/* --- life --- */

static bool check_block_sizes(VirtIOBlock *s, Error **errp)
{
    uint32_t sizes[] = { s->logical_block_size, s->physical_block_size };
    const char *names[] = { "logical_block_size", "physical_block_size" };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (!is_power_of_2(sizes[i]) || sizes[i] < BLOCK_SECTOR ||
            sizes[i] > 2 * MiB) {
            error_setg(errp, "%s=%u: expected is a power of two from 512 to "
                       "2097152", names[i], sizes[i]);
            return false;
        }
    }
    if (s->logical_block_size > s->physical_block_size) {
        error_setg(errp, "logical_block_size=%u is more than "
                   "physical_block_size=%u", sizes[0], sizes[1]);
        return false;
    }
    return true;
}

static bool check_io_sizes(VirtIOBlock *s, Error **errp)
{
    const struct { const char *name; uint64_t size, max; } sizes[] = {
        { "min_io_size", s->min_io_size,
          (uint64_t)UINT16_MAX * s->logical_block_size },
        { "opt_io_size", s->opt_io_size, UINT32_MAX },
        { "discard_granularity", s->discard_granularity, UINT32_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (sizes[i].size % s->logical_block_size ||
            sizes[i].size > sizes[i].max) {
            error_setg(errp, "%s=%" PRIu64 ": expected is a multiple of "
                       "logical_block_size=%u up to %" PRIu64, sizes[i].name,
                       sizes[i].size, s->logical_block_size, sizes[i].max);
            return false;
        }
    }
    return true;
}

static bool check_max_sectors(VirtIOBlock *s, Error **errp)
{
    const struct { const char *name; uint32_t n; } most[] = {
        { "max-discard-sectors", s->max_discard_sectors },
        { "max-write-zeroes-sectors", s->max_write_zeroes_sectors },
    };

    for (size_t i = 0; i < ARRAY_SIZE(most); i++) {
        if (!most[i].n || most[i].n > VIRTIO_BLK_MAX_ZERO_SECTORS) {
            error_setg(errp, "%s=%u: expected is 1 to %u", most[i].name,
                       most[i].n, VIRTIO_BLK_MAX_ZERO_SECTORS);
            return false;
        }
    }
    return true;
}

static bool check_geometry(VirtIOBlock *s, Error **errp)
{
    bool none = !s->cyls && !s->heads && !s->secs;

    if (!none && (!s->cyls || s->cyls > UINT16_MAX || !s->heads ||
                  s->heads > UINT8_MAX || !s->secs || s->secs > UINT8_MAX)) {
        error_setg(errp, "cyls=%u, heads=%u, secs=%u: expected are 1 to 65535, "
                   "1 to 255 and 1 to 255, or none of them", s->cyls, s->heads,
                   s->secs);
        return false;
    }
    return true;
}

static bool check_queues(VirtIOBlock *s, Error **errp)
{
    if (s->num_queues == VIRTIO_BLK_AUTO_NUM_QUEUES) {
        s->num_queues = MIN(current_machine->smp.cpus, VIRTIO_QUEUE_MAX - 1);
    }
    if (!s->num_queues || s->num_queues >= VIRTIO_QUEUE_MAX) {
        error_setg(errp, "num-queues=%u: expected is 1 to %u", s->num_queues,
                   VIRTIO_QUEUE_MAX - 1);
        return false;
    }
    if (!is_power_of_2(s->queue_size) || s->queue_size < QUEUE_SIZE_MIN ||
        s->queue_size > VIRTQUEUE_MAX_SIZE) {
        error_setg(errp, "queue-size=%u: expected is a power of two from %u to "
                   "%u", s->queue_size, QUEUE_SIZE_MIN, VIRTQUEUE_MAX_SIZE);
        return false;
    }
    return true;
}

/* What the image demands of the guest's requests. */
static bool check_image(VirtIOBlock *s, Error **errp)
{
    uint32_t alignment = s->served ? BLOCK_SECTOR
                                   : blk_request_alignment(s->blk);

    if (s->logical_block_size < alignment) {
        error_setg(errp, "logical_block_size=%u: with cache.direct=on this "
                   "image can be read in blocks of %u bytes at least",
                   s->logical_block_size, alignment);
        return false;
    }
    if (size_of(s) % s->logical_block_size) {
        error_setg(errp, "logical_block_size=%u: the image's size, %" PRIu64
                   " bytes, is no multiple of it", s->logical_block_size,
                   size_of(s));
        return false;
    }
    return true;
}

static void detach(VirtIOBlock *s)
{
    if (s->served) {
        virtio_blk_served_end(s);
    }
    g_clear_pointer(&s->export, block_export_free);
    g_clear_pointer(&s->blk, blk_detach);
}

/* Makes a served drive ready, unless it is. */
static bool prepare_drive(VirtIOBlock *s, Error **errp)
{
    if (!s->drive) {
        error_setg(errp, "drive= is missing: it names a node of -blockdev, or "
                   "a -drive");
        return false;
    }
    return s->export || !block_is_served(s->drive) ||
           virtio_blk_served_prepare(s, errp);
}

static bool attach(VirtIOBlock *s, Error **errp)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(s));

    if (!prepare_drive(s, errp)) {
        return false;
    }
    s->blk = blk_attach(s->drive, path, false, &user_ops, s, errp);
    if (!s->blk) {
        return false;
    }
    if (!blk_share(s->blk, s->share_rw, errp) ||
        (blk_is_served(s->blk) && !virtio_blk_served_connect(s, errp)) ||
        !check_image(s, errp)) {
        detach(s);
        return false;
    }
    blk_set_on_error(s->blk, s->rerror, s->werror);
    if (s->write_cache == ON_OFF_AUTO_AUTO) {
        s->write_cache = blk_write_cache(s->blk) ? ON_OFF_AUTO_ON
                                                 : ON_OFF_AUTO_OFF;
    }
    set_write_cache(s, s->write_cache == ON_OFF_AUTO_ON);
    return true;
}

/* Of an image that another process serves, that process has the queues. */
static bool use_iothread(VirtIOBlock *s, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(s);

    return virtio_use_iothread(vdev, s->iothread, errp) &&
           blk_set_aio_context(s->blk, vdev->aio_context, errp);
}

static void delete_queues(VirtIOBlock *s)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(s);

    for (int i = s->num_queues - 1; i >= 0; i--) {
        virtio_delete_queue(virtio_get_queue(vdev, i));
    }
    virtio_cleanup(vdev);
}

static bool check_properties(VirtIOBlock *s, Error **errp)
{
    if (!check_block_sizes(s, errp)) {
        return false;
    }
    if (s->discard_granularity == VIRTIO_BLK_AUTO_GRANULARITY) {
        s->discard_granularity = s->logical_block_size;
    }
    return check_io_sizes(s, errp) && check_max_sectors(s, errp) &&
           check_geometry(s, errp) && check_queues(s, errp);
}

void virtio_blk_prepare(VirtIOBlock *s, Error **errp)
{
    if (check_properties(s, errp)) {
        prepare_drive(s, errp);
    }
}

static void realize(DeviceState *dev, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIOBlock *s = VIRTIO_BLK(dev);

    if (!check_properties(s, errp) || !attach(s, errp)) {
        return;
    }
    virtio_init(vdev, "virtio-blk", VIRTIO_ID_BLOCK, CONFIG_SIZE);
    if (!s->served && !use_iothread(s, errp)) {
        virtio_cleanup(vdev);
        detach(s);
        return;
    }
    for (unsigned int i = 0; i < s->num_queues; i++) {
        virtio_add_queue(vdev, s->queue_size, virtio_blk_handle_output);
    }
    if (s->served && !virtio_blk_served_start(s, errp)) {
        detach(s);
        delete_queues(s);
        return;
    }
    s->to_notify = g_new0(uint8_t, s->num_queues);
    s->failed_bh = qemu_bh_new(handle_failed, s);
    s->vmstate = qemu_add_vm_change_state_handler(vm_state_changed, s);
}

static void unrealize(DeviceState *dev)
{
    VirtIOBlock *s = VIRTIO_BLK(dev);

    qemu_del_vm_change_state_handler(s->vmstate);
    drain(s);
    virtio_blk_drop_stopped(s);
    qemu_bh_delete(s->failed_bh);
    if (s->served) {
        virtio_blk_served_end(s);
    }
    delete_queues(s);
    detach(s);
    g_clear_pointer(&s->to_notify, g_free);
}

static void instance_init(Object *obj)
{
    QTAILQ_INIT(&VIRTIO_BLK(obj)->failed);
    QTAILQ_INIT(&VIRTIO_BLK(obj)->stopped);
}

/* What was prepared, and not realized. */
static void instance_finalize(Object *obj)
{
    g_clear_pointer(&VIRTIO_BLK(obj)->export, block_export_free);
}

static const Property properties[] = {
    DEFINE_PROP_STRING("drive", VirtIOBlock, drive),
    DEFINE_PROP_STRING("serial", VirtIOBlock, serial),
    DEFINE_PROP_UINT16("num-queues", VirtIOBlock, num_queues,
                       VIRTIO_BLK_AUTO_NUM_QUEUES),
    DEFINE_PROP_UINT16("queue-size", VirtIOBlock, queue_size, 256),
    DEFINE_PROP_UINT32("logical_block_size", VirtIOBlock, logical_block_size,
                       BLOCK_SECTOR),
    DEFINE_PROP_UINT32("physical_block_size", VirtIOBlock, physical_block_size,
                       BLOCK_SECTOR),
    DEFINE_PROP_UINT32("min_io_size", VirtIOBlock, min_io_size, 0),
    DEFINE_PROP_UINT32("opt_io_size", VirtIOBlock, opt_io_size, 0),
    DEFINE_PROP_UINT32("discard_granularity", VirtIOBlock, discard_granularity,
                       VIRTIO_BLK_AUTO_GRANULARITY),
    DEFINE_PROP_UINT32("cyls", VirtIOBlock, cyls, 0),
    DEFINE_PROP_UINT32("heads", VirtIOBlock, heads, 0),
    DEFINE_PROP_UINT32("secs", VirtIOBlock, secs, 0),
    DEFINE_PROP_BOOL("config-wce", VirtIOBlock, config_wce, true),
    DEFINE_PROP_ON_OFF_AUTO("write-cache", VirtIOBlock, write_cache,
                            ON_OFF_AUTO_AUTO),
    DEFINE_PROP_BOOL("share-rw", VirtIOBlock, share_rw, false),
    DEFINE_PROP_BOOL("discard", VirtIOBlock, discard, true),
    DEFINE_PROP_BOOL("write-zeroes", VirtIOBlock, write_zeroes, true),
    DEFINE_PROP_UINT32("max-discard-sectors", VirtIOBlock, max_discard_sectors,
                       VIRTIO_BLK_MAX_ZERO_SECTORS),
    DEFINE_PROP_UINT32("max-write-zeroes-sectors", VirtIOBlock,
                       max_write_zeroes_sectors, VIRTIO_BLK_MAX_ZERO_SECTORS),
    DEFINE_PROP_ENUM("rerror", VirtIOBlock, rerror, BLOCK_ERROR_AUTO,
                     BlockErrorPolicy_lookup, BlockErrorPolicy),
    DEFINE_PROP_ENUM("werror", VirtIOBlock, werror, BLOCK_ERROR_AUTO,
                     BlockErrorPolicy_lookup, BlockErrorPolicy),
    DEFINE_PROP_LINK("iothread", VirtIOBlock, iothread, TYPE_IOTHREAD,
                     IOThread *),
    DEFINE_PROP_END_OF_LIST(),
};

static void class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);

    device_class_set_props(dc, properties);
    vdc->realize = realize;
    vdc->unrealize = unrealize;
    vdc->get_features = get_features;
    vdc->get_config = get_config;
    vdc->set_config = set_config;
    vdc->reset = reset;
    vdc->run_changed = run_changed;
}

static const TypeInfo virtio_blk_types[] = {
    {
        .name = TYPE_VIRTIO_BLK,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIOBlock),
        .instance_init = instance_init,
        .instance_finalize = instance_finalize,
        .class_init = class_init,
    },
};
DEFINE_TYPES(virtio_blk_types)
