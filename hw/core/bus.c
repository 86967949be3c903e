/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buses: which devices sit on one, walks over the tree of devices and buses,
 * and the reset that such a walk is. A bus is a child of the device that has
 * it; the devices on it are not its children but linked ("child[N]").
 */
#include "qemu/osdep.h"
#include "qdev-internal.h"
#include "qapi/error.h"

/* --- creation --- */

static char *bus_make_name(BusState *bus)
{
    DeviceState *dev = bus->parent;
    g_autofree char *base = NULL;
    int number = dev ? dev->num_child_bus : 0;

    if (dev && dev->id) {
        return g_strdup_printf("%s.%d", dev->id, number);
    }
    base = g_ascii_strdown(object_get_typename(OBJECT(bus)), -1);
    return g_strdup_printf("%s.%d", base, number);
}

static void bus_attach(BusState *bus, DeviceState *parent, const char *name)
{
    bus->parent = parent;
    bus->name = name ? g_strdup(name) : bus_make_name(bus);
    if (parent) {
        QLIST_INSERT_HEAD(&parent->child_bus, bus, sibling);
        parent->num_child_bus++;
        object_property_add_child(OBJECT(parent), bus->name, OBJECT(bus));
        /* The parent's reference is the only one. */
        object_unref(bus);
    }
}

void qbus_create_inplace(void *bus, size_t size, const char *typename,
                         DeviceState *parent, const char *name)
{
    object_initialize(bus, size, typename);
    bus_attach(bus, parent, name);
}

BusState *qbus_create(const char *typename, DeviceState *parent,
                      const char *name)
{
    BusState *bus = BUS(object_new(typename));

    bus_attach(bus, parent, name);
    return bus;
}

/* --- membership --- */

bool qbus_is_full(BusState *bus)
{
    BusClass *bc = BUS_GET_CLASS(bus);

    return bc->max_dev != 0 && bus->num_children >= bc->max_dev;
}

bool bus_add_child(BusState *bus, DeviceState *dev, Error **errp)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);
    BusClass *bc = BUS_GET_CLASS(bus);
    g_autofree char *name = NULL;
    BusChild *kid;

    if (!dc->bus_type || !object_dynamic_cast(OBJECT(bus), dc->bus_type)) {
        error_setg(errp, "Device '%s' can't go on %s bus",
                   object_get_typename(OBJECT(dev)),
                   object_get_typename(OBJECT(bus)));
        return false;
    }
    if (qbus_is_full(bus)) {
        error_setg(errp, "Bus '%s' is full: it takes %d device%s", bus->name,
                   bc->max_dev, bc->max_dev == 1 ? "" : "s");
        return false;
    }
    if (bc->check_address && !bc->check_address(bus, dev, errp)) {
        return false;
    }
    kid = g_new0(BusChild, 1);
    kid->index = bus->max_index++;
    kid->child = dev;
    object_ref(dev);
    QTAILQ_INSERT_HEAD(&bus->children, kid, sibling);
    bus->num_children++;
    name = g_strdup_printf("child[%d]", kid->index);
    object_property_add_link(OBJECT(bus), name, TYPE_DEVICE,
                             (Object **)&kid->child, NULL, 0);
    dev->parent_bus = bus;
    object_ref(bus);
    return true;
}

void bus_remove_child(BusState *bus, DeviceState *dev)
{
    g_autofree char *name = NULL;
    BusChild *kid;

    QTAILQ_FOREACH(kid, &bus->children, sibling) {
        if (kid->child == dev) {
            break;
        }
    }
    g_assert(kid);
    name = g_strdup_printf("child[%d]", kid->index);
    object_property_del(OBJECT(bus), name);
    QTAILQ_REMOVE(&bus->children, kid, sibling);
    bus->num_children--;
    g_free(kid);
    dev->parent_bus = NULL;
    object_unref(bus);
    object_unref(dev);
}

/* --- realizing --- */

bool qbus_realize(BusState *bus, Error **errp)
{
    ERRP_GUARD();
    BusClass *bc = BUS_GET_CLASS(bus);

    if (bus->realized) {
        return true;
    }
    if (bc->realize) {
        bc->realize(bus, errp);
        if (*errp) {
            return false;
        }
    }
    bus->realized = true;
    return true;
}

