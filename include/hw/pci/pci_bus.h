/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI bus: which function sits at which slot.function, where their BARs are
 * mapped, to which interrupt input each pin leads, which IOMMU translates.
 * A host bridge creates the root bus and says these things; device models need
 * only hw/pci/pci.h. Big lock held throughout.
 */
#ifndef HW_PCI_BUS_H
#define HW_PCI_BUS_H

#include "hw/pci/pci.h"

#define TYPE_PCI_BUS "PCI"
DECLARE_INSTANCE_CHECKER(PCIBus, PCI_BUS, TYPE_PCI_BUS)
#define TYPE_PCIE_BUS "PCIE"              /* a TYPE_PCI_BUS */

/* Sets the bus's interrupt input @irq_num (what a map function returned). */
typedef void (*pci_set_irq_fn)(void *opaque, int irq_num, int level);
/* Which of the bus's inputs pin @pin (0..3) of @pci_dev drives. */
typedef int (*pci_map_irq_fn)(PCIDevice *pci_dev, int pin);
/* Where the bus's input @pin ends. */
typedef PCIINTxRoute (*pci_route_irq_fn)(void *opaque, int pin);

struct PCIBus {
    BusState qbus;

    PCIDevice *parent_dev;                /* the bridge; NULL: a root bus */
    bool link_down;                       /* nothing on it answers */
    uint8_t devfn_min;                    /* first that is given out */
    PCIDevice *devices[PCI_DEVFN_MAX];
    MemoryRegion *address_space_mem;      /* the host bridge's */
    MemoryRegion *address_space_io;

    pci_set_irq_fn set_irq;
    pci_map_irq_fn map_irq;
    pci_route_irq_fn route_intx_to_irq;
    void *irq_opaque;
    int nirq;
    int *irq_count;                       /* functions asserting each input */
};

/*
 * Bus 0 behind the host bridge @parent. BARs are mapped into the two regions,
 * which stay the caller's. @typename: TYPE_PCI_BUS or TYPE_PCIE_BUS. The bus
 * belongs to @parent.
 */
PCIBus *pci_root_bus_new(DeviceState *parent, const char *name,
                         MemoryRegion *address_space_mem,
                         MemoryRegion *address_space_io,
                         uint8_t devfn_min, const char *typename);

/* The bus has @nirq interrupt inputs. Once, before functions are realized. */
void pci_bus_irqs(PCIBus *bus, pci_set_irq_fn set_irq, pci_map_irq_fn map_irq,
                  void *irq_opaque, int nirq);
void pci_bus_set_route_irq_fn(PCIBus *bus, pci_route_irq_fn fn);
/* The rotation of pins over slots that PCI bridges prescribe: (slot+pin)%4. */
int pci_swizzle_map_irq_fn(PCIDevice *pci_dev, int pin);

int pci_bus_num(PCIBus *bus);
bool pci_bus_is_root(const PCIBus *bus);
bool pci_bus_is_express(PCIBus *bus);
/* The bus behind a bridge; NULL: @bridge is none. */
PCIBus *pci_bridge_get_sec_bus(PCIDevice *bridge);
/* The function that configuration cycles on @bus reach at @devfn of bus number
 * @bus_num, there or behind its bridges; or NULL. */
PCIDevice *pci_find_device(PCIBus *bus, int bus_num, uint8_t devfn);
/* Calls @fn for each function that pci_find_device() finds, by ascending
 * devfn; its first argument is @bus. */
void pci_for_each_device(PCIBus *bus, int bus_num,
                         void (*fn)(PCIBus *b, PCIDevice *d, void *opaque),
                         void *opaque);

/*
 * What firmware reads as "bootorder": the paths of all functions behind @root with
 * a bootindex, the lowest first, each on a line, by Open Firmware's names; in
 * front of them @first, if that is not NULL; behind them, if @order (-boot order=)
 * has CDs before disks, those that are CDs; with @strict a last one that says to
 * boot from nothing else. *size: bytes, with the
 * final NUL; 0: there is nothing to say, and NULL is returned. g_free().
 */
char *pci_boot_order(PCIBus *root, const char *first, const char *order,
                     bool strict, size_t *size);

#endif
