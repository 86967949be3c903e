/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LPC bridge: where PCI interrupts go by what the PIRQ registers say. */
#include "qemu/osdep.h"

#include "hw/i386/ich9-lpc.h"
#include "hw/irq.h"
#include "pci-fixture.h"

typedef struct Fixture {
    PCIDevice *lpc;
    qemu_irq *apic_irqs, *isa_irqs;
    uint32_t apic;                        /* levels, bit n: output n */
    uint32_t isa;
    unsigned changes;                     /* of ISA interrupts */
} Fixture;

static void on_apic(void *opaque, int n, int level)
{
    Fixture *f = opaque;

    f->apic = (f->apic & ~(1U << n)) | (uint32_t)!!level << n;
}

static void on_isa(void *opaque, int n, int level)
{
    Fixture *f = opaque;

    f->isa = (f->isa & ~(1U << n)) | (uint32_t)!!level << n;
    f->changes++;
}

static void setup(Fixture *f, const void *data)
{
    pci_board_clear();
    f->lpc = pci_board_plug(TYPE_ICH9_LPC, NULL);
    f->apic_irqs = qemu_extend_irqs(NULL, 0, on_apic, f, ICH9_LPC_PIRQS);
    f->isa_irqs = qemu_extend_irqs(NULL, 0, on_isa, f, ICH9_LPC_ISA_IRQS);
    for (int i = 0; i < ICH9_LPC_PIRQS; i++) {
        qdev_connect_gpio_out_named(DEVICE(f->lpc), "apic", i, f->apic_irqs[i]);
    }
    for (int i = 0; i < ICH9_LPC_ISA_IRQS; i++) {
        qdev_connect_gpio_out_named(DEVICE(f->lpc), "isa", i, f->isa_irqs[i]);
    }
}

static void teardown(Fixture *f, const void *data)
{
    pci_board_unplug(f->lpc);
    qemu_free_irqs(f->apic_irqs, ICH9_LPC_PIRQS);
    qemu_free_irqs(f->isa_irqs, ICH9_LPC_ISA_IRQS);
}

static void set(Fixture *f, int pirq, int level)
{
    qemu_set_irq(qdev_get_gpio_in(DEVICE(f->lpc), pirq), level);
}

/* PIRQA to PIRQD are at 0x60, PIRQE to PIRQH at 0x68. */
static void route(Fixture *f, int pirq, uint8_t value)
{
    cfg_write(f->lpc, (pirq < 4 ? 0x60 : 0x64) + pirq, value, 1);
}

static void expect(Fixture *f, uint32_t apic, uint32_t isa)
{
    g_assert_cmphex(f->apic, ==, apic);
    g_assert_cmphex(f->isa, ==, isa);
}

static void test_ioapic_gets_all(Fixture *f, const void *data)
{
    for (int i = 0; i < ICH9_LPC_PIRQS; i++) {
        set(f, i, 1);
        expect(f, 1U << i, 0);
        set(f, i, 0);
    }
    expect(f, 0, 0);
    g_assert_cmpuint(f->changes, ==, 0);
}

static void test_routed_ones_reach_isa(Fixture *f, const void *data)
{
    route(f, 0, 10);
    route(f, 7, 11);
    set(f, 0, 1);
    set(f, 7, 1);
    set(f, 3, 1);
    expect(f, 0x89, 1U << 10 | 1U << 11);
    set(f, 0, 0);
    expect(f, 0x88, 1U << 11);
}

static void test_shared_line_is_high_while_one_is(Fixture *f, const void *data)
{
    route(f, 1, 5);
    route(f, 2, 5);
    set(f, 1, 1);
    set(f, 2, 1);
    set(f, 1, 0);
    expect(f, 0x4, 1U << 5);
    g_assert_cmpuint(f->changes, ==, 1);
    set(f, 2, 0);
    expect(f, 0, 0);
}

static void test_routing_moves_what_is_asserted(Fixture *f, const void *data)
{
    route(f, 4, 10);
    set(f, 4, 1);
    route(f, 4, 11);
    expect(f, 0x10, 1U << 11);
    route(f, 4, 0x80 | 11);
    expect(f, 0x10, 0);
    route(f, 4, 11);
    device_legacy_reset(DEVICE(f->lpc));
    g_assert_cmphex(cfg_read(f->lpc, 0x68, 1), ==, 0x80);
    expect(f, 0x10, 0);
}

/* Timer, keyboard, cascade, clock and coprocessor are the board's. */
static void test_others_are_not_routed_to(Fixture *f, const void *data)
{
    static const uint8_t reserved[] = { 0, 1, 2, 8, 13 };

    set(f, 0, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(reserved); i++) {
        route(f, 0, reserved[i]);
        expect(f, 0x1, 0);
    }
}

#define ADD(name, fn) g_test_add("/ich9-lpc/" name, Fixture, NULL, setup, fn,  \
                                 teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("ioapic-gets-all", test_ioapic_gets_all);
    ADD("routed-ones-reach-isa", test_routed_ones_reach_isa);
    ADD("shared-line-is-high-while-one-is",
        test_shared_line_is_high_while_one_is);
    ADD("routing-moves-what-is-asserted", test_routing_moves_what_is_asserted);
    ADD("others-are-not-routed-to", test_others_are_not_routed_to);
    return g_test_run();
}
