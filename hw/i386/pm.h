/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI fixed hardware: the PM1 event and control registers and the PM timer
 * (ACPI 6.3, 4.8), with interrupt output "sci". The power button is pressed by
 * system_powerdown; soft-off ends the VM. The registers, and the place that they
 * have from the start, are in the FADT (hw/i386/acpi.h). Big lock held.
 */
#ifndef HW_I386_PM_H
#define HW_I386_PM_H

#include "hw/qdev-core.h"

#define TYPE_ACPI_PM "acpi-pm"

/* Puts the registers, ACPI_PM_SIZE ports, at @base, a multiple of that, or, if not
 * @enabled, nowhere. The LPC bridge's business. */
void acpi_pm_place(DeviceState *dev, uint16_t base, bool enabled);

#endif
