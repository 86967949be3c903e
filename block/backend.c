/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backends: a device's use of a node, with what it is to do about errors, and
 * figures. Requests are request.c's.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "qapi/client-event.h"
#include "qapi/visitor.h"
#include "qemu/id.h"
#include "sysemu/reset.h"

static QTAILQ_HEAD(, BlockBackend) backends =
    QTAILQ_HEAD_INITIALIZER(backends);

static const char *const error_policy_names[] = {
    [BLOCK_ERROR_AUTO] = "auto",
    [BLOCK_ERROR_REPORT] = "report",
    [BLOCK_ERROR_IGNORE] = "ignore",
    [BLOCK_ERROR_ENOSPC] = "enospc",
    [BLOCK_ERROR_STOP] = "stop",
};
const QEnumLookup BlockErrorPolicy_lookup = {
    .array = error_policy_names, .size = BLOCK_ERROR__MAX,
};

enum { READING, WRITING };

/* --- looking --- */

void blk_foreach(void (*fn)(BlockBackend *blk, void *opaque), void *opaque)
{
    BlockBackend *blk;

    QTAILQ_FOREACH(blk, &backends, next) {
        AioContext *aio = blk->ctx->aio;

        aio_context_pause(aio);
        fn(blk, opaque);
        aio_context_resume(aio);
    }
}

BlockBackend *blk_find(const char *name)
{
    BlockBackend *blk;

    QTAILQ_FOREACH(blk, &backends, next) {
        if ((*blk->name && strcmp(blk->name, name) == 0) ||
            strcmp(blk->node->name, name) == 0) {
            return blk;
        }
    }
    return NULL;
}

/* --- life --- */

static BlockBackend *blk_new(const char *name, BlockNode *node)
{
    BlockBackend *blk = g_new0(BlockBackend, 1);

    blk->name = g_strdup(name);
    blk->node = node;
    blk->ctx = block_context_get(NULL);
    blk->write_cache = true;
    node->blk = blk;
    QTAILQ_INSERT_TAIL(&backends, blk, next);
    return blk;
}

static void blk_free(BlockBackend *blk)
{
    QTAILQ_REMOVE(&backends, blk, next);
    block_context_put(blk->ctx);
    blk->node->blk = NULL;
    if (blk->node->implicit) {
        block_node_free(blk->node);
    }
    g_free(blk->qdev);
    g_free(blk->name);
    g_free(blk);
}

/* -drive's: a node of its own, which goes with it. */
bool block_drive_add(JsonObject *options, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(JsonObject) o = block_options_nest(options, errp);
    g_autofree char *id = o ? block_take_string(o, "id", errp) : NULL;
    int werror = BLOCK_ERROR_AUTO, rerror = BLOCK_ERROR_AUTO;
    bool write_cache = true, cdrom = false;
    BlockBackend *blk;
    BlockNode *node;

    if (*errp || !block_take_bool(o, "write-cache", &write_cache, errp) ||
        !block_take_bool(o, "cdrom", &cdrom, errp) ||
        !block_take_enum(o, "werror", &BlockErrorPolicy_lookup, &werror,
                         errp) ||
        !block_take_enum(o, "rerror", &BlockErrorPolicy_lookup, &rerror,
                         errp)) {
        return false;
    }
    if (!id_wellformed(id) || block_node_find(id) || blk_find(id)) {
        error_setg(errp, "id=%s: %s", id, id_wellformed(id)
                   ? "there is a node, or drive, of that name"
                   : ERROR_ID_MALFORMED);
        return false;
    }
    node = block_node_add(o, errp);
    if (!node) {
        return false;
    }
    node->implicit = true;
    blk = blk_new(id, node);
    blk->write_cache = write_cache;
    blk->cdrom = cdrom;
    blk_set_on_error(blk, rerror, werror);
    return true;
}

BlockNode *blk_find_free_node(const char *name, Error **errp)
{
    BlockBackend *blk = blk_find(name);
    BlockNode *node = blk ? blk->node : block_node_find(name);

    if (!node) {
        error_setg(errp, "drive=%s: there is no such node or drive", name);
    } else if (blk && (blk->qdev || node->awaited)) {
        error_setg(errp, "drive=%s: it is in use by %s", name,
                   blk->qdev ?: "a device that is being made");
    } else if (blk || block_node_check_unused(node, errp)) {
        return node;
    }
    return NULL;
}

BlockBackend *blk_attach(const char *name, const char *qdev, bool writable,
                         const BlockUserOps *ops, void *opaque, Error **errp)
{
    BlockNode *node = blk_find_free_node(name, errp);
    BlockBackend *blk;

    if (!node) {
        return NULL;
    }
    if (writable && node->read_only) {
        error_setg(errp, "drive=%s: Block node is read-only", name);
        return NULL;
    }
    blk = node->blk ?: blk_new("", node);
    blk->qdev = g_strdup(qdev);
    blk->ops = ops;
    blk->opaque = opaque;
    return blk;
}

