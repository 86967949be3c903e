/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -device vfio-user-pci as a guest sees it, served by the test device: the PCI
 * function, its DMA and its interrupts; and a server that fails while the
 * device is realized, or later.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/pci/msix.h"
#include "pci-fixture.h"
#include "qemu/error-report.h"
#include "testdev-thread.h"
#include "tests/patience.h"

#define BAR0 0xe0000000ULL
#define BAR1 0xe0010000ULL
#define BAR2 0xe0100000ULL
#define DATA 0x100000ULL                  /* in RAM */

typedef struct Fixture {
    TestDevThread server;
    PCIDevice *dev;
    GString *said;
} Fixture;

static void hear(const char *line, void *opaque)
{
    g_string_append_printf(((Fixture *)opaque)->said, "%s\n", line);
}

static void set_up(Fixture *f, gconstpointer data)
{
    pci_board_clear();
    f->said = g_string_new(NULL);
    error_set_printer(hear, f);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    error_set_printer(NULL, NULL);
    g_string_free(f->said, TRUE);
}

/* A server may take @patience of what a test would wait. */
static bool plug(Fixture *f, const TestDevOptions *options, double patience,
                 Error **errp)
{
    g_autofree char *socket = NULL;
    g_autofree char *timeout = g_strdup_printf(
        "x-msg-timeout=%u", (unsigned)(patience * patience_us() / 1000));

    testdev_thread_listen(&f->server, options);
    socket = g_strdup_printf("socket=%s", f->server.path);
    f->dev = pci_board_new("vfio-user-pci", socket, timeout, NULL);
    if (qdev_realize_and_unref(DEVICE(f->dev), BUS(pci_board()->bus), errp)) {
        return true;
    }
    f->dev = NULL;
    testdev_thread_stop(&f->server);
    return false;
}

static void boot(Fixture *f)
{
    const TestDevOptions options = { 0 };

    plug(f, &options, 1, &error_abort);
    pci_board_map_bar(f->dev, 2, BAR2);
    pci_board_map_bar(f->dev, 1, BAR1);
    pci_board_map_bar(f->dev, 0, BAR0);
}

static void unplug(Fixture *f)
{
    pci_board_unplug(f->dev);
    testdev_thread_stop(&f->server);
}

static void run_dma(uint32_t command, uint64_t src, uint64_t dst, uint64_t len)
{
    mem_write(BAR0 + TESTDEV_REG_SRC, src, 4);
    mem_write(BAR0 + TESTDEV_REG_DST, dst, 4);
    mem_write(BAR0 + TESTDEV_REG_LEN, len, 4);
    mem_write(BAR0 + TESTDEV_REG_COMMAND, command, 4);
}

/* Lets the main loop turn until @done says so. */
static void wait_for(bool (*done)(void))
{
    gint64 end = patience_deadline();

    while (!done()) {
        patience_check(end);
        pci_board_poll();
    }
}

static void test_function(Fixture *f, gconstpointer data)
{
    boot(f);
    g_assert_cmphex(cfg_read(f->dev, PCI_VENDOR_ID, 4), ==,
                    TESTDEV_DEVICE_ID << 16 | TESTDEV_VENDOR_ID);
    g_assert_cmphex(cfg_read(f->dev, PCI_CLASS_REVISION, 4), ==,
                    (uint32_t)TESTDEV_CLASS << 16);
    g_assert_cmpuint(f->dev->msix_entries_nr, ==, TESTDEV_NR_VECTORS);
    g_assert_cmphex(mem_read(BAR0 + TESTDEV_REG_ID, 4), ==, TESTDEV_ID);
    g_assert_cmphex(mem_read(BAR0 + TESTDEV_REG_ID, 1), ==, TESTDEV_ID & 0xff);
    unplug(f);
}

/* Its first page by messages, the others as memory. */
static void test_mapped_bar(Fixture *f, gconstpointer data)
{
    boot(f);
    for (uint32_t at = 0; at < TESTDEV_BAR2_SIZE; at += 4096) {
        mem_write(BAR2 + at + 8, 0x1000 + at, 4);
        g_assert_cmphex(mem_read(BAR2 + at + 8, 4), ==, 0x1000 + at);
        g_assert_cmphex(*(uint32_t *)(f->server.dev->bar2 + at + 8), ==,
                        0x1000 + at);
    }
    unplug(f);
}

static void test_dma(Fixture *f, gconstpointer data)
{
    boot(f);
    mem_write(DATA, 0x12345678, 4);
    run_dma(TESTDEV_COPY, DATA, DATA + 0x1000, 4);
    g_assert_cmphex(mem_read(DATA + 0x1000, 4), ==, 0x12345678);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_STATUS, 4), ==, TESTDEV_DONE);
    run_dma(TESTDEV_CHECKSUM, TEST_RAM_SIZE - 1, 0, 2);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_ERROR, 4), ==, EFAULT);
    g_assert_cmphex(mem_read(BAR0 + TESTDEV_REG_FAULT_IOVA, 4), ==,
                    TEST_RAM_SIZE);
    /* Not without leave. */
    cfg_write(f->dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    run_dma(TESTDEV_CHECKSUM, 0, 0, 1);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_ERROR, 4), ==, EACCES);
    unplug(f);
}

static bool msi_arrived(void)
{
    return pci_board()->nr_msis == 1;
}

