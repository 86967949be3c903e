/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the Property arrays of device classes become object properties: their
 * defaults, the rule that they are fixed once the device is realized, and the
 * release of what they hold. The kinds are in qdev-properties-kinds.c and
 * qdev-properties-system.c.
 */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "qdev-internal.h"

void *object_field_prop_ptr(Object *obj, const Property *prop)
{
    return (char *)obj + prop->offset;
}

/* --- setting --- */

bool qdev_prop_check_settable(Object *obj, const char *name, Error **errp)
{
    DeviceState *dev = DEVICE(obj);

    if (!dev->realized) {
        return true;
    }
    if (dev->id) {
        error_setg(errp, "Attempt to set property '%s' on device '%s' "
                   "(type '%s') after it was realized", name, dev->id,
                   object_get_typename(obj));
    } else {
        error_setg(errp, "Attempt to set property '%s' on anonymous device "
                   "(type '%s') after it was realized", name,
                   object_get_typename(obj));
    }
    return false;
}

void qdev_prop_allow_set_link_before_realize(const Object *obj,
                                             const char *name, Object *val,
                                             Error **errp)
{
    qdev_prop_check_settable((Object *)obj, name, errp);
}

void error_set_from_qdev_prop_error(Error **errp, int ret, Object *obj,
                                    const char *name, const char *value)
{
    const char *type = object_get_typename(obj);

    switch (ret) {
    case -EEXIST:
        error_setg(errp, "Property '%s.%s' can't take value '%s', it's in use",
                   type, name, value);
        break;
    case -ENOENT:
        error_setg(errp, "Property '%s.%s' can't find value '%s'",
                   type, name, value);
        break;
    default:
        error_setg(errp, "Property '%s.%s' doesn't take value '%s'",
                   type, name, value);
        break;
    }
}

static void qdev_prop_get(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    const Property *prop = opaque;

    prop->info->get(obj, v, name, opaque, errp);
}

static void qdev_prop_set(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    const Property *prop = opaque;

    if (qdev_prop_check_settable(obj, name, errp)) {
        prop->info->set(obj, v, name, opaque, errp);
    }
}

/* --- the class --- */

void device_class_set_props(DeviceClass *dc, const Property *props)
{
    ObjectClass *klass = OBJECT_CLASS(dc);

    dc->props_ = props;
    for (const Property *prop = props; prop && prop->name; prop++) {
        if (prop->info == &qdev_prop_link) {
            continue;                     /* a link belongs to an instance */
        }
        object_class_property_add(klass, prop->name, prop->info->name,
                                  prop->info->get ? qdev_prop_get : NULL,
                                  prop->info->set ? qdev_prop_set : NULL,
                                  NULL, (void *)prop);
        if (prop->info->description) {
            object_class_property_set_description(klass, prop->name,
                                                  prop->info->description);
        }
    }
}

static DeviceClass *parent_device_class(DeviceClass *dc)
{
    ObjectClass *parent = object_class_get_parent(OBJECT_CLASS(dc));

    parent = parent ? object_class_dynamic_cast(parent, TYPE_DEVICE) : NULL;
    return parent ? DEVICE_CLASS(parent) : NULL;
}

const Property *qdev_prop_find(DeviceClass *klass, const char *name)
{
    for (; klass; klass = parent_device_class(klass)) {
        for (const Property *p = klass->props_; p && p->name; p++) {
            if (strcmp(p->name, name) == 0) {
                return p;
            }
        }
    }
    return NULL;
}

/* --- the instance --- */

static void set_class_defaults(Object *obj, DeviceClass *dc)
{
    DeviceClass *parent = parent_device_class(dc);

    /* Base classes first, as their instance_init will be. */
    if (parent) {
        set_class_defaults(obj, parent);
    }
    for (const Property *prop = dc->props_; prop && prop->name; prop++) {
        if (prop->info == &qdev_prop_link) {
            object_property_add_link(obj, prop->name, prop->link_type,
                                     object_field_prop_ptr(obj, prop),
                                     qdev_prop_allow_set_link_before_realize,
                                     OBJ_PROP_LINK_STRONG);
        } else if (prop->set_default) {
            prop->info->set_default_value(obj, prop);
        }
    }
}

void qdev_prop_set_defaults(DeviceState *dev)
{
    set_class_defaults(OBJECT(dev), DEVICE_GET_CLASS(dev));
}

void qdev_prop_release(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    for (; dc; dc = parent_device_class(dc)) {
        for (const Property *prop = dc->props_; prop && prop->name; prop++) {
            if (prop->info->release) {
                prop->info->release(OBJECT(dev), prop->name, (void *)prop);
            }
        }
    }
}
