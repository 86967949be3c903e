/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading values (qapi/visitor.h) out of JSON that a QMP client sent, or out
 * of text that was typed. Both are hostile; the wording of refusals is QEMU's,
 * because clients have seen it before.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "visitor-internal.h"

static bool wrong_type(const char *name, const char *expected, Error **errp)
{
    error_setg(errp, "Invalid parameter type for '%s', expected: %s",
               name ? name : "null", expected);
    return false;
}

static bool wrong_value(const char *name, const char *expected, Error **errp)
{
    error_setg(errp, "Parameter '%s' expects %s", name ? name : "null",
               expected);
    return false;
}

static bool holds(Visitor *v, GType type)
{
    return JSON_NODE_HOLDS_VALUE(v->node) &&
           json_node_get_value_type(v->node) == type;
}

/* The text of a typed value; NULL if it is none. */
static const char *keyval_text(Visitor *v)
{
    return holds(v, G_TYPE_STRING) ? json_node_get_string(v->node) : NULL;
}

bool visitor_input_bool(Visitor *v, const char *name, bool *obj, Error **errp)
{
    const char *text;

    if (!v->keyval) {
        if (!holds(v, G_TYPE_BOOLEAN)) {
            return wrong_type(name, "boolean", errp);
        }
        *obj = json_node_get_boolean(v->node);
        return true;
    }
    text = keyval_text(v);
    if (!text || !qemu_parse_bool(text, obj)) {
        return wrong_value(name, "'on' or 'off'", errp);
    }
    return true;
}

bool visitor_input_int64(Visitor *v, const char *name, int64_t *obj,
                         Error **errp)
{
    const char *text;

    if (!v->keyval) {
        if (!holds(v, G_TYPE_INT64)) {
            return wrong_type(name, "integer", errp);
        }
        *obj = json_node_get_int(v->node);
        return true;
    }
    text = keyval_text(v);
    if (!text || qemu_strtoi64(text, NULL, 0, obj)) {
        return wrong_value(name, "an integer of 64 bits", errp);
    }
    return true;
}

bool visitor_input_uint64(Visitor *v, const char *name, uint64_t *obj,
                          Error **errp)
{
    const char *text;

    if (!v->keyval) {
        if (!holds(v, G_TYPE_INT64)) {
            return wrong_type(name, "integer", errp);
        }
        /* json-glib has no unsigned numbers: from 2^63 on they wrap. */
        *obj = (uint64_t)json_node_get_int(v->node);
        return true;
    }
    text = keyval_text(v);
    if (!text || qemu_strtou64(text, NULL, 0, obj)) {
        return wrong_value(name, "a non-negative integer below 2^64", errp);
    }
    return true;
}

bool visitor_input_size(Visitor *v, const char *name, uint64_t *obj,
                        Error **errp)
{
    const char *text;
    int ret;

    if (!v->keyval) {
        return visitor_input_uint64(v, name, obj, errp);
    }
    text = keyval_text(v);
    ret = text ? qemu_strtosz(text, NULL, obj) : -EINVAL;
    if (ret == -ERANGE) {
        return wrong_value(name, "a size below 2^64 bytes", errp);
    }
    if (ret) {
        return wrong_value(name, "a size in bytes, with an optional suffix "
                           "k, M, G, T, P or E", errp);
    }
    return true;
}

bool visitor_input_str(Visitor *v, const char *name, const char **obj,
                       Error **errp)
{
    if (!holds(v, G_TYPE_STRING)) {
        return wrong_type(name, "string", errp);
    }
    *obj = json_node_get_string(v->node);
    return true;
}

/* --- lists of numbers --- */

/* "N" or "N-M"; *text moves behind it. */
static bool parse_range(const char **text, GArray *list)
{
    uint64_t first, last;

    if (qemu_strtou64(*text, text, 0, &first)) {
        return false;
    }
    last = first;
    if (**text == '-' && qemu_strtou64(*text + 1, text, 0, &last)) {
        return false;
    }
    if (first > last || last > UINT16_MAX) {
        return false;
    }
    for (uint64_t i = first; i <= last; i++) {
        uint16_t value = i;

        g_array_append_val(list, value);
    }
    return true;
}

/* Ranges separated by ',' or ':'. */
static bool parse_ranges(const char *text, GArray *list)
{
    /* Each range is bounded; their number must be, too. */
    for (unsigned n = 0; n < UINT16_MAX; n++) {
        if (!parse_range(&text, list)) {
            return false;
        }
        if (!*text) {
            return true;
        }
        if (*text != ',' && *text != ':') {
            return false;
        }
        text++;
    }
    return false;
}

static bool read_array(JsonNode *node, const char *name, GArray *list,
                       Error **errp)
{
    JsonArray *array = json_node_get_array(node);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        Visitor element = { .input = true,
                            .node = json_array_get_element(array, i) };
        uint64_t number;
        uint16_t value;

        if (!visitor_input_uint64(&element, name, &number, errp)) {
            return false;
        }
        if (number > UINT16_MAX) {
            return wrong_value(name, "uint16_t", errp);
        }
        value = number;
        g_array_append_val(list, value);
    }
    return true;
}

bool visitor_input_uint16List(Visitor *v, const char *name, GArray **obj,
                              Error **errp)
{
    g_autoptr(GArray) list = g_array_new(false, false, sizeof(uint16_t));
    const char *text = v->keyval ? keyval_text(v) : NULL;

    if (text) {
        if (!parse_ranges(text, list)) {
            return wrong_value(name, "numbers or ranges below 65536, such as "
                               "0-1,,3", errp);
        }
    } else if (!JSON_NODE_HOLDS_ARRAY(v->node)) {
        return wrong_type(name, "array", errp);
    } else if (!read_array(v->node, name, list, errp)) {
        return false;
    }
    *obj = g_steal_pointer(&list);
    return true;
}
