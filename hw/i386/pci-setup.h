/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC's firmware does to PCI functions before the operating system runs:
 * numbers buses, finds out how large BARs are, gives each an address, turns on
 * decoding and writes the interrupt line. Goes through configuration space only.
 */
#ifndef HW_I386_PCI_SETUP_H
#define HW_I386_PCI_SETUP_H

#include "memory-map.h"
#include "hw/pci/pci_bus.h"

/*
 * Sets up each function on @bus (bus 0) and behind its root ports, which get
 * bus numbers from 1 on and windows for a device that comes later: 2 MiB below
 * 4 GiB and up to 32 GiB above. Right after a reset. 64-bit BARs go to the
 * window above 4 GiB, the largest first. A BAR that finds no room stays
 * unassigned, with one warning; the others of its function still work. Big
 * lock held.
 */
void pci_setup_bus(PCIBus *bus, const X86MemoryMap *map);

#endif
