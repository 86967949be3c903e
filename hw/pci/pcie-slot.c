/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slot of a root port (hw/pci/pcie_port.h): presence, link, power, button
 * and indicators, as registers and as interrupts. Linux's pciehp is the other
 * side. Commands take effect at once, so there is no "command completed".
 *
 * Nothing leaves the slot that device_del did not ask for.
 */
#include "qemu/osdep.h"

#include "hw/pci/msi.h"
#include "pcie_port.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"

/* A second press within 5 s takes back the first (6.7.1.5). */
#define BUTTON_MS 5000

#define SLOT_CAPABILITIES                                                   \
    (PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_PCP | PCI_EXP_SLTCAP_AIP |         \
     PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_NCCS)
#define SLOT_CONTROLS                                                       \
    (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE |      \
     PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC |         \
     PCI_EXP_SLTCTL_DLLSCE)
#define SLOT_EVENTS                                                         \
    (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)

/* --- registers --- */

static uint8_t *slot_reg(const PCIERootPort *port, int reg)
{
    return port->parent_obj.config + port->parent_obj.exp.exp_cap + reg;
}

uint16_t pcie_slot_control(const PCIERootPort *port)
{
    return pci_get_word(slot_reg(port, PCI_EXP_SLTCTL));
}

static bool powered(uint16_t control)
{
    return !(control & PCI_EXP_SLTCTL_PCC);
}

/* A guest sees a device by its function 0. */
static bool populated(const PCIERootPort *port)
{
    return port->sec_bus.devices[0] != NULL;
}

static bool event_pending(const PCIERootPort *port)
{
    uint16_t control = pcie_slot_control(port);
    uint16_t events = pci_get_word(slot_reg(port, PCI_EXP_SLTSTA));
    /* These enable bits are where the events are, but for one. */
    uint16_t enabled = control & (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE);

    if (control & PCI_EXP_SLTCTL_DLLSCE) {
        enabled |= PCI_EXP_SLTSTA_DLLSC;
    }
    return (control & PCI_EXP_SLTCTL_HPIE) && (events & enabled);
}

/* A message is sent when the first event comes (6.7.3.4), the pin follows. */
static void update_irq(PCIERootPort *port)
{
    PCIDevice *dev = PCI_DEVICE(port);
    bool level = event_pending(port);

    if (!msi_enabled(dev)) {
        pci_set_irq(dev, level);
    } else if (level && !port->irq_level) {
        msi_notify(dev, 0);
    }
    port->irq_level = level;
}

/* The link is up while a device has power. */
static void update_link(PCIERootPort *port)
{
    bool up = populated(port) && powered(pcie_slot_control(port));
    uint8_t *status = slot_reg(port, PCI_EXP_LNKSTA);

    if (up == !port->sec_bus.link_down) {
        return;
    }
    port->sec_bus.link_down = !up;
    if (up) {
        pci_word_test_and_set_mask(status, PCI_EXP_LNKSTA_DLLLA);
    } else {
        pci_word_test_and_clear_mask(status, PCI_EXP_LNKSTA_DLLLA);
    }
    pci_word_test_and_set_mask(slot_reg(port, PCI_EXP_SLTSTA),
                               PCI_EXP_SLTSTA_DLLSC);
}

static void update_presence(PCIERootPort *port)
{
    uint8_t *status = slot_reg(port, PCI_EXP_SLTSTA);
    bool was = pci_get_word(status) & PCI_EXP_SLTSTA_PDS;

    if (populated(port) != was) {
        pci_set_word(status, (pci_get_word(status) ^ PCI_EXP_SLTSTA_PDS) |
                             PCI_EXP_SLTSTA_PDC);
    }
    update_link(port);
}

static void press_button(PCIERootPort *port)
{
    pci_word_test_and_set_mask(slot_reg(port, PCI_EXP_SLTSTA),
                               PCI_EXP_SLTSTA_ABP);
    update_irq(port);
}

/* --- removal --- */

static bool removal_pending(const PCIERootPort *port)
{
    for (int i = 0; i < PCI_FUNC_MAX; i++) {
        if (port->sec_bus.devices[i] &&
            port->sec_bus.devices[i]->qdev.pending_deleted_event) {
            return true;
        }
    }
    return false;
}

static void set_removal_pending(PCIERootPort *port)
{
    for (int i = 0; i < PCI_FUNC_MAX; i++) {
        PCIDevice *dev = port->sec_bus.devices[i];

        if (dev) {
            dev->qdev.pending_deleted_event = true;
            dev->qdev.pending_deleted_expires_ms =
                qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + BUTTON_MS;
        }
    }
}

/* The function stays after all. */
static void keep(PCIDevice *dev)
{
    DeviceState *qdev = &dev->qdev;
    JsonObject *data = json_object_new();

    qdev->pending_deleted_event = false;
    if (qdev->id) {
        json_object_set_string_member(data, "device", qdev->id);
    }
    json_object_set_string_member(data, "path", qdev->canonical_path);
    qapi_event_emit("DEVICE_UNPLUG_GUEST_ERROR", data);
}

static void refuse_removal(PCIERootPort *port)
{
    for (int i = 0; i < PCI_FUNC_MAX; i++) {
        PCIDevice *dev = port->sec_bus.devices[i];

        if (dev && dev->qdev.pending_deleted_event) {
            keep(dev);
        }
    }
}

