/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: plugs that are paced (populate-rate=). Clearing memory takes memory
 * bandwidth, which the guest's own work may need more. After a plug that had the
 * host back memory, the queue rests for as long as the rate gives that much; nobody
 * waits meanwhile but the guest's driver, for its next answer.
 *
 * A request is never split: what the guest asks for at once, a memory block of its
 * usually, is populated at once. It must never leave the queue at rest for good.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "qemu/units.h"

/* With less a guest would take its driver, which waits for an answer, for hung. */
#define RATE_MIN (16 * MiB)

static void rest_is_over(void *opaque)
{
    VirtIOMEM *vmem = opaque;

    virtio_queue_kick_later(vmem->vq);
}

void virtio_mem_pace(VirtIOMEM *vmem, uint64_t size)
{
    unsigned __int128 ns = (unsigned __int128)size * NANOSECONDS_PER_SECOND /
                           vmem->populate_rate;

    if (!vmem->pace_timer) {
        vmem->pace_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, rest_is_over, vmem);
    }
    timer_mod(vmem->pace_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
              (int64_t)MIN(ns, INT64_MAX / 2));
}

void virtio_mem_stop_pacing(VirtIOMEM *vmem)
{
    g_clear_pointer(&vmem->pace_timer, timer_free);
}

/* --- the property --- */

static void get_rate(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    visit_type_size(v, name, &VIRTIO_MEM(obj)->populate_rate, errp);
}

static void set_rate(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    uint64_t rate;

    if (!visit_type_size(v, name, &rate, errp)) {
        return;
    }
    if (rate && rate < RATE_MIN) {
        error_setg(errp, "'%s' is %" PRIu64 " bytes a second, but must be at "
                   "least %" PRIu64 ", or 0 for no limit", name, rate,
                   RATE_MIN);
        return;
    }
    VIRTIO_MEM(obj)->populate_rate = rate;
}

void virtio_mem_add_rate_property(ObjectClass *klass)
{
    object_class_property_add(klass, VIRTIO_MEM_POPULATE_RATE_PROP, "size",
                              get_rate, set_rate, NULL, NULL);
    object_class_property_set_description(
        klass, VIRTIO_MEM_POPULATE_RATE_PROP, "how many bytes of memory a second "
        "plugs may have the host back, on average; 0: no limit (default: 0)");
}
