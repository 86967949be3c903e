/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-controller with a guest that tells statistics and plugs what it is
 * asked to: memory follows what the guest uses, a passed-through device sees just
 * that, and where it cannot be so, the controller says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <unistd.h>

#include "coordination.h"

#define BOOT (256 * MiB)
#define SIZE (256 * MiB)                  /* of the device */
#define INTERVAL 250000000LL              /* ns, of the virtual clock */
#define SECOND 4                          /* intervals */
#define NR_BLOCKS (SIZE / BLOCK)
#define OPTIONS                                                              \
    " -m 256M,maxmem=2G -object memory-backend-memfd,id=mem0,size=256M "     \
    "-object memory-backend-memfd,id=mem1,size=256M "                        \
    "-object memory-controller,id=mc0,device=vm0 "                           \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M "               \
    "-device virtio-mem-pci,id=vm1,memdev=mem1,block-size=2M "

typedef struct Fixture {
    Coordination c;                       /* two virtio-mem devices, a vfio-user
                                             one */
    QTestState *qts;
    QmpClient *qmp;
    QVirtioPCI balloon;
    QVirtQueue stats;
    uint64_t buffer;                      /* guest RAM of the figures */
    uint64_t used;                        /* bytes, by the guest */
    uint64_t plugged;                     /* blocks, from the first */
    unsigned turns;                       /* so far */
} Fixture;

/* --- what the controller says --------------------------------------------- */

static JsonObject *query(Fixture *f, JsonNode **node)
{
    *node = qmp_client_do(f->qmp, "{'execute': 'query-memory-controller'}");
    g_assert_cmpuint(json_array_get_length(json_node_get_array(*node)), ==, 1);
    return json_array_get_object_element(json_node_get_array(*node), 0);
}

static bool has_reason(Fixture *f, const char *reason)
{
    g_autoptr(JsonNode) node = NULL;
    JsonObject *decision = json_object_get_object_member(query(f, &node),
                                                         "decision");

    return !strcmp(json_object_get_string_member(decision, "reason"), reason);
}

/* Waits until it is so: a kick is handled when the main loop gets to it. */
static void expect_reason(Fixture *f, const char *reason)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!has_reason(f, reason)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("the reason does not become '%s'", reason);
        }
    }
}

/* Whether the last figures that it knows have so much available. */
static bool knows(Fixture *f, uint64_t available)
{
    g_autoptr(JsonNode) node = NULL;
    JsonObject *info = query(f, &node);

    return json_object_has_member(info, "guest") &&
           (uint64_t)json_object_get_int_member(
               json_object_get_object_member(info, "guest"), "available") ==
           available;
}

/* --- the guest ------------------------------------------------------------ */

static void start_balloon(Fixture *f)
{
    qvirtio_pci_init(&f->balloon, &f->c.guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_start(&f->balloon,
                                1ULL << VIRTIO_BALLOON_F_STATS_VQ));
    qvirtqueue_init(&f->stats, &f->balloon, 2, 0);
    qvirtio_driver_ok(&f->balloon);
    f->buffer = qguest_alloc(&f->c.guest, 4096, 4096);
}

static void tell_figures(Fixture *f, uint64_t total, uint64_t available)
{
    const QVirtioBuffer buf = {
        f->buffer, 2 * sizeof(struct virtio_balloon_stat), false
    };
    struct virtio_balloon_stat stats[2] = {
        { VIRTIO_BALLOON_S_MEMTOT, total },
        { VIRTIO_BALLOON_S_AVAIL, available },
    };

    qtest_memwrite(f->qts, f->buffer, stats, sizeof(stats));
    qvirtqueue_add(&f->stats, &buf, 1);
    qvirtqueue_kick(&f->stats);
}

/* Never the same as just before, so that it can be seen when it is known. */
static uint64_t tell(Fixture *f)
{
    uint64_t total = BOOT + f->plugged * BLOCK;
    uint64_t available = (total > f->used ? total - f->used : 0) +
                         f->turns++ % 2;

    tell_figures(f, total, available);
    return available;
}

static uint64_t requested(Fixture *f)
{
    return qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                              "requested-size");
}

/* Does what is requested, a block at a time. */
static void follow(Fixture *f)
{
    QVirtioMem *mem = &f->c.mem[0];
    uint64_t want = requested(f) / BLOCK;

    while (f->plugged < want) {
        assert_ack(qvirtio_mem_plug(mem, coordination_block(&f->c, 0,
                                                            f->plugged), 1));
        f->plugged++;
    }
    while (f->plugged > want) {
        f->plugged--;
        assert_ack(qvirtio_mem_unplug(mem, coordination_block(&f->c, 0,
                                                              f->plugged), 1));
    }
}

