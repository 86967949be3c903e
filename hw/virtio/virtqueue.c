/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtqueues as a device and its transport set them up: sizes, addresses,
 * vectors, enabling; and kicks, which run the queue's handler or wait until
 * they may. What is in the rings is virtqueue-ring.c's. Queue numbers come
 * from the driver and are checked here.
 */
#include "qemu/osdep.h"

#include "qemu/main-loop.h"
#include "virtqueue-internal.h"

/* --- life --- */

void virtqueue_reset(VirtQueue *vq)
{
    vq->num = vq->num_max;
    vq->desc = 0;
    vq->avail = 0;
    vq->used = 0;
    vq->vector = VIRTIO_NO_VECTOR;
    vq->enabled = false;
    vq->packed = false;
    vq->map_generation = 0;
    vq->last_avail_idx = 0;
    vq->shadow_avail_idx = 0;
    vq->used_idx = 0;
    vq->signalled_used = 0;
    vq->signalled_used_valid = false;
    vq->inuse = 0;
    vq->packed_avail = vq->packed_used = (PackedPosition) { .wrap = true };
    vq->nr_filled = 0;
    vq->descs_filled = 0;
    vq->descs_unsignalled = 0;
    vq->kick_pending = false;
    vq->interrupt_pending = false;
}

void virtqueue_settle_layout(VirtQueue *vq)
{
    vq->packed = virtio_vdev_has_feature(vq->vdev, VIRTIO_F_RING_PACKED);
    vq->map_generation = 0;
}

VirtQueue *virtio_add_queue(VirtIODevice *vdev, int queue_size,
                            VirtIOHandleOutput handle_output)
{
    VirtQueue *vq = g_new0(VirtQueue, 1);

    g_assert(vdev->nvqs < VIRTIO_QUEUE_MAX);
    g_assert(queue_size > 0 && queue_size <= VIRTQUEUE_MAX_SIZE);
    g_assert(is_power_of_2(queue_size));
    vq->vdev = vdev;
    vq->index = vdev->nvqs;
    vq->num_max = queue_size;
    vq->handle_output = handle_output;
    virtqueue_reset(vq);
    vdev->vq = g_renew(VirtQueue *, vdev->vq, vdev->nvqs + 1);
    vdev->vq[vdev->nvqs++] = vq;
    return vq;
}

void virtio_delete_queue(VirtQueue *vq)
{
    VirtIODevice *vdev = vq->vdev;

    g_assert(vq->index == vdev->nvqs - 1 && !vq->has_notifier);
    vdev->nvqs--;
    virtqueue_free_slots(vq);
    g_free(vq);
}

VirtQueue *virtio_get_queue(VirtIODevice *vdev, int n)
{
    return n >= 0 && (unsigned)n < vdev->nvqs ? vdev->vq[n] : NULL;
}

unsigned int virtio_get_queue_index(const VirtQueue *vq)
{
    return vq->index;
}

/* --- the driver's settings --- */

int virtio_queue_get_num(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq ? vq->num : 0;
}

void virtio_queue_set_num(VirtIODevice *vdev, int n, unsigned int num)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (vq && !vq->enabled && num > 0 && num <= vq->num_max &&
        (vq->packed || is_power_of_2(num))) {
        vq->num = num;
    }
}

void virtio_queue_set_rings(VirtIODevice *vdev, int n, hwaddr desc,
                            hwaddr avail, hwaddr used)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (vq && !vq->enabled) {
        vq->desc = desc;
        vq->avail = avail;
        vq->used = used;
        vq->map_generation = 0;
    }
}

hwaddr virtio_queue_get_desc_addr(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq ? vq->desc : 0;
}

hwaddr virtio_queue_get_avail_addr(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq ? vq->avail : 0;
}

hwaddr virtio_queue_get_used_addr(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq ? vq->used : 0;
}

void virtio_queue_enable(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (!vq || vq->enabled) {
        return;
    }
    if (vq->desc % VRING_DESC_ALIGN_SIZE || vq->avail % VRING_AVAIL_ALIGN_SIZE ||
        vq->used % VRING_USED_ALIGN_SIZE) {
        virtio_error(vdev, "queue %d: misaligned rings at 0x%" PRIx64 ", 0x%"
                     PRIx64 ", 0x%" PRIx64, n, vq->desc, vq->avail, vq->used);
        return;
    }
    vq->enabled = true;
}

bool virtio_queue_enabled(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq && vq->enabled;
}

uint16_t virtio_queue_vector(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    return vq ? vq->vector : VIRTIO_NO_VECTOR;
}

void virtio_queue_set_vector(VirtIODevice *vdev, int n, uint16_t vector)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (vq) {
        vq->vector = vector;
    }
}

/* --- kicks --- */

static void virtqueue_kicked(VirtQueue *vq)
{
    VirtIODevice *vdev = vq->vdev;

    if (vq->delegated) {
        event_notifier_set(&vq->host_notifier);
    } else if (!vdev->vm_running || vdev->disabled) {
        vq->kick_pending = true;
    } else if (vdev->aio_context && vq->has_notifier && !aio_in_turn()) {
        event_notifier_set(&vq->host_notifier);
    } else if (virtqueue_is_live(vq)) {
        vq->handle_output(vdev, vq);
    }
}

void virtio_queue_notify(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (vq) {
        virtqueue_kicked(vq);
    }
}

void virtio_queue_kick_later(VirtQueue *vq)
{
    if (aio_in_turn() && vq->has_notifier) {
        event_notifier_set(&vq->host_notifier);
        return;
    }
    vq->kick_pending = true;
    qemu_bh_schedule(vq->vdev->kick_bh);
}

void virtqueue_interrupt(VirtQueue *vq)
{
    if (virtio_notify_vector(vq->vdev, vq->vector)) {
        return;
    }
    vq->interrupt_pending = true;
    qemu_bh_schedule(vq->vdev->kick_bh);
}

/* Of those that turns have left to the main loop. */
static void send_pending_interrupts(VirtIODevice *vdev)
{
    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        if (vdev->vq[i]->interrupt_pending) {
            vdev->vq[i]->interrupt_pending = false;
            virtio_notify_vector(vdev, vdev->vq[i]->vector);
        }
    }
}

static void run_pending_kicks(VirtIODevice *vdev)
{
    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        VirtQueue *vq = vdev->vq[i];

        if (vq->kick_pending) {
            vq->kick_pending = false;
            virtqueue_kicked(vq);
        }
    }
}

void virtio_run_pending_kicks(void *opaque)
{
    VirtIODevice *vdev = opaque;
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    virtio_pause(vdev);
    virtio_say_why_broken(vdev);
    send_pending_interrupts(vdev);
    if (vdc->run_changed) {
        vdc->run_changed(vdev);
    }
    if (vdev->vm_running && !vdev->disabled) {
        run_pending_kicks(vdev);
    }
    virtio_resume(vdev);
}

void virtio_queue_host_notifier_read(EventNotifier *n)
{
    if (event_notifier_test_and_clear(n)) {
        virtqueue_kicked(container_of(n, VirtQueue, host_notifier));
    }
}
