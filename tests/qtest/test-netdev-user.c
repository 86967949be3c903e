/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user: the test plays the guest's driver on one side, and servers and
 * clients on the host's loopback on the other.
 */
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"
#include "virtio-pci.h"

#define HDR sizeof(struct virtio_net_hdr_v1)
#define ROOM 2048
#define NR_BUFFERS 8
#define GUEST_PORT 4000

static const uint8_t own_mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

/* Headers as they are behind an Ethernet header of 14 bytes. */
typedef struct iphdr Ip __attribute__((aligned(1)));
typedef struct udphdr Udp __attribute__((aligned(1)));
typedef struct tcphdr Tcp __attribute__((aligned(1)));

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue rx, tx;
    uint64_t mem;                         /* the frame that is sent, and then
                                             NR_BUFFERS to receive into */
    uint16_t heads[NR_BUFFERS];
    uint32_t guest_addr, host_addr;       /* network order */
    uint8_t host_mac[ETH_ALEN];
} Fixture;

/* --- the guest ------------------------------------------------------------ */

static void give_buffer(Fixture *f, unsigned n)
{
    const QVirtioBuffer buf = { f->mem + ROOM * (1 + n), ROOM, true };

    f->heads[n] = qvirtqueue_add(&f->rx, &buf, 1);
    qvirtqueue_kick(&f->rx);
}

static void start(Fixture *f, const char *args)
{
    f->qts = qtest_init("-M q35 -m 64M %s", args);
    qguest_init(&f->guest, f->qts);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_NET, 0);
    f->mem = qguest_alloc(&f->guest, ROOM * (1 + NR_BUFFERS), 4096);
    qvirtio_start(&f->dev, 0);
    qvirtqueue_init(&f->rx, &f->dev, 0, 0);
    qvirtqueue_init(&f->tx, &f->dev, 1, 0);
    qvirtio_driver_ok(&f->dev);
    f->guest_addr = inet_addr("10.0.2.15");
    f->host_addr = inet_addr("10.0.2.2");
    memset(f->host_mac, 0xff, ETH_ALEN);
}

static void give_buffers(Fixture *f)
{
    for (unsigned n = 0; n < NR_BUFFERS; n++) {
        give_buffer(f, n);
    }
}

static void send_frame(Fixture *f, const void *frame, size_t size)
{
    const QVirtioBuffer buf = { f->mem, HDR + size, false };

    qtest_memset(f->qts, f->mem, 0, HDR);
    qtest_memwrite(f->qts, f->mem + HDR, frame, size);
    qvirtqueue_add(&f->tx, &buf, 1);
    qvirtqueue_kick(&f->tx);
    qvirtqueue_wait(&f->tx, NULL);
}

/* The next frame, into ROOM bytes; its size. */
static size_t take_frame(Fixture *f, uint8_t *frame)
{
    uint32_t len;
    uint16_t head = qvirtqueue_wait(&f->rx, &len);
    unsigned n = 0;

    while (f->heads[n] != head) {
        g_assert_cmpuint(++n, <, NR_BUFFERS);
    }
    g_assert_cmpuint(len, >, HDR + ETH_HLEN);
    qtest_memread(f->qts, f->mem + ROOM * (1 + n) + HDR, frame, len - HDR);
    give_buffer(f, n);
    return len - HDR;
}

/* --- its protocols -------------------------------------------------------- */

static void put_ethernet(Fixture *f, uint8_t *frame, uint16_t type)
{
    struct ethhdr *eth = (struct ethhdr *)frame;

    memcpy(eth->h_dest, f->host_mac, ETH_ALEN);
    memcpy(eth->h_source, own_mac, ETH_ALEN);
    eth->h_proto = htons(type);
}

static void send_arp(Fixture *f, uint16_t op, uint32_t target)
{
    uint8_t frame[ETH_ZLEN] = { 0 };
    struct ether_arp *arp = (struct ether_arp *)(frame + ETH_HLEN);

    put_ethernet(f, frame, ETH_P_ARP);
    arp->arp_hrd = htons(ARPHRD_ETHER);
    arp->arp_pro = htons(ETH_P_IP);
    arp->arp_hln = ETH_ALEN;
    arp->arp_pln = 4;
    arp->arp_op = htons(op);
    memcpy(arp->arp_sha, own_mac, ETH_ALEN);
    memcpy(arp->arp_spa, &f->guest_addr, 4);
    memcpy(arp->arp_tpa, &target, 4);
    send_frame(f, frame, sizeof(frame));
}

