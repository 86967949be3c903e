/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of accel/kvm; nobody else includes this. A file per
 * subject: kvm-accel.c (the VM), kvm-ioctl.c, kvm-slots.c (memory, ioeventfds),
 * kvm-irqchip.c (routes, irqfds), kvm-vcpu.c (vCPUs, exits), and of x86
 * kvm-x86-vm.c (what the VM has), kvm-x86-cpuid.c, kvm-x86-state.c (reset).
 */
#ifndef ACCEL_KVM_INTERNAL_H
#define ACCEL_KVM_INTERNAL_H

#include <linux/kvm.h>

#include "exec/memory.h"
#include "sysemu/accel.h"
#include "sysemu/kvm-x86.h"
#include "sysemu/kvm.h"

#define TYPE_KVM_ACCEL ACCEL_CLASS_NAME("kvm")
DECLARE_INSTANCE_CHECKER(KVMState, KVM_STATE, TYPE_KVM_ACCEL)

/* A memory slot; its number is its index in KVMState.slots. */
typedef struct KVMSlot {
    hwaddr start;
    uint64_t size;                        /* bytes; 0: the slot is free */
    void *host;
    uint32_t flags;                       /* KVM_MEM_* */
} KVMSlot;

/* The interrupt controllers after power on. */
typedef struct KVMIrqchipState {
    struct kvm_irqchip chips[KVM_NR_IRQCHIPS];
    struct kvm_pit_state2 pit;
} KVMIrqchipState;

struct KVMState {
    AccelState parent_obj;

    char *device;                         /* its path; NULL: /dev/kvm */
    int fd;
    int vmfd;
    size_t run_size;                      /* bytes of struct kvm_run's map */

    GArray *slots;                        /* of KVMSlot */
    unsigned max_slots;
    MemoryListener memory_listener;
    MemoryListener io_listener;

    GArray *routes;                       /* of struct kvm_irq_routing_entry */
    bool *gsi_used;
    unsigned nr_gsis;
    bool routes_dirty;

    KVMIrqchipState irqchip_state;
    X86HostCpu host_cpu;
};

/* A vCPU's side of an X86CPU. */
typedef struct KVMVcpu {
    int fd;
    struct kvm_run *run;                  /* shared with the kernel */
    struct KVMVcpuState *state;           /* after power on */
} KVMVcpu;

/* kvm-ioctl.c: on the vCPU's fd; the result or -errno. */
int kvm_vcpu_ioctl(KVMVcpu *vcpu, unsigned long type, ...);

/* kvm-slots.c: registers the listeners. */
void kvm_slots_init(KVMState *s);

/* kvm-irqchip.c: the pins of PICs and IOAPIC, routed. */
int kvm_irqchip_init_routes(KVMState *s, Error **errp);

/* kvm-vcpu.c: how vCPUs are run; init comes before the first. */
extern const CpusAccel kvm_vcpu_ops;
void kvm_vcpu_init(void);

/* kvm-x86-vm.c: what must exist before the first vCPU. 0 or -errno, *errp. */
int kvm_x86_vm_init(KVMState *s, Error **errp);
/* Fills in host_cpu; 0, or -EINVAL and *errp. */
int kvm_x86_read_host_cpu(KVMState *s, Error **errp);

/* kvm-x86-cpuid.c: gives the vCPU its CPUID. */
struct X86CPU;
bool kvm_x86_set_cpuid(KVMState *s, struct X86CPU *cpu, Error **errp);

/* kvm-x86-regs.c: CpusAccel.get_user_regs, get_system_regs. */
struct CPUState;
struct user_regs_struct;
bool kvm_x86_get_user_regs(struct CPUState *cpu, struct user_regs_struct *regs);
bool kvm_x86_get_system_regs(struct CPUState *cpu, CPUSystemRegs *regs);
/* Where the vCPU is, in the words of a message: on its thread. The caller's. */
char *kvm_x86_describe_regs(KVMVcpu *vcpu);

/* kvm-x86-state.c: remembers the vCPU's state; what reset goes back to. */
bool kvm_x86_state_save(KVMState *s, KVMVcpu *vcpu, Error **errp);
void kvm_x86_state_free(KVMVcpu *vcpu);

#endif
