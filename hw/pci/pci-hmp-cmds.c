/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "info pci": what query-pci says, in QEMU's layout. */
#include "qemu/osdep.h"

#include "monitor/hmp.h"

static uint64_t number(JsonObject *object, const char *name)
{
    return (uint64_t)json_object_get_int_member(object, name);
}

static void print_identity(GString *out, JsonObject *dev)
{
    JsonObject *id = json_object_get_object_member(dev, "id");
    JsonObject *class = json_object_get_object_member(dev, "class_info");
    const char *desc = json_object_get_string_member_with_default(class, "desc",
                                                                  NULL);

    if (desc) {
        g_string_append_printf(out, "    %s", desc);
    } else {
        g_string_append_printf(out, "    Class %04x",
                               (unsigned)number(class, "class"));
    }
    g_string_append_printf(out, ": PCI device %04x:%04x\n",
                           (unsigned)number(id, "vendor"),
                           (unsigned)number(id, "device"));
    if (json_object_has_member(id, "subsystem")) {
        g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                               (unsigned)number(id, "subsystem-vendor"),
                               (unsigned)number(id, "subsystem"));
    }
    if (json_object_has_member(dev, "irq")) {
        g_string_append_printf(out, "      IRQ %u, pin %c\n",
                               (unsigned)number(dev, "irq"),
                               (char)('A' + number(dev, "irq_pin") - 1));
    }
}

static void print_window(GString *out, const char *title, JsonObject *bus,
                         const char *name, int digits)
{
    JsonObject *range = json_object_get_object_member(bus, name);

    g_string_append_printf(out, "      %s range [0x%0*" PRIx64 ", 0x%0*" PRIx64
                           "]\n", title, digits, number(range, "base"), digits,
                           number(range, "limit"));
}

static void print_bridge(GString *out, JsonObject *bus)
{
    g_string_append_printf(
        out, "      BUS %u.\n      secondary bus %u.\n"
        "      subordinate bus %u.\n", (unsigned)number(bus, "number"),
        (unsigned)number(bus, "secondary"),
        (unsigned)number(bus, "subordinate"));
    print_window(out, "IO", bus, "io_range", 4);
    print_window(out, "memory", bus, "memory_range", 8);
    print_window(out, "prefetchable memory", bus, "prefetchable_range", 8);
}

static void print_bar(GString *out, JsonObject *r)
{
    uint64_t address = number(r, "address");
    uint64_t last = address + number(r, "size") - 1;

    g_string_append_printf(out, "      BAR%u: ", (unsigned)number(r, "bar"));
    if (!strcmp(json_object_get_string_member(r, "type"), "io")) {
        g_string_append_printf(out, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64
                               "].\n", address, last);
        return;
    }
    g_string_append_printf(
        out, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
        json_object_get_boolean_member(r, "mem_type_64") ? 64 : 32,
        json_object_get_boolean_member(r, "prefetch") ? " prefetchable" : "",
        address, last);
}

static void print_devices(GString *out, JsonArray *devices);

static void print_device(GString *out, JsonObject *dev)
{
    JsonArray *regions = json_object_get_array_member(dev, "regions");
    JsonObject *bridge = json_object_has_member(dev, "pci_bridge")
        ? json_object_get_object_member(dev, "pci_bridge") : NULL;

    g_string_append_printf(out, "  Bus %2u, device %3u, function %u:\n",
                           (unsigned)number(dev, "bus"),
                           (unsigned)number(dev, "slot"),
                           (unsigned)number(dev, "function"));
    print_identity(out, dev);
    if (bridge) {
        print_bridge(out, json_object_get_object_member(bridge, "bus"));
    }
    for (guint i = 0; i < json_array_get_length(regions); i++) {
        print_bar(out, json_array_get_object_element(regions, i));
    }
    g_string_append_printf(out, "      id \"%s\"\n",
                           json_object_get_string_member(dev, "qdev_id"));
    if (bridge && json_object_has_member(bridge, "devices")) {
        print_devices(out, json_object_get_array_member(bridge, "devices"));
    }
}

static void print_devices(GString *out, JsonArray *devices)
{
    for (guint i = 0; i < json_array_get_length(devices); i++) {
        print_device(out, json_array_get_object_element(devices, i));
    }
}

static void hmp_info_pci(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp("query-pci", NULL, errp);
    JsonArray *buses = json_node_get_array(node);

    if (!json_array_get_length(buses)) {
        g_string_append(out, "No PCI bus\n");
    }
    for (guint i = 0; i < json_array_get_length(buses); i++) {
        print_devices(out, json_object_get_array_member(
            json_array_get_object_element(buses, i), "devices"));
    }
}

static const HmpCommand pci_info_commands[] = {
    { .name = "pci", .params = "", .help = "show the PCI functions",
      .fn = hmp_info_pci },
};

static void pci_hmp_register(void)
{
    hmp_register_info(pci_info_commands, ARRAY_SIZE(pci_info_commands));
}
type_init(pci_hmp_register)
