/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common kinds of property: text, flags, choices from a list, and aliases.
 * A kind is a pair of accessors that go between a visitor and the two typed
 * functions of whoever has the property; these are the property's opaque.
 * child<> and link<> are in property-link.c.
 */
#include "qemu/osdep.h"

#include "object-internal.h"
#include "qapi/visitor.h"

/* --- text ---------------------------------------------------------------- */

typedef struct TextAccess {
    char *(*read)(Object *obj, Error **errp);
    void (*write)(Object *obj, const char *text, Error **errp);
} TextAccess;

static void text_to_visitor(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    ERRP_GUARD();
    const TextAccess *access = opaque;
    g_autofree char *text = access->read(obj, errp);

    if (!*errp) {
        visit_type_str(v, name, &text, errp);
    }
}

static void text_from_visitor(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    const TextAccess *access = opaque;
    g_autofree char *text = NULL;

    if (visit_type_str(v, name, &text, errp)) {
        access->write(obj, text, errp);
    }
}

ObjectProperty *object_class_property_add_str(
    ObjectClass *klass, const char *name, char *(*get)(Object *, Error **),
    void (*set)(Object *, const char *, Error **))
{
    const TextAccess access = { .read = get, .write = set };

    return object_class_property_add(klass, name, "string",
                                     get ? text_to_visitor : NULL,
                                     set ? text_from_visitor : NULL, NULL,
                                     g_memdup2(&access, sizeof(access)));
}

/* --- flags --------------------------------------------------------------- */

typedef struct FlagAccess {
    bool (*read)(Object *obj, Error **errp);
    void (*write)(Object *obj, bool on, Error **errp);
} FlagAccess;

static void flag_to_visitor(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    ERRP_GUARD();
    const FlagAccess *access = opaque;
    bool on = access->read(obj, errp);

    if (!*errp) {
        visit_type_bool(v, name, &on, errp);
    }
}

static void flag_from_visitor(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    const FlagAccess *access = opaque;
    bool on;

    if (visit_type_bool(v, name, &on, errp)) {
        access->write(obj, on, errp);
    }
}

ObjectProperty *object_class_property_add_bool(
    ObjectClass *klass, const char *name, bool (*get)(Object *, Error **),
    void (*set)(Object *, bool, Error **))
{
    const FlagAccess access = { .read = get, .write = set };

    return object_class_property_add(klass, name, "bool",
                                     get ? flag_to_visitor : NULL,
                                     set ? flag_from_visitor : NULL, NULL,
                                     g_memdup2(&access, sizeof(access)));
}

/* --- choices from a list ------------------------------------------------- */

typedef struct ChoiceAccess {
    const QEnumLookup *names;
    int (*read)(Object *obj, Error **errp);
    void (*write)(Object *obj, int choice, Error **errp);
} ChoiceAccess;

static void choice_to_visitor(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    ERRP_GUARD();
    const ChoiceAccess *access = opaque;
    int choice = access->read(obj, errp);

    if (!*errp) {
        visit_type_enum(v, name, &choice, access->names, errp);
    }
}

static void choice_from_visitor(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    const ChoiceAccess *access = opaque;
    int choice;

    if (visit_type_enum(v, name, &choice, access->names, errp)) {
        access->write(obj, choice, errp);
    }
}

ObjectProperty *object_class_property_add_enum(
    ObjectClass *klass, const char *name, const char *typename,
    const struct QEnumLookup *lookup, int (*get)(Object *, Error **),
    void (*set)(Object *, int, Error **))
{
    const ChoiceAccess access = { lookup, .read = get, .write = set };

    return object_class_property_add(klass, name, typename,
                                     get ? choice_to_visitor : NULL,
                                     set ? choice_from_visitor : NULL, NULL,
                                     g_memdup2(&access, sizeof(access)));
}

/* --- aliases ------------------------------------------------------------- */

/* A property of another object, which outlives the alias. */
typedef struct PropertyRef {
    Object *object;
    char *name;
} PropertyRef;

static void alias_get(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    const PropertyRef *target = opaque;

    object_property_get(target->object, target->name, v, errp);
}

static void alias_set(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    const PropertyRef *target = opaque;

    object_property_set(target->object, target->name, v, errp);
}

static Object *alias_resolve(Object *obj, void *opaque, const char *part)
{
    const PropertyRef *target = opaque;

    return object_resolve_path_component(target->object, target->name);
}

static void alias_release(Object *obj, const char *name, void *opaque)
{
    PropertyRef *target = opaque;

    g_free(target->name);
    g_free(target);
}

/* An alias of a child is a link to it: an object is the child of one. */
static char *alias_type(const ObjectProperty *original)
{
    if (object_property_is_child(original)) {
        return g_strdup_printf("link%s", original->type + strlen("child"));
    }
    return g_strdup(original->type);
}

ObjectProperty *object_property_add_alias(Object *obj, const char *name,
                                          Object *target_obj,
                                          const char *target_name)
{
    ObjectProperty *original = object_property_find(target_obj, target_name);
    PropertyRef target = { target_obj, g_strdup(target_name) };
    g_autofree char *type = NULL;
    ObjectProperty *alias;

    g_assert(original);
    type = alias_type(original);
    alias = object_property_add(obj, name, type,
                                original->get ? alias_get : NULL,
                                original->set ? alias_set : NULL,
                                alias_release,
                                g_memdup2(&target, sizeof(target)));
    alias->resolve = original->resolve ? alias_resolve : NULL;
    alias->description = g_strdup(original->description);
    return alias;
}
