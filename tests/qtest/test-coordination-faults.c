/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes wrong on the way from a request of the guest to a mapping: the
 * server refuses, stalls, talks nonsense or dies, at every step, or the host
 * cannot discard. The guest gets an answer that it can try again on, what is
 * mapped stays what is plugged, and the emulator lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordination.h"
#include "memfd.h"
#include "qemu/units.h"
#include "tests/patience.h"

/* How long a connection may be silent: while the emulator starts and is to give
 * up in any case, and in a guest that must not lose it for no reason. */
#define START_TIMEOUT_MS ((unsigned)(patience_us() / 1000 / 60))
#define TIMEOUT_MS ((unsigned)(patience_us() / 1000 / 12))

static void start(Coordination *c, unsigned nr_devs, const char *options)
{
    coordination_start(
        c, 1, nr_devs, "", " -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=256M %s", options);
}

static void start_impatient(Coordination *c)
{
    g_autofree char *option = g_strdup_printf(
        "-global vfio-user-pci.x-msg-timeout=%u", TIMEOUT_MS);

    start(c, 1, option);
}

/* --- refusals ------------------------------------------------------------- */

/* What the guest does; it tries each request again that got BUSY. */
static const struct Step {
    uint16_t type, first, nb_blocks;
    const char *after;                    /* what is plugged then */
} story[] = {
    { VIRTIO_MEM_REQ_PLUG, 2, 4, "..####........" },
    { VIRTIO_MEM_REQ_PLUG, 9, 3, "..####...###.." },
    { VIRTIO_MEM_REQ_UNPLUG, 3, 2, "..#..#...###.." },
    { VIRTIO_MEM_REQ_PLUG, 3, 2, "..####...###.." },
    { VIRTIO_MEM_REQ_PLUG, 6, 3, "..##########.." },
    { VIRTIO_MEM_REQ_UNPLUG, 2, 10, ".............." },
    { VIRTIO_MEM_REQ_PLUG, 0, 1, "#............." },
    { VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0, "" },
};
#define STORY_MAPS 13

/* Plays the story; how often it was told BUSY. */
static unsigned play(Coordination *c)
{
    const char *before = "";
    unsigned busy = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(story); i++) {
        const struct Step *s = &story[i];
        uint64_t addr = coordination_block(c, 0, s->first);
        uint16_t resp = qvirtio_mem_request(&c->mem[0], s->type, addr,
                                            s->nb_blocks, NULL);

        if (resp == VIRTIO_MEM_RESP_BUSY) {
            busy++;
            coordination_expect(c, 0, before);
            resp = qvirtio_mem_request(&c->mem[0], s->type, addr, s->nb_blocks,
                                       NULL);
        }
        assert_ack(resp);
        coordination_expect(c, 0, s->after);
        before = s->after;
    }
    return busy;
}

static void test_every_refused_map_can_be_tried_again(void)
{
    Coordination c;

    start(&c, 1, "");
    for (unsigned n = 0; n <= STORY_MAPS; n++) {
        qvfio_user_arm(&c.dev[0], TESTDEV_FAULT_REFUSE_MAP, n, ENOMEM);
        g_assert_cmpuint(play(&c), ==, n < STORY_MAPS);
    }
    g_assert_cmpuint(c.server[0]->refusals, ==, STORY_MAPS);
    coordination_stop(&c);
}

/* Whichever of two devices refuses, the other one gives back its own. */
static void test_every_refusal_of_either_device(void)
{
    Coordination c;

    start(&c, 2, "");
    for (unsigned dev = 0; dev < 2; dev++) {
        for (unsigned n = 0; n < STORY_MAPS; n++) {
            qvfio_user_arm(&c.dev[dev], TESTDEV_FAULT_REFUSE_MAP, n, ENOSPC);
            g_assert_cmpuint(play(&c), ==, 1);
        }
    }
    g_assert_cmpuint(play(&c), ==, 0);
    for (unsigned dev = 0; dev < 2; dev++) {
        g_assert_cmpuint(c.server[dev]->refusals, ==, STORY_MAPS);
    }
    coordination_stop(&c);
}

