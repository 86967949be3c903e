/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-net-pci: virtio-net as a PCI function. */
#include "qemu/osdep.h"

#include "virtio-net.h"

#include "hw/qdev-properties.h"
#include "hw/virtio/virtio-pci.h"

#define TYPE_VIRTIO_NET_PCI "virtio-net-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIONetPCI, VIRTIO_NET_PCI)

struct VirtIONetPCI {
    VirtIOPCIProxy proxy;
    VirtIONet net;
};

static void net_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VIRTIO_NET_PCI(proxy)->net), BUS(&proxy->bus), errp);
}

static void net_pci_prepare(DeviceState *dev, Error **errp)
{
    virtio_net_prepare(&VIRTIO_NET_PCI(dev)->net, errp);
}

static void net_pci_init(Object *obj)
{
    VirtIONet *net = &VIRTIO_NET_PCI(obj)->net;

    virtio_instance_init_common(obj, net, sizeof(*net), TYPE_VIRTIO_NET);
    PCI_DEVICE(obj)->boot_suffix = "/ethernet-phy@0";
}

static const Property net_pci_properties[] = {
    DEFINE_PROP_BOOTINDEX(),
    DEFINE_PROP_END_OF_LIST(),
};

static void net_pci_class_init(ObjectClass *klass, void *data)
{
    set_bit(DEVICE_CATEGORY_MISC, DEVICE_CLASS(klass)->categories);
    PCI_DEVICE_CLASS(klass)->romfile = "efi-virtio.rom";
    DEVICE_CLASS(klass)->prepare = net_pci_prepare;
    DEVICE_CLASS(klass)->desc = "virtio-net over PCI: a network device";
    device_class_set_props(DEVICE_CLASS(klass), net_pci_properties);
    VIRTIO_PCI_CLASS(klass)->realize = net_pci_realize;
}

static const VirtioPCIDeviceTypeInfo net_pci = {
    .generic_name = "virtio-net-pci",
    .non_transitional_name = "virtio-net-pci-non-transitional",
    .base_name = TYPE_VIRTIO_NET_PCI,
    .instance_size = sizeof(VirtIONetPCI),
    .instance_init = net_pci_init,
    .class_init = net_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(net_pci)
