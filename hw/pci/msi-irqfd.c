/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds that KVM turns into message signalled interrupts, as long as the guest
 * lets them through: see hw/pci/msi_irqfd.h. Used by vfio and virtio-pci, which
 * know when that is.
 */
#include "qemu/osdep.h"

#include "hw/pci/msi_irqfd.h"
#include "sysemu/kvm.h"

void msi_irqfd_init(MSIIrqfd *irqfd, EventNotifier *notifier,
                    EventNotifierHandler *handler)
{
    *irqfd = (MSIIrqfd) { .notifier = notifier, .handler = handler,
                          .virq = -1 };
    event_notifier_set_handler(notifier, handler);
}

static void leave_kvm(MSIIrqfd *irqfd)
{
    if (irqfd->in_kvm) {
        kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, irqfd->notifier,
                                              irqfd->virq);
        irqfd->in_kvm = false;
    }
}

void msi_irqfd_fini(MSIIrqfd *irqfd)
{
    leave_kvm(irqfd);
    if (irqfd->virq >= 0) {
        kvm_irqchip_release_virq(kvm_state, irqfd->virq);
    }
    event_notifier_set_handler(irqfd->notifier, NULL);
    *irqfd = (MSIIrqfd) { };
}

static bool same_message(const MSIMessage *a, const MSIMessage *b)
{
    return a->address == b->address && a->data == b->data;
}

/* Makes KVM's route that of @msg; false: it cannot. */
static bool route(MSIIrqfd *irqfd, MSIMessage msg)
{
    if (irqfd->virq >= 0 && same_message(&irqfd->msg, &msg)) {
        return true;
    }
    if (irqfd->virq < 0) {
        int virq = kvm_irqchip_add_msi_route(kvm_state, msg);

        if (virq < 0) {
            return false;
        }
        irqfd->virq = virq;
    } else if (kvm_irqchip_update_msi_route(kvm_state, irqfd->virq, msg) < 0) {
        return false;
    } else {
        kvm_irqchip_commit_routes(kvm_state);
    }
    irqfd->msg = msg;
    return true;
}

void msi_irqfd_deliver(MSIIrqfd *irqfd, MSIMessage msg)
{
    if (!kvm_msi_via_irqfd_enabled() || !route(irqfd, msg)) {
        msi_irqfd_intercept(irqfd);
        return;
    }
    if (irqfd->in_kvm) {
        return;
    }
    event_notifier_set_handler(irqfd->notifier, NULL);
    if (kvm_irqchip_add_irqfd_notifier_gsi(kvm_state, irqfd->notifier, NULL,
                                           irqfd->virq) < 0) {
        event_notifier_set_handler(irqfd->notifier, irqfd->handler);
        return;
    }
    irqfd->in_kvm = true;
}

void msi_irqfd_intercept(MSIIrqfd *irqfd)
{
    leave_kvm(irqfd);
    event_notifier_set_handler(irqfd->notifier, irqfd->handler);
}

void msi_irqfd_poll(MSIIrqfd *irqfd)
{
    if (!irqfd->in_kvm) {
        irqfd->handler(irqfd->notifier);
    }
}
