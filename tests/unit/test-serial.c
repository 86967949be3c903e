/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 16550A as a driver sees it: registers through the port space, and at the
 * other end of the line a chardev of the test's own, which writes to a pipe.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/serial_reg.h>

#include "chardev/char.h"
#include "exec/address-spaces.h"
#include "hw/char/serial.h"
#include "hw/irq.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"

#define BASE 0x3f8
#define CHARDEV_ID "line"

static int line_pipe[2];
static int irq_level;
static DeviceState *serial;

/* --- the other end of the line --- */

static bool line_open(Chardev *chr, Error **errp)
{
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static int line_write(Chardev *chr, const uint8_t *buf, int len)
{
    return write(line_pipe[1], buf, len);
}

static int line_write_fd(Chardev *chr)
{
    return line_pipe[1];
}

static void line_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "line";
    cc->open = line_open;
    cc->chr_write = line_write;
    cc->chr_write_fd = line_write_fd;
}

static const TypeInfo line_types[] = {
    {
        .name = TYPE_CHARDEV "-line",
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(Chardev),
        .class_init = line_class_init,
    },
};
DEFINE_TYPES(line_types)

static Chardev *line(void)
{
    return qemu_chr_find(CHARDEV_ID);
}

/* Input, as much of it as the UART takes. */
static int send(const char *text)
{
    int n = MIN((int)strlen(text), qemu_chr_be_can_write(line()));

    if (n) {
        qemu_chr_be_write(line(), (const uint8_t *)text, n);
    }
    return n;
}

/* What has come out so far. */
static const char *received(void)
{
    static char buf[256];
    ssize_t n = read(line_pipe[0], buf, sizeof(buf) - 1);

    buf[MAX(n, 0)] = '\0';
    return buf;
}

static void fill_line(void)
{
    static const char zeros[4096];

    while (write(line_pipe[1], zeros, sizeof(zeros)) > 0) {
    }
    while (write(line_pipe[1], zeros, 1) > 0) {
    }
}

static void drain_line(void)
{
    char buf[4096];

    while (read(line_pipe[0], buf, sizeof(buf)) > 0) {
    }
}

/* --- the driver's end --- */

static void out(unsigned reg, uint8_t value)
{
    address_space_stb(&address_space_io, BASE + reg, value,
                      MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint8_t in(unsigned reg)
{
    return address_space_ldub(&address_space_io, BASE + reg,
                              MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint8_t interrupt(void)
{
    return in(UART_IIR) & 0x0f;
}

static void note_irq(void *opaque, int n, int level)
{
    irq_level = level;
}

static void reset(void)
{
    device_legacy_reset(serial);
    drain_line();
}

/* --- tests --- */

static void test_output_goes_out_at_once(void)
{
    reset();
    for (const char *p = "hello"; *p; p++) {
        out(UART_TX, *p);
        g_assert_cmphex(in(UART_LSR) & UART_LSR_THRE, ==, UART_LSR_THRE);
    }
    g_assert_cmpstr(received(), ==, "hello");
}

static void test_thre_interrupts_once_per_emptying(void)
{
    reset();
    out(UART_IER, UART_IER_THRI);
    g_assert_cmpint(irq_level, ==, 1);    /* it is empty already */
    g_assert_cmphex(interrupt(), ==, UART_IIR_THRI);
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);
    g_assert_cmpint(irq_level, ==, 0);
    out(UART_TX, 'x');
    g_assert_cmphex(interrupt(), ==, UART_IIR_THRI);
}

static void test_thre_is_raised_again_when_reenabled(void)
{
    reset();
    out(UART_IER, UART_IER_THRI);
    g_assert_cmphex(interrupt(), ==, UART_IIR_THRI);
    out(UART_IER, 0);
    out(UART_IER, UART_IER_THRI);
    g_assert_cmphex(interrupt(), ==, UART_IIR_THRI);
}

static void test_blocked_output_waits_in_the_fifo(void)
{
    reset();
    out(UART_FCR, UART_FCR_ENABLE_FIFO);
    out(UART_IER, UART_IER_THRI);
    interrupt();
    fill_line();
    for (const char *p = "0123456789abcdef"; *p; p++) {
        out(UART_TX, *p);
    }
    g_assert_cmphex(in(UART_LSR) & (UART_LSR_THRE | UART_LSR_TEMT), ==, 0);
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);

    drain_line();
    for (unsigned i = 0; i < 1000 && !irq_level; i++) {
        main_loop_wait(true);
    }
    g_assert_cmphex(interrupt(), ==, UART_IIR_THRI);
    g_assert_cmpstr(received(), ==, "0123456789abcdef");
}

static void test_input_without_fifo_is_a_byte_at_a_time(void)
{
    reset();
    out(UART_IER, UART_IER_RDI);
    g_assert_cmpint(send("ab"), ==, 1);
    g_assert_cmpint(send("b"), ==, 0);
    g_assert_cmphex(interrupt(), ==, UART_IIR_RDI);
    g_assert_cmphex(in(UART_LSR) & UART_LSR_DR, ==, UART_LSR_DR);
    g_assert_cmpint(in(UART_RX), ==, 'a');
    g_assert_cmpint(irq_level, ==, 0);
    g_assert_cmpint(send("b"), ==, 1);
    g_assert_cmpint(in(UART_RX), ==, 'b');
    g_assert_cmphex(in(UART_LSR) & UART_LSR_DR, ==, 0);
}

static void test_fifo_interrupts_at_its_trigger_level(void)
{
    reset();
    out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8);
    out(UART_IER, UART_IER_RDI);
    send("1234567");
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);
    send("8");
    g_assert_cmphex(interrupt(), ==, UART_IIR_RDI);
    g_assert_cmphex(in(UART_IIR) & 0xc0, ==, 0xc0);
    g_assert_cmpint(in(UART_RX), ==, '1');
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);
}

