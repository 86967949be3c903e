/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-vsock-pci: vhost-vsock as a PCI function. */
#include "qemu/osdep.h"

#include "hw/virtio/virtio-pci.h"
#include "vhost-vsock.h"

#define TYPE_VHOST_VSOCK_PCI "vhost-vsock-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VhostVsockPCI, VHOST_VSOCK_PCI)

struct VhostVsockPCI {
    VirtIOPCIProxy proxy;
    VhostVsock vsock;
};

static void vsock_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VHOST_VSOCK_PCI(proxy)->vsock), BUS(&proxy->bus), errp);
}

static void vsock_pci_init(Object *obj)
{
    VhostVsock *vsock = &VHOST_VSOCK_PCI(obj)->vsock;

    virtio_instance_init_common(obj, vsock, sizeof(*vsock), TYPE_VHOST_VSOCK);
}

static void vsock_pci_class_init(ObjectClass *klass, void *data)
{
    set_bit(DEVICE_CATEGORY_MISC, DEVICE_CLASS(klass)->categories);
    DEVICE_CLASS(klass)->desc = "vhost-vsock over PCI: sockets to the host";
    VIRTIO_PCI_CLASS(klass)->realize = vsock_pci_realize;
}

static const VirtioPCIDeviceTypeInfo vsock_pci = {
    .generic_name = "vhost-vsock-pci",
    .non_transitional_name = "vhost-vsock-pci-non-transitional",
    .base_name = TYPE_VHOST_VSOCK_PCI,
    .instance_size = sizeof(VhostVsockPCI),
    .instance_init = vsock_pci_init,
    .class_init = vsock_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(vsock_pci)
