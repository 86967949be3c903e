/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What -m, -smp and -numa make of their arguments. */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "qemu/keyval.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"
#include "sysemu/hostmem.h"
#include "sysemu/numa.h"

static void board_init(MachineState *ms)
{
    g_assert_nonnull(ms->ram);
}

static void board_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->alias = "old";
    mc->init = board_init;
    mc->max_cpus = 255;
    mc->default_ram_size = 128 * MiB;
    mc->default_ram_id = "t.ram";
    mc->default_cpu_type = "host";
}

static const TypeInfo board_types[] = {
    {
        .name = MACHINE_TYPE_NAME("board"),
        .parent = TYPE_MACHINE,
        .class_init = board_class_init,
    },
};
DEFINE_TYPES(board_types)

static MachineState *new_board(void)
{
    return MACHINE(object_new(MACHINE_TYPE_NAME("board")));
}

static void test_defaults(void)
{
    g_autoptr(MachineState) ms = new_board();

    g_assert_cmpuint(ms->ram_size, ==, 128 * MiB);
    g_assert_cmpuint(ms->maxram_size, ==, 128 * MiB);
    g_assert_cmpuint(ms->smp.cpus, ==, 1);
    g_assert_cmpuint(ms->smp.max_cpus, ==, 1);
    g_assert_cmpstr(ms->cpu_type, ==, "host");
    g_assert_cmpstr(ms->kernel_cmdline, ==, "");
    g_assert_null(ms->kernel_filename);
}

static void test_class_is_found_by_name_and_alias(void)
{
    MachineClass *mc = find_machine_class("board");

    g_assert_nonnull(mc);
    g_assert_true(find_machine_class("old") == mc);
    g_assert_null(find_machine_class("board-machine"));
    g_assert_null(find_machine_class(""));
}

/* --- -m and -smp, by tables --- */

typedef struct Case {
    const char *text;
    uint64_t expected[5];
    const char *reason;                   /* not NULL: refused, says this */
} Case;

/* size, maxmem, slots */
static const Case memory_cases[] = {
    { "512", { 512 * MiB, 512 * MiB, 0 }, NULL },
    { "512M", { 512 * MiB, 512 * MiB, 0 }, NULL },
    { "size=1.5G", { 1536 * MiB, 1536 * MiB, 0 }, NULL },
    { "4G,maxmem=1T", { 4 * GiB, TiB, 0 }, NULL },
    { "4G,slots=4,maxmem=8G", { 4 * GiB, 8 * GiB, 4 }, NULL },
    { "maxmem=1G", { 128 * MiB, GiB, 0 }, NULL },
    { "4097K", { 4104 * KiB, 4104 * KiB, 0 }, NULL },
    { "0", { 0 }, "invalid value of size: '0'" },
    { "lots", { 0 }, "invalid value of size: 'lots'" },
    { "-1", { 0 }, "invalid value of size: '-1'" },
    { "16E", { 0 }, "too large" },
    { "9223372036854775807B", { 0 }, "too large" },
    { "4G,maxmem=2G", { 0 }, "invalid value of maxmem: maximum memory size "
      "(0x80000000) must be at least the initial memory size (0x100000000)" },
    { "4G,slots=2", { 0 }, "'slots' was given without 'maxmem'" },
    { "4G,maxmem=4G,slots=2", { 0 }, "is equal to the initial memory size" },
    { "4G,maxmem=8G,slots=257", { 0 }, "invalid value of slots" },
    { "4G,maxmem=8G,slots=-1", { 0 }, "invalid value of slots" },
    { "4G,foo=1", { 0 }, "Invalid parameter 'foo'" },
};

