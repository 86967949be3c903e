/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host bridges: how the CPU reaches configuration space. Mechanism 1 (PCI
 * Local Bus 3.0, 3.2.2.3.2): an address register (port 0xcf8) and a data
 * window (0xcfc). A board derives its bridge from TYPE_PCI_HOST_BRIDGE, maps
 * conf_mem and data_mem into the port space and creates the bus.
 */
#ifndef HW_PCI_HOST_H
#define HW_PCI_HOST_H

#include "hw/pci/pci_bus.h"
#include "hw/sysbus.h"

#define TYPE_PCI_HOST_BRIDGE "pci-host-bridge"
OBJECT_DECLARE_SIMPLE_TYPE(PCIHostState, PCI_HOST_BRIDGE)

struct PCIHostState {
    SysBusDevice busdev;

    MemoryRegion conf_mem;                /* 4 bytes: the address register */
    MemoryRegion data_mem;                /* 4 bytes: the data window */
    uint32_t config_reg;                  /* bit 31: enabled */
    PCIBus *bus;                          /* set by the derived bridge */
};

/*
 * A configuration access as the CPU makes it. @addr: bus number << 16 | devfn
 * << 8 | offset (bit 31 ignored); @len 1, 2 or 4. Nobody there reads as ones.
 */
uint32_t pci_data_read(PCIBus *s, uint32_t addr, unsigned len);
void pci_data_write(PCIBus *s, uint32_t addr, uint32_t val, unsigned len);

/*
 * An access to the function @pci_dev, of which only the first @limit bytes of
 * configuration space exist for this mechanism. Of what is read, the bytes
 * beyond @limit or @len are ones.
 */
uint32_t pci_host_config_read_common(PCIDevice *pci_dev, uint32_t addr,
                                     uint32_t limit, uint32_t len);
void pci_host_config_write_common(PCIDevice *pci_dev, uint32_t addr,
                                  uint32_t limit, uint32_t val, uint32_t len);

#endif
