/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-blk-pci: virtio-blk as a PCI function. */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "hw/virtio/virtio-pci.h"
#include "virtio-blk.h"

#define TYPE_VIRTIO_BLK_PCI "virtio-blk-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOBlkPCI, VIRTIO_BLK_PCI)

struct VirtIOBlkPCI {
    VirtIOPCIProxy proxy;
    VirtIOBlock vdev;
};

static void blk_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    VirtIOBlock *vdev = &VIRTIO_BLK_PCI(proxy)->vdev;

    if (qdev_realize(DEVICE(vdev), BUS(&proxy->bus), errp)) {
        PCI_DEVICE(proxy)->cdrom = blk_is_cdrom(vdev->blk);
    }
}

static void blk_pci_prepare(DeviceState *dev, Error **errp)
{
    virtio_blk_prepare(&VIRTIO_BLK_PCI(dev)->vdev, errp);
}

static void blk_pci_init(Object *obj)
{
    VirtIOBlock *vdev = &VIRTIO_BLK_PCI(obj)->vdev;

    virtio_instance_init_common(obj, vdev, sizeof(*vdev), TYPE_VIRTIO_BLK);
    PCI_DEVICE(obj)->boot_suffix = "/disk@0,0";
}

static const Property blk_pci_properties[] = {
    DEFINE_PROP_BOOTINDEX(),
    DEFINE_PROP_END_OF_LIST(),
};

static void blk_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    dc->prepare = blk_pci_prepare;
    dc->desc = "virtio-blk over PCI: a disk";
    device_class_set_props(dc, blk_pci_properties);
    VIRTIO_PCI_CLASS(klass)->realize = blk_pci_realize;
}

static const VirtioPCIDeviceTypeInfo blk_pci = {
    .generic_name = "virtio-blk-pci",
    .non_transitional_name = "virtio-blk-pci-non-transitional",
    .base_name = TYPE_VIRTIO_BLK_PCI,
    .instance_size = sizeof(VirtIOBlkPCI),
    .instance_init = blk_pci_init,
    .class_init = blk_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(blk_pci)
