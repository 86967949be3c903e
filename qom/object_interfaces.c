/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that users create (qom/object_interfaces.h): -object and object-add.
 * What the user wrote is checked before anything is made, and whatever fails
 * afterwards takes the object away again.
 */
#include "qemu/osdep.h"

#include "qapi/visitor.h"
#include "qemu/absent.h"
#include "qemu/id.h"
#include "qemu/may-open.h"
#include "qom/object_interfaces.h"

bool user_creatable_complete(UserCreatable *uc, Error **errp)
{
    ERRP_GUARD();
    const UserCreatableClass *methods = USER_CREATABLE_GET_CLASS(uc);

    if (methods->complete) {
        methods->complete(uc, errp);
    }
    return !*errp;
}

bool user_creatable_names_devices(const char *typename)
{
    ObjectClass *klass = object_class_by_name(typename);

    return klass && object_class_dynamic_cast(klass, TYPE_USER_CREATABLE) &&
           USER_CREATABLE_CLASS(klass)->names_devices;
}

bool object_set_properties_from_json(Object *obj, JsonObject *props,
                                     bool keyval, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(props);

    for (GList *l = names; l; l = l->next) {
        JsonNode *value = json_object_get_member(props, l->data);
        g_autoptr(Visitor) v = visitor_input_new(value, keyval);

        if (!object_property_set(obj, l->data, v, errp)) {
            return false;
        }
    }
    return true;
}

/* The class to be instantiated, if a user may do so. */
static bool check_creatable(const char *typename, Error **errp)
{
    ObjectClass *klass = object_class_by_name(typename);

    if (!klass) {
        const char *reason = absent_reason(ABSENT_OBJECT, typename);

        error_setg(errp, "invalid object type: %s%s%s", typename,
                   reason ? ": " : "", reason ? reason : "");
        return false;
    }
    if (!object_class_dynamic_cast(klass, TYPE_USER_CREATABLE)) {
        error_setg(errp, "object type '%s' isn't supported by object-add",
                   typename);
        return false;
    }
    if (object_class_is_abstract(klass)) {
        error_setg(errp, "object type '%s' is abstract", typename);
        return false;
    }
    return true;
}

/* The string member @name; NULL and *errp if it is not there or not one. */
static const char *required_string(JsonObject *opts, const char *name,
                                   Error **errp)
{
    JsonNode *node = json_object_get_member(opts, name);

    if (!node) {
        error_setg(errp, "Parameter '%s' is missing", name);
        return NULL;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
        error_setg(errp, "Invalid parameter type for '%s', expected: string",
                   name);
        return NULL;
    }
    return json_node_get_string(node);
}

/* Adds a property; of a command line, @name may be that of a member of one that is
 * an object, as in limits.iops-total. */
static void add_property(JsonObject *props, const char *name, JsonNode *value,
                         bool keyval)
{
    const char *dot = keyval ? strchr(name, '.') : NULL;
    g_autofree char *outer = g_strndup(name, dot ? (gsize)(dot - name)
                                                    : strlen(name));
    JsonNode *node = json_object_get_member(props, outer);

    if (!dot) {
        json_object_set_member(props, name, json_node_copy(value));
        return;
    }
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        json_object_set_object_member(props, outer, json_object_new());
        node = json_object_get_member(props, outer);
    }
    json_object_set_member(json_node_get_object(node), dot + 1,
                           json_node_copy(value));
}

/* @opts without the two members that are no properties. */
static JsonObject *properties_of(JsonObject *opts, bool keyval)
{
    g_autoptr(GList) names = json_object_get_members(opts);
    JsonObject *props = json_object_new();

    for (GList *l = names; l; l = l->next) {
        if (strcmp(l->data, "qom-type") && strcmp(l->data, "id")) {
            add_property(props, l->data, json_object_get_member(opts, l->data),
                         keyval);
        }
    }
    return props;
}

bool user_creatable_add_from_json(JsonObject *opts, bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = NULL;
    g_autoptr(Object) obj = NULL;
    const char *typename = qemu_may_open(errp)
        ? required_string(opts, "qom-type", errp) : NULL;
    const char *id = typename ? required_string(opts, "id", errp) : NULL;

    if (!id) {
        return false;
    }
    if (!id_wellformed(id)) {
        error_setg(errp, ERROR_ID_MALFORMED);
        return false;
    }
    if (!check_creatable(typename, errp)) {
        return false;
    }
    obj = object_new(typename);
    props = properties_of(opts, keyval);
    if (!object_set_properties_from_json(obj, props, keyval, errp) ||
        !object_property_try_add_child(object_get_objects_root(), id, obj,
                                       errp)) {
        return false;
    }
    if (!user_creatable_complete(USER_CREATABLE(obj), errp)) {
        object_unparent(obj);
        return false;
    }
    return true;
}

/* Whether the object @id lets itself be deleted; makes it ready for that. */
static bool give_up(UserCreatable *uc, const char *id, Error **errp)
{
    const UserCreatableClass *methods = USER_CREATABLE_GET_CLASS(uc);

    if (methods->can_be_deleted && !methods->can_be_deleted(uc)) {
        error_setg(errp, "object '%s' is in use, can not be deleted", id);
        return false;
    }
    return !methods->prepare_delete || methods->prepare_delete(uc, errp);
}

bool user_creatable_del(const char *id, Error **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);

    if (!obj) {
        error_setg(errp, "object '%s' not found", id);
    } else if (give_up(USER_CREATABLE(obj), id, errp)) {
        object_unparent(obj);
        return true;
    }
    return false;
}

static const TypeInfo user_creatable_types[] = {
    {
        .name = TYPE_USER_CREATABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(UserCreatableClass),
    },
};

DEFINE_TYPES(user_creatable_types)
