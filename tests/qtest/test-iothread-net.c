/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks whose frames an I/O thread handles: they pass both ways, and nothing is
 * harmed while the VM stops, the link goes, the driver resets, memory is plugged
 * and unplugged, the netdev is deleted or the device unplugged, with frames coming
 * as fast as they can all the while.
 */
#include <linux/pci_regs.h>

#include "net-guest.h"
#include "virtio-mem.h"

#define IOTHREAD "-object iothread,id=io0 -global virtio-net-device.iothread=io0 "
#define MEMORY "-object memory-backend-ram,id=mem0,size=256M "                \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=256M "
#define STREAM "-netdev stream,id=n0,addr.type=fd,addr.str=%d"
#define ROUNDS 8
#define PORT_VENDOR 0x1b36
#define PORT_DEVICE 0x000c

/* Who sends frames until told otherwise, and drops what comes. */
typedef struct Flood {
    GThread *thread;
    int fd;
    bool is_stream;
    int quit;
} Flood;

static void start_guest(Fixture *f, uint64_t features, const char *more)
{
    g_autofree char *options = NULL;
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    options = g_strdup_printf(IOTHREAD "%s -netdev dgram,id=n0,local.type=fd,"
                              "local.str=%d", more, fds[1]);
    start_with(f, features, options);
    close(fds[1]);
    f->peer = fds[0];
}

static void start_stream_guest(Fixture *f, uint64_t features)
{
    g_autofree char *options = NULL;
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    options = g_strdup_printf(IOTHREAD STREAM, fds[1]);
    start_with(f, features, options);
    close(fds[1]);
    f->peer = fds[0];
}

static void wire_sends(Fixture *f, uint8_t n)
{
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, own_mac, n);
    g_assert_cmpint(send(f->peer, frame, FRAME, 0), ==, FRAME);
}

static void guest_sends(Fixture *f, uint8_t n)
{
    add_frame(f, 32 * ROOM, FRAME, n);
    qvirtqueue_kick(&f->tx);
    qvirtqueue_wait(&f->tx, NULL);
}

static void do_qmp(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(f->qmp, "%s", command));
}

/* --- frames --------------------------------------------------------------- */

static void test_data(void)
{
    Fixture f;

    start_guest(&f, 0, "");
    for (uint8_t n = 0; n < 50; n++) {
        guest_sends(&f, n);
        wire_expects(&f, n);
    }
    for (uint8_t n = 0; n < 50; n++) {
        give_room(&f, 0, ROOM);
        wire_sends(&f, n);
        expect_frame(&f, 0, own_mac, n);
        qvirtio_wait_interrupt(&f.dev, QVIRTIO_QUEUE_USED);
    }
    /* More than the guest has room for waits in the kernel. */
    for (uint8_t n = 0; n < 5; n++) {
        wire_sends(&f, n);
    }
    for (uint8_t n = 0; n < 5; n++) {
        give_room(&f, 0, ROOM);
        expect_frame(&f, 0, own_mac, n);
    }
    stop(&f);
}

