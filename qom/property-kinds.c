/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common kinds of property: text, boolean, enumeration, plain numbers and
 * aliases. Each kind keeps what it needs in the property's opaque. Used by
 * everybody who has properties; child<> and link<> are in property-link.c.
 */
#include "qemu/osdep.h"

#include "object-internal.h"
#include "qapi/visitor.h"

/* What belongs to one property of one object goes with it. */
static void release_opaque(Object *obj, const char *name, void *opaque)
{
    g_free(opaque);
}

/* --- text ---------------------------------------------------------------- */

typedef struct StringProperty {
    char *(*get)(Object *obj, Error **errp);
    void (*set)(Object *obj, const char *value, Error **errp);
} StringProperty;

static void property_get_str(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    StringProperty *prop = opaque;
    Error *err = NULL;
    g_autofree char *value = prop->get(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return;
    }
    visit_type_str(v, name, &value, errp);
}

static void property_set_str(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    StringProperty *prop = opaque;
    g_autofree char *value = NULL;

    if (visit_type_str(v, name, &value, errp)) {
        prop->set(obj, value, errp);
    }
}

static StringProperty *string_property(char *(*get)(Object *, Error **),
                                       void (*set)(Object *, const char *,
                                                   Error **))
{
    StringProperty *prop = g_new(StringProperty, 1);

    *prop = (StringProperty){ get, set };
    return prop;
}

ObjectProperty *object_property_add_str(Object *obj, const char *name,
                                        char *(*get)(Object *, Error **),
                                        void (*set)(Object *, const char *,
                                                    Error **))
{
    return object_property_add(obj, name, "string",
                               get ? property_get_str : NULL,
                               set ? property_set_str : NULL,
                               release_opaque, string_property(get, set));
}

ObjectProperty *object_class_property_add_str(ObjectClass *klass,
                                              const char *name,
                                              char *(*get)(Object *, Error **),
                                              void (*set)(Object *,
                                                          const char *,
                                                          Error **))
{
    return object_class_property_add(klass, name, "string",
                                     get ? property_get_str : NULL,
                                     set ? property_set_str : NULL,
                                     NULL, string_property(get, set));
}

/* --- booleans ------------------------------------------------------------ */

typedef struct BoolProperty {
    bool (*get)(Object *obj, Error **errp);
    void (*set)(Object *obj, bool value, Error **errp);
} BoolProperty;

static void property_get_bool(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    BoolProperty *prop = opaque;
    Error *err = NULL;
    bool value = prop->get(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return;
    }
    visit_type_bool(v, name, &value, errp);
}

static void property_set_bool(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    BoolProperty *prop = opaque;
    bool value;

    if (visit_type_bool(v, name, &value, errp)) {
        prop->set(obj, value, errp);
    }
}

static BoolProperty *bool_property(bool (*get)(Object *, Error **),
                                   void (*set)(Object *, bool, Error **))
{
    BoolProperty *prop = g_new(BoolProperty, 1);

    *prop = (BoolProperty){ get, set };
    return prop;
}

ObjectProperty *object_property_add_bool(Object *obj, const char *name,
                                         bool (*get)(Object *, Error **),
                                         void (*set)(Object *, bool, Error **))
{
    return object_property_add(obj, name, "bool",
                               get ? property_get_bool : NULL,
                               set ? property_set_bool : NULL,
                               release_opaque, bool_property(get, set));
}

ObjectProperty *object_class_property_add_bool(ObjectClass *klass,
                                               const char *name,
                                               bool (*get)(Object *, Error **),
                                               void (*set)(Object *, bool,
                                                           Error **))
{
    return object_class_property_add(klass, name, "bool",
                                     get ? property_get_bool : NULL,
                                     set ? property_set_bool : NULL,
                                     NULL, bool_property(get, set));
}

/* --- enumerations -------------------------------------------------------- */

typedef struct EnumProperty {
    const QEnumLookup *lookup;
    int (*get)(Object *obj, Error **errp);
    void (*set)(Object *obj, int value, Error **errp);
} EnumProperty;

