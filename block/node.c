/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes: what -blockdev and blockdev-add make. A node is the parent's that names
 * it, or a backend's, and can be deleted once it is nobody's. Used by backends
 * and commands; images are image.c's.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "qapi/visitor.h"
#include "qemu/id.h"

static QTAILQ_HEAD(, BlockNode) nodes = QTAILQ_HEAD_INITIALIZER(nodes);
static unsigned int nodes_without_name;

static const char *const detect_zeroes_names[] = {
    [BLOCK_DETECT_ZEROES_OFF] = "off",
    [BLOCK_DETECT_ZEROES_ON] = "on",
    [BLOCK_DETECT_ZEROES_UNMAP] = "unmap",
};
const QEnumLookup BlockDetectZeroes_lookup = {
    .array = detect_zeroes_names, .size = BLOCK_DETECT_ZEROES__MAX,
};

static const char *const on_off_names[] = { "ignore", "unmap" };
static const QEnumLookup discard_lookup = { on_off_names, 2 };
static const char *const locking_names[] = { "auto", "on", "off" };
static const QEnumLookup locking_lookup = { locking_names, 3 };
#define LOCKING_OFF 2

/* --- looking --- */

BlockNode *block_node_find(const char *name)
{
    BlockNode *node;

    QTAILQ_FOREACH(node, &nodes, next) {
        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

void block_node_foreach(void (*fn)(BlockNode *node, void *opaque),
                        void *opaque)
{
    BlockNode *node;

    QTAILQ_FOREACH(node, &nodes, next) {
        BlockBackend *blk = block_node_backend(node);
        AioContext *aio = blk ? blk->ctx->aio : NULL;

        aio_context_pause(aio);
        fn(node, opaque);
        aio_context_resume(aio);
    }
}

bool block_node_check_unused(const BlockNode *node, Error **errp)
{
    if (node->parent) {
        error_setg(errp, "Node '%s' is in use by node '%s'", node->name,
                   node->parent->name);
        return false;
    }
    if (node->blk) {
        error_setg(errp, "Node '%s' is in use by %s", node->name,
                   node->blk->qdev ?: node->blk->name);
        return false;
    }
    if (node->awaited) {
        error_setg(errp, "Node '%s' is in use: qemu-storage-daemon has not "
                   "answered yet", node->name);
        return false;
    }
    return true;
}

/* --- life --- */

void block_node_free(BlockNode *node)
{
    QTAILQ_REMOVE(&nodes, node, next);
    if (node->child) {
        node->child->parent = NULL;
        if (node->child->implicit) {
            block_node_free(node->child);
        }
    }
    if (node->served) {
        block_export_close_node(node->name);
    }
    g_clear_pointer(&node->image, block_image_close);
    g_clear_pointer(&node->options, json_object_unref);
    g_free(node->name);
    g_free(node);
}

/* Others go on until it has been closed; they cannot use it then. */
static bool del_served(const char *name, Error **errp)
{
    BlockNode *node;

    if (!block_served_close(name, errp)) {
        return false;
    }
    node = block_node_find(name);
    if (node) {
        node->served = false;
        block_node_free(node);
    }
    return true;
}

bool block_node_del(const char *name, Error **errp)
{
    BlockNode *node = block_node_find(name);

    if (!node) {
        error_setg(errp, "Failed to find node with node-name='%s'", name);
        return false;
    }
    if (node->implicit || !block_node_check_unused(node, errp)) {
        if (node->implicit) {
            error_setg(errp, "Node '%s' goes with what uses it", name);
        }
        return false;
    }
    if (node->served) {
        return del_served(name, errp);
    }
    block_node_free(node);
    return true;
}

/* What options of all drivers say. */
typedef struct NodeOptions {
    JsonObject *rest;                     /* those of the driver */
    char *name;
    char *driver;
    bool read_only;
    bool auto_read_only;
    bool force_share;
    bool direct;
    bool no_flush;
    int discard;
    int detect_zeroes;
} NodeOptions;

static bool take_cache(NodeOptions *o, Error **errp)
{
    JsonNode *node = json_object_get_member(o->rest, "cache");
    JsonObject *cache;

    if (!node) {
        return true;
    }
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "Invalid parameter type for 'cache', expected: object "
                   "(cache.direct, cache.no-flush)");
        return false;
    }
    cache = json_node_get_object(node);
    if (!block_take_bool(cache, "direct", &o->direct, errp) ||
        !block_take_bool(cache, "no-flush", &o->no_flush, errp) ||
        !block_check_no_more(cache, "cache", errp)) {
        return false;
    }
    json_object_remove_member(o->rest, "cache");
    return true;
}

