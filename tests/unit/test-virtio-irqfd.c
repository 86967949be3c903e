/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of queues that somebody else processes: that KVM raises them by itself
 * while the guest lets them through, and that none is lost when it does not. The
 * other one is the test, KVM is fake-kvm.c.
 */
#include "qemu/osdep.h"

#include "fake-kvm.h"
#include "hw/virtio/virtqueue-internal.h"
#include "sysemu/reset.h"
#include "virtio-pci-test.h"

#define VECTORS 3                         /* one for configuration changes */

static EventNotifier *call_of(unsigned n)
{
    return &virtio_get_queue(VIRTIO_DEVICE(echo), n)->guest_notifier;
}

static void call(unsigned n)
{
    g_assert_cmpint(event_notifier_set(call_of(n)), ==, 0);
}

static void delegate(unsigned n)
{
    int kick_fd, call_fd;

    g_assert_cmpint(virtio_queue_delegate(
                        virtio_get_queue(VIRTIO_DEVICE(echo), n), &kick_fd,
                        &call_fd), ==, 0);
    g_assert_cmpint(call_fd, ==, event_notifier_get_fd(call_of(n)));
    g_assert_cmpint(kick_fd, >=, 0);
}

static void undelegate(unsigned n)
{
    virtio_queue_undelegate(virtio_get_queue(VIRTIO_DEVICE(echo), n));
}

/* The device runs; queue n has vector n + 1, which are all unmasked. */
static void begin(void)
{
    setup();
    fake_kvm.refuse_irqfd = false;
    enable_msix(VECTORS);
    g_assert_true(negotiate(VERSION_1));
    for (unsigned n = 0; n < ECHO_QUEUES; n++) {
        setup_queue(n, n + 1);
    }
    set_status(get_status() | VIRTIO_CONFIG_S_DRIVER_OK);
    for (unsigned n = 0; n < ECHO_QUEUES; n++) {
        delegate(n);
    }
}

static void end(void)
{
    for (unsigned n = 0; n < ECHO_QUEUES; n++) {
        undelegate(n);
    }
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 0);
    g_assert_cmpuint(fake_kvm.nr_routes, ==, 0);
}

static void write_entry(unsigned vector, unsigned offset, uint32_t val)
{
    mem_write(MSIX_BAR + vector * PCI_MSIX_ENTRY_SIZE + offset, val, 4);
}

static void set_masked(unsigned vector, bool masked)
{
    write_entry(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, masked);
}

static bool is_pending(unsigned vector)
{
    return mem_read(MSIX_BAR + 0x800, 4) & 1 << vector;
}

/* KVM raises @data for queue @n; nothing is left to the main loop. */
static void assert_by_kvm(unsigned n, uint32_t data)
{
    unsigned msis = pci_board()->nr_msis;
    MSIMessage msg;

    g_assert_true(fake_kvm_message(call_of(n), &msg));
    g_assert_cmphex(msg.address, ==, TEST_MSI_BASE);
    g_assert_cmphex(msg.data, ==, data);
    fake_kvm_run();
    call(n);
    pci_board_poll();
    g_assert_cmpuint(fake_kvm_run(), ==, 1);
    g_assert_cmpuint(pci_board()->nr_msis, ==, msis);
}

/* The main loop sends @data for queue @n. */
static void assert_by_main_loop(unsigned n, uint32_t data)
{
    PCIBoard *b = pci_board();
    unsigned msis;
    MSIMessage msg;

    pci_board_poll();
    msis = b->nr_msis;
    g_assert_false(fake_kvm_message(call_of(n), &msg));
    call(n);
    pci_board_poll();
    g_assert_cmpuint(b->nr_msis, ==, msis + 1);
    g_assert_cmphex(b->last_msi.data, ==, data);
}

/* --- tests --- */

static void test_kvm_raises_them(void)
{
    begin();
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, ECHO_QUEUES);
    /* Whoever begins has the driver look once. */
    g_assert_cmpuint(fake_kvm_run(), ==, ECHO_QUEUES);
    assert_by_kvm(0, 0x51);
    assert_by_kvm(1, 0x52);
    end();
}

static void test_masked_ones_are_pending(void)
{
    PCIBoard *b = pci_board();
    unsigned msis;

    begin();
    fake_kvm_run();
    set_masked(1, true);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, ECHO_QUEUES - 1);
    g_assert_false(is_pending(1));
    msis = b->nr_msis;
    call(0);
    /* Seen by a driver that looks before the main loop has. */
    g_assert_true(is_pending(1));
    pci_board_poll();
    g_assert_cmpuint(b->nr_msis, ==, msis);

    set_masked(1, false);
    g_assert_false(is_pending(1));
    g_assert_cmpuint(b->nr_msis, ==, msis + 1);
    g_assert_cmphex(b->last_msi.data, ==, 0x51);
    assert_by_kvm(0, 0x51);
    end();
}

