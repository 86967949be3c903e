/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types for text: -blockdev and -drive as keywords have nothing but text, and
 * the daemon's QMP wants numbers and booleans. What is what, of drivers that
 * nobody here knows, is in the daemon's schema. It is asked for only if some text
 * could be anything else, and not kept.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "storage-daemon.h"

/* By name, objects of query-qmp-schema. */
typedef GHashTable Schema;

static JsonNode *type_value(Schema *schema, const char *type, JsonNode *value);

/* --- whether there is anything to do --- */

static const struct { const char *text; bool on; } switches[] = {
    { "on", true }, { "off", false }, { "true", true }, { "false", false },
    { "yes", true }, { "no", false }, { "y", true }, { "n", false },
};

static const char *text_of(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_STRING
        ? json_node_get_string(node) : NULL;
}

static bool could_be_other(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
        if (strcmp(text, switches[i].text) == 0) {
            return true;
        }
    }
    return g_ascii_isdigit(*text) || *text == '-';
}

/* As keywords have it: children.0=... */
static bool is_list(JsonObject *o)
{
    return json_object_has_member(o, "0");
}

static bool has_untyped(JsonObject *o)
{
    g_autoptr(GList) values = json_object_get_values(o);

    if (is_list(o)) {
        return true;
    }
    for (GList *i = values; i; i = i->next) {
        JsonNode *node = i->data;
        const char *text = text_of(node);

        if (text ? could_be_other(text)
                 : JSON_NODE_HOLDS_OBJECT(node) &&
                   has_untyped(json_node_get_object(node))) {
            return true;
        }
    }
    return false;
}

/* --- the schema --- */

static Schema *index_schema(JsonArray *entries)
{
    Schema *schema = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           (GDestroyNotify)json_object_unref);

    for (guint i = 0; i < json_array_get_length(entries); i++) {
        JsonNode *node = json_array_get_element(entries, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(node)
            ? json_node_get_object(node) : NULL;
        const char *name = o ? json_object_get_string_member_with_default(
                                   o, "name", NULL) : NULL;

        if (name) {
            g_hash_table_insert(schema, g_strdup(name), json_object_ref(o));
        }
    }
    return schema;
}

static const char *get_text(JsonObject *o, const char *member)
{
    return json_object_get_string_member_with_default(o, member, "");
}

/* The element of array @list of @entry whose @key is @value. */
static JsonObject *element(JsonObject *entry, const char *list,
                           const char *key, const char *value)
{
    JsonNode *node = json_object_get_member(entry, list);
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node)
        ? json_node_get_array(node) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *e = json_array_get_element(array, i);

        if (JSON_NODE_HOLDS_OBJECT(e) &&
            strcmp(get_text(json_node_get_object(e), key), value) == 0) {
            return json_node_get_object(e);
        }
    }
    return NULL;
}

/* The type of member @name of objects such as @o; NULL: there is none. */
static const char *member_type(Schema *schema, JsonObject *entry,
                               JsonObject *o, const char *name)
{
    JsonObject *member = element(entry, "members", "name", name);
    const char *tag = get_text(entry, "tag");

    if (!member && *tag) {
        JsonNode *which = json_object_get_member(o, tag);
        const char *value = which ? text_of(which) : NULL;
        JsonObject *variant = value ? element(entry, "variants", "case", value)
                                    : NULL;
        JsonObject *more = variant
            ? g_hash_table_lookup(schema, get_text(variant, "type")) : NULL;

        member = more ? element(more, "members", "name", name) : NULL;
    }
    return member ? get_text(member, "type") : NULL;
}

/* --- values --- */

static JsonNode *type_object(Schema *schema, JsonObject *entry, JsonObject *o)
{
    JsonObject *typed = json_object_new();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, o);
    while (json_object_iter_next(&iter, &name, &node)) {
        const char *type = member_type(schema, entry, o, name);

        json_object_set_member(typed, name,
                               type ? type_value(schema, type, node)
                                    : json_node_copy(node));
    }
    return json_node_init_object(json_node_alloc(), typed);
}

