/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs under KVM: creation, and what is done at each exit from the guest. The
 * threads are system/cpus.c's, which runs this by CpusAccel (sysemu/accel.h).
 *
 * A guest access that leaves the guest is completed only by the next KVM_RUN,
 * so a vCPU that is asked to stop enters KVM_RUN once more, with
 * immediate_exit set, and stops when that says EINTR. A reset relies on it:
 * nothing may be left over that would change registers afterwards.
 */
#include "qemu/osdep.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kvm-internal.h"
#include "exec/address-spaces.h"
#include "qemu/error-report.h"
#include "qemu/file-mapping.h"
#include "qemu/main-loop.h"
#include "sysemu/kvm-x86.h"
#include "trace.h"

/* Makes KVM_RUN return; other threads never get it. */
#define SIG_KICK SIGUSR1

/* Of the vCPU whose thread this is: for the signal handler. */
static __thread struct kvm_run *current_run;

/* --- kicks --- */

static void on_kick(int signal)
{
    if (current_run) {
        __atomic_store_n(&current_run->immediate_exit, 1, __ATOMIC_RELAXED);
    }
}

static void kick_vcpu_thread(CPUState *cpu)
{
    if (cpu->thread_id) {
        syscall(SYS_tgkill, getpid(), cpu->thread_id, SIG_KICK);
    }
}

/* --- exits --- */

static void lock_and_access(AddressSpace *as, hwaddr addr, void *data,
                            unsigned size, unsigned count, bool is_write)
{
    qemu_mutex_lock_iothread();
    for (unsigned i = 0; i < count; i++) {
        /* Where nothing answers, reads are ones on this bus. */
        if (address_space_rw(as, addr, MEMTXATTRS_UNSPECIFIED, data, size,
                             is_write) != MEMTX_OK && !is_write) {
            memset(data, 0xff, size);
        }
        data = (char *)data + size;
    }
    qemu_mutex_unlock_iothread();
}

static void exit_io(struct kvm_run *run)
{
    lock_and_access(&address_space_io, run->io.port,
                    (char *)run + run->io.data_offset, run->io.size,
                    run->io.count, run->io.direction == KVM_EXIT_IO_OUT);
}

static void exit_mmio(struct kvm_run *run)
{
    lock_and_access(&address_space_memory, run->mmio.phys_addr,
                    run->mmio.data, run->mmio.len, 1, run->mmio.is_write);
}

/* The guest cannot go on: says why. */
static CPUExit G_GNUC_PRINTF(2, 3) fail(CPUState *cpu, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    qemu_mutex_lock_iothread();
    error_report("KVM: CPU %d: %s", cpu->cpu_index, text);
    qemu_mutex_unlock_iothread();
    return CPU_EXIT_ERROR;
}

static const char *internal_error_name(uint32_t suberror)
{
    switch (suberror) {
    case KVM_INTERNAL_ERROR_EMULATION:
        return "an instruction cannot be emulated";
    case KVM_INTERNAL_ERROR_SIMUL_EX:
        return "simultaneous exceptions";
    case KVM_INTERNAL_ERROR_DELIVERY_EV:
        return "a fault during the delivery of an event";
    case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
        return "an unexpected exit reason";
    default:
        return "of an unknown kind";
    }
}

static CPUExit exit_internal_error(CPUState *cpu, KVMVcpu *vcpu)
{
    g_autofree char *where = kvm_x86_describe_regs(vcpu);
    struct kvm_run *run = vcpu->run;

    return fail(cpu, "internal error %u, %s, at %s; data 0x%llx 0x%llx",
                run->internal.suberror,
                internal_error_name(run->internal.suberror), where,
                run->internal.ndata > 0 ? run->internal.data[0] : 0,
                run->internal.ndata > 1 ? run->internal.data[1] : 0);
}

/*
 * A triple fault. Some systems restart by one, when all else has failed; of any
 * other it is a crash of which nobody else tells.
 */
static CPUExit exit_shutdown(CPUState *cpu, KVMVcpu *vcpu)
{
    g_autofree char *where = kvm_x86_describe_regs(vcpu);
    static uint64_t count;

    qemu_mutex_lock_iothread();
    warn_report_counted(&count, "KVM: CPU %d: a triple fault resets the guest, at "
                        "%s", cpu->cpu_index, where);
    qemu_mutex_unlock_iothread();
    trace_guest_reset("triple fault");
    return CPU_EXIT_RESET;
}

