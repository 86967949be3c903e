/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines, and the inputs and outputs of devices. */
#include "qemu/osdep.h"
#include "hw/irq.h"
#include "hw/qdev-core.h"

typedef struct Wire {
    int n;
    int level;
    int calls;
} Wire;

static void wire_changed(void *opaque, int n, int level)
{
    Wire *w = opaque;

    w->n = n;
    w->level = level;
    w->calls++;
}

static void test_raise_tells_number_and_level(void)
{
    Wire w = { .n = -1 };
    qemu_irq irq = qemu_allocate_irq(wire_changed, &w, 7);

    qemu_irq_raise(irq);

    g_assert_cmpint(w.n, ==, 7);
    g_assert_cmpint(w.level, ==, 1);
    g_assert_cmpint(w.calls, ==, 1);
    qemu_free_irq(irq);
}

static void test_no_wire_is_silent(void)
{
    qemu_set_irq(NULL, 1);
}

static void test_extend_keeps_the_old_lines(void)
{
    Wire w = { 0 };
    qemu_irq *irqs = qemu_extend_irqs(NULL, 0, wire_changed, &w, 2);
    qemu_irq first = irqs[0];

    irqs = qemu_extend_irqs(irqs, 2, wire_changed, &w, 3);

    g_assert_true(irqs[0] == first);
    qemu_irq_raise(irqs[4]);
    g_assert_cmpint(w.n, ==, 4);
    qemu_free_irqs(irqs, 5);
}

static void pass_on(void *opaque, int n, int level)
{
    /* opaque: the line that was intercepted */
    qemu_set_irq(opaque, level + 10);
}

static void test_intercepted_input_reaches_the_interceptor_first(void)
{
    Wire w = { 0 };
    qemu_irq *irqs = qemu_extend_irqs(NULL, 0, wire_changed, &w, 2);

    qemu_irq_intercept_in(irqs, pass_on, 2);
    qemu_irq_raise(irqs[1]);

    g_assert_cmpint(w.n, ==, 1);
    g_assert_cmpint(w.level, ==, 11);
    qemu_free_irqs(irqs, 2);
}

/* --- of devices --- */

#define TYPE_PINS "test-pins"
typedef struct Pins {
    DeviceState parent_obj;

    qemu_irq out[3];
    qemu_irq named;
    Wire in;
} Pins;
DECLARE_INSTANCE_CHECKER(Pins, PINS, TYPE_PINS)

static void pins_set(void *opaque, int n, int level)
{
    wire_changed(&PINS(opaque)->in, n, level);
}

static void pins_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    qdev_init_gpio_in(dev, pins_set, 2);
    qdev_init_gpio_in(dev, pins_set, 2);
    qdev_init_gpio_in_named_with_opaque(dev, pins_set, dev, "aux", 1);
    qdev_init_gpio_out(dev, PINS(obj)->out, 3);
    qdev_init_gpio_out_named(dev, &PINS(obj)->named, "aux", 1);
}

static const TypeInfo pins_types[] = {
    {
        .name = TYPE_PINS,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Pins),
        .instance_init = pins_init,
    },
};
DEFINE_TYPES(pins_types)

static void test_inputs_made_in_parts_are_numbered_through(void)
{
    g_autoptr(DeviceState) dev = qdev_new(TYPE_PINS);

    qemu_irq_raise(qdev_get_gpio_in(dev, 3));
    g_assert_cmpint(PINS(dev)->in.n, ==, 3);
    qemu_irq_raise(qdev_get_gpio_in_named(dev, "aux", 0));
    g_assert_cmpint(PINS(dev)->in.n, ==, 0);
}

static void test_output_drives_what_it_is_connected_to(void)
{
    g_autoptr(DeviceState) from = qdev_new(TYPE_PINS);
    g_autoptr(DeviceState) to = qdev_new(TYPE_PINS);

    qdev_connect_gpio_out(from, 1, qdev_get_gpio_in(to, 2));
    qemu_irq_raise(PINS(from)->out[1]);
    qemu_irq_raise(PINS(from)->out[0]);       /* connected to nothing */

    g_assert_cmpint(PINS(to)->in.n, ==, 2);
    g_assert_cmpint(PINS(to)->in.calls, ==, 1);
}

static void test_intercepted_output_returns_the_old_connection(void)
{
    g_autoptr(DeviceState) from = qdev_new(TYPE_PINS);
    g_autoptr(DeviceState) to = qdev_new(TYPE_PINS);
    Wire w = { 0 };
    qemu_irq icpt = qemu_allocate_irq(wire_changed, &w, 9);
    qemu_irq old;

    qdev_connect_gpio_out_named(from, "aux", 0, qdev_get_gpio_in(to, 0));
    old = qdev_intercept_gpio_out(from, icpt, "aux", 0);
    qemu_irq_raise(PINS(from)->named);

    g_assert_true(old == qdev_get_gpio_in(to, 0));
    g_assert_cmpint(w.n, ==, 9);
    g_assert_cmpint(PINS(to)->in.calls, ==, 0);
    qemu_free_irq(icpt);
    object_unref(old);                        /* the interceptor's now */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/irq/raise-tells-number-and-level",
                    test_raise_tells_number_and_level);
    g_test_add_func("/irq/no-wire-is-silent", test_no_wire_is_silent);
    g_test_add_func("/irq/extend-keeps-the-old-lines",
                    test_extend_keeps_the_old_lines);
    g_test_add_func("/irq/intercepted-input-reaches-the-interceptor-first",
                    test_intercepted_input_reaches_the_interceptor_first);
    g_test_add_func("/gpio/inputs-made-in-parts-are-numbered-through",
                    test_inputs_made_in_parts_are_numbered_through);
    g_test_add_func("/gpio/output-drives-what-it-is-connected-to",
                    test_output_drives_what_it_is_connected_to);
    g_test_add_func("/gpio/intercepted-output-returns-the-old-connection",
                    test_intercepted_output_returns_the_old_connection);
    return g_test_run();
}
