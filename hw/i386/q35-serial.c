/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which COM port a serial device of the board is. Changes nothing but that. */
#include "qemu/osdep.h"

#include "q35-serial.h"
#include "qapi/error.h"

bool q35_serial_choose(uint8_t taken, SerialPlace *place, Error **errp)
{
    uint16_t base;
    unsigned irq;

    if (place->index == SERIAL_UNSET) {
        place->index = __builtin_ctz(~(unsigned)taken);
    }
    if (place->index >= SERIAL_MAX_PORTS) {
        error_setg(errp, "index=%u: there are at most %d serial ports, 0 to %d",
                   place->index, SERIAL_MAX_PORTS, SERIAL_MAX_PORTS - 1);
        return false;
    }
    if (taken & 1U << place->index) {
        error_setg(errp, "index=%u: there is such a serial port already",
                   place->index);
        return false;
    }
    base = serial_isa_base(place->index);
    irq = serial_isa_irq(place->index);
    place->iobase = place->iobase == SERIAL_UNSET ? base : place->iobase;
    place->irq = place->irq == SERIAL_UNSET ? irq : place->irq;
    if (place->iobase != base || place->irq != irq) {
        error_setg(errp, "iobase=0x%x,irq=%u: serial port %u is at 0x%x with "
                   "interrupt %u", place->iobase, place->irq, place->index,
                   base, irq);
        return false;
    }
    return true;
}