void qbus_unrealize(BusState *bus)
{
    BusClass *bc = BUS_GET_CLASS(bus);
    BusChild *kid;

    if (!bus->realized) {
        return;
    }
    QTAILQ_FOREACH(kid, &bus->children, sibling) {
        if (kid->child->realized) {
            qdev_unrealize(kid->child);
        }
    }
    if (bc->unrealize) {
        bc->unrealize(bus);
    }
    bus->realized = false;
}

/* --- hotplug --- */

void qbus_set_hotplug_handler(BusState *bus, Object *handler)
{
    bus->hotplug_handler = handler ? HOTPLUG_HANDLER(handler) : NULL;
}

bool qbus_is_hotpluggable(BusState *bus)
{
    return bus->hotplug_handler != NULL;
}

/* --- walks --- */

int qbus_walk_children(BusState *bus, qdev_walkerfn *pre_devfn,
                       qbus_walkerfn *pre_busfn, qdev_walkerfn *post_devfn,
                       qbus_walkerfn *post_busfn, void *opaque)
{
    BusChild *kid, *next;
    int ret = pre_busfn ? pre_busfn(bus, opaque) : 0;

    if (ret) {
        return ret;
    }
    QTAILQ_FOREACH_SAFE(kid, &bus->children, sibling, next) {
        ret = qdev_walk_children(kid->child, pre_devfn, pre_busfn, post_devfn,
                                 post_busfn, opaque);
        if (ret) {
            return ret;
        }
    }
    return post_busfn ? post_busfn(bus, opaque) : 0;
}

int qdev_walk_children(DeviceState *dev, qdev_walkerfn *pre_devfn,
                       qbus_walkerfn *pre_busfn, qdev_walkerfn *post_devfn,
                       qbus_walkerfn *post_busfn, void *opaque)
{
    BusState *bus;
    int ret = pre_devfn ? pre_devfn(dev, opaque) : 0;

    if (ret) {
        return ret;
    }
    QLIST_FOREACH(bus, &dev->child_bus, sibling) {
        ret = qbus_walk_children(bus, pre_devfn, pre_busfn, post_devfn,
                                 post_busfn, opaque);
        if (ret) {
            return ret;
        }
    }
    return post_devfn ? post_devfn(dev, opaque) : 0;
}

/* --- reset --- */

static int reset_device(DeviceState *dev, void *opaque)
{
    device_legacy_reset(dev);
    return 0;
}

static int reset_bus(BusState *bus, void *opaque)
{
    void (*reset)(BusState *bus) = BUS_GET_CLASS(bus)->reset;

    if (reset) {
        reset(bus);
    }
    return 0;
}

void qbus_reset_all(BusState *bus)
{
    qbus_walk_children(bus, NULL, NULL, reset_device, reset_bus, NULL);
}

void qdev_reset_all(DeviceState *dev)
{
    qdev_walk_children(dev, NULL, NULL, reset_device, reset_bus, NULL);
}

void qbus_reset_all_fn(void *opaque)
{
    qbus_reset_all(opaque);
}

/* --- the type --- */

static void bus_unparent(Object *obj)
{
    BusState *bus = BUS(obj);
    BusChild *kid;

    while ((kid = QTAILQ_FIRST(&bus->children))) {
        DeviceState *dev = kid->child;

        object_unparent(OBJECT(dev));
        if (QTAILQ_FIRST(&bus->children) == kid) {
            /* It was not in the composition tree. */
            bus_remove_child(bus, dev);
        }
    }
    qbus_unrealize(bus);
    if (bus->parent) {
        QLIST_REMOVE(bus, sibling);
        bus->parent->num_child_bus--;
        bus->parent = NULL;
    }
}

static void bus_init(Object *obj)
{
    QTAILQ_INIT(&BUS(obj)->children);
}

static void bus_finalize(Object *obj)
{
    BusState *bus = BUS(obj);

    g_assert(QTAILQ_EMPTY(&bus->children));
    g_free(bus->name);
}

static bool bus_get_realized(Object *obj, Error **errp)
{
    return BUS(obj)->realized;
}

static void bus_class_init(ObjectClass *klass, void *data)
{
    klass->unparent = bus_unparent;
    object_class_property_add_bool(klass, "realized", bus_get_realized, NULL);
}

static const TypeInfo bus_types[] = {
    {
        .name = TYPE_BUS,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(BusState),
        .abstract = true,
        .class_size = sizeof(BusClass),
        .instance_init = bus_init,
        .instance_finalize = bus_finalize,
        .class_init = bus_class_init,
    },
};
DEFINE_TYPES(bus_types)