static void test_fifo_takes_16_bytes_in_order(void)
{
    reset();
    out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14);
    g_assert_cmpint(send("0123456789abcdefXYZ"), ==, 16);
    for (const char *p = "0123456789abcdef"; *p; p++) {
        g_assert_cmpint(in(UART_RX), ==, *p);
    }
    g_assert_cmphex(in(UART_LSR) & (UART_LSR_DR | UART_LSR_OE), ==, 0);
}

static void test_input_below_the_trigger_times_out(void)
{
    reset();
    out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14);
    out(UART_IER, UART_IER_RDI);
    send("x");
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);

    /* Four frames of ten bits at 9600 baud. */
    qemu_clock_warp(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 5 * SCALE_MS);
    g_assert_cmphex(interrupt(), ==, 0x0c);
    g_assert_cmpint(in(UART_RX), ==, 'x');
    g_assert_cmphex(interrupt(), ==, UART_IIR_NO_INT);
}

static void test_clearing_the_fifo_drops_input(void)
{
    reset();
    out(UART_FCR, UART_FCR_ENABLE_FIFO);
    send("abc");
    out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
    g_assert_cmphex(in(UART_LSR) & UART_LSR_DR, ==, 0);
    send("d");
    g_assert_cmpint(in(UART_RX), ==, 'd');
}

static void test_loopback_connects_output_to_input(void)
{
    reset();
    out(UART_MCR, UART_MCR_LOOP);
    out(UART_TX, 'L');
    g_assert_cmpint(in(UART_RX), ==, 'L');
    g_assert_cmpstr(received(), ==, "");
    g_assert_cmpint(send("x"), ==, 0);
}

