/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space: masks, BARs, capabilities, and a guest that writes
 * anything anywhere. */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "pci-fixture.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define MMIO_BASE 0xc0000000ULL
#define HIGH_BASE 0x8000000000ULL

static PCIDevice *fresh(const char *type)
{
    pci_board_clear();
    return pci_board_plug(type, "addr=2", NULL);
}

/* --- masks --- */

static void test_identity_is_read_only(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    cfg_write(dev, PCI_VENDOR_ID, 0, 4);
    cfg_write(dev, PCI_CLASS_REVISION, 0, 4);
    g_assert_cmphex(cfg_read(dev, PCI_VENDOR_ID, 4), ==, 0x56781234);
    g_assert_cmphex(cfg_read(dev, PCI_CLASS_REVISION, 4), ==, 0x0580009a);
    g_assert_cmphex(cfg_read(dev, PCI_SUBSYSTEM_VENDOR_ID, 4), ==, 0x11001af4);
}

static void test_write_one_clears(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    pci_set_word(dev->config + PCI_STATUS, PCI_STATUS_DETECTED_PARITY |
                                           PCI_STATUS_SIG_SYSTEM_ERROR);
    pci_set_word(dev->w1cmask + PCI_STATUS, PCI_STATUS_DETECTED_PARITY |
                                            PCI_STATUS_SIG_SYSTEM_ERROR);
    cfg_write(dev, PCI_STATUS, PCI_STATUS_DETECTED_PARITY, 2);
    g_assert_cmphex(cfg_read(dev, PCI_STATUS, 2), ==,
                    PCI_STATUS_SIG_SYSTEM_ERROR);
}

static void test_narrow_and_odd_accesses_touch_only_their_bytes(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    cfg_write(dev, PCI_BASE_ADDRESS_3, 0x12345678, 4);
    cfg_write(dev, PCI_BASE_ADDRESS_3 + 3, 0xab, 1);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_3, 4), ==, 0xab340000);
    dev->config_write(dev, PCI_BASE_ADDRESS_3 + 2, 0xcdef, 2);
    g_assert_cmphex(dev->config_read(dev, PCI_BASE_ADDRESS_3 + 1, 3), ==,
                    0xcdef00);
}

static void test_accesses_beyond_the_end_are_harmless(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    g_assert_cmphex(pci_default_read_config(dev, 0xfe, 4), ==, 0xffff0000);
    g_assert_cmphex(pci_default_read_config(dev, 0x100, 4), ==, UINT32_MAX);
    g_assert_cmphex(pci_default_read_config(dev, UINT32_MAX, 4), ==,
                    UINT32_MAX);
    pci_default_write_config(dev, 0xfe, 0, 4);
    pci_default_write_config(dev, UINT32_MAX, 0, 4);
    g_assert_cmphex(ecam_read(PCI_DEVFN(2, 0), 0x100, 4), ==, UINT32_MAX);
    ecam_write(PCI_DEVFN(2, 0), 0xffc, 0, 4);
}

/* --- BARs --- */

static void test_bar_tells_its_size(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    cfg_write(dev, PCI_BASE_ADDRESS_0, UINT32_MAX, 4);
    cfg_write(dev, PCI_BASE_ADDRESS_1, UINT32_MAX, 4);
    cfg_write(dev, PCI_BASE_ADDRESS_2, UINT32_MAX, 4);
    cfg_write(dev, PCI_BASE_ADDRESS_3, UINT32_MAX, 4);
    cfg_write(dev, PCI_BASE_ADDRESS_4, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_0, 4), ==, 0xfffff00c);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_1, 4), ==, 0xffffffff);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_2, 4), ==, 0xffffffc1);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_3, 4), ==, 0xffff0000);
    g_assert_cmphex(cfg_read(dev, PCI_BASE_ADDRESS_4, 4), ==, 0);
}

static void test_memory_bar_decodes_while_enabled(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    TEST_PCI(dev)->reg[5] = 0x77;
    cfg_write(dev, PCI_BASE_ADDRESS_3, MMIO_BASE, 4);
    g_assert_cmphex(dev->io_regions[3].addr, ==, PCI_BAR_UNMAPPED);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(dev->io_regions[3].addr, ==, MMIO_BASE);
    g_assert_cmphex(mem_read(MMIO_BASE + 5, 1), ==, 0x77);

    cfg_write(dev, PCI_BASE_ADDRESS_3, MMIO_BASE + 64 * KiB, 4);
    g_assert_cmphex(mem_read(MMIO_BASE + 64 * KiB + 5, 1), ==, 0x77);
    g_assert_cmpuint(mem_result(MMIO_BASE + 5, 1), !=, MEMTX_OK);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_IO, 2);
    g_assert_cmpuint(mem_result(MMIO_BASE + 64 * KiB + 5, 1), !=, MEMTX_OK);
}

static void test_64bit_bar_goes_anywhere(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    pci_board_map_bar(dev, 0, HIGH_BASE);
    g_assert_cmphex(dev->io_regions[0].addr, ==, HIGH_BASE);
    cfg_write(dev, PCI_BASE_ADDRESS_1, 0, 4);
    g_assert_cmphex(dev->io_regions[0].addr, ==, PCI_BAR_UNMAPPED);
}

