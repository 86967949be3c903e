/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands on disks: blockdev-add and -del, block_resize, the queries, and what
 * people have of them. No policy: nodes and backends say what is possible.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"

/* --- changes --- */

static JsonNode *qmp_blockdev_add(JsonObject *args, Error **errp)
{
    if (!json_object_has_member(args, "node-name")) {
        error_setg(errp, "Parameter 'node-name' is missing");
        return NULL;
    }
    block_node_add(args, errp);
    return NULL;
}

static JsonNode *qmp_blockdev_del(JsonObject *args, Error **errp)
{
    block_node_del(json_object_get_string_member(args, "node-name"), errp);
    return NULL;
}

/* The node that "device", "id" or "node-name" means. */
static BlockNode *node_of_args(JsonObject *args, Error **errp)
{
    const char *device = json_object_get_string_member_with_default(
        args, "device", NULL);
    const char *name = json_object_get_string_member_with_default(
        args, "node-name", NULL);
    BlockBackend *blk = device ? blk_find(device) : NULL;
    BlockNode *node = name ? block_node_find(name) : blk ? blk->node : NULL;

    if (!node) {
        error_setg(errp, "Cannot find device='%s' nor node-name='%s'",
                   device ?: "", name ?: "");
    }
    return node;
}

static void tell_of_size(BlockBackend *blk)
{
    if (blk && blk->ops && blk->ops->resized) {
        blk->ops->resized(blk->opaque);
    }
}

static void resize_own(BlockNode *node, uint64_t size, Error **errp)
{
    BlockBackend *blk = block_node_backend(node);
    AioContext *aio = blk ? blk->ctx->aio : NULL;

    aio_context_pause(aio);
    if (blk) {
        blk_drain(blk);
    }
    if (block_image_resize(block_node_image(node), size, errp)) {
        tell_of_size(blk);
    }
    aio_context_resume(aio);
}

/* Others go on meanwhile. */
static void resize_served(const char *node_name, uint64_t size, Error **errp)
{
    g_autofree char *name = g_strdup(node_name);
    BlockNode *node;

    if (block_served_resize(name, size, errp)) {
        node = block_node_find(name);
        tell_of_size(node ? block_node_backend(node) : NULL);
    }
}

static JsonNode *qmp_block_resize(JsonObject *args, Error **errp)
{
    int64_t size = json_object_get_int_member(args, "size");
    BlockNode *node = node_of_args(args, errp);

    if (!node) {
        return NULL;
    }
    if (size < 0 || node->read_only) {
        error_setg(errp, node->read_only
                   ? "Node '%s' is read-only: its size cannot change"
                   : "size of node '%s': it is no number of bytes", node->name);
        return NULL;
    }
    if (node->served) {
        resize_served(node->name, size, errp);
    } else {
        resize_own(node, size, errp);
    }
    return NULL;
}

/* --- queries --- */

static const char *filename_of(const BlockNode *node)
{
    return block_node_image(node)->filename;
}

static JsonObject *image_info(const BlockNode *node)
{
    const BlockImage *image = block_node_image(node);
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "filename", image->filename);
    json_object_set_string_member(o, "format", node->driver);
    json_object_set_int_member(o, "virtual-size",
                               ROUND_UP(image->size, BLOCK_SECTOR));
    json_object_set_int_member(o, "actual-size", block_image_allocated(image));
    json_object_set_boolean_member(o, "dirty-flag", false);
    return o;
}

static JsonObject *cache_info(const BlockNode *node)
{
    const BlockBackend *blk = block_node_backend(node);
    JsonObject *o = json_object_new();

    json_object_set_boolean_member(o, "writeback", !blk || blk->write_cache);
    json_object_set_boolean_member(o, "direct", block_node_image(node)->direct);
    json_object_set_boolean_member(o, "no-flush", node->no_flush);
    return o;
}

static JsonObject *own_node_info(const BlockNode *node)
{
    static const char *const throttles[] = {
        "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr",
        "write_threshold", "backing_file_depth",
    };
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "node-name", node->name);
    json_object_set_string_member(o, "file", filename_of(node));
    json_object_set_string_member(o, "drv", node->driver);
    json_object_set_boolean_member(o, "ro", node->read_only);
    json_object_set_boolean_member(o, "encrypted", false);
    json_object_set_string_member(
        o, "detect_zeroes",
        BlockDetectZeroes_lookup.array[node->detect_zeroes]);
    for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
        json_object_set_int_member(o, throttles[i], 0);
    }
    json_object_set_object_member(o, "cache", cache_info(node));
    json_object_set_object_member(o, "image", image_info(node));
    return o;
}

