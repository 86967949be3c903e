/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts one emulator with a disk, a raw file, reads from it as a driver does, and
 * prints what that costs the emulator: CPU time of the process, user and system,
 * in ns for each read of 4 KiB, 32 of which are in flight. tests/bench/disk runs
 * it.
 *
 * A kick's cost is what the CPU clock says some time later, when all is done, less
 * what it said before: nobody asks the emulator anything meanwhile. That of a kick
 * that finds nothing is taken off. The median of all kicks counts. The file is in
 * the host's page cache; no read follows another one on the disk.
 *
 * usage: disk-driver FIGURE...
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../qtest/virtio-blk.h"
#include "driver.h"

#define DISK_BYTES (64u << 20)
#define READ_BYTES 4096u
#define SECTORS (READ_BYTES / 512)
#define IN_FLIGHT 32u
#define KICKS 200u
/* Reads that are not neighbours: their places are this far apart, odd so that all
 * are had once. */
#define STRIDE 37u
/* From the kick until the clock is looked at; doubled when that was too early. */
#define PAUSE_US 2000u
#define PAUSE_MAX_US 200000u

typedef struct Bench {
    QTestState *qts;
    QGuest guest;
    QVirtioBlk blk;
    clockid_t clock;                      /* the emulator's CPU time */
    uint64_t headers;                     /* guest RAM: IN_FLIGHT of each */
    uint64_t data;
    uint64_t statuses;
    unsigned next;                        /* place of the next read */
    unsigned pause_us;
} Bench;

static const struct Figure {
    const char *name;
    const char *options;                  /* of -drive */
} figures[] = {
    { "read", "" },
    { "read-io_uring", ",aio=io_uring" },
    { "read-threads", ",aio=threads" },
};

static int64_t cpu_ns(const Bench *b)
{
    struct timespec t;

    g_assert_no_errno(clock_gettime(b->clock, &t));
    return t.tv_sec * G_GINT64_CONSTANT(1000000000) + t.tv_nsec;
}

/* --- the disk --- */

static char *make_image(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    g_autofree char *bytes = g_malloc(DISK_BYTES);
    int fd = g_mkstemp(path);

    memset(bytes, 0x5a, DISK_BYTES);
    g_assert_cmpint(write(fd, bytes, DISK_BYTES), ==, DISK_BYTES);
    close(fd);
    return path;
}

static void put_chain(Bench *b, unsigned i)
{
    const struct vring_desc desc[3] = {
        { .addr = b->headers + i * sizeof(struct virtio_blk_outhdr),
          .len = sizeof(struct virtio_blk_outhdr), .flags = VRING_DESC_F_NEXT,
          .next = 3 * i + 1 },
        { .addr = b->data + i * READ_BYTES, .len = READ_BYTES,
          .flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, .next = 3 * i + 2 },
        { .addr = b->statuses + i, .len = 1, .flags = VRING_DESC_F_WRITE },
    };

    qtest_memwrite(b->qts, b->blk.vq.desc + 3 * i * sizeof(desc[0]), desc,
                   sizeof(desc));
}

static void start(Bench *b, const char *image, const char *options)
{
    /* As in request-driver: without eventfds both handle a kick at once. */
    b->qts = qtest_init(
        "-M q35 -m 256M -drive file=%s,format=raw,if=none,id=d0%s "
        "-device virtio-blk-pci,drive=d0,disable-legacy=on%s", image, options,
        qtest_has_clock() ? ",ioeventfd=off" : "");
    g_assert_no_errno(clock_getcpuclockid(qtest_pid(b->qts), &b->clock));
    qguest_init(&b->guest, b->qts);
    qvirtio_blk_init(&b->blk, &b->guest, 0);
    g_assert_cmpuint(b->blk.vq.size, >=, 3 * IN_FLIGHT);
    b->headers = qguest_alloc(&b->guest, IN_FLIGHT *
                              sizeof(struct virtio_blk_outhdr), 16);
    b->data = qguest_alloc(&b->guest, IN_FLIGHT * READ_BYTES, READ_BYTES);
    b->statuses = qguest_alloc(&b->guest, IN_FLIGHT, 1);
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        put_chain(b, i);
    }
}

