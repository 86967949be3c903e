/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of the virtual CPUs: created, stopped and started together. Knows
 * no particular accelerator; one is given to cpus_register_accel() and called.
 * Big lock held unless said otherwise. QEMU's names.
 */
#ifndef SYSEMU_CPUS_H
#define SYSEMU_CPUS_H

#include "sysemu/accel.h"

/* Does what follows from a guest that was left for @reason: a reset, an error.
 * On the vCPU's thread, which has to stop (cpu_stop_current()). */
typedef void CPUExitFunc(CPUExit reason);

/* Before the first CPU is realized; @i must live for ever. @exited may be NULL
 * if there are no threads. */
void cpus_register_accel(const CpusAccel *i, CPUExitFunc *exited);

/* Called when a CPU has been realized: adds it to the list, creates its thread
 * and waits until that has started (stopped, until resumed). */
void qemu_init_vcpu(CPUState *cpu);
/* Ends the thread and takes the CPU off the list. */
void cpu_remove_sync(CPUState *cpu);

/* Whether the calling thread is a vCPU's. */
bool qemu_in_vcpu_thread(void);
/* Wakes the thread and makes it leave the guest. Any thread, no lock. */
void qemu_cpu_kick(CPUState *cpu);
/* The calling vCPU, if any, stops as soon as it has left the guest. */
void cpu_stop_current(void);

/* Returns when every vCPU has stopped. Not on a vCPU's thread. */
void pause_all_vcpus(void);
/* For a VM that is to run. */
void resume_all_vcpus(void);

void cpu_synchronize_all_post_reset(void);
void cpu_synchronize_all_post_init(void);
/* CpusAccel.get_user_regs and get_system_regs, of a stopped CPU. */
bool cpu_get_user_regs(CPUState *cpu, struct user_regs_struct *regs);
bool cpu_get_system_regs(CPUState *cpu, CPUSystemRegs *regs);

#endif
