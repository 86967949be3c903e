/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vfio-user devices are shown of guest memory is what virtio-mem devices
 * have plugged: whatever the guest asks for, in whatever order, whatever is
 * reset, and whoever goes away.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "coordination.h"
#include "qemu/units.h"

#define VM0 "/machine/peripheral/vm0"

/* Two devices of either kind; vfio-user device 0 came before the memory. */
static void start_two_of_each(Coordination *c)
{
    coordination_start(
        c, 2, 2, "", " -m 64M,maxmem=4G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-object memory-backend-memfd,id=mem1,size=512M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M "
        "-device virtio-mem-pci,id=vm1,memdev=mem1,block-size=4M,"
        "requested-size=128M");
}

typedef struct Fixture {
    Coordination c;
    QVirtioMem *vmem;
    uint64_t addr;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
    f->vmem = &f->c.mem[0];
    f->addr = f->c.config[0].addr;
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
}

/* --- requests ------------------------------------------------------------- */

static void test_nothing_plugged_nothing_shown(Fixture *f, const void *data)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < f->c.boot[0]->len; i++) {
        bytes += g_array_index(f->c.boot[0], QMapping, i).size;
    }
    g_assert_cmpuint(bytes, ==, 64 * MiB);
    coordination_expect(&f->c, 0, "");
}

static void test_multi_block_plug_then_partial_unplugs(Fixture *f,
                                                       const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 2 * BLOCK, 10));
    coordination_expect(&f->c, 0, "..##########..");
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 5 * BLOCK, 3));
    coordination_expect(&f->c, 0, "..###...####..");
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 2 * BLOCK, 1));
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 11 * BLOCK, 1));
    coordination_expect(&f->c, 0, "...##...###...");
}

/* Runs that were plugged apart are unplugged together: the server demands each
 * mapping back as it was given. */
static void test_multi_block_unplug_of_several_plugs(Fixture *f,
                                                     const void *data)
{
    for (unsigned i = 0; i < 8; i += 2) {
        assert_ack(qvirtio_mem_plug(f->vmem, f->addr + i * BLOCK, 1));
    }
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 8 * BLOCK, 4));
    for (unsigned i = 1; i < 8; i += 2) {
        assert_ack(qvirtio_mem_plug(f->vmem, f->addr + i * BLOCK, 1));
    }
    coordination_expect(&f->c, 0, "############.");
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + BLOCK, 9));
    coordination_expect(&f->c, 0, "#.........##.");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + BLOCK, 9));
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr, 12));
    coordination_expect(&f->c, 0, "");
    g_assert_cmpuint(f->c.server[0]->refusals, ==, 0);
}

static void test_unplug_all_takes_just_what_was_there(Fixture *f,
                                                      const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 7 * BLOCK, 20));
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 9 * BLOCK, 2));
    assert_ack(qvirtio_mem_unplug_all(f->vmem));
    coordination_expect(&f->c, 0, "");
    g_assert_cmpuint(f->c.server[0]->unmaps, ==, 21);
    assert_ack(qvirtio_mem_unplug_all(f->vmem));
    coordination_expect(&f->c, 0, "");
    g_assert_cmpuint(f->c.server[0]->unmaps, ==, 21);
}

/* No bad argument of any request reaches the devices. */
static void test_bad_requests_change_no_mapping(Fixture *f, const void *data)
{
    uint64_t addr = f->addr, end = addr + f->c.config[0].region_size;
    const struct {
        uint64_t addr;
        uint16_t nb_blocks;
    } bad[] = {
        { addr + 2 * BLOCK, 0 }, { addr + 1, 1 }, { addr + BLOCK / 2, 2 },
        { addr - BLOCK, 1 }, { addr - BLOCK, 4 }, { addr, UINT16_MAX },
        { end, 1 }, { end - BLOCK, 2 }, { 0, 1 }, { 0, UINT16_MAX },
        { UINT64_MAX, 1 }, { UINT64_MAX - BLOCK + 1, 2 },
        { addr | 1ULL << 63, 1 }, { addr - 0x10000 * BLOCK, UINT16_MAX },
    };
    const uint16_t types[] = {
        VIRTIO_MEM_REQ_PLUG, VIRTIO_MEM_REQ_UNPLUG, VIRTIO_MEM_REQ_STATE, 4,
        0xff00, 0xffff,
    };

    assert_ack(qvirtio_mem_plug(f->vmem, addr + 2 * BLOCK, 3));
    for (unsigned t = 0; t < G_N_ELEMENTS(types); t++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
            assert_error(qvirtio_mem_request(f->vmem, types[t], bad[i].addr,
                                             bad[i].nb_blocks, NULL));
        }
        coordination_expect(&f->c, 0, "..###");
    }
    g_assert_cmpuint(f->c.server[0]->unmaps, ==, 0);
}

