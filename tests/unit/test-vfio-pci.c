/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio/pci*.c and region.c: a passed-through function as a guest sees it,
 * on a device made of memory (fake-vfio-device.h).
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "fake-vfio-device.h"
#include "hw/pci/pci_bus.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"

#define TYPE_TEST_BRIDGE "test-bridge"
#define BAR0 0xe0000000ULL
#define BAR2 0xe1000000ULL
#define MSI_WINDOW 0xfee00000ULL

static const TypeInfo bridge_types[] = {
    { .name = TYPE_TEST_BRIDGE, .parent = TYPE_DEVICE },
};
DEFINE_TYPES(bridge_types)

typedef struct Fixture {
    DeviceState *bridge;
    PCIBus *bus;
    MemoryRegion io;
    MemoryRegion msi;
    GString *msis;                        /* "ADDRESS=DATA " */
    int level;
    FakeVFIODevice *dev;
    PCIDevice *pdev;
} Fixture;

static void msi_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Fixture *f = opaque;

    g_string_append_printf(f->msis, "%" PRIx64 "=%" PRIx64 " ", addr, data);
}

static const MemoryRegionOps msi_ops = {
    .write = msi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

static void set_level(void *opaque, int irq, int level)
{
    ((Fixture *)opaque)->level = level;
}

static int map_pin(PCIDevice *pdev, int pin)
{
    return 0;
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->bridge = qdev_new(TYPE_TEST_BRIDGE);
    memory_region_init(&f->io, NULL, "io", 64 * KiB);
    memory_region_init_io(&f->msi, NULL, &msi_ops, f, "msi", 1 * MiB);
    memory_region_add_subregion(get_system_memory(), MSI_WINDOW, &f->msi);
    f->bus = pci_root_bus_new(f->bridge, "pcie.0", get_system_memory(), &f->io,
                              0, TYPE_PCIE_BUS);
    pci_bus_irqs(f->bus, set_level, map_pin, f, 1);
    qbus_realize(BUS(f->bus), &error_abort);
    f->msis = g_string_new(NULL);
    f->dev = fake_vfio_device_new();
    fake_vfio_device_offer(f->dev);
}

static bool plug(Fixture *f, Error **errp)
{
    f->pdev = PCI_DEVICE(qdev_new(TYPE_FAKE_VFIO_PCI));
    f->pdev->devfn = PCI_DEVFN(3, 0);
    if (qdev_realize(DEVICE(f->pdev), BUS(f->bus), errp)) {
        return true;
    }
    object_unref(OBJECT(f->pdev));
    f->pdev = NULL;
    return false;
}

static void unplug(Fixture *f)
{
    if (f->pdev) {
        qdev_unrealize(DEVICE(f->pdev));
        object_unparent(OBJECT(f->pdev));
        object_unref(OBJECT(f->pdev));
        f->pdev = NULL;
    }
}

static void tear_down(Fixture *f, gconstpointer data)
{
    unplug(f);
    object_unparent(OBJECT(f->bus));
    memory_region_del_subregion(get_system_memory(), &f->msi);
    object_unref(OBJECT(&f->msi));
    object_unref(OBJECT(&f->io));
    object_unref(OBJECT(f->bridge));
    g_string_free(f->msis, TRUE);
    fake_vfio_device_free(f->dev);
}

/* --- what a guest does --- */

static uint32_t cfg(Fixture *f, uint32_t addr, int len)
{
    return f->pdev->config_read(f->pdev, addr, len);
}

static void cfg_set(Fixture *f, uint32_t addr, uint32_t val, int len)
{
    f->pdev->config_write(f->pdev, addr, val, len);
}

static void boot(Fixture *f)
{
    g_assert_true(plug(f, &error_abort));
    cfg_set(f, PCI_BASE_ADDRESS_0, BAR0, 4);
    cfg_set(f, PCI_BASE_ADDRESS_1, 0, 4);
    cfg_set(f, PCI_BASE_ADDRESS_2, BAR2, 4);
    cfg_set(f, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static uint32_t peek(uint64_t addr)
{
    return address_space_ldl_le(&address_space_memory, addr,
                                MEMTXATTRS_UNSPECIFIED, NULL);
}

static void poke(uint64_t addr, uint32_t val)
{
    address_space_stl_le(&address_space_memory, addr, val,
                         MEMTXATTRS_UNSPECIFIED, NULL);
}

static void run_main_loop(void)
{
    for (int i = 0; i < 10; i++) {
        main_loop_wait(true);
    }
}

/* The MSIs since the last call. */
static const char *msis(Fixture *f)
{
    static char text[256];

    run_main_loop();
    g_strlcpy(text, f->msis->str, sizeof(text));
    g_string_truncate(f->msis, 0);
    return text;
}

static void msix_program(int vector, uint32_t data)
{
    uint64_t entry = BAR0 + 0x2000 + vector * PCI_MSIX_ENTRY_SIZE;

    poke(entry + PCI_MSIX_ENTRY_LOWER_ADDR, MSI_WINDOW + 0x10 * vector);
    poke(entry + PCI_MSIX_ENTRY_UPPER_ADDR, 0);
    poke(entry + PCI_MSIX_ENTRY_DATA, data);
}

static void msix_mask(int vector, bool mask)
{
    poke(BAR0 + 0x2000 + vector * PCI_MSIX_ENTRY_SIZE +
         PCI_MSIX_ENTRY_VECTOR_CTRL, mask);
}

static void msix_enable(Fixture *f)
{
    cfg_set(f, 0xb2, PCI_MSIX_FLAGS_ENABLE, 2);
}

/* --- configuration space --- */

static void test_identity(Fixture *f, gconstpointer data)
{
    boot(f);
    g_assert_cmphex(cfg(f, PCI_VENDOR_ID, 4), ==, 0x00101b36);
    g_assert_cmphex(cfg(f, PCI_CLASS_DEVICE, 2), ==, 0x0108);
    g_assert_cmphex(cfg(f, PCI_INTERRUPT_PIN, 1), ==, 1);
    g_assert_cmphex(cfg(f, PCI_INTERRUPT_LINE, 1), ==, 0);
    g_assert_cmphex(cfg(f, PCI_ROM_ADDRESS, 4), ==, 0);
}

static void check_bar_sizes(Fixture *f)
{
    cfg_set(f, PCI_BASE_ADDRESS_0, UINT32_MAX, 4);
    cfg_set(f, PCI_BASE_ADDRESS_1, UINT32_MAX, 4);
    cfg_set(f, PCI_BASE_ADDRESS_2, UINT32_MAX, 4);
    g_assert_cmphex(cfg(f, PCI_BASE_ADDRESS_0, 4), ==, 0xffff0004);
    g_assert_cmphex(cfg(f, PCI_BASE_ADDRESS_1, 4), ==, 0xffffffff);
    g_assert_cmphex(cfg(f, PCI_BASE_ADDRESS_2, 4), ==, 0xffffff00);
    g_assert_cmphex(cfg(f, PCI_BASE_ADDRESS_3, 4), ==, 0);
}

static void test_bar_sizing(Fixture *f, gconstpointer data)
{
    boot(f);
    check_bar_sizes(f);
    /* The host's addresses stay. */
    g_assert_cmphex(pci_get_long(f->dev->config + PCI_BASE_ADDRESS_2), ==,
                    0xfd000000);
}

/* What was checked is what is used, whatever the device says later. */
static void test_header_read_once(Fixture *f, gconstpointer data)
{
    f->dev->changes_its_mind = true;
    boot(f);
    check_bar_sizes(f);
    g_assert_cmphex(cfg(f, PCI_INTERRUPT_PIN, 1), ==, 1);
    g_assert_cmphex(cfg(f, PCI_CAPABILITY_LIST, 1), ==, 0x40);
}

static void test_command_passes(Fixture *f, gconstpointer data)
{
    boot(f);
    g_assert_cmphex(pci_get_word(f->dev->config + PCI_COMMAND), ==,
                    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    g_assert_cmphex(cfg(f, PCI_COMMAND, 2), ==,
                    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_unclaimed_bytes_pass(Fixture *f, gconstpointer data)
{
    boot(f);
    f->dev->config_writes = 0;
    cfg_set(f, 0xe0, 0xabcd, 2);
    g_assert_cmphex(pci_get_word(f->dev->config + 0xe0), ==, 0xabcd);
    cfg_set(f, 0xb4, 0xffffffff, 4);
    g_assert_cmpuint(f->dev->config_writes, ==, 1);
    g_assert_cmphex(cfg(f, 0xb4, 4), ==, 0x2000);
}

static void test_out_of_config(Fixture *f, gconstpointer data)
{
    boot(f);
    for (uint32_t addr = 0xff0; addr < 0x1010; addr++) {
        cfg_set(f, addr, 0, 4);
        (void)cfg(f, addr, 4);
    }
    g_assert_cmphex(cfg(f, 0x1000, 4), ==, UINT32_MAX);
    g_assert_cmphex(cfg(f, UINT32_MAX, 4), ==, UINT32_MAX);
}

static void test_capabilities(Fixture *f, gconstpointer data)
{
    static const uint8_t expected[] = { 0x40, 0x50, 0x70, 0xb0, 0 };
    uint8_t pos;

    boot(f);
    pos = cfg(f, PCI_CAPABILITY_LIST, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmphex(pos, ==, expected[i]);
        pos = pos ? cfg(f, pos + 1, 1) : 0;
    }
    g_assert_cmphex(cfg(f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, !=, 0);
    g_assert_cmphex(cfg(f, 0x52, 2), ==, 1 << 1 | PCI_MSI_FLAGS_64BIT);
}

static void test_integrated_endpoint(Fixture *f, gconstpointer data)
{
    boot(f);
    g_assert_cmphex(cfg(f, 0x72, 2), ==, 2 | PCI_EXP_TYPE_RC_END << 4);
    g_assert_cmphex(cfg(f, 0x70 + PCI_EXP_LNKCAP, 4), ==, 0);
    g_assert_cmphex(cfg(f, 0x70 + PCI_EXP_DEVCAP, 4), ==, 0x8000);
}

static void test_extended_capabilities(Fixture *f, gconstpointer data)
{
    boot(f);
    /* An empty header that points to AER, that to the serial number. */
    g_assert_cmphex(cfg(f, 0x100, 4), ==, 0x110U << 20);
    g_assert_cmphex(cfg(f, 0x110, 4), ==,
                    PCI_EXT_CAP_ID_ERR | 2 << 16 | 0x1a0U << 20);
    g_assert_cmphex(cfg(f, 0x164, 4), ==, 0);
    g_assert_cmphex(cfg(f, 0x1a0, 4), ==, PCI_EXT_CAP_ID_DSN | 1 << 16);
    g_assert_cmphex(cfg(f, 0x1a4, 4), ==, 0xcafe);
}

/* --- BARs --- */

static void test_bar_direct(Fixture *f, gconstpointer data)
{
    boot(f);
    poke(BAR0 + 0x1000, 0x12345678);
    g_assert_cmphex(peek(BAR0 + 0x1000), ==, 0x12345678);
    g_assert_cmphex(fake_vfio_bar_read(f->dev, 0, 0x1000), ==, 0x78);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 0);
    g_assert_true(memory_region_is_ram_device(
        &VFIO_PCI_BASE(f->pdev)->bars[0].mmaps[0].mem));
}

static void test_bar_slow(Fixture *f, gconstpointer data)
{
    boot(f);
    poke(BAR2 + 0x10, 0xaabbccdd);
    g_assert_cmphex(peek(BAR2 + 0x10), ==, 0xaabbccdd);
    g_assert_cmphex(fake_vfio_bar_read(f->dev, 2, 0x10), ==, 0xdd);
    /* The page that the device does not let us map. */
    poke(BAR0 + 0xf000, 1);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 3);
}

static unsigned nr_mmaps(Fixture *f)
{
    return VFIO_PCI_BASE(f->pdev)->bars[0].nr_mmaps;
}

/* Neighbours are one mapping, in whatever order they are told. */
static void test_bar_areas_merged(Fixture *f, gconstpointer data)
{
    f->dev->nr_areas = 15;
    f->dev->area_size = f->dev->area_stride = 4 * KiB;
    boot(f);
    g_assert_cmpuint(nr_mmaps(f), ==, 1);
    poke(BAR0 + 0xe000, 7);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 0);
    poke(BAR0 + 0xf000, 7);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 1);
}

/* A page here and a page there, more than a process has mappings: some are
 * mapped, the others work as well. */
static void test_bar_areas_bounded(Fixture *f, gconstpointer data)
{
    f->dev->bar_size[0] = 1 * MiB;
    f->dev->nr_areas = 128;
    f->dev->area_size = 4 * KiB;
    f->dev->area_stride = 8 * KiB;
    boot(f);
    g_assert_cmpuint(nr_mmaps(f), ==, VFIO_REGION_MAX_MMAPS);
    poke(BAR0, 7);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 0);
    poke(BAR0 + 127 * 8 * KiB, 9);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 1);
    g_assert_cmphex(peek(BAR0 + 127 * 8 * KiB), ==, 9);
}

/* A mapping would trap where the device answers. */
static void test_bar_half_allowed(Fixture *f, gconstpointer data)
{
    f->dev->region_flags = GPOINTER_TO_UINT(data);
    boot(f);
    g_assert_cmpuint(nr_mmaps(f), ==, 0);
    poke(BAR0 + 0x1000, 7);
    g_assert_cmphex(peek(BAR0 + 0x1000), ==, 7);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 2);
}