/* cpus, maxcpus, sockets, cores, threads */
static const Case smp_cases[] = {
    { "4", { 4, 4, 1, 4, 1 }, NULL },
    { "4,threads=2", { 4, 4, 1, 2, 2 }, NULL },
    { "4,cores=1", { 4, 4, 4, 1, 1 }, NULL },
    { "8,sockets=2,cores=2", { 8, 8, 2, 2, 2 }, NULL },
    { "threads=2", { 2, 2, 1, 1, 2 }, NULL },
    { "cpus=4,cores=4", { 4, 4, 1, 4, 1 }, NULL },
    { "8,sockets=2,cores=2,threads=2", { 8, 8, 2, 2, 2 }, NULL },
    { "2,maxcpus=8,cores=4", { 2, 8, 2, 4, 1 }, NULL },
    { "sockets=2,cores=3", { 6, 6, 2, 3, 1 }, NULL },
    { "2,sockets=1", { 2, 2, 1, 2, 1 }, NULL },
    { "maxcpus=4", { 4, 4, 1, 4, 1 }, NULL },
    { "255", { 255, 255, 1, 255, 1 }, NULL },
    { "256", { 0 }, "The max CPUs supported by machine 'board' is 255" },
    { "0", { 0 }, "invalid value of cpus: '0'" },
    { "x", { 0 }, "invalid value of cpus: 'x'" },
    { "4294967297", { 0 }, "invalid value of cpus" },
    { "4,maxcpus=2", { 0 }, "maxcpus is 2, cpus is 4" },
    { "6,cores=4", { 0 }, "sockets (1) * cores (4) * threads (1) is 4" },
    { "4,sockets=65535,cores=65535,threads=65535", { 0 },
      "Invalid CPU topology" },
    { "4,dies=1,clusters=1,modules=1", { 4, 4, 1, 4, 1 }, NULL },
    { "4,dies=2", { 0 }, "dies=2: not supported" },
    { "4,cups=2", { 0 }, "Invalid parameter 'cups'" },
};

static void check(const Case *c, const uint64_t *got, size_t n, bool ok,
                  Error *err)
{
    if (c->reason) {
        g_assert_false(ok);
        if (!strstr(error_get_pretty(err), c->reason)) {
            g_test_message("%s", error_get_pretty(err));
            g_test_fail();
        }
        error_free(err);
        return;
    }
    g_assert_no_error(err);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpuint(got[i], ==, c->expected[i]);
    }
}

static void test_memory(gconstpointer data)
{
    const Case *c = data;
    g_autoptr(MachineState) ms = new_board();
    g_autoptr(JsonObject) opts = keyval_parse(c->text, "size", NULL,
                                              &error_abort);
    Error *err = NULL;
    bool ok = machine_parse_memory(ms, opts, &err);
    uint64_t got[] = { ms->ram_size, ms->maxram_size, ms->ram_slots };

    check(c, got, ARRAY_SIZE(got), ok, err);
    if (!ok) {
        g_assert_cmpuint(ms->ram_size, ==, 128 * MiB);
    }
}

static void test_smp(gconstpointer data)
{
    const Case *c = data;
    g_autoptr(MachineState) ms = new_board();
    g_autoptr(JsonObject) opts = keyval_parse(c->text, "cpus", NULL,
                                              &error_abort);
    Error *err = NULL;
    bool ok = machine_parse_smp(ms, opts, &err);
    uint64_t got[] = { ms->smp.cpus, ms->smp.max_cpus, ms->smp.sockets,
                       ms->smp.cores, ms->smp.threads };

    check(c, got, ARRAY_SIZE(got), ok, err);
    if (!ok) {
        g_assert_cmpuint(ms->smp.cpus, ==, 1);
    }
}

/* --- -numa --- */

static bool add_node(MachineState *ms, const char *text, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "type", NULL, &error_abort);

    return numa_parse(ms, opts, errp);
}

static MachineState *board_with_cpus(unsigned cpus)
{
    MachineState *ms = new_board();

    ms->smp.cpus = ms->smp.max_cpus = ms->smp.sockets = cpus;
    return ms;
}

static void test_memory_and_cpus_are_shared_out(void)
{
    g_autoptr(MachineState) ms = board_with_cpus(4);

    ms->ram_size = 100 * MiB;
    add_node(ms, "node", &error_abort);
    add_node(ms, "node", &error_abort);
    numa_complete_configuration(ms, &error_abort);

    g_assert_cmpuint(ms->numa_state->nodes[0].node_mem, ==, 48 * MiB);
    g_assert_cmpuint(ms->numa_state->nodes[1].node_mem, ==, 52 * MiB);
    g_assert_cmpint(ms->numa_state->cpu_node[0], ==, 0);
    g_assert_cmpint(ms->numa_state->cpu_node[1], ==, 1);
    g_assert_cmpint(ms->numa_state->cpu_node[3], ==, 1);
}

