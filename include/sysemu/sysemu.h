/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line said, for those who carry it out. Big lock held. */
#ifndef SYSEMU_SYSEMU_H
#define SYSEMU_SYSEMU_H

#include "qapi/error.h"
#include "qemu/uuid.h"

/* The chardev of the @i-th -serial; NULL: that port is not wanted. */
Chardev *serial_hd(int i);

/* The guest's UUID; zeros: it has none. */
QemuUUID qemu_vm_uuid(void);

/* For vl.c alone. */
void qemu_set_vm_name(const char *name);
/* NULL: it has none. */
const char *qemu_get_vm_name(void);
bool qemu_set_vm_uuid(const char *uuid, Error **errp);
/* The next serial port; @chr NULL: it is left out. */
bool serial_hd_add(Chardev *chr, Error **errp);

#endif