static void test_msix_table_trapped(Fixture *f, gconstpointer data)
{
    boot(f);
    msix_program(1, 0x41);
    g_assert_cmphex(peek(BAR0 + 0x2018), ==, 0x41);
    g_assert_cmphex(fake_vfio_bar_read(f->dev, 0, 0x2018), ==, 0);
    g_assert_cmphex(peek(BAR0 + 0x3000), ==, 0);
}

/* --- interrupts --- */

static void test_msix(Fixture *f, gconstpointer data)
{
    boot(f);
    msix_program(2, 0x42);
    msix_mask(2, false);
    msix_enable(f);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 4);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_INTX_IRQ_INDEX], ==, 0);
    fake_vfio_interrupt(f->dev, VFIO_PCI_MSIX_IRQ_INDEX, 2);
    g_assert_cmpstr(msis(f), ==, "20=42 ");
    g_assert_cmpint(f->dev->fd[VFIO_PCI_MSIX_IRQ_INDEX][1], ==, -1);

    cfg_set(f, 0xb2, 0, 2);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 0);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_INTX_IRQ_INDEX], ==, 1);
}

static void test_msix_masked(Fixture *f, gconstpointer data)
{
    boot(f);
    msix_enable(f);
    msix_program(0, 0x40);
    msix_mask(0, false);
    msix_mask(0, true);
    fake_vfio_interrupt(f->dev, VFIO_PCI_MSIX_IRQ_INDEX, 0);
    /* Seen in the pending bits at once, and sent when unmasked. */
    g_assert_cmphex(peek(BAR0 + 0x3000), ==, 1);
    g_assert_cmpstr(msis(f), ==, "");
    msix_mask(0, false);
    g_assert_cmpstr(msis(f), ==, "0=40 ");
    g_assert_cmphex(peek(BAR0 + 0x3000), ==, 0);
}

