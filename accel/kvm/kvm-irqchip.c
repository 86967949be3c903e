/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts by KVM: the routing table from GSIs to PIC and IOAPIC pins and to
 * MSI messages, irqfds, and single messages and levels. Used by virtio-pci and
 * vfio through sysemu/kvm.h.
 *
 * The kernel takes the table only as a whole, so changes are collected and
 * handed over by kvm_irqchip_commit_routes(). Must never send a table with two
 * routes of one MSI GSI.
 */
#include "qemu/osdep.h"

#include "kvm-internal.h"
#include "hw/irq.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"

#define PIC_PINS 8
#define PIC_CASCADE_PIN 2
#define TIMER_GSI 0
#define TIMER_IOAPIC_PIN 2

typedef struct kvm_irq_routing_entry KVMRoute;

/* --- the table --- */

static void add_pin(KVMState *s, unsigned gsi, unsigned chip, unsigned pin)
{
    KVMRoute route = {
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };

    g_array_append_val(s->routes, route);
}

static void set_msi(KVMRoute *route, MSIMessage msg)
{
    route->type = KVM_IRQ_ROUTING_MSI;
    route->u.msi.address_lo = msg.address;
    route->u.msi.address_hi = msg.address >> 32;
    route->u.msi.data = msg.data;
}

static KVMRoute *find_msi(KVMState *s, int virq)
{
    for (unsigned i = 0; i < s->routes->len; i++) {
        KVMRoute *route = &g_array_index(s->routes, KVMRoute, i);

        if (route->gsi == (unsigned)virq &&
            route->type == KVM_IRQ_ROUTING_MSI) {
            return route;
        }
    }
    return NULL;
}

static int set_routes(KVMState *s)
{
    size_t size = s->routes->len * sizeof(KVMRoute);
    g_autofree struct kvm_irq_routing *table =
        g_malloc0(sizeof(*table) + size);

    table->nr = s->routes->len;
    memcpy(table->entries, s->routes->data, size);
    return kvm_vm_ioctl(s, KVM_SET_GSI_ROUTING, table);
}

/* As on a PC: GSI n is pin n of the PICs and the IOAPIC, but for the timer. */
int kvm_irqchip_init_routes(KVMState *s, Error **errp)
{
    int ret = kvm_check_extension(s, KVM_CAP_IRQ_ROUTING);

    s->nr_gsis = MAX(ret, KVM_IRQCHIP_PINS);
    s->gsi_used = g_new0(bool, s->nr_gsis);
    s->routes = g_array_new(false, true, sizeof(KVMRoute));
    for (unsigned i = 0; i < KVM_IRQCHIP_PINS; i++) {
        s->gsi_used[i] = true;
        if (i < 2 * PIC_PINS && i != PIC_CASCADE_PIN) {
            add_pin(s, i, i < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER
                                       : KVM_IRQCHIP_PIC_SLAVE, i % PIC_PINS);
        }
        if (i == TIMER_GSI) {
            add_pin(s, i, KVM_IRQCHIP_IOAPIC, TIMER_IOAPIC_PIN);
        } else if (i != TIMER_IOAPIC_PIN) {
            add_pin(s, i, KVM_IRQCHIP_IOAPIC, i);
        }
    }
    ret = set_routes(s);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "interrupts cannot be routed");
    }
    return ret;
}

void kvm_irqchip_commit_routes(KVMState *s)
{
    int ret;

    if (!s->routes_dirty) {
        return;
    }
    /* The table is well-formed and not larger than the kernel's limit. */
    ret = set_routes(s);
    g_assert(ret == 0);
    s->routes_dirty = false;
}

int kvm_irqchip_add_msi_route(KVMState *s, MSIMessage msg)
{
    KVMRoute route = {};
    unsigned gsi = KVM_IRQCHIP_PINS;
    int ret;

    while (gsi < s->nr_gsis && s->gsi_used[gsi]) {
        gsi++;
    }
    if (gsi == s->nr_gsis) {
        return -ENOSPC;
    }
    set_msi(&route, msg);
    route.gsi = gsi;
    g_array_append_val(s->routes, route);
    ret = set_routes(s);
    if (ret < 0) {
        g_array_set_size(s->routes, s->routes->len - 1);
        return ret;
    }
    s->routes_dirty = false;
    s->gsi_used[gsi] = true;
    return gsi;
}

int kvm_irqchip_update_msi_route(KVMState *s, int virq, MSIMessage msg)
{
    KVMRoute *route = find_msi(s, virq), old;

    if (!route) {
        return -ESRCH;
    }
    old = *route;
    set_msi(route, msg);
    s->routes_dirty |= memcmp(&old, route, sizeof(old)) != 0;
    return 0;
}

/* The kernel may keep the route until the next commit: nothing uses it. */
void kvm_irqchip_release_virq(KVMState *s, int virq)
{
    KVMRoute *route = find_msi(s, virq);

    if (route) {
        g_array_remove_index_fast(s->routes,
                                  route - (KVMRoute *)s->routes->data);
        s->gsi_used[virq] = false;
        s->routes_dirty = true;
    }
}

/* --- raising --- */

int kvm_set_irq(KVMState *s, int irq, int level)
{
    struct kvm_irq_level line = { .irq = irq, .level = !!level };

    return kvm_vm_ioctl(s, KVM_IRQ_LINE, &line);
}

int kvm_irqchip_send_msi(KVMState *s, MSIMessage msg)
{
    struct kvm_msi msi = {
        .address_lo = msg.address,
        .address_hi = msg.address >> 32,
        .data = msg.data,
    };

    return kvm_vm_ioctl(s, KVM_SIGNAL_MSI, &msi);
}

/* --- irqfds --- */

int kvm_irqchip_add_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                       EventNotifier *rn, int virq)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(n),
        .gsi = virq,
    };

    if (rn) {
        irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
        irqfd.resamplefd = event_notifier_get_fd(rn);
    }
    return kvm_vm_ioctl(s, KVM_IRQFD, &irqfd);
}

int kvm_irqchip_remove_irqfd_notifier_gsi(KVMState *s, EventNotifier *n,
                                          int virq)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(n),
        .gsi = virq,
        .flags = KVM_IRQFD_FLAG_DEASSIGN,
    };

    return kvm_vm_ioctl(s, KVM_IRQFD, &irqfd);
}
