/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio over PCI before the driver is ready: identity, properties, features,
 * queue registers, configuration. */
#include "qemu/osdep.h"

#include "property-value.h"
#include "virtio-pci-test.h"

/* --- identity and capabilities --- */

static void test_identity_is_that_of_a_modern_device(void)
{
    setup();
    g_assert_cmphex(cfg_read(dev, PCI_VENDOR_ID, 2), ==, 0x1af4);
    g_assert_cmphex(cfg_read(dev, PCI_DEVICE_ID, 2), ==,
                    0x1040 + ECHO_DEVICE_ID);
    g_assert_cmphex(cfg_read(dev, PCI_REVISION_ID, 1), ==, 1);
    g_assert_cmphex(cfg_read(dev, PCI_INTERRUPT_PIN, 1), ==, 1);
    g_assert_cmphex(cfg_read(dev, PCI_CLASS_DEVICE, 2), ==, PCI_CLASS_OTHERS);
}

static void test_notify_multiplier_is_4(void)
{
    setup();
    g_assert_cmpuint(cfg_read(dev, find_cap(VIRTIO_PCI_CAP_NOTIFY_CFG) +
                              VIRTIO_PCI_NOTIFY_CAP_MULT, 4), ==, 4);
}

static void test_vectors_default_to_one_per_queue_and_one(void)
{
    setup();
    g_assert_cmpint(dev->msix_entries_nr, ==, ECHO_QUEUES + 1);
    setup("vectors=7");
    g_assert_cmpint(dev->msix_entries_nr, ==, 7);
    setup("vectors=0");
    g_assert_false(msix_present(dev));
}

static void test_impossible_properties_are_refused(void)
{
    static const char *const wrong[] = {
        "vectors=2049", "disable-legacy=off", "disable-modern=on",
        "ats=on", "aer=on", "page-per-vq=on",
    };

    pci_board_clear();
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        PCIDevice *d = pci_board_new(TYPE_ECHO_PCI, "addr=3", wrong[i], NULL);
        Error *err = NULL;

        g_assert_false(qdev_realize_and_unref(DEVICE(d), BUS(pci_board()->bus), &err));
        error_free_or_abort(&err);
        g_assert_null(pci_board()->bus->devices[PCI_DEVFN(3, 0)]);
    }
    setup("addr=3", "disable-legacy=on", "disable-modern=off");
}

static void test_failed_backend_fails_the_proxy(void)
{
    PCIDevice *d = pci_board_new(TYPE_ECHO_PCI, "addr=3", NULL);
    Error *err = NULL;

    pci_board_clear();
    ECHO_PCI_BASE(d)->vdev.fail_realize = true;
    g_assert_false(qdev_realize_and_unref(DEVICE(d), BUS(pci_board()->bus), &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "told to fail");
    error_free(err);
    setup("addr=3");
}

static void test_backend_is_a_child_with_aliased_properties(void)
{
    g_autofree char *path = NULL;

    setup("event_idx=off");
    path = object_get_canonical_path(OBJECT(echo));
    g_assert_true(g_str_has_suffix(path, "/virtio-backend"));
    g_assert_false(read_device_features() & 1ULL << VIRTIO_RING_F_EVENT_IDX);
    g_assert_true(read_device_features() & 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
    assert_property(OBJECT(dev), "event_idx", "false");
}

/* --- negotiation --- */

static void test_offered_features(void)
{
    setup();
    g_assert_cmphex(read_device_features(), ==,
                    VERSION_1 | 1ULL << ECHO_F_LOUD |
                    1ULL << VIRTIO_RING_F_INDIRECT_DESC |
                    1ULL << VIRTIO_RING_F_EVENT_IDX);
    mem_write(common + VIRTIO_PCI_COMMON_DFSELECT, 2, 4);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_DF, 4), ==, 0);
    setup("iommu_platform=on");
    g_assert_true(read_device_features() & PLATFORM);
}

