/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that nodes of the storage daemon name. Main thread; those with an Error
 * wait for it. */
#ifndef BLOCK_SERVED_OBJECTS_H
#define BLOCK_SERVED_OBJECTS_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* Has the daemon make what @options, of a node, name. Their ids, for the next; NULL:
 * *errp, and nothing is left there. */
GPtrArray *block_objects_give(JsonObject *options, Error **errp);
/* The node of these options is there, and called @node; NULL: it is not. Takes
 * @ids; what is not needed any more is deleted there. */
void block_objects_opened(GPtrArray *ids, const char *node);
/* The daemon has been told to close @node: after it goes what stayed. */
void block_objects_closed(const char *node);
/* The daemon has gone, with all it had. */
void block_objects_all_gone(void);
/* Sets @property of the daemon's object @id, if it has been given; then others
 * go on meanwhile. false: *errp. */
bool block_object_set(const char *id, const char *property, JsonNode *value,
                      Error **errp);

#endif