static void test_msix(Fixture *f, gconstpointer data)
{
    uint8_t cap;

    boot(f);
    cap = f->dev->msix_cap;
    cfg_write(f->dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    mem_write(BAR1 + 2 * 16, TEST_MSI_BASE + 0x100, 4);
    mem_write(BAR1 + 2 * 16 + 8, 0x42, 4);
    mem_write(BAR1 + 2 * 16 + 12, 0, 4);
    mem_write(BAR0 + TESTDEV_REG_VECTOR, 2, 4);
    run_dma(TESTDEV_FILL | TESTDEV_LATER, 0, DATA, 64);
    wait_for(msi_arrived);
    g_assert_cmphex(pci_board()->last_msi.address, ==, TEST_MSI_BASE + 0x100);
    g_assert_cmphex(pci_board()->last_msi.data, ==, 0x42);
    unplug(f);
}

static int *pin;

static bool pin_high(void)
{
    return *pin == 1;
}

static bool pin_low(void)
{
    return *pin == 0;
}

static void test_intx(Fixture *f, gconstpointer data)
{
    boot(f);
    pin = &pci_board()->level[(PCI_SLOT(f->dev->devfn)) % PCI_NUM_PINS];
    mem_write(BAR0 + TESTDEV_REG_VECTOR, 0, 4);
    for (int i = 0; i < 3; i++) {
        run_dma(TESTDEV_FILL, 0, DATA, 1);
        wait_for(pin_high);
        mem_write(BAR0 + TESTDEV_REG_INTX_ACK, 0, 4);
        wait_for(pin_low);
    }
    unplug(f);
}

static void test_reset(Fixture *f, gconstpointer data)
{
    boot(f);
    mem_write(BAR0 + TESTDEV_REG_SRC, 77, 4);
    device_legacy_reset(DEVICE(f->dev));
    g_assert_cmphex(cfg_read(f->dev, PCI_COMMAND, 2), ==, 0);
    pci_board_map_bar(f->dev, 0, BAR0);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_SRC, 4), ==, 0);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_RESETS, 4), ==, 1);
    g_assert_cmpuint(mem_read(BAR0 + TESTDEV_REG_NR_MAPPINGS, 4), >, 0);
    unplug(f);
}

static void test_dead_device(Fixture *f, gconstpointer data)
{
    boot(f);
    mem_write(BAR0 + TESTDEV_REG_ARM, TESTDEV_FAULT_DIE, 4);
    mem_write(BAR0 + TESTDEV_REG_SRC, 1, 4);
    g_assert_cmphex(mem_read(BAR0, 4), ==, UINT32_MAX);
    g_assert_cmphex(mem_read(BAR0 + 1, 1), ==, UINT8_MAX);
    g_assert_cmphex(cfg_read(f->dev, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
    device_legacy_reset(DEVICE(f->dev));
    cfg_write(f->dev, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    g_assert_nonnull(strstr(f->said->str, "a device has failed, it reads as "
                            "ones from now on: vfio-user "));
    g_assert_cmpuint(strlen(f->said->str), ==,
                     strcspn(f->said->str, "\n") + 1);
    unplug(f);
}

static void test_options(Fixture *f, gconstpointer data)
{
    const struct { const char *timeout, *socket, *why; } bad[] = {
        { "x-msg-timeout=1", NULL, "socket=PATH" },
        { "x-msg-timeout=1", "socket=/nonexistent/socket",
          "start the vfio-user server first" },
        { "x-msg-timeout=0", "socket=/nonexistent/socket", "x-msg-timeout" },
        { "x-msg-timeout=1", "socket=/0123456789012345678901234567890123456789"
          "0123456789012345678901234567890123456789012345678901234567890123456"
          "789",
          "longer than 107 characters" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        PCIDevice *dev = pci_board_new("vfio-user-pci", bad[i].timeout,
                                       bad[i].socket, NULL);
        Error *err = NULL;

        g_assert_false(qdev_realize_and_unref(DEVICE(dev),
                                              BUS(pci_board()->bus), &err));
        g_assert_nonnull(strstr(error_get_pretty(err), bad[i].why));
        g_assert_nonnull(strstr(error_get_pretty(err), "vfio-user-pci"));
        error_free(err);
    }
}

/*
 * The server fails at its n-th message, for every n until realize no longer
 * needs it: the reason is told, once, and nothing is left.
 */
static void test_faults_at_realize(Fixture *f, gconstpointer data)
{
    const unsigned faults[] = { TESTDEV_FAULT_DIE, TESTDEV_FAULT_GARBAGE,
                                TESTDEV_FAULT_STALL };

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        /* Each of these takes its time. */
        bool slow = faults[i] == TESTDEV_FAULT_STALL;
        unsigned fds = 0;
        uint32_t n = 1;

        for (bool ok = false; !ok; n += slow ? 5 : 1) {
            TestDevOptions options = { 0 };
            g_autoptr(GError) err = NULL;

            g_assert_cmpuint(n, <, 200);
            options.fault_after[faults[i]] = n;
            options.fault_arg[faults[i]] = n % TESTDEV_NR_GARBAGE;
            ok = plug(f, &options, 0.02, &err);
            if (!ok) {
                g_assert_nonnull(strstr(error_get_pretty(err), "/testdev-"));
                g_assert_cmpstr(f->said->str, ==, "");
            } else {
                unplug(f);
            }
            /* The first time, the main loop grows. */
            g_assert_true(!fds || n == 2 || count_fds() == fds);
            fds = count_fds();
            g_string_truncate(f->said, 0);
        }
        g_assert_cmpuint(n, >, 10);
    }
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/pci/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("shows the function", test_function);
    ADD("shows the part of a BAR that can be mapped", test_mapped_bar);
    ADD("does DMA to what is mapped", test_dma);
    ADD("interrupts by MSI-X", test_msix);
    ADD("interrupts by the pin", test_intx);
    ADD("is reset with the guest", test_reset);
    ADD("reads as ones when the server has died", test_dead_device);
    ADD("refuses bad options", test_options);
    ADD("fails cleanly at realize", test_faults_at_realize);
    return g_test_run();
}
