/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net that another process works (-netdev vhost-user): frames go through a
 * back end that has of guest memory what is plugged; queue pairs that the driver
 * does not use are disabled; the link is up while a back end is there.
 */
#include <linux/pci_regs.h>

#include "vhost-net-guest.h"

#define SET_FEATURES 2
#define SEND_RARP 19
#define NET_SET_MTU 20
#define PCI_VENDOR_ID_REDHAT 0x1b36
#define ROOT_PORT 0x000c

/* --- frames --------------------------------------------------------------- */

static void test_frames(void)
{
    Fixture f;
    uint64_t block0, block3;

    start(&f, 1);
    drive(&f, 1, BIT(STATUS) | BIT(CSUM));
    g_assert_true(link_is_up(&f));
    check_frame(&f, 0);
    change(&f, true, 0, 4);
    check_regions(&f, 1);
    block0 = coordination_block(&f.c, 0, 0);
    block3 = coordination_block(&f.c, 0, 3);
    check_frame_in(&f, 0, block0, block3);
    /* What is used stays, and its neighbours go. */
    change(&f, false, 1, 2);
    check_regions(&f, 2);
    check_frame_in(&f, 0, block3, block0);
    change(&f, false, 0, 1);
    change(&f, false, 3, 1);
    check_regions(&f, 0);
    check_frame(&f, 0);
    stop(&f);
}

/* What the back end has not, the driver is not offered; the control queue is not
 * the back end's. */
static void test_features(void)
{
    Fixture f;
    uint64_t offered, told;

    start(&f, 1);
    offered = qvirtio_features(&f.dev);
    g_assert_true(offered & BIT(CSUM));
    g_assert_true(offered & BIT(MRG_RXBUF));
    g_assert_true(offered & BIT(CTRL_VQ));
    g_assert_false(offered & (BIT(HOST_TSO4) | BIT(GUEST_TSO4) | BIT(MQ)));
    drive(&f, 1, BIT(CSUM) | BIT(CTRL_VQ) | BIT(STATUS));
    told = qvhost_server_value(f.server, SET_FEATURES);
    g_assert_cmphex(told & ((1ULL << 24) - 1), ==, BIT(CSUM));
    stop(&f);
}

/* --- queue pairs ---------------------------------------------------------- */

static void test_queue_pairs(void)
{
    Fixture f;

    start(&f, 2);
    drive(&f, 2, BIT(CTRL_VQ) | BIT(MQ));
    qvhost_server_wait_queues(f.server, 0xf, 0x3);
    check_frame(&f, 0);
    use_pairs(&f, 2);
    qvhost_server_wait_queues(f.server, 0xf, 0xf);
    check_frame(&f, 0);
    check_frame(&f, 1);
    use_pairs(&f, 1);
    qvhost_server_wait_queues(f.server, 0xf, 0x3);
    check_frame(&f, 0);
    /* The next one is told anew. */
    use_pairs(&f, 2);
    qvhost_server_fault(f.server, QVHOST_FAULT_CLOSE, ADD_MEM_REG, 0);
    change(&f, true, 0, 1);
    qvhost_server_wait_connections(f.server, 2);
    qvhost_server_wait_queues(f.server, 0xf, 0xf);
    check_frame(&f, 1);
    /* A driver's reset leaves one. */
    drive(&f, 2, BIT(CTRL_VQ) | BIT(MQ));
    qvhost_server_wait_queues(f.server, 0xf, 0x3);
    stop(&f);
}

/* Without MQ the third queue is the control queue, and not the back end's. */
static void test_driver_of_one_pair(void)
{
    Fixture f;

    start(&f, 2);
    drive(&f, 1, BIT(CTRL_VQ) | BIT(CTRL_RX));
    qvhost_server_wait_queues(f.server, 0x3, 0x3);
    check_frame(&f, 0);
    stop(&f);
}

