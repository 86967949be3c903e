/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The q35 host bridge: bus "pcie.0", configuration space by ports 0xcf8/0xcfc
 * and by memory at X86_MMCONFIG_BASE, and function 00.0, the bridge itself.
 * The reset register 0xcf9 lies within the address port and is here too.
 * Interrupt pins of functions go to its gpio outputs, the GSIs. Big lock held.
 */
#ifndef HW_I386_Q35_PCIHOST_H
#define HW_I386_Q35_PCIHOST_H

#include "hw/pci/pcie_host.h"

#define TYPE_Q35_PCIHOST "q35-pcihost"

/* GSIs 16 .. 23 are the PCI bus's inputs 0 .. 7, and its gpio outputs. */
#define Q35_PCI_GSI_BASE 16
#define Q35_PCI_GSIS 8

/* Gives the bridge @host the RAM of @ram from PAM_AREA_BASE to 1 MiB, and the
 * registers by which firmware shows it in place of PCI, where its ROM is. */
void q35_pcihost_enable_pam(DeviceState *host, MemoryRegion *ram);
/* What is seen by PCI memory: below RAM, at the same addresses. */
MemoryRegion *q35_pcihost_memory(DeviceState *host);

#endif
