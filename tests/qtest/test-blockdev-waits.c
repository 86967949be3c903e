/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A storage daemon that takes its time: only who has asked it waits. Between the
 * emulator and QEMU's daemon there is a program that holds one command back until
 * the test lets it go on; meanwhile disks are read, other clients' commands are
 * carried out, and devices go.
 */
#include "qemu/units.h"
#include "storage-daemon.h"
#include "virtio-blk.h"

#define ERR "GenericError"
#define NULL_NODE "'driver': 'null-co', 'size': 1048576, 'read-zeroes': true"
#define ADD "{'execute': 'blockdev-add', 'arguments': {" NULL_NODE              \
    ", 'node-name': '%s'}}"
#define DEL "{'execute': 'blockdev-del', 'arguments': {'node-name': '%s'}}"
#define PLUG "{'execute': 'device_add', 'arguments': {"                         \
    "'driver': 'virtio-blk-pci', 'id': '%s', 'drive': 'served', 'bus': 'rp'}}"
#define RESIZE "{'execute': 'block_resize', 'arguments': {"                     \
    "'node-name': '%s', 'size': 2097152}}"

/* With the text that the command has that is held. With a file "mute" it has exports
 * itself, and says nothing there. */
static const char holder[] =
    "for line in client.makefile():\n"
    "    if '%s' in line and not os.path.exists(DIR + '/go'):\n"
    "        open(DIR + '/held', 'w').close()\n"
    "        while not os.path.exists(DIR + '/go'):\n"
    "            time.sleep(0.01)\n"
    "    if 'block-export-add' in line and os.path.exists(DIR + '/mute'):\n"
    "        mute = socket.socket(socket.AF_UNIX)\n"
    "        mute.bind(json.loads(line)['arguments']['addr']['path'])\n"
    "        mute.listen()\n"
    "        client.sendall(b'{\"return\": {}}\\n')\n"
    "        open(DIR + '/held', 'w').close()\n"
    "        continue\n"
    "    ours.sendall(line.encode())\n";

typedef struct Fixture {
    QStandIn daemon;
    QTestState *qts;
    QmpClient *asks;                      /* whose command is held */
    QmpClient *other;
    QGuest guest;
    QVirtioBlk blk;                       /* a disk of the emulator's own */
    uint64_t data;
} Fixture;

/* @held: text of the command that is held. */
static void start(Fixture *f, const char *held)
{
    g_autofree char *what_it_does = g_strdup_printf(holder, held);
    g_autofree char *sectors = g_strnfill(MiB, 'x');
    g_autofree char *disk = NULL, *monitor = NULL;

    qstand_in_begin(&f->daemon, what_it_does);
    qstand_in_write(&f->daemon, "disk", sectors, 0644);
    disk = qstand_in_file(&f->daemon, "disk");
    monitor = qstand_in_file(&f->daemon, "qmp");
    f->qts = qtest_init(
        "-M q35 -m 256M -blockdev driver=file,filename=%s,node-name=own "
        "-device virtio-blk-pci,drive=own,addr=5 "
        "-blockdev driver=file,filename=%s,node-name=own2,read-only=on,"
        "locking=off "
        "-blockdev driver=null-co,node-name=served,size=1M,read-zeroes=on "
        "-device pcie-root-port,id=rp,chassis=1 -qmp unix:%s,server=on,wait=off",
        disk, disk, monitor);
    f->asks = qtest_qmp(f->qts);
    f->other = qmp_client_connect(monitor);
    qmp_client_handshake(f->other);
    qguest_init(&f->guest, f->qts);
    qvirtio_blk_init(&f->blk, &f->guest, 0);
    f->data = qguest_alloc(&f->guest, 4 * KiB, 4096);
}

static void stop(Fixture *f)
{
    qmp_client_free(f->other);
    qtest_quit(f->qts);
    qstand_in_end(&f->daemon);
}

static void wait_until_held(Fixture *f)
{
    g_autofree char *path = qstand_in_file(&f->daemon, "held");
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void send_and_hold(Fixture *f, const char *fmt, const char *arg)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, fmt, arg);
    qmp_client_send(f->asks, text->str);
    wait_until_held(f);
}

static void go_on(Fixture *f)
{
    qstand_in_write(&f->daemon, "go", "", 0644);
}

static void do_it(QmpClient *c, const char *fmt, const char *arg)
{
    json_node_unref(qmp_client_do(c, fmt, arg));
}

/* The reply to what was held. */
static void expect_success(Fixture *f)
{
    g_autoptr(JsonObject) reply = qmp_client_reply(f->asks);

    g_assert_true(json_object_has_member(reply, "return"));
}

