/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the x86 machine needs of KVM beyond sysemu/kvm.h. Big lock held. Only
 * while kvm_enabled().
 */
#ifndef SYSEMU_KVM_X86_H
#define SYSEMU_KVM_X86_H

#include "target/i386/cpu.h"
#include "sysemu/kvm.h"

/* Guest-physical pages of KVM's own, on Intel hosts: one for the identity map,
 * then three for the TSS. The machine has nothing there: they are below the
 * largest firmware. */
#define KVM_X86_IDENTITY_BASE 0xfeffc000ULL
#define KVM_X86_TSS_BASE 0xfeffd000ULL
#define KVM_X86_PAGES_SIZE 0x4000ULL

/* Physical address bits that a guest may use on this host. */
unsigned kvm_x86_phys_bits(KVMState *s);

/* A CPU that has all that KVM supports on this host. */
typedef struct X86HostCpu {
    char vendor[13];                      /* as CPUID spells it */
    uint32_t signature;                   /* family, model and stepping */
    uint32_t words[X86_FEATURE_WORDS];
} X86HostCpu;
/* Was read when the virtual machine was made: later KVM must not be asked. */
const X86HostCpu *kvm_x86_host_cpu(KVMState *s);

/* Creates the vCPU with its CPUID, in the state after power on. */
bool kvm_x86_vcpu_create(X86CPU *cpu, Error **errp);
void kvm_x86_vcpu_destroy(X86CPU *cpu);

/*
 * Back to the state after power on; vCPUs are stopped. The first one starts as
 * @entry says, if that is not NULL; all others wait for a SIPI.
 */
bool kvm_x86_vcpu_reset(X86CPU *cpu, const X86Entry *entry, Error **errp);
/* The same for PICs, IOAPIC and PIT. */
void kvm_x86_irqchip_reset(KVMState *s);

#endif