/* Requests that are well formed, but do not suit what is plugged. */
static void test_unsuitable_requests_change_no_mapping(Fixture *f,
                                                       const void *data)
{
    uint64_t addr = f->addr;

    assert_ack(qvirtio_mem_plug(f->vmem, addr + 2 * BLOCK, 3));
    assert_error(qvirtio_mem_plug(f->vmem, addr + 4 * BLOCK, 1));
    assert_error(qvirtio_mem_plug(f->vmem, addr, 3));
    assert_error(qvirtio_mem_plug(f->vmem, addr + 4 * BLOCK, 9));
    assert_error(qvirtio_mem_unplug(f->vmem, addr, 2));
    assert_error(qvirtio_mem_unplug(f->vmem, addr + BLOCK, 2));
    assert_error(qvirtio_mem_unplug(f->vmem, addr + 2 * BLOCK, 4));
    assert_nack(qvirtio_mem_plug(f->vmem, addr + 5 * BLOCK, 30));
    qtest_qom_set_uint(f->c.qts, VM0, "requested-size", 2 * BLOCK);
    assert_nack(qvirtio_mem_plug(f->vmem, addr, 1));
    coordination_expect(&f->c, 0, "..###");
    g_assert_cmpuint(f->c.server[0]->maps, ==, f->c.boot[0]->len + 3);
    g_assert_cmpuint(f->c.server[0]->unmaps, ==, 0);
}

static void wait_needs_reset(QVirtioPCI *vdev)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!(qvirtio_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* Chains that are no requests break the virtio device, and nothing else. */
static void test_malformed_chains_change_no_mapping(Fixture *f,
                                                    const void *data)
{
    const struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    const QVirtioBuffer bad[][2] = {
        { { f->vmem->request, sizeof(req) - 1, false },
          { f->vmem->response, sizeof(struct virtio_mem_resp), true } },
        { { f->vmem->request, sizeof(req), false },
          { f->vmem->response, 1, true } },
        { { f->vmem->response, sizeof(struct virtio_mem_resp), true },
          { f->vmem->request, sizeof(req), false } },
        { { f->addr + 9 * BLOCK, sizeof(req), false },
          { f->vmem->response, sizeof(struct virtio_mem_resp), true } },
        { { UINT64_MAX - 4, sizeof(req), false },
          { f->vmem->response, sizeof(struct virtio_mem_resp), true } },
    };

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 3));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qtest_memwrite(f->c.qts, f->vmem->request, &req, sizeof(req));
        qvirtqueue_add(&f->vmem->vq, bad[i], 2);
        qvirtqueue_kick(&f->vmem->vq);
        wait_needs_reset(&f->vmem->vdev);
        qvirtio_mem_restart(f->vmem);
        coordination_expect(&f->c, 0, "###");
    }
}

/* --- resets --------------------------------------------------------------- */

static void test_device_reset_keeps_memory_mapped(Fixture *f, const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + BLOCK, 4));
    g_assert_cmpuint(qvfio_user_fill(&f->c.dev[0], f->addr + BLOCK, 0x77,
                                     BLOCK), ==, 0);
    qvirtio_mem_restart(f->vmem);
    coordination_expect(&f->c, 0, ".####");
    g_assert_cmpuint(f->c.server[0]->maps, ==, f->c.boot[0]->len + 4);
    g_assert_cmphex(qtest_readb(f->c.qts, f->addr + BLOCK), ==, 0x77);
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 2 * BLOCK, 2));
    coordination_expect(&f->c, 0, ".#..#");
}