static bool take_name(NodeOptions *o, Error **errp)
{
    ERRP_GUARD();

    o->name = block_take_string(o->rest, "node-name", errp);
    if (*errp) {
        return false;
    }
    if (!o->name) {
        return true;
    }
    if (!id_wellformed(o->name)) {
        error_setg(errp, "node-name=%s: " ERROR_ID_MALFORMED, o->name);
        return false;
    }
    if (block_node_find(o->name) || blk_find(o->name)) {
        error_setg(errp, "node-name=%s: there is a node, or drive, of that "
                   "name", o->name);
        return false;
    }
    return true;
}

static bool take_common(NodeOptions *o, Error **errp)
{
    ERRP_GUARD();

    o->driver = block_take_string(o->rest, "driver", errp);
    if (!*errp && !o->driver) {
        error_setg(errp, "Parameter 'driver' is missing");
    }
    return !*errp && take_name(o, errp) &&
           block_take_bool(o->rest, "read-only", &o->read_only, errp) &&
           block_take_bool(o->rest, "auto-read-only", &o->auto_read_only,
                           errp) &&
           block_take_bool(o->rest, "force-share", &o->force_share, errp) &&
           block_take_enum(o->rest, "discard", &discard_lookup, &o->discard,
                           errp) &&
           block_take_enum(o->rest, "detect-zeroes", &BlockDetectZeroes_lookup,
                           &o->detect_zeroes, errp) &&
           take_cache(o, errp);
}

/* --- drivers --- */

static bool open_protocol(BlockNode *node, NodeOptions *o, Error **errp)
{
    ERRP_GUARD();
    BlockImageOptions image = {
        .is_device = strcmp(o->driver, "host_device") == 0,
        .read_only = o->read_only, .auto_read_only = o->auto_read_only,
        .direct = o->direct, .force_share = o->force_share,
    };
    int locking = 0;
    g_autofree char *filename = block_take_string(o->rest, "filename", errp);
    g_autofree char *aio = *errp ? NULL : block_take_string(o->rest, "aio",
                                                            errp);

    if (*errp || !block_take_enum(o->rest, "locking", &locking_lookup, &locking,
                                  errp) ||
        !block_check_no_more(o->rest, o->driver, errp)) {
        return false;
    }
    if (!filename) {
        error_setg(errp, "Parameter 'filename' is missing");
        return false;
    }
    if (o->force_share && !o->read_only) {
        error_setg(errp, "force-share=on: only with read-only=on");
        return false;
    }
    image.filename = filename;
    image.aio = aio;
    image.lock = locking != LOCKING_OFF;
    node->image = block_image_open(&image, errp);
    if (node->image) {
        node->read_only = node->image->read_only;
    }
    return node->image;
}

static bool open_nvme(BlockNode *node, NodeOptions *o, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *device = block_take_string(o->rest, "device", errp);
    uint32_t nsid = 0;

    if (*errp || !block_take_uint32(o->rest, "namespace", 1, &nsid, errp) ||
        !block_check_no_more(o->rest, o->driver, errp)) {
        return false;
    }
    if (!device || !nsid) {
        error_setg(errp, "Parameter '%s' is missing", device ? "namespace"
                                                             : "device");
        return false;
    }
    node->image = block_image_open_nvme(device, nsid, o->read_only, errp);
    node->read_only = o->read_only;
    return node->image;
}

/* The node that "file" names, or describes. */
static BlockNode *take_child(NodeOptions *o, Error **errp)
{
    g_autoptr(JsonNode) file = json_object_dup_member(o->rest, "file");
    JsonObject *inner;
    BlockNode *child;

    json_object_remove_member(o->rest, "file");
    if (!file || !JSON_NODE_HOLDS_OBJECT(file)) {
        const char *name = file ? json_node_get_string(file) : NULL;

        child = name ? block_node_find(name) : NULL;
        if (!name) {
            error_setg(errp, "Parameter 'file' is missing");
        } else if (!child) {
            error_setg(errp, "Cannot find node '%s'", name);
        }
        return child && block_node_check_unused(child, errp) ? child : NULL;
    }
    /* What is said of the format holds for what is below. */
    inner = json_node_get_object(file);
    if (o->read_only && !json_object_has_member(inner, "read-only")) {
        json_object_set_boolean_member(inner, "read-only", true);
    }
    if (o->direct && !json_object_has_member(inner, "cache")) {
        JsonObject *cache = json_object_new();

        json_object_set_boolean_member(cache, "direct", true);
        json_object_set_object_member(inner, "cache", cache);
    }
    child = block_node_add(inner, errp);
    if (child) {
        child->implicit = true;
    }
    return child;
}

