/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysemu/kvm.h for programs without KVM, that is the unit tests: nothing is
 * enabled, so that devices never call what needs a virtual machine; should one
 * do so nevertheless, it is told -ENOSYS. Never linked into the emulator.
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "sysemu/kvm.h"

KVMState *kvm_state;
bool kvm_allowed;
bool kvm_kernel_irqchip;
bool kvm_irqfds_allowed;
bool kvm_resamplefds_allowed;
bool kvm_ioeventfds_allowed;

/* What all of it comes to. */
enum { NO_KVM = -ENOSYS };

/* --- the kernel --- */

int kvm_check_extension(KVMState *s, unsigned int extension)
{
    return 0;
}

int kvm_ioctl(KVMState *s, unsigned long type, ...)
{
    return NO_KVM;
}

/* --- the virtual machine --- */

int kvm_vm_check_extension(KVMState *s, unsigned int extension)
{
    return 0;
}

int kvm_vm_ioctl(KVMState *s, unsigned long type, ...)
{
    return NO_KVM;
}

int kvm_create_device(KVMState *s, uint64_t type, bool test)
{
    return NO_KVM;
}

int kvm_device_ioctl(int fd, unsigned long type, ...)
{
    return NO_KVM;
}

/* --- interrupts --- */

int kvm_set_irq(KVMState *s, int irq, int level)
{
    return NO_KVM;
}

int kvm_irqchip_send_msi(KVMState *s, MSIMessage msg)
{
    return NO_KVM;
}

int kvm_irqchip_add_msi_route(KVMState *s, MSIMessage msg)
{
    return NO_KVM;
}

int kvm_irqchip_update_msi_route(KVMState *s, int virq, MSIMessage msg)
{
    return NO_KVM;
}

void kvm_irqchip_release_virq(KVMState *s, int virq)
{
    /* None was ever given out. */
}

void kvm_irqchip_commit_routes(KVMState *s)
{
    /* There are none. */
}

int kvm_irqchip_add_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                       EventNotifier *rn, int virq)
{
    return NO_KVM;
}

int kvm_irqchip_remove_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                          int virq)
{
    return NO_KVM;
}
