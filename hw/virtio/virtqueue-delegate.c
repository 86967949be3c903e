/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues that somebody else processes, the kernel or another process: who gets
 * the kicks, where interrupts come from, and where in the rings the other one is to
 * begin, or left off.
 * Used by vhost.c. What is read from the rings here is the driver's, and taken
 * for no more than it is.
 */
#include "qemu/osdep.h"

#include "hw/virtio/virtio-bus.h"
#include "virtqueue-internal.h"

/* --- interrupts --- */

/* One that the transport does not raise without us. */
static void guest_notifier_read(EventNotifier *e)
{
    VirtQueue *vq = container_of(e, VirtQueue, guest_notifier);

    if (event_notifier_test_and_clear(e)) {
        virtio_notify_vector(vq->vdev, vq->vector);
    }
}

static void assign_guest_notifier(VirtQueue *vq, EventNotifierHandler *handler)
{
    BusState *bus = qdev_get_parent_bus(DEVICE(vq->vdev));

    VIRTIO_BUS_GET_CLASS(bus)->guest_notifier_assign(
        bus->parent, &vq->guest_notifier, vq->index, handler);
}

/* --- kicks and interrupts --- */

int virtio_queue_delegate(VirtQueue *vq, int *kick_fd, int *call_fd)
{
    int ret = event_notifier_init(&vq->guest_notifier, 1);

    g_assert(vq->enabled && !vq->delegated);
    if (!ret && !vq->has_notifier) {
        /* Kicks come one by one, and are passed on by virtqueue_kicked(). */
        ret = event_notifier_init(&vq->host_notifier, 0);
        vq->notifier_is_own = ret == 0;
    }
    if (ret) {
        event_notifier_cleanup(&vq->guest_notifier);
        return ret;
    }
    if (vq->has_notifier) {
        event_notifier_set_handler(&vq->host_notifier, NULL);
    }
    assign_guest_notifier(vq, guest_notifier_read);
    vq->delegated = true;
    *kick_fd = event_notifier_get_fd(&vq->host_notifier);
    *call_fd = event_notifier_get_fd(&vq->guest_notifier);
    return 0;
}

void virtio_queue_undelegate(VirtQueue *vq)
{
    g_assert(vq->delegated);
    assign_guest_notifier(vq, NULL);
    event_notifier_cleanup(&vq->guest_notifier);
    vq->delegated = false;
    /* Whoever comes next looks into the ring. */
    vq->kick_pending = true;
    if (vq->notifier_is_own) {
        event_notifier_cleanup(&vq->host_notifier);
        vq->notifier_is_own = false;
    } else {
        event_notifier_set_handler(&vq->host_notifier,
                                   virtio_queue_host_notifier_read);
    }
}

/* --- indexes --- */

uint16_t virtio_queue_get_last_avail_idx(VirtIODevice *vdev, int n)
{
    return virtio_get_queue(vdev, n)->last_avail_idx;
}

void virtio_queue_set_last_avail_idx(VirtIODevice *vdev, int n, uint16_t idx)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    vq->last_avail_idx = idx;
    vq->shadow_avail_idx = idx;
}

static uint16_t load16(const uint16_t *p)
{
    return GUINT16_FROM_LE(__atomic_load_n(p, __ATOMIC_ACQUIRE));
}

bool virtio_queue_read_used_idx(VirtIODevice *vdev, int n, uint16_t *idx)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);

    if (!virtqueue_map_rings(vq)) {
        return false;
    }
    *idx = load16(&vq->used_ring->idx);
    return true;
}

/*
 * Whether the last @n chains that were used before @used are the last @n that
 * were available before it. If so nothing that is not used is older: what came
 * in between is all there is left to do.
 */
static bool used_in_order(const VirtQueue *vq, uint16_t used, unsigned n)
{
    g_autofree int *balance = g_new0(int, vq->num);

    for (unsigned i = 1; i <= n; i++) {
        unsigned at = (uint16_t)(used - i) % vq->num;
        uint32_t given = load16(&vq->avail_ring->ring[at]);
        uint32_t taken = GUINT32_FROM_LE(
            __atomic_load_n(&vq->used_ring->ring[at].id, __ATOMIC_RELAXED));

        if (given >= vq->num || taken >= vq->num) {
            return false;
        }
        balance[given]++;
        balance[taken]--;
    }
    for (unsigned i = 0; i < vq->num; i++) {
        if (balance[i]) {
            return false;
        }
    }
    return true;
}

bool virtio_queue_restore_last_avail_idx(VirtIODevice *vdev, int n)
{
    VirtQueue *vq = virtio_get_queue(vdev, n);
    uint16_t used, avail, open;

    if (!virtqueue_map_rings(vq)) {
        return false;
    }
    used = load16(&vq->used_ring->idx);
    avail = load16(&vq->avail_ring->idx);
    open = avail - used;
    /* Older entries have been overwritten by those that are not used yet; and
     * in the first round there are only as many as were used. */
    if (open > vq->num ||
        (open && !used_in_order(vq, used, MIN(vq->num - open, used)))) {
        return false;
    }
    virtio_queue_set_last_avail_idx(vdev, n, used);
    return true;
}
