/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -numa hmat-lb and hmat-cache: how fast the nodes' memory is, and what caches
 * are before it (sysemu/numa.h). The guest's operating system may place memory
 * by it; nothing here makes anything faster or slower.
 */
#include "qemu/osdep.h"
#include "numa-internal.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/units.h"

static const char *const hierarchies[] = {
    "memory", "first-level", "second-level", "third-level", NULL
};
static const char *const data_types[] = {
    "access-latency", "read-latency", "write-latency",
    "access-bandwidth", "read-bandwidth", "write-bandwidth", NULL
};
static const char *const associativities[] = {
    "none", "direct", "complex", NULL
};
static const char *const policies[] = {
    "none", "write-back", "write-through", NULL
};

void numa_free_hmat(NumaState *numa)
{
    for (int i = 0; i < HMAT_HIERARCHIES; i++) {
        for (int j = 0; j < HMAT_DATA_TYPES; j++) {
            g_clear_pointer(&numa->hmat[i][j], g_array_unref);
        }
    }
    g_clear_pointer(&numa->hmat_caches, g_array_unref);
}

/* --- helpers --- */

static bool check_enabled(MachineState *ms, Error **errp)
{
    if (!ms->numa_state->hmat_enabled) {
        error_setg(errp, "ACPI Heterogeneous Memory Attribute Table (HMAT) is "
                   "disabled, enable it with -machine hmat=on");
    }
    return ms->numa_state->hmat_enabled;
}

/* The place of the word @name of @opts in @words; @fallback, unless it is NULL,
 * is its value where it is missing. -1: *errp. */
static int get_word(JsonObject *opts, const char *name,
                    const char *const *words, const char *fallback,
                    Error **errp)
{
    const char *word = json_object_get_string_member_with_default(opts, name,
                                                                  fallback);
    g_autofree char *all = g_strjoinv(", ", (char **)words);

    for (int i = 0; word && words[i]; i++) {
        if (!strcmp(words[i], word)) {
            return i;
        }
    }
    error_setg(errp, "%s=%s: one of %s is expected", name, word ? word : "", all);
    return -1;
}

/* --- latency and bandwidth --- */

uint64_t hmat_unit(const GArray *entries)
{
    uint64_t bits = 0, max = 0, unit;

    for (guint i = 0; i < entries->len; i++) {
        uint64_t value = g_array_index(entries, HmatEntry, i).value;

        bits |= value;
        max = MAX(max, value);
    }
    unit = bits & -bits;
    return unit && max / unit <= HMAT_ENTRY_MAX ? unit : 0;
}

static const HmatEntry *find_entry(const GArray *entries, int initiator,
                                   int target)
{
    for (guint i = 0; entries && i < entries->len; i++) {
        const HmatEntry *entry = &g_array_index(entries, HmatEntry, i);

        if (entry->initiator == initiator && entry->target == target) {
            return entry;
        }
    }
    return NULL;
}

/* latency= in ns, or bandwidth= in bytes/s: *value in ns or MiB/s. */
static bool get_value(JsonObject *opts, int data_type, uint64_t *value,
                      Error **errp)
{
    bool latency = hmat_is_latency(data_type);
    const char *name = latency ? "latency" : "bandwidth";
    const char *other = latency ? "bandwidth" : "latency";
    const char *text = json_object_get_string_member_with_default(opts, name,
                                                                  NULL);

    if (!text || json_object_has_member(opts, other)) {
        error_setg(errp, "data-type=%s wants '%s', and no '%s'",
                   data_types[data_type], name, other);
        return false;
    }
    if ((latency ? qemu_strtou64(text, NULL, 10, value)
                 : qemu_strtosz(text, NULL, value)) < 0) {
        error_setg(errp, "%s=%s: a number is expected", name, text);
        return false;
    }
    if (!latency && !QEMU_IS_ALIGNED(*value, MiB)) {
        error_setg(errp, "bandwidth=%s: a multiple of 1 MiB per second is "
                   "expected", text);
        return false;
    }
    *value /= latency ? 1 : MiB;
    return true;
}

/* Adds @entry, if all of them have a unit then. */
static bool add_entry(GArray **entries, const HmatEntry *entry, int data_type,
                      Error **errp)
{
    if (!*entries) {
        *entries = g_array_new(false, false, sizeof(HmatEntry));
    }
    g_array_append_val(*entries, *entry);
    if (hmat_unit(*entries)) {
        return true;
    }
    g_array_set_size(*entries, (*entries)->len - 1);
    error_setg(errp, "data-type=%s: %" PRIu64 " %s and what was given before "
               "are not multiples, up to %d, of one power of two",
               data_types[data_type], entry->value,
               hmat_is_latency(data_type) ? "ns" : "MiB/s", HMAT_ENTRY_MAX);
    return false;
}