static void test_msix_too_few_on_host(Fixture *f, gconstpointer data)
{
    f->dev->max_vectors = 2;
    boot(f);
    for (int v = 0; v < 4; v++) {
        msix_program(v, 0x40 + v);
        msix_mask(v, false);
    }
    msix_enable(f);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 2);
    fake_vfio_interrupt(f->dev, VFIO_PCI_MSIX_IRQ_INDEX, 1);
    g_assert_cmpstr(msis(f), ==, "10=41 ");
}

static void test_msi(Fixture *f, gconstpointer data)
{
    boot(f);
    cfg_set(f, 0x54, MSI_WINDOW, 4);
    cfg_set(f, 0x58, 0, 4);
    cfg_set(f, 0x5c, 0x30, 2);
    cfg_set(f, 0x52, PCI_MSI_FLAGS_ENABLE | 1 << 4, 2);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSI_IRQ_INDEX], ==, 2);
    fake_vfio_interrupt(f->dev, VFIO_PCI_MSI_IRQ_INDEX, 1);
    g_assert_cmpstr(msis(f), ==, "0=31 ");
    cfg_set(f, 0x5c, 0x50, 2);
    fake_vfio_interrupt(f->dev, VFIO_PCI_MSI_IRQ_INDEX, 0);
    g_assert_cmpstr(msis(f), ==, "0=50 ");
    cfg_set(f, 0x52, 0, 2);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSI_IRQ_INDEX], ==, 0);
}

