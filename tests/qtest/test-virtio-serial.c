/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial: ports and their control messages, what is sent each way, hot
 * plug, and drivers that lie.
 */
#include "virtio-serial-guest.h"

static void test_a_channel_as_libvirt_has_it(void)
{
    char name[ROOM];
    Fixture f;

    start_channel(&f, "");
    expect_frontend(&f, false);
    say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    g_assert_cmpuint(hear(&f, name).event, ==, VIRTIO_CONSOLE_PORT_NAME);
    g_assert_cmpstr(name, ==, AGENT);

    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_change(&f, true);
    expect_frontend(&f, true);

    give(&f, &f.rx, page(&f, 20));
    peer_sends(&f, "guest-ping");
    expect_in_guest(&f, page(&f, 20), "guest-ping");
    send_at(&f, &f.tx, page(&f, 21), "pong", 4);
    qvirtqueue_wait(&f.tx, NULL);
    peer_expects(&f, "pong");

    give(&f, &f.rx, page(&f, 20));
    hang_up(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    expect_change(&f, false);
    expect_frontend(&f, false);
    stop(&f);
}

/* A peer that is there first is told of with the port. */
static void test_a_peer_may_come_first(void)
{
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    g_assert_cmpuint(hear(&f, NULL).event, ==, VIRTIO_CONSOLE_PORT_NAME);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    stop(&f);
}

static void test_input_waits_until_the_guest_opens(void)
{
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    give(&f, &f.rx, page(&f, 20));
    peer_sends(&f, "early");
    qmp_client_check_alive(f.qmp);
    g_assert_false(qvirtqueue_has_used(&f.rx));
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_in_guest(&f, page(&f, 20), "early");
    /* ... and until it has room, and while the VM is stopped. */
    peer_sends(&f, "more");
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'stop'}"));
    give(&f, &f.rx, page(&f, 20));
    qmp_client_check_alive(f.qmp);
    g_assert_false(qvirtqueue_has_used(&f.rx));
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'cont'}"));
    expect_in_guest(&f, page(&f, 20), "more");
    stop(&f);
}