static void test_io_bar_decodes_in_io_space(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    pci_board_map_bar(dev, 2, 0xc000);
    address_space_stb(&address_space_io, 0xc003, 0x42, MEMTXATTRS_UNSPECIFIED,
                      NULL);
    g_assert_cmphex(TEST_PCI(dev)->reg[3], ==, 0x42);
    g_assert_cmphex(mem_read(0xc003, 1), ==, 0);
}

static void test_sizing_with_decoding_on_maps_nothing(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);

    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    for (int i = 0; i < 4; i++) {
        cfg_write(dev, PCI_BASE_ADDRESS_0 + 4 * i, UINT32_MAX, 4);
        g_assert_cmphex(dev->io_regions[0].addr, ==, PCI_BAR_UNMAPPED);
        g_assert_cmphex(dev->io_regions[3].addr, ==, PCI_BAR_UNMAPPED);
    }
}

/* --- capabilities --- */

static void test_capabilities_are_linked_and_unlinked(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);
    int a = pci_add_capability(dev, PCI_CAP_ID_VPD, 0, 8, &error_abort);
    int b = pci_add_capability(dev, PCI_CAP_ID_VNDR, 0x80, 16, &error_abort);

    g_assert_cmphex(a, ==, 0x40);
    g_assert_cmphex(cfg_read(dev, PCI_CAPABILITY_LIST, 1), ==, 0x80);
    g_assert_cmphex(cfg_read(dev, b, 2), ==, 0x4009);
    pci_del_capability(dev, PCI_CAP_ID_VPD, 8);
    g_assert_cmphex(cfg_read(dev, b, 2), ==, 0x0009);
    pci_del_capability(dev, PCI_CAP_ID_VNDR, 16);
    g_assert_false(cfg_read(dev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
}

static void test_capability_that_does_not_fit_is_refused(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCI);
    static const struct { uint8_t offset, size; } wrong[] = {
        { 0x80, 4 }, { 0x7c, 8 }, { 0xfc, 8 }, { 0x3c, 4 }, { 0x91, 4 },
        { 0, 0x90 },
    };

    pci_add_capability(dev, PCI_CAP_ID_VNDR, 0x80, 16, &error_abort);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *err = NULL;

        g_assert_cmpint(pci_add_capability(dev, PCI_CAP_ID_VPD,
                                           wrong[i].offset, wrong[i].size,
                                           &err), ==, -EINVAL);
        error_free_or_abort(&err);
    }
}

/* --- a hostile guest --- */

static void random_access(PCIDevice *dev)
{
    uint32_t val = g_test_rand_int();
    uint16_t offset = g_test_rand_int_range(0, 0x1100);
    unsigned len = 1 << g_test_rand_int_range(0, 3);

    switch (g_test_rand_int_range(0, 5)) {
    case 0:
        cfg_write(dev, offset, val, len);
        break;
    case 1:
        ecam_write(dev->devfn, offset & ~(len - 1), val, len);
        break;
    case 2:
        /* Where it matters most. */
        cfg_write(dev, g_test_rand_int_range(4, 0x40), val, 1);
        break;
    case 3:
        dev->config_write(dev, val, offset, g_test_rand_int_range(1, 5));
        break;
    default:
        dev->config_read(dev, offset, g_test_rand_int_range(1, 5));
        break;
    }
}

static void test_random_writes_keep_identity_and_lists(void)
{
    PCIDevice *dev = fresh(TYPE_TEST_PCIE);
    g_autofree uint8_t *before = NULL;

    msi_init(dev, 0, 8, true, true, &error_abort);
    msix_init_exclusive_bar(dev, 5, 5, &error_abort);
    pcie_cap_init(dev, 0, PCI_EXP_TYPE_RC_END, 0, &error_abort);
    before = g_memdup2(dev->config, pci_config_size(dev));
    for (int i = 0; i < 20000; i++) {
        random_access(dev);
    }
    for (uint32_t i = 0; i < pci_config_size(dev); i++) {
        uint8_t fixed = ~(dev->wmask[i] | dev->w1cmask[i]);

        g_assert_cmphex(dev->config[i] & fixed, ==, before[i] & fixed);
    }
    pcie_cap_exit(dev);
    msix_uninit_exclusive_bar(dev);
    msi_uninit(dev);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci-config/masks/identity", test_identity_is_read_only);
    g_test_add_func("/pci-config/masks/w1c", test_write_one_clears);
    g_test_add_func("/pci-config/masks/widths",
                    test_narrow_and_odd_accesses_touch_only_their_bytes);
    g_test_add_func("/pci-config/masks/beyond-the-end",
                    test_accesses_beyond_the_end_are_harmless);
    g_test_add_func("/pci-config/bar/size", test_bar_tells_its_size);
    g_test_add_func("/pci-config/bar/memory",
                    test_memory_bar_decodes_while_enabled);
    g_test_add_func("/pci-config/bar/64bit", test_64bit_bar_goes_anywhere);
    g_test_add_func("/pci-config/bar/io", test_io_bar_decodes_in_io_space);
    g_test_add_func("/pci-config/bar/sizing",
                    test_sizing_with_decoding_on_maps_nothing);
    g_test_add_func("/pci-config/cap/list",
                    test_capabilities_are_linked_and_unlinked);
    g_test_add_func("/pci-config/cap/refused",
                    test_capability_that_does_not_fit_is_refused);
    g_test_add_func("/pci-config/random",
                    test_random_writes_keep_identity_and_lists);
    return g_test_run();
}
