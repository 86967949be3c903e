/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One vector of MSI or MSI-X: an eventfd that the device signals. KVM waits
 * for it and raises the guest's interrupt by itself, or the main loop does.
 * Changing between the two loses nothing: a signalled eventfd stays signalled
 * until whoever comes next looks at it.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"
#include "sysemu/kvm.h"

void vfio_pci_vectors_new(VFIOPCIDevice *vdev, unsigned nr)
{
    g_assert(!vdev->vectors);
    vdev->vectors = g_new0(VFIOVector, nr);
    vdev->nr_vectors = nr;
    for (unsigned i = 0; i < nr; i++) {
        vdev->vectors[i].vdev = vdev;
        vdev->vectors[i].virq = -1;
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

int vfio_vector_open(VFIOVector *vector)
{
    int ret = event_notifier_init(&vector->notifier, 0);

    vector->used = ret == 0;
    return ret;
}

static void vfio_vector_leave_kvm(VFIOVector *vector)
{
    if (vector->in_kvm) {
        kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, &vector->notifier,
                                              vector->virq);
        vector->in_kvm = false;
    }
}

void vfio_vector_close(VFIOVector *vector)
{
    if (!vector->used) {
        return;
    }
    vfio_vector_leave_kvm(vector);
    if (vector->virq >= 0) {
        kvm_irqchip_release_virq(kvm_state, vector->virq);
        vector->virq = -1;
    }
    event_notifier_set_handler(&vector->notifier, NULL);
    event_notifier_cleanup(&vector->notifier);
    vector->used = false;
}

static bool vfio_msg_equal(const MSIMessage *a, const MSIMessage *b)
{
    return a->address == b->address && a->data == b->data;
}

/* Makes KVM's route that of @msg; false: it cannot. */
static bool vfio_vector_route(VFIOVector *vector, MSIMessage msg)
{
    if (vector->virq >= 0 && vfio_msg_equal(&vector->msg, &msg)) {
        return true;
    }
    if (vector->virq < 0) {
        vector->virq = kvm_irqchip_add_msi_route(kvm_state, msg);
        if (vector->virq < 0) {
            return false;
        }
    } else if (kvm_irqchip_update_msi_route(kvm_state, vector->virq, msg) < 0) {
        return false;
    } else {
        kvm_irqchip_commit_routes(kvm_state);
    }
    vector->msg = msg;
    return true;
}

void vfio_vector_deliver(VFIOVector *vector, MSIMessage msg, bool kvm,
                         EventNotifierHandler *handler)
{
    if (!kvm || !kvm_msi_via_irqfd_enabled() ||
        !vfio_vector_route(vector, msg)) {
        vfio_vector_intercept(vector, handler);
        return;
    }
    if (vector->in_kvm) {
        return;
    }
    event_notifier_set_handler(&vector->notifier, NULL);
    if (kvm_irqchip_add_irqfd_notifier_gsi(kvm_state, &vector->notifier, NULL,
                                           vector->virq) < 0) {
        event_notifier_set_handler(&vector->notifier, handler);
        return;
    }
    vector->in_kvm = true;
}

void vfio_vector_intercept(VFIOVector *vector, EventNotifierHandler *handler)
{
    vfio_vector_leave_kvm(vector);
    event_notifier_set_handler(&vector->notifier, handler);
}
