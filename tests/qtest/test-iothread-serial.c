/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial whose queues and character devices an I/O thread has: bytes pass
 * both ways, and nothing is harmed while peers go and come back, the VM stops, the
 * driver resets, character devices are exchanged, memory is plugged and unplugged,
 * ports or the device unplugged, with bytes coming as fast as they can all the
 * while.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <sys/stat.h>

#include "virtio-mem.h"
#include "virtio-serial-guest.h"

#define IOTHREAD "-object iothread,id=io0 "                                  \
    "-global virtio-serial-device.iothread=io0 "
#define MEMORY "-object memory-backend-ram,id=mem0,size=256M "                \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=256M "
#define ROUNDS 8
#define SLOW 100                          /* pages that a slow peer is sent */
#define PORT_VENDOR 0x1b36
#define PORT_DEVICE 0x000c

static void do_qmp(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(f->qmp, "%s", command));
}

/* A channel that is open on both sides. */
static void start_open(Fixture *f, const char *more)
{
    g_autofree char *options = g_strconcat(IOTHREAD, more, NULL);

    start_channel(f, options);
    say(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    connect_peer(f);
    expect(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

/* Bytes from the host, at offset @at of f->mem, and as many back. */
static void pass(Fixture *f, uint64_t at, const char *text)
{
    give(f, &f->rx, f->mem + at);
    peer_sends(f, text);
    expect_in_guest(f, f->mem + at, text);
    send_at(f, &f->tx, f->mem + at, text, strlen(text));
    qvirtqueue_wait(&f->tx, NULL);
    peer_expects(f, text);
}

/* --- bytes ---------------------------------------------------------------- */

static void test_data(void)
{
    Fixture f;

    start_open(&f, "");
    expect_change(&f, true);
    expect_frontend(&f, true);
    for (unsigned n = 0; n < 50; n++) {
        g_autofree char *text = g_strdup_printf("message %u", n);

        pass(&f, 20 * ROOM, text);
    }
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    expect_change(&f, false);
    expect_frontend(&f, false);
    stop(&f);
}

/* The thread may make the calls that it needs, and a peer may come back. */
static void test_sandbox(void)
{
    Fixture f;

    if (QTEST_SANITIZED) {
        g_test_skip("a build with sanitizers is not confined");
        return;
    }
    start_open(&f, "-sandbox on,hotplug=off");
    pass(&f, 20 * ROOM, "confined");
    give(&f, &f.rx, page(&f, 20));        /* else nobody looks for the end */
    hang_up(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    pass(&f, 20 * ROOM, "and again");
    stop(&f);
}

/* Bytes wait in the socket until the guest opens, has room, or runs. */
static void test_input_waits(void)
{
    Fixture f;

    start_channel(&f, IOTHREAD);
    connect_peer(&f);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    give(&f, &f.rx, page(&f, 20));
    peer_sends(&f, "early");
    g_assert_false(qvirtqueue_has_used(&f.rx));
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect_in_guest(&f, page(&f, 20), "early");
    peer_sends(&f, "room");
    qmp_client_check_alive(f.qmp);
    give(&f, &f.rx, page(&f, 20));
    expect_in_guest(&f, page(&f, 20), "room");
    give(&f, &f.rx, page(&f, 20));
    for (unsigned n = 0; n < ROUNDS; n++) {
        do_qmp(&f, "{'execute': 'stop'}");
        peer_sends(&f, "run");
        g_usleep(1000);
        g_assert_false(qvirtqueue_has_used(&f.rx));
        do_qmp(&f, "{'execute': 'cont'}");
        expect_in_guest(&f, page(&f, 20), "run");
        give(&f, &f.rx, page(&f, 20));
    }
    stop(&f);
}

/* Far more than the socket takes, by one kick. */
static void send_much(Fixture *f)
{
    uint8_t data[ROOM];

    for (unsigned n = 0; n < 16; n++) {
        memset(data, n, ROOM);
        qtest_memwrite(f->qts, page(f, 16 + n), data, ROOM);
    }
    for (unsigned n = 0; n < SLOW; n++) {
        const QVirtioBuffer buf = { page(f, 16 + n % 16), ROOM, false };

        qvirtqueue_add(&f->tx, &buf, 1);
    }
    qvirtqueue_kick(&f->tx);
}

/* All comes, in order, when the peer reads again, and input in between. */
static void test_slow_peer(void)
{
    uint8_t data[ROOM], got[ROOM];
    int room = 4096;
    Fixture f;

    start_open(&f, "");
    g_assert_no_errno(setsockopt(f.peer, SOL_SOCKET, SO_RCVBUF, &room,
                                 sizeof(room)));
    send_much(&f);
    give(&f, &f.rx, page(&f, 10));
    peer_sends(&f, "meanwhile");
    expect_in_guest(&f, page(&f, 10), "meanwhile");
    for (unsigned n = 0; n < SLOW; n++) {
        peer_reads(&f, got, ROOM);
        memset(data, n % 16, ROOM);
        g_assert_cmpmem(got, ROOM, data, ROOM);
    }
    for (unsigned n = 0; n < SLOW; n++) {
        qvirtqueue_wait(&f.tx, NULL);
    }
    stop(&f);
}

/* What waits for a peer that goes is lost, and the next one is served. */
static void test_peer_comes_back(void)
{
    Fixture f;

    start_open(&f, "");
    for (unsigned n = 0; n < ROUNDS; n++) {
        pass(&f, 10 * ROOM, "before");
        send_much(&f);
        hang_up(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        for (unsigned k = 0; k < SLOW; k++) {
            qvirtqueue_wait(&f.tx, NULL);
        }
        connect_peer(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    pass(&f, 10 * ROOM, "after");
    stop(&f);
}

/* Nobody in the guest reads what a peer has sent, nor its end. */
static void test_peer_goes_unread(void)
{
    Fixture f;

    start_open(&f, "");
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    for (unsigned n = 0; n < ROUNDS; n++) {
        peer_sends(&f, "never read");
        hang_up(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        connect_peer(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    pass(&f, 10 * ROOM, "read");
    stop(&f);
}

/* A console has no events of its peer; one that knows nothing of ports drives it. */
static void test_console(void)
{
    Fixture f;

    start(&f, IOTHREAD "-device virtconsole,chardev=c0");
    connect_peer(&f);
    start_driver(&f, 0, 0);
    pass(&f, 10 * ROOM, "login:");
    send_much(&f);
    hang_up(&f);
    for (unsigned k = 0; k < SLOW; k++) {
        qvirtqueue_wait(&f.tx, NULL);
    }
    connect_peer(&f);
    give(&f, &f.rx, page(&f, 10));
    peer_sends(&f, "again");
    expect_in_guest(&f, page(&f, 10), "again");
    /* And one that has no queues at all. */
    qvirtio_reset(&f.dev);
    qtest_writel(f.qts, f.dev.config +
                        offsetof(struct virtio_console_config, emerg_wr), '!');
    peer_expects(&f, "!");
    stop(&f);
}

static void test_messages_that_lie(void)
{
    Fixture f;

    start_open(&f, "");
    for (uint32_t nr = 0; nr < 40; nr++) {
        for (uint16_t event = 1; event < 10; event++) {
            say(&f, nr, event, nr != 1);
        }
    }
    say(&f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    pass(&f, 10 * ROOM, "still");
    stop(&f);
}

/* --- other character devices ---------------------------------------------- */

static void test_pipes(void)
{
    g_autofree char *dir = g_dir_make_tmp("pipes-XXXXXX", NULL);
    g_autofree char *in = g_build_filename(dir, "p.in", NULL);
    g_autofree char *out = g_build_filename(dir, "p.out", NULL);
    g_autofree char *devices = g_strdup_printf(
        IOTHREAD "-chardev pipe,id=p0,path=%s/p,logfile=%s/log "
        "-device virtserialport,nr=1,chardev=p0", dir, dir);
    g_autofree char *log = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    char got[4];
    Fixture f;
    int to, from;

    g_assert_no_errno(mkfifo(in, 0600));
    g_assert_no_errno(mkfifo(out, 0600));
    to = open(in, O_RDWR);
    from = open(out, O_RDWR);
    start(&f, devices);
    meet_port(&f);
    say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    give(&f, &f.rx, page(&f, 20));
    g_assert_cmpint(write(to, "ping", 4), ==, 4);
    expect_in_guest(&f, page(&f, 20), "ping");
    send_at(&f, &f.tx, page(&f, 20), "pong", 4);
    g_assert_cmpint(read(from, got, 4), ==, 4);
    g_assert_cmpmem(got, 4, "pong", 4);
    stop(&f);
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "pong");
    close(to);
    close(from);
    unlink(in);
    unlink(out);
    unlink(log);
    rmdir(dir);
}

/* --- changes under a flood ------------------------------------------------ */

/* Who sends until told otherwise, and drops what comes. */
typedef struct Flood {
    GThread *thread;
    int fd;
    int quit;
} Flood;

static gpointer flood_thread(gpointer opaque)
{
    Flood *flood = opaque;
    char data[1000] = { 0 }, got[ROOM];

    while (!g_atomic_int_get(&flood->quit)) {
        if (send(flood->fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            g_usleep(50);
        }
        while (recv(flood->fd, got, sizeof(got), MSG_DONTWAIT) > 0) {
        }
    }
    return NULL;
}

static void flood_begin(Flood *flood, Fixture *f)
{
    *flood = (Flood) { .fd = f->peer };
    flood->thread = g_thread_new("flood", flood_thread, flood);
}

static void flood_end(Flood *flood)
{
    g_atomic_int_set(&flood->quit, 1);
    g_thread_join(flood->thread);
}

/* Receives @n times, and sends as often, at offset @at of f->mem. */
static void pass_flood(Fixture *f, uint64_t at, unsigned n)
{
    char data[ROOM] = { 0 };

    while (n--) {
        give(f, &f->rx, f->mem + at);
        qvirtqueue_wait(&f->rx, NULL);
        send_at(f, &f->tx, f->mem + at + ROOM, data, sizeof(data));
        qvirtqueue_wait(&f->tx, NULL);
    }
}

static void test_changes(void)
{
    Flood flood;
    Fixture f;

    start_open(&f, "");
    flood_begin(&flood, &f);
    for (unsigned n = 0; n < ROUNDS; n++) {
        pass_flood(&f, 10 * ROOM, 2);
        do_qmp(&f, "{'execute': 'stop'}");
        do_qmp(&f, "{'execute': 'query-chardev'}");
        do_qmp(&f, "{'execute': 'cont'}");
        pass_flood(&f, 10 * ROOM, 2);
        qvirtio_reset(&f.dev);
        meet_port(&f);
        say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    pass_flood(&f, 10 * ROOM, 2);
    flood_end(&flood);
    stop(&f);
}

/* The machine's reset takes the device's place in the PCI space along. */
static void test_system_reset(void)
{
    Flood flood;
    Fixture f;

    start_open(&f, "");
    flood_begin(&flood, &f);
    pass_flood(&f, 10 * ROOM, 2);
    do_qmp(&f, "{'execute': 'system_reset'}");
    json_object_unref(qmp_client_event(f.qmp, "RESET"));
    expect_frontend(&f, false);
    flood_end(&flood);
    stop(&f);
}

/* Who ends while bytes come leaves nothing that a thread might still use. */
static void test_quit(void)
{
    Flood flood;
    Fixture f;

    start_open(&f, "");
    flood_begin(&flood, &f);
    pass_flood(&f, 10 * ROOM, 2);
    give(&f, &f.rx, page(&f, 20));
    send_much(&f);
    qtest_quit(f.qts);
    flood_end(&flood);
    close(f.peer);
    rmdir(f.dir);
    g_free(f.dir);
    g_free(f.path);
}

/* A new device under a port, of another kind and back. */
static void test_exchange(void)
{
    Flood flood;
    Fixture f;

    start_open(&f, "");
    for (unsigned n = 0; n < ROUNDS; n++) {
        flood_begin(&flood, &f);
        pass_flood(&f, 10 * ROOM, 2);
        do_qmp(&f, "{'execute': 'chardev-change', 'arguments': {'id': 'c0', "
               "'backend': {'type': 'null', 'data': {}}}}");
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
        flood_end(&flood);
        hang_up(&f);
        send_at(&f, &f.tx, page(&f, 20), "nobody", 6);
        qvirtqueue_wait(&f.tx, NULL);
        json_node_unref(qmp_client_do(f.qmp,
            "{'execute': 'chardev-change', 'arguments': {'id': 'c0', 'backend': "
            "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
            "{'path': '%s'}}, 'server': true}}}}", f.path));
        connect_peer(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    pass(&f, 10 * ROOM, "after all");
    stop(&f);
}

static void test_memory_comes_and_goes(void)
{
    QVirtioMem mem;
    Flood flood;
    uint64_t boot;
    Fixture f;

    start_open(&f, "-m 64M,maxmem=1G " MEMORY);
    qvirtio_mem_init(&mem, &f.guest, 0);
    boot = f.mem;
    flood_begin(&flood, &f);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct virtio_mem_config config;

        qvirtio_mem_config(&mem, &config);
        g_assert_cmpuint(qvirtio_mem_plug(&mem, config.addr, 2), ==,
                         VIRTIO_MEM_RESP_ACK);
        f.mem = config.addr;
        pass_flood(&f, 0, 2);
        g_assert_cmpuint(qvirtio_mem_unplug(&mem, config.addr + config.block_size,
                                            1), ==, VIRTIO_MEM_RESP_ACK);
        pass_flood(&f, 0, 2);
        g_assert_cmpuint(qvirtio_mem_unplug(&mem, config.addr, 1), ==,
                         VIRTIO_MEM_RESP_ACK);
        f.mem = boot;
        pass_flood(&f, 10 * ROOM, 1);
    }
    flood_end(&flood);
    stop(&f);
}

/* --- what comes and goes -------------------------------------------------- */

static void add_port(Fixture *f)
{
    do_qmp(f, "{'execute': 'device_add', 'arguments': {'driver': "
           "'virtserialport', 'bus': 'virtio-serial0.0', 'id': 'channel0', "
           "'chardev': 'c0', 'nr': 1}}");
    expect(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
    say(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

static void test_ports_come_and_go(void)
{
    Flood flood;
    Fixture f;

    start_open(&f, "");
    for (unsigned n = 0; n < ROUNDS; n++) {
        flood_begin(&flood, &f);
        pass_flood(&f, 10 * ROOM, 2);
        do_qmp(&f, "{'execute': 'device_del', 'arguments': {'id': 'channel0'}}");
        json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
        expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
        flood_end(&flood);
        hang_up(&f);
        send_at(&f, &f.tx, page(&f, 20), "bye", 3);
        qvirtqueue_wait(&f.tx, NULL);
        do_qmp(&f, "{'execute': 'chardev-remove', 'arguments': {'id': 'c0'}}");
        json_node_unref(qmp_client_do(f.qmp,
            "{'execute': 'chardev-add', 'arguments': {'id': 'c0', 'backend': "
            "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
            "{'path': '%s'}}, 'server': true}}}}", f.path));
        /* Of a peer that is there before, a driver hears when it says READY. */
        add_port(&f);
        connect_peer(&f);
        expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    }
    stop(&f);
}

static void unplug(Fixture *f, const char *id)
{
    QPCIDevice port;
    uint8_t cap;

    qpci_device_init(&port, &f->guest, PORT_VENDOR, PORT_DEVICE, 0);
    cap = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'device_del', "
                                  "'arguments': {'id': '%s'}}", id));
    qpci_config_writew(f->qts, port.devfn, cap + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF |
                       PCI_EXP_SLTCTL_PWR_IND_OFF);
}

/* With its port, a peer and what that sends. */
static void test_the_device_goes(void)
{
    Flood flood;
    Fixture f;

    start(&f, "-object iothread,id=io0");
    connect_peer(&f);
    flood_begin(&flood, &f);
    for (unsigned n = 0; n < 3; n++) {
        do_qmp(&f, "{'execute': 'device_add', 'arguments': {'driver': "
               "'virtio-serial-pci', 'id': 's1', 'bus': 'rp0', 'max_ports': 2, "
               "'iothread': 'io0'}}");
        do_qmp(&f, "{'execute': 'device_add', 'arguments': {'driver': "
               "'virtserialport', 'bus': 's1.0', 'id': 'p1', 'chardev': 'c0'}}");
        qmp_client_expect_error(f.qmp, "GenericError", "is in use",
                                "{'execute': 'object-del', 'arguments': "
                                "{'id': 'io0'}}");
        unplug(&f, "s1");
        for (unsigned i = 0; i < 2; i++) {
            json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
        }
    }
    do_qmp(&f, "{'execute': 'object-del', 'arguments': {'id': 'io0'}}");
    flood_end(&flood);
    stop(&f);
}

/* --- what is not possible ------------------------------------------------- */

static void test_refusals(void)
{
    QTestState *qts = qtest_init("-M q35 -object iothread,id=io0 "
                                 "-device pcie-root-port,id=rp0 "
                                 "-chardev null,id=shared,mux=on "
                                 "-chardev null,id=c1 "
                                 "-device virtio-serial-pci,id=s0,iothread=io0");
    QmpClient *qmp = qtest_qmp(qts);

    qmp_client_expect_error(qmp, "GenericError",
                            "iothread=: ioeventfd=on is required for it",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-serial-pci', 'bus': 'rp0', 'iothread': "
                            "'io0', 'ioeventfd': false}}");
    qmp_client_expect_error(qmp, "GenericError",
                            "iothread=io0 of the bus's device: chardev 'shared' "
                            "is shared (mux=on), which only the main loop can "
                            "do; one without mux=on is possible",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtserialport', 'bus': 's0.0', 'chardev': "
                            "'shared'}}");
    /* A port that is refused leaves its character device with the main loop. */
    qmp_client_expect_error(qmp, "GenericError", "nr=31",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtserialport', 'bus': 's0.0', 'chardev': 'c1', "
                            "'nr': 31}}");
    json_node_unref(qmp_client_do(qmp, "{'execute': 'chardev-remove', "
                                  "'arguments': {'id': 'c1'}}"));
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/iothread-serial/" name, fn)
    ADD("data", test_data);
    ADD("sandbox", test_sandbox);
    ADD("input-waits", test_input_waits);
    ADD("slow-peer", test_slow_peer);
    ADD("peer-comes-back", test_peer_comes_back);
    ADD("peer-goes-unread", test_peer_goes_unread);
    ADD("console", test_console);
    ADD("messages-that-lie", test_messages_that_lie);
    ADD("pipes", test_pipes);
    ADD("changes", test_changes);
    ADD("system-reset", test_system_reset);
    ADD("quit", test_quit);
    ADD("exchange", test_exchange);
    ADD("memory-comes-and-goes", test_memory_comes_and_goes);
    ADD("ports-come-and-go", test_ports_come_and_go);
    ADD("the-device-goes", test_the_device_goes);
    ADD("refusals", test_refusals);
    return g_test_run();
}
