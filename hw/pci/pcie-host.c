/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ECAM window ("MMCONFIG") of PCI Express host bridges: an address is bus,
 * devfn and a 12-bit offset. Where it is, the board's registers say.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/pci/pcie_host.h"

/* Below RAM, wherever a guest puts it; above BARs, being mapped after them. */
#define MMCFG_PRIORITY (-1)

static PCIDevice *mmcfg_dev_at(PCIExpressHost *e, hwaddr addr)
{
    if (!e->pci.bus) {
        return NULL;
    }
    return pci_find_device(e->pci.bus, (addr >> 20) & 0xff,
                           (addr >> 12) & 0xff);
}

static uint64_t mmcfg_read(void *opaque, hwaddr addr, unsigned len)
{
    PCIDevice *dev = mmcfg_dev_at(opaque, addr);

    if (!dev) {
        return PCI_NO_ANSWER;
    }
    return pci_host_config_read_common(dev, addr & 0xfff, pci_config_size(dev),
                                       len);
}

static void mmcfg_write(void *opaque, hwaddr addr, uint64_t val, unsigned len)
{
    PCIDevice *dev = mmcfg_dev_at(opaque, addr);

    if (dev) {
        pci_host_config_write_common(dev, addr & 0xfff, pci_config_size(dev),
                                     val, len);
    }
}

static const MemoryRegionOps mmcfg_ops = {
    .read = mmcfg_read,
    .write = mmcfg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

void pcie_host_mmcfg_init(PCIExpressHost *e, uint32_t size)
{
    g_assert(is_power_of_2(size));
    g_assert(size >= PCIE_MMCFG_SIZE_MIN && size <= PCIE_MMCFG_SIZE_MAX);
    e->size = size;
    memory_region_init_io(&e->mmio, OBJECT(e), &mmcfg_ops, e, "pcie-mmcfg",
                          PCIE_MMCFG_SIZE_MAX);
    memory_region_set_size(&e->mmio, size);
}

void pcie_host_mmcfg_map(PCIExpressHost *e, hwaddr addr, uint32_t size)
{
    g_assert(is_power_of_2(size));
    g_assert(size >= PCIE_MMCFG_SIZE_MIN && size <= PCIE_MMCFG_SIZE_MAX);
    e->size = size;
    memory_region_set_size(&e->mmio, size);
    e->base_addr = addr;
    memory_region_add_subregion_overlap(get_system_memory(), addr, &e->mmio,
                                        MMCFG_PRIORITY);
}

static void mmcfg_unmap(PCIExpressHost *e)
{
    if (e->base_addr == PCIE_BASE_ADDR_UNMAPPED) {
        return;
    }
    e->base_addr = PCIE_BASE_ADDR_UNMAPPED;
    memory_region_del_subregion(get_system_memory(), &e->mmio);
}

void pcie_host_mmcfg_update(PCIExpressHost *e, int enable, hwaddr addr,
                            uint32_t size)
{
    memory_region_transaction_begin();
    mmcfg_unmap(e);
    if (enable) {
        pcie_host_mmcfg_map(e, addr, size);
    }
    memory_region_transaction_commit();
}

static void pcie_host_init(Object *obj)
{
    PCIE_HOST_BRIDGE(obj)->base_addr = PCIE_BASE_ADDR_UNMAPPED;
}

static const TypeInfo pcie_host_types[] = {
    {
        .name = TYPE_PCIE_HOST_BRIDGE,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(PCIExpressHost),
        .instance_init = pcie_host_init,
        .abstract = true,
    },
};
DEFINE_TYPES(pcie_host_types)
