/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of devices: every kind, with good and bad values. */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "hw/qdev-properties-system.h"
#include "property-value.h"

typedef enum Colour { COLOUR_RED, COLOUR_GREEN } Colour;
static const char *const colour_names[] = { "red", "green" };
static const QEnumLookup colours = { .array = colour_names, .size = 2 };

#define TYPE_PDEV "p-device"
typedef struct PDev {
    DeviceState parent_obj;

    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    bool flag;
    uint32_t bits;
    uint64_t bits64;
    char *text;
    OnOffAuto mode;
    Colour colour;
    DeviceState *peer;
    CharBackend chr;
    int32_t devfn;
    PCIHostDeviceAddress host;
} PDev;
DECLARE_INSTANCE_CHECKER(PDev, PDEV, TYPE_PDEV)

static const Property pdev_properties[] = {
    DEFINE_PROP_UINT8("u8", PDev, u8, 8),
    DEFINE_PROP_UINT16("u16", PDev, u16, 16),
    DEFINE_PROP_UINT32("u32", PDev, u32, 32),
    DEFINE_PROP_UINT64("u64", PDev, u64, UINT64_MAX),
    DEFINE_PROP_BOOL("flag", PDev, flag, true),
    DEFINE_PROP_BIT("bit3", PDev, bits, 3, true),
    DEFINE_PROP_BIT("bit4", PDev, bits, 4, false),
    DEFINE_PROP_BIT64("bit63", PDev, bits64, 63, true),
    DEFINE_PROP_STRING("text", PDev, text),
    DEFINE_PROP_ON_OFF_AUTO("mode", PDev, mode, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_ENUM("colour", PDev, colour, COLOUR_GREEN, colours, Colour),
    DEFINE_PROP_LINK("peer", PDev, peer, TYPE_PDEV, DeviceState *),
    DEFINE_PROP_CHR("chardev", PDev, chr),
    DEFINE_PROP_PCI_DEVFN("addr", PDev, devfn, -1),
    DEFINE_PROP_PCI_HOST_DEVADDR("host", PDev, host),
    DEFINE_PROP_END_OF_LIST(),
};

static void pdev_class_init(ObjectClass *klass, void *data)
{
    device_class_set_props(DEVICE_CLASS(klass), pdev_properties);
}

/* The same with one property more. */
#define TYPE_PCHILD "p-child"
typedef struct PChild {
    PDev parent_obj;

    uint32_t extra;
} PChild;

static const Property pchild_properties[] = {
    DEFINE_PROP_UINT32("extra", PChild, extra, 5),
    DEFINE_PROP_END_OF_LIST(),
};

static void pchild_class_init(ObjectClass *klass, void *data)
{
    device_class_set_props(DEVICE_CLASS(klass), pchild_properties);
}

static const TypeInfo types[] = {
    {
        .name = TYPE_PDEV,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(PDev),
        .class_init = pdev_class_init,
    }, {
        .name = TYPE_PCHILD,
        .parent = TYPE_PDEV,
        .instance_size = sizeof(PChild),
        .class_init = pchild_class_init,
    },
};
DEFINE_TYPES(types)

/* --- defaults --- */

static void test_defaults(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);
    PDev *p = PDEV(dev);

    g_assert_cmpuint(p->u8, ==, 8);
    g_assert_cmpuint(p->u16, ==, 16);
    g_assert_cmpuint(p->u32, ==, 32);
    g_assert_cmpuint(p->u64, ==, UINT64_MAX);
    g_assert_true(p->flag);
    g_assert_cmphex(p->bits, ==, 1U << 3);
    g_assert_cmphex(p->bits64, ==, 1ULL << 63);
    g_assert_null(p->text);
    g_assert_cmpint(p->mode, ==, ON_OFF_AUTO_AUTO);
    g_assert_cmpint(p->colour, ==, COLOUR_GREEN);
    g_assert_null(p->peer);
    g_assert_cmpint(p->devfn, ==, -1);
    g_assert_cmphex(p->host.slot, ==, ~0U);
}

static void test_subclass_has_the_base_properties_and_its_own(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PCHILD);

    g_assert_cmpuint(PDEV(dev)->u16, ==, 16);
    g_assert_cmpuint(((PChild *)dev)->extra, ==, 5);
    g_assert_nonnull(qdev_prop_find(DEVICE_GET_CLASS(dev), "u8"));
    g_assert_null(qdev_prop_find(DEVICE_GET_CLASS(dev), "nothing"));
}

