/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An eventfd of which each signal is one message signalled interrupt: whoever
 * signals it is another process, or the kernel (VFIO, vhost). While the message
 * may be sent KVM waits for the eventfd, and raises the interrupt by itself; while
 * it may not (the vector is masked), or KVM cannot, the main loop waits and calls a
 * handler. Going from one to the other loses nothing: a signalled eventfd stays so
 * until whoever comes next looks at it.
 *
 * Big lock held throughout.
 */
#ifndef HW_PCI_MSI_IRQFD_H
#define HW_PCI_MSI_IRQFD_H

#include "hw/pci/msi.h"
#include "qemu/event_notifier.h"

/* Part of whoever has it; all zero: not in use. */
typedef struct MSIIrqfd {
    EventNotifier *notifier;              /* NULL: not in use */
    EventNotifierHandler *handler;
    MSIMessage msg;                       /* of the route */
    int virq;                             /* KVM's route; -1: none */
    bool in_kvm;                          /* KVM waits for it, not the main loop */
} MSIIrqfd;

/* @notifier is open, and the caller's. @handler, which has to lower it, is called
 * by the main loop from now on. */
void msi_irqfd_init(MSIIrqfd *irqfd, EventNotifier *notifier,
                    EventNotifierHandler *handler);
/* Nobody waits any more; to be called before the notifier is closed. */
void msi_irqfd_fini(MSIIrqfd *irqfd);

/* Signals become @msg, by KVM if it can, else by the handler. Also if only the
 * message has changed. */
void msi_irqfd_deliver(MSIIrqfd *irqfd, MSIMessage msg);
/* They go to the handler. */
void msi_irqfd_intercept(MSIIrqfd *irqfd);
/* Has a signal that waits for the main loop handled at once. */
void msi_irqfd_poll(MSIIrqfd *irqfd);

#endif
