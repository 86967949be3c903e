/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a property's accessor reads or writes its value without knowing whether
 * it comes from QMP (typed JSON), from the command line (text: "on", "2G",
 * "0x10"), or goes to a reply.
 *
 * An input visitor fills *obj; an output visitor reads *obj. All return true,
 * or false with *errp set and *obj untouched. QEMU's names and signatures.
 * Not thread-safe; used under the big lock.
 */
#ifndef QAPI_VISITOR_H
#define QAPI_VISITOR_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* Names of an enumeration's values, for visit_type_enum(). */
typedef struct QEnumLookup {
    const char *const *array;
    int size;
} QEnumLookup;

/* Reads typed JSON (@keyval false), or text as a command line has it. */
Visitor *visitor_input_new(JsonNode *node, bool keyval);
/* Collects a value; visitor_output_take() hands it over (transfer full). */
Visitor *visitor_output_new(void);
JsonNode *visitor_output_take(Visitor *v);
void visit_free(Visitor *v);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visitor, visit_free)

bool visit_type_bool(Visitor *v, const char *name, bool *obj, Error **errp);
bool visit_type_int64(Visitor *v, const char *name, int64_t *obj, Error **errp);
bool visit_type_uint8(Visitor *v, const char *name, uint8_t *obj, Error **errp);
bool visit_type_uint16(Visitor *v, const char *name, uint16_t *obj,
                       Error **errp);
bool visit_type_uint32(Visitor *v, const char *name, uint32_t *obj,
                       Error **errp);
bool visit_type_int32(Visitor *v, const char *name, int32_t *obj, Error **errp);
bool visit_type_uint64(Visitor *v, const char *name, uint64_t *obj,
                       Error **errp);
/* Bytes; text input accepts the suffixes B, K, M, G, T, P, E. */
bool visit_type_size(Visitor *v, const char *name, uint64_t *obj, Error **errp);
/* Input: *obj is newly allocated and the caller's. Output: "" for NULL. */
bool visit_type_str(Visitor *v, const char *name, char **obj, Error **errp);
bool visit_type_enum(Visitor *v, const char *name, int *obj,
                     const QEnumLookup *lookup, Error **errp);
/* Lists of numbers, e.g. host-nodes=0-1,3; input: *list holds uint16_t. */
bool visit_type_uint16List(Visitor *v, const char *name, GArray **list,
                           Error **errp);
/* Any JSON; input: a new reference; output: not taken. */
bool visit_type_any(Visitor *v, const char *name, JsonNode **obj, Error **errp);

#endif
