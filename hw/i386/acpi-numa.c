/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ACPI says of NUMA nodes: who belongs to which (SRAT), how far they are
 * from each other (SLIT), how fast their memory is (HMAT). As ACPI 6.3, 5.2.16,
 * 5.2.17 and 5.2.27 lay them out.
 */
#include "qemu/osdep.h"

#include "acpi-internal.h"
#include "qemu/units.h"

typedef struct QEMU_PACKED AcpiSrat {
    AcpiHeader header;
    uint32_t table_revision;              /* 1 */
    uint64_t reserved;
} AcpiSrat;

typedef struct QEMU_PACKED SratCpu {
    uint8_t type, length;                 /* 0 */
    uint8_t node_low, apic_id;
    uint32_t flags;                       /* 1: enabled */
    uint8_t sapic_eid;
    uint8_t node_high[3];
    uint32_t clock_domain;
} SratCpu;

typedef struct QEMU_PACKED SratMemory {
    uint8_t type, length;                 /* 1 */
    uint32_t node;
    uint16_t reserved;
    uint64_t base;
    uint64_t size;
    uint32_t reserved2;
    uint32_t flags;
    uint64_t reserved3;
} SratMemory;

#define SRAT_ENABLED (1U << 0)
#define SRAT_HOT_PLUGGABLE (1U << 1)

typedef struct QEMU_PACKED AcpiSlit {
    AcpiHeader header;
    uint64_t localities;
} AcpiSlit;

typedef struct QEMU_PACKED AcpiHmat {
    AcpiHeader header;
    uint32_t reserved;
} AcpiHmat;

typedef struct QEMU_PACKED HmatHeader {
    uint16_t type, reserved;
    uint32_t length;
} HmatHeader;

typedef struct QEMU_PACKED HmatDomain {
    HmatHeader header;                    /* 0 */
    uint16_t flags;
    uint16_t reserved;
    uint32_t initiator;
    uint32_t memory;
    uint8_t reserved2[20];
} HmatDomain;

#define HMAT_INITIATOR_VALID (1U << 0)

typedef struct QEMU_PACKED HmatLocality {
    HmatHeader header;                    /* 1 */
    uint8_t hierarchy, data_type;
    uint16_t reserved;
    uint32_t initiators, targets;
    uint32_t reserved2;
    uint64_t unit;                        /* ps or MiB/s */
} HmatLocality;

typedef struct QEMU_PACKED HmatSideCache {
    HmatHeader header;                    /* 2 */
    uint32_t memory;
    uint32_t reserved;
    uint64_t size;
    uint32_t attributes;
    uint16_t reserved2;
    uint16_t smbios_handles;
} HmatSideCache;

/* --- SRAT --- */

static void srat_memory(GByteArray *block, unsigned node, uint64_t base,
                        uint64_t size, uint32_t flags)
{
    SratMemory memory = {
        .type = 1, .length = sizeof(memory), .node = node, .base = base,
        .size = size, .flags = SRAT_ENABLED | flags,
    };

    if (size) {
        acpi_append(block, &memory, sizeof(memory));
    }
}

/* The nodes share out RAM in their order, first what is below 4 GiB. */
static void srat_ram(GByteArray *block, const AcpiConfig *config)
{
    const X86MemoryMap *map = config->map;
    uint64_t ram_size = map->below_4g + map->above_4g, offset = 0;

    for (int i = 0; i < MAX(config->numa->num_nodes, 1); i++) {
        uint64_t size = config->numa->num_nodes ? config->numa->nodes[i].node_mem
                                                : ram_size;
        uint64_t low = offset < map->below_4g
                           ? MIN(size, map->below_4g - offset) : 0;
        uint64_t high = offset + low > map->below_4g
                            ? offset + low - map->below_4g : 0;

        srat_memory(block, i, offset, low, 0);
        srat_memory(block, i, 4 * GiB + high, size - low, 0);
        offset += size;
    }
}

/*
 * Wanted not only for NUMA: from the hot-pluggable range Linux learns at its
 * start how far memory may reach one day. The last node gets it, unless the
 * device says otherwise.
 */
uint64_t acpi_build_srat(GByteArray *block, const AcpiConfig *config)
{
    AcpiSrat srat = { .table_revision = 1 };
    uint64_t address = acpi_table_begin(block, "SRAT", 3, &srat, sizeof(srat));

    for (unsigned i = 0; i < config->nr_cpus; i++) {
        SratCpu cpu = {
            .length = sizeof(cpu), .apic_id = config->apic_ids[i],
            .flags = SRAT_ENABLED,
            .node_low = config->numa->num_nodes ? config->numa->cpu_node[i]
                                                : 0,
        };

        acpi_append(block, &cpu, sizeof(cpu));
    }
    srat_ram(block, config);
    srat_memory(block, MAX(config->numa->num_nodes, 1) - 1, config->map->device_base,
                config->map->device_size, SRAT_HOT_PLUGGABLE);
    acpi_table_end(block, address);
    return address;
}

/* --- SLIT --- */

