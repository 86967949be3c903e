/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem with protect=on: which blocks are guarded, seen from the kernel's
 * account of the emulator's memory, and what touching them does. The emulator's
 * own accesses never reach unplugged memory; a CPU would, and without one the
 * test does, by process_vm_writev() and _readv(). Skipped where this user may
 * not have userfaultfd.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "protect-guest.h"
#include "qemu/units.h"
#include "tests/patience.h"

/* --- what is guarded ------------------------------------------------------ */

static void check_account(const Guest *g, uint64_t plugged, unsigned pieces)
{
    Account a = account_of(g);

    g_assert_cmpuint(a.guarded, ==, SIZE - plugged);
    g_assert_cmpuint(a.pieces, ==, pieces);
}

static void test_unplugged_blocks_are_guarded(const void *backend)
{
    QVirtioMem *vmem;
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    vmem = &g.c.mem[0];
    check_account(&g, 0, 1);
    assert_ack(qvirtio_mem_plug(vmem, g.addr, 1));
    check_account(&g, BLOCK, 2);
    assert_ack(qvirtio_mem_plug(vmem, g.addr + 4 * BLOCK, 3));
    check_account(&g, 4 * BLOCK, 4);
    assert_ack(qvirtio_mem_plug(vmem, g.addr + BLOCK, 3));
    check_account(&g, 7 * BLOCK, 2);
    assert_ack(qvirtio_mem_plug(vmem, g.addr + SIZE - BLOCK, 1));
    check_account(&g, 8 * BLOCK, 3);
    assert_ack(qvirtio_mem_unplug(vmem, g.addr + 2 * BLOCK, 2));
    check_account(&g, 6 * BLOCK, 5);
    assert_ack(qvirtio_mem_unplug_all(vmem));
    check_account(&g, 0, 1);
    assert_ack(qvirtio_mem_plug(vmem, g.addr + BLOCK, 1));
    coordination_system_reset(&g.c);
    check_account(&g, 0, 1);
    g_assert_cmpuint(account_of(&g).resident, ==, 0);
    coordination_stop(&g.c);
}

/* The emulator's view of what is plugged, by the kernel's. */
static void test_random_changes_are_followed(const void *backend)
{
    bool plugged[SIZE / BLOCK + 1] = { false };
    GRand *rand = qtest_rand_new();
    Guest g;

    for (int i = 0; !skipped() && i < 100; i++) {
        unsigned block = g_rand_int_range(rand, 0, SIZE / BLOCK);
        unsigned pieces = 1, sum = 0;

        if (!i) {
            start(&g, 0, backend, "");
        }
        if (plugged[block]) {
            assert_ack(qvirtio_mem_unplug(&g.c.mem[0], g.addr + block * BLOCK,
                                          1));
        } else {
            assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + block * BLOCK,
                                        1));
            qtest_writeb(g.c.qts, g.addr + block * BLOCK, 1);
        }
        plugged[block] = !plugged[block];
        for (unsigned k = 0; k < SIZE / BLOCK; k++) {
            sum += plugged[k];
            pieces += k && plugged[k] != plugged[k - 1];
        }
        check_account(&g, sum * BLOCK, pieces);
        if (i == 99) {
            coordination_stop(&g.c);
        }
    }
    g_rand_free(rand);
}

static void test_without_it_nothing_is_guarded(void)
{
    Coordination c;

    coordination_start_small(&c, 0);
    g_assert_cmphex(account(qtest_pid(c.qts), 0, SIZE).start, ==, 0);
    coordination_stop(&c);
}

/* --- violations ----------------------------------------------------------- */

static void test_violation_is_told_and_costs_nothing(const void *backend)
{
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    poke(&g, 7 * BLOCK + 3 * PAGE, 0x55);
    g_assert_cmpuint(violation(&g, 7 * BLOCK + 3 * PAGE, true, "continue"), ==,
                     1);
    check_status(&g, "running");
    wait_until_nothing_is_resident(&g);
    g_assert_cmphex(peek(&g, 7 * BLOCK + 3 * PAGE), ==, 0);
    g_assert_cmpuint(violation(&g, 7 * BLOCK + 3 * PAGE, false, "continue"), ==,
                     1);
    wait_until_nothing_is_resident(&g);
    coordination_stop(&g.c);
}

