/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reset of vCPUs. KVM creates a vCPU in the architectural state after power
 * on, so that state is read right then, piece by piece, and written back at
 * each reset; then the first CPU gets the registers with which a kernel is
 * entered. So this file need not know what each register is after a reset.
 *
 * Runs only while the vCPU is out of KVM_RUN. Must not be used to save a
 * running guest: what only the kernel's timers know is not in it.
 */
#include "qemu/osdep.h"

#include <asm/kvm_para.h>

#include "kvm-internal.h"
#include "sysemu/kvm-x86.h"

#define MSR_TSC 0x10
#define CR0_PE 0x1ULL
#define CR0_PG 0x80000000ULL
#define CR4_PAE 0x20ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL
#define EFLAGS_RESERVED 0x2ULL
#define XSAVE_MIN_SIZE sizeof(struct kvm_xsave)

typedef struct KVMVcpuState {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave *xsave;
    struct kvm_xcrs xcrs;
    struct kvm_lapic_state lapic;
    struct kvm_mp_state mp_state;
    struct kvm_vcpu_events events;
    struct kvm_debugregs debugregs;
    struct kvm_msrs *msrs;                /* those that can be written */
    struct kvm_nested_state *nested;      /* NULL: no nested guests */
} KVMVcpuState;

typedef struct StatePart {
    const char *name;                     /* for a person */
    unsigned long get;
    unsigned long set;
    size_t offset;                        /* in KVMVcpuState */
    bool pointer;                         /* what is there points to the data */
} StatePart;

#define PART(name, request, field, pointer)                                  \
    { name, KVM_GET_##request, KVM_SET_##request,                            \
      offsetof(KVMVcpuState, field), pointer }

/*
 * In the order in which they are written. The guest's mode of operation comes
 * first, as KVM checks the rest against it; MSRs of the local APIC's timer
 * need the local APIC.
 */
static const StatePart state_parts[] = {
    PART("nested state", NESTED_STATE, nested, true),
    PART("special registers", SREGS, sregs, false),
    PART("XCRs", XCRS, xcrs, false),
    PART("FPU", XSAVE, xsave, true),
    PART("local APIC", LAPIC, lapic, false),
    PART("MSRs", MSRS, msrs, true),
    PART("MP state", MP_STATE, mp_state, false),
    PART("events", VCPU_EVENTS, events, false),
    PART("debug registers", DEBUGREGS, debugregs, false),
    PART("registers", REGS, regs, false),
};

static void *part_data(KVMVcpuState *state, const StatePart *part)
{
    void *data = (char *)state + part->offset;

    return part->pointer ? *(void **)data : data;
}

/* --- what to read --- */

/* Of the MSRs that KVM knows, those of this CPU that can be written back. */
static struct kvm_msrs *usable_msrs(KVMVcpu *vcpu, const uint32_t *indices,
                                    unsigned n)
{
    struct kvm_msrs *msrs = g_malloc0(sizeof(*msrs) +
                                      n * sizeof(struct kvm_msr_entry));

    for (unsigned i = 0; i < n; i++) {
        union {
            struct kvm_msrs head;
            char bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
        } one = { .head.nmsrs = 1 };

        one.head.entries[0].index = indices[i];
        if (kvm_vcpu_ioctl(vcpu, KVM_GET_MSRS, &one) != 1) {
            continue;
        }
        /* All CPUs at 0 lets KVM keep their counters in step. */
        if (indices[i] == MSR_TSC) {
            one.head.entries[0].data = 0;
        }
        if (kvm_vcpu_ioctl(vcpu, KVM_SET_MSRS, &one) == 1) {
            msrs->entries[msrs->nmsrs++] = one.head.entries[0];
        }
    }
    return msrs;
}

static struct kvm_msrs *find_msrs(KVMState *s, KVMVcpu *vcpu, Error **errp)
{
    g_autofree struct kvm_msr_list *list = NULL;
    struct kvm_msr_list count = {};
    int ret = kvm_ioctl(s, KVM_GET_MSR_INDEX_LIST, &count);

    if (ret == -E2BIG) {
        list = g_malloc0(sizeof(*list) +
                         count.nmsrs * sizeof(list->indices[0]));
        list->nmsrs = count.nmsrs;
        ret = kvm_ioctl(s, KVM_GET_MSR_INDEX_LIST, list);
    }
    if (ret < 0 || !list) {
        error_setg_errno(errp, -ret, "-accel kvm: KVM does not list its MSRs");
        return NULL;
    }
    return usable_msrs(vcpu, list->indices, list->nmsrs);
}

