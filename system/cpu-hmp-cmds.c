/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "info registers": where each vCPU is. The first question about a guest that
 * hangs. The vCPUs stop for as long as they are read.
 */
#include "qemu/osdep.h"
#include <sys/user.h>

#include "monitor/hmp.h"
#include "sysemu/cpus.h"
#include "sysemu/runstate.h"

static void append_general(GString *out, const struct user_regs_struct *r)
{
    g_string_append_printf(
        out,
        "RAX=%016llx RBX=%016llx RCX=%016llx RDX=%016llx\n"
        "RSI=%016llx RDI=%016llx RBP=%016llx RSP=%016llx\n"
        "R8 =%016llx R9 =%016llx R10=%016llx R11=%016llx\n"
        "R12=%016llx R13=%016llx R14=%016llx R15=%016llx\n"
        "RIP=%016llx RFL=%08llx\n",
        r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
        r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip,
        r->eflags);
}

static void append_segment(GString *out, const char *name, const CPUSegment *s)
{
    g_string_append_printf(out, "%-3s=%04x %016" PRIx64 " %08x %08x\n", name,
                           s->selector, s->base, s->limit, s->flags);
}

static void append_table(GString *out, const char *name, const CPUSegment *s)
{
    g_string_append_printf(out, "%-3s=     %016" PRIx64 " %08x\n", name,
                           s->base, s->limit);
}

static void append_system(GString *out, const CPUSystemRegs *r)
{
    append_segment(out, "ES", &r->es);
    append_segment(out, "CS", &r->cs);
    append_segment(out, "SS", &r->ss);
    append_segment(out, "DS", &r->ds);
    append_segment(out, "FS", &r->fs);
    append_segment(out, "GS", &r->gs);
    append_segment(out, "LDT", &r->ldt);
    append_segment(out, "TR", &r->tr);
    append_table(out, "GDT", &r->gdt);
    append_table(out, "IDT", &r->idt);
    g_string_append_printf(out, "CR0=%08" PRIx64 " CR2=%016" PRIx64
                           " CR3=%016" PRIx64 " CR4=%08" PRIx64 "\n",
                           r->cr[0], r->cr[2], r->cr[3], r->cr[4]);
}

static void append_cpu(GString *out, CPUState *cpu)
{
    struct user_regs_struct general;
    CPUSystemRegs system;

    if (!cpu_get_user_regs(cpu, &general) ||
        !cpu_get_system_regs(cpu, &system)) {
        g_string_append_printf(out, "CPU#%d: only KVM knows registers\n",
                               cpu->cpu_index);
        return;
    }
    g_string_append_printf(out, "CPU#%d\n", cpu->cpu_index);
    append_general(out, &general);
    append_system(out, &system);
}

static void hmp_info_registers(GString *out, const char *args, Error **errp)
{
    CPUState *cpu;

    pause_all_vcpus();
    CPU_FOREACH(cpu) {
        append_cpu(out, cpu);
    }
    if (runstate_is_running()) {
        resume_all_vcpus();
    }
}

static const HmpCommand cpu_hmp_info[] = {
    { .name = "registers", .params = "", .fn = hmp_info_registers,
      .help = "show the registers of each CPU" },
};

static void cpu_hmp_register(void)
{
    hmp_register_info(cpu_hmp_info, ARRAY_SIZE(cpu_hmp_info));
}
type_init(cpu_hmp_register)
