/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev tap: frames between a guest's virtio-net and the host's kernel, by
 * name and by descriptors. The interfaces are in a network namespace of this
 * program's own; skipped where it may not have one.
 */
#include <fcntl.h>
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_ids.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio-pci.h"

#define HDR sizeof(struct virtio_net_hdr_v1)
#define FRAME 60
#define ROOM 2048
#define ETHERTYPE 0x88b5                  /* for experiments; the kernel sends
                                             none of these by itself */
#define BIT(feature) (1ULL << VIRTIO_NET_F_##feature)
#define OFFLOADS (BIT(CSUM) | BIT(HOST_TSO4) | BIT(GUEST_CSUM) |             \
                  BIT(GUEST_TSO4))

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue rx, tx;
    uint64_t mem;                         /* guest RAM */
    int wire;                             /* the kernel's side */
} Fixture;

/* --- the host ------------------------------------------------------------- */

static bool skipped(void)
{
    static int may = -1;

    if (may < 0) {
        may = access("/dev/net/tun", R_OK | W_OK) == 0 &&
              unshare(CLONE_NEWNET) == 0;
    }
    if (!may) {
        g_test_skip("this user may have no tap interface of its own");
    }
    return !may;
}

static int open_tap(const char *name, short flags)
{
    struct ifreq ifr = { .ifr_flags = flags };
    int fd = open("/dev/net/tun", O_RDWR);

    g_assert_cmpint(fd, >=, 0);
    strcpy(ifr.ifr_name, name);
    g_assert_no_errno(ioctl(fd, TUNSETIFF, &ifr));
    return fd;
}

/* Up, and without a protocol of the kernel's own. */
static void set_up(const char *name)
{
    g_autofree char *no_ipv6 = g_strdup_printf(
        "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    int fd = open(no_ipv6, O_WRONLY), sock = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq ifr = { .ifr_flags = IFF_UP };

    if (fd >= 0) {
        g_assert_cmpint(write(fd, "1", 1), ==, 1);
        close(fd);
    }
    strcpy(ifr.ifr_name, name);
    g_assert_no_errno(ioctl(sock, SIOCSIFFLAGS, &ifr));
    close(sock);
}

static int open_wire(const char *name)
{
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETHERTYPE),
        .sll_ifindex = if_nametoindex(name),
    };
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE));

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    return fd;
}

static void make_frame(uint8_t *frame, size_t size, uint8_t n)
{
    memset(frame, 0xff, 6);
    memset(frame + 6, 2, 6);
    frame[12] = ETHERTYPE >> 8;
    frame[13] = ETHERTYPE & 0xff;
    memset(frame + ETH_HLEN, n, size - ETH_HLEN);
}

/* --- the guest ------------------------------------------------------------ */

/* On the interface @name, by the options of the netdev. */
static void start(Fixture *f, const char *name, const char *options)
{
    f->qts = qtest_init("-M q35 -m 64M -netdev tap,id=n0,script=no,"
                        "downscript=no,%s -device virtio-net-pci,netdev=n0",
                        options);
    f->qmp = qtest_qmp(f->qts);
    set_up(name);
    f->wire = open_wire(name);
    qguest_init(&f->guest, f->qts);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_NET, 0);
    f->mem = qguest_alloc(&f->guest, 1 << 20, 4096);
}

static void start_driver(Fixture *f, uint64_t features)
{
    g_assert_cmphex(qvirtio_start(&f->dev, features) & features, ==, features);
    qvirtqueue_init(&f->rx, &f->dev, 0, 0);
    qvirtqueue_init(&f->tx, &f->dev, 1, 0);
    qvirtio_driver_ok(&f->dev);
}

static void stop(Fixture *f)
{
    qtest_quit(f->qts);
    close(f->wire);
}

static void send_from_guest(Fixture *f, uint8_t n)
{
    const QVirtioBuffer buf = { f->mem, HDR + FRAME, false };
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, n);
    qtest_memset(f->qts, f->mem, 0, HDR);
    qtest_memwrite(f->qts, f->mem + HDR, frame, FRAME);
    qvirtqueue_add(&f->tx, &buf, 1);
    qvirtqueue_kick(&f->tx);
    qvirtqueue_wait(&f->tx, NULL);
}

static void expect_on_wire(Fixture *f, uint8_t n)
{
    uint8_t expected[FRAME], got[ROOM];
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    ssize_t size;

    make_frame(expected, FRAME, n);
    while ((size = recv(f->wire, got, sizeof(got), MSG_DONTWAIT)) < 0) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    g_assert_cmpmem(got, size, expected, FRAME);
}

