/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net and -netdev stream: the test is the guest's driver at one end, and
 * the peer on the stream at the other. Frames arrive as they were sent, in both
 * directions, also where one side has no room; what a driver or a peer may get
 * wrong stays with it.
 */
#include <arpa/inet.h>
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <linux/if_ether.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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
static const uint8_t group_mac[] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x05 };
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

static void start_driver(Fixture *f, uint64_t features)
{
    g_assert_cmphex(qvirtio_start(&f->dev, features), ==,
                    features | 1ULL << VIRTIO_F_VERSION_1);
    qvirtqueue_init(&f->rx, &f->dev, 0, 0);
    qvirtqueue_init(&f->tx, &f->dev, 1, 0);
    qvirtqueue_init(&f->ctrl, &f->dev, 2, 0);
    qvirtio_driver_ok(&f->dev);
}

static void start_with(Fixture *f, uint64_t features, const char *netdev)
{
    f->qts = qtest_init("-M q35 -m 64M %s" NIC ",mac=" MAC, netdev);
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_NET, 0);
    start_driver(f, features);
    f->mem = qguest_alloc(&f->guest, 1 << 20, 4096);
}

static void start(Fixture *f, uint64_t features)
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

static void stop(Fixture *f)
{
    qtest_quit(f->qts);
    close(f->peer);
}

/* --- the peer ------------------------------------------------------------- */

static void make_frame(uint8_t *frame, size_t size, const uint8_t *to, uint8_t n)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, other_mac, 6);
    frame[12] = ETH_P_IP >> 8;
    frame[13] = ETH_P_IP & 0xff;
    for (size_t i = ETH_HLEN; i < size; i++) {
        frame[i] = n + i;
    }
}

static void peer_send(Fixture *f, const uint8_t *frame, uint32_t size)
{
    uint32_t length = htonl(size);

    g_assert_cmpint(write(f->peer, &length, 4), ==, 4);
    g_assert_cmpint(write(f->peer, frame, size), ==, size);
}

static void peer_send_to(Fixture *f, const uint8_t *mac, uint8_t n)
{
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, mac, n);
    peer_send(f, frame, FRAME);
}

static void read_all(int fd, void *buf, size_t size)
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
static uint32_t peer_receive(Fixture *f, uint8_t *frame, size_t room)
{
    uint32_t length;

    read_all(f->peer, &length, 4);
    length = ntohl(length);
    g_assert_cmpuint(length, <=, room);
    read_all(f->peer, frame, length);
    return length;
}

/* --- the driver ----------------------------------------------------------- */

static void give_room(Fixture *f, uint64_t offset, uint32_t size)
{
    const QVirtioBuffer buf = { f->mem + offset, size, true };

    qvirtqueue_add(&f->rx, &buf, 1);
    qvirtqueue_kick(&f->rx);
}