static void test_given_memory_and_cpus_are_kept(void)
{
    g_autoptr(MachineState) ms = board_with_cpus(4);

    add_node(ms, "node,nodeid=1,mem=96M,cpus=0-1:3", &error_abort);
    add_node(ms, "node,nodeid=0,mem=32", &error_abort);
    numa_complete_configuration(ms, &error_abort);

    g_assert_cmpuint(ms->numa_state->nodes[1].node_mem, ==, 96 * MiB);
    g_assert_cmpuint(ms->numa_state->nodes[0].node_mem, ==, 32 * MiB);
    g_assert_cmpint(ms->numa_state->cpu_node[1], ==, 1);
    g_assert_cmpint(ms->numa_state->cpu_node[2], ==, 0);
    g_assert_cmpint(ms->numa_state->cpu_node[3], ==, 1);
}

static void test_nodes_are_optional(void)
{
    g_autoptr(MachineState) ms = board_with_cpus(2);

    g_assert_true(numa_complete_configuration(ms, &error_abort));
    g_assert_cmpint(ms->numa_state->num_nodes, ==, 0);
}

typedef struct NumaCase {
    const char *name;
    const char *first;
    const char *second;
    const char *reason;
} NumaCase;

static const NumaCase numa_cases[] = {
    { "sum-is-not-ram", "node,mem=64M", "node,mem=32M",
      "total memory for NUMA nodes (0x6000000) should equal RAM size "
      "(0x8000000)" },
    { "id-missing", "node,nodeid=0", "node,nodeid=2", "Node ID missing: 1" },
    { "id-twice", "node,nodeid=0", "node,nodeid=0", "Duplicate NUMA nodeid" },
    { "id-too-big", "node", "node,nodeid=128", "128 is not below 128" },
    { "id-no-number", "node", "node,nodeid=x", "invalid value of nodeid" },
    { "cpu-twice", "node,cpus=0-1", "node,cpus=1", "CPU 1 is already" },
    { "cpu-beyond-maxcpus", "node", "node,cpus=3-4",
      "CPU index (4) should be smaller than maxcpus (4)" },
    { "cpus-backwards", "node", "node,cpus=2-1", "invalid value of cpus" },
    { "cpus-no-number", "node", "node,cpus=a", "invalid value of cpus" },
    { "mem-and-memdev", "node,mem=64M", "node,memdev=m", "cannot be combined" },
    { "memdev-unknown", "node", "node,memdev=m", "memdev=m" },
    { "mem-no-size", "node", "node,mem=x", "invalid value of mem" },
    { "unknown-key", "node", "node,foo=x", "Invalid parameter 'foo'" },
};

static void test_numa_refuses(gconstpointer data)
{
    const NumaCase *c = data;
    g_autoptr(MachineState) ms = board_with_cpus(4);
    Error *err = NULL;

    add_node(ms, c->first, &error_abort);
    if (add_node(ms, c->second, &err)) {
        numa_complete_configuration(ms, &err);
    }
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), c->reason));
    error_free(err);
}

/* --- boot RAM --- */

static void add_backend(const char *text)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "qom-type", NULL,
                                              &error_abort);

    user_creatable_add_from_json(opts, true, &error_abort);
}

static void test_ram_is_made_when_no_backend_is_named(void)
{
    MachineState *ms = new_board();

    ms->ram_size = 4 * MiB;
    g_assert_true(machine_run_board_init(ms, &error_abort));

    g_assert_cmpuint(memory_region_size(ms->ram), ==, 4 * MiB);
    g_assert_true(host_memory_backend_is_mapped(ms->ram_memdev));
    g_assert_nonnull(object_resolve_path("/objects/t.ram", NULL));
    host_memory_backend_set_mapped(ms->ram_memdev, false);
    user_creatable_del("t.ram", &error_abort);
    object_unref(ms);
}

