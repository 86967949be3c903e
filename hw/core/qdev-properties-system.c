/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of device property that name something outside the device tree. */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "hw/qdev-properties-system.h"

/* --- what a serial port or the like is connected to --- */

static void prop_get_chr(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    const CharBackend *be = object_field_prop_ptr(obj, opaque);
    g_autofree char *id = g_strdup(be->chr ? be->chr->label : "");

    visit_type_str(v, name, &id, errp);
}

static void prop_set_chr(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    ERRP_GUARD();
    CharBackend *be = object_field_prop_ptr(obj, opaque);
    g_autofree char *id = NULL;
    Chardev *chr;

    if (!visit_type_str(v, name, &id, errp)) {
        return;
    }
    qemu_chr_fe_deinit(be, false);
    if (!*id) {
        return;                           /* none */
    }
    chr = qemu_chr_find(id);
    if (!chr) {
        error_set_from_qdev_prop_error(errp, -ENOENT, obj, name, id);
    } else if (!qemu_chr_fe_init(be, chr, errp)) {
        error_prepend(errp, "Property '%s.%s' can't take value '%s': ",
                      object_get_typename(obj), name, id);
    }
}

static void prop_release_chr(Object *obj, const char *name, void *opaque)
{
    qemu_chr_fe_deinit(object_field_prop_ptr(obj, opaque), false);
}

const PropertyInfo qdev_prop_chr = {
    .name = "str",
    .description = "ID of a chardev to use as a backend",
    .get = prop_get_chr,
    .set = prop_set_chr,
    .release = prop_release_chr,
};

void qdev_prop_set_chr(DeviceState *dev, const char *name, Chardev *value)
{
    object_property_set_str(OBJECT(dev), name, value ? value->label : "",
                            &error_abort);
}

/* --- where a device is on its PCI bus --- */

#define PCI_SLOTS 32
#define PCI_FUNCTIONS 8

/* "SLOT" or "SLOT.FUNCTION", in hex; all of @text. */
static bool parse_devfn(const char *text, int32_t *devfn)
{
    char *end;
    unsigned long slot, function = 0;

    if (!g_ascii_isxdigit(*text)) {
        return false;
    }
    slot = strtoul(text, &end, 16);
    if (*end == '.' && g_ascii_isxdigit(end[1])) {
        function = strtoul(end + 1, &end, 16);
    }
    if (*end || slot >= PCI_SLOTS || function >= PCI_FUNCTIONS) {
        return false;
    }
    *devfn = slot * PCI_FUNCTIONS + function;
    return true;
}

static void prop_get_devfn(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    visit_type_int32(v, name, object_field_prop_ptr(obj, opaque), errp);
}

static void set_devfn_number(Object *obj, const Property *prop,
                             const char *name, int64_t value, Error **errp)
{
    if (value < -1 || value >= PCI_SLOTS * PCI_FUNCTIONS) {
        error_setg(errp, "Property '%s.%s' takes -1, or a device and function "
                   "number from 0 to %d, not %" PRId64,
                   object_get_typename(obj), name,
                   PCI_SLOTS * PCI_FUNCTIONS - 1, value);
        return;
    }
    *(int32_t *)object_field_prop_ptr(obj, prop) = value;
}

/* Text is an address; a JSON number is the device and function number. */
static void prop_set_devfn(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    g_autoptr(JsonNode) node = NULL;
    const char *text;

    if (!visit_type_any(v, name, &node, errp)) {
        return;
    }
    if (JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_INT64) {
        set_devfn_number(obj, opaque, name, json_node_get_int(node), errp);
        return;
    }
    text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    if (!text || !parse_devfn(text, object_field_prop_ptr(obj, opaque))) {
        error_set_from_qdev_prop_error(errp, -EINVAL, obj, name,
                                       text ? text : "?");
    }
}

static void prop_default_devfn(Object *obj, const Property *prop)
{
    *(int32_t *)object_field_prop_ptr(obj, prop) = prop->defval.i;
}

static char *print_default_devfn(const Property *prop)
{
    return g_strdup_printf("%" PRId64, prop->defval.i);
}

const PropertyInfo qdev_prop_pci_devfn = {
    .name = "int32",
    .description = "Slot and optional function number, example: 06.0 or 06",
    .get = prop_get_devfn,
    .set = prop_set_devfn,
    .set_default_value = prop_default_devfn,
    .print_default = print_default_devfn,
};

/* --- a PCI device of the host --- */

/* "[DOMAIN:]BUS:SLOT.FUNCTION", in hex. */
static bool parse_host_address(const char *text, PCIHostDeviceAddress *addr)
{
    g_autoptr(GRegex) regex = g_regex_new(
        "^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\\.([0-7])$",
        G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    unsigned int part[5] = { 0 };

    if (!g_regex_match(regex, text, 0, &match)) {
        return false;
    }
    for (int i = 1; i < 5; i++) {
        g_autofree char *digits = g_match_info_fetch(match, i);

        part[i] = strtoul(digits, NULL, 16);
    }
    if (part[3] >= PCI_SLOTS) {
        return false;
    }
    *addr = (PCIHostDeviceAddress) { part[1], part[2], part[3], part[4] };
    return true;
}

static bool host_address_is_set(const PCIHostDeviceAddress *addr)
{
    return addr->slot != ~0U;
}

static void prop_get_host_address(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    const PCIHostDeviceAddress *addr = object_field_prop_ptr(obj, opaque);
    g_autofree char *text = host_address_is_set(addr)
        ? g_strdup_printf("%04x:%02x:%02x.%0x", addr->domain, addr->bus,
                          addr->slot, addr->function)
        : g_strdup("");

    visit_type_str(v, name, &text, errp);
}

static void prop_set_host_address(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    g_autofree char *text = NULL;

    if (visit_type_str(v, name, &text, errp) &&
        !parse_host_address(text, object_field_prop_ptr(obj, opaque))) {
        error_set_from_qdev_prop_error(errp, -EINVAL, obj, name, text);
    }
}

static void prop_default_host_address(Object *obj, const Property *prop)
{
    memset(object_field_prop_ptr(obj, prop), 0xff,
           sizeof(PCIHostDeviceAddress));
}

const PropertyInfo qdev_prop_pci_host_devaddr = {
    .name = "str",
    .description = "Address (bus/device/function) of the host device, "
                   "example: 04:10.0",
    .get = prop_get_host_address,
    .set = prop_set_host_address,
    .set_default_value = prop_default_host_address,
};
