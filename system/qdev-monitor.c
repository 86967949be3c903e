/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices made and removed by description: -device, device_add, device_del.
 * Whatever goes wrong, nothing of the device is left and its id is free.
 * Knows no particular device. The texts of -device help are in qdev-help.c.
 */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "monitor/hmp.h"
#include "qdev-monitor.h"
#include "monitor/qmp.h"
#include "qemu/absent.h"
#include "qemu/id.h"
#include "qemu/keyval.h"
#include "qemu/may-open.h"
#include "qemu/timer.h"
#include "qom/object_interfaces.h"

/* --- what device --- */

/* The type that is meant by @driver, which may be a shorter name. */
static const char *resolve_alias(const char *driver)
{
    static const char *const aliases[][2] = {
        { "virtio-balloon", "virtio-balloon-pci" },
        { "virtio-blk", "virtio-blk-pci" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (!g_strcmp0(driver, aliases[i][0])) {
            return aliases[i][1];
        }
    }
    return driver;
}

void qdev_no_such_model(const char *driver, Error **errp)
{
    const char *reason = absent_reason(ABSENT_DEVICE, driver);

    error_setg(errp, "'%s' is not a valid device model name%s%s", driver,
               reason ? ": " : "", reason ? reason : "");
}

static DeviceClass *find_driver(const char *driver, Error **errp)
{
    ObjectClass *oc = object_class_by_name(driver);
    DeviceClass *dc;

    if (!oc || !object_class_dynamic_cast(oc, TYPE_DEVICE)) {
        qdev_no_such_model(driver, errp);
        return NULL;
    }
    if (object_class_is_abstract(oc)) {
        error_setg(errp, "Parameter 'driver' expects a non-abstract device "
                   "type, '%s' is abstract", driver);
        return NULL;
    }
    dc = DEVICE_CLASS(oc);
    if (!dc->user_creatable) {
        error_setg(errp, "Parameter 'driver' expects a pluggable device type, "
                   "'%s' is part of the board", driver);
        return NULL;
    }
    if (qdev_hotplug && !dc->hotpluggable) {
        error_setg(errp, "Parameter 'driver' expects a hotpluggable device "
                   "type, '%s' must be there from the start", driver);
        return NULL;
    }
    return dc;
}

/* --- where --- */

static BusState *find_bus_by_name(BusState *bus, const char *name)
{
    BusChild *kid;

    if (strcmp(bus->name, name) == 0) {
        return bus;
    }
    QTAILQ_FOREACH(kid, &bus->children, sibling) {
        BusState *child, *found;

        QLIST_FOREACH(child, &kid->child->child_bus, sibling) {
            found = find_bus_by_name(child, name);
            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

/* A bus of @type that has room; *full tells of one that has none. */
static BusState *find_bus_by_type(BusState *bus, const char *type, bool *full)
{
    BusChild *kid;

    if (object_dynamic_cast(OBJECT(bus), type)) {
        if (!qbus_is_full(bus)) {
            return bus;
        }
        *full = true;
    }
    QTAILQ_FOREACH(kid, &bus->children, sibling) {
        BusState *child, *found;

        QLIST_FOREACH(child, &kid->child->child_bus, sibling) {
            found = find_bus_by_type(child, type, full);
            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

static BusState *named_bus(const char *name, const char *driver,
                           DeviceClass *dc, Error **errp)
{
    BusState *bus = find_bus_by_name(sysbus_get_default(), name);

    if (!bus) {
        error_setg(errp, "Bus '%s' not found", name);
        return NULL;
    }
    if (!dc->bus_type || !object_dynamic_cast(OBJECT(bus), dc->bus_type)) {
        error_setg(errp, "Device '%s' can't go on %s bus", driver,
                   object_get_typename(OBJECT(bus)));
        return NULL;
    }
    return bus;
}

static BusState *any_bus(const char *driver, DeviceClass *dc, Error **errp)
{
    bool full = false;
    BusState *bus = find_bus_by_type(sysbus_get_default(), dc->bus_type, &full);

    if (!bus) {
        error_setg(errp, "No %s'%s' bus found for device '%s'",
                   full ? "free " : "", dc->bus_type, driver);
    }
    return bus;
}

/* Sets *bus (NULL: @dc needs none); false: *errp. */
static bool choose_bus(JsonObject *opts, const char *driver, DeviceClass *dc,
                       BusState **bus, Error **errp)
{
    *bus = NULL;
    if (json_object_has_member(opts, "bus")) {
        const char *name = json_object_get_string_member(opts, "bus");

        *bus = named_bus(name ? name : "", driver, dc, errp);
    } else if (dc->bus_type) {
        *bus = any_bus(driver, dc, errp);
    } else {
        return true;
    }
    if (*bus && qdev_hotplug && !qbus_is_hotpluggable(*bus)) {
        error_setg(errp, "Bus '%s' does not support hotplugging", (*bus)->name);
        return false;
    }
    return *bus != NULL;
}

/* --- its name --- */

bool qdev_set_id(DeviceState *dev, const char *id, Error **errp)
{
    Object *peripheral = container_get(qdev_get_machine(), "/peripheral");

    g_assert(!dev->realized && !dev->id);
    if (!id) {
        object_property_add_child(container_get(qdev_get_machine(),
                                                "/peripheral-anon"),
                                  "device[*]", OBJECT(dev));
        return true;
    }
    if (!id_wellformed(id)) {
        error_setg(errp, ERROR_ID_MALFORMED "; not '%s'", id);
        return false;
    }
    if (object_resolve_path_component(peripheral, id)) {
        error_setg(errp, "Duplicate ID '%s' for device", id);
        return false;
    }
    dev->id = g_strdup(id);
    object_property_add_child(peripheral, id, OBJECT(dev));
    return true;
}

/* --- all of it --- */

/* The device with its properties; NULL: *errp. The caller's reference. */
static DeviceState *create_device(const char *driver, JsonObject *properties,
                                  Error **errp)
{
    ERRP_GUARD();
    DeviceState *dev = qdev_new(driver);
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    object_set_properties_from_json(OBJECT(dev), properties, true, errp);
    if (!*errp && dc->prepare && qdev_hotplug) {
        dc->prepare(dev, errp);
    }
    if (*errp) {
        object_unref(OBJECT(dev));
        return NULL;
    }
    return dev;
}

/* Gives @dev its name and realizes it on @bus. false: *errp, and it is nobody's
 * any more. */
static bool place_device(DeviceState *dev, const char *id, BusState *bus,
                         Error **errp)
{
    if (!qdev_set_id(dev, id, errp)) {
        return false;
    }
    if (!qdev_realize(dev, bus, errp)) {
        object_unparent(OBJECT(dev));
        return false;
    }
    return true;
}

DeviceState *qdev_device_add_from_json(JsonObject *opts, bool keyval,
                                       Error **errp)
{
    g_autoptr(JsonObject) text = qemu_may_open(errp)
        ? keyval_from_json(opts, errp) : NULL;
    g_autoptr(JsonObject) properties = text ? keyval_from_json(text, errp) : NULL;
    g_autoptr(DeviceState) dev = NULL;
    const char *driver;
    DeviceClass *dc;
    BusState *bus;

    if (!properties) {
        return NULL;
    }
    driver = resolve_alias(json_object_get_string_member_with_default(
        text, "driver", NULL));
    if (!driver) {
        error_setg(errp, "Parameter 'driver' is missing");
        return NULL;
    }
    dc = find_driver(driver, errp);
    if (!dc || !choose_bus(text, driver, dc, &bus, errp)) {
        return NULL;
    }
    json_object_remove_member(properties, "driver");
    json_object_remove_member(properties, "bus");
    json_object_remove_member(properties, "id");
    dev = create_device(driver, properties, errp);
    /* The bus may have gone, or become full, while the device was prepared. */
    if (!dev || !choose_bus(text, driver, dc, &bus, errp) ||
        !place_device(dev, json_object_get_string_member_with_default(
                          text, "id", NULL), bus, errp)) {
        return NULL;
    }
    return dev;                           /* its parent holds a reference */
}

/* --- removal --- */

DeviceState *find_device_state(const char *id, Error **errp)
{
    Object *users = container_get(qdev_get_machine(), "/peripheral");
    Object *obj = *id == '/' ? object_resolve_path(id, NULL)
                             : object_resolve_path_component(users, id);
    Object *dev = object_dynamic_cast(obj, TYPE_DEVICE);

    if (!obj) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  id);
    } else if (!dev) {
        error_setg(errp, "%s is not a hotpluggable device", id);
    }
    return dev ? DEVICE(dev) : NULL;
}

static void unplug_now(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    ERRP_GUARD();

    hotplug_handler_unplug(handler, dev, errp);
    if (!*errp) {
        object_unparent(OBJECT(dev));
    }
}

void qdev_unplug(DeviceState *dev, Error **errp)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    g_autofree char *name = qdev_get_human_name(dev);

    if (dev->parent_bus && !qbus_is_hotpluggable(dev->parent_bus)) {
        error_setg(errp, "Bus '%s' does not support hotplugging",
                   dev->parent_bus->name);
    } else if (!dc->hotpluggable || !handler) {
        error_setg(errp, "Device '%s' does not support hotplugging", name);
    } else if (dev->pending_deleted_event &&
               (!dev->pending_deleted_expires_ms ||
                dev->pending_deleted_expires_ms >
                qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL))) {
        error_setg(errp, "Device '%s' is already in the process of unplug",
                   name);
    } else if (HOTPLUG_HANDLER_GET_CLASS(handler)->unplug_request) {
        hotplug_handler_unplug_request(handler, dev, errp);
    } else if (HOTPLUG_HANDLER_GET_CLASS(handler)->unplug) {
        unplug_now(handler, dev, errp);
    } else {
        error_setg(errp, "Device '%s' does not support unplugging", name);
    }
}

/* --- QMP --- */

static JsonNode *qmp_device_add(JsonObject *args, Error **errp)
{
    qdev_device_add_from_json(args, false, errp);
    return NULL;
}

static JsonNode *qmp_device_del(JsonObject *args, Error **errp)
{
    DeviceState *dev = find_device_state(
        json_object_get_string_member(args, "id"), errp);

    if (dev) {
        qdev_unplug(dev, errp);
    }
    return NULL;
}

static const QmpCommand qdev_commands[] = {
    { .name = "device_add", .args = "driver:str,?bus:str,?id:str,**",
      .features = "json-cli,json-cli-hotplug", .fn = qmp_device_add,
      .help = "Creates a device, as -device does.\n"
      "driver: the type, e.g. virtio-mem-pci\n"
      "bus: where to plug it in; left out, one that fits and has room\n"
      "id: what others call it by; needed to remove it\n"
      "**: its properties\n"
      "Errors: one that says why the device cannot be; nothing is left of "
      "it" },
    { .name = "device_del", .args = "id:str", .fn = qmp_device_del,
      .help =
      "Asks the guest to release a device; event DEVICE_DELETED tells that it "
      "did, DEVICE_UNPLUG_GUEST_ERROR that it will not.\n"
      "id: of the device, or its path\n"
      "Errors: DeviceNotFound; or one that says why it cannot be removed, "
      "such as memory of a virtio-mem device that is plugged" },
};

/* --- the same for people --- */

static void hmp_device_add(GString *out, const char *args, Error **errp)
{
    bool help = false;
    g_autoptr(JsonObject) opts = keyval_parse(args, "driver", &help, errp);

    if (opts && help && json_object_has_member(opts, "driver")) {
        qdev_list_properties_help(
            out, json_object_get_string_member(opts, "driver"), errp);
    } else if (opts && help) {
        qdev_list_devices_help(out);
    } else if (opts) {
        qdev_device_add_from_json(opts, true, errp);
    }
}

static void hmp_info_qdm(GString *out, const char *args, Error **errp)
{
    qdev_list_devices_help(out);
}

static const HmpCommand qdev_hmp_commands[] = {
    { .name = "device_add", .params = "driver[,prop=value][,...]",
      .help = "add a device (help, or "
              "DRIVER,help: list what there is)", .fn = hmp_device_add },
};

static const HmpCommand qdev_hmp_info[] = {
    { .name = "qdm", .params = "", .help = "show the devices that can be added",
      .fn = hmp_info_qdm },
};

static void qdev_monitor_register(void)
{
    hmp_register_commands(qdev_hmp_commands, ARRAY_SIZE(qdev_hmp_commands));
    hmp_register_info(qdev_hmp_info, ARRAY_SIZE(qdev_hmp_info));
    qmp_register_commands(qdev_commands, ARRAY_SIZE(qdev_commands));
}
type_init(qdev_monitor_register)
