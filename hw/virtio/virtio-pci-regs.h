/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The structures in the modern BAR: what virtio-pci.c needs of
 * virtio-pci-regs.c. */
#ifndef HW_VIRTIO_PCI_REGS_H
#define HW_VIRTIO_PCI_REGS_H

#include "hw/virtio/virtio-pci.h"
#include "qemu/units.h"

/* Bytes of the BAR, and from one queue's notification address to the next. */
#define VIRTIO_PCI_MODERN_BAR_SIZE (16 * KiB)
#define VIRTIO_PCI_NOTIFY_MULTIPLIER 4

/* Creates the BAR with its regions, and takes it apart again. */
void virtio_pci_regions_init(VirtIOPCIProxy *proxy);
void virtio_pci_regions_fini(VirtIOPCIProxy *proxy);

/* An access of @len (1, 2, 4) bytes at @offset of the BAR, not by way of where
 * it is mapped; nothing there: zero, ignored. */
uint32_t virtio_pci_bar_read(VirtIOPCIProxy *proxy, uint32_t offset,
                             unsigned len);
void virtio_pci_bar_write(VirtIOPCIProxy *proxy, uint32_t offset, uint32_t val,
                          unsigned len);

/* Ties kicks of queue @n to @notifier, or unties them. */
void virtio_pci_notify_assign(VirtIOPCIProxy *proxy, EventNotifier *notifier,
                              int n, bool assign);
/* virtio-pci-irqfd.c: who processes queue @n signals @notifier to interrupt, and
 * @handler is what the main loop does about it, if KVM does not raise the interrupt
 * by itself; no longer; the queue has another vector. */
void virtio_pci_irqfd_add(VirtIOPCIProxy *proxy, int n, EventNotifier *notifier,
                          EventNotifierHandler *handler);
void virtio_pci_irqfd_remove(VirtIOPCIProxy *proxy, int n);
void virtio_pci_irqfd_update(VirtIOPCIProxy *proxy, int n);
/* What the device has: whether it is bus master decides if it may do DMA. */
void virtio_pci_update_bus_master(VirtIOPCIProxy *proxy);

#endif
