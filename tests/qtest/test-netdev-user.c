/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: the test plays the guest's driver on one side, and servers and
 * clients on the host's loopback on the other.
 */
#include "cli.h"
#include "inet-guest.h"

/* --- tests ---------------------------------------------------------------- */

static void test_dhcp_gives_an_address(void)
{
    Fixture f;

    start(&f, "-nic user,net=10.9.8.0/24,dhcpstart=10.9.8.77");
    give_buffers(&f);
    f.host_addr = inet_addr("10.9.8.2");
    g_assert_cmphex(ask_for_address(&f), ==, inet_addr("10.9.8.77"));
    qtest_quit(f.qts);
}

static void test_datagrams_pass_both_ways(void)
{
    uint16_t port, from;
    int fd = host_socket(SOCK_DGRAM, &port);
    Fixture f;

    start(&f, "-nic user");
    give_buffers(&f);
    find_host(&f);
    send_udp(&f, port, "question");
    from = expect_from(fd, "question");
    send_to(fd, from, "answer");
    g_assert_cmpuint(expect_udp(&f, "answer"), ==, port);
    close(fd);
    qtest_quit(f.qts);
}

static void test_connections_open_and_end(void)
{
    uint16_t port;
    int listener = host_socket(SOCK_STREAM, &port);
    uint8_t frame[ROOM];
    Tcp *tcp;
    Ip *ip;
    Fixture f;

    g_assert_no_errno(listen(listener, 1));
    start(&f, "-nic model=virtio");       /* user, if nothing is said */
    give_buffers(&f);
    find_host(&f);
    send_tcp(&f, port, true, 0);
    tcp = take_packet(&f, frame, IPPROTO_TCP, &ip);
    g_assert_true(tcp->syn && tcp->ack);
    send_tcp(&f, port, false, htonl(ntohl(tcp->seq) + 1));
    close(accept(listener, NULL, NULL));
    while (!tcp->fin) {
        tcp = take_packet(&f, frame, IPPROTO_TCP, &ip);
    }
    close(listener);
    qtest_quit(f.qts);
}

/* What comes while the guest has no room waits for it, in order. */
static void test_frames_wait_for_room(void)
{
    uint16_t port, from;
    int fd = host_socket(SOCK_DGRAM, &port);
    Fixture f;

    start(&f, "-nic user");
    give_buffer(&f, 0);
    find_host(&f);
    send_udp(&f, port, "question");
    from = expect_from(fd, "question");
    for (unsigned i = 0; i < 2 * NR_BUFFERS; i++) {
        g_autofree char *text = g_strdup_printf("answer %u", i);

        send_to(fd, from, text);
    }
    for (unsigned i = 0; i < 2 * NR_BUFFERS; i++) {
        g_autofree char *text = g_strdup_printf("answer %u", i);

        expect_udp(&f, text);
    }
    close(fd);
    qtest_quit(f.qts);
}

static void test_netdev_goes_while_frames_wait(void)
{
    uint16_t port, from;
    int fd = host_socket(SOCK_DGRAM, &port);
    Fixture f;

    start(&f, "-netdev user,id=n0 -device virtio-net-pci,netdev=n0");
    give_buffer(&f, 0);
    find_host(&f);
    send_udp(&f, port, "question");
    from = expect_from(fd, "question");
    for (unsigned i = 0; i < 4; i++) {
        send_to(fd, from, "answer");
    }
    json_node_unref(qmp_client_do(qtest_qmp(f.qts), "{'execute': 'netdev_del', "
                                  "'arguments': {'id': 'n0'}}"));
    send_udp(&f, port, "lost");
    json_node_unref(qmp_client_do(qtest_qmp(f.qts), "{'execute': 'netdev_add', "
                                  "'arguments': {'type': 'user', 'id': 'n0'}}"));
    close(fd);
    qtest_quit(f.qts);
}

static void test_forwarded_ports_lead_to_the_guest(void)
{
    uint16_t port = free_port(SOCK_DGRAM), own;
    int fd = host_socket(SOCK_DGRAM, &own);
    g_autofree char *args = g_strdup_printf(
        "-nic user,hostfwd=udp:127.0.0.1:%u-:%u", port, GUEST_PORT);
    Fixture f;

    start(&f, args);
    give_buffers(&f);
    find_host(&f);
    send_to(fd, port, "question");
    send_udp(&f, expect_udp(&f, "question"), "answer");
    expect_from(fd, "answer");
    close(fd);
    qtest_quit(f.qts);
}

/* They reach nobody, but can be reached. */
static void test_restricted_guests(void)
{
    uint16_t port, forwarded = free_port(SOCK_STREAM);
    g_autofree char *args = g_strdup_printf(
        "-nic user,restrict=on,hostfwd=udp::%u-:1,"
        "hostfwd=tcp:127.0.0.1:%u-10.0.2.15:%u",
        free_port(SOCK_DGRAM), forwarded, GUEST_PORT);
    int fd = host_socket(SOCK_DGRAM, &port), client;
    uint8_t frame[ROOM];
    Tcp *tcp;
    Ip *ip;
    char byte;
    Fixture f;

    start(&f, args);
    give_buffers(&f);
    find_host(&f);
    send_udp(&f, port, "question");
    find_host(&f);                        /* it has been looked at by then */
    g_assert_cmpint(recv(fd, &byte, 1, MSG_DONTWAIT), <, 0);
    client = connect_to(forwarded);
    g_assert_cmpint(client, >=, 0);
    tcp = take_packet(&f, frame, IPPROTO_TCP, &ip);
    g_assert_true(tcp->syn && tcp->dest == htons(GUEST_PORT));
    close(client);
    close(fd);
    qtest_quit(f.qts);
}

