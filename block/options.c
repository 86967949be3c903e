/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of nodes: JSON as blockdev-add has it, or text with dotted keys as
 * -blockdev and -drive have it. Each reader takes its options out of the object,
 * so that what is left at the end is what nobody knows.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "qapi/visitor.h"

/* Whoever walks them recurses, and each node is opened within its parent's. */
#define OPTIONS_MAX_DEPTH 100

/* The object @name of @o, made if it is not there; NULL: it is something else. */
static JsonObject *object_member(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    if (!node) {
        json_object_set_object_member(o, name, json_object_new());
        node = json_object_get_member(o, name);
    }
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonNode *node_of_object(JsonObject *o)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, o);
    return node;
}

/* Objects within are copied, too: readers take them apart. */
static JsonNode *copy_deep(JsonNode *node)
{
    JsonObject *copy;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return json_node_copy(node);
    }
    copy = json_object_new();
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, &value)) {
        json_object_set_member(copy, name, copy_deep(value));
    }
    return node_of_object(copy);
}

/* Whether the member @name, with what is in @node, is at most @levels deep. A dot is a
 * level, too, at any depth: nodes within are nested when they are opened. */
static bool is_shallow(const char *name, JsonNode *node, unsigned levels)
{
    JsonObjectIter iter;
    const char *member;
    JsonNode *value;

    for (; levels && *name; name++) {
        levels -= *name == '.';
    }
    if (!levels || !JSON_NODE_HOLDS_OBJECT(node)) {
        return levels;
    }
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &member, &value)) {
        if (!is_shallow(member, value, levels - 1)) {
            return false;
        }
    }
    return true;
}

/* Puts the member @name where its dots say. */
static bool nest_member(JsonObject *o, const char *name, JsonNode *node,
                        Error **errp)
{
    g_auto(GStrv) parts = NULL;
    guint last;

    if (!is_shallow(name, node, OPTIONS_MAX_DEPTH)) {
        error_setg(errp, "Parameter '%.64s' has more than %d levels", name,
                   OPTIONS_MAX_DEPTH);
        return false;
    }
    parts = g_strsplit(name, ".", -1);
    last = g_strv_length(parts) - 1;
    for (guint i = 0; o && i < last; i++) {
        o = object_member(o, parts[i]);
    }
    if (!o || json_object_has_member(o, parts[last])) {
        error_setg(errp, "Parameter '%s' is there twice, or is both a value"
                   " and a group", name);
        return false;
    }
    json_object_set_member(o, parts[last], copy_deep(node));
    return true;
}

JsonObject *block_options_nest(JsonObject *options, Error **errp)
{
    g_autoptr(JsonObject) nested = json_object_new();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, options);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!nest_member(nested, name, node, errp)) {
            return NULL;
        }
    }
    return g_steal_pointer(&nested);
}

/* The value of member @name, taken out; NULL: it is not there. */
static JsonNode *take(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_dup_member(o, name);

    json_object_remove_member(o, name);
    return node;
}

static bool is_text(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_STRING;
}

/* A visitor of member @name, taken out; NULL: it is not there. What was given as
 * text, on a command line, may be any type. */
static Visitor *take_visitor(JsonObject *o, const char *name)
{
    g_autoptr(JsonNode) node = take(o, name);

    return node ? visitor_input_new(node, is_text(node)) : NULL;
}

const char *block_option_text(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && is_text(node) ? json_node_get_string(node) : NULL;
}

char *block_take_string(JsonObject *o, const char *name, Error **errp)
{
    g_autoptr(JsonNode) node = take(o, name);

    if (node && !is_text(node)) {
        error_setg(errp, "Invalid parameter type for '%s', expected: string",
                   name);
        return NULL;
    }
    return node ? json_node_dup_string(node) : NULL;
}

bool block_take_bool(JsonObject *o, const char *name, bool *value,
                     Error **errp)
{
    g_autoptr(Visitor) v = take_visitor(o, name);

    return !v || visit_type_bool(v, name, value, errp);
}

bool block_take_uint32(JsonObject *o, const char *name, uint32_t min,
                       uint32_t *value, Error **errp)
{
    g_autoptr(Visitor) v = take_visitor(o, name);

    if (!v) {
        return true;
    }
    if (!visit_type_uint32(v, name, value, errp)) {
        return false;
    }
    if (*value < min) {
        error_setg(errp, "%s=%u: expected is a number from %u on", name, *value,
                   min);
    }
    return *value >= min;
}

bool block_take_int64(JsonObject *o, const char *name, int64_t *value,
                      Error **errp)
{
    g_autoptr(Visitor) v = take_visitor(o, name);

    return !v || visit_type_int64(v, name, value, errp);
}

bool block_take_enum(JsonObject *o, const char *name,
                     const QEnumLookup *lookup, int *value, Error **errp)
{
    g_autoptr(JsonNode) node = take(o, name);
    g_autoptr(Visitor) v = NULL;

    if (!node) {
        return true;
    }
    v = visitor_input_new(node, false);
    return visit_type_enum(v, name, value, lookup, errp);
}

bool block_check_no_more(JsonObject *o, const char *of, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(o);

    if (names) {
        error_setg(errp, "%s does not have the option '%s'", of,
                   (const char *)names->data);
    }
    return !names;
}
