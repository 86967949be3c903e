/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NUMA nodes of the guest, from -numa: which part of boot RAM and which CPUs
 * belong to which, how far they are from each other, and how fast their memory
 * is (HMAT). No nodes: there is no NUMA. Nodes have consecutive numbers from 0
 * and partition the RAM in their order. Filled in before the board is built;
 * hw/i386 tells the guest by SRAT, SLIT and HMAT.
 */
#ifndef SYSEMU_NUMA_H
#define SYSEMU_NUMA_H

#include "hw/boards.h"

#define MAX_NODES 128

typedef struct NodeInfo {
    uint64_t node_mem;                    /* bytes of boot RAM */
    HostMemoryBackend *node_memdev;       /* NULL: a part of the one RAM */
    bool present;
    int initiator;                        /* the node closest to it; -1: none */
    bool have_latency;                    /* of its memory, from some node */
    bool have_bandwidth;
} NodeInfo;

/* Distances as the SLIT has them. */
#define NUMA_DISTANCE_MIN 10              /* from a node to itself */
#define NUMA_DISTANCE_DEFAULT 20

/* How fast memory is, as ACPI's HMAT says it: entries are multiples of a unit,
 * 0 is unknown, and 0xffff out of reach. */
#define HMAT_HIERARCHIES 4                /* memory, first- to third-level */
#define HMAT_DATA_TYPES 6                 /* 3 latencies, then 3 bandwidths */
#define HMAT_ENTRY_MAX 0xfffe
#define HMAT_CACHE_LEVELS 4               /* 1 to 3; 0: there is no cache */

static inline bool hmat_is_latency(unsigned data_type)
{
    return data_type < HMAT_DATA_TYPES / 2;
}

typedef struct HmatEntry {
    uint8_t initiator;
    uint8_t target;
    uint64_t value;                       /* ns, or MiB/s; not 0 */
} HmatEntry;

typedef struct HmatCache {
    uint8_t node;
    uint8_t level;
    uint8_t associativity;                /* 0: none, 1: direct, 2: complex */
    uint8_t policy;                       /* 0: none, 1: write-back, 2: through */
    uint16_t line;                        /* bytes */
    uint64_t size;                        /* bytes */
} HmatCache;

struct NumaState {
    int num_nodes;
    bool have_mem;                        /* some -numa has mem= */
    bool have_memdevs;                    /* some -numa has memdev= */
    NodeInfo nodes[MAX_NODES];
    uint8_t *cpu_node;                    /* of each possible CPU */
    bool *cpu_assigned;

    bool have_distances;
    uint8_t distance[MAX_NODES][MAX_NODES];       /* from, to; 0: not given */

    bool hmat_enabled;                    /* -machine hmat=on */
    GArray *hmat[HMAT_HIERARCHIES][HMAT_DATA_TYPES];      /* HmatEntry; NULL */
    GArray *hmat_caches;                  /* HmatCache; NULL: there is none */
};

/* One `-numa TYPE,...`; values are strings. false: *errp, nothing has changed. */
bool numa_parse(MachineState *ms, JsonObject *opts, Error **errp);
/* The unit of @entries: all values are multiples of it, and none is more than
 * HMAT_ENTRY_MAX of it; 0: there is none. */
uint64_t hmat_unit(const GArray *entries);
/* Once all are parsed: shares out what was left open and checks the sums. */
bool numa_complete_configuration(MachineState *ms, Error **errp);
/* Frees @numa (may be NULL). */
void numa_state_free(NumaState *numa);

#endif