static void property_get_enum(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    EnumProperty *prop = opaque;
    Error *err = NULL;
    int value = prop->get(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return;
    }
    visit_type_enum(v, name, &value, prop->lookup, errp);
}

static void property_set_enum(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    EnumProperty *prop = opaque;
    int value;

    if (visit_type_enum(v, name, &value, prop->lookup, errp)) {
        prop->set(obj, value, errp);
    }
}

ObjectProperty *object_class_property_add_enum(ObjectClass *klass,
                                               const char *name,
                                               const char *typename,
                                               const struct QEnumLookup *lookup,
                                               int (*get)(Object *, Error **),
                                               void (*set)(Object *, int,
                                                           Error **))
{
    EnumProperty *prop = g_new(EnumProperty, 1);

    *prop = (EnumProperty){ lookup, get, set };
    return object_class_property_add(klass, name, typename,
                                     get ? property_get_enum : NULL,
                                     set ? property_set_enum : NULL,
                                     NULL, prop);
}

/* --- numbers in memory --------------------------------------------------- */

static void property_uint32_ptr(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    visit_type_uint32(v, name, opaque, errp);
}

static void property_uint64_ptr(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    visit_type_uint64(v, name, opaque, errp);
}

/* Reading and writing are one function: the visitor knows which it is. */
static ObjectProperty *add_ptr(Object *obj, const char *name, const char *type,
                               ObjectPropertyAccessor *access, const void *v,
                               ObjectPropertyFlags flags)
{
    return object_property_add(obj, name, type,
                               flags & OBJ_PROP_FLAG_READ ? access : NULL,
                               flags & OBJ_PROP_FLAG_WRITE ? access : NULL,
                               NULL, (void *)v);
}

ObjectProperty *object_property_add_uint64_ptr(Object *obj, const char *name,
                                               const uint64_t *v,
                                               ObjectPropertyFlags flags)
{
    return add_ptr(obj, name, "uint64", property_uint64_ptr, v, flags);
}

ObjectProperty *object_property_add_uint32_ptr(Object *obj, const char *name,
                                               const uint32_t *v,
                                               ObjectPropertyFlags flags)
{
    return add_ptr(obj, name, "uint32", property_uint32_ptr, v, flags);
}

/* --- aliases ------------------------------------------------------------- */

typedef struct AliasProperty {
    Object *target_obj;                   /* outlives the alias */
    char *target_name;
} AliasProperty;

static void property_get_alias(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    AliasProperty *prop = opaque;

    object_property_get(prop->target_obj, prop->target_name, v, errp);
}

static void property_set_alias(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    AliasProperty *prop = opaque;

    object_property_set(prop->target_obj, prop->target_name, v, errp);
}

static Object *property_resolve_alias(Object *obj, void *opaque,
                                      const char *part)
{
    AliasProperty *prop = opaque;

    return object_resolve_path_component(prop->target_obj, prop->target_name);
}

static void property_release_alias(Object *obj, const char *name, void *opaque)
{
    AliasProperty *prop = opaque;

    g_free(prop->target_name);
    g_free(prop);
}

/* An alias of a child is a link to it: an object is the child of one. */
static char *alias_type(const ObjectProperty *target)
{
    if (object_property_is_child(target)) {
        return g_strdup_printf("link%s", target->type + strlen("child"));
    }
    return g_strdup(target->type);
}

ObjectProperty *object_property_add_alias(Object *obj, const char *name,
                                          Object *target_obj,
                                          const char *target_name)
{
    ObjectProperty *target = object_property_find(target_obj, target_name);
    AliasProperty *alias = g_new(AliasProperty, 1);
    g_autofree char *type = NULL;
    ObjectProperty *prop;

    g_assert(target);
    *alias = (AliasProperty){ target_obj, g_strdup(target_name) };
    type = alias_type(target);
    prop = object_property_add(obj, name, type,
                               target->get ? property_get_alias : NULL,
                               target->set ? property_set_alias : NULL,
                               property_release_alias, alias);
    prop->resolve = target->resolve ? property_resolve_alias : NULL;
    prop->description = g_strdup(target->description);
    return prop;
}
