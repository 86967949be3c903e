/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two kinds of visitor have in common; for util/visitor*.c only. */
#ifndef UTIL_VISITOR_INTERNAL_H
#define UTIL_VISITOR_INTERNAL_H

#include "qapi/visitor.h"

struct Visitor {
    bool input;
    bool keyval;                          /* input: numbers etc. are text */
    JsonNode *node;                       /* what is read, or was written */
};

/* Reading. Each sets its result on success only. */
bool visitor_input_bool(Visitor *v, const char *name, bool *obj, Error **errp);
bool visitor_input_int64(Visitor *v, const char *name, int64_t *obj,
                         Error **errp);
bool visitor_input_uint64(Visitor *v, const char *name, uint64_t *obj,
                          Error **errp);
bool visitor_input_size(Visitor *v, const char *name, uint64_t *obj,
                        Error **errp);
bool visitor_input_str(Visitor *v, const char *name, const char **obj,
                       Error **errp);
bool visitor_input_uint16List(Visitor *v, const char *name, GArray **list,
                              Error **errp);

/* Writing. */
void visitor_output_value(Visitor *v, JsonNode *node);

#endif
