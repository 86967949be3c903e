/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory budget of a VM (memory-budget.h): the sums, QMP's and HMP's
 * commands, and the text. What a consumer needs it tells itself.
 */
#include "qemu/osdep.h"

#include <sys/resource.h>

#include "exec/address-spaces.h"
#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "hw/boards.h"
#include "memory-budget.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "sysemu/hostmem.h"

static void add_size(JsonObject *info, const char *name, uint64_t size)
{
    json_object_set_int_member(info, name, (gint64)size);
}

/* --- what there is --- */

typedef struct Memory {
    uint64_t plugged;
    uint64_t pluggable;
} Memory;

static int add_managed(RAMBlock *rb, void *opaque)
{
    Memory *memory = opaque;

    if (memory_region_has_ram_discard_mgr(rb->mr)) {
        memory->plugged += ram_discard_state_populated(
            memory_region_ram_discard_state(rb->mr));
        memory->pluggable += memory_region_size(rb->mr);
    }
    return 0;
}

static int add_huge_pages(Object *obj, void *opaque)
{
    HostMemoryBackend *backend = (HostMemoryBackend *)object_dynamic_cast(
        obj, TYPE_MEMORY_BACKEND);
    JsonObject *info;
    size_t page;

    if (!backend || !host_memory_backend_mr_inited(backend)) {
        return 0;
    }
    page = host_memory_backend_pagesize(backend);
    if (page > qemu_real_host_page_size()) {
        info = json_object_new();
        json_object_set_string_member(
            info, "memdev", object_get_canonical_path_component(obj));
        add_size(info, "page-size", page);
        add_size(info, "pages-max",
                 memory_region_size(host_memory_backend_get_memory(backend)) /
                 page);
        json_array_add_object_element(opaque, info);
    }
    return 0;
}

static JsonArray *huge_pages(void)
{
    JsonArray *array = json_array_new();

    object_child_foreach(object_get_objects_root(), add_huge_pages, array);
    return array;
}

/* --- descriptors --- */

/* -1: that cannot be found out now. */
static int64_t descriptors(void)
{
    GDir *dir = qemu_may_open(NULL) ? g_dir_open("/proc/self/fd", 0, NULL) : NULL;
    int64_t n = -1;                       /* the directory itself is one */

    if (!dir) {
        return -1;
    }
    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static void add_descriptors(JsonObject *info)
{
    int64_t n = descriptors();
    struct rlimit limit;

    if (n >= 0) {
        add_size(info, "descriptors", n);
    }
    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur != RLIM_INFINITY) {
        add_size(info, "descriptors-limit", limit.rlim_cur);
    }
}

/* --- who needs it --- */

typedef struct Sums {
    JsonArray *consumers;
    uint64_t locked;
    uint64_t locked_max;
    uint64_t lock_limit;
    uint64_t lock_used;
} Sums;

static void add_consumer(const MemoryNeeds *needs, void *opaque)
{
    JsonObject *info = json_object_new();
    Sums *sums = opaque;

    json_object_set_string_member(info, "kind", needs->kind);
    add_size(info, "locked", needs->locked);
    add_size(info, "locked-max", needs->locked_max);
    add_size(info, "mappings", needs->mappings);
    add_size(info, "mappings-max", needs->mappings_max);
    if (needs->mappings_limit) {
        add_size(info, "mappings-limit", needs->mappings_limit);
    }
    if (needs->counted) {
        add_size(info, "mappings-left", needs->mappings_left);
    }
    if (needs->bar_mappings) {
        add_size(info, "bar-mappings", needs->bar_mappings);
    }
    if (needs->slots_max) {
        add_size(info, "slots", needs->slots);
        add_size(info, "slots-max", needs->slots_max);
    }
    if (needs->slots_limit) {
        add_size(info, "slots-limit", needs->slots_limit);
    }
    json_array_add_object_element(sums->consumers, info);
    sums->locked += needs->locked;
    sums->locked_max += needs->locked_max;
    sums->lock_limit = MAX(sums->lock_limit, needs->lock_limit);
    sums->lock_used = MAX(sums->lock_used, needs->lock_used);
}

