/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts one emulator with a network device on a stream socket, is the guest's
 * driver on one side and the peer on the other, and prints what a frame costs the
 * emulator: CPU time of the process, user and system, in ns for each of a burst.
 * tests/bench/net runs it.
 *
 * The CPU clock is looked at before a burst and some time after it, when all of
 * it has arrived; nobody asks the emulator anything meanwhile. What a kick costs
 * that finds nothing is taken off a burst that is sent; one that is received needs
 * no kick. The median of all bursts counts.
 *
 * usage: net-driver FIGURE...
 */
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../qtest/virtio-pci.h"
#include "driver.h"

#define HDR sizeof(struct virtio_net_hdr_v1)
#define LENGTH sizeof(uint32_t)           /* before each frame of the stream */
#define BURST 64u
#define BURSTS 200u
#define ROOM 2048u
#define FRAME_MAX 1514u
/* From a burst until the clock is looked at; doubled when that was too early. */
#define PAUSE_US 2000u
#define PAUSE_MAX_US 200000u

typedef struct Bench {
    QTestState *qts;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue rx, tx;
    uint64_t mem;                         /* guest RAM: a ROOM for each frame */
    clockid_t clock;                      /* the emulator's CPU time */
    int peer;
    unsigned frame;                       /* bytes */
    unsigned pause_us;
} Bench;

static const struct Figure {
    const char *name;
    unsigned frame;
    bool received;                        /* by the guest */
} figures[] = {
    { "send-60", 60, false },
    { "send-1514", FRAME_MAX, false },
    { "receive-60", 60, true },
    { "receive-1514", FRAME_MAX, true },
};

static int64_t cpu_ns(const Bench *b)
{
    struct timespec t;

    g_assert_no_errno(clock_gettime(b->clock, &t));
    return t.tv_sec * G_GINT64_CONSTANT(1000000000) + t.tv_nsec;
}

