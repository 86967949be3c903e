/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types and classes: the registry, how a class is made from its parent's and
 * its interfaces', and casts. A class comes to life on first use, so a start
 * pays only for the types that the machine has. It must never look at an
 * instance; those are object.c's.
 */
#include "qemu/osdep.h"

#include "object-internal.h"

/* name -> TypeImpl. Types live for ever. */
static GHashTable *type_table;

static TypeImpl *type_new(const TypeInfo *info)
{
    TypeImpl *type = g_new0(TypeImpl, 1);
    size_t n = 0;

    while (info->interfaces && info->interfaces[n].type) {
        n++;
    }
    type->info = *info;
    type->info.interfaces = NULL;
    /* No object is just an interface. */
    type->info.abstract |= !g_strcmp0(info->parent, TYPE_INTERFACE);
    type->interfaces = g_new0(const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        type->interfaces[i] = info->interfaces[i].type;
    }
    return type;
}

Type type_register_static(const TypeInfo *info)
{
    TypeImpl *type = type_new(info);

    if (!type_table) {
        type_table = g_hash_table_new(g_str_hash, g_str_equal);
    }
    if (!g_hash_table_insert(type_table, (void *)info->name, type)) {
        g_error("type '%s' is registered twice", info->name);
    }
    return type;
}

void type_register_static_array(const TypeInfo *infos, int nr_infos)
{
    for (int i = 0; i < nr_infos; i++) {
        type_register_static(&infos[i]);
    }
}

TypeImpl *type_get_by_name(const char *name)
{
    return type_table && name ? g_hash_table_lookup(type_table, name) : NULL;
}

TypeImpl *type_get_parent(TypeImpl *type)
{
    if (!type->parent && type->info.parent) {
        type->parent = type_get_by_name(type->info.parent);
        if (!type->parent) {
            g_error("type '%s' has unknown parent '%s'", type->info.name,
                    type->info.parent);
        }
        /* The link that would close a circle is the last to be made. */
        for (TypeImpl *t = type->parent; t; t = t->parent) {
            if (t == type) {
                g_error("type '%s' is its own ancestor", type->info.name);
            }
        }
    }
    return type->parent;
}

bool type_has_ancestor(TypeImpl *type, const char *name)
{
    for (TypeImpl *t = type; t; t = type_get_parent(t)) {
        if (t->info.name == name || !strcmp(t->info.name, name)) {
            return true;
        }
    }
    return false;
}

/* --- classes ------------------------------------------------------------- */

static bool type_is_interface(TypeImpl *type)
{
    return type_has_ancestor(type, TYPE_INTERFACE);
}

/*
 * Gives @klass its own copy of the class of the interface @type, starting from
 * @defaults: the interface's class, or the copy of the parent class.
 */
static void class_add_interface(ObjectClass *klass, TypeImpl *type,
                                const ObjectClass *defaults)
{
    InterfaceClass *iface = g_memdup2(defaults, type->info.class_size);

    iface->parent_class.interfaces = NULL;
    iface->parent_class.properties = NULL;
    iface->concrete_class = klass;
    iface->interface_type = type;
    klass->interfaces = g_slist_append(klass->interfaces, iface);
}

static bool class_has_interface(ObjectClass *klass, const char *name)
{
    for (GSList *l = klass->interfaces; l; l = l->next) {
        InterfaceClass *iface = l->data;

        if (type_has_ancestor(iface->interface_type, name)) {
            return true;
        }
    }
    return false;
}

static void class_add_interfaces(ObjectClass *klass, TypeImpl *type)
{
    TypeImpl *parent = type_get_parent(type);

    for (GSList *l = parent ? parent->class->interfaces : NULL; l;
         l = l->next) {
        class_add_interface(klass, ((InterfaceClass *)l->data)->interface_type,
                            l->data);
    }
    for (const char **name = type->interfaces; *name; name++) {
        TypeImpl *iface = type_get_by_name(*name);

        if (!iface || !type_is_interface(iface)) {
            g_error("type '%s' implements '%s', which is not an interface",
                    type->info.name, *name);
        }
        if (!class_has_interface(klass, *name)) {
            class_add_interface(klass, iface, type_get_class(iface));
        }
    }
}

static void type_inherit_sizes(TypeImpl *type, TypeImpl *parent)
{
    size_t parent_class_size = parent ? parent->info.class_size : 0;
    size_t parent_size = parent ? parent->instance_size : 0;

    if (!type->info.class_size) {
        type->info.class_size = parent ? parent_class_size
                                       : sizeof(ObjectClass);
    }
    type->instance_size = type->info.instance_size ? type->info.instance_size
                                                   : parent_size;
    g_assert(type->info.class_size >= parent_class_size);
    g_assert(type->instance_size >= parent_size);
}

/* The class as it begins: what the parent's has become, but for its own. */
static ObjectClass *class_new(TypeImpl *type, TypeImpl *parent)
{
    ObjectClass *klass = g_malloc0(type->info.class_size);

    if (parent) {
        memcpy(klass, parent->class, parent->info.class_size);
    }
    klass->type = type;
    klass->interfaces = NULL;
    klass->properties = NULL;
    return klass;
}

