/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user with a back end that errs: whatever it says or does not say, and
 * whenever, the emulator lives, the guest gets an answer, and what the back end
 * has of guest memory is what is plugged, or nothing.
 */
#include <glib/gstdio.h>
#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "coordination.h"
#include "tests/patience.h"
#include "vhost-user-server.h"

#define ADD_MEM_REG 37
#define REM_MEM_REG 38
#define SET_MEM_TABLE 5
#define GET_CONFIG 24
#define GET_INFLIGHT_FD 31
#define SET_INFLIGHT_FD 32
#define PCI_VENDOR_ID_REDHAT 0x1b36
#define ROOT_PORT 0x000c
#define BLOCKS 128
#define STEPS 150

typedef struct Fixture {
    QVhostServer *server;
    Coordination c;
    char *messages;                       /* what the emulator says */
    bool plugged[BLOCKS];
} Fixture;

#define MEMORY                                                               \
    " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "       \
    "-machine memory-backend=boot "                                          \
    "-object memory-backend-memfd,id=mem0,size=256M "                        \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=256M -device pcie-root-port,id=rp0 "
/* A time-out for those who do not answer, long enough for those who do. */
#define LIMIT_MS ((unsigned)(patience_us() / 1000 / 12))
#define DEVICE "-device vhost-user-blk-pci,id=disk0,chardev=c0"

static void start_with(Fixture *f, const char *device, unsigned timeout_ms)
{
    *f = (Fixture) { .server = f->server,
                     .messages = qtest_begin_messages() };
    coordination_start(&f->c, 1, 0, "",
                       MEMORY "-chardev socket,id=c0,path=%s,reconnect-ms=20 "
                       "-global vhost-user-blk.x-msg-timeout=%u %s",
                       f->server->socket, timeout_ms, device);
}

/* A time-out that no back end exceeds that works. */
static void start(Fixture *f, uint64_t slots)
{
    f->server = qvhost_server_new(slots);
    start_with(f, DEVICE, patience_us() / 1000);
}

static void stop(Fixture *f)
{
    coordination_stop(&f->c);
    qtest_end_messages();
    g_remove(f->messages);
    g_free(f->messages);
    qvhost_server_free(f->server);
}

static uint16_t change(Fixture *f, bool plug, unsigned block, unsigned n)
{
    uint64_t addr = coordination_block(&f->c, 0, block);
    uint16_t ret = plug ? qvirtio_mem_plug(&f->c.mem[0], addr, n)
                        : qvirtio_mem_unplug(&f->c.mem[0], addr, n);

    for (unsigned i = block; ret == VIRTIO_MEM_RESP_ACK && i < block + n; i++) {
        f->plugged[i] = plug;
    }
    return ret;
}

static void must_change(Fixture *f, bool plug, unsigned block, unsigned n)
{
    g_assert_cmpuint(change(f, plug, block, n), ==, VIRTIO_MEM_RESP_ACK);
}

static GArray *regions(Fixture *f)
{
    return qvhost_server_regions(f->server, f->c.config[0].addr,
                                 f->c.config[0].region_size);
}

/* Whether the back end has block @block in one of @have. */
static bool has_block(Fixture *f, const GArray *have, unsigned block)
{
    uint64_t addr = coordination_block(&f->c, 0, block);

    for (guint i = 0; i < have->len; i++) {
        const QVhostRegion *r = &g_array_index(have, QVhostRegion, i);

        if (addr >= r->gpa && addr < r->gpa + r->size) {
            return true;
        }
    }
    return false;
}

/* It has what is plugged, and nothing else unless @surplus. */
static void check(Fixture *f, bool surplus)
{
    g_autoptr(GArray) have = regions(f);

    for (unsigned block = 0; block < BLOCKS; block++) {
        bool has = has_block(f, have, block);

        g_assert_true(has || !f->plugged[block]);
        g_assert_true(surplus || !has || f->plugged[block]);
    }
}

static bool has_all(Fixture *f)
{
    g_autoptr(GArray) have = regions(f);
    bool all = true;

    for (unsigned block = 0; block < BLOCKS; block++) {
        all = all && has_block(f, have, block) == f->plugged[block];
    }
    return all;
}

