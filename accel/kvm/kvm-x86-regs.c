/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stopped vCPU's registers as a debugger knows them, for dumps of the guest, and
 * in words, for messages. Changes nothing.
 */
#include "qemu/osdep.h"
#include <sys/user.h>
#include "target/i386/cpu.h"
#include "kvm-internal.h"
#include "sysemu/accel.h"

#define MSR_KERNEL_GS_BASE 0xc0000102
/* Where a CPU begins. */
#define RESET_CS_BASE 0xffff0000
#define RESET_RIP 0xfff0

static void copy_general(struct user_regs_struct *to,
                         const struct kvm_regs *from)
{
    to->rax = from->rax;
    to->rbx = from->rbx;
    to->rcx = from->rcx;
    to->rdx = from->rdx;
    to->rsi = from->rsi;
    to->rdi = from->rdi;
    to->rsp = from->rsp;
    to->rbp = from->rbp;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r10 = from->r10;
    to->r11 = from->r11;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->rip = from->rip;
    to->eflags = from->rflags;
}

static void copy_segments(struct user_regs_struct *to,
                          const struct kvm_sregs *from)
{
    to->cs = from->cs.selector;
    to->ds = from->ds.selector;
    to->es = from->es.selector;
    to->fs = from->fs.selector;
    to->gs = from->gs.selector;
    to->ss = from->ss.selector;
    to->fs_base = from->fs.base;
    to->gs_base = from->gs.base;
}

bool kvm_x86_get_user_regs(CPUState *cpu, struct user_regs_struct *regs)
{
    KVMVcpu *vcpu = X86_CPU(cpu)->kvm;
    struct kvm_sregs segments;
    struct kvm_regs general;

    if (!vcpu || kvm_vcpu_ioctl(vcpu, KVM_GET_REGS, &general) < 0 ||
        kvm_vcpu_ioctl(vcpu, KVM_GET_SREGS, &segments) < 0) {
        return false;
    }
    *regs = (struct user_regs_struct) { 0 };
    copy_general(regs, &general);
    copy_segments(regs, &segments);
    /* No system call that a debugger could restart. */
    regs->orig_rax = UINT64_MAX;
    return true;
}

static CPUSegment segment(const struct kvm_segment *from)
{
    return (CPUSegment) {
        .selector = from->selector,
        .limit = from->limit,
        .flags = (uint32_t)from->type << 8 | (uint32_t)from->s << 12 |
                 (uint32_t)from->dpl << 13 | (uint32_t)from->present << 15 |
                 (uint32_t)from->avl << 20 | (uint32_t)from->l << 21 |
                 (uint32_t)from->db << 22 | (uint32_t)from->g << 23,
        .base = from->base,
    };
}

static CPUSegment table(const struct kvm_dtable *from)
{
    return (CPUSegment) { .limit = from->limit, .base = from->base };
}

/* 0 if KVM does not tell. */
static uint64_t read_msr(KVMVcpu *vcpu, uint32_t index)
{
    union {
        struct kvm_msrs head;
        char bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } msrs = { .bytes = { 0 } };

    msrs.head.nmsrs = 1;
    msrs.head.entries[0].index = index;
    return kvm_vcpu_ioctl(vcpu, KVM_GET_MSRS, &msrs) == 1
           ? msrs.head.entries[0].data : 0;
}

bool kvm_x86_get_system_regs(CPUState *cpu, CPUSystemRegs *regs)
{
    KVMVcpu *vcpu = X86_CPU(cpu)->kvm;
    struct kvm_sregs s;

    if (!vcpu || kvm_vcpu_ioctl(vcpu, KVM_GET_SREGS, &s) < 0) {
        return false;
    }
    *regs = (CPUSystemRegs) {
        .cs = segment(&s.cs), .ds = segment(&s.ds), .es = segment(&s.es),
        .fs = segment(&s.fs), .gs = segment(&s.gs), .ss = segment(&s.ss),
        .ldt = segment(&s.ldt), .tr = segment(&s.tr),
        .gdt = table(&s.gdt), .idt = table(&s.idt),
        .cr = { s.cr0, 0, s.cr2, s.cr3, s.cr4 },
        .kernel_gs_base = read_msr(vcpu, MSR_KERNEL_GS_BASE),
    };
    return true;
}

/* --- in words --- */

/* On AMD's CPUs KVM has reset the vCPU before it tells of a triple fault. */
static bool is_after_reset(const struct kvm_regs *r, const struct kvm_sregs *s)
{
    return r->rip == RESET_RIP && s->cs.base == RESET_CS_BASE;
}

char *kvm_x86_describe_regs(KVMVcpu *vcpu)
{
    struct kvm_sregs s;
    struct kvm_regs r;

    if (kvm_vcpu_ioctl(vcpu, KVM_GET_REGS, &r) < 0 ||
        kvm_vcpu_ioctl(vcpu, KVM_GET_SREGS, &s) < 0) {
        return g_strdup("an address that KVM does not tell");
    }
    if (is_after_reset(&r, &s)) {
        return g_strdup("an address that KVM has forgotten: its registers are "
                        "those of a reset");
    }
    return g_strdup_printf("RIP 0x%llx, RSP 0x%llx, CR0 0x%llx, CR2 0x%llx, CR3 "
                           "0x%llx, IDT 0x%llx", r.rip, r.rsp, s.cr0, s.cr2,
                           s.cr3, s.idt.base);
}
