/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vectors of MSI or MSI-X: each has an eventfd that the device signals, and
 * that becomes the guest's interrupt (hw/pci/msi_irqfd.h).
 */
#include "qemu/osdep.h"

#include "pci-internal.h"

void vfio_pci_vectors_new(VFIOPCIDevice *vdev, unsigned nr)
{
    g_assert(!vdev->vectors);
    vdev->vectors = g_new0(VFIOVector, nr);
    vdev->nr_vectors = nr;
    for (unsigned i = 0; i < nr; i++) {
        vdev->vectors[i].vdev = vdev;
        event_notifier_init_fd(&vdev->vectors[i].notifier, -1);
    }
}

void vfio_pci_vectors_free(VFIOPCIDevice *vdev)
{
    for (unsigned i = 0; i < vdev->nr_vectors; i++) {
        vfio_vector_close(&vdev->vectors[i]);
    }
    g_clear_pointer(&vdev->vectors, g_free);
    vdev->nr_vectors = 0;
}

int vfio_vector_open(VFIOVector *vector, EventNotifierHandler *handler)
{
    int ret = event_notifier_init(&vector->notifier, 0);

    if (ret) {
        return ret;
    }
    msi_irqfd_init(&vector->irqfd, &vector->notifier, handler);
    vector->used = true;
    return 0;
}

void vfio_vector_close(VFIOVector *vector)
{
    if (!vector->used) {
        return;
    }
    msi_irqfd_fini(&vector->irqfd);
    event_notifier_cleanup(&vector->notifier);
    vector->used = false;
}

void vfio_vector_deliver(VFIOVector *vector, MSIMessage msg, bool kvm)
{
    if (kvm) {
        msi_irqfd_deliver(&vector->irqfd, msg);
    }
}
