/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "info" on guest memory: the region graph, RAM blocks, memory devices, and
 * what is populated of managed RAM. Fields and their order are QEMU's where it
 * has the command, because scripts read them. What QMP can tell is asked for by
 * QMP's command, so that both say the same.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "monitor/hmp.h"
#include "qemu/cutils.h"
#include "qemu/units.h"

/* Runs of one region that "info ram-discard" lists. */
#define RUNS_SHOWN 32

static bool take_flag(const char *args, const char *flag, const char *command,
                      Error **errp)
{
    if (*args && strcmp(args, flag)) {
        error_setg(errp, "info %s: unknown argument '%s', expected %s or "
                   "nothing", command, args, flag);
    }
    return !strcmp(args, flag);
}

/* --- mtree and ramblock -------------------------------------------------- */

static void hmp_info_mtree(GString *out, const char *args, Error **errp)
{
    bool flatview = take_flag(args, "-f", "mtree", errp);

    if (flatview || !*args) {
        mtree_info(out, flatview);
    }
}

static int append_block(RAMBlock *rb, void *opaque)
{
    GString *out = opaque;
    size_t page = qemu_ram_pagesize(rb);
    g_autofree char *psize = page < MiB
                             ? g_strdup_printf("%zu KiB", page / KiB)
                             : g_strdup_printf("%zu MiB", page / MiB);

    /* Blocks do not share a space of offsets here: theirs is in the file. */
    g_string_append_printf(out, "%24s %8s  0x%016" PRIx64 " 0x%016" PRIx64
                           " 0x%016" PRIx64 " 0x%016" PRIx64 "\n",
                           rb->idstr, psize, rb->fd_offset,
                           (uint64_t)rb->used_length,
                           (uint64_t)rb->used_length,
                           (uint64_t)(uintptr_t)rb->host);
    return 0;
}

static void hmp_info_ramblock(GString *out, const char *args, Error **errp)
{
    g_string_append_printf(out, "%24s %8s  %18s %18s %18s %18s\n",
                           "Block Name", "PSize", "Offset", "Used", "Total",
                           "HVA");
    qemu_ram_foreach_block(append_block, out);
}

/* --- ram-discard --------------------------------------------------------- */

/* "TYPE (PATH)", and separators if there are several. */
static void print_manager(JsonArray *array, guint index, JsonNode *node,
                          gpointer opaque)
{
    JsonObject *manager = json_node_get_object(node);
    GString *out = opaque;

    g_string_append_printf(out, "%s%s", index ? " and " : "",
                           json_object_get_string_member(manager, "type"));
    if (json_object_has_member(manager, "path")) {
        g_string_append_printf(out, " (%s)", json_object_get_string_member(
                                                 manager, "path"));
    }
}

static void print_managers(GString *out, JsonObject *region)
{
    g_string_append_printf(out, "Region \"%s\", managed by ",
                           json_object_get_string_member(region, "region"));
    json_array_foreach_element(
        json_object_get_array_member(region, "managers"), print_manager, out);
    g_string_append_c(out, '\n');
}

static void print_sizes(GString *out, JsonObject *region)
{
    static const char *const names[] = { "size", "granularity", "populated" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (json_object_has_member(region, names[i])) {
            gint64 value = json_object_get_int_member(region, names[i]);
            g_autofree char *text = size_to_str((uint64_t)value);

            g_string_append_printf(out, "  %s: %" PRIu64 " (%s)\n", names[i],
                                   (uint64_t)value, text);
        }
    }
}

static void print_run(JsonArray *array, guint index, JsonNode *node,
                      gpointer opaque)
{
    JsonObject *run = json_node_get_object(node);
    uint64_t offset = (uint64_t)json_object_get_int_member(run, "offset");
    uint64_t length = (uint64_t)json_object_get_int_member(run, "length");
    g_autofree char *text = size_to_str(length);

    g_string_append_printf(opaque, "    %016" PRIx64 "-%016" PRIx64 " (%s)\n",
                           offset, offset + (length - 1), text);
}