/* Again and again, as a driver does: it is refused each time, not for ever. */
static void test_refusals_in_a_row(void)
{
    Coordination c;
    g_autoptr(JsonObject) event = NULL;
    JsonObject *data;

    start(&c, 1, "");
    for (unsigned i = 0; i < 20; i++) {
        qvfio_user_arm(&c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 2, ENOMEM);
        assert_busy(qvirtio_mem_plug(&c.mem[0], c.config[0].addr + BLOCK, 5));
        coordination_expect(&c, 0, "");
    }
    event = qmp_client_event(qtest_qmp(c.qts), "RAM_DISCARD_REFUSED");
    data = json_object_get_object_member(event, "data");
    g_assert_cmpuint(json_object_get_int_member(data, "offset"), ==, BLOCK);
    g_assert_cmpuint(json_object_get_int_member(data, "size"), ==, 5 * BLOCK);
    assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr + BLOCK, 5));
    coordination_expect(&c, 0, ".#####");
    coordination_stop(&c);
}

/* Whatever the server says is wrong, the guest may try again. */
static void test_refusals_for_any_reason(void)
{
    static const uint32_t reasons[] = {
        1, EEXIST, ENOSPC, 133, 4095, 4096, 1U << 20, INT32_MAX,
    };
    Coordination c;

    start(&c, 1, "");
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++) {
        qvfio_user_arm(&c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 1, reasons[i]);
        assert_busy(qvirtio_mem_plug(&c.mem[0], c.config[0].addr, 3));
        coordination_expect(&c, 0, "");
        assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr, 3));
        coordination_expect(&c, 0, "###");
        assert_ack(qvirtio_mem_unplug_all(&c.mem[0]));
    }
    coordination_stop(&c);
}

/* The server holds on to a block: it is not plugged over the old mapping, and
 * the others are not affected. */
static void test_refused_unmap(void)
{
    Coordination c;
    uint64_t addr;

    start(&c, 1, "");
    addr = c.config[0].addr;
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr, 2));
    qvfio_user_arm(&c.dev[0], TESTDEV_FAULT_REFUSE_UNMAP, 0, EBUSY);
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr, 1));
    assert_busy(qvirtio_mem_plug(&c.mem[0], addr, 1));
    g_assert_cmpuint(qvirtio_mem_state(&c.mem[0], addr, 1), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + 2 * BLOCK, 2));
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr + BLOCK, 2));
    g_assert_cmpuint(qvfio_user_probe(&c.dev[0], addr + BLOCK), ==, 0);
    g_assert_cmpuint(qvfio_user_probe(&c.dev[0], addr + 3 * BLOCK), ==, BLOCK);
    qmp_client_check_alive(qtest_qmp(c.qts));
    coordination_stop(&c);
}

/* --- at start ------------------------------------------------------------- */

/* What the emulator says when it gives up, g_free(). */
static char *expect_no_start(const char *server_options)
{
    QVFIOUserServer *server = qvfio_user_server_new("%s", server_options);
    g_autofree char *line = g_strdup_printf(
        "%s -accel qtest -qtest null -display none -nodefaults -M q35 "
        "-m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M "
        "-device vfio-user-pci,socket=%s,x-msg-timeout=%u",
        g_getenv("QTEST_QEMU_BINARY"), server->socket, START_TIMEOUT_MS);
    g_autoptr(GError) err = NULL;
    char *said = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &said, &status, &err));
    g_assert_no_error(err);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_true(g_str_has_prefix(said, "sparsevm: -device vfio-user-pci,"));
    qvfio_user_server_wait_disconnect(server);
    qvfio_user_server_free(server);
    return said;
}

static void test_no_start_when_boot_memory_is_refused(void)
{
    g_autofree char *said = expect_no_start("--refuse-map=1");

    g_assert_nonnull(strstr(said, "cannot map"));
}

static void test_no_start_when_there_may_be_too_many_mappings(void)
{
    g_autofree char *said = expect_no_start("--max-dma-maps=100");

    g_assert_nonnull(strstr(said, "block-size="));
}

