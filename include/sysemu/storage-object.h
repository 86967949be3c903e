/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that QEMU's storage daemon has to have, too, for nodes that name them:
 * secrets, TLS credentials, groups of limits. Here they are checked, and kept until
 * a node needs one. Main thread.
 */
#ifndef SYSEMU_STORAGE_OBJECT_H
#define SYSEMU_STORAGE_OBJECT_H

#include <json-glib/json-glib.h>

#include "qom/object_interfaces.h"

#define TYPE_STORAGE_OBJECT "storage-object"
typedef struct StorageObject StorageObject;
typedef struct StorageObjectClass StorageObjectClass;
DECLARE_OBJ_CHECKERS(StorageObject, StorageObjectClass, STORAGE_OBJECT,
                     TYPE_STORAGE_OBJECT)

struct StorageObjectClass {
    InterfaceClass parent_class;

    /* Adds to @options what object-add takes for one like it. */
    void (*describe)(StorageObject *obj, JsonObject *options);
};

#define TYPE_SECRET "secret"
/* What all kinds of TLS credentials are. */
#define TYPE_TLS_CREDS "tls-creds"
/* Limits of nodes of driver throttle; block/ has it. */
#define TYPE_THROTTLE_GROUP "throttle-group"

/* The object @id, which is of @type; NULL: *errp, there is none. */
Object *storage_object_find(const char *id, const char *type, Error **errp);
/* The arguments of object-add that make one like @obj, called @id;
 * json_object_unref(). */
JsonObject *storage_object_options(Object *obj, const char *id);
/* UserCreatableClass.can_be_deleted: nobody else holds a reference. */
bool storage_object_is_unused(UserCreatable *uc);

#endif
