/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine does to PCI functions in place of firmware. */
#include "qemu/osdep.h"

#include "hw/i386/acpi.h"
#include "hw/i386/pci-setup.h"
#include "hw/pci/pcie_port.h"
#include "pci-fixture.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "sysemu/reset.h"

static X86MemoryMap memory_map(void)
{
    X86MemoryMap map;

    x86_memory_map_init(&map, 16 * MiB, 16 * MiB, 0, 46, &error_abort);
    return map;
}

static void set_up(const X86MemoryMap *map)
{
    pci_setup_bus(pci_board()->bus, map);
}

static uint64_t bar(PCIDevice *dev, int n)
{
    return dev->io_regions[n].addr;
}

static void test_each_bar_gets_an_address_in_its_window(void)
{
    X86MemoryMap map = memory_map();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    set_up(&map);

    g_assert_cmphex(bar(dev, 0), >=, map.pci64_base);
    g_assert_cmphex(bar(dev, 0), <, map.pci64_end);
    g_assert_cmphex(bar(dev, 3), >=, X86_PCI32_BASE);
    g_assert_cmphex(bar(dev, 3), <, X86_PCI32_END);
    g_assert_cmphex(bar(dev, 2), >, 0);
    g_assert_cmphex(bar(dev, 2), <, 0x10000);
    pci_board_unplug(dev);
}

static void test_bars_are_aligned_and_do_not_overlap(void)
{
    static const struct {
        int n;
        uint64_t size;
    } bars[] = { { 0, 4 * KiB }, { 2, 64 }, { 3, 64 * KiB } };
    X86MemoryMap map = memory_map();
    PCIDevice *dev[5];

    pci_board_clear();
    for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
        dev[i] = pci_board_plug(TYPE_TEST_PCI, NULL);
    }
    set_up(&map);

    for (unsigned b = 0; b < ARRAY_SIZE(bars); b++) {
        for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
            uint64_t addr = bar(dev[i], bars[b].n);

            g_assert_cmphex(addr, !=, PCI_BAR_UNMAPPED);
            g_assert_cmphex(addr % bars[b].size, ==, 0);
            for (unsigned j = 0; j < i; j++) {
                uint64_t other = bar(dev[j], bars[b].n);

                g_assert_true(addr + bars[b].size <= other ||
                              other + bars[b].size <= addr);
            }
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
        pci_board_unplug(dev[i]);
    }
}

static void test_decoding_is_on_and_dma_is_off(void)
{
    X86MemoryMap map = memory_map();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    set_up(&map);

    g_assert_cmphex(cfg_read(dev, PCI_COMMAND, 2), ==,
                    PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    pci_board_unplug(dev);
}

static void test_interrupt_line_is_the_gsi(void)
{
    X86MemoryMap map = memory_map();
    PCIDevice *dev;

    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, "addr=3", NULL);
    pci_config_set_interrupt_pin(dev->config, 2);
    set_up(&map);

    g_assert_cmpuint(cfg_read(dev, PCI_INTERRUPT_LINE, 1), ==,
                     ACPI_PCI_GSI(3, 1));
    g_assert_cmpuint(ACPI_PCI_GSI(3, 1), ==, 20);
    pci_board_unplug(dev);
}

static void test_without_room_above_4g_bars_go_below(void)
{
    X86MemoryMap map = memory_map();
    PCIDevice *dev;

    map.pci64_end = map.pci64_base;
    pci_board_clear();
    dev = pci_board_plug(TYPE_TEST_PCI, NULL);
    set_up(&map);

    g_assert_cmphex(bar(dev, 0), >=, X86_PCI32_BASE);
    g_assert_cmphex(bar(dev, 0), <, X86_PCI32_END);
    pci_board_unplug(dev);
}