/* Each step of setting up a device has a failure of its own. */
static void test_no_start_with_a_server_that_fails(void)
{
    static const char *const ways[] = { "stall-after", "die-after",
                                        "garbage-after" };

    for (unsigned way = 0; way < G_N_ELEMENTS(ways); way++) {
        for (unsigned n = 0; n < 5; n++) {
            g_autofree char *options = g_strdup_printf("--%s=%u", ways[way],
                                                       n);
            g_autofree char *said = expect_no_start(options);

            g_assert_nonnull(strstr(said, "vfio-user"));
        }
    }
}

/* --- broken servers ------------------------------------------------------- */

/* Once it is broken, nobody is left to be asked. */
static void check_device_gone(Coordination *c)
{
    qvfio_user_server_wait_disconnect(c->server[0]);
    g_assert_cmphex(qpci_config_readl(c->qts, c->dev[0].pci.devfn,
                                      PCI_VENDOR_ID), ==, UINT32_MAX);
    qmp_client_check_alive(qtest_qmp(c->qts));
}

/* The @n-th message of a plug of four blocks meets @fault. */
static void check_broken_server(uint32_t fault, uint32_t n, uint32_t arg)
{
    Coordination c;
    uint64_t addr;
    gint64 begin;

    start_impatient(&c);
    addr = c.config[0].addr;
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + 6 * BLOCK, 1));
    qvfio_user_arm(&c.dev[0], fault, n, arg);
    begin = g_get_monotonic_time();
    assert_busy(qvirtio_mem_plug(&c.mem[0], addr, 4));
    g_assert_cmpint(g_get_monotonic_time() - begin, <,
                    patience_us());
    check_device_gone(&c);
    coordination_expect(&c, 0, "......#");
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr, 4));
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr + 2 * BLOCK, 2));
    coordination_expect(&c, 0, "##....#");
    coordination_system_reset(&c);
    g_assert_cmpuint(qtest_qom_get_uint(c.qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
    coordination_stop(&c);
}

static void test_server_stalls_during_a_plug(void)
{
    check_broken_server(TESTDEV_FAULT_STALL, 0, 0);
    check_broken_server(TESTDEV_FAULT_STALL, 3, 0);
}

static void test_server_dies_during_a_plug(void)
{
    for (uint32_t n = 0; n < 4; n++) {
        check_broken_server(TESTDEV_FAULT_DIE, n, 0);
    }
}

static void test_server_talks_nonsense_during_a_plug(void)
{
    for (uint32_t kind = 0; kind < TESTDEV_NR_GARBAGE; kind++) {
        check_broken_server(TESTDEV_FAULT_GARBAGE, kind % 4, kind);
    }
}

/* An unplug does not need the server's consent. */
static void check_broken_at_unplug(uint32_t fault, uint32_t n)
{
    Coordination c;
    uint64_t addr;
    g_autofree char *memfd = NULL;

    start_impatient(&c);
    addr = c.config[0].addr;
    memfd = qtest_find_memfd(c.qts, 256 * MiB);
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr, 4));
    qtest_memset(c.qts, addr, 1, 4 * BLOCK);
    qvfio_user_arm(&c.dev[0], fault, n, 0);
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr + BLOCK, 2));
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 2 * BLOCK);
    check_device_gone(&c);
    coordination_expect(&c, 0, "#..#");
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + BLOCK, 2));
    coordination_expect(&c, 0, "####");
    coordination_stop(&c);
}

static void test_server_fails_during_an_unplug(void)
{
    check_broken_at_unplug(TESTDEV_FAULT_STALL, 1);
    for (uint32_t n = 0; n < 2; n++) {
        check_broken_at_unplug(TESTDEV_FAULT_DIE, n);
        check_broken_at_unplug(TESTDEV_FAULT_GARBAGE, n);
    }
}

