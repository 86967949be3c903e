/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of the virtual CPUs: created by the accelerator, stopped and
 * started together. Knows no particular accelerator.
 *
 * A vCPU's thread, given by the accelerator:
 *     qemu_mutex_lock_iothread();
 *     ... create it in the kernel ...
 *     cpu_thread_signal_created(cpu);
 *     do {
 *         if (cpu_can_run(cpu)) {
 *             ... run the guest; the big lock is dropped there, and taken for
 *                 each exit; leave the guest when cpu->exit_request is set ...
 *         }
 *         qemu_wait_io_event(cpu);
 *     } while (!cpu->unplug);
 *     ... destroy ...
 *     qemu_mutex_unlock_iothread();
 * Big lock held unless said otherwise. QEMU's names.
 */
#ifndef SYSEMU_CPUS_H
#define SYSEMU_CPUS_H

#include "hw/core/cpu.h"
#include "sysemu/runstate.h"

struct user_regs_struct;                  /* <sys/user.h> */

typedef struct CpusAccel {
    /* Starts the thread: sets cpu->thread. NULL: CPUs have no threads. */
    void (*create_vcpu_thread)(CPUState *cpu);
    /* Makes the thread leave the guest, soon. Any thread, no lock needed. */
    void (*kick_vcpu_thread)(CPUState *cpu);
    /* The emulator's copy of the registers has been reset: hand it over. Runs
     * while the vCPU is stopped, on the main thread. May be NULL. */
    void (*synchronize_post_reset)(CPUState *cpu);
    void (*synchronize_post_init)(CPUState *cpu);
    /* Reads the registers of a stopped vCPU as a debugger sees them; false:
     * cannot. NULL: CPUs have none. */
    bool (*get_user_regs)(CPUState *cpu, struct user_regs_struct *regs);
} CpusAccel;

/* Before the first CPU is realized; @i must live for ever. */
void cpus_register_accel(const CpusAccel *i);

/* Called when a CPU has been realized: adds it to the list, creates its thread
 * and waits until that has started (stopped, until resumed). */
void qemu_init_vcpu(CPUState *cpu);
/* Ends the thread and takes the CPU off the list. */
void cpu_remove_sync(CPUState *cpu);

/* For the vCPU's thread, see above. signal_created sets current_cpu. */
void cpu_thread_signal_created(CPUState *cpu);
bool cpu_can_run(CPUState *cpu);
/* Does the work queued for it and waits while it is stopped. */
void qemu_wait_io_event(CPUState *cpu);

bool cpu_is_stopped(CPUState *cpu);
bool qemu_cpu_is_self(CPUState *cpu);
bool qemu_in_vcpu_thread(void);
/* Wakes the thread and makes it leave the guest. Any thread, no lock. */
void qemu_cpu_kick(CPUState *cpu);
/* The calling vCPU, if any, stops at its next qemu_wait_io_event(). */
void cpu_stop_current(void);

/* Returns when every vCPU has stopped. Not on a vCPU's thread. */
void pause_all_vcpus(void);
void resume_all_vcpus(void);

/* Calls @func on the thread of @cpu and waits for it; a CPU without a thread
 * is served at once by the caller. The big lock is held in @func. */
typedef void (*run_on_cpu_func)(CPUState *cpu, void *data);
void run_on_cpu(CPUState *cpu, run_on_cpu_func func, void *data);
void async_run_on_cpu(CPUState *cpu, run_on_cpu_func func, void *data);

void cpu_synchronize_all_post_reset(void);
void cpu_synchronize_all_post_init(void);
/* CpusAccel.get_user_regs, of a stopped CPU. */
bool cpu_get_user_regs(CPUState *cpu, struct user_regs_struct *regs);

#endif