static bool open_raw(BlockNode *node, NodeOptions *o, Error **errp)
{
    BlockNode *child = take_child(o, errp);

    if (!child) {
        return false;
    }
    if (!block_check_no_more(o->rest, "raw", errp)) {
        if (child->implicit) {
            block_node_free(child);
        }
        return false;
    }
    if (child->child) {
        error_setg(errp, "raw over '%s', which is raw already", child->name);
        if (child->implicit) {
            block_node_free(child);
        }
        return false;
    }
    node->read_only = o->read_only || child->read_only;
    node->discard &= child->discard || child->implicit;
    node->no_flush |= child->no_flush;
    node->child = child;
    child->parent = node;
    return true;
}

static const struct {
    const char *name;
    bool (*open)(BlockNode *node, NodeOptions *o, Error **errp);
} drivers[] = {
    { "raw", open_raw },
    { "file", open_protocol },
    { "host_device", open_protocol },
    { "nvme", open_nvme },
};

static bool needs_memory(JsonObject *nested)
{
    JsonNode *file = json_object_get_member(nested, "file");

    return g_strcmp0(block_option_text(nested, "driver"), "nvme") == 0 ||
           (file && JSON_NODE_HOLDS_OBJECT(file) &&
            needs_memory(json_node_get_object(file)));
}

bool block_options_need_memory(JsonObject *options)
{
    g_autoptr(JsonObject) nested = block_options_nest(options, NULL);

    return nested && needs_memory(nested);
}

bool block_driver_is_own(const char *driver)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (strcmp(drivers[i].name, driver) == 0) {
            return true;
        }
    }
    return false;
}

static bool open_node(BlockNode *node, NodeOptions *o, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (strcmp(drivers[i].name, o->driver) == 0) {
            node->driver = drivers[i].name;
            return drivers[i].open(node, o, errp);
        }
    }
    g_assert_not_reached();
}

static char *name_of_own(void)
{
    return g_strdup_printf("#block%u", nodes_without_name++);
}

static BlockNode *add_own(NodeOptions *o, Error **errp)
{
    BlockNode *node;

    if (!take_common(o, errp)) {
        return NULL;
    }
    node = g_new0(BlockNode, 1);
    node->discard = o->discard;
    node->detect_zeroes = o->detect_zeroes;
    node->no_flush = o->no_flush;
    if (!open_node(node, o, errp)) {
        g_free(node);
        return NULL;
    }
    node->name = o->name ? g_strdup(o->name) : name_of_own();
    QTAILQ_INSERT_TAIL(&nodes, node, next);
    return node;
}

/* The daemon has to be told a name. Others, who go on meanwhile, see that it is
 * taken. */
static BlockNode *add_served(NodeOptions *o, Error **errp)
{
    g_autoptr(JsonObject) options = block_options_nest(o->rest, errp);
    BlockNode *node;

    if (!options || !take_name(o, errp)) {
        return NULL;
    }
    node = g_new0(BlockNode, 1);
    node->name = o->name ? g_strdup(o->name)
                         : g_strdup_printf("x-block%u", nodes_without_name++);
    json_object_set_string_member(options, "node-name", node->name);
    node->served = true;
    node->awaited = true;
    QTAILQ_INSERT_TAIL(&nodes, node, next);
    if (!block_served_open(node, options, errp)) {
        QTAILQ_REMOVE(&nodes, node, next);
        g_free(node->name);
        g_free(node);
        return NULL;
    }
    node->awaited = false;
    return node;
}

static BlockNode *add_node(JsonObject *options, bool serve, Error **errp)
{
    NodeOptions o = { .rest = block_options_nest(options, errp) };
    JsonObject *whole = o.rest ? block_options_nest(options, errp) : NULL;
    BlockNode *node = NULL;

    if (whole) {
        node = serve || block_served_wants(whole) ? add_served(&o, errp)
                                                  : add_own(&o, errp);
    }
    if (node) {
        node->options = g_steal_pointer(&whole);
    }
    g_clear_pointer(&whole, json_object_unref);
    g_clear_pointer(&o.rest, json_object_unref);
    g_free(o.name);
    g_free(o.driver);
    return node;
}

BlockNode *block_node_add(JsonObject *options, Error **errp)
{
    return add_node(options, false, errp);
}

BlockNode *block_node_add_served(JsonObject *options, Error **errp)
{
    return add_node(options, true, errp);
}