/* One interval: it is asked, and answers. */
static void turn(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    uint64_t available;

    qtest_clock_step(f->qts, INTERVAL);
    qvirtqueue_wait(&f->stats, NULL);
    available = tell(f);
    while (!knows(f, available)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    follow(f);
}

static void turns(Fixture *f, unsigned n)
{
    while (n--) {
        turn(f);
    }
}

/* --- the client ----------------------------------------------------------- */

static void set(Fixture *f, const char *property, const char *value)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'qom-set', 'arguments': {'path': '/objects/mc0', "
        "'property': '%s', 'value': %s}}", property, value));
}

static void expect_refusal(Fixture *f, const char *part, const char *property,
                           const char *value)
{
    qmp_client_expect_error(
        f->qmp, "GenericError", part, "{'execute': 'qom-set', 'arguments': "
        "{'path': '/objects/mc0', 'property': '%s', 'value': %s}}", property,
        value);
}

static void setup(Fixture *f, const void *data)
{
    coordination_start(&f->c, 2, 1, "", OPTIONS
                       "-device virtio-balloon-pci,id=balloon0");
    f->qts = f->c.qts;
    f->qmp = qtest_qmp(f->qts);
    f->used = 150 * MiB;
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
}

/* The guest that a test begins with: it uses little, and is left alone. */
static void settle(Fixture *f)
{
    start_balloon(f);
    tell(f);
    turns(f, 3);
    expect_reason(f, "in-band");
    g_assert_cmpuint(f->plugged, ==, 0);
}

/* --- following ------------------------------------------------------------ */

static void test_memory_follows(Fixture *f, const void *data)
{
    bool map[NR_BLOCKS] = { false };
    g_autoptr(JsonObject) event = NULL;
    uint64_t most;

    settle(f);
    f->used = 240 * MiB;
    turn(f);
    expect_reason(f, "below-band");
    event = qmp_client_event(f->qmp, "MEMORY_CONTROLLER_DECISION");
    most = requested(f);
    g_assert_cmpuint(most, >=, 32 * MiB);
    g_assert_cmpuint(f->plugged * BLOCK, ==, most);
    for (unsigned i = 0; i < f->plugged; i++) {
        map[i] = true;
    }
    coordination_check(&f->c, 0, map, NR_BLOCKS);

    f->used = 150 * MiB;
    turns(f, 30 * SECOND);
    g_assert_cmpuint(f->plugged, ==, 0);
    coordination_expect(&f->c, 0, "");
    expect_reason(f, "in-band");
}

static void test_steady_guest_is_left_alone(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) before = NULL, after = NULL;
    JsonObject *old, *new;

    settle(f);
    f->used = 300 * MiB;
    turns(f, 20 * SECOND);
    old = query(f, &before);
    turns(f, 60 * SECOND);
    new = query(f, &after);
    g_assert_cmpint(json_object_get_int_member(old, "grown"), ==,
                    json_object_get_int_member(new, "grown"));
    g_assert_cmpint(json_object_get_int_member(old, "shrunk"), ==,
                    json_object_get_int_member(new, "shrunk"));
}

/* --- standing still ------------------------------------------------------- */

static void test_without_statistics_it_stands_still(Fixture *f,
                                                    const void *data)
{
    qtest_clock_step(f->qts, 10 * SECOND * INTERVAL);
    expect_reason(f, "no-driver");
    start_balloon(f);
    qtest_clock_step(f->qts, SECOND * INTERVAL);
    expect_reason(f, "no-statistics");
    tell(f);
    turn(f);
    expect_reason(f, "in-band");
    /* Asked again, it says nothing. */
    qtest_clock_step(f->qts, 10 * SECOND * INTERVAL);
    expect_reason(f, "old-statistics");
    g_assert_cmpuint(requested(f), ==, 0);
}

static void test_lies_are_not_acted_on(Fixture *f, const void *data)
{
    static const uint64_t lies[][2] = {
        { BOOT, BOOT + 1 }, { 0, 0 }, { BOOT + SIZE + 1, 0 },
        { UINT64_MAX - 1, 0 }, { INT64_MAX, INT64_MAX },
    };

    settle(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        qtest_clock_step(f->qts, INTERVAL);
        qvirtqueue_wait(&f->stats, NULL);
        tell_figures(f, lies[i][0], lies[i][1]);
        expect_reason(f, "false-statistics");
    }
    g_assert_cmpuint(requested(f), ==, 0);
}

