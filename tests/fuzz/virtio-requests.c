/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of virtio devices that are well-formed but for what the input says, so
 * that they get past the first check; and what comes from the outside: frames for
 * virtio-net, bytes for virtio-serial.
 */
#include "qemu/osdep.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_console.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

#include "machine.h"
#include "qemu/units.h"

#define SECTOR 512
#define DATA_MAX 4096                     /* of a buffer at its usual place */
#define MOST_BUFFERS 16

/* A descriptor of a buffer that is where buffers are, or anywhere. */
static struct vring_desc buffer(FuzzInput *in, uint64_t at, uint32_t len,
                                bool write, uint8_t how)
{
    return (struct vring_desc) {
        .addr = how & 0x80 ? fuzz_any_address(in) : at,
        .len = how & 0x40 ? fuzz_u16(in) : len,
        .flags = write ? VRING_DESC_F_WRITE : 0,
    };
}

/* Links @n descriptors from @first on, and offers them. */
static void offer_chain(FuzzSlot slot, unsigned queue, unsigned first,
                        struct vring_desc *descs, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++) {
        descs[i].flags |= VRING_DESC_F_NEXT;
        descs[i].next = first + i + 1;
    }
    fuzz_virtio_offer(slot, queue, first, descs, n);
}

static void put_bytes(FuzzInput *in, uint64_t at, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fuzz_write(at + i, fuzz_u8(in), 1);
    }
}

/* Room that the device fills; the same buffer again and again. */
static void offer_room(FuzzInput *in, FuzzSlot slot, unsigned queue)
{
    uint8_t how = fuzz_u8(in);
    unsigned n = 1 + fuzz_below(in, MOST_BUFFERS);

    for (unsigned i = 0; i < n; i++) {
        struct vring_desc desc = buffer(
            in, fuzz_virtio_buffers(slot, queue), DATA_MAX, true, how);

        fuzz_virtio_offer(slot, queue, i, &desc, 1);
    }
}

/* --- virtio-blk ----------------------------------------------------------- */

static uint32_t blk_type(FuzzInput *in)
{
    static const uint32_t types[] = {
        VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
        VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
        VIRTIO_BLK_T_SCSI_CMD,
    };
    uint8_t kind = fuzz_u8(in);

    return kind & 0x80 ? fuzz_u32(in) : types[kind % G_N_ELEMENTS(types)];
}

/* Of a discard or write-zeroes. */
static uint32_t put_segments(FuzzInput *in, uint64_t at)
{
    unsigned n = 1 + fuzz_below(in, 4);

    for (unsigned i = 0; i < n; i++, at += 16) {
        fuzz_write(at, fuzz_number(in), 8);
        fuzz_write(at + 8, fuzz_u8(in), 4);
        fuzz_write(at + 12, fuzz_u8(in) & 3, 4);
    }
    return 16 * n;
}

static void blk_request(FuzzInput *in, unsigned queue, unsigned i)
{
    uint64_t at = fuzz_virtio_buffers(FUZZ_BLK, queue) + 64 * i;
    uint32_t type = blk_type(in), size = SECTOR;
    uint8_t how = fuzz_u8(in);
    uint64_t data = 0x800000 + 0x1000 * (how & 15);
    struct vring_desc descs[3];

    fuzz_write(at, type, 4);
    fuzz_write(at + 4, 0, 4);
    fuzz_write(at + 8, how & 0x10 ? fuzz_number(in) : fuzz_u8(in), 8);
    if (type == VIRTIO_BLK_T_DISCARD || type == VIRTIO_BLK_T_WRITE_ZEROES) {
        size = put_segments(in, data);
    } else {
        size <<= fuzz_below(in, 9);
    }
    descs[0] = buffer(in, at, sizeof(struct virtio_blk_outhdr), false, 0);
    descs[1] = buffer(in, data, size, type == VIRTIO_BLK_T_IN ||
                      type == VIRTIO_BLK_T_GET_ID, how);
    descs[2] = buffer(in, at + 32, 1, true, how & 0x20 ? how : 0);
    if (type == VIRTIO_BLK_T_FLUSH) {
        descs[1] = descs[2];
    }
    offer_chain(FUZZ_BLK, queue, 3 * i, descs,
                type == VIRTIO_BLK_T_FLUSH ? 2 : 3);
}

static void blk_requests(FuzzInput *in)
{
    unsigned queue = fuzz_below(in, 2), n = 1 + fuzz_below(in, 4);

    for (unsigned i = 0; i < n; i++) {
        blk_request(in, queue, i);
    }
    fuzz_virtio_kick(FUZZ_BLK, queue);
}

/* --- virtio-net ----------------------------------------------------------- */

static void net_transmit(FuzzInput *in)
{
    uint64_t at = fuzz_virtio_buffers(FUZZ_NET, 1);
    uint8_t how = fuzz_u8(in);
    unsigned size = how & 1 ? fuzz_u16(in) & (DATA_MAX - 1) : 64;
    unsigned n = 1 + fuzz_below(in, MOST_BUFFERS);
    struct vring_desc descs[2];

    put_bytes(in, at, sizeof(struct virtio_net_hdr_v1));
    put_bytes(in, at + sizeof(struct virtio_net_hdr_v1), 14);
    descs[0] = buffer(in, at, sizeof(struct virtio_net_hdr_v1) + (how & 2 ? size
                                                                          : 0),
                      false, 0);
    descs[1] = buffer(in, at + 64, size, how & 4, how);
    for (unsigned i = 0; i < n; i++) {
        offer_chain(FUZZ_NET, 1, 2 * i, descs, 2);
    }
    fuzz_virtio_kick(FUZZ_NET, 1);
}

