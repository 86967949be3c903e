/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM for tests of interrupts, in place of accel/kvm: it has a table of routes and
 * irqfds, keeps to the kernel's rules, and raises nothing by itself.
 */
#ifndef TESTS_UNIT_FAKE_KVM_H
#define TESTS_UNIT_FAKE_KVM_H

#include "sysemu/kvm.h"

#define FAKE_KVM_GSIS 32                  /* from KVM_IRQCHIP_PINS on: 8 routes */

typedef struct FakeKVM {
    bool refuse_irqfd;
    unsigned commits;                     /* tables that were handed over */
    unsigned nr_routes, nr_irqfds;        /* there are now */
} FakeKVM;
extern FakeKVM fake_kvm;

/* The message that a signal of @e becomes, as the kernel has it; false: KVM does
 * not wait for @e. */
bool fake_kvm_message(EventNotifier *e, MSIMessage *msg);
/* Lowers what is signalled, as KVM does; how many interrupts that were. */
unsigned fake_kvm_run(void);

#endif