/* Waits for a frame at @offset, which must be the @n'th to @mac. */
static void expect_frame(Fixture *f, uint64_t offset, const uint8_t *mac,
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

static void add_frame(Fixture *f, uint64_t offset, size_t size, uint8_t n)
{
    const QVirtioBuffer buf = { f->mem + offset, HDR + size, false };
    g_autofree uint8_t *frame = g_malloc(size);

    make_frame(frame, size, all_mac, n);
    qtest_memset(f->qts, f->mem + offset, 0, HDR);
    qtest_memwrite(f->qts, f->mem + offset + HDR, frame, size);
    qvirtqueue_add(&f->tx, &buf, 1);
}

static void expect_sent(Fixture *f, size_t size, uint8_t n)
{
    g_autofree uint8_t *expected = g_malloc(size), *got = g_malloc(size);

    make_frame(expected, size, all_mac, n);
    g_assert_cmpuint(peer_receive(f, got, size), ==, size);
    g_assert_cmpmem(got, size, expected, size);
}

/* Whether the device is alive and has used up nothing of the queue. */
static void check_idle(Fixture *f, QVirtQueue *vq)
{
    for (unsigned i = 0; i < 5; i++) {
        qmp_client_check_alive(f->qmp);
    }
    g_assert_false(qvirtqueue_has_used(vq));
}

/* A command to the control queue; what it answers. */
static uint8_t command(Fixture *f, uint8_t class, uint8_t cmd, const void *data,
                       size_t size)
{
    const uint64_t at = f->mem + (512 << 10);
    const uint8_t hdr[] = { class, cmd };
    const QVirtioBuffer answer = { at + 8, 1, true };
    QVirtioBuffer bufs[3] = {
        { at, sizeof(hdr), false },
        { at + 16, size, false },
    };
    unsigned n = size ? 2 : 1;
    uint32_t len;

    qtest_memwrite(f->qts, at, hdr, sizeof(hdr));
    qtest_memwrite(f->qts, at + 16, data, size);
    qtest_writeb(f->qts, at + 8, 0xaa);
    bufs[n++] = answer;
    qvirtqueue_add(&f->ctrl, bufs, n);
    qvirtqueue_kick(&f->ctrl);
    qvirtqueue_wait(&f->ctrl, &len);
    g_assert_cmpuint(len, ==, 1);
    return qtest_readb(f->qts, at + 8);
}

static uint8_t set_mode(Fixture *f, uint8_t mode, uint8_t on)
{
    return command(f, VIRTIO_NET_CTRL_RX, mode, &on, 1);
}

/* --- frames --------------------------------------------------------------- */

static void test_frames_to_the_guest(void)
{
    Fixture f;

    start(&f, 0);
    for (uint8_t n = 0; n < 3; n++) {
        give_room(&f, 0, ROOM);
        peer_send_to(&f, own_mac, n);
        expect_frame(&f, 0, own_mac, n);
    }
    stop(&f);
}

static void test_frames_from_the_guest(void)
{
    static const size_t sizes[] = { ETH_HLEN, FRAME, 1514, 68 * 1024 };
    Fixture f;

    start(&f, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        add_frame(&f, 0, sizes[i], i);
        qvirtqueue_kick(&f.tx);
        expect_sent(&f, sizes[i], i);
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

/* The header by itself, and the frame in pieces. */
static void test_frame_in_pieces(void)
{
    Fixture f;

    start(&f, 0);
    for (unsigned cut = 1; cut < HDR + FRAME; cut += 5) {
        const QVirtioBuffer bufs[] = {
            { f.mem, cut, false }, { f.mem + cut, HDR + FRAME - cut, false },
        };
        uint8_t frame[FRAME];

        make_frame(frame, FRAME, all_mac, cut);
        qtest_memset(f.qts, f.mem, 0, HDR);
        qtest_memwrite(f.qts, f.mem + HDR, frame, FRAME);
        qvirtqueue_add(&f.tx, bufs, 2);
        qvirtqueue_kick(&f.tx);
        expect_sent(&f, FRAME, cut);
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

/* A large frame takes several buffers if the driver says that it may. */
static void test_merged_buffers(void)
{
    enum { SIZE = 5000, BUFFERS = 3 };
    uint8_t frame[SIZE], got[HDR + SIZE];
    struct virtio_net_hdr_v1 hdr;
    Fixture f;
    uint32_t len, at = 0;

    start(&f, BIT(MRG_RXBUF));
    make_frame(frame, SIZE, own_mac, 9);
    give_room(&f, 0, ROOM);
    give_room(&f, ROOM, ROOM);
    peer_send(&f, frame, SIZE);
    check_idle(&f, &f.rx);                /* it takes one more */
    give_room(&f, 2 * ROOM, ROOM);
    for (unsigned i = 0; i < BUFFERS; i++) {
        qvirtqueue_wait(&f.rx, &len);
        qtest_memread(f.qts, f.mem + i * ROOM, got + at, len);
        at += len;
    }
    g_assert_cmpuint(at, ==, HDR + SIZE);
    memcpy(&hdr, got, HDR);
    g_assert_cmpuint(hdr.num_buffers, ==, BUFFERS);
    g_assert_cmpmem(got + HDR, SIZE, frame, SIZE);
    stop(&f);
}

static void test_buffer_that_is_too_small(void)
{
    Fixture f;

    start(&f, 0);
    give_room(&f, 0, HDR + FRAME - 1);
    peer_send_to(&f, own_mac, 1);
    check_idle(&f, &f.rx);                /* dropped, and the buffer kept */
    g_assert_cmphex(qvirtio_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET, ==, 0);
    stop(&f);
}

static void test_header_that_is_cut_short(void)
{
    const struct { uint64_t addr; uint32_t len; } shorts[] = { { 0, 1 },
        { 0, HDR }, { 0, HDR + ETH_HLEN - 1 } };
    Fixture f;

    start(&f, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(shorts); i++) {
        const QVirtioBuffer buf = { f.mem, shorts[i].len, false };

        qvirtqueue_add(&f.tx, &buf, 1);
        qvirtqueue_kick(&f.tx);
        qmp_client_check_alive(f.qmp);
        g_assert_cmphex(qvirtio_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET,
                        !=, 0);
        start_driver(&f, 0);
    }
    add_frame(&f, 0, FRAME, 1);
    qvirtqueue_kick(&f.tx);
    expect_sent(&f, FRAME, 1);
    stop(&f);
}

/* --- room ----------------------------------------------------------------- */

/* The peer sends more than the driver has room for, which then comes in order. */
static void test_slow_driver(void)
{
    Fixture f;

    start(&f, 0);
    for (uint8_t n = 0; n < 50; n++) {
        peer_send_to(&f, own_mac, n);
    }
    check_idle(&f, &f.rx);
    for (uint8_t n = 0; n < 50; n++) {
        give_room(&f, 0, ROOM);
        expect_frame(&f, 0, own_mac, n);
    }
    stop(&f);
}

/* The driver sends more than the peer reads: some stay with the driver. */
static void test_slow_peer(void)
{
    enum { SIZE = 60000, FRAMES = 64 };
    Fixture f;

    start(&f, 0);
    for (unsigned n = 0; n < FRAMES; n++) {
        add_frame(&f, 0, SIZE, 7);
    }
    qvirtqueue_kick(&f.tx);
    qmp_client_check_alive(f.qmp);
    for (unsigned n = 0; n < FRAMES; n++) {
        expect_sent(&f, SIZE, 7);
    }
    for (unsigned n = 0; n < FRAMES; n++) {
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

/* A reset while a frame waits for the peer: it is the driver's again. */
static void test_reset_while_a_frame_waits(void)
{
    enum { SIZE = 60000, FRAMES = 64 };
    g_autofree uint8_t *frame = g_malloc(SIZE);
    unsigned came = 0;
    Fixture f;

    start(&f, 0);
    for (unsigned n = 0; n < FRAMES; n++) {
        add_frame(&f, 0, SIZE, 7);
    }
    qvirtqueue_kick(&f.tx);
    qmp_client_check_alive(f.qmp);
    start_driver(&f, 0);
    add_frame(&f, 0, FRAME, 3);
    qvirtqueue_kick(&f.tx);
    while (peer_receive(&f, frame, SIZE) == SIZE) {
        came++;
    }
    g_assert_cmpuint(came, <, FRAMES);
    qvirtqueue_wait(&f.tx, NULL);
    stop(&f);
}

static void test_stopped_vm_takes_nothing(void)
{
    Fixture f;

    start(&f, 0);
    give_room(&f, 0, ROOM);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'stop'}"));
    peer_send_to(&f, own_mac, 4);
    check_idle(&f, &f.rx);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'cont'}"));
    expect_frame(&f, 0, own_mac, 4);
    stop(&f);
}

/* --- the filter ----------------------------------------------------------- */

/* Sends one to @mac, then one to all: the first is seen only if @passes. */
static void check_passes(Fixture *f, const uint8_t *mac, bool passes)
{
    static uint8_t n;

    n++;
    give_room(f, 0, ROOM);
    give_room(f, ROOM, ROOM);
    peer_send_to(f, mac, n);
    if (passes) {
        expect_frame(f, 0, mac, n);
        peer_send_to(f, own_mac, n);
        expect_frame(f, ROOM, own_mac, n);
    } else {
        peer_send_to(f, own_mac, n);
        expect_frame(f, 0, own_mac, n);
        peer_send_to(f, own_mac, n + 1);
        expect_frame(f, ROOM, own_mac, n + 1);
    }
}

static void test_filter(void)
{
    struct {
        uint32_t nr_uni;
        uint8_t uni[6];
        uint32_t nr_multi;
        uint8_t multi[6];
    } __attribute__((packed)) table = { .nr_uni = 1, .nr_multi = 1 };
    Fixture f;

    memcpy(table.uni, other_mac, 6);
    memcpy(table.multi, group_mac, 6);
    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_RX_EXTRA));
    check_passes(&f, other_mac, true);    /* until it says otherwise */
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    check_passes(&f, all_mac, true);
    check_passes(&f, other_mac, false);
    check_passes(&f, group_mac, false);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_TABLE_SET, &table,
                             sizeof(table)), ==, VIRTIO_NET_OK);
    check_passes(&f, other_mac, true);
    check_passes(&f, group_mac, true);
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_NOMULTI, 1), ==, 0);
    check_passes(&f, group_mac, false);
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_NOBCAST, 1), ==, 0);
    check_passes(&f, all_mac, false);
    /* The next driver starts anew. */
    start_driver(&f, 0);
    check_passes(&f, group_mac, true);
    check_passes(&f, all_mac, true);
    stop(&f);
}

