/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-ram-discard: each RAM region that has a manager, what of it is
 * populated, who listens and what those hold, and why a populate was refused
 * last. Only looks. A reply is bounded, however fragmented a region is: runs
 * are told in pages.
 */
#include "qemu/osdep.h"

#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "monitor/qmp.h"
#include "monitor/ram-discard.h"

/* Runs in one reply, over all regions. */
#define RUNS_DEFAULT 256
#define RUNS_MAX 65536

/* What is asked for, and what is left of it. */
typedef struct Query {
    const char *region;                   /* NULL: all */
    uint64_t offset;                      /* where runs begin */
    uint64_t limit;                       /* runs that may still be told */
} Query;

/* --- times --------------------------------------------------------------- */

/* Those that there are, shortest first. */
static JsonArray *times_info(const RamDiscardTimes *times)
{
    JsonArray *array = json_array_new();

    for (unsigned n = 0; n < RAM_DISCARD_TIMES; n++) {
        JsonObject *info;

        if (!times->counts[n]) {
            continue;
        }
        info = json_object_new();
        if (n < RAM_DISCARD_TIMES - 1) {
            json_object_set_int_member(info, "below", 1LL << n);
        }
        json_object_set_int_member(info, "count", (gint64)times->counts[n]);
        json_array_add_object_element(array, info);
    }
    return array;
}

/* --- one region ---------------------------------------------------------- */

static JsonObject *manager_info(const RamDiscardBlocks *b)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(b->rdm));
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "type",
                                  object_get_typename(OBJECT(b->rdm)));
    if (path) {
        json_object_set_string_member(info, "path", path);
    }
    json_object_set_int_member(info, "granularity", (gint64)b->granularity);
    json_object_set_int_member(info, "populated", (gint64)b->populated);
    json_object_set_array_member(info, "plug-times",
                                 times_info(&b->plug_times));
    return info;
}

/* Usually one; of several, each with what it says is populated. */
static JsonArray *managers_info(const RamDiscardState *s)
{
    JsonArray *array = json_array_new();
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &s->managers, next) {
        json_array_add_object_element(array, manager_info(b));
    }
    return array;
}

static JsonArray *devices_info(const char *const *devices)
{
    JsonArray *array = json_array_new();

    for (; *devices; devices++) {
        json_array_add_string_element(array, *devices);
    }
    return array;
}

static JsonObject *listener_info(const RamDiscardListener *rdl)
{
    JsonObject *object = json_object_new();
    RamDiscardListenerInfo info = { 0 };

    json_object_set_string_member(object, "kind",
                                  rdl->kind ? rdl->kind : "unnamed");
    if (rdl->get_info) {
        rdl->get_info(rdl, &info);
        if (info.devices) {
            json_object_set_array_member(object, "devices",
                                         devices_info(info.devices));
        }
        json_object_set_int_member(object, "mapped", (gint64)info.mapped);
        json_object_set_int_member(object, "mappings", (gint64)info.mappings);
        if (info.mappings_budget) {
            json_object_set_int_member(object, "mappings-budget",
                                       (gint64)info.mappings_budget);
        }
        if (info.surplus) {
            json_object_set_int_member(object, "surplus",
                                       (gint64)info.surplus);
        }
        if (info.map_times) {
            json_object_set_array_member(object, "map-times",
                                         times_info(info.map_times));
            json_object_set_array_member(object, "unmap-times",
                                         times_info(info.unmap_times));
        }
    }
    return object;
}

static JsonArray *listeners_info(const RamDiscardState *s)
{
    JsonArray *array = json_array_new();
    const RamDiscardListener *rdl;

    QTAILQ_FOREACH(rdl, &s->listeners, next) {
        json_array_add_object_element(array, listener_info(rdl));
    }
    return array;
}

static void add_run(JsonArray *runs, uint64_t offset, uint64_t length)
{
    JsonObject *run = json_object_new();

    json_object_set_int_member(run, "offset", (gint64)offset);
    json_object_set_int_member(run, "length", (gint64)length);
    json_array_add_object_element(runs, run);
}

