/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt pin of a passed-through function. The host masks the pin when
 * it fires, and must be told when the guest has served it. KVM tells by the
 * guest's EOI. Without KVM there is no such sign: the first access to a BAR
 * counts as one, so while an interrupt is out BARs take the slow path, and a
 * timer makes them fast again when things have calmed down.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"
#include "sysemu/kvm.h"

static VFIODevice *vfio_intx_device(VFIOPCIDevice *vdev)
{
    return &vdev->vbasedev;
}

static int vfio_intx_connect(VFIOPCIDevice *vdev, EventNotifier *e,
                             uint32_t action)
{
    int32_t fd = e ? event_notifier_get_fd(e) : -1;

    return vfio_device_irq_connect(vfio_intx_device(vdev),
                                   VFIO_PCI_INTX_IRQ_INDEX, 0, &fd, 1, action);
}

static void vfio_intx_mask(VFIOPCIDevice *vdev, bool mask)
{
    vfio_device_irq_mask(vfio_intx_device(vdev), VFIO_PCI_INTX_IRQ_INDEX, mask);
}

/* --- without KVM --- */

static void vfio_intx_start_timer(VFIOPCIDevice *vdev)
{
    if (vdev->intx_mmap_timeout_ms) {
        timer_mod(vdev->intx.mmap_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
                  vdev->intx_mmap_timeout_ms);
    }
}

static void vfio_intx_timer(void *opaque)
{
    VFIOPCIDevice *vdev = opaque;

    if (vdev->intx.pending) {
        vfio_intx_start_timer(vdev);
    } else {
        vfio_pci_bars_set_mmaps_enabled(vdev, true);
    }
}

static void vfio_intx_interrupt(EventNotifier *e)
{
    VFIOINTx *intx = container_of(e, VFIOINTx, interrupt);
    VFIOPCIDevice *vdev = container_of(intx, VFIOPCIDevice, intx);

    if (!event_notifier_test_and_clear(e)) {
        return;
    }
    intx->pending = true;
    pci_irq_assert(PCI_DEVICE(vdev));
    vfio_pci_bars_set_mmaps_enabled(vdev, false);
    vfio_intx_start_timer(vdev);
}

void vfio_pci_intx_eoi(VFIODevice *vbasedev)
{
    VFIOPCIDevice *vdev = container_of(vbasedev, VFIOPCIDevice, vbasedev);

    if (vdev->intx.pending) {
        vdev->intx.pending = false;
        pci_irq_deassert(PCI_DEVICE(vdev));
        vfio_intx_mask(vdev, false);
    }
}

/* --- with KVM --- */

static bool vfio_intx_kvm_can(VFIOPCIDevice *vdev)
{
    return !vdev->no_kvm_intx && kvm_irqfds_enabled() &&
           kvm_resamplefds_enabled() &&
           vdev->intx.route.mode == PCI_INTX_ENABLED;
}

/* Masked meanwhile, so that no interrupt is seen twice. false: stays here. */
static bool vfio_intx_add_irqfd(VFIOPCIDevice *vdev)
{
    VFIOINTx *intx = &vdev->intx;

    if (event_notifier_init(&intx->unmask, 0)) {
        return false;
    }
    if (kvm_irqchip_add_irqfd_notifier_gsi(kvm_state, &intx->interrupt,
                                           &intx->unmask,
                                           intx->route.irq) < 0) {
        goto cleanup;
    }
    if (vfio_intx_connect(vdev, &intx->unmask, VFIO_IRQ_SET_ACTION_UNMASK)) {
        goto remove;
    }
    return true;

remove:
    kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, &intx->interrupt,
                                          intx->route.irq);
cleanup:
    event_notifier_cleanup(&intx->unmask);
    return false;
}

static void vfio_intx_enter_kvm(VFIOPCIDevice *vdev)
{
    VFIOINTx *intx = &vdev->intx;

    if (!vfio_intx_kvm_can(vdev)) {
        return;
    }
    vfio_intx_mask(vdev, true);
    event_notifier_set_handler(&intx->interrupt, NULL);
    event_notifier_test_and_clear(&intx->interrupt);
    intx->pending = false;
    pci_irq_deassert(PCI_DEVICE(vdev));
    intx->in_kvm = vfio_intx_add_irqfd(vdev);
    if (!intx->in_kvm) {
        event_notifier_set_handler(&intx->interrupt, vfio_intx_interrupt);
    }
    /* A level that is still asserted interrupts again. */
    vfio_intx_mask(vdev, false);
}

static void vfio_intx_leave_kvm(VFIOPCIDevice *vdev)
{
    VFIOINTx *intx = &vdev->intx;

    if (!intx->in_kvm) {
        return;
    }
    vfio_intx_mask(vdev, true);
    kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, &intx->interrupt,
                                          intx->route.irq);
    vfio_intx_connect(vdev, NULL, VFIO_IRQ_SET_ACTION_UNMASK);
    event_notifier_cleanup(&intx->unmask);
    event_notifier_test_and_clear(&intx->interrupt);
    intx->in_kvm = false;
    event_notifier_set_handler(&intx->interrupt, vfio_intx_interrupt);
    vfio_intx_mask(vdev, false);
}

/* --- on and off --- */

void vfio_pci_intx_init(VFIOPCIDevice *vdev)
{
    bool has_pin = vfio_device_irq_count(vfio_intx_device(vdev),
                                         VFIO_PCI_INTX_IRQ_INDEX) > 0;
    uint8_t pin = vdev->header[PCI_INTERRUPT_PIN];

    vdev->intx.pin = has_pin && pin <= PCI_NUM_PINS ? pin : 0;
    pci_config_set_interrupt_pin(PCI_DEVICE(vdev)->config, vdev->intx.pin);
}

int vfio_pci_intx_enable(VFIOPCIDevice *vdev)
{
    VFIOINTx *intx = &vdev->intx;
    PCIDevice *pdev = PCI_DEVICE(vdev);
    int ret;

    if (!intx->pin) {
        return 0;
    }
    ret = event_notifier_init(&intx->interrupt, 0);
    if (ret) {
        return ret;
    }
    event_notifier_set_handler(&intx->interrupt, vfio_intx_interrupt);
    ret = vfio_intx_connect(vdev, &intx->interrupt,
                            VFIO_IRQ_SET_ACTION_TRIGGER);
    if (ret) {
        event_notifier_set_handler(&intx->interrupt, NULL);
        event_notifier_cleanup(&intx->interrupt);
        return ret;
    }
    intx->mmap_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, vfio_intx_timer, vdev);
    intx->enabled = true;
    intx->route = pci_device_route_intx_to_irq(pdev, intx->pin - 1);
    vfio_intx_enter_kvm(vdev);
    return 0;
}

void vfio_pci_intx_disable(VFIOPCIDevice *vdev)
{
    VFIOINTx *intx = &vdev->intx;

    if (!intx->enabled) {
        return;
    }
    vfio_intx_leave_kvm(vdev);
    vfio_device_irq_disable(vfio_intx_device(vdev), VFIO_PCI_INTX_IRQ_INDEX);
    event_notifier_set_handler(&intx->interrupt, NULL);
    event_notifier_cleanup(&intx->interrupt);
    intx->pending = false;
    pci_irq_deassert(PCI_DEVICE(vdev));
    g_clear_pointer(&intx->mmap_timer, timer_free);
    vfio_pci_bars_set_mmaps_enabled(vdev, true);
    intx->enabled = false;
}
