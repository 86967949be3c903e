/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev stream, and what connects it: links go up and down, netdevs and peers
 * come and go, and what is no netdev, or no frame, is refused.
 */
#include <sys/un.h>

#include "net-guest.h"

/* --- the link ------------------------------------------------------------- */

static unsigned link_status(Fixture *f)
{
    return qtest_readw(f->qts, f->dev.config +
                               offsetof(struct virtio_net_config, status));
}

static void set_link(Fixture *f, const char *name, const char *up)
{
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'set_link', 'arguments': "
                                  "{'name': '%s', 'up': %s}}", name, up));
}

static void test_link(void)
{
    static const char *const names[] = { "nic0", "n0" };
    Fixture f;

    start(&f, BIT(STATUS));
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(link_status(&f), ==, VIRTIO_NET_S_LINK_UP);
        give_room(&f, 0, ROOM);
        set_link(&f, names[i], "false");
        qvirtio_wait_interrupt(&f.dev, QVIRTIO_CONFIG_CHANGED);
        g_assert_cmpuint(link_status(&f), ==, 0);
        peer_send_to(&f, own_mac, 1);
        check_idle(&f, &f.rx);
        add_frame(&f, ROOM, FRAME, 1);    /* to nobody */
        qvirtqueue_kick(&f.tx);
        qvirtqueue_wait(&f.tx, NULL);
        set_link(&f, names[i], "true");
        qvirtio_wait_interrupt(&f.dev, QVIRTIO_CONFIG_CHANGED);
        peer_send_to(&f, own_mac, 2);
        expect_frame(&f, 0, own_mac, 2);
        add_frame(&f, ROOM, FRAME, 3);
        qvirtqueue_kick(&f.tx);
        expect_sent(&f, FRAME, 3);
        qvirtqueue_wait(&f.tx, NULL);
    }
    qmp_client_expect_error(f.qmp, "DeviceNotFound", "nosuch",
                            "{'execute': 'set_link', 'arguments': "
                            "{'name': 'nosuch', 'up': true}}");
    stop(&f);
}

static void test_netdev_goes(void)
{
    Fixture f;

    start(&f, BIT(STATUS));
    give_room(&f, 0, ROOM);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'netdev_del', "
                                  "'arguments': {'id': 'n0'}}"));
    g_assert_cmpuint(link_status(&f), ==, 0);
    g_assert_cmpint(read(f.peer, &(char){ 0 }, 1), ==, 0);
    add_frame(&f, ROOM, FRAME, 1);
    qvirtqueue_kick(&f.tx);
    qvirtqueue_wait(&f.tx, NULL);
    check_idle(&f, &f.rx);
    qmp_client_expect_error(f.qmp, "DeviceNotFound", "n0",
                            "{'execute': 'netdev_del', 'arguments': "
                            "{'id': 'n0'}}");
    stop(&f);
}

/* --- the stream ----------------------------------------------------------- */

static void test_peer_sends_no_frame(void)
{
    static const uint32_t lengths[] = { 0, 68 * 1024 + 1, UINT32_MAX };

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        uint32_t length = htonl(lengths[i]);
        Fixture f;

        start(&f, 0);
        give_room(&f, 0, ROOM);
        g_assert_cmpint(write(f.peer, &length, 4), ==, 4);
        json_object_unref(qmp_client_event(f.qmp, "NETDEV_STREAM_DISCONNECTED"));
        check_idle(&f, &f.rx);
        add_frame(&f, ROOM, FRAME, 1);
        qvirtqueue_kick(&f.tx);
        qvirtqueue_wait(&f.tx, NULL);
        stop(&f);
    }
}

static int connect_to(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(addr.sun_path, path);
    g_assert_no_errno(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
    return fd;
}

/* A peer that goes in the middle of a frame, and the next one. */
static void test_peers_come_and_go(void)
{
    g_autofree char *dir = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);
    g_autofree char *netdev = g_strdup_printf(
        "-netdev stream,id=n0,server=on,addr.type=unix,addr.path=%s", path);
    uint32_t length = htonl(FRAME);
    Fixture f;

    start_with(&f, 0, netdev);
    for (unsigned i = 0; i < 3; i++) {
        f.peer = connect_to(path);
        json_object_unref(qmp_client_event(f.qmp, "NETDEV_STREAM_CONNECTED"));
        give_room(&f, 0, ROOM);
        peer_send_to(&f, own_mac, i);
        expect_frame(&f, 0, own_mac, i);
        add_frame(&f, ROOM, FRAME, i);
        qvirtqueue_kick(&f.tx);
        expect_sent(&f, FRAME, i);
        qvirtqueue_wait(&f.tx, NULL);
        g_assert_cmpint(write(f.peer, &length, 4), ==, 4);
        close(f.peer);
        json_object_unref(qmp_client_event(f.qmp, "NETDEV_STREAM_DISCONNECTED"));
    }
    qtest_quit(f.qts);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    rmdir(dir);
}

