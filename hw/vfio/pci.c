/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a passed-through PCI function: opened and looked at, shown to
 * the guest, reset, taken away. What it does in between is in the other
 * hw/vfio/pci-*.c. The abstract type here knows nothing of who serves the
 * device; see hw/vfio/pci.h.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "hw/vfio/container.h"
#include "pci-internal.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"

/* --- reset --- */

static void vfio_pci_power_up(VFIOPCIDevice *vdev)
{
    uint32_t pos = vdev->pm_cap + PCI_PM_CTRL;
    uint16_t pmcsr;

    if (!vdev->pm_cap) {
        return;
    }
    pmcsr = vfio_pci_phys_read(vdev, pos, 2);
    if (pmcsr & PCI_PM_CTRL_STATE_MASK) {
        vfio_pci_phys_write(vdev, pos, pmcsr & ~PCI_PM_CTRL_STATE_MASK, 2);
    }
}

/* No DMA, no decoding: as after power on. */
static void vfio_pci_quiesce(VFIOPCIDevice *vdev)
{
    uint16_t cmd = vfio_pci_phys_read(vdev, PCI_COMMAND, 2);

    vfio_pci_phys_write(vdev, PCI_COMMAND,
                        cmd & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                                PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE),
                        2);
}

static void vfio_pci_reset_device(VFIOPCIDevice *vdev)
{
    VFIODevice *vbasedev = &vdev->vbasedev;
    int ret;

    if (!(vbasedev->flags & VFIO_DEVICE_FLAGS_RESET)) {
        if (!vdev->no_reset_reported) {
            vdev->no_reset_reported = true;
            warn_report("vfio %s: it has no reset, and keeps its state when "
                        "the guest is reset", vbasedev->name);
        }
        return;
    }
    ret = vbasedev->io->reset(vbasedev);
    if (ret) {
        warn_report_counted(&vdev->nr_failed_resets, "vfio %s: reset failed: "
                            "%s", vbasedev->name, g_strerror(-ret));
    }
}

/* The PCI layer then resets our part of configuration space. Nothing like this
 * at realize: whoever serves the device has reset it when it was opened. */
static void vfio_pci_reset(DeviceState *dev)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(dev);
    int ret;

    vfio_pci_irq_disable(vdev);
    vfio_pci_power_up(vdev);
    vfio_pci_quiesce(vdev);
    vfio_pci_reset_device(vdev);
    ret = vfio_pci_irq_reset(vdev);
    if (ret) {
        warn_report_counted(&vdev->nr_failed_resets, "vfio %s: cannot enable "
                            "INTx after reset: %s", vdev->vbasedev.name,
                            g_strerror(-ret));
    }
}

/* --- realize and exit --- */

static void vfio_pci_lost(VFIODevice *vbasedev, const char *reason)
{
    VFIOPCIDevice *vdev = container_of(vbasedev, VFIOPCIDevice, vbasedev);
    DeviceState *dev = DEVICE(vdev);
    g_autofree char *path = object_get_canonical_path(OBJECT(dev));
    JsonObject *data = json_object_new();

    vdev->lost = true;
    vfio_pci_bars_set_mmaps_enabled(vdev, false);
    if (dev->id) {
        json_object_set_string_member(data, "device", dev->id);
    }
    json_object_set_string_member(data, "path", path);
    json_object_set_string_member(data, "reason", reason);
    qapi_event_emit("DEVICE_BROKEN", data);
}

/* As clients know it; without an id, as the host does. */
static const char *vfio_pci_id(const VFIOPCIDevice *vdev)
{
    return DEVICE(vdev)->id ?: vdev->vbasedev.name;
}

static bool vfio_pci_open(VFIOPCIDevice *vdev, Error **errp)
{
    VFIOPCIDeviceClass *vc = VFIO_PCI_BASE_GET_CLASS(vdev);

    if (!vc->open(vdev, errp)) {
        return false;
    }
    if (!vfio_device_probe(&vdev->vbasedev, errp)) {
        vc->close(vdev);
        return false;
    }
    vdev->vbasedev.region_accessed = vfio_pci_intx_eoi;
    vdev->vbasedev.lost = vfio_pci_lost;
    if (!(vdev->vbasedev.flags & VFIO_DEVICE_FLAGS_PCI)) {
        error_setg(errp, "vfio %s: it is not a PCI device",
                   vdev->vbasedev.name);
        vfio_device_cleanup(&vdev->vbasedev);
        vc->close(vdev);
        return false;
    }
    if (vdev->vbasedev.container) {
        vfio_container_add_device(vdev->vbasedev.container, vfio_pci_id(vdev));
    }
    return true;
}

