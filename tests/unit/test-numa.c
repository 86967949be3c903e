/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -numa dist, cpu, hmat-lb and hmat-cache, in the words of a command line: what
 * comes of several, and what is refused. Nodes themselves are in test-machine.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "qemu/keyval.h"
#include "qemu/units.h"
#include "sysemu/numa.h"

static void board_class_init(ObjectClass *klass, void *data)
{
    MACHINE_CLASS(klass)->default_ram_size = 128 * MiB;
}

static const TypeInfo board_types[] = {
    {
        .name = MACHINE_TYPE_NAME("board"),
        .parent = TYPE_MACHINE,
        .class_init = board_class_init,
    },
};
DEFINE_TYPES(board_types)

/* Two sockets of two cores of two threads. */
static MachineState *new_board(void)
{
    MachineState *ms = MACHINE(object_new(MACHINE_TYPE_NAME("board")));

    ms->smp = (CpuTopology) {
        .cpus = 8, .max_cpus = 8, .sockets = 2, .cores = 2, .threads = 2,
    };
    ms->numa_state->hmat_enabled = true;
    return ms;
}

/* The options of @text, separated by blanks, and then all of it. */
static bool configure(MachineState *ms, const char *text, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word; word++) {
        g_autoptr(JsonObject) opts = keyval_parse(*word, "type", NULL,
                                                  &error_abort);

        if (!numa_parse(ms, opts, errp)) {
            return false;
        }
    }
    return numa_complete_configuration(ms, errp);
}

#define THREE "node node node "
#define CPUS "node,cpus=0-3 node,cpus=4-7 node,initiator=1 "
#define LB "hmat-lb,initiator=0,target=0,hierarchy=memory,data-type="
#define LB0 "hmat-lb,hierarchy=memory,data-type=access-latency,"
#define BOTH LB "access-latency,latency=5 " LB "access-bandwidth,bandwidth=1G "
#define CACHE "hmat-cache,node-id=0,"

static void test_one_direction_suffices(void)
{
    g_autoptr(MachineState) ms = new_board();
    NumaState *numa = ms->numa_state;

    configure(ms, THREE "dist,src=0,dst=1,val=21 dist,src=2,dst=0,val=255 "
              "dist,src=1,dst=2,val=17", &error_abort);
    g_assert_cmpuint(numa->distance[1][0], ==, 21);
    g_assert_cmpuint(numa->distance[0][2], ==, 255);
    g_assert_cmpuint(numa->distance[2][1], ==, 17);
    g_assert_cmpuint(numa->distance[2][2], ==, NUMA_DISTANCE_MIN);
}

static void test_directions_may_differ(void)
{
    g_autoptr(MachineState) ms = new_board();

    configure(ms, "node node dist,src=0,dst=1,val=21 dist,src=1,dst=0,val=31",
              &error_abort);
    g_assert_cmpuint(ms->numa_state->distance[0][1], ==, 21);
    g_assert_cmpuint(ms->numa_state->distance[1][0], ==, 31);
}

static void test_cpus_are_found_by_place(void)
{
    g_autoptr(MachineState) ms = new_board();
    static const uint8_t expected[] = { 1, 1, 1, 1, 0, 0, 0, 1 };

    configure(ms, "node node cpu,node-id=1,socket-id=0 "
              "cpu,node-id=0,socket-id=1,core-id=0 "
              "cpu,node-id=0,socket-id=1,die-id=0,core-id=1,thread-id=0 "
              "cpu,node-id=1,socket-id=1,core-id=1,thread-id=1", &error_abort);
    g_assert_cmpmem(ms->numa_state->cpu_node, 8, expected, 8);
}

static void test_cpus_left_over_are_node_0s(void)
{
    g_autoptr(MachineState) ms = new_board();
    static const uint8_t expected[] = { 0, 1, 0, 1, 0, 1, 0, 1 };

    configure(ms, "node node cpu,node-id=1,thread-id=1", &error_abort);
    g_assert_cmpmem(ms->numa_state->cpu_node, 8, expected, 8);
}

