/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message signalled interrupts (PCI Local Bus 3.0, 6.8.1): the capability, and
 * sending a message. How a message becomes an interrupt is the board's matter:
 * here it is a 32-bit DMA write. Big lock held throughout.
 */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/irq.h"
#include "hw/pci/pci.h"

#define PCI_MSI_VECTORS_MAX 32

/* Carries out @msg as @dev's DMA: not while it is not bus master. */
void msi_send_message(PCIDevice *dev, MSIMessage msg);
/* For a turn of an I/O thread. false: not sent, as that takes the big lock. */
bool msi_send_message_in_turn(PCIDevice *dev, MSIMessage msg);

/*
 * Adds the capability for @nr_vectors (power of two, <= 32) at @offset (0:
 * anywhere). 0, or -errno and *errp.
 */
int msi_init(PCIDevice *dev, uint8_t offset, unsigned int nr_vectors,
             bool msi64bit, bool msi_per_vector_mask, Error **errp);
void msi_uninit(PCIDevice *dev);
void msi_reset(PCIDevice *dev);

static inline bool msi_present(const PCIDevice *dev)
{
    return dev->cap_present & QEMU_PCI_CAP_MSI;
}
bool msi_enabled(const PCIDevice *dev);
/* How many the guest has enabled; 0 if the capability is absent. */
unsigned int msi_nr_vectors_allocated(const PCIDevice *dev);
bool msi_is_masked(const PCIDevice *dev, unsigned int vector);
/* What the guest wants sent for @vector. */
MSIMessage msi_get_message(PCIDevice *dev, unsigned int vector);
/* Sends it, or if it is masked leaves it pending. */
void msi_notify(PCIDevice *dev, unsigned int vector);
/* After a write to configuration space: sends what was unmasked. The default
 * config write calls it. */
void msi_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len);

#endif
