/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU device (target/i386/cpu.h): ties a place in the topology to a vCPU of
 * the accelerator. The machine makes as many as -smp says, at start only.
 */
#include "qemu/osdep.h"

#include "target/i386/cpu.h"
#include "sysemu/cpus.h"
#include "sysemu/kvm-x86.h"

static void x86_cpu_realize(DeviceState *dev, Error **errp)
{
    X86CPU *cpu = X86_CPU(dev);

    if (kvm_enabled() && !kvm_x86_vcpu_create(cpu, errp)) {
        return;
    }
    qemu_init_vcpu(CPU(cpu));
}

static void x86_cpu_unrealize(DeviceState *dev)
{
    X86CPU *cpu = X86_CPU(dev);

    cpu_remove_sync(CPU(cpu));
    if (cpu->kvm) {
        kvm_x86_vcpu_destroy(cpu);
    }
}

static void x86_cpu_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = x86_cpu_realize;
    dc->unrealize = x86_cpu_unrealize;
}

static const TypeInfo x86_cpu_types[] = {
    {
        .name = TYPE_X86_CPU,
        .parent = TYPE_CPU,
        .abstract = true,
        .instance_size = sizeof(X86CPU),
        .class_init = x86_cpu_class_init,
    },
    /* Two names for all that KVM on this host can do. */
    { .name = X86_CPU_TYPE_NAME("host"), .parent = TYPE_X86_CPU },
    { .name = X86_CPU_TYPE_NAME("max"), .parent = TYPE_X86_CPU },
};
DEFINE_TYPES(x86_cpu_types)
