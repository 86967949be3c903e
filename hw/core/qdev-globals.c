/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -global: values given once for all devices of a type. */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "qemu/error-report.h"
#include "qdev-internal.h"

static GList *global_props;

void qdev_prop_register_global(GlobalProperty *prop)
{
    global_props = g_list_append(global_props, prop);
}

/* Creating an object cannot fail. At start the whole program does; a device
 * that is added later keeps its default. */
static void apply_failed(DeviceState *dev, Error *err)
{
    if (dev->hotplugged) {
        warn_report_err(err);
    } else {
        error_propagate(&error_fatal, err);
    }
}

void qdev_prop_set_globals(DeviceState *dev)
{
    for (GList *l = global_props; l; l = l->next) {
        GlobalProperty *gp = l->data;
        Error *err = NULL;

        if (!object_dynamic_cast(OBJECT(dev), gp->driver)) {
            continue;
        }
        gp->used = true;
        if (!object_property_parse(OBJECT(dev), gp->property, gp->value,
                                   &err)) {
            error_prepend(&err, "-global %s.%s=%s: ", gp->driver, gp->property,
                          gp->value);
            apply_failed(dev, err);
        }
    }
}

void qdev_prop_check_globals(void)
{
    for (GList *l = global_props; l; l = l->next) {
        GlobalProperty *gp = l->data;
        ObjectClass *oc = object_class_by_name(gp->driver);

        if (gp->used) {
            continue;
        }
        if (!oc || !object_class_dynamic_cast(oc, TYPE_DEVICE)) {
            warn_report("global %s.%s has invalid class name", gp->driver,
                        gp->property);
        } else if (!DEVICE_CLASS(oc)->hotpluggable) {
            warn_report("global %s.%s=%s not used", gp->driver, gp->property,
                        gp->value);
        }
    }
}
