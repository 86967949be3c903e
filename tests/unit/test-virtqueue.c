/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Split virtqueues: requests, elements, notifications, kicks. */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/units.h"
#include "sysemu/runstate.h"
#include "virtqueue-test.h"

/* --- requests --- */

static void test_request_is_answered(void)
{
    setup(0);
    mem_write(OUT, 0x11223344, 4);
    vring_offer_request(&ring, 7, OUT, 4, IN, 16);
    kick();
    assert_used(7, 4);
    g_assert_cmphex(mem_read(IN, 4), ==, 0x11223344);
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

static void test_all_of_a_kick_is_published_at_once(void)
{
    setup(0);
    for (int i = 0; i < ECHO_QUEUE_SIZE / 2; i++) {
        vring_offer_request(&ring, 2 * i, OUT, 8, IN, 8);
    }
    kick();
    for (int i = 0; i < ECHO_QUEUE_SIZE / 2; i++) {
        assert_used(2 * i, 8);
    }
    g_assert_cmpuint(t->echo.kicks, ==, 1);
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

static void test_indirect_table_is_read(void)
{
    setup(INDIRECT);
    mem_write(OUT, 0xabcd, 2);
    vring_set_desc(&ring, TABLE, 0, OUT, 2, VRING_DESC_F_NEXT, 2);
    vring_set_desc(&ring, TABLE, 2, IN, 2, VRING_DESC_F_WRITE, 99);
    vring_set_desc(&ring, ring.desc, 5, TABLE, 3 * 16, VRING_DESC_F_INDIRECT,
                   0);
    vring_offer(&ring, 5);
    kick();
    assert_used(5, 2);
    g_assert_cmphex(mem_read(IN, 2), ==, 0xabcd);
    teardown();
}

/* 2.7.5.3.2: plain descriptors may come before the indirect one. */
static void test_chain_may_end_in_an_indirect_table(void)
{
    setup(INDIRECT);
    vring_set_desc(&ring, ring.desc, 0, OUT, 4, VRING_DESC_F_NEXT, 1);
    vring_set_desc(&ring, ring.desc, 1, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
    vring_set_desc(&ring, TABLE, 0, IN, 4, VRING_DESC_F_WRITE, 0);
    vring_offer(&ring, 0);
    kick();
    assert_used(0, 4);
    teardown();
}

static void test_longest_chains_are_handled(void)
{
    setup(INDIRECT);
    for (unsigned i = 0; i < ECHO_QUEUE_SIZE; i++) {
        bool out = i < ECHO_QUEUE_SIZE / 2;
        bool last = i == ECHO_QUEUE_SIZE - 1;

        vring_set_desc(&ring, ring.desc, i, (out ? OUT : IN) + i, 1,
                       (out ? 0 : VRING_DESC_F_WRITE) |
                       (last ? 0 : VRING_DESC_F_NEXT), i + 1);
    }
    vring_offer(&ring, 0);
    kick();
    assert_used(0, ECHO_QUEUE_SIZE / 2);

    for (unsigned i = 0; i < VIRTQUEUE_MAX_SIZE; i++) {
        vring_set_desc(&ring, TABLE, i, IN + i, 1, VRING_DESC_F_WRITE |
                       (i < VIRTQUEUE_MAX_SIZE - 1 ? VRING_DESC_F_NEXT : 0),
                       i + 1);
    }
    vring_set_desc(&ring, ring.desc, 0, TABLE, VIRTQUEUE_MAX_SIZE * 16,
                   VRING_DESC_F_INDIRECT, 0);
    vring_offer(&ring, 0);
    kick();
    assert_used(0, 0);
    g_assert_cmpuint(t->echo.in_segs, ==, VIRTQUEUE_MAX_SIZE);
    teardown();
}

/* Each byte to read and to write lies by itself: of any number of segments
 * each one has its place. */
static void test_order_of_segments_is_kept(void)
{
    setup(INDIRECT);
    for (unsigned n = 1; n <= VIRTQUEUE_MAX_SIZE / 2; n += n / 4 + 1) {
        for (unsigned i = 0; i < 2 * n; i++) {
            bool out = i < n;

            vring_set_desc(&ring, TABLE, i, (out ? OUT : IN) + i % n * 2, 1,
                           (out ? 0 : VRING_DESC_F_WRITE) |
                           (i < 2 * n - 1 ? VRING_DESC_F_NEXT : 0), i + 1);
            mem_write(OUT + i % n * 2, i % n * 3 + n, 1);
        }
        vring_set_desc(&ring, ring.desc, 0, TABLE, 2 * n * 16,
                       VRING_DESC_F_INDIRECT, 0);
        vring_offer(&ring, 0);
        kick();
        assert_used(0, n);
        for (unsigned i = 0; i < n; i++) {
            g_assert_cmphex(mem_read(IN + i * 2, 1), ==, (i * 3 + n) & 0xff);
        }
    }
    teardown();
}

static void test_buffer_over_two_regions_is_two_segments(void)
{
    MemoryRegion more;

    setup(0);
    memory_region_init_ram(&more, NULL, "more", 1 * MiB, &error_abort);
    memory_region_add_subregion(get_system_memory(), TEST_RAM_SIZE, &more);
    vring_offer_request(&ring, 0, OUT, 8, TEST_RAM_SIZE - 4, 8);
    mem_write(OUT, 0x5566778811223344, 8);
    kick();
    assert_used(0, 8);
    g_assert_cmpuint(t->echo.in_segs, ==, 2);
    g_assert_cmphex(mem_read(TEST_RAM_SIZE - 4, 4), ==, 0x11223344);
    g_assert_cmphex(mem_read(TEST_RAM_SIZE, 4), ==, 0x55667788);
    memory_region_del_subregion(get_system_memory(), &more);
    object_unref(&more);
    teardown();
}

static void test_rings_follow_the_memory_map(void)
{
    MemoryRegion other;

    setup(0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    /* Other RAM appears where the rings are: what is there now counts. */
    memory_region_init_ram(&other, NULL, "other", 1 * MiB, &error_abort);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &other, 1);
    vring_driver_init(&ring, &address_space_memory, ECHO_QUEUE_SIZE, RING);
    ring.avail_idx = 1;
    ring.last_used = 1;
    vring_offer_request(&ring, 2, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(vring_used_idx(&ring), ==, 2);
    assert_used(2, 4);
    memory_region_del_subregion(get_system_memory(), &other);
    object_unref(&other);
    teardown();
}

/* Where a buffer was, other RAM appears, and then none at all. */
static void test_buffers_follow_the_memory_map(void)
{
    MemoryRegion other;

    setup(0);
    mem_write(OUT, 0x11, 1);
    vring_offer_request(&ring, 0, OUT, 1, IN, 1);
    kick();
    g_assert_cmphex(mem_read(IN, 1), ==, 0x11);

    memory_region_init_ram(&other, NULL, "other", 1 * MiB, &error_abort);
    memory_region_add_subregion_overlap(get_system_memory(), OUT, &other, 1);
    mem_write(OUT, 0x22, 1);
    vring_offer_request(&ring, 0, OUT, 1, IN, 1);
    kick();
    g_assert_cmphex(mem_read(IN, 1), ==, 0x22);

    memory_region_set_readonly(&other, true);
    vring_offer_request(&ring, 0, OUT, 1, IN, 1);
    kick();
    g_assert_false(vdev->broken);
    vring_offer_request(&ring, 0, IN, 1, OUT, 1);
    kick();
    g_assert_true(vdev->broken);
    memory_region_del_subregion(get_system_memory(), &other);
    object_unref(&other);
    teardown();
}

/* More pieces of RAM than a queue remembers, again and again. */
#define PIECES 11
static void test_buffers_in_many_regions_are_found(void)
{
    MemoryRegion piece[PIECES];

    setup(0);
    for (unsigned i = 0; i < PIECES; i++) {
        memory_region_init_ram(&piece[i], NULL, "piece", 4 * KiB, &error_abort);
        memory_region_add_subregion(get_system_memory(),
                                    TEST_RAM_SIZE + i * 8 * KiB, &piece[i]);
    }
    for (unsigned i = 0; i < 10 * PIECES; i++) {
        hwaddr in = TEST_RAM_SIZE + i * 7 % PIECES * 8 * KiB;

        mem_write(OUT, i, 1);
        vring_offer_request(&ring, i % 8, OUT, 1, in + i, 1);
        kick();
        assert_used(i % 8, 1);
        g_assert_cmphex(mem_read(in + i, 1), ==, i);
    }
    for (unsigned i = 0; i < PIECES; i++) {
        memory_region_del_subregion(get_system_memory(), &piece[i]);
        object_unref(&piece[i]);
    }
    teardown();
}

static void test_indexes_wrap(void)
{
    setup(EVENT_IDX);
    for (unsigned i = 0; i < 70000; i++) {
        vring_set_used_event(&ring, ring.last_used);
        vring_offer_request(&ring, i % 62, OUT, 4, IN, 4);
        kick();
        assert_used(i % 62, 4);
    }
    g_assert_cmpuint(t->queue_irqs, ==, 70000);
    teardown();
}

static void test_queue_of_one_entry_works(void)
{
    pci_board_clear();
    t = test_transport_new();
    vdev = VIRTIO_DEVICE(&t->echo);
    g_assert_true(test_negotiate(vdev, VERSION_1));
    vring_driver_init(&ring, &address_space_memory, 1, RING);
    virtio_queue_set_num(vdev, 0, 1);
    virtio_queue_set_rings(vdev, 0, ring.desc, ring.avail, ring.used);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
    for (int i = 0; i < 3; i++) {
        vring_set_desc(&ring, ring.desc, 0, OUT, 4, 0, 0);
        vring_offer(&ring, 0);
        kick();
        assert_used(0, 0);
    }
    teardown();
}

/* --- elements --- */

/* Gives @elem back, of which the device wrote @len bytes. */
static void push(VirtQueue *vq, VirtQueueElement *elem, unsigned int len)
{
    virtqueue_fill(vq, elem, len, 0);
    virtqueue_flush(vq, 1);
}

static void test_elements_are_recycled(void)
{
    VirtQueueElement *elem, *first;
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    vring_offer_request(&ring, 2, OUT, 4, IN, 4);
    first = virtqueue_pop(vq, sizeof(*elem) + 24);
    push(vq, first, 0);
    virtqueue_free_element(vq, first);
    elem = virtqueue_pop(vq, sizeof(*elem) + 24);
    g_assert_true(elem == first);
    g_assert_cmpuint(elem->index, ==, 2);
    g_assert_cmphex(elem->out_addr[0], ==, OUT);
    g_assert_cmphex(elem->in_addr[0], ==, IN);
    push(vq, elem, 0);
    virtqueue_free_element(vq, elem);
    teardown();
}

static void test_detached_element_is_not_published(void)
{
    VirtQueueElement *elem;
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    elem = virtqueue_pop(vq, sizeof(*elem));
    virtqueue_detach_element(vq, elem, 0);
    virtqueue_free_element(vq, elem);
    g_assert_cmpuint(vring_used_idx(&ring), ==, 0);
    g_assert_null(virtqueue_pop(vq, sizeof(*elem)));
    teardown();
}

/* Its memory stays, whatever becomes of the memory map; and goes with it. */
static void test_pinned_element_keeps_its_memory(void)
{
    MemoryRegion *more = g_new(MemoryRegion, 1);
    VirtQueueElement *elem;
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    memory_region_init_ram(more, NULL, "more", 1 * MiB, &error_abort);
    memory_region_add_subregion(get_system_memory(), TEST_RAM_SIZE, more);
    vring_offer_request(&ring, 0, OUT, 4, TEST_RAM_SIZE, 4);
    elem = virtqueue_pop(vq, sizeof(*elem));
    g_assert_cmpuint(OBJECT(more)->ref, ==, 3);
    virtqueue_pin_element(vq, elem);
    memory_region_del_subregion(get_system_memory(), more);
    g_assert_cmpuint(OBJECT(more)->ref, ==, 2);
    memset(elem->in_sg[0].iov_base, 0x5a, 4);
    push(vq, elem, 4);
    g_assert_cmpuint(OBJECT(more)->ref, ==, 1);
    virtqueue_free_element(vq, elem);
    assert_used(0, 4);
    object_unref(more);
    g_free(more);
    teardown();
}

static void test_unpopped_element_is_popped_again(void)
{
    VirtQueueElement *elem;
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    vring_offer_request(&ring, 2, OUT, 4, IN, 4);
    for (unsigned i = 0; i < 3; i++) {
        elem = virtqueue_pop(vq, sizeof(*elem));
        g_assert_cmpuint(elem->index, ==, 0);
        virtqueue_unpop(vq, elem, 0);
        virtqueue_free_element(vq, elem);
    }
    elem = virtqueue_pop(vq, sizeof(*elem));
    push(vq, elem, 0);
    virtqueue_free_element(vq, elem);
    g_assert_cmpuint(vring_used_idx(&ring), ==, 1);
    elem = virtqueue_pop(vq, sizeof(*elem));
    g_assert_cmpuint(elem->index, ==, 2);
    virtqueue_detach_element(vq, elem, 0);
    virtqueue_free_element(vq, elem);
    teardown();
}

static void test_used_entries_may_come_in_any_order(void)
{
    VirtQueueElement *a, *b;
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    vring_offer_request(&ring, 2, OUT, 4, IN, 4);
    a = virtqueue_pop(vq, sizeof(*a));
    b = virtqueue_pop(vq, sizeof(*b));
    push(vq, b, 4);
    push(vq, a, 3);
    virtqueue_free_element(vq, a);
    virtqueue_free_element(vq, b);
    assert_used(2, 4);
    assert_used(0, 3);
    teardown();
}

/* --- notifications --- */

static void test_no_interrupt_flag_is_obeyed(void)
{
    setup(0);
    vring_set_avail_flags(&ring, VRING_AVAIL_F_NO_INTERRUPT);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->queue_irqs, ==, 0);
    vring_set_avail_flags(&ring, 0);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    teardown();
}

static void test_used_event_decides(void)
{
    setup(EVENT_IDX);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->queue_irqs, ==, 1);
    /* Not before the third from here, index 3. */
    vring_set_used_event(&ring, 3);
    for (int i = 1; i <= 4; i++) {
        vring_offer_request(&ring, 0, OUT, 4, IN, 4);
        kick();
        g_assert_cmpuint(t->queue_irqs, ==, i < 3 ? 1 : 2);
    }
    /* The flag means nothing now. */
    vring_set_avail_flags(&ring, VRING_AVAIL_F_NO_INTERRUPT);
    vring_set_used_event(&ring, 5);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->queue_irqs, ==, 3);
    teardown();
}

static void test_avail_event_asks_for_the_next_entry(void)
{
    setup(EVENT_IDX);
    for (int i = 0; i < 3; i++) {
        vring_offer_request(&ring, 2 * i, OUT, 4, IN, 4);
    }
    kick();
    g_assert_cmpuint(vring_get_avail_event(&ring), ==, 3);
    g_assert_cmphex(vring_get_used_flags(&ring), ==, 0);
    teardown();
}

/* --- when kicks are handled --- */

static void test_kick_while_stopped_is_handled_after_cont(void)
{
    setup(0);
    vm_state_notify(0, RUN_STATE_PAUSED);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->echo.kicks, ==, 0);
    g_assert_cmpuint(vring_used_idx(&ring), ==, 0);
    vm_state_notify(1, RUN_STATE_RUNNING);
    g_assert_cmpuint(t->echo.kicks, ==, 1);
    assert_used(0, 4);
    vm_state_notify(1, RUN_STATE_RUNNING);
    g_assert_cmpuint(t->echo.kicks, ==, 1);
    teardown();
}

