/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of QEMU's machines whose value never changes here, because the
 * machine always has something or never has it. What holds anyway may be set;
 * what does not is refused. Used by machine types.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qapi/visitor.h"

static void get_fixed_bool(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    const MachineFixedProperty *fixed = opaque;
    bool value = fixed->on;

    visit_type_bool(v, name, &value, errp);
}

static void refuse(const char *name, bool value, Error **errp)
{
    error_setg(errp, "%s=%s: not supported; possible: %s", name,
               value ? "on" : "off", value ? "off" : "on");
}

static void set_fixed_bool(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    const MachineFixedProperty *fixed = opaque;
    bool value;

    if (visit_type_bool(v, name, &value, errp) && value != fixed->on) {
        refuse(name, value, errp);
    }
}

static void get_fixed_on_off_auto(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    const MachineFixedProperty *fixed = opaque;
    int value = fixed->on ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;

    visit_type_enum(v, name, &value, &OnOffAuto_lookup, errp);
}

static void set_fixed_on_off_auto(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    const MachineFixedProperty *fixed = opaque;
    int value;

    if (visit_type_enum(v, name, &value, &OnOffAuto_lookup, errp) &&
        value == (fixed->on ? ON_OFF_AUTO_OFF : ON_OFF_AUTO_ON)) {
        refuse(name, value == ON_OFF_AUTO_ON, errp);
    }
}

void machine_class_add_fixed(ObjectClass *klass,
                             const MachineFixedProperty *fixed)
{
    for (; fixed->name; fixed++) {
        object_class_property_add(
            klass, fixed->name, fixed->has_auto ? "OnOffAuto" : "bool",
            fixed->has_auto ? get_fixed_on_off_auto : get_fixed_bool,
            fixed->has_auto ? set_fixed_on_off_auto : set_fixed_bool, NULL,
            (void *)fixed);
        object_class_property_set_description(klass, fixed->name,
                                              fixed->description);
    }
}
