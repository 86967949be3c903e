/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -machine none: an empty bus, no CPU, no device, memory only if -m asks for it,
 * and no accelerator unless one can be had. Management programs start it to ask
 * the emulator over QMP what it can do.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/sysbus.h"

/* The bus is there from the start, so that a question whose answer begins at
 * it ("info qtree") changes nothing. */
static void null_machine_init(MachineState *ms)
{
    sysbus_get_default();
    if (ms->ram) {
        memory_region_add_subregion(get_system_memory(), 0, ms->ram);
    }
}

static void null_machine_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->desc = "empty machine";
    mc->init = null_machine_init;
    mc->max_cpus = 1;
    mc->accel_optional = true;
    mc->default_ram_id = "ram";
}

static const TypeInfo null_machine_types[] = {
    {
        .name = MACHINE_TYPE_NAME("none"),
        .parent = TYPE_MACHINE,
        .class_init = null_machine_class_init,
    },
};
DEFINE_TYPES(null_machine_types)
