/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI (VIRTIO 1.2, 4.1), modern only.
 *
 * A "foo-pci" device is a PCI function (the proxy) with a "foo-device", the
 * virtio device proper, as its child "virtio-backend" on its own virtio bus.
 * It is declared by a VirtioPCIDeviceTypeInfo:
 *
 *     struct VirtIOFooPCI { VirtIOPCIProxy parent_obj; VirtIOFoo vdev; };
 *     instance_init: virtio_instance_init_common(obj, &dev->vdev,
 *                                     sizeof(dev->vdev), TYPE_VIRTIO_FOO);
 *     class_init:    k->realize = ...  (VirtioPCIClass; sets the virtio
 *                    device's properties, then qdev_realize()s it on
 *                    BUS(&proxy->bus))
 *
 * BAR 1 is MSI-X; BAR 4 (64-bit, prefetchable) has a page each of common
 * configuration, ISR, device configuration and notifications.
 */
#ifndef HW_VIRTIO_PCI_H
#define HW_VIRTIO_PCI_H

#include <linux/virtio_pci.h>

#include "hw/pci/msi_irqfd.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "hw/virtio/virtio-bus.h"
#include "hw/virtio/virtio.h"

#define TYPE_VIRTIO_PCI_BUS "virtio-pci-bus"

#define TYPE_VIRTIO_PCI "virtio-pci"
typedef struct VirtIOPCIProxy VirtIOPCIProxy;
typedef struct VirtioPCIClass VirtioPCIClass;
DECLARE_OBJ_CHECKERS(VirtIOPCIProxy, VirtioPCIClass, VIRTIO_PCI,
                     TYPE_VIRTIO_PCI)

/* vectors=: one for each queue and one for configuration changes. */
#define DEV_NVECTORS_UNSPECIFIED UINT32_MAX

struct VirtioPCIClass {
    PCIDeviceClass parent_class;
    /* Realizes the virtio device on BUS(&vpci_dev->bus). */
    void (*realize)(VirtIOPCIProxy *vpci_dev, Error **errp);
};

/* A structure of 4.1.4 in the modern BAR. */
typedef struct VirtIOPCIRegion {
    MemoryRegion mr;
    uint32_t offset;                      /* in the BAR */
    uint32_t size;
    uint8_t type;                         /* VIRTIO_PCI_CAP_* */
} VirtIOPCIRegion;

enum {
    VIRTIO_PCI_REGION_COMMON,
    VIRTIO_PCI_REGION_ISR,
    VIRTIO_PCI_REGION_DEVICE,
    VIRTIO_PCI_REGION_NOTIFY,
    VIRTIO_PCI_REGIONS,
};

struct VirtIOPCIProxy {
    PCIDevice pci_dev;

    /* Properties. */
    uint32_t nvectors;                    /* MSI-X vectors; 0: INTx only */
    bool ioeventfd;
    OnOffAuto disable_legacy;             /* off is refused */
    bool disable_modern;                  /* true is refused */
    uint32_t absent;                      /* bits of what is refused if on */

    /* What the driver has selected. */
    uint32_t dfselect;
    uint32_t gfselect;

    MemoryRegion modern_bar;
    VirtIOPCIRegion regions[VIRTIO_PCI_REGIONS];
    uint8_t config_cap;                   /* offset of VIRTIO_PCI_CAP_PCI_CFG */
    MSIIrqfd *irqfds;                     /* of queues that somebody else
                                             processes; NULL: never any */
    unsigned nr_irqfds;                   /* that are in use */

    VirtioBusState bus;
};

typedef struct VirtioPCIDeviceTypeInfo {
    const char *base_name;                /* abstract, e.g. "foo-pci-base" */
    const char *generic_name;             /* e.g. "foo-pci"; or NULL */
    const char *transitional_name;        /* not supported: NULL */
    const char *non_transitional_name;    /* e.g. "foo-pci-non-transitional" */
    const char *parent;                   /* NULL: TYPE_VIRTIO_PCI */
    size_t instance_size;                 /* 0: the parent's */
    size_t class_size;
    void (*instance_init)(Object *obj);
    void (*instance_finalize)(Object *obj); /* later than QEMU 5.2 */
    void (*class_init)(ObjectClass *klass, void *data);
    InterfaceInfo *interfaces;            /* ends with a NULL type */
} VirtioPCIDeviceTypeInfo;

/* Registers the types that @t names. Called from type_init(). */
void virtio_pci_types_register(const VirtioPCIDeviceTypeInfo *t);
/* Does that, in the file that has @info. */
#define DEFINE_VIRTIO_PCI_TYPES(info)                                        \
    static void register_##info(void)                                        \
    {                                                                        \
        virtio_pci_types_register(&info);                                    \
    }                                                                        \
    type_init(register_##info)

/*
 * In instance_init of the proxy @proxy_obj: makes @vdev_data a virtio device
 * @vdev_name, the proxy's child "virtio-backend". The properties that it has by
 * then become the proxy's too, unless the proxy has its own of the name.
 */
void virtio_instance_init_common(Object *proxy_obj, void *vdev_data,
                                 size_t vdev_size, const char *vdev_name);

#endif