uint64_t acpi_build_slit(GByteArray *block, const NumaState *numa)
{
    AcpiSlit slit = { .localities = numa->num_nodes };
    uint64_t address = acpi_table_begin(block, "SLIT", 1, &slit, sizeof(slit));

    for (int i = 0; i < numa->num_nodes; i++) {
        acpi_append(block, numa->distance[i], numa->num_nodes);
    }
    acpi_table_end(block, address);
    return address;
}

/* --- HMAT --- */

static void hmat_domains(GByteArray *block, const NumaState *numa)
{
    for (int i = 0; i < numa->num_nodes; i++) {
        bool valid = numa->nodes[i].initiator >= 0;
        HmatDomain domain = {
            .header = { .type = 0, .length = sizeof(domain) },
            .flags = valid ? HMAT_INITIATOR_VALID : 0,
            .initiator = valid ? numa->nodes[i].initiator : 0,
            .memory = i,
        };

        acpi_append(block, &domain, sizeof(domain));
    }
}

/* Nodes that are the initiator of some entry, by number. */
static GArray *list_initiators(const GArray *entries)
{
    GArray *list = g_array_new(false, false, sizeof(uint32_t));

    for (uint32_t node = 0; node < MAX_NODES; node++) {
        for (guint i = 0; i < entries->len; i++) {
            if (g_array_index(entries, HmatEntry, i).initiator == node) {
                g_array_append_val(list, node);
                break;
            }
        }
    }
    return list;
}

/* The row of @initiator: a value for each node as target, 0 where it is not
 * known. */
static void hmat_row(GByteArray *block, const NumaState *numa,
                     const GArray *entries, uint32_t initiator, uint64_t unit)
{
    uint16_t row[MAX_NODES] = { 0 };

    for (guint i = 0; i < entries->len; i++) {
        const HmatEntry *entry = &g_array_index(entries, HmatEntry, i);

        if (entry->initiator == initiator) {
            row[entry->target] = entry->value / unit;
        }
    }
    acpi_append(block, row, numa->num_nodes * sizeof(row[0]));
}

static void hmat_locality(GByteArray *block, const NumaState *numa,
                          unsigned hierarchy, unsigned data_type)
{
    const GArray *entries = numa->hmat[hierarchy][data_type];
    g_autoptr(GArray) initiators = list_initiators(entries);
    uint32_t nodes = numa->num_nodes;
    uint64_t unit = hmat_unit(entries);
    HmatLocality locality = {
        .header = {
            .type = 1,
            .length = sizeof(locality) +
                      (initiators->len + nodes) * sizeof(uint32_t) +
                      initiators->len * nodes * sizeof(uint16_t),
        },
        .hierarchy = hierarchy,
        .data_type = data_type,
        .initiators = initiators->len,
        .targets = nodes,
        .unit = hmat_is_latency(data_type) ? unit * 1000 : unit,
    };

    acpi_append(block, &locality, sizeof(locality));
    acpi_append(block, initiators->data, initiators->len * sizeof(uint32_t));
    for (uint32_t i = 0; i < nodes; i++) {
        acpi_append(block, &i, sizeof(i));
    }
    for (guint i = 0; i < initiators->len; i++) {
        hmat_row(block, numa, entries,
                 g_array_index(initiators, uint32_t, i), unit);
    }
}

static unsigned count_levels(const NumaState *numa, unsigned node)
{
    unsigned n = 0;

    for (guint i = 0; i < numa->hmat_caches->len; i++) {
        const HmatCache *cache = &g_array_index(numa->hmat_caches, HmatCache,
                                                i);

        n += cache->node == node && cache->level;
    }
    return n;
}

static void hmat_side_caches(GByteArray *block, const NumaState *numa)
{
    for (guint i = 0; numa->hmat_caches && i < numa->hmat_caches->len; i++) {
        const HmatCache *cache = &g_array_index(numa->hmat_caches, HmatCache,
                                                i);
        HmatSideCache side = {
            .header = { .type = 2, .length = sizeof(side) },
            .memory = cache->node,
            .size = cache->size,
            .attributes = count_levels(numa, cache->node) |
                          cache->level << 4 | cache->associativity << 8 |
                          cache->policy << 12 | (uint32_t)cache->line << 16,
        };

        if (cache->level) {
            acpi_append(block, &side, sizeof(side));
        }
    }
}

uint64_t acpi_build_hmat(GByteArray *block, const NumaState *numa)
{
    AcpiHmat hmat = { .reserved = 0 };
    uint64_t address = acpi_table_begin(block, "HMAT", 2, &hmat, sizeof(hmat));

    hmat_domains(block, numa);
    for (unsigned i = 0; i < HMAT_HIERARCHIES; i++) {
        for (unsigned j = 0; j < HMAT_DATA_TYPES; j++) {
            if (numa->hmat[i][j] && numa->hmat[i][j]->len) {
                hmat_locality(block, numa, i, j);
            }
        }
    }
    hmat_side_caches(block, numa);
    acpi_table_end(block, address);
    return address;
}
