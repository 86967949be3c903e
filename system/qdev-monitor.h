/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creating devices by description: -device and device_add are the same
 * function. Big lock held.
 */
#ifndef SYSTEM_QDEV_MONITOR_H
#define SYSTEM_QDEV_MONITOR_H

#include <json-glib/json-glib.h>

#include "hw/qdev-core.h"

/*
 * Creates and realizes the device that @opts describes: "driver", "id", "bus",
 * and properties; @keyval: the values are text. Returns it (borrowed), or NULL
 * with *errp, and then nothing of it is left.
 */
DeviceState *qdev_device_add_from_json(JsonObject *opts, bool keyval,
                                       Error **errp);
/* Appends the devices that a user can create, by category. */
void qdev_list_devices_help(GString *out);
/* Appends the properties of @driver; false: no such device. */
bool qdev_list_properties_help(GString *out, const char *driver, Error **errp);
/* Sets *errp: there is no type @driver, and why if QEMU has it. */
void qdev_no_such_model(const char *driver, Error **errp);
/* Asks the device to go; it may take its time, DEVICE_DELETED tells. */
void qdev_unplug(DeviceState *dev, Error **errp);
/* The user's device @id, or a QOM path (starting with '/'); NULL: *errp. */
DeviceState *find_device_state(const char *id, Error **errp);
/* Gives @dev the name @id (copied; NULL: none) and its place under /machine. */
bool qdev_set_id(DeviceState *dev, const char *id, Error **errp);

#endif