static void test_kick_while_disabled_is_handled_afterwards(void)
{
    setup(0);
    virtio_set_disabled(vdev, true);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_null(virtqueue_pop(virtio_get_queue(vdev, 0),
                                sizeof(VirtQueueElement)));
    virtio_set_disabled(vdev, false);
    assert_used(0, 4);
    teardown();
}

static void test_kick_before_driver_ok_is_ignored(void)
{
    setup(0);
    virtio_set_status(vdev, vdev->status & ~VIRTIO_CONFIG_S_DRIVER_OK);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    g_assert_cmpuint(t->echo.kicks, ==, 0);
    g_assert_null(virtqueue_pop(virtio_get_queue(vdev, 0),
                                sizeof(VirtQueueElement)));
    teardown();
}

static void test_kick_of_other_queues_is_harmless(void)
{
    setup(0);
    virtio_queue_notify(vdev, 1);
    virtio_queue_notify(vdev, ECHO_QUEUES);
    virtio_queue_notify(vdev, -1);
    virtio_queue_notify(vdev, 0xffff);
    g_assert_cmpuint(t->echo.kicks, ==, 0);
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtqueue/request/answered", test_request_is_answered);
    g_test_add_func("/virtqueue/request/batch",
                    test_all_of_a_kick_is_published_at_once);
    g_test_add_func("/virtqueue/request/indirect", test_indirect_table_is_read);
    g_test_add_func("/virtqueue/request/direct-then-indirect",
                    test_chain_may_end_in_an_indirect_table);
    g_test_add_func("/virtqueue/request/longest",
                    test_longest_chains_are_handled);
    g_test_add_func("/virtqueue/request/order", test_order_of_segments_is_kept);
    g_test_add_func("/virtqueue/request/buffer-map",
                    test_buffers_follow_the_memory_map);
    g_test_add_func("/virtqueue/request/many-regions",
                    test_buffers_in_many_regions_are_found);
    g_test_add_func("/virtqueue/request/two-regions",
                    test_buffer_over_two_regions_is_two_segments);
    g_test_add_func("/virtqueue/request/memory-map",
                    test_rings_follow_the_memory_map);
    g_test_add_func("/virtqueue/request/wrap", test_indexes_wrap);
    g_test_add_func("/virtqueue/request/one-entry",
                    test_queue_of_one_entry_works);
    g_test_add_func("/virtqueue/element/recycled", test_elements_are_recycled);
    g_test_add_func("/virtqueue/element/detached",
                    test_detached_element_is_not_published);
    g_test_add_func("/virtqueue/element/pinned",
                    test_pinned_element_keeps_its_memory);
    g_test_add_func("/virtqueue/element/unpopped",
                    test_unpopped_element_is_popped_again);
    g_test_add_func("/virtqueue/element/any-order",
                    test_used_entries_may_come_in_any_order);
    g_test_add_func("/virtqueue/notify/no-interrupt",
                    test_no_interrupt_flag_is_obeyed);
    g_test_add_func("/virtqueue/notify/used-event", test_used_event_decides);
    g_test_add_func("/virtqueue/notify/avail-event",
                    test_avail_event_asks_for_the_next_entry);
    g_test_add_func("/virtqueue/kick/stopped",
                    test_kick_while_stopped_is_handled_after_cont);
    g_test_add_func("/virtqueue/kick/disabled",
                    test_kick_while_disabled_is_handled_afterwards);
    g_test_add_func("/virtqueue/kick/not-ready",
                    test_kick_before_driver_ok_is_ignored);
    g_test_add_func("/virtqueue/kick/others",
                    test_kick_of_other_queues_is_harmless);
    return g_test_run();
}
