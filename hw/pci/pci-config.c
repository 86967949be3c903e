/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space: masked reads and writes, what a write of the guest sets
 * in motion, the list of capabilities. Used by host bridges (through the
 * functions' config_read and config_write) and by device models. The guest
 * chooses offset, length and value of an access: nothing here trusts them.
 */
#include "qemu/osdep.h"

#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "pci-internal.h"
#include "qapi/error.h"

uint32_t pci_config_size(const PCIDevice *dev)
{
    return pci_is_express(dev) ? PCIE_CONFIG_SPACE_SIZE : PCI_CONFIG_SPACE_SIZE;
}

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t address, int len)
{
    uint32_t size = pci_config_size(dev);
    uint32_t val = 0;

    g_assert(len >= 1 && len <= 4);
    for (int i = 0; i < len; i++) {
        uint64_t pos = (uint64_t)address + i;
        uint8_t byte = pos < size ? dev->config[pos] : 0xff;

        val |= (uint32_t)byte << (8 * i);
    }
    return val;
}

static void pci_write_bytes(PCIDevice *dev, uint32_t address, uint32_t val,
                            int len)
{
    uint32_t size = pci_config_size(dev);

    for (int i = 0; i < len && (uint64_t)address + i < size; i++) {
        uint32_t pos = address + i;
        uint8_t byte = val >> (8 * i);
        uint8_t wmask = dev->wmask[pos];

        dev->config[pos] = (dev->config[pos] & ~wmask) | (byte & wmask);
        dev->config[pos] &= ~(byte & dev->w1cmask[pos]);
    }
}

void pci_default_write_config(PCIDevice *dev, uint32_t address, uint32_t val,
                              int len)
{
    bool intx_was_disabled = pci_irq_disabled(dev);
    bool command, bars;

    g_assert(len >= 1 && len <= 4);
    pci_write_bytes(dev, address, val, len);

    command = ranges_overlap(address, len, PCI_COMMAND, 2);
    bars = ranges_overlap(address, len, PCI_BASE_ADDRESS_0,
                          PCI_STD_NUM_BARS * 4) ||
           ranges_overlap(address, len, pci_rom_register_offset(dev), 4);
    if (command || bars) {
        pci_update_mappings(dev);
    }
    if (command) {
        pci_update_irq_disabled(dev, intx_was_disabled);
        pci_update_bus_master(dev);
    }
    msi_write_config(dev, address, val, len);
    msix_write_config(dev, address, val, len);
}

/* Clears what a guest can have written into the word at @pos. */
static void pci_config_reset_word(PCIDevice *dev, uint32_t pos)
{
    uint16_t mask = pci_get_word(dev->wmask + pos) |
                    pci_get_word(dev->w1cmask + pos);

    pci_word_test_and_clear_mask(dev->config + pos, mask);
}

void pci_config_reset(PCIDevice *dev)
{
    aio_context_pause(dev->aio_context);
    pci_device_deassert_intx(dev);
    pci_config_reset_word(dev, PCI_COMMAND);
    pci_config_reset_word(dev, PCI_STATUS);
    dev->config[PCI_CACHE_LINE_SIZE] = 0;
    dev->config[PCI_INTERRUPT_LINE] = 0;
    pci_unmap_bars(dev);
    pci_update_bus_master(dev);
    msi_reset(dev);
    msix_reset(dev);
    aio_context_resume(dev->aio_context);
}

/* --- capabilities --- */

/*
 * The capability @cap_id, and in *@prev the offset of the byte that points to
 * it. The list is ours, hence sound: a guest cannot write pointers.
 */
static uint8_t pci_cap_walk(PCIDevice *dev, uint8_t cap_id, uint8_t *prev)
{
    uint8_t link = PCI_CAPABILITY_LIST;
    uint8_t pos;

    while ((pos = dev->config[link]) != 0) {
        if (dev->config[pos + PCI_CAP_LIST_ID] == cap_id) {
            break;
        }
        link = pos + PCI_CAP_LIST_NEXT;
    }
    if (prev) {
        *prev = link;
    }
    return pos;
}

static bool pci_config_is_free(PCIDevice *dev, uint32_t offset, uint32_t size)
{
    for (uint32_t i = offset; i < offset + size; i++) {
        if (dev->used[i]) {
            return false;
        }
    }
    return true;
}

/* The lowest free place for @size bytes, or 0. */
static uint8_t pci_find_space(PCIDevice *dev, uint8_t size)
{
    for (uint32_t pos = PCI_CONFIG_HEADER_SIZE;
         pos + size <= PCI_CONFIG_SPACE_SIZE; pos += 4) {
        if (pci_config_is_free(dev, pos, size)) {
            return pos;
        }
    }
    return 0;
}

int pci_add_capability(PCIDevice *pdev, uint8_t cap_id, uint8_t offset,
                       uint8_t size, Error **errp)
{
    uint8_t *config = pdev->config;

    g_assert(size >= 2);
    if (!offset) {
        offset = pci_find_space(pdev, size);
        if (!offset) {
            error_setg(errp, "%s: no room for PCI capability 0x%02x of %u bytes",
                       pdev->name, cap_id, size);
            return -EINVAL;
        }
    } else if (offset < PCI_CONFIG_HEADER_SIZE || offset % 4 ||
               offset + size > PCI_CONFIG_SPACE_SIZE ||
               !pci_config_is_free(pdev, offset, size)) {
        error_setg(errp, "%s: PCI capability 0x%02x of %u bytes does not fit at "
                   "offset 0x%02x", pdev->name, cap_id, size, offset);
        return -EINVAL;
    }
    config[offset + PCI_CAP_LIST_ID] = cap_id;
    config[offset + PCI_CAP_LIST_NEXT] = config[PCI_CAPABILITY_LIST];
    config[PCI_CAPABILITY_LIST] = offset;
    config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    memset(pdev->used + offset, 0xff, size);
    memset(pdev->wmask + offset, 0, size);
    memset(pdev->w1cmask + offset, 0, size);
    return offset;
}

void pci_del_capability(PCIDevice *pdev, uint8_t cap_id, uint8_t cap_size)
{
    uint8_t prev;
    uint8_t offset = pci_cap_walk(pdev, cap_id, &prev);

    if (!offset) {
        return;
    }
    pdev->config[prev] = pdev->config[offset + PCI_CAP_LIST_NEXT];
    memset(pdev->config + offset, 0, cap_size);
    memset(pdev->used + offset, 0, cap_size);
    memset(pdev->wmask + offset, 0, cap_size);
    memset(pdev->w1cmask + offset, 0, cap_size);
    if (!pdev->config[PCI_CAPABILITY_LIST]) {
        pdev->config[PCI_STATUS] &= ~PCI_STATUS_CAP_LIST;
    }
}
