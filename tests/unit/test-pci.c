/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI functions: their place on the bus, life, interrupts, DMA and reset. */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/pci/pci_bus.h"
#include "pci-fixture.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "sysemu/reset.h"

static Error *plug_error(PCIDevice *dev)
{
    Error *err = NULL;

    g_assert_false(qdev_realize_and_unref(DEVICE(dev), BUS(pci_board()->bus),
                                          &err));
    g_assert_nonnull(err);
    return err;
}

static void assert_plug_fails(PCIDevice *dev, const char *message)
{
    Error *err = plug_error(dev);

    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

/* --- place --- */

static void test_functions_without_address_get_the_first_free_slots(void)
{
    PCIDevice *a, *b, *c;

    pci_board_clear();
    a = pci_board_plug(TYPE_TEST_PCI, NULL);
    b = pci_board_plug(TYPE_TEST_PCI, "addr=1", NULL);
    c = pci_board_plug(TYPE_TEST_PCI, NULL);
    g_assert_cmpint(a->devfn, ==, PCI_DEVFN(0, 0));
    g_assert_cmpint(b->devfn, ==, PCI_DEVFN(1, 0));
    g_assert_cmpint(c->devfn, ==, PCI_DEVFN(2, 0));
}

static void test_address_names_slot_and_function(void)
{
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=1f.3", NULL);
    g_assert_cmpint(dev->devfn, ==, PCI_DEVFN(31, 3));
    g_assert_true(pci_find_device(pci_board()->bus, 0, 0xfb) == dev);
    g_assert_null(pci_find_device(pci_board()->bus, 1, 0xfb));
}

static void test_wrong_addresses_are_refused(void)
{
    static const char *const wrong[] = { "20", "3.8", "-2", "x", "1.1.1", "" };
    PCIDevice *dev = pci_board_new(TYPE_TEST_PCI, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *err = NULL;

        object_property_parse(OBJECT(dev), "addr", wrong[i], &err);
        g_assert_nonnull(err);
        error_free(err);
    }
    object_unref(dev);
}

static void test_slot_in_use_is_refused_with_both_names(void)
{
    pci_board_clear();
    pci_board_plug(TYPE_TEST_PCI, "addr=3", NULL);
    assert_plug_fails(pci_board_new(TYPE_TEST_PCIE, "addr=3", NULL),
                      "PCI: slot 3 function 0 not available for test-pcie, in "
                      "use by test-pci");
}

static void test_full_bus_is_refused(void)
{
    pci_board_clear();
    for (int i = 0; i < PCI_SLOT_MAX; i++) {
        pci_board_plug(TYPE_TEST_PCI, NULL);
    }
    assert_plug_fails(pci_board_new(TYPE_TEST_PCI, NULL),
                      "PCI: no slot available for test-pci, all of bus pcie.0 "
                      "are in use");
}

static void test_functions_of_a_slot_need_multifunction(void)
{
    PCIDevice *f0;

    pci_board_clear();
    pci_board_plug(TYPE_TEST_PCI, "addr=4", NULL);
    error_free(plug_error(pci_board_new(TYPE_TEST_PCI, "addr=4.1", NULL)));

    pci_board_plug(TYPE_TEST_PCI, "addr=5.1", NULL);
    error_free(plug_error(pci_board_new(TYPE_TEST_PCI, "addr=5", NULL)));

    f0 = pci_board_plug(TYPE_TEST_PCI, "addr=5", "multifunction=on", NULL);
    pci_board_plug(TYPE_TEST_PCI, "addr=5.7", NULL);
    g_assert_cmphex(cfg_read(f0, PCI_HEADER_TYPE, 1), ==, 0x80);
}

/* --- life --- */

static void test_failed_realize_leaves_no_trace(void)
{
    PCIBoard *b = pci_board();

    pci_board_clear();
    assert_plug_fails(pci_board_new(TYPE_TEST_PCI, "addr=6", "fail-realize=1",
                                    NULL), "told to fail");
    g_assert_null(b->bus->devices[PCI_DEVFN(6, 0)]);
    pci_board_plug(TYPE_TEST_PCI, "addr=6", NULL);
}

static void test_unplug_unmaps_and_frees_the_slot(void)
{
    PCIBoard *b = pci_board();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=7", NULL);
    pci_board_map_bar(dev, 3, 0xc0000000);
    pci_irq_assert(dev);
    object_ref(dev);
    pci_board_unplug(dev);

    g_assert_cmphex(mem_result(0xc0000000, 1), !=, MEMTX_OK);
    g_assert_cmpint(b->level[pci_swizzle_map_irq_fn(dev, 0)], ==, 0);
    g_assert_cmphex(ecam_read(PCI_DEVFN(7, 0), 0, 4), ==, UINT32_MAX);
    g_assert_cmpint(TEST_PCI(dev)->exits, ==, 1);
    object_unref(dev);
    pci_board_plug(TYPE_TEST_PCI, "addr=7", NULL);
}

static void test_system_reset_resets_model_then_header(void)
{
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    pci_board_map_bar(dev, 3, 0xc0000000);
    cfg_write(dev, PCI_INTERRUPT_LINE, 11, 1);
    pci_irq_assert(dev);
    qemu_devices_reset();

    g_assert_cmpuint(TEST_PCI(dev)->resets, ==, 1);
    g_assert_cmphex(cfg_read(dev, PCI_COMMAND, 4), ==, 0);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_3, 4), ==, 0);
    g_assert_cmphex(cfg_read(dev, PCI_INTERRUPT_LINE, 1), ==, 0);
    g_assert_cmphex(mem_result(0xc0000000, 1), !=, MEMTX_OK);
    g_assert_cmpint(pci_board()->level[0], ==, 0);
}

/* --- interrupts --- */

