/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices: status, features, reset, configuration space, and being
 * broken by a driver that does not keep to the rules (VIRTIO 1.2, 2.1 - 2.6).
 * Transports call in with what the driver wrote; device models are called out
 * to. Knows no transport but through virtio-bus, and nothing of any device.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "hw/virtio/virtio-bus.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "sysemu/runstate.h"
#include "trace.h"
#include "qemu/main-loop.h"
#include "virtqueue-internal.h"

/* A driver may break a device and reset it as often as it likes. */
#define VIRTIO_ERRORS_REPORTED 16

/* --- interrupts --- */

static void virtio_interrupt(VirtIODevice *vdev, uint8_t isr, uint16_t vector)
{
    BusState *bus = qdev_get_parent_bus(DEVICE(vdev));

    vdev->isr |= isr;
    VIRTIO_BUS_GET_CLASS(bus)->notify(bus->parent, vector);
}

void virtio_notify_config(VirtIODevice *vdev)
{
    virtio_config_generation(vdev);
    if (virtio_device_ready(vdev)) {
        /* Both bits, as QEMU has it: there are drivers that wait for the first
         * one, whatever happens. Others look at their rings for nothing. */
        virtio_interrupt(vdev, VIRTIO_ISR_CONFIG | VIRTIO_ISR_QUEUE,
                         vdev->config_vector);
    }
}

bool virtio_notify_vector(VirtIODevice *vdev, uint16_t vector)
{
    if (vdev->aio_context && aio_in_turn()) {
        BusState *bus = qdev_get_parent_bus(DEVICE(vdev));

        vdev->isr |= VIRTIO_ISR_QUEUE;
        return VIRTIO_BUS_GET_CLASS(bus)->notify_in_turn(bus->parent, vector);
    }
    virtio_interrupt(vdev, VIRTIO_ISR_QUEUE, vector);
    return true;
}

/* --- being broken --- */

static void virtio_error_report(VirtIODevice *vdev, const char *what)
{
    qemu_log_mask(LOG_GUEST_ERROR, "guest error: %s: %s\n", vdev->name, what);
    if (vdev->errors == VIRTIO_ERRORS_REPORTED) {
        return;
    }
    vdev->errors++;
    error_report("%s: %s; the device needs a reset%s", vdev->name, what,
                 vdev->errors < VIRTIO_ERRORS_REPORTED
                 ? "" : " (further errors of it are not reported)");
}

void virtio_say_why_broken(VirtIODevice *vdev)
{
    g_autofree char *why = g_steal_pointer(&vdev->broken_why);

    if (why) {
        virtio_error_report(vdev, why);
        vdev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
        virtio_notify_config(vdev);
    }
}

void virtio_error(VirtIODevice *vdev, const char *fmt, ...)
{
    va_list ap;

    if (vdev->broken) {
        return;
    }
    vdev->broken = true;
    va_start(ap, fmt);
    vdev->broken_why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (!aio_in_turn()) {
        virtio_say_why_broken(vdev);
    }
    /* The model hears of it from the main loop: it may be what called. */
    qemu_bh_schedule(vdev->kick_bh);
}

/* --- features and status --- */

void virtio_set_features_word(VirtIODevice *vdev, uint32_t select, uint32_t val)
{
    uint64_t mask;

    if (select > 1 || (vdev->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
        return;
    }
    mask = (uint64_t)UINT32_MAX << (32 * select);
    vdev->guest_features = (vdev->guest_features & ~mask) |
                           (uint64_t)val << (32 * select);
}

/* Whether the device can work with what the driver acknowledged (2.2.2). */
static bool virtio_features_acceptable(VirtIODevice *vdev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    if (vdev->guest_features & ~vdev->host_features) {
        return false;
    }
    if (!virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1)) {
        return false;
    }
    /* It would do DMA to addresses that the IOMMU has to translate. */
    if (virtio_has_feature(vdev->host_features, VIRTIO_F_ACCESS_PLATFORM) &&
        !virtio_vdev_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
        return false;
    }
    return !vdc->validate_features || vdc->validate_features(vdev) == 0;
}

