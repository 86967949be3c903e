/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI: the proxy, which is a PCI function with the capabilities of
 * VIRTIO 1.2, 4.1, and the virtio bus behind it with the device. Registers are
 * virtio-pci-regs.c's. Used by the "foo-pci" devices, which register
 * themselves by virtio_pci_types_register(). Legacy and transitional devices
 * do not exist.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "virtio-pci-regs.h"

/* 4.1.2.1: device IDs of modern devices. */
#define VIRTIO_PCI_DEVICE_ID_BASE 0x1040

/* Where the structures are; QEMU's numbers. */
#define MSIX_BAR 1
#define MODERN_BAR 4

/* The data register of VIRTIO_PCI_CAP_PCI_CFG, in the capability. */
#define WINDOW_DATA offsetof(struct virtio_pci_cfg_cap, pci_cfg_data)
#define WINDOW_DATA_LEN 4

/* --- what the virtio bus asks of the transport --- */

static void virtio_pci_notify(DeviceState *d, uint16_t vector)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(d);
    PCIDevice *pci_dev = &proxy->pci_dev;

    if (!msix_enabled(pci_dev)) {
        pci_set_irq(pci_dev, virtio_bus_get_device(&proxy->bus)->isr != 0);
    } else if (vector != VIRTIO_NO_VECTOR) {
        msix_notify(pci_dev, vector);
    }
}

/* The line of an interrupt is shared. */
static bool virtio_pci_notify_in_turn(DeviceState *d, uint16_t vector)
{
    PCIDevice *pci_dev = &VIRTIO_PCI(d)->pci_dev;

    return msix_enabled(pci_dev) &&
           (vector == VIRTIO_NO_VECTOR || msix_notify_in_turn(pci_dev, vector));
}

static uint16_t virtio_pci_class_id(uint16_t device_id)
{
    switch (device_id) {
    case VIRTIO_ID_NET:
        return PCI_CLASS_NETWORK_ETHERNET;
    case VIRTIO_ID_BLOCK:
    case VIRTIO_ID_SCSI:
        return PCI_CLASS_STORAGE_SCSI;
    case VIRTIO_ID_CONSOLE:
    case VIRTIO_ID_VSOCK:
        return PCI_CLASS_COMMUNICATION_OTHER;
    default:
        return PCI_CLASS_OTHERS;
    }
}

static void virtio_pci_device_plugged(DeviceState *d, Error **errp)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(d);
    VirtIODevice *vdev = virtio_bus_get_device(&proxy->bus);
    uint8_t *config = proxy->pci_dev.config;

    pci_config_set_device_id(config, VIRTIO_PCI_DEVICE_ID_BASE +
                                     vdev->device_id);
    pci_config_set_class(config, virtio_pci_class_id(vdev->device_id));
    if (proxy->nvectors == DEV_NVECTORS_UNSPECIFIED) {
        proxy->nvectors = vdev->nvqs + 1;
    }
    if (proxy->nvectors > PCI_MSIX_VECTORS_MAX) {
        error_setg(errp, "vectors=%u is not possible: 0 to %u are",
                   proxy->nvectors, PCI_MSIX_VECTORS_MAX);
        return;
    }
    if (proxy->nvectors &&
        msix_init_exclusive_bar(&proxy->pci_dev, proxy->nvectors, MSIX_BAR,
                                errp) < 0) {
        return;
    }
    proxy->pci_dev.aio_context = vdev->aio_context;
    virtio_pci_update_bus_master(proxy);
}

static void virtio_pci_device_unplugged(DeviceState *d)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(d);
    PCIDevice *pci_dev = &proxy->pci_dev;

    g_assert(!proxy->nr_irqfds);
    g_clear_pointer(&proxy->irqfds, g_free);
    pci_dev->aio_context = NULL;
    msix_uninit_exclusive_bar(pci_dev);
}

static AddressSpace *virtio_pci_get_dma_as(DeviceState *d)
{
    return pci_get_address_space(PCI_DEVICE(d));
}

static bool virtio_pci_ioeventfd_enabled(DeviceState *d)
{
    return VIRTIO_PCI(d)->ioeventfd;
}

static int virtio_pci_ioeventfd_assign(DeviceState *d, EventNotifier *notifier,
                                       int n, bool assign)
{
    virtio_pci_notify_assign(VIRTIO_PCI(d), notifier, n, assign);
    return 0;
}

