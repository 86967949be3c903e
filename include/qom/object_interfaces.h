/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that a user creates, by -object or object-add, and deletes; and how
 * properties are set from what a user wrote. Big lock held.
 */
#ifndef QOM_OBJECT_INTERFACES_H
#define QOM_OBJECT_INTERFACES_H

#include <json-glib/json-glib.h>

#include "qom/object.h"

#define TYPE_USER_CREATABLE "user-creatable"
typedef struct UserCreatable UserCreatable;
typedef struct UserCreatableClass UserCreatableClass;
DECLARE_OBJ_CHECKERS(UserCreatable, UserCreatableClass, USER_CREATABLE,
                     TYPE_USER_CREATABLE)

struct UserCreatableClass {
    InterfaceClass parent_class;

    /* It names devices: of a command line, it is created after them. */
    bool names_devices;
    /* All properties are set: do the work. May be NULL. */
    void (*complete)(UserCreatable *uc, Error **errp);
    /* NULL: always. */
    bool (*can_be_deleted)(UserCreatable *uc);
    /* Takes back what complete() did, after can_be_deleted() agreed; false with
     * *errp: the object stays, and nothing has changed. NULL: always works. */
    bool (*prepare_delete)(UserCreatable *uc, Error **errp);
};

bool user_creatable_complete(UserCreatable *uc, Error **errp);

/* Whether objects of the type name devices; false if there is no such type. */
bool user_creatable_names_devices(const char *typename);

/*
 * Sets each member of @props, in order, as a property of @obj. @keyval: the
 * values are text as on the command line. Stops at the first failure.
 */
bool object_set_properties_from_json(Object *obj, JsonObject *props,
                                     bool keyval, Error **errp);

/*
 * Creates what "qom-type" of @opts names as /objects/ID, where ID is its "id",
 * sets the other members as properties, completes it. @opts stays the
 * caller's. On failure nothing is left.
 */
bool user_creatable_add_from_json(JsonObject *opts, bool keyval, Error **errp);
/* Deletes /objects/@id, unless it is in use. */
bool user_creatable_del(const char *id, Error **errp);

#endif
