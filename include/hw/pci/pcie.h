/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express: the capability that makes a function an endpoint, and extended
 * capabilities (configuration space from 0x100 on). Included by hw/pci/pci.h.
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
/* An endpoint; on a root bus a root complex integrated one. Offset, or
 * -EINVAL: no room at @offset. */
int pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset);
void pcie_cap_exit(PCIDevice *dev);
/* PCI_EXP_TYPE_* of a function with the capability. */
uint8_t pcie_cap_get_type(const PCIDevice *dev);

/* Offers function level reset, and carries it out: the config_write of such
 * a function calls the second with its arguments after the default. */
void pcie_cap_flr_init(PCIDevice *dev);
void pcie_cap_flr_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                               int len);

/* Appends an extended capability at @offset (>= 0x100, multiple of 4, free). */
void pcie_add_capability(PCIDevice *dev, uint16_t cap_id, uint8_t cap_ver,
                         uint16_t offset, uint16_t size);
/* Offset of the first one, or 0. */
uint16_t pcie_find_capability(PCIDevice *dev, uint16_t cap_id);

#endif
