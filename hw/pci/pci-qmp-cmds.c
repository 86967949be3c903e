/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-pci: each function with its class, interrupt, bridge windows and BARs.
 * Reads configuration space as it is; changes nothing. People read the same by
 * pci-hmp-cmds.c.
 */
#include "qemu/osdep.h"
#include <linux/pci_regs.h>

#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_host.h"
#include "monitor/qmp.h"

static const struct {
    uint16_t class_id;
    const char *name;
} class_names[] = {
    { 0x0100, "SCSI controller" },
    { 0x0101, "IDE controller" },
    { 0x0106, "SATA controller" },
    { 0x0108, "NVMe controller" },
    { 0x0200, "Ethernet controller" },
    { 0x0300, "VGA controller" },
    { 0x0302, "3D controller" },
    { 0x0403, "Audio controller" },
    { 0x0600, "Host bridge" },
    { 0x0601, "ISA bridge" },
    { 0x0604, "PCI bridge" },
    { 0x0c03, "USB controller" },
    { 0x0c05, "SMBus" },
};

static uint64_t config_field(const PCIDevice *dev, unsigned offset,
                             unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, dev->config + offset, bytes);
    return GUINT64_FROM_LE(value);
}

static void add_field(JsonObject *object, const char *name,
                      const PCIDevice *dev, unsigned offset, unsigned bytes)
{
    json_object_set_int_member(object, name, config_field(dev, offset, bytes));
}

static bool is_bridge(const PCIDevice *dev)
{
    return (config_field(dev, PCI_HEADER_TYPE, 1) & 0x7f) ==
           PCI_HEADER_TYPE_BRIDGE;
}

/* --- parts of a function ------------------------------------------------- */

static JsonObject *class_of(const PCIDevice *dev)
{
    unsigned class_id = config_field(dev, PCI_CLASS_DEVICE, 2);
    JsonObject *info = json_object_new();

    for (size_t i = 0; i < ARRAY_SIZE(class_names); i++) {
        if (class_names[i].class_id == class_id) {
            json_object_set_string_member(info, "desc", class_names[i].name);
        }
    }
    json_object_set_int_member(info, "class", class_id);
    return info;
}

static JsonObject *identity_of(const PCIDevice *dev)
{
    JsonObject *info = json_object_new();

    add_field(info, "device", dev, PCI_DEVICE_ID, 2);
    add_field(info, "vendor", dev, PCI_VENDOR_ID, 2);
    if (!is_bridge(dev)) {
        add_field(info, "subsystem", dev, PCI_SUBSYSTEM_ID, 2);
        add_field(info, "subsystem-vendor", dev, PCI_SUBSYSTEM_VENDOR_ID, 2);
    }
    return info;
}

/* A window's registers hold the upper bits of its first and last address. */
static JsonObject *window_of(const PCIDevice *dev, unsigned base_at,
                             unsigned limit_at, unsigned bytes, unsigned shift)
{
    unsigned low = bytes == 1 ? 0xf0 : 0xfff0;
    uint64_t base = (config_field(dev, base_at, bytes) & low) << shift;
    uint64_t limit = (config_field(dev, limit_at, bytes) & low) << shift;
    JsonObject *range = json_object_new();

    if (base_at == PCI_PREF_MEMORY_BASE &&
        (config_field(dev, base_at, bytes) & PCI_PREF_RANGE_TYPE_MASK) ==
        PCI_PREF_RANGE_TYPE_64) {
        base |= config_field(dev, PCI_PREF_BASE_UPPER32, 4) << 32;
        limit |= config_field(dev, PCI_PREF_LIMIT_UPPER32, 4) << 32;
    }
    json_object_set_int_member(range, "base", base);
    json_object_set_int_member(range, "limit",
                               limit | ((1ULL << (shift + 4)) - 1));
    return range;
}

static JsonArray *devices_of(PCIBus *bus);

static JsonObject *bridge_of(const PCIDevice *dev, PCIBus *behind)
{
    JsonObject *info = json_object_new(), *bus = json_object_new();

    add_field(bus, "number", dev, PCI_PRIMARY_BUS, 1);
    add_field(bus, "secondary", dev, PCI_SECONDARY_BUS, 1);
    add_field(bus, "subordinate", dev, PCI_SUBORDINATE_BUS, 1);
    json_object_set_object_member(bus, "io_range", window_of(
        dev, PCI_IO_BASE, PCI_IO_LIMIT, 1, 8));
    json_object_set_object_member(bus, "memory_range", window_of(
        dev, PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, 2, 16));
    json_object_set_object_member(bus, "prefetchable_range", window_of(
        dev, PCI_PREF_MEMORY_BASE, PCI_PREF_MEMORY_LIMIT, 2, 16));
    json_object_set_object_member(info, "bus", bus);
    if (behind) {
        json_object_set_array_member(info, "devices", devices_of(behind));
    }
    return info;
}

/* As in QEMU, a BAR that is not mapped is at -1. */
static JsonObject *region_of(const PCIIORegion *r, int nr)
{
    bool io = r->type & PCI_BASE_ADDRESS_SPACE_IO;
    JsonObject *info = json_object_new();

    json_object_set_int_member(info, "bar", nr);
    json_object_set_string_member(info, "type", io ? "io" : "memory");
    json_object_set_int_member(info, "address", r->addr);
    json_object_set_int_member(info, "size", r->size);
    if (!io) {
        json_object_set_boolean_member(
            info, "prefetch", r->type & PCI_BASE_ADDRESS_MEM_PREFETCH);
        json_object_set_boolean_member(
            info, "mem_type_64", r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
    }
    return info;
}

static JsonArray *regions_of(const PCIDevice *dev)
{
    JsonArray *list = json_array_new();

    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        if (dev->io_regions[i].size) {
            json_array_add_object_element(list,
                                          region_of(&dev->io_regions[i], i));
        }
    }
    return list;
}

