/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI Express capability (PCI Express Base Specification 3.0, 7.8). Used by
 * device models in realize.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"

/* Up to and including Slot Status 2: version 2 of the capability. */
#define PCIE_CAP_SIZE 0x3c

/* A link of the slowest kind, one lane; integrated endpoints have none. */
static void pcie_cap_init_link(uint8_t *cap, uint8_t port)
{
    pci_set_long(cap + PCI_EXP_LNKCAP,
                 PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1 |
                 (uint32_t)port << 24);
    pci_set_word(cap + PCI_EXP_LNKSTA,
                 PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
}

int pcie_cap_init(PCIDevice *dev, uint8_t offset, uint8_t type, uint8_t port,
                  Error **errp)
{
    uint8_t *cap;
    int pos;

    g_assert(pci_is_express(dev));
    pos = pci_add_capability(dev, PCI_CAP_ID_EXP, offset, PCIE_CAP_SIZE, errp);
    if (pos < 0) {
        return pos;
    }
    dev->exp.exp_cap = pos;
    cap = dev->config + pos;
    pci_set_word(cap + PCI_EXP_FLAGS, 2 | type << 4);
    pci_set_long(cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
    pci_set_word(dev->wmask + pos + PCI_EXP_DEVCTL,
                 PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
                 PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE);
    pci_set_word(dev->w1cmask + pos + PCI_EXP_DEVSTA,
                 PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
                 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
    if (type != PCI_EXP_TYPE_RC_END && type != PCI_EXP_TYPE_RC_EC) {
        pcie_cap_init_link(cap, port);
    }
    return pos;
}

void pcie_cap_exit(PCIDevice *dev)
{
    pci_del_capability(dev, PCI_CAP_ID_EXP, PCIE_CAP_SIZE);
    dev->exp.exp_cap = 0;
}