/* All come, in order, when the peer reads again. */
static void test_slow_peer(void)
{
    unsigned sent = 0;
    Fixture f;

    start_guest(&f, 0, "");
    for (; sent < 100; sent++) {
        add_frame(&f, ROOM * (1 + sent), FRAME, sent);
        qvirtqueue_kick(&f.tx);
    }
    for (unsigned n = 0; n < sent; n++) {
        wire_expects(&f, n);
    }
    for (unsigned n = 0; n < sent; n++) {
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

static void test_control_queue(void)
{
    const uint8_t off[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0 };
    QVirtioBuffer bufs[] = { { 0, sizeof(off), false }, { 0, 1, true } };
    uint8_t frame[FRAME];
    Fixture f;

    start_guest(&f, BIT(CTRL_VQ) | BIT(CTRL_RX), "");
    bufs[0].addr = f.mem + 8 * ROOM;
    bufs[1].addr = bufs[0].addr + 16;
    qtest_memwrite(f.qts, bufs[0].addr, off, sizeof(off));
    qvirtqueue_add(&f.ctrl, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&f.ctrl);
    qvirtqueue_wait(&f.ctrl, NULL);
    g_assert_cmpuint(qtest_readb(f.qts, bufs[1].addr), ==, VIRTIO_NET_OK);
    give_room(&f, 0, ROOM);
    make_frame(frame, FRAME, other_mac, 1);
    g_assert_cmpint(send(f.peer, frame, FRAME, 0), ==, FRAME);
    wire_sends(&f, 2);
    expect_frame(&f, 0, own_mac, 2);
    stop(&f);
}

static void test_stopped(void)
{
    Fixture f;

    start_guest(&f, 0, "");
    give_room(&f, 0, ROOM);
    do_qmp(&f, "{'execute': 'stop'}");
    wire_sends(&f, 1);
    check_idle(&f, &f.rx);
    do_qmp(&f, "{'execute': 'cont'}");
    expect_frame(&f, 0, own_mac, 1);
    guest_sends(&f, 2);
    wire_expects(&f, 2);
    stop(&f);
}

/* --- a stream ------------------------------------------------------------- */

/* Many at once, some of them in parts, both ways. */
static void test_stream_data(void)
{
    Fixture f;

    start_stream_guest(&f, 0);
    for (uint8_t n = 0; n < 50; n++) {
        give_room(&f, n * ROOM, ROOM);
        add_frame(&f, (50 + n) * ROOM, FRAME, n);
    }
    qvirtqueue_kick(&f.tx);
    for (uint8_t n = 0; n < 50; n++) {
        peer_send_to(&f, own_mac, n);
    }
    for (uint8_t n = 0; n < 50; n++) {
        expect_sent(&f, FRAME, n);
        expect_frame(&f, n * ROOM, own_mac, n);
        qvirtqueue_wait(&f.tx, NULL);
    }
    /* More than the guest has room for waits. */
    for (uint8_t n = 0; n < 5; n++) {
        peer_send_to(&f, own_mac, n);
    }
    for (uint8_t n = 0; n < 5; n++) {
        give_room(&f, 0, ROOM);
        expect_frame(&f, 0, own_mac, n);
    }
    stop(&f);
}

/* Far more than the socket takes: all come, in order, when the peer reads again,
 * frames for the guest in between. */
static void test_stream_slow_peer(void)
{
    const unsigned frames = 200, size = 60000;
    int room = 4096;
    Fixture f;

    start_stream_guest(&f, 0);
    setsockopt(f.peer, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    give_room(&f, 0, ROOM);
    for (unsigned n = 0; n < frames; n++) {
        add_frame(&f, ROOM + (n % 8) * 65536, size, n % 8);
    }
    qvirtqueue_kick(&f.tx);
    peer_send_to(&f, own_mac, 1);
    expect_frame(&f, 0, own_mac, 1);
    for (unsigned n = 0; n < frames; n++) {
        expect_sent(&f, size, n % 8);
    }
    for (unsigned n = 0; n < frames; n++) {
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

/* What the peer's end comes to is the main loop's. */
static void test_stream_peer_goes(bool rudely)
{
    const uint32_t no_length = 0;
    Fixture f;

    start_stream_guest(&f, BIT(STATUS));
    give_room(&f, 0, ROOM);
    if (rudely) {
        g_assert_cmpint(write(f.peer, &no_length, 4), ==, 4);
    } else {
        shutdown(f.peer, SHUT_RDWR);
    }
    json_object_unref(qmp_client_event(f.qmp, "NETDEV_STREAM_DISCONNECTED"));
    guest_sends(&f, 1);                   /* to nobody */
    do_qmp(&f, "{'execute': 'netdev_del', 'arguments': {'id': 'n0'}}");
    stop(&f);
}

static void test_stream_peer_ends(void)
{
    test_stream_peer_goes(false);
}

static void test_stream_no_frame(void)
{
    test_stream_peer_goes(true);
}

/* --- changes under a flood ------------------------------------------------ */

/* Without waiting: false: there is no room for it. */
static bool flood_send(const Flood *flood, const uint8_t *frame)
{
    uint32_t length = htonl(FRAME);
    uint8_t data[sizeof(length) + FRAME];
    size_t skip = flood->is_stream ? 0 : sizeof(length);

    memcpy(data, &length, sizeof(length));
    memcpy(data + sizeof(length), frame, FRAME);
    return send(flood->fd, data + skip, sizeof(data) - skip, MSG_DONTWAIT) > 0;
}

static gpointer flood_thread(gpointer opaque)
{
    Flood *flood = opaque;
    uint8_t frame[FRAME], got[ROOM];

    make_frame(frame, FRAME, own_mac, 0);
    while (!g_atomic_int_get(&flood->quit)) {
        if (!flood_send(flood, frame)) {
            g_usleep(50);
        }
        while (recv(flood->fd, got, sizeof(got), MSG_DONTWAIT) > 0) {
        }
    }
    return NULL;
}

static void flood_begin(Flood *flood, Fixture *f)
{
    int type;
    socklen_t size = sizeof(type);

    g_assert_no_errno(getsockopt(f->peer, SOL_SOCKET, SO_TYPE, &type, &size));
    *flood = (Flood) { .fd = f->peer, .is_stream = type == SOCK_STREAM };
    flood->thread = g_thread_new("flood", flood_thread, flood);
}

static void flood_end(Flood *flood)
{
    g_atomic_int_set(&flood->quit, 1);
    g_thread_join(flood->thread);
}

/* Receives @n frames, and sends as many, at offset @at of f->mem. */
static void pass(Fixture *f, uint64_t at, unsigned n)
{
    while (n--) {
        give_room(f, at, ROOM);
        qvirtqueue_wait(&f->rx, NULL);
        add_frame(f, at + ROOM, FRAME, n);
        qvirtqueue_kick(&f->tx);
        qvirtqueue_wait(&f->tx, NULL);
    }
}

static void change(Fixture *f)
{
    static const char *const changes[][2] = {
        { "{'execute': 'stop'}", "{'execute': 'cont'}" },
        { "{'execute': 'set_link', 'arguments': {'name': 'nic0', 'up': false}}",
          "{'execute': 'set_link', 'arguments': {'name': 'nic0', 'up': true}}" },
        { "{'execute': 'set_link', 'arguments': {'name': 'n0', 'up': false}}",
          "{'execute': 'set_link', 'arguments': {'name': 'n0', 'up': true}}" },
        { "{'execute': 'announce-self', 'arguments': {'initial': 1, 'max': 1, "
          "'rounds': 2, 'step': 0}}", "{'execute': 'query-status'}" },
    };
    Flood flood;

    flood_begin(&flood, f);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < G_N_ELEMENTS(changes); k++) {
            pass(f, 0, 2);
            do_qmp(f, changes[k][0]);
            do_qmp(f, changes[k][1]);
        }
        start_driver(f, BIT(STATUS));     /* which is a reset */
    }
    pass(f, 0, 2);
    flood_end(&flood);
    stop(f);
}

static void test_changes(void)
{
    Fixture f;

    start_guest(&f, BIT(STATUS), "");
    change(&f);
}

static void test_stream_changes(void)
{
    Fixture f;

    start_stream_guest(&f, BIT(STATUS));
    change(&f);
}

static void test_memory_comes_and_goes(void)
{
    QVirtioMem mem;
    Flood flood;
    uint64_t boot;
    Fixture f;

    start_guest(&f, 0, "-m 64M,maxmem=1G " MEMORY);
    qvirtio_mem_init(&mem, &f.guest, 0);
    boot = f.mem;
    flood_begin(&flood, &f);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct virtio_mem_config config;

        qvirtio_mem_config(&mem, &config);
        g_assert_cmpuint(qvirtio_mem_plug(&mem, config.addr, 2), ==,
                         VIRTIO_MEM_RESP_ACK);
        f.mem = config.addr;
        pass(&f, 0, 2);
        g_assert_cmpuint(qvirtio_mem_unplug(&mem, config.addr + config.block_size,
                                            1), ==, VIRTIO_MEM_RESP_ACK);
        pass(&f, 0, 2);
        g_assert_cmpuint(qvirtio_mem_unplug(&mem, config.addr, 1), ==,
                         VIRTIO_MEM_RESP_ACK);
        f.mem = boot;
        pass(&f, 0, 1);
    }
    flood_end(&flood);
    stop(&f);
}

static void test_netdev_del(void)
{
    Flood flood;
    Fixture f;

    start_guest(&f, BIT(STATUS), "");
    flood_begin(&flood, &f);
    pass(&f, 0, 4);
    do_qmp(&f, "{'execute': 'netdev_del', 'arguments': {'id': 'n0'}}");
    guest_sends(&f, 1);                   /* to nobody */
    qmp_client_expect_error(f.qmp, "GenericError", "is in use",
                            "{'execute': 'object-del', 'arguments': "
                            "{'id': 'io0'}}");
    flood_end(&flood);
    stop(&f);
}

static void add_device(Fixture *f, const char *id)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'device_add', 'arguments': {'driver': "
        "'virtio-net-pci', 'id': '%s', 'netdev': 'n0', 'bus': 'rp0', "
        "'iothread': 'io0'}}", id));
}

