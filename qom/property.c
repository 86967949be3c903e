/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties: where they are kept, how they are found, set and got. An
 * object's own are in its table; what all objects of a class have is in the
 * class's. Kinds of property are in property-kinds.c. It must never know what
 * a value means; that is between the accessor and the visitor.
 */
#include "qemu/osdep.h"

#include "object-internal.h"
#include "qapi/visitor.h"

/* --- finding ------------------------------------------------------------- */

static ObjectProperty *table_find(GHashTable *table, const char *name)
{
    return table ? g_hash_table_lookup(table, name) : NULL;
}

static ObjectProperty *class_find(ObjectClass *klass, const char *name)
{
    ObjectProperty *prop = NULL;

    for (; klass && !prop; klass = object_class_get_parent(klass)) {
        prop = table_find(klass->properties, name);
    }
    return prop;
}

ObjectProperty *object_property_find(Object *obj, const char *name)
{
    ObjectProperty *prop = table_find(obj->properties, name);

    return prop ? prop : class_find(obj->class, name);
}

static ObjectProperty *find_or_fail(Object *obj, const char *name, Error **errp)
{
    ObjectProperty *prop = object_property_find(obj, name);

    if (!prop) {
        error_setg(errp, "Property '%s.%s' not found", object_get_typename(obj),
                   name);
    }
    return prop;
}

/* --- adding and removing ------------------------------------------------- */

static void property_free(gpointer data)
{
    ObjectProperty *prop = data;

    g_free(prop->name);
    g_free(prop->type);
    g_free(prop->description);
    g_free(prop);
}

/* Adds a property like @draft, whose texts stay the caller's. */
static ObjectProperty *table_add(GHashTable **table, ObjectProperty draft)
{
    ObjectProperty *prop = g_memdup2(&draft, sizeof(draft));

    prop->name = g_strdup(draft.name);
    prop->type = g_strdup(draft.type);
    if (!*table) {
        *table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                       property_free);
    }
    g_hash_table_insert(*table, prop->name, prop);
    return prop;
}

/* "name[*]": the name with the first number that is free. */
static char *first_free_name(Object *obj, const char *name)
{
    int len = strlen(name) - strlen("[*]");

    for (unsigned i = 0;; i++) {
        char *candidate = g_strdup_printf("%.*s[%u]", len, name, i);

        if (!object_property_find(obj, candidate)) {
            return candidate;
        }
        g_free(candidate);
    }
}

ObjectProperty *object_property_try_add(
    Object *obj, const char *name, const char *type,
    ObjectPropertyAccessor *get, ObjectPropertyAccessor *set,
    ObjectPropertyRelease *release, void *opaque, Error **errp)
{
    g_autofree char *numbered = NULL;

    if (g_str_has_suffix(name, "[*]")) {
        name = numbered = first_free_name(obj, name);
    } else if (object_property_find(obj, name)) {
        error_setg(errp, "attempt to add duplicate property '%s' to object "
                   "(type '%s')", name, object_get_typename(obj));
        return NULL;
    }
    return table_add(&obj->properties, (ObjectProperty) {
        .name = (char *)name, .type = (char *)type,
        .get = get, .set = set, .release = release, .opaque = opaque,
    });
}

ObjectProperty *object_property_add(
    Object *obj, const char *name, const char *type,
    ObjectPropertyAccessor *get, ObjectPropertyAccessor *set,
    ObjectPropertyRelease *release, void *opaque)
{
    return object_property_try_add(obj, name, type, get, set, release, opaque,
                                   &error_abort);
}

ObjectProperty *object_class_property_add(
    ObjectClass *klass, const char *name, const char *type,
    ObjectPropertyAccessor *get, ObjectPropertyAccessor *set,
    ObjectPropertyRelease *release, void *opaque)
{
    g_assert(!class_find(klass, name));
    return table_add(&klass->properties, (ObjectProperty) {
        .name = (char *)name, .type = (char *)type,
        .get = get, .set = set, .release = release, .opaque = opaque,
    });
}

void object_class_property_set_description(ObjectClass *klass, const char *name,
                                           const char *description)
{
    ObjectProperty *prop = class_find(klass, name);

    g_assert(prop);
    g_free(prop->description);
    prop->description = g_strdup(description);
}

/* Out of the table first: the release may look at, or change, the object. */
static void property_remove(Object *obj, const char *name)
{
    ObjectProperty *prop;

    if (!g_hash_table_steal_extended(obj->properties, name, NULL,
                                     (gpointer *)&prop)) {
        g_assert_not_reached();
    }
    if (prop->release) {
        prop->release(obj, prop->name, prop->opaque);
    }
    property_free(prop);
}