static void test_plugged_memory_is_nobodys_business(const void *backend)
{
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + 2 * BLOCK, 2));
    for (uint64_t offset = 0; offset < 2 * BLOCK; offset += PAGE) {
        poke(&g, 2 * BLOCK + offset, 0xaa);
    }
    g_usleep(LINGERED_US);
    for (uint64_t offset = 0; offset < 2 * BLOCK; offset += PAGE) {
        g_assert_cmphex(peek(&g, 2 * BLOCK + offset), ==, 0xaa);
    }
    g_assert_cmpuint(account_of(&g).resident, ==, 2 * BLOCK);
    g_assert_cmphex(qtest_readb(g.c.qts, g.addr + 2 * BLOCK), ==, 0xaa);
    check_status(&g, "running");
    g_assert_cmpuint(qmp_client_count_events(qtest_qmp(g.c.qts),
                                             "MEMORY_PROTECT_VIOLATION"), ==,
                     0);
    coordination_stop(&g.c);
}

/* A page that was let in a moment before its block is plugged. */
static void test_plug_right_after_a_violation(const void *backend)
{
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    for (unsigned block = 0; block < 20; block++) {
        poke(&g, block * BLOCK, 0x11);
        assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + block * BLOCK, 1));
        g_assert_cmphex(peek(&g, block * BLOCK), ==, 0);
        poke(&g, block * BLOCK, 0x22);
    }
    g_usleep(LINGERED_US);
    for (unsigned block = 0; block < 20; block++) {
        g_assert_cmphex(peek(&g, block * BLOCK), ==, 0x22);
    }
    coordination_stop(&g.c);
}

typedef struct Trespasser {
    const Guest *g;
    guint32 seed;
    gint stop;
} Trespasser;

/* Writes everywhere, but not to the first byte of a page. */
static gpointer trespass(gpointer data)
{
    Trespasser *t = data;
    GRand *rand = g_rand_new_with_seed(t->seed);

    while (!g_atomic_int_get(&t->stop)) {
        poke(t->g, g_rand_int_range(rand, 0, SIZE / PAGE) * PAGE + 8, 1);
    }
    g_rand_free(rand);
    return NULL;
}

/* Blocks that are plugged keep their contents whoever touches the others. */
static void test_plug_and_unplug_among_trespassers(const void *backend)
{
    GRand *rand = qtest_rand_new();
    GThread *threads[2];
    Trespasser who[2];
    Guest g;

    if (skipped()) {
        g_rand_free(rand);
        return;
    }
    start(&g, 0, backend, "");
    for (unsigned i = 0; i < 2; i++) {
        who[i] = (Trespasser) { &g, g_rand_int(rand), 0 };
        threads[i] = g_thread_new("trespass", trespass, &who[i]);
    }
    for (unsigned i = 0; i < 100; i++) {
        uint64_t block = g_rand_int_range(rand, 0, SIZE / BLOCK);

        assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + block * BLOCK, 1));
        for (uint64_t page = 0; page < BLOCK; page += PAGE) {
            poke(&g, block * BLOCK + page, i + 1);
        }
        g_usleep(i % 20 ? 0 : LINGERED_US);
        for (uint64_t page = 0; page < BLOCK; page += PAGE) {
            g_assert_cmpuint(peek(&g, block * BLOCK + page), ==, i + 1);
        }
        assert_ack(qvirtio_mem_unplug(&g.c.mem[0], g.addr + block * BLOCK, 1));
    }
    for (unsigned i = 0; i < 2; i++) {
        g_atomic_int_set(&who[i].stop, 1);
        g_thread_join(threads[i]);
    }
    wait_until_nothing_is_resident(&g);
    check_account(&g, 0, 1);
    g_rand_free(rand);
    coordination_stop(&g.c);
}