/* Signalled while masked, and not looked at by anybody: KVM finds it. */
static void test_none_is_lost_between_the_two(void)
{
    begin();
    fake_kvm_run();
    set_masked(1, true);
    call(0);
    set_masked(1, false);
    g_assert_cmpuint(fake_kvm_run(), ==, 1);
    end();
}

static void test_function_mask(void)
{
    begin();
    cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS,
              PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 0);
    cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, ECHO_QUEUES);
    assert_by_kvm(1, 0x52);
    end();
}

static void test_the_pin_is_the_main_loops(void)
{
    begin();
    cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS, 0, 2);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 0);
    pci_board_poll();
    mem_read(isr, 1);
    call(0);
    pci_board_poll();
    g_assert_cmphex(mem_read(isr, 1), ==, VIRTIO_ISR_QUEUE);
    end();
}

static void test_message_written_while_masked(void)
{
    unsigned commits;

    begin();
    commits = fake_kvm.commits;
    set_masked(1, true);
    write_entry(1, PCI_MSIX_ENTRY_DATA, 0x77);
    g_assert_cmpuint(fake_kvm.commits, ==, commits);
    set_masked(1, false);
    g_assert_cmpuint(fake_kvm.commits, ==, commits + 1);
    assert_by_kvm(0, 0x77);
    /* Masked and unmasked again as it is: the kernel is told nothing. */
    set_masked(1, true);
    set_masked(1, false);
    g_assert_cmpuint(fake_kvm.commits, ==, commits + 1);
    end();
}

static void test_message_written_while_unmasked(void)
{
    begin();
    write_entry(1, PCI_MSIX_ENTRY_DATA, 0x78);
    assert_by_kvm(0, 0x78);
    assert_by_kvm(1, 0x52);
    end();
}

static void test_another_vector(void)
{
    begin();
    mem_write(common + VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
    mem_write(common + VIRTIO_PCI_COMMON_Q_MSIX, 2, 2);
    assert_by_kvm(0, 0x52);
    /* Two queues that share one follow it both. */
    set_masked(2, true);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 0);
    set_masked(2, false);
    assert_by_kvm(0, 0x52);
    assert_by_kvm(1, 0x52);
    mem_write(common + VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR, 2);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 1);
    end();
}

static void test_kvm_refuses(void)
{
    begin();
    set_masked(1, true);
    fake_kvm.refuse_irqfd = true;
    set_masked(1, false);
    assert_by_main_loop(0, 0x51);
    assert_by_kvm(1, 0x52);
    end();
}

static void test_no_route_is_left(void)
{
    int taken[FAKE_KVM_GSIS], n = 0;

    while ((taken[n] = kvm_irqchip_add_msi_route(NULL, (MSIMessage) { })) >= 0) {
        n++;
    }
    begin();
    assert_by_main_loop(0, 0x51);
    /* There is one again: the next unmasking finds it. */
    kvm_irqchip_release_virq(NULL, taken[--n]);
    set_masked(1, true);
    set_masked(1, false);
    assert_by_kvm(0, 0x51);
    while (n) {
        kvm_irqchip_release_virq(NULL, taken[--n]);
    }
    end();
}

static void test_without_kvm(void)
{
    kvm_irqfds_allowed = false;
    begin();
    assert_by_main_loop(0, 0x51);
    set_masked(1, true);
    call(0);
    g_assert_true(is_pending(1));
    set_masked(1, false);
    assert_by_main_loop(1, 0x52);
    end();
    kvm_irqfds_allowed = true;
}

static void test_vectors_of_nobody(void)
{
    begin();
    end();
    /* Its use is over: the vectors are the device's as before. */
    set_masked(1, true);
    set_masked(1, false);
    g_assert_cmpuint(fake_kvm.nr_irqfds, ==, 0);
    delegate(1);
    assert_by_kvm(1, 0x52);
    undelegate(1);
    set_status(0);
    assert_is_reset();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add_func("/virtio-irqfd/" name, fn)
    ADD("kvm-raises-them", test_kvm_raises_them);
    ADD("masked-ones-are-pending", test_masked_ones_are_pending);
    ADD("none-is-lost-between-the-two", test_none_is_lost_between_the_two);
    ADD("function-mask", test_function_mask);
    ADD("the-pin-is-the-main-loops", test_the_pin_is_the_main_loops);
    ADD("message-written-while-masked", test_message_written_while_masked);
    ADD("message-written-while-unmasked", test_message_written_while_unmasked);
    ADD("another-vector", test_another_vector);
    ADD("kvm-refuses", test_kvm_refuses);
    ADD("no-route-is-left", test_no_route_is_left);
    ADD("without-kvm", test_without_kvm);
    ADD("vectors-of-nobody", test_vectors_of_nobody);
    return g_test_run();
}
