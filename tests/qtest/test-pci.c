/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI as firmware meets it: nothing is assigned, BARs are sized and move, and
 * no access to configuration space or to a BAR, of whatever width, alignment
 * and value, does harm.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>

#include "qemu/units.h"
#include "virtio-pci.h"

#define HOST_BRIDGE_ID 0x29c08086u
#define PCIEXBAR 0x60
#define MMCONFIG 0xb0000000u

#define RANDOM_CONFIG_WRITES 3000
#define RANDOM_BAR_ACCESSES 2000

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QPCIDevice dev;                       /* a virtio-mem-pci */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init(
        "-M q35 -m 64M,maxmem=1G "
        "-object memory-backend-ram,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M");
    qguest_init(&f->guest, f->qts);
    qpci_device_init(&f->dev, &f->guest, QVIRTIO_VENDOR,
                     QVIRTIO_DEVICE(VIRTIO_ID_MEM), 0);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

/* The first memory BAR with something in it. */
static unsigned first_memory_bar(Fixture *f)
{
    for (unsigned i = 0; i < 6; i++) {
        uint32_t bar = qpci_config_readl(f->qts, f->dev.devfn,
                                         PCI_BASE_ADDRESS_0 + 4 * i);

        if (!(bar & PCI_BASE_ADDRESS_SPACE_IO) && qpci_bar_size(&f->dev, i)) {
            return i;
        }
    }
    g_assert_not_reached();
}

static void test_host_bridge_is_first(Fixture *f, const void *data)
{
    g_assert_cmphex(qpci_config_readl(f->qts, 0, PCI_VENDOR_ID), ==,
                    HOST_BRIDGE_ID);
    g_assert_cmphex(qpci_config_readw(f->qts, 0, PCI_CLASS_DEVICE), ==, 0x0600);
}

static void test_absent_functions_read_as_ones(Fixture *f, const void *data)
{
    uint8_t devfn = QPCI_DEVFN(0x13, 5);

    g_assert_cmphex(qpci_config_readl(f->qts, devfn, 0), ==, UINT32_MAX);
    g_assert_cmphex(qpci_config_readw(f->qts, devfn, 2), ==, UINT16_MAX);
    g_assert_cmphex(qpci_config_readb(f->qts, devfn, 0xff), ==, UINT8_MAX);
    qpci_config_writel(f->qts, devfn, 0x10, 0);
    g_assert_cmphex(qpci_config_readl(f->qts, devfn, 0x10), ==, UINT32_MAX);
}

static void test_config_data_needs_the_enable_bit(Fixture *f,
                                                  const void *data)
{
    qtest_outl(f->qts, 0xcf8, 0);
    g_assert_cmphex(qtest_inl(f->qts, 0xcfc), ==, UINT32_MAX);
    qtest_outl(f->qts, 0xcf8, 1u << 31);
    g_assert_cmphex(qtest_inl(f->qts, 0xcfc), ==, HOST_BRIDGE_ID);
    g_assert_cmphex(qtest_inl(f->qts, 0xcf8), ==, 1u << 31);
}

static void test_narrow_reads_agree_with_wide_ones(Fixture *f,
                                                   const void *data)
{
    for (unsigned at = 0; at < 256; at += 4) {
        uint32_t wide = qpci_config_readl(f->qts, f->dev.devfn, at);

        g_assert_cmphex(qpci_config_readw(f->qts, f->dev.devfn, at) |
                        (uint32_t)qpci_config_readw(f->qts, f->dev.devfn,
                                                    at + 2) << 16, ==, wide);
        for (unsigned i = 0; i < 4; i++) {
            g_assert_cmphex(qpci_config_readb(f->qts, f->dev.devfn, at + i),
                            ==, (uint8_t)(wide >> 8 * i));
        }
    }
}

static void test_nothing_is_assigned_at_start(Fixture *f, const void *data)
{
    uint16_t command = qpci_config_readw(f->qts, f->dev.devfn, PCI_COMMAND);

    g_assert_cmphex(command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                               PCI_COMMAND_MASTER), ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(qpci_config_readl(f->qts, f->dev.devfn,
                                          PCI_BASE_ADDRESS_0 + 4 * i) & ~0xfu,
                        ==, 0);
    }
}

