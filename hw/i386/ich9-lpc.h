/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 00:1f.0 of a q35, the LPC bridge of an ICH9: where firmware says where
 * power management is (PMBASE, ACPI_CNTL) and to which ISA interrupts the PCI
 * interrupts go for an 8259 (PIRQA to PIRQH). The IOAPIC gets them always.
 *
 * Its unnamed gpio inputs are PIRQA to PIRQH; the outputs "apic" are the same,
 * the outputs "isa" the ISA interrupts 0 to 15. Big lock held.
 */
#ifndef HW_I386_ICH9_LPC_H
#define HW_I386_ICH9_LPC_H

#include "hw/pci/pci.h"

/* QEMU's name, so that its -global properties work: disable_s3 and disable_s4,
 * which are always 1 here. */
#define TYPE_ICH9_LPC "ICH9-LPC"

#define ICH9_LPC_DEVFN 0xf8               /* 00:1f.0 */
#define ICH9_LPC_PIRQS 8
#define ICH9_LPC_ISA_IRQS 16

/* Once it is there: @pm is what it places. */
void ich9_lpc_connect_pm(PCIDevice *lpc, DeviceState *pm);

#endif
