/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio over PCI with a driver at work: interrupts, kicks, DMA, reset and
 * removal. */
#include "qemu/osdep.h"

#include "sysemu/reset.h"
#include "virtio-pci-test.h"

/* --- interrupts and kicks --- */

static void test_interrupt_by_pin_until_isr_is_read(void)
{
    PCIBoard *b = pci_board();

    setup("addr=0");
    start(VIRTIO_MSI_NO_VECTOR);
    offer();
    kick();
    g_assert_cmpuint(vring_used_idx(&ring), ==, 1);
    g_assert_cmpint(b->level[0], ==, 1);
    g_assert_cmphex(mem_read(isr, 1), ==, VIRTIO_ISR_QUEUE);
    g_assert_cmpint(b->level[0], ==, 0);
    g_assert_cmphex(mem_read(isr, 1), ==, 0);
    virtio_notify_config(VIRTIO_DEVICE(echo));
    g_assert_cmphex(mem_read(isr, 1), ==, VIRTIO_ISR_CONFIG | VIRTIO_ISR_QUEUE);
}

static void test_interrupt_by_vector(void)
{
    PCIBoard *b = pci_board();

    setup();
    enable_msix(3);
    g_assert_true(negotiate(VERSION_1));
    mem_write(common + VIRTIO_PCI_COMMON_MSIX, 2, 2);
    setup_queue(0, 1);
    set_status(get_status() | VIRTIO_CONFIG_S_DRIVER_OK);
    offer();
    kick();
    g_assert_cmpuint(b->nr_msis, ==, 1);
    g_assert_cmphex(b->last_msi.data, ==, 0x51);
    virtio_notify_config(VIRTIO_DEVICE(echo));
    g_assert_cmpuint(b->nr_msis, ==, 2);
    g_assert_cmphex(b->last_msi.data, ==, 0x52);
    g_assert_cmpint(b->bus->irq_count[0], ==, 0);
}

static void test_vector_that_is_none_is_refused(void)
{
    setup();
    mem_write(common + VIRTIO_PCI_COMMON_MSIX, 3, 2);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_MSIX, 2), ==,
                    VIRTIO_MSI_NO_VECTOR);
    mem_write(common + VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
    mem_write(common + VIRTIO_PCI_COMMON_Q_MSIX, 1000, 2);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_Q_MSIX, 2), ==,
                    VIRTIO_MSI_NO_VECTOR);
    mem_write(common + VIRTIO_PCI_COMMON_Q_MSIX, 2, 2);
    g_assert_cmphex(mem_read(common + VIRTIO_PCI_COMMON_Q_MSIX, 2), ==, 2);
}

static void test_kick_by_ioeventfd_and_without(void)
{
    setup();
    start(VIRTIO_MSI_NO_VECTOR);
    offer();
    mem_write(notify, 0, 2);
    g_assert_cmpuint(echo->kicks, ==, 0);
    pci_board_poll();
    g_assert_cmpuint(echo->kicks, ==, 1);

    setup("ioeventfd=off");
    start(VIRTIO_MSI_NO_VECTOR);
    offer();
    mem_write(notify, 0, 2);
    g_assert_cmpuint(echo->kicks, ==, 1);
}

static void test_kicks_of_nothing_are_harmless(void)
{
    setup();
    start(VIRTIO_MSI_NO_VECTOR);
    for (uint64_t a = notify; a < notify + 4096; a += 4) {
        mem_write(a, 0xffff, 2);
    }
    pci_board_poll();
    g_assert_cmpuint(echo->kicks, ==, 1);
    g_assert_cmpuint(echo->handled, ==, 0);
}

static void test_no_dma_without_bus_mastering(void)
{
    setup();
    start(VIRTIO_MSI_NO_VECTOR);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    offer();
    kick();
    g_assert_cmpuint(vring_used_idx(&ring), ==, 0);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    g_assert_cmpuint(vring_used_idx(&ring), ==, 1);
    g_assert_false(VIRTIO_DEVICE(echo)->broken);
}

