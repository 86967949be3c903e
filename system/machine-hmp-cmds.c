/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands for people about the machine that QMP has no query for. */
#include "qemu/osdep.h"

#include "hw/boards.h"
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

static void hmp_info_numa(GString *out, const char *args, Error **errp)
{
    const NumaState *numa = current_machine->numa_state;

    g_string_append_printf(out, "%d nodes\n", numa->num_nodes);
    for (int i = 0; i < numa->num_nodes; i++) {
        g_string_append_printf(out, "node %d cpus:", i);
        append_cpus(out, current_machine, i);
        g_string_append_printf(out, "\nnode %d size: %" PRIu64 " MB\n", i,
                               numa->nodes[i].node_mem / MiB);
    }
}

static const HmpCommand machine_hmp_info[] = {
    { "numa", "", "show the guest's NUMA nodes: CPUs, and boot RAM",
      hmp_info_numa },
};

static void machine_hmp_register(void)
{
    hmp_register_info(machine_hmp_info, ARRAY_SIZE(machine_hmp_info));
}
type_init(machine_hmp_register)
