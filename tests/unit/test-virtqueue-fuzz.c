/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings full of nonsense. Whatever a driver writes, handling a kick ends, the
 * device writes only into buffers that it was given to write, and a reset
 * repairs it. The seed is printed by GTest; --seed repeats a run.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "packed-driver.h"
#include "pci-fixture.h"
#include "virtio-echo.h"
#include "vring-driver.h"

#define RING 0x10000
#define TABLES 0x20000
#define NR_TABLES 8
#define TABLE_ENTRIES 32
#define READABLE 0x100000
#define WRITABLE 0x200000
#define AREA 0x10000
#define NUM 16
#define ROUNDS 4000

static TestTransport *t;
static VirtIODevice *vdev;
static VRingDriver ring;

static bool one_in(int n)
{
    return g_test_rand_int_range(0, n) == 0;
}

static uint32_t below(uint32_t n)
{
    return g_test_rand_int_range(0, n);
}

static uint32_t anything(void)
{
    return g_test_rand_int();
}

/* An address that fits the use, unless it is one that fits nothing. */
static hwaddr random_address(bool is_write)
{
    static const hwaddr odd[] = {
        TEST_RAM_SIZE, TEST_RAM_SIZE - 8, TEST_MSI_BASE, UINT64_MAX - 3,
        1ULL << 63,
    };

    if (one_in(40)) {
        return odd[below(ARRAY_SIZE(odd))];
    }
    return (is_write ? WRITABLE : READABLE) + below(AREA - 4096);
}

static void random_desc(hwaddr table, unsigned i, unsigned entries)
{
    uint16_t flags = 0;
    uint32_t len = 1 + below(256);
    hwaddr addr;

    flags |= one_in(3) ? 0 : VRING_DESC_F_NEXT;
    flags |= i < entries / 3 ? 0 : VRING_DESC_F_WRITE;
    if (one_in(6)) {
        flags = VRING_DESC_F_INDIRECT;
        len = one_in(8) ? below(5000) : 16 * (1 + below(TABLE_ENTRIES));
        addr = TABLES + below(NR_TABLES) * TABLE_ENTRIES * 16;
    } else {
        addr = random_address(flags & VRING_DESC_F_WRITE);
        len = one_in(30) ? anything() : len;
        len = one_in(30) ? 0 : len;
    }
    /* Mostly on and on, so that chains get long; sometimes anywhere. */
    vring_set_desc(&ring, table, i, addr, len, flags,
                   one_in(10) ? anything() : i + 1);
}

static void random_rings(void)
{
    uint16_t heads = one_in(20) ? anything() : below(NUM + 1);

    for (unsigned i = 0; i < NUM; i++) {
        random_desc(ring.desc, i, NUM);
        vring_write16(&ring, ring.avail + 4 + 2 * i,
                      one_in(30) ? anything() : below(NUM));
    }
    for (unsigned n = 0; n < NR_TABLES; n++) {
        for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
            random_desc(TABLES + n * TABLE_ENTRIES * 16, i, TABLE_ENTRIES);
        }
    }
    vring_set_used_event(&ring, g_test_rand_int());
    vring_set_avail_flags(&ring, g_test_rand_int());
    vring_write16(&ring, ring.avail + 2, ring.avail_idx + heads);
    ring.avail_idx += heads;
}

static uint64_t some_features(void)
{
    return (one_in(4) ? 0 : 1ULL << VIRTIO_RING_F_INDIRECT_DESC) |
           (one_in(2) ? 0 : 1ULL << VIRTIO_RING_F_EVENT_IDX);
}

