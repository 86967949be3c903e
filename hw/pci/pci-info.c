/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "info pci": each function with its class, interrupt, bridge windows and
 * BARs, in QEMU's layout. Reads configuration space as it is; changes nothing.
 */
#include "qemu/osdep.h"
#include <linux/pci_regs.h>

#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_host.h"
#include "monitor/hmp.h"

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

static void print_class(GString *out, const PCIDevice *dev)
{
    unsigned class_id = config_field(dev, PCI_CLASS_DEVICE, 2);
    const char *name = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(class_names); i++) {
        if (class_names[i].class_id == class_id) {
            name = class_names[i].name;
        }
    }
    if (name) {
        g_string_append_printf(out, "    %s", name);
    } else {
        g_string_append_printf(out, "    Class %04x", class_id);
    }
    g_string_append_printf(out, ": PCI device %04x:%04x\n",
                           (unsigned)config_field(dev, PCI_VENDOR_ID, 2),
                           (unsigned)config_field(dev, PCI_DEVICE_ID, 2));
}

static void print_interrupt(GString *out, const PCIDevice *dev)
{
    unsigned pin = config_field(dev, PCI_INTERRUPT_PIN, 1);

    if (pin >= 1 && pin <= PCI_NUM_PINS) {
        g_string_append_printf(
            out, "      IRQ %u, pin %c\n",
            (unsigned)config_field(dev, PCI_INTERRUPT_LINE, 1), 'A' + pin - 1);
    }
}

static bool is_bridge(const PCIDevice *dev)
{
    return (config_field(dev, PCI_HEADER_TYPE, 1) & 0x7f) ==
           PCI_HEADER_TYPE_BRIDGE;
}

/* A window's registers hold the upper bits of its first and last address. */
static void print_window(GString *out, const char *name, const PCIDevice *dev,
                         unsigned base_at, unsigned limit_at, unsigned bytes,
                         unsigned shift)
{
    unsigned low = bytes == 1 ? 0xf0 : 0xfff0;
    uint64_t base = (config_field(dev, base_at, bytes) & low) << shift;
    uint64_t limit = (config_field(dev, limit_at, bytes) & low) << shift;

    if (base_at == PCI_PREF_MEMORY_BASE &&
        (config_field(dev, base_at, bytes) & PCI_PREF_RANGE_TYPE_MASK) ==
        PCI_PREF_RANGE_TYPE_64) {
        base |= config_field(dev, PCI_PREF_BASE_UPPER32, 4) << 32;
        limit |= config_field(dev, PCI_PREF_LIMIT_UPPER32, 4) << 32;
    }
    limit |= (1ULL << (shift + 4)) - 1;
    g_string_append_printf(out, "      %s range [0x%0*" PRIx64 ", 0x%0*" PRIx64
                           "]\n", name, bytes == 1 ? 4 : 8, base,
                           bytes == 1 ? 4 : 8, limit);
}

static void print_bridge(GString *out, const PCIDevice *dev)
{
    g_string_append_printf(
        out, "      BUS %u.\n      secondary bus %u.\n"
        "      subordinate bus %u.\n",
        (unsigned)config_field(dev, PCI_PRIMARY_BUS, 1),
        (unsigned)config_field(dev, PCI_SECONDARY_BUS, 1),
        (unsigned)config_field(dev, PCI_SUBORDINATE_BUS, 1));
    print_window(out, "IO", dev, PCI_IO_BASE, PCI_IO_LIMIT, 1, 8);
    print_window(out, "memory", dev, PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, 2, 16);
    print_window(out, "prefetchable memory", dev, PCI_PREF_MEMORY_BASE,
                 PCI_PREF_MEMORY_LIMIT, 2, 16);
}

/* As in QEMU, a BAR that is not mapped is at 0xffffffffffffffff. */
static void print_bar(GString *out, const PCIIORegion *r, int nr)
{
    uint64_t last = r->addr + r->size - 1;

    g_string_append_printf(out, "      BAR%d: ", nr);
    if (r->type & PCI_BASE_ADDRESS_SPACE_IO) {
        g_string_append_printf(out, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64
                               "].\n", r->addr, last);
        return;
    }
    g_string_append_printf(
        out, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
        r->type & PCI_BASE_ADDRESS_MEM_TYPE_64 ? 64 : 32,
        r->type & PCI_BASE_ADDRESS_MEM_PREFETCH ? " prefetchable" : "",
        r->addr, last);
}

static void print_bus(GString *out, PCIBus *bus);

static void print_function(GString *out, PCIBus *bus, PCIDevice *dev)
{
    PCIBus *behind = pci_bridge_get_sec_bus(dev);

    g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n",
                           pci_bus_num(bus), PCI_SLOT(dev->devfn),
                           PCI_FUNC(dev->devfn));
    print_class(out, dev);
    if (!is_bridge(dev)) {
        g_string_append_printf(
            out, "      PCI subsystem %04x:%04x\n",
            (unsigned)config_field(dev, PCI_SUBSYSTEM_VENDOR_ID, 2),
            (unsigned)config_field(dev, PCI_SUBSYSTEM_ID, 2));
    }
    print_interrupt(out, dev);
    if (is_bridge(dev)) {
        print_bridge(out, dev);
    }
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        if (dev->io_regions[i].size) {
            print_bar(out, &dev->io_regions[i], i);
        }
    }
    g_string_append_printf(out, "      id \"%s\"\n",
                           dev->qdev.id ? dev->qdev.id : "");
    if (behind) {
        print_bus(out, behind);
    }
}

static void print_bus(GString *out, PCIBus *bus)
{
    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn]) {
            print_function(out, bus, bus->devices[devfn]);
        }
    }
}

static void hmp_info_pci(GString *out, const char *args, Error **errp)
{
    Object *host = object_resolve_path_type("", TYPE_PCI_HOST_BRIDGE, NULL);

    if (host) {
        print_bus(out, PCI_HOST_BRIDGE(host)->bus);
    } else {
        g_string_append(out, "No PCI bus\n");
    }
}

static const HmpCommand pci_info_commands[] = {
    { .name = "pci", .params = "", .help = "show the PCI functions",
      .fn = hmp_info_pci },
};

static void pci_info_register(void)
{
    hmp_register_info(pci_info_commands, ARRAY_SIZE(pci_info_commands));
}
type_init(pci_info_register)
