/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes of drivers that this process does not have: their options go to QEMU's
 * storage daemon as they are, with the nodes that they refer to, which are closed
 * here first. A device's use of one is an export of the daemon's, a vhost-user
 * back end. Used by nodes and backends.
 */
#include "qemu/osdep.h"

#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "block-internal.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "storage-daemon.h"
#include "sysemu/secret.h"

/* An export that ends finishes its requests first. */
#define UNSERVE_TIMEOUT_MS 5000
#define UNSERVE_NAP_MS 1

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

/* --- secrets --- */

#define SECRET_SUFFIX "-secret"

/* The daemon has it from now on. It would be a mistake to give it twice. */
static bool give_secret(const char *id, Error **errp)
{
    static GHashTable *given;
    g_autoptr(JsonObject) args = NULL;
    g_autoptr(JsonNode) done = NULL;

    given = given ?: g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           NULL);
    if (g_hash_table_contains(given, id)) {
        return true;
    }
    args = secret_options(id, errp);
    if (args) {
        done = storage_daemon_execute("object-add", args, errp);
    }
    if (done) {
        g_hash_table_add(given, g_strdup(id));
    }
    return done != NULL;
}

/* Those that options such as key-secret=ID name. */
static bool give_secrets(JsonObject *options, Error **errp)
{
    JsonObjectIter iter;
    const char *key, *id;
    JsonNode *value;

    json_object_iter_init(&iter, options);
    while (json_object_iter_next(&iter, &key, &value)) {
        id = block_option_text(options, key);
        if (JSON_NODE_HOLDS_OBJECT(value)
                ? !give_secrets(json_node_get_object(value), errp)
                : id && g_str_has_suffix(key, SECRET_SUFFIX) &&
                  !give_secret(id, errp)) {
            return false;
        }
    }
    return true;
}

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

/* The daemon's description of a node; NULL: *errp. */
static JsonObject *find_info(const char *name, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) list = NULL;

    json_object_set_boolean_member(args, "flat", true);
    list = storage_daemon_execute("query-named-block-nodes", args, errp);
    if (!list) {
        return NULL;
    }
    for (guint i = 0; JSON_NODE_HOLDS_ARRAY(list) &&
         i < json_array_get_length(json_node_get_array(list)); i++) {
        JsonNode *e = json_array_get_element(json_node_get_array(list), i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(e) ? json_node_get_object(e)
                                                  : NULL;

        if (o && g_strcmp0(block_option_text(o, "node-name"), name) == 0) {
            return json_object_ref(o);
        }
    }
    error_setg(errp, "qemu-storage-daemon does not know its node '%s'", name);
    return NULL;
}

static void close_in_daemon(const char *name)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(args, "node-name", name);
    done = storage_daemon_execute("blockdev-del", args, NULL);
}

bool block_served_open(BlockNode *node, JsonObject *options, Error **errp)
{
    g_autoptr(JsonObject) info = NULL;

    if (!storage_daemon_start(errp) || !hand_over_references(options, errp) ||
        !give_secrets(options, errp) || !add_to_daemon(options, errp)) {
        return false;
    }
    info = find_info(node->name, errp);
    if (!info) {
        close_in_daemon(node->name);
        return false;
    }
    node->served = true;
    node->driver = g_intern_string(block_option_text(options, "driver"));
    node->read_only = json_object_get_boolean_member_with_default(info, "ro",
                                                                  false);
    return true;
}

bool block_served_close(BlockNode *node, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(args, "node-name", node->name);
    /* What has gone has closed it. */
    if (storage_daemon_runs()) {
        done = storage_daemon_execute("blockdev-del", args, errp);
    }
    return done || !storage_daemon_runs();
}