static void test_a_sweep_costs_little(const void *backend)
{
    uint64_t told;
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    for (uint64_t offset = 0; offset < SIZE / 4; offset += PAGE) {
        poke(&g, offset, 1);
        if (offset % (4 * MiB) == 0) {
            g_assert_cmpuint(account_of(&g).resident, <=, MiB);
        }
    }
    wait_until_nothing_is_resident(&g);
    /* The first event is about the first page, told at once. */
    told = violation(&g, 0, true, "continue");
    g_assert_cmpuint(told, >=, 1);
    while (told < SIZE / 4 / PAGE) {
        g_autoptr(JsonObject) event = qmp_client_event(
            qtest_qmp(g.c.qts), "MEMORY_PROTECT_VIOLATION");

        told += json_object_get_int_member(
            json_object_get_object_member(event, "data"), "count");
    }
    coordination_stop(&g.c);
}

static double event_time(JsonObject *event)
{
    JsonObject *stamp = json_object_get_object_member(event, "timestamp");

    return json_object_get_int_member(stamp, "seconds") +
           json_object_get_int_member(stamp, "microseconds") / 1e6;
}

static void test_events_are_a_second_apart(const void *backend)
{
    double last = 0;
    uint64_t sum = 0;
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, "");
    for (unsigned page = 0; page < 100; page++) {
        poke(&g, page * PAGE, 1);
        g_usleep(10 * 1000);
    }
    while (sum < 100) {
        g_autoptr(JsonObject) event = qmp_client_event(
            qtest_qmp(g.c.qts), "MEMORY_PROTECT_VIOLATION");

        g_assert_cmpfloat(event_time(event) - last, >, 0.95);
        last = event_time(event);
        sum += json_object_get_int_member(
            json_object_get_object_member(event, "data"), "count");
    }
    g_assert_cmpuint(sum, <, 110);        /* one may be needed again */
    coordination_stop(&g.c);
}

static void test_action_stop(const void *backend)
{
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 0, backend, ",protect-action=stop");
    for (unsigned i = 0; i < 2; i++) {
        poke(&g, i * BLOCK + PAGE, 1);
        g_assert_cmpuint(violation(&g, i * BLOCK + PAGE, true, "stop"), ==, 1);
        json_object_unref(qmp_client_event(qtest_qmp(g.c.qts), "STOP"));
        check_status(&g, "paused");
        /* A CPU that was stopped before its access would find the page. */
        g_usleep(LINGERED_US);
        g_assert_cmpuint(account_of(&g).resident, ==, PAGE);
        json_node_unref(qmp_client_do(qtest_qmp(g.c.qts),
                                      "{'execute': 'cont'}"));
        check_status(&g, "running");
        wait_until_nothing_is_resident(&g);
    }
    coordination_stop(&g.c);
}

/* --- plugs and unplugs that fail ------------------------------------------ */

static void test_refused_plug_is_guarded_again(const void *backend)
{
    Guest g;

    if (skipped()) {
        return;
    }
    start(&g, 1, "memfd", "");
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + BLOCK, 1));
    qvfio_user_arm(&g.c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 1, ENOMEM);
    assert_busy(qvirtio_mem_plug(&g.c.mem[0], g.addr + 2 * BLOCK, 4));
    check_account(&g, BLOCK, 3);
    poke(&g, 3 * BLOCK, 1);
    g_assert_cmpuint(violation(&g, 3 * BLOCK, true, "continue"), ==, 1);
    wait_until_nothing_is_resident(&g);
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + 2 * BLOCK, 4));
    check_account(&g, 5 * BLOCK, 3);
    coordination_expect(&g.c, 0, ".#####");
    coordination_stop(&g.c);
}

/* A file that is sealed takes no holes: what is plugged stays, and is free to
 * use; what is not plugged is guarded. */
static void test_failed_discard_leaves_plugged_open(const void *backend)
{
    int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_autofree char *file = g_strdup_printf("file,share=on,mem-path=/proc/%d/"
                                            "fd/%d", getpid(), fd);
    Guest g;

    if (skipped()) {
        return;
    }
    g_assert_no_errno(ftruncate(fd, SIZE));
    start(&g, 0, file, "");
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + BLOCK, 2));
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + 4 * BLOCK, 2));
    poke(&g, BLOCK, 0x77);
    g_assert_no_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    assert_busy(qvirtio_mem_unplug(&g.c.mem[0], g.addr + BLOCK, 1));
    assert_busy(qvirtio_mem_unplug_all(&g.c.mem[0]));
    coordination_system_reset(&g.c);
    check_account(&g, 4 * BLOCK, 5);
    g_assert_cmphex(peek(&g, BLOCK), ==, 0x77);
    poke(&g, 4 * BLOCK, 0x88);
    check_status(&g, "running");
    g_assert_cmpuint(qmp_client_count_events(qtest_qmp(g.c.qts),
                                             "MEMORY_PROTECT_VIOLATION"), ==,
                     0);
    coordination_stop(&g.c);
    close(fd);
}

