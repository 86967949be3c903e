/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of reset handlers. */
#include "qemu/osdep.h"
#include "sysemu/reset.h"

static GString *order;

static void note(void *opaque)
{
    g_string_append(order, opaque);
}

static void note_once(void *opaque)
{
    note(opaque);
    qemu_unregister_reset(note_once, opaque);
}

static void clear(void)
{
    qemu_unregister_reset(note, "a");
    qemu_unregister_reset(note, "b");
    qemu_unregister_reset(note, "c");
    g_string_truncate(order, 0);
}

static void test_handlers_run_in_the_order_of_registration(void)
{
    qemu_register_reset(note, "a");
    qemu_register_reset(note, "b");
    qemu_register_reset(note, "c");

    qemu_devices_reset();

    g_assert_cmpstr(order->str, ==, "abc");
    clear();
}

static void test_unregistered_handler_is_not_called(void)
{
    qemu_register_reset(note, "a");
    qemu_register_reset(note, "b");
    qemu_unregister_reset(note, "a");

    qemu_devices_reset();

    g_assert_cmpstr(order->str, ==, "b");
    clear();
}

static void test_handler_may_unregister_itself(void)
{
    qemu_register_reset(note_once, "x");
    qemu_register_reset(note, "a");

    qemu_devices_reset();
    qemu_devices_reset();

    g_assert_cmpstr(order->str, ==, "xaa");
    clear();
}

static void test_unregistering_what_is_not_there_does_nothing(void)
{
    qemu_register_reset(note, "a");
    qemu_unregister_reset(note, "b");
    qemu_unregister_reset(note_once, "a");

    qemu_devices_reset();

    g_assert_cmpstr(order->str, ==, "a");
    clear();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    order = g_string_new(NULL);
    g_test_add_func("/reset/handlers-run-in-the-order-of-registration",
                    test_handlers_run_in_the_order_of_registration);
    g_test_add_func("/reset/unregistered-handler-is-not-called",
                    test_unregistered_handler_is_not_called);
    g_test_add_func("/reset/handler-may-unregister-itself",
                    test_handler_may_unregister_itself);
    g_test_add_func("/reset/unregistering-what-is-not-there-does-nothing",
                    test_unregistering_what_is_not_there_does_nothing);
    return g_test_run();
}
