/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of devices: an array of Property describes members of the device
 * struct; -device, device_add and qom-set write them until the device is
 * realized, qom-get reads them. A property that may change later (virtio-mem's
 * requested-size) is an ordinary object property instead.
 *
 *     static const Property foo_properties[] = {
 *         DEFINE_PROP_UINT32("vectors", FooState, nvectors, 2),
 *         DEFINE_PROP_LINK("memdev", FooState, backend, TYPE_MEMORY_BACKEND,
 *                          HostMemoryBackend *),
 *         DEFINE_PROP_END_OF_LIST(),
 *     };
 *
 * QEMU's names. A PropertyInfo's set_default_value takes the object.
 */
#ifndef HW_QDEV_PROPERTIES_H
#define HW_QDEV_PROPERTIES_H

#include "hw/qdev-core.h"
#include "qapi/visitor.h"

struct Property {
    const char *name;                     /* NULL ends an array */
    const PropertyInfo *info;
    ptrdiff_t offset;                     /* of the member in the device */
    uint8_t bitnr;                        /* DEFINE_PROP_BIT*: which bit */
    bool set_default;
    union {
        int64_t i;
        uint64_t u;
    } defval;
    const char *link_type;                /* DEFINE_PROP_LINK: of the target */
    const QEnumLookup *enum_table;        /* DEFINE_PROP_ENUM: the names */
};

/* One kind of property. */
struct PropertyInfo {
    const char *name;                     /* the type, for -device T,help */
    const char *description;              /* may be NULL */
    ObjectPropertyAccessor *get;          /* opaque: the const Property */
    ObjectPropertyAccessor *set;          /* called only before realize */
    ObjectPropertyRelease *release;       /* frees the member's value */
    void (*set_default_value)(Object *obj, const Property *prop);
    /* The default as text, g_free(); NULL: it has none. */
    char *(*print_default)(const Property *prop);
};

typedef enum OnOffAuto {
    ON_OFF_AUTO_AUTO,
    ON_OFF_AUTO_ON,
    ON_OFF_AUTO_OFF,
    ON_OFF_AUTO__MAX,
} OnOffAuto;
extern const QEnumLookup OnOffAuto_lookup;

extern const PropertyInfo qdev_prop_bit;
extern const PropertyInfo qdev_prop_bit64;
extern const PropertyInfo qdev_prop_bool;
extern const PropertyInfo qdev_prop_enum;
extern const PropertyInfo qdev_prop_uint8;
extern const PropertyInfo qdev_prop_uint16;
extern const PropertyInfo qdev_prop_uint32;
extern const PropertyInfo qdev_prop_int32;
extern const PropertyInfo qdev_prop_uint64;
extern const PropertyInfo qdev_prop_string;
extern const PropertyInfo qdev_prop_on_off_auto;
extern const PropertyInfo qdev_prop_link;

/* The offset of a member, which must be of type @_t. */
#define QDEV_PROP_OFFSET(_s, _f, _t)                                         \
    (offsetof(_s, _f) + 0 * sizeof(char[                                     \
        __builtin_types_compatible_p(__typeof__(((_s *)0)->_f), _t) ? 1 : -1]))

#define DEFINE_PROP(_name, _state, _field, _prop, _type)                     \
    { .name = (_name), .info = &(_prop),                                     \
      .offset = QDEV_PROP_OFFSET(_state, _field, _type) }
#define DEFINE_PROP_SIGNED(_name, _state, _field, _defval, _prop, _type)     \
    { .name = (_name), .info = &(_prop),                                     \
      .offset = QDEV_PROP_OFFSET(_state, _field, _type),                     \
      .set_default = true, .defval.i = (_type)(_defval) }
#define DEFINE_PROP_UNSIGNED(_name, _state, _field, _defval, _prop, _type)   \
    { .name = (_name), .info = &(_prop),                                     \
      .offset = QDEV_PROP_OFFSET(_state, _field, _type),                     \
      .set_default = true, .defval.u = (_type)(_defval) }

/* On or off, kept in bit @_bit of a uint32_t or uint64_t. */
#define DEFINE_PROP_BIT(_name, _state, _field, _bit, _defval)                \
    { .name = (_name), .info = &qdev_prop_bit, .bitnr = (_bit),              \
      .offset = QDEV_PROP_OFFSET(_state, _field, uint32_t),                  \
      .set_default = true, .defval.u = (bool)(_defval) }