static void print_runs(GString *out, JsonObject *region)
{
    if (!json_object_has_member(region, "runs")) {
        return;
    }
    g_string_append(out, "  runs:\n");
    json_array_foreach_element(json_object_get_array_member(region, "runs"),
                               print_run, out);
    if (json_object_has_member(region, "next")) {
        g_string_append_printf(
            out, "    ... from offset %016" PRIx64 " on: see QMP's "
            "query-ram-discard\n",
            (uint64_t)json_object_get_int_member(region, "next"));
    }
}

static void print_time(JsonArray *array, guint index, JsonNode *node,
                       gpointer opaque)
{
    JsonObject *info = json_node_get_object(node);
    GString *out = opaque;

    g_string_append_printf(out, "%s%" PRId64, index ? ", " : "",
                           json_object_get_int_member(info, "count"));
    if (json_object_has_member(info, "below")) {
        g_string_append_printf(out, " below %" PRId64 " us",
                               json_object_get_int_member(info, "below"));
    } else {
        g_string_append(out, " longer");
    }
}

/* "  what: 3 below 16 us, 1 below 128 us", if there are any. */
static void print_times(GString *out, const char *what, JsonObject *object,
                        const char *name)
{
    JsonArray *times = json_object_has_member(object, name)
                       ? json_object_get_array_member(object, name) : NULL;

    if (times && json_array_get_length(times)) {
        g_string_append_printf(out, "  %s: ", what);
        json_array_foreach_element(times, print_time, out);
        g_string_append_c(out, '\n');
    }
}

static void print_manager_times(JsonArray *array, guint index, JsonNode *node,
                                gpointer opaque)
{
    print_times(opaque, "plug requests", json_node_get_object(node),
                "plug-times");
}

static void print_id(JsonArray *array, guint index, JsonNode *node,
                     gpointer opaque)
{
    g_string_append_printf(opaque, "%s %s", index ? "," : " of",
                           json_node_get_string(node));
}

static void print_listener(JsonArray *array, guint index, JsonNode *node,
                           gpointer opaque)
{
    JsonObject *listener = json_node_get_object(node);
    GString *out = opaque;

    g_string_append_printf(out, "  listener \"%s\"",
                           json_object_get_string_member(listener, "kind"));
    if (json_object_has_member(listener, "devices")) {
        json_array_foreach_element(
            json_object_get_array_member(listener, "devices"), print_id,
            out);
    }
    if (json_object_has_member(listener, "mapped")) {
        gint64 mapped = json_object_get_int_member(listener, "mapped");
        g_autofree char *text = size_to_str((uint64_t)mapped);

        g_string_append_printf(
            out, ": %" PRIu64 " (%s) mapped, mappings: %" PRIu64,
            (uint64_t)mapped, text,
            (uint64_t)json_object_get_int_member(listener, "mappings"));
    }
    if (json_object_has_member(listener, "mappings-budget")) {
        g_string_append_printf(out, " of %" PRIu64,
                               (uint64_t)json_object_get_int_member(
                                   listener, "mappings-budget"));
    }
    g_string_append_c(out, '\n');
    print_times(out, "  maps", listener, "map-times");
    print_times(out, "  unmaps", listener, "unmap-times");
}

/* @refusal as query-ram-discard and query-memory-devices tell it. */
static void print_refusal(GString *out, JsonObject *refusal)
{
    bool standing = json_object_get_boolean_member(refusal, "standing");

    g_string_append_printf(
        out, "  last-refusal: \"%s\" said: %s\n"
        "    %" PRIu64 " s ago, at offset 0x%" PRIx64 "; %" PRIu64
        " so far; %s\n",
        json_object_get_string_member_with_default(refusal, "kind", "unnamed"),
        json_object_get_string_member(refusal, "reason"),
        (uint64_t)json_object_get_int_member(refusal, "seconds-ago"),
        (uint64_t)json_object_get_int_member(refusal, "offset"),
        (uint64_t)json_object_get_int_member(refusal, "count"),
        standing ? "nothing was populated since" : "populated more since");
}

