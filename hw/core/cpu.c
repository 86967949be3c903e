/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The abstract CPU device; its thread is system/cpus.c's business. */
#include "qemu/osdep.h"
#include "hw/core/cpu.h"

CPUTailQ cpus_list = QTAILQ_HEAD_INITIALIZER(cpus_list);

static void cpu_init(Object *obj)
{
    CPUState *cpu = CPU(obj);

    cpu->cpu_index = -1;
    g_cond_init(&cpu->halt_cond);
}

static void cpu_finalize(Object *obj)
{
    CPUState *cpu = CPU(obj);

    g_assert(!cpu->thread);
    g_cond_clear(&cpu->halt_cond);
}

static void cpu_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    set_bit(DEVICE_CATEGORY_CPU, dc->categories);
    dc->user_creatable = false;           /* the board makes as many as -smp */
    dc->hotpluggable = false;
}

static const TypeInfo cpu_types[] = {
    {
        .name = TYPE_CPU,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CPUState),
        .instance_init = cpu_init,
        .instance_finalize = cpu_finalize,
        .abstract = true,
        .class_size = sizeof(CPUClass),
        .class_init = cpu_class_init,
    },
};
DEFINE_TYPES(cpu_types)
