/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables, found as an operating system finds them: from the RSDP by the
 * XSDT. All sum up to 0, and say what the machine is.
 */
#include "qemu/osdep.h"

#include "hw/i386/acpi.h"
#include "qemu/units.h"

typedef struct Tables {
    GByteArray *block;
    uint64_t rsdp;
} Tables;

static const uint8_t *at(const Tables *t, uint64_t address)
{
    g_assert_cmphex(address, >=, X86_ACPI_BASE);
    g_assert_cmphex(address, <, X86_ACPI_BASE + t->block->len);
    return t->block->data + (address - X86_ACPI_BASE);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static uint8_t sum(const uint8_t *p, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++) {
        total += p[i];
    }
    return total;
}

static const uint8_t *find(const Tables *t, const char *signature)
{
    const uint8_t *xsdt = at(t, get64(at(t, t->rsdp) + 24));

    for (uint32_t i = 36; i < get32(xsdt + 4); i += 8) {
        const uint8_t *table = at(t, get64(xsdt + i));

        if (!memcmp(table, signature, 4)) {
            return table;
        }
    }
    return NULL;
}

/* Those of the next build(). */
static NumaState numa;

static Tables build(uint64_t ram, uint64_t max, unsigned nr_cpus,
                    unsigned nr_nodes)
{
    static uint8_t apic_ids[255], cpu_node[255];
    X86MemoryMap map;
    AcpiConfig config = {
        .map = &map,
        .nr_cpus = nr_cpus,
        .apic_ids = apic_ids,
        .serial_ports = 0x5,
        .numa = &numa,
    };
    Tables t;

    numa.num_nodes = nr_nodes;
    numa.cpu_node = cpu_node;
    for (unsigned i = 0; i < nr_cpus; i++) {
        apic_ids[i] = i;
        cpu_node[i] = nr_nodes ? i % nr_nodes : 0;
    }
    for (unsigned i = 0; i < nr_nodes; i++) {
        numa.nodes[i].node_mem = ram / nr_nodes;
        numa.nodes[i].initiator = -1;
    }
    x86_memory_map_init(&map, ram, max, 0, 46, &error_abort);
    t.block = acpi_build(&config, &t.rsdp);
    return t;
}

static void free_tables(Tables *t)
{
    g_byte_array_unref(t->block);
}

static void check_sums(const Tables *t)
{
    const uint8_t *rsdp = at(t, t->rsdp);
    const uint8_t *xsdt = at(t, get64(rsdp + 24));

    g_assert_cmphex(t->rsdp % 16, ==, 0);
    g_assert_cmpmem(rsdp, 8, "RSD PTR ", 8);
    g_assert_cmpuint(sum(rsdp, 20), ==, 0);
    g_assert_cmpuint(sum(rsdp, 36), ==, 0);
    g_assert_cmpuint(sum(xsdt, get32(xsdt + 4)), ==, 0);
    for (uint32_t i = 36; i < get32(xsdt + 4); i += 8) {
        const uint8_t *table = at(t, get64(xsdt + i));

        g_assert_cmpuint(sum(table, get32(table + 4)), ==, 0);
    }
}

static void test_all_tables_sum_up_to_0(void)
{
    Tables t = build(6 * GiB, 20 * GiB, 3, 2);
    const uint8_t *fadt = find(&t, "FACP"), *dsdt;

    check_sums(&t);
    g_assert_nonnull(fadt);
    dsdt = at(&t, get64(fadt + 140));
    g_assert_cmpmem(dsdt, 4, "DSDT", 4);
    g_assert_cmpuint(sum(dsdt, get32(dsdt + 4)), ==, 0);
    g_assert_cmphex(get32(fadt + 40), ==, get64(fadt + 140));
    g_assert_cmpmem(at(&t, get32(fadt + 36)), 4, "FACS", 4);
    g_assert_cmphex(get32(fadt + 36) % 64, ==, 0);
    free_tables(&t);
}

static void test_fadt_says_how_to_reset_and_sleep(void)
{
    Tables t = build(GiB, GiB, 1, 0);
    const uint8_t *fadt = find(&t, "FACP");

    g_assert_cmphex(get32(fadt + 56), ==, ACPI_PM_BASE);
    g_assert_cmphex(get64(fadt + 120), ==, ACPI_RESET_PORT);
    g_assert_cmphex(fadt[128], ==, ACPI_RESET_VALUE);
    g_assert_cmpuint(fadt[46], ==, ACPI_SCI_IRQ);
    free_tables(&t);
}

