/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files hw/vfio/pci*.c have for each other. Big lock held. */
#ifndef HW_VFIO_PCI_INTERNAL_H
#define HW_VFIO_PCI_INTERNAL_H

#include "hw/vfio/pci.h"

/* --- configuration space: pci-config.c --- */

/* Accesses of the device's own configuration space; @len 1, 2 or 4. A failed
 * read yields ones. 0 or -errno. */
uint32_t vfio_pci_phys_read(VFIOPCIDevice *vdev, uint32_t addr, int len);
int vfio_pci_phys_write(VFIOPCIDevice *vdev, uint32_t addr, uint32_t val,
                        int len);
/* From now on the guest sees @len bytes of our config, not the device's. */
void vfio_pci_emulate(VFIOPCIDevice *vdev, uint32_t addr, uint32_t len);
/* Copies the device's configuration space. false: *errp, and there is nothing to
 * undo. */
bool vfio_pci_config_init(VFIOPCIDevice *vdev, Error **errp);
/* Then, decides what of the header is emulated, and begins with that. */
bool vfio_pci_header_init(VFIOPCIDevice *vdev, Error **errp);
void vfio_pci_config_exit(VFIOPCIDevice *vdev);
uint32_t vfio_pci_config_read(PCIDevice *pdev, uint32_t addr, int len);
void vfio_pci_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                           int len);

/* --- capabilities: pci-caps.c --- */

/* Reads where the MSI-X table is, from @config, the device's space as it is. */
void vfio_pci_find_msix(VFIOPCIDevice *vdev, const uint8_t *config);
/* Makes the guest's lists of capabilities out of the device's. BARs are set
 * up. false: *errp, and vfio_pci_caps_exit() has been done. */
bool vfio_pci_caps_init(VFIOPCIDevice *vdev, Error **errp);
void vfio_pci_caps_exit(VFIOPCIDevice *vdev);

/* --- BARs: pci-bars.c --- */

bool vfio_pci_bars_init(VFIOPCIDevice *vdev, Error **errp);
/* Shows them to the guest; after the capabilities. */
void vfio_pci_bars_register(VFIOPCIDevice *vdev);
void vfio_pci_bars_exit(VFIOPCIDevice *vdev);
void vfio_pci_bars_finalize(VFIOPCIDevice *vdev);
void vfio_pci_bars_set_mmaps_enabled(VFIOPCIDevice *vdev, bool enabled);

/* --- the ROM: pci-rom.c --- */

/* Has the PCI layer show it, if there is one and the user has not said otherwise.
 * There is nothing to undo; false: *errp. */
bool vfio_pci_rom_init(VFIOPCIDevice *vdev, Error **errp);

/* --- interrupts: pci-irq.c --- */

bool vfio_pci_irq_init(VFIOPCIDevice *vdev, Error **errp);
void vfio_pci_irq_exit(VFIOPCIDevice *vdev);
/* Goes over to the way that the guest has enabled, or, if it has enabled
 * neither MSI nor MSI-X, to the pin. */
void vfio_pci_irq_update(VFIOPCIDevice *vdev);
/* The pin, whatever the guest had enabled. 0 or -errno. */
int vfio_pci_irq_reset(VFIOPCIDevice *vdev);
/* No interrupts at all. */
void vfio_pci_irq_disable(VFIOPCIDevice *vdev);

/* --- the pin: pci-intx.c --- */

void vfio_pci_intx_init(VFIOPCIDevice *vdev);
/* 0 or -errno. */
int vfio_pci_intx_enable(VFIOPCIDevice *vdev);
void vfio_pci_intx_disable(VFIOPCIDevice *vdev);
void vfio_pci_intx_eoi(VFIODevice *vbasedev);

/* --- vectors: pci-vector.c --- */

/* @nr vectors, none of them used. */
void vfio_pci_vectors_new(VFIOPCIDevice *vdev, unsigned nr);
void vfio_pci_vectors_free(VFIOPCIDevice *vdev);
/* Opens the vector's notifier, whose signals @handler gets, who has to lower it. 0
 * or -errno. */
int vfio_vector_open(VFIOVector *vector, EventNotifierHandler *handler);
void vfio_vector_close(VFIOVector *vector);
/* They go to the guest as @msg, by KVM if @kvm and it can. */
void vfio_vector_deliver(VFIOVector *vector, MSIMessage msg, bool kvm);

/* --- MSI and MSI-X: pci-msi.c, pci-msix.c --- */

int vfio_pci_msi_enable(VFIOPCIDevice *vdev);
void vfio_pci_msi_disable(VFIOPCIDevice *vdev);
/* The guest may have changed the message. */
void vfio_pci_msi_update(VFIOPCIDevice *vdev);
int vfio_pci_msix_enable(VFIOPCIDevice *vdev);
void vfio_pci_msix_disable(VFIOPCIDevice *vdev);

#endif