static void test_system_reset_leaves_boot_memory_only(Fixture *f,
                                                      const void *data)
{
    /* All that is requested, and then all that there is. */
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 32));
    qtest_qom_set_uint(f->c.qts, VM0, "requested-size", 256 * MiB);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 32 * BLOCK, 96));
    coordination_system_reset(&f->c);
    coordination_restart_drivers(&f->c);
    coordination_expect(&f->c, 0, "");
    g_assert_cmpuint(f->c.server[0]->unmaps, ==, 128);
    g_assert_cmpuint(qvfio_user_fill(&f->c.dev[0], f->addr, 1, 4096), ==,
                     EFAULT);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    coordination_expect(&f->c, 0, "##");
    g_assert_cmpuint(qvfio_user_fill(&f->c.dev[0], f->addr, 1, 4096), ==, 0);
}

static void test_resets_in_a_row(Fixture *f, const void *data)
{
    for (unsigned i = 0; i < 10; i++) {
        assert_ack(qvirtio_mem_plug(f->vmem, f->addr + i * BLOCK, 3 + i));
        coordination_system_reset(&f->c);
        coordination_system_reset(&f->c);
        coordination_restart_drivers(&f->c);
        coordination_expect(&f->c, 0, "");
    }
    g_assert_cmpuint(f->c.server[0]->refusals, ==, 0);
}

/* --- several of each ------------------------------------------------------ */

static void test_all_devices_see_the_same(void)
{
    Coordination c;

    start_two_of_each(&c);
    assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 1), 3));
    assert_ack(qvirtio_mem_plug(&c.mem[1], coordination_block(&c, 1, 0), 2));
    assert_error(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 1, 3), 1));
    coordination_expect(&c, 0, ".###");
    coordination_expect(&c, 1, "##");
    g_assert_cmpuint(qvfio_user_fill(&c.dev[0], coordination_block(&c, 1, 1),
                                     0x21, 4 * MiB), ==, 0);
    g_assert_cmpuint(qvfio_user_copy(&c.dev[1], coordination_block(&c, 0, 2),
                                     coordination_block(&c, 1, 1), BLOCK), ==,
                     0);
    g_assert_cmphex(qtest_readb(c.qts, coordination_block(&c, 0, 3) - 1), ==,
                    0x21);
    assert_ack(qvirtio_mem_unplug_all(&c.mem[0]));
    coordination_expect(&c, 0, "");
    coordination_expect(&c, 1, "##");
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(qvfio_user_fill(&c.dev[i],
                                         coordination_block(&c, 0, 2), 1, 1),
                         ==, EFAULT);
    }
    coordination_stop(&c);
}

static void test_system_reset_of_all_devices(void)
{
    Coordination c;

    start_two_of_each(&c);
    assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 9), 5));
    assert_ack(qvirtio_mem_plug(&c.mem[1], coordination_block(&c, 1, 5), 27));
    coordination_system_reset(&c);
    coordination_restart_drivers(&c);
    coordination_expect(&c, 0, "");
    coordination_expect(&c, 1, "");
    coordination_stop(&c);
}

/* What of a device's BAR can be mapped is memory to the other device, as long
 * as it is there. */
