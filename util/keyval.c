/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "key=value,key=value" into a JSON object of strings (qemu/keyval.h). Used by
 * every option that has keys. It must never interpret a value.
 */
#include "qemu/osdep.h"

#include "qemu/keyval.h"

static bool is_help(const char *word)
{
    return !strcmp(word, "help") || !strcmp(word, "?");
}

/* The text up to the next single comma, with double ones made single; *params
 * moves behind it. */
static char *next_piece(const char **params)
{
    GString *piece = g_string_new(NULL);
    const char *p = *params;

    while (*p && (*p != ',' || p[1] == ',')) {
        p += *p == ',';
        g_string_append_c(piece, *p++);
    }
    *params = *p ? p + 1 : p;
    return g_string_free(piece, FALSE);
}

/* As an element of the array that @key is, if it is one of @lists. */
static void set_value(JsonObject *obj, const char *key, const char *value,
                      const char *const *lists)
{
    if (!g_strv_contains(lists, key)) {
        json_object_set_string_member(obj, key, value);
        return;
    }
    if (!json_object_has_member(obj, key)) {
        json_object_set_array_member(obj, key, json_array_new());
    }
    json_array_add_string_element(json_object_get_array_member(obj, key),
                                  value);
}

JsonObject *keyval_parse_lists(const char *params, const char *implied_key,
                               const char *const *lists, bool *help,
                               Error **errp)
{
    g_autoptr(JsonObject) obj = json_object_new();
    bool first = true;

    if (help) {
        *help = false;
    }
    for (; *params; first = false) {
        /* Only what precedes the first '=' is the key. */
        g_autofree char *piece = next_piece(&params);
        char *equals = strchr(piece, '=');

        if (!equals && help && is_help(piece)) {
            *help = true;
        } else if (!equals && first && implied_key) {
            json_object_set_string_member(obj, implied_key, piece);
        } else if (!*piece || equals == piece) {
            error_setg(errp, "Invalid parameter '%s'", piece);
            return NULL;
        } else if (!equals) {
            set_value(obj, piece, "on", lists);
        } else {
            *equals = '\0';
            set_value(obj, piece, equals + 1, lists);
        }
    }
    return g_steal_pointer(&obj);
}

JsonObject *keyval_parse(const char *params, const char *implied_key,
                         bool *help, Error **errp)
{
    static const char *const none[] = { NULL };

    return keyval_parse_lists(params, implied_key, none, help, errp);
}

/* The value of a JSON scalar as the command line would have it; NULL: none. */
static char *scalar_to_text(JsonNode *node)
{
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        return NULL;
    }
    switch (json_node_get_value_type(node)) {
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(node) ? "on" : "off");
    case G_TYPE_INT64:
        return g_strdup_printf("%" PRId64, json_node_get_int(node));
    case G_TYPE_DOUBLE:
        return g_strdup_printf("%.17g", json_node_get_double(node));
    default:
        return g_strdup(json_node_get_string(node));
    }
}

JsonObject *keyval_from_json(JsonObject *opts, Error **errp)
{
    g_autoptr(JsonObject) text = json_object_new();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        g_autofree char *value = scalar_to_text(node);

        if (!value) {
            error_setg(errp, "Invalid parameter type for '%s', expected: "
                       "string, number or boolean", name);
            return NULL;
        }
        json_object_set_string_member(text, name, value);
    }
    return g_steal_pointer(&text);
}
