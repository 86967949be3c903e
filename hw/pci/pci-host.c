/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration mechanism 1 and the base type of host bridges. The CPU writes
 * an address, then accesses the data window; a function that is not there
 * reads as ones.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_host.h"

#define CONFIG_ENABLE (1U << 31)

static PCIDevice *pci_dev_at(PCIBus *bus, uint32_t addr)
{
    return pci_find_device(bus, (addr >> 16) & 0xff, (addr >> 8) & 0xff);
}

uint32_t pci_host_config_read_common(PCIDevice *pci_dev, uint32_t addr,
                                     uint32_t limit, uint32_t len)
{
    uint32_t there;

    if (addr >= limit) {
        return PCI_NO_ANSWER;
    }
    there = MIN(len, limit - addr);
    if (there == 4) {
        return pci_dev->config_read(pci_dev, addr, there);
    }
    return pci_dev->config_read(pci_dev, addr, there) |
           PCI_NO_ANSWER << (8 * there);
}

void pci_host_config_write_common(PCIDevice *pci_dev, uint32_t addr,
                                  uint32_t limit, uint32_t val, uint32_t len)
{
    if (addr < limit) {
        pci_dev->config_write(pci_dev, addr, val, MIN(len, limit - addr));
    }
}

uint32_t pci_data_read(PCIBus *s, uint32_t addr, unsigned len)
{
    PCIDevice *dev = pci_dev_at(s, addr);
    uint32_t val = PCI_NO_ANSWER;

    g_assert(len >= 1 && len <= 4);
    if (dev) {
        val = pci_host_config_read_common(dev, addr & 0xff,
                                          PCI_CONFIG_SPACE_SIZE, len);
    }
    return val & MAKE_64BIT_MASK(0, 8 * len);
}

void pci_data_write(PCIBus *s, uint32_t addr, uint32_t val, unsigned len)
{
    PCIDevice *dev = pci_dev_at(s, addr);

    g_assert(len >= 1 && len <= 4);
    if (dev) {
        pci_host_config_write_common(dev, addr & 0xff, PCI_CONFIG_SPACE_SIZE,
                                     val, len);
    }
}

/* --- the two ports --- */

/* Only an access to all of the address register counts as one. */
static void pci_host_conf_write(void *opaque, hwaddr addr, uint64_t val,
                                unsigned len)
{
    PCIHostState *s = opaque;

    if (addr == 0 && len == 4) {
        s->config_reg = val;
    }
}

static uint64_t pci_host_conf_read(void *opaque, hwaddr addr, unsigned len)
{
    PCIHostState *s = opaque;

    return addr == 0 && len == 4 ? s->config_reg : PCI_NO_ANSWER;
}

static void pci_host_data_write(void *opaque, hwaddr addr, uint64_t val,
                                unsigned len)
{
    PCIHostState *s = opaque;

    if (s->bus && (s->config_reg & CONFIG_ENABLE)) {
        pci_data_write(s->bus, s->config_reg | (addr & 3), val, len);
    }
}

static uint64_t pci_host_data_read(void *opaque, hwaddr addr, unsigned len)
{
    PCIHostState *s = opaque;

    if (!s->bus || !(s->config_reg & CONFIG_ENABLE)) {
        return PCI_NO_ANSWER;
    }
    return pci_data_read(s->bus, s->config_reg | (addr & 3), len);
}

static const MemoryRegionOps pci_host_conf_ops = {
    .read = pci_host_conf_read,
    .write = pci_host_conf_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static const MemoryRegionOps pci_host_data_ops = {
    .read = pci_host_data_read,
    .write = pci_host_data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* --- type --- */

static void pci_host_init(Object *obj)
{
    PCIHostState *s = PCI_HOST_BRIDGE(obj);

    memory_region_init_io(&s->conf_mem, obj, &pci_host_conf_ops, s,
                          "pci-conf-idx", 4);
    memory_region_init_io(&s->data_mem, obj, &pci_host_data_ops, s,
                          "pci-conf-data", 4);
}

static void pci_host_reset(DeviceState *dev)
{
    PCI_HOST_BRIDGE(dev)->config_reg = 0;
}

static void pci_host_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->reset = pci_host_reset;
}

static const TypeInfo pci_host_types[] = {
    {
        .name = TYPE_PCI_HOST_BRIDGE,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(PCIHostState),
        .instance_init = pci_host_init,
        .abstract = true,
        .class_init = pci_host_class_init,
    },
};
DEFINE_TYPES(pci_host_types)
