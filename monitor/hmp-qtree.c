/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "info qtree": the buses and devices of the machine with their properties, as
 * they are wired; "info qom-tree": the composition tree, as it is owned.
 */
#include "qemu/osdep.h"

#include "hw/sysbus.h"
#include "monitor/hmp.h"
#include "qapi/json-uint64.h"
#include "qapi/visitor.h"

typedef struct Printer {
    GString *out;
    unsigned indent;
    Object *obj;
} Printer;

static void G_GNUC_PRINTF(2, 3)
print_line(Printer *p, const char *fmt, ...)
{
    va_list ap;

    g_string_append_printf(p->out, "%*s", (int)p->indent, "");
    va_start(ap, fmt);
    g_string_append_vprintf(p->out, fmt, ap);
    va_end(ap);
    g_string_append_c(p->out, '\n');
}

/* --- buses --------------------------------------------------------------- */

/* Whether a person who reads the tree already sees it, or set it. */
static bool is_shown_elsewhere(const ObjectProperty *prop)
{
    return !prop->set || !prop->get || !strcmp(prop->name, "realized") ||
           !strcmp(prop->name, "id") || g_str_has_prefix(prop->type, "child<");
}

static void print_property(ObjectProperty *prop, void *opaque)
{
    Printer *p = opaque;
    g_autoptr(Visitor) v = NULL;
    g_autoptr(JsonNode) value = NULL;
    g_autofree char *text = NULL;

    if (is_shown_elsewhere(prop)) {
        return;
    }
    v = visitor_output_new();
    if (!object_property_get(p->obj, prop->name, v, NULL)) {
        return;
    }
    value = visitor_output_take(v);
    text = json_uint64_to_string(value, false);
    print_line(p, "%s = %s", prop->name, text);
}

static void print_bus(Printer *p, BusState *bus);

static void print_device(Printer *p, DeviceState *dev)
{
    BusState *bus;

    print_line(p, "dev: %s, id \"%s\"", object_get_typename(OBJECT(dev)),
               dev->id ? dev->id : "");
    p->indent += 2;
    p->obj = OBJECT(dev);
    object_property_foreach(OBJECT(dev), print_property, p);
    QLIST_FOREACH(bus, &dev->child_bus, sibling) {
        print_bus(p, bus);
    }
    p->indent -= 2;
}

static void print_bus(Printer *p, BusState *bus)
{
    BusChild *kid;

    print_line(p, "bus: %s", bus->name);
    p->indent += 2;
    print_line(p, "type %s", object_get_typename(OBJECT(bus)));
    QTAILQ_FOREACH(kid, &bus->children, sibling) {
        print_device(p, kid->child);
    }
    p->indent -= 2;
}

static void hmp_info_qtree(GString *out, const char *args, Error **errp)
{
    Printer p = { .out = out };

    print_bus(&p, sysbus_get_default());
}

/* --- owners -------------------------------------------------------------- */

static int print_object(Object *obj, void *opaque)
{
    Printer *p = opaque;
    const char *name = object_get_canonical_path_component(obj);

    print_line(p, "/%s (%s)", name ? name : "", object_get_typename(obj));
    p->indent += 2;
    object_child_foreach(obj, print_object, p);
    p->indent -= 2;
    return 0;
}

static void hmp_info_qom_tree(GString *out, const char *args, Error **errp)
{
    const char *path = *args ? args : "/machine";
    Object *obj = object_resolve_path(path, NULL);
    Printer p = { .out = out };

    if (obj) {
        print_object(obj, &p);
    } else {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  path);
    }
}

static const HmpCommand hmp_qtree_info[] = {
    { .name = "qtree", .params = "", .help = "show buses and devices",
      .fn = hmp_info_qtree },
    { .name = "qom-tree", .params = "[path]",
      .help = "show the tree of objects", .fn = hmp_info_qom_tree },
};

static void hmp_qtree_register(void)
{
    hmp_register_info(hmp_qtree_info, ARRAY_SIZE(hmp_qtree_info));
}
type_init(hmp_qtree_register)