/* "runs" and, if there are more than may be told, "next". */
static void add_runs(JsonObject *info, const RamDiscardState *s, Query *query)
{
    uint64_t offset = QEMU_ALIGN_UP(query->offset, s->granularity), length;
    JsonArray *runs = json_array_new();

    while (ram_discard_state_next_run(s, &offset, &length)) {
        if (!query->limit) {
            json_object_set_int_member(info, "next", (gint64)offset);
            break;
        }
        query->limit--;
        add_run(runs, offset, length);
        offset += length;
    }
    json_object_set_array_member(info, "runs", runs);
}

static JsonObject *region_info(MemoryRegion *mr, Query *query)
{
    const RamDiscardState *s = memory_region_ram_discard_state(mr);
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "region", memory_region_name(mr));
    json_object_set_array_member(info, "managers", managers_info(s));
    json_object_set_int_member(info, "granularity", (gint64)s->granularity);
    json_object_set_int_member(info, "size", (gint64)memory_region_size(mr));
    json_object_set_int_member(info, "populated",
                               (gint64)ram_discard_state_populated(s));
    add_runs(info, s, query);
    json_object_set_array_member(info, "listeners", listeners_info(s));
    if (s->refusal.count) {
        json_object_set_object_member(info, "last-refusal",
                                      ram_discard_refusal_info(&s->refusal));
    }
    return info;
}

/* --- the query ----------------------------------------------------------- */

static int append_managed(RAMBlock *rb, void *opaque)
{
    if (memory_region_has_ram_discard_mgr(rb->mr)) {
        g_ptr_array_insert(opaque, 0, rb->mr);
    }
    return 0;
}

/* Managed regions (borrowed), in the order in which they were made. */
static GPtrArray *managed_regions(void)
{
    GPtrArray *regions = g_ptr_array_new();

    qemu_ram_foreach_block(append_managed, regions);
    return regions;
}

static MemoryRegion *find_managed(const GPtrArray *regions, const char *name,
                                  Error **errp)
{
    for (guint i = 0; i < regions->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(regions, i);

        if (!strcmp(memory_region_name(mr), name)) {
            return mr;
        }
    }
    error_setg(errp, "Region '%s' does not exist or has no manager", name);
    return NULL;
}

/* An argument from 0 to @max; false: *errp. */
static bool take_number(JsonObject *args, const char *name, uint64_t max,
                        uint64_t *value, Error **errp)
{
    gint64 number;

    if (!json_object_has_member(args, name)) {
        return true;
    }
    number = json_object_get_int_member(args, name);
    if (number < 0 || (uint64_t)number > max) {
        error_setg(errp, "Parameter '%s' expects a number from 0 to %" PRIu64,
                   name, max);
        return false;
    }
    *value = number;
    return true;
}

/* Checks @args and leaves in @regions what is asked for. */
static bool parse_query(Query *query, JsonObject *args, GPtrArray *regions,
                        Error **errp)
{
    MemoryRegion *mr;

    *query = (Query) {
        .region = json_object_get_string_member_with_default(args, "region",
                                                             NULL),
        .limit = RUNS_DEFAULT,
    };
    if (!take_number(args, "limit", RUNS_MAX, &query->limit, errp)) {
        return false;
    }
    if (!query->region) {
        if (json_object_has_member(args, "offset")) {
            error_setg(errp, "Parameter 'offset' needs 'region'");
            return false;
        }
        return true;
    }
    mr = find_managed(regions, query->region, errp);
    if (!mr || !take_number(args, "offset", memory_region_size(mr),
                            &query->offset, errp)) {
        return false;
    }
    g_ptr_array_set_size(regions, 0);
    g_ptr_array_add(regions, mr);
    return true;
}

static JsonNode *qmp_query_ram_discard(JsonObject *args, Error **errp)
{
    g_autoptr(GPtrArray) regions = managed_regions();
    JsonArray *array;
    Query query;

    if (!parse_query(&query, args, regions, errp)) {
        return NULL;
    }
    array = json_array_new();
    for (guint i = 0; i < regions->len; i++) {
        json_array_add_object_element(
            array, region_info(g_ptr_array_index(regions, i), &query));
    }
    return json_array_node(array);
}

