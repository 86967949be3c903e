/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-serial, a 16550A UART: eight ports and an interrupt, with a character device at the
 * other end of the line. Nothing is slowed down to the baud rate: what the
 * guest writes goes out as fast as the character device takes it. Big lock
 * held.
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "hw/qdev-core.h"

#define TYPE_ISA_SERIAL "isa-serial"

#define SERIAL_MAX_PORTS 4                /* COM1 .. COM4 */

/* Ports and interrupt of COM(@index + 1). */
uint16_t serial_isa_base(unsigned index);
unsigned serial_isa_irq(unsigned index);

/*
 * Properties: "chardev"; "index", which COM port it is, left out: the first that
 * is free; "iobase" and "irq", left out: what that port usually has. The board
 * fills them in when the device is plugged, and connects the interrupt.
 */
#define SERIAL_UNSET UINT32_MAX           /* of the three numbers */

typedef struct SerialPlace {
    uint32_t index;
    uint32_t iobase;
    uint32_t irq;
} SerialPlace;

/* What these properties of @dev, an isa-serial, are; to be changed only before
 * the device is realized. */
SerialPlace *serial_place(DeviceState *dev);

#endif
