/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a property reads as, for assertions. */
#ifndef TESTS_UNIT_PROPERTY_VALUE_H
#define TESTS_UNIT_PROPERTY_VALUE_H

#include "qapi/visitor.h"
#include "qom/object.h"

/* The value of @obj.@name as JSON has it, but text without quotes; g_free(). */
static inline char *property_value(Object *obj, const char *name)
{
    g_autoptr(Visitor) v = visitor_output_new();
    g_autoptr(JsonNode) node = NULL;

    g_assert_true(object_property_get(obj, name, v, &error_abort));
    node = visitor_output_take(v);
    return json_node_get_value_type(node) == G_TYPE_STRING
           ? g_strdup(json_node_get_string(node)) : json_to_string(node, false);
}

static inline void assert_property(Object *obj, const char *name,
                                   const char *expected)
{
    g_autofree char *value = property_value(obj, name);

    g_assert_cmpstr(value, ==, expected);
}

#endif
