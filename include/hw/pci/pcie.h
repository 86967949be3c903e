/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express: the capability that says what a function is. Included by
 * hw/pci/pci.h.
 * PCI Express Base Specification 3.0, chapter 7. Big lock held throughout.
 */
#ifndef HW_PCIE_H
#define HW_PCIE_H

#include <linux/pci_regs.h>

#define PCIE_CONFIG_SPACE_SIZE PCI_CFG_SPACE_EXP_SIZE

/* The express part of a PCIDevice. */
typedef struct PCIExpressDevice {
    uint8_t exp_cap;                      /* offset; 0: none */
} PCIExpressDevice;

/*
 * Adds the capability at @offset (0: anywhere). @type: PCI_EXP_TYPE_*.
 * Offset, or -errno and *errp. The function must be express.
 */
int pcie_cap_init(PCIDevice *dev, uint8_t offset, uint8_t type, uint8_t port,
                  Error **errp);
void pcie_cap_exit(PCIDevice *dev);

#endif
