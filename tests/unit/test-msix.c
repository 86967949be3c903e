/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI and MSI-X: what is sent, what is pending, who is told. */
#include "qemu/osdep.h"

#include "hw/pci/msix.h"
#include "pci-fixture.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define BAR_NR 5
#define BAR_BASE 0xc0000000ULL
#define NR 5
#define PBA (BAR_BASE + 0x800)

static PCIDevice *dev;

static void setup(void)
{
    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=2", NULL);
    msix_init_exclusive_bar(dev, NR, BAR_NR, &error_abort);
    pci_board_map_bar(dev, BAR_NR, BAR_BASE);
}

static void teardown(void)
{
    msix_uninit_exclusive_bar(dev);
    pci_board_unplug(dev);
}

static void set_control(uint16_t flags)
{
    cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS, flags, 2);
}

static void set_entry(unsigned v, uint32_t data, bool masked)
{
    uint64_t entry = BAR_BASE + v * PCI_MSIX_ENTRY_SIZE;

    mem_write(entry + PCI_MSIX_ENTRY_LOWER_ADDR, TEST_MSI_BASE, 4);
    mem_write(entry + PCI_MSIX_ENTRY_UPPER_ADDR, 0, 4);
    mem_write(entry + PCI_MSIX_ENTRY_DATA, data, 4);
    mem_write(entry + PCI_MSIX_ENTRY_VECTOR_CTRL, masked, 4);
}

/* --- MSI --- */

static void msi_setup(bool masks)
{
    uint8_t cap;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=2", NULL);
    msi_init(dev, 0x60, 4, true, masks, &error_abort);
    cap = dev->msi_cap;
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    cfg_write(dev, cap + PCI_MSI_ADDRESS_LO, TEST_MSI_BASE, 4);
    cfg_write(dev, cap + PCI_MSI_ADDRESS_HI, 0, 4);
    cfg_write(dev, cap + PCI_MSI_DATA_64, 0x40, 2);
}

static void test_msi_is_sent_with_the_vector_in_its_data(void)
{
    PCIBoard *b = pci_board();

    msi_setup(false);
    msi_notify(dev, 0);
    g_assert_cmpuint(b->nr_msis, ==, 0);
    cfg_write(dev, 0x60 + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 2 << 4, 2);
    g_assert_cmpuint(msi_nr_vectors_allocated(dev), ==, 4);
    msi_notify(dev, 3);
    g_assert_cmpuint(b->nr_msis, ==, 1);
    g_assert_cmphex(b->last_msi.address, ==, TEST_MSI_BASE);
    g_assert_cmphex(b->last_msi.data, ==, 0x43);
    msi_uninit(dev);
}

static void test_msi_never_allocates_more_than_offered(void)
{
    msi_setup(false);
    cfg_write(dev, 0x60 + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 7 << 4, 2);
    g_assert_cmpuint(msi_nr_vectors_allocated(dev), ==, 4);
    msi_uninit(dev);
}

static void test_masked_msi_waits(void)
{
    PCIBoard *b = pci_board();

    msi_setup(true);
    cfg_write(dev, 0x60 + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 2 << 4, 2);
    cfg_write(dev, 0x60 + PCI_MSI_MASK_64, 1 << 1, 4);
    msi_notify(dev, 1);
    g_assert_cmpuint(b->nr_msis, ==, 0);
    g_assert_cmphex(cfg_read(dev, 0x60 + PCI_MSI_PENDING_64, 4), ==, 1 << 1);
    cfg_write(dev, 0x60 + PCI_MSI_MASK_64, 0, 4);
    g_assert_cmpuint(b->nr_msis, ==, 1);
    g_assert_cmphex(b->last_msi.data, ==, 0x41);
    g_assert_cmphex(cfg_read(dev, 0x60 + PCI_MSI_PENDING_64, 4), ==, 0);
    msi_uninit(dev);
}

static void test_msi_takes_the_place_of_the_pin(void)
{
    PCIBoard *b = pci_board();

    msi_setup(false);
    pci_irq_assert(dev);
    g_assert_cmpint(b->level[2], ==, 1);
    cfg_write(dev, 0x60 + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 2);
    g_assert_cmpint(b->level[2], ==, 0);
    msi_uninit(dev);
}

/* --- MSI-X --- */

