/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in one piece, from a person, a peer or a program that was started. json-glib
 * parses, copies and frees it recursively, and so does whoever walks it: what is
 * nested too deeply would be the end of the stack, so it is refused before that.
 */
#ifndef QEMU_JSON_TEXT_H
#define QEMU_JSON_TEXT_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

#define JSON_TEXT_MAX_DEPTH 1024

/* The value that @text is, which the caller frees by json_node_unref(). Strings may
 * have single quotes, as QEMU allows; comments and the like are none of JSON's. NULL:
 * *errp. Any thread. */
JsonNode *json_text_parse(const char *text, Error **errp);

#endif
