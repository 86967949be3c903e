/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An echo device with a driver on its queue 0: what the tests of virtqueues
 * share. Included by one C file per test program. */
#ifndef TESTS_UNIT_VIRTQUEUE_TEST_H
#define TESTS_UNIT_VIRTQUEUE_TEST_H

#include "exec/address-spaces.h"
#include "pci-fixture.h"
#include "virtio-echo.h"
#include "vring-driver.h"

#define RING 0x10000
#define OUT 0x100000
#define IN 0x200000
#define TABLE 0x300000
#define VERSION_1 (1ULL << VIRTIO_F_VERSION_1)
#define EVENT_IDX (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT (1ULL << VIRTIO_RING_F_INDIRECT_DESC)

static TestTransport *t;
static VirtIODevice *vdev;
static VRingDriver ring;

static inline void start_driver(uint64_t features)
{
    g_assert_true(test_negotiate(vdev, VERSION_1 | features));
    vring_driver_init(&ring, &address_space_memory, ECHO_QUEUE_SIZE, RING);
    virtio_queue_set_rings(vdev, 0, ring.desc, ring.avail, ring.used);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

static inline void setup(uint64_t features)
{
    pci_board_clear();
    t = test_transport_new();
    vdev = VIRTIO_DEVICE(&t->echo);
    start_driver(features);
}

static inline void teardown(void)
{
    test_transport_free(t);
}

static inline void kick(void)
{
    virtio_queue_notify(vdev, 0);
}

static inline void assert_used(uint32_t id, uint32_t len)
{
    uint32_t used_id = 0, used_len = 0;

    g_assert_true(vring_get_used(&ring, &used_id, &used_len));
    g_assert_cmpuint(used_id, ==, id);
    g_assert_cmpuint(used_len, ==, len);
}

#endif