static const QmpType qmp_ram_discard_types[] = {
    { .name = "RamDiscardRefusal",
      .members = "reason:str,kind:str,offset:int,size:int,?needed:int,"
                 "?used:int,?limit:int,count:int,standing:bool,seconds-ago:int",
      .help = "Why a plug was refused last.\n"
      "reason: for people\n"
      "kind: who refused: vfio, vhost-user, mem-lock, prealloc, protect, backend\n"
      "offset: in bytes, of what was to be plugged, into the region\n"
      "size: of it, in bytes\n"
      "needed: bytes for which a limit, if it was one, is too small\n"
      "used: bytes of it that are in use\n"
      "limit: in bytes\n"
      "count: how many were refused\n"
      "standing: whether nothing has been plugged since\n"
      "seconds-ago: when it was" },
    { .name = "RamDiscardTime", .members = "?below:int,count:int",
      .help = "How often something took how long.\n"
      "below: less than so many microseconds, and not less than half of that; "
      "left out: longer than all others\n"
      "count: how often" },
    { .name = "RamDiscardManagerInfo",
      .members = "type:str,?path:str,granularity:int,populated:int,"
                 "plug-times:[RamDiscardTime]",
      .help = "Who says what of a region is populated.\n"
      "type: of the object\n"
      "path: of the object\n"
      "granularity: bytes that are populated together\n"
      "populated: bytes that are, as far as this one is concerned\n"
      "plug-times: how long the guest's plug requests took, refused ones "
      "included, in which a consumer, or the host, had a part" },
    { .name = "RamDiscardRun", .members = "offset:int,length:int",
      .help = "A populated run.\n"
      "offset: in bytes, into the region\n"
      "length: in bytes" },
    { .name = "RamDiscardListenerInfo",
      .members = "kind:str,?devices:[str],?mapped:int,?mappings:int,"
                 "?mappings-budget:int,?surplus:int,?map-times:[RamDiscardTime],"
                 "?unmap-times:[RamDiscardTime]",
      .help = "Who follows what is populated.\n"
      "kind: vfio, vhost-user, mem-lock ...\n"
      "devices: the ids of those for which it does; left out if for none\n"
      "mapped: bytes that it has mapped\n"
      "mappings: how many mappings these are\n"
      "mappings-budget: how many there may be\n"
      "surplus: bytes that it has mapped beside those, although they are discarded, "
      "as there may be no more mappings\n"
      "map-times: how long DMA mappings of the region took\n"
      "unmap-times: how long it took to take them away" },
    { .name = "RamDiscardInfo",
      .members = "region:str,managers:[RamDiscardManagerInfo],"
                 "granularity:int,size:int,populated:int,"
                 "runs:[RamDiscardRun],?next:int,"
                 "listeners:[RamDiscardListenerInfo],"
                 "?last-refusal:RamDiscardRefusal",
      .help = "A RAM region that has a manager.\n"
      "region: its name\n"
      "managers: usually one\n"
      "granularity: bytes that are populated together\n"
      "size: of the region, in bytes\n"
      "populated: bytes that are\n"
      "runs: what is populated, or the first part of it\n"
      "next: the offset to go on with, if there are more\n"
      "listeners: who follows\n"
      "last-refusal: left out if there was none" },
};

static const QmpCommand qmp_ram_discard_commands[] = {
    { .name = "query-ram-discard", .args = "?region:str,?offset:int,?limit:int",
      .returns = "[RamDiscardInfo]", .fn = qmp_query_ram_discard,
      .help =
      "Lists the RAM regions that have a manager, what is populated of them, "
      "in runs, and who follows.\n"
      "region: only the one of this name\n"
      "offset: where in the region runs begin; needs region\n"
      "limit: how many runs to tell at most, of all regions (default: 256)" },
};

static void qmp_ram_discard_register(void)
{
    qmp_register_types(qmp_ram_discard_types,
                       ARRAY_SIZE(qmp_ram_discard_types));
    qmp_register_commands(qmp_ram_discard_commands,
                          ARRAY_SIZE(qmp_ram_discard_commands));
}
type_init(qmp_ram_discard_register)