/* What sticks of a status that the driver writes. */
static uint8_t virtio_acceptable_status(VirtIODevice *vdev, uint8_t val)
{
    uint8_t had = vdev->status & VIRTIO_CONFIG_S_FEATURES_OK;

    if ((val & VIRTIO_CONFIG_S_FEATURES_OK) && !had &&
        !virtio_features_acceptable(vdev)) {
        val &= ~VIRTIO_CONFIG_S_FEATURES_OK;
    }
    if (!(val & VIRTIO_CONFIG_S_FEATURES_OK)) {
        val &= ~VIRTIO_CONFIG_S_DRIVER_OK;
    }
    /* This bit is the device's. */
    val &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
    return val | (vdev->broken ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

/* Who processes the queues instead of us comes after, and goes before, the
 * notifiers that it takes over. */
static void virtio_status_changed(VirtIODevice *vdev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    bool ready = virtio_device_ready(vdev);

    if (!ready && vdc->run_changed) {
        vdc->run_changed(vdev);
    }
    virtio_bus_sync_ioeventfd(vdev);
    if (ready && vdc->run_changed) {
        vdc->run_changed(vdev);
    }
}

/* What the driver acknowledged is accepted, and does not change any more. */
static void virtio_settle_features(VirtIODevice *vdev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        virtqueue_settle_layout(vdev->vq[i]);
    }
    if (vdc->set_features) {
        vdc->set_features(vdev, vdev->guest_features);
    }
}

void virtio_set_status(VirtIODevice *vdev, uint8_t val)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    uint8_t set;

    trace_virtio_set_status(vdev->name, val);
    if (val == 0) {
        virtio_reset(vdev);
        return;
    }
    val = virtio_acceptable_status(vdev, val);
    set = val & ~vdev->status;
    if (set & VIRTIO_CONFIG_S_FEATURES_OK) {
        virtio_settle_features(vdev);
    }
    if (vdc->set_status) {
        vdc->set_status(vdev, val);
    }
    vdev->status = val;
    virtio_status_changed(vdev);
}

void virtio_reset(VirtIODevice *vdev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    BusState *bus = qdev_get_parent_bus(DEVICE(vdev));

    virtio_say_why_broken(vdev);
    if (vdc->set_status) {
        vdc->set_status(vdev, 0);
    }
    vdev->status = 0;
    virtio_status_changed(vdev);
    if (vdc->reset) {
        vdc->reset(vdev);
    }
    vdev->guest_features = 0;
    vdev->queue_sel = 0;
    vdev->broken = false;
    vdev->config_vector = VIRTIO_NO_VECTOR;
    for (unsigned int i = 0; i < vdev->nvqs; i++) {
        virtqueue_reset(vdev->vq[i]);
    }
    /* Lets go of an interrupt line. */
    vdev->isr = 0;
    VIRTIO_BUS_GET_CLASS(bus)->notify(bus->parent, VIRTIO_NO_VECTOR);
}

void virtio_set_disabled(VirtIODevice *vdev, bool disable)
{
    vdev->disabled = disable;
    virtio_run_pending_kicks(vdev);
}

/* --- configuration space --- */

/*
 * Looks at the model's configuration. Any change since the driver could last
 * see it changes the generation, also one that was not announced: a driver
 * that reads a field in two halves notices (2.5.1).
 */
static void virtio_config_refresh(VirtIODevice *vdev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    uint8_t *now = vdev->config + vdev->config_len;

    if (!vdev->config_len || !vdc->get_config) {
        return;
    }
    memset(now, 0, vdev->config_len);
    vdc->get_config(vdev, now);
    if (memcmp(vdev->config, now, vdev->config_len) != 0) {
        memcpy(vdev->config, now, vdev->config_len);
        vdev->generation++;
    }
}

uint8_t virtio_config_generation(VirtIODevice *vdev)
{
    virtio_config_refresh(vdev);
    return vdev->generation;
}

uint32_t virtio_config_read(VirtIODevice *vdev, uint32_t addr, unsigned size)
{
    uint32_t val = 0;

    virtio_config_refresh(vdev);
    for (unsigned i = 0; i < size && (uint64_t)addr + i < vdev->config_len;
         i++) {
        val |= (uint32_t)vdev->config[addr + i] << (8 * i);
    }
    return val;
}

