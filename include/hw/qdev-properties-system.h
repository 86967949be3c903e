/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of property that name something outside the device tree. */
#ifndef HW_QDEV_PROPERTIES_SYSTEM_H
#define HW_QDEV_PROPERTIES_SYSTEM_H

#include "hw/qdev-properties.h"

struct CharBackend;

/* A PCI device of the host: "0000:01:02.3" (the domain may be left out). */
typedef struct PCIHostDeviceAddress {
    unsigned int domain;                  /* ~0U in all members: not set */
    unsigned int bus;
    unsigned int slot;
    unsigned int function;
} PCIHostDeviceAddress;

extern const PropertyInfo qdev_prop_chr;
extern const PropertyInfo qdev_prop_pci_devfn;
extern const PropertyInfo qdev_prop_pci_host_devaddr;

/* A CharBackend; the value is a chardev's id, which it then owns the use of. */
#define DEFINE_PROP_CHR(_n, _s, _f)                                          \
    DEFINE_PROP(_n, _s, _f, qdev_prop_chr, struct CharBackend)
/* "slot" or "slot.function", in hex; an int32_t, -1: the bus chooses. */
#define DEFINE_PROP_PCI_DEVFN(_n, _s, _f, _d)                                \
    DEFINE_PROP_SIGNED(_n, _s, _f, _d, qdev_prop_pci_devfn, int32_t)
#define DEFINE_PROP_PCI_HOST_DEVADDR(_n, _s, _f)                             \
    { .name = (_n), .info = &qdev_prop_pci_host_devaddr,                    \
      .offset = QDEV_PROP_OFFSET(_s, _f, PCIHostDeviceAddress),              \
      .set_default = true }

#endif
