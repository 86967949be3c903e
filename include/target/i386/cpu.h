/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An x86-64 CPU, as the board that has it and the accelerator that runs it both
 * know it: a place in the topology, the features that -cpu asks for, and how it
 * starts. Under qtest it does not run.
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include "hw/core/cpu.h"
#include "target/i386/cpu-features.h"
#include "target/i386/topology.h"

/* How the first CPU starts. */
typedef struct X86Entry {
    bool long_mode;                       /* false: 32-bit, no paging */
    uint64_t rip;
    uint64_t rsi;                         /* bzImage: the boot parameters */
    uint64_t rax;                         /* multiboot: its magic number */
    uint64_t rbx;                         /* PVH, multiboot: what it is told */
    uint64_t cr3;                         /* long mode: the page tables */
    uint64_t gdt_base;
    uint16_t gdt_limit;
} X86Entry;

/* Selectors in the GDT at gdt_base, for code and for data and stack. */
#define X86_BOOT_CS 0x10
#define X86_BOOT_DS 0x18

#define TYPE_X86_CPU "x86_64-cpu"
/* The type of the model that -cpu calls @name. */
#define X86_CPU_TYPE_SUFFIX "-" TYPE_X86_CPU
#define X86_CPU_TYPE_NAME(name) (name X86_CPU_TYPE_SUFFIX)
OBJECT_DECLARE_SIMPLE_TYPE(X86CPU, X86_CPU)

struct X86CPU {
    CPUState parent_obj;

    /* Set before realize. */
    uint32_t apic_id;
    X86Topology topology;
    const X86CpuFeatures *features;       /* the machine's */

    struct KVMVcpu *kvm;                  /* KVM's; NULL: not there */
};

#endif
