/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of value that a property may have (qapi/visitor.h), in terms of
 * reading (visitor-input.c) and writing (visitor-output.c). Used by property
 * accessors. It must never change *obj when it fails.
 */
#include "qemu/osdep.h"

#include "qapi/json-uint64.h"
#include "visitor-internal.h"

Visitor *visitor_input_new(JsonNode *node, bool keyval)
{
    Visitor *v = g_new0(Visitor, 1);

    v->input = true;
    v->keyval = keyval;
    v->node = json_node_ref(node);
    return v;
}

void visit_free(Visitor *v)
{
    if (v) {
        g_clear_pointer(&v->node, json_node_unref);
        g_free(v);
    }
}

static bool output_int(Visitor *v, int64_t value)
{
    visitor_output_value(v, json_node_init_int(json_node_alloc(), value));
    return true;
}

static bool output_uint(Visitor *v, uint64_t value)
{
    visitor_output_value(v, json_node_new_uint64(value));
    return true;
}

bool visit_type_bool(Visitor *v, const char *name, bool *obj, Error **errp)
{
    if (v->input) {
        return visitor_input_bool(v, name, obj, errp);
    }
    visitor_output_value(v, json_node_init_boolean(json_node_alloc(), *obj));
    return true;
}

/* --- numbers --- */

bool visit_type_int64(Visitor *v, const char *name, int64_t *obj, Error **errp)
{
    return v->input ? visitor_input_int64(v, name, obj, errp)
                    : output_int(v, *obj);
}

bool visit_type_uint64(Visitor *v, const char *name, uint64_t *obj,
                       Error **errp)
{
    return v->input ? visitor_input_uint64(v, name, obj, errp)
                    : output_uint(v, *obj);
}

bool visit_type_size(Visitor *v, const char *name, uint64_t *obj, Error **errp)
{
    return v->input ? visitor_input_size(v, name, obj, errp)
                    : output_uint(v, *obj);
}

bool visit_type_int32(Visitor *v, const char *name, int32_t *obj, Error **errp)
{
    int64_t value = *obj;

    if (!visit_type_int64(v, name, &value, errp)) {
        return false;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        error_setg(errp, "Parameter '%s' expects int32_t", name);
        return false;
    }
    *obj = value;
    return true;
}

/* *@value is at most @max, both before and after. @type is for the refusal. */
static bool visit_unsigned(Visitor *v, const char *name, uint64_t *value,
                           uint64_t max, const char *type, Error **errp)
{
    if (!visit_type_uint64(v, name, value, errp)) {
        return false;
    }
    if (*value > max) {
        error_setg(errp, "Parameter '%s' expects %s", name, type);
        return false;
    }
    return true;
}

bool visit_type_uint8(Visitor *v, const char *name, uint8_t *obj, Error **errp)
{
    uint64_t value = *obj;

    if (!visit_unsigned(v, name, &value, UINT8_MAX, "uint8_t", errp)) {
        return false;
    }
    *obj = value;
    return true;
}

bool visit_type_uint16(Visitor *v, const char *name, uint16_t *obj,
                       Error **errp)
{
    uint64_t value = *obj;

    if (!visit_unsigned(v, name, &value, UINT16_MAX, "uint16_t", errp)) {
        return false;
    }
    *obj = value;
    return true;
}

bool visit_type_uint32(Visitor *v, const char *name, uint32_t *obj,
                       Error **errp)
{
    uint64_t value = *obj;

    if (!visit_unsigned(v, name, &value, UINT32_MAX, "uint32_t", errp)) {
        return false;
    }
    *obj = value;
    return true;
}

/* --- text --- */

static bool output_str(Visitor *v, const char *value)
{
    visitor_output_value(v, json_node_init_string(json_node_alloc(), value));
    return true;
}

bool visit_type_str(Visitor *v, const char *name, char **obj, Error **errp)
{
    const char *text;

    if (!v->input) {
        return output_str(v, *obj ? *obj : "");
    }
    if (!visitor_input_str(v, name, &text, errp)) {
        return false;
    }
    *obj = g_strdup(text);
    return true;
}

/* All the names, for a refusal. */
static char *enum_names(const QEnumLookup *lookup)
{
    GString *names = g_string_new(NULL);

    for (int i = 0; i < lookup->size; i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", lookup->array[i]);
    }
    return g_string_free(names, FALSE);
}

bool visit_type_enum(Visitor *v, const char *name, int *obj,
                     const QEnumLookup *lookup, Error **errp)
{
    g_autofree char *names = NULL;
    const char *text;

    if (!v->input) {
        g_assert(*obj >= 0 && *obj < lookup->size);
        return output_str(v, lookup->array[*obj]);
    }
    if (!visitor_input_str(v, name, &text, errp)) {
        return false;
    }
    for (int i = 0; i < lookup->size; i++) {
        if (!strcmp(lookup->array[i], text)) {
            *obj = i;
            return true;
        }
    }
    names = enum_names(lookup);
    error_setg(errp, "Parameter '%s' does not accept value '%s' (it accepts: "
               "%s)", name, text, names);
    return false;
}

/* --- lists and the rest --- */

bool visit_type_uint16List(Visitor *v, const char *name, GArray **list,
                           Error **errp)
{
    JsonArray *array;

    if (v->input) {
        return visitor_input_uint16List(v, name, list, errp);
    }
    array = json_array_new();
    for (guint i = 0; *list && i < (*list)->len; i++) {
        json_array_add_int_element(array, g_array_index(*list, uint16_t, i));
    }
    visitor_output_value(v, json_node_init_array(json_node_alloc(), array));
    json_array_unref(array);
    return true;
}

bool visit_type_any(Visitor *v, const char *name, JsonNode **obj, Error **errp)
{
    if (v->input) {
        *obj = json_node_ref(v->node);
    } else {
        visitor_output_value(v, json_node_ref(*obj));
    }
    return true;
}
