/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An x86-64 CPU: a place in the topology and the features that -cpu asks for.
 * How it runs is the accelerator's matter; under qtest it does not.
 */
#ifndef HW_I386_CPU_H
#define HW_I386_CPU_H

#include "hw/core/cpu.h"
#include "hw/i386/boot.h"
#include "hw/i386/cpu-features.h"
#include "hw/i386/topology.h"

#define TYPE_X86_CPU "x86_64-cpu"
OBJECT_DECLARE_SIMPLE_TYPE(X86CPU, X86_CPU)

struct X86CPU {
    CPUState parent_obj;

    /* Set before realize. */
    uint32_t apic_id;
    X86Topology topology;
    const X86CpuFeatures *features;       /* the machine's */

    struct KVMVcpu *kvm;                  /* accel/kvm's; NULL: not there */
};

#endif
