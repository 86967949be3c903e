/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Legacy interrupts: pins INTA..INTD of the functions, wire-ORed onto the
 * bus's inputs. A function's level is remembered (PCI_STATUS_INTERRUPT) even
 * while its INTx is disabled, and takes effect when it is enabled again.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"
#include "pci-internal.h"

void pci_bus_irqs(PCIBus *bus, pci_set_irq_fn set_irq, pci_map_irq_fn map_irq,
                  void *irq_opaque, int nirq)
{
    g_assert(!bus->irq_count);
    bus->set_irq = set_irq;
    bus->map_irq = map_irq;
    bus->irq_opaque = irq_opaque;
    bus->nirq = nirq;
    bus->irq_count = g_new0(int, nirq);
}

int pci_swizzle_map_irq_fn(PCIDevice *pci_dev, int pin)
{
    return (PCI_SLOT(pci_dev->devfn) + pin) % PCI_NUM_PINS;
}

/* The bus whose inputs @dev's pins drive. Bridges rotate pins by the slot:
 * @dev and @pin become those of the outermost bridge. */
static PCIBus *pci_irq_bus(PCIDevice **dev, int *pin)
{
    PCIBus *bus = pci_get_bus(*dev);

    while (bus->parent_dev) {
        *pin = pci_swizzle_map_irq_fn(*dev, *pin);
        *dev = bus->parent_dev;
        bus = pci_get_bus(*dev);
    }
    return bus;
}

/* @change: one more (1) or one less (-1) function asserts the pin's input. */
static void pci_change_irq_level(PCIDevice *dev, int pin, int change)
{
    PCIBus *bus = pci_irq_bus(&dev, &pin);
    int irq;

    if (!bus->map_irq) {
        return;
    }
    irq = bus->map_irq(dev, pin);
    g_assert(irq >= 0 && irq < bus->nirq);
    bus->irq_count[irq] += change;
    g_assert(bus->irq_count[irq] >= 0);
    bus->set_irq(bus->irq_opaque, irq, bus->irq_count[irq] != 0);
}

void pci_irq_handler(void *opaque, int irq_num, int level)
{
    PCIDevice *dev = opaque;
    uint8_t bit = 1 << irq_num;

    g_assert(irq_num >= 0 && irq_num < PCI_NUM_PINS);
    if (!(dev->irq_state & bit) == !level) {
        return;
    }
    dev->irq_state ^= bit;
    if (dev->irq_state) {
        dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
    }
    if (!pci_irq_disabled(dev)) {
        pci_change_irq_level(dev, irq_num, level ? 1 : -1);
    }
}

void pci_set_irq(PCIDevice *pci_dev, int level)
{
    int pin = pci_dev->config[PCI_INTERRUPT_PIN];

    if (pin >= 1 && pin <= PCI_NUM_PINS) {
        pci_irq_handler(pci_dev, pin - 1, level);
    }
}

void pci_update_irq_disabled(PCIDevice *dev, bool was_disabled)
{
    bool disabled = pci_irq_disabled(dev);

    if (disabled == was_disabled) {
        return;
    }
    for (int pin = 0; pin < PCI_NUM_PINS; pin++) {
        if (dev->irq_state & (1 << pin)) {
            pci_change_irq_level(dev, pin, disabled ? -1 : 1);
        }
    }
}

void pci_device_deassert_intx(PCIDevice *dev)
{
    for (int pin = 0; pin < PCI_NUM_PINS; pin++) {
        pci_irq_handler(dev, pin, 0);
    }
}

/* --- where a pin ends --- */

void pci_bus_set_route_irq_fn(PCIBus *bus, pci_route_irq_fn fn)
{
    bus->route_intx_to_irq = fn;
}

PCIINTxRoute pci_device_route_intx_to_irq(PCIDevice *dev, int pin)
{
    PCIBus *bus;

    g_assert(pin >= 0 && pin < PCI_NUM_PINS);
    bus = pci_irq_bus(&dev, &pin);
    if (!bus->route_intx_to_irq || !bus->map_irq) {
        return (PCIINTxRoute) { PCI_INTX_DISABLED, -1 };
    }
    return bus->route_intx_to_irq(bus->irq_opaque, bus->map_irq(dev, pin));
}
