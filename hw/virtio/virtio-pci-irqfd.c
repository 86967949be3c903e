/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of queues that somebody else processes (vhost): he signals an eventfd,
 * which KVM turns into the message of the queue's MSI-X vector, past this process.
 * While the vector is masked, without MSI-X and without KVM, the main loop does what
 * is to be done: sets the pending bit, raises the pin, sends the message. Used by
 * virtio-pci.c and, when a driver gives a queue another vector, virtio-pci-regs.c.
 *
 * Each queue has its own eventfd and route, also where queues share a vector.
 */
#include "qemu/osdep.h"

#include "virtio-pci-regs.h"

/* NULL: the queue is ours. */
static MSIIrqfd *irqfd_of(VirtIOPCIProxy *proxy, unsigned n)
{
    return proxy->irqfds && proxy->irqfds[n].notifier ? &proxy->irqfds[n] : NULL;
}

void virtio_pci_irqfd_update(VirtIOPCIProxy *proxy, int n)
{
    PCIDevice *pci_dev = &proxy->pci_dev;
    MSIIrqfd *irqfd = irqfd_of(proxy, n);
    int vector = virtio_queue_vector(virtio_bus_get_device(&proxy->bus), n);

    if (!irqfd) {
        return;
    }
    if (vector < pci_dev->msix_entries_nr && !msix_is_masked(pci_dev, vector)) {
        msi_irqfd_deliver(irqfd, msix_get_message(pci_dev, vector));
    } else {
        msi_irqfd_intercept(irqfd);
    }
}

/* --- what happens to vectors ---------------------------------------------- */

/* Calls @fn for those of vectors @start to @end - 1. */
static void for_each_irqfd(VirtIOPCIProxy *proxy, unsigned start, unsigned end,
                           void (*fn)(MSIIrqfd *irqfd, MSIMessage msg),
                           MSIMessage msg)
{
    VirtIODevice *vdev = virtio_bus_get_device(&proxy->bus);

    for (unsigned n = 0; n < vdev->nvqs; n++) {
        MSIIrqfd *irqfd = irqfd_of(proxy, n);
        uint16_t vector = virtio_queue_vector(vdev, n);

        if (irqfd && vector >= start && vector < end) {
            fn(irqfd, msg);
        }
    }
}

static int vector_use(PCIDevice *pci_dev, unsigned nr, MSIMessage msg)
{
    for_each_irqfd(VIRTIO_PCI(pci_dev), nr, nr + 1, msi_irqfd_deliver, msg);
    return 0;
}

static void intercept(MSIIrqfd *irqfd, MSIMessage none)
{
    msi_irqfd_intercept(irqfd);
}

static void vector_release(PCIDevice *pci_dev, unsigned nr)
{
    for_each_irqfd(VIRTIO_PCI(pci_dev), nr, nr + 1, intercept,
                   (MSIMessage) { });
}

static void poll_one(MSIIrqfd *irqfd, MSIMessage none)
{
    msi_irqfd_poll(irqfd);
}

static void vector_poll(PCIDevice *pci_dev, unsigned start, unsigned end)
{
    for_each_irqfd(VIRTIO_PCI(pci_dev), start, end, poll_one,
                   (MSIMessage) { });
}

/* --- queues that come and go ----------------------------------------------- */

void virtio_pci_irqfd_add(VirtIOPCIProxy *proxy, int n, EventNotifier *notifier,
                          EventNotifierHandler *handler)
{
    PCIDevice *pci_dev = &proxy->pci_dev;

    if (!proxy->irqfds) {
        proxy->irqfds = g_new0(MSIIrqfd,
                               virtio_bus_get_device(&proxy->bus)->nvqs);
    }
    msi_irqfd_init(&proxy->irqfds[n], notifier, handler);
    if (!proxy->nr_irqfds++ && msix_present(pci_dev)) {
        msix_set_vector_notifiers(pci_dev, vector_use, vector_release,
                                  vector_poll);
    }
    virtio_pci_irqfd_update(proxy, n);
}

void virtio_pci_irqfd_remove(VirtIOPCIProxy *proxy, int n)
{
    msi_irqfd_fini(&proxy->irqfds[n]);
    if (!--proxy->nr_irqfds && msix_present(&proxy->pci_dev)) {
        msix_unset_vector_notifiers(&proxy->pci_dev);
    }
}
