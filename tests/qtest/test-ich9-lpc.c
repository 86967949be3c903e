/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LPC bridge 00:1f.0 as firmware programs it: who it is, and where power
 * management is.
 */
#include <linux/pci_regs.h>

#include "pci.h"

#define LPC QPCI_DEVFN(0x1f, 0)
#define PMBASE 0x40
#define ACPI_CNTL 0x44
#define RCBA 0xf0
#define TIMER 8                           /* from PMBASE */
#define TIMER_STEP 1000000                /* ns, some 3580 ticks */

typedef struct Fixture {
    QTestState *qts;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init("-M q35 -m 64M");
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

/* Whether the power management timer runs there. */
static bool timer_is_at(Fixture *f, uint16_t base)
{
    uint32_t before = qtest_inl(f->qts, base + TIMER);

    qtest_clock_step(f->qts, TIMER_STEP);
    return qtest_inl(f->qts, base + TIMER) != before;
}

static void test_identity(Fixture *f, const void *data)
{
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, PCI_VENDOR_ID), ==,
                    0x29188086);
    g_assert_cmphex(qpci_config_readw(f->qts, LPC, PCI_CLASS_DEVICE), ==,
                    0x0601);
}

static void test_pm_moves(Fixture *f, const void *data)
{
    qpci_config_writel(f->qts, LPC, PMBASE, 0x600);
    qpci_config_writeb(f->qts, LPC, ACPI_CNTL, 0x80);
    g_assert_true(timer_is_at(f, 0x600));
    qpci_config_writel(f->qts, LPC, PMBASE, 0xb001);
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, PMBASE), ==, 0xb001);
    g_assert_false(timer_is_at(f, 0x600));
    g_assert_true(timer_is_at(f, 0xb000));
    qpci_config_writeb(f->qts, LPC, ACPI_CNTL, 0);
    g_assert_false(timer_is_at(f, 0xb000));
    qpci_config_writeb(f->qts, LPC, ACPI_CNTL, 0x80);
    g_assert_true(timer_is_at(f, 0xb000));
}

static void test_registers_keep_what_they_have(Fixture *f, const void *data)
{
    qpci_config_writel(f->qts, LPC, RCBA, 0xfed1ffff);
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, RCBA), ==, 0xfed1c001);
    qpci_config_writel(f->qts, LPC, 0x60, 0x0b0b0a8a);
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, 0x60), ==, 0x0b0b0a8a);
}

/* Where firmware would put it; of sparsevm, which has none. */
static void test_reset(Fixture *f, const void *data)
{
    g_assert_true(timer_is_at(f, 0x600));
    qpci_config_writel(f->qts, LPC, PMBASE, 0xb000);
    qpci_config_writel(f->qts, LPC, 0x60, 0);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, PMBASE), ==, 0x601);
    g_assert_cmphex(qpci_config_readl(f->qts, LPC, 0x60), ==, 0x80808080);
    g_assert_true(timer_is_at(f, 0x600));
}

/* Over fw_cfg's ports, over configuration space's, at the end, and at 0. */
static void test_any_place_does_no_harm(Fixture *f, const void *data)
{
    static const uint16_t places[] = { 0x500, 0xc80, 0xff80, 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        qpci_config_writel(f->qts, LPC, PMBASE, places[i]);
        g_assert_cmphex(qpci_config_readl(f->qts, LPC, PMBASE), ==,
                        places[i] | 1);
        qtest_outw(f->qts, 0x510, 0);
        g_assert_cmphex(qtest_inb(f->qts, 0x511), ==, 'Q');
        qtest_outw(f->qts, places[i] + 2, 0xffff);
    }
}

#define ADD(name, fn) g_test_add("/ich9-lpc/" name, Fixture, NULL, setup, fn,  \
                                 teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("identity", test_identity);
    /* QEMU keeps bits that no register has, and its clock cannot be moved where
     * it has an accelerator. */
    if (qtest_emulator_has(QTEST_NEEDS_SPARSEVM)) {
        ADD("registers-keep-what-they-have",
            test_registers_keep_what_they_have);
        ADD("pm-moves", test_pm_moves);
        ADD("reset", test_reset);
        ADD("any-place-does-no-harm", test_any_place_does_no_harm);
    }
    return g_test_run();
}