static void test_unplug(void)
{
    QPCIDevice port;
    int fds[2];
    Flood flood;
    uint8_t cap;
    Fixture f;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    f.qts = qtest_init("-M q35 -m 64M -object iothread,id=io0 "
                       "-device pcie-root-port,id=rp0 "
                       "-netdev dgram,id=n0,local.type=fd,local.str=%d", fds[1]);
    f.qmp = qtest_qmp(f.qts);
    f.peer = fds[0];
    close(fds[1]);
    qguest_init(&f.guest, f.qts);
    qpci_device_init(&port, &f.guest, PORT_VENDOR, PORT_DEVICE, 0);
    cap = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    flood_begin(&flood, &f);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *id = g_strdup_printf("d%u", i);

        add_device(&f, id);
        json_node_unref(qmp_client_do(f.qmp, "{'execute': 'device_del', "
                                      "'arguments': {'id': '%s'}}", id));
        qpci_config_writew(f.qts, port.devfn, cap + PCI_EXP_SLTCTL,
                           PCI_EXP_SLTCTL_ATTN_IND_OFF |
                           PCI_EXP_SLTCTL_PWR_OFF |
                           PCI_EXP_SLTCTL_PWR_IND_OFF);
        json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
    }
    do_qmp(&f, "{'execute': 'object-del', 'arguments': {'id': 'io0'}}");
    flood_end(&flood);
    stop(&f);
}

