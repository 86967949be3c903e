/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt inputs of the board: 24 gpio inputs, the GSIs, as the PICs and
 * the IOAPIC have them, and the window at X86_LAPIC_BASE through which devices
 * send MSIs. The controllers themselves are the kernel's; under qtest levels
 * are only watched. Big lock held.
 */
#ifndef HW_I386_IOAPIC_H
#define HW_I386_IOAPIC_H

#include "hw/qdev-core.h"

#define TYPE_IOAPIC "ioapic"
#define IOAPIC_NUM_PINS 24

#endif