static CPUExit handle_exit(CPUState *cpu, KVMVcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;

    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        exit_io(run);
        return CPU_EXIT_NONE;
    case KVM_EXIT_MMIO:
        exit_mmio(run);
        return CPU_EXIT_NONE;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return CPU_EXIT_NONE;
    case KVM_EXIT_SHUTDOWN:
        return exit_shutdown(cpu, vcpu);
    case KVM_EXIT_FAIL_ENTRY:
        return fail(cpu, "the guest cannot be entered, hardware reason 0x%llx",
                    run->fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR:
        return exit_internal_error(cpu, vcpu);
    default:
        return fail(cpu, "exit for an unknown reason, %u", run->exit_reason);
    }
}

/* --- on the vCPU's thread --- */

static CPUExit run_guest(CPUState *cpu)
{
    KVMVcpu *vcpu = X86_CPU(cpu)->kvm;
    struct kvm_run *run = vcpu->run;
    CPUExit reason = CPU_EXIT_NONE;
    int ret;

    while (reason == CPU_EXIT_NONE) {
        /* A kick after this look sets immediate_exit by the signal. */
        if (__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE)) {
            __atomic_store_n(&run->immediate_exit, 1, __ATOMIC_RELAXED);
        }
        ret = kvm_vcpu_ioctl(vcpu, KVM_RUN, NULL);
        if (ret == -EINTR) {
            __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_RELAXED);
            return CPU_EXIT_REQUESTED;
        }
        if (ret == -EAGAIN) {             /* a CPU that waits for its SIPI */
            continue;
        }
        if (ret == -EFAULT && file_mappings_mend()) {
            continue;                     /* there are zeros now */
        }
        reason = ret < 0 ? fail(cpu, "KVM_RUN: %s", strerror(-ret))
                         : handle_exit(cpu, vcpu);
    }
    return reason;
}

static void init_vcpu_thread(CPUState *cpu)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIG_KICK);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    current_run = X86_CPU(cpu)->kvm->run;
}

const CpusAccel kvm_vcpu_ops = {
    .name = "KVM",
    .init_vcpu_thread = init_vcpu_thread,
    .exec = run_guest,
    .kick_vcpu_thread = kick_vcpu_thread,
    .get_user_regs = kvm_x86_get_user_regs,
    .get_system_regs = kvm_x86_get_system_regs,
};

void kvm_vcpu_init(void)
{
    struct sigaction action = { .sa_handler = on_kick };

    sigaction(SIG_KICK, &action, NULL);
}

/* --- creation --- */

bool kvm_x86_vcpu_create(X86CPU *cpu, Error **errp)
{
    KVMState *s = kvm_state;
    KVMVcpu *vcpu = g_new0(KVMVcpu, 1);
    int ret = kvm_vm_ioctl(s, KVM_CREATE_VCPU, (unsigned long)cpu->apic_id);

    vcpu->fd = ret;
    vcpu->run = MAP_FAILED;
    cpu->kvm = vcpu;
    if (ret < 0) {
        error_setg_errno(errp, -ret, "-accel kvm: the CPU with APIC ID %u"
                         " cannot be created", cpu->apic_id);
        goto fail;
    }
    vcpu->run = mmap(NULL, s->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED) {
        error_setg_errno(errp, errno, "-accel kvm: a vCPU cannot be mapped");
        goto fail;
    }
    if (kvm_x86_set_cpuid(s, cpu, errp) &&
        kvm_x86_state_save(s, vcpu, errp)) {
        return true;
    }
fail:
    kvm_x86_vcpu_destroy(cpu);
    return false;
}

void kvm_x86_vcpu_destroy(X86CPU *cpu)
{
    KVMVcpu *vcpu = cpu->kvm;

    kvm_x86_state_free(vcpu);
    if (vcpu->run != MAP_FAILED) {
        munmap(vcpu->run, kvm_state->run_size);
    }
    if (vcpu->fd >= 0) {
        close(vcpu->fd);
    }
    g_free(vcpu);
    cpu->kvm = NULL;
}
