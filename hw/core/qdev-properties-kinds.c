/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of device property that are plain values. */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"

/* --- whole numbers --- */

static void set_default_number(Object *obj, const Property *prop,
                                 size_t width)
{
    uint64_t v = prop->defval.u;

    /* The members differ only in width; the host is little endian. */
    memcpy(object_field_prop_ptr(obj, prop), &v, width);
}

static char *print_default_number(const Property *prop)
{
    return prop->set_default ? g_strdup_printf("%" PRIu64, prop->defval.u)
                             : NULL;
}

static char *print_default_signed(const Property *prop)
{
    return prop->set_default ? g_strdup_printf("%" PRId64, prop->defval.i)
                             : NULL;
}

/* Accessors, default and description of a number of C type ctype. */
#define NUMBER_KIND(kind, ctype, visit, print)                                    \
    static void prop_access_##kind(Object *obj, Visitor *v, const char *name,\
                                void *opaque, Error **errp)                  \
    {                                                                        \
        visit(v, name, object_field_prop_ptr(obj, opaque), errp);            \
    }                                                                        \
    static void prop_default_##kind(Object *obj, const Property *prop)       \
    {                                                                        \
        set_default_number(obj, prop, sizeof(ctype));                        \
    }                                                                        \
    const PropertyInfo qdev_prop_##kind = {                                  \
        .name = #kind,                                                       \
        .get = prop_access_##kind,                                           \
        .set = prop_access_##kind,                                           \
        .set_default_value = prop_default_##kind,                            \
        .print_default = print,                                              \
    }

NUMBER_KIND(uint8, uint8_t, visit_type_uint8, print_default_number);
NUMBER_KIND(uint16, uint16_t, visit_type_uint16, print_default_number);
NUMBER_KIND(uint32, uint32_t, visit_type_uint32, print_default_number);
NUMBER_KIND(int32, int32_t, visit_type_int32, print_default_signed);
NUMBER_KIND(uint64, uint64_t, visit_type_uint64, print_default_number);

/* --- on or off --- */

static char *print_default_bool(const Property *prop)
{
    return g_strdup(prop->defval.u ? "on" : "off");
}

static void prop_access_bool(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    visit_type_bool(v, name, object_field_prop_ptr(obj, opaque), errp);
}

static void prop_default_bool(Object *obj, const Property *prop)
{
    *(bool *)object_field_prop_ptr(obj, prop) = prop->defval.u;
}

const PropertyInfo qdev_prop_bool = {
    .name = "bool",
    .description = "on/off",
    .get = prop_access_bool,
    .set = prop_access_bool,
    .set_default_value = prop_default_bool,
    .print_default = print_default_bool,
};

/* A bit of a uint32_t (qdev_prop_bit) or a uint64_t (qdev_prop_bit64). */
static void prop_get_bit(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    const Property *prop = opaque;
    const void *word = object_field_prop_ptr(obj, prop);
    uint64_t bits = prop->info == &qdev_prop_bit64 ? *(const uint64_t *)word
                                                   : *(const uint32_t *)word;
    bool value = bits >> prop->bitnr & 1;

    visit_type_bool(v, name, &value, errp);
}

static void write_bit(Object *obj, const Property *prop, bool value)
{
    void *word = object_field_prop_ptr(obj, prop);
    uint64_t mask = 1ULL << prop->bitnr;

    if (prop->info == &qdev_prop_bit64) {
        uint64_t *p = word;

        *p = value ? *p | mask : *p & ~mask;
    } else {
        uint32_t *p = word;

        *p = value ? *p | (uint32_t)mask : *p & ~(uint32_t)mask;
    }
}

static void prop_set_bit(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    bool value;

    if (visit_type_bool(v, name, &value, errp)) {
        write_bit(obj, opaque, value);
    }
}

static void prop_default_bit(Object *obj, const Property *prop)
{
    write_bit(obj, prop, prop->defval.u);
}

#define BIT_KIND(kind)                                                       \
    const PropertyInfo qdev_prop_##kind = {                                  \
        .name = "bool",                                                      \
        .description = "on/off",                                             \
        .get = prop_get_bit,                                                 \
        .set = prop_set_bit,                                                 \
        .set_default_value = prop_default_bit,                               \
        .print_default = print_default_bool,                                 \
    }

BIT_KIND(bit);
BIT_KIND(bit64);

/* --- one of several names --- */

static const char *const on_off_auto_names[] = {
    [ON_OFF_AUTO_AUTO] = "auto",
    [ON_OFF_AUTO_ON] = "on",
    [ON_OFF_AUTO_OFF] = "off",
};

const QEnumLookup OnOffAuto_lookup = {
    .array = on_off_auto_names,
    .size = ON_OFF_AUTO__MAX,
};

static const QEnumLookup *enum_names(const Property *prop)
{
    return prop->enum_table ? prop->enum_table : &OnOffAuto_lookup;
}

static void prop_access_enum(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    visit_type_enum(v, name, object_field_prop_ptr(obj, opaque),
                    enum_names(opaque), errp);
}

static void prop_default_enum(Object *obj, const Property *prop)
{
    *(int *)object_field_prop_ptr(obj, prop) = prop->defval.i;
}

static char *print_default_enum(const Property *prop)
{
    return g_strdup(enum_names(prop)->array[prop->defval.i]);
}

const PropertyInfo qdev_prop_enum = {
    .name = "enum",
    .get = prop_access_enum,
    .set = prop_access_enum,
    .set_default_value = prop_default_enum,
    .print_default = print_default_enum,
};

const PropertyInfo qdev_prop_on_off_auto = {
    .name = "OnOffAuto",
    .description = "on/off/auto",
    .get = prop_access_enum,
    .set = prop_access_enum,
    .set_default_value = prop_default_enum,
    .print_default = print_default_enum,
};

/* --- text --- */

static void prop_get_string(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    visit_type_str(v, name, object_field_prop_ptr(obj, opaque), errp);
}

static void prop_set_string(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    char **ptr = object_field_prop_ptr(obj, opaque);
    char *value;

    if (visit_type_str(v, name, &value, errp)) {
        g_free(*ptr);
        *ptr = value;
    }
}

static void prop_release_string(Object *obj, const char *name, void *opaque)
{
    g_clear_pointer((char **)object_field_prop_ptr(obj, opaque), g_free);
}

const PropertyInfo qdev_prop_string = {
    .name = "str",
    .get = prop_get_string,
    .set = prop_set_string,
    .release = prop_release_string,
};

/* --- links: made for each instance by object_property_add_link() --- */

const PropertyInfo qdev_prop_link = {
    .name = "link",
};