/* A list that is being made, with what the daemon has said beforehand: while it is
 * asked, nodes and disks come and go. */
typedef struct Query {
    JsonArray *served;                    /* NULL: it has nothing, or has gone */
    JsonArray *list;
} Query;

static void note_served(BlockNode *node, void *opaque)
{
    *(bool *)opaque |= node->served;
}

static JsonArray *ask_if_served(JsonArray *(*ask)(Error **errp))
{
    bool any_served = false;

    block_node_foreach(note_served, &any_served);
    return any_served ? ask(NULL) : NULL;
}

static void query_begin(Query *q, JsonArray *(*ask)(Error **errp))
{
    q->served = ask_if_served(ask);
    q->list = json_array_new();
}

static JsonNode *query_end(Query *q)
{
    g_clear_pointer(&q->served, json_array_unref);
    return json_array_node(q->list);
}

/* NULL: the daemon that has it has gone. */
static JsonObject *node_info(const Query *q, const BlockNode *node)
{
    return node->served ? block_served_info(q->served, node)
                        : own_node_info(node);
}

static void append_node(BlockNode *node, void *opaque)
{
    Query *q = opaque;
    JsonObject *info = node_info(q, node);

    if (info) {
        json_array_add_object_element(q->list, info);
    }
}

static JsonNode *qmp_query_named_block_nodes(JsonObject *args, Error **errp)
{
    Query q;

    query_begin(&q, block_served_list);
    block_node_foreach(append_node, &q);
    return query_end(&q);
}

static void append_backend(BlockBackend *blk, void *opaque)
{
    Query *q = opaque;
    JsonObject *info = node_info(q, blk->node);
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "device", blk->name);
    json_object_set_string_member(o, "type", "unknown");
    json_object_set_boolean_member(o, "removable", false);
    json_object_set_boolean_member(o, "locked", false);
    if (blk->qdev) {
        json_object_set_string_member(o, "qdev", blk->qdev);
        json_object_set_string_member(o, "io-status",
                                      !blk->status ? "ok"
                                      : blk->status == ENOSPC ? "nospace"
                                                              : "failed");
    }
    if (info) {
        json_object_set_object_member(o, "inserted", info);
    }
    json_array_add_object_element(q->list, o);
}

static JsonNode *qmp_query_block(JsonObject *args, Error **errp)
{
    Query q;

    query_begin(&q, block_served_list);
    blk_foreach(append_backend, &q);
    return query_end(&q);
}

/* --- figures --- */

static void add_figures(JsonObject *o, const char *prefix,
                        const BlockFigures *f, bool moves_bytes)
{
    const struct { const char *format; uint64_t value; } members[] = {
        { "%s_operations", f->operations },
        { "%s_total_time_ns", f->time_ns },
        { "%s_merged", 0 },
        { "failed_%s_operations", f->failed },
        { "invalid_%s_operations", f->invalid },
        { "%s_bytes", f->bytes },
    };

    for (size_t i = 0; i < ARRAY_SIZE(members) - !moves_bytes; i++) {
        g_autofree char *name = g_strdup_printf(members[i].format, prefix);

        json_object_set_int_member(o, name, members[i].value);
    }
    if (!moves_bytes) {
        g_autofree char *merged = g_strdup_printf("%s_merged", prefix);

        json_object_remove_member(o, merged);
    }
}

/* Replaces the numbers of @stats by those of @theirs. */
static void take_numbers(JsonObject *stats, JsonObject *theirs)
{
    g_autoptr(GList) names = json_object_get_members(stats);

    for (GList *i = names; i; i = i->next) {
        JsonNode *node = json_object_get_member(theirs, i->data);

        if (node && JSON_NODE_HOLDS_VALUE(node) &&
            json_node_get_value_type(node) == G_TYPE_INT64) {
            json_object_set_member(stats, i->data, json_node_copy(node));
        }
    }
}