static void test_devices_reach_each_others_memory(void)
{
    Coordination c;
    QPCIDevice *pci;
    uint64_t bar;

    start_two_of_each(&c);
    pci = &c.dev[0].pci;
    assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 0), 1));
    bar = qpci_map_bar(pci, 2) + TESTDEV_BAR2_MMAP_OFFSET;
    g_assert_cmpuint(qvfio_user_fill(&c.dev[1], bar, 0x42, 4096), ==, 0);
    g_assert_cmphex(qtest_readl(c.qts, bar + 4092), ==, 0x42424242);
    g_assert_cmpuint(qvfio_user_copy(&c.dev[1], coordination_block(&c, 0, 0),
                                     bar, 4096), ==, 0);
    g_assert_cmphex(qtest_readl(c.qts, coordination_block(&c, 0, 0)), ==,
                    0x42424242);
    qpci_config_writew(c.qts, pci->devfn, PCI_COMMAND, PCI_COMMAND_MASTER);
    g_assert_cmpuint(qvfio_user_fill(&c.dev[1], bar, 1, 1), ==, EFAULT);
    qpci_enable(pci);
    g_assert_cmpuint(qvfio_user_fill(&c.dev[1], bar, 1, 1), ==, 0);
    coordination_system_reset(&c);
    coordination_restart_drivers(&c);
    coordination_expect(&c, 0, "");
    coordination_stop(&c);
}

/* --- devices that come late ----------------------------------------------- */

#define DEVICE_ADD \
    "{'execute': 'device_add', 'arguments': {'driver': 'vfio-user-pci', " \
    "'id': 'late', 'bus': 'rp0', 'socket': '%s'}}"

/* One device, and a slot for another; some memory is plugged. */
static void start_with_slot(Coordination *c)
{
    coordination_start(
        c, 1, 1, "", " -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M -device pcie-root-port,id=rp0,chassis=1");
    assert_ack(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 1), 3));
    assert_ack(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 6), 1));
}

static void check_same_mappings(QVFIOUserServer *a, QVFIOUserServer *b)
{
    g_autoptr(GArray) of_a = qvfio_user_server_mappings(a);
    g_autoptr(GArray) of_b = qvfio_user_server_mappings(b);

    g_assert_cmpmem(of_a->data, of_a->len * sizeof(QMapping), of_b->data,
                    of_b->len * sizeof(QMapping));
}

static void test_device_added_after_plugging_sees_the_same(void)
{
    QVFIOUserServer *late = qvfio_user_server_new("%s", "");
    Coordination c;

    start_with_slot(&c);
    json_node_unref(qmp_client_do(qtest_qmp(c.qts), DEVICE_ADD, late->socket));
    coordination_expect(&c, 0, ".###..#");
    check_same_mappings(c.server[0], late);
    assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 4), 2));
    assert_ack(qvirtio_mem_unplug(&c.mem[0], coordination_block(&c, 0, 2), 3));
    coordination_expect(&c, 0, ".#...##");
    check_same_mappings(c.server[0], late);
    coordination_system_reset(&c);
    coordination_restart_drivers(&c);
    coordination_expect(&c, 0, "");
    check_same_mappings(c.server[0], late);
    g_assert_cmpuint(late->refusals, ==, 0);
    coordination_stop(&c);
    qvfio_user_server_wait_disconnect(late);
    qvfio_user_server_free(late);
}

/* Whichever of the mappings that are there it refuses: it does not come, the
 * rest is as it was, and another attempt may succeed. */
static void test_device_that_refuses_what_is_plugged_does_not_come(void)
{
    Coordination c;
    unsigned nr_mappings;

    start_with_slot(&c);
    nr_mappings = c.boot[0]->len + 4;
    for (unsigned n = 1; n <= nr_mappings + 1; n++) {
        QVFIOUserServer *late = qvfio_user_server_new("--refuse-map=%u", n);

        if (n <= nr_mappings) {
            qmp_client_expect_error(qtest_qmp(c.qts), "GenericError",
                                    "cannot map", DEVICE_ADD, late->socket);
            qvfio_user_server_wait_disconnect(late);
            g_assert_cmpuint(late->maps, ==, n - 1);
            g_assert_cmpuint(late->unmaps, ==, n - 1);
        } else {
            json_node_unref(qmp_client_do(qtest_qmp(c.qts), DEVICE_ADD,
                                          late->socket));
            check_same_mappings(c.server[0], late);
        }
        coordination_expect(&c, 0, ".###..#");
        qvfio_user_server_free(late);
    }
    coordination_stop(&c);
}

/* --- devices that go ------------------------------------------------------ */

