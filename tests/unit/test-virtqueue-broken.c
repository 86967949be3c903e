/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers that break the rules: the device is broken until it is reset, and
 * nothing else is. */
#include "qemu/osdep.h"

#include "virtqueue-test.h"

static void break_loop(void)
{
    vring_set_desc(&ring, ring.desc, 0, OUT, 1, VRING_DESC_F_NEXT, 1);
    vring_set_desc(&ring, ring.desc, 1, OUT, 1, VRING_DESC_F_NEXT, 0);
    vring_offer(&ring, 0);
}

static void break_head(void)
{
    vring_offer(&ring, ECHO_QUEUE_SIZE);
}

static void break_next(void)
{
    vring_set_desc(&ring, ring.desc, 0, OUT, 1, VRING_DESC_F_NEXT, 0xffff);
    vring_offer(&ring, 0);
}

static void break_avail_idx(void)
{
    vring_write16(&ring, ring.avail + 2, ECHO_QUEUE_SIZE + 1);
}

static void break_avail_idx_backwards(void)
{
    vring_write16(&ring, ring.avail + 2, 0xffff);
}

static void break_empty_buffer(void)
{
    vring_offer_request(&ring, 0, OUT, 0, IN, 4);
}

static void break_order(void)
{
    vring_set_desc(&ring, ring.desc, 0, IN, 4, VRING_DESC_F_WRITE |
                                               VRING_DESC_F_NEXT, 1);
    vring_set_desc(&ring, ring.desc, 1, OUT, 4, 0, 0);
    vring_offer(&ring, 0);
}

static void break_unmapped(void)
{
    vring_offer_request(&ring, 0, OUT, 4, TEST_RAM_SIZE, 4);
}

static void break_half_mapped(void)
{
    vring_offer_request(&ring, 0, OUT, 4, TEST_RAM_SIZE - 2, 4);
}

static void break_mmio(void)
{
    vring_offer_request(&ring, 0, OUT, 4, TEST_MSI_BASE, 4);
}

static void break_overflow(void)
{
    vring_offer_request(&ring, 0, UINT64_MAX - 1, 4, IN, 4);
}

static void break_huge(void)
{
    for (int i = 0; i < 3; i++) {
        vring_set_desc(&ring, ring.desc, i, OUT, UINT32_MAX, VRING_DESC_F_NEXT,
                       i + 1);
    }
    vring_offer(&ring, 0);
}

static void offer_table(hwaddr addr, uint32_t len, uint16_t flags)
{
    vring_set_desc(&ring, TABLE, 0, OUT, 4, 0, 0);
    vring_set_desc(&ring, ring.desc, 0, addr, len,
                   VRING_DESC_F_INDIRECT | flags, 1);
    vring_offer(&ring, 0);
}

static void break_table_size(void)
{
    offer_table(TABLE, 17, 0);
}

static void break_table_empty(void)
{
    offer_table(TABLE, 0, 0);
}

static void break_table_too_big(void)
{
    offer_table(TABLE, (VIRTQUEUE_MAX_SIZE + 1) * 16, 0);
}

static void break_table_unmapped(void)
{
    offer_table(TEST_RAM_SIZE - 16, 32, 0);
}

static void break_table_overflow(void)
{
    offer_table(UINT64_MAX - 15, 32, 0);
}

static void break_table_next(void)
{
    offer_table(TABLE, 16, VRING_DESC_F_NEXT);
}