static void test_named_backend_is_the_ram(void)
{
    g_autoptr(MachineState) ms = new_board();

    add_backend("memory-backend-ram,id=m0,size=4M");
    ms->ram_size = 4 * MiB;
    ms->ram_memdev_id = g_strdup("m0");
    machine_run_board_init(ms, &error_abort);

    g_assert_true(OBJECT(ms->ram_memdev) ==
                  object_resolve_path("/objects/m0", NULL));
    host_memory_backend_set_mapped(ms->ram_memdev, false);
    user_creatable_del("m0", &error_abort);
}

static void board_fails(const char *backend, uint64_t ram_size,
                        const char *reason)
{
    g_autoptr(MachineState) ms = new_board();
    Error *err = NULL;

    ms->ram_size = ram_size;
    ms->ram_memdev_id = g_strdup(backend);
    g_assert_false(machine_run_board_init(ms, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), reason));
    error_free(err);
}

static void test_unfit_backend_is_refused(void)
{
    HostMemoryBackend *backend;

    add_backend("memory-backend-ram,id=m0,size=4M");
    backend = MEMORY_BACKEND(object_resolve_path("/objects/m0", NULL));
    board_fails("m1", 4 * MiB, "Memory backend 'm1' not found");
    board_fails("m0", 8 * MiB, "'m0' has 0x400000 bytes, but 0x800000");
    g_assert_false(host_memory_backend_is_mapped(backend));
    host_memory_backend_set_mapped(backend, true);
    board_fails("m0", 4 * MiB, "'m0' is already in use");
    host_memory_backend_set_mapped(backend, false);
    user_creatable_del("m0", &error_abort);
}

static void test_nodes_backends_are_put_in_a_row(void)
{
    MachineState *ms = new_board();

    add_backend("memory-backend-ram,id=n0,size=4M");
    add_backend("memory-backend-ram,id=n1,size=2M");
    ms->ram_size = 6 * MiB;
    add_node(ms, "node,memdev=n0", &error_abort);
    add_node(ms, "node,memdev=n1", &error_abort);
    numa_complete_configuration(ms, &error_abort);
    machine_run_board_init(ms, &error_abort);

    g_assert_cmpuint(memory_region_size(ms->ram), ==, 6 * MiB);
    g_assert_cmphex(ms->numa_state->nodes[1].node_memdev->mr.addr, ==, 4 * MiB);
    /* The machine lives as long as its backends. */
}

static void add_cases(const char *prefix, const Case *cases, size_t n,
                      GTestDataFunc fn)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/machine/%s/%zu-%s", prefix, i,
                                                cases[i].reason ? "refused"
                                                                : "taken");

        g_test_add_data_func(path, &cases[i], fn);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_map_init();
    g_test_add_func("/machine/defaults", test_defaults);
    g_test_add_func("/machine/class-is-found-by-name-and-alias",
                    test_class_is_found_by_name_and_alias);
    add_cases("memory", memory_cases, ARRAY_SIZE(memory_cases), test_memory);
    add_cases("smp", smp_cases, ARRAY_SIZE(smp_cases), test_smp);
    g_test_add_func("/numa/memory-and-cpus-are-shared-out",
                    test_memory_and_cpus_are_shared_out);
    g_test_add_func("/numa/given-memory-and-cpus-are-kept",
                    test_given_memory_and_cpus_are_kept);
    g_test_add_func("/numa/nodes-are-optional",
                    test_nodes_are_optional);
    for (size_t i = 0; i < ARRAY_SIZE(numa_cases); i++) {
        g_autofree char *path = g_strdup_printf("/numa/refuses/%s",
                                                numa_cases[i].name);

        g_test_add_data_func(path, &numa_cases[i], test_numa_refuses);
    }
    g_test_add_func("/machine/ram/is-made-when-no-backend-is-named",
                    test_ram_is_made_when_no_backend_is_named);
    g_test_add_func("/machine/ram/named-backend-is-the-ram",
                    test_named_backend_is_the_ram);
    g_test_add_func("/machine/ram/unfit-backend-is-refused",
                    test_unfit_backend_is_refused);
    g_test_add_func("/machine/ram/nodes-backends-are-put-in-a-row",
                    test_nodes_backends_are_put_in_a_row);
    return g_test_run();
}