/* Every other block, until the emulator says that mappings run short, which it
 * must survive. */
static void test_mappings_run_short(const void *backend)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) info = NULL;
    JsonObject *data;
    uint64_t block = 0, limit;
    uint16_t resp;
    Guest g;

    if (skipped()) {
        return;
    }
    g_assert_true(g_file_get_contents("/proc/sys/vm/max_map_count", &text, NULL,
                                      NULL));
    limit = g_ascii_strtoull(text, NULL, 10) / 4 * 3;
    if (limit > 60000) {
        g_test_skip("vm.max_map_count is too high to be reached here");
        return;
    }
    coordination_start(
        &g.c, 1, 0, "", " -m 64M,maxmem=256G -object memory-backend-%s,"
        "id=mem0,size=128G,reserve=off -device virtio-mem-pci,id=vm0,"
        "memdev=mem0,block-size=2M,requested-size=128G,protect=on",
        (const char *)backend);
    g.addr = g.c.config[0].addr;
    while ((resp = qvirtio_mem_plug(&g.c.mem[0], g.addr + block * BLOCK, 1)) ==
               VIRTIO_MEM_RESP_ACK) {
        block += 2;
    }
    assert_busy(resp);
    /* One border for the first of them, two for each other one. */
    g_assert_cmpuint(block - 1, ==, (limit - 1) / 2 * 2 + 1);
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + BLOCK, 1));
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr + block * BLOCK, 1));
    info = qmp_client_do(qtest_qmp(g.c.qts),
                         "{'execute': 'query-memory-devices'}");
    data = json_object_get_object_member(
        json_array_get_object_element(json_node_get_array(info), 0), "data");
    data = json_object_get_object_member(data, "last-refusal");
    g_assert_cmpstr(json_object_get_string_member(data, "kind"), ==, "protect");
    assert_ack(qvirtio_mem_unplug_all(&g.c.mem[0]));
    assert_ack(qvirtio_mem_plug(&g.c.mem[0], g.addr, 1000));
    coordination_stop(&g.c);
}

/* --- comes and goes ------------------------------------------------------- */

#define DEVICE_ADD "{'execute': 'device_add', 'arguments': {'driver': "     \
    "'virtio-mem-pci', 'id': 'vm0', 'bus': 'rp0', 'memdev': 'mem0', "        \
    "'protect': true%s}}"

static void test_removed_device_leaves_nothing_guarded(const void *backend)
{
    QTestState *qts;
    QmpClient *qmp;
    uint64_t host;

    if (skipped()) {
        return;
    }
    qts = qtest_init("-M q35 -m 64M,maxmem=2G "
                     "-device pcie-root-port,id=rp0,chassis=1 "
                     "-object memory-backend-%s,id=mem0,size=256M",
                     (const char *)backend);
    qmp = qtest_qmp(qts);
    for (unsigned i = 0; i < 2; i++) {
        json_node_unref(qmp_client_do(qmp, DEVICE_ADD, ""));
        host = account(qtest_pid(qts), 0, SIZE).start;
        g_assert_cmpuint(account(qtest_pid(qts), host, SIZE).guarded, ==, SIZE);
        json_node_unref(qmp_client_do(qmp, "{'execute': 'device_del', "
                                      "'arguments': {'id': 'vm0'}}"));
        json_node_unref(qmp_client_do(qmp, "{'execute': 'system_reset'}"));
        json_object_unref(qmp_client_event(qmp, "DEVICE_DELETED"));
        g_assert_cmpuint(account(qtest_pid(qts), host, SIZE).guarded, ==, 0);
    }
    json_node_unref(qmp_client_do(qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'mem0'}}"));
    qtest_quit(qts);
}