static void net_control(FuzzInput *in)
{
    uint64_t at = fuzz_virtio_buffers(FUZZ_NET, 2);
    unsigned size = fuzz_below(in, 64);
    uint8_t how = fuzz_u8(in);
    struct vring_desc descs[3];

    fuzz_write(at, how & 1 ? fuzz_u8(in) : fuzz_below(in, 6), 1);
    fuzz_write(at + 1, fuzz_below(in, 8), 1);
    put_bytes(in, at + 16, size);
    descs[0] = buffer(in, at, 2, false, 0);
    descs[1] = buffer(in, at + 16, size, false, how);
    descs[2] = buffer(in, at + 8, 1, true, 0);
    offer_chain(FUZZ_NET, 2, 0, descs, 3);
    fuzz_virtio_kick(FUZZ_NET, 2);
}

/* From the outside, to everybody or to anybody. */
static void net_frames(FuzzInput *in)
{
    uint8_t frame[2048];
    unsigned size = fuzz_u16(in) & (sizeof(frame) - 1);
    unsigned n = 1 + fuzz_below(in, MOST_BUFFERS);

    memset(frame, 0xff, sizeof(frame));
    for (unsigned i = 0; i < 16; i++) {
        frame[i] = fuzz_u8(in);
    }
    while (n-- && send(fuzz_wire(), frame, size, 0) >= 0) {
        continue;
    }
    while (recv(fuzz_wire(), frame, sizeof(frame), 0) >= 0) {
        continue;
    }
    fuzz_settle();
}

static void net_request(FuzzInput *in)
{
    switch (fuzz_below(in, 4)) {
    case 0:
        offer_room(in, FUZZ_NET, 0);
        fuzz_virtio_kick(FUZZ_NET, 0);
        break;
    case 1:
        net_transmit(in);
        break;
    case 2:
        net_control(in);
        break;
    default:
        net_frames(in);
    }
}

/* --- virtio-serial -------------------------------------------------------- */

static void serial_control(FuzzInput *in)
{
    uint64_t at = fuzz_virtio_buffers(FUZZ_SERIAL, 3);
    uint8_t how = fuzz_u8(in);
    struct vring_desc desc;

    fuzz_write(at, how & 1 ? fuzz_number(in) : fuzz_below(in, 4), 4);
    fuzz_write(at + 4, how & 2 ? fuzz_u16(in) : fuzz_below(in, 8), 2);
    fuzz_write(at + 6, fuzz_u8(in) & 1, 2);
    desc = buffer(in, at, sizeof(struct virtio_console_control), false, how);
    fuzz_virtio_offer(FUZZ_SERIAL, 3, 0, &desc, 1);
    fuzz_virtio_kick(FUZZ_SERIAL, 3);
}

static void serial_output(FuzzInput *in)
{
    unsigned queue = fuzz_below(in, 2) ? 5 : 1;
    uint8_t how = fuzz_u8(in), text[DATA_MAX];
    unsigned n = 1 + fuzz_below(in, MOST_BUFFERS);

    for (unsigned i = 0; i < n; i++) {
        struct vring_desc desc = buffer(
            in, fuzz_virtio_buffers(FUZZ_SERIAL, queue), DATA_MAX, how & 1, how);

        fuzz_virtio_offer(FUZZ_SERIAL, queue, i, &desc, 1);
    }
    fuzz_virtio_kick(FUZZ_SERIAL, queue);
    /* The peer may be slow to read. */
    while (how & 2 && recv(fuzz_line(), text, sizeof(text), 0) > 0) {
        continue;
    }
}

static void serial_request(FuzzInput *in)
{
    static const unsigned inputs[] = { 0, 2, 4 };
    unsigned queue;
    uint8_t text[256] = { 0 };

    switch (fuzz_below(in, 4)) {
    case 0:
        queue = inputs[fuzz_below(in, G_N_ELEMENTS(inputs))];
        offer_room(in, FUZZ_SERIAL, queue);
        fuzz_virtio_kick(FUZZ_SERIAL, queue);
        break;
    case 1:
        serial_control(in);
        break;
    case 2:
        serial_output(in);
        break;
    default:
        if (send(fuzz_line(), text, fuzz_u8(in), 0) >= 0) {
            fuzz_settle();
        }
    }
}

/* --- any ------------------------------------------------------------------ */

void fuzz_virtio_request(FuzzInput *in, FuzzSlot slot)
{
    switch (slot) {
    case FUZZ_BALLOON:
        fuzz_balloon_pages(in);
        break;
    case FUZZ_BLK:
        blk_requests(in);
        break;
    case FUZZ_NET:
        net_request(in);
        break;
    case FUZZ_RNG:
        offer_room(in, FUZZ_RNG, 0);
        fuzz_virtio_kick(FUZZ_RNG, 0);
        break;
    case FUZZ_SERIAL:
        serial_request(in);
        break;
    default:
        fuzz_virtio_mem_requests(in, slot);
    }
}
