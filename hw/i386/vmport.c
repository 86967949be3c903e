/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmport, the I/O port by which VMware's tools talk to the host. No machine has
 * one: it reads registers that KVM keeps to itself. The type is there because
 * libvirt looks for it before it says vmport=off, which is in every domain
 * that virt-manager and virt-install make.
 */
#include "qemu/osdep.h"
#include "hw/sysbus.h"

static void vmport_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "VMware's port, which no machine has";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo vmport_types[] = {
    {
        .name = "vmport",
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(SysBusDevice),
        .class_init = vmport_class_init,
    },
};
DEFINE_TYPES(vmport_types)