static void print_managed_region(JsonArray *array, guint index, JsonNode *node,
                                 gpointer opaque)
{
    JsonObject *region = json_node_get_object(node);
    GString *out = opaque;

    print_managers(out, region);
    print_sizes(out, region);
    print_runs(out, region);
    json_array_foreach_element(
        json_object_get_array_member(region, "managers"), print_manager_times,
        out);
    if (json_object_has_member(region, "listeners")) {
        json_array_foreach_element(
            json_object_get_array_member(region, "listeners"), print_listener,
            out);
    }
    if (json_object_has_member(region, "last-refusal")) {
        print_refusal(out, json_object_get_object_member(region,
                                                         "last-refusal"));
    }
}

static void hmp_info_ram_discard(GString *out, const char *args, Error **errp)
{
    JsonObject *query = json_object_new();
    g_autoptr(JsonNode) regions = NULL;

    json_object_set_int_member(query, "limit", RUNS_SHOWN);
    if (*args) {
        json_object_set_string_member(query, "region", args);
    }
    regions = hmp_call_qmp("query-ram-discard", query, errp);
    if (!regions) {
        return;
    }
    if (!json_array_get_length(json_node_get_array(regions))) {
        g_string_append(out, "no RAM region has a manager\n");
    }
    json_array_foreach_element(json_node_get_array(regions),
                               print_managed_region, out);
}

/* --- memory-devices ------------------------------------------------------ */

static void print_device(JsonArray *array, guint index, JsonNode *node,
                         gpointer opaque)
{
    static const char *const numbers[] = {
        "node", "requested-size", "size", "max-size", "block-size",
    };
    JsonObject *info = json_node_get_object(node);
    JsonObject *data = json_object_get_object_member(info, "data");
    GString *out = opaque;

    g_string_append_printf(
        out, "Memory device [%s]: \"%s\"\n  memaddr: 0x%" PRIx64 "\n",
        json_object_get_string_member(info, "type"),
        json_object_get_string_member_with_default(data, "id", ""),
        (uint64_t)json_object_get_int_member(data, "memaddr"));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (json_object_has_member(data, numbers[i])) {
            g_string_append_printf(
                out, "  %s: %" PRIu64 "\n", numbers[i],
                (uint64_t)json_object_get_int_member(data, numbers[i]));
        }
    }
    if (json_object_has_member(data, "memdev")) {
        g_string_append_printf(out, "  memdev: %s\n",
                               json_object_get_string_member(data, "memdev"));
    }
    if (json_object_has_member(data, "last-refusal")) {
        print_refusal(out, json_object_get_object_member(data,
                                                         "last-refusal"));
    }
}

static void hmp_info_memory_devices(GString *out, const char *args,
                                    Error **errp)
{
    g_autoptr(JsonNode) devices = hmp_call_qmp("query-memory-devices", NULL,
                                               errp);

    if (devices) {
        json_array_foreach_element(json_node_get_array(devices), print_device,
                                   out);
    }
}

static const HmpCommand hmp_memory_info[] = {
    { .name = "mtree", .params = "[-f]",
      .help = "show the memory regions (-f: the flat views)",
      .fn = hmp_info_mtree },
    { .name = "ramblock", .params = "", .help = "show the blocks of RAM",
      .fn = hmp_info_ramblock },
    { .name = "memory-devices", .params = "", .help = "show the memory devices",
      .fn = hmp_info_memory_devices },
    { .name = "ram-discard", .params = "[region]",
      .help = "show what of managed RAM is populated, and "
              "who follows", .fn = hmp_info_ram_discard },
};

static void hmp_memory_register(void)
{
    hmp_register_info(hmp_memory_info, ARRAY_SIZE(hmp_memory_info));
}
type_init(hmp_memory_register)
