/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A UART: eight ports and an interrupt, with a character device at the
 * other end of the line. Nothing is slowed down to the baud rate: what the
 * guest writes goes out as fast as the character device takes it. Big lock
 * held.
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "hw/qdev-core.h"

#define TYPE_SERIAL "serial"

#define SERIAL_MAX_PORTS 4                /* COM1 .. COM4 */

/* Ports and interrupt of COM(@index + 1). */
uint16_t serial_isa_base(unsigned index);
unsigned serial_isa_irq(unsigned index);

/* Makes a UART at port @base that raises @irq, as a child @name of @parent. */
DeviceState *serial_create(Object *parent, const char *name, uint16_t base,
                           qemu_irq irq, Chardev *chr);

#endif
