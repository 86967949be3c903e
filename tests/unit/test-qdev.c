/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of devices and buses: order of the steps, and that a failure at any
 * of them leaves nothing behind.
 */
#include "qemu/osdep.h"
#include "hw/qdev-core.h"
#include "property-value.h"
#include "qapi/client-event.h"
#include "qapi/error.h"

/* What happened, a word for each step. */
static GString *trace;
/* The step that is to fail; NULL: none. */
static const char *failing;

static void note(const char *who, const char *what)
{
    g_string_append_printf(trace, "%s%s.%s", trace->len ? " " : "", who, what);
}

static void note_or_fail(const char *who, const char *what, Error **errp)
{
    g_autofree char *step = g_strdup_printf("%s.%s", who, what);

    note(who, what);
    if (g_strcmp0(step, failing) == 0) {
        error_setg(errp, "%s fails", step);
    }
}

/* --- a bus, and a device that has one --- */

#define TYPE_TBUS "t-bus"

static void tbus_realize(BusState *bus, Error **errp)
{
    note_or_fail("bus", "realize", errp);
}

static void tbus_unrealize(BusState *bus)
{
    note("bus", "unrealize");
}

static void tbus_reset(BusState *bus)
{
    note("bus", "reset");
}

static bool tbus_check_address(BusState *bus, DeviceState *dev, Error **errp)
{
    if (g_strcmp0(failing, "bus.check") == 0) {
        error_setg(errp, "bus.check fails");
        return false;
    }
    return true;
}

static void tbus_class_init(ObjectClass *klass, void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->realize = tbus_realize;
    bc->unrealize = tbus_unrealize;
    bc->reset = tbus_reset;
    bc->check_address = tbus_check_address;
    bc->max_dev = 2;
}

static const char *dev_name(DeviceState *dev)
{
    return dev->id ? dev->id : "dev";
}

static void tdev_realize(DeviceState *dev, Error **errp)
{
    note_or_fail(dev_name(dev), "realize", errp);
}

static void tdev_unrealize(DeviceState *dev)
{
    note(dev_name(dev), "unrealize");
}

static void tdev_reset(DeviceState *dev)
{
    note(dev_name(dev), "reset");
}

static void tdev_finalize(Object *obj)
{
    note(dev_name(DEVICE(obj)), "finalize");
}

static void tdev_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = tdev_realize;
    dc->unrealize = tdev_unrealize;
    dc->reset = tdev_reset;
}

/* A device with a bus. */
#define TYPE_TBRIDGE "t-bridge"

static void tbridge_init(Object *obj)
{
    qbus_create(TYPE_TBUS, DEVICE(obj), "kids");
}

/* A device that sits on it. */
#define TYPE_TLEAF "t-leaf"

static void tleaf_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->bus_type = TYPE_TBUS;
}

#define TYPE_TFIXED "t-fixed"

static void tfixed_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->hotpluggable = false;
}

/* --- a hotplug handler --- */

#define TYPE_THANDLER "t-handler"

static void th_pre_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    note_or_fail("handler", "pre_plug", errp);
}

static void th_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    note_or_fail("handler", "plug", errp);
}

static void thandler_class_init(ObjectClass *klass, void *data)
{
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    hc->pre_plug = th_pre_plug;
    hc->plug = th_plug;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_TBUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(BusState),
        .class_init = tbus_class_init,
    }, {
        .name = "t-device",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(DeviceState),
        .instance_finalize = tdev_finalize,
        .class_init = tdev_class_init,
    }, {
        .name = TYPE_TBRIDGE,
        .parent = "t-device",
        .instance_init = tbridge_init,
    }, {
        .name = TYPE_TLEAF,
        .parent = "t-device",
        .class_init = tleaf_class_init,
    }, {
        .name = TYPE_TFIXED,
        .parent = "t-device",
        .class_init = tfixed_class_init,
    }, {
        .name = TYPE_THANDLER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = thandler_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_HOTPLUG_HANDLER }, { NULL } },
    },
};
DEFINE_TYPES(types)

/* --- set-up --- */

