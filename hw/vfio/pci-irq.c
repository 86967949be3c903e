/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of its interrupts a passed-through function uses: the pin, MSI or
 * MSI-X, as the guest enables them, one at a time. And the two that are meant
 * for us: the device has failed (ERR), the host wants it back (REQ).
 */
#include "qemu/osdep.h"

#include "pci-internal.h"
#include "qemu/error-report.h"
#include "sysemu/runstate.h"

static const char *const int_mode_names[] = {
    [VFIO_INT_NONE] = "no interrupts",
    [VFIO_INT_INTX] = "INTx",
    [VFIO_INT_MSI] = "MSI",
    [VFIO_INT_MSIX] = "MSI-X",
};

static int vfio_pci_irq_enable(VFIOPCIDevice *vdev, VFIOIntMode mode)
{
    int ret = 0;

    switch (mode) {
    case VFIO_INT_NONE:
        break;
    case VFIO_INT_INTX:
        ret = vfio_pci_intx_enable(vdev);
        break;
    case VFIO_INT_MSI:
        ret = vfio_pci_msi_enable(vdev);
        break;
    case VFIO_INT_MSIX:
        ret = vfio_pci_msix_enable(vdev);
        break;
    }
    vdev->interrupt = ret ? VFIO_INT_NONE : mode;
    return ret;
}

void vfio_pci_irq_disable(VFIOPCIDevice *vdev)
{
    switch (vdev->interrupt) {
    case VFIO_INT_NONE:
        break;
    case VFIO_INT_INTX:
        vfio_pci_intx_disable(vdev);
        break;
    case VFIO_INT_MSI:
        vfio_pci_msi_disable(vdev);
        break;
    case VFIO_INT_MSIX:
        vfio_pci_msix_disable(vdev);
        break;
    }
    vdev->interrupt = VFIO_INT_NONE;
}

/* A mode that cannot be enabled is reported, once, and not tried again until
 * the guest has asked for another. */
void vfio_pci_irq_update(VFIOPCIDevice *vdev)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    VFIOIntMode wanted = msix_enabled(pdev) ? VFIO_INT_MSIX
                         : msi_enabled(pdev) ? VFIO_INT_MSI : VFIO_INT_INTX;
    int ret;

    if (wanted == vdev->interrupt) {
        if (wanted == VFIO_INT_MSI) {
            vfio_pci_msi_update(vdev);
        }
        return;
    }
    if (wanted == vdev->failed) {
        return;
    }
    vfio_pci_irq_disable(vdev);
    ret = vfio_pci_irq_enable(vdev, wanted);
    vdev->failed = ret ? wanted : VFIO_INT_NONE;
    if (ret && !vdev->failure_reported) {
        vdev->failure_reported = true;
        warn_report("vfio %s: cannot enable %s: %s", vdev->vbasedev.name,
                    int_mode_names[wanted], g_strerror(-ret));
    }
}

int vfio_pci_irq_reset(VFIOPCIDevice *vdev)
{
    vdev->failed = VFIO_INT_NONE;
    vfio_pci_irq_disable(vdev);
    return vfio_pci_irq_enable(vdev, VFIO_INT_INTX);
}

/* --- what the host has to say --- */

static void vfio_pci_err(EventNotifier *e)
{
    VFIOPCIDevice *vdev = container_of(e, VFIOPCIDevice, err_notifier);

    if (event_notifier_test_and_clear(e)) {
        error_report_counted(&vdev->nr_errors, "vfio %s: the device reports an "
                             "error that it cannot recover from; the guest is "
                             "stopped", vdev->vbasedev.name);
        vm_stop(RUN_STATE_INTERNAL_ERROR);
    }
}

static void vfio_pci_req(EventNotifier *e)
{
    VFIOPCIDevice *vdev = container_of(e, VFIOPCIDevice, req_notifier);

    if (event_notifier_test_and_clear(e) && !vdev->req_reported) {
        vdev->req_reported = true;
        warn_report("vfio %s: the host wants the device back: unplug it from "
                    "the guest, or end the guest", vdev->vbasedev.name);
    }
}

static bool vfio_pci_notice_init(VFIOPCIDevice *vdev, EventNotifier *e,
                                 uint32_t index, EventNotifierHandler *handler,
                                 Error **errp)
{
    VFIODevice *vbasedev = &vdev->vbasedev;
    int32_t fd;
    int ret;

    if (!vfio_device_irq_count(vbasedev, index)) {
        return true;
    }
    ret = event_notifier_init(e, 0);
    if (!ret) {
        fd = event_notifier_get_fd(e);
        event_notifier_set_handler(e, handler);
        ret = vfio_device_irq_connect(vbasedev, index, 0, &fd, 1,
                                      VFIO_IRQ_SET_ACTION_TRIGGER);
    }
    if (ret) {
        error_setg_errno(errp, -ret, "vfio %s: cannot hear of its errors and "
                         "requests", vbasedev->name);
        if (event_notifier_get_fd(e) >= 0) {
            event_notifier_set_handler(e, NULL);
            event_notifier_cleanup(e);
        }
    }
    return !ret;
}

static void vfio_pci_notice_exit(VFIOPCIDevice *vdev, EventNotifier *e,
                                 uint32_t index)
{
    if (event_notifier_get_fd(e) >= 0) {
        vfio_device_irq_disable(&vdev->vbasedev, index);
        event_notifier_set_handler(e, NULL);
        event_notifier_cleanup(e);
    }
}

/* --- life --- */

bool vfio_pci_irq_init(VFIOPCIDevice *vdev, Error **errp)
{
    int ret;

    if (!vfio_pci_notice_init(vdev, &vdev->err_notifier,
                              VFIO_PCI_ERR_IRQ_INDEX, vfio_pci_err, errp) ||
        !vfio_pci_notice_init(vdev, &vdev->req_notifier,
                              VFIO_PCI_REQ_IRQ_INDEX, vfio_pci_req, errp)) {
        goto fail;
    }
    vfio_pci_intx_init(vdev);
    ret = vfio_pci_irq_enable(vdev, VFIO_INT_INTX);
    if (ret) {
        error_setg_errno(errp, -ret, "vfio %s: cannot enable INTx",
                         vdev->vbasedev.name);
        goto fail;
    }
    return true;

fail:
    vfio_pci_irq_exit(vdev);
    return false;
}

void vfio_pci_irq_exit(VFIOPCIDevice *vdev)
{
    vfio_pci_irq_disable(vdev);
    vfio_pci_notice_exit(vdev, &vdev->req_notifier, VFIO_PCI_REQ_IRQ_INDEX);
    vfio_pci_notice_exit(vdev, &vdev->err_notifier, VFIO_PCI_ERR_IRQ_INDEX);
}
