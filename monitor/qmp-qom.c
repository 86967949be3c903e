/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands on the object model: types, the composition tree, properties,
 * user-creatable objects. Paths, names and values are the client's and may be
 * anything; the object model's own checks decide about values.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"
#include "qom/object.h"
#include "qom/object_interfaces.h"

/* The object at @path; NULL: *errp, worded as in QEMU. */
static Object *qmp_resolve(const char *path, Error **errp)
{
    bool ambiguous = false;
    Object *obj = object_resolve_path(path, &ambiguous);

    if (!obj && ambiguous) {
        error_setg(errp, "Path '%s' is ambiguous", path);
    } else if (!obj) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  path);
    }
    return obj;
}

/* --- properties ---------------------------------------------------------- */

static void qmp_append_property(ObjectProperty *prop, void *opaque)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", prop->name);
    json_object_set_string_member(info, "type", prop->type);
    if (prop->description) {
        json_object_set_string_member(info, "description", prop->description);
    }
    json_array_add_object_element(opaque, info);
}

static JsonNode *qmp_qom_list(JsonObject *args, Error **errp)
{
    Object *obj = qmp_resolve(json_object_get_string_member(args, "path"),
                              errp);
    JsonArray *properties;

    if (!obj) {
        return NULL;
    }
    properties = json_array_new();
    object_property_foreach(obj, qmp_append_property, properties);
    return json_array_node(properties);
}

static JsonNode *qmp_qom_get(JsonObject *args, Error **errp)
{
    Object *obj = qmp_resolve(json_object_get_string_member(args, "path"),
                              errp);
    g_autoptr(Visitor) v = NULL;

    if (!obj) {
        return NULL;
    }
    v = visitor_output_new();
    if (!object_property_get(obj,
                             json_object_get_string_member(args, "property"),
                             v, errp)) {
        return NULL;
    }
    return visitor_output_take(v);
}

static JsonNode *qmp_qom_set(JsonObject *args, Error **errp)
{
    Object *obj = qmp_resolve(json_object_get_string_member(args, "path"),
                              errp);
    g_autoptr(Visitor) v = NULL;

    if (obj) {
        v = visitor_input_new(json_object_get_member(args, "value"), false);
        object_property_set(obj,
                            json_object_get_string_member(args, "property"),
                            v, errp);
    }
    return NULL;
}

/* --- types --------------------------------------------------------------- */

static void qmp_append_type(ObjectClass *klass, JsonArray *types)
{
    JsonObject *info = json_object_new();
    ObjectClass *parent = object_class_get_parent(klass);

    json_object_set_string_member(info, "name", object_class_get_name(klass));
    if (object_class_is_abstract(klass)) {
        json_object_set_boolean_member(info, "abstract", true);
    }
    if (parent) {
        json_object_set_string_member(info, "parent",
                                      object_class_get_name(parent));
    }
    json_array_add_object_element(types, info);
}

static JsonNode *qmp_qom_list_types(JsonObject *args, Error **errp)
{
    const char *implements =
        json_object_get_string_member_with_default(args, "implements", NULL);
    bool abstract =
        json_object_get_boolean_member_with_default(args, "abstract", false);
    g_autoptr(GSList) classes = object_class_get_list_sorted(implements,
                                                             abstract);
    JsonArray *types = json_array_new();

    for (GSList *l = classes; l; l = l->next) {
        qmp_append_type(l->data, types);
    }
    return json_array_node(types);
}

static JsonNode *qmp_qom_list_properties(JsonObject *args, Error **errp)
{
    const char *typename = json_object_get_string_member(args, "typename");
    ObjectClass *klass = object_class_by_name(typename);
    JsonArray *properties;

    if (!klass) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Class '%s' not found",
                  typename);
        return NULL;
    }
    properties = json_array_new();
    if (object_class_is_abstract(klass)) {
        object_class_property_foreach(klass, qmp_append_property, properties);
    } else {
        g_autoptr(Object) obj = object_new(typename);

        object_property_foreach(obj, qmp_append_property, properties);
    }
    return json_array_node(properties);
}

/* --- devices ------------------------------------------------------------- */

typedef struct PropertySearch {
    const char *name;
    const Property *found;
} PropertySearch;

static int find_in_child(Object *child, void *opaque)
{
    PropertySearch *search = opaque;

    if (object_dynamic_cast(child, TYPE_DEVICE)) {
        search->found = qdev_prop_find(DEVICE_GET_CLASS(child), search->name);
    }
    return search->found != NULL;
}

/* What @obj.@name is, or, if it is an alias, the same of a device within. */
static const Property *find_static_property(Object *obj, const char *name)
{
    PropertySearch search = { name, qdev_prop_find(DEVICE_GET_CLASS(obj),
                                                   name) };

    if (!search.found) {
        object_child_foreach(obj, find_in_child, &search);
    }
    return search.found;
}

/* The default of the property @prop of @obj; NULL: it has none. */
static JsonNode *default_node(Object *obj, const ObjectProperty *prop)
{
    const Property *static_prop = find_static_property(obj, prop->name);
    g_autofree char *text = NULL;

    if (!static_prop || !static_prop->info->print_default) {
        return NULL;
    }
    text = static_prop->info->print_default(static_prop);
    if (!strcmp(prop->type, "bool")) {
        return json_node_init_boolean(json_node_alloc(), !strcmp(text, "on"));
    }
    if (g_str_has_prefix(prop->type, "int") || !strcmp(prop->type, "size") ||
        g_str_has_prefix(prop->type, "uint")) {
        return json_node_init_int(json_node_alloc(),
                                  (gint64)g_ascii_strtoull(text, NULL, 10));
    }
    return json_node_init_string(json_node_alloc(), text);
}

