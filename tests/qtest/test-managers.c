/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two managers on the memory of a virtio-mem device: what a vfio-user device
 * can reach is what the guest has plugged and the other manager populated,
 * whoever comes and goes. The other one is a ram-discard-test-mgr.
 */
#include <errno.h>

#include "coordination.h"
#include "qemu/units.h"

#define OTHER "/objects/other"

typedef struct Fixture {
    Coordination c;
    QmpClient *qmp;
    QVirtioMem *vmem;
    uint64_t addr;
    unsigned refusals;                    /* that were arranged */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
    f->qmp = qtest_qmp(f->c.qts);
    f->vmem = &f->c.mem[0];
    f->addr = f->c.config[0].addr;
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
}

/* --- the other manager ---------------------------------------------------- */

static void add_other(Fixture *f, const char *options)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'ram-discard-test-mgr', 'id': 'other', 'memdev': 'mem0'%s}}",
        options));
}

static void add_other_fails(Fixture *f, const char *options, const char *part)
{
    qmp_client_expect_error(
        f->qmp, "GenericError", part, "{'execute': 'object-add', 'arguments': "
        "{'qom-type': 'ram-discard-test-mgr', 'id': 'other'%s}}", options);
}

#define DEL_OTHER "{'execute': 'object-del', 'arguments': {'id': 'other'}}"

static void del_other(Fixture *f)
{
    json_node_unref(qmp_client_do(f->qmp, "%s", DEL_OTHER));
}

#define SET_OTHER "{'execute': 'qom-set', 'arguments': {'path': '" OTHER "', " \
                  "'property': '%s', 'value': '%s'}}"

/* "populate" or "discard" "4M+8M" */
static void tell_other(Fixture *f, const char *what, const char *range)
{
    json_node_unref(qmp_client_do(f->qmp, SET_OTHER, what, range));
}

static void tell_other_fails(Fixture *f, const char *what, const char *range,
                             const char *part)
{
    qmp_client_expect_error(f->qmp, "GenericError", part, SET_OTHER, what,
                            range);
}

/* Which blocks the device can reach: by its mappings, and by trying. */
static void expect_reach(Fixture *f, const char *picture)
{
    unsigned count = 0;

    for (unsigned i = 0; picture[i]; i++) {
        uint64_t block = f->addr + i * BLOCK;
        uint32_t ret = qvfio_user_fill(&f->c.dev[0], block + BLOCK - 4096,
                                       (uint8_t)i, 4096);

        g_assert_cmpuint(ret, ==, picture[i] == '#' ? 0 : EFAULT);
        count += picture[i] == '#';
    }
    qvfio_user_server_update(f->c.server[0]);
    g_assert_cmpuint(g_tree_nnodes(f->c.server[0]->mappings), ==,
                     f->c.boot[0]->len + count);
    g_assert_cmpuint(f->c.server[0]->refusals, ==, f->refusals);
}

/* --- agreement ------------------------------------------------------------ */

static void test_reaches_what_both_have(Fixture *f, const void *data)
{
    add_other(f, ", 'granularity': 4194304");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + BLOCK, 6));
    expect_reach(f, "........");
    tell_other(f, "populate", "4M+8M");
    expect_reach(f, "..####..");
    g_assert_cmpuint(qtest_qom_get_uint(f->c.qts, OTHER, "populated-size"), ==,
                     8 * MiB);
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 3 * BLOCK, 1));
    expect_reach(f, "..#.##..");
    tell_other(f, "discard", "8M+4M");
    expect_reach(f, "..#.....");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 3 * BLOCK, 1));
    expect_reach(f, "..##....");
    del_other(f);
    expect_reach(f, ".######.");
}

static void test_coming_and_going_tells_the_difference(Fixture *f,
                                                       const void *data)
{
    QVFIOUserServer *server = f->c.server[0];
    uint64_t maps, unmaps;

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 8));
    expect_reach(f, "########");
    maps = server->maps;
    unmaps = server->unmaps;
    add_other(f, ", 'populated': true");
    expect_reach(f, "########");
    tell_other(f, "discard", "4M+4M");
    expect_reach(f, "##..####");
    g_assert_cmpuint(server->unmaps, ==, unmaps + 2);
    g_assert_cmpuint(server->maps, ==, maps);
    del_other(f);
    expect_reach(f, "########");
    g_assert_cmpuint(server->maps, ==, maps + 2);
    g_assert_cmpuint(server->unmaps, ==, unmaps + 2);
}

static void test_system_reset_leaves_the_other_alone(Fixture *f,
                                                     const void *data)
{
    add_other(f, "");
    tell_other(f, "populate", "0+8M");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + BLOCK, 8));
    expect_reach(f, ".###....");
    coordination_system_reset(&f->c);
    coordination_restart_drivers(&f->c);
    expect_reach(f, "........");
    g_assert_cmpuint(qtest_qom_get_uint(f->c.qts, OTHER, "populated-size"), ==,
                     8 * MiB);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    expect_reach(f, "##......");
}

static void refuse_second_map(Fixture *f)
{
    qvfio_user_arm(&f->c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 1, ENOSPC);
    f->refusals++;
}

/* What a device refuses, virtio-mem refuses its guest. */
static void test_objection_reaches_the_guest(Fixture *f, const void *data)
{
    add_other(f, "");
    tell_other(f, "populate", "0+8M");
    refuse_second_map(f);
    assert_busy(qvirtio_mem_plug(f->vmem, f->addr, 8));
    expect_reach(f, "........");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 8));
    expect_reach(f, "####....");
    refuse_second_map(f);
    tell_other_fails(f, "populate", "8M+8M", "refused by vfio: ");
    expect_reach(f, "####....");
    refuse_second_map(f);
    qmp_client_expect_error(f->qmp, "GenericError", "refused by vfio: ", "%s",
                            DEL_OTHER);
    expect_reach(f, "####....");
    tell_other(f, "discard", "0+2M");
    expect_reach(f, ".###....");
    del_other(f);
    expect_reach(f, "########");
}

