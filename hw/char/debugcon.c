/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-debugcon: one I/O port, to which firmware writes what it does, byte by
 * byte, for a character device. What that does not take at once is lost: a log
 * must never hold up the guest.
 */
#include "qemu/osdep.h"

#include "chardev/char-fe.h"
#include "exec/address-spaces.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#include "qapi/error.h"

#define TYPE_ISA_DEBUGCON "isa-debugcon"
OBJECT_DECLARE_SIMPLE_TYPE(DebugconState, ISA_DEBUGCON)

/* What firmware looks for in the port before it writes there. */
#define PORT_DEFAULT 0xe9
#define READBACK_DEFAULT 0xe9

struct DebugconState {
    SysBusDevice parent_obj;

    CharBackend chr;
    uint32_t iobase;
    uint32_t readback;
    MemoryRegion io;
};

static uint64_t debugcon_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((DebugconState *)opaque)->readback;
}

static void debugcon_write(void *opaque, hwaddr addr, uint64_t val,
                           unsigned size)
{
    DebugconState *s = opaque;
    uint8_t byte = val;

    qemu_chr_fe_write(&s->chr, &byte, 1);
}

static const MemoryRegionOps debugcon_ops = {
    .read = debugcon_read,
    .write = debugcon_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static void debugcon_realize(DeviceState *dev, Error **errp)
{
    DebugconState *s = ISA_DEBUGCON(dev);

    if (!qemu_chr_fe_get_driver(&s->chr)) {
        error_setg(errp, "chardev= is missing");
        return;
    }
    if (s->iobase > UINT16_MAX) {
        error_setg(errp, "iobase=0x%x: an I/O port is at most 0x%x", s->iobase,
                   UINT16_MAX);
        return;
    }
    memory_region_init_io(&s->io, OBJECT(s), &debugcon_ops, s, "debugcon", 1);
    memory_region_add_subregion(get_system_io(), s->iobase, &s->io);
    qemu_chr_fe_set_handlers(&s->chr, NULL, NULL, NULL, NULL, s, NULL, true);
}

static void debugcon_unrealize(DeviceState *dev)
{
    DebugconState *s = ISA_DEBUGCON(dev);

    qemu_chr_fe_deinit(&s->chr, false);
    memory_region_del_subregion(get_system_io(), &s->io);
    object_unparent(OBJECT(&s->io));
}

static const Property debugcon_properties[] = {
    DEFINE_PROP_UINT32("iobase", DebugconState, iobase, PORT_DEFAULT),
    DEFINE_PROP_UINT32("readback", DebugconState, readback, READBACK_DEFAULT),
    DEFINE_PROP_CHR("chardev", DebugconState, chr),
    DEFINE_PROP_END_OF_LIST(),
};

static void debugcon_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = debugcon_realize;
    dc->unrealize = debugcon_unrealize;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    dc->desc = "port for the log of firmware";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, debugcon_properties);
}

static const TypeInfo debugcon_types[] = {
    {
        .name = TYPE_ISA_DEBUGCON,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(DebugconState),
        .class_init = debugcon_class_init,
    },
};
DEFINE_TYPES(debugcon_types)