/* The other one goes on; whoever is gone no longer has a say. */
static void test_server_that_is_killed_leaves_the_rest(void)
{
    Coordination c;
    uint64_t addr;

    start_two_of_each(&c);
    addr = c.config[0].addr;
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr, 4));
    qvfio_user_server_kill(c.server[0]);
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr + BLOCK, 1));
    g_assert_cmphex(qvfio_user_readl(&c.dev[0], TESTDEV_REG_ID), !=,
                    TESTDEV_ID);
    g_assert_cmphex(qpci_config_readl(c.qts, c.dev[0].pci.devfn,
                                      PCI_VENDOR_ID), ==, UINT32_MAX);
    qvfio_user_server_free(c.server[0]);
    /* What is left is the second one. */
    c.server[0] = c.server[1];
    c.dev[0] = c.dev[1];
    g_array_unref(c.boot[0]);
    c.boot[0] = c.boot[1];
    c.nr_devs = 1;
    coordination_expect(&c, 0, "#.##");
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + BLOCK, 1));
    coordination_expect(&c, 0, "####");
    g_assert_cmpuint(qvfio_user_fill(&c.dev[0], addr, 1, 4 * BLOCK), ==, 0);
    qmp_client_check_alive(qtest_qmp(c.qts));
    coordination_stop(&c);
}

/* Ends with everything plugged: the servers see their client go. */
static void test_emulator_ends_while_memory_is_mapped(void)
{
    Coordination c;

    start_two_of_each(&c);
    assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 0), 32));
    assert_ack(qvirtio_mem_plug(&c.mem[1], coordination_block(&c, 1, 0), 32));
    coordination_expect(&c, 0, "################################");
    qtest_quit(c.qts);
    for (unsigned i = 0; i < 2; i++) {
        qvfio_user_server_wait_disconnect(c.server[i]);
        g_assert_cmpint(g_tree_nnodes(c.server[i]->mappings), ==, 0);
        qvfio_user_server_free(c.server[i]);
        g_array_unref(c.boot[i]);
    }
}

#define ADD(name, fn) \
    g_test_add("/coordination/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("nothing-plugged-nothing-shown", test_nothing_plugged_nothing_shown);
    ADD("multi-block-plug-then-partial-unplugs",
        test_multi_block_plug_then_partial_unplugs);
    ADD("multi-block-unplug-of-several-plugs",
        test_multi_block_unplug_of_several_plugs);
    ADD("unplug-all-takes-just-what-was-there",
        test_unplug_all_takes_just_what_was_there);
    ADD("bad-requests-change-no-mapping", test_bad_requests_change_no_mapping);
    ADD("unsuitable-requests-change-no-mapping",
        test_unsuitable_requests_change_no_mapping);
    ADD("malformed-chains-change-no-mapping",
        test_malformed_chains_change_no_mapping);
    ADD("device-reset-keeps-memory-mapped",
        test_device_reset_keeps_memory_mapped);
    ADD("system-reset-leaves-boot-memory-only",
        test_system_reset_leaves_boot_memory_only);
    ADD("resets-in-a-row", test_resets_in_a_row);
    g_test_add_func("/coordination/all-devices-see-the-same",
                    test_all_devices_see_the_same);
    g_test_add_func("/coordination/system-reset-of-all-devices",
                    test_system_reset_of_all_devices);
    g_test_add_func("/coordination/devices-reach-each-others-memory",
                    test_devices_reach_each_others_memory);
    g_test_add_func("/coordination/device-added-after-plugging-sees-the-same",
                    test_device_added_after_plugging_sees_the_same);
    g_test_add_func("/coordination/"
                    "device-that-refuses-what-is-plugged-does-not-come",
                    test_device_that_refuses_what_is_plugged_does_not_come);
    g_test_add_func("/coordination/server-that-is-killed-leaves-the-rest",
                    test_server_that_is_killed_leaves_the_rest);
    g_test_add_func("/coordination/emulator-ends-while-memory-is-mapped",
                    test_emulator_ends_while_memory_is_mapped);
    return g_test_run();
}