/* The next IPv4 packet of @protocol; questions of ARP are answered. Its
 * payload, in @frame. */
static void *take_packet(Fixture *f, uint8_t *frame, uint8_t protocol,
                         Ip **ip)
{
    for (;;) {
        struct ethhdr *eth = (struct ethhdr *)frame;

        take_frame(f, frame);
        *ip = (Ip *)(frame + ETH_HLEN);
        if (eth->h_proto == htons(ETH_P_ARP)) {
            memcpy(f->host_mac, eth->h_source, ETH_ALEN);
            send_arp(f, ARPOP_REPLY, f->host_addr);
        } else if (eth->h_proto == htons(ETH_P_IP) &&
                   (*ip)->protocol == protocol) {
            return frame + ETH_HLEN + (*ip)->ihl * 4;
        }
    }
}

/* So that the host knows our address, and we the host's. */
static void find_host(Fixture *f)
{
    uint8_t frame[ROOM];
    struct ether_arp *arp = (struct ether_arp *)(frame + ETH_HLEN);

    do {
        send_arp(f, ARPOP_REQUEST, f->host_addr);
        take_frame(f, frame);
    } while (((struct ethhdr *)frame)->h_proto != htons(ETH_P_ARP) ||
             arp->arp_op != htons(ARPOP_REPLY));
    g_assert_cmpmem(arp->arp_spa, 4, &f->host_addr, 4);
    memcpy(f->host_mac, arp->arp_sha, ETH_ALEN);
}

static uint32_t add_words(uint32_t sum, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i++) {
        sum += i & 1 ? p[i] : p[i] << 8;
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return htons(~sum);
}

/* @size bytes of payload, with its header, at @frame + ETH_HLEN + 20. */
static void send_packet(Fixture *f, uint8_t *frame, uint8_t protocol,
                        uint32_t target, size_t size)
{
    Ip *ip = (Ip *)(frame + ETH_HLEN);

    put_ethernet(f, frame, ETH_P_IP);
    *ip = (Ip) {
        .version = 4, .ihl = 5, .ttl = 64, .protocol = protocol,
        .tot_len = htons(sizeof(*ip) + size),
        .saddr = f->guest_addr, .daddr = target,
    };
    ip->check = fold(add_words(0, ip, sizeof(*ip)));
    send_frame(f, frame, ETH_HLEN + sizeof(*ip) + size);
}

static void send_udp(Fixture *f, uint16_t port, const char *text)
{
    uint8_t frame[ROOM] = { 0 };
    Udp *udp = (Udp *)(frame + ETH_HLEN + 20);
    size_t size = sizeof(*udp) + strlen(text);

    *udp = (Udp) { .source = htons(GUEST_PORT), .dest = htons(port),
                             .len = htons(size) };
    memcpy(udp + 1, text, strlen(text));
    send_packet(f, frame, IPPROTO_UDP, f->host_addr, size);
}

static uint16_t expect_udp(Fixture *f, const char *text)
{
    uint8_t frame[ROOM];
    Ip *ip;
    Udp *udp = take_packet(f, frame, IPPROTO_UDP, &ip);

    g_assert_cmpuint(ntohs(udp->dest), ==, GUEST_PORT);
    g_assert_cmpmem(udp + 1, ntohs(udp->len) - sizeof(*udp), text,
                    strlen(text));
    return ntohs(udp->source);
}