static void test_refused_plug_is_put_off(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) node = NULL;
    JsonObject *decision;

    settle(f);
    f->used = 240 * MiB;
    qtest_clock_step(f->qts, INTERVAL);
    qvirtqueue_wait(&f->stats, NULL);
    tell(f);
    expect_reason(f, "below-band");
    g_assert_cmpuint(requested(f), >, 0);
    qvfio_user_arm(&f->c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 0, ENOMEM);
    assert_busy(qvirtio_mem_plug(&f->c.mem[0], coordination_block(&f->c, 0, 0),
                                 1));
    turn(f);
    expect_reason(f, "refused");
    g_assert_cmpuint(requested(f), ==, 0);
    decision = json_object_get_object_member(query(f, &node), "decision");
    g_assert_true(json_object_has_member(decision, "refusal"));
    turns(f, 5 * SECOND);
    g_assert_cmpuint(requested(f), ==, 0);
}

static void test_reset_begins_anew(Fixture *f, const void *data)
{
    settle(f);
    f->used = 240 * MiB;
    turn(f);
    g_assert_cmpuint(f->plugged, >, 0);
    coordination_system_reset(&f->c);
    f->plugged = 0;
    qtest_clock_step(f->qts, 2 * INTERVAL);
    expect_reason(f, "no-driver");
    /* What is requested stays: the next guest plugs it. */
    g_assert_cmpuint(requested(f), >, 0);
    coordination_restart_drivers(&f->c);
    follow(f);
    start_balloon(f);
    tell(f);
    turns(f, 3);
    /* It has what growing looked ahead for. */
    expect_reason(f, "waiting");
}

/* --- the administrator ---------------------------------------------------- */

static void test_sizes_are_its_own_unless_paused(Fixture *f, const void *data)
{
    const char *by_hand =
        "{'execute': 'qom-set', 'arguments': {'path': "
        "'/machine/peripheral/vm0', 'property': 'requested-size', "
        "'value': 4194304}}";

    settle(f);
    qmp_client_expect_error(f->qmp, "GenericError", "'paused' to true",
                            "%s", by_hand);
    set(f, "paused", "true");
    json_node_unref(qmp_client_do(f->qmp, "%s", by_hand));
    qtest_clock_step(f->qts, 10 * INTERVAL);
    g_assert_cmpuint(requested(f), ==, 4 * MiB);
    follow(f);
    set(f, "paused", "false");
    turns(f, 20 * SECOND);
    g_assert_cmpuint(requested(f), ==, 0);
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'mc0'}}"));
    json_node_unref(qmp_client_do(f->qmp, "%s", by_hand));
}

/* Paused or not: who is to resize a device must find it. */
static void test_device_stays(void)
{
    static const char *const paused[] = { "on", "off" };

    for (unsigned i = 0; i < G_N_ELEMENTS(paused); i++) {
        QTestState *s = qtest_init(
            "-accel qtest -nodefaults -M q35 -m 256M,maxmem=2G "
            "-object memory-backend-ram,id=mem0,size=256M "
            "-object memory-controller,id=mc0,device=vm0,paused=%s "
            "-device pcie-root-port,id=rp0 "
            "-device virtio-mem-pci,id=vm0,memdev=mem0,bus=rp0", paused[i]);

        qmp_client_expect_error(qtest_qmp(s), "GenericError",
                                "delete that first", "{'execute': 'device_del',"
                                " 'arguments': {'id': 'vm0'}}");
        json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'object-del',"
                                      " 'arguments': {'id': 'mc0'}}"));
        json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'device_del',"
                                      " 'arguments': {'id': 'vm0'}}"));
        qtest_quit(s);
    }
}

static void test_bounds_are_changed(Fixture *f, const void *data)
{
    settle(f);
    set(f, "min", "67108864");
    turns(f, 2);
    g_assert_cmpuint(f->plugged * BLOCK, ==, 64 * MiB);
    set(f, "min", "0");
    set(f, "max", "33554432");
    turn(f);
    g_assert_cmpuint(f->plugged * BLOCK, ==, 32 * MiB);
    f->used = 280 * MiB;
    turns(f, 4);
    expect_reason(f, "at-max");
    expect_refusal(f, "exceeds 'max'", "min", "67108864");
    expect_refusal(f, "exceeds what the devices have", "max", "536870912");
    expect_refusal(f, "multiples of the block size", "min", "4096");
    expect_refusal(f, "less than 100%", "headroom", "'100%%'");
    expect_refusal(f, "less than 100%", "headroom", "'0'");
    expect_refusal(f, "less than 100%", "headroom", "'-5'");
    expect_refusal(f, "has to be from", "priority", "101");
    expect_refusal(f, "has to be from", "interval", "0");
    expect_refusal(f, "has to be from", "shrink-delay", "-1");
    expect_refusal(f, "cannot be changed", "device", "'vm1'");
    expect_refusal(f, "cannot be changed", "cgroup", "'/'");
}