/* --- block sizes ---------------------------------------------------------- */

static void test_smaller_blocks_only_while_nothing_is_held(Fixture *f,
                                                           const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    add_other_fails(f, ", 'memdev': 'mem0', 'granularity': 1048576",
                    "is in use by vfio in blocks of 2097152 bytes");
    expect_reach(f, "##");
    assert_ack(qvirtio_mem_unplug_all(f->vmem));
    add_other(f, ", 'granularity': 1048576");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    tell_other(f, "populate", "1M+2M");
    qvfio_user_server_update(f->c.server[0]);
    g_assert_cmpuint(qvfio_user_probe(&f->c.dev[0], f->addr), ==, 0);
    g_assert_cmpuint(qvfio_user_probe(&f->c.dev[0], f->addr + MiB), ==, MiB);
    assert_ack(qvirtio_mem_unplug_all(f->vmem));
    expect_reach(f, "....");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    del_other(f);
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr, 1));
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + BLOCK, 1));
    expect_reach(f, "....");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    expect_reach(f, "##..");
}

/* --- what a user can get wrong -------------------------------------------- */

static void test_mistakes_are_told(Fixture *f, const void *data)
{
    add_other_fails(f, "", "'memdev' is not set");
    add_other_fails(f, ", 'memdev': 'mem0', 'granularity': 3145728",
                    "'granularity' (3145728) has to be a power of two");
    add_other_fails(f, ", 'memdev': 'mem0', 'granularity': 1024",
                    "at least the page size (4096) of 'mem0'");
    add_other_fails(f, ", 'memdev': 'boot'",
                    "memory region 'boot' is in use as a whole");
    add_other(f, "");
    tell_other_fails(f, "populate", "1M+2M", "is not OFFSET+SIZE");
    tell_other_fails(f, "populate", "0+0", "is not OFFSET+SIZE");
    tell_other_fails(f, "populate", "2M", "is not OFFSET+SIZE");
    tell_other_fails(f, "discard", "254M+4M", "within 268435456 bytes");
    tell_other_fails(f, "populate", "2M+18446744073707454464",
                     "is not OFFSET+SIZE");
    tell_other_fails(f, "discard", "2M+2M", "is discarded already");
    tell_other(f, "populate", "2M+4M");
    tell_other_fails(f, "populate", "4M+4M", "is populated already");
    tell_other_fails(f, "granularity", "4M", "cannot be changed");
    qmp_client_expect_error(f->qmp, "GenericError", "is in use", "%s",
                            "{'execute': 'object-del', 'arguments': "
                            "{'id': 'mem0'}}");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 4));
    expect_reach(f, ".##.");
}

#define DEL_VM0 "{'execute': 'device_del', 'arguments': {'id': 'vm0'}}"

static void test_virtio_mem_goes_last(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M,maxmem=2G -object memory-backend-memfd,id=mem0,size=64M "
        "-device pcie-root-port,id=rp0,chassis=1 -device virtio-mem-pci,"
        "id=vm0,memdev=mem0,block-size=2M,bus=rp0 "
        "-object ram-discard-test-mgr,id=other,memdev=mem0,granularity=4M");
    QmpClient *qmp = qtest_qmp(qts);

    qmp_client_expect_error(qmp, "GenericError", "another manager, '" OTHER
                            "', which has to go first", "%s", DEL_VM0);
    json_node_unref(qmp_client_do(qmp, "%s", DEL_OTHER));
    json_node_unref(qmp_client_do(qmp, "%s", DEL_VM0));
    qtest_quit(qts);
}

/* On the command line the other one comes first: -object is before -device. */
static void test_comes_before_virtio_mem(void)
{
    Coordination c;
    QVFIOUser *dev = &c.dev[0];

    coordination_start(
        &c, 1, 1, "", " -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-object ram-discard-test-mgr,id=other,memdev=mem0,granularity=4M,"
        "populated=on "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M");
    assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr, 4));
    coordination_expect(&c, 0, "####");
    json_node_unref(qmp_client_do(qtest_qmp(c.qts), SET_OTHER, "discard",
                                  "0+4M"));
    g_assert_cmpuint(qvfio_user_fill(dev, c.config[0].addr + BLOCK, 1, 1), ==,
                     EFAULT);
    g_assert_cmpuint(qvfio_user_fill(dev, c.config[0].addr + 2 * BLOCK, 1, 1),
                     ==, 0);
    coordination_stop(&c);
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
#define ADD(name, test)                                                    \
    g_test_add("/managers/" name, Fixture, NULL, setup, test, teardown)
    ADD("device-reaches-what-both-have", test_reaches_what_both_have);
    ADD("coming-and-going-tells-the-difference",
        test_coming_and_going_tells_the_difference);
    ADD("system-reset-leaves-the-other-alone",
        test_system_reset_leaves_the_other_alone);
    ADD("objection-reaches-the-guest", test_objection_reaches_the_guest);
    ADD("smaller-blocks-only-while-nothing-is-held",
        test_smaller_blocks_only_while_nothing_is_held);
    ADD("mistakes-are-told", test_mistakes_are_told);
    g_test_add_func("/managers/virtio-mem-goes-last",
                    test_virtio_mem_goes_last);
    g_test_add_func("/managers/other-comes-before-virtio-mem",
                    test_comes_before_virtio_mem);
    return g_test_run();
}
