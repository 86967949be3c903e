/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -numa node,...: the guest's NUMA nodes. Who needs them: the SRAT (hw/i386)
 * and virtio-mem, whose node property must name one. Nothing here touches
 * memory: machine.c puts the nodes' backends together.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "sysemu/hostmem.h"
#include "sysemu/numa.h"

void numa_state_free(NumaState *numa)
{
    if (numa) {
        g_free(numa->cpu_node);
        g_free(numa->cpu_assigned);
        g_free(numa);
    }
}

static bool check_names(JsonObject *opts, Error **errp)
{
    static const char *const names[] = {
        "type", "nodeid", "mem", "memdev", "cpus", NULL
    };
    JsonObjectIter iter;
    const char *name;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, NULL)) {
        if (!g_strv_contains(names, name)) {
            error_setg(errp, "Invalid parameter '%s': one of nodeid, mem, "
                       "memdev, cpus is expected", name);
            return false;
        }
    }
    return true;
}

static bool parse_node_id(MachineState *ms, JsonObject *opts, unsigned *id,
                          Error **errp)
{
    const char *text = json_object_get_string_member_with_default(opts,
                                                                  "nodeid",
                                                                  NULL);
    uint64_t n = ms->numa_state->num_nodes;

    if (text && qemu_strtou64(text, NULL, 10, &n) < 0) {
        error_setg(errp, "invalid value of nodeid: '%s' is not a number", text);
        return false;
    }
    if (n >= MAX_NODES) {
        error_setg(errp, "Max number of NUMA nodes reached: nodeid %" PRIu64
                   " is not below %d", n, MAX_NODES);
        return false;
    }
    if (ms->numa_state->nodes[n].present) {
        error_setg(errp, "Duplicate NUMA nodeid: %" PRIu64, n);
        return false;
    }
    *id = n;
    return true;
}

static bool parse_mem(JsonObject *opts, NodeInfo *node, Error **errp)
{
    const char *text = json_object_get_string_member(opts, "mem");

    if (qemu_strtosz_MiB(text, NULL, &node->node_mem) < 0 ||
        !QEMU_IS_ALIGNED(node->node_mem, 4 * KiB)) {
        error_setg(errp, "invalid value of mem: '%s' is not a size in whole "
                   "pages of 4096 bytes", text);
        return false;
    }
    return true;
}

static bool parse_memdev(JsonObject *opts, NodeInfo *node, Error **errp)
{
    const char *id = json_object_get_string_member(opts, "memdev");
    Object *obj = object_resolve_path_type(id, TYPE_MEMORY_BACKEND, NULL);

    if (!obj) {
        error_setg(errp, "memdev=%s: there is no memory backend of that id",
                   id);
        return false;
    }
    node->node_memdev = MEMORY_BACKEND(obj);
    node->node_mem = memory_region_size(
        host_memory_backend_get_memory(node->node_memdev));
    return true;
}

/* "A" or "A-B": sets *first and *last. */
static bool parse_cpu_range(const char *text, unsigned max_cpus,
                            uint64_t *first, uint64_t *last, Error **errp)
{
    const char *end;

    if (qemu_strtou64(text, &end, 10, first) < 0) {
        goto malformed;
    }
    *last = *first;
    if (*end == '-') {
        if (qemu_strtou64(end + 1, &end, 10, last) < 0 || *last < *first) {
            goto malformed;
        }
    }
    if (*end) {
        goto malformed;
    }
    if (*last >= max_cpus) {
        error_setg(errp, "CPU index (%" PRIu64 ") should be smaller than "
                   "maxcpus (%u)", *last, max_cpus);
        return false;
    }
    return true;

malformed:
    error_setg(errp, "invalid value of cpus: '%s' is not N or N-M", text);
    return false;
}