/* What is mapped of the device keeps it open: so only when nobody can use the
 * mappings any more. */
static void vfio_pci_close(VFIOPCIDevice *vdev)
{
    vfio_pci_bars_finalize(vdev);
    vfio_device_cleanup(&vdev->vbasedev);
    if (vdev->vbasedev.container) {
        vfio_container_remove_device(vdev->vbasedev.container,
                                     vfio_pci_id(vdev));
    }
    VFIO_PCI_BASE_GET_CLASS(vdev)->close(vdev);
}

static void vfio_pci_realize(PCIDevice *pdev, Error **errp)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);

    if (!vfio_pci_open(vdev, errp)) {
        return;
    }
    if (!vfio_pci_config_init(vdev, errp)) {
        goto close;
    }
    vfio_pci_find_msix(vdev, pdev->config);
    if (!vfio_pci_header_init(vdev, errp)) {
        goto config;
    }
    if (!vfio_pci_bars_init(vdev, errp)) {
        goto config;
    }
    if (!vfio_pci_caps_init(vdev, errp)) {
        goto bars;
    }
    vfio_pci_bars_register(vdev);
    if (vfio_pci_rom_init(vdev, errp) && vfio_pci_irq_init(vdev, errp)) {
        return;
    }

    vfio_pci_caps_exit(vdev);
bars:
    vfio_pci_bars_exit(vdev);
config:
    vfio_pci_config_exit(vdev);
close:
    vfio_pci_close(vdev);
}

static void vfio_pci_exit(PCIDevice *pdev)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);

    vfio_pci_irq_exit(vdev);
    vfio_pci_quiesce(vdev);
    vdev->vbasedev.lost = NULL;
    vfio_pci_caps_exit(vdev);
    vfio_pci_bars_exit(vdev);
    vfio_pci_config_exit(vdev);
}

static void vfio_pci_instance_init(Object *obj)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(obj);

    PCI_DEVICE(vdev)->cap_present |= QEMU_PCI_CAP_EXPRESS;
    vdev->host = (PCIHostDeviceAddress) { ~0U, ~0U, ~0U, ~0U };
    vdev->vbasedev.fd = -1;
    event_notifier_init_fd(&vdev->err_notifier, -1);
    event_notifier_init_fd(&vdev->req_notifier, -1);
}

static void vfio_pci_instance_finalize(Object *obj)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(obj);

    if (vdev->vbasedev.io) {
        vfio_pci_close(vdev);
    }
}

/* --- properties and type --- */

static const Property vfio_pci_base_properties[] = {
    DEFINE_PROP_BOOL("x-no-mmap", VFIOPCIDevice, no_mmap, false),
    DEFINE_PROP_BOOL("x-no-kvm-intx", VFIOPCIDevice, no_kvm_intx, false),
    DEFINE_PROP_BOOL("x-no-kvm-msi", VFIOPCIDevice, no_kvm_msi, false),
    DEFINE_PROP_BOOL("x-no-kvm-msix", VFIOPCIDevice, no_kvm_msix, false),
    DEFINE_PROP_UINT32("x-pci-vendor-id", VFIOPCIDevice, vendor_id,
                       UINT32_MAX),
    DEFINE_PROP_UINT32("x-pci-device-id", VFIOPCIDevice, device_id,
                       UINT32_MAX),
    DEFINE_PROP_UINT32("x-pci-sub-vendor-id", VFIOPCIDevice, sub_vendor_id,
                       UINT32_MAX),
    DEFINE_PROP_UINT32("x-pci-sub-device-id", VFIOPCIDevice, sub_device_id,
                       UINT32_MAX),
    DEFINE_PROP_BOOTINDEX(),
    DEFINE_PROP_UINT32("x-intx-mmap-timeout-ms", VFIOPCIDevice,
                       intx_mmap_timeout_ms, 1100),
    DEFINE_PROP_END_OF_LIST(),
};

static void vfio_pci_base_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->reset = vfio_pci_reset;
    dc->categories[0] |= 1UL << DEVICE_CATEGORY_MISC;
    device_class_set_props(dc, vfio_pci_base_properties);
    pc->realize = vfio_pci_realize;
    pc->exit = vfio_pci_exit;
    pc->config_read = vfio_pci_config_read;
    pc->config_write = vfio_pci_config_write;
}

static const TypeInfo vfio_pci_base_types[] = {
    {
        .name = TYPE_VFIO_PCI_BASE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(VFIOPCIDevice),
        .instance_init = vfio_pci_instance_init,
        .instance_finalize = vfio_pci_instance_finalize,
        .abstract = true,
        .class_size = sizeof(VFIOPCIDeviceClass),
        .class_init = vfio_pci_base_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(vfio_pci_base_types)
