/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NUMA nodes of the guest, from -numa: which part of boot RAM and which CPUs
 * belong to which. No nodes: there is no NUMA. Nodes have consecutive numbers
 * from 0 and partition the RAM in their order.
 */
#ifndef SYSEMU_NUMA_H
#define SYSEMU_NUMA_H

#include "hw/boards.h"

#define MAX_NODES 128

typedef struct NodeInfo {
    uint64_t node_mem;                    /* bytes of boot RAM */
    HostMemoryBackend *node_memdev;       /* NULL: a part of the one RAM */
    bool present;
} NodeInfo;

struct NumaState {
    int num_nodes;
    bool have_mem;                        /* some -numa has mem= */
    bool have_memdevs;                    /* some -numa has memdev= */
    NodeInfo nodes[MAX_NODES];
    uint8_t *cpu_node;                    /* of each possible CPU */
    bool *cpu_assigned;
};

/* One `-numa node,...`; values are strings. */
bool numa_parse_node(MachineState *ms, JsonObject *opts, Error **errp);
/* Once all are parsed: shares out what was left open and checks the sums. */
bool numa_complete_configuration(MachineState *ms, Error **errp);
/* Frees @numa (may be NULL). */
void numa_state_free(NumaState *numa);

#endif