#define DEFINE_PROP_BIT64(_name, _state, _field, _bit, _defval)              \
    { .name = (_name), .info = &qdev_prop_bit64, .bitnr = (_bit),            \
      .offset = QDEV_PROP_OFFSET(_state, _field, uint64_t),                  \
      .set_default = true, .defval.u = (bool)(_defval) }
#define DEFINE_PROP_BOOL(_name, _state, _field, _defval)                     \
    DEFINE_PROP_UNSIGNED(_name, _state, _field, _defval, qdev_prop_bool, bool)
#define DEFINE_PROP_UINT8(_n, _s, _f, _d)                                    \
    DEFINE_PROP_UNSIGNED(_n, _s, _f, _d, qdev_prop_uint8, uint8_t)
#define DEFINE_PROP_UINT16(_n, _s, _f, _d)                                   \
    DEFINE_PROP_UNSIGNED(_n, _s, _f, _d, qdev_prop_uint16, uint16_t)
#define DEFINE_PROP_UINT32(_n, _s, _f, _d)                                   \
    DEFINE_PROP_UNSIGNED(_n, _s, _f, _d, qdev_prop_uint32, uint32_t)
#define DEFINE_PROP_INT32(_n, _s, _f, _d)                                    \
    DEFINE_PROP_SIGNED(_n, _s, _f, _d, qdev_prop_int32, int32_t)
#define DEFINE_PROP_UINT64(_n, _s, _f, _d)                                   \
    DEFINE_PROP_UNSIGNED(_n, _s, _f, _d, qdev_prop_uint64, uint64_t)
/* A char *, NULL until set; freed with the device. */
#define DEFINE_PROP_STRING(_n, _s, _f)                                       \
    DEFINE_PROP(_n, _s, _f, qdev_prop_string, char *)
#define DEFINE_PROP_ON_OFF_AUTO(_n, _s, _f, _d)                              \
    DEFINE_PROP_SIGNED(_n, _s, _f, _d, qdev_prop_on_off_auto, OnOffAuto)
/* @_t is an enum type with the names in @_table (const QEnumLookup). */
#define DEFINE_PROP_ENUM(_n, _s, _f, _d, _table, _t)                         \
    { .name = (_n), .info = &qdev_prop_enum,                                 \
      .offset = QDEV_PROP_OFFSET(_s, _f, _t), .set_default = true,           \
      .defval.i = (_d), .enum_table = &(_table) }
/* A pointer to an object of type @_type; the link holds a reference. */
#define DEFINE_PROP_LINK(_name, _state, _field, _type, _ptr_type)            \
    { .name = (_name), .info = &qdev_prop_link,                              \
      .offset = QDEV_PROP_OFFSET(_state, _field, _ptr_type),                 \
      .link_type = (_type) }
#define DEFINE_PROP_END_OF_LIST() { .name = NULL }

/* Sets a property of a device of the board; cannot fail. */
void qdev_prop_set_chr(DeviceState *dev, const char *name, Chardev *value);

/* For accessors of new kinds: where the value of @prop is in @obj. */
void *object_field_prop_ptr(Object *obj, const Property *prop);
/* *errp: @prop cannot be changed once the device is realized. False then. */
bool qdev_prop_check_settable(Object *obj, const char *name, Error **errp);
/* *errp = "Property 'TYPE.NAME' doesn't take value 'VALUE'"; adds why. */
void error_set_from_qdev_prop_error(Error **errp, int ret, Object *obj,
                                    const char *name, const char *value);
/* A check for object_property_add_link(): until the device is realized. */
void qdev_prop_allow_set_link_before_realize(const Object *obj,
                                             const char *name, Object *val,
                                             Error **errp);
/* The Property @name of @klass or of a class above it, or NULL. */
const Property *qdev_prop_find(DeviceClass *klass, const char *name);

/* A value for each future device of type @driver (or below): -global. */
typedef struct GlobalProperty {
    char *driver;
    char *property;
    char *value;
    bool used;                            /* some device took it */
} GlobalProperty;
/* Takes over @prop, which is never freed. */
void qdev_prop_register_global(GlobalProperty *prop);
/* Warns of globals that no device took. */
void qdev_prop_check_globals(void);

#endif