static void test_unacceptable_features_are_refused(void)
{
    setup();
    g_assert_false(negotiate(0));
    g_assert_false(negotiate(1ULL << ECHO_F_LOUD));
    g_assert_false(negotiate(VERSION_1 | 1ULL << 5));
    g_assert_false(negotiate(VERSION_1 | PLATFORM));
    g_assert_true(negotiate(VERSION_1 | 1ULL << ECHO_F_LOUD));
    g_assert_cmphex(echo->features, ==, VERSION_1 | 1ULL << ECHO_F_LOUD);
    echo->refuse_features = true;
    g_assert_false(negotiate(VERSION_1));
    setup("iommu_platform=on");
    g_assert_false(negotiate(VERSION_1));
    g_assert_true(negotiate(VERSION_1 | PLATFORM));
}

static void test_features_are_fixed_once_ok(void)
{
    setup();
    g_assert_true(negotiate(VERSION_1));
    mem_write(common + VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
    mem_write(common + VIRTIO_PCI_COMMON_GF, 1 << ECHO_F_LOUD, 4);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_GF, 4), ==, 0);
}

static void test_driver_ok_needs_features_ok(void)
{
    setup();
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER_OK);
    g_assert_cmphex(get_status(), ==, VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

static void test_driver_cannot_set_needs_reset(void)
{
    setup();
    set_status(VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED);
    g_assert_cmphex(get_status(), ==, VIRTIO_CONFIG_S_FAILED);
}

static void test_queue_registers(void)
{
    setup();
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_NUMQ, 2), ==,
                     ECHO_QUEUES);
    mem_write(common + VIRTIO_PCI_COMMON_Q_SELECT, 1, 2);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_NOFF, 2), ==, 1);
    for (unsigned wrong = 0; wrong < 4; wrong++) {
        static const uint16_t sizes[] = { 0, 3, 128, 0xffff };

        mem_write(common + VIRTIO_PCI_COMMON_Q_SIZE, sizes[wrong], 2);
        g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_SIZE, 2), ==,
                         ECHO_QUEUE_SIZE);
    }
    mem_write(common + VIRTIO_PCI_COMMON_Q_SIZE, 16, 2);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_SIZE, 2), ==, 16);
    /* All 64 bits by one write of 8 bytes, or by two of 4. */
    mem_write(common + VIRTIO_PCI_COMMON_Q_DESCLO, 0x123456789abcdef0, 8);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_Q_DESCLO, 4), ==,
                    0x9abcdef0);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_Q_DESCHI, 4), ==,
                    0x12345678);
    mem_write(common + VIRTIO_PCI_COMMON_Q_SELECT, ECHO_QUEUES, 2);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_SIZE, 2), ==, 0);
    mem_write(common + VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_ENABLE, 2), ==, 0);
}

static void test_enabled_queue_does_not_move(void)
{
    setup();
    g_assert_true(negotiate(VERSION_1));
    setup_queue(0, VIRTIO_MSI_NO_VECTOR);
    mem_write(common + VIRTIO_PCI_COMMON_Q_DESCLO, 0x999990, 4);
    mem_write(common + VIRTIO_PCI_COMMON_Q_SIZE, 2, 2);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_Q_DESCLO, 4), ==,
                    ring.desc);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_SIZE, 2), ==,
                     ECHO_QUEUE_SIZE);
}

/* --- configuration --- */

static void test_config_changes_show_in_the_generation(void)
{
    uint8_t gen;

    setup();
    echo->config[0] = 0x42;
    g_assert_cmphex(mem_read(device, 1), ==, 0x42);
    gen = mem_read(common + VIRTIO_PCI_COMMON_CFGGENERATION, 1);
    g_assert_cmphex(mem_read(device, 4), ==, 0x42);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_CFGGENERATION, 1), ==,
                    gen);
    /* A change that nobody announced. */
    echo->config[1] = 1;
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_CFGGENERATION, 1), !=,
                    gen);
}

static void test_config_is_written_and_ends(void)
{
    setup();
    mem_write(device + 12, 0x01020304, 4);
    g_assert_cmphex(echo->config[12], ==, 0x04);
    g_assert_cmphex(echo->config[15], ==, 0x01);
    mem_write(device, 0xff, 1);
    g_assert_cmphex(mem_read(device, 1), ==, 0);
    g_assert_cmphex(mem_read(device + ECHO_CONFIG_SIZE, 4), ==, 0);
    mem_write(device + ECHO_CONFIG_SIZE, 1, 4);
    g_assert_cmphex(mem_read(device + 4092, 4), ==, 0);
}

