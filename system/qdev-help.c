/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `-device help` and `-device TYPE,help` tell. */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "qdev-monitor.h"

/* In the order of the list; a device of no group is in the last one. */
static const struct {
    DeviceCategory category;
    const char *title;
} groups[] = {
    { DEVICE_CATEGORY_BRIDGE, "Controller/Bridge/Hub" },
    { DEVICE_CATEGORY_INPUT, "Input" },
    { DEVICE_CATEGORY_STORAGE, "Storage" },
    { DEVICE_CATEGORY_MISC, "Misc" },
    { DEVICE_CATEGORY_MAX, "Uncategorized" },
};

static bool in_group(const DeviceClass *dc, DeviceCategory category)
{
    return category == DEVICE_CATEGORY_MAX ? !dc->categories[0]
                                           : dc->categories[0] >> category & 1;
}

static void append_device(GString *out, DeviceClass *dc)
{
    g_string_append_printf(out, "name \"%s\"", object_class_get_name(OBJECT_CLASS(dc)));
    if (dc->bus_type) {
        g_string_append_printf(out, ", bus %s", dc->bus_type);
    }
    if (dc->desc) {
        g_string_append_printf(out, ", desc \"%s\"", dc->desc);
    }
    g_string_append_c(out, '\n');
}

void qdev_list_devices_help(GString *out)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_DEVICE,
                                                             false);
    bool first = true;

    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        bool titled = false;

        for (GSList *l = classes; l; l = l->next) {
            DeviceClass *dc = DEVICE_CLASS(l->data);

            if (!dc->user_creatable || !in_group(dc, groups[g].category)) {
                continue;
            }
            if (!titled) {
                g_string_append_printf(out, "%s%s devices:\n",
                                       first ? "" : "\n", groups[g].title);
                titled = true;
                first = false;
            }
            append_device(out, dc);
        }
    }
}

typedef struct PropertyHelp {
    GString *out;
    DeviceClass *dc;
} PropertyHelp;

static void append_property(ObjectProperty *op, void *opaque)
{
    const PropertyHelp *help = opaque;
    const Property *prop = qdev_prop_find(help->dc, op->name);
    g_autofree char *head = NULL;
    g_autofree char *value = NULL;

    if (!op->set || g_str_has_prefix(op->type, "child<")) {
        return;
    }
    if (prop && prop->info->print_default) {
        value = prop->info->print_default(prop);
    }
    head = g_strdup_printf("%s=<%s>", op->name, op->type);
    g_string_append_printf(help->out, "  %-*s",
                           op->description || value ? 32 : 0, head);
    if (op->description) {
        g_string_append_printf(help->out, " - %s", op->description);
    }
    if (value) {
        g_string_append_printf(help->out, " (default: %s)", value);
    }
    g_string_append_c(help->out, '\n');
}

bool qdev_list_properties_help(GString *out, const char *driver, Error **errp)
{
    PropertyHelp help = { .out = out };
    ObjectClass *oc = object_class_by_name(driver);
    g_autoptr(Object) obj = NULL;

    if (!oc || !object_class_dynamic_cast(oc, TYPE_DEVICE) ||
        object_class_is_abstract(oc)) {
        qdev_no_such_model(driver, errp);
        return false;
    }
    /* Links, and what a device adds for itself, exist in an instance only. */
    obj = object_new(driver);
    help.dc = DEVICE_CLASS(oc);
    g_string_append_printf(out, "%s options:\n", driver);
    object_property_foreach(obj, append_property, &help);
    return true;
}