bool block_served_resize(BlockNode *node, uint64_t size, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(args, "node-name", node->name);
    json_object_set_int_member(args, "size", size);
    done = storage_daemon_execute("block_resize", args, errp);
    return done != NULL;
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

JsonObject *block_served_info(const BlockNode *node, Error **errp)
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
    g_autoptr(JsonObject) info = find_info(node->name, errp);
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

uint64_t block_served_size(const BlockNode *node)
{
    g_autoptr(JsonObject) info = block_served_info(node, NULL);
    JsonObject *image = info && json_object_has_member(info, "image")
        ? json_object_get_object_member(info, "image") : NULL;

    return image ? json_object_get_int_member_with_default(image,
                                                           "virtual-size", 0)
                 : 0;
}

/* --- serving --- */

static char *export_id(const BlockBackend *blk)
{
    return g_strconcat("export-", blk->node->name, NULL);
}

static bool add_export(const BlockBackend *blk, const BlockServeOptions *o,
                       const char *path, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    JsonObject *addr = json_object_new();
    g_autofree char *id = export_id(blk);
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(addr, "type", "unix");
    json_object_set_string_member(addr, "path", path);
    json_object_set_object_member(args, "addr", addr);
    json_object_set_string_member(args, "type", "vhost-user-blk");
    json_object_set_string_member(args, "id", id);
    json_object_set_string_member(args, "node-name", blk->node->name);
    json_object_set_boolean_member(args, "writable", o->writable);
    json_object_set_int_member(args, "num-queues", o->num_queues);
    json_object_set_int_member(args, "logical-block-size",
                               o->logical_block_size);
    done = storage_daemon_execute("block-export-add", args, errp);
    return done != NULL;
}

static int connect_to(const char *path, Error **errp)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    if (fd < 0 || connect(fd, (void *)&addr, sizeof(addr)) < 0 ||
        !g_unix_set_fd_nonblocking(fd, TRUE, NULL)) {
        error_setg_errno(errp, errno, "%s, where qemu-storage-daemon listens, "
                         "cannot be connected to", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* Only this user can connect to the socket, and it is there for a moment. */
static char *socket_path(void)
{
    return g_strdup_printf("%s/sparsevm-%d-%08x%08x.sock",
                           storage_daemon_directory(),
                           (int)getpid(), g_random_int(), g_random_int());
}

bool blk_is_served(const BlockBackend *blk)
{
    return blk->node->served;
}

int blk_serve(BlockBackend *blk, const BlockServeOptions *o, Error **errp)
{
    g_autofree char *path = socket_path();
    int fd;

    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        error_setg(errp, "%s is too long for a socket: set TMPDIR to a shorter "
                   "path", path);
        return -1;
    }
    if (!qemu_may_open(errp) || !add_export(blk, o, path, errp)) {
        return -1;
    }
    blk->served = true;
    fd = connect_to(path, errp);
    unlink(path);
    if (fd < 0) {
        block_served_unserve(blk);
    }
    return fd;
}

static bool has_export(const char *id)
{
    g_autoptr(JsonNode) list = storage_daemon_execute("query-block-exports",
                                                      NULL, NULL);
    JsonArray *array = list && JSON_NODE_HOLDS_ARRAY(list)
        ? json_node_get_array(list) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *e = json_array_get_element(array, i);

        if (JSON_NODE_HOLDS_OBJECT(e) &&
            g_strcmp0(block_option_text(json_node_get_object(e), "id"),
                      id) == 0) {
            return true;
        }
    }
    return false;
}

void block_served_unserve(BlockBackend *blk)
{
    int64_t deadline = g_get_monotonic_time() + UNSERVE_TIMEOUT_MS * 1000LL;
    g_autoptr(JsonObject) args = json_object_new();
    g_autofree char *id = export_id(blk);
    g_autoptr(JsonNode) done = NULL;

    if (!blk->served) {
        return;
    }
    blk->served = false;
    json_object_set_string_member(args, "id", id);
    json_object_set_string_member(args, "mode", "hard");
    done = storage_daemon_execute("block-export-del", args, NULL);
    while (storage_daemon_runs() && has_export(id) &&
           g_get_monotonic_time() < deadline) {
        qemu_poll_ms(NULL, 0, UNSERVE_NAP_MS);
    }
}
