/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-serial-pci: virtio-serial as a PCI function. */
#include "qemu/osdep.h"
#include "hw/virtio/virtio-pci.h"
#include "virtio-serial.h"

#define TYPE_VIRTIO_SERIAL_PCI "virtio-serial-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOSerialPCI, VIRTIO_SERIAL_PCI)

struct VirtIOSerialPCI {
    VirtIOPCIProxy proxy;
    VirtIOSerial serial;
};

/* Linux takes a vector for each queue, or two for all: so many IRQs for a few
 * bytes are not worth it. */
static void serial_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    VirtIOSerial *serial = &VIRTIO_SERIAL_PCI(proxy)->serial;

    if (proxy->nvectors == DEV_NVECTORS_UNSPECIFIED) {
        proxy->nvectors = 2;
    }
    qdev_realize(DEVICE(serial), BUS(&proxy->bus), errp);
}

static void serial_pci_init(Object *obj)
{
    VirtIOSerial *serial = &VIRTIO_SERIAL_PCI(obj)->serial;

    virtio_instance_init_common(obj, serial, sizeof(*serial),
                                TYPE_VIRTIO_SERIAL);
}

static void serial_pci_class_init(ObjectClass *klass, void *data)
{
    set_bit(DEVICE_CATEGORY_INPUT, DEVICE_CLASS(klass)->categories);
    DEVICE_CLASS(klass)->desc = "virtio-serial over PCI: consoles and channels";
    VIRTIO_PCI_CLASS(klass)->realize = serial_pci_realize;
}

static const VirtioPCIDeviceTypeInfo serial_pci = {
    .generic_name = "virtio-serial-pci",
    .non_transitional_name = "virtio-serial-pci-non-transitional",
    .base_name = TYPE_VIRTIO_SERIAL_PCI,
    .instance_size = sizeof(VirtIOSerialPCI),
    .instance_init = serial_pci_init,
    .class_init = serial_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(serial_pci)
