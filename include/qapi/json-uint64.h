/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers from 2^63 on in what is sent: JSON has them, json-glib's integers
 * have not. A node that stands for one is made here, and turned into its digits
 * when the text is made, which is here, too. In between it may be moved and
 * copied as any node; nobody can send one. Any thread.
 */
#ifndef QAPI_JSON_UINT64_H
#define QAPI_JSON_UINT64_H

#include <json-glib/json-glib.h>

/* Transfer full. */
JsonNode *json_node_new_uint64(uint64_t value);
static inline void json_object_set_uint64_member(JsonObject *object,
                                                 const char *name,
                                                 uint64_t value)
{
    json_object_set_member(object, name, json_node_new_uint64(value));
}

/* json_to_string() of what may have such numbers; the caller's. */
char *json_uint64_to_string(JsonNode *node, bool pretty);

#endif
