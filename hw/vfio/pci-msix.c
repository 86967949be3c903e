/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X of a passed-through function. The host's vectors are all set up when
 * the guest enables MSI-X, because adding one later means turning all of them
 * off for a moment, in which interrupts are lost; unconnected ones cost next
 * to nothing. Each is connected when the guest first unmasks it. While it is
 * masked its eventfd is watched here, and sets the pending bit.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"

static void vfio_msix_interrupt(EventNotifier *e)
{
    VFIOVector *vector = container_of(e, VFIOVector, notifier);

    if (event_notifier_test_and_clear(e)) {
        msix_notify(PCI_DEVICE(vector->vdev),
                    vector - vector->vdev->vectors);
    }
}

static int vfio_msix_connect(VFIOPCIDevice *vdev, unsigned nr)
{
    VFIOVector *vector = &vdev->vectors[nr];
    int32_t fd;
    int ret = vfio_vector_open(vector, vfio_msix_interrupt);

    if (ret) {
        return ret;
    }
    fd = event_notifier_get_fd(&vector->notifier);
    ret = vfio_device_irq_connect(&vdev->vbasedev, VFIO_PCI_MSIX_IRQ_INDEX, nr,
                                  &fd, 1, VFIO_IRQ_SET_ACTION_TRIGGER);
    if (ret) {
        vfio_vector_close(vector);
    }
    return ret;
}

static int vfio_msix_vector_use(PCIDevice *pdev, unsigned nr, MSIMessage msg)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);
    int ret;

    /* The host had fewer vectors: this one is never delivered. */
    if (nr >= vdev->nr_vectors) {
        return 0;
    }
    if (!vdev->vectors[nr].used) {
        ret = vfio_msix_connect(vdev, nr);
        if (ret) {
            return ret;
        }
    }
    vfio_vector_deliver(&vdev->vectors[nr], msg, !vdev->no_kvm_msix);
    return 0;
}

static void vfio_msix_vector_release(PCIDevice *pdev, unsigned nr)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);

    if (nr < vdev->nr_vectors && vdev->vectors[nr].used) {
        msi_irqfd_intercept(&vdev->vectors[nr].irqfd);
    }
}

/* The guest looks at pending bits: what has not been handled yet is due. */
static void vfio_msix_vector_poll(PCIDevice *pdev, unsigned start,
                                  unsigned end)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);

    for (unsigned i = start; i < MIN(end, vdev->nr_vectors); i++) {
        VFIOVector *vector = &vdev->vectors[i];

        if (vector->used) {
            msi_irqfd_poll(&vector->irqfd);
        }
    }
}

/* Sets up as many of the host's vectors as it gives; how many, or -errno. */
static int vfio_msix_set_up(VFIOPCIDevice *vdev)
{
    unsigned nr = PCI_DEVICE(vdev)->msix_entries_nr;
    g_autofree int32_t *fds = g_new(int32_t, nr);
    int ret;

    memset(fds, 0xff, nr * sizeof(*fds));
    do {
        ret = vfio_device_irq_connect(&vdev->vbasedev, VFIO_PCI_MSIX_IRQ_INDEX,
                                      0, fds, nr, VFIO_IRQ_SET_ACTION_TRIGGER);
        if (!ret) {
            return nr;
        }
        nr /= 2;
    } while (ret == -ENOSPC && nr);
    return ret;
}

int vfio_pci_msix_enable(VFIOPCIDevice *vdev)
{
    int ret = vfio_msix_set_up(vdev);

    if (ret < 0) {
        return ret;
    }
    vfio_pci_vectors_new(vdev, ret);
    ret = msix_set_vector_notifiers(PCI_DEVICE(vdev), vfio_msix_vector_use,
                                    vfio_msix_vector_release,
                                    vfio_msix_vector_poll);
    if (ret) {
        vfio_device_irq_disable(&vdev->vbasedev, VFIO_PCI_MSIX_IRQ_INDEX);
        vfio_pci_vectors_free(vdev);
    }
    return ret;
}

void vfio_pci_msix_disable(VFIOPCIDevice *vdev)
{
    msix_unset_vector_notifiers(PCI_DEVICE(vdev));
    vfio_device_irq_disable(&vdev->vbasedev, VFIO_PCI_MSIX_IRQ_INDEX);
    vfio_pci_vectors_free(vdev);
}