/* SYN, or with @ack, which is in network order, the answer to a SYN. */
static void send_tcp(Fixture *f, uint16_t port, bool syn, uint32_t ack)
{
    uint8_t frame[ROOM] = { 0 };
    Tcp *tcp = (Tcp *)(frame + ETH_HLEN + 20);
    const uint8_t pseudo[4] = { 0, IPPROTO_TCP, 0, sizeof(*tcp) };
    uint32_t sum = 0;

    *tcp = (Tcp) { .source = htons(GUEST_PORT), .dest = htons(port),
                             .seq = htonl(syn ? 1 : 2), .doff = 5, .syn = syn,
                             .ack = !syn, .ack_seq = ack,
                             .window = htons(65535) };
    sum = add_words(sum, &f->guest_addr, 4);
    sum = add_words(sum, &f->host_addr, 4);
    sum = add_words(sum, pseudo, sizeof(pseudo));
    tcp->check = fold(add_words(sum, tcp, sizeof(*tcp)));
    send_packet(f, frame, IPPROTO_TCP, f->host_addr, sizeof(*tcp));
}

/* --- the host ------------------------------------------------------------- */

/* A socket of the loopback with a port of its own. */
static int host_socket(int type, uint16_t *port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, type, 0);

    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, size));
    g_assert_no_errno(getsockname(fd, (struct sockaddr *)&addr, &size));
    *port = ntohs(addr.sin_port);
    return fd;
}

/* A port that nobody had a moment ago. */
static uint16_t free_port(int type)
{
    uint16_t port;

    close(host_socket(type, &port));
    return port;
}

static void send_to(int fd, uint16_t port, const char *text)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };

    g_assert_cmpint(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to,
                           sizeof(to)), ==, strlen(text));
}

/* -1: nobody listens. */
static int connect_to(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Waits for it; the port it comes from. */
static uint16_t expect_from(int fd, const char *text)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    char buf[256];
    ssize_t n;

    while ((n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
                         (struct sockaddr *)&from, &size)) < 0) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    g_assert_cmpmem(buf, n, text, strlen(text));
    return ntohs(from.sin_port);
}

/* --- tests ---------------------------------------------------------------- */

/* The smallest question that DHCP has: the answer gives an address. */
static void test_dhcp_gives_an_address(void)
{
    static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255 };
    uint8_t frame[ROOM] = { 0 };
    Udp *udp = (Udp *)(frame + ETH_HLEN + 20);
    uint8_t *bootp = (uint8_t *)(udp + 1);
    Ip *ip;
    Fixture f;

    start(&f, "-nic user,net=10.9.8.0/24,dhcpstart=10.9.8.77");
    give_buffers(&f);
    f.guest_addr = 0;
    *udp = (Udp) { .source = htons(68), .dest = htons(67),
                             .len = htons(sizeof(*udp) + 300) };
    bootp[0] = 1;
    bootp[1] = ARPHRD_ETHER;
    bootp[2] = ETH_ALEN;
    memcpy(bootp + 28, own_mac, ETH_ALEN);
    memcpy(bootp + 236, options, sizeof(options));
    send_packet(&f, frame, IPPROTO_UDP, INADDR_BROADCAST, sizeof(*udp) + 300);

    udp = take_packet(&f, frame, IPPROTO_UDP, &ip);
    g_assert_cmphex(ip->saddr, ==, inet_addr("10.9.8.2"));
    g_assert_cmpmem((uint8_t *)(udp + 1) + 16, 4,
                    ((uint8_t []) { 10, 9, 8, 77 }), 4);
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
        { "'hostfwd': 'tcp::1024-:22'", "list of strings" },
        { "'hostfwd': [1]", "list of strings" },
        { "'hostfwd': ['tcp::1024']", "hostfwd=tcp::1024:" },
        { "'hostfwd': ['tcp::0-:22']", "hostfwd=tcp::0-:22:" },
        { "'hostfwd': ['tcp::1024-:65536']", "hostfwd=tcp::1024-:65536:" },
        { "'hostfwd': ['sctp::1024-:22']", "hostfwd=sctp::1024-:22:" },
        { "'hostfwd': ['tcp:x:1024-:22']", "hostfwd=tcp:x:1024-:22:" },
        { "'hostfwd': ['tcp:192.0.2.1:1024-:22']", "cannot be opened" },
        { "'tftp': '/srv'", "tftp=/srv" },
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
        { QTEST_ARGS "-M q35 -nic user,dnssearch=a,dnssearch=b,tftp=x", "tftp=x" },
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