static void start(Bench *b)
{
    int fds[2], size = 4 << 20;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    for (unsigned i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    /* As in request-driver: without eventfds both handle a kick at once. */
    b->qts = qtest_init("-M q35 -m 64M -netdev stream,id=n0,addr.type=fd,"
                        "addr.str=%d -device virtio-net-pci,netdev=n0,"
                        "disable-legacy=on%s", fds[1],
                        qtest_has_clock() ? ",ioeventfd=off" : "");
    close(fds[1]);
    b->peer = fds[0];
    g_assert_no_errno(clock_getcpuclockid(qtest_pid(b->qts), &b->clock));
    qguest_init(&b->guest, b->qts);
    qvirtio_pci_init(&b->dev, &b->guest, VIRTIO_ID_NET, 0);
    b->mem = qguest_alloc(&b->guest, BURST * ROOM, 4096);
    qvirtio_start(&b->dev, 1ULL << VIRTIO_NET_F_MRG_RXBUF);
    qvirtqueue_init(&b->rx, &b->dev, 0, 0);
    qvirtqueue_init(&b->tx, &b->dev, 1, 0);
    g_assert_cmpuint(b->rx.size, >=, BURST);
    qvirtio_driver_ok(&b->dev);
}

static void stop(Bench *b)
{
    qtest_quit(b->qts);
    close(b->peer);
}

/* --- frames --- */

static void fill_frame(const Bench *b, uint8_t *frame)
{
    memset(frame, 0xff, ETH_ALEN);
    memset(frame + ETH_ALEN, 2, ETH_ALEN);
    frame[12] = ETH_P_IP >> 8;
    frame[13] = ETH_P_IP & 0xff;
    memset(frame + ETH_HLEN, 0x5a, b->frame - ETH_HLEN);
}

/* Chains of a descriptor each, for the device to read or write. */
static void add_chains(Bench *b, QVirtQueue *vq, uint32_t size, bool writes)
{
    for (unsigned i = 0; i < BURST; i++) {
        const QVirtioBuffer buf = { b->mem + i * ROOM, size, writes };

        qvirtqueue_add(vq, &buf, 1);
    }
}

static bool is_done(Bench *b, QVirtQueue *vq)
{
    uint16_t used = qtest_readw(b->qts, vq->used +
                                offsetof(struct vring_used, idx));

    return used == vq->avail_idx;
}

static void wait_until_done(Bench *b, QVirtQueue *vq)
{
    for (unsigned waited = 0; !is_done(b, vq); waited += PAUSE_US) {
        if (waited > PAUSE_MAX_US * 10) {
            g_error("frames do not arrive");
        }
        g_usleep(PAUSE_US);
    }
    vq->used_idx = vq->avail_idx;
}

/* --- bursts --- */

static void read_burst(Bench *b)
{
    size_t left = BURST * (LENGTH + b->frame);
    static uint8_t buf[BURST * (LENGTH + FRAME_MAX)];

    while (left) {
        ssize_t n = read(b->peer, buf, left);

        if (n <= 0) {
            g_error("the emulator has closed the stream");
        }
        left -= n;
    }
}

static int64_t send_kick(Bench *b)
{
    int64_t before = cpu_ns(b);

    qvirtqueue_kick(&b->tx);
    g_usleep(b->pause_us);
    return cpu_ns(b) - before;
}

/* ns of a burst; *in_time: all of it was there when the clock was looked at. */
static int64_t send_burst(Bench *b, bool *in_time)
{
    int64_t empty = send_kick(b), ns;

    add_chains(b, &b->tx, HDR + b->frame, false);
    ns = send_kick(b) - empty;
    *in_time = is_done(b, &b->tx);
    wait_until_done(b, &b->tx);
    read_burst(b);
    return ns;
}

static int64_t receive_burst(Bench *b, bool *in_time)
{
    static uint8_t stream[BURST * (LENGTH + FRAME_MAX)];
    size_t size = BURST * (LENGTH + b->frame);
    uint32_t length = htonl(b->frame);
    int64_t before, ns;

    for (unsigned i = 0; i < BURST; i++) {
        uint8_t *at = stream + i * (LENGTH + b->frame);

        memcpy(at, &length, LENGTH);
        fill_frame(b, at + LENGTH);
    }
    add_chains(b, &b->rx, ROOM, true);
    qvirtqueue_kick(&b->rx);
    g_usleep(b->pause_us);
    before = cpu_ns(b);
    g_assert_cmpint(write(b->peer, stream, size), ==, size);
    g_usleep(b->pause_us);
    ns = cpu_ns(b) - before;
    *in_time = is_done(b, &b->rx);
    wait_until_done(b, &b->rx);
    return ns;
}

static void put_frames(Bench *b)
{
    uint8_t frame[ROOM] = { 0 };

    fill_frame(b, frame + HDR);
    for (unsigned i = 0; i < BURST; i++) {
        qtest_memwrite(b->qts, b->mem + i * ROOM, frame, HDR + b->frame);
    }
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void run_figure(const struct Figure *f)
{
    Bench b = { .pause_us = PAUSE_US, .frame = f->frame };
    int64_t ns[BURSTS];
    unsigned n = 0;

    start(&b);
    put_frames(&b);
    for (unsigned i = 0; i < 2 * BURSTS && n < BURSTS; i++) {
        bool in_time;
        int64_t one = f->received ? receive_burst(&b, &in_time)
                                  : send_burst(&b, &in_time);

        if (in_time) {
            ns[n++] = one;
        } else {
            b.pause_us = MIN(2 * b.pause_us, PAUSE_MAX_US);
        }
    }
    if (n < BURSTS) {
        g_error("only %u of %u bursts arrived in time", n, 2 * BURSTS);
    }
    qsort(ns, n, sizeof(ns[0]), compare_ns);
    printf("%s %.1f\n", f->name, (double)ns[n / 2] / BURST);
    stop(&b);
}

/* --- the program --- */

int main(int argc, char **argv)
{
    bench_one_line_errors();
    if (!g_getenv("QTEST_QEMU_BINARY") || argc < 2) {
        fputs("usage: QTEST_QEMU_BINARY=... net-driver FIGURE...\n", stderr);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        run_figure(BENCH_FIGURE(argv[i], figures));
    }
    return 0;
}