static void test_madt_has_each_cpu(void)
{
    Tables t = build(GiB, GiB, 5, 0);
    const uint8_t *madt = find(&t, "APIC");
    unsigned cpus = 0, ioapics = 0;

    for (uint32_t i = 44; i < get32(madt + 4); i += madt[i + 1]) {
        g_assert_cmpuint(madt[i + 1], >, 1);
        if (madt[i] == 0) {
            g_assert_cmpuint(madt[i + 3], ==, cpus);
            cpus++;
        }
        ioapics += madt[i] == 1;
    }
    g_assert_cmpuint(cpus, ==, 5);
    g_assert_cmpuint(ioapics, ==, 1);
    free_tables(&t);
}

static void test_mcfg_has_256_buses(void)
{
    Tables t = build(GiB, GiB, 1, 0);
    const uint8_t *mcfg = find(&t, "MCFG");

    g_assert_cmphex(get64(mcfg + 44), ==, X86_MMCONFIG_BASE);
    g_assert_cmpuint(mcfg[54], ==, 0);
    g_assert_cmpuint(mcfg[55], ==, 255);
    free_tables(&t);
}

/* Calls @fn for each memory entry of the SRAT. */
typedef void MemoryFn(uint32_t node, uint64_t base, uint64_t size,
                      bool hotplug, void *opaque);

static void each_memory(const Tables *t, MemoryFn *fn, void *opaque)
{
    const uint8_t *srat = find(t, "SRAT");

    g_assert_nonnull(srat);
    for (uint32_t i = 48; i < get32(srat + 4); i += srat[i + 1]) {
        g_assert_cmpuint(srat[i + 1], >, 1);
        if (srat[i] == 1) {
            uint32_t flags = get32(srat + i + 28);

            g_assert_cmphex(flags & 1, ==, 1);
            fn(get32(srat + i + 2), get64(srat + i + 8), get64(srat + i + 16),
               flags & 2, opaque);
        }
    }
}

static void append_memory(uint32_t node, uint64_t base, uint64_t size,
                          bool hotplug, void *opaque)
{
    g_string_append_printf(opaque, "%u:%" PRIx64 "+%" PRIx64 "%s ", node, base,
                           size, hotplug ? "h" : "");
}

static void check_memory(Tables t, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    each_memory(&t, append_memory, text);
    g_assert_cmpstr(text->str, ==, expected);
    free_tables(&t);
}

static void test_srat_marks_device_memory_hotpluggable(void)
{
    check_memory(build(256 * MiB, 4 * GiB, 1, 0),
                 "0:0+10000000 0:100000000+f0000000h ");
}

static void test_srat_splits_nodes_at_the_hole(void)
{
    /* 6 GiB of RAM: 2 below, 4 above; each node has 3. */
    check_memory(build(6 * GiB, 7 * GiB, 2, 2),
                 "0:0+80000000 0:100000000+40000000 "
                 "1:140000000+c0000000 1:200000000+40000000h ");
}

static void test_no_srat_without_nodes_and_device_memory(void)
{
    Tables t = build(GiB, GiB, 1, 0);

    g_assert_null(find(&t, "SRAT"));
    free_tables(&t);
}

static void test_the_largest_machine_fits(void)
{
    Tables t;

    numa.have_distances = true;
    t = build(128 * GiB, 256 * GiB, 255, 128);
    numa.have_distances = false;
    g_assert_cmpuint(t.block->len, <=, X86_ACPI_SIZE);
    check_sums(&t);
    free_tables(&t);
}

static uint16_t get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

static void test_slit_has_all_distances(void)
{
    Tables t;
    const uint8_t *slit;

    memcpy(numa.distance, (uint8_t[2][MAX_NODES]) { { 10, 21 }, { 31, 10 } },
           2 * MAX_NODES);
    numa.have_distances = true;
    t = build(GiB, GiB, 2, 2);
    slit = find(&t, "SLIT");
    g_assert_cmpuint(get32(slit + 4), ==, 36 + 8 + 4);
    g_assert_cmpuint(get64(slit + 36), ==, 2);
    g_assert_cmpmem(slit + 44, 4, ((uint8_t[]) { 10, 21, 31, 10 }), 4);
    check_sums(&t);
    numa.have_distances = false;
    free_tables(&t);
}

static GArray *entries_of(const HmatEntry *list, guint n)
{
    GArray *entries = g_array_new(false, false, sizeof(HmatEntry));

    return g_array_append_vals(entries, list, n);
}

/* Node 1 has no CPU; memory of node 1 is only known as node 0 sees it. */
static void fill_in_hmat(void)
{
    static const HmatEntry latencies[] = { { 0, 0, 12 }, { 0, 1, 20 } };
    static const HmatEntry bandwidths[] = { { 0, 1, 3 << 10 } };
    static const HmatCache cache = { 1, 2, 1, 2, 64, 4 * MiB };

    numa.hmat_enabled = true;
    numa.hmat[0][0] = entries_of(latencies, 2);
    numa.hmat[1][4] = entries_of(bandwidths, 1);
    numa.hmat_caches = g_array_new(false, false, sizeof(HmatCache));
    g_array_append_val(numa.hmat_caches, cache);
}