static void wait_for_all_memory(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!has_all(f)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* --- what it is told ------------------------------------------------------ */

static void test_one_message_per_run(void)
{
    Fixture f;
    unsigned added, removed;

    start(&f, 32);
    added = qvhost_server_count(f.server, ADD_MEM_REG);
    removed = qvhost_server_count(f.server, REM_MEM_REG);
    must_change(&f, true, 0, 64);
    must_change(&f, true, 64, 1);
    g_assert_cmpuint(qvhost_server_count(f.server, ADD_MEM_REG), ==,
                     added + 2);
    check(&f, false);
    g_assert_cmpuint(qvirtio_mem_unplug_all(&f.c.mem[0]), ==,
                     VIRTIO_MEM_RESP_ACK);
    memset(f.plugged, 0, sizeof(f.plugged));
    check(&f, false);
    g_assert_cmpuint(qvhost_server_count(f.server, ADD_MEM_REG), ==,
                     added + 2);
    g_assert_cmpuint(qvhost_server_count(f.server, REM_MEM_REG), ==,
                     removed + 2);
    stop(&f);
}

/* A back end that is told whole tables gets at most 8 regions. */
static void test_whole_tables(void)
{
    Fixture f;

    f.server = qvhost_server_new(8);
    f.server->protocol_features = QVHOST_BASIC;
    start_with(&f, DEVICE, patience_us() / 1000);
    for (unsigned block = 0; block < 12; block += 2) {
        must_change(&f, true, block, 1);
        check(&f, false);
    }
    for (unsigned block = 12; block < 40; block += 2) {
        must_change(&f, true, block, 1);
        check(&f, true);
    }
    g_assert_cmpuint(qvhost_server_count(f.server, ADD_MEM_REG), ==, 0);
    g_assert_cmpuint(qvhost_server_count(f.server, SET_MEM_TABLE), >, 0);
    stop(&f);
}

static void test_random(void)
{
    uint64_t slots[] = { 2, 5, 1000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(slots); i++) {
        Fixture f;

        start(&f, slots[i]);
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned block = g_test_rand_int_range(0, BLOCKS);
            unsigned n = g_test_rand_int_range(1, 9);
            bool plug = !f.plugged[block], refuse = !g_test_rand_int_range(0, 8);

            for (unsigned k = 1; k < n; k++) {
                if (block + k >= BLOCKS || f.plugged[block + k] == plug) {
                    n = k;
                }
            }
            if (refuse && plug) {
                qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE,
                                    ADD_MEM_REG, 0);
            }
            change(&f, plug, block, n);
            qvhost_server_fault(f.server, QVHOST_FAULT_NONE, -1, 0);
            check(&f, slots[i] < 1000);
        }
        g_assert_cmpuint(f.server->connections, ==, 1);
        stop(&f);
    }
}

/* --- refusals ------------------------------------------------------------- */

static void test_plug_is_refused(void)
{
    Fixture f;

    start(&f, 32);
    must_change(&f, true, 0, 2);
    qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE, ADD_MEM_REG, 0);
    g_assert_cmpuint(change(&f, true, 4, 2), ==, VIRTIO_MEM_RESP_BUSY);
    check(&f, false);
    g_assert_cmpuint(qtest_count_messages(
                         f.messages, "a plug is refused by vhost-user"), ==, 1);
    must_change(&f, true, 4, 2);
    check(&f, false);
    g_assert_cmpuint(f.server->connections, ==, 1);
    stop(&f);
}

/* A join for want of slots that is refused at any step is undone. */
static void test_join_is_refused(void)
{
    for (unsigned after = 0; after < 4; after++) {
        Fixture f;

        start(&f, 4);                     /* one is boot RAM's */
        for (unsigned block = 0; block < 3; block++) {
            must_change(&f, true, block, 1);
        }
        qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE,
                            after ? ADD_MEM_REG : REM_MEM_REG,
                            after ? after - 1 : 0);
        change(&f, true, 10, 1);
        check(&f, false);
        qvhost_server_fault(f.server, QVHOST_FAULT_NONE, -1, 0);
        if (!f.plugged[10]) {
            must_change(&f, true, 10, 1);
        }
        check(&f, false);
        stop(&f);
    }
}

