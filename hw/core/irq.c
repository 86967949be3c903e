/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines: an object with a handler and the number by which the
 * handler knows it. Devices get theirs by gpio.c, boards by the functions
 * here. Never keeps a level: a wire has no memory.
 */
#include "qemu/osdep.h"
#include "hw/irq.h"

struct IRQState {
    Object parent_obj;

    qemu_irq_handler handler;
    void *opaque;
    int n;
    qemu_irq intercepted;                 /* what it was before, or NULL */
};

DECLARE_INSTANCE_CHECKER(struct IRQState, IRQ, TYPE_IRQ)

void qemu_set_irq(qemu_irq irq, int level)
{
    if (irq) {
        irq->handler(irq->opaque, irq->n, level);
    }
}

qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n)
{
    qemu_irq irq = IRQ(object_new(TYPE_IRQ));

    irq->handler = handler;
    irq->opaque = opaque;
    irq->n = n;
    return irq;
}

void qemu_free_irq(qemu_irq irq)
{
    object_unref(irq);
}

qemu_irq *qemu_extend_irqs(qemu_irq *old, int n_old, qemu_irq_handler handler,
                           void *opaque, int n)
{
    qemu_irq *s = g_renew(qemu_irq, old, n_old + n);

    for (int i = n_old; i < n_old + n; i++) {
        s[i] = qemu_allocate_irq(handler, opaque, i);
    }
    return s;
}

void qemu_free_irqs(qemu_irq *s, int n)
{
    for (int i = 0; i < n; i++) {
        qemu_free_irq(s[i]);
    }
    g_free(s);
}

void qemu_irq_intercept_in(qemu_irq *gpio_in, qemu_irq_handler handler, int n)
{
    for (int i = 0; i < n; i++) {
        qemu_irq irq = gpio_in[i];
        /* Drivers hold @irq itself: a copy takes its place as the receiver. */
        qemu_irq old = qemu_allocate_irq(irq->handler, irq->opaque, irq->n);

        /* A second interception keeps the first one alive. */
        old->intercepted = irq->intercepted;
        irq->intercepted = old;
        irq->opaque = old;
        irq->handler = handler;
    }
}

static void irq_finalize(Object *obj)
{
    object_unref(IRQ(obj)->intercepted);
}

static const TypeInfo irq_types[] = {
    {
        .name = TYPE_IRQ,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(struct IRQState),
        .instance_finalize = irq_finalize,
    },
};
DEFINE_TYPES(irq_types)
