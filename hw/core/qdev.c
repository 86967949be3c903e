/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a device: created, put on a bus, realized, unrealized, removed.
 * hw/qdev-core.h has the contract. Knows no particular bus or device; who has
 * a say when a device is plugged is a HotplugHandler.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "qapi/client-event.h"
#include "qdev-internal.h"

bool qdev_hotplug;

/* --- names and places --- */

Object *qdev_get_machine(void)
{
    return container_get(object_get_root(), "/machine");
}

char *qdev_get_human_name(DeviceState *dev)
{
    char *path;

    if (dev->id) {
        return g_strdup(dev->id);
    }
    path = object_get_canonical_path(OBJECT(dev));
    return path ? path : g_strdup(object_get_typename(OBJECT(dev)));
}

BusState *qdev_get_parent_bus(DeviceState *dev)
{
    return dev->parent_bus;
}

void qdev_machine_creation_done(void)
{
    qdev_hotplug = true;
}

/* --- creation --- */

DeviceState *qdev_new(const char *name)
{
    return DEVICE(object_new(name));
}

bool qdev_set_parent_bus(DeviceState *dev, BusState *bus, Error **errp)
{
    g_assert(!dev->realized);
    if (dev->parent_bus) {
        bus_remove_child(dev->parent_bus, dev);
    }
    return bus_add_child(bus, dev, errp);
}

/* --- who handles its plugging --- */

HotplugHandler *qdev_get_machine_hotplug_handler(DeviceState *dev)
{
    Object *machine = object_dynamic_cast(qdev_get_machine(), TYPE_MACHINE);
    MachineClass *mc;

    if (!machine) {
        return NULL;
    }
    mc = MACHINE_GET_CLASS(machine);
    return mc->get_hotplug_handler
           ? mc->get_hotplug_handler(MACHINE(machine), dev) : NULL;
}

HotplugHandler *qdev_get_bus_hotplug_handler(DeviceState *dev)
{
    return dev->parent_bus ? dev->parent_bus->hotplug_handler : NULL;
}

HotplugHandler *qdev_get_hotplug_handler(DeviceState *dev)
{
    HotplugHandler *handler = qdev_get_machine_hotplug_handler(dev);

    return handler ? handler : qdev_get_bus_hotplug_handler(dev);
}

/* --- realizing --- */

static bool device_pre_plug(DeviceState *dev, HotplugHandler *handler,
                            Error **errp)
{
    ERRP_GUARD();
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (dev->hotplugged && !dc->hotpluggable) {
        error_setg(errp, "Device '%s' does not support hotplugging",
                   object_get_typename(OBJECT(dev)));
        return false;
    }
    if (handler) {
        hotplug_handler_pre_plug(handler, dev, errp);
    }
    return !*errp;
}

static void device_unrealize_buses(DeviceState *dev)
{
    BusState *bus;

    QLIST_FOREACH(bus, &dev->child_bus, sibling) {
        qbus_unrealize(bus);
    }
}

static bool device_realize_buses(DeviceState *dev, Error **errp)
{
    BusState *bus;

    QLIST_FOREACH(bus, &dev->child_bus, sibling) {
        if (!qbus_realize(bus, errp)) {
            device_unrealize_buses(dev);
            return false;
        }
    }
    return true;
}

/* The class's realize, the buses, plug: all of it or nothing. */
static bool device_realize_and_plug(DeviceState *dev, HotplugHandler *handler,
                                    Error **errp)
{
    ERRP_GUARD();
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (dc->realize) {
        dc->realize(dev, errp);
        if (*errp) {
            return false;
        }
    }
    if (!device_realize_buses(dev, errp)) {
        goto unrealize;
    }
    if (dev->hotplugged) {
        qdev_reset_all(dev);
    }
    if (handler) {
        hotplug_handler_plug(handler, dev, errp);
        if (*errp) {
            goto unrealize_buses;
        }
    }
    return true;

unrealize_buses:
    device_unrealize_buses(dev);
unrealize:
    if (dc->unrealize) {
        dc->unrealize(dev);
    }
    return false;
}

static bool device_realize(DeviceState *dev, Error **errp)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    bool unattached = !OBJECT(dev)->parent;

    if (!device_pre_plug(dev, handler, errp)) {
        return false;
    }
    if (unattached) {
        object_property_add_child(container_get(qdev_get_machine(),
                                                "/unattached"),
                                  "device[*]", OBJECT(dev));
    }
    g_free(dev->canonical_path);
    dev->canonical_path = object_get_canonical_path(OBJECT(dev));
    if (!device_realize_and_plug(dev, handler, errp)) {
        g_clear_pointer(&dev->canonical_path, g_free);
        if (unattached) {
            object_unparent(OBJECT(dev));
        }
        return false;
    }
    dev->pending_deleted_event = false;
    dev->realized = true;
    return true;
}

