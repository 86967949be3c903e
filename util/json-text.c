/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in one piece (qemu/json-text.h). It must never hand json-glib a text whose
 * brackets it has not counted: so what only json-glib takes (comments) or what both
 * might read in different ways (escapes within single quotes) is refused.
 */
#include "qemu/osdep.h"

#include "qemu/json-text.h"

/* The end of the string that begins at @p with its quote; NULL: *errp. */
static const char *skip_string(const char *p, Error **errp)
{
    char quote = *p++;

    for (; *p && *p != quote; p++) {
        if (*p != '\\') {
            continue;
        }
        if (quote == '\'') {
            error_setg(errp, "a backslash needs a string in double quotes");
            return NULL;
        }
        p += p[1] != '\0';
    }
    return *p ? p : p - 1;                /* json-glib tells of what has no end */
}

static bool check(const char *text, Error **errp)
{
    unsigned depth = 0;

    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\'') {
            p = skip_string(p, errp);
            if (!p) {
                return false;
            }
        } else if (*p == '/' || *p == '#') {
            error_setg(errp, "stray '%c'", *p);
            return false;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if ((*p == '}' || *p == ']') && depth) {
            depth--;
        }
        if (depth > JSON_TEXT_MAX_DEPTH) {
            error_setg(errp, "more than %d levels", JSON_TEXT_MAX_DEPTH);
            return false;
        }
    }
    return true;
}

JsonNode *json_text_parse(const char *text, Error **errp)
{
    g_autoptr(GError) err = NULL;
    JsonNode *node;

    if (!check(text, errp)) {
        return NULL;
    }
    node = json_from_string(text, &err);
    if (!node) {
        error_setg(errp, "%s", err ? err->message : "there is none");
    }
    return node;
}