static void test_msix_is_sent_if_used_enabled_unmasked(void)
{
    PCIBoard *b = pci_board();

    setup();
    set_entry(2, 0x32, false);
    msix_notify(dev, 2);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    msix_notify(dev, 2);
    g_assert_cmpuint(b->nr_msis, ==, 0);
    g_assert_cmpint(msix_vector_use(dev, 2), ==, 0);
    msix_notify(dev, 2);
    g_assert_cmpuint(b->nr_msis, ==, 1);
    g_assert_cmphex(b->last_msi.data, ==, 0x32);
    teardown();
}

static void test_msix_without_bus_mastering_is_lost(void)
{
    PCIBoard *b = pci_board();

    setup();
    set_entry(0, 0x30, false);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    msix_vector_use(dev, 0);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msix_notify(dev, 0);
    g_assert_cmpuint(b->nr_msis, ==, 0);
    teardown();
}

static void test_masked_msix_waits(void)
{
    PCIBoard *b = pci_board();

    setup();
    set_entry(1, 0x31, true);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    msix_vector_use(dev, 1);
    msix_notify(dev, 1);
    g_assert_cmphex(mem_read(PBA, 4), ==, 1 << 1);
    g_assert_cmpuint(b->nr_msis, ==, 0);
    set_entry(1, 0x31, false);
    g_assert_cmpuint(b->nr_msis, ==, 1);
    g_assert_cmphex(mem_read(PBA, 4), ==, 0);
    teardown();
}

static void test_function_mask_holds_back_all(void)
{
    PCIBoard *b = pci_board();

    setup();
    for (unsigned v = 0; v < NR; v++) {
        set_entry(v, 0x30 + v, v == 3);
        msix_vector_use(dev, v);
    }
    set_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    for (unsigned v = 0; v < NR; v++) {
        msix_notify(dev, v);
    }
    g_assert_cmphex(mem_read(PBA, 4), ==, 0x1f);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmpuint(b->nr_msis, ==, NR - 1);
    g_assert_cmphex(mem_read(PBA, 4), ==, 1 << 3);
    teardown();
}

static void test_wrong_vectors_are_refused(void)
{
    setup();
    g_assert_cmpint(msix_vector_use(dev, NR), ==, -EINVAL);
    msix_vector_unuse(dev, NR);
    msix_notify(dev, NR);
    msix_notify(dev, 0xffff);
    teardown();
}

static void test_reset_masks_and_forgets(void)
{
    setup();
    set_entry(1, 0x31, false);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    msix_reset(dev);
    g_assert_false(msix_enabled(dev));
    g_assert_true(msix_is_masked(dev, 1));
    g_assert_cmphex(mem_read(BAR_BASE + 16, 4), ==, 0);
    g_assert_cmphex(mem_read(BAR_BASE + 28, 4), ==, 1);
    teardown();
}

static void test_layouts_that_cannot_be_are_refused(void)
{
    static const struct {
        unsigned n, table_bar, table, pba_bar, pba;
    } wrong[] = {
        { 0, 4, 0, 4, 0x800 }, { 2049, 4, 0, 4, 0x800 },
        { 8, 6, 0, 4, 0x800 }, { 8, 4, 4, 4, 0x800 },
        { 8, 4, 0xfc0, 4, 0x800 }, { 8, 4, 0, 4, 0x1000 },
        { 8, 4, 0, 4, 0x78 },
    };
    MemoryRegion bar;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    memory_region_init(&bar, NULL, "bar", 4 * KiB);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *err = NULL;

        g_assert_cmpint(msix_init(dev, wrong[i].n, &bar, wrong[i].table_bar,
                                  wrong[i].table, &bar, wrong[i].pba_bar,
                                  wrong[i].pba, 0, &err), ==, -EINVAL);
        error_free_or_abort(&err);
    }
    g_assert_false(msix_present(dev));
    object_unref(&bar);
}

/* --- notifiers --- */

static GString *told;
static unsigned refuse_vector = UINT_MAX;

static int on_use(PCIDevice *d, unsigned int vector, MSIMessage msg)
{
    if (vector == refuse_vector) {
        return -ENOSPC;
    }
    g_string_append_printf(told, "+%u:%x ", vector, msg.data);
    return 0;
}

static void on_release(PCIDevice *d, unsigned int vector)
{
    g_string_append_printf(told, "-%u ", vector);
}

static void on_poll(PCIDevice *d, unsigned int start, unsigned int end)
{
    g_string_append_printf(told, "?%u-%u ", start, end);
    msix_set_pending(d, 4);
}

