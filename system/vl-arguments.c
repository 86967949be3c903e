/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For those who carry out options, after all of argv has been taken apart
 * (vl-options.c): the arguments of one, each with its place in messages.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/json-text.h"
#include "qemu/keyval.h"
#include "vl-internal.h"

JsonObject *vl_parse_keyval(const char *text, const char *implied_key,
                            bool *keyval, bool *help, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(JsonNode) node = NULL;

    *keyval = text[0] != '{';
    if (*keyval) {
        return keyval_parse(text, implied_key, help, errp);
    }
    if (help) {
        *help = false;
    }
    node = json_text_parse(text, errp);
    if (!node) {
        error_prepend(errp, "JSON parse error: ");
        return NULL;
    }
    g_assert(JSON_NODE_HOLDS_OBJECT(node));
    return json_object_ref(json_node_get_object(node));
}

bool vl_with(const char *option, const char *arg, VlArgFunc *fn, void *opaque,
             Error **errp)
{
    g_autofree char *location = g_strdup_printf("-%s %s", option, arg);

    error_set_location(location);
    if (!fn(arg, opaque, errp)) {
        return false;
    }
    error_set_location(NULL);
    return true;
}

bool vl_foreach(const char *option, GPtrArray *args, VlArgFunc *fn,
                void *opaque, Error **errp)
{
    for (guint i = 0; i < args->len; i++) {
        if (!vl_with(option, args->pdata[i], fn, opaque, errp)) {
            return false;
        }
    }
    return true;
}

static bool take_members(const char *arg, void *opaque, Error **errp)
{
    VlMemberFunc *fn = *(VlMemberFunc **)opaque;
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    bool ok = opts;

    if (ok) {
        json_object_iter_init(&iter, opts);
    }
    while (ok && json_object_iter_next(&iter, &name, &value)) {
        ok = fn(name, json_node_get_string(value), errp);
    }
    return ok;
}

bool vl_foreach_member(const char *option, GPtrArray *args, VlMemberFunc *fn,
                       Error **errp)
{
    return vl_foreach(option, args, take_members, &fn, errp);
}
