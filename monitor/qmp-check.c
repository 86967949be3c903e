/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values against the schema. What a client sends as arguments passes through
 * here before a command sees it; it may be anything. Its depth is bounded by
 * QMP_STREAM_MAX_DEPTH. Must never change a value.
 */
#include "qemu/osdep.h"

#include "monitor/qmp-schema.h"

/* Where a value is, for messages: "caps[1].state". */
static bool check_value(const char *path, const char *type, JsonNode *node,
                        Error **errp);

static bool node_is(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

/* Whether @node is of the built-in @type. */
static bool is_builtin(JsonNode *node, const char *type)
{
    switch (*type) {
    case 's':
        return node_is(node, G_TYPE_STRING);
    case 'b':
        return node_is(node, G_TYPE_BOOLEAN);
    case 'i':
        return node_is(node, G_TYPE_INT64);
    case 'n':
        return strcmp(type, "null") == 0
            ? JSON_NODE_HOLDS_NULL(node)
            : node_is(node, G_TYPE_INT64) || node_is(node, G_TYPE_DOUBLE);
    default:
        return true;                      /* any */
    }
}

static bool expect(bool ok, const char *path, const char *what, Error **errp)
{
    if (!ok) {
        error_setg(errp, "Invalid parameter type for '%s', expected: %s",
                   path, what);
    }
    return ok;
}

static bool check_enum(const char *path, const QmpType *type, JsonNode *node,
                       Error **errp)
{
    g_auto(GStrv) values = qmp_type_values(type);
    const char *value;

    if (!expect(node_is(node, G_TYPE_STRING), path, "string", errp)) {
        return false;
    }
    value = json_node_get_string(node);
    if (!type->open && !g_strv_contains((const char *const *)values, value)) {
        g_autofree char *accepted = g_strjoinv(", ", values);

        error_setg(errp, "Parameter '%s' does not accept value '%s'; it "
                   "accepts: %s", path, value, accepted);
        return false;
    }
    return true;
}

/* --- objects ------------------------------------------------------------- */

static char *member_path(const char *path, const char *name)
{
    return *path ? g_strdup_printf("%s.%s", path, name) : g_strdup(name);
}

/* The members that @spec lists; they are added to @known. */
static bool check_listed(const char *path, const char *spec,
                         JsonObject *object, GHashTable *known, Error **errp)
{
    g_autoptr(GPtrArray) members = qmp_parse_members(spec);

    for (guint i = 0; i < members->len; i++) {
        const QmpMember *member = members->pdata[i];
        g_autofree char *where = member_path(path, member->name);
        JsonNode *node = json_object_get_member(object, member->name);

        g_hash_table_add(known, g_strdup(member->name));
        if (!member->type) {
            continue;                     /* further ones */
        }
        if (!node && !member->optional) {
            error_setg(errp, "Parameter '%s' is missing", where);
            return false;
        }
        if (node && !check_value(where, member->type, node, errp)) {
            return false;
        }
    }
    return true;
}

/* Refuses the first member of @object that is not in @known. */
static bool check_no_others(const char *path, JsonObject *object,
                            GHashTable *known, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(object);

    if (g_hash_table_contains(known, "**")) {
        return true;
    }
    for (GList *l = names; l; l = l->next) {
        if (!g_hash_table_contains(known, l->data)) {
            g_autofree char *where = member_path(path, l->data);

            error_setg(errp, "Parameter '%s' is unexpected", where);
            return false;
        }
    }
    return true;
}

/* The members that @type has because of its tag's value. */
static bool check_variant(const char *path, const QmpType *type,
                          JsonObject *object, GHashTable *known, Error **errp)
{
    g_autoptr(GPtrArray) variants = qmp_parse_members(type->variants);
    const char *value = type->tag
        ? json_object_get_string_member(object, type->tag) : NULL;

    for (guint i = 0; i < variants->len; i++) {
        const QmpMember *variant = variants->pdata[i];

        if (!strcmp(variant->name, value)) {
            return check_listed(path, qmp_find_type(variant->type)->members,
                                object, known, errp);
        }
    }
    return true;
}

static GHashTable *names_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static bool check_object(const char *path, const QmpType *type,
                         JsonObject *object, Error **errp)
{
    g_autoptr(GHashTable) known = names_new();

    return check_listed(path, type->members, object, known, errp) &&
           check_variant(path, type, object, known, errp) &&
           check_no_others(path, object, known, errp);
}

static bool check_list(const char *path, const char *type, JsonNode *node,
                       Error **errp)
{
    g_autofree char *element = g_strndup(type + 1, strlen(type) - 2);
    JsonArray *array;

    if (!expect(JSON_NODE_HOLDS_ARRAY(node), path, "array", errp)) {
        return false;
    }
    array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *where = g_strdup_printf("%s[%u]", path, i);

        if (!check_value(where, element, json_array_get_element(array, i),
                         errp)) {
            return false;
        }
    }
    return true;
}

/* The first alternative that could be meant: their JSON types differ. */
static bool check_choice(const char *path, const QmpType *type, JsonNode *node,
                         Error **errp)
{
    g_auto(GStrv) types = g_strsplit(type->alternatives, ",", -1);

    for (char **one = types; *one; one++) {
        const char *builtin = qmp_builtin_json_type(*one);

        if (builtin ? is_builtin(node, *one) : JSON_NODE_HOLDS_OBJECT(node)) {
            return check_value(path, *one, node, errp);
        }
    }
    return expect(false, path, type->alternatives, errp);
}

static bool check_value(const char *path, const char *type, JsonNode *node,
                        Error **errp)
{
    const char *builtin = qmp_builtin_json_type(type);
    const QmpType *named;

    if (*type == '[') {
        return check_list(path, type, node, errp);
    }
    if (builtin) {
        return expect(is_builtin(node, type), path,
                      *type == 'i' ? "integer" : builtin, errp);
    }
    named = qmp_find_type(type);
    if (qmp_type_is_enum(named)) {
        return check_enum(path, named, node, errp);
    }
    if (named->alternatives) {
        return check_choice(path, named, node, errp);
    }
    return expect(JSON_NODE_HOLDS_OBJECT(node), path, "object", errp) &&
           check_object(path, named, json_node_get_object(node), errp);
}

bool qmp_check_members(const char *spec, JsonObject *object, Error **errp)
{
    const QmpType anonymous = { .members = spec };
    const QmpType *named = spec ? qmp_find_type(spec) : NULL;

    return check_object("", named ? named : &anonymous, object, errp);
}