bool numa_parse_hmat_lb(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const char *const names[] = {
        "initiator", "target", "hierarchy", "data-type", "latency",
        "bandwidth", NULL
    };
    NumaState *numa = ms->numa_state;
    int initiator, target, hierarchy, data_type;
    HmatEntry entry;

    if (!check_enabled(ms, errp) || !numa_check_names(opts, names, errp) ||
        (initiator = numa_get_node(ms, opts, "initiator", errp)) < 0 ||
        (target = numa_get_node(ms, opts, "target", errp)) < 0 ||
        (hierarchy = get_word(opts, "hierarchy", hierarchies, NULL,
                              errp)) < 0 ||
        (data_type = get_word(opts, "data-type", data_types, NULL,
                              errp)) < 0 ||
        !get_value(opts, data_type, &entry.value, errp)) {
        return false;
    }
    if (!numa_has_cpu(ms, initiator)) {
        error_setg(errp, "initiator=%d: this node has no CPU", initiator);
        return false;
    }
    if (find_entry(numa->hmat[hierarchy][data_type], initiator, target)) {
        error_setg(errp, "%s from node %d to node %d has been given already",
                   data_types[data_type], initiator, target);
        return false;
    }
    if (!entry.value) {
        return true;                      /* unknown, as what is not given */
    }
    entry.initiator = initiator;
    entry.target = target;
    if (!add_entry(&numa->hmat[hierarchy][data_type], &entry, data_type,
                   errp)) {
        return false;
    }
    numa->nodes[target].have_latency |= hmat_is_latency(data_type);
    numa->nodes[target].have_bandwidth |= !hmat_is_latency(data_type);
    return true;
}

/* --- caches --- */

static bool get_cache(MachineState *ms, JsonObject *opts, HmatCache *cache,
                      Error **errp)
{
    ERRP_GUARD();
    int64_t level, line;
    int node, associativity, policy;
    const char *size = json_object_get_string_member_with_default(opts, "size",
                                                                  "");

    if ((node = numa_get_node(ms, opts, "node-id", errp)) < 0 ||
        (level = numa_get_number(opts, "level", HMAT_CACHE_LEVELS - 1, true,
                                 errp)) < 0 ||
        (associativity = get_word(opts, "associativity", associativities,
                                  "none", errp)) < 0 ||
        (policy = get_word(opts, "policy", policies, "none", errp)) < 0) {
        return false;
    }
    line = numa_get_number(opts, "line", UINT16_MAX, false, errp);
    if (*errp) {
        return false;
    }
    if (qemu_strtosz(size, NULL, &cache->size) < 0) {
        error_setg(errp, "size=%s: a size is expected", size);
        return false;
    }
    cache->node = node;
    cache->level = level;
    cache->associativity = associativity;
    cache->policy = policy;
    cache->line = MAX(line, 0);
    return true;
}

/* Beside the node's other caches: one of a level, and each smaller than those of
 * lower levels. */
static bool fits(const HmatCache *cache, const HmatCache *other, Error **errp)
{
    bool below = other->level < cache->level;

    if (other->node != cache->node) {
        return true;
    }
    if (other->level == cache->level) {
        error_setg(errp, "node %u has a memory side cache of level %u already",
                   cache->node, cache->level);
        return false;
    }
    if (below ? other->size <= cache->size : other->size >= cache->size) {
        error_setg(errp, "the size of level %u (%" PRIu64 ") should be %s than "
                   "that of level %u (%" PRIu64 ")", cache->level, cache->size,
                   below ? "less" : "greater",
                   other->level, other->size);
        return false;
    }
    return true;
}

static bool check_cache(const NumaState *numa, const HmatCache *cache,
                        Error **errp)
{
    const NodeInfo *node = &numa->nodes[cache->node];

    if (!cache->level &&
        (cache->associativity || cache->policy || cache->line)) {
        error_setg(errp, "level=0 means that there is no cache: associativity "
                   "and policy are none, and line is 0 then");
        return false;
    }
    if (!node->have_latency || !node->have_bandwidth) {
        error_setg(errp, "the latency and bandwidth of node-id=%u should be "
                   "provided before its memory side caches", cache->node);
        return false;
    }
    for (guint i = 0; numa->hmat_caches && i < numa->hmat_caches->len; i++) {
        if (!fits(cache, &g_array_index(numa->hmat_caches, HmatCache, i),
                  errp)) {
            return false;
        }
    }
    return true;
}

bool numa_parse_hmat_cache(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const char *const names[] = {
        "node-id", "size", "level", "associativity", "policy", "line", NULL
    };
    NumaState *numa = ms->numa_state;
    HmatCache cache;

    if (!check_enabled(ms, errp) || !numa_check_names(opts, names, errp) ||
        !get_cache(ms, opts, &cache, errp) ||
        !check_cache(numa, &cache, errp)) {
        return false;
    }
    if (!numa->hmat_caches) {
        numa->hmat_caches = g_array_new(false, false, sizeof(HmatCache));
    }
    g_array_append_val(numa->hmat_caches, cache);
    return true;
}

/* --- initiators --- */

bool numa_complete_initiators(MachineState *ms, Error **errp)
{
    NumaState *numa = ms->numa_state;

    for (int i = 0; numa->hmat_enabled && i < numa->num_nodes; i++) {
        NodeInfo *node = &numa->nodes[i];

        if (numa_has_cpu(ms, i)) {
            if (node->initiator >= 0 && node->initiator != i) {
                error_setg(errp, "node %d has CPUs, so its initiator is "
                           "itself, not node %d", i, node->initiator);
                return false;
            }
            node->initiator = i;
        } else if (node->initiator >= 0 &&
                   (node->initiator >= numa->num_nodes ||
                    !numa_has_cpu(ms, node->initiator))) {
            error_setg(errp, "initiator=%d of node %d: this node has no CPU",
                       node->initiator, i);
            return false;
        }
    }
    return true;
}