static void class_start(ObjectClass *klass, TypeImpl *type)
{
    class_add_interfaces(klass, type);
    for (TypeImpl *t = type; (t = type_get_parent(t));) {
        if (t->info.class_base_init) {
            t->info.class_base_init(klass, type->info.class_data);
        }
    }
    if (type->info.class_init) {
        type->info.class_init(klass, type->info.class_data);
    }
}

ObjectClass *type_get_class(TypeImpl *type)
{
    if (!type->class) {
        TypeImpl *parent = type_get_parent(type);

        if (parent) {
            type_get_class(parent);
        }
        type_inherit_sizes(type, parent);
        type->class = class_new(type, parent);
        class_start(type->class, type);
    }
    return type->class;
}

ObjectClass *object_class_by_name(const char *typename)
{
    TypeImpl *type = type_get_by_name(typename);

    return type ? type_get_class(type) : NULL;
}

const char *object_class_get_name(ObjectClass *klass)
{
    return klass->type->info.name;
}

ObjectClass *object_class_get_parent(ObjectClass *klass)
{
    TypeImpl *parent = type_get_parent(klass->type);

    return parent ? parent->class : NULL;
}

bool object_class_is_abstract(ObjectClass *klass)
{
    return klass->type->info.abstract;
}

/* --- casts --------------------------------------------------------------- */

/*
 * Type names in source are one string constant each, so pointers mostly decide
 * and the cache, by pointer, decides the rest. A stale or torn view of it by
 * another thread is a miss at worst: entries are names of true ancestors.
 */
static bool cast_cache_has(TypeImpl *type, const char *name)
{
    for (unsigned i = 0; i < CAST_CACHE_SIZE; i++) {
        if (g_atomic_pointer_get(&type->cast_cache[i]) == name) {
            return true;
        }
    }
    return false;
}

static void cast_cache_add(TypeImpl *type, const char *name)
{
    unsigned slot = type->cast_next++ % CAST_CACHE_SIZE;

    g_atomic_pointer_set(&type->cast_cache[slot], name);
}

static ObjectClass *class_find_interface(ObjectClass *klass, const char *name)
{
    TypeImpl *target;
    ObjectClass *found = NULL;

    for (GSList *l = klass->interfaces; l; l = l->next) {
        if (((InterfaceClass *)l->data)->interface_type->info.name == name) {
            return l->data;
        }
    }
    target = type_get_by_name(name);
    if (!target || !type_is_interface(target)) {
        return NULL;
    }
    for (GSList *l = klass->interfaces; l; l = l->next) {
        TypeImpl *type = ((InterfaceClass *)l->data)->interface_type;

        if (type == target) {
            return l->data;
        }
        if (type_has_ancestor(type, name)) {
            if (found) {
                return NULL;              /* two of them: which is meant? */
            }
            found = l->data;
        }
    }
    return found;
}

ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *typename)
{
    if (!klass) {
        return NULL;
    }
    if (klass->type->info.name == typename ||
        cast_cache_has(klass->type, typename)) {
        return klass;
    }
    if (type_has_ancestor(klass->type, typename)) {
        /* Only registered names live for ever; the caller's may not. */
        cast_cache_add(klass->type, type_get_by_name(typename)->info.name);
        return klass;
    }
    return class_find_interface(klass, typename);
}

ObjectClass *object_class_dynamic_cast_assert(ObjectClass *klass,
                                              const char *typename,
                                              const char *file, int line,
                                              const char *func)
{
    ObjectClass *result = object_class_dynamic_cast(klass, typename);

    if (G_UNLIKELY(!result && klass)) {
        g_error("%s:%d:%s: class '%s' is not a '%s'", file, line, func,
                klass->type->info.name, typename);
    }
    return result;
}

/* --- lists --------------------------------------------------------------- */

/* Whether one of the interfaces that @type itself names is a @name. */
static bool type_names_interface(TypeImpl *type, const char *name)
{
    bool found = false;

    for (const char **iface = type->interfaces; *iface && !found; iface++) {
        TypeImpl *i = type_get_by_name(*iface);

        found = i && type_has_ancestor(i, name);
    }
    return found;
}

/* Whether @type will be castable to @name, without making its class. */
static bool type_implements(TypeImpl *type, const char *name)
{
    bool found = type_has_ancestor(type, name);

    for (TypeImpl *t = type; t && !found; t = type_get_parent(t)) {
        found = type_names_interface(t, name);
    }
    return found;
}

static gint class_cmp(gconstpointer a, gconstpointer b)
{
    return strcmp(object_class_get_name((ObjectClass *)a),
                  object_class_get_name((ObjectClass *)b));
}

GSList *object_class_get_list_sorted(const char *implements_type,
                                     bool include_abstract)
{
    g_autoptr(GList) types = type_table ? g_hash_table_get_values(type_table)
                                        : NULL;
    GSList *list = NULL;

    /* A class_init may register types: hence not by walking the table. */
    for (GList *l = types; l; l = l->next) {
        TypeImpl *type = l->data;

        if ((type->info.abstract && !include_abstract) ||
            (implements_type && !type_implements(type, implements_type))) {
            continue;
        }
        list = g_slist_prepend(list, type_get_class(type));
    }
    return g_slist_sort(list, class_cmp);
}