/* Everything is plugged: it costs one time-out, not one for each block. */
static void test_server_stalls_during_a_system_reset(void)
{
    Coordination c;
    gint64 begin;

    start_impatient(&c);
    assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr, 128));
    qvfio_user_arm(&c.dev[0], TESTDEV_FAULT_STALL, 0, 0);
    begin = g_get_monotonic_time();
    coordination_system_reset(&c);
    g_assert_cmpuint(qtest_qom_get_uint(c.qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
    g_assert_cmpint(g_get_monotonic_time() - begin, <,
                    patience_us());
    check_device_gone(&c);
    coordination_stop(&c);
}

/* One of two breaks: the other one gets back what it had been shown, and is
 * shown it when the guest tries again. */
static void test_one_of_two_servers_dies_during_a_plug(void)
{
    for (unsigned dying = 0; dying < 2; dying++) {
        Coordination c;

        start(&c, 2, "");
        assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr, 2));
        qvfio_user_arm(&c.dev[dying], TESTDEV_FAULT_DIE, 2, 0);
        assert_busy(qvirtio_mem_plug(&c.mem[0], c.config[0].addr + 2 * BLOCK,
                                     4));
        qvfio_user_server_wait_disconnect(c.server[dying]);
        coordination_expect(&c, 0, "##....");
        assert_ack(qvirtio_mem_plug(&c.mem[0], c.config[0].addr + 2 * BLOCK,
                                    4));
        coordination_expect(&c, 0, "######");
        g_assert_cmpuint(qvfio_user_fill(&c.dev[1 - dying], c.config[0].addr,
                                         1, 6 * BLOCK), ==, 0);
        coordination_stop(&c);
    }
}

/* --- memory that cannot be discarded -------------------------------------- */

/* A file of ours; once sealed, nobody can make holes in it any more. */
static void test_failing_discard_changes_nothing(void)
{
    int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", getpid(), fd);
    Coordination c;
    uint64_t addr, unmaps;

    g_assert_no_errno(ftruncate(fd, 256 * MiB));
    coordination_start(
        &c, 1, 1, "", " -m 64M,maxmem=2G "
        "-object memory-backend-file,id=mem0,size=256M,share=on,mem-path=%s "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=256M", path);
    addr = c.config[0].addr;
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + BLOCK, 4));
    assert_ack(qvirtio_mem_unplug(&c.mem[0], addr + 4 * BLOCK, 1));
    coordination_expect(&c, 0, ".###");
    unmaps = c.server[0]->unmaps;
    g_assert_no_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));

    assert_busy(qvirtio_mem_unplug(&c.mem[0], addr + 2 * BLOCK, 1));
    assert_busy(qvirtio_mem_unplug_all(&c.mem[0]));
    coordination_expect(&c, 0, ".###");
    coordination_system_reset(&c);
    coordination_restart_drivers(&c);
    coordination_expect(&c, 0, ".###");
    g_assert_cmpuint(c.server[0]->unmaps, ==, unmaps);
    coordination_stop(&c);
    close(fd);
}

#define ADD(name, fn) g_test_add_func("/coordination-faults/" name, fn)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("every-refused-map-can-be-tried-again",
        test_every_refused_map_can_be_tried_again);
    ADD("every-refusal-of-either-device", test_every_refusal_of_either_device);
    ADD("refusals-in-a-row", test_refusals_in_a_row);
    ADD("refusals-for-any-reason", test_refusals_for_any_reason);
    ADD("refused-unmap", test_refused_unmap);
    ADD("no-start-when-boot-memory-is-refused",
        test_no_start_when_boot_memory_is_refused);
    ADD("no-start-when-there-may-be-too-many-mappings",
        test_no_start_when_there_may_be_too_many_mappings);
    ADD("no-start-with-a-server-that-fails",
        test_no_start_with_a_server_that_fails);
    ADD("server-stalls-during-a-plug", test_server_stalls_during_a_plug);
    ADD("server-dies-during-a-plug", test_server_dies_during_a_plug);
    ADD("server-talks-nonsense-during-a-plug",
        test_server_talks_nonsense_during_a_plug);
    ADD("server-fails-during-an-unplug", test_server_fails_during_an_unplug);
    ADD("server-stalls-during-a-system-reset",
        test_server_stalls_during_a_system_reset);
    ADD("one-of-two-servers-dies-during-a-plug",
        test_one_of_two_servers_dies_during_a_plug);
    ADD("failing-discard-changes-nothing",
        test_failing_discard_changes_nothing);
    return g_test_run();
}
