/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function that VFIO passes through. "vfio-pci-base" knows how such a
 * function behaves, whoever serves it; a derived type opens the device: a
 * device of this host ("vfio-pci"), or one behind a socket.
 *
 * Interrupts go one of three ways at a time (VFIOIntMode). A vector's eventfd
 * raises the guest's interrupt inside KVM if that is possible; else, and while
 * the guest has the vector masked, it is handled here.
 */
#ifndef HW_VFIO_PCI_H
#define HW_VFIO_PCI_H

#include "hw/pci/msi_irqfd.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties-system.h"
#include "hw/vfio/device.h"
#include "hw/vfio/region.h"
#include "qemu/event_notifier.h"
#include "qemu/timer.h"

#define TYPE_VFIO_PCI_BASE "vfio-pci-base"
OBJECT_DECLARE_TYPE(VFIOPCIDevice, VFIOPCIDeviceClass, VFIO_PCI_BASE)
#define TYPE_VFIO_PCI "vfio-pci"

typedef enum VFIOIntMode {
    VFIO_INT_NONE,
    VFIO_INT_INTX,
    VFIO_INT_MSI,
    VFIO_INT_MSIX,
} VFIOIntMode;

/* One MSI or MSI-X vector. */
typedef struct VFIOVector {
    VFIOPCIDevice *vdev;
    EventNotifier notifier;
    MSIIrqfd irqfd;                       /* what its signals become */
    bool used;                            /* notifier is open, and connected */
} VFIOVector;

/* The pin. */
typedef struct VFIOINTx {
    bool enabled;
    uint8_t pin;                          /* 1..4; 0: none */
    bool pending;                         /* asserted by us, masked there */
    bool in_kvm;
    PCIINTxRoute route;
    EventNotifier interrupt;
    EventNotifier unmask;                 /* with KVM: the guest's EOI */
    QEMUTimer *mmap_timer;
} VFIOINTx;

/* Where the device has its MSI-X table. */
typedef struct VFIOMSIXInfo {
    uint16_t entries;                     /* 0: none */
    uint8_t table_bar;
    uint8_t pba_bar;
    uint32_t table_offset;
    uint32_t pba_offset;
} VFIOMSIXInfo;

struct VFIOPCIDevice {
    PCIDevice parent_obj;

    /* Properties. */
    PCIHostDeviceAddress host;
    char *sysfsdev;
    char *group;                          /* their files; NULL: as sysfs says */
    char *container;
    bool no_mmap;
    bool no_kvm_intx;
    bool no_kvm_msi;
    bool no_kvm_msix;
    uint32_t vendor_id;                   /* UINT32_MAX: the device's own ... */
    uint32_t device_id;
    uint32_t sub_vendor_id;
    uint32_t sub_device_id;
    uint32_t intx_mmap_timeout_ms;        /* 0: BARs stay slow for good */

    /* What the guest sees of configuration space: bit set in emulated_bits:
     * from parent_obj.config; else from the device. pci_config_size() bytes. */
    uint8_t *emulated_bits;
    /* The device's header as it was when it was opened. Whoever serves it may
     * say something else the next time: what was checked is what is used. */
    uint8_t header[PCI_CONFIG_HEADER_SIZE];

    /* The host's. */
    VFIODevice vbasedev;
    VFIORegion bars[PCI_STD_NUM_BARS];
    bool lost;                            /* nobody serves it any more */
    VFIOMSIXInfo msix;
    uint8_t pm_cap;                       /* offset; 0: none */
    VFIOIntMode interrupt;
    VFIOIntMode failed;                   /* could not be enabled; or NONE */
    VFIOINTx intx;
    VFIOVector *vectors;
    unsigned nr_vectors;
    EventNotifier err_notifier;
    EventNotifier req_notifier;
    uint64_t nr_errors;                   /* ERR: how often */
    uint64_t nr_failed_resets;
    bool req_reported;                    /* these are said only once */
    bool failure_reported;
    bool no_reset_reported;
};

struct VFIOPCIDeviceClass {
    PCIDeviceClass parent_class;

    /* Sets up vdev->vbasedev's io and name. false: *errp, nothing is open. */
    bool (*open)(VFIOPCIDevice *vdev, Error **errp);
    void (*close)(VFIOPCIDevice *vdev);
};

#endif
