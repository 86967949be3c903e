/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcie-root-port (hw/pci/pcie_port.h): the bridge. Its memory windows are
 * registers only: while its memory decoding is on, everything behind it is
 * mapped where its BARs say. I/O ports are not passed on.
 */
#include "qemu/osdep.h"

#include "hw/pci/msi.h"
#include "pcie_port.h"
#include "hw/qdev-properties.h"
#include "qemu/units.h"

/* Bits of the memory window registers that hold an address. */
#define WINDOW_MASK 0xfff0
#define LINK_WIDTH_SHIFT 4                /* of both link registers */

static const uint8_t guest_registers[] = {
    PCI_PRIMARY_BUS, PCI_SECONDARY_BUS, PCI_SUBORDINATE_BUS,
};

/* --- configuration space --- */

static void update_decoding(PCIERootPort *port)
{
    uint16_t cmd = pci_get_word(port->parent_obj.config + PCI_COMMAND);

    memory_region_set_enabled(&port->bus_mem, cmd & PCI_COMMAND_MEMORY);
}

static void root_port_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                                   int len)
{
    PCIERootPort *port = PCIE_ROOT_PORT(dev);
    uint16_t old_bridge = pci_get_word(dev->config + PCI_BRIDGE_CONTROL);
    uint16_t old_slot = pcie_slot_control(port);
    uint16_t bridge;

    pci_default_write_config(dev, addr, val, len);
    update_decoding(port);
    bridge = pci_get_word(dev->config + PCI_BRIDGE_CONTROL);
    if (bridge & ~old_bridge & PCI_BRIDGE_CTL_BUS_RESET) {
        qbus_reset_all(BUS(&port->sec_bus));
    }
    pcie_slot_write_config(port, old_slot);
}

/* As after power on: no bus number, windows closed. */
static void init_header(PCIDevice *dev)
{
    for (unsigned i = 0; i < ARRAY_SIZE(guest_registers); i++) {
        dev->config[guest_registers[i]] = 0;
        dev->wmask[guest_registers[i]] = 0xff;
    }
    pci_set_word(dev->config + PCI_MEMORY_BASE, WINDOW_MASK);
    pci_set_word(dev->config + PCI_MEMORY_LIMIT, 0);
    pci_set_word(dev->config + PCI_PREF_MEMORY_BASE,
                 WINDOW_MASK | PCI_PREF_RANGE_TYPE_64);
    pci_set_word(dev->config + PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
    pci_set_long(dev->config + PCI_PREF_BASE_UPPER32, 0);
    pci_set_long(dev->config + PCI_PREF_LIMIT_UPPER32, 0);
    pci_set_word(dev->config + PCI_BRIDGE_CONTROL, 0);
}

static void init_header_masks(PCIDevice *dev)
{
    pci_set_word(dev->wmask + PCI_MEMORY_BASE, WINDOW_MASK);
    pci_set_word(dev->wmask + PCI_MEMORY_LIMIT, WINDOW_MASK);
    pci_set_word(dev->wmask + PCI_PREF_MEMORY_BASE, WINDOW_MASK);
    pci_set_word(dev->wmask + PCI_PREF_MEMORY_LIMIT, WINDOW_MASK);
    pci_set_long(dev->wmask + PCI_PREF_BASE_UPPER32, UINT32_MAX);
    pci_set_long(dev->wmask + PCI_PREF_LIMIT_UPPER32, UINT32_MAX);
    pci_set_word(dev->wmask + PCI_BRIDGE_CONTROL,
                 PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR |
                 PCI_BRIDGE_CTL_BUS_RESET);
}

/* --- what is said of the slot --- */

/* The codes of Link Capabilities (PCI Express 4.0, 7.5.3.6), by name. */
static const struct {
    const char *name;
    uint32_t code;
} link_speeds[] = {
    { "2_5", PCI_EXP_LNKCAP_SLS_2_5GB }, { "5", PCI_EXP_LNKCAP_SLS_5_0GB },
    { "8", PCI_EXP_LNKCAP_SLS_8_0GB }, { "16", PCI_EXP_LNKCAP_SLS_16_0GB },
};

/* Lanes that a link can have: bit n: n. */
#define LINK_WIDTHS (1ULL << 1 | 1ULL << 2 | 1ULL << 4 | 1ULL << 8 |         \
                     1ULL << 12 | 1ULL << 16 | 1ULL << 32)