void object_property_del(Object *obj, const char *name)
{
    g_assert(obj->properties && g_hash_table_contains(obj->properties, name));
    property_remove(obj, name);
}

static ObjectProperty *any_own_property(Object *obj)
{
    GHashTableIter iter;
    gpointer value = NULL;

    if (obj->properties) {
        g_hash_table_iter_init(&iter, obj->properties);
        g_hash_table_iter_next(&iter, NULL, &value);
    }
    return value;
}

void object_property_del_all(Object *obj)
{
    ObjectProperty *prop;

    for (ObjectClass *k = obj->class; k; k = object_class_get_parent(k)) {
        GHashTableIter iter;

        if (!k->properties) {
            continue;
        }
        g_hash_table_iter_init(&iter, k->properties);
        while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&prop)) {
            if (prop->release) {
                prop->release(obj, prop->name, prop->opaque);
            }
        }
    }
    while ((prop = any_own_property(obj))) {
        property_remove(obj, prop->name);
    }
}

/* --- walking ------------------------------------------------------------- */

static void collect(GPtrArray *props, GHashTable *table)
{
    GHashTableIter iter;
    gpointer prop;

    if (table) {
        g_hash_table_iter_init(&iter, table);
        while (g_hash_table_iter_next(&iter, NULL, &prop)) {
            g_ptr_array_add(props, prop);
        }
    }
}

static gint property_cmp(gconstpointer a, gconstpointer b)
{
    const ObjectProperty *const *pa = a, *const *pb = b;

    return strcmp((*pa)->name, (*pb)->name);
}

static void foreach_sorted(ObjectClass *klass, GHashTable *own,
                           void (*fn)(ObjectProperty *prop, void *opaque),
                           void *opaque)
{
    g_autoptr(GPtrArray) props = g_ptr_array_new();

    collect(props, own);
    for (; klass; klass = object_class_get_parent(klass)) {
        collect(props, klass->properties);
    }
    g_ptr_array_sort(props, property_cmp);
    for (guint i = 0; i < props->len; i++) {
        fn(g_ptr_array_index(props, i), opaque);
    }
}

void object_property_foreach(Object *obj,
                             void (*fn)(ObjectProperty *prop, void *opaque),
                             void *opaque)
{
    foreach_sorted(obj->class, obj->properties, fn, opaque);
}

void object_class_property_foreach(ObjectClass *klass,
                                   void (*fn)(ObjectProperty *prop,
                                              void *opaque), void *opaque)
{
    foreach_sorted(klass, NULL, fn, opaque);
}

/* --- setting and getting ------------------------------------------------- */

bool object_property_set(Object *obj, const char *name, Visitor *v,
                         Error **errp)
{
    ObjectProperty *prop = find_or_fail(obj, name, errp);
    Error *err = NULL;

    if (!prop) {
        return false;
    }
    if (!prop->set) {
        error_setg(errp, "Property '%s.%s' is not writable",
                   object_get_typename(obj), name);
        return false;
    }
    prop->set(obj, v, name, prop->opaque, &err);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return true;
}

bool object_property_get(Object *obj, const char *name, Visitor *v,
                         Error **errp)
{
    ObjectProperty *prop = find_or_fail(obj, name, errp);
    Error *err = NULL;

    if (!prop) {
        return false;
    }
    if (!prop->get) {
        error_setg(errp, "Property '%s.%s' is not readable",
                   object_get_typename(obj), name);
        return false;
    }
    prop->get(obj, v, name, prop->opaque, &err);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return true;
}

/* @node is taken. */
static bool set_node(Object *obj, const char *name, JsonNode *node, bool keyval,
                     Error **errp)
{
    g_autoptr(Visitor) v = visitor_input_new(node, keyval);

    json_node_unref(node);
    return object_property_set(obj, name, v, errp);
}

bool object_property_set_str(Object *obj, const char *name, const char *value,
                             Error **errp)
{
    return set_node(obj, name, json_node_init_string(json_node_alloc(), value),
                    false, errp);
}

bool object_property_parse(Object *obj, const char *name, const char *value,
                           Error **errp)
{
    return set_node(obj, name, json_node_init_string(json_node_alloc(), value),
                    true, errp);
}

bool object_property_set_uint(Object *obj, const char *name, uint64_t value,
                              Error **errp)
{
    return set_node(obj, name,
                    json_node_init_int(json_node_alloc(), (int64_t)value),
                    false, errp);
}