static void virtio_pci_guest_notifier_assign(DeviceState *d,
                                             EventNotifier *notifier, int n,
                                             EventNotifierHandler *handler)
{
    if (handler) {
        virtio_pci_irqfd_add(VIRTIO_PCI(d), n, notifier, handler);
    } else {
        virtio_pci_irqfd_remove(VIRTIO_PCI(d), n);
    }
}

static void virtio_pci_bus_class_init(ObjectClass *klass, void *data)
{
    VirtioBusClass *k = VIRTIO_BUS_CLASS(klass);

    k->notify = virtio_pci_notify;
    k->notify_in_turn = virtio_pci_notify_in_turn;
    k->device_plugged = virtio_pci_device_plugged;
    k->device_unplugged = virtio_pci_device_unplugged;
    k->get_dma_as = virtio_pci_get_dma_as;
    k->ioeventfd_enabled = virtio_pci_ioeventfd_enabled;
    k->ioeventfd_assign = virtio_pci_ioeventfd_assign;
    k->guest_notifier_assign = virtio_pci_guest_notifier_assign;
}

/* --- configuration space --- */

static bool virtio_pci_touches_window(VirtIOPCIProxy *proxy, uint32_t addr,
                                      int len)
{
    return ranges_overlap(addr, len, proxy->config_cap + WINDOW_DATA,
                          WINDOW_DATA_LEN);
}

/*
 * What the driver has aimed the window of VIRTIO_PCI_CAP_PCI_CFG at (4.1.4.9):
 * *@offset in the BAR and the width, 0 if that is nonsense.
 */
static unsigned virtio_pci_window(VirtIOPCIProxy *proxy, uint32_t *offset)
{
    uint8_t *cap = proxy->pci_dev.config + proxy->config_cap;
    uint32_t len = pci_get_long(cap + VIRTIO_PCI_CAP_LENGTH);

    *offset = pci_get_long(cap + VIRTIO_PCI_CAP_OFFSET);
    if (cap[VIRTIO_PCI_CAP_BAR] != MODERN_BAR ||
        (len != 1 && len != 2 && len != 4)) {
        return 0;
    }
    return len;
}

static uint8_t *virtio_pci_window_data(VirtIOPCIProxy *proxy)
{
    return proxy->pci_dev.config + proxy->config_cap + WINDOW_DATA;
}

static uint32_t virtio_pci_config_read(PCIDevice *pci_dev, uint32_t addr,
                                       int len)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(pci_dev);

    if (virtio_pci_touches_window(proxy, addr, len)) {
        uint32_t offset;
        unsigned width = virtio_pci_window(proxy, &offset);

        if (width) {
            pci_set_long(virtio_pci_window_data(proxy),
                         virtio_pci_bar_read(proxy, offset, width));
        }
    }
    return pci_default_read_config(pci_dev, addr, len);
}

static void virtio_pci_config_write(PCIDevice *pci_dev, uint32_t addr,
                                    uint32_t val, int len)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(pci_dev);
    AioContext *ctx = pci_dev->aio_context;

    aio_context_pause(ctx);
    pci_default_write_config(pci_dev, addr, val, len);
    if (ranges_overlap(addr, len, PCI_COMMAND, 2)) {
        virtio_pci_update_bus_master(proxy);
    }
    if (virtio_pci_touches_window(proxy, addr, len)) {
        uint32_t offset;
        unsigned width = virtio_pci_window(proxy, &offset);

        if (width) {
            virtio_pci_bar_write(proxy, offset,
                                 pci_get_long(virtio_pci_window_data(proxy)),
                                 width);
        }
    }
    aio_context_resume(ctx);
}

/* Adds the vendor capability @cap of @size bytes; its offset, 0: *errp. */
static uint8_t virtio_pci_add_cap(VirtIOPCIProxy *proxy,
                                  struct virtio_pci_cap *cap, uint8_t size,
                                  Error **errp)
{
    int pos = pci_add_capability(&proxy->pci_dev, PCI_CAP_ID_VNDR, 0, size,
                                 errp);

    if (pos < 0) {
        return 0;
    }
    cap->cap_len = size;
    /* The first two bytes are id and link, which are there already. */
    memcpy(proxy->pci_dev.config + pos + PCI_CAP_FLAGS,
           (uint8_t *)cap + PCI_CAP_FLAGS, size - PCI_CAP_FLAGS);
    return pos;
}

