/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of qom/ share; nobody else includes it. */
#ifndef QOM_OBJECT_INTERNAL_H
#define QOM_OBJECT_INTERNAL_H

#include "qom/object.h"

/* Ancestors by which a type was recently cast; see type_has_ancestor(). */
#define CAST_CACHE_SIZE 4

struct TypeImpl {
    TypeInfo info;                        /* .interfaces is not used */
    const char **interfaces;              /* names; ends with NULL */
    TypeImpl *parent;                     /* NULL until it is resolved */
    size_t instance_size;                 /* 0 until the class is */
    ObjectClass *class;                   /* NULL until initialised */
    const char *cast_cache[CAST_CACHE_SIZE];
    unsigned cast_next;
};

/* The type, or NULL. */
TypeImpl *type_get_by_name(const char *name);
/* The parent, or NULL for a root. An unregistered one is a bug: abort. */
TypeImpl *type_get_parent(TypeImpl *type);
/* The class, brought to life if it is not. */
ObjectClass *type_get_class(TypeImpl *type);
/* Whether @type is, or inherits from, the type named @name. */
bool type_has_ancestor(TypeImpl *type, const char *name);

/* Releases all properties of @obj, the classes' too. */
void object_property_del_all(Object *obj);
/* The child<> property of @parent that holds @child. */
ObjectProperty *object_find_child_property(Object *parent, const Object *child);
bool object_property_is_child(const ObjectProperty *prop);

#endif
