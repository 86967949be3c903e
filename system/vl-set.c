/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -set GROUP.ID.ARG=VALUE: one more argument for an option that was given
 * before, known by its id. It is written behind that option's text, where the
 * last of several values counts. Must never touch another option.
 */
#include "qemu/osdep.h"

#include "qemu/keyval.h"
#include "vl-internal.h"

/* The id that the text of an option has; the caller's. NULL: none. */
static char *id_of(const char *text)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(text, NULL, &keyval, NULL,
                                                 NULL);
    JsonNode *id = opts ? json_object_get_member(opts, "id") : NULL;

    return id && JSON_NODE_HOLDS_VALUE(id) ? json_node_dup_string(id) : NULL;
}

/* Where the text of the option is whose id is @id; NULL: *errp. */
static gpointer *find_text(GPtrArray *list, const char *group, const char *id,
                           Error **errp)
{
    for (guint i = 0; list && i < list->len; i++) {
        g_autofree char *its_id = id_of(list->pdata[i]);

        if (!g_strcmp0(its_id, id)) {
            return &list->pdata[i];
        }
    }
    error_setg(errp, "-set: there is no %s \"%s\" defined before it", group,
               id);
    return NULL;
}

/* @value as the text of an option has it: two commas are one. */
static char *quote(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    return g_strjoinv(",,", parts);
}

bool vl_apply_set(GPtrArray *list, const char *group, const char *id,
                  const char *assignment, Error **errp)
{
    gpointer *text = find_text(list, group, id, errp);
    g_autofree char *quoted = quote(assignment);
    g_autofree char *more = NULL;

    if (!text) {
        return false;
    }
    if (*(const char *)*text == '{') {
        error_setg(errp, "-set: %s \"%s\" is JSON: its arguments go there",
                   group, id);
        return false;
    }
    more = g_strdup_printf("%s,%s", (const char *)*text, quoted);
    /* As argv, it lives for ever. */
    *text = (gpointer)g_intern_string(more);
    return true;
}
