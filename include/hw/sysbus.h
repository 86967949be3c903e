/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that are wired to the board itself: they have interrupt outputs that
 * the board connects, and regions that it maps. They sit on the one system bus,
 * by which a system reset reaches them and the buses below them.
 */
#ifndef HW_SYSBUS_H
#define HW_SYSBUS_H

#include "hw/qdev-core.h"

#define TYPE_SYSTEM_BUS "System"
#define TYPE_SYS_BUS_DEVICE "sys-bus-device"
typedef struct SysBusDevice SysBusDevice;
typedef struct SysBusDeviceClass SysBusDeviceClass;
DECLARE_OBJ_CHECKERS(SysBusDevice, SysBusDeviceClass, SYS_BUS_DEVICE,
                     TYPE_SYS_BUS_DEVICE)

#define SYSBUS_DEVICE_GPIO_IRQ "sysbus-irq"

/* Not user creatable unless a class says so. */
struct SysBusDeviceClass {
    DeviceClass parent_class;
};

struct SysBusDevice {
    DeviceState parent_obj;
};

/* The system bus; created, realized and registered for reset by first use. */
BusState *sysbus_get_default(void);
bool sysbus_realize_and_unref(SysBusDevice *dev, Error **errp);

/* For the device: one more interrupt output. */
void sysbus_init_irq(SysBusDevice *dev, qemu_irq *p);
/* For the board: connects output @n. */
void sysbus_connect_irq(SysBusDevice *dev, int n, qemu_irq irq);

#endif
