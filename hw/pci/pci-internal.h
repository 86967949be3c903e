/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of hw/pci share and nobody else may use. */
#ifndef HW_PCI_INTERNAL_H
#define HW_PCI_INTERNAL_H

#include "hw/pci/pci_bus.h"

/* Registers of the header to their state after power on, BARs unmapped. */
void pci_config_reset(PCIDevice *dev);
/* Applies the command register's bus master bit. */
void pci_update_bus_master(PCIDevice *dev);
/* Undoes pci_register_bar(). */
void pci_unregister_bar(PCIDevice *dev, int region_num);
/* Unmaps all BARs, whatever the registers say. */
void pci_unmap_bars(PCIDevice *dev);
/* After a write to the command register; @was_disabled: the bit before it. */
void pci_update_irq_disabled(PCIDevice *dev, bool was_disabled);
/* Whether nobody else has the bootindex of @dev, which has no place yet. */
bool pci_boot_check_index(PCIDevice *dev, Error **errp);
/* Opens romfile=, or what the type has by default, and makes the ROM's region. Before
 * realize; false: *errp, and pci_rom_free() is due all the same. */
bool pci_rom_open_file(PCIDevice *dev, Error **errp);
/* Shows the guest the ROM, if there is one; after realize. */
void pci_rom_register(PCIDevice *dev);
/* The guest is about to see it: has it read, once. */
void pci_rom_enable(PCIDevice *dev);
/* Undoes all of that; the register is no more. */
void pci_rom_free(PCIDevice *dev);
/* Where its register is in configuration space. */
int pci_rom_register_offset(const PCIDevice *dev);
/* Lets go of every pin. */
void pci_device_deassert_intx(PCIDevice *dev);

#endif