static void test_intx(Fixture *f, gconstpointer data)
{
    boot(f);
    fake_vfio_interrupt(f->dev, VFIO_PCI_INTX_IRQ_INDEX, 0);
    f->dev->intx_masked = true;
    run_main_loop();
    g_assert_cmpint(f->level, ==, 1);
    /* Whatever the guest now does with a BAR says that it has noticed. */
    g_assert_cmpuint(f->dev->slow_accesses, ==, 0);
    (void)peek(BAR0 + 0x1000);
    g_assert_cmpuint(f->dev->slow_accesses, ==, 1);
    g_assert_cmpint(f->level, ==, 0);
    g_assert_false(f->dev->intx_masked);
}

static void test_mode_that_fails(Fixture *f, gconstpointer data)
{
    boot(f);
    f->dev->fail_after = 0;
    msix_enable(f);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 0);
    cfg_set(f, 0xb2, 0, 2);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_INTX_IRQ_INDEX], ==, 1);
    msix_enable(f);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 4);
}

/* --- life --- */

static void test_reset(Fixture *f, gconstpointer data)
{
    boot(f);
    msix_enable(f);
    qbus_reset_all(BUS(f->bus));
    g_assert_cmpuint(f->dev->resets, ==, 1);
    g_assert_cmphex(pci_get_word(f->dev->config + PCI_COMMAND), ==, 0);
    g_assert_cmphex(cfg(f, 0xb2, 2) & PCI_MSIX_FLAGS_ENABLE, ==, 0);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_MSIX_IRQ_INDEX], ==, 0);
    g_assert_cmpuint(f->dev->enabled[VFIO_PCI_INTX_IRQ_INDEX], ==, 1);
    g_assert_cmphex(cfg(f, PCI_BASE_ADDRESS_0, 4), ==, 4);
}

