/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collecting a property's value for a reply (qapi/visitor.h). */
#include "qemu/osdep.h"

#include "visitor-internal.h"

Visitor *visitor_output_new(void)
{
    return g_new0(Visitor, 1);
}

/* The last value counts: an accessor writes one. */
void visitor_output_value(Visitor *v, JsonNode *node)
{
    g_clear_pointer(&v->node, json_node_unref);
    v->node = node;
}

JsonNode *visitor_output_take(Visitor *v)
{
    g_assert(!v->input);
    return v->node ? g_steal_pointer(&v->node) : json_node_new(JSON_NODE_NULL);
}