/* Who does not let go of memory is cut off, and gets the rest when it comes
 * again. */
static void test_unplug_is_refused(void)
{
    static const int requests[] = { REM_MEM_REG, ADD_MEM_REG };

    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        Fixture f;

        start(&f, 32);
        must_change(&f, true, 0, 4);
        qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE, requests[i], 0);
        must_change(&f, false, 1, 1);
        qvhost_server_wait_connections(f.server, 2);
        qtest_wait_message(f.messages, "the back end has gone: it refuses ");
        must_change(&f, true, 10, 1);
        check(&f, false);
        stop(&f);
    }
}

/* --- lies ----------------------------------------------------------------- */

/* One fault at a plug: the guest gets its answer, the back end is cut off. */
static void test_lies_at_a_plug(void)
{
    for (QVhostFault fault = QVHOST_FAULT_CLOSE; fault < QVHOST_FAULTS;
         fault++) {
        Fixture f;

        f.server = qvhost_server_new(32);
        start_with(&f, DEVICE, fault == QVHOST_FAULT_HANG
                               ? LIMIT_MS : patience_us() / 1000);
        must_change(&f, true, 0, 1);
        qvhost_server_fault(f.server, fault, ADD_MEM_REG, 0);
        must_change(&f, true, 4, 2);
        qvhost_server_wait_connections(f.server, 2);
        qtest_wait_message(f.messages, "the back end has gone: ");
        if (fault != QVHOST_FAULT_HANG) {
            must_change(&f, true, 10, 1);
            check(&f, false);
        }
        stop(&f);
    }
}

/* Each answer comes in time, but in sum the guest waits for too long; who comes
 * next has less time, and after a while as much as ever. */
static void test_slow_plugs_end_the_connection(void)
{
    unsigned limit_ms = LIMIT_MS;
    Fixture f;

    f.server = qvhost_server_new(32);
    start_with(&f, DEVICE, limit_ms);
    qvhost_server_delay(f.server, limit_ms * 1000 / 3);
    for (unsigned block = 0; block < 8; block += 2) {
        must_change(&f, true, block, 1);
    }
    qtest_wait_message(f.messages, "it is too slow: it has held up the guest");
    qvhost_server_delay(f.server, 0);
    wait_for_all_memory(&f);
    stop(&f);
}

