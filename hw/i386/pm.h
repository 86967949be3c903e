/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI fixed hardware: the PM1 event and control registers and the PM timer
 * (ACPI 6.3, 4.8), at ACPI_PM_BASE, with interrupt output "sci". The power
 * button is pressed by system_powerdown; soft-off ends the VM. The registers
 * and their place are in the FADT (hw/i386/acpi.h). Big lock held.
 */
#ifndef HW_I386_PM_H
#define HW_I386_PM_H

#include "hw/qdev-core.h"

/* QEMU's name of the chip that has them, so that its -global properties work:
 * disable_s3 and disable_s4, which are always 1 here. */
#define TYPE_ACPI_PM "ICH9-LPC"

#endif