static void test_too_few_pairs(void)
{
    Fixture f = { .server = new_network(2) };

    start_with(&f, "-netdev vhost-user,id=n0,chardev=c0,queues=3", "");
    qmp_client_expect_error(f.qmp, "GenericError",
                            "netdev 'n0': vhost-user-net 'c0': the back end "
                            "cannot be used: it has 2 queue pairs, and queues=3 "
                            "is asked for",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-net-pci', 'netdev': 'n0', 'bus': 'rp0'}}");
    stop(&f);
}

/* --- coming and going ----------------------------------------------------- */

static void test_link(void)
{
    Fixture f;

    start(&f, 1);
    drive(&f, 1, BIT(STATUS));
    check_frame(&f, 0);
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'nic0', "
           "'up': false}}");
    g_assert_false(link_is_up(&f));
    qvhost_server_wait_queues(f.server, 0, 0x3);
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'n0', "
           "'up': true}}");
    g_assert_false(link_is_up(&f));       /* the device's own end is down */
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'nic0', "
           "'up': true}}");
    g_assert_true(link_is_up(&f));
    check_frame(&f, 0);
    do_qmp(&f, "{'execute': 'stop'}");
    qvhost_server_wait_queues(f.server, 0, 0x3);
    do_qmp(&f, "{'execute': 'cont'}");
    check_frame(&f, 0);
    stop(&f);
}

static void test_back_end_goes(void)
{
    Fixture f;

    start(&f, 1);
    drive(&f, 1, BIT(STATUS));
    for (unsigned i = 0; i < 3; i++) {
        check_frame(&f, 0);
        qvhost_server_fault(f.server, QVHOST_FAULT_CLOSE, ADD_MEM_REG, 0);
        change(&f, true, 2 * i, 1);
        qvhost_server_wait_connections(f.server, i + 2);
        wait_link(&f, true);
        check_regions(&f, i + 1);
        check_frame_in(&f, 0, coordination_block(&f.c, 0, 2 * i), f.mem);
    }
    qtest_wait_message(f.messages, "vhost-user-net 'c0': the back end has gone: ");
    stop(&f);
}

/* What is sent meanwhile is sent when there is another one. */
static void test_frames_wait(void)
{
    const QVirtioBuffer room = { 0, ROOM, true };
    const QVirtioBuffer frame = { 0, HDR + FRAME, false };
    QVirtioBuffer in = room, out = frame;
    Fixture f;

    start(&f, 1);
    drive(&f, 1, BIT(STATUS));
    check_frame(&f, 0);
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'nic0', "
           "'up': false}}");
    in.addr = f.mem + ROOM;
    out.addr = f.mem;
    qvirtqueue_add(&f.rx[0], &in, 1);
    qvirtqueue_add(&f.tx[0], &out, 1);
    qvirtqueue_kick(&f.rx[0]);
    qvirtqueue_kick(&f.tx[0]);
    qmp_client_check_alive(f.qmp);
    g_assert_false(qvirtqueue_has_used(&f.tx[0]));
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'nic0', "
           "'up': true}}");
    qvirtqueue_wait(&f.tx[0], NULL);
    qvirtqueue_wait(&f.rx[0], NULL);
    stop(&f);
}

/* The netdev goes from under the device; its character device is free then. */
static void test_netdev_del(void)
{
    Fixture f;

    start(&f, 1);
    drive(&f, 1, BIT(STATUS));
    check_frame(&f, 0);
    do_qmp(&f, "{'execute': 'netdev_del', 'arguments': {'id': 'n0'}}");
    g_assert_false(link_is_up(&f));
    qvhost_server_wait_connections(f.server, 2);
    check_regions(&f, 0);
    change(&f, true, 0, 1);
    do_qmp(&f, "{'execute': 'set_link', 'arguments': {'name': 'nic0', "
           "'up': true}}");
    g_assert_false(link_is_up(&f));
    drive(&f, 1, BIT(STATUS));
    do_qmp(&f, "{'execute': 'netdev_add', 'arguments': {'type': 'vhost-user', "
           "'id': 'n1', 'chardev': 'c0', 'queues': 1}}");
    do_qmp(&f, "{'execute': 'netdev_del', 'arguments': {'id': 'n1'}}");
    stop(&f);
}

static void power_off(Fixture *f)
{
    QPCIDevice port;
    uint8_t cap;

    qpci_device_init(&port, &f->c.guest, PCI_VENDOR_ID_REDHAT, ROOT_PORT, 0);
    cap = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    qpci_config_writew(f->c.qts, port.devfn, cap + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF |
                       PCI_EXP_SLTCTL_PWR_IND_OFF);
}

static void test_hot_plug(void)
{
    Fixture f = { .server = new_network(1) };

    start_with(&f, "", "");
    change(&f, true, 1, 1);
    for (unsigned i = 0; i < 3; i++) {
        add_netdev(&f);
        g_assert_true(add_device(&f));
        check_regions(&f, 1);
        do_qmp(&f, "{'execute': 'device_del', 'arguments': {'id': 'd'}}");
        power_off(&f);
        json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
        do_qmp(&f, "{'execute': 'netdev_del', 'arguments': {'id': 'n1'}}");
        qvhost_server_wait_connections(f.server, i + 2);
        check_regions(&f, 0);
    }
    stop(&f);
}