/* device_add, until a back end has connected; true: there is a device. */
static bool add_device(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (;;) {
        g_autoptr(JsonObject) reply = NULL;
        JsonObject *error;

        qmp_client_send(qtest_qmp(f->c.qts),
                        "{\"execute\": \"device_add\", \"arguments\": "
                        "{\"driver\": \"vhost-user-blk-pci\", \"id\": \"d\", "
                        "\"chardev\": \"c0\", \"bus\": \"rp0\"}}");
        reply = qmp_client_reply(qtest_qmp(f->c.qts));
        if (!json_object_has_member(reply, "error")) {
            return true;
        }
        error = json_object_get_object_member(reply, "error");
        if (!strstr(json_object_get_string_member(error, "desc"),
                    "no back end is connected")) {
            g_test_message("%s", json_object_get_string_member(error, "desc"));
            g_assert_nonnull(strstr(json_object_get_string_member(error,
                                                                  "desc"),
                                    "vhost-user-blk 'c0': "));
            return false;
        }
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* Each fault with each message while the device is made: there is an error, and
 * nothing is left of it. */
static void test_lies_at_the_start(void)
{
    Fixture f;

    f.server = qvhost_server_new(32);
    start_with(&f, "", patience_us() / 1000);
    for (QVhostFault fault = QVHOST_FAULT_CLOSE; fault < QVHOST_FAULTS;
         fault++) {
        if (fault == QVHOST_FAULT_HANG || fault == QVHOST_FAULT_CHATTER) {
            continue;
        }
        /* Up to the first region of memory. */
        for (unsigned after = 0; after < 6; after++) {
            qvhost_server_fault(f.server, fault, -1, after);
            g_assert_false(add_device(&f));
        }
    }
    qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE, ADD_MEM_REG, 0);
    g_assert_false(add_device(&f));
    g_assert_true(add_device(&f));
    must_change(&f, true, 0, 1);
    check(&f, false);
    stop(&f);
}

static void test_hangs_at_the_start(void)
{
    Fixture f;

    f.server = qvhost_server_new(32);
    start_with(&f, "", LIMIT_MS);
    qvhost_server_fault(f.server, QVHOST_FAULT_HANG, GET_CONFIG, 0);
    g_assert_false(add_device(&f));
    qvhost_server_wait_connections(f.server, 2);
    stop(&f);
}

/* A back end that does not answer holds up who adds it, and nobody else. */
static void test_silence_holds_only_who_asked(void)
{
    unsigned limit_ms = LIMIT_MS, n = 0;
    g_autofree char *dir = g_dir_make_tmp("silent-XXXXXX", NULL);
    g_autofree char *monitor = g_build_filename(dir, "qmp", NULL);
    g_autofree char *option = g_strdup_printf("-qmp unix:%s,server=on,wait=off",
                                              monitor);
    g_autoptr(JsonObject) reply = NULL;
    QmpClient *other;
    gint64 begun;
    Fixture f;

    f.server = qvhost_server_new(32);
    start_with(&f, option, limit_ms);
    other = qmp_client_connect(monitor);
    qmp_client_handshake(other);
    qvhost_server_fault(f.server, QVHOST_FAULT_HANG, -1, 0);
    begun = g_get_monotonic_time();
    qmp_client_send(qtest_qmp(f.c.qts),
                    "{\"execute\": \"device_add\", \"arguments\": "
                    "{\"driver\": \"vhost-user-blk-pci\", \"id\": \"d\", "
                    "\"chardev\": \"c0\", \"bus\": \"rp0\"}}");
    /* Within that time there are many answers, not one at its end. */
    while (g_get_monotonic_time() - begun < limit_ms * 500) {
        qmp_client_check_alive(other);
        n++;
    }
    g_assert_cmpuint(n, >, 10);
    reply = qmp_client_reply(qtest_qmp(f.c.qts));
    qmp_assert_error(reply, "GenericError", "it has not answered GET_FEATURES");
    qmp_client_free(other);
    stop(&f);
    g_rmdir(dir);
}

static void drive_disk(Fixture *f, QVirtioPCI *disk)
{
    QVirtQueue vq;

    qvirtio_pci_init(disk, &f->c.guest, VIRTIO_ID_BLOCK, 0);
    qvirtio_start(disk, 0);
    qvirtqueue_init(&vq, disk, 0, 0);
    qvirtio_driver_ok(disk);
}

/* The notes of one back end go to the next; a reset makes them void. */
static void test_notes_on_requests(void)
{
    QVirtioPCI disk;
    Fixture f;

    f.server = qvhost_server_new(32);
    f.server->protocol_features |= QVHOST_INFLIGHT;
    start_with(&f, DEVICE, patience_us() / 1000);
    drive_disk(&f, &disk);
    g_assert_cmpuint(qvhost_server_count(f.server, GET_INFLIGHT_FD), ==, 1);
    g_assert_cmpuint(qvhost_server_count(f.server, SET_INFLIGHT_FD), ==, 1);
    qvhost_server_fault(f.server, QVHOST_FAULT_CLOSE, ADD_MEM_REG, 0);
    must_change(&f, true, 0, 1);
    qvhost_server_wait_connections(f.server, 2);
    qtest_wait_message(f.messages, "the back end has gone: ");
    must_change(&f, true, 4, 1);
    g_assert_cmpuint(qvhost_server_count(f.server, GET_INFLIGHT_FD), ==, 1);
    g_assert_cmpuint(qvhost_server_count(f.server, SET_INFLIGHT_FD), ==, 2);
    drive_disk(&f, &disk);
    g_assert_cmpuint(qvhost_server_count(f.server, GET_INFLIGHT_FD), ==, 2);
    g_assert_cmpuint(qvhost_server_count(f.server, SET_INFLIGHT_FD), ==, 3);
    stop(&f);
}

/* A queue that stands still is one where nothing is in flight: who says that it
 * has taken a request has to complete it. */
static void test_request_is_never_completed(void)
{
    QVirtioPCI disk;
    Fixture f;

    f.server = qvhost_server_new(32);
    f.server->vring_base = 1;
    start_with(&f, DEVICE, LIMIT_MS);
    drive_disk(&f, &disk);
    qvirtio_reset(&disk);
    qtest_wait_message(f.messages, "it has been told to stop, and 1 requests "
                       "of queue 0 are still not completed");
    qvhost_server_wait_connections(f.server, 2);
    stop(&f);
}

/* The guest lets go of a device of which the back end has gone. */
static void test_device_del_meanwhile(void)
{
    QPCIDevice port;
    QmpClient *qmp;
    uint8_t cap;
    Fixture f;

    f.server = qvhost_server_new(32);
    start_with(&f, DEVICE ",bus=rp0", patience_us() / 1000);
    qmp = qtest_qmp(f.c.qts);
    qvhost_server_fault(f.server, QVHOST_FAULT_CLOSE, ADD_MEM_REG, 0);
    must_change(&f, true, 0, 1);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'device_del', "
                                  "'arguments': {'id': 'disk0'}}"));
    qpci_device_init(&port, &f.c.guest, PCI_VENDOR_ID_REDHAT, ROOT_PORT, 0);
    cap = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    qpci_config_writew(f.c.qts, port.devfn, cap + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF |
                       PCI_EXP_SLTCTL_PWR_IND_OFF);
    json_object_unref(qmp_client_event(qmp, "DEVICE_DELETED"));
    must_change(&f, true, 4, 1);
    stop(&f);
}