static void test_objects_that_cannot_be(Fixture *f, const void *data)
{
    static const struct {
        const char *args;
        const char *part;
    } bad[] = {
        { "", "are expected" },
        { ", 'device': []", "are expected" },
        { ", 'device': [1]", "array of strings" },
        { ", 'device': 'vm7'", "no device of this id" },
        { ", 'device': 'balloon0'", "whose size cannot be requested" },
        { ", 'device': 'vm0'", "has it already" },
        { ", 'device': ['vm1', 'vm1']", "is there twice" },
        { ", 'device': ['vm1', 'vm0']", "has it already" },
        { ", 'device': 'vm1', 'min': 4194304, 'max': 2097152", "exceeds 'max'" },
        { ", 'device': 'vm1', 'cgroup': '/nowhere'", "can be read" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(f->qmp, "GenericError", bad[i].part,
                                "{'execute': 'object-add', 'arguments': "
                                "{'qom-type': 'memory-controller', 'id': 'mc1'"
                                "%s}}", bad[i].args);
    }
    /* Nothing of the failures is left. */
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'memory-controller', 'id': 'mc1', 'device': 'vm1', 'max': 4194304, "
        "'headroom': '12.5%%'}}"));
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'mc1'}}"));
}

static void test_people_are_told(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) node = NULL;
    const char *text;

    settle(f);
    f->used = 240 * MiB;
    turn(f);
    node = qmp_client_do(f->qmp, "{'execute': 'human-monitor-command', "
                         "'arguments': {'command-line': "
                         "'info memory-controller'}}");
    text = json_node_get_string(node);
    g_assert_nonnull(strstr(text, "Memory controller \"mc0\""));
    g_assert_nonnull(strstr(text, "available, headroom 15.0 %"));
    g_assert_nonnull(strstr(text, "less than the headroom"));
}

/* --- the host ------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    /* In place: it is read through a descriptor. */
    int fd = g_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    close(fd);
}

static void remove_file(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_unlink(path);
}

static void test_host_gets_memory_back(Fixture *f, const void *data)
{
    g_autofree char *dir = g_dir_make_tmp("cgroup-XXXXXX", NULL);
    g_autoptr(JsonNode) node = NULL;
    uint64_t before;

    write_file(dir, "memory.pressure", "some avg10=0.00 avg60=0.00\n");
    write_file(dir, "memory.max", "max\n");
    write_file(dir, "memory.high", "100000000\n");
    write_file(dir, "memory.current", "50000000\n");
    settle(f);
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'mc0'}}"));
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'memory-controller', 'id': 'mc0', 'device': 'vm0', "
        "'cgroup': '%s'}}", dir));
    /* No more than the cgroup may take. */
    f->used = 250 * MiB;
    turns(f, 3);
    g_assert_cmpuint(f->plugged * BLOCK, <=, 50000000);
    before = f->plugged;
    f->used = 245 * MiB;
    write_file(dir, "memory.pressure", "some avg10=80.25 avg60=0.00\n");
    turns(f, 2);
    g_assert_cmpuint(f->plugged, <, before);
    g_assert_true(json_object_get_boolean_member(
        json_object_get_object_member(query(f, &node), "decision"), "pressed"));
    remove_file(dir, "memory.pressure");
    remove_file(dir, "memory.max");
    remove_file(dir, "memory.high");
    remove_file(dir, "memory.current");
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn)                                                        \
    g_test_add("/memory-controller/" name, Fixture, NULL, setup, fn, teardown)
    ADD("memory-follows", test_memory_follows);
    ADD("steady-guest-is-left-alone", test_steady_guest_is_left_alone);
    ADD("without-statistics-it-stands-still",
        test_without_statistics_it_stands_still);
    ADD("lies-are-not-acted-on", test_lies_are_not_acted_on);
    ADD("refused-plug-is-put-off", test_refused_plug_is_put_off);
    ADD("reset-begins-anew", test_reset_begins_anew);
    ADD("sizes-are-its-own-unless-paused",
        test_sizes_are_its_own_unless_paused);
    ADD("bounds-are-changed", test_bounds_are_changed);
    ADD("objects-that-cannot-be", test_objects_that_cannot_be);
    ADD("people-are-told", test_people_are_told);
    g_test_add_func("/memory-controller/device-stays", test_device_stays);
    ADD("host-gets-memory-back", test_host_gets_memory_back);
    return g_test_run();
}