/* "0-3", or several separated by ':'. Changes nothing if one is wrong. */
static bool parse_cpus(MachineState *ms, JsonObject *opts, unsigned node_id,
                       Error **errp)
{
    NumaState *numa = ms->numa_state;
    const char *text = json_object_get_string_member(opts, "cpus");
    g_auto(GStrv) ranges = g_strsplit(text, ":", -1);
    g_autofree bool *mine = g_new0(bool, ms->smp.max_cpus);
    uint64_t first, last;

    for (char **range = ranges; *range; range++) {
        if (!parse_cpu_range(*range, ms->smp.max_cpus, &first, &last, errp)) {
            return false;
        }
        for (uint64_t i = first; i <= last; i++) {
            if (numa->cpu_assigned[i]) {
                error_setg(errp, "CPU %" PRIu64 " is already assigned to node "
                           "%u", i, numa->cpu_node[i]);
                return false;
            }
            mine[i] = true;
        }
    }
    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        if (mine[i]) {
            numa->cpu_assigned[i] = true;
            numa->cpu_node[i] = node_id;
        }
    }
    return true;
}

static bool check_memory_kind(NumaState *numa, bool mem, bool memdev,
                              Error **errp)
{
    if ((mem && memdev) || (mem && numa->have_memdevs) ||
        (memdev && numa->have_mem)) {
        error_setg(errp, "mem= and memdev= cannot be combined: give one of "
                   "them to all nodes");
        return false;
    }
    return true;
}

bool numa_parse_node(MachineState *ms, JsonObject *opts, Error **errp)
{
    NumaState *numa = ms->numa_state;
    bool mem = json_object_has_member(opts, "mem");
    bool memdev = json_object_has_member(opts, "memdev");
    NodeInfo node = { .present = true };
    unsigned id;

    if (!numa->cpu_node) {
        numa->cpu_node = g_new0(uint8_t, ms->smp.max_cpus);
        numa->cpu_assigned = g_new0(bool, ms->smp.max_cpus);
    }
    if (!check_names(opts, errp) || !parse_node_id(ms, opts, &id, errp) ||
        !check_memory_kind(numa, mem, memdev, errp) ||
        (mem && !parse_mem(opts, &node, errp)) ||
        (memdev && !parse_memdev(opts, &node, errp))) {
        return false;
    }
    if (json_object_has_member(opts, "cpus") &&
        !parse_cpus(ms, opts, id, errp)) {
        return false;
    }
    numa->have_mem |= mem;
    numa->have_memdevs |= memdev;
    numa->nodes[id] = node;
    numa->num_nodes++;
    return true;
}

/* Without mem= and memdev=: equal parts of whole 8 MiB, the rest to the last. */
static void share_out_memory(MachineState *ms)
{
    NumaState *numa = ms->numa_state;
    uint64_t part = QEMU_ALIGN_DOWN(ms->ram_size / numa->num_nodes, 8 * MiB);
    uint64_t used = 0;

    for (int i = 0; i < numa->num_nodes - 1; i++) {
        numa->nodes[i].node_mem = part;
        used += part;
    }
    numa->nodes[numa->num_nodes - 1].node_mem = ms->ram_size - used;
}

/* CPUs that no node claimed go round the nodes, a socket at a time. */
static void share_out_cpus(MachineState *ms)
{
    NumaState *numa = ms->numa_state;
    unsigned per_socket = ms->smp.cores * ms->smp.threads;
    bool any = false;

    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        any |= numa->cpu_assigned[i];
    }
    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        if (!numa->cpu_assigned[i]) {
            numa->cpu_node[i] = any ? 0 : i / per_socket % numa->num_nodes;
        }
    }
}

bool numa_complete_configuration(MachineState *ms, Error **errp)
{
    NumaState *numa = ms->numa_state;
    uint64_t sum = 0;

    if (!numa->num_nodes) {
        return true;
    }
    for (int i = 0; i < numa->num_nodes; i++) {
        if (!numa->nodes[i].present) {
            error_setg(errp, "numa: Node ID missing: %d", i);
            return false;
        }
    }
    if (!numa->have_mem && !numa->have_memdevs) {
        share_out_memory(ms);
    }
    for (int i = 0; i < numa->num_nodes; i++) {
        if (__builtin_add_overflow(sum, numa->nodes[i].node_mem, &sum)) {
            error_setg(errp, "total memory for NUMA nodes is too large");
            return false;
        }
    }
    if (sum != ms->ram_size) {
        error_setg(errp, "total memory for NUMA nodes (0x%" PRIx64 ") should "
                   "equal RAM size (0x%" PRIx64 ")", sum, ms->ram_size);
        return false;
    }
    share_out_cpus(ms);
    return true;
}
