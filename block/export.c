/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exports: the storage daemon's vhost-user back ends, one for each device that
 * uses one of its nodes. An export that is told to end finishes its requests
 * first, and its node is in use until the daemon says that it has ended; only who
 * deletes the node waits for that. Used by devices, backends and nodes.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "block-internal.h"
#include "qemu/may-open.h"
#include "served-objects.h"
#include "storage-daemon.h"

#define END_TIMEOUT_MS 5000

struct BlockExport {
    char *id;
    char *node;
    int fd;                               /* -1: somebody has taken it */
    bool close_node;                      /* when it has ended */
    QTAILQ_ENTRY(BlockExport) next;       /* in the list of those that end */
};

static QTAILQ_HEAD(, BlockExport) ending = QTAILQ_HEAD_INITIALIZER(ending);

/* --- the end --- */

static void tell_of_one(const char *command, const char *key, const char *value)
{
    g_autoptr(JsonObject) args = json_object_new();

    json_object_set_string_member(args, key, value);
    if (strcmp(command, "block-export-del") == 0) {
        json_object_set_string_member(args, "mode", "hard");
    }
    storage_daemon_tell(command, args);
}

static void close_node(const char *name)
{
    tell_of_one("blockdev-del", "node-name", name);
    block_objects_closed(name);
}

static void has_ended(BlockExport *e)
{
    QTAILQ_REMOVE(&ending, e, next);
    if (e->close_node) {
        close_node(e->node);
    }
    g_free(e->id);
    g_free(e->node);
    g_free(e);
}

void block_export_event(JsonObject *event)
{
    JsonNode *node = json_object_get_member(event, "data");
    const char *id = node && JSON_NODE_HOLDS_OBJECT(node)
        ? block_option_text(json_node_get_object(node), "id") : NULL;
    BlockExport *e;

    if (g_strcmp0(block_option_text(event, "event"), "BLOCK_EXPORT_DELETED")) {
        return;
    }
    QTAILQ_FOREACH(e, &ending, next) {
        if (g_strcmp0(e->id, id) == 0) {
            has_ended(e);
            return;
        }
    }
}

void block_export_all_gone(void)
{
    BlockExport *e;

    while ((e = QTAILQ_FIRST(&ending))) {
        has_ended(e);
    }
}

void block_export_free(BlockExport *e)
{
    if (e->fd >= 0) {
        close(e->fd);
    }
    QTAILQ_INSERT_TAIL(&ending, e, next);
    if (storage_daemon_runs()) {
        tell_of_one("block-export-del", "id", e->id);
    } else {
        has_ended(e);
    }
}

static BlockExport *ending_of(const char *node)
{
    BlockExport *e;

    QTAILQ_FOREACH(e, &ending, next) {
        if (strcmp(e->node, node) == 0) {
            break;
        }
    }
    return e;
}

static bool none_is_ending(const void *node)
{
    return !ending_of(node);
}

void block_export_await_end(const char *node)
{
    storage_daemon_wait(none_is_ending, node, END_TIMEOUT_MS);
}

void block_export_close_node(const char *node)
{
    BlockExport *e = ending_of(node);

    if (e) {
        e->close_node = true;
    } else {
        close_node(node);
    }
}

/* --- the beginning --- */

static bool add_export(BlockExport *e, const BlockServeOptions *o,
                       const char *path, bool writable, Error **errp)
{
    g_autoptr(JsonObject) args = json_object_new();
    JsonObject *addr = json_object_new();
    g_autoptr(JsonNode) done = NULL;

    json_object_set_string_member(addr, "type", "unix");
    json_object_set_string_member(addr, "path", path);
    json_object_set_object_member(args, "addr", addr);
    json_object_set_string_member(args, "type", "vhost-user-blk");
    json_object_set_string_member(args, "id", e->id);
    json_object_set_string_member(args, "node-name", e->node);
    json_object_set_boolean_member(args, "writable", writable);
    json_object_set_int_member(args, "num-queues", o->num_queues);
    json_object_set_int_member(args, "logical-block-size",
                               o->logical_block_size);
    done = storage_daemon_execute("block-export-add", args, errp);
    return done != NULL;
}

static int connect_to(const char *path, Error **errp)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    /* One whose queue is full would hold us up. */
    if (fd < 0 || connect(fd, (void *)&addr, sizeof(addr)) < 0) {
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
static char *socket_path(Error **errp)
{
    char *path = g_strdup_printf("%s/sparsevm-%d-%08x%08x.sock",
                                 storage_daemon_directory(), (int)getpid(),
                                 g_random_int(), g_random_int());

    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        error_setg(errp, "%s is too long for a socket: set TMPDIR to a shorter "
                   "path", path);
        g_clear_pointer(&path, g_free);
    }
    return path;
}

static BlockExport *export_node(BlockNode *node, const BlockServeOptions *o,
                                Error **errp)
{
    static unsigned int number;
    g_autofree char *path = NULL;
    BlockExport *e;

    if (!storage_daemon_runs()) {
        error_setg(errp, "qemu-storage-daemon, which has '%s', has gone",
                   node->name);
        return NULL;
    }
    path = socket_path(errp);
    if (!path || !qemu_may_open(errp)) {
        return NULL;
    }
    e = g_new0(BlockExport, 1);
    e->id = g_strdup_printf("export%u", number++);
    e->node = g_strdup(node->name);
    if (!add_export(e, o, path, !node->read_only, errp)) {
        g_free(e->id);
        g_free(e->node);
        g_free(e);
        return NULL;
    }
    e->fd = connect_to(path, errp);
    unlink(path);
    if (e->fd < 0) {
        g_clear_pointer(&e, block_export_free);
    }
    return e;
}

bool block_is_served(const char *name)
{
    BlockBackend *blk = blk_find(name);
    BlockNode *node = blk ? blk->node : block_node_find(name);

    return node && node->served;
}

BlockExport *block_export_new(const char *name, const BlockServeOptions *o,
                              Error **errp)
{
    BlockNode *node = blk_find_free_node(name, errp);
    BlockExport *e = NULL;

    if (node) {
        node->awaited = true;
        e = export_node(node, o, errp);
        node->awaited = false;
    }
    return e;
}

int block_export_fd(const BlockExport *e)
{
    return e->fd;
}

int blk_serve(BlockBackend *blk, BlockExport *e)
{
    blk->served_by = e;
    return g_steal_fd(&e->fd);
}
