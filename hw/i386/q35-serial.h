/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the board has its serial ports: COM1 to COM4. */
#ifndef HW_I386_Q35_SERIAL_H
#define HW_I386_Q35_SERIAL_H

#include "hw/char/serial.h"

/* Fills in what @place leaves open: the first port that is not in @taken (bit n:
 * COM(n+1) is there), and what that port has. false: *errp, there is no such port,
 * or it is elsewhere. */
bool q35_serial_choose(uint8_t taken, SerialPlace *place, Error **errp);

#endif
