/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What objects that are made in QEMU's storage daemon as well have in common
 * (sysemu/storage-object.h).
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "sysemu/storage-object.h"

Object *storage_object_find(const char *id, const char *type, Error **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);

    if (!obj || !object_dynamic_cast(obj, type)) {
        error_setg(errp, "No %s with id '%s': -object makes one", type, id);
        return NULL;
    }
    return obj;
}

JsonObject *storage_object_options(Object *obj, const char *id)
{
    JsonObject *options = json_object_new();

    json_object_set_string_member(options, "qom-type",
                                  object_get_typename(obj));
    json_object_set_string_member(options, "id", id);
    STORAGE_OBJECT_GET_CLASS(obj)->describe(STORAGE_OBJECT(obj), options);
    return options;
}

bool storage_object_is_unused(UserCreatable *uc)
{
    return OBJECT(uc)->ref == 1;          /* its parent's */
}

static const TypeInfo storage_object_types[] = {
    {
        .name = TYPE_STORAGE_OBJECT,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(StorageObjectClass),
    },
};
DEFINE_TYPES(storage_object_types)