static void test_pins_rotate_over_slots(void)
{
    PCIBoard *b = pci_board();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=6", NULL);
    pci_irq_assert(dev);
    g_assert_cmpint(b->level[2], ==, 1);
    g_assert_cmpint(pci_device_route_intx_to_irq(dev, 0).irq, ==,
                    TEST_IRQ_BASE + 2);
    g_assert_cmpint(pci_device_route_intx_to_irq(dev, 3).irq, ==,
                    TEST_IRQ_BASE + 1);
    pci_irq_deassert(dev);
    g_assert_cmpint(b->level[2], ==, 0);
}

static void test_shared_input_is_low_when_all_let_go(void)
{
    PCIBoard *b = pci_board();
    PCIDevice *x, *y;

    pci_board_clear();
    x = pci_board_plug(TYPE_TEST_PCI, "addr=1", NULL);
    y = pci_board_plug(TYPE_TEST_PCI, "addr=5", NULL);
    pci_irq_assert(x);
    pci_irq_assert(x);
    pci_irq_assert(y);
    pci_irq_deassert(x);
    g_assert_cmpint(b->level[1], ==, 1);
    g_assert_cmpint(b->bus->irq_count[1], ==, 1);
    pci_irq_deassert(y);
    g_assert_cmpint(b->level[1], ==, 0);
}

static void test_disabled_intx_shows_in_status_only(void)
{
    PCIBoard *b = pci_board();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=0", NULL);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
    pci_irq_assert(dev);
    g_assert_cmpint(b->level[0], ==, 0);
    g_assert_true(cfg_read(dev, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);

    cfg_write(dev, PCI_COMMAND, 0, 2);
    g_assert_cmpint(b->level[0], ==, 1);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
    g_assert_cmpint(b->level[0], ==, 0);

    pci_irq_deassert(dev);
    g_assert_false(cfg_read(dev, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    cfg_write(dev, PCI_COMMAND, 0, 2);
    g_assert_cmpint(b->level[0], ==, 0);
}

/* --- DMA --- */

static MemTxResult dma_read(PCIDevice *dev, uint64_t addr, uint32_t *val)
{
    MemTxResult res;

    *val = address_space_ldl_le(pci_get_address_space(dev), addr,
                                MEMTXATTRS_UNSPECIFIED, &res);
    return res;
}

static void test_dma_needs_bus_mastering(void)
{
    PCIDevice *dev;
    uint32_t val;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    mem_write(0x1000, 0xcafe, 4);
    g_assert_cmpuint(dma_read(dev, 0x1000, &val), !=, MEMTX_OK);

    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    g_assert_cmpuint(dma_read(dev, 0x1000, &val), ==, MEMTX_OK);
    g_assert_cmphex(val, ==, 0xcafe);

    cfg_write(dev, PCI_COMMAND, 0, 2);
    g_assert_cmpuint(dma_read(dev, 0x1000, &val), !=, MEMTX_OK);
}

/* --- host bridge --- */

static void test_nobody_reads_as_ones(void)
{
    PCIBoard *b = pci_board();

    pci_board_clear();
    g_assert_cmphex(pci_data_read(b->bus, 0x1800, 4), ==, UINT32_MAX);
    g_assert_cmphex(pci_data_read(b->bus, 0x1800, 2), ==, UINT16_MAX);
    g_assert_cmphex(pci_data_read(b->bus, 0x1800, 1), ==, UINT8_MAX);
    pci_data_write(b->bus, 0x1800, 1, 4);
    g_assert_cmphex(ecam_read(PCI_DEVFN(3, 0), 0, 2), ==, UINT16_MAX);
    ecam_write(PCI_DEVFN(3, 0), 0, 1, 2);
}

static void test_data_window_needs_the_enable_bit(void)
{
    PCIDevice *dev;
    uint32_t val;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=0", NULL);
    g_assert_cmphex(cfg_read(dev, PCI_VENDOR_ID, 4), ==, 0x56781234);
    address_space_stl_le(&address_space_io, 0xcf8, 0, MEMTXATTRS_UNSPECIFIED,
                         NULL);
    val = address_space_ldl_le(&address_space_io, 0xcfc,
                               MEMTXATTRS_UNSPECIFIED, NULL);
    g_assert_cmphex(val, ==, UINT32_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/place/first-free-slot",
                    test_functions_without_address_get_the_first_free_slots);
    g_test_add_func("/pci/place/addr", test_address_names_slot_and_function);
    g_test_add_func("/pci/place/wrong-addr", test_wrong_addresses_are_refused);
    g_test_add_func("/pci/place/in-use",
                    test_slot_in_use_is_refused_with_both_names);
    g_test_add_func("/pci/place/full", test_full_bus_is_refused);
    g_test_add_func("/pci/place/multifunction",
                    test_functions_of_a_slot_need_multifunction);
    g_test_add_func("/pci/life/failed-realize",
                    test_failed_realize_leaves_no_trace);
    g_test_add_func("/pci/life/unplug", test_unplug_unmaps_and_frees_the_slot);
    g_test_add_func("/pci/life/system-reset",
                    test_system_reset_resets_model_then_header);
    g_test_add_func("/pci/irq/swizzle", test_pins_rotate_over_slots);
    g_test_add_func("/pci/irq/shared",
                    test_shared_input_is_low_when_all_let_go);
    g_test_add_func("/pci/irq/disable",
                    test_disabled_intx_shows_in_status_only);
    g_test_add_func("/pci/dma/bus-master", test_dma_needs_bus_mastering);
    g_test_add_func("/pci/host/nobody", test_nobody_reads_as_ones);
    g_test_add_func("/pci/host/enable-bit",
                    test_data_window_needs_the_enable_bit);
    return g_test_run();
}
