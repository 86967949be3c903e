/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-user-fs-pci: vhost-user-fs as a PCI function. */
#include "qemu/osdep.h"

#include "hw/virtio/virtio-pci.h"
#include "vhost-user-fs.h"

#define TYPE_VHOST_USER_FS_PCI "vhost-user-fs-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VhostUserFsPCI, VHOST_USER_FS_PCI)

struct VhostUserFsPCI {
    VirtIOPCIProxy proxy;
    VhostUserFs fs;
};

static void fs_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VHOST_USER_FS_PCI(proxy)->fs), BUS(&proxy->bus),
                 errp);
}

static void fs_pci_prepare(DeviceState *dev, Error **errp)
{
    vhost_user_base_prepare(VHOST_USER_BASE(&VHOST_USER_FS_PCI(dev)->fs), errp);
}

static void fs_pci_init(Object *obj)
{
    VhostUserFs *fs = &VHOST_USER_FS_PCI(obj)->fs;

    virtio_instance_init_common(obj, fs, sizeof(*fs), TYPE_VHOST_USER_FS);
}

static void fs_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    dc->prepare = fs_pci_prepare;
    dc->shares_memory = true;
    dc->desc = "vhost-user-fs over PCI: a directory that another process serves";
    VIRTIO_PCI_CLASS(klass)->realize = fs_pci_realize;
}

static const VirtioPCIDeviceTypeInfo fs_pci = {
    .generic_name = "vhost-user-fs-pci",
    .non_transitional_name = "vhost-user-fs-pci-non-transitional",
    .base_name = TYPE_VHOST_USER_FS_PCI,
    .instance_size = sizeof(VhostUserFsPCI),
    .instance_init = fs_pci_init,
    .class_init = fs_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(fs_pci)