static void assert_told(const char *expected)
{
    g_assert_cmpstr(told->str, ==, expected);
    g_string_truncate(told, 0);
}

static void notifier_setup(void)
{
    setup();
    told = g_string_new(NULL);
    refuse_vector = UINT_MAX;
    set_entry(0, 0x30, false);
    set_entry(2, 0x32, false);
    set_control(PCI_MSIX_FLAGS_ENABLE);
}

static void notifier_teardown(void)
{
    g_string_free(told, true);
    teardown();
}

static void test_notifiers_follow_what_is_deliverable(void)
{
    notifier_setup();
    g_assert_cmpint(msix_set_vector_notifiers(dev, on_use, on_release, NULL),
                    ==, 0);
    assert_told("+0:30 +2:32 ");
    /* Written while it is not masked. */
    set_entry(2, 0x42, true);
    assert_told("+2:42 -2 ");
    set_entry(2, 0x52, false);
    assert_told("+2:52 ");
    set_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    assert_told("-0 -2 ");
    set_entry(3, 0x33, false);
    assert_told("");
    set_control(PCI_MSIX_FLAGS_ENABLE);
    assert_told("+0:30 +2:52 +3:33 ");
    set_control(0);
    assert_told("-0 -2 -3 ");
    set_control(PCI_MSIX_FLAGS_ENABLE);
    assert_told("+0:30 +2:52 +3:33 ");
    msix_unset_vector_notifiers(dev);
    assert_told("-3 -2 -0 ");
    set_entry(0, 0x30, true);
    assert_told("");
    notifier_teardown();
}

static void test_refused_notifier_is_undone(void)
{
    notifier_setup();
    refuse_vector = 2;
    g_assert_cmpint(msix_set_vector_notifiers(dev, on_use, on_release, NULL),
                    ==, -ENOSPC);
    assert_told("+0:30 -0 ");
    set_entry(0, 0x30, true);
    assert_told("");
    notifier_teardown();
}

static void test_poll_notifier_sets_pending_bits_when_looked_at(void)
{
    notifier_setup();
    msix_set_vector_notifiers(dev, on_use, on_release, on_poll);
    assert_told("+0:30 +2:32 ?0-5 ");
    msix_clr_pending(dev, 4);
    g_assert_cmphex(mem_read(PBA, 4), ==, 1 << 4);
    assert_told("?0-5 ");
    msix_unset_vector_notifiers(dev);
    notifier_teardown();
}

static void test_big_table_has_room(void)
{
    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    msix_init_exclusive_bar(dev, PCI_MSIX_VECTORS_MAX, BAR_NR, &error_abort);
    pci_board_map_bar(dev, BAR_NR, BAR_BASE);
    set_entry(2047, 0x7f, true);
    set_control(PCI_MSIX_FLAGS_ENABLE);
    msix_vector_use(dev, 2047);
    msix_notify(dev, 2047);
    g_assert_cmphex(mem_read(BAR_BASE + 2048 * 16 + 2048 / 8 - 4, 4), ==,
                    1U << 31);
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msi/sent", test_msi_is_sent_with_the_vector_in_its_data);
    g_test_add_func("/msi/allocated",
                    test_msi_never_allocates_more_than_offered);
    g_test_add_func("/msi/masked", test_masked_msi_waits);
    g_test_add_func("/msi/instead-of-pin", test_msi_takes_the_place_of_the_pin);
    g_test_add_func("/msix/sent", test_msix_is_sent_if_used_enabled_unmasked);
    g_test_add_func("/msix/bus-master",
                    test_msix_without_bus_mastering_is_lost);
    g_test_add_func("/msix/masked", test_masked_msix_waits);
    g_test_add_func("/msix/function-mask", test_function_mask_holds_back_all);
    g_test_add_func("/msix/wrong-vector", test_wrong_vectors_are_refused);
    g_test_add_func("/msix/reset", test_reset_masks_and_forgets);
    g_test_add_func("/msix/layout", test_layouts_that_cannot_be_are_refused);
    g_test_add_func("/msix/big-table", test_big_table_has_room);
    g_test_add_func("/msix/notifiers/follow",
                    test_notifiers_follow_what_is_deliverable);
    g_test_add_func("/msix/notifiers/refused", test_refused_notifier_is_undone);
    g_test_add_func("/msix/notifiers/poll",
                    test_poll_notifier_sets_pending_bits_when_looked_at);
    return g_test_run();
}
