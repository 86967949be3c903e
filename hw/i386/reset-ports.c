/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ports by which PC software resets the machine: the command port of a
 * keyboard controller that has nothing else (0x64), and system control port A
 * (0x92), which also answers for the A20 line. The machine makes one device of
 * both; the third way, port 0xcf9, is the host bridge's.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "reset-ports.h"
#include "hw/sysbus.h"
#include "sysemu/runstate.h"
#include "trace.h"

OBJECT_DECLARE_SIMPLE_TYPE(ResetPorts, RESET_PORTS)

#define KBD_COMMAND_PORT 0x64
#define KBD_PULSE_RESET 0xfe
#define PORT92 0x92
#define PORT92_RESET 0x1
#define PORT92_A20 0x2

struct ResetPorts {
    SysBusDevice parent_obj;

    uint8_t port92;
    MemoryRegion kbd_io;
    MemoryRegion port92_io;
};

/* Status: nothing to read, ready for a command. */
static uint64_t kbd_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void kbd_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    if (val == KBD_PULSE_RESET) {
        trace_guest_reset("port 0x64");
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static uint64_t port92_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((ResetPorts *)opaque)->port92;
}

/* A20 itself is always on. */
static void port92_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ResetPorts *s = opaque;

    if ((val & PORT92_RESET) && !(s->port92 & PORT92_RESET)) {
        trace_guest_reset("port 0x92");
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
    s->port92 = val;
}

static const MemoryRegionOps kbd_ops = {
    .read = kbd_read,
    .write = kbd_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static void reset_ports_reset(DeviceState *dev)
{
    RESET_PORTS(dev)->port92 = PORT92_A20;
}

static void reset_ports_realize(DeviceState *dev, Error **errp)
{
    ResetPorts *s = RESET_PORTS(dev);

    memory_region_init_io(&s->kbd_io, OBJECT(s), &kbd_ops, s, "kbd-command",
                          1);
    memory_region_init_io(&s->port92_io, OBJECT(s), &port92_ops, s, "port92",
                          1);
    memory_region_add_subregion(get_system_io(), KBD_COMMAND_PORT, &s->kbd_io);
    memory_region_add_subregion(get_system_io(), PORT92, &s->port92_io);
}

static void reset_ports_unrealize(DeviceState *dev)
{
    ResetPorts *s = RESET_PORTS(dev);

    memory_region_del_subregion(get_system_io(), &s->port92_io);
    memory_region_del_subregion(get_system_io(), &s->kbd_io);
    object_unparent(OBJECT(&s->port92_io));
    object_unparent(OBJECT(&s->kbd_io));
}

static void reset_ports_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = reset_ports_realize;
    dc->unrealize = reset_ports_unrealize;
    dc->reset = reset_ports_reset;
}

static const TypeInfo reset_ports_types[] = {
    {
        .name = TYPE_RESET_PORTS,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ResetPorts),
        .class_init = reset_ports_class_init,
    },
};
DEFINE_TYPES(reset_ports_types)
