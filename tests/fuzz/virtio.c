/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the machine's virtio devices, or somebody who pretends to be one.
 * Its rings and buffers are at fixed places in RAM.
 */
#include "qemu/osdep.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mem.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "machine.h"
#include "qemu/units.h"

#define RINGS 0x100000ULL
#define DEVICE_RINGS (NR_QUEUES * QUEUE_RINGS) /* of each device */
#define QUEUE_RINGS 0x10000ULL            /* of each queue */
#define AVAIL 0x2000
#define USED 0x4000
#define BUFFERS 0x8000
#define TABLE 0x9000                      /* of indirect descriptors */
#define NR_QUEUES 6
#define DESC_SIZE 16

typedef struct Driver {
    /* Where the registers are; 0: nowhere. */
    uint64_t common, isr, config, notify;
    uint16_t avail[NR_QUEUES];            /* indexes written; packed: places */
    uint16_t size[NR_QUEUES];
    bool packed;
    bool wrap[NR_QUEUES];                 /* packed: the counters there */
} Driver;

static Driver drivers[FUZZ_NR_PLACES];

uint64_t fuzz_virtio_rings(FuzzSlot slot, unsigned queue)
{
    return RINGS + slot * DEVICE_RINGS + queue * QUEUE_RINGS;
}

uint64_t fuzz_virtio_buffers(FuzzSlot slot, unsigned queue)
{
    return fuzz_virtio_rings(slot, queue) + BUFFERS;
}

/* --- registers ------------------------------------------------------------ */

static uint64_t config_read(FuzzSlot slot, uint8_t reg, unsigned width)
{
    return fuzz_read(fuzz_config_of(slot, reg), width);
}

static uint64_t bar_address(FuzzSlot slot, unsigned bar)
{
    uint64_t low = config_read(slot, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
    uint64_t high = 0;

    if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64) {
        high = config_read(slot, PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4);
    }
    return high << 32 | (low & PCI_BASE_ADDRESS_MEM_MASK & UINT32_MAX);
}

static void note_capability(FuzzSlot slot, uint8_t cap)
{
    Driver *d = &drivers[slot];
    unsigned bar = config_read(slot, cap + offsetof(struct virtio_pci_cap, bar), 1);
    uint64_t at = config_read(slot, cap + offsetof(struct virtio_pci_cap, offset), 4);

    if (bar > 4) {
        return;
    }
    at += bar_address(slot, bar);
    switch (config_read(slot, cap + offsetof(struct virtio_pci_cap, cfg_type), 1)) {
    case VIRTIO_PCI_CAP_COMMON_CFG:
        d->common = at;
        break;
    case VIRTIO_PCI_CAP_NOTIFY_CFG:
        d->notify = at;
        break;
    case VIRTIO_PCI_CAP_ISR_CFG:
        d->isr = at;
        break;
    case VIRTIO_PCI_CAP_DEVICE_CFG:
        d->config = at;
        break;
    }
}

void fuzz_virtio_find(FuzzSlot slot)
{
    uint8_t cap = config_read(slot, PCI_CAPABILITY_LIST, 1);

    drivers[slot] = (Driver) { 0 };
    for (unsigned i = 0; cap && i < 48; i++) {
        if (config_read(slot, cap, 1) == PCI_CAP_ID_VNDR) {
            note_capability(slot, cap);
        }
        cap = config_read(slot, cap + PCI_CAP_LIST_NEXT, 1);
    }
}

static void common_write(FuzzSlot slot, unsigned reg, uint64_t value,
                         unsigned width)
{
    fuzz_write(drivers[slot].common + reg, value, width);
}

static uint64_t offered_features(FuzzSlot slot)
{
    uint64_t features = 0;

    for (unsigned half = 0; half < 2; half++) {
        common_write(slot, VIRTIO_PCI_COMMON_DFSELECT, half, 4);
        features |= fuzz_read(drivers[slot].common + VIRTIO_PCI_COMMON_DF, 4) <<
                    32 * half;
    }
    return features;
}

static void accept_features(FuzzSlot slot, uint64_t features)
{
    for (unsigned half = 0; half < 2; half++) {
        common_write(slot, VIRTIO_PCI_COMMON_GFSELECT, half, 4);
        common_write(slot, VIRTIO_PCI_COMMON_GF, features >> 32 * half, 4);
    }
}