static void start_driver(void)
{
    g_assert_true(test_negotiate(vdev, 1ULL << VIRTIO_F_VERSION_1 |
                                       some_features()));
    vring_driver_init(&ring, &address_space_memory, NUM, RING);
    virtio_queue_set_num(vdev, 0, NUM);
    virtio_queue_set_rings(vdev, 0, ring.desc, ring.avail, ring.used);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Rounds of what @scribble leaves in the rings, for a device that @start starts,
 * again if it is broken, and now and then if it is not. @t is there. */
static void fuzz_rings(void (*start)(void), void (*scribble)(void))
{
    const uint8_t *ram = memory_region_get_ram_ptr(&pci_board()->ram);
    g_autofree uint8_t *pattern = g_malloc(AREA);
    unsigned broken = 0;

    memset(pattern, 0x5a, AREA);
    address_space_write(&address_space_memory, READABLE,
                        MEMTXATTRS_UNSPECIFIED, pattern, AREA);
    start();
    for (int i = 0; i < ROUNDS; i++) {
        scribble();
        virtio_queue_notify(vdev, 0);
        g_assert_true(memcmp(ram + READABLE, pattern, AREA) == 0);
        if (vdev->broken || one_in(50)) {
            broken += vdev->broken;
            start();
        }
    }
    g_test_message("%u requests handled, broken %u times in %u rounds",
                   t->echo.handled, broken, ROUNDS);
    /* Neither only nonsense nor only sense. */
    g_assert_cmpuint(t->echo.handled, >, ROUNDS / 10);
    g_assert_cmpuint(broken, >, ROUNDS / 10);
    g_assert_cmpuint(broken, <, ROUNDS);
}

static void make_device(void)
{
    pci_board_clear();
    t = test_transport_new();
    vdev = VIRTIO_DEVICE(&t->echo);
}

static void test_random_rings_break_nothing(void)
{
    make_device();
    fuzz_rings(start_driver, random_rings);
    test_transport_free(t);
}

/* --- packed rings --- */

static PackedDriver packed;

static void start_packed_driver(void)
{
    uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_RING_PACKED;
    unsigned num = 1 + below(NUM);

    g_assert_true(test_negotiate(vdev, features | some_features()));
    packed_driver_init(&packed, &address_space_memory, num, RING);
    virtio_queue_set_num(vdev, 0, num);
    virtio_queue_set_rings(vdev, 0, packed.ring, packed.driver_event,
                           packed.device_event);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* The buffer of a descriptor, as packed_set_desc() takes it. */
static void random_packed_buffer(hwaddr *addr, uint32_t *len, uint16_t *flags,
                                 bool is_write)
{
    *flags = is_write ? VRING_DESC_F_WRITE : 0;
    *len = one_in(30) ? anything() : one_in(30) ? 0 : 1 + below(256);
    *addr = random_address(is_write);
    if (one_in(6)) {
        *flags = VRING_DESC_F_INDIRECT;
        *len = one_in(8) ? below(5000) : 16 * (1 + below(TABLE_ENTRIES));
        *addr = TABLES + below(NR_TABLES) * TABLE_ENTRIES * 16;
    }
}

/* Some chains, or what looks like them, and wrap counters that may lie. */
static void random_packed_ring(void)
{
    unsigned n = 1 + below(packed.num);

    for (unsigned i = 0; i < NR_TABLES * TABLE_ENTRIES; i++) {
        bool is_write = i % TABLE_ENTRIES >= TABLE_ENTRIES / 3;

        packed_set_desc(&packed, TABLES, i, random_address(is_write),
                        one_in(300) ? anything() : 1 + below(256), anything(),
                        (is_write ? VRING_DESC_F_WRITE : 0) |
                        (anything() & ~VRING_DESC_F_WRITE));
    }
    for (unsigned i = 0; i < n; i++) {
        uint16_t flags;
        uint32_t len;
        hwaddr addr;

        random_packed_buffer(&addr, &len, &flags, i >= n / 2);
        flags |= one_in(3) ? VRING_DESC_F_NEXT : 0;
        packed.wrap ^= one_in(100);
        packed_offer(&packed, addr, len, anything(), flags);
    }
    packed_set_event(&packed, anything(), anything(), one_in(2));
}

static void test_random_packed_rings_break_nothing(void)
{
    make_device();
    virtio_add_feature(&vdev->host_features, VIRTIO_F_RING_PACKED);
    fuzz_rings(start_packed_driver, random_packed_ring);
    test_transport_free(t);
}

/* Not even descriptors any more. */
static void test_random_bytes_break_nothing(void)
{
    make_device();
    for (int i = 0; i < ROUNDS; i++) {
        start_driver();
        for (hwaddr a = RING; a < ring.end; a += 4) {
            mem_write(a, g_test_rand_int(), 4);
        }
        vring_write16(&ring, ring.avail + 2, 1 + below(NUM));
        virtio_queue_notify(vdev, 0);
    }
    test_transport_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtqueue-fuzz/rings", test_random_rings_break_nothing);
    g_test_add_func("/virtqueue-fuzz/packed-rings",
                    test_random_packed_rings_break_nothing);
    g_test_add_func("/virtqueue-fuzz/bytes", test_random_bytes_break_nothing);
    return g_test_run();
}