static bool virtio_pci_add_region_cap(VirtIOPCIProxy *proxy,
                                      const VirtIOPCIRegion *r, Error **errp)
{
    struct virtio_pci_notify_cap cap = {
        .cap.cfg_type = r->type,
        .cap.bar = MODERN_BAR,
        .cap.offset = GUINT32_TO_LE(r->offset),
        .cap.length = GUINT32_TO_LE(r->size),
        .notify_off_multiplier = GUINT32_TO_LE(VIRTIO_PCI_NOTIFY_MULTIPLIER),
    };

    return virtio_pci_add_cap(proxy, &cap.cap,
                              r->type == VIRTIO_PCI_CAP_NOTIFY_CFG
                              ? sizeof(cap) : sizeof(cap.cap), errp) != 0;
}

static bool virtio_pci_add_caps(VirtIOPCIProxy *proxy, Error **errp)
{
    struct virtio_pci_cfg_cap cap = { .cap.cfg_type = VIRTIO_PCI_CAP_PCI_CFG };
    uint8_t *wmask;

    for (int i = 0; i < VIRTIO_PCI_REGIONS; i++) {
        if (!virtio_pci_add_region_cap(proxy, &proxy->regions[i], errp)) {
            return false;
        }
    }
    proxy->config_cap = virtio_pci_add_cap(proxy, &cap.cap, sizeof(cap), errp);
    if (!proxy->config_cap) {
        return false;
    }
    wmask = proxy->pci_dev.wmask + proxy->config_cap;
    wmask[VIRTIO_PCI_CAP_BAR] = 0xff;
    pci_set_long(wmask + VIRTIO_PCI_CAP_OFFSET, UINT32_MAX);
    pci_set_long(wmask + VIRTIO_PCI_CAP_LENGTH, UINT32_MAX);
    pci_set_long(wmask + WINDOW_DATA, UINT32_MAX);
    return true;
}

/* --- realize, unrealize, reset --- */

/* What QEMU command lines may switch off: bits of VirtIOPCIProxy.absent. */
static const char *const absent_features[] = {
    "ats", "aer", "page-per-vq",
};

static bool virtio_pci_check_absent(VirtIOPCIProxy *proxy, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(absent_features); i++) {
        if (proxy->absent & 1U << i) {
            error_setg(errp, "%s=on: not supported; possible: off",
                       absent_features[i]);
            return false;
        }
    }
    return true;
}

static bool virtio_pci_check_properties(VirtIOPCIProxy *proxy, Error **errp)
{
    if (proxy->disable_legacy == ON_OFF_AUTO_OFF) {
        error_setg(errp, "disable-legacy=off is not possible: virtio devices "
                   "are VIRTIO 1 only; leave it out or say on");
        return false;
    }
    if (proxy->disable_modern) {
        error_setg(errp, "disable-modern=on is not possible: virtio devices "
                   "are VIRTIO 1 only; leave it out or say off");
        return false;
    }
    return virtio_pci_check_absent(proxy, errp);
}

static void virtio_pci_realize(PCIDevice *pci_dev, Error **errp)
{
    ERRP_GUARD();
    VirtIOPCIProxy *proxy = VIRTIO_PCI(pci_dev);
    VirtioPCIClass *k = VIRTIO_PCI_GET_CLASS(proxy);

    if (!virtio_pci_check_properties(proxy, errp)) {
        return;
    }
    pci_config_set_interrupt_pin(pci_dev->config, 1);
    virtio_pci_regions_init(proxy);
    pci_register_bar(pci_dev, MODERN_BAR,
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &proxy->modern_bar);
    if (virtio_pci_add_caps(proxy, errp)) {
        k->realize(proxy, errp);
    }
    if (*errp) {
        virtio_pci_regions_fini(proxy);
    }
}

static void virtio_pci_exit(PCIDevice *pci_dev)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(pci_dev);
    VirtIODevice *vdev = virtio_bus_get_device(&proxy->bus);

    /* Unrealized with the bus, unless realizing that went wrong. */
    if (vdev && DEVICE(vdev)->realized) {
        qdev_unrealize(DEVICE(vdev));
    }
    virtio_pci_regions_fini(proxy);
}

static void virtio_pci_reset(DeviceState *d)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(d);
    AioContext *ctx = proxy->pci_dev.aio_context;

    aio_context_pause(ctx);
    virtio_bus_reset(&proxy->bus);
    msix_unuse_all_vectors(&proxy->pci_dev);
    proxy->dfselect = 0;
    proxy->gfselect = 0;
    memset(virtio_pci_window_data(proxy), 0, WINDOW_DATA_LEN);
    aio_context_resume(ctx);
}

