/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-rng-pci: virtio-rng as a PCI function. */
#include "qemu/osdep.h"
#include "hw/virtio/virtio-pci.h"
#include "virtio-rng.h"

#define TYPE_VIRTIO_RNG_PCI "virtio-rng-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIORngPCI, VIRTIO_RNG_PCI)

struct VirtIORngPCI {
    VirtIOPCIProxy proxy;
    VirtIORNG rng;
};

static void rng_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&VIRTIO_RNG_PCI(proxy)->rng), BUS(&proxy->bus), errp);
}

static void rng_pci_init(Object *obj)
{
    VirtIORNG *rng = &VIRTIO_RNG_PCI(obj)->rng;

    virtio_instance_init_common(obj, rng, sizeof(*rng), TYPE_VIRTIO_RNG);
}

static void rng_pci_class_init(ObjectClass *klass, void *data)
{
    set_bit(DEVICE_CATEGORY_MISC, DEVICE_CLASS(klass)->categories);
    DEVICE_CLASS(klass)->desc = "virtio-rng over PCI: random bytes";
    VIRTIO_PCI_CLASS(klass)->realize = rng_pci_realize;
}

static const VirtioPCIDeviceTypeInfo rng_pci = {
    .generic_name = "virtio-rng-pci",
    .non_transitional_name = "virtio-rng-pci-non-transitional",
    .base_name = TYPE_VIRTIO_RNG_PCI,
    .instance_size = sizeof(VirtIORngPCI),
    .instance_init = rng_pci_init,
    .class_init = rng_pci_class_init,
};
DEFINE_VIRTIO_PCI_TYPES(rng_pci)
