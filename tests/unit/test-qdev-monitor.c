/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices by description: what device_add and device_del accept, refuse, and
 * leave behind.
 */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "system/qdev-monitor.h"
#include "monitor/qmp.h"
#include "qemu/keyval.h"

/* --- a host with a bus that takes two, and devices for it --- */

#define TYPE_ZBUS "z-bus"
#define TYPE_ZHOST "z-host"
#define TYPE_ZDEV "z-dev"

typedef struct ZDev {
    DeviceState parent_obj;

    uint32_t number;
    char *text;
    bool flag;
    bool fail;
} ZDev;
DECLARE_INSTANCE_CHECKER(ZDev, ZDEV, TYPE_ZDEV)

static void zbus_class_init(ObjectClass *klass, void *data)
{
    BUS_CLASS(klass)->max_dev = 2;
}

static void zhost_init(Object *obj)
{
    qbus_create(TYPE_ZBUS, DEVICE(obj), "z.0");
}

static int live;

static void zdev_realize(DeviceState *dev, Error **errp)
{
    if (ZDEV(dev)->fail) {
        error_setg(errp, "it was told to");
        return;
    }
    live++;
}

static void zdev_unrealize(DeviceState *dev)
{
    live--;
}

static const Property zdev_properties[] = {
    DEFINE_PROP_UINT32("number", ZDev, number, 1),
    DEFINE_PROP_STRING("text", ZDev, text),
    DEFINE_PROP_BOOL("flag", ZDev, flag, false),
    DEFINE_PROP_BOOL("fail", ZDev, fail, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void zdev_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->bus_type = TYPE_ZBUS;
    dc->realize = zdev_realize;
    dc->unrealize = zdev_unrealize;
    device_class_set_props(dc, zdev_properties);
}

static void zfixed_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->hotpluggable = false;
}

static void zinner_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->user_creatable = false;
}

/* The host's bus has this for a handler: it removes devices at once. */
#define TYPE_ZHANDLER "z-handler"

static void zhandler_unplug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    if (ZDEV(dev)->flag) {
        error_setg(errp, "it is busy");
        return;
    }
    qdev_unrealize(dev);
}

static void zhandler_class_init(ObjectClass *klass, void *data)
{
    HOTPLUG_HANDLER_CLASS(klass)->unplug = zhandler_unplug;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_ZBUS, .parent = TYPE_BUS,
        .instance_size = sizeof(BusState), .class_init = zbus_class_init,
    }, {
        .name = TYPE_ZHOST, .parent = TYPE_SYS_BUS_DEVICE,
        .instance_init = zhost_init,
    }, {
        .name = TYPE_ZDEV, .parent = TYPE_DEVICE,
        .instance_size = sizeof(ZDev), .class_init = zdev_class_init,
    }, {
        .name = "z-fixed", .parent = TYPE_ZDEV,
        .class_init = zfixed_class_init,
    }, {
        .name = "z-inner", .parent = TYPE_ZDEV,
        .class_init = zinner_class_init,
    }, {
        .name = "z-abstract", .parent = TYPE_ZDEV, .abstract = true,
    }, {
        .name = TYPE_ZHANDLER, .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object), .class_init = zhandler_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_HOTPLUG_HANDLER }, { NULL } },
    },
};
DEFINE_TYPES(types)

/* --- set-up --- */

static BusState *bus;
static Object *handler;

static void make_board(void)
{
    DeviceState *host = qdev_new(TYPE_ZHOST);

    sysbus_realize_and_unref(SYS_BUS_DEVICE(host), &error_abort);
    bus = QLIST_FIRST(&host->child_bus);
    handler = object_new(TYPE_ZHANDLER);
}

static void set_up(void)
{
    while (!QTAILQ_EMPTY(&bus->children)) {
        object_unparent(OBJECT(QTAILQ_FIRST(&bus->children)->child));
    }
    qbus_set_hotplug_handler(bus, handler);
    qdev_hotplug = false;
    g_assert_cmpint(live, ==, 0);
}