static KVMVcpuState *state_new(KVMState *s)
{
    KVMVcpuState *state = g_new0(KVMVcpuState, 1);
    int xsave = kvm_vm_check_extension(s, KVM_CAP_XSAVE2);
    int nested = kvm_check_extension(s, KVM_CAP_NESTED_STATE);

    state->xsave = g_malloc0(MAX((size_t)xsave, XSAVE_MIN_SIZE));
    if (nested) {
        state->nested = g_malloc0(nested);
        state->nested->size = nested;
    }
    return state;
}

/* --- reading and writing --- */

static int get_part(KVMState *s, KVMVcpu *vcpu, const StatePart *part)
{
    unsigned long request = part->get;

    if (request == KVM_GET_XSAVE && kvm_vm_check_extension(s, KVM_CAP_XSAVE2)) {
        request = KVM_GET_XSAVE2;
    }
    return kvm_vcpu_ioctl(vcpu, request, part_data(vcpu->state, part));
}

bool kvm_x86_state_save(KVMState *s, KVMVcpu *vcpu, Error **errp)
{
    vcpu->state = state_new(s);
    vcpu->state->msrs = find_msrs(s, vcpu, errp);
    if (!vcpu->state->msrs) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(state_parts); i++) {
        const StatePart *part = &state_parts[i];
        int ret;

        if (part->get == KVM_GET_MSRS || !part_data(vcpu->state, part)) {
            continue;
        }
        ret = get_part(s, vcpu, part);
        if (ret < 0) {
            error_setg_errno(errp, -ret, "-accel kvm: the vCPU's %s cannot be"
                             " read", part->name);
            return false;
        }
    }
    return true;
}

void kvm_x86_state_free(KVMVcpu *vcpu)
{
    KVMVcpuState *state = vcpu->state;

    if (state) {
        g_free(state->xsave);
        g_free(state->msrs);
        g_free(state->nested);
        g_free(state);
    }
}

/* --- entering a kernel --- */

static struct kvm_segment flat_segment(uint16_t selector, bool code,
                                       bool long_mode)
{
    return (struct kvm_segment) {
        .selector = selector,
        .limit = UINT32_MAX,
        .type = code ? 0xb : 0x3,         /* accessed; readable or writable */
        .present = 1,
        .s = 1,
        .g = 1,
        .l = code && long_mode,
        .db = !(code && long_mode),
    };
}

static void enter_kernel(const X86Entry *entry, struct kvm_sregs *sregs,
                         struct kvm_regs *regs)
{
    struct kvm_segment data = flat_segment(X86_BOOT_DS, false,
                                           entry->long_mode);

    sregs->cs = flat_segment(X86_BOOT_CS, true, entry->long_mode);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    /* A busy TSS of no use, without which VMX does not enter a guest. */
    sregs->tr = (struct kvm_segment) { .limit = 0x67, .type = 0xb,
                                       .present = 1 };
    sregs->gdt.base = entry->gdt_base;
    sregs->gdt.limit = entry->gdt_limit;
    sregs->cr0 |= CR0_PE;
    if (entry->long_mode) {
        sregs->cr3 = entry->cr3;
        sregs->cr4 |= CR4_PAE;
        sregs->cr0 |= CR0_PG;
        sregs->efer |= EFER_LME | EFER_LMA;
    }
    *regs = (struct kvm_regs) {
        .rip = entry->rip,
        .rsi = entry->rsi,
        .rax = entry->rax,
        .rbx = entry->rbx,
        .rflags = EFLAGS_RESERVED,
    };
}

static int set_part(KVMVcpu *vcpu, const StatePart *part, KVMVcpuState *state)
{
    void *data = part_data(state, part);
    int ret;

    if (!data) {
        return 0;
    }
    ret = kvm_vcpu_ioctl(vcpu, part->set, data);
    if (part->set == KVM_SET_MSRS && ret >= 0 &&
        ret != (int)state->msrs->nmsrs) {
        return -EINVAL;
    }
    return ret;
}

bool kvm_x86_vcpu_reset(X86CPU *cpu, const X86Entry *entry, Error **errp)
{
    KVMVcpu *vcpu = cpu->kvm;
    KVMVcpuState state = *vcpu->state;

    if (entry) {
        enter_kernel(entry, &state.sregs, &state.regs);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(state_parts); i++) {
        int ret = set_part(vcpu, &state_parts[i], &state);

        if (ret < 0) {
            error_setg_errno(errp, -ret, "KVM: CPU %d: the %s cannot be reset",
                             CPU(cpu)->cpu_index, state_parts[i].name);
            return false;
        }
    }
    return true;
}
