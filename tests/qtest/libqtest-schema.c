/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds what the emulator sends against what it says that it sends: each reply
 * and event, member by member, against query-qmp-schema. What does not fit
 * ends the test, whatever the test is about.
 */
#include <string.h>

#include "libqtest.h"

struct QmpSchema {
    JsonArray *array;
    GHashTable *entries;                  /* name -> JsonObject * of array */
};

QmpSchema *qmp_schema_new(JsonArray *array)
{
    QmpSchema *schema = g_new0(QmpSchema, 1);

    schema->array = json_array_ref(array);
    schema->entries = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *entry = json_array_get_object_element(array, i);
        char *name = (char *)json_object_get_string_member(entry, "name");

        g_assert_true(g_hash_table_insert(schema->entries, name, entry));
    }
    return schema;
}

void qmp_schema_free(QmpSchema *schema)
{
    g_hash_table_unref(schema->entries);
    json_array_unref(schema->array);
    g_free(schema);
}

static JsonObject *entry_of(const QmpSchema *schema, const char *name)
{
    JsonObject *entry = g_hash_table_lookup(schema->entries, name);

    if (!entry) {
        g_error("QMP schema: no entry '%s'", name);
    }
    return entry;
}

static const char *get(JsonObject *object, const char *member)
{
    return json_object_get_string_member_with_default(object, member, "");
}

static bool node_is(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

static bool fits_builtin(JsonNode *node, const char *json_type)
{
    if (!strcmp(json_type, "string")) {
        return node_is(node, G_TYPE_STRING);
    }
    if (!strcmp(json_type, "boolean")) {
        return node_is(node, G_TYPE_BOOLEAN);
    }
    if (!strcmp(json_type, "int")) {
        return node_is(node, G_TYPE_INT64);
    }
    if (!strcmp(json_type, "number")) {
        return node_is(node, G_TYPE_INT64) || node_is(node, G_TYPE_DOUBLE);
    }
    if (!strcmp(json_type, "null")) {
        return JSON_NODE_HOLDS_NULL(node);
    }
    return !strcmp(json_type, "value");
}

static bool fits_enum(JsonObject *entry, JsonNode *node)
{
    JsonArray *values = json_object_get_array_member(entry, "values");

    for (guint i = 0; node_is(node, G_TYPE_STRING) &&
                      i < json_array_get_length(values); i++) {
        if (!strcmp(json_array_get_string_element(values, i),
                    json_node_get_string(node))) {
            return true;
        }
    }
    return false;
}

static bool fits(const QmpSchema *schema, const char *type, JsonNode *node,
                 char **where);

static bool fits_list(const QmpSchema *schema, const char *element,
                      JsonNode *node, char **where)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
                                                   : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        if (!fits(schema, element, json_array_get_element(array, i), where)) {
            return false;
        }
    }
    return array;
}

/* The members that @entry lists; they are added to @known. */
static bool fits_members(const QmpSchema *schema, JsonObject *entry,
                         JsonObject *object, GHashTable *known, char **where)
{
    JsonArray *members = json_object_get_array_member(entry, "members");

    for (guint i = 0; i < json_array_get_length(members); i++) {
        JsonObject *member = json_array_get_object_element(members, i);
        char *name = (char *)get(member, "name");
        JsonNode *node = json_object_get_member(object, name);

        g_hash_table_add(known, name);
        if (node ? !fits(schema, get(member, "type"), node, where)
                 : !json_object_has_member(member, "default")) {
            *where = *where ? *where : g_strdup(name);
            return false;
        }
    }
    return true;
}

static bool fits_variant(const QmpSchema *schema, JsonObject *entry,
                         JsonObject *object, GHashTable *known, char **where)
{
    JsonArray *variants = json_object_has_member(entry, "tag")
        ? json_object_get_array_member(entry, "variants") : NULL;
    const char *value = variants ? get(object, get(entry, "tag")) : NULL;

    for (guint i = 0; variants && i < json_array_get_length(variants); i++) {
        JsonObject *variant = json_array_get_object_element(variants, i);

        if (!strcmp(get(variant, "case"), value)) {
            return fits_members(schema, entry_of(schema, get(variant, "type")),
                                object, known, where);
        }
    }
    return true;
}

static bool fits_object(const QmpSchema *schema, JsonObject *entry,
                        JsonNode *node, char **where)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GList) names = NULL;
    JsonObject *object;

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return false;
    }
    object = json_node_get_object(node);
    if (!fits_members(schema, entry, object, known, where) ||
        !fits_variant(schema, entry, object, known, where)) {
        return false;
    }
    names = json_object_get_members(object);
    for (GList *l = names; l; l = l->next) {
        if (!g_hash_table_contains(known, l->data)) {
            *where = g_strdup_printf("%s, which the schema has not",
                                     (char *)l->data);
            return false;
        }
    }
    return true;
}

static bool fits_alternate(const QmpSchema *schema, JsonObject *entry,
                           JsonNode *node, char **where)
{
    JsonArray *members = json_object_get_array_member(entry, "members");

    for (guint i = 0; i < json_array_get_length(members); i++) {
        g_clear_pointer(where, g_free);
        if (fits(schema, get(json_array_get_object_element(members, i), "type"),
                 node, where)) {
            return true;
        }
    }
    return false;
}

/* Whether @node is of @type; *where (g_free()): the member that is not. */
static bool fits(const QmpSchema *schema, const char *type, JsonNode *node,
                 char **where)
{
    JsonObject *entry = entry_of(schema, type);
    const char *meta = get(entry, "meta-type");

    if (!strcmp(meta, "builtin")) {
        return fits_builtin(node, get(entry, "json-type"));
    }
    if (!strcmp(meta, "enum")) {
        return fits_enum(entry, node);
    }
    if (!strcmp(meta, "array")) {
        return fits_list(schema, get(entry, "element-type"), node, where);
    }
    if (!strcmp(meta, "alternate")) {
        return fits_alternate(schema, entry, node, where);
    }
    return fits_object(schema, entry, node, where);
}

static void check(const QmpSchema *schema, const char *what, const char *type,
                  JsonNode *node)
{
    g_autofree char *where = NULL;

    if (!fits(schema, type, node, &where)) {
        g_autofree char *text = json_to_string(node, FALSE);

        g_error("QMP: %s does not fit the schema: %s: %s", what,
                where ? where : "its type", text);
    }
}

void qmp_schema_check_return(const QmpSchema *schema, const char *command,
                             JsonNode *value)
{
    check(schema, command, get(entry_of(schema, command), "ret-type"), value);
}

void qmp_schema_check_event(const QmpSchema *schema, JsonObject *event)
{
    const char *name = get(event, "event");
    g_autoptr(JsonObject) none = json_object_new();
    g_autoptr(JsonNode) data = json_object_dup_member(event, "data");

    if (!data) {
        data = json_node_init_object(json_node_alloc(), none);
    }
    check(schema, name, get(entry_of(schema, name), "arg-type"), data);
}

JsonObject *qmp_schema_entry(JsonNode *schema, const char *name)
{
    JsonArray *array = json_node_get_array(schema);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *entry = json_array_get_object_element(array, i);

        if (!strcmp(json_object_get_string_member(entry, "name"), name)) {
            return entry;
        }
    }
    g_error("the schema has no '%s'", name);
}