static DeviceState *new_named(const char *type, const char *id)
{
    DeviceState *dev = qdev_new(type);

    dev->id = g_strdup(id);
    return dev;
}

typedef struct Fixture {
    DeviceState *bridge;                  /* realized */
    BusState *bus;
    Object *handler;                      /* of bus */
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    failing = NULL;
    qdev_hotplug = false;
    f->bridge = new_named(TYPE_TBRIDGE, "bridge");
    qdev_realize(f->bridge, NULL, &error_abort);
    f->bus = QLIST_FIRST(&f->bridge->child_bus);
    f->handler = object_new(TYPE_THANDLER);
    qbus_set_hotplug_handler(f->bus, f->handler);
    g_string_truncate(trace, 0);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    failing = NULL;
    qdev_hotplug = false;
    object_unparent(OBJECT(f->bridge));
    object_unref(f->bridge);
    object_unref(f->handler);
}

/* --- realizing --- */

static void test_steps_come_in_order(Fixture *f, gconstpointer data)
{
    DeviceState *dev = new_named(TYPE_TLEAF, "leaf");

    g_assert_true(qdev_realize_and_unref(dev, f->bus, &error_abort));

    g_assert_cmpstr(trace->str, ==,
                    "handler.pre_plug leaf.realize handler.plug");
    g_assert_true(dev->realized);
    g_assert_true(qdev_get_parent_bus(dev) == f->bus);
    g_assert_cmpint(f->bus->num_children, ==, 1);
}

static void test_hotplugged_device_is_reset_before_plug(Fixture *f,
                                                        gconstpointer data)
{
    qdev_hotplug = true;

    qdev_realize_and_unref(new_named(TYPE_TLEAF, "leaf"), f->bus, &error_abort);

    g_assert_cmpstr(trace->str, ==,
                    "handler.pre_plug leaf.realize leaf.reset handler.plug");
}

static void test_child_bus_is_realized_after_its_device(Fixture *f,
                                                        gconstpointer data)
{
    DeviceState *dev = new_named(TYPE_TBRIDGE, "b2");

    qdev_realize(dev, NULL, &error_abort);
    qdev_unrealize(dev);

    g_assert_cmpstr(trace->str, ==, "b2.realize bus.realize bus.unrealize "
                    "b2.unrealize");
    object_unparent(OBJECT(dev));
    object_unref(dev);
}

typedef struct FailureCase {
    const char *step;
    const char *type;
    const char *trace;
} FailureCase;

static const FailureCase failure_cases[] = {
    { "bus.check", TYPE_TLEAF, "" },
    { "handler.pre_plug", TYPE_TLEAF, "handler.pre_plug" },
    { "x.realize", TYPE_TLEAF, "handler.pre_plug x.realize" },
    { "handler.plug", TYPE_TLEAF,
      "handler.pre_plug x.realize handler.plug x.unrealize" },
    { "bus.realize", TYPE_TBRIDGE, "x.realize bus.realize x.unrealize" },
};

static void test_failure_leaves_nothing(Fixture *f, gconstpointer data)
{
    const FailureCase *c = data;
    DeviceState *dev = new_named(c->type, "x");
    bool leaf = strcmp(c->type, TYPE_TLEAF) == 0;
    g_autofree char *message = g_strdup_printf("%s fails", c->step);
    Error *err = NULL;

    failing = c->step;
    g_assert_false(qdev_realize(dev, leaf ? f->bus : NULL, &err));

    g_assert_cmpstr(error_get_pretty(err), ==, message);
    g_assert_cmpstr(trace->str, ==, c->trace);
    g_assert_false(dev->realized);
    g_assert_null(dev->parent_bus);
    g_assert_null(OBJECT(dev)->parent);
    g_assert_cmpint(f->bus->num_children, ==, 0);
    g_assert_cmpuint(OBJECT(dev)->ref, ==, 1);
    error_free(err);

    /* And it can be tried again. */
    failing = NULL;
    g_assert_true(qdev_realize(dev, leaf ? f->bus : NULL, &error_abort));
    object_unparent(OBJECT(dev));
    object_unref(dev);
}

