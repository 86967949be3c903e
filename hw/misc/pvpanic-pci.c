/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic-pci: how a guest that has crashed says so. BAR 0 begins with one
 * register of a byte: read, it has a bit for each kind of news that can be
 * told; written, the bits are the news (<misc/pvpanic.h>). What follows is
 * -action's business (sysemu/runstate.h). Linux's driver is pvpanic-pci.
 *
 * It must never let a guest that writes again and again fill a client's socket
 * or a log; those events are thinned out.
 */
#include "qemu/osdep.h"

#include <misc/pvpanic.h>

#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "sysemu/runstate.h"

#define TYPE_PVPANIC_PCI "pvpanic-pci"
OBJECT_DECLARE_SIMPLE_TYPE(PVPanicPCI, PVPANIC_PCI)

#define PVPANIC_BAR_SIZE 16               /* a memory BAR is no smaller */

struct PVPanicPCI {
    PCIDevice parent_obj;

    uint8_t events;                       /* PVPANIC_*: what it offers */

    MemoryRegion bar;
};

/* --- the register --- */

static uint64_t pvpanic_read(void *opaque, hwaddr addr, unsigned size)
{
    PVPanicPCI *s = opaque;

    return addr == 0 ? s->events : 0;
}

/* A kernel that runs into its crash kernel writes one bit, then the other. */
static void pvpanic_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    PVPanicPCI *s = opaque;
    uint8_t news = addr == 0 ? val & s->events : 0;

    if (news & PVPANIC_PANICKED) {
        qemu_system_guest_panicked();
    } else if (news & PVPANIC_CRASH_LOADED) {
        qemu_system_guest_crashloaded();
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* --- life --- */

static void pvpanic_pci_realize(PCIDevice *dev, Error **errp)
{
    PVPanicPCI *s = PVPANIC_PCI(dev);

    memory_region_init_io(&s->bar, OBJECT(s), &pvpanic_ops, s, "pvpanic",
                          PVPANIC_BAR_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->bar);
}

static void pvpanic_pci_exit(PCIDevice *dev)
{
    object_unparent(OBJECT(&PVPANIC_PCI(dev)->bar));
}

static const Property pvpanic_pci_properties[] = {
    DEFINE_PROP_UINT8("events", PVPanicPCI, events,
                      PVPANIC_PANICKED | PVPANIC_CRASH_LOADED),
    DEFINE_PROP_END_OF_LIST(),
};

static void pvpanic_pci_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PVPANIC;
    pc->class_id = PCI_CLASS_SYSTEM_OTHER;
    pc->revision = 1;
    pc->realize = pvpanic_pci_realize;
    pc->exit = pvpanic_pci_exit;
    dc->desc = "tells that the guest has crashed";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, pvpanic_pci_properties);
}

static const TypeInfo pvpanic_pci_types[] = {
    {
        .name = TYPE_PVPANIC_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PVPanicPCI),
        .class_init = pvpanic_pci_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { NULL }
        },
    },
};
DEFINE_TYPES(pvpanic_pci_types)
