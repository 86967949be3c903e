/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances: how an object begins, is counted, cast and ends. Properties are
 * in property.c and beside it, the tree in path.c. It must never touch an
 * object after its count has reached zero, except to finalize it.
 */
#include "qemu/osdep.h"

#include "object-internal.h"
#include "qapi/error.h"

static void run_instance_init(Object *obj, TypeImpl *type)
{
    TypeImpl *parent = type_get_parent(type);

    if (parent) {
        run_instance_init(obj, parent);
    }
    if (type->info.instance_init) {
        type->info.instance_init(obj);
    }
}

static void run_instance_post_init(Object *obj, TypeImpl *type)
{
    for (; type; type = type_get_parent(type)) {
        if (type->info.instance_post_init) {
            type->info.instance_post_init(obj);
        }
    }
}

static TypeImpl *type_of_instance(const char *typename)
{
    TypeImpl *type = type_get_by_name(typename);

    if (!type) {
        g_error("unknown type '%s'", typename);
    }
    if (type->info.abstract) {
        g_error("type '%s' is abstract", typename);
    }
    type_get_class(type);
    g_assert(type->instance_size >= sizeof(Object));
    return type;
}

static void object_start(Object *obj, TypeImpl *type)
{
    memset(obj, 0, type->instance_size);
    obj->class = type->class;
    obj->ref = 1;
    run_instance_init(obj, type);
    run_instance_post_init(obj, type);
}

Object *object_new(const char *typename)
{
    TypeImpl *type = type_of_instance(typename);
    Object *obj = g_malloc(type->instance_size);

    object_start(obj, type);
    obj->free = g_free;
    return obj;
}

void object_initialize(void *data, size_t size, const char *typename)
{
    TypeImpl *type = type_of_instance(typename);

    g_assert(size >= type->instance_size);
    object_start(data, type);
}

void object_initialize_child_with_props_size(Object *parent,
                                             const char *childname, void *child,
                                             size_t size, const char *type)
{
    object_initialize(child, size, type);
    object_property_add_child(parent, childname, child);
    object_unref(child);
}

/* --- references ---------------------------------------------------------- */

Object *object_ref(void *objptr)
{
    Object *obj = objptr;

    if (obj) {
        uint32_t before = g_atomic_int_add(&obj->ref, 1);

        g_assert(before > 0 && before < INT32_MAX);
    }
    return obj;
}

static void object_finalize(Object *obj)
{
    object_property_del_all(obj);
    for (TypeImpl *t = obj->class->type; t; t = type_get_parent(t)) {
        if (t->info.instance_finalize) {
            t->info.instance_finalize(obj);
        }
    }
    g_assert(obj->ref == 0 && !obj->parent);
    g_clear_pointer(&obj->properties, g_hash_table_unref);
    if (obj->free) {
        obj->free(obj);
    }
}

void object_unref(void *objptr)
{
    Object *obj = objptr;

    if (obj) {
        g_assert(g_atomic_int_get(&obj->ref) > 0);
        if (g_atomic_int_dec_and_test(&obj->ref)) {
            object_finalize(obj);
        }
    }
}

bool object_unref_unless_last(void *objptr)
{
    Object *obj = objptr;
    int ref;

    do {
        ref = g_atomic_int_get(&obj->ref);
        g_assert(ref > 0);
    } while (ref > 1 &&
             !g_atomic_int_compare_and_exchange((gint *)&obj->ref, ref,
                                                ref - 1));
    return ref > 1;
}

/* --- class and casts ----------------------------------------------------- */

ObjectClass *object_get_class(Object *obj)
{
    return obj->class;
}

const char *object_get_typename(const Object *obj)
{
    return obj->class->type->info.name;
}

Object *object_dynamic_cast(Object *obj, const char *typename)
{
    return obj && object_class_dynamic_cast(obj->class, typename) ? obj : NULL;
}

Object *object_dynamic_cast_assert(Object *obj, const char *typename,
                                   const char *file, int line, const char *func)
{
    if (G_UNLIKELY(obj && !object_class_dynamic_cast(obj->class, typename))) {
        g_error("%s:%d:%s: object %p of type '%s' is not a '%s'", file, line,
                func, (void *)obj, object_get_typename(obj), typename);
    }
    return obj;
}

/* --- the types that everything descends from ------------------------------ */

static char *object_get_type(Object *obj, Error **errp)
{
    return g_strdup(object_get_typename(obj));
}

static void object_class_init(ObjectClass *klass, void *data)
{
    object_class_property_add_str(klass, "type", object_get_type, NULL);
}

static const TypeInfo object_types[] = {
    {
        .name = TYPE_OBJECT,
        .class_init = object_class_init,
        .instance_size = sizeof(Object),
        .class_size = sizeof(ObjectClass),
        .abstract = true,
    },
    {
        .name = TYPE_INTERFACE,
        .class_size = sizeof(InterfaceClass),
        .abstract = true,
    },
    {
        .name = TYPE_CONTAINER,
        .parent = TYPE_OBJECT,
    },
};

DEFINE_TYPES(object_types)