static void test_loopback_connects_modem_lines(void)
{
    reset();
    out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
    g_assert_cmphex(in(UART_MSR) & 0xf0, ==, UART_MSR_DCD | UART_MSR_CTS);
    out(UART_MCR, UART_MCR_LOOP);
    g_assert_cmphex(in(UART_MSR), ==, UART_MSR_DDCD | UART_MSR_DCTS);
    g_assert_cmphex(in(UART_MSR), ==, 0);
    out(UART_MCR, 0);
    g_assert_cmphex(in(UART_MSR) & 0xf0, ==,
                    UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void test_line_status_comes_before_data(void)
{
    reset();
    out(UART_IER, UART_IER_RLSI | UART_IER_RDI);
    qemu_chr_be_event(line(), CHR_EVENT_BREAK);
    g_assert_cmphex(interrupt(), ==, UART_IIR_RLSI);
    g_assert_cmphex(in(UART_LSR) & UART_LSR_BI, ==, UART_LSR_BI);
    g_assert_cmphex(interrupt(), ==, UART_IIR_RDI);
    g_assert_cmpint(in(UART_RX), ==, 0);
}

static void test_divisor_hides_data_and_ier(void)
{
    reset();
    out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
    out(UART_DLL, 0x34);
    out(UART_DLM, 0x12);
    g_assert_cmphex(in(UART_DLL), ==, 0x34);
    g_assert_cmphex(in(UART_DLM), ==, 0x12);
    out(UART_LCR, UART_LCR_WLEN8);
    g_assert_cmphex(in(UART_IER), ==, 0);
    g_assert_cmpstr(received(), ==, "");
}

/* Whatever a driver does, in whatever order, does no harm. */
static void test_random_accesses_are_harmless(void)
{
    reset();
    for (unsigned i = 0; i < 20000; i++) {
        unsigned reg = g_test_rand_int_range(0, 8);

        switch (g_test_rand_int_range(0, 4)) {
        case 0:
            send("0123456789abcdefghijklmn");
            break;
        case 1:
            in(reg);
            break;
        default:
            out(reg, g_test_rand_int());
            break;
        }
        if (i % 64 == 0) {
            drain_line();
            main_loop_wait(true);
        }
    }
    out(UART_MCR, 0);
    out(UART_LCR, 0);
    out(UART_IER, 0);
    g_assert_cmpint(irq_level, ==, 0);
}

static void create(void)
{
    Object *parent = container_get(object_get_root(), "/machine");

    g_assert_cmpint(pipe2(line_pipe, O_NONBLOCK), ==, 0);
    g_assert_nonnull(qemu_chr_new_from_text("line,id=" CHARDEV_ID,
                                            &error_abort));
    serial = qdev_new(TYPE_ISA_SERIAL);
    object_property_add_child(parent, "serial0", OBJECT(serial));
    serial_place(serial)->iobase = BASE;
    qdev_prop_set_chr(serial, "chardev", line());
    sysbus_realize_and_unref(SYS_BUS_DEVICE(serial), &error_fatal);
    sysbus_connect_irq(SYS_BUS_DEVICE(serial), 0,
                       qemu_allocate_irq(note_irq, NULL, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    qemu_clock_set_manual(true);
    memory_map_init();
    create();

    g_test_add_func("/serial/output-goes-out-at-once",
                    test_output_goes_out_at_once);
    g_test_add_func("/serial/thre-interrupts-once-per-emptying",
                    test_thre_interrupts_once_per_emptying);
    g_test_add_func("/serial/thre-is-raised-again-when-reenabled",
                    test_thre_is_raised_again_when_reenabled);
    g_test_add_func("/serial/blocked-output-waits-in-the-fifo",
                    test_blocked_output_waits_in_the_fifo);
    g_test_add_func("/serial/input-without-fifo-is-a-byte-at-a-time",
                    test_input_without_fifo_is_a_byte_at_a_time);
    g_test_add_func("/serial/fifo-interrupts-at-its-trigger-level",
                    test_fifo_interrupts_at_its_trigger_level);
    g_test_add_func("/serial/fifo-takes-16-bytes-in-order",
                    test_fifo_takes_16_bytes_in_order);
    g_test_add_func("/serial/input-below-the-trigger-times-out",
                    test_input_below_the_trigger_times_out);
    g_test_add_func("/serial/clearing-the-fifo-drops-input",
                    test_clearing_the_fifo_drops_input);
    g_test_add_func("/serial/loopback-connects-output-to-input",
                    test_loopback_connects_output_to_input);
    g_test_add_func("/serial/loopback-connects-modem-lines",
                    test_loopback_connects_modem_lines);
    g_test_add_func("/serial/line-status-comes-before-data",
                    test_line_status_comes_before_data);
    g_test_add_func("/serial/divisor-hides-data-and-ier",
                    test_divisor_hides_data_and_ier);
    g_test_add_func("/serial/random-accesses-are-harmless",
                    test_random_accesses_are_harmless);
    return g_test_run();
}