static bool find_speed(const char *name, uint32_t *code, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(link_speeds); i++) {
        if (!name || !strcmp(name, link_speeds[i].name)) {
            *code = link_speeds[i].code;
            return true;
        }
    }
    error_setg(errp, "x-speed=%s: one of 2_5, 5, 8, 16 is expected", name);
    return false;
}

/* What the guest reads of the link; nothing is as slow. */
static bool set_link(PCIERootPort *port, Error **errp)
{
    uint8_t *cap = port->parent_obj.config + port->parent_obj.exp.exp_cap;
    uint32_t speed, lnkcap = pci_get_long(cap + PCI_EXP_LNKCAP);

    if (port->width > 32 || !(LINK_WIDTHS >> port->width & 1)) {
        error_setg(errp, "x-width=%u: one of 1, 2, 4, 8, 12, 16, 32 is "
                   "expected", port->width);
        return false;
    }
    if (!find_speed(port->speed, &speed, errp)) {
        return false;
    }
    lnkcap &= ~(PCI_EXP_LNKCAP_SLS | PCI_EXP_LNKCAP_MLW);
    pci_set_long(cap + PCI_EXP_LNKCAP,
                 lnkcap | speed | port->width << LINK_WIDTH_SHIFT);
    pci_set_word(cap + PCI_EXP_LNKSTA,
                 speed | port->width << LINK_WIDTH_SHIFT);
    return true;
}

static bool check_hotplug(const PCIERootPort *port, Error **errp)
{
    if (!port->hotplug) {
        error_setg(errp, "hotplug=off: not supported; possible: on");
    }
    return port->hotplug;
}

/* --- life --- */

static bool check_place(PCIERootPort *port, Error **errp)
{
    PCIBus *bus = pci_get_bus(PCI_DEVICE(port));

    if (!pci_bus_is_root(bus)) {
        error_setg(errp, "a root port goes on the root bus: bus=pcie.0, not "
                   "bus=%s", BUS(bus)->name);
        return false;
    }
    if (port->slot > PCI_EXP_SLTCAP_PSN >> 19) {
        error_setg(errp, "slot=%u is not possible: 0 to %u are", port->slot,
                   PCI_EXP_SLTCAP_PSN >> 19);
        return false;
    }
    for (int i = 0; i < PCI_DEVFN_MAX; i++) {
        PCIERootPort *other = (PCIERootPort *)object_dynamic_cast(
            OBJECT(bus->devices[i]), TYPE_PCIE_ROOT_PORT);

        if (other && other != port && other->chassis == port->chassis &&
            other->slot == port->slot) {
            g_autofree char *name = qdev_get_human_name(DEVICE(other));

            error_setg(errp, "chassis=%u,slot=%u is %s's: each root port needs "
                       "another chassis or slot", port->chassis, port->slot,
                       name);
            return false;
        }
    }
    return true;
}

static void create_bus(PCIERootPort *port)
{
    PCIDevice *dev = PCI_DEVICE(port);
    PCIBus *root = pci_get_bus(dev), *bus = &port->sec_bus;
    g_autofree char *place = g_strdup_printf("%s.%02x.%x", BUS(root)->name,
                                             PCI_SLOT(dev->devfn),
                                             PCI_FUNC(dev->devfn));

    memory_region_init(&port->bus_mem, OBJECT(port), "behind-port", UINT64_MAX);
    memory_region_init(&port->bus_io, OBJECT(port), "behind-port-io", 64 * KiB);
    memory_region_set_enabled(&port->bus_mem, false);
    memory_region_add_subregion_overlap(root->address_space_mem, 0,
                                        &port->bus_mem, 1);
    qbus_create_inplace(bus, sizeof(*bus), TYPE_PCIE_BUS, DEVICE(port),
                        DEVICE(port)->id ?: place);
    bus->parent_dev = dev;
    bus->address_space_mem = &port->bus_mem;
    bus->address_space_io = &port->bus_io;
    qbus_set_hotplug_handler(BUS(bus), OBJECT(port));
}