static void test_failed_realize_and_unref_frees_the_device(Fixture *f,
                                                           gconstpointer data)
{
    failing = "leaf.realize";

    g_assert_false(qdev_realize_and_unref(new_named(TYPE_TLEAF, "leaf"), f->bus,
                                          NULL));

    g_assert_cmpstr(trace->str, ==,
                    "handler.pre_plug leaf.realize leaf.finalize");
}

static void test_fixed_device_cannot_be_hotplugged(Fixture *f,
                                                   gconstpointer data)
{
    Error *err = NULL;

    qdev_hotplug = true;
    g_assert_false(qdev_realize_and_unref(qdev_new(TYPE_TFIXED), NULL, &err));

    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Device 't-fixed' does not support hotplugging");
    error_free(err);
}

/* --- buses --- */

static void test_full_bus_refuses(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    qdev_realize_and_unref(qdev_new(TYPE_TLEAF), f->bus, &error_abort);
    qdev_realize_and_unref(qdev_new(TYPE_TLEAF), f->bus, &error_abort);
    g_assert_true(qbus_is_full(f->bus));

    g_assert_false(qdev_realize_and_unref(qdev_new(TYPE_TLEAF), f->bus, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Bus 'kids' is full: it takes 2 devices");
    error_free(err);
}

static void test_wrong_kind_of_bus_refuses(Fixture *f, gconstpointer data)
{
    Error *err = NULL;
    DeviceState *dev = qdev_new(TYPE_TBRIDGE);

    g_assert_false(qdev_set_parent_bus(dev, f->bus, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Device 't-bridge' can't go on t-bus bus");
    error_free(err);
    object_unref(dev);
}

static void test_bus_is_named_after_the_device_id(Fixture *f,
                                                  gconstpointer data)
{
    DeviceState *dev = new_named(TYPE_TBRIDGE, "b2");
    BusState *second = qbus_create(TYPE_TBUS, dev, NULL);

    g_assert_cmpstr(second->name, ==, "b2.1");
    object_unparent(OBJECT(second));
    object_unref(dev);
}

static void test_removing_a_bridge_removes_what_is_below(Fixture *f,
                                                         gconstpointer data)
{
    DeviceState *bridge = new_named(TYPE_TBRIDGE, "b2");

    qdev_realize(bridge, NULL, &error_abort);
    qdev_realize_and_unref(new_named(TYPE_TLEAF, "leaf"),
                           QLIST_FIRST(&bridge->child_bus), &error_abort);
    g_string_truncate(trace, 0);

    object_unparent(OBJECT(bridge));
    object_unref(bridge);

    g_assert_nonnull(strstr(trace->str, "leaf.unrealize"));
    g_assert_nonnull(strstr(trace->str, "leaf.finalize"));
    g_assert_true(g_str_has_suffix(trace->str, "b2.finalize"));
}

static void test_reset_goes_from_the_leaves_up(Fixture *f, gconstpointer data)
{
    qdev_realize_and_unref(new_named(TYPE_TLEAF, "leaf"), f->bus, &error_abort);
    g_string_truncate(trace, 0);

    qdev_reset_all(f->bridge);

    g_assert_cmpstr(trace->str, ==, "leaf.reset bus.reset bridge.reset");
}

static int stop_at_bus(BusState *bus, void *opaque)
{
    return 42;
}

static void test_walk_stops_at_the_first_nonzero_result(Fixture *f,
                                                        gconstpointer data)
{
    g_assert_cmpint(qdev_walk_children(f->bridge, NULL, stop_at_bus, NULL,
                                       NULL, NULL), ==, 42);
}

/* --- where it is, and that it has gone --- */

static void test_unparented_device_goes_to_unattached(Fixture *f,
                                                      gconstpointer data)
{
    g_assert_true(g_str_has_prefix(f->bridge->canonical_path,
                                   "/machine/unattached/device["));
    g_assert_true(object_resolve_path(f->bridge->canonical_path, NULL) ==
                  OBJECT(f->bridge));
}

static JsonObject *deleted;

static void remember_deleted(const char *event, JsonObject *data)
{
    g_assert_cmpstr(event, ==, "DEVICE_DELETED");
    g_assert_null(deleted);
    deleted = data;
}

static void test_removal_is_announced_with_id_and_path(Fixture *f,
                                                       gconstpointer data)
{
    DeviceState *dev = new_named(TYPE_TLEAF, "leaf");
    g_autofree char *path = NULL;

    qdev_realize(dev, f->bus, &error_abort);
    path = g_strdup(dev->canonical_path);
    qapi_event_set_emitter(remember_deleted);
    object_unparent(OBJECT(dev));
    g_assert_null(deleted);               /* it is still held */
    object_unref(dev);
    qapi_event_set_emitter(NULL);

    g_assert_nonnull(deleted);
    g_assert_cmpstr(json_object_get_string_member(deleted, "device"), ==,
                    "leaf");
    g_assert_cmpstr(json_object_get_string_member(deleted, "path"), ==, path);
    g_clear_pointer(&deleted, json_object_unref);
}

static void test_device_that_never_was_is_not_announced(Fixture *f,
                                                        gconstpointer data)
{
    DeviceState *dev = new_named(TYPE_TLEAF, "leaf");

    failing = "handler.plug";
    qapi_event_set_emitter(remember_deleted);
    object_property_add_child(object_get_root(), "leaf", OBJECT(dev));
    qdev_realize(dev, f->bus, NULL);
    object_unparent(OBJECT(dev));
    qapi_event_set_emitter(NULL);

    g_assert_null(deleted);
    object_unref(dev);
}

static void test_realized_can_be_read_but_not_written(Fixture *f,
                                                      gconstpointer data)
{
    assert_property(OBJECT(f->bridge), "realized", "true");
    g_assert_false(object_property_parse(OBJECT(f->bridge), "realized", "off",
                                         NULL));
    g_assert_true(f->bridge->realized);
}

#define ADD(path, fn) \
    g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    trace = g_string_new(NULL);
    ADD("/qdev/steps-come-in-order", test_steps_come_in_order);
    ADD("/qdev/hotplugged-device-is-reset-before-plug",
        test_hotplugged_device_is_reset_before_plug);
    ADD("/qdev/child-bus-is-realized-after-its-device",
        test_child_bus_is_realized_after_its_device);
    for (size_t i = 0; i < ARRAY_SIZE(failure_cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/qdev/failure-leaves-nothing/%s", failure_cases[i].step);

        g_test_add(path, Fixture, &failure_cases[i], set_up,
                   test_failure_leaves_nothing, tear_down);
    }
    ADD("/qdev/failed-realize-and-unref-frees-the-device",
        test_failed_realize_and_unref_frees_the_device);
    ADD("/qdev/fixed-device-cannot-be-hotplugged",
        test_fixed_device_cannot_be_hotplugged);
    ADD("/qdev/unparented-device-goes-to-unattached",
        test_unparented_device_goes_to_unattached);
    ADD("/qdev/removal-is-announced-with-id-and-path",
        test_removal_is_announced_with_id_and_path);
    ADD("/qdev/device-that-never-was-is-not-announced",
        test_device_that_never_was_is_not_announced);
    ADD("/qdev/realized-can-be-read-but-not-written",
        test_realized_can_be_read_but_not_written);
    ADD("/bus/full-refuses", test_full_bus_refuses);
    ADD("/bus/wrong-kind-refuses", test_wrong_kind_of_bus_refuses);
    ADD("/bus/is-named-after-the-device-id",
        test_bus_is_named_after_the_device_id);
    ADD("/bus/removing-a-bridge-removes-what-is-below",
        test_removing_a_bridge_removes_what_is_below);
    ADD("/bus/reset-goes-from-the-leaves-up",
        test_reset_goes_from_the_leaves_up);
    ADD("/bus/walk-stops-at-the-first-nonzero-result",
        test_walk_stops_at_the_first_nonzero_result);
    return g_test_run();
}