static void break_table_in_table(void)
{
    offer_table(TABLE, 32, 0);
    vring_set_desc(&ring, TABLE, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
}

static void break_table_loop(void)
{
    offer_table(TABLE, 32, 0);
    vring_set_desc(&ring, TABLE, 0, OUT, 1, VRING_DESC_F_NEXT, 0);
}

static void break_table_index(void)
{
    offer_table(TABLE, 32, 0);
    vring_set_desc(&ring, TABLE, 0, OUT, 1, VRING_DESC_F_NEXT, 2);
}

static void break_rings_gone(void)
{
    virtio_set_status(vdev, 0);
    g_assert_true(test_negotiate(vdev, VERSION_1));
    virtio_queue_set_rings(vdev, 0, TEST_MSI_BASE, ring.avail, ring.used);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void break_rings_wrap(void)
{
    virtio_set_status(vdev, 0);
    g_assert_true(test_negotiate(vdev, VERSION_1));
    virtio_queue_set_rings(vdev, 0, ring.desc, -(hwaddr)16, ring.used);
    virtio_queue_enable(vdev, 0);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER_OK);
}

static const struct {
    const char *path;
    void (*fn)(void);
} break_cases[] = {
    { "loop", break_loop },
    { "head", break_head },
    { "next", break_next },
    { "avail-idx", break_avail_idx },
    { "avail-idx-backwards", break_avail_idx_backwards },
    { "empty-buffer", break_empty_buffer },
    { "read-after-write", break_order },
    { "unmapped", break_unmapped },
    { "half-mapped", break_half_mapped },
    { "mmio", break_mmio },
    { "overflow", break_overflow },
    { "huge", break_huge },
    { "table-size", break_table_size },
    { "table-empty", break_table_empty },
    { "table-too-big", break_table_too_big },
    { "table-unmapped", break_table_unmapped },
    { "table-overflow", break_table_overflow },
    { "table-and-next", break_table_next },
    { "table-in-table", break_table_in_table },
    { "table-loop", break_table_loop },
    { "table-index", break_table_index },
    { "rings-not-in-ram", break_rings_gone },
    { "rings-wrap", break_rings_wrap },
};

/* Broken until it is reset, and then as good as new. */
static void test_broken_rule_breaks_only_the_device(gconstpointer data)
{
    const char *path = data;

    setup(INDIRECT);
    for (size_t i = 0; i < ARRAY_SIZE(break_cases); i++) {
        if (strcmp(break_cases[i].path, path) == 0) {
            break_cases[i].fn();
        }
    }
    kick();
    g_assert_true(vdev->broken);
    g_assert_true(vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET);
    g_assert_cmpuint(t->config_irqs, ==, 1);
    g_assert_cmpuint(t->echo.handled, ==, 0);

    start_driver(0);
    g_assert_false(vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET);
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
    kick();
    assert_used(0, 4);
    teardown();
}

static void test_indirect_must_be_negotiated(void)
{
    setup(0);
    offer_table(TABLE, 16, 0);
    kick();
    g_assert_true(vdev->broken);
    teardown();
}

static void test_misaligned_rings_are_refused(void)
{
    setup(0);
    virtio_set_status(vdev, 0);
    g_assert_true(test_negotiate(vdev, VERSION_1));
    virtio_queue_set_rings(vdev, 0, RING + 8, ring.avail, ring.used);
    virtio_queue_enable(vdev, 0);
    g_assert_true(vdev->broken);
    g_assert_false(virtio_queue_enabled(vdev, 0));
    teardown();
}

static void test_device_cannot_hold_more_than_the_queue(void)
{
    VirtQueueElement *held[ECHO_QUEUE_SIZE];
    VirtQueue *vq;

    setup(0);
    vq = virtio_get_queue(vdev, 0);
    vring_set_desc(&ring, ring.desc, 0, OUT, 4, 0, 0);
    /* The same chain again and again. */
    for (int i = 0; i < ECHO_QUEUE_SIZE; i++) {
        vring_offer(&ring, 0);
        held[i] = virtqueue_pop(vq, sizeof(*held[i]));
        g_assert_nonnull(held[i]);
    }
    vring_offer(&ring, 0);
    g_assert_null(virtqueue_pop(vq, sizeof(VirtQueueElement)));
    g_assert_true(vdev->broken);
    for (int i = 0; i < ECHO_QUEUE_SIZE; i++) {
        virtqueue_fill(vq, held[i], 0, 0);
        virtqueue_flush(vq, 1);
        virtqueue_free_element(vq, held[i]);
    }
    g_assert_cmpuint(vring_used_idx(&ring), ==, 0);
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(break_cases); i++) {
        g_autofree char *path = g_strdup_printf("/virtqueue-broken/%s",
                                                break_cases[i].path);

        g_test_add_data_func(path, break_cases[i].path,
                             test_broken_rule_breaks_only_the_device);
    }
    g_test_add_func("/virtqueue-broken/indirect-not-negotiated",
                    test_indirect_must_be_negotiated);
    g_test_add_func("/virtqueue-broken/misaligned",
                    test_misaligned_rings_are_refused);
    g_test_add_func("/virtqueue-broken/too-many-held",
                    test_device_cannot_hold_more_than_the_queue);
    return g_test_run();
}
