/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties that are objects: child<> (owned, part of the tree) and link<>
 * (a reference across it). Their value, for whoever gets or sets it, is a
 * path. It must never let the tree become anything but a tree.
 */
#include "qemu/osdep.h"

#include "object-internal.h"
#include "qapi/visitor.h"

/* The path of @target, "" for none. */
static void visit_path(Object *target, Visitor *v, const char *name,
                       Error **errp)
{
    g_autofree char *path = target ? object_get_canonical_path(target) : NULL;

    visit_type_str(v, name, &path, errp);
}

/* --- child<> ------------------------------------------------------------- */

static void child_get(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    visit_path(opaque, v, name, errp);
}

static Object *child_resolve(Object *parent, void *opaque, const char *part)
{
    return opaque;
}

static void child_release(Object *obj, const char *name, void *opaque)
{
    Object *child = opaque;

    if (child->class->unparent) {
        child->class->unparent(child);
    }
    child->parent = NULL;
    object_unref(child);
}

bool object_property_is_child(const ObjectProperty *prop)
{
    return prop->get == child_get;
}

ObjectProperty *object_find_child_property(Object *parent, const Object *child)
{
    GHashTableIter iter;
    ObjectProperty *prop;

    if (!parent->properties) {
        return NULL;
    }
    g_hash_table_iter_init(&iter, parent->properties);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&prop)) {
        if (object_property_is_child(prop) && prop->opaque == child) {
            return prop;
        }
    }
    return NULL;
}

ObjectProperty *object_property_try_add_child(Object *obj, const char *name,
                                              Object *child, Error **errp)
{
    g_autofree char *type = g_strdup_printf("child<%s>",
                                            object_get_typename(child));
    ObjectProperty *prop;

    g_assert(!child->parent);
    for (Object *o = obj; o; o = o->parent) {
        g_assert(o != child);
    }
    prop = object_property_try_add(obj, name, type, child_get, NULL,
                                   child_release, child, errp);
    if (prop) {
        prop->resolve = child_resolve;
        object_ref(child);
        child->parent = obj;
    }
    return prop;
}

ObjectProperty *object_property_add_child(Object *obj, const char *name,
                                          Object *child)
{
    return object_property_try_add_child(obj, name, child, &error_abort);
}

void object_unparent(Object *obj)
{
    if (obj->parent) {
        ObjectProperty *prop = object_find_child_property(obj->parent, obj);

        /* None: the parent is just releasing it. */
        if (prop) {
            object_property_del(obj->parent, prop->name);
        }
    }
}

/* --- link<> -------------------------------------------------------------- */

typedef struct LinkProperty {
    Object **targetp;
    char *type;                           /* what the target must be */
    void (*check)(const Object *obj, const char *name, Object *val,
                  Error **errp);
    ObjectPropertyLinkFlags flags;
} LinkProperty;

static void link_get(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    LinkProperty *link = opaque;

    visit_path(*link->targetp, v, name, errp);
}

/* The object at @path that can be the link's target; NULL and *errp if not. */
static Object *link_find_target(LinkProperty *link, const char *name,
                                const char *path, Error **errp)
{
    bool ambiguous = false;
    Object *target = object_resolve_path_type(path, link->type, &ambiguous);

    if (target) {
        return target;
    }
    if (ambiguous) {
        error_setg(errp, "Path '%s' does not uniquely identify an object",
                   path);
    } else if (object_resolve_path(path, &ambiguous) || ambiguous) {
        error_setg(errp, "Invalid parameter type for '%s', expected: %s", name,
                   link->type);
    } else {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  path);
    }
    return NULL;
}

static void link_set(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    LinkProperty *link = opaque;
    g_autofree char *path = NULL;
    Object *old = *link->targetp, *target = NULL;
    Error *err = NULL;

    if (!visit_type_str(v, name, &path, errp)) {
        return;
    }
    if (*path) {
        target = link_find_target(link, name, path, errp);
        if (!target) {
            return;
        }
    }
    link->check(obj, name, target, &err);
    if (err) {
        error_propagate(errp, err);
        return;
    }
    *link->targetp = target;
    if (link->flags & OBJ_PROP_LINK_STRONG) {
        object_ref(target);
        object_unref(old);
    }
}

static Object *link_resolve(Object *obj, void *opaque, const char *part)
{
    return *((LinkProperty *)opaque)->targetp;
}

static void link_release(Object *obj, const char *name, void *opaque)
{
    LinkProperty *link = opaque;

    if (link->flags & OBJ_PROP_LINK_STRONG) {
        object_unref(*link->targetp);
    }
    g_free(link->type);
    g_free(link);
}

ObjectProperty *object_property_add_link(Object *obj, const char *name,
                                         const char *type, Object **targetp,
                                         void (*check)(const Object *obj,
                                                       const char *name,
                                                       Object *val,
                                                       Error **errp),
                                         ObjectPropertyLinkFlags flags)
{
    g_autofree char *full_type = g_strdup_printf("link<%s>", type);
    LinkProperty *link = g_new(LinkProperty, 1);
    ObjectProperty *prop;

    *link = (LinkProperty){ targetp, g_strdup(type), check, flags };
    prop = object_property_add(obj, name, full_type, link_get,
                               check ? link_set : NULL, link_release, link);
    prop->resolve = link_resolve;
    return prop;
}