static void test_iommu_platform_goes_through_the_bus(void)
{
    setup("iommu_platform=on");
    g_assert_true(VIRTIO_DEVICE(echo)->dma_as == pci_get_address_space(dev));
    g_assert_true(negotiate(VERSION_1 | PLATFORM));
    setup_queue(0, VIRTIO_MSI_NO_VECTOR);
    set_status(get_status() | VIRTIO_CONFIG_S_DRIVER_OK);
    offer();
    kick();
    g_assert_cmpuint(vring_used_idx(&ring), ==, 1);
}

/* --- reset and removal --- */

static void test_status_0_resets_the_device(void)
{
    unsigned resets;

    setup("addr=0");
    start(VIRTIO_MSI_NO_VECTOR);
    offer();
    kick();
    g_assert_cmpint(pci_board()->level[0], ==, 1);
    resets = echo->resets;
    set_status(0);
    assert_is_reset();
    g_assert_cmpuint(echo->resets, ==, resets + 1);
    /* The function itself is not reset. */
    g_assert_cmphex(dev->io_regions[4].addr, ==, BAR);
    kick();
    g_assert_cmpuint(echo->kicks, ==, 1);
}

static void test_system_reset_resets_both(void)
{
    setup("addr=0");
    enable_msix(3);
    start(1);
    qemu_devices_reset();
    assert_is_reset();
    g_assert_false(msix_enabled(dev));
    g_assert_cmphex(dev->io_regions[4].addr, ==, PCI_BAR_UNMAPPED);
}

static void test_unplug_while_running(void)
{
    setup();
    enable_msix(3);
    start(1);
    mem_write(notify, 0, 2);
    pci_board_unplug(dev);
    pci_board_poll();
    g_assert_cmpuint(mem_result(BAR, 4), !=, MEMTX_OK);
    setup();
}

static void test_random_register_accesses_are_harmless(void)
{
    setup();
    enable_msix(3);
    for (int i = 0; i < 30000; i++) {
        unsigned len = 1 << g_test_rand_int_range(0, 3);
        uint64_t addr = BAR + g_test_rand_int_range(0, 0x4000);

        if (g_test_rand_int_range(0, 2)) {
            addr = common + g_test_rand_int_range(0, 64);
        }
        if (g_test_rand_int_range(0, 3)) {
            mem_write(addr, g_test_rand_int(), len);
        } else {
            mem_read(addr, len);
        }
    }
    pci_board_poll();
    set_status(0);
    assert_is_reset();
    start(VIRTIO_MSI_NO_VECTOR);
    offer();
    kick();
    g_assert_cmpuint(vring_used_idx(&ring), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-pci-run/interrupt/pin",
                    test_interrupt_by_pin_until_isr_is_read);
    g_test_add_func("/virtio-pci-run/interrupt/vector", test_interrupt_by_vector);
    g_test_add_func("/virtio-pci-run/interrupt/wrong-vector",
                    test_vector_that_is_none_is_refused);
    g_test_add_func("/virtio-pci-run/kick/ioeventfd",
                    test_kick_by_ioeventfd_and_without);
    g_test_add_func("/virtio-pci-run/kick/nothing",
                    test_kicks_of_nothing_are_harmless);
    g_test_add_func("/virtio-pci-run/dma/bus-master",
                    test_no_dma_without_bus_mastering);
    g_test_add_func("/virtio-pci-run/dma/iommu-platform",
                    test_iommu_platform_goes_through_the_bus);
    g_test_add_func("/virtio-pci-run/reset/status-0",
                    test_status_0_resets_the_device);
    g_test_add_func("/virtio-pci-run/reset/system", test_system_reset_resets_both);
    g_test_add_func("/virtio-pci-run/unplug", test_unplug_while_running);
    g_test_add_func("/virtio-pci-run/random",
                    test_random_register_accesses_are_harmless);
    return g_test_run();
}
