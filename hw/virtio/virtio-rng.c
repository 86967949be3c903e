/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-rng: fills the driver's buffers as far as the source and the limit of
 * the period allow. What cannot be served now stays in the ring; the source or
 * the timer has the ring looked at again. See virtio-rng.h. With iothread=, the ring
 * is of turns of that thread, which leaves sources and timer to the main loop.
 */
#include "qemu/osdep.h"
#include "virtio-rng.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"

#define QUEUE_SIZE 8
/* A buffer may get fewer bytes than it has room for (5.4.6.2), so that none
 * takes the main loop for long. */
#define BYTES_MAX 4096
/* max-bytes=, if nobody sets it: what QEMU shows then. */
#define UNLIMITED ((uint64_t)INT64_MAX)

/* --- requests --- */

static void start_period(VirtIORNG *r)
{
    if (!timer_pending(r->timer)) {
        timer_mod(r->timer,
                  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + r->period_ms);
    }
}

/* What is of the main loop. */
static void handle_rest(void *opaque)
{
    VirtIORNG *r = opaque;

    virtio_pause(VIRTIO_DEVICE(r));
    if (r->quota < r->max_bytes) {
        start_period(r);
    }
    if (r->waiting && !r->told) {
        r->told = true;
        rng_backend_wait(r->rng, &r->ready);
    }
    if (r->error) {
        warn_report_counted(&r->nr_failures, "virtio-rng: the source of random "
                            "bytes has failed: %s", g_strerror(r->error));
        r->error = 0;
    }
    virtio_resume(VIRTIO_DEVICE(r));
}

static void leave_rest(VirtIORNG *r)
{
    if (aio_in_turn()) {
        qemu_bh_schedule(r->rest_bh);
    } else {
        handle_rest(r);
    }
}

/* After a failure the driver gets nothing until it asks for more. */
static void handle_no_bytes(VirtIORNG *r, int err)
{
    if (err == -EAGAIN) {
        r->waiting = true;
    } else {
        r->error = -err;
    }
    leave_rest(r);
}

/* Serves the element; false: it was given back to the ring. */
static bool serve(VirtIORNG *r, VirtQueueElement *elem, unsigned int idx)
{
    uint8_t bytes[BYTES_MAX];
    size_t room = iov_size(elem->in_sg, elem->in_num);
    size_t size = MIN(MIN(room, sizeof(bytes)), r->quota);
    ssize_t got = size ? rng_backend_read(r->rng, bytes, size) : 0;

    if (got < 0) {
        virtqueue_unpop(r->vq, elem, 0);
        handle_no_bytes(r, got);
        return false;
    }
    iov_from_buf(elem->in_sg, elem->in_num, 0, bytes, got);
    virtqueue_fill(r->vq, elem, got, idx);
    if (r->max_bytes != UNLIMITED) {
        r->quota -= got;
        leave_rest(r);
    }
    return true;
}

static void virtio_rng_handle_queue(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIORNG *r = VIRTIO_RNG(vdev);
    VirtQueueElement *elem;
    bool served = true;
    unsigned int n = 0;

    while (served && n < QUEUE_SIZE && r->quota && !r->waiting &&
           (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        served = serve(r, elem, n);
        n += served;
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

static void source_ready(Notifier *n, void *data)
{
    VirtIORNG *r = container_of(n, VirtIORNG, ready);

    virtio_pause(VIRTIO_DEVICE(r));
    r->waiting = r->told = false;
    virtio_queue_kick_later(r->vq);
    virtio_resume(VIRTIO_DEVICE(r));
}

static void period_over(void *opaque)
{
    VirtIORNG *r = opaque;

    virtio_pause(VIRTIO_DEVICE(r));
    r->quota = r->max_bytes;
    virtio_queue_kick_later(r->vq);
    virtio_resume(VIRTIO_DEVICE(r));
}

/* --- life --- */

static bool check_properties(VirtIORNG *r, Error **errp)
{
    if (!r->max_bytes || r->max_bytes > UNLIMITED) {
        error_setg(errp, "'max-bytes' is %" PRIu64 ", but must be between 1 and "
                   "%" PRIu64, r->max_bytes, UNLIMITED);
        return false;
    }
    if (!r->period_ms) {
        error_setg(errp, "'period' is 0, but must be at least 1 ms");
        return false;
    }
    return true;
}

/* Where none is named, the kernel's generator. */
static void use_default_source(VirtIORNG *r)
{
    Object *rng = object_new(TYPE_RNG_BUILTIN);

    object_property_add_child(OBJECT(r), "default-backend", rng);
    r->rng = RNG_BACKEND(rng);            /* the property's, as if set */
}

static void virtio_rng_realize(DeviceState *dev, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIORNG *r = VIRTIO_RNG(dev);

    if (!check_properties(r, errp)) {
        return;
    }
    if (!r->rng) {
        use_default_source(r);
    }
    virtio_init(vdev, "virtio-rng", VIRTIO_ID_RNG, 0);
    if (!virtio_use_iothread(vdev, r->iothread, errp)) {
        virtio_cleanup(vdev);
        return;
    }
    r->vq = virtio_add_queue(vdev, QUEUE_SIZE, virtio_rng_handle_queue);
    r->quota = r->max_bytes;
    r->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, period_over, r);
    r->rest_bh = qemu_bh_new(handle_rest, r);
    r->ready.notify = source_ready;
}

static void virtio_rng_unrealize(DeviceState *dev)
{
    VirtIORNG *r = VIRTIO_RNG(dev);

    if (r->told) {
        rng_backend_cancel(r->rng, &r->ready);
    }
    r->waiting = r->told = false;
    g_clear_pointer(&r->rest_bh, qemu_bh_delete);
    timer_free(r->timer);
    virtio_delete_queue(r->vq);
    virtio_cleanup(VIRTIO_DEVICE(dev));
}

/* --- type --- */

static uint64_t virtio_rng_get_features(VirtIODevice *vdev, uint64_t features,
                                        Error **errp)
{
    return features;
}

static const Property virtio_rng_properties[] = {
    DEFINE_PROP_UINT64("max-bytes", VirtIORNG, max_bytes, UNLIMITED),
    DEFINE_PROP_UINT32("period", VirtIORNG, period_ms, 1 << 16),
    DEFINE_PROP_LINK("rng", VirtIORNG, rng, TYPE_RNG_BACKEND, RngBackend *),
    DEFINE_PROP_LINK("iothread", VirtIORNG, iothread, TYPE_IOTHREAD, IOThread *),
    DEFINE_PROP_END_OF_LIST(),
};

static void virtio_rng_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "random bytes for the guest";
    device_class_set_props(dc, virtio_rng_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    vdc->realize = virtio_rng_realize;
    vdc->unrealize = virtio_rng_unrealize;
    vdc->get_features = virtio_rng_get_features;
}

static const TypeInfo virtio_rng_types[] = {
    {
        .name = TYPE_VIRTIO_RNG,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIORNG),
        .class_init = virtio_rng_class_init,
    },
};
DEFINE_TYPES(virtio_rng_types)