static void set_address(FuzzSlot slot, unsigned reg, uint64_t addr)
{
    common_write(slot, reg, addr, 4);
    common_write(slot, reg + 4, addr >> 32, 4);
}

static void set_up_queue(FuzzSlot slot, unsigned queue, uint16_t size)
{
    Driver *d = &drivers[slot];
    uint64_t rings = fuzz_virtio_rings(slot, queue);

    common_write(slot, VIRTIO_PCI_COMMON_Q_SELECT, queue, 2);
    common_write(slot, VIRTIO_PCI_COMMON_Q_SIZE, size, 2);
    d->size[queue] = fuzz_read(d->common + VIRTIO_PCI_COMMON_Q_SIZE, 2);
    d->avail[queue] = 0;
    d->wrap[queue] = true;
    set_address(slot, VIRTIO_PCI_COMMON_Q_DESCLO, rings);
    set_address(slot, VIRTIO_PCI_COMMON_Q_AVAILLO, rings + AVAIL);
    set_address(slot, VIRTIO_PCI_COMMON_Q_USEDLO, rings + USED);
    fuzz_write(rings + AVAIL, 0, 4);
    for (unsigned i = 0; d->packed && i < d->size[queue]; i++) {
        fuzz_write(rings + i * DESC_SIZE + 8, 0, 8);
    }
    common_write(slot, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

void fuzz_virtio_setup(FuzzInput *in, FuzzSlot slot)
{
    uint8_t flags = fuzz_u8(in);
    uint16_t size = 1U << fuzz_below(in, 9);
    uint64_t features;

    if (!drivers[slot].common) {
        return;
    }
    common_write(slot, VIRTIO_PCI_COMMON_STATUS, 0, 1);
    common_write(slot, VIRTIO_PCI_COMMON_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                 VIRTIO_CONFIG_S_DRIVER, 1);
    features = offered_features(slot);
    features &= flags & 1 ? ~(1ULL << VIRTIO_RING_F_INDIRECT_DESC) : UINT64_MAX;
    features &= flags & 2 ? ~(1ULL << VIRTIO_RING_F_EVENT_IDX) : UINT64_MAX;
    features &= flags & 4 ? fuzz_u64(in) | 1ULL << VIRTIO_F_VERSION_1 : UINT64_MAX;
    features |= flags & 8 ? fuzz_u64(in) : 0;
    features &= flags & 32 ? UINT64_MAX : ~(1ULL << VIRTIO_F_RING_PACKED);
    drivers[slot].packed = features >> VIRTIO_F_RING_PACKED & 1;
    accept_features(slot, features);
    common_write(slot, VIRTIO_PCI_COMMON_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                 VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK, 1);
    if (flags & 16) {
        common_write(slot, VIRTIO_PCI_COMMON_MSIX, fuzz_u8(in) & 7, 2);
    }
    for (unsigned queue = 0; queue < NR_QUEUES; queue++) {
        set_up_queue(slot, queue, size);
    }
    common_write(slot, VIRTIO_PCI_COMMON_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                 VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
                 VIRTIO_CONFIG_S_DRIVER_OK, 1);
}

void fuzz_virtio_registers(FuzzInput *in, FuzzSlot slot)
{
    const Driver *d = &drivers[slot];
    const uint64_t areas[] = { d->common, d->isr, d->config, d->notify };
    uint64_t area = areas[fuzz_below(in, ARRAY_SIZE(areas))];
    uint8_t how = fuzz_u8(in);
    unsigned width = 1 + (how & 7);
    uint64_t addr = area + (how & 8 ? fuzz_u16(in) & 0x3fff : fuzz_u8(in) & 63);

    if (!area) {
        return;
    }
    if (how & 16) {
        fuzz_read(addr, width);
    } else {
        fuzz_write(addr, fuzz_number(in), width);
    }
}

/* --- rings ---------------------------------------------------------------- */

static void set_desc(uint64_t table, unsigned i, struct vring_desc desc)
{
    table += i * DESC_SIZE;
    fuzz_write(table, desc.addr, 8);
    fuzz_write(table + 8, desc.len, 4);
    fuzz_write(table + 12, desc.flags, 2);
    fuzz_write(table + 14, desc.next, 2);
}

/* Makes @desc available in a packed ring; its id is in next. @lie: the wrap
 * counter is wrong. */
static void push_packed(FuzzSlot slot, unsigned queue, struct vring_desc desc,
                        bool lie)
{
    Driver *d = &drivers[slot];
    unsigned at = d->avail[queue] % MAX(d->size[queue], 1);
    bool wrap = d->wrap[queue] ^ lie;

    set_desc(fuzz_virtio_rings(slot, queue), at, (struct vring_desc) {
        .addr = desc.addr, .len = desc.len, .flags = desc.next,
        .next = desc.flags | 1U << (wrap ? VRING_PACKED_DESC_F_AVAIL
                                         : VRING_PACKED_DESC_F_USED),
    });
    d->avail[queue] = at + 1;
    if (d->avail[queue] >= d->size[queue]) {
        d->avail[queue] = 0;
        d->wrap[queue] = !d->wrap[queue];
    }
}

/* Makes @head available, and as many further entries as the index says. */
static void push(FuzzSlot slot, unsigned queue, uint16_t head, uint16_t entries)
{
    Driver *d = &drivers[slot];
    uint64_t avail = fuzz_virtio_rings(slot, queue) + AVAIL;
    unsigned at = d->avail[queue] % MAX(d->size[queue], 1);

    fuzz_write(avail + 4 + 2 * at, head, 2);
    d->avail[queue] += entries;
    fuzz_write(avail + 2, d->avail[queue], 2);
}

void fuzz_virtio_kick(FuzzSlot slot, unsigned queue)
{
    if (drivers[slot].notify) {
        fuzz_write(drivers[slot].notify + 4 * queue, queue, 2);
    }
}

uint64_t fuzz_any_address(FuzzInput *in)
{
    static const uint64_t bases[] = {
        0x800000, 0x8ff000, RINGS, RINGS + AVAIL, RINGS + USED,
        FUZZ_RAM_SIZE - 8, FUZZ_RAM_SIZE, FUZZ_DEVICE_MEMORY,
        FUZZ_DEVICE_MEMORY + 2 * MiB, FUZZ_DEVICE_MEMORY + 64 * MiB,
        0xfee00000, 0xfec00000, 0xb0000000, UINT64_MAX - 4095,
    };
    uint8_t kind = fuzz_u8(in);

    if (kind < 224) {
        return bases[kind % ARRAY_SIZE(bases)] + (kind & 128 ? fuzz_u16(in) : 0);
    }
    return kind < 240 ? drivers[kind % FUZZ_NR_PLACES].common + fuzz_u8(in) :
                        fuzz_u64(in);
}

static struct vring_desc any_desc(FuzzInput *in, unsigned i)
{
    uint8_t kind = fuzz_u8(in);

    return (struct vring_desc) {
        .addr = fuzz_any_address(in),
        .len = kind & 0x40 ? fuzz_u32(in) : 1U + fuzz_u8(in),
        .flags = kind & 0x80 ? fuzz_u16(in) & 7 : kind & 3,
        .next = kind & 0x20 ? fuzz_u16(in) : i + 1,
    };
}

/* @n descriptors, in an indirect table if @flags say so; events and wrap
 * counters that may lie. */
static void packed_ring(FuzzInput *in, FuzzSlot slot, unsigned queue,
                        unsigned n, uint8_t flags)
{
    uint64_t rings = fuzz_virtio_rings(slot, queue), table = rings + TABLE;

    for (unsigned i = 0; i < n; i++) {
        struct vring_desc desc = any_desc(in, i);

        if (flags & 1) {
            /* In a table the flags are where a split ring has next. */
            desc.next = desc.flags;
            set_desc(table, i, desc);
        } else {
            push_packed(slot, queue, desc, flags & 4 && fuzz_u8(in) & 1);
        }
    }
    if (flags & 1) {
        push_packed(slot, queue, (struct vring_desc) {
            .addr = table, .len = n * DESC_SIZE,
            .flags = VRING_DESC_F_INDIRECT | (flags & 2 ? VRING_DESC_F_NEXT : 0),
            .next = fuzz_u8(in),
        }, flags & 4);
    }
    if (flags & 8) {
        fuzz_write(rings + AVAIL, fuzz_u32(in), 4);
    }
    fuzz_virtio_kick(slot, queue);
}

void fuzz_virtio_ring(FuzzInput *in, FuzzSlot slot)
{
    unsigned queue = fuzz_below(in, NR_QUEUES), n = fuzz_below(in, 16);
    uint64_t rings = fuzz_virtio_rings(slot, queue);
    uint8_t flags = fuzz_u8(in);
    uint64_t table = flags & 1 ? rings + TABLE : rings;

    if (drivers[slot].packed) {
        packed_ring(in, slot, queue, n, flags);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        set_desc(table, i, any_desc(in, i));
    }
    if (flags & 1) {
        set_desc(rings, 0, (struct vring_desc) {
            .addr = table, .len = n * DESC_SIZE,
            .flags = VRING_DESC_F_INDIRECT | (flags & 2 ? VRING_DESC_F_NEXT : 0),
            .next = fuzz_u8(in),
        });
    }
    push(slot, queue, flags & 4 ? fuzz_u16(in) : 0,
         flags & 8 ? fuzz_u16(in) : flags & 16 ? 1 + fuzz_u8(in) : 1);
    fuzz_virtio_kick(slot, queue);
}

void fuzz_virtio_offer(FuzzSlot slot, unsigned queue, unsigned first,
                       const struct vring_desc *descs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (drivers[slot].packed) {
            push_packed(slot, queue, descs[i], false);
        } else {
            set_desc(fuzz_virtio_rings(slot, queue), first + i, descs[i]);
        }
    }
    if (!drivers[slot].packed) {
        push(slot, queue, first, 1);
    }
}

/* --- requests ------------------------------------------------------------- */

static void mem_request(FuzzInput *in, FuzzSlot slot, unsigned i)
{
    uint64_t config = drivers[slot].config, rings = fuzz_virtio_rings(slot, 0);
    uint64_t block_size = fuzz_read(
        config + offsetof(struct virtio_mem_config, block_size), 8);
    uint64_t addr = fuzz_read(config + offsetof(struct virtio_mem_config, addr), 8);
    uint64_t buffer = rings + BUFFERS + i * 64, response = buffer + 32;
    uint8_t kind = fuzz_u8(in);
    struct vring_desc descs[2];

    addr += fuzz_below(in, 40) * block_size;
    fuzz_write(buffer, kind & 0x80 ? fuzz_u16(in) : kind & 3, 2);
    fuzz_write(buffer + 8, kind & 0x40 ? fuzz_number(in) : addr, 8);
    fuzz_write(buffer + 16, kind & 0x20 ? fuzz_u16(in) : 1 + fuzz_below(in, 8), 2);
    descs[0] = (struct vring_desc) {
        .addr = buffer,
        .len = kind & 0x10 ? fuzz_u8(in) : sizeof(struct virtio_mem_req),
        .flags = VRING_DESC_F_NEXT, .next = 2 * i + 1,
    };
    descs[1] = (struct vring_desc) {
        .addr = kind & 8 ? fuzz_any_address(in) : response,
        .len = kind & 8 ? fuzz_u16(in) : sizeof(struct virtio_mem_resp),
        .flags = VRING_DESC_F_WRITE,
    };
    fuzz_virtio_offer(slot, 0, 2 * i, descs, ARRAY_SIZE(descs));
}

void fuzz_virtio_mem_requests(FuzzInput *in, FuzzSlot slot)
{
    unsigned n = 1 + fuzz_below(in, 4);

    if (!drivers[slot].config) {
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        mem_request(in, slot, i);
    }
    fuzz_virtio_kick(slot, 0);
}

void fuzz_balloon_pages(FuzzInput *in)
{
    unsigned queue = fuzz_below(in, NR_QUEUES), n = 1 + fuzz_below(in, 32);
    unsigned times = 1 + fuzz_u8(in) % 160;
    uint64_t buffer = fuzz_virtio_rings(FUZZ_BALLOON, queue) + BUFFERS;
    struct vring_desc desc;

    for (unsigned i = 0; i < n; i++) {
        uint32_t pfn = fuzz_u8(in) << 2;

        fuzz_write(buffer + 4 * i, pfn & 4 ? fuzz_number(in) : pfn + 0x300, 4);
    }
    desc = (struct vring_desc) {
        .addr = queue < 2 ? buffer : 0xa00000 + fuzz_u8(in) * 4096ULL,
        .len = queue < 2 ? 4 * n : 4096U << fuzz_below(in, 8),
        .flags = queue < 2 ? 0 : VRING_DESC_F_WRITE,
    };
    /* More at a time than the device takes in one go. */
    for (unsigned i = 0; i < times; i++) {
        fuzz_virtio_offer(FUZZ_BALLOON, queue, 0, &desc, 1);
    }
    fuzz_virtio_kick(FUZZ_BALLOON, queue);
}