/* --- networks ------------------------------------------------------------- */

static void test_announcement(void)
{
    static const uint8_t mac[8] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    uint64_t value;
    Fixture f;

    start(&f, 1);
    drive(&f, 1, 0);
    do_qmp(&f, "{'execute': 'announce-self', 'arguments': {'initial': 50, "
           "'max': 550, 'rounds': 1, 'step': 100}}");
    while (!qvhost_server_count(f.server, SEND_RARP)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    value = qvhost_server_value(f.server, SEND_RARP);
    g_assert_cmpmem(&value, sizeof(value), mac, sizeof(mac));
    check_frame(&f, 0);
    stop(&f);
}

static void test_mtu(void)
{
    Fixture f = { .server = new_network(1) };

    start_with(&f, "-netdev vhost-user,id=n0,chardev=c0", NIC ",host_mtu=1400");
    g_assert_cmpuint(qvhost_server_value(f.server, NET_SET_MTU), ==, 1400);
    stop(&f);
}

/* --- options and memory --------------------------------------------------- */

static void test_bad_options(void)
{
    static const struct {
        const char *arguments, *error;
    } cases[] = {
        { "", "netdev vhost-user: chardev=ID must name the character device" },
        { ",'chardev':'c9'", "netdev vhost-user: chardev \"c9\" not found" },
        { ",'chardev':'null0'", "netdev vhost-user: chardev 'null0' must be a "
          "socket" },
        { ",'chardev':'c0','queues':0", "queues=0, but there can be 1 to 16" },
        { ",'chardev':'c0','queues':17", "queues=17, but there can be 1 to 16" },
        { ",'chardev':'c0','x-msg-timeout':0", "x-msg-timeout=0 is not possible" },
        { ",'chardev':'c0','vhost':true", "Invalid parameter 'vhost': netdev "
          "vhost-user has chardev=ID" },
    };
    Fixture f = { .server = new_network(1) };

    start_with(&f, "-chardev null,id=null0", "");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        qmp_client_expect_error(f.qmp, "GenericError", cases[i].error,
                                "{'execute': 'netdev_add', 'arguments': {'type': "
                                "'vhost-user', 'id': 'n1'%s}}",
                                cases[i].arguments);
    }
    add_netdev(&f);
    qmp_client_expect_error(f.qmp, "GenericError", "'c0' is already in use",
                            "{'execute': 'netdev_add', 'arguments': {'type': "
                            "'vhost-user', 'id': 'n2', 'chardev': 'c0'}}");
    stop(&f);
}

static void test_memory(void)
{
    QVhostServer *server = new_network(1);
    QTestState *s = qtest_init("-M q35 -m 64M -chardev socket,id=c0,path=%s "
                               "-nic vhost-user,chardev=c0", server->socket);

    g_assert_cmpuint(qvhost_server_count(server, ADD_MEM_REG), ==, 1);
    qtest_quit(s);
    qvhost_server_wait_disconnect(server);
    s = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0 "
                   "-chardev socket,id=c0,path=%s", server->socket);
    json_node_unref(qmp_client_do(
        qtest_qmp(s), "{'execute': 'netdev_add', 'arguments': {'type': "
        "'vhost-user', 'id': 'n0', 'chardev': 'c0'}}"));
    qmp_client_expect_error(qtest_qmp(s), "GenericError",
                            "memory 'pc.ram' cannot be shared with the back "
                            "end: it needs a memory backend with share=on",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-net-pci', 'netdev': 'n0', 'bus': 'rp0'}}");
    qtest_quit(s);
    qvhost_server_free(server);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } tests[] = {
        { "frames", test_frames },
        { "features", test_features },
        { "queue-pairs", test_queue_pairs },
        { "driver-of-one-pair", test_driver_of_one_pair },
        { "too-few-pairs", test_too_few_pairs },
        { "link", test_link },
        { "back-end-goes", test_back_end_goes },
        { "frames-wait", test_frames_wait },
        { "netdev-del", test_netdev_del },
        { "hot-plug", test_hot_plug },
        { "announcement", test_announcement },
        { "mtu", test_mtu },
        { "bad-options", test_bad_options },
        { "memory", test_memory },
    };

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/vhost-user-net/%s",
                                                tests[i].name);

        g_test_add_func(path, tests[i].fn);
    }
    return g_test_run();
}
