/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net's frames: they arrive as they were sent, in both directions, also
 * where one side has no room; what a driver gets wrong stays with it.
 */
#include "net-guest.h"

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
    return g_test_run();
}