static void test_bars_are_powers_of_two(Fixture *f, const void *data)
{
    unsigned found = 0;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t size = qpci_bar_size(&f->dev, i);
        uint32_t bar = qpci_config_readl(f->qts, f->dev.devfn,
                                         PCI_BASE_ADDRESS_0 + 4 * i);

        if (size > 0) {
            g_assert_cmpuint(size & (size - 1), ==, 0);
            g_assert_cmpuint(size, >=, 16);
            found++;
            if ((bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
                PCI_BASE_ADDRESS_MEM_TYPE_64) {
                i++;
            }
        }
    }
    g_assert_cmpuint(found, >, 0);
}

/* The first dword of a virtio device's BAR: the common configuration. */
static void test_bar_answers_where_it_is_placed(Fixture *f, const void *data)
{
    unsigned n = first_memory_bar(f);
    uint64_t addr = qpci_map_bar(&f->dev, n);
    uint64_t size = qpci_bar_size(&f->dev, n);
    g_autofree uint8_t *first = g_malloc(64), *second = g_malloc(64);

    g_assert_cmphex(qtest_readl(f->qts, addr), ==, 0);
    qpci_enable(&f->dev);
    qtest_memread(f->qts, addr, first, 64);

    qpci_config_writel(f->qts, f->dev.devfn, PCI_BASE_ADDRESS_0 + 4 * n,
                       addr + 16 * size);
    qtest_memread(f->qts, addr + 16 * size, second, 64);
    g_assert_cmpmem(first, 64, second, 64);

    qpci_config_writew(f->qts, f->dev.devfn, PCI_COMMAND, 0);
    g_assert_cmphex(qtest_readl(f->qts, addr + 16 * size), ==, 0);
}

static void test_bar_above_4g(Fixture *f, const void *data)
{
    unsigned n;
    uint64_t addr = 0x3000000000;

    for (n = 0; n < 6; n++) {
        if ((qpci_config_readl(f->qts, f->dev.devfn,
                               PCI_BASE_ADDRESS_0 + 4 * n) & 7) ==
            PCI_BASE_ADDRESS_MEM_TYPE_64) {
            break;
        }
    }
    if (n == 6) {
        g_test_skip("the device has no 64-bit BAR");
        return;
    }
    qpci_config_writel(f->qts, f->dev.devfn, PCI_BASE_ADDRESS_0 + 4 * n, addr);
    qpci_config_writel(f->qts, f->dev.devfn, PCI_BASE_ADDRESS_0 + 4 * n + 4,
                       addr >> 32);
    qpci_enable(&f->dev);
    /* virtio's device_feature_select keeps what is written into it. */
    qtest_writel(f->qts, addr, 1);
    g_assert_cmphex(qtest_readl(f->qts, addr), ==, 1);
    qtest_writel(f->qts, addr, 0);
    g_assert_cmphex(qtest_readl(f->qts, addr), ==, 0);
}

static void test_mmconfig_shows_the_same(Fixture *f, const void *data)
{
    uint64_t at = MMCONFIG + ((uint64_t)f->dev.devfn << 12);

    qpci_config_writel(f->qts, 0, PCIEXBAR + 4, 0);
    qpci_config_writel(f->qts, 0, PCIEXBAR, MMCONFIG | 1);
    g_assert_cmphex(qtest_readl(f->qts, MMCONFIG), ==, HOST_BRIDGE_ID);
    g_assert_cmphex(qtest_readl(f->qts, at), ==,
                    qpci_config_readl(f->qts, f->dev.devfn, 0));
    qtest_writew(f->qts, at + PCI_COMMAND, PCI_COMMAND_MEMORY);
    g_assert_cmphex(qpci_config_readw(f->qts, f->dev.devfn, PCI_COMMAND), ==,
                    PCI_COMMAND_MEMORY);
    g_assert_cmphex(qtest_readl(f->qts, MMCONFIG +
                                (QPCI_DEVFN(0x13, 5) << 12)), ==, UINT32_MAX);
}

/* --- harm ---------------------------------------------------------------- */

static void write_config(Fixture *f, uint8_t offset, unsigned width,
                         uint32_t value)
{
    switch (width) {
    case 1:
        qpci_config_writeb(f->qts, f->dev.devfn, offset, value);
        break;
    case 2:
        qpci_config_writew(f->qts, f->dev.devfn, offset & ~1, value);
        break;
    default:
        qpci_config_writel(f->qts, f->dev.devfn, offset & ~3, value);
        break;
    }
}