static ZDev *add(const char *text, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "driver", NULL,
                                              &error_abort);
    DeviceState *dev = qdev_device_add_from_json(opts, true, errp);

    return dev ? ZDEV(dev) : NULL;
}

static ZDev *add_json(const char *text, Error **errp)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    DeviceState *dev = qdev_device_add_from_json(json_node_get_object(node),
                                                 false, errp);

    return dev ? ZDEV(dev) : NULL;
}

static Object *peripheral(const char *id)
{
    g_autofree char *path = g_strconcat("/machine/peripheral/", id, NULL);

    return object_resolve_path(path, NULL);
}

/* --- adding --- */

static void test_device_is_made_as_described(void)
{
    ZDev *z;

    set_up();
    z = add("z-dev,id=a,number=7,text=x,,y,flag=on", &error_abort);

    g_assert_true(peripheral("a") == OBJECT(z));
    g_assert_cmpuint(z->number, ==, 7);
    g_assert_cmpstr(z->text, ==, "x,y");
    g_assert_true(z->flag);
    g_assert_true(z->parent_obj.parent_bus == bus);
    g_assert_cmpuint(OBJECT(z)->ref, ==, 2);      /* the tree's, the bus's */
}

static void test_json_may_be_typed_or_text(void)
{
    ZDev *a, *b;

    set_up();
    a = add_json("{'driver':'z-dev','id':'a','number':7,'flag':true}",
                 &error_abort);
    b = add_json("{'driver':'z-dev','id':'b','number':'0x7','flag':'on'}",
                 &error_abort);

    g_assert_cmpuint(a->number, ==, b->number);
    g_assert_true(a->flag && b->flag);
}

static void test_device_without_id_is_anonymous(void)
{
    ZDev *z;
    g_autofree char *path = NULL;

    set_up();
    z = add("z-dev", &error_abort);
    path = object_get_canonical_path(OBJECT(z));

    g_assert_true(g_str_has_prefix(path, "/machine/peripheral-anon/device["));
}

static void test_bus_can_be_named(void)
{
    set_up();
    g_assert_nonnull(add("z-dev,bus=z.0", &error_abort));
    g_assert_cmpint(bus->num_children, ==, 1);
}

typedef struct RefusalCase {
    const char *name;
    const char *text;
    bool hotplug;
    const char *reason;
} RefusalCase;

static const RefusalCase refusal_cases[] = {
    { "no-driver", "id=a", false, "Parameter 'driver' is missing" },
    { "unknown-driver", "nothing,id=a", false,
      "'nothing' is not a valid device model name" },
    { "not-a-device", "container,id=a", false,
      "'container' is not a valid device model name" },
    { "abstract", "z-abstract,id=a", false, "non-abstract device type" },
    { "not-for-users", "z-inner,id=a", false, "pluggable device type" },
    { "not-hotpluggable", "z-fixed,id=a", true, "hotpluggable device type" },
    { "unknown-bus", "z-dev,id=a,bus=q", false, "Bus 'q' not found" },
    { "wrong-bus", "z-dev,id=a,bus=main-system-bus", false,
      "Device 'z-dev' can't go on System bus" },
    { "unknown-property", "z-dev,id=a,foo=1", false,
      "Property 'z-dev.foo' not found" },
    { "bad-value", "z-dev,id=a,number=x", false, "number" },
    { "malformed-id", "z-dev,id=0a", false, "expects an identifier" },
    { "malformed-id-slash", "z-dev,id=a/b", false, "expects an identifier" },
    { "empty-id", "z-dev,id=", false, "expects an identifier" },
    { "realize-fails", "z-dev,id=a,fail=on", false, "it was told to" },
};

static void test_refusal_leaves_nothing(gconstpointer data)
{
    const RefusalCase *c = data;
    Error *err = NULL;

    set_up();
    qdev_hotplug = c->hotplug;
    g_assert_null(add(c->text, &err));

    g_assert_nonnull(strstr(error_get_pretty(err), c->reason));
    g_assert_null(peripheral("a"));
    g_assert_cmpint(bus->num_children, ==, 0);
    g_assert_cmpint(live, ==, 0);
    error_free(err);
    g_assert_nonnull(add("z-dev,id=a", &error_abort));
}