/* --- memory that cannot be shared ----------------------------------------- */

static void test_private_memory(void)
{
    QVhostServer *server = qvhost_server_new(32);
    QTestState *s = qtest_init(
        "-M q35 -m 64M,maxmem=1G -device pcie-root-port,id=rp0 "
        "-chardev socket,id=c0,path=%s", server->socket);

    qmp_client_expect_error(qtest_qmp(s), "GenericError",
                            "memory 'pc.ram' cannot be shared with the back "
                            "end: it needs a memory backend with share=on",
                            "{'execute': 'device_add', 'arguments': "
                            "{'driver': 'vhost-user-blk-pci', 'bus': 'rp0', "
                            "'chardev': 'c0'}}");
    qtest_quit(s);
    qvhost_server_free(server);
}

/* Nobody has to say it where the command line shows that it is needed. */
static void test_shared_by_default(void)
{
    QVhostServer *server = qvhost_server_new(32);
    QTestState *s = qtest_init(
        "-M q35 -m 64M -chardev socket,id=c0,path=%s " DEVICE,
        server->socket);

    g_assert_cmpuint(qvhost_server_count(server, ADD_MEM_REG), ==, 1);
    qtest_quit(s);
    qvhost_server_free(server);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/vhost-user-faults/one-message-per-run",
                    test_one_message_per_run);
    g_test_add_func("/vhost-user-faults/whole-tables", test_whole_tables);
    g_test_add_func("/vhost-user-faults/random", test_random);
    g_test_add_func("/vhost-user-faults/plug-is-refused",
                    test_plug_is_refused);
    g_test_add_func("/vhost-user-faults/join-is-refused",
                    test_join_is_refused);
    g_test_add_func("/vhost-user-faults/unplug-is-refused",
                    test_unplug_is_refused);
    g_test_add_func("/vhost-user-faults/lies-at-a-plug", test_lies_at_a_plug);
    g_test_add_func("/vhost-user-faults/lies-at-the-start",
                    test_lies_at_the_start);
    g_test_add_func("/vhost-user-faults/hangs-at-the-start",
                    test_hangs_at_the_start);
    g_test_add_func("/vhost-user-faults/silence",
                    test_silence_holds_only_who_asked);
    g_test_add_func("/vhost-user-faults/slow-plugs",
                    test_slow_plugs_end_the_connection);
    g_test_add_func("/vhost-user-faults/notes-on-requests",
                    test_notes_on_requests);
    g_test_add_func("/vhost-user-faults/request-is-never-completed",
                    test_request_is_never_completed);
    g_test_add_func("/vhost-user-faults/device-del-meanwhile",
                    test_device_del_meanwhile);
    g_test_add_func("/vhost-user-faults/shared-by-default",
                    test_shared_by_default);
    g_test_add_func("/vhost-user-faults/private-memory", test_private_memory);
    return g_test_run();
}