/* --- types --- */

static void virtio_pci_init(Object *obj)
{
    VirtIOPCIProxy *proxy = VIRTIO_PCI(obj);

    qbus_create_inplace(&proxy->bus, sizeof(proxy->bus), TYPE_VIRTIO_PCI_BUS,
                        DEVICE(obj), "virtio-bus");
}

static const Property virtio_pci_properties[] = {
    DEFINE_PROP_UINT32("vectors", VirtIOPCIProxy, nvectors,
                       DEV_NVECTORS_UNSPECIFIED),
    DEFINE_PROP_BOOL("ioeventfd", VirtIOPCIProxy, ioeventfd, true),
    DEFINE_PROP_ON_OFF_AUTO("disable-legacy", VirtIOPCIProxy, disable_legacy,
                            ON_OFF_AUTO_AUTO),
    DEFINE_PROP_BOOL("disable-modern", VirtIOPCIProxy, disable_modern, false),
    DEFINE_PROP_BIT("ats", VirtIOPCIProxy, absent, 0, false),
    DEFINE_PROP_BIT("aer", VirtIOPCIProxy, absent, 1, false),
    DEFINE_PROP_BIT("page-per-vq", VirtIOPCIProxy, absent, 2, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void virtio_pci_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    DEVICE_CLASS(klass)->reset = virtio_pci_reset;
    device_class_set_props(DEVICE_CLASS(klass), virtio_pci_properties);
    pc->vendor_id = PCI_VENDOR_ID_REDHAT_QUMRANET;
    pc->class_id = PCI_CLASS_OTHERS;
    pc->revision = 1;
    pc->realize = virtio_pci_realize;
    pc->exit = virtio_pci_exit;
    pc->config_read = virtio_pci_config_read;
    pc->config_write = virtio_pci_config_write;
}

static const TypeInfo virtio_pci_types[] = {
    {
        .name = TYPE_VIRTIO_PCI_BUS,
        .parent = TYPE_VIRTIO_BUS,
        .class_init = virtio_pci_bus_class_init,
    }, {
        .name = TYPE_VIRTIO_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(VirtIOPCIProxy),
        .instance_init = virtio_pci_init,
        .abstract = true,
        .class_size = sizeof(VirtioPCIClass),
        .class_init = virtio_pci_class_init,
    },
};
DEFINE_TYPES(virtio_pci_types)

void virtio_pci_types_register(const VirtioPCIDeviceTypeInfo *t)
{
    TypeInfo base = {
        .name = t->base_name,
        .parent = t->parent ? t->parent : TYPE_VIRTIO_PCI,
        .instance_size = t->instance_size,
        .class_size = t->class_size,
        .class_init = t->class_init,
        .interfaces = t->interfaces,
        .abstract = true,
    };
    InterfaceInfo slots[] = {
        { INTERFACE_PCIE_DEVICE },
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { },
    };
    TypeInfo generic = {
        .parent = t->base_name,
        .instance_init = t->instance_init,
        .instance_finalize = t->instance_finalize,
        .interfaces = slots,
    };

    g_assert(t->base_name && !t->transitional_name);
    type_register_static(&base);
    if (t->generic_name) {
        generic.name = t->generic_name;
        type_register_static(&generic);
    }
    if (t->non_transitional_name) {
        generic.name = t->non_transitional_name;
        type_register_static(&generic);
    }
}

/* --- the device behind the proxy --- */

typedef struct AliasTarget {
    Object *proxy;
    Object *vdev;
} AliasTarget;

static void virtio_alias_property(ObjectProperty *prop, void *opaque)
{
    const AliasTarget *t = opaque;

    if (!g_str_has_prefix(prop->type, "child<") &&
        !object_property_find(t->proxy, prop->name)) {
        object_property_add_alias(t->proxy, prop->name, t->vdev, prop->name);
    }
}

void virtio_instance_init_common(Object *proxy_obj, void *vdev_data,
                                 size_t vdev_size, const char *vdev_name)
{
    AliasTarget t = { .proxy = proxy_obj, .vdev = OBJECT(vdev_data) };

    object_initialize_child_with_props_size(proxy_obj, "virtio-backend",
                                            vdev_data, vdev_size, vdev_name);
    object_property_foreach(t.vdev, virtio_alias_property, &t);
}