/* --- values as text --- */

typedef struct ValueCase {
    const char *name;
    const char *value;
    const char *reads;                    /* NULL: refused */
} ValueCase;

static const ValueCase value_cases[] = {
    { "u8", "255", "255" },
    { "u8", "0x10", "16" },
    { "u8", "256", NULL },
    { "u8", "-1", NULL },
    { "u8", "", NULL },
    { "u16", "65535", "65535" },
    { "u16", "65536", NULL },
    { "u32", "4294967295", "4294967295" },
    { "u32", "4294967296", NULL },
    { "u32", "12x", NULL },
    { "u64", "18446744073709551615", "18446744073709551615" },
    { "u64", "18446744073709551616", NULL },
    { "flag", "off", "false" },
    { "flag", "on", "true" },
    { "flag", "maybe", NULL },
    { "bit4", "on", "true" },
    { "bit3", "off", "false" },
    { "bit63", "off", "false" },
    { "bit63", "2", NULL },
    { "text", "a,b", "a,b" },
    { "text", "", "" },
    { "mode", "on", "on" },
    { "mode", "sometimes", NULL },
    { "colour", "red", "red" },
    { "colour", "Red", NULL },
    { "peer", "/nowhere", NULL },
    { "chardev", "nobody", NULL },
    { "addr", "1f.7", "255" },
    { "addr", "0x3", "24" },
    { "addr", "5", "40" },
    { "addr", "20.0", NULL },
    { "addr", "1.8", NULL },
    { "addr", "1.", NULL },
    { "addr", ".1", NULL },
    { "addr", "-1", NULL },
    { "host", "01:02.3", "0000:01:02.3" },
    { "host", "abcd:ff:1f.7", "abcd:ff:1f.7" },
    { "host", "01:20.0", NULL },
    { "host", "01:02.8", NULL },
    { "host", "01:02", NULL },
    { "host", "1:2.3.4", NULL },
};

static void test_value(gconstpointer data)
{
    const ValueCase *c = data;
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);
    g_autofree char *before = property_value(OBJECT(dev), c->name);
    g_autofree char *after = NULL;
    Error *err = NULL;
    bool ok = object_property_parse(OBJECT(dev), c->name, c->value, &err);

    after = property_value(OBJECT(dev), c->name);
    g_assert_cmpint(ok, ==, c->reads != NULL);
    if (!strcmp(c->name, "u64") && ok) {
        /* JSON's integers have a sign: this one comes out as it may. */
        g_assert_cmpuint(PDEV(dev)->u64, ==, UINT64_MAX);
    } else {
        g_assert_cmpstr(after, ==, ok ? c->reads : before);
    }
    if (!ok) {
        g_assert_true(strstr(error_get_pretty(err), c->name) ||
                      strstr(error_get_pretty(err), c->value));
        error_free(err);
    }
}

static void test_bits_leave_their_neighbours_alone(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);

    object_property_parse(OBJECT(dev), "bit4", "on", &error_abort);
    g_assert_cmphex(PDEV(dev)->bits, ==, 0x18);
    object_property_parse(OBJECT(dev), "bit3", "off", &error_abort);
    g_assert_cmphex(PDEV(dev)->bits, ==, 0x10);
}

static void test_typed_devfn_is_a_number(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);

    g_assert_true(object_property_set_uint(OBJECT(dev), "addr", 24,
                                           &error_abort));
    g_assert_cmpint(PDEV(dev)->devfn, ==, 24);
    g_assert_false(object_property_set_uint(OBJECT(dev), "addr", 256, NULL));
    g_assert_false(object_property_set_uint(OBJECT(dev), "addr", -2, NULL));
    g_assert_cmpint(PDEV(dev)->devfn, ==, 24);
}

/* --- links and chardevs --- */

static void test_link_holds_a_reference(void)
{
    DeviceState *peer = qdev_new(TYPE_PDEV);
    DeviceState *dev = qdev_new(TYPE_PDEV);

    object_property_add_child(object_get_root(), "peer", OBJECT(peer));
    object_property_parse(OBJECT(dev), "peer", "/peer", &error_abort);
    g_assert_true(PDEV(dev)->peer == peer);
    g_assert_cmpuint(OBJECT(peer)->ref, ==, 3);

    object_unref(dev);
    g_assert_cmpuint(OBJECT(peer)->ref, ==, 2);
    object_unparent(OBJECT(peer));
    object_unref(peer);
}

