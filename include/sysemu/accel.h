/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs the guest: KVM, or nothing (qtest). Type "NAME-accel" serves
 * `-accel NAME`. An accelerator is called and calls nobody back: the threads of
 * the vCPUs, and what follows from a guest that resets or fails, are
 * system/cpus.c's.
 */
#ifndef SYSEMU_ACCEL_H
#define SYSEMU_ACCEL_H

#include "hw/core/cpu.h"

#define TYPE_ACCEL "accel"
#define ACCEL_CLASS_SUFFIX "-" TYPE_ACCEL
#define ACCEL_CLASS_NAME(a) (a ACCEL_CLASS_SUFFIX)

struct user_regs_struct;                  /* <sys/user.h> */

/* What a kernel has set up of a CPU; segments as a dump's readers know them: flags
 * are bits 8 to 23 of a descriptor's upper half, in their place. */
typedef struct CPUSegment {
    uint32_t selector, limit, flags, pad;
    uint64_t base;
} CPUSegment;

typedef struct CPUSystemRegs {
    CPUSegment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
    uint64_t cr[5];
    uint64_t kernel_gs_base;
} CPUSystemRegs;

/* Why CpusAccel.exec has returned. */
typedef enum CPUExit {
    CPU_EXIT_NONE,                        /* within an accelerator: go on */
    CPU_EXIT_REQUESTED,                   /* as asked; nothing is left over */
    CPU_EXIT_RESET,                       /* the guest wants a reset */
    CPU_EXIT_ERROR,                       /* it cannot go on, as was reported */
} CPUExit;

typedef struct CpusAccel {
    const char *name;                     /* of threads: "CPU 0/NAME" */
    /* On a vCPU's thread, before its first exec. Big lock held. May be NULL. */
    void (*init_vcpu_thread)(CPUState *cpu);
    /*
     * Runs the guest, on the vCPU's thread, until cpu->exit_request is set or
     * something must be done that is not the accelerator's. Any result but
     * REQUESTED may leave an instruction half done: it is called once more,
     * with exit_request set, before the vCPU counts as stopped. Big lock not
     * held, but taken within for each access. NULL: CPUs have no threads.
     */
    CPUExit (*exec)(CPUState *cpu);
    /* Makes exec return, soon. Any thread, no lock needed. May be NULL. */
    void (*kick_vcpu_thread)(CPUState *cpu);
    /* The emulator's copy of the registers has been reset: hand it over. Runs
     * while the vCPU is stopped, on the main thread. May be NULL. */
    void (*synchronize_post_reset)(CPUState *cpu);
    void (*synchronize_post_init)(CPUState *cpu);
    /* Reads the registers of a stopped vCPU as a debugger sees them; false:
     * cannot. NULL: CPUs have none. */
    bool (*get_user_regs)(CPUState *cpu, struct user_regs_struct *regs);
    /* The others: how the guest's kernel has set it up. */
    bool (*get_system_regs)(CPUState *cpu, CPUSystemRegs *regs);
} CpusAccel;

typedef struct AccelClass AccelClass;
DECLARE_OBJ_CHECKERS(AccelState, AccelClass, ACCEL, TYPE_ACCEL)

struct AccelState {
    Object parent_obj;
};

struct AccelClass {
    ObjectClass parent_class;

    const char *name;                     /* for people, e.g. "KVM" */
    const CpusAccel *cpus;                /* lives for ever */
    /* 0, or -errno with *errp set; then nothing is left behind. (A QEMU tree's
     * has no errp.) */
    int (*init_machine)(MachineState *ms, Error **errp);
    /* Set while this accelerator is in use, e.g. &kvm_allowed. */
    bool *allowed;
};

/* The class behind `-accel @opt_name`, or NULL. */
AccelClass *accel_find(const char *opt_name);
/* Tries @accel: 0, or -errno with *errp; then ms->accelerator is unchanged. */
int accel_init_machine(AccelState *accel, MachineState *ms, Error **errp);

#endif
