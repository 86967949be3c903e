/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -numa node and cpu: the guest's NUMA nodes. Who needs them: the SRAT (hw/i386)
 * and virtio-mem, whose node property must name one. Nothing here touches
 * memory: machine.c puts the nodes' backends together. How nodes relate to each
 * other is in numa-distance.c and numa-hmat.c.
 */
#include "qemu/osdep.h"
#include "numa-internal.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "sysemu/hostmem.h"

void numa_state_free(NumaState *numa)
{
    if (numa) {
        g_free(numa->cpu_node);
        g_free(numa->cpu_assigned);
        numa_free_hmat(numa);
        g_free(numa);
    }
}

/* --- for the files of -numa --- */

bool numa_check_names(JsonObject *opts, const char *const *names, Error **errp)
{
    JsonObjectIter iter;
    const char *name;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, NULL)) {
        if (strcmp(name, "type") && !g_strv_contains(names, name)) {
            g_autofree char *all = g_strjoinv(", ", (char **)names);

            error_setg(errp, "Invalid parameter '%s': one of %s is expected",
                       name, all);
            return false;
        }
    }
    return true;
}

int64_t numa_get_number(JsonObject *opts, const char *name, int64_t max,
                        bool required, Error **errp)
{
    const char *text = json_object_get_string_member_with_default(opts, name,
                                                                  NULL);
    uint64_t n;

    if (!text) {
        if (required) {
            error_setg(errp, "Parameter '%s' is missing", name);
        }
        return -1;
    }
    if (qemu_strtou64(text, NULL, 10, &n) < 0 || n > (uint64_t)max) {
        error_setg(errp, "%s=%s: a number from 0 to %" PRId64 " is expected",
                   name, text, max);
        return -1;
    }
    return (int64_t)n;
}

int numa_get_node(MachineState *ms, JsonObject *opts, const char *name,
                  Error **errp)
{
    int64_t id = numa_get_number(opts, name, MAX_NODES - 1, true, errp);

    if (id >= 0 && !ms->numa_state->nodes[id].present) {
        error_setg(errp, "Invalid %s=%" PRId64 ": -numa node,nodeid=%" PRId64
                   " must come before it", name, id, id);
        return -1;
    }
    return (int)id;
}

bool numa_has_cpu(const MachineState *ms, int node)
{
    const NumaState *numa = ms->numa_state;

    for (unsigned i = 0; numa->cpu_node && i < ms->smp.max_cpus; i++) {
        if (numa->cpu_assigned[i] && numa->cpu_node[i] == node) {
            return true;
        }
    }
    return false;
}

/* --- -numa node --- */

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

static bool parse_initiator(MachineState *ms, JsonObject *opts, NodeInfo *node,
                            Error **errp)
{
    node->initiator = -1;
    if (!json_object_has_member(opts, "initiator")) {
        return true;
    }
    if (!ms->numa_state->hmat_enabled) {
        error_setg(errp, "initiator= is for the HMAT: enable it with -machine "
                   "hmat=on");
        return false;
    }
    node->initiator = (int)numa_get_number(opts, "initiator", MAX_NODES - 1,
                                           true, errp);
    return node->initiator >= 0;
}

static bool parse_node(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const char *const names[] = {
        "nodeid", "mem", "memdev", "cpus", "initiator", NULL
    };
    NumaState *numa = ms->numa_state;
    bool mem = json_object_has_member(opts, "mem");
    bool memdev = json_object_has_member(opts, "memdev");
    NodeInfo node = { .present = true };
    unsigned id;

    if (!numa_check_names(opts, names, errp) ||
        !parse_node_id(ms, opts, &id, errp) ||
        !check_memory_kind(numa, mem, memdev, errp) ||
        !parse_initiator(ms, opts, &node, errp) ||
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

/* --- -numa cpu --- */

/* Where on the board CPUs are; -1: anywhere. */
typedef struct CpuPlace {
    int64_t socket, core, thread;
} CpuPlace;

static bool is_there(const CpuTopology *t, unsigned cpu, const CpuPlace *place)
{
    return (place->thread < 0 || cpu % t->threads == place->thread) &&
           (place->core < 0 || cpu / t->threads % t->cores == place->core) &&
           (place->socket < 0 ||
            cpu / t->threads / t->cores == place->socket);
}

static bool parse_place(JsonObject *opts, CpuPlace *place, Error **errp)
{
    ERRP_GUARD();
    static const char *const names[] = {
        "node-id", "socket-id", "die-id", "core-id", "thread-id", NULL
    };

    if (!numa_check_names(opts, names, errp)) {
        return false;
    }
    place->socket = numa_get_number(opts, "socket-id", UINT16_MAX, false, errp);
    if (!*errp) {
        place->core = numa_get_number(opts, "core-id", UINT16_MAX, false, errp);
    }
    if (!*errp) {
        place->thread = numa_get_number(opts, "thread-id", UINT16_MAX, false,
                                        errp);
    }
    if (!*errp) {                         /* each socket is one die */
        numa_get_number(opts, "die-id", 0, false, errp);
    }
    return !*errp;
}

static bool parse_cpu(MachineState *ms, JsonObject *opts, Error **errp)
{
    NumaState *numa = ms->numa_state;
    int node = numa_get_node(ms, opts, "node-id", errp);
    bool found = false;
    CpuPlace place;

    if (node < 0 || !parse_place(opts, &place, errp)) {
        return false;
    }
    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        if (is_there(&ms->smp, i, &place) && numa->cpu_assigned[i] &&
            numa->cpu_node[i] != node) {
            error_setg(errp, "CPU %u is already assigned to node %u", i,
                       numa->cpu_node[i]);
            return false;
        }
    }
    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        if (is_there(&ms->smp, i, &place)) {
            numa->cpu_assigned[i] = found = true;
            numa->cpu_node[i] = node;
        }
    }
    if (!found) {
        error_setg(errp, "no CPU is there: -smp has %u sockets of %u cores of "
                   "%u threads", ms->smp.sockets, ms->smp.cores,
                   ms->smp.threads);
    }
    return found;
}

/* --- all types --- */

bool numa_parse(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const struct {
        const char *type;
        bool (*parse)(MachineState *ms, JsonObject *opts, Error **errp);
    } types[] = {
        { "node", parse_node },
        { "dist", numa_parse_dist },
        { "cpu", parse_cpu },
        { "hmat-lb", numa_parse_hmat_lb },
        { "hmat-cache", numa_parse_hmat_cache },
    };
    NumaState *numa = ms->numa_state;
    const char *type = json_object_get_string_member_with_default(opts, "type",
                                                                  "");

    if (!numa->cpu_node) {
        numa->cpu_node = g_new0(uint8_t, ms->smp.max_cpus);
        numa->cpu_assigned = g_new0(bool, ms->smp.max_cpus);
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(types[i].type, type)) {
            return types[i].parse(ms, opts, errp);
        }
    }
    error_setg(errp, "type=%s: one of node, dist, cpu, hmat-lb, hmat-cache is "
               "expected", type);
    return false;
}

/* --- what was left open --- */

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
            numa->cpu_assigned[i] = true;
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
    return numa_complete_distances(numa, errp) &&
           numa_complete_initiators(ms, errp);
}