static void assert_nothing_left(Fixture *f)
{
    g_assert_cmpint(f->dev->opened, ==, 0);
    for (int i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
        g_assert_cmpuint(f->dev->enabled[i], ==, 0);
    }
    g_assert_null(f->bus->devices[PCI_DEVFN(3, 0)]);
}

static void test_realize_unrolls(Fixture *f, gconstpointer data)
{
    int n;

    for (n = 0; n < 100; n++) {
        Error *err = NULL;

        f->dev->fail_after = n;
        if (plug(f, &err)) {
            break;
        }
        error_free_or_abort(&err);
        assert_nothing_left(f);
    }
    /* open, info, 8 regions and VGA, configuration, ERR, REQ, INTx */
    g_assert_cmpint(n, ==, 15);
    unplug(f);
    assert_nothing_left(f);
    f->dev->fail_after = -1;
    boot(f);
}

static void test_unplug_in_use(Fixture *f, gconstpointer data)
{
    boot(f);
    msix_program(0, 0x40);
    msix_mask(0, false);
    msix_enable(f);
    unplug(f);
    assert_nothing_left(f);
    g_assert_cmphex(pci_get_word(f->dev->config + PCI_COMMAND), ==, 0);
    g_assert_cmphex(peek(BAR2), !=, 0xaabbccdd);
}