/* In the sandbox, too. */
static void test_ports_open_while_the_machine_runs(void)
{
    QTestState *qts = qtest_init("-M q35");
    uint16_t port = free_port(SOCK_STREAM);

    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'netdev_add', "
                                  "'arguments': {'type': 'user', 'id': 'n0', "
                                  "'hostfwd': [{'str': 'tcp::%u-:22'}]}}",
                                  port));
    close(connect_to(port));
    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'netdev_del', "
                                  "'arguments': {'id': 'n0'}}"));
    g_assert_cmpint(connect_to(port), <, 0);
    qtest_quit(qts);
}

static void test_bad_input(void)
{
    static const char *const bad[][2] = {
        { "'net': 'x'", "net=x" },
        { "'net': ''", "net= is empty" },
        { "'net': '10.0.2.0/28'", "net=10.0.2.0/28: /4 to /27" },
        { "'net': '10.0.2.0/x'", "net=10.0.2.0/x" },
        { "'host': '10.0.3.2'", "host=10.0.3.2 is no address within net=" },
        { "'host': '10.0.2.0'", "host=10.0.2.0" },
        { "'host': '10.0.2.255'", "host=10.0.2.255" },
        { "'dns': 'dns'", "dns=dns" },
        { "'dns': '10.0.2.2'", "three addresses" },
        { "'ipv6-prefix': '::x'", "ipv6-prefix=::x" },
        { "'ipv6-prefixlen': 127", "ipv6-prefixlen=" },
        { "'ipv6-net': 'fec0::/x'", "ipv6-prefixlen=" },
        { "'ipv6-host': 'fec1::2'", "ipv6-host=fec1::2" },
        { "'ipv4': false, 'ipv6': false", "nothing is left" },
        { "'ipv4': false, 'hostfwd': [{'str': ':1024-:1'}]", "ipv4=on" },
        { "'hostfwd': 'tcp::1024-:22'", "'hostfwd', expected: array" },
        { "'hostfwd': [1]", "'hostfwd[0]', expected: String,str" },
        { "'hostfwd': ['tcp::1024']", "hostfwd=tcp::1024:" },
        { "'hostfwd': ['tcp::0-:22']", "hostfwd=tcp::0-:22:" },
        { "'hostfwd': ['tcp::1024-:65536']", "hostfwd=tcp::1024-:65536:" },
        { "'hostfwd': ['sctp::1024-:22']", "hostfwd=sctp::1024-:22:" },
        { "'hostfwd': ['tcp:x:1024-:22']", "hostfwd=tcp:x:1024-:22:" },
        { "'hostfwd': ['tcp:192.0.2.1:1024-:22']", "cannot be opened" },
        { "'tftp': '/no/such'", "tftp=/no/such is no directory" },
        { "'tftp': '/dev/null'", "tftp=/dev/null is no directory" },
        { "'smb': '/srv'", "vhost-user-fs-pci" },
        { "'guestfwd': 'tcp:10.0.2.9:1-cmd:id'", "guestfwd=" },
        { "'nosuch': 'x'", "nosuch" },
    };
    QTestState *qts = qtest_init("-M q35");

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(qtest_qmp(qts), "GenericError", bad[i][1],
                                "{'execute': 'netdev_add', 'arguments': "
                                "{'type': 'user', 'id': 'n0', %s}}", bad[i][0]);
    }
    qtest_quit(qts);
}

static void test_bad_command_lines(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-M q35 -sandbox on,hotplug=off -netdev user,id=n0",
          QTEST_SANITIZED ? "sanitizers" : "hotplug=off|passt" },
        { QTEST_ARGS "-M q35 -nic hostfwd=tcp::1-:1,hostfwd=x", "hostfwd=x" },
        { QTEST_ARGS "-M q35 -object iothread,id=io0 -netdev user,id=n0 "
          "-device virtio-net-pci,netdev=n0,iothread=io0",
          "iothread=: netdev 'n0' (user) cannot be in an I/O thread" },
        { QTEST_ARGS "-M q35 -nic user,dnssearch=a,dnssearch=b,smb=x", "smb=x" },
    };

    cli_begin();
    cli_check_all(cases, G_N_ELEMENTS(cases));
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qtest_needs("-netdev help", "user");
#define ADD(name, fn) g_test_add_func("/netdev-user/" name, fn)
    ADD("dhcp-gives-an-address", test_dhcp_gives_an_address);
    ADD("datagrams-pass-both-ways", test_datagrams_pass_both_ways);
    ADD("connections-open-and-end", test_connections_open_and_end);
    ADD("frames-wait-for-room", test_frames_wait_for_room);
    ADD("netdev-goes-while-frames-wait", test_netdev_goes_while_frames_wait);
    ADD("forwarded-ports-lead-to-the-guest",
        test_forwarded_ports_lead_to_the_guest);
    ADD("restricted-guests-can-only-be-reached", test_restricted_guests);
    ADD("ports-open-while-the-machine-runs",
        test_ports_open_while_the_machine_runs);
    ADD("bad-input", test_bad_input);
    ADD("bad-command-lines", test_bad_command_lines);
    return g_test_run();
}
