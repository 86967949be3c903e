/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a PCI function: finding its place on the bus, its configuration
 * header and its view of memory, then the model's realize; and all of that
 * backwards. A function that failed to realize leaves no trace on the bus.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"
#include "hw/qdev-properties-system.h"
#include "pci-internal.h"

PCIBus *pci_get_bus(const PCIDevice *dev)
{
    return PCI_BUS(dev->qdev.parent_bus);
}

uint16_t pci_requester_id(PCIDevice *dev)
{
    return PCI_BUILD_BDF(pci_bus_num(pci_get_bus(dev)), dev->devfn);
}

/* --- place on the bus --- */

/* Behind a port there is one device; no other is ever looked for. */
static int pci_devfn_end(const PCIBus *bus)
{
    return bus->parent_dev ? PCI_FUNC_MAX : PCI_DEVFN_MAX;
}

/* The lowest function 0 of a slot that is free, or -1. */
static int pci_find_free_devfn(PCIBus *bus)
{
    for (int devfn = ROUND_UP(bus->devfn_min, PCI_FUNC_MAX);
         devfn < pci_devfn_end(bus); devfn += PCI_FUNC_MAX) {
        if (!bus->devices[devfn]) {
            return devfn;
        }
    }
    return -1;
}

/*
 * A guest looks at functions 1..7 of a slot only if function 0 says that there
 * are more. Whichever comes first, both must agree.
 */
static bool pci_check_multifunction(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    int slot = PCI_SLOT(dev->devfn);
    PCIDevice *f0 = bus->devices[PCI_DEVFN(slot, 0)];

    if (PCI_FUNC(dev->devfn)) {
        if (f0 && !(f0->cap_present & QEMU_PCI_CAP_MULTIFUNCTION)) {
            error_setg(errp, "PCI: slot %d function 0 (%s) is single function: "
                       "set multifunction=on there to add %s as function %d",
                       slot, f0->name, dev->name, PCI_FUNC(dev->devfn));
            return false;
        }
        return true;
    }
    if (dev->cap_present & QEMU_PCI_CAP_MULTIFUNCTION) {
        return true;
    }
    for (int func = 1; func < PCI_FUNC_MAX; func++) {
        PCIDevice *other = bus->devices[PCI_DEVFN(slot, func)];

        if (other) {
            error_setg(errp, "PCI: slot %d function %d is in use by %s: %s "
                       "needs multifunction=on to be function 0",
                       slot, func, other->name, dev->name);
            return false;
        }
    }
    return true;
}

static bool pci_take_place(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    PCIDevice *other;

    if (dev->devfn < 0) {
        dev->devfn = pci_find_free_devfn(bus);
        if (dev->devfn < 0) {
            error_setg(errp, "PCI: no slot available for %s, all of bus %s are "
                       "in use", dev->name, BUS(bus)->name);
            return false;
        }
    } else if (dev->devfn >= PCI_DEVFN_MAX) {
        error_setg(errp, "PCI: devfn %d of %s is beyond slot 31 function 7",
                   dev->devfn, dev->name);
        return false;
    }
    if (dev->devfn >= pci_devfn_end(bus)) {
        error_setg(errp, "PCI: slot %d is not possible for %s: bus %s, behind "
                   "a port, has slot 0 only", PCI_SLOT(dev->devfn), dev->name,
                   BUS(bus)->name);
        return false;
    }
    other = bus->devices[dev->devfn];
    if (other) {
        error_setg(errp, "PCI: slot %d function %d not available for %s, in use "
                   "by %s%s%s", PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn),
                   dev->name, other->name, other->qdev.id ? ",id=" : "",
                   other->qdev.id ? other->qdev.id : "");
        return false;
    }
    if (!pci_check_multifunction(bus, dev, errp)) {
        return false;
    }
    bus->devices[dev->devfn] = dev;
    return true;
}

static void pci_leave_place(PCIBus *bus, PCIDevice *dev)
{
    g_assert(bus->devices[dev->devfn] == dev);
    bus->devices[dev->devfn] = NULL;
}

/* --- configuration space --- */

static void pci_init_identity(PCIDevice *dev)
{
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    bool no_subsystem = !pc->subsystem_vendor_id && !pc->subsystem_id;

    pci_config_set_vendor_id(dev->config, pc->vendor_id);
    pci_config_set_device_id(dev->config, pc->device_id);
    pci_config_set_revision(dev->config, pc->revision);
    pci_config_set_class(dev->config, pc->class_id);
    pci_set_word(dev->config + PCI_SUBSYSTEM_VENDOR_ID,
                 no_subsystem ? PCI_SUBVENDOR_ID_REDHAT_QUMRANET
                              : pc->subsystem_vendor_id);
    pci_set_word(dev->config + PCI_SUBSYSTEM_ID,
                 no_subsystem ? PCI_SUBDEVICE_ID_QEMU : pc->subsystem_id);
    if (dev->cap_present & QEMU_PCI_CAP_MULTIFUNCTION) {
        dev->config[PCI_HEADER_TYPE] |= 0x80;
    }
}