static void test_random_config_writes_do_no_harm(Fixture *f, const void *data)
{
    g_autoptr(GRand) rand = qtest_rand_new();
    uint32_t ids = qpci_config_readl(f->qts, f->dev.devfn, PCI_VENDOR_ID);
    uint32_t class = qpci_config_readl(f->qts, f->dev.devfn,
                                       PCI_CLASS_REVISION);
    uint8_t caps = qpci_config_readb(f->qts, f->dev.devfn,
                                     PCI_CAPABILITY_LIST);

    for (unsigned i = 0; i < RANDOM_CONFIG_WRITES; i++) {
        write_config(f, g_rand_int(rand), 1 << g_rand_int_range(rand, 0, 3),
                     g_rand_int(rand));
    }
    g_assert_cmphex(qpci_config_readl(f->qts, f->dev.devfn, PCI_VENDOR_ID), ==,
                    ids);
    g_assert_cmphex(qpci_config_readl(f->qts, f->dev.devfn,
                                      PCI_CLASS_REVISION), ==, class);
    g_assert_cmphex(qpci_config_readb(f->qts, f->dev.devfn,
                                      PCI_CAPABILITY_LIST), ==, caps);
}

static void access_bar(Fixture *f, GRand *rand, uint64_t addr)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        qtest_writeb(f->qts, addr, g_rand_int(rand));
        break;
    case 1:
        qtest_writew(f->qts, addr, g_rand_int(rand));
        break;
    case 2:
        qtest_writel(f->qts, addr, g_rand_int(rand));
        break;
    case 3:
        qtest_writeq(f->qts, addr, (uint64_t)g_rand_int(rand) << 20);
        break;
    case 4:
        qtest_readb(f->qts, addr);
        break;
    case 5:
        qtest_readw(f->qts, addr);
        break;
    case 6:
        qtest_readl(f->qts, addr);
        break;
    default:
        qtest_readq(f->qts, addr);
        break;
    }
}

static void test_random_bar_accesses_do_no_harm(Fixture *f, const void *data)
{
    g_autoptr(GRand) rand = qtest_rand_new();
    unsigned n = first_memory_bar(f);
    uint64_t size = qpci_bar_size(&f->dev, n);
    uint64_t addr = qpci_map_bar(&f->dev, n);

    qpci_enable(&f->dev);
    for (unsigned i = 0; i < RANDOM_BAR_ACCESSES; i++) {
        /* Any alignment, the last bytes and beyond them included. */
        uint64_t at = g_rand_int_range(rand, 0, 2)
                      ? g_rand_int_range(rand, 0, 0x60)
                      : g_rand_int_range(rand, 0, size);

        access_bar(f, rand, addr + at);
    }
    g_assert_cmphex(qpci_config_readw(f->qts, f->dev.devfn, PCI_VENDOR_ID), ==,
                    QVIRTIO_VENDOR);
}

/* The function at @slot of the root bus, as query-pci has it. */
static JsonObject *find_slot(JsonNode *reply, int64_t slot)
{
    JsonObject *root = json_array_get_object_element(json_node_get_array(reply),
                                                     0);
    JsonArray *devices = json_object_get_array_member(root, "devices");

    for (guint i = 0; i < json_array_get_length(devices); i++) {
        JsonObject *dev = json_array_get_object_element(devices, i);

        if (json_object_get_int_member(dev, "slot") == slot) {
            return dev;
        }
    }
    g_assert_not_reached();
}

/* What the guest sees, and has done. */
static void set_pciexbar(Fixture *f, uint64_t value)
{
    qpci_config_writel(f->qts, 0, PCIEXBAR + 4, value >> 32);
    qpci_config_writel(f->qts, 0, PCIEXBAR, value);
}

/* Bit 0 turns it on; 0, 2 and 4 are 256, 128 and 64 buses. */
static void test_mmconfig_moves(Fixture *f, const void *data)
{
    set_pciexbar(f, 0xd0000001);
    g_assert_cmphex(qtest_readl(f->qts, 0xd0000000), ==, HOST_BRIDGE_ID);
    g_assert_cmphex(qtest_readl(f->qts, MMCONFIG), !=, HOST_BRIDGE_ID);
    set_pciexbar(f, 0xd0000000);
    g_assert_cmphex(qtest_readl(f->qts, 0xd0000000), !=, HOST_BRIDGE_ID);
}

