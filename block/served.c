/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes of drivers that this process does not have: their options go to QEMU's
 * storage daemon as they are, with the nodes that they refer to, which are closed
 * here first. A device's use of one is an export of the daemon's (export.c). Used by
 * nodes and commands.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "served-objects.h"
#include "storage-daemon.h"

/* --- what is for the daemon --- */

static bool is_for_daemon(JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        return block_served_wants(json_node_get_object(node));
    }
    return false;
}

bool block_served_wants(JsonObject *options)
{
    const char *driver = block_option_text(options, "driver");
    const char *file = block_option_text(options, "file");
    BlockNode *node = file ? block_node_find(file) : NULL;
    JsonNode *child = json_object_get_member(options, "file");

    return driver && (!block_driver_is_own(driver) ||
                      json_object_has_member(options, "offset") ||
                      json_object_has_member(options, "size") ||
                      (node && node->served) ||
                      (child && is_for_daemon(child)));
}

bool block_options_need_sharing(JsonObject *options)
{
    g_autoptr(JsonObject) nested = block_options_nest(options, NULL);

    return nested && block_served_wants(nested);
}

static void daemon_gone(void)
{
    block_objects_all_gone();
    block_export_all_gone();
}

static const StorageDaemonOps daemon_ops = {
    .event = block_export_event,
    .gone = daemon_gone,
};

/* --- opening --- */

static bool add_to_daemon(JsonObject *options, Error **errp)
{
    g_autoptr(JsonObject) typed = storage_daemon_type_options(options, errp);
    g_autoptr(JsonNode) done = NULL;

    if (typed) {
        done = storage_daemon_execute("blockdev-add", typed, errp);
    }
    return done != NULL;
}

/* The same, with the objects that it names. */
static bool add_with_objects(JsonObject *options, Error **errp)
{
    GPtrArray *ids = block_objects_give(options, errp);
    bool added = ids && add_to_daemon(options, errp);

    if (ids) {
        block_objects_opened(ids, added ? block_option_text(options, "node-name")
                                        : NULL);
    }
    return added;
}

/* If the daemon does not want it, it is as it was, or this process cannot open it
 * any more either, and says so. */
static bool hand_over(BlockNode *node, Error **errp)
{
    g_autoptr(JsonObject) options = json_object_ref(node->options);
    Error *err = NULL;

    if (!block_node_check_unused(node, errp)) {
        return false;
    }
    block_node_free(node);
    if (block_node_add_served(options, errp)) {
        return true;
    }
    if (!block_node_add(options, &err)) {
        error_prepend(errp, "%s; before: ", error_get_pretty(err));
        error_free(err);
    }
    return false;
}

static bool hand_over_references(JsonObject *options, Error **errp);

static bool hand_over_value(const char *key, JsonNode *value, Error **errp);

static bool hand_over_list(const char *key, JsonArray *list, Error **errp)
{
    for (guint i = 0; i < json_array_get_length(list); i++) {
        if (!hand_over_value(key, json_array_get_element(list, i), errp)) {
            return false;
        }
    }
    return true;
}

/* @value may be the name of a node of this process. */
static bool hand_over_value(const char *key, JsonNode *value, Error **errp)
{
    static const char *const names_of_else[] = {
        "driver", "node-name", "filename", NULL
    };
    BlockNode *node;

    if (JSON_NODE_HOLDS_OBJECT(value)) {
        return hand_over_references(json_node_get_object(value), errp);
    }
    if (JSON_NODE_HOLDS_ARRAY(value)) {
        return hand_over_list(key, json_node_get_array(value), errp);
    }
    if (!JSON_NODE_HOLDS_VALUE(value) ||
        json_node_get_value_type(value) != G_TYPE_STRING ||
        g_strv_contains(names_of_else, key)) {
        return true;
    }
    node = block_node_find(json_node_get_string(value));
    return !node || node->served || hand_over(node, errp);
}

static bool hand_over_references(JsonObject *options, Error **errp)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init(&iter, options);
    while (json_object_iter_next(&iter, &key, &value)) {
        if (!hand_over_value(key, value, errp)) {
            return false;
        }
    }
    return true;
}

/* What the daemon says of its nodes, or their figures. NULL: *errp. */
static JsonArray *ask_for_nodes(const char *command, const char *flag,
                                Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) list = NULL;

    json_object_set_boolean_member(args, flag, true);
    list = storage_daemon_execute(command, args, errp);
    if (!list) {
        return NULL;
    }
    return JSON_NODE_HOLDS_ARRAY(list)
        ? json_array_ref(json_node_get_array(list)) : json_array_new();
}

