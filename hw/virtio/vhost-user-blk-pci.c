/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-user-blk-pci: vhost-user-blk as a PCI function. */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "hw/virtio/virtio-pci.h"
#include "vhost-user-blk.h"

#define TYPE_VHOST_USER_BLK_PCI "vhost-user-blk-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VhostUserBlkPCI, VHOST_USER_BLK_PCI)

struct VhostUserBlkPCI {
    VirtIOPCIProxy proxy;
    VhostUserBlk blk;
};

static void blk_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VHOST_USER_BLK_PCI(proxy)->blk), BUS(&proxy->bus),
                 errp);
}

static void blk_pci_prepare(DeviceState *dev, Error **errp)
{
    vhost_user_base_prepare(VHOST_USER_BASE(&VHOST_USER_BLK_PCI(dev)->blk), errp);
}

static void blk_pci_init(Object *obj)
{
    VhostUserBlk *blk = &VHOST_USER_BLK_PCI(obj)->blk;

    virtio_instance_init_common(obj, blk, sizeof(*blk), TYPE_VHOST_USER_BLK);
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
    dc->shares_memory = true;
    dc->desc = "vhost-user-blk over PCI: a disk that another process serves";
    device_class_set_props(dc, blk_pci_properties);
    VIRTIO_PCI_CLASS(klass)->realize = blk_pci_realize;
}

static const VirtioPCIDeviceTypeInfo blk_pci = {
    .generic_name = "vhost-user-blk-pci",
    .non_transitional_name = "vhost-user-blk-pci-non-transitional",
    .base_name = TYPE_VHOST_USER_BLK_PCI,
    .instance_size = sizeof(VhostUserBlkPCI),
    .instance_init = blk_pci_init,
    .class_init = blk_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(blk_pci)