static void empty_hmat(void)
{
    numa.hmat_enabled = false;
    g_clear_pointer(&numa.hmat[0][0], g_array_unref);
    g_clear_pointer(&numa.hmat[1][4], g_array_unref);
    g_clear_pointer(&numa.hmat_caches, g_array_unref);
}

/* What entry @p says of locality: its place, unit, and @n values. */
static void check_locality(const uint8_t *p, uint8_t hierarchy, uint8_t type,
                           uint64_t unit, uint16_t to_0, uint16_t to_1)
{
    g_assert_cmpuint(get16(p), ==, 1);
    g_assert_cmpuint(get32(p + 4), ==, 32 + 4 + 8 + 4);
    g_assert_cmpuint(p[8], ==, hierarchy);
    g_assert_cmpuint(p[9], ==, type);
    g_assert_cmpuint(get32(p + 12), ==, 1);       /* initiators */
    g_assert_cmpuint(get32(p + 16), ==, 2);       /* targets */
    g_assert_cmpuint(get64(p + 24), ==, unit);
    g_assert_cmpuint(get32(p + 32), ==, 0);
    g_assert_cmpuint(get32(p + 40), ==, 1);
    g_assert_cmpuint(get16(p + 44), ==, to_0);
    g_assert_cmpuint(get16(p + 46), ==, to_1);
}

static void test_hmat_has_what_was_given(void)
{
    Tables t;
    const uint8_t *p;

    fill_in_hmat();
    t = build(GiB, GiB, 1, 2);
    p = find(&t, "HMAT");
    g_assert_cmpuint(get32(p + 4), ==, 40 + 2 * 40 + 2 * 48 + 32);
    g_assert_cmpuint(p[8], ==, 2);                /* revision */
    p += 40 + 40;
    g_assert_cmpuint(get16(p), ==, 0);
    g_assert_cmpuint(get16(p + 8), ==, 0);        /* no initiator */
    g_assert_cmpuint(get32(p + 16), ==, 1);
    check_locality(p + 40, 0, 0, 4000, 3, 5);     /* ps */
    check_locality(p + 88, 1, 4, 1 << 10, 0, 3);  /* MiB/s */
    p += 40 + 2 * 48;
    g_assert_cmpuint(get16(p), ==, 2);
    g_assert_cmpuint(get32(p + 8), ==, 1);
    g_assert_cmpuint(get64(p + 16), ==, 4 * MiB);
    g_assert_cmphex(get32(p + 24), ==, 64 << 16 | 2 << 12 | 1 << 8 | 2 << 4 | 1);
    check_sums(&t);
    empty_hmat();
    free_tables(&t);
}

static void test_platform_values_are_where_the_dsdt_reads_them(void)
{
    Tables t = build(GiB, GiB, 1, 0);
    const AcpiPlatform *p = (const void *)t.block->data;

    g_assert_cmphex(p->pci64_base, ==, 4 * GiB);
    g_assert_cmphex(p->pci64_last - p->pci64_base + 1, ==, p->pci64_size);
    g_assert_cmphex(p->serial_ports, ==, 0x5);
    free_tables(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi/all-tables-sum-up-to-0",
                    test_all_tables_sum_up_to_0);
    g_test_add_func("/acpi/fadt-says-how-to-reset-and-sleep",
                    test_fadt_says_how_to_reset_and_sleep);
    g_test_add_func("/acpi/madt-has-each-cpu", test_madt_has_each_cpu);
    g_test_add_func("/acpi/mcfg-has-256-buses", test_mcfg_has_256_buses);
    g_test_add_func("/acpi/srat-marks-device-memory-hotpluggable",
                    test_srat_marks_device_memory_hotpluggable);
    g_test_add_func("/acpi/srat-splits-nodes-at-the-hole",
                    test_srat_splits_nodes_at_the_hole);
    g_test_add_func("/acpi/no-srat-without-nodes-and-device-memory",
                    test_no_srat_without_nodes_and_device_memory);
    g_test_add_func("/acpi/slit-has-all-distances",
                    test_slit_has_all_distances);
    g_test_add_func("/acpi/hmat-has-what-was-given",
                    test_hmat_has_what_was_given);
    g_test_add_func("/acpi/the-largest-machine-fits",
                    test_the_largest_machine_fits);
    g_test_add_func("/acpi/platform-values-are-where-the-dsdt-reads-them",
                    test_platform_values_are_where_the_dsdt_reads_them);
    return g_test_run();
}