/* --- kicks --- */

static void put_requests(Bench *b)
{
    struct virtio_blk_outhdr headers[IN_FLIGHT];
    QVirtQueue *vq = &b->blk.vq;

    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        uint16_t entry = (vq->avail_idx + i) % vq->size;

        headers[i] = (struct virtio_blk_outhdr) {
            .type = VIRTIO_BLK_T_IN,
            .sector = (uint64_t)b->next * SECTORS,
        };
        b->next = (b->next + STRIDE) % (DISK_BYTES / READ_BYTES);
        qtest_writew(b->qts, vq->avail + offsetof(struct vring_avail, ring) +
                     entry * sizeof(entry), 3 * i);
    }
    qtest_memwrite(b->qts, b->headers, headers, sizeof(headers));
    qtest_memset(b->qts, b->statuses, 0xff, IN_FLIGHT);
    vq->avail_idx += IN_FLIGHT;
    qtest_writew(b->qts, vq->avail + offsetof(struct vring_avail, idx),
                 vq->avail_idx);
}

static int64_t kick(Bench *b)
{
    int64_t before = cpu_ns(b);

    qvirtqueue_kick(&b->blk.vq);
    g_usleep(b->pause_us);
    return cpu_ns(b) - before;
}

/* Whether all that was asked for is done, and right. */
static bool is_done(Bench *b)
{
    QVirtQueue *vq = &b->blk.vq;
    uint16_t used = qtest_readw(b->qts, vq->used +
                                offsetof(struct vring_used, idx));

    vq->used_idx = used;
    return used == vq->avail_idx;
}

static void check(Bench *b)
{
    uint8_t statuses[IN_FLIGHT];

    qtest_memread(b->qts, b->statuses, statuses, sizeof(statuses));
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (statuses[i] != VIRTIO_BLK_S_OK) {
            g_error("a read ended with status %u", statuses[i]);
        }
    }
}

/* ns of a kick, or -1: the pause was too short, and is longer from now on. */
static int64_t measure(Bench *b)
{
    int64_t empty = kick(b), ns;
    bool in_time;

    put_requests(b);
    ns = kick(b) - empty;
    in_time = is_done(b);
    for (unsigned waited = 0; !is_done(b); waited += PAUSE_US) {
        if (waited > PAUSE_MAX_US * 10) {
            g_error("reads are not done");
        }
        g_usleep(PAUSE_US);
    }
    check(b);
    if (!in_time) {
        b->pause_us = MIN(2 * b->pause_us, PAUSE_MAX_US);
    }
    return in_time ? ns : -1;
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void run_figure(const struct Figure *f, const char *image)
{
    Bench b = { .pause_us = PAUSE_US };
    int64_t ns[KICKS];
    unsigned n = 0;

    start(&b, image, f->options);
    for (unsigned i = 0; i < 2 * KICKS && n < KICKS; i++) {
        int64_t one = measure(&b);

        if (one >= 0) {
            ns[n++] = one;
        }
    }
    if (n < KICKS) {
        g_error("only %u of %u kicks were done in time", n, 2 * KICKS);
    }
    qsort(ns, n, sizeof(ns[0]), compare_ns);
    printf("%s %.1f\n", f->name, (double)ns[n / 2] / IN_FLIGHT);
    qtest_quit(b.qts);
}

/* --- the program --- */

int main(int argc, char **argv)
{
    char *image;

    bench_one_line_errors();
    if (!g_getenv("QTEST_QEMU_BINARY") || argc < 2) {
        fputs("usage: QTEST_QEMU_BINARY=... disk-driver FIGURE...\n", stderr);
        return 1;
    }
    image = make_image();
    for (int i = 1; i < argc; i++) {
        run_figure(BENCH_FIGURE(argv[i], figures), image);
    }
    g_unlink(image);
    g_free(image);
    return 0;
}