static void test_id_is_taken_once(void)
{
    Error *err = NULL;

    set_up();
    add("z-dev,id=a", &error_abort);
    g_assert_null(add("z-dev,id=a", &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Duplicate ID 'a' for device");
    error_free(err);
}

static void test_full_bus_is_told_from_none(void)
{
    Error *err = NULL;

    set_up();
    add("z-dev", &error_abort);
    add("z-dev", &error_abort);
    g_assert_null(add("z-dev", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "No free 'z-bus' bus found for device 'z-dev'");
    error_free(err);
}

static void test_bus_without_handler_has_no_hotplug(void)
{
    Error *err = NULL;

    set_up();
    qbus_set_hotplug_handler(bus, NULL);
    qdev_hotplug = true;
    g_assert_null(add("z-dev,id=a", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Bus 'z.0' does not support hotplugging");
    error_free(err);
}

static void test_json_containers_are_refused(void)
{
    Error *err = NULL;

    set_up();
    g_assert_null(add_json("{'driver':'z-dev','number':[1]}", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'number'"));
    error_free(err);
}

/* --- removing --- */

static JsonNode *device_del(const char *id, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();

    json_object_set_string_member(args, "id", id);
    return qmp_find_command("device_del")->fn(args, errp);
}

static void test_removed_device_frees_its_id(void)
{
    set_up();
    add("z-dev,id=a", &error_abort);
    device_del("a", &error_abort);

    g_assert_null(peripheral("a"));
    g_assert_cmpint(live, ==, 0);
    g_assert_nonnull(add("z-dev,id=a", &error_abort));
    device_del("/machine/peripheral/a", &error_abort);
    g_assert_null(peripheral("a"));
}

static void del_refused(const char *id, const char *reason)
{
    Error *err = NULL;

    device_del(id, &err);
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), reason));
    error_free(err);
}

static void test_removal_is_refused(void)
{
    Error *err = NULL;
    ZDev *z;

    set_up();
    device_del("nobody", &err);
    g_assert_cmpint(error_get_class(err), ==, ERROR_CLASS_DEVICE_NOT_FOUND);
    error_free(err);

    z = add("z-dev,id=a,flag=on", &error_abort);
    del_refused("a", "it is busy");
    g_assert_true(z->parent_obj.realized);
    z->parent_obj.pending_deleted_event = true;
    del_refused("a", "already in the process of unplug");
    del_refused("/machine/peripheral", "is not a hotpluggable device");
    qbus_set_hotplug_handler(bus, NULL);
    del_refused("a", "Bus 'z.0' does not support hotplugging");
    z->parent_obj.pending_deleted_event = false;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    make_board();
    g_test_add_func("/device-add/device-is-made-as-described",
                    test_device_is_made_as_described);
    g_test_add_func("/device-add/json-may-be-typed-or-text",
                    test_json_may_be_typed_or_text);
    g_test_add_func("/device-add/without-id-is-anonymous",
                    test_device_without_id_is_anonymous);
    g_test_add_func("/device-add/bus-can-be-named", test_bus_can_be_named);
    for (size_t i = 0; i < ARRAY_SIZE(refusal_cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/device-add/refusal-leaves-nothing/%s", refusal_cases[i].name);

        g_test_add_data_func(path, &refusal_cases[i],
                             test_refusal_leaves_nothing);
    }
    g_test_add_func("/device-add/id-is-taken-once", test_id_is_taken_once);
    g_test_add_func("/device-add/full-bus-is-told-from-none",
                    test_full_bus_is_told_from_none);
    g_test_add_func("/device-add/bus-without-handler-has-no-hotplug",
                    test_bus_without_handler_has_no_hotplug);
    g_test_add_func("/device-add/json-containers-are-refused",
                    test_json_containers_are_refused);
    g_test_add_func("/device-del/frees-the-id",
                    test_removed_device_frees_its_id);
    g_test_add_func("/device-del/is-refused", test_removal_is_refused);
    return g_test_run();
}
