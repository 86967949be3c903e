/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test device's interrupts: eventfds that the client has sent. The pin
 * masks itself when it fires, as VFIO has it; if it is still asserted when it
 * is unmasked, it fires again.
 */
#include "qemu/osdep.h"

#include "testdev.h"

static const uint32_t irq_counts[VFIO_PCI_NUM_IRQS] = {
    [VFIO_PCI_INTX_IRQ_INDEX] = 1,
    [VFIO_PCI_MSIX_IRQ_INDEX] = TESTDEV_NR_VECTORS,
    [VFIO_PCI_ERR_IRQ_INDEX] = 1,
    [VFIO_PCI_REQ_IRQ_INDEX] = 1,
};

static void irq_set_fd(TestDevIRQs *irqs, uint32_t index, uint32_t n, int fd)
{
    if (irqs->fds[index][n] >= 0) {
        close(irqs->fds[index][n]);
    }
    irqs->fds[index][n] = fd;
}

void testdev_irq_init(TestDevIRQs *irqs)
{
    memset(irqs, 0, sizeof(*irqs));
    memset(irqs->fds, 0xff, sizeof(irqs->fds));
}

void testdev_irq_clear(TestDevIRQs *irqs)
{
    for (uint32_t i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
        for (uint32_t n = 0; n < TESTDEV_MAX_IRQS; n++) {
            irq_set_fd(irqs, i, n, -1);
        }
    }
    irqs->intx_level = false;
    irqs->intx_masked = false;
}

void testdev_irq_info(struct vfio_irq_info *info)
{
    info->argsz = sizeof(*info);
    info->count = irq_counts[info->index];
    info->flags = VFIO_IRQ_INFO_EVENTFD;
    if (info->index == VFIO_PCI_INTX_IRQ_INDEX) {
        info->flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    }
}

void testdev_irq_raise(TestDevIRQs *irqs, uint32_t index, uint32_t n)
{
    const uint64_t one = 1;

    if (index >= VFIO_PCI_NUM_IRQS || n >= irq_counts[index] ||
        irqs->fds[index][n] < 0) {
        return;
    }
    /* It fails only when the counter is about to overflow: then it is set. */
    if (write(irqs->fds[index][n], &one, sizeof(one)) < 0) {
        return;
    }
}

static void intx_update(TestDevIRQs *irqs)
{
    if (irqs->intx_level && !irqs->intx_masked) {
        irqs->intx_masked = true;
        testdev_irq_raise(irqs, VFIO_PCI_INTX_IRQ_INDEX, 0);
    }
}

void testdev_irq_notify(TestDevIRQs *irqs, uint32_t n)
{
    if (n < TESTDEV_NR_VECTORS &&
        irqs->fds[VFIO_PCI_MSIX_IRQ_INDEX][n] >= 0) {
        testdev_irq_raise(irqs, VFIO_PCI_MSIX_IRQ_INDEX, n);
    } else if (irqs->fds[VFIO_PCI_INTX_IRQ_INDEX][0] >= 0) {
        irqs->intx_level = true;
        intx_update(irqs);
    }
}

void testdev_irq_ack(TestDevIRQs *irqs)
{
    irqs->intx_level = false;
}

static int irq_mask(TestDevIRQs *irqs, const struct vfio_irq_set *set)
{
    if (set->index != VFIO_PCI_INTX_IRQ_INDEX ||
        !(set->flags & VFIO_IRQ_SET_DATA_NONE)) {
        return -EINVAL;
    }
    irqs->intx_masked = set->flags & VFIO_IRQ_SET_ACTION_MASK;
    intx_update(irqs);
    return 0;
}

int testdev_irq_set(TestDevIRQs *irqs, const struct vfio_irq_set *set,
                    VFIOUserMessage *msg)
{
    if (set->index >= VFIO_PCI_NUM_IRQS ||
        set->start + set->count > irq_counts[set->index] ||
        set->flags & VFIO_IRQ_SET_DATA_BOOL) {
        return -EINVAL;
    }
    if (!(set->flags & VFIO_IRQ_SET_ACTION_TRIGGER)) {
        return irq_mask(irqs, set);
    }
    if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
        for (uint32_t i = 0; i < set->count; i++) {
            irq_set_fd(irqs, set->index, set->start + i,
                       vfio_user_message_steal_fd(msg, i));
        }
        return 0;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        testdev_irq_raise(irqs, set->index, set->start + i);
    }
    for (uint32_t i = 0; !set->count && i < irq_counts[set->index]; i++) {
        irq_set_fd(irqs, set->index, i, -1);
    }
    return 0;
}
