/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI of a passed-through function: as many vectors as the guest has enabled,
 * all connected from the start.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"

static void vfio_msi_interrupt(EventNotifier *e)
{
    VFIOVector *vector = container_of(e, VFIOVector, notifier);

    if (event_notifier_test_and_clear(e)) {
        msi_notify(PCI_DEVICE(vector->vdev),
                   vector - vector->vdev->vectors);
    }
}

/* Opens all notifiers, and connects the device to them. */
static int vfio_msi_connect(VFIOPCIDevice *vdev)
{
    int32_t fds[PCI_MSI_VECTORS_MAX];

    for (unsigned i = 0; i < vdev->nr_vectors; i++) {
        int ret = vfio_vector_open(&vdev->vectors[i], vfio_msi_interrupt);

        if (ret) {
            return ret;
        }
        fds[i] = event_notifier_get_fd(&vdev->vectors[i].notifier);
    }
    return vfio_device_irq_connect(&vdev->vbasedev, VFIO_PCI_MSI_IRQ_INDEX, 0,
                                   fds, vdev->nr_vectors,
                                   VFIO_IRQ_SET_ACTION_TRIGGER);
}

int vfio_pci_msi_enable(VFIOPCIDevice *vdev)
{
    int ret;

    vfio_pci_vectors_new(vdev, msi_nr_vectors_allocated(PCI_DEVICE(vdev)));
    ret = vfio_msi_connect(vdev);
    if (ret) {
        vfio_pci_vectors_free(vdev);
        return ret;
    }
    vfio_pci_msi_update(vdev);
    return 0;
}

void vfio_pci_msi_disable(VFIOPCIDevice *vdev)
{
    vfio_device_irq_disable(&vdev->vbasedev, VFIO_PCI_MSI_IRQ_INDEX);
    vfio_pci_vectors_free(vdev);
}

void vfio_pci_msi_update(VFIOPCIDevice *vdev)
{
    for (unsigned i = 0; i < vdev->nr_vectors; i++) {
        vfio_vector_deliver(&vdev->vectors[i],
                            msi_get_message(PCI_DEVICE(vdev), i),
                            !vdev->no_kvm_msi);
    }
}
