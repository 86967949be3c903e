/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines: a qemu_irq is the receiving end of a wire; whoever drives
 * the wire holds it and calls qemu_set_irq(). NULL is a wire that leads
 * nowhere. QEMU's names and signatures. Big lock held.
 */
#ifndef HW_IRQ_H
#define HW_IRQ_H

#include "qom/object.h"

/* An interrupt that is a write to memory: @data, to @address. */
struct MSIMessage {
    uint64_t address;
    uint32_t data;
};

#define TYPE_IRQ "irq"

/* Line @n of the receiver @opaque has now @level (0: low). */
typedef void (*qemu_irq_handler)(void *opaque, int n, int level);

void qemu_set_irq(qemu_irq irq, int level);

#define qemu_irq_raise(irq) qemu_set_irq(irq, 1)
#define qemu_irq_lower(irq) qemu_set_irq(irq, 0)

/* An array with @n lines more than the @n_old of @old, which is reallocated
 * (NULL: none); a line's number is its index. To be qemu_free_irqs()d. */
qemu_irq *qemu_extend_irqs(qemu_irq *old, int n_old, qemu_irq_handler handler,
                           void *opaque, int n);
/* Drops the references to the @n lines and frees the array. */
void qemu_free_irqs(qemu_irq *s, int n);

/* One line, which reports itself as number @n. One reference, the caller's. */
qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n);
void qemu_free_irq(qemu_irq irq);

/*
 * From now on @handler hears of the @n lines in @gpio_in first; its opaque is
 * the original line, to which it may pass the level. Lasts for ever (qtest).
 */
void qemu_irq_intercept_in(qemu_irq *gpio_in, qemu_irq_handler handler, int n);

#endif
