/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with a virtio-net whose netdev is a stream, of which the test has the
 * other end: the driver on one side, the peer on the other. Included by one C
 * file per test program.
 */
#ifndef QTEST_NET_GUEST_H
#define QTEST_NET_GUEST_H

#include <arpa/inet.h>
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <linux/if_ether.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio-pci.h"

#define HDR sizeof(struct virtio_net_hdr_v1)
#define FRAME 60
#define ROOM 2048                         /* of a receive buffer */
#define BIT(feature) (1ULL << VIRTIO_NET_F_##feature)
#define MAC "52:54:00:12:34:56"
#define NIC " -device virtio-net-pci,id=nic0,netdev=n0"

static const uint8_t own_mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other_mac[] = { 0x52, 0x54, 0x00, 0x99, 0x99, 0x99 };
static const uint8_t all_mac[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue rx, tx, ctrl;
    uint64_t mem;                         /* guest RAM, 1 MiB */
    int peer;                             /* our end of the stream */
} Fixture;

/* --- set-up --------------------------------------------------------------- */

static inline void start_driver(Fixture *f, uint64_t features)
{
    g_assert_cmphex(qvirtio_start(&f->dev, features), ==,
                    features | 1ULL << VIRTIO_F_VERSION_1);
    qvirtqueue_init(&f->rx, &f->dev, 0, 0);
    qvirtqueue_init(&f->tx, &f->dev, 1, 0);
    qvirtqueue_init(&f->ctrl, &f->dev, 2, 0);
    qvirtio_driver_ok(&f->dev);
}

static inline void start_with(Fixture *f, uint64_t features, const char *netdev)
{
    f->qts = qtest_init("-M q35 -m 64M %s" NIC ",mac=" MAC, netdev);
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_NET, 0);
    start_driver(f, features);
    f->mem = qguest_alloc(&f->guest, 1 << 20, 4096);
}

static inline void start(Fixture *f, uint64_t features)
{
    g_autofree char *netdev = NULL;
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    netdev = g_strdup_printf("-netdev stream,id=n0,addr.type=fd,addr.str=%d",
                             fds[1]);
    f->peer = fds[0];
    start_with(f, features, netdev);
    close(fds[1]);
}

static inline void stop(Fixture *f)
{
    qtest_quit(f->qts);
    close(f->peer);
}

/* --- the peer ------------------------------------------------------------- */

static inline void make_frame(uint8_t *frame, size_t size, const uint8_t *to, uint8_t n)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, other_mac, 6);
    frame[12] = ETH_P_IP >> 8;
    frame[13] = ETH_P_IP & 0xff;
    for (size_t i = ETH_HLEN; i < size; i++) {
        frame[i] = n + i;
    }
}

static inline void peer_send(Fixture *f, const uint8_t *frame, uint32_t size)
{
    uint32_t length = htonl(size);

    g_assert_cmpint(write(f->peer, &length, 4), ==, 4);
    g_assert_cmpint(write(f->peer, frame, size), ==, size);
}

static inline void peer_send_to(Fixture *f, const uint8_t *mac, uint8_t n)
{
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, mac, n);
    peer_send(f, frame, FRAME);
}

static inline void read_all(int fd, void *buf, size_t size)
{
    gint64 deadline = qtest_deadline();
    size_t done = 0;
    unsigned round = 0;

    while (done < size) {
        ssize_t n = recv(fd, (char *)buf + done, size - done, MSG_DONTWAIT);

        if (n > 0) {
            done += n;
        } else {
            g_assert_cmpint(n, <, 0);
            g_assert_true(qtest_wait_more(deadline, &round));
        }
    }
}

/* The next frame that the guest has sent; its size. */
static inline uint32_t peer_receive(Fixture *f, uint8_t *frame, size_t room)
{
    uint32_t length;

    read_all(f->peer, &length, 4);
    length = ntohl(length);
    g_assert_cmpuint(length, <=, room);
    read_all(f->peer, frame, length);
    return length;
}

/* --- the driver ----------------------------------------------------------- */

static inline void give_room(Fixture *f, uint64_t offset, uint32_t size)
{
    const QVirtioBuffer buf = { f->mem + offset, size, true };

    qvirtqueue_add(&f->rx, &buf, 1);
    qvirtqueue_kick(&f->rx);
}

/* Waits for a frame at @offset, which must be the @n'th to @mac. */
static inline void expect_frame(Fixture *f, uint64_t offset, const uint8_t *mac,
                         uint8_t n)
{
    uint8_t expected[FRAME], got[FRAME];
    struct virtio_net_hdr_v1 hdr;
    uint32_t len;

    make_frame(expected, FRAME, mac, n);
    qvirtqueue_wait(&f->rx, &len);
    g_assert_cmpuint(len, ==, HDR + FRAME);
    qtest_memread(f->qts, f->mem + offset, &hdr, HDR);
    g_assert_cmpuint(hdr.num_buffers, ==, 1);
    g_assert_cmpuint(hdr.flags, ==, 0);
    g_assert_cmpuint(hdr.gso_type, ==, 0);
    qtest_memread(f->qts, f->mem + offset + HDR, got, FRAME);
    g_assert_cmpmem(got, FRAME, expected, FRAME);
}

static inline void add_frame(Fixture *f, uint64_t offset, size_t size, uint8_t n)
{
    const QVirtioBuffer buf = { f->mem + offset, HDR + size, false };
    g_autofree uint8_t *frame = g_malloc(size);

    make_frame(frame, size, all_mac, n);
    qtest_memset(f->qts, f->mem + offset, 0, HDR);
    qtest_memwrite(f->qts, f->mem + offset + HDR, frame, size);
    qvirtqueue_add(&f->tx, &buf, 1);
}

static inline void expect_sent(Fixture *f, size_t size, uint8_t n)
{
    g_autofree uint8_t *expected = g_malloc(size), *got = g_malloc(size);

    make_frame(expected, size, all_mac, n);
    g_assert_cmpuint(peer_receive(f, got, size), ==, size);
    g_assert_cmpmem(got, size, expected, size);
}

/* The peer, of a netdev whose frames are datagrams, has frame @n. */
static inline void wire_expects(Fixture *f, uint8_t n)
{
    uint8_t expected[FRAME], got[ROOM];
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    ssize_t size;

    make_frame(expected, FRAME, all_mac, n);
    while ((size = recv(f->peer, got, sizeof(got), MSG_DONTWAIT)) < 0) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    g_assert_cmpmem(got, size, expected, FRAME);
}

/* Whether the device is alive and has used up nothing of the queue. */
static inline void check_idle(Fixture *f, QVirtQueue *vq)
{
    for (unsigned i = 0; i < 5; i++) {
        qmp_client_check_alive(f->qmp);
    }
    g_assert_false(qvirtqueue_has_used(vq));
}

#endif