static void aim_window(uint8_t bar, uint32_t offset, uint32_t len)
{
    uint8_t cap = find_cap(VIRTIO_PCI_CAP_PCI_CFG);

    cfg_write(dev, cap + VIRTIO_PCI_CAP_BAR, bar, 1);
    cfg_write(dev, cap + VIRTIO_PCI_CAP_OFFSET, offset, 4);
    cfg_write(dev, cap + VIRTIO_PCI_CAP_LENGTH, len, 4);
}

static void test_window_in_configuration_space(void)
{
    uint8_t data;
    uint32_t status;

    setup();
    data = find_cap(VIRTIO_PCI_CAP_PCI_CFG) + sizeof(struct virtio_pci_cap);
    status = common - BAR + VIRTIO_PCI_COMMON_STATUS;
    /* Decoding is off: the window needs none. */
    cfg_write(dev, PCI_COMMAND, 0, 2);
    aim_window(4, status, 1);
    cfg_write(dev, data, VIRTIO_CONFIG_S_ACKNOWLEDGE, 1);
    g_assert_cmphex(cfg_read(dev, data, 1), ==, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    g_assert_cmphex(VIRTIO_DEVICE(echo)->status, ==,
                    VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

static void test_window_aimed_at_nonsense_is_harmless(void)
{
    static const struct { uint8_t bar; uint32_t offset, len; } wrong[] = {
        { 0, 0, 4 }, { 4, 0x4000, 4 }, { 4, UINT32_MAX, 1 }, { 4, 1, 4 },
        { 4, 0x3ffe, 4 }, { 4, 0, 8 }, { 4, 0, 0 }, { 4, 0, 3 }, { 255, 0, 4 },
    };
    uint8_t data;

    setup();
    data = find_cap(VIRTIO_PCI_CAP_PCI_CFG) + sizeof(struct virtio_pci_cap);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        aim_window(wrong[i].bar, wrong[i].offset, wrong[i].len);
        cfg_write(dev, data, UINT32_MAX, 4);
        cfg_read(dev, data, 4);
    }
    g_assert_cmphex(VIRTIO_DEVICE(echo)->status, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-pci/identity",
                    test_identity_is_that_of_a_modern_device);
    g_test_add_func("/virtio-pci/notify-multiplier",
                    test_notify_multiplier_is_4);
    g_test_add_func("/virtio-pci/properties/vectors",
                    test_vectors_default_to_one_per_queue_and_one);
    g_test_add_func("/virtio-pci/properties/impossible",
                    test_impossible_properties_are_refused);
    g_test_add_func("/virtio-pci/properties/aliased",
                    test_backend_is_a_child_with_aliased_properties);
    g_test_add_func("/virtio-pci/failed-backend",
                    test_failed_backend_fails_the_proxy);
    g_test_add_func("/virtio-pci/negotiate/offered", test_offered_features);
    g_test_add_func("/virtio-pci/negotiate/refused",
                    test_unacceptable_features_are_refused);
    g_test_add_func("/virtio-pci/negotiate/fixed",
                    test_features_are_fixed_once_ok);
    g_test_add_func("/virtio-pci/negotiate/driver-ok",
                    test_driver_ok_needs_features_ok);
    g_test_add_func("/virtio-pci/negotiate/needs-reset",
                    test_driver_cannot_set_needs_reset);
    g_test_add_func("/virtio-pci/queue/registers", test_queue_registers);
    g_test_add_func("/virtio-pci/queue/enabled",
                    test_enabled_queue_does_not_move);
    g_test_add_func("/virtio-pci/config/generation",
                    test_config_changes_show_in_the_generation);
    g_test_add_func("/virtio-pci/config/write",
                    test_config_is_written_and_ends);
    g_test_add_func("/virtio-pci/window/works",
                    test_window_in_configuration_space);
    g_test_add_func("/virtio-pci/window/nonsense",
                    test_window_aimed_at_nonsense_is_harmless);
    return g_test_run();
}