static void test_msix_table_elsewhere(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    pci_set_long(f->dev->config + 0xb4, 0x2000 | 5);
    g_assert_false(plug(f, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "BAR 5"));
    error_free(err);
    assert_nothing_left(f);
}

/* Whatever its configuration space says, a device is accepted or refused. */
static void test_any_config(Fixture *f, gconstpointer data)
{
    unsigned accepted = 0;

    for (int i = 0; i < 500; i++) {
        Error *err = NULL;

        fake_vfio_device_free(f->dev);
        f->dev = fake_vfio_device_new();
        fake_vfio_device_offer(f->dev);
        for (int j = g_test_rand_int_range(1, 30); j > 0; j--) {
            f->dev->config[g_test_rand_int_range(0x34, 0x1b0)] =
                g_test_rand_int();
        }
        if (!plug(f, &err)) {
            error_free_or_abort(&err);
            assert_nothing_left(f);
            continue;
        }
        accepted++;
        for (int j = 0; j < 50; j++) {
            uint32_t addr = g_test_rand_int_range(0, 0x200);

            cfg_set(f, addr, g_test_rand_int(),
                    1 << g_test_rand_int_range(0, 3));
            (void)cfg(f, addr, 4);
        }
        unplug(f);
    }
    g_assert_cmpuint(accepted, >, 0);
}

#define ADD_DATA(name, fn, data) \
    g_test_add("/vfio/pci/" name, Fixture, GUINT_TO_POINTER(data), set_up, fn, \
               tear_down)
#define ADD(name, fn) ADD_DATA(name, fn, 0)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    memory_map_init();
    ADD("config/shows the device's identity", test_identity);
    ADD("config/sizes BARs without the device", test_bar_sizing);
    ADD("config/reads the header once", test_header_read_once);
    ADD("config/passes the command register", test_command_passes);
    ADD("config/passes what is not emulated", test_unclaimed_bytes_pass);
    ADD("config/ignores what is outside", test_out_of_config);
    ADD("config/keeps capabilities in order", test_capabilities);
    ADD("config/is an integrated endpoint", test_integrated_endpoint);
    ADD("config/hides dangerous capabilities", test_extended_capabilities);
    ADD("bar/is reached directly", test_bar_direct);
    ADD("bar/is reached the slow way", test_bar_slow);
    ADD("bar/merges areas that touch", test_bar_areas_merged);
    ADD("bar/bounds the areas that it maps", test_bar_areas_bounded);
    ADD_DATA("bar/not mapped if not readable", test_bar_half_allowed, 0);
    ADD_DATA("bar/not mapped if not writable", test_bar_half_allowed,
             VFIO_REGION_INFO_FLAG_READ);
    ADD("bar/keeps the MSI-X table to itself", test_msix_table_trapped);
    ADD("irq/delivers MSI-X", test_msix);
    ADD("irq/keeps a masked vector pending", test_msix_masked);
    ADD("irq/makes do with fewer vectors", test_msix_too_few_on_host);
    ADD("irq/delivers MSI", test_msi);
    ADD("irq/asserts the pin until a BAR is used", test_intx);
    ADD("irq/survives a mode that fails", test_mode_that_fails);
    ADD("life/resets", test_reset);
    ADD("life/unrolls when any step fails", test_realize_unrolls);
    ADD("life/unplugs in use", test_unplug_in_use);
    ADD("life/refuses an MSI-X table in no BAR", test_msix_table_elsewhere);
    ADD("life/survives any configuration space", test_any_config);
    return g_test_run();
}