static void eject_function(PCIDevice *dev)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(&dev->qdev);
    Error *err = NULL;

    hotplug_handler_unplug(handler, &dev->qdev, &err);
    if (err) {
        error_report_err(err);
        keep(dev);
    } else {
        object_unparent(OBJECT(dev));
    }
}

/* Function 0 goes last: without it, the others would not be seen. */
static void eject(PCIERootPort *port)
{
    for (int i = PCI_FUNC_MAX - 1; i >= 0; i--) {
        PCIDevice *dev = port->sec_bus.devices[i];

        if (dev && dev->qdev.pending_deleted_event) {
            eject_function(dev);
        }
    }
}

/* --- what the guest does --- */

static void power_changed(PCIERootPort *port, bool on)
{
    if (!on) {
        qbus_reset_all(BUS(&port->sec_bus));
    }
    update_link(port);
}

/* The power indicator says how far the guest is: blinking, it is about to; off
 * without power, it is done; on again, it will not. */
static void control_changed(PCIERootPort *port, uint16_t old, uint16_t new)
{
    uint16_t was = old & PCI_EXP_SLTCTL_PIC, is = new & PCI_EXP_SLTCTL_PIC;

    if (powered(old) != powered(new)) {
        power_changed(port, powered(new));
    }
    if (!removal_pending(port)) {
        return;
    }
    if (!powered(new) && is == PCI_EXP_SLTCTL_PWR_IND_OFF) {
        eject(port);
        update_presence(port);
        if (populated(port)) {
            /* Something could not go: the guest is to turn it on again. */
            press_button(port);
        }
    } else if (powered(new) && was == PCI_EXP_SLTCTL_PWR_IND_BLINK &&
               is == PCI_EXP_SLTCTL_PWR_IND_ON) {
        refuse_removal(port);
    }
}

void pcie_slot_write_config(PCIERootPort *port, uint16_t old_ctl)
{
    uint16_t new_ctl = pcie_slot_control(port);

    if (new_ctl != old_ctl) {
        control_changed(port, old_ctl, new_ctl);
    }
    update_irq(port);
}

/* --- what the user does --- */

void pcie_slot_pre_plug(HotplugHandler *handler, DeviceState *dev,
                        Error **errp)
{
    PCIERootPort *port = PCIE_ROOT_PORT(handler);

    if (dev->hotplugged && populated(port) && PCI_DEVICE(dev)->devfn > 0) {
        error_setg(errp, "PCI: the device in '%s' is in use: functions are "
                   "added before function 0, or removed with it",
                   BUS(&port->sec_bus)->name);
    }
}

/* Cold plugged devices are found after the reset that follows. The button
 * tells a guest that it need not wait whether more comes. */
void pcie_slot_plug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    PCIERootPort *port = PCIE_ROOT_PORT(handler);

    if (dev->hotplugged && PCI_FUNC(PCI_DEVICE(dev)->devfn) == 0) {
        update_presence(port);
        press_button(port);
    }
}

void pcie_slot_unplug_request(HotplugHandler *handler, DeviceState *dev,
                              Error **errp)
{
    PCIERootPort *port = PCIE_ROOT_PORT(handler);
    uint16_t control = pcie_slot_control(port);
    uint16_t indicator = control & PCI_EXP_SLTCTL_PIC;

    if (indicator == PCI_EXP_SLTCTL_PWR_IND_BLINK) {
        error_setg(errp, "the guest is busy with slot '%s' (its power "
                   "indicator blinks): try again later", BUS(&port->sec_bus)->name);
        return;
    }
    set_removal_pending(port);
    if (!populated(port) ||
        (!powered(control) && indicator == PCI_EXP_SLTCTL_PWR_IND_OFF)) {
        /* The guest does not use it. */
        eject(port);
        update_presence(port);
        update_irq(port);
    } else {
        press_button(port);
    }
}

/* --- life --- */

void pcie_slot_init(PCIERootPort *port)
{
    PCIDevice *dev = PCI_DEVICE(port);
    uint8_t cap = dev->exp.exp_cap;

    pci_word_test_and_set_mask(slot_reg(port, PCI_EXP_FLAGS),
                               PCI_EXP_FLAGS_SLOT);
    pci_long_test_and_set_mask(slot_reg(port, PCI_EXP_LNKCAP),
                               PCI_EXP_LNKCAP_DLLLARC);
    pci_set_long(slot_reg(port, PCI_EXP_SLTCAP),
                 SLOT_CAPABILITIES | (uint32_t)port->slot << 19);
    pci_set_word(dev->wmask + cap + PCI_EXP_SLTCTL, SLOT_CONTROLS);
    pci_set_word(dev->w1cmask + cap + PCI_EXP_SLTSTA, SLOT_EVENTS);
    pcie_slot_reset(port);
}

void pcie_slot_reset(PCIERootPort *port)
{
    eject(port);
    pci_set_word(slot_reg(port, PCI_EXP_SLTCTL),
                 PCI_EXP_SLTCTL_ATTN_IND_OFF |
                 (populated(port)
                  ? PCI_EXP_SLTCTL_PWR_IND_ON
                  : PCI_EXP_SLTCTL_PWR_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF));
    update_presence(port);
    pci_word_test_and_clear_mask(slot_reg(port, PCI_EXP_SLTSTA), SLOT_EVENTS);
    port->irq_level = false;
}
