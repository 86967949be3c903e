/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with a virtio-net that speaks ARP, DHCP, UDP and some TCP, for networks
 * that end its connections in this machine; and sockets of the loopback on the other
 * side. Included by one C file per test program.
 */
#ifndef QTEST_INET_GUEST_H
#define QTEST_INET_GUEST_H

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

static inline void give_buffer(Fixture *f, unsigned n)
{
    const QVirtioBuffer buf = { f->mem + ROOM * (1 + n), ROOM, true };

    f->heads[n] = qvirtqueue_add(&f->rx, &buf, 1);
    qvirtqueue_kick(&f->rx);
}

static inline void start(Fixture *f, const char *args)
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

static inline void give_buffers(Fixture *f)
{
    for (unsigned n = 0; n < NR_BUFFERS; n++) {
        give_buffer(f, n);
    }
}

static inline void send_frame(Fixture *f, const void *frame, size_t size)
{
    const QVirtioBuffer buf = { f->mem, HDR + size, false };

    qtest_memset(f->qts, f->mem, 0, HDR);
    qtest_memwrite(f->qts, f->mem + HDR, frame, size);
    qvirtqueue_add(&f->tx, &buf, 1);
    qvirtqueue_kick(&f->tx);
    qvirtqueue_wait(&f->tx, NULL);
}

/* The next frame, into ROOM bytes; its size. */
static inline size_t take_frame(Fixture *f, uint8_t *frame)
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

static inline void put_ethernet(Fixture *f, uint8_t *frame, uint16_t type)
{
    struct ethhdr *eth = (struct ethhdr *)frame;

    memcpy(eth->h_dest, f->host_mac, ETH_ALEN);
    memcpy(eth->h_source, own_mac, ETH_ALEN);
    eth->h_proto = htons(type);
}

static inline void send_arp(Fixture *f, uint16_t op, uint32_t target)
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
static inline void *take_packet(Fixture *f, uint8_t *frame, uint8_t protocol,
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
static inline void find_host(Fixture *f)
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

static inline uint32_t add_words(uint32_t sum, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i++) {
        sum += i & 1 ? p[i] : p[i] << 8;
    }
    return sum;
}

static inline uint16_t fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return htons(~sum);
}

/* @size bytes of payload, with its header, at @frame + ETH_HLEN + 20. */
static inline void send_packet(Fixture *f, uint8_t *frame, uint8_t protocol,
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

static inline void send_udp(Fixture *f, uint16_t port, const char *text)
{
    uint8_t frame[ROOM] = { 0 };
    Udp *udp = (Udp *)(frame + ETH_HLEN + 20);
    size_t size = sizeof(*udp) + strlen(text);

    *udp = (Udp) { .source = htons(GUEST_PORT), .dest = htons(port),
                             .len = htons(size) };
    memcpy(udp + 1, text, strlen(text));
    send_packet(f, frame, IPPROTO_UDP, f->host_addr, size);
}

static inline uint16_t expect_udp(Fixture *f, const char *text)
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
static inline void send_tcp(Fixture *f, uint16_t port, bool syn, uint32_t ack)
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

/* The smallest question that DHCP has; the answer, which is in @frame. */
static inline uint8_t *ask_dhcp(Fixture *f, uint8_t *frame)
{
    static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255 };
    Udp *udp = (Udp *)(frame + ETH_HLEN + 20);
    uint8_t *bootp = (uint8_t *)(udp + 1);
    Ip *ip;

    memset(frame, 0, ROOM);
    f->guest_addr = 0;
    *udp = (Udp) { .source = htons(68), .dest = htons(67),
                             .len = htons(sizeof(*udp) + 300) };
    bootp[0] = 1;
    bootp[1] = ARPHRD_ETHER;
    bootp[2] = ETH_ALEN;
    memcpy(bootp + 28, own_mac, ETH_ALEN);
    memcpy(bootp + 236, options, sizeof(options));
    send_packet(f, frame, IPPROTO_UDP, INADDR_BROADCAST, sizeof(*udp) + 300);

    udp = take_packet(f, frame, IPPROTO_UDP, &ip);
    g_assert_cmphex(ip->saddr, ==, f->host_addr);
    return (uint8_t *)(udp + 1);
}

/* The address that the answer gives. */
static inline uint32_t ask_for_address(Fixture *f)
{
    uint8_t frame[ROOM];
    uint32_t given;

    memcpy(&given, ask_dhcp(f, frame) + 16, sizeof(given));
    return given;
}

/* --- the host ------------------------------------------------------------- */

/* A socket of the loopback with a port of its own. */
static inline int host_socket(int type, uint16_t *port)
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
static inline uint16_t free_port(int type)
{
    uint16_t port;

    close(host_socket(type, &port));
    return port;
}

static inline void send_to(int fd, uint16_t port, const char *text)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };

    g_assert_cmpint(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to,
                           sizeof(to)), ==, strlen(text));
}

/* -1: nobody listens. */
static inline int connect_to(uint16_t port)
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
static inline uint16_t expect_from(int fd, const char *text)
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

#endif