bool blk_set_aio_context(BlockBackend *blk, AioContext *aio, Error **errp)
{
    BlockContext *ctx = block_context_get(aio);

    g_assert(!blk->in_flight);
    if (!block_node_image(blk->node)->engine->start(ctx, errp)) {
        block_context_put(ctx);
        return false;
    }
    block_context_put(blk->ctx);
    blk->ctx = ctx;
    return true;
}

bool blk_share(BlockBackend *blk, bool share, Error **errp)
{
    if (!blk->node->served) {
        return block_image_share(block_node_image(blk->node), share, errp);
    }
    if (share) {
        error_setg(errp, "share-rw=on: an image of qemu-storage-daemon cannot "
                   "be shared");
    }
    return !share;
}

/* One that has a name of its own goes, too, as its device was the only one that
 * it was for. */
void blk_detach(BlockBackend *blk)
{
    blk_drain(blk);
    g_clear_pointer(&blk->served_by, block_export_free);
    blk_free(blk);
}

/* --- properties --- */

bool blk_is_read_only(const BlockBackend *blk)
{
    return blk->node->read_only;
}

bool blk_is_cdrom(const BlockBackend *blk)
{
    return blk->cdrom;
}

uint64_t blk_size(const BlockBackend *blk)
{
    const BlockNode *node = blk->node;

    return ROUND_UP(node->served ? node->served_size
                                 : block_node_image(node)->size, BLOCK_SECTOR);
}

bool blk_is_served(const BlockBackend *blk)
{
    return blk->node->served;
}

uint32_t blk_request_alignment(const BlockBackend *blk)
{
    return MAX(block_node_image(blk->node)->alignment, BLOCK_SECTOR);
}

void blk_set_write_cache(BlockBackend *blk, bool on)
{
    blk->write_cache = on;
}

bool blk_write_cache(const BlockBackend *blk)
{
    return blk->write_cache;
}

/* --- errors --- */

void blk_set_on_error(BlockBackend *blk, BlockErrorPolicy read,
                      BlockErrorPolicy write)
{
    if (read != BLOCK_ERROR_AUTO) {
        blk->on_error[READING] = read;
    }
    if (write != BLOCK_ERROR_AUTO) {
        blk->on_error[WRITING] = write;
    }
}

BlockErrorPolicy blk_error_policy(const BlockBackend *blk, bool is_read)
{
    return blk->on_error[is_read ? READING : WRITING];
}

static BlockErrorAction action_of(const BlockBackend *blk, bool is_read,
                                  int error)
{
    BlockErrorPolicy p = blk_error_policy(blk, is_read);

    if (p == BLOCK_ERROR_AUTO) {
        p = is_read ? BLOCK_ERROR_REPORT : BLOCK_ERROR_ENOSPC;
    }
    switch (p) {
    case BLOCK_ERROR_ENOSPC:
        return error == ENOSPC ? BLOCK_ACTION_STOP : BLOCK_ACTION_REPORT;
    case BLOCK_ERROR_STOP:
        return BLOCK_ACTION_STOP;
    case BLOCK_ERROR_IGNORE:
        return BLOCK_ACTION_IGNORE;
    default:
        return BLOCK_ACTION_REPORT;
    }
}

BlockErrorAction blk_error_action(BlockBackend *blk, bool is_read, int error)
{
    static const char *const names[] = {
        [BLOCK_ACTION_REPORT] = "report", [BLOCK_ACTION_IGNORE] = "ignore",
        [BLOCK_ACTION_STOP] = "stop",
    };
    BlockErrorAction action = action_of(blk, is_read, error);
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "device", blk->name);
    json_object_set_string_member(data, "node-name", blk->node->name);
    json_object_set_string_member(data, "operation", is_read ? "read"
                                                             : "write");
    json_object_set_string_member(data, "action", names[action]);
    if (action == BLOCK_ACTION_STOP) {
        json_object_set_boolean_member(data, "nospace", error == ENOSPC);
        blk->status = error;
    }
    json_object_set_string_member(data, "reason", strerror(error));
    qapi_event_emit("BLOCK_IO_ERROR", data);
    return action;
}

void blk_reset_status(BlockBackend *blk)
{
    blk->status = 0;
}

/* --- waiting --- */

void blk_drain_all(void)
{
    BlockBackend *blk;

    QTAILQ_FOREACH(blk, &backends, next) {
        blk_drain(blk);
    }
}

/* What is in flight has the memory that a reset discards. */
static void drain_before_reset(void *opaque)
{
    blk_drain_all();
}

void block_init(void)
{
    qemu_register_reset(drain_before_reset, NULL);
}
