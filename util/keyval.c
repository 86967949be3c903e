/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "key=value,key=value" into a JSON object of strings (qemu/keyval.h). Used by
 * every option that has keys. It must never interpret a value.
 */
#include "qemu/osdep.h"

#include "qemu/keyval.h"

static bool is_help(const char *word)
{
    return !strcmp(word, "help") || !strcmp(word, "?");
}

/* The text up to the next single comma, with double ones made single; *params
 * moves behind it. */
static char *next_piece(const char **params)
{
    GString *piece = g_string_new(NULL);
    const char *p = *params;

    while (*p && (*p != ',' || p[1] == ',')) {
        p += *p == ',';
        g_string_append_c(piece, *p++);
    }
    *params = *p ? p + 1 : p;
    return g_string_free(piece, FALSE);
}

JsonObject *keyval_parse(const char *params, const char *implied_key,
                         bool *help, Error **errp)
{
    g_autoptr(JsonObject) obj = json_object_new();
    bool first = true;

    if (help) {
        *help = false;
    }
    for (; *params; first = false) {
        /* Only what precedes the first '=' is the key. */
        g_autofree char *piece = next_piece(&params);
        char *equals = strchr(piece, '=');

        if (!equals && help && is_help(piece)) {
            *help = true;
        } else if (!equals && first && implied_key) {
            json_object_set_string_member(obj, implied_key, piece);
        } else if (!*piece || equals == piece) {
            error_setg(errp, "Invalid parameter '%s'", piece);
            return NULL;
        } else if (!equals) {
            json_object_set_string_member(obj, piece, "on");
        } else {
            *equals = '\0';
            json_object_set_string_member(obj, piece, equals + 1);
        }
    }
    return g_steal_pointer(&obj);
}
