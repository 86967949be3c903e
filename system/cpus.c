/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vCPU threads: created, started, stopped. What happens in the guest is the
 * accelerator's (CpusAccel), what follows from it the run state's; this file
 * knows neither. All flags of a CPU change under the big lock.
 */
#include "qemu/osdep.h"
#include <sys/syscall.h>

#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "sysemu/cpus.h"

__thread CPUState *current_cpu;

static const CpusAccel *cpus_accel;
static CPUExitFunc *cpu_exited;
/* Told of each change that somebody outside the vCPU's thread waits for. */
static GCond cpus_cond;

void cpus_register_accel(const CpusAccel *i, CPUExitFunc *exited)
{
    g_assert(!cpus_accel && i);
    cpus_accel = i;
    cpu_exited = exited;
}

/* --- on the vCPU's thread --- */

static void signal_created(CPUState *cpu)
{
    current_cpu = cpu;
    cpu->thread_id = syscall(SYS_gettid);
    cpu->created = true;
    g_cond_broadcast(&cpus_cond);
}

static bool can_run(CPUState *cpu)
{
    return !cpu->stop && !cpu->stopped && !cpu->unplug;
}

/* Waits while the vCPU is stopped, and before that says that it is. */
static void wait_for_event(CPUState *cpu)
{
    g_atomic_int_set(&cpu->exit_request, false);
    for (;;) {
        if (cpu->stop) {
            cpu->stop = false;
            cpu->stopped = true;
            g_cond_broadcast(&cpus_cond);
        }
        if (!cpu->stopped || cpu->unplug) {
            break;
        }
        qemu_cond_wait_iothread(&cpu->halt_cond);
    }
}

/* Runs the guest until the thread is asked to leave it, and nothing of what the
 * guest did is left half done. Big lock not held. */
static void run_guest(CPUState *cpu)
{
    CPUExit reason;

    while ((reason = cpus_accel->exec(cpu)) != CPU_EXIT_REQUESTED) {
        qemu_mutex_lock_iothread();
        cpu_exited(reason);
        qemu_mutex_unlock_iothread();
    }
}

static void *vcpu_thread(void *opaque)
{
    CPUState *cpu = opaque;

    qemu_mutex_lock_iothread();
    if (cpus_accel->init_vcpu_thread) {
        cpus_accel->init_vcpu_thread(cpu);
    }
    signal_created(cpu);
    do {
        if (can_run(cpu)) {
            qemu_mutex_unlock_iothread();
            run_guest(cpu);
            qemu_mutex_lock_iothread();
        }
        wait_for_event(cpu);
    } while (!cpu->unplug);
    qemu_mutex_unlock_iothread();
    return NULL;
}

bool qemu_in_vcpu_thread(void)
{
    return current_cpu != NULL;
}

void cpu_stop_current(void)
{
    if (current_cpu) {
        current_cpu->stop = true;
        g_atomic_int_set(&current_cpu->exit_request, true);
    }
}

/* --- creation and removal --- */

static void create_thread(CPUState *cpu)
{
    g_autofree char *name = g_strdup_printf("CPU %d/%s", cpu->cpu_index,
                                            cpus_accel->name);

    cpu->thread = qemu_thread_try_new(QEMU_THREAD_VCPU, name, vcpu_thread, cpu,
                                      &error_abort);
    while (!cpu->created) {
        qemu_cond_wait_iothread(&cpus_cond);
    }
}

void qemu_init_vcpu(CPUState *cpu)
{
    CPUState *last = QTAILQ_LAST(&cpus_list);

    cpu->cpu_index = last ? last->cpu_index + 1 : 0;
    cpu->stopped = true;
    QTAILQ_INSERT_TAIL(&cpus_list, cpu, node);
    if (cpus_accel && cpus_accel->exec) {
        create_thread(cpu);
    }
}

void cpu_remove_sync(CPUState *cpu)
{
    if (cpu->thread) {
        cpu->unplug = true;
        qemu_cpu_kick(cpu);
        qemu_mutex_unlock_iothread();
        g_thread_join(cpu->thread);
        qemu_mutex_lock_iothread();
        cpu->thread = NULL;
    }
    QTAILQ_REMOVE(&cpus_list, cpu, node);
}

/* --- stopping and starting all --- */

void qemu_cpu_kick(CPUState *cpu)
{
    g_atomic_int_set(&cpu->exit_request, true);
    g_cond_broadcast(&cpu->halt_cond);
    if (cpu->thread && cpus_accel->kick_vcpu_thread) {
        cpus_accel->kick_vcpu_thread(cpu);
    }
}

/* Asks @cpu to stop; one without a thread stops here and now. */
static void ask_to_stop(CPUState *cpu)
{
    if (!cpu->thread) {
        cpu->stopped = true;
    } else if (!cpu->stopped) {
        cpu->stop = true;
        qemu_cpu_kick(cpu);
    }
}

void pause_all_vcpus(void)
{
    g_assert(!qemu_in_vcpu_thread());
    for (CPUState *cpu = first_cpu; cpu; cpu = QTAILQ_NEXT(cpu, node)) {
        ask_to_stop(cpu);
    }
    for (CPUState *cpu = first_cpu; cpu; cpu = QTAILQ_NEXT(cpu, node)) {
        while (!cpu->stopped) {
            qemu_cond_wait_iothread(&cpus_cond);
        }
    }
}

void resume_all_vcpus(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        cpu->stop = false;
        cpu->stopped = false;
        g_cond_broadcast(&cpu->halt_cond);
    }
}

/* --- registers --- */

/* @method is the accelerator's, and may be missing. */
static void call_for_all(void (*method)(CPUState *cpu))
{
    for (CPUState *cpu = first_cpu; cpu && method;
         cpu = QTAILQ_NEXT(cpu, node)) {
        method(cpu);
    }
}

void cpu_synchronize_all_post_reset(void)
{
    call_for_all(cpus_accel ? cpus_accel->synchronize_post_reset : NULL);
}

void cpu_synchronize_all_post_init(void)
{
    call_for_all(cpus_accel ? cpus_accel->synchronize_post_init : NULL);
}

bool cpu_get_user_regs(CPUState *cpu, struct user_regs_struct *regs)
{
    return cpus_accel && cpus_accel->get_user_regs &&
           cpus_accel->get_user_regs(cpu, regs);
}

bool cpu_get_system_regs(CPUState *cpu, CPUSystemRegs *regs)
{
    return cpus_accel && cpus_accel->get_system_regs &&
           cpus_accel->get_system_regs(cpu, regs);
}