static JsonObject *own_figures(const BlockBackend *blk)
{
    const BlockFigures *f = blk->figures;
    JsonObject *stats = json_object_new();
    BlockFigures written = f[BLOCK_WRITE];

    /* Zeroes are written, too. */
    written.operations += f[BLOCK_WRITE_ZEROES].operations;
    written.bytes += f[BLOCK_WRITE_ZEROES].bytes;
    written.time_ns += f[BLOCK_WRITE_ZEROES].time_ns;
    written.failed += f[BLOCK_WRITE_ZEROES].failed;
    written.invalid += f[BLOCK_WRITE_ZEROES].invalid;
    add_figures(stats, "rd", &f[BLOCK_READ], true);
    add_figures(stats, "wr", &written, true);
    add_figures(stats, "unmap", &f[BLOCK_DISCARD], true);
    add_figures(stats, "flush", &f[BLOCK_FLUSH], false);
    json_object_set_int_member(stats, "wr_highest_offset",
                               blk->wr_highest_offset);
    json_object_set_boolean_member(stats, "account_invalid", true);
    json_object_set_boolean_member(stats, "account_failed", true);
    json_object_set_array_member(stats, "timed_stats", json_array_new());
    return stats;
}

/* The daemon's are of the node, where it counts little: where the highest write
 * ended, not what an export's requests were. */
static JsonObject *figures_of(const Query *q, const BlockNode *node,
                              const BlockBackend *blk)
{
    static const BlockBackend none;
    JsonObject *of_node = block_served_find(q->served, node);
    JsonNode *theirs = of_node ? json_object_get_member(of_node, "stats") : NULL;
    JsonObject *stats = own_figures(blk && !node->served ? blk : &none);

    if (node->served) {
        json_object_set_boolean_member(stats, "account_invalid", false);
        json_object_set_boolean_member(stats, "account_failed", false);
    }
    if (theirs && JSON_NODE_HOLDS_OBJECT(theirs)) {
        take_numbers(stats, json_node_get_object(theirs));
    }
    return stats;
}

static void append_stats(BlockBackend *blk, void *opaque)
{
    Query *q = opaque;
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "device", blk->name);
    json_object_set_string_member(o, "node-name", blk->node->name);
    if (blk->qdev) {
        json_object_set_string_member(o, "qdev", blk->qdev);
    }
    json_object_set_object_member(o, "stats", figures_of(q, blk->node, blk));
    json_array_add_object_element(q->list, o);
}

static void append_node_stats(BlockNode *node, void *opaque)
{
    Query *q = opaque;
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "node-name", node->name);
    json_object_set_object_member(o, "stats",
                                  figures_of(q, node, block_node_backend(node)));
    json_array_add_object_element(q->list, o);
}

static JsonNode *qmp_query_blockstats(JsonObject *args, Error **errp)
{
    bool nodes = json_object_get_boolean_member_with_default(
        args, "query-nodes", false);
    Query q;

    query_begin(&q, block_served_figures);
    if (nodes) {
        block_node_foreach(append_node_stats, &q);
    } else {
        blk_foreach(append_stats, &q);
    }
    return query_end(&q);
}

/* --- the schema --- */

#define FIGURES(of)                                                          \
    of "_operations:int," of "_bytes:int," of "_total_time_ns:int,"          \
    of "_merged:int,failed_" of "_operations:int,"                           \
    "invalid_" of "_operations:int"