static void test_initiators(void)
{
    g_autoptr(MachineState) ms = new_board();
    NumaState *numa = ms->numa_state;

    configure(ms, CPUS "node", &error_abort);
    g_assert_cmpint(numa->nodes[0].initiator, ==, 0);
    g_assert_cmpint(numa->nodes[1].initiator, ==, 1);
    g_assert_cmpint(numa->nodes[2].initiator, ==, 1);
    g_assert_cmpint(numa->nodes[3].initiator, ==, -1);
}

static void test_units(void)
{
    g_autoptr(MachineState) ms = new_board();
    NumaState *numa = ms->numa_state;

    configure(ms, CPUS LB "access-latency,latency=0 "
              LB0 "initiator=0,target=1,latency=12 "
              LB0 "initiator=1,target=1,latency=262136 "
              LB "read-bandwidth,bandwidth=65534T", &error_abort);
    g_assert_cmpuint(numa->hmat[0][0]->len, ==, 2);
    g_assert_cmpuint(hmat_unit(numa->hmat[0][0]), ==, 4);
    /* 32767 * 2 TiB/s, in MiB/s */
    g_assert_cmpuint(hmat_unit(numa->hmat[0][4]), ==, 2 * MiB);
}

static void test_caches(void)
{
    g_autoptr(MachineState) ms = new_board();
    NumaState *numa = ms->numa_state;
    HmatCache *cache;

    configure(ms, CPUS BOTH CACHE "level=2,size=10K,line=64 "
              CACHE "level=1,size=64K,associativity=complex,policy=write-through "
              CACHE "level=0,size=1M", &error_abort);
    g_assert_cmpuint(numa->hmat_caches->len, ==, 3);
    cache = &g_array_index(numa->hmat_caches, HmatCache, 1);
    g_assert_cmpuint(cache->size, ==, 64 * KiB);
    g_assert_cmpuint(cache->associativity, ==, 2);
    g_assert_cmpuint(cache->policy, ==, 2);
    g_assert_cmpuint(cache->line, ==, 0);
}

typedef struct Refusal {
    const char *options;
    const char *says;
} Refusal;