void virtio_config_write(VirtIODevice *vdev, uint32_t addr, uint32_t val,
                         unsigned size)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    if (!vdc->set_config || (uint64_t)addr + size > vdev->config_len) {
        return;
    }
    virtio_config_refresh(vdev);
    for (unsigned i = 0; i < size; i++) {
        vdev->config[addr + i] = val >> (8 * i);
    }
    vdc->set_config(vdev, vdev->config);
}

/* --- life --- */

/* While the VM is stopped, guest memory must not change. */
static void virtio_vmstate_change(void *opaque, int running, RunState state)
{
    VirtIODevice *vdev = opaque;

    virtio_pause(vdev);
    vdev->vm_running = running;
    virtio_run_pending_kicks(vdev);
    virtio_resume(vdev);
}

void virtio_init(VirtIODevice *vdev, const char *name, uint16_t device_id,
                 size_t config_size)
{
    vdev->name = name;
    vdev->device_id = device_id;
    vdev->config_len = config_size;
    vdev->config = g_malloc0(2 * config_size);
    vdev->config_vector = VIRTIO_NO_VECTOR;
    vdev->vm_running = runstate_is_running();
    vdev->kick_bh = qemu_bh_new(virtio_run_pending_kicks, vdev);
    vdev->vmstate = qemu_add_vm_change_state_handler(virtio_vmstate_change,
                                                     vdev);
}

bool virtio_use_iothread(VirtIODevice *vdev, IOThread *iothread, Error **errp)
{
    BusState *bus = qdev_get_parent_bus(DEVICE(vdev));

    if (iothread && !(VIRTIO_BUS_GET_CLASS(bus)->notify_in_turn &&
                      virtio_bus_ioeventfd_enabled(VIRTIO_BUS(bus)))) {
        error_setg(errp, "iothread=: ioeventfd=on is required for it");
        return false;
    }
    vdev->iothread = iothread;
    vdev->aio_context = iothread_use(iothread);
    return true;
}

void virtio_cleanup(VirtIODevice *vdev)
{
    g_assert(vdev->nvqs == 0);
    qemu_del_vm_change_state_handler(vdev->vmstate);
    vdev->vmstate = NULL;
    g_clear_pointer(&vdev->kick_bh, qemu_bh_delete);
    g_clear_pointer(&vdev->vq, g_free);
    g_clear_pointer(&vdev->config, g_free);
    g_clear_pointer(&vdev->broken_why, g_free);
    vdev->config_len = 0;
    vdev->aio_context = NULL;
    iothread_release(g_steal_pointer(&vdev->iothread));
}

static void virtio_device_realize(DeviceState *dev, Error **errp)
{
    ERRP_GUARD();
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(dev);

    vdc->realize(dev, errp);
    if (*errp) {
        return;
    }
    virtio_bus_device_plugged(vdev, errp);
    if (*errp) {
        vdc->unrealize(dev);
    }
}

static void virtio_device_unrealize(DeviceState *dev)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(dev);
    AioContext *ctx = VIRTIO_DEVICE(dev)->aio_context;

    aio_context_pause(ctx);
    virtio_bus_device_unplugged(VIRTIO_DEVICE(dev));
    vdc->unrealize(dev);
    aio_context_resume(ctx);
}

static const Property virtio_properties[] = {
    DEFINE_PROP_BIT64("indirect_desc", VirtIODevice, host_features,
                      VIRTIO_RING_F_INDIRECT_DESC, true),
    DEFINE_PROP_BIT64("event_idx", VirtIODevice, host_features,
                      VIRTIO_RING_F_EVENT_IDX, true),
    DEFINE_PROP_BIT64("iommu_platform", VirtIODevice, host_features,
                      VIRTIO_F_ACCESS_PLATFORM, false),
    DEFINE_PROP_BIT64("packed", VirtIODevice, host_features,
                      VIRTIO_F_RING_PACKED, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void virtio_device_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->bus_type = TYPE_VIRTIO_BUS;
    dc->realize = virtio_device_realize;
    dc->unrealize = virtio_device_unrealize;
    device_class_set_props(dc, virtio_properties);
}

static const TypeInfo virtio_device_types[] = {
    {
        .name = TYPE_VIRTIO_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(VirtIODevice),
        .abstract = true,
        .class_size = sizeof(VirtioDeviceClass),
        .class_init = virtio_device_class_init,
    },
};
DEFINE_TYPES(virtio_device_types)
