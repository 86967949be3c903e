/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packed virtqueues: requests, elements, notifications, rings that lie. */
#include "qemu/osdep.h"

#include "packed-driver.h"
#include "qapi/error.h"
#include "virtqueue-test.h"

#define PACKED (1ULL << VIRTIO_F_RING_PACKED)
#define EVENT_DESC VRING_PACKED_EVENT_FLAG_DESC

static PackedDriver packed;

/* A driver of @num descriptors. */
static void start_packed_of(uint64_t features, unsigned num)
{
    g_assert_true(test_negotiate(vdev, VERSION_1 | PACKED | features));
    packed_driver_init(&packed, &address_space_memory, num, RING);
    virtio_queue_set_num(vdev, 0, num);
    virtio_queue_set_rings(vdev, 0, packed.ring, packed.driver_event,
                           packed.device_event);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void setup_packed_of(uint64_t features, unsigned num)
{
    pci_board_clear();
    t = test_transport_new();
    vdev = VIRTIO_DEVICE(&t->echo);
    virtio_add_feature(&vdev->host_features, VIRTIO_F_RING_PACKED);
    start_packed_of(features, num);
}

static void setup_packed(uint64_t features)
{
    setup_packed_of(features, ECHO_QUEUE_SIZE);
}

static void assert_used_packed(unsigned ndescs, uint16_t id, uint32_t len)
{
    uint16_t used_id = 0;
    uint32_t used_len = 0;

    g_assert_true(packed_get_used(&packed, ndescs, &used_id, &used_len));
    g_assert_cmpuint(used_id, ==, id);
    g_assert_cmpuint(used_len, ==, len);
}

static void assert_nothing_used(void)
{
    uint16_t id;
    uint32_t len;

    g_assert_false(packed_get_used(&packed, 0, &id, &len));
}

/* --- requests --- */

static void test_request_is_answered(void)
{
    setup_packed(0);
    mem_write(OUT, 0x11223344, 4);
    packed_offer_request(&packed, 7, OUT, IN, 4);
    kick();
    assert_used_packed(2, 7, 4);
    assert_nothing_used();
    g_assert_cmphex(mem_read(IN, 4), ==, 0x11223344);
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

static void test_all_of_a_kick_is_published_at_once(void)
{
    setup_packed(0);
    for (int i = 0; i < ECHO_QUEUE_SIZE / 2; i++) {
        packed_offer_request(&packed, 100 + i, OUT, IN, 8);
    }
    kick();
    for (int i = 0; i < ECHO_QUEUE_SIZE / 2; i++) {
        assert_used_packed(2, 100 + i, 8);
    }
    assert_nothing_used();
    g_assert_cmpuint(t->echo.kicks, ==, 1);
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

/* A ring need not be a power of two, and chains cross its end at each place. */
static void test_ring_of_any_size_goes_round(void)
{
    for (unsigned num = 1; num <= 9; num++) {
        setup_packed_of(0, num);
        g_assert_cmpint(virtio_queue_get_num(vdev, 0), ==, num);
        for (unsigned i = 0; i < 5 * num; i++) {
            unsigned ndescs = 1 + i % MIN(num, 3);

            mem_write(OUT, i + 1, 4);
            for (unsigned k = 0; k + 1 < ndescs; k++) {
                packed_offer(&packed, OUT + k, 1, 0, VRING_DESC_F_NEXT);
            }
            packed_offer(&packed, IN, 4, i, VRING_DESC_F_WRITE);
            kick();
            assert_used_packed(ndescs, i, MIN(ndescs - 1, 4));
            assert_nothing_used();
        }
        g_assert_false(vdev->broken);
        teardown();
    }
}

static void test_indirect_table_is_read_in_order(void)
{
    setup_packed(INDIRECT);
    mem_write(OUT, 0xabcd, 2);
    /* Of these flags only WRITE has a meaning. */
    packed_set_desc(&packed, TABLE, 0, OUT, 1, 5, VRING_DESC_F_INDIRECT);
    packed_set_desc(&packed, TABLE, 1, OUT + 1, 1, 5, PACKED_AVAIL);
    packed_set_desc(&packed, TABLE, 2, IN, 2, 5,
                    VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
    packed_offer(&packed, TABLE, 3 * 16, 9, VRING_DESC_F_INDIRECT);
    kick();
    assert_used_packed(1, 9, 2);
    g_assert_cmphex(mem_read(IN, 2), ==, 0xabcd);
    g_assert_cmpuint(t->echo.out_segs, ==, 2);
    teardown();
}

static void test_element_is_put_back(void)
{
    VirtQueue *vq;
    VirtQueueElement *elem;

    setup_packed_of(0, 3);
    t->echo.idle = true;
    vq = virtio_get_queue(vdev, 0);
    /* Twice round, so that an element is put back over the end of the ring. */
    for (int i = 0; i < 6; i++) {
        packed_offer_request(&packed, i, OUT, IN, 4);
        elem = virtqueue_pop(vq, sizeof(*elem));
        g_assert_nonnull(elem);
        virtqueue_unpop(vq, elem, 0);
        virtqueue_free_element(vq, elem);
        elem = virtqueue_pop(vq, sizeof(*elem));
        g_assert_cmpuint(elem->index, ==, i);
        g_assert_cmpuint(elem->in_num, ==, 1);
        virtqueue_fill(vq, elem, 3, 0);
        assert_nothing_used();
        virtqueue_flush(vq, 1);
        virtqueue_free_element(vq, elem);
        assert_used_packed(2, i, 3);
    }
    teardown();
}

/* --- notifications --- */

static void answer_one(void)
{
    packed_offer(&packed, IN, 4, 1, VRING_DESC_F_WRITE);
    kick();
}

static void test_interrupts_can_be_switched_off(void)
{
    setup_packed(0);
    packed_set_event(&packed, VRING_PACKED_EVENT_FLAG_DISABLE, 0, true);
    answer_one();
    g_assert_cmpuint(t->queue_irqs, ==, 0);
    packed_set_event(&packed, VRING_PACKED_EVENT_FLAG_ENABLE, 0, true);
    answer_one();
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

/* Exactly one interrupt, at the descriptor that the driver names, wherever it
 * is in the ring. */
static void test_interrupt_comes_at_the_event(void)
{
    enum { NUM = 5 };

    setup_packed_of(EVENT_IDX, NUM);
    for (unsigned i = 0; i < 4 * NUM; i++) {
        unsigned ahead = i % NUM, at = packed.next + ahead;
        bool wrap = at < NUM ? packed.wrap : !packed.wrap;

        packed_set_event(&packed, EVENT_DESC, at % NUM, wrap);
        for (unsigned n = 0; n <= ahead; n++) {
            t->queue_irqs = 0;
            answer_one();
            g_assert_cmpuint(t->queue_irqs, ==, n == ahead);
        }
    }
    g_assert_false(vdev->broken);
    teardown();
}

static void test_event_within_a_batch_interrupts(void)
{
    setup_packed(EVENT_IDX);
    packed_set_event(&packed, EVENT_DESC, 2, true);
    for (int i = 0; i < 4; i++) {
        packed_offer(&packed, IN, 4, i, VRING_DESC_F_WRITE);
    }
    kick();
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    /* It is behind now. */
    answer_one();
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

static void test_device_asks_for_the_next_kick(void)
{
    setup_packed_of(EVENT_IDX, 4);
    for (unsigned i = 1; i <= 8; i++) {
        bool wrap = i % 8 < 4;

        answer_one();
        g_assert_cmphex(packed_read16(&packed, packed.device_event), ==,
                        i % 4 | (wrap ? PACKED_WRAP : 0));
        g_assert_cmphex(packed_read16(&packed, packed.device_event + 2), ==,
                        EVENT_DESC);
    }
    teardown();
}

/* --- rings that lie --- */

/* What was offered breaks the device; a reset repairs it. */
static void assert_breaks(uint64_t features)
{
    kick();
    g_assert_true(vdev->broken);
    g_assert_true(vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET);
    assert_nothing_used();
    start_packed_of(features, ECHO_QUEUE_SIZE);
    packed_offer_request(&packed, 1, OUT, IN, 4);
    kick();
    assert_used_packed(2, 1, 4);
    start_packed_of(features, ECHO_QUEUE_SIZE);
}

static void test_chain_without_an_end(void)
{
    setup_packed(0);
    for (int i = 0; i < ECHO_QUEUE_SIZE; i++) {
        packed_offer(&packed, OUT, 4, 0, VRING_DESC_F_NEXT);
    }
    assert_breaks(0);
    teardown();
}

static void test_bad_buffers(void)
{
    setup_packed(0);
    packed_offer(&packed, OUT, 0, 0, 0);
    assert_breaks(0);
    packed_offer(&packed, UINT64_MAX - 3, 8, 0, 0);
    assert_breaks(0);
    packed_offer(&packed, TEST_MSI_BASE, 8, 0, 0);
    assert_breaks(0);
    packed_offer(&packed, IN, 4, 0, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
    packed_offer(&packed, OUT, 4, 0, 0);
    assert_breaks(0);
    teardown();
}

static void test_bad_indirect_tables(void)
{
    static const struct {
        hwaddr addr;
        uint32_t len;
        uint16_t flags;
    } bad[] = {
        { TABLE, 0, 0 }, { TABLE, 17, 0 }, { TABLE, 15, 0 },
        { TABLE, (VIRTQUEUE_MAX_SIZE + 1) * 16, 0 },
        { TABLE, 16, VRING_DESC_F_NEXT }, { UINT64_MAX - 15, 32, 0 },
        { TEST_MSI_BASE, 16, 0 }, { TEST_RAM_SIZE - 16, 32, 0 },
    };

    setup_packed(0);
    packed_offer(&packed, TABLE, 16, 0, VRING_DESC_F_INDIRECT);
    assert_breaks(INDIRECT);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        packed_offer(&packed, bad[i].addr, bad[i].len, 0,
                     VRING_DESC_F_INDIRECT | bad[i].flags);
        assert_breaks(INDIRECT);
    }
    teardown();
}

static void test_wrong_wrap_counter_is_nothing(void)
{
    static const uint16_t flags[] = {
        0, PACKED_USED, PACKED_AVAIL | PACKED_USED,
    };

    setup_packed(0);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        packed_set_desc(&packed, packed.ring, 0, OUT, 4, 0, flags[i]);
        kick();
        g_assert_cmpuint(t->echo.handled, ==, 0);
        g_assert_false(vdev->broken);
    }
    teardown();
}

/* The driver offers again what the device still has. */
static void test_more_than_the_ring_has(void)
{
    g_autoptr(GPtrArray) held = g_ptr_array_new();
    VirtQueueElement *elem;
    VirtQueue *vq;

    setup_packed_of(0, 4);
    t->echo.idle = true;
    vq = virtio_get_queue(vdev, 0);
    for (int i = 0; i < 5; i++) {
        packed_offer(&packed, OUT, 4, i, 0);
        elem = virtqueue_pop(vq, sizeof(*elem));
        if (elem) {
            g_ptr_array_add(held, elem);
        }
    }
    g_assert_cmpuint(held->len, ==, 4);
    g_assert_true(vdev->broken);
    for (guint i = 0; i < held->len; i++) {
        virtqueue_detach_element(vq, held->pdata[i], 0);
        virtqueue_free_element(vq, held->pdata[i]);
    }
    teardown();
}

static void test_rings_that_are_not_in_ram(void)
{
    for (unsigned part = 0; part < 3; part++) {
        hwaddr at[] = { RING, RING + 0x4000, RING + 0x5000 };

        setup_packed(0);
        at[part] = TEST_RAM_SIZE;
        g_assert_true(test_negotiate(vdev, VERSION_1 | PACKED));
        virtio_queue_set_rings(vdev, 0, at[0], at[1], at[2]);
        virtio_queue_enable(vdev, 0);
        virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
        kick();
        g_assert_true(vdev->broken);
        teardown();
    }
}

/* A size that fits one layout, and then the other is negotiated. */
static void test_layout_is_the_negotiated_one(void)
{
    setup_packed_of(0, 3);
    virtio_set_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                      VIRTIO_CONFIG_S_DRIVER);
    virtio_set_features_word(vdev, 0, 0);
    virtio_set_features_word(vdev, 1, VERSION_1 >> 32);
    virtio_set_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                      VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
                      VIRTIO_CONFIG_S_DRIVER_OK);
    g_assert_true(virtio_device_ready(vdev));
    kick();
    g_assert_true(vdev->broken);
    start_packed_of(0, 3);
    packed_offer_request(&packed, 1, OUT, IN, 4);
    kick();
    assert_used_packed(2, 1, 4);
    teardown();
}

#define ADD(name, fn) g_test_add_func("/virtqueue-packed/" name, fn)

static void add_lies(void)
{
    ADD("chain-without-an-end", test_chain_without_an_end);
    ADD("bad-buffers", test_bad_buffers);
    ADD("bad-indirect-tables", test_bad_indirect_tables);
    ADD("wrong-wrap-counter-is-nothing", test_wrong_wrap_counter_is_nothing);
    ADD("more-than-the-ring-has", test_more_than_the_ring_has);
    ADD("rings-that-are-not-in-ram", test_rings_that_are_not_in_ram);
    ADD("layout-is-the-negotiated-one", test_layout_is_the_negotiated_one);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("request-is-answered", test_request_is_answered);
    ADD("all-of-a-kick-is-published-at-once",
        test_all_of_a_kick_is_published_at_once);
    ADD("ring-of-any-size-goes-round", test_ring_of_any_size_goes_round);
    ADD("indirect-table-is-read-in-order",
        test_indirect_table_is_read_in_order);
    ADD("element-is-put-back", test_element_is_put_back);
    ADD("interrupts-can-be-switched-off", test_interrupts_can_be_switched_off);
    ADD("interrupt-comes-at-the-event", test_interrupt_comes_at_the_event);
    ADD("event-within-a-batch-interrupts",
        test_event_within_a_batch_interrupts);
    ADD("device-asks-for-the-next-kick", test_device_asks_for_the_next_kick);
    add_lies();
    return g_test_run();
}