static void test_root_port_gets_a_bus_and_windows(void)
{
    X86MemoryMap map = memory_map();
    PCIDevice *port, *dev;
    uint64_t base, limit;

    pci_board_clear();
    port = pci_board_plug(TYPE_PCIE_ROOT_PORT, "addr=3", NULL);
    dev = pci_board_new(TYPE_TEST_PCI, NULL);
    qdev_realize_and_unref(DEVICE(dev), BUS(&PCIE_ROOT_PORT(port)->sec_bus),
                           &error_abort);
    qemu_devices_reset();
    set_up(&map);

    g_assert_cmpuint(cfg_read(port, PCI_SECONDARY_BUS, 1), ==, 1);
    g_assert_cmpuint(cfg_read(port, PCI_SUBORDINATE_BUS, 1), ==, 1);
    base = (uint64_t)cfg_read(port, PCI_MEMORY_BASE, 2) << 16;
    limit = (uint64_t)cfg_read(port, PCI_MEMORY_LIMIT, 2) << 16 | 0xfffff;
    g_assert_cmphex(limit + 1 - base, ==, 2 * MiB);
    g_assert_cmphex(bar(dev, 3), >=, base);
    g_assert_cmphex(bar(dev, 3), <, limit);
    base = (uint64_t)cfg_read(port, PCI_PREF_BASE_UPPER32, 4) << 32 |
           (cfg_read(port, PCI_PREF_MEMORY_BASE, 2) & 0xfff0) << 16;
    limit = (uint64_t)cfg_read(port, PCI_PREF_LIMIT_UPPER32, 4) << 32 |
            (cfg_read(port, PCI_PREF_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
    g_assert_cmphex(base, >=, map.pci64_base);
    g_assert_cmphex(limit + 1 - base, ==, 32 * GiB);
    g_assert_cmphex(bar(dev, 0), >=, base);
    g_assert_cmphex(bar(dev, 0), <, limit);
    /* INTA behind slot 3 is slot 3's INTA. */
    g_assert_cmpuint(dev->config[PCI_INTERRUPT_LINE], ==, ACPI_PCI_GSI(3, 0));
    pci_board_unplug(port);
}

/* Many ports share what there is above 4 GiB, and none goes without. */
static void test_windows_of_many_ports_do_not_overlap(void)
{
    X86MemoryMap map = memory_map();
    uint64_t end = map.pci64_base;

    map.pci64_end = map.pci64_base + 4 * GiB;
    pci_board_clear();
    for (int i = 0; i < 16; i++) {
        g_autofree char *chassis = g_strdup_printf("chassis=%d", i);

        pci_board_plug(TYPE_PCIE_ROOT_PORT, chassis, NULL);
    }
    set_up(&map);
    for (int i = 0; i < 16; i++) {
        PCIDevice *port = pci_board()->bus->devices[PCI_DEVFN(i, 0)];
        uint64_t base = (uint64_t)cfg_read(port, PCI_PREF_BASE_UPPER32, 4)
                        << 32 |
                        (cfg_read(port, PCI_PREF_MEMORY_BASE, 2) & 0xfff0)
                        << 16;

        g_assert_cmpuint(cfg_read(port, PCI_SECONDARY_BUS, 1), ==, i + 1);
        g_assert_cmphex(base, ==, end);
        end = base + 128 * MiB;
    }
    pci_board_clear();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    g_test_add_func("/pci-setup/each-bar-gets-an-address-in-its-window",
                    test_each_bar_gets_an_address_in_its_window);
    g_test_add_func("/pci-setup/bars-are-aligned-and-do-not-overlap",
                    test_bars_are_aligned_and_do_not_overlap);
    g_test_add_func("/pci-setup/decoding-is-on-and-dma-is-off",
                    test_decoding_is_on_and_dma_is_off);
    g_test_add_func("/pci-setup/interrupt-line-is-the-gsi",
                    test_interrupt_line_is_the_gsi);
    g_test_add_func("/pci-setup/without-room-above-4g-bars-go-below",
                    test_without_room_above_4g_bars_go_below);
    g_test_add_func("/pci-setup/root-port-gets-a-bus-and-windows",
                    test_root_port_gets_a_bus_and_windows);
    g_test_add_func("/pci-setup/windows-of-many-ports-do-not-overlap",
                    test_windows_of_many_ports_do_not_overlap);
    return g_test_run();
}
