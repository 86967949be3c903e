/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2): a table of messages and an array of pending
 * bits in BARs of the function.
 *
 * msix_notify() sends a vector only while somebody uses it (msix_vector_use).
 * Whoever gets interrupts delivered past this code (an irqfd) sets vector
 * notifiers: they hear of each vector, used or not, that becomes deliverable
 * (enabled, not masked) with its message, of a new message, and of its end; and
 * are asked to set pending bits when the guest looks at them. Big lock held throughout, and
 * dev->aio_context paused where a model uses one.
 */
#ifndef HW_PCI_MSIX_H
#define HW_PCI_MSIX_H

#include "hw/pci/msi.h"

#define PCI_MSIX_VECTORS_MAX 2048

/*
 * The table is at @table_offset of @table_bar, which is (to be) region
 * @table_bar_nr, the pending bits likewise; both are put on top of what the
 * BAR has. @cap_pos 0: anywhere. 0, or -EINVAL and *errp.
 */
int msix_init(PCIDevice *dev, unsigned short nentries,
              MemoryRegion *table_bar, uint8_t table_bar_nr,
              unsigned table_offset, MemoryRegion *pba_bar, uint8_t pba_bar_nr,
              unsigned pba_offset, uint8_t cap_pos, Error **errp);
/* The same, with a memory BAR @bar_nr that holds nothing else. */
int msix_init_exclusive_bar(PCIDevice *dev, unsigned short nentries,
                            uint8_t bar_nr, Error **errp);
void msix_uninit(PCIDevice *dev, MemoryRegion *table_bar,
                 MemoryRegion *pba_bar);
void msix_uninit_exclusive_bar(PCIDevice *dev);
void msix_reset(PCIDevice *dev);

static inline bool msix_present(const PCIDevice *dev)
{
    return dev->cap_present & QEMU_PCI_CAP_MSIX;
}
bool msix_enabled(const PCIDevice *dev);
/* By itself, by the function's mask bit, or by MSI-X being disabled. */
bool msix_is_masked(const PCIDevice *dev, unsigned int vector);
MSIMessage msix_get_message(PCIDevice *dev, unsigned int vector);

/* For poll notifiers. */
void msix_set_pending(PCIDevice *dev, unsigned int vector);
void msix_clr_pending(PCIDevice *dev, int vector);

/* Sends @vector, or leaves it pending if masked; nothing if nobody uses it. */
void msix_notify(PCIDevice *dev, unsigned int vector);
/* The same in a turn of dev->aio_context. false: that takes the big lock. */
bool msix_notify_in_turn(PCIDevice *dev, unsigned int vector);
/* Counted. 0, or -EINVAL: no such vector. */
int msix_vector_use(PCIDevice *dev, unsigned int vector);
void msix_vector_unuse(PCIDevice *dev, unsigned int vector);
void msix_unuse_all_vectors(PCIDevice *dev);

/*
 * @use_notifier returns 0 or -errno; a failure while setting is returned, with
 * everything undone. @poll_notifier may be NULL. The use notifier is called
 * at once for vectors that are deliverable.
 */
int msix_set_vector_notifiers(PCIDevice *dev,
                              MSIVectorUseNotifier use_notifier,
                              MSIVectorReleaseNotifier release_notifier,
                              MSIVectorPollNotifier poll_notifier);
/* Releases what is deliverable, then forgets the notifiers. */
void msix_unset_vector_notifiers(PCIDevice *dev);

/* Around a write to configuration space; the default config write calls it. */
void msix_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len);

#endif
