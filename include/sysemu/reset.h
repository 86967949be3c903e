/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a system reset reaches besides the tree of buses. Big lock held. */
#ifndef SYSEMU_RESET_H
#define SYSEMU_RESET_H

typedef void QEMUResetHandler(void *opaque);

/* Handlers run in the order of their registration. */
void qemu_register_reset(QEMUResetHandler *func, void *opaque);
/* Removes the first that was registered with both; nothing if there is none. */
void qemu_unregister_reset(QEMUResetHandler *func, void *opaque);
void qemu_devices_reset(void);

#endif