/* Neither the guest nor another client waits. */
static void assert_others_go_on(Fixture *f)
{
    qtest_memset(f->qts, f->data, 0, 4 * KiB);
    g_assert_cmpuint(qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_IN, 8, f->data,
                                         4 * KiB, true, NULL), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmphex(qtest_readb(f->qts, f->data), ==, 'x');
    do_it(f->other, "{'execute': '%s'}", "query-status");
    do_it(f->other, "{'execute': '%s'}", "query-memory-devices");
}

/* --- commands --- */

static void test_blockdev_add(void)
{
    Fixture f;

    start(&f, "\"slow\"");
    send_and_hold(&f, ADD, "slow");
    assert_others_go_on(&f);
    qmp_client_expect_error(f.other, ERR, "of that name", ADD, "slow");
    qmp_client_expect_error(f.other, ERR, "has not answered yet", DEL, "slow");
    qmp_client_expect_error(f.other, ERR, "own' is in use", DEL, "own");
    go_on(&f);
    expect_success(&f);
    do_it(f.asks, DEL, "slow");
    stop(&f);
}

/* Both delete the same node: the first one has. */
static void test_blockdev_del(void)
{
    Fixture f;

    start(&f, "blockdev-del");
    send_and_hold(&f, DEL, "served");
    assert_others_go_on(&f);
    qmp_client_expect_error(f.other, ERR, "of that name", ADD, "served");
    go_on(&f);
    expect_success(&f);
    qmp_client_expect_error(f.other, ERR, "Failed to find", DEL, "served");
    do_it(f.other, ADD, "served");
    stop(&f);
}

/* A node that was there when it was asked, and is not when it is answered; a guest
 * that is reset meanwhile. */
static void test_query(void)
{
    Fixture f;

    start(&f, "query-blockstats");
    send_and_hold(&f, "{\"execute\": \"%s\"}", "query-blockstats");
    assert_others_go_on(&f);
    do_it(f.other, DEL, "own2");
    do_it(f.other, "{'execute': '%s'}", "system_reset");
    json_object_unref(qmp_client_event(f.other, "RESET"));
    go_on(&f);
    expect_success(&f);
    stop(&f);
}

static void test_resize(void)
{
    Fixture f;

    start(&f, "block_resize");
    send_and_hold(&f, RESIZE, "served");
    assert_others_go_on(&f);
    go_on(&f);
    /* null-co cannot: what matters is that it is said. */
    qmp_assert_error(qmp_client_reply(f.asks), ERR, "");
    stop(&f);
}

/* --- devices --- */

static void test_device_add(void)
{
    Fixture f;

    start(&f, "block-export-add");
    send_and_hold(&f, PLUG, "first");
    assert_others_go_on(&f);
    qmp_client_expect_error(f.other, ERR, "has not answered yet", DEL, "served");
    qmp_client_expect_error(f.other, ERR, "has not answered yet", PLUG, "second");
    go_on(&f);
    expect_success(&f);
    qmp_client_expect_error(f.other, ERR, "in use", DEL, "served");
    stop(&f);
}

/* It says that it serves the disk, and does not: the device is refused in time. */
static void test_device_add_of_mute(void)
{
    Fixture f;

    start(&f, "nothing");
    qstand_in_write(&f.daemon, "mute", "", 0644);
    send_and_hold(&f, PLUG, "first");
    assert_others_go_on(&f);
    qmp_assert_error(qmp_client_reply(f.asks), ERR,
                     "drive 'served': the back end cannot be used");
    stop(&f);
}

/* The guest lets go of a disk: the device goes, whatever the daemon does, which
 * may have the node closed later. */
static void test_device_goes(void)
{
    Fixture f;

    start(&f, "block-export-del");
    do_it(f.asks, PLUG, "d");
    do_it(f.asks, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", "d");
    do_it(f.asks, "{'execute': '%s'}", "system_reset");
    json_object_unref(qmp_client_event(f.asks, "DEVICE_DELETED"));
    wait_until_held(&f);
    do_it(f.other, "{'execute': '%s'}", "query-status");
    qmp_client_send(f.asks, "{\"execute\": \"blockdev-del\", \"arguments\": "
                    "{\"node-name\": \"served\"}}");
    do_it(f.other, "{'execute': '%s'}", "query-status");
    go_on(&f);
    expect_success(&f);
    stop(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    g_test_add_func("/blockdev-waits/blockdev-add", test_blockdev_add);
    g_test_add_func("/blockdev-waits/blockdev-del", test_blockdev_del);
    g_test_add_func("/blockdev-waits/query", test_query);
    g_test_add_func("/blockdev-waits/resize", test_resize);
    g_test_add_func("/blockdev-waits/device-add", test_device_add);
    g_test_add_func("/blockdev-waits/device-add-of-mute",
                    test_device_add_of_mute);
    g_test_add_func("/blockdev-waits/device-goes", test_device_goes);
    return g_test_run();
}