typedef struct DeviceProperties {
    Object *obj;
    JsonArray *list;
} DeviceProperties;

/* All but the object model's own. What can only be read is among them. */
static void qmp_append_device_property(ObjectProperty *prop, void *opaque)
{
    static const char *const internal[] = {
        "type", "realized", "hotpluggable", "hotplugged", "parent_bus", NULL,
    };
    DeviceProperties *properties = opaque;
    JsonNode *value;

    if (g_strv_contains(internal, prop->name)) {
        return;
    }
    qmp_append_property(prop, properties->list);
    value = default_node(properties->obj, prop);
    if (value) {
        guint last = json_array_get_length(properties->list) - 1;

        json_object_set_member(
            json_array_get_object_element(properties->list, last),
            "default-value", value);
    }
}

static bool check_device_type(const char *typename, Error **errp)
{
    ObjectClass *klass = object_class_by_name(typename);

    if (!klass) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  typename);
        return false;
    }
    if (!object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        error_setg(errp, "Parameter 'typename' expects a device type");
        return false;
    }
    if (object_class_is_abstract(klass)) {
        error_setg(errp, "Parameter 'typename' expects a non-abstract device "
                   "type");
        return false;
    }
    return true;
}

static JsonNode *qmp_device_list_properties(JsonObject *args, Error **errp)
{
    const char *typename = json_object_get_string_member(args, "typename");
    DeviceProperties properties;

    if (!check_device_type(typename, errp)) {
        return NULL;
    }
    properties.obj = object_new(typename);
    properties.list = json_array_new();
    object_property_foreach(properties.obj, qmp_append_device_property,
                            &properties);
    object_unref(properties.obj);
    return json_array_node(properties.list);
}

/* --- objects ------------------------------------------------------------- */

static JsonNode *qmp_object_add(JsonObject *args, Error **errp)
{
    user_creatable_add_from_json(args, false, errp);
    return NULL;
}

static JsonNode *qmp_object_del(JsonObject *args, Error **errp)
{
    user_creatable_del(json_object_get_string_member(args, "id"), errp);
    return NULL;
}

static const QmpType qmp_qom_types[] = {
    { .name = "ObjectPropertyInfo",
      .members = "name:str,type:str,?description:str,?default-value:any",
      .help = "A property.\n"
      "name: as qom-get and -device take it\n"
      "type: of its value; child<T> and link<T> are objects of type T\n"
      "description: for people\n"
      "default-value: what it is unless it is set" },
    { .name = "ObjectTypeInfo",
      .members = "name:str,?abstract:bool,?parent:str",
      .help = "A type of objects.\n"
      "name: as -device and -object take it\n"
      "abstract: true, if no object can have it\n"
      "parent: the type that it is a kind of" },
    { .name = "ObjectType", .implementing = TYPE_USER_CREATABLE,
      .help = "The types of objects that object-add creates." },
    { .name = "ObjectOptions", .members = "qom-type:ObjectType,id:str,**",
      .tag = "qom-type", .implementing = TYPE_USER_CREATABLE,
      .help = "What object-add takes.\n"
      "qom-type: e.g. memory-backend-memfd\n"
      "id: what others call it by\n"
      "**: its properties" },
};

static const QmpCommand qmp_qom_commands[] = {
    { .name = "qom-list", .args = "path:str", .returns = "[ObjectPropertyInfo]",
      .fn = qmp_qom_list,
      .help = "The properties, children among them, of an object.\n"
      "path: from the root (/machine/...), or any unambiguous end of a path\n"
      "Errors: DeviceNotFound, if there is no such object" },
    { .name = "qom-get", .args = "path:str,property:str", .returns = "any",
      .fn = qmp_qom_get,
      .help = "The value of a property.\n"
      "path: of the object, as for qom-list\n"
      "property: its name\n"
      "Returns: the value, of the property's type" },
    { .name = "qom-set", .args = "path:str,property:str,value:any",
      .fn = qmp_qom_set,
      .help = "Sets a property. requested-size of a virtio-mem device says how "
      "much memory the guest shall have plugged.\n"
      "path: of the object, as for qom-list\n"
      "property: its name\n"
      "value: of the property's type; sizes are in bytes\n"
      "Errors: one that says which values are possible; nothing was changed" },
    { .name = "qom-list-types", .args = "?implements:str,?abstract:bool",
      .returns = "[ObjectTypeInfo]", .fn = qmp_qom_list_types,
      .help = "The types of objects, or those that implement a type.\n"
      "implements: a type or an interface\n"
      "abstract: also those that no object can have" },
    { .name = "qom-list-properties", .args = "typename:str",
      .returns = "[ObjectPropertyInfo]", .fn = qmp_qom_list_properties,
      .help = "The properties that objects of a type have.\n"
      "typename: one of those that qom-list-types lists\n"
      "Errors: DeviceNotFound, if there is no such type" },
    { .name = "device-list-properties", .args = "typename:str",
      .returns = "[ObjectPropertyInfo]", .fn = qmp_device_list_properties,
      .help = "The properties that devices of a type have.\n"
      "typename: as device_add takes it for driver" },
    { .name = "object-add", .args = "ObjectOptions", .fn = qmp_object_add,
      .help = "Creates an object, as -object does." },
    { .name = "object-del", .args = "id:str", .fn = qmp_object_del,
      .help = "Deletes an object that nobody uses.\n"
      "id: as given when it was created\n"
      "Errors: one that says that it is in use" },
};

static void qmp_qom_register(void)
{
    qmp_register_types(qmp_qom_types, ARRAY_SIZE(qmp_qom_types));
    qmp_register_commands(qmp_qom_commands, ARRAY_SIZE(qmp_qom_commands));
}
type_init(qmp_qom_register)