static void root_port_realize(PCIDevice *dev, Error **errp)
{
    PCIERootPort *port = PCIE_ROOT_PORT(dev);

    if (!check_place(port, errp) || !check_hotplug(port, errp)) {
        return;
    }
    dev->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_BRIDGE;
    pci_config_set_interrupt_pin(dev->config, 1);
    init_header(dev);
    init_header_masks(dev);
    if (pcie_cap_init(dev, 0, PCI_EXP_TYPE_ROOT_PORT, port->port, errp) < 0 ||
        !set_link(port, errp) ||
        msi_init(dev, 0, 1, true, false, errp) < 0) {
        return;
    }
    create_bus(port);
    pcie_slot_init(port);
}

static void root_port_exit(PCIDevice *dev)
{
    PCIERootPort *port = PCIE_ROOT_PORT(dev);

    object_unparent(OBJECT(&port->sec_bus));
    memory_region_del_subregion(pci_get_bus(dev)->address_space_mem,
                                &port->bus_mem);
    object_unparent(OBJECT(&port->bus_io));
    object_unparent(OBJECT(&port->bus_mem));
    msi_uninit(dev);
    pcie_cap_exit(dev);
}

/* What is behind it has been reset. */
static void root_port_reset(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIERootPort *port = PCIE_ROOT_PORT(dev);

    memory_region_set_enabled(&port->bus_mem, false);
    init_header(dev);
    pcie_slot_reset(port);
}

/* --- type --- */

static const Property root_port_properties[] = {
    DEFINE_PROP_UINT8("port", PCIERootPort, port, 0),
    DEFINE_PROP_UINT8("chassis", PCIERootPort, chassis, 0),
    DEFINE_PROP_UINT16("slot", PCIERootPort, slot, 0),
    DEFINE_PROP_BOOL("hotplug", PCIERootPort, hotplug, true),
    DEFINE_PROP_STRING("x-speed", PCIERootPort, speed),
    DEFINE_PROP_UINT32("x-width", PCIERootPort, width, 1),
    DEFINE_PROP_STRING("bus-reserve", PCIERootPort, reserve[0]),
    DEFINE_PROP_STRING("io-reserve", PCIERootPort, reserve[1]),
    DEFINE_PROP_STRING("mem-reserve", PCIERootPort, reserve[2]),
    DEFINE_PROP_STRING("pref32-reserve", PCIERootPort, reserve[3]),
    DEFINE_PROP_STRING("pref64-reserve", PCIERootPort, reserve[4]),
    DEFINE_PROP_END_OF_LIST(),
};

static void root_port_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    dc->desc = "PCI Express root port: a slot for hot plug";
    dc->reset = root_port_reset;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_BRIDGE, dc->categories);
    device_class_set_props(dc, root_port_properties);
    k->realize = root_port_realize;
    k->exit = root_port_exit;
    k->config_write = root_port_write_config;
    k->vendor_id = PCI_VENDOR_ID_REDHAT;
    k->device_id = PCI_DEVICE_ID_REDHAT_PCIE_RP;
    k->class_id = PCI_CLASS_BRIDGE_PCI;
    hc->pre_plug = pcie_slot_pre_plug;
    hc->plug = pcie_slot_plug;
    hc->unplug_request = pcie_slot_unplug_request;
}

static const TypeInfo root_port_types[] = {
    {
        .name = TYPE_PCIE_ROOT_PORT,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCIERootPort),
        .class_init = root_port_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};
DEFINE_TYPES(root_port_types)
