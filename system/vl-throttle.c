/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of -drive: throttling.*, and the older names of the same. They become an
 * object, throttle-group, and a node of driver throttle over the image, which is
 * QEMU's storage daemon's then. Used by vl-block.c.
 */
#include "qemu/osdep.h"

#include "qom/object_interfaces.h"
#include "vl-internal.h"

#define PREFIX "throttling."
#define GROUP PREFIX "group"

/* The older names. */
static const char *const renamed[][2] = {
    { "bps", "bps-total" }, { "bps_rd", "bps-read" }, { "bps_wr", "bps-write" },
    { "iops", "iops-total" }, { "iops_rd", "iops-read" },
    { "iops_wr", "iops-write" },
    { "bps_max", "bps-total-max" }, { "bps_rd_max", "bps-read-max" },
    { "bps_wr_max", "bps-write-max" }, { "iops_max", "iops-total-max" },
    { "iops_rd_max", "iops-read-max" }, { "iops_wr_max", "iops-write-max" },
    { "iops_size", "iops-size" }, { "group", "group" },
};

/* What is said of the disk, and holds for the node over the image, too. */
static const char *const of_both[] = {
    "read-only", "cache.direct", "cache.no-flush", "discard", NULL
};
/* What is said of the disk, and not of the image. */
static const char *const of_disk[] = {
    "id", "node-name", "write-cache", "cdrom", "werror", "rerror", NULL
};

/* The value of @name, taken out; NULL: there is none. */
static JsonNode *take(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_dup_member(o, name);

    json_object_remove_member(o, name);
    return node;
}

/* Gives older names their new ones. false: *errp, it is there by both. */
static bool rename_all(JsonObject *o, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
        g_autofree char *name = g_strconcat(PREFIX, renamed[i][1], NULL);
        JsonNode *node = take(o, renamed[i][0]);

        if (node && json_object_has_member(o, name)) {
            error_setg(errp, "'%s' and '%s' are the same: one of them will do",
                       renamed[i][0], name);
            json_node_unref(node);
            return false;
        }
        if (node) {
            json_object_set_member(o, name, node);
        }
    }
    return true;
}

/* throttling.* but the group, taken out, as object-add has them. */
static JsonObject *take_limits(JsonObject *o)
{
    g_autoptr(GList) members = json_object_get_members(o);
    g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);
    JsonObject *limits = json_object_new();

    for (GList *i = members; i; i = i->next) {
        if (g_str_has_prefix(i->data, PREFIX) && strcmp(i->data, GROUP) != 0) {
            g_ptr_array_add(taken, g_strdup(i->data));
        }
    }
    for (guint i = 0; i < taken->len; i++) {
        const char *name = taken->pdata[i];

        json_object_set_member(limits, name + strlen(PREFIX), take(o, name));
    }
    return limits;
}

/* 0 is no limit, and lengths are of limits. */
static bool limits_anything(JsonObject *limits)
{
    g_autoptr(GList) names = json_object_get_members(limits);

    for (GList *i = names; i; i = i->next) {
        if (!g_str_has_suffix(i->data, "-length") &&
            strcmp(json_object_get_string_member(limits, i->data), "0") != 0) {
            return true;
        }
    }
    return false;
}

bool vl_drive_is_throttled(JsonObject *o)
{
    g_autoptr(JsonObject) copy = json_object_new();
    g_autoptr(JsonObject) limits = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, o);
    while (json_object_iter_next(&iter, &name, &node)) {
        json_object_set_member(copy, name, json_node_copy(node));
    }
    if (!rename_all(copy, NULL)) {
        return false;                     /* it is refused later */
    }
    limits = take_limits(copy);
    return limits_anything(limits);
}

/* The group @id has @limits, be it a new one or one that others are in. */
static bool have_group(const char *id, JsonObject *limits, Error **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_object_member(o, "limits", json_object_ref(limits));
    if (obj) {
        return object_set_properties_from_json(obj, o, true, errp);
    }
    json_object_set_string_member(o, "qom-type", "throttle-group");
    json_object_set_string_member(o, "id", id);
    return user_creatable_add_from_json(o, true, errp);
}

/* The same drive, with a node of driver throttle over its node. */
static JsonObject *with_node_above(JsonObject *o, const char *group)
{
    JsonObject *above = json_object_new();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, o);
    while (json_object_iter_next(&iter, &name, &node)) {
        bool is_of_disk = g_strv_contains(of_disk, name);
        g_autofree char *below = g_strconcat("file.", name, NULL);

        if (!is_of_disk) {
            json_object_set_member(above, below, json_node_copy(node));
        }
        if (is_of_disk || g_strv_contains(of_both, name)) {
            json_object_set_member(above, name, json_node_copy(node));
        }
    }
    json_object_set_string_member(above, "driver", "throttle");
    json_object_set_string_member(above, "throttle-group", group);
    return above;
}

bool vl_expand_throttling(JsonObject **o, const char *id, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(JsonObject) limits = NULL;
    g_autoptr(JsonNode) named = NULL;
    JsonObject *above;
    const char *group;

    if (!rename_all(*o, errp)) {
        return false;
    }
    limits = take_limits(*o);
    named = take(*o, GROUP);
    if (!limits_anything(limits)) {
        return true;
    }
    group = named ? json_node_get_string(named) : id;
    if (!have_group(group, limits, errp)) {
        error_prepend(errp, PREFIX "*, group '%s': ", group);
        return false;
    }
    above = with_node_above(*o, group);
    json_object_unref(*o);
    *o = above;
    return true;
}