JsonObject *memory_budget_info(const GArray *needs)
{
    JsonObject *info = json_object_new();
    Sums sums = { .consumers = json_array_new() };
    Memory memory = { 0 };

    qemu_ram_foreach_block(add_managed, &memory);
    if (needs) {
        for (guint i = 0; i < needs->len; i++) {
            add_consumer(&g_array_index(needs, MemoryNeeds, i), &sums);
        }
    } else {
        memory_needs_foreach(add_consumer, &sums);
        add_descriptors(info);
    }
    add_size(info, "boot", current_machine ? current_machine->ram_size : 0);
    add_size(info, "plugged", memory.plugged);
    add_size(info, "pluggable", memory.pluggable);
    add_size(info, "locked", sums.locked);
    add_size(info, "locked-max", sums.locked_max);
    if (sums.lock_limit) {
        add_size(info, "memlock-limit", sums.lock_limit);
        add_size(info, "memlock-left", sums.lock_limit > sums.lock_used
                                       ? sums.lock_limit - sums.lock_used : 0);
    }
    json_object_set_array_member(info, "consumers", sums.consumers);
    json_object_set_array_member(info, "huge-pages", huge_pages());
    return info;
}

/* --- as text --- */

static uint64_t get(JsonObject *info, const char *name)
{
    return (uint64_t)json_object_get_int_member(info, name);
}

static void append_size(GString *out, const char *words, uint64_t size)
{
    g_autofree char *text = size_to_str(size);

    g_string_append_printf(out, "%s%" PRIu64 " (%s)\n", words, size, text);
}

static void append_slots(GString *out, JsonObject *info)
{
    if (json_object_has_member(info, "slots-max")) {
        g_string_append_printf(
            out, "  memory slots of the back end, one for each piece of boot RAM "
            "and each run of plugged blocks: %" PRIu64 "\n  and with every second "
            "block plugged, the worst case: %" PRIu64,
            get(info, "slots"), get(info, "slots-max"));
        if (json_object_has_member(info, "slots-limit")) {
            g_string_append_printf(out, ", joined to %" PRIu64,
                                   get(info, "slots-limit"));
        }
        g_string_append_c(out, '\n');
    }
}

static void append_consumer(JsonArray *array, guint index, JsonNode *node,
                            gpointer opaque)
{
    JsonObject *info = json_node_get_object(node);
    GString *out = opaque;

    g_string_append_printf(out, "%s:\n",
                           json_object_get_string_member(info, "kind"));
    if (get(info, "locked-max")) {
        append_size(out, "  locks boot RAM and what is plugged: ",
                    get(info, "locked"));
        append_size(out, "  and with all memory plugged: ",
                    get(info, "locked-max"));
    }
    if (get(info, "mappings-max")) {
        g_string_append_printf(
            out, "  DMA mappings, one for each piece of boot RAM and each "
            "block: %" PRIu64 "\n  and with all memory plugged: %" PRIu64,
            get(info, "mappings"), get(info, "mappings-max"));
        if (json_object_has_member(info, "mappings-limit")) {
            g_string_append_printf(out, " of %" PRIu64,
                                   get(info, "mappings-limit"));
        }
        g_string_append_c(out, '\n');
    }
    if (json_object_has_member(info, "bar-mappings")) {
        g_string_append_printf(out, "  mappings for BARs that the guest turns on: "
                               "%" PRIu64 "\n", get(info, "bar-mappings"));
    }
    append_slots(out, info);
    if (json_object_has_member(info, "mappings-left")) {
        g_string_append_printf(out, "  mappings left, as the kernel counts: %"
                               PRIu64 "\n", get(info, "mappings-left"));
    }
}

static void append_huge_pages(JsonArray *array, guint index, JsonNode *node,
                              gpointer opaque)
{
    JsonObject *info = json_node_get_object(node);
    g_autofree char *page = size_to_str(get(info, "page-size"));

    g_string_append_printf(opaque, "huge pages of %s for '%s': %" PRIu64
                           " at most\n", page,
                           json_object_get_string_member(info, "memdev"),
                           get(info, "pages-max"));
}

char *memory_budget_text(JsonObject *info)
{
    GString *out = g_string_new(NULL);

    append_size(out, "boot RAM: ", get(info, "boot"));
    append_size(out, "plugged: ", get(info, "plugged"));
    append_size(out, "can be plugged: ", get(info, "pluggable"));
    json_array_foreach_element(json_object_get_array_member(info, "consumers"),
                               append_consumer, out);
    json_array_foreach_element(json_object_get_array_member(info, "huge-pages"),
                               append_huge_pages, out);
    append_size(out, "locked memory now: ", get(info, "locked"));
    append_size(out, "RLIMIT_MEMLOCK that allows all to be plugged: ",
                get(info, "locked-max"));
    if (json_object_has_member(info, "memlock-limit")) {
        append_size(out, "RLIMIT_MEMLOCK is ", get(info, "memlock-limit"));
        append_size(out, "left of it: ", get(info, "memlock-left"));
    }
    if (json_object_has_member(info, "descriptors")) {
        g_string_append_printf(out, "descriptors that are open: %" PRIu64 "\n",
                               get(info, "descriptors"));
    }
    if (json_object_has_member(info, "descriptors-limit")) {
        g_string_append_printf(out, "RLIMIT_NOFILE is %" PRIu64 "\n",
                               get(info, "descriptors-limit"));
    }
    return g_string_free(out, FALSE);
}

