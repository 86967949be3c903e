/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an x86 virtual machine has before its first vCPU: the PICs, the IOAPIC
 * and the timer in the kernel, and the pages that KVM uses for itself on Intel
 * hosts; and how the interrupt controllers are reset.
 */
#include "qemu/osdep.h"

#include "kvm-internal.h"
#include "sysemu/kvm-x86.h"

/* Reads, or writes, all of it. 0 or -errno. */
static int transfer_irqchip(KVMState *s, KVMIrqchipState *state, bool set)
{
    int ret;

    for (unsigned i = 0; i < KVM_NR_IRQCHIPS; i++) {
        state->chips[i].chip_id = i;
        ret = kvm_vm_ioctl(s, set ? KVM_SET_IRQCHIP : KVM_GET_IRQCHIP,
                           &state->chips[i]);
        if (ret < 0) {
            return ret;
        }
    }
    return kvm_vm_ioctl(s, set ? KVM_SET_PIT2 : KVM_GET_PIT2, &state->pit);
}

int kvm_x86_vm_init(KVMState *s, Error **errp)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
    uint64_t identity = KVM_X86_IDENTITY_BASE;
    int ret;

    if ((ret = kvm_vm_ioctl(s, KVM_SET_IDENTITY_MAP_ADDR, &identity)) < 0 ||
        (ret = kvm_vm_ioctl(s, KVM_SET_TSS_ADDR,
                            (unsigned long)KVM_X86_TSS_BASE)) < 0) {
        error_setg_errno(errp, -ret, "KVM refuses its own pages");
    } else if ((ret = kvm_vm_ioctl(s, KVM_CREATE_IRQCHIP, NULL)) < 0) {
        error_setg_errno(errp, -ret, "the interrupt controllers"
                         " cannot be created");
    } else if ((ret = kvm_vm_ioctl(s, KVM_CREATE_PIT2, &pit)) < 0) {
        error_setg_errno(errp, -ret, "the timer cannot be created");
    } else if ((ret = transfer_irqchip(s, &s->irqchip_state, false)) < 0) {
        error_setg_errno(errp, -ret, "the interrupt controllers"
                         " cannot be read");
    }
    return ret;
}

void kvm_x86_irqchip_reset(KVMState *s)
{
    /* What the kernel gave out it takes back. */
    int ret = transfer_irqchip(s, &s->irqchip_state, true);

    g_assert(ret == 0);
}