static void test_long_tables_mean_all(void)
{
    g_autofree uint8_t *table = g_malloc0(4 + 65 * 6 + 4);
    Fixture f;

    table[0] = 65;
    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX));
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
                             4 + 65 * 6 + 4), ==, VIRTIO_NET_OK);
    check_passes(&f, other_mac, true);
    check_passes(&f, group_mac, false);
    stop(&f);
}

static void test_mac_is_set(void)
{
    Fixture f;

    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_MAC_ADDR) | BIT(MAC));
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(qtest_readb(f.qts, f.dev.config + i), ==, own_mac[i]);
    }
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_ADDR_SET, other_mac, 6), ==,
                     VIRTIO_NET_OK);
    give_room(&f, 0, ROOM);
    peer_send_to(&f, own_mac, 1);
    peer_send_to(&f, other_mac, 2);
    expect_frame(&f, 0, other_mac, 2);
    g_assert_cmphex(qtest_readb(f.qts, f.dev.config + 3), ==, other_mac[3]);
    stop(&f);
}

static void test_bad_commands(void)
{
    static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4 };
    const struct {
        uint8_t class, cmd;
        size_t size;
    } bad[] = {
        { VIRTIO_NET_CTRL_RX, 6, 1 },
        { VIRTIO_NET_CTRL_RX, 0, 0 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 3 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 5 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 7 },
        { VIRTIO_NET_CTRL_MAC, 9, 8 },
        { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2 },
        { VIRTIO_NET_CTRL_VLAN, 7, 2 },
        { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2 },
        { VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 8 },
        { 77, 0, 1 },
    };
    Fixture f;

    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_VLAN));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpuint(command(&f, bad[i].class, bad[i].cmd, huge,
                                 bad[i].size), ==, VIRTIO_NET_ERR);
    }
    check_passes(&f, other_mac, true);    /* nothing has changed */
    stop(&f);
}

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
    g_autoptr(JsonNode) node = NULL;
    QTestState *qts = qtest_init(
        "-M q35 -nic none -nic stream,server=on,addr.type=inet,"
        "addr.host=127.0.0.1,addr.port=0,id=mine "
        "-nic stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0,"
        "model=virtio "
        "-nic stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0,"
        "model=virtio-net-pci,mac=52:54:00:01:02:03");

    node = qmp_client_do(qtest_qmp(qts), "{'execute': 'human-monitor-command', "
                         "'arguments': {'command-line': 'info network'}}");
    text = json_node_dup_string(node);
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
#define ADD(name, fn) g_test_add_func("/virtio-net/" name, fn)
    ADD("frames-to-the-guest", test_frames_to_the_guest);
    ADD("frames-from-the-guest", test_frames_from_the_guest);
    ADD("frame-in-pieces", test_frame_in_pieces);
    ADD("merged-buffers", test_merged_buffers);
    ADD("buffer-that-is-too-small", test_buffer_that_is_too_small);
    ADD("header-that-is-cut-short", test_header_that_is_cut_short);
    ADD("slow-driver", test_slow_driver);
    ADD("slow-peer", test_slow_peer);
    ADD("reset-while-a-frame-waits", test_reset_while_a_frame_waits);
    ADD("stopped-vm-takes-nothing", test_stopped_vm_takes_nothing);
    ADD("filter", test_filter);
    ADD("long-tables-mean-all", test_long_tables_mean_all);
    ADD("mac-is-set", test_mac_is_set);
    ADD("bad-commands", test_bad_commands);
    ADD("link", test_link);
    ADD("netdev-goes", test_netdev_goes);
    ADD("peer-sends-no-frame", test_peer_sends_no_frame);
    ADD("peers-come-and-go", test_peers_come_and_go);
    ADD("nic", test_nic);
    ADD("bad-input", test_bad_input);
    return g_test_run();
}