static void give_room(Fixture *f)
{
    const QVirtioBuffer buf = { f->mem + ROOM, ROOM, true };

    qvirtqueue_add(&f->rx, &buf, 1);
    qvirtqueue_kick(&f->rx);
}

static void send_from_wire(Fixture *f, uint8_t n)
{
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, n);
    g_assert_cmpint(send(f->wire, frame, FRAME, 0), ==, FRAME);
}

static void expect_in_guest(Fixture *f, uint8_t n)
{
    uint8_t expected[FRAME], got[FRAME];
    uint32_t len;

    make_frame(expected, FRAME, n);
    qvirtqueue_wait(&f->rx, &len);
    g_assert_cmpuint(len, ==, HDR + FRAME);
    qtest_memread(f->qts, f->mem + ROOM + HDR, got, FRAME);
    g_assert_cmpmem(got, FRAME, expected, FRAME);
}

static void check_both_ways(Fixture *f)
{
    for (uint8_t n = 1; n < 4; n++) {
        send_from_guest(f, n);
        expect_on_wire(f, n);
        give_room(f);
        send_from_wire(f, n + 10);
        expect_in_guest(f, n + 10);
    }
    /* More than the guest has room for waits in the kernel. */
    for (uint8_t n = 0; n < 20; n++) {
        send_from_wire(f, n);
    }
    for (uint8_t n = 0; n < 20; n++) {
        give_room(f);
        expect_in_guest(f, n);
    }
}

/* --- tests ---------------------------------------------------------------- */

static void test_by_name(void)
{
    Fixture f;

    if (skipped()) {
        return;
    }
    start(&f, "tapname", "ifname=tapname");
    start_driver(&f, OFFLOADS);
    check_both_ways(&f);
    start_driver(&f, 0);                  /* one that does everything itself */
    check_both_ways(&f);
    stop(&f);
    g_assert_cmpuint(if_nametoindex("tapname"), ==, 0);
}

static void test_by_descriptor(void)
{
    g_autofree char *options = NULL;
    Fixture f;
    int fd;

    if (skipped()) {
        return;
    }
    fd = open_tap("tapfd", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    options = g_strdup_printf("fd=%d", fd);
    start(&f, "tapfd", options);
    close(fd);
    start_driver(&f, OFFLOADS);
    check_both_ways(&f);
    stop(&f);
}

/* The driver wants no offloads any more. */
static void drop_offloads(Fixture *f, QVirtQueue *ctrl)
{
    const uint8_t command[10] = { VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                                  VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET };
    const QVirtioBuffer bufs[] = {
        { f->mem, sizeof(command), false },
        { f->mem + 16, 1, true },
    };

    qtest_memwrite(f->qts, f->mem, command, sizeof(command));
    qvirtqueue_add(ctrl, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(ctrl);
    qvirtqueue_wait(ctrl, NULL);
    g_assert_cmpuint(qtest_readb(f->qts, f->mem + 16), ==, VIRTIO_NET_OK);
}

/* The I/O thread of the device has the interface, too. */
static void test_in_io_thread(void)
{
    g_autofree char *options = NULL;
    QVirtQueue ctrl;
    Fixture f;
    int fd;

    if (skipped()) {
        return;
    }
    fd = open_tap("tapio", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    options = g_strdup_printf("fd=%d -object iothread,id=io0 "
                              "-global virtio-net-device.iothread=io0", fd);
    start(&f, "tapio", options);
    close(fd);
    qvirtio_start(&f.dev, OFFLOADS | BIT(CTRL_VQ) | BIT(CTRL_GUEST_OFFLOADS));
    qvirtqueue_init(&f.rx, &f.dev, 0, 0);
    qvirtqueue_init(&f.tx, &f.dev, 1, 0);
    qvirtqueue_init(&ctrl, &f.dev, 2, 0);
    qvirtio_driver_ok(&f.dev);
    check_both_ways(&f);
    drop_offloads(&f, &ctrl);
    check_both_ways(&f);
    stop(&f);
}

/* An interface without headers: the device then offers no offloads. */
static void test_without_headers(void)
{
    g_autofree char *options = NULL;
    Fixture f;
    int fd;

    if (skipped()) {
        return;
    }
    fd = open_tap("tapraw", IFF_TAP | IFF_NO_PI);
    options = g_strdup_printf("fd=%d", fd);
    start(&f, "tapraw", options);
    close(fd);
    g_assert_cmphex(qvirtio_features(&f.dev) & OFFLOADS, ==, 0);
    start_driver(&f, 0);
    check_both_ways(&f);
    stop(&f);
}

/* The driver's second pair is a second descriptor. */
static void test_queues(void)
{
    g_autofree char *options = NULL;
    Fixture f;
    int fds[2];

    if (skipped()) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        fds[i] = open_tap("tapmq", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
                                   IFF_MULTI_QUEUE);
    }
    options = g_strdup_printf("fds=%d:%d", fds[0], fds[1]);
    start(&f, "tapmq", options);
    close(fds[0]);
    close(fds[1]);
    g_assert_cmpuint(qtest_readw(f.qts, f.dev.config + 8), ==, 2);
    start_driver(&f, BIT(MQ) | BIT(CTRL_VQ));
    qvirtqueue_init(&f.tx, &f.dev, 3, 0);
    send_from_guest(&f, 5);
    expect_on_wire(&f, 5);
    stop(&f);
}

/* As libvirt plugs one. */
static void test_hot_plugged_by_name_of_a_descriptor(void)
{
    QTestState *qts;
    QmpClient *qmp;
    int fd;

    if (skipped()) {
        return;
    }
    fd = open_tap("taphot", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    qts = qtest_init("-M q35 -device pcie-root-port,id=rp0");
    qmp = qtest_qmp(qts);
    qmp_client_send_fds(qmp, "{'execute': 'getfd', 'arguments': "
                        "{'fdname': 'fd-net0'}}", fd, 1);
    json_object_unref(qmp_client_reply(qmp));
    close(fd);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'netdev_add', 'arguments': "
                                  "{'type': 'tap', 'id': 'n0', 'fd': "
                                  "'fd-net0', 'vhost': false}}"));
    json_node_unref(qmp_client_do(qmp, "{'execute': 'device_add', 'arguments': "
                                  "{'driver': 'virtio-net-pci', 'netdev': 'n0', "
                                  "'bus': 'rp0'}}"));
    g_assert_cmpuint(if_nametoindex("taphot"), !=, 0);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'netdev_del', 'arguments': "
                                  "{'id': 'n0'}}"));
    g_assert_cmpuint(if_nametoindex("taphot"), ==, 0);
    qtest_quit(qts);
}