static void test_mmconfig_of_fewer_buses(Fixture *f, const void *data)
{
    set_pciexbar(f, 0xe8000003);
    g_assert_cmphex(qtest_readl(f->qts, 0xe8000000), ==, HOST_BRIDGE_ID);
    set_pciexbar(f, 0xe4000005);
    g_assert_cmphex(qtest_readl(f->qts, 0xe4000000), ==, HOST_BRIDGE_ID);
    g_assert_cmphex(qtest_readl(f->qts, 0xe8000000), !=, HOST_BRIDGE_ID);
}

static void test_reset_brings_mmconfig_back(Fixture *f, const void *data)
{
    set_pciexbar(f, 0xd0000001);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    g_assert_cmphex(qtest_readl(f->qts, MMCONFIG), ==, HOST_BRIDGE_ID);
    g_assert_cmphex(qtest_readl(f->qts, 0xd0000000), !=, HOST_BRIDGE_ID);
}

/* RAM stays RAM, and other addresses are harmless. */
static void test_mmconfig_anywhere(Fixture *f, const void *data)
{
    qtest_writel(f->qts, 1 * MiB, 0x12345678);
    set_pciexbar(f, 1);
    g_assert_cmphex(qtest_readl(f->qts, 1 * MiB), ==, 0x12345678);
    g_assert_cmphex(qpci_config_readl(f->qts, 0, 0), ==, HOST_BRIDGE_ID);
    set_pciexbar(f, 0xff0000001);
    g_assert_cmphex(qtest_readl(f->qts, 0xff0000000), ==, HOST_BRIDGE_ID);
    set_pciexbar(f, 0xf0000001);
    set_pciexbar(f, UINT64_MAX);
    g_assert_cmphex(qtest_readl(f->qts, 1 * MiB), ==, 0x12345678);
}

static void test_query_pci(Fixture *f, const void *data)
{
    unsigned n = first_memory_bar(f);
    uint64_t size = qpci_bar_size(&f->dev, n);
    uint64_t addr = qpci_map_bar(&f->dev, n);
    g_autoptr(JsonNode) reply = NULL;
    JsonObject *dev, *id, *bar;

    qpci_enable(&f->dev);
    reply = qmp_client_do(qtest_qmp(f->qts), "{'execute': 'query-pci'}");
    dev = find_slot(reply, f->dev.devfn >> 3);
    id = json_object_get_object_member(dev, "id");
    bar = json_array_get_object_element(
        json_object_get_array_member(dev, "regions"), 0);
    g_assert_cmpint(json_object_get_int_member(id, "vendor"), ==,
                    QVIRTIO_VENDOR);
    g_assert_cmpint(json_object_get_int_member(id, "device"), ==,
                    QVIRTIO_DEVICE(VIRTIO_ID_MEM));
    g_assert_cmpint(json_object_get_int_member(bar, "bar"), ==, n);
    g_assert_cmpint(json_object_get_int_member(bar, "size"), ==, size);
    g_assert_cmpint(json_object_get_int_member(bar, "address"), ==, addr);
}

#define ADD(name, fn) \
    g_test_add("/pci/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("host-bridge-is-first", test_host_bridge_is_first);
    ADD("absent-functions-read-as-ones", test_absent_functions_read_as_ones);
    ADD("config-data-needs-the-enable-bit",
        test_config_data_needs_the_enable_bit);
    ADD("narrow-reads-agree-with-wide-ones",
        test_narrow_reads_agree_with_wide_ones);
    ADD("nothing-is-assigned-at-start", test_nothing_is_assigned_at_start);
    ADD("bars-are-powers-of-two", test_bars_are_powers_of_two);
    ADD("bar-answers-where-it-is-placed", test_bar_answers_where_it_is_placed);
    ADD("bar-above-4g", test_bar_above_4g);
    ADD("mmconfig-shows-the-same", test_mmconfig_shows_the_same);
    ADD("mmconfig-moves", test_mmconfig_moves);
    if (qtest_emulator_has(QTEST_NEEDS_SPARSEVM)) {
        ADD("mmconfig-of-fewer-buses", test_mmconfig_of_fewer_buses);
        ADD("reset-brings-mmconfig-back", test_reset_brings_mmconfig_back);
        ADD("mmconfig-anywhere", test_mmconfig_anywhere);
    }
    ADD("query-pci", test_query_pci);
    ADD("random-config-writes-do-no-harm",
        test_random_config_writes_do_no_harm);
    ADD("random-bar-accesses-do-no-harm", test_random_bar_accesses_do_no_harm);
    return g_test_run();
}