static JsonNode *type_builtin(JsonObject *entry, JsonNode *value)
{
    const char *type = get_text(entry, "json-type"), *text = text_of(value);
    uint64_t number;

    if (text && strcmp(type, "boolean") == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
            if (strcmp(text, switches[i].text) == 0) {
                return json_node_init_boolean(json_node_alloc(),
                                              switches[i].on);
            }
        }
    }
    if (text && strcmp(type, "int") == 0 &&
        qemu_strtosz(text, NULL, &number) == 0 && number <= INT64_MAX) {
        return json_node_init_int(json_node_alloc(), number);
    }
    return json_node_copy(value);
}

/* Text of an alternate stays text, if text is possible. */
static JsonNode *type_alternate(Schema *schema, JsonObject *entry,
                                JsonNode *value)
{
    JsonArray *types = json_object_get_array_member(entry, "members");

    if (element(entry, "members", "type", "str") && text_of(value)) {
        return json_node_copy(value);
    }
    for (guint i = 0; types && i < json_array_get_length(types); i++) {
        JsonObject *e = json_array_get_object_element(types, i);
        const char *type = e ? get_text(e, "type") : "";
        JsonObject *of = g_hash_table_lookup(schema, type);
        const char *wanted = JSON_NODE_HOLDS_OBJECT(value) ? "object"
                                                           : "builtin";

        if (of && strcmp(get_text(of, "meta-type"), wanted) == 0) {
            return type_value(schema, type, value);
        }
    }
    return json_node_copy(value);
}

/* Members 0, 1 and so on of @o become elements; what else there is the daemon shall
 * see, and refuse. */
static JsonNode *type_list(Schema *schema, const char *type, JsonObject *o)
{
    guint n = json_object_get_size(o);
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *list = json_array_new();

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        JsonNode *element = json_object_get_member(o, name);

        json_array_add_element(list, element ? type_value(schema, type, element)
                                             : json_node_new(JSON_NODE_NULL));
    }
    json_node_take_array(node, list);
    return node;
}

static JsonNode *type_value(Schema *schema, const char *type, JsonNode *value)
{
    JsonObject *entry = g_hash_table_lookup(schema, type);
    const char *meta = entry ? get_text(entry, "meta-type") : "";

    if (strcmp(meta, "object") == 0 && JSON_NODE_HOLDS_OBJECT(value)) {
        return type_object(schema, entry, json_node_get_object(value));
    }
    if (strcmp(meta, "array") == 0 && JSON_NODE_HOLDS_OBJECT(value) &&
        is_list(json_node_get_object(value))) {
        return type_list(schema, get_text(entry, "element-type"),
                         json_node_get_object(value));
    }
    if (strcmp(meta, "builtin") == 0) {
        return type_builtin(entry, value);
    }
    if (strcmp(meta, "alternate") == 0) {
        return type_alternate(schema, entry, value);
    }
    return json_node_copy(value);
}

JsonObject *storage_daemon_type_options(JsonObject *options, Error **errp)
{
    g_autoptr(JsonNode) all = NULL;
    g_autoptr(JsonNode) from = NULL;
    g_autoptr(JsonNode) typed = NULL;
    g_autoptr(GHashTable) schema = NULL;
    JsonObject *command;

    if (!has_untyped(options)) {
        return json_object_ref(options);
    }
    all = storage_daemon_execute("query-qmp-schema", NULL, errp);
    if (!all) {
        return NULL;
    }
    if (!JSON_NODE_HOLDS_ARRAY(all)) {
        error_setg(errp, "qemu-storage-daemon has no schema");
        return NULL;
    }
    schema = index_schema(json_node_get_array(all));
    command = g_hash_table_lookup(schema, "blockdev-add");
    from = json_node_init_object(json_node_alloc(), options);
    typed = type_value(schema, command ? get_text(command, "arg-type") : "",
                       from);
    return json_object_ref(json_node_get_object(typed));
}
