/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of hw/core share about devices and buses; nobody else's. */
#ifndef HW_QDEV_INTERNAL_H
#define HW_QDEV_INTERNAL_H

#include "hw/qdev-core.h"

/* bus.c: membership; each side holds a reference to the other. */
bool bus_add_child(BusState *bus, DeviceState *dev, Error **errp);
void bus_remove_child(BusState *bus, DeviceState *dev);

/* gpio.c: disconnects the outputs and frees the lines. */
void qdev_free_gpios(DeviceState *dev);

/* qdev-properties.c: the defaults of all classes of @dev; frees values. */
void qdev_prop_set_defaults(DeviceState *dev);
void qdev_prop_release(DeviceState *dev);
/* qdev-globals.c: the -global values that fit. */
void qdev_prop_set_globals(DeviceState *dev);

#endif