static const QmpType block_types[] = {
    { .name = "BlockDeviceIoStatus", .values = "ok,failed,nospace",
      .help = "Whether an error of a disk has stopped the VM." },
    { .name = "BlockdevCacheInfo",
      .members = "writeback:bool,direct:bool,no-flush:bool",
      .help = "How a node is cached.\n"
      "writeback: writes may stay in a cache until a flush\n"
      "direct: the host's page cache is not used\n"
      "no-flush: flushes do nothing" },
    { .name = "ImageInfo",
      .members = "filename:str,format:str,virtual-size:int,?actual-size:int,"
                 "?dirty-flag:bool,?cluster-size:int,?encrypted:bool,"
                 "?compressed:bool,?backing-filename:str,"
                 "?full-backing-filename:str,?backing-filename-format:str,"
                 "?format-specific:any",
      .help = "An image.\n"
      "filename: of the file or disk\n"
      "format: the node's driver\n"
      "virtual-size: bytes that the guest sees\n"
      "actual-size: bytes that the host has allocated\n"
      "dirty-flag: whether it was not closed properly; raw images have none\n"
      "cluster-size: bytes of what is allocated at once\n"
      "encrypted: whether it is\n"
      "compressed: whether it is\n"
      "backing-filename: of the image that it is based on\n"
      "full-backing-filename: the same, with its directory\n"
      "backing-filename-format: its driver\n"
      "format-specific: what only its driver has, as qemu-storage-daemon says "
      "it" },
    { .name = "BlockDeviceInfo",
      .members = "node-name:str,file:str,drv:str,ro:bool,encrypted:bool,"
                 "detect_zeroes:str,bps:int,bps_rd:int,bps_wr:int,iops:int,"
                 "iops_rd:int,iops_wr:int,write_threshold:int,"
                 "backing_file_depth:int,?backing_file:str,"
                 "cache:BlockdevCacheInfo,image:ImageInfo",
      .help = "A block node.\n"
      "node-name: its name\n"
      "file: of the file or disk\n"
      "drv: its driver\n"
      "ro: whether it is only read\n"
      "encrypted: whether it is\n"
      "detect_zeroes: off, on or unmap\n"
      "bps: 0, nothing is throttled; as the five that follow\n"
      "bps_rd: 0\nbps_wr: 0\niops: 0\niops_rd: 0\niops_wr: 0\n"
      "write_threshold: 0, there is none\n"
      "backing_file_depth: how many images it is based on\n"
      "backing_file: the first of them\n"
      "cache: how it is cached\n"
      "image: what is behind it" },
    { .name = "BlockInfo",
      .members = "device:str,type:str,removable:bool,locked:bool,?qdev:str,"
                 "?io-status:BlockDeviceIoStatus,?inserted:BlockDeviceInfo",
      .help = "A disk, or a drive that no device has yet.\n"
      "device: the drive's id; empty if it is of -blockdev\n"
      "type: unknown\n"
      "removable: false\n"
      "locked: false\n"
      "qdev: path of the device\n"
      "io-status: whether an error has stopped the VM\n"
      "inserted: its node" },
    { .name = "BlockDeviceStats",
      .members = FIGURES("rd") "," FIGURES("wr") "," FIGURES("unmap") ","
                 "flush_operations:int,flush_total_time_ns:int,"
                 "failed_flush_operations:int,invalid_flush_operations:int,"
                 "wr_highest_offset:int,account_invalid:bool,"
                 "account_failed:bool,timed_stats:[any]",
      .help = "What a disk has done since its device came.\n"
      "rd_operations: reads that worked\n"
      "rd_bytes: of them\n"
      "rd_total_time_ns: that they took\n"
      "rd_merged: 0, requests are not merged\n"
      "failed_rd_operations: that the host could not do\n"
      "invalid_rd_operations: that the guest should not have asked for\n"
      "wr_operations: the same of writes, and of zeroes that are written\n"
      "wr_bytes: of them\nwr_total_time_ns: that they took\nwr_merged: 0\n"
      "failed_wr_operations: not done\ninvalid_wr_operations: not possible\n"
      "unmap_operations: the same of discards\n"
      "unmap_bytes: of them\nunmap_total_time_ns: that they took\n"
      "unmap_merged: 0\nfailed_unmap_operations: not done\n"
      "invalid_unmap_operations: not possible\n"
      "flush_operations: the same of flushes\n"
      "flush_total_time_ns: that they took\n"
      "failed_flush_operations: not done\n"
      "invalid_flush_operations: not possible\n"
      "wr_highest_offset: where the highest write ended, bytes\n"
      "account_invalid: whether what is invalid is counted\n"
      "account_failed: whether what fails is counted\n"
      "timed_stats: empty: there are none" },
    { .name = "BlockStats",
      .members = "?device:str,node-name:str,?qdev:str,stats:BlockDeviceStats",
      .help = "Statistics of a disk, or of a node.\n"
      "device: the drive's id; empty if it is of -blockdev; of a node there is "
      "none\n"
      "node-name: its node\n"
      "qdev: path of the device\n"
      "stats: the figures" },
};

