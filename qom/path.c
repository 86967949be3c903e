/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The composition tree: its root, paths, and walks over children. It must
 * never follow a link in a walk, or the walk would not end.
 */
#include "qemu/osdep.h"

#include "object-internal.h"

Object *object_get_root(void)
{
    static Object *root;

    root = root ? root : object_new(TYPE_CONTAINER);
    return root;
}

Object *container_get(Object *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", 0);
    Object *obj = root;

    g_assert(*path == '/');
    for (char **part = parts; *part; part++) {
        Object *child;

        if (!**part) {
            continue;
        }
        child = object_resolve_path_component(obj, *part);
        if (!child) {
            child = object_new(TYPE_CONTAINER);
            object_property_add_child(obj, *part, child);
            object_unref(child);
        }
        obj = child;
    }
    return obj;
}

Object *object_get_objects_root(void)
{
    return container_get(object_get_root(), "/objects");
}

/* --- from object to path ------------------------------------------------- */

const char *object_get_canonical_path_component(const Object *obj)
{
    ObjectProperty *prop;

    if (!obj->parent) {
        return NULL;
    }
    prop = object_find_child_property(obj->parent, obj);
    return prop ? prop->name : NULL;
}

char *object_get_canonical_path(const Object *obj)
{
    Object *root = object_get_root();
    g_autofree char *path = NULL;

    if (obj == root) {
        return g_strdup("/");
    }
    for (; obj != root; obj = obj->parent) {
        const char *name = object_get_canonical_path_component(obj);
        g_autofree char *below = path;

        path = NULL;
        if (!name) {
            return NULL;
        }
        path = g_strdup_printf("/%s%s", name, below ? below : "");
    }
    return g_steal_pointer(&path);
}

/* --- from path to object ------------------------------------------------- */

Object *object_resolve_path_component(Object *parent, const char *part)
{
    ObjectProperty *prop = object_property_find(parent, part);

    return prop && prop->resolve ? prop->resolve(parent, prop->opaque, part)
                                 : NULL;
}

/* @typename NULL: any type. */
static Object *resolve_from(Object *obj, char **parts, const char *typename)
{
    for (; obj && *parts; parts++) {
        if (**parts) {
            obj = object_resolve_path_component(obj, *parts);
        }
    }
    return typename ? object_dynamic_cast(obj, typename) : obj;
}

typedef struct PartialSearch {
    char **parts;
    const char *typename;
    Object *found;
    bool ambiguous;
} PartialSearch;

/* Tries to begin the path at @obj. Nonzero: a second match, no need to go on. */
static int resolve_partial_at(Object *obj, void *opaque)
{
    PartialSearch *search = opaque;
    Object *match = resolve_from(obj, search->parts, search->typename);

    if (match && search->found && match != search->found) {
        search->ambiguous = true;
        return 1;
    }
    search->found = match ? match : search->found;
    return 0;
}

Object *object_resolve_path_type(const char *path, const char *typename,
                                 bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", 0);
    PartialSearch search = { .parts = parts, .typename = typename };
    Object *root = object_get_root();

    if (ambiguous) {
        *ambiguous = false;
    }
    if (*path == '/') {
        return resolve_from(root, parts, typename);
    }
    if (!*path) {
        /* An empty path fits everywhere, so only a type could tell. */
        if (!typename) {
            return NULL;
        }
        object_child_foreach_recursive(root, resolve_partial_at, &search);
    } else if (!resolve_partial_at(root, &search)) {
        object_child_foreach_recursive(root, resolve_partial_at, &search);
    }
    if (ambiguous) {
        *ambiguous = search.ambiguous;
    }
    return search.ambiguous ? NULL : search.found;
}

Object *object_resolve_path(const char *path, bool *ambiguous)
{
    return object_resolve_path_type(path, NULL, ambiguous);
}

/* --- walks --------------------------------------------------------------- */

static void collect_child(ObjectProperty *prop, void *opaque)
{
    if (object_property_is_child(prop)) {
        g_ptr_array_add(opaque, object_ref(prop->opaque));
    }
}

/* The children by name, each referenced: @fn may remove any of them. */
static int foreach_child(Object *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque, bool recurse)
{
    g_autoptr(GPtrArray) children = NULL;
    int ret = 0;

    if (!obj->properties) {
        return 0;
    }
    children = g_ptr_array_new_with_free_func(object_unref);
    object_property_foreach(obj, collect_child, children);
    for (guint i = 0; i < children->len && !ret; i++) {
        Object *child = g_ptr_array_index(children, i);

        ret = fn(child, opaque);
        if (!ret && recurse) {
            ret = foreach_child(child, fn, opaque, true);
        }
    }
    return ret;
}

int object_child_foreach_recursive(
    Object *obj, int (*fn)(Object *child, void *opaque), void *opaque)
{
    return foreach_child(obj, fn, opaque, true);
}

int object_child_foreach(
    Object *obj, int (*fn)(Object *child, void *opaque), void *opaque)
{
    return foreach_child(obj, fn, opaque, false);
}
