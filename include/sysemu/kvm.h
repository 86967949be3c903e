/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM, as devices and the machine see it: is it there, what can it do, and
 * interrupts that reach the guest without passing through this process.
 *
 * The accelerator behind it is accel/kvm/. Programs without it (unit tests)
 * link accel/kvm/kvm-stub.c: kvm_enabled() is false and everything that would
 * need a virtual machine answers -ENOSYS. So devices need no #ifdef; they ask
 * kvm_irqfds_enabled() and the like, and otherwise do the work themselves.
 *
 * Functions return 0 (or what is said), or -errno. Called with the big lock
 * held unless said otherwise. Constants and structures come from
 * <linux/kvm.h>, which this header does not include.
 */
#ifndef SYSEMU_KVM_H
#define SYSEMU_KVM_H

#include "exec/hwaddr.h"
#include "exec/memattrs.h"

typedef struct KVMState KVMState;

/* The one virtual machine; NULL if not under KVM. */
extern KVMState *kvm_state;
extern bool kvm_allowed;
/* Set once, before the first device. */
extern bool kvm_kernel_irqchip;
extern bool kvm_irqfds_allowed;
extern bool kvm_resamplefds_allowed;
extern bool kvm_ioeventfds_allowed;

#define kvm_enabled() (kvm_allowed)
#define kvm_irqchip_in_kernel() (kvm_kernel_irqchip)
/* KVM_IRQFD works: an EventNotifier can raise an interrupt by itself. */
#define kvm_irqfds_enabled() (kvm_irqfds_allowed)
/* A resample notifier tells of the EOI of a level interrupt. */
#define kvm_resamplefds_enabled() (kvm_resamplefds_allowed)
/* KVM_IOEVENTFD works: memory_region_add_eventfd() acts in the kernel. */
#define kvm_eventfds_enabled() (kvm_ioeventfds_allowed)
#define kvm_ioeventfds_enabled() (kvm_ioeventfds_allowed)
/* MSI routes can be given to irqfds. */
#define kvm_msi_via_irqfd_enabled() (kvm_irqfds_allowed)

/* --- ioctls -------------------------------------------------------------- */

/* On /dev/kvm, on the VM, on a KVM device's fd. The ioctl's result or -errno;
 * any thread, no lock needed. */
int kvm_ioctl(KVMState *s, unsigned long type, ...);
int kvm_vm_ioctl(KVMState *s, unsigned long type, ...);
int kvm_device_ioctl(int fd, unsigned long type, ...);

/* KVM_CHECK_EXTENSION; 0 if absent. */
int kvm_check_extension(KVMState *s, unsigned int extension);
int kvm_vm_check_extension(KVMState *s, unsigned int extension);

/* KVM_CREATE_DEVICE of KVM_DEV_TYPE_@type: its fd, the caller's to close;
 * with @test only whether it could be made (0). */
int kvm_create_device(KVMState *s, uint64_t type, bool test);

/* --- interrupts ---------------------------------------------------------- */

/* GSIs below this are the pins of the in-kernel PICs and IOAPIC. */
#define KVM_IRQCHIP_PINS 24

/* Raises or lowers the GSI @irq. Any thread. */
int kvm_set_irq(KVMState *s, int irq, int level);

/*
 * A GSI routed to @msg. Takes effect at once. The number (the virq), to be given
 * back by kvm_irqchip_release_virq(); -ENOSPC if none is free. (A QEMU tree's
 * takes a PCIDevice and asks it for its message, as does the next one.)
 */
int kvm_irqchip_add_msi_route(KVMState *s, MSIMessage msg);
/* Changes the message; in effect after kvm_irqchip_commit_routes(). */
int kvm_irqchip_update_msi_route(KVMState *s, int virq, MSIMessage msg);
/* Hands changed routes to the kernel; nothing if none has changed. */
void kvm_irqchip_commit_routes(KVMState *s);
/* Forgets the route. No irqfd may use it any longer. */
void kvm_irqchip_release_virq(KVMState *s, int virq);

/* Delivers @msg now. Any thread. > 0 delivered, 0 blocked by the guest. */
int kvm_irqchip_send_msi(KVMState *s, MSIMessage msg);

/*
 * From now on @n raises @virq (a route's, or a GSI below KVM_IRQCHIP_PINS).
 * With @rn the interrupt is a level: it falls at the guest's EOI, and @rn is
 * signalled then. Both notifiers stay the caller's and must outlive this.
 */
int kvm_irqchip_add_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                       EventNotifier *rn, int virq);
int kvm_irqchip_remove_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                          int virq);

#endif
