/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base address registers: what the guest writes there decides where a region
 * of the device is mapped (PCI Local Bus 3.0, 6.2.5). Used by device models
 * (pci_register_bar) and by the configuration space code. Never maps a region
 * whose address, or whose decoding, the guest has not set up.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci.h"
#include "pci-internal.h"
#include "qemu/units.h"

/* Offset of a region's register in configuration space. */
static int pci_bar(PCIDevice *dev, int region_num)
{
    g_assert(region_num >= 0 && region_num < PCI_NUM_REGIONS);
    return region_num == PCI_ROM_SLOT ? pci_rom_register_offset(dev)
                                      : PCI_BASE_ADDRESS_0 + region_num * 4;
}

static bool pci_bar_is_io(const PCIIORegion *r)
{
    return r->type & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool pci_bar_is_64bit(const PCIIORegion *r)
{
    return !pci_bar_is_io(r) && (r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

/* What the register reads as while its address is 0. */
static void pci_bar_reset(PCIDevice *dev, int region_num)
{
    PCIIORegion *r = &dev->io_regions[region_num];
    uint8_t *reg = dev->config + pci_bar(dev, region_num);

    if (!r->size) {
        return;
    }
    if (pci_bar_is_64bit(r)) {
        pci_set_quad(reg, r->type);
    } else {
        pci_set_long(reg, r->type);
    }
}

void pci_register_bar(PCIDevice *dev, int region_num, uint8_t attr,
                      MemoryRegion *memory)
{
    PCIIORegion *r = &dev->io_regions[region_num];
    PCIBus *bus = pci_get_bus(dev);
    uint64_t size = memory_region_size(memory);
    uint64_t writable = ~(size - 1);
    int pos = pci_bar(dev, region_num);

    g_assert(!r->size);
    g_assert(is_power_of_2(size));
    g_assert(size >= (attr & PCI_BASE_ADDRESS_SPACE_IO ? 4 : 16));

    r->addr = PCI_BAR_UNMAPPED;
    r->size = size;
    r->type = attr;
    r->memory = memory;
    r->address_space = pci_bar_is_io(r) ? bus->address_space_io
                                        : bus->address_space_mem;
    if (region_num == PCI_ROM_SLOT) {
        g_assert(attr == 0 && size >= 2 * KiB);
        writable |= PCI_ROM_ADDRESS_ENABLE;
    }
    if (pci_bar_is_64bit(r)) {
        g_assert(region_num < PCI_ROM_SLOT - 1);
        pci_set_quad(dev->wmask + pos, writable);
    } else {
        g_assert(size <= 1ULL << 31);
        pci_set_long(dev->wmask + pos, writable);
    }
    pci_bar_reset(dev, region_num);
}

/* The address in the register, or PCI_BAR_UNMAPPED if it does not decode. */
static uint64_t pci_bar_decode(PCIDevice *dev, int region_num)
{
    PCIIORegion *r = &dev->io_regions[region_num];
    const uint8_t *reg = dev->config + pci_bar(dev, region_num);
    uint16_t cmd = pci_get_word(dev->config + PCI_COMMAND);
    uint64_t addr, last;

    if (!(cmd & (pci_bar_is_io(r) ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return PCI_BAR_UNMAPPED;
    }
    addr = pci_bar_is_64bit(r) ? pci_get_quad(reg) : pci_get_long(reg);
    if (region_num == PCI_ROM_SLOT && !(addr & PCI_ROM_ADDRESS_ENABLE)) {
        return PCI_BAR_UNMAPPED;
    }
    addr &= ~(r->size - 1);
    last = addr + r->size - 1;
    /*
     * 0 is "not assigned". A guest finds the size by writing ones, perhaps
     * with decoding on and one half of a 64-bit register at a time: what ends
     * at the top of 32 or 64 bits is that, not an address.
     */
    if (addr == 0 || last == UINT32_MAX || last == UINT64_MAX) {
        return PCI_BAR_UNMAPPED;
    }
    return addr;
}

static void pci_bar_map(PCIIORegion *r, uint64_t addr)
{
    if (addr == r->addr) {
        return;
    }
    if (r->addr != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(r->address_space, r->memory);
    }
    r->addr = addr;
    if (addr != PCI_BAR_UNMAPPED) {
        memory_region_add_subregion_overlap(r->address_space, addr, r->memory,
                                            1);
    }
}

/* Before any of the map changes: whoever has the ROM may take its time. */
static void pci_bar_prepare_rom(PCIDevice *dev)
{
    if (dev->io_regions[PCI_ROM_SLOT].size &&
        pci_bar_decode(dev, PCI_ROM_SLOT) != PCI_BAR_UNMAPPED) {
        pci_rom_enable(dev);
    }
}

void pci_update_mappings(PCIDevice *dev)
{
    pci_bar_prepare_rom(dev);
    memory_region_transaction_begin();
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        PCIIORegion *r = &dev->io_regions[i];

        if (r->size) {
            pci_bar_map(r, pci_bar_decode(dev, i));
        }
    }
    memory_region_transaction_commit();
}

void pci_unmap_bars(PCIDevice *dev)
{
    memory_region_transaction_begin();
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        PCIIORegion *r = &dev->io_regions[i];

        if (r->size) {
            pci_bar_map(r, PCI_BAR_UNMAPPED);
            pci_bar_reset(dev, i);
        }
    }
    memory_region_transaction_commit();
}

void pci_unregister_bar(PCIDevice *dev, int region_num)
{
    PCIIORegion *r = &dev->io_regions[region_num];
    int pos = pci_bar(dev, region_num);
    int bytes = pci_bar_is_64bit(r) ? 8 : 4;

    pci_bar_map(r, PCI_BAR_UNMAPPED);
    memset(dev->config + pos, 0, bytes);
    memset(dev->wmask + pos, 0, bytes);
    memset(r, 0, sizeof(*r));
}