JsonObject *block_served_find(JsonArray *list, const BlockNode *node)
{
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        JsonNode *e = json_array_get_element(list, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(e) ? json_node_get_object(e)
                                                  : NULL;

        if (o && g_strcmp0(block_option_text(o, "node-name"), node->name) == 0) {
            return o;
        }
    }
    return NULL;
}

static uint64_t virtual_size(JsonObject *info)
{
    JsonNode *node = json_object_get_member(info, "image");
    JsonObject *image = node && JSON_NODE_HOLDS_OBJECT(node)
        ? json_node_get_object(node) : NULL;

    return image ? json_object_get_int_member_with_default(image,
                                                           "virtual-size", 0)
                 : 0;
}

/* What it says of @node is noted there. */
static bool look_at(BlockNode *node, Error **errp)
{
    g_autoptr(JsonArray) list = ask_for_nodes("query-named-block-nodes", "flat",
                                              errp);
    JsonObject *info = block_served_find(list, node);

    if (list && !info) {
        error_setg(errp, "qemu-storage-daemon does not know its node '%s'",
                   node->name);
    }
    if (info) {
        node->served_size = virtual_size(info);
        node->read_only = json_object_get_boolean_member_with_default(info, "ro",
                                                                      false);
    }
    return info;
}

bool block_served_open(BlockNode *node, JsonObject *options, Error **errp)
{
    if (!storage_daemon_start(&daemon_ops, errp)) {
        return false;
    }
    block_export_await_end(node->name);   /* one of the name may just close */
    if (!hand_over_references(options, errp) ||
        !add_with_objects(options, errp)) {
        return false;
    }
    if (!look_at(node, errp)) {
        block_export_close_node(node->name);
        return false;
    }
    node->driver = g_intern_string(block_option_text(options, "driver"));
    return true;
}

bool block_served_close(const char *name, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(args, "node-name", name);
    block_export_await_end(name);
    /* What has gone has closed it. */
    if (storage_daemon_runs()) {
        done = storage_daemon_execute("blockdev-del", args, errp);
    }
    if (done) {
        block_objects_closed(name);
    }
    return done || !storage_daemon_runs();
}

bool block_served_resize(const char *name, uint64_t size, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) done = NULL;
    BlockNode *node;

    json_object_set_string_member(args, "node-name", name);
    json_object_set_int_member(args, "size", size);
    done = storage_daemon_execute("block_resize", args, errp);
    node = block_node_find(name);         /* others went on meanwhile */
    if (done && node && node->served) {
        node->served_size = size;
    }
    return done;
}

/* --- queries --- */

/* Copies what is there of the members that the schema has. */
static JsonObject *pick(JsonObject *from, const char *const *members)
{
    JsonObject *o = json_object_new();

    for (; *members; members++) {
        JsonNode *node = json_object_dup_member(from, *members);

        if (node) {
            json_object_set_member(o, *members, node);
        }
    }
    return o;
}

JsonArray *block_served_list(Error **errp)
{
    return ask_for_nodes("query-named-block-nodes", "flat", errp);
}

JsonArray *block_served_figures(Error **errp)
{
    return ask_for_nodes("query-blockstats", "query-nodes", errp);
}

JsonObject *block_served_info(JsonArray *list, const BlockNode *node)
{
    static const char *const of_node[] = {
        "node-name", "file", "drv", "ro", "encrypted", "detect_zeroes", "bps",
        "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr", "write_threshold",
        "backing_file_depth", "backing_file", "cache", NULL
    };
    static const char *const of_image[] = {
        "filename", "format", "virtual-size", "actual-size", "dirty-flag",
        "cluster-size", "encrypted", "compressed", "backing-filename",
        "full-backing-filename", "backing-filename-format", "format-specific",
        NULL
    };
    JsonObject *info = block_served_find(list, node);
    JsonNode *image;
    JsonObject *o;

    if (!info) {
        return NULL;
    }
    image = json_object_get_member(info, "image");
    o = pick(info, of_node);
    if (image && JSON_NODE_HOLDS_OBJECT(image)) {
        json_object_set_object_member(o, "image",
                                      pick(json_node_get_object(image),
                                           of_image));
    }
    return o;
}
