/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"

#include "fake-kvm.h"
#include "hw/pci/msi.h"
#include "qemu/event_notifier.h"

typedef struct FakeRoute {
    bool used;
    MSIMessage msg, committed;
    EventNotifier *e;                     /* NULL: no irqfd */
} FakeRoute;

FakeKVM fake_kvm;
static FakeRoute routes[FAKE_KVM_GSIS];

KVMState *kvm_state;
bool kvm_allowed = true;
bool kvm_kernel_irqchip = true;
bool kvm_irqfds_allowed = true;
bool kvm_resamplefds_allowed;
bool kvm_ioeventfds_allowed;

/* --- routes --- */

static FakeRoute *route_at(int virq)
{
    g_assert(virq >= KVM_IRQCHIP_PINS && virq < FAKE_KVM_GSIS);
    g_assert(routes[virq].used);
    return &routes[virq];
}

int kvm_irqchip_add_msi_route(KVMState *s, MSIMessage msg)
{
    for (int i = KVM_IRQCHIP_PINS; i < FAKE_KVM_GSIS; i++) {
        if (!routes[i].used) {
            routes[i] = (FakeRoute) { .used = true, .msg = msg,
                                      .committed = msg };
            fake_kvm.nr_routes++;
            return i;
        }
    }
    return -ENOSPC;
}

int kvm_irqchip_update_msi_route(KVMState *s, int virq, MSIMessage msg)
{
    route_at(virq)->msg = msg;
    return 0;
}

void kvm_irqchip_commit_routes(KVMState *s)
{
    fake_kvm.commits++;
    for (int i = 0; i < FAKE_KVM_GSIS; i++) {
        routes[i].committed = routes[i].msg;
    }
}

void kvm_irqchip_release_virq(KVMState *s, int virq)
{
    g_assert(!route_at(virq)->e);
    routes[virq].used = false;
    fake_kvm.nr_routes--;
}

/* --- irqfds --- */

int kvm_irqchip_add_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                       EventNotifier *rn, int virq)
{
    FakeRoute *route = route_at(virq);

    if (fake_kvm.refuse_irqfd) {
        return -ENOMEM;
    }
    g_assert(!route->e && !n->handler);
    g_assert_cmpint(event_notifier_get_fd(n), >=, 0);
    route->e = n;
    fake_kvm.nr_irqfds++;
    return 0;
}

int kvm_irqchip_remove_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                          int virq)
{
    FakeRoute *route = route_at(virq);

    g_assert(route->e == n);
    route->e = NULL;
    fake_kvm.nr_irqfds--;
    return 0;
}

bool fake_kvm_message(EventNotifier *e, MSIMessage *msg)
{
    for (int i = 0; i < FAKE_KVM_GSIS; i++) {
        if (routes[i].used && routes[i].e == e) {
            *msg = routes[i].committed;
            return true;
        }
    }
    return false;
}

unsigned fake_kvm_run(void)
{
    unsigned n = 0;

    for (int i = 0; i < FAKE_KVM_GSIS; i++) {
        n += routes[i].e && event_notifier_test_and_clear(routes[i].e);
    }
    return n;
}

/* --- what nobody asks here --- */

int kvm_check_extension(KVMState *s, unsigned int extension)
{
    return 0;
}

int kvm_vm_check_extension(KVMState *s, unsigned int extension)
{
    return 0;
}

int kvm_ioctl(KVMState *s, unsigned long type, ...)
{
    return -ENOSYS;
}

int kvm_vm_ioctl(KVMState *s, unsigned long type, ...)
{
    return -ENOSYS;
}

int kvm_device_ioctl(int fd, unsigned long type, ...)
{
    return -ENOSYS;
}

int kvm_create_device(KVMState *s, uint64_t type, bool test)
{
    return -ENOSYS;
}

int kvm_set_irq(KVMState *s, int irq, int level)
{
    return -ENOSYS;
}

int kvm_irqchip_send_msi(KVMState *s, MSIMessage msg)
{
    return -ENOSYS;
}
