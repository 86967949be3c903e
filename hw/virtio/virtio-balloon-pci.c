/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-balloon-pci: virtio-balloon as a PCI function. */
#include "qemu/osdep.h"
#include "virtio-balloon.h"
#include "hw/virtio/virtio-pci.h"

#define TYPE_VIRTIO_BALLOON_PCI "virtio-balloon-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOBalloonPCI, VIRTIO_BALLOON_PCI)

struct VirtIOBalloonPCI {
    VirtIOPCIProxy proxy;
    VirtIOBalloon balloon;
};

static void balloon_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VIRTIO_BALLOON_PCI(proxy)->balloon), BUS(&proxy->bus),
                 errp);
}

static void balloon_pci_init(Object *obj)
{
    VirtIOBalloon *balloon = &VIRTIO_BALLOON_PCI(obj)->balloon;

    virtio_instance_init_common(obj, balloon, sizeof(*balloon),
                                TYPE_VIRTIO_BALLOON);
}

static void balloon_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    dc->desc = "virtio-balloon over PCI: memory that the guest gives back";
    VIRTIO_PCI_CLASS(klass)->realize = balloon_pci_realize;
}

static const VirtioPCIDeviceTypeInfo balloon_pci = {
    .generic_name = "virtio-balloon-pci",
    .non_transitional_name = "virtio-balloon-pci-non-transitional",
    .base_name = TYPE_VIRTIO_BALLOON_PCI,
    .instance_size = sizeof(VirtIOBalloonPCI),
    .instance_init = balloon_pci_init,
    .class_init = balloon_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(balloon_pci)
