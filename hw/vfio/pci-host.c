/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -device vfio-pci: a PCI device of this host, found by its address (host=) or
 * its directory in sysfs (sysfsdev=), opened by way of its IOMMU group.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "group.h"
#include "hw/vfio/pci.h"

static char *vfio_pci_host_path(const VFIOPCIDevice *vdev, Error **errp)
{
    const PCIHostDeviceAddress *host = &vdev->host;
    bool has_host = host->bus != ~0U;

    if (has_host == (vdev->sysfsdev != NULL)) {
        error_setg(errp, "vfio-pci: exactly one of host=DDDD:BB:DD.F and "
                   "sysfsdev=DIRECTORY must say which device to pass through");
        return NULL;
    }
    if (vdev->sysfsdev) {
        return g_strdup(vdev->sysfsdev);
    }
    return g_strdup_printf("/sys/bus/pci/devices/%04x:%02x:%02x.%x",
                           host->domain, host->bus, host->slot,
                           host->function);
}

static bool vfio_pci_host_open(VFIOPCIDevice *vdev, Error **errp)
{
    g_autofree char *sysfsdev = vfio_pci_host_path(vdev, errp);
    VFIOHostPath path = { sysfsdev, vdev->group, vdev->container };

    return sysfsdev &&
           vfio_group_open_device(&vdev->vbasedev, &path,
                                  pci_device_iommu_address_space(
                                      PCI_DEVICE(vdev)), errp);
}

static void vfio_pci_host_close(VFIOPCIDevice *vdev)
{
    vfio_group_close_device(&vdev->vbasedev);
}

static const Property vfio_pci_host_properties[] = {
    DEFINE_PROP_PCI_HOST_DEVADDR("host", VFIOPCIDevice, host),
    DEFINE_PROP_STRING("sysfsdev", VFIOPCIDevice, sysfsdev),
    DEFINE_PROP_STRING("group", VFIOPCIDevice, group),
    DEFINE_PROP_STRING("container", VFIOPCIDevice, container),
    DEFINE_PROP_END_OF_LIST(),
};

static void vfio_pci_host_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VFIOPCIDeviceClass *vc = VFIO_PCI_BASE_CLASS(klass);

    dc->desc = "PCI device of this host, passed through by VFIO";
    device_class_set_props(dc, vfio_pci_host_properties);
    vc->open = vfio_pci_host_open;
    vc->close = vfio_pci_host_close;
}

static const TypeInfo vfio_pci_host_types[] = {
    {
        .name = TYPE_VFIO_PCI,
        .parent = TYPE_VFIO_PCI_BASE,
        .class_init = vfio_pci_host_class_init,
    },
};

DEFINE_TYPES(vfio_pci_host_types)