/* Both by one option; the second one gets the next address. */
static void test_nic(void)
{
    g_autofree char *text = NULL;
    QTestState *qts = qtest_init(
        "-M q35 -nic none -nic stream,server=on,addr.type=inet,"
        "addr.host=127.0.0.1,addr.port=0,id=mine "
        "-nic stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0,"
        "model=virtio "
        "-nic stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0,"
        "model=virtio-net-pci,mac=52:54:00:01:02:03");

    text = qtest_hmp(qts, "info network");
    g_assert_nonnull(strstr(text, "macaddr=52:54:00:12:34:56"));
    g_assert_nonnull(strstr(text, "macaddr=52:54:00:12:34:57"));
    g_assert_nonnull(strstr(text, "macaddr=52:54:00:01:02:03"));
    g_assert_nonnull(strstr(text, " \\ mine: type=stream"));
    g_assert_nonnull(strstr(text, " \\ nic1: type=stream"));
    qtest_quit(qts);
}

/* --- bad input ------------------------------------------------------------ */

static void test_bad_input(void)
{
    static const char *const netdevs[][2] = {
        { "'type': 'nosuch', 'id': 'x'", "'nosuch'" },
        { "'type': 'socket', 'id': 'x'", "dgram for udp=" },
        { "'type': 'bridge', 'id': 'x'", "tap with ifname=" },
        { "'type': 'stream', 'id': '9x'", "id" },
        { "'type': 'stream', 'id': 'n0'", "Duplicate" },
        { "'type': 'stream', 'id': 'x'", "addr.type" },
        { "'type': 'stream', 'id': 'x', 'addr': {'type': 'unix'}", "addr.path" },
        { "'type': 'stream', 'id': 'x', 'addr': {'type': 'inet', 'host': 'a'}",
          "addr.port" },
        { "'type': 'stream', 'id': 'x', 'addr': {'type': 'unix', 'path': "
          "'/nowhere/at/all'}", "/nowhere/at/all" },
        { "'type': 'stream', 'id': 'x', 'wings': 2", "'wings'" },
        { "'type': 'stream', 'id': 'x', 'server': 2", "'server'" },
    };
    static const char *const devices[][2] = {
        { "'netdev': 'nosuch'", "'nosuch'" },
        { "'netdev': 'n0'", "in use" },
        { "'mac': '01:00:5e:00:00:01'", "01:00:5e:00:00:01" },
        { "'mac': '52:54:00'", "52:54:00" },
        { "'rx_queue_size': 100", "'rx_queue_size' is 100" },
        { "'tx_queue_size': 2048", "'tx_queue_size' is 2048" },
        { "'host_mtu': 67", "'host_mtu' is 67" },
    };
    Fixture f;

    start(&f, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(netdevs); i++) {
        qmp_client_expect_error(f.qmp, "GenericError", netdevs[i][1],
                                "{'execute': 'netdev_add', 'arguments': {%s}}",
                                netdevs[i][0]);
    }
    stop(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        QTestState *qts = qtest_init("-M q35 -device pcie-root-port,id=rp0 "
                                     "-netdev stream,id=n0,server=on,"
                                     "addr.type=inet,addr.host=127.0.0.1,"
                                     "addr.port=0" NIC);

        qmp_client_expect_error(qtest_qmp(qts), "GenericError", devices[i][1],
                                "{'execute': 'device_add', 'arguments': "
                                "{'driver': 'virtio-net-pci', 'bus': 'rp0', %s}}",
                                devices[i][0]);
        qtest_quit(qts);
    }
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/netdev-stream/" name, fn)
    ADD("link", test_link);
    ADD("netdev-goes", test_netdev_goes);
    ADD("peer-sends-no-frame", test_peer_sends_no_frame);
    ADD("peers-come-and-go", test_peers_come_and_go);
    ADD("nic", test_nic);
    ADD("bad-input", test_bad_input);
    return g_test_run();
}
