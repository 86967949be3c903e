/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcie-root-port: a PCI Express root port with a slot into which one device
 * can be plugged while the guest runs (PCI Express Base Specification 3.0,
 * 6.7 and 7.8). Its bus, named after its id, has slot 0 only.
 *
 * Removing takes both sides: device_del presses the slot's attention button;
 * the guest lets go of the device, turns the slot's power and power indicator
 * off, and then the device is ejected. A slot that the guest turns off by
 * itself keeps its device, which comes back as after power on. Big lock held.
 */
#ifndef HW_PCIE_PORT_H
#define HW_PCIE_PORT_H

#include "hw/pci/pci_bus.h"

#define TYPE_PCIE_ROOT_PORT "pcie-root-port"
OBJECT_DECLARE_SIMPLE_TYPE(PCIERootPort, PCIE_ROOT_PORT)

struct PCIERootPort {
    PCIDevice parent_obj;

    /* Properties. */
    uint8_t port;                         /* number of the link */
    uint8_t chassis;                      /* with @slot, names the slot */
    uint16_t slot;
    bool hotplug;                         /* true */
    char *speed;                          /* of the link, GT/s; NULL: 2_5 */
    uint32_t width;                       /* of the link, lanes */
    /* For firmware that shares out numbers and addresses, which is not there:
     * not looked at. */
    char *reserve[5];

    PCIBus sec_bus;
    MemoryRegion bus_mem;                 /* where BARs on sec_bus are mapped */
    MemoryRegion bus_io;                  /* reached by nobody */
    bool irq_level;                       /* an enabled event is pending */
};

/* --- the slot (pcie-slot.c); the PCI Express capability must be there --- */

void pcie_slot_init(PCIERootPort *port);
/* To the state after power on; completes a removal that has been asked for. */
void pcie_slot_reset(PCIERootPort *port);
/* After a write to configuration space; @old_ctl: Slot Control before it. */
void pcie_slot_write_config(PCIERootPort *port, uint16_t old_ctl);
uint16_t pcie_slot_control(const PCIERootPort *port);

/* HotplugHandler methods of the port. */
void pcie_slot_pre_plug(HotplugHandler *handler, DeviceState *dev,
                        Error **errp);
void pcie_slot_plug(HotplugHandler *handler, DeviceState *dev, Error **errp);
void pcie_slot_unplug_request(HotplugHandler *handler, DeviceState *dev,
                              Error **errp);

#endif
