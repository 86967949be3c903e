/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI Express capability, function level reset and extended capabilities
 * (PCI Express Base Specification 3.0, 7.8 and 7.9). Used by device models in
 * realize; the guest's writes come through pcie_cap_flr_write_config().
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"

/* Up to and including Slot Status 2: version 2 of the capability. */
#define PCIE_CAP_SIZE 0x3c
/* Extended capability header (7.9.1): id, version, offset of the next. */
#define EXT_CAP_FIRST PCI_CFG_SPACE_SIZE
#define EXT_CAP_NEXT_SHIFT 20
#define EXT_CAP_VER_SHIFT 16

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

int pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset)
{
    bool integrated = pci_bus_is_root(pci_get_bus(dev));

    return pcie_cap_init(dev, offset, integrated ? PCI_EXP_TYPE_RC_END
                                                 : PCI_EXP_TYPE_ENDPOINT,
                         0, NULL);
}

void pcie_cap_exit(PCIDevice *dev)
{
    pci_del_capability(dev, PCI_CAP_ID_EXP, PCIE_CAP_SIZE);
    dev->exp.exp_cap = 0;
}

uint8_t pcie_cap_get_type(const PCIDevice *dev)
{
    uint8_t pos = dev->exp.exp_cap;

    g_assert(pos);
    return (pci_get_word(dev->config + pos + PCI_EXP_FLAGS) &
            PCI_EXP_FLAGS_TYPE) >> 4;
}

/* --- function level reset --- */

void pcie_cap_flr_init(PCIDevice *dev)
{
    uint8_t pos = dev->exp.exp_cap;

    g_assert(pos);
    pci_long_test_and_set_mask(dev->config + pos + PCI_EXP_DEVCAP,
                               PCI_EXP_DEVCAP_FLR);
    pci_word_test_and_set_mask(dev->wmask + pos + PCI_EXP_DEVCTL,
                               PCI_EXP_DEVCTL_BCR_FLR);
}

void pcie_cap_flr_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                               int len)
{
    uint32_t pos = dev->exp.exp_cap + PCI_EXP_DEVCTL;
    uint8_t *devctl = dev->config + pos;

    if (!ranges_overlap(addr, len, pos, 2)) {
        return;
    }
    /* The bit always reads as 0. */
    if (pci_word_test_and_clear_mask(devctl, PCI_EXP_DEVCTL_BCR_FLR)) {
        pci_device_reset(dev);
    }
}

/* --- extended capabilities --- */

static uint16_t ext_cap_next(PCIDevice *dev, uint16_t pos)
{
    uint32_t header = pci_get_long(dev->config + pos);

    return PCI_EXT_CAP_NEXT(header);
}

/* The list is ours, hence sound: a guest cannot write headers. */
uint16_t pcie_find_capability(PCIDevice *dev, uint16_t cap_id)
{
    g_assert(pci_is_express(dev));
    for (uint16_t pos = EXT_CAP_FIRST; pos; pos = ext_cap_next(dev, pos)) {
        uint32_t header = pci_get_long(dev->config + pos);

        if (header && PCI_EXT_CAP_ID(header) == cap_id) {
            return pos;
        }
    }
    return 0;
}

/* A list must begin at 0x100; it may with an empty header that only points. */
static void ext_cap_link(PCIDevice *dev, uint16_t offset)
{
    uint16_t last = EXT_CAP_FIRST;
    uint16_t next;

    if (offset == EXT_CAP_FIRST) {
        return;
    }
    while ((next = ext_cap_next(dev, last)) != 0) {
        last = next;
    }
    pci_long_test_and_set_mask(dev->config + last,
                               (uint32_t)offset << EXT_CAP_NEXT_SHIFT);
}

void pcie_add_capability(PCIDevice *dev, uint16_t cap_id, uint8_t cap_ver,
                         uint16_t offset, uint16_t size)
{
    uint32_t next = 0;

    g_assert(pci_is_express(dev));
    g_assert(offset >= EXT_CAP_FIRST && offset % 4 == 0 && size >= 4);
    g_assert(offset + size <= PCIE_CONFIG_SPACE_SIZE);
    for (int i = offset; i < offset + size; i++) {
        g_assert(!dev->used[i]);
    }
    if (offset == EXT_CAP_FIRST) {
        next = ext_cap_next(dev, EXT_CAP_FIRST);
    }
    ext_cap_link(dev, offset);
    pci_set_long(dev->config + offset,
                 cap_id | (uint32_t)cap_ver << EXT_CAP_VER_SHIFT |
                 next << EXT_CAP_NEXT_SHIFT);
    memset(dev->used + offset, 0xff, size);
    memset(dev->wmask + offset, 0, size);
    memset(dev->w1cmask + offset, 0, size);
}