/* --- what is not possible ------------------------------------------------- */

static void test_refusals(void)
{
    QTestState *qts = qtest_init("-M q35 -object iothread,id=io0 "
                                 "-device pcie-root-port,id=rp0");

    qmp_client_expect_error(qtest_qmp(qts), "GenericError",
                            "iothread=: ioeventfd=on is required for it",
                            "{'execute': 'device_add', 'arguments': "
                            "{'driver': 'virtio-net-pci', 'bus': 'rp0', "
                            "'iothread': 'io0', 'ioeventfd': false}}");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/iothread-net/" name, fn)
    ADD("data", test_data);
    ADD("slow-peer", test_slow_peer);
    ADD("control-queue", test_control_queue);
    ADD("stopped", test_stopped);
    ADD("stream/data", test_stream_data);
    ADD("stream/slow-peer", test_stream_slow_peer);
    ADD("stream/peer-ends", test_stream_peer_ends);
    ADD("stream/no-frame", test_stream_no_frame);
    ADD("stream/changes", test_stream_changes);
    ADD("changes", test_changes);
    ADD("memory-comes-and-goes", test_memory_comes_and_goes);
    ADD("netdev-del", test_netdev_del);
    ADD("unplug", test_unplug);
    ADD("refusals", test_refusals);
    return g_test_run();
}
