/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI bus as an object: creation by a host bridge, the functions on it,
 * and reset. Placement of functions is pci-device.c's.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/pci/pci_bus.h"
#include "pci-internal.h"

PCIBus *pci_root_bus_new(DeviceState *parent, const char *name,
                         MemoryRegion *address_space_mem,
                         MemoryRegion *address_space_io,
                         uint8_t devfn_min, const char *typename)
{
    PCIBus *bus = PCI_BUS(qbus_create(typename, parent, name));

    bus->devfn_min = devfn_min;
    bus->address_space_mem = address_space_mem;
    bus->address_space_io = address_space_io;
    return bus;
}

AddressSpace *pci_device_iommu_address_space(PCIDevice *dev)
{
    return &address_space_memory;         /* no board has an IOMMU */
}

int pci_bus_num(PCIBus *bus)
{
    return bus->parent_dev ? bus->parent_dev->config[PCI_SECONDARY_BUS] : 0;
}

bool pci_bus_is_root(const PCIBus *bus)
{
    return !bus->parent_dev;
}

bool pci_bus_is_express(PCIBus *bus)
{
    return object_dynamic_cast(OBJECT(bus), TYPE_PCIE_BUS) != NULL;
}

PCIBus *pci_bridge_get_sec_bus(PCIDevice *bridge)
{
    BusState *bus = QLIST_FIRST(&bridge->qdev.child_bus);

    return bus && object_dynamic_cast(OBJECT(bus), TYPE_PCI_BUS) ? PCI_BUS(bus)
                                                                 : NULL;
}

/* A bridge does for the bus numbers that the guest gave it. */
static bool passes_on(const PCIDevice *bridge, int bus_num)
{
    uint8_t first = bridge->config[PCI_SECONDARY_BUS];

    return first && bus_num >= first &&
           bus_num <= bridge->config[PCI_SUBORDINATE_BUS];
}

/* The bus behind a bridge on @bus that passes on what is for @bus_num. */
static PCIBus *way_to(PCIBus *bus, int bus_num)
{
    PCIBus *behind = NULL;

    for (int i = 0; i < PCI_DEVFN_MAX && !behind; i++) {
        PCIDevice *dev = bus->devices[i];

        if (dev && passes_on(dev, bus_num)) {
            behind = pci_bridge_get_sec_bus(dev);
        }
    }
    return behind;
}

PCIDevice *pci_find_device(PCIBus *bus, int bus_num, uint8_t devfn)
{
    while (bus && !bus->link_down && bus_num != pci_bus_num(bus)) {
        bus = way_to(bus, bus_num);
    }
    return bus && !bus->link_down ? bus->devices[devfn] : NULL;
}

void pci_for_each_device(PCIBus *bus, int bus_num,
                         void (*fn)(PCIBus *b, PCIDevice *d, void *opaque),
                         void *opaque)
{
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = pci_find_device(bus, bus_num, devfn);

        if (dev) {
            fn(bus, dev, opaque);
        }
    }
}

/* --- bus callbacks --- */

/* The models on it are reset already. */
static void pci_bus_reset(BusState *qbus)
{
    PCIBus *bus = PCI_BUS(qbus);

    for (int i = 0; i < PCI_DEVFN_MAX; i++) {
        if (bus->devices[i]) {
            pci_config_reset(bus->devices[i]);
        }
    }
}

/* --- types --- */

static void pci_bus_finalize(Object *obj)
{
    g_free(PCI_BUS(obj)->irq_count);
}

static void pci_bus_class_init(ObjectClass *klass, void *data)
{
    BUS_CLASS(klass)->reset = pci_bus_reset;
}

static const TypeInfo pci_bus_types[] = {
    {
        .name = TYPE_PCI_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(PCIBus),
        .instance_finalize = pci_bus_finalize,
        .class_init = pci_bus_class_init,
    }, {
        .name = TYPE_PCIE_BUS,
        .parent = TYPE_PCI_BUS,
    }, {
        .name = INTERFACE_PCIE_DEVICE,
        .parent = TYPE_INTERFACE,
    }, {
        .name = INTERFACE_CONVENTIONAL_PCI_DEVICE,
        .parent = TYPE_INTERFACE,
    },
};
DEFINE_TYPES(pci_bus_types)