static const QmpCommand block_commands[] = {
    { .name = "blockdev-add", .args = "BlockdevOptions", .fn = qmp_blockdev_add,
      .help = "Makes a block node, as -blockdev does.\n"
      "Errors: one that says why the image cannot be opened, such as that "
      "another process uses it; nothing is open then" },
    { .name = "blockdev-del", .args = "node-name:str", .fn = qmp_blockdev_del,
      .help = "Closes a block node.\n"
      "node-name: its name\n"
      "Errors: there is none of the name, or something uses it" },
    { .name = "block_resize", .args = "?device:str,?node-name:str,size:int",
      .fn = qmp_block_resize,
      .help = "Gives an image another size, and tells the guest. Of a disk of "
      "the host, its size is looked at again.\n"
      "device: id of a drive\n"
      "node-name: or name of a node\n"
      "size: bytes\n"
      "Errors: the host cannot do it" },
    { .name = "query-block", .returns = "[BlockInfo]", .fn = qmp_query_block,
      .help = "Lists the disks." },
    { .name = "query-named-block-nodes", .args = "?flat:bool",
      .returns = "[BlockDeviceInfo]", .fn = qmp_query_named_block_nodes,
      .help = "Lists the block nodes.\n"
      "flat: without what is below them; changes nothing" },
    { .name = "query-blockstats", .args = "?query-nodes:bool",
      .returns = "[BlockStats]", .fn = qmp_query_blockstats,
      .help = "Statistics of the disks. Of one that qemu-storage-daemon serves "
      "there is wr_highest_offset only; the others are 0.\n"
      "query-nodes: of the nodes instead: of one of this process, the figures of "
      "the disk that uses it" },
};

/* --- for people --- */

/* What is said to a person, and what the daemon has said beforehand. */
typedef struct Description {
    JsonArray *served;
    GString *out;
} Description;

static void describe_served(const BlockBackend *blk, JsonArray *served,
                            GString *out)
{
    const BlockNode *node = blk->node;
    g_autoptr(JsonObject) info = block_served_info(served, node);

    g_string_append_printf(out, "%s%s%s: %s (%s%s)\n", blk->name,
                           *blk->name ? " " : "", node->name,
                           info ? json_object_get_string_member_with_default(
                                      info, "file", "") : "",
                           node->driver, node->read_only ? ", read-only" : "");
    g_string_append_printf(out, "    Served by:        qemu-storage-daemon%s\n",
                           info ? "" : ", which has gone");
    g_string_append_printf(out, "    Attached to:      %s\n",
                           blk->qdev ?: "nothing");
}

static void describe_own(const BlockBackend *blk, GString *out)
{
    const BlockNode *node = blk->node;
    const BlockImage *image = block_node_image(node);

    g_string_append_printf(out, "%s%s%s: %s (%s%s)\n", blk->name,
                           *blk->name ? " " : "", node->name, image->filename,
                           node->driver, node->read_only ? ", read-only" : "");
    g_string_append_printf(out, "    Size:             %" PRIu64 " bytes, %"
                           PRIu64 " allocated\n",
                           ROUND_UP(image->size, BLOCK_SECTOR),
                           block_image_allocated(image));
    g_string_append_printf(out, "    Attached to:      %s\n",
                           blk->qdev ?: "nothing");
    g_string_append_printf(out, "    Cache mode:       %s%s%s, %s\n",
                           blk->write_cache ? "writeback" : "writethrough",
                           image->direct ? ", direct" : "",
                           node->no_flush ? ", ignore flushes" : "",
                           image->engine->name);
}

static void describe(BlockBackend *blk, void *opaque)
{
    const Description *d = opaque;

    if (blk_is_served(blk)) {
        describe_served(blk, d->served, d->out);
    } else {
        describe_own(blk, d->out);
    }
}

static void hmp_info_block(GString *out, const char *args, Error **errp)
{
    Description d = { ask_if_served(block_served_list), out };

    blk_foreach(describe, &d);
    g_clear_pointer(&d.served, json_array_unref);
}

static const HmpCommand block_hmp_info[] = {
    { "block", "", "show the disks: images, sizes, caches", hmp_info_block },
};

static void block_qmp_register(void)
{
    qmp_register_types(block_types, ARRAY_SIZE(block_types));
    qmp_register_commands(block_commands, ARRAY_SIZE(block_commands));
    hmp_register_info(block_hmp_info, ARRAY_SIZE(block_hmp_info));
}
type_init(block_qmp_register)