static void test_bad_input(void)
{
    static const char *const bad[][2] = {
        { "'fd': '999'", "fd=999" },
        { "'fd': '99999999999'", "fd=99999999999" },
        { "'fds': '1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17'", "17" },
        { "'fd': 'nosuch'", "nosuch" },
        { "'fd': '0'", "fd=0 is no tap interface" },
        { "'fds': '0:1', 'queues': 2", "queues=" },
        { "'ifname': 'a', 'fd': '3'", "exclude each other" },
        { "'ifname': 'interface-name-too-long'", "interface-name-too-long" },
        { "'ifname': 'x', 'queues': 17", "queues=17" },
        { "'ifname': 'x', 'script': '/etc/up'", "script=/etc/up" },
        { "'fd': '0', 'vhost': true, 'vhostfd': '0'", "fd=0 is no tap" },
        { "'ifname': 'x', 'vhostfd': '0'", "go with vhost=on" },
        { "'ifname': 'x', 'vhost': true, 'vhostfd': '1', 'vhostfds': '1'",
          "exclude each other" },
    };
    QTestState *qts = qtest_init("-M q35");

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(qtest_qmp(qts), "GenericError", bad[i][1],
                                "{'execute': 'netdev_add', 'arguments': "
                                "{'type': 'tap', 'id': 'n0', %s}}", bad[i][0]);
    }
    /* Which closed nothing: all of them still work. */
    for (int fd = 0; fd < 20; fd++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d",
                                                qtest_pid(qts), fd);
        bool was = g_file_test(path, G_FILE_TEST_IS_SYMLINK);

        qmp_client_expect_error(qtest_qmp(qts), "GenericError", "fd=",
                                "{'execute': 'netdev_add', 'arguments': "
                                "{'type': 'tap', 'id': 'n0', 'fd': '%d'}}", fd);
        g_assert_true(g_file_test(path, G_FILE_TEST_IS_SYMLINK) == was);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/netdev-tap/" name, fn)
    ADD("by-name", test_by_name);
    ADD("by-descriptor", test_by_descriptor);
    g_test_add_func("/netdev-tap/in-io-thread", test_in_io_thread);
    ADD("without-headers", test_without_headers);
    ADD("queues", test_queues);
    ADD("hot-plugged-by-name-of-a-descriptor",
        test_hot_plugged_by_name_of_a_descriptor);
    ADD("bad-input", test_bad_input);
    return g_test_run();
}