/* Also one that has written something that nobody has read. */
static void test_a_peer_may_go_unread(void)
{
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    peer_sends(&f, "never read");
    hang_up(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    give(&f, &f.rx, page(&f, 20));
    peer_sends(&f, "read");
    expect_in_guest(&f, page(&f, 20), "read");
    stop(&f);
}

static void test_output_to_nobody_is_lost(void)
{
    Fixture f;

    start_channel(&f, "");
    send_at(&f, &f.tx, page(&f, 20), "nobody", 6);
    qvirtqueue_wait(&f.tx, NULL);
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    send_at(&f, &f.tx, page(&f, 20), "somebody", 8);
    qvirtqueue_wait(&f.tx, NULL);
    peer_expects(&f, "somebody");
    stop(&f);
}

/* Each element is one byte's pages; what the peer does not read waits in the ring,
 * and comes whole and in order. */
static void test_output_waits_for_a_slow_peer(void)
{
    uint8_t data[ROOM], got[ROOM];
    unsigned sent = 0, read = 0;
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    do {
        memset(data, sent, ROOM);
        send_at(&f, &f.tx, page(&f, 16 + sent % 16), data, ROOM);
        sent++;
        qmp_client_check_alive(f.qmp);
    } while (qvirtqueue_has_used(&f.tx) &&
             qvirtqueue_wait(&f.tx, NULL) != UINT16_MAX);
    g_assert_cmpuint(sent, >, 1);
    while (read < sent) {
        peer_reads(&f, got, ROOM);
        memset(data, read++, ROOM);
        g_assert_cmpmem(got, ROOM, data, ROOM);
    }
    qvirtqueue_wait(&f.tx, NULL);
    stop(&f);
}

/* The peer goes while output waits for it. */
static void test_a_slow_peer_may_go(void)
{
    uint8_t data[ROOM] = { 0 };
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    do {
        send_at(&f, &f.tx, page(&f, 16), data, ROOM);
        qmp_client_check_alive(f.qmp);
    } while (qvirtqueue_has_used(&f.tx) &&
             qvirtqueue_wait(&f.tx, NULL) != UINT16_MAX);
    hang_up(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    qvirtqueue_wait(&f.tx, NULL);
    stop(&f);
}

static void test_news_wait_for_room(void)
{
    Fixture f;

    start(&f, "-device virtserialport,bus=virtio-serial0.0,chardev=c0,name=a "
              "-device virtserialport,bus=virtio-serial0.0,name=b");
    start_driver(&f, BIT(MULTIPORT), 4);
    say(&f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    for (unsigned i = 0; i < 1000; i++) {
        say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    }
    give_control_room(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
    g_assert_cmpuint(hear(&f, NULL).event, ==, VIRTIO_CONSOLE_PORT_NAME);
    expect(&f, 2, VIRTIO_CONSOLE_PORT_ADD, 1);
    g_assert_false(qvirtqueue_has_used(&f.control_rx));
    stop(&f);
}

static void test_ports_come_and_go(void)
{
    Fixture f;

    start(&f, "");
    start_driver(&f, BIT(MULTIPORT), 4);
    give_control_room(&f);
    say(&f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    for (unsigned round = 0; round < 2; round++) {
        json_node_unref(qmp_client_do(f.qmp, "{'execute': 'device_add', "
            "'arguments': {'driver': 'virtserialport', 'bus': "
            "'virtio-serial0.0', 'id': 'channel0', 'chardev': 'c0', 'nr': 1}}"));
        expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
        connect_peer(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
        say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
        expect_change(&f, true);
        send_at(&f, &f.tx, page(&f, 20), "hello", 5);
        qvirtqueue_wait(&f.tx, NULL);
        peer_expects(&f, "hello");
        say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        expect_change(&f, false);
        hang_up(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        json_node_unref(qmp_client_do(f.qmp, "{'execute': 'device_del', "
                                      "'arguments': {'id': 'channel0'}}"));
        json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
        expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
        /* Nobody takes it, but the ring goes on. */
        send_at(&f, &f.tx, page(&f, 20), "bye", 3);
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

static void test_the_device_goes_with_its_ports(void)
{
    QTestState *qts = qtest_init("-M q35 -device pcie-root-port,id=rp0");
    QmpClient *qmp = qtest_qmp(qts);

    for (unsigned round = 0; round < 2; round++) {
        json_node_unref(qmp_client_do(qmp, "{'execute': 'device_add', "
            "'arguments': {'driver': 'virtio-serial-pci', 'bus': 'rp0', "
            "'id': 's1', 'max_ports': 2}}"));
        json_node_unref(qmp_client_do(qmp, "{'execute': 'device_add', "
            "'arguments': {'driver': 'virtserialport', 'bus': 's1.0', "
            "'id': 'p1'}}"));
        qmp_client_expect_error(qmp, "GenericError", "nr=2", "{'execute': "
            "'device_add', 'arguments': {'driver': 'virtserialport', 'bus': "
            "'s1.0'}}");
        json_node_unref(qmp_client_do(qmp, "{'execute': 'device_del', "
                                      "'arguments': {'id': 's1'}}"));
        json_node_unref(qmp_client_do(qmp, "{'execute': 'system_reset'}"));
        for (unsigned i = 0; i < 2; i++) {
            json_object_unref(qmp_client_event(qmp, "DEVICE_DELETED"));
        }
    }
    qtest_quit(qts);
}

static void test_a_console(void)
{
    Fixture f;

    start(&f, "-device virtconsole,chardev=c0,id=console0");
    start_driver(&f, BIT(MULTIPORT), 0);
    give_control_room(&f);
    say(&f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 1);
    say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    expect(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    send_at(&f, &f.tx, page(&f, 20), "nobody", 6);
    qvirtqueue_wait(&f.tx, NULL);
    connect_peer(&f);
    send_at(&f, &f.tx, page(&f, 20), "login:", 6);
    qvirtqueue_wait(&f.tx, NULL);
    stop(&f);
}

/* One that knows a console, and nothing of ports. */
static void test_an_old_driver(void)
{
    Fixture f;

    start(&f, "-device virtconsole,chardev=c0");
    connect_peer(&f);
    start_driver(&f, 0, 0);
    give(&f, &f.rx, page(&f, 20));
    peer_sends(&f, "in");
    expect_in_guest(&f, page(&f, 20), "in");
    send_at(&f, &f.tx, page(&f, 21), "out", 3);
    qvirtqueue_wait(&f.tx, NULL);
    peer_expects(&f, "out");
    /* And one that has no queues at all. */
    qvirtio_reset(&f.dev);
    qtest_writel(f.qts, f.dev.config +
                        offsetof(struct virtio_console_config, emerg_wr), '!');
    peer_expects(&f, "!");
    stop(&f);
}

static void test_a_reset_closes(void)
{
    Fixture f;

    start_channel(&f, "");
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_change(&f, true);
    qvirtio_reset(&f.dev);
    expect_change(&f, false);
    start_driver(&f, BIT(MULTIPORT), 4);
    give_control_room(&f);
    say(&f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
    stop(&f);
}

static void test_messages_that_lie(void)
{
    static const uint32_t ports[] = { 0, 1, 2, 30, 31, 32, 1 << 16,
                                      INT32_MAX, UINT32_MAX };
    Fixture f;

    start_channel(&f, "");
    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++) {
        for (unsigned event = 0; event < 10; event++) {
            if (event != VIRTIO_CONSOLE_DEVICE_READY) {
                say(&f, ports[i], event, 0);
                say(&f, ports[i], event, UINT16_MAX);
            }
        }
    }
    for (unsigned size = 1; size < CONTROL_SIZE; size++) {
        send_at(&f, &f.control_tx, page(&f, 0), "\0\0\0\0\0\0\0", size);
        qvirtqueue_wait(&f.control_tx, NULL);
    }
    qmp_client_check_alive(f.qmp);
    g_assert_cmphex(qvirtio_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET, ==, 0);
    stop(&f);
}

static void test_bad_input(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-M q35 -device virtio-serial-pci,max_ports=0",
          "max_ports=0|1 to 511" },
        { QTEST_ARGS "-M q35 -device virtio-serial-pci,max_ports=512",
          "max_ports=512" },
        { QTEST_ARGS "-M q35 -device virtserialport", "virtio-serial-bus" },
        { QTEST_ARGS "-M q35 -device virtio-serial-pci -device "
          "virtserialport,nr=0", "nr=0|virtconsole" },
        { QTEST_ARGS "-M q35 -device virtio-serial-pci -device "
          "virtserialport,nr=31", "nr=31|0 to 30" },
        { QTEST_ARGS "-M q35 -device virtio-serial-pci -device "
          "virtserialport,nr=1 -device virtserialport,nr=1", "nr=1 is in use" },
        { QTEST_ARGS "-M q35 -device virtio-serial-pci -device "
          "virtserialport,chardev=nosuch", "nosuch" },
    };

    cli_begin();
    cli_check_all(cases, G_N_ELEMENTS(cases));
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/virtio-serial/" name, fn)
    ADD("a-channel-as-libvirt-has-it", test_a_channel_as_libvirt_has_it);
    ADD("a-peer-may-come-first", test_a_peer_may_come_first);
    ADD("input-waits-until-the-guest-opens",
        test_input_waits_until_the_guest_opens);
    ADD("a-peer-may-go-unread", test_a_peer_may_go_unread);
    ADD("output-to-nobody-is-lost", test_output_to_nobody_is_lost);
    ADD("output-waits-for-a-slow-peer", test_output_waits_for_a_slow_peer);
    ADD("a-slow-peer-may-go", test_a_slow_peer_may_go);
    ADD("news-wait-for-room", test_news_wait_for_room);
    ADD("ports-come-and-go", test_ports_come_and_go);
    ADD("the-device-goes-with-its-ports", test_the_device_goes_with_its_ports);
    ADD("a-console", test_a_console);
    ADD("an-old-driver", test_an_old_driver);
    ADD("a-reset-closes", test_a_reset_closes);
    ADD("messages-that-lie", test_messages_that_lie);
    ADD("bad-input", test_bad_input);
    return g_test_run();
}