static const Refusal refusals[] = {
    { "node dist,src=0,val=20", "Parameter 'dst' is missing" },
    { "node dist,src=0,dst=1,val=20", "Invalid dst=1" },
    { "node dist,src=0,dst=x,val=20", "dst=x: a number from 0 to 127" },
    { "node node dist,src=0,dst=1,val=9", "shouldn't be less than 10" },
    { "node node dist,src=0,dst=1,val=256", "val=256: a number from 0 to 255" },
    { "node dist,src=0,dst=0,val=11", "Local distance of node 0 should be 10" },
    { "node dist,src=0,dst=0,val=10,way=far", "Invalid parameter 'way'" },
    { THREE "dist,src=0,dst=1,val=20", "between node 0 and 2 is missing" },
    { THREE "dist,src=0,dst=1,val=20 dist,src=1,dst=0,val=21 "
      "dist,src=0,dst=2,val=20 dist,src=1,dst=2,val=20",
      "node 0 and 2 is needed for both directions" },
    { "node cpu,node-id=1,socket-id=0", "Invalid node-id=1" },
    { "node cpu,socket-id=0", "Parameter 'node-id' is missing" },
    { "node cpu,node-id=0,socket-id=2", "-smp has 2 sockets of 2 cores of 2" },
    { "node cpu,node-id=0,die-id=1", "die-id=1: a number from 0 to 0" },
    { "node cpu,node-id=0,thread-id=two", "thread-id=two: a number" },
    { "node node cpu,node-id=0,socket-id=0 cpu,node-id=1,core-id=0",
      "CPU 0 is already assigned to node 0" },
    { "node,cpus=0-6 node,cpus=7,initiator=0", "node 1 has CPUs, so its" },
    { "node,cpus=0-7 node,initiator=1", "initiator=1 of node 1: this node has" },
    { "node,cpus=0-7 node,initiator=9", "initiator=9 of node 1: this node has" },
    { CPUS LB0 "initiator=2,target=0,latency=1", "initiator=2: this node has" },
    { CPUS LB0 "initiator=0,target=3,latency=1", "Invalid target=3" },
    { CPUS LB "speed,latency=1", "data-type=speed: one of access-latency," },
    { CPUS LB "read-latency,bandwidth=1M", "wants 'latency', and no" },
    { CPUS LB "read-bandwidth,latency=1", "wants 'bandwidth', and no" },
    { CPUS LB "read-bandwidth,bandwidth=1M,latency=1", "wants 'bandwidth'" },
    { CPUS LB "read-bandwidth,bandwidth=1000", "a multiple of 1 MiB" },
    { CPUS LB "read-latency,latency=fast", "latency=fast: a number is" },
    { CPUS LB "read-latency,latency=1 " LB "read-latency,latency=2",
      "read-latency from node 0 to node 0 has been given already" },
    { CPUS LB "read-latency,latency=65535", "65535 ns and what was given" },
    { CPUS LB "access-latency,latency=1 "
      LB0 "initiator=0,target=1,latency=65536", "65536 ns and what was given" },
    { CPUS "hmat-lb,initiator=0,target=0,data-type=read-latency,latency=1",
      "hierarchy=: one of memory, first-level" },
    { CPUS CACHE "level=1,size=1M", "latency and bandwidth of node-id=0" },
    { CPUS BOTH CACHE "level=4,size=1M", "level=4: a number from 0 to 3" },
    { CPUS BOTH CACHE "level=1", "size=: a size is expected" },
    { CPUS BOTH CACHE "level=1,size=1M,policy=write", "policy=write: one of" },
    { CPUS BOTH CACHE "level=1,size=1M,line=65536", "line=65536: a number" },
    { CPUS BOTH CACHE "level=0,size=1M,line=8", "level=0 means that there is" },
    { CPUS BOTH CACHE "level=1,size=1M " CACHE "level=1,size=1M",
      "a memory side cache of level 1 already" },
    { CPUS BOTH CACHE "level=1,size=1M " CACHE "level=2,size=1M",
      "level 2 (1048576) should be less than that of level 1" },
    { CPUS BOTH CACHE "level=1,size=1M " CACHE "level=0,size=1M",
      "level 0 (1048576) should be greater than that of level 1" },
};

static void test_refused(gconstpointer data)
{
    const Refusal *r = data;
    g_autoptr(MachineState) ms = new_board();
    Error *err = NULL;

    if (configure(ms, r->options, &err)) {
        g_error("%s: is taken", r->options);
    }
    if (!strstr(error_get_pretty(err), r->says)) {
        g_error("%s: %s", r->options, error_get_pretty(err));
    }
    error_free(err);
}

/* -machine hmat=on is asked for where it would be needed. */
static void test_hmat_is_off_by_default(void)
{
    static const char *const options[] = {
        "node,initiator=0", "node " LB "read-latency,latency=1",
        "node " CACHE "level=1,size=1M",
    };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        g_autoptr(MachineState) ms = new_board();
        Error *err = NULL;

        ms->numa_state->hmat_enabled = false;
        g_assert_false(configure(ms, options[i], &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "-machine hmat=on"));
        error_free(err);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/numa/one-direction-suffices",
                    test_one_direction_suffices);
    g_test_add_func("/numa/directions-may-differ", test_directions_may_differ);
    g_test_add_func("/numa/cpus-are-found-by-place",
                    test_cpus_are_found_by_place);
    g_test_add_func("/numa/cpus-left-over-are-node-0s",
                    test_cpus_left_over_are_node_0s);
    g_test_add_func("/numa/initiators", test_initiators);
    g_test_add_func("/numa/units", test_units);
    g_test_add_func("/numa/caches", test_caches);
    g_test_add_func("/numa/hmat-is-off-by-default",
                    test_hmat_is_off_by_default);
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        g_autofree char *path = g_strdup_printf("/numa/refused/%zu", i);

        g_test_add_data_func(path, &refusals[i], test_refused);
    }
    return g_test_run();
}