static void test_link_to_another_type_is_refused(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);
    Error *err = NULL;

    g_assert_false(object_property_parse(OBJECT(dev), "peer", "/objects",
                                         &err));
    g_assert_null(PDEV(dev)->peer);
    error_free_or_abort(&err);
}

static void test_chardev_has_one_user(void)
{
    DeviceState *first = qdev_new(TYPE_PDEV);
    g_autoptr(DeviceState) second = qdev_new(TYPE_PDEV);
    Chardev *chr = qemu_chr_new_from_text("null,id=c0", &error_abort);
    Error *err = NULL;

    qdev_prop_set_chr(first, "chardev", chr);
    g_assert_true(PDEV(first)->chr.chr == chr);
    g_assert_false(object_property_parse(OBJECT(second), "chardev", "c0",
                                         &err));
    error_free_or_abort(&err);

    object_unref(first);
    g_assert_true(object_property_parse(OBJECT(second), "chardev", "c0",
                                        &error_abort));
}

/* --- the rules --- */

static void test_realized_device_is_not_changed(void)
{
    DeviceState *dev = qdev_new(TYPE_PDEV);
    Error *err = NULL;

    dev->id = g_strdup("x");
    qdev_realize(dev, NULL, &error_abort);
    g_assert_false(object_property_parse(OBJECT(dev), "u8", "9", &err));

    g_assert_cmpuint(PDEV(dev)->u8, ==, 8);
    g_assert_cmpstr(error_get_pretty(err), ==, "Attempt to set property 'u8' "
                    "on device 'x' (type 'p-device') after it was realized");
    error_free(err);
    g_assert_false(object_property_parse(OBJECT(dev), "peer", "/machine",
                                         NULL));
    object_unparent(OBJECT(dev));
    object_unref(dev);
}

static void test_unknown_property_is_named(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PDEV);
    Error *err = NULL;

    g_assert_false(object_property_parse(OBJECT(dev), "foo", "1", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Property 'p-device.foo' not found");
    error_free(err);
}

static void test_global_applies_to_subclasses(void)
{
    static GlobalProperty global = {
        .driver = (char *)TYPE_PDEV, .property = (char *)"u16",
        .value = (char *)"77",
    };
    g_autoptr(DeviceState) dev = NULL;

    qdev_prop_register_global(&global);
    dev = qdev_new(TYPE_PCHILD);

    g_assert_cmpuint(PDEV(dev)->u16, ==, 77);
    g_assert_true(global.used);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qdev-properties/defaults", test_defaults);
    g_test_add_func("/qdev-properties/subclass-has-base-properties",
                    test_subclass_has_the_base_properties_and_its_own);
    for (size_t i = 0; i < ARRAY_SIZE(value_cases); i++) {
        const ValueCase *c = &value_cases[i];
        g_autofree char *path = g_strdup_printf(
            "/qdev-properties/%zu-%s-%s", i, c->name,
            c->reads ? "takes-the-value" : "refuses-the-value");

        g_test_add_data_func(path, c, test_value);
    }
    g_test_add_func("/qdev-properties/bits-leave-their-neighbours-alone",
                    test_bits_leave_their_neighbours_alone);
    g_test_add_func("/qdev-properties/typed-devfn-is-a-number",
                    test_typed_devfn_is_a_number);
    g_test_add_func("/qdev-properties/link-holds-a-reference",
                    test_link_holds_a_reference);
    g_test_add_func("/qdev-properties/link-to-another-type-is-refused",
                    test_link_to_another_type_is_refused);
    g_test_add_func("/qdev-properties/chardev-has-one-user",
                    test_chardev_has_one_user);
    g_test_add_func("/qdev-properties/realized-device-is-not-changed",
                    test_realized_device_is_not_changed);
    g_test_add_func("/qdev-properties/unknown-property-is-named",
                    test_unknown_property_is_named);
    g_test_add_func("/qdev-properties/global-applies-to-subclasses",
                    test_global_applies_to_subclasses);
    return g_test_run();
}
