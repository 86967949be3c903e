/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands for people about the machine that QMP has no query for. */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "hw/intc.h"
#include "monitor/hmp.h"
#include "qemu/units.h"
#include "sysemu/numa.h"

static void append_cpus(GString *out, const MachineState *ms, int node)
{
    for (unsigned i = 0; i < ms->smp.cpus; i++) {
        if (ms->numa_state->cpu_node[i] == node) {
            g_string_append_printf(out, " %u", i);
        }
    }
}

/* Bytes that memory devices have plugged into @node; @devices is what
 * query-memory-devices returns. */
static uint64_t plugged_memory(JsonNode *devices, int node)
{
    JsonArray *list = json_node_get_array(devices);
    uint64_t sum = 0;

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *data = json_object_get_object_member(
            json_array_get_object_element(list, i), "data");

        if (json_object_get_int_member(data, "node") == node) {
            sum += json_object_get_int_member(data, "size");
        }
    }
    return sum;
}

static void hmp_info_numa(GString *out, const char *args, Error **errp)
{
    const NumaState *numa = current_machine->numa_state;
    g_autoptr(JsonNode) devices = hmp_call_qmp("query-memory-devices", NULL,
                                               errp);

    if (!devices) {
        return;
    }
    g_string_append_printf(out, "%d nodes\n", numa->num_nodes);
    for (int i = 0; i < numa->num_nodes; i++) {
        g_string_append_printf(out, "node %d cpus:", i);
        append_cpus(out, current_machine, i);
        g_string_append_printf(out, "\nnode %d size: %" PRIu64 " MB\n"
                               "node %d plugged: %" PRIu64 " MB\n", i,
                               (numa->nodes[i].node_mem +
                                plugged_memory(devices, i)) / MiB,
                               i, plugged_memory(devices, i) / MiB);
    }
}

static int print_interrupts(Object *obj, void *opaque)
{
    InterruptStatsProviderClass *k;
    uint64_t *counts;
    unsigned n;

    if (!object_dynamic_cast(obj, TYPE_INTERRUPT_STATS_PROVIDER)) {
        return 0;
    }
    k = INTERRUPT_STATS_PROVIDER_GET_CLASS(obj);
    if (!k->get_statistics(INTERRUPT_STATS_PROVIDER(obj), &counts, &n)) {
        return 0;
    }
    g_string_append_printf(opaque, "IRQ statistics for %s:\n",
                           object_get_typename(obj));
    for (unsigned i = 0; i < n; i++) {
        if (counts[i]) {
            g_string_append_printf(opaque, "%2u: %" PRIu64 "\n", i, counts[i]);
        }
    }
    return 0;
}

static void hmp_info_irq(GString *out, const char *args, Error **errp)
{
    object_child_foreach_recursive(object_get_root(), print_interrupts, out);
}

static const HmpCommand machine_hmp_info[] = {
    { .name = "numa", .params = "", .fn = hmp_info_numa,
      .help = "show the guest's NUMA nodes: CPUs, and memory" },
    { .name = "irq", .params = "", .fn = hmp_info_irq,
      .help = "show how often interrupt lines were raised" },
};

static void machine_hmp_register(void)
{
    hmp_register_info(machine_hmp_info, ARRAY_SIZE(machine_hmp_info));
}
type_init(machine_hmp_register)