/* --- commands --- */

static JsonNode *qmp_query_memory_budget(JsonObject *args, Error **errp)
{
    return json_object_node(memory_budget_info(NULL));
}

static const QmpType memory_budget_types[] = {
    { .name = "MemoryBudgetConsumer",
      .members = "kind:str,locked:int,locked-max:int,mappings:int,"
                 "mappings-max:int,?mappings-limit:int,?mappings-left:int,"
                 "?bar-mappings:int,?slots:int,?slots-max:int,?slots-limit:int",
      .help = "Who locks guest memory, or maps it for devices.\n"
      "kind: type1 (a container of the kernel's), vfio-user, vhost-user, "
      "vhost (the kernel's), mem-lock\n"
      "locked: bytes\n"
      "locked-max: bytes, once all memory is plugged\n"
      "mappings: DMA mappings\n"
      "mappings-max: the same, once all memory is plugged\n"
      "mappings-limit: how many there may be, if that is known\n"
      "mappings-left: how many more the kernel allows, as it counts\n"
      "bar-mappings: of mappings, those of devices' BARs; of a forecast: how many "
      "there can be besides, once the guest has turned the BARs on\n"
      "slots: regions of memory that a vhost back end is given\n"
      "slots-max: the same, if every second block were plugged\n"
      "slots-limit: how many the back end takes; what is side by side, or has a "
      "small hole between, is given as one then" },
    { .name = "MemoryBudgetHugePages",
      .members = "memdev:str,page-size:int,pages-max:int",
      .help = "A memory backend of huge pages.\n"
      "memdev: its id\n"
      "page-size: in bytes\n"
      "pages-max: how many it can take" },
    { .name = "MemoryBudget",
      .members = "boot:int,plugged:int,pluggable:int,locked:int,locked-max:int,"
                 "?memlock-limit:int,?memlock-left:int,"
                 "?descriptors:int,?descriptors-limit:int,"
                 "consumers:[MemoryBudgetConsumer],"
                 "huge-pages:[MemoryBudgetHugePages]",
      .help = "What a VM needs; all sizes are in bytes.\n"
      "boot: boot RAM\n"
      "plugged: of managed regions\n"
      "pluggable: what these can have plugged\n"
      "locked: by all consumers; a page that several lock counts for each\n"
      "locked-max: the same, once all memory is plugged: what RLIMIT_MEMLOCK "
      "must be, unless the process has CAP_IPC_LOCK\n"
      "memlock-limit: RLIMIT_MEMLOCK, if it limits what devices lock\n"
      "memlock-left: of it, as the kernel counts\n"
      "descriptors: that are open, of a VM that runs, unless the sandbox keeps them "
      "from being counted\n"
      "descriptors-limit: RLIMIT_NOFILE\n"
      "consumers: who they are\n"
      "huge-pages: backends that have some" },
};

static const QmpCommand memory_budget_commands[] = {
    { .name = "query-memory-budget", .returns = "MemoryBudget",
      .fn = qmp_query_memory_budget,
      .help = "Tells how much memory is locked and how many DMA mappings "
      "there are, how much it can become, and what is left." },
};

static void hmp_info_memory_budget(GString *out, const char *args,
                                   Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp("query-memory-budget", NULL, errp);
    g_autofree char *text =
        node ? memory_budget_text(json_node_get_object(node)) : NULL;

    g_string_append(out, text ?: "");
}

static const HmpCommand memory_budget_info_commands[] = {
    { .name = "memory-budget", .params = "",
      .help = "show what may be locked and mapped, and what is left",
      .fn = hmp_info_memory_budget },
};

static void memory_budget_register(void)
{
    qmp_register_types(memory_budget_types, ARRAY_SIZE(memory_budget_types));
    qmp_register_commands(memory_budget_commands,
                          ARRAY_SIZE(memory_budget_commands));
    hmp_register_info(memory_budget_info_commands,
                      ARRAY_SIZE(memory_budget_info_commands));
}
type_init(memory_budget_register)