bool qdev_realize(DeviceState *dev, BusState *bus, Error **errp)
{
    g_assert(!dev->realized && !dev->parent_bus);
    g_assert(bus || !DEVICE_GET_CLASS(dev)->bus_type);

    if (bus && !qdev_set_parent_bus(dev, bus, errp)) {
        return false;
    }
    if (!device_realize(dev, errp)) {
        if (dev->parent_bus) {
            bus_remove_child(dev->parent_bus, dev);
        }
        return false;
    }
    return true;
}

bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, Error **errp)
{
    bool ok = qdev_realize(dev, bus, errp);

    object_unref(dev);
    return ok;
}

void qdev_unrealize(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    g_assert(dev->realized);
    dev->realized = false;
    device_unrealize_buses(dev);
    if (dc->unrealize) {
        dc->unrealize(dev);
    }
    dev->pending_deleted_event = true;
}

void device_legacy_reset(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (dc->reset) {
        dc->reset(dev);
    }
}

/* --- removal --- */

static void device_emit_deleted(DeviceState *dev)
{
    JsonObject *data = json_object_new();

    if (dev->id) {
        json_object_set_string_member(data, "device", dev->id);
    }
    json_object_set_string_member(data, "path", dev->canonical_path);
    qapi_event_emit("DEVICE_DELETED", data);
}

static void device_unparent(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    if (dev->realized) {
        qdev_unrealize(dev);
    }
    while (dev->num_child_bus) {
        object_unparent(OBJECT(QLIST_FIRST(&dev->child_bus)));
    }
    if (dev->parent_bus) {
        bus_remove_child(dev->parent_bus, dev);
    }
}

/* --- the type --- */

static bool device_get_realized(Object *obj, Error **errp)
{
    return DEVICE(obj)->realized;
}

static bool device_get_hotplugged(Object *obj, Error **errp)
{
    return DEVICE(obj)->hotplugged;
}

static bool device_get_hotpluggable(Object *obj, Error **errp)
{
    DeviceState *dev = DEVICE(obj);

    return DEVICE_GET_CLASS(dev)->hotpluggable &&
           (!dev->parent_bus || qbus_is_hotpluggable(dev->parent_bus));
}

static void device_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    dev->hotplugged = qdev_hotplug;
    QLIST_INIT(&dev->gpios);
    QLIST_INIT(&dev->child_bus);
    qdev_prop_set_defaults(dev);
    object_property_add_link(obj, "parent_bus", TYPE_BUS,
                             (Object **)&dev->parent_bus, NULL, 0);
}

/* Once the instance_init of all its classes have run. */
static void apply_globals(Object *obj)
{
    qdev_prop_set_globals(DEVICE(obj));
}

static void device_finalize(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    /*
     * Now that what the device held of the host is released, others may have
     * it. Never realized, never there: nobody needs to know.
     */
    if (dev->canonical_path && dev->pending_deleted_event) {
        device_emit_deleted(dev);
    }
    qdev_free_gpios(dev);
    qdev_prop_release(dev);
    g_free(dev->canonical_path);
    g_free(dev->id);
}

static void device_class_base_init(ObjectClass *klass, void *data)
{
    /* The parent's own; they are found by walking up. */
    DEVICE_CLASS(klass)->props_ = NULL;
}

static void device_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    klass->unparent = device_unparent;
    dc->hotpluggable = true;
    dc->user_creatable = true;
    object_class_property_add_bool(klass, "realized",
                                   device_get_realized, NULL);
    object_class_property_add_bool(klass, "hotpluggable",
                                   device_get_hotpluggable, NULL);
    object_class_property_add_bool(klass, "hotplugged",
                                   device_get_hotplugged, NULL);
}

static const TypeInfo device_types[] = {
    {
        .name = TYPE_DEVICE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(DeviceState),
        .instance_init = device_init,
        .instance_post_init = apply_globals,
        .instance_finalize = device_finalize,
        .abstract = true,
        .class_size = sizeof(DeviceClass),
        .class_base_init = device_class_base_init,
        .class_init = device_class_init,
    },
};
DEFINE_TYPES(device_types)