static void pci_config_alloc(PCIDevice *dev)
{
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    uint32_t size = pci_config_size(dev);

    dev->config = g_malloc0(size);
    dev->wmask = g_malloc0(size);
    dev->w1cmask = g_malloc0(size);
    dev->used = g_malloc0(size);
    dev->config_read = pc->config_read ?: pci_default_read_config;
    dev->config_write = pc->config_write ?: pci_default_write_config;

    pci_init_identity(dev);
    dev->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
    pci_set_word(dev->wmask + PCI_COMMAND,
                 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                 PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
}

static void pci_config_free(PCIDevice *dev)
{
    g_clear_pointer(&dev->config, g_free);
    g_clear_pointer(&dev->wmask, g_free);
    g_clear_pointer(&dev->w1cmask, g_free);
    g_clear_pointer(&dev->used, g_free);
}

/* --- DMA --- */

static void pci_init_bus_master(PCIDevice *dev)
{
    MemoryRegion *root = pci_device_iommu_address_space(dev)->root;
    Object *owner = OBJECT(dev);

    memory_region_init(&dev->bus_master_container_region, owner,
                       "bus master container", UINT64_MAX);
    memory_region_init_alias(&dev->bus_master_enable_region, owner,
                             "bus master", root, 0, memory_region_size(root));
    memory_region_set_enabled(&dev->bus_master_enable_region, false);
    memory_region_add_subregion(&dev->bus_master_container_region, 0,
                                &dev->bus_master_enable_region);
    address_space_init(&dev->bus_master_as, &dev->bus_master_container_region,
                       dev->name);
}

static void pci_fini_bus_master(PCIDevice *dev)
{
    address_space_destroy(&dev->bus_master_as);
    memory_region_del_subregion(&dev->bus_master_container_region,
                                &dev->bus_master_enable_region);
    object_unparent(OBJECT(&dev->bus_master_enable_region));
    object_unparent(OBJECT(&dev->bus_master_container_region));
}

void pci_update_bus_master(PCIDevice *dev)
{
    uint16_t cmd = pci_get_word(dev->config + PCI_COMMAND);

    memory_region_set_enabled(&dev->bus_master_enable_region,
                              cmd & PCI_COMMAND_MASTER);
}

/* --- realize and unrealize --- */

/* A function that fits only express slots is express without being asked. */
static void pci_init_express(PCIDevice *dev)
{
    Object *obj = OBJECT(dev);

    if (object_dynamic_cast(obj, INTERFACE_PCIE_DEVICE) &&
        !object_dynamic_cast(obj, INTERFACE_CONVENTIONAL_PCI_DEVICE)) {
        dev->cap_present |= QEMU_PCI_CAP_EXPRESS;
    }
}

/* What is left of the model must not reach the bus any more. */
static void pci_teardown(PCIDevice *dev)
{
    memset(dev->io_regions, 0, sizeof(dev->io_regions));
    pci_rom_free(dev);
    pci_fini_bus_master(dev);
    pci_config_free(dev);
    pci_leave_place(pci_get_bus(dev), dev);
}

static void pci_qdev_realize(DeviceState *qdev, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    Error *local_err = NULL;

    g_strlcpy(dev->name, object_get_typename(OBJECT(dev)), sizeof(dev->name));
    pci_init_express(dev);
    if (!pci_boot_check_index(dev, errp) || !pci_rom_open_file(dev, errp) ||
        !pci_take_place(pci_get_bus(dev), dev, errp)) {
        pci_rom_free(dev);
        return;
    }
    pci_config_alloc(dev);
    pci_init_bus_master(dev);
    if (pc->realize) {
        pc->realize(dev, &local_err);
        if (local_err) {
            error_propagate(errp, local_err);
            pci_teardown(dev);
            return;
        }
    }
    pci_rom_register(dev);
}

static void pci_qdev_unrealize(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

    pci_device_deassert_intx(dev);
    pci_unmap_bars(dev);
    if (pc->exit) {
        pc->exit(dev);
    }
    pci_teardown(dev);
}

/* --- creation by a board --- */

PCIDevice *pci_create_simple(PCIBus *bus, int32_t devfn, const char *name)
{
    PCIDevice *dev = PCI_DEVICE(qdev_new(name));

    dev->devfn = devfn;
    qdev_realize_and_unref(&dev->qdev, BUS(bus), &error_fatal);
    return dev;
}

/* --- properties and type --- */

static const Property pci_properties[] = {
    DEFINE_PROP_PCI_DEVFN("addr", PCIDevice, devfn, -1),
    DEFINE_PROP_BIT("multifunction", PCIDevice, cap_present,
                    __builtin_ctz(QEMU_PCI_CAP_MULTIFUNCTION), false),
    DEFINE_PROP_UINT32("rombar", PCIDevice, rombar, 1),
    DEFINE_PROP_STRING("romfile", PCIDevice, romfile),
    DEFINE_PROP_END_OF_LIST(),
};

static void pci_device_instance_init(Object *obj)
{
    PCI_DEVICE(obj)->bootindex = -1;
    PCI_DEVICE(obj)->rom_fd = -1;
}

static void pci_device_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->bus_type = TYPE_PCI_BUS;
    dc->realize = pci_qdev_realize;
    dc->unrealize = pci_qdev_unrealize;
    device_class_set_props(dc, pci_properties);
}

static const TypeInfo pci_device_types[] = {
    {
        .name = TYPE_PCI_DEVICE,
        .parent = TYPE_DEVICE,
        .abstract = true,
        .instance_size = sizeof(PCIDevice),
        .instance_init = pci_device_instance_init,
        .class_size = sizeof(PCIDeviceClass),
        .class_init = pci_device_class_init,
    },
};
DEFINE_TYPES(pci_device_types)
