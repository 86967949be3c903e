/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports 0x64 and 0x92 as far as they reset the machine. Maps itself.
 */
#ifndef HW_I386_RESET_PORTS_H
#define HW_I386_RESET_PORTS_H

#define TYPE_RESET_PORTS "pc-reset-ports"

#endif