static void test_properties_that_do_not_fit(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M,maxmem=2G -device pcie-root-port,id=rp0,chassis=1 "
        "-object memory-backend-ram,id=mem0,size=256M");

    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError",
        "'protect=on' needs 'unplugged-inaccessible=on'", DEVICE_ADD,
        ", 'unplugged-inaccessible': 'off'");
    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "'protect-action' needs 'protect=on'",
        "{'execute': 'device_add', 'arguments': {'driver': 'virtio-mem-pci', "
        "'bus': 'rp0', 'memdev': 'mem0', 'protect-action': 'stop'}}");
    qmp_client_expect_error(qtest_qmp(qts), "GenericError", "explode",
                            DEVICE_ADD, ", 'protect-action': 'explode'");
    qtest_quit(qts);
}

/* Somebody whom the kernel does not let have userfaultfd is told what would. */
static void test_user_without_the_right(void)
{
    g_autofree char *line = g_strdup_printf(
        "timeout %u setpriv --reuid=65534 --clear-groups --inh-caps=-all %s "
        "-accel qtest -display none -nodefaults -M q35"
        OPTIONS, (unsigned)(patience_us() / G_USEC_PER_SEC) + 1,
        g_getenv("QTEST_QEMU_BINARY"), "ram", "");
    g_autofree char *setpriv = g_find_program_in_path("setpriv");
    g_autofree char *allowed = NULL, *err = NULL;
    int status;

    g_file_get_contents("/proc/sys/vm/unprivileged_userfaultfd", &allowed, NULL,
                        NULL);
    if (!setpriv || geteuid() || !allowed || *allowed != '0') {
        g_test_skip("takes root, setpriv, and userfaultfd for root only");
        return;
    }
    g_assert_true(g_spawn_command_line_sync(line, NULL, &err, &status, NULL));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        g_test_skip("the build is not open to other users");
        return;
    }
    g_assert_cmpint(WIFEXITED(status) ? WEXITSTATUS(status) : -1, ==, 1);
    g_assert_nonnull(strstr(err, "'protect=on': userfaultfd cannot be used: "));
    g_assert_nonnull(strstr(err, "vm.unprivileged_userfaultfd=1"));
    g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
}

#define ADD(backend, name, fn) \
    g_test_add_data_func("/virtio-mem-protect/" backend "/" name, backend, fn)
#define ADD_EACH(name, fn) \
    do { ADD("ram", name, fn); ADD("memfd", name, fn); } while (0)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD_EACH("unplugged-blocks-are-guarded",
             test_unplugged_blocks_are_guarded);
    ADD_EACH("random-changes-are-followed", test_random_changes_are_followed);
    ADD_EACH("violation-is-told-and-costs-nothing",
             test_violation_is_told_and_costs_nothing);
    ADD_EACH("plugged-memory-is-nobodys-business",
             test_plugged_memory_is_nobodys_business);
    ADD_EACH("plug-right-after-a-violation",
             test_plug_right_after_a_violation);
    ADD_EACH("plug-and-unplug-among-trespassers",
             test_plug_and_unplug_among_trespassers);
    ADD_EACH("a-sweep-costs-little", test_a_sweep_costs_little);
    ADD("ram", "events-are-a-second-apart", test_events_are_a_second_apart);
    ADD_EACH("action-stop", test_action_stop);
    ADD("memfd", "refused-plug-is-guarded-again",
        test_refused_plug_is_guarded_again);
    ADD("memfd", "failed-discard-leaves-plugged-open",
        test_failed_discard_leaves_plugged_open);
    ADD("ram", "mappings-run-short", test_mappings_run_short);
    ADD_EACH("removed-device-leaves-nothing-guarded",
             test_removed_device_leaves_nothing_guarded);
    g_test_add_func("/virtio-mem-protect/without-it-nothing-is-guarded",
                    test_without_it_nothing_is_guarded);
    g_test_add_func("/virtio-mem-protect/properties-that-do-not-fit",
                    test_properties_that_do_not_fit);
    g_test_add_func("/virtio-mem-protect/user-without-the-right",
                    test_user_without_the_right);
    return g_test_run();
}