/* --- buses --------------------------------------------------------------- */

static JsonObject *function_of(PCIBus *bus, PCIDevice *dev)
{
    JsonObject *info = json_object_new();

    json_object_set_int_member(info, "bus", pci_bus_num(bus));
    json_object_set_int_member(info, "slot", PCI_SLOT(dev->devfn));
    json_object_set_int_member(info, "function", PCI_FUNC(dev->devfn));
    json_object_set_object_member(info, "class_info", class_of(dev));
    json_object_set_object_member(info, "id", identity_of(dev));
    add_field(info, "irq_pin", dev, PCI_INTERRUPT_PIN, 1);
    if (config_field(dev, PCI_INTERRUPT_PIN, 1)) {
        add_field(info, "irq", dev, PCI_INTERRUPT_LINE, 1);
    }
    json_object_set_string_member(info, "qdev_id",
                                  dev->qdev.id ? dev->qdev.id : "");
    json_object_set_array_member(info, "regions", regions_of(dev));
    if (is_bridge(dev)) {
        json_object_set_object_member(
            info, "pci_bridge", bridge_of(dev, pci_bridge_get_sec_bus(dev)));
    }
    return info;
}

static JsonArray *devices_of(PCIBus *bus)
{
    JsonArray *list = json_array_new();

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn]) {
            json_array_add_object_element(
                list, function_of(bus, bus->devices[devfn]));
        }
    }
    return list;
}

static JsonNode *qmp_query_pci(JsonObject *args, Error **errp)
{
    Object *host = object_resolve_path_type("", TYPE_PCI_HOST_BRIDGE, NULL);
    PCIBus *bus = host ? PCI_HOST_BRIDGE(host)->bus : NULL;
    JsonArray *list = json_array_new();

    if (bus) {
        JsonObject *info = json_object_new();

        json_object_set_int_member(info, "bus", pci_bus_num(bus));
        json_object_set_array_member(info, "devices", devices_of(bus));
        json_array_add_object_element(list, info);
    }
    return json_array_node(list);
}

/* --- schema -------------------------------------------------------------- */

static const QmpType pci_types[] = {
    { .name = "PciDeviceClass", .members = "?desc:str,class:int",
      .help = "What a function is.\n"
      "desc: in words\n"
      "class: its class code" },
    { .name = "PciDeviceId",
      .members = "device:int,vendor:int,?subsystem:int,?subsystem-vendor:int",
      .help = "Who made a function.\n"
      "device: the device's number\n"
      "vendor: the vendor's number\n"
      "subsystem: the subsystem's, where it has one\n"
      "subsystem-vendor: and its vendor's" },
    { .name = "PciMemoryRange", .members = "base:int,limit:int",
      .help = "A window of a bridge.\n"
      "base: its first address\n"
      "limit: its last address; less than base: it is closed" },
    { .name = "PciMemoryRegion",
      .members = "bar:int,type:str,address:int,size:int,?prefetch:bool,"
                 "?mem_type_64:bool",
      .help = "A BAR.\n"
      "bar: its number\n"
      "type: io or memory\n"
      "address: where the guest has put it; -1: nowhere\n"
      "size: in bytes\n"
      "prefetch: of memory: whether it is prefetchable\n"
      "mem_type_64: of memory: whether it may be above 4 GiB" },
    { .name = "PciBusInfo",
      .members = "number:int,secondary:int,subordinate:int,"
                 "io_range:PciMemoryRange,memory_range:PciMemoryRange,"
                 "prefetchable_range:PciMemoryRange",
      .help = "What a bridge leads to.\n"
      "number: of the bus that it is on\n"
      "secondary: of the bus behind it\n"
      "subordinate: the highest behind it\n"
      "io_range: ports that it passes on\n"
      "memory_range: memory that it passes on\n"
      "prefetchable_range: the same, prefetchable" },
    { .name = "PciBridgeInfo",
      .members = "bus:PciBusInfo,?devices:[PciDeviceInfo]",
      .help = "A bridge.\n"
      "bus: what it leads to\n"
      "devices: what is there" },
    { .name = "PciDeviceInfo",
      .members = "bus:int,slot:int,function:int,class_info:PciDeviceClass,"
                 "id:PciDeviceId,?irq:int,irq_pin:int,qdev_id:str,"
                 "?pci_bridge:PciBridgeInfo,regions:[PciMemoryRegion]",
      .help = "A PCI function.\n"
      "bus: the number of its bus\n"
      "slot: its slot there\n"
      "function: its number in the slot\n"
      "class_info: what it is\n"
      "id: who made it\n"
      "irq: the interrupt line that the guest has noted, if it has a pin\n"
      "irq_pin: 1 to 4: INTA to INTD; 0: none\n"
      "qdev_id: id of the device; empty: it has none\n"
      "pci_bridge: if it is a bridge\n"
      "regions: its BARs" },
    { .name = "PciInfo", .members = "bus:int,devices:[PciDeviceInfo]",
      .help = "A root bus.\n"
      "bus: its number\n"
      "devices: the functions on it" },
};

static const QmpCommand pci_commands[] = {
    { .name = "query-pci", .returns = "[PciInfo]", .fn = qmp_query_pci,
      .help = "Lists the PCI functions." },
};

static void pci_qmp_register(void)
{
    qmp_register_types(pci_types, ARRAY_SIZE(pci_types));
    qmp_register_commands(pci_commands, ARRAY_SIZE(pci_commands));
}
type_init(pci_qmp_register)
