/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock: how time is encoded in its registers, when its alarm
 * goes off, and the device as a guest drives it by its two ports.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/i386/rtc.h"
#include "hw/irq.h"
#include "hw/sysbus.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "tests/patience.h"

#define BINARY_24H (RTC_B_DM | RTC_B_24H)
#define BCD_24H RTC_B_24H
#define BCD_12H 0

/* 2021-07-04 15:06:07 UTC, a Sunday. */
#define SOME_TIME 1625411167LL

/* --- registers --- */

static void test_bcd_time_reads_like_a_clock(void)
{
    uint8_t regs[RTC_CMOS_SIZE] = {};

    rtc_time_encode(regs, BCD_24H, SOME_TIME);

    g_assert_cmphex(regs[RTC_CENTURY], ==, 0x20);
    g_assert_cmphex(regs[RTC_YEAR], ==, 0x21);
    g_assert_cmphex(regs[RTC_MONTH], ==, 0x07);
    g_assert_cmphex(regs[RTC_DAY_OF_MONTH], ==, 0x04);
    g_assert_cmphex(regs[RTC_DAY_OF_WEEK], ==, 1);
    g_assert_cmphex(regs[RTC_HOURS], ==, 0x15);
    g_assert_cmphex(regs[RTC_MINUTES], ==, 0x06);
    g_assert_cmphex(regs[RTC_SECONDS], ==, 0x07);
}

static void test_12_hours_have_a_pm_flag(void)
{
    static const struct {
        unsigned hour;
        uint8_t reg;
    } cases[] = { { 0, 0x12 }, { 1, 0x01 }, { 11, 0x11 }, { 12, 0x92 },
                  { 13, 0x81 }, { 23, 0x91 } };
    uint8_t regs[RTC_CMOS_SIZE] = {};

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        rtc_time_encode(regs, BCD_12H, cases[i].hour * 3600);
        g_assert_cmphex(regs[RTC_HOURS], ==, cases[i].reg);
    }
}

static void test_encoded_times_decode_to_themselves(void)
{
    static const uint8_t formats[] = { 0, RTC_B_DM, RTC_B_24H, BINARY_24H };
    uint8_t regs[RTC_CMOS_SIZE] = {};

    for (unsigned i = 0; i < 1000; i++) {
        int64_t seconds = g_test_rand_int_range(0, INT32_MAX) * 3LL;

        rtc_time_encode(regs, formats[i % 4], seconds);
        g_assert_cmpint(rtc_time_decode(regs, formats[i % 4]), ==, seconds);
    }
}

static void test_any_bytes_decode_to_some_time(void)
{
    uint8_t regs[RTC_CMOS_SIZE];

    for (unsigned i = 0; i < 10000; i++) {
        int64_t seconds;

        for (unsigned j = 0; j < sizeof(regs); j++) {
            regs[j] = g_test_rand_int();
        }
        seconds = rtc_time_decode(regs, regs[RTC_REG_B]);
        g_assert_cmpint(seconds, >=, 0);
        g_assert_cmpint(seconds, <=, 7258118400LL);
    }
}

static int64_t alarm_after(uint8_t h, uint8_t m, uint8_t s, int64_t now)
{
    uint8_t regs[RTC_CMOS_SIZE] = {};

    regs[RTC_HOURS_ALARM] = h;
    regs[RTC_MINUTES_ALARM] = m;
    regs[RTC_SECONDS_ALARM] = s;
    return rtc_next_alarm(regs, BINARY_24H, now);
}

static void test_alarm_is_the_next_time_that_matches(void)
{
    const int64_t midnight = SOME_TIME / 86400 * 86400;

    g_assert_cmpint(alarm_after(15, 6, 8, SOME_TIME), ==, SOME_TIME + 1);
    g_assert_cmpint(alarm_after(15, 6, 7, SOME_TIME), ==, SOME_TIME + 86400);
    g_assert_cmpint(alarm_after(0, 0, 0, SOME_TIME), ==, midnight + 86400);
    g_assert_cmpint(alarm_after(0xff, 0xff, 0xff, SOME_TIME), ==,
                    SOME_TIME + 1);
    g_assert_cmpint(alarm_after(0xc0, 6, 0, SOME_TIME), ==,
                    SOME_TIME - 7 + 3600);
    g_assert_cmpint(alarm_after(0xff, 0xff, 0, SOME_TIME), ==,
                    SOME_TIME - 7 + 60);
    g_assert_cmpint(alarm_after(24, 0, 0, SOME_TIME), ==, INT64_MAX);
}

/* --- the device --- */

static int irq_level;

static void note_irq(void *opaque, int n, int level)
{
    irq_level = level;
}

static uint8_t read_cmos(uint8_t index)
{
    address_space_stb(&address_space_io, RTC_BASE, index,
                      MEMTXATTRS_UNSPECIFIED, NULL);
    return address_space_ldub(&address_space_io, RTC_BASE + 1,
                              MEMTXATTRS_UNSPECIFIED, NULL);
}

static void write_cmos(uint8_t index, uint8_t value)
{
    address_space_stb(&address_space_io, RTC_BASE, index,
                      MEMTXATTRS_UNSPECIFIED, NULL);
    address_space_stb(&address_space_io, RTC_BASE + 1, value,
                      MEMTXATTRS_UNSPECIFIED, NULL);
}

/* Runs the main loop until the interrupt is raised. */
static bool wait_for_irq(void)
{
    /* It may come after two seconds of the clock's, whatever the machine. */
    gint64 end = patience_deadline() + 2 * G_USEC_PER_SEC;
    unsigned round = 0;

    while (!irq_level && patience_more(end, &round)) {
        main_loop_wait(true);
    }
    return irq_level;
}

static void reset(void)
{
    write_cmos(RTC_REG_B, RTC_B_24H);
    read_cmos(RTC_REG_C);
    irq_level = 0;
}

static void set_time(uint8_t hours, uint8_t minutes, uint8_t seconds)
{
    write_cmos(RTC_REG_B, RTC_B_24H | RTC_B_SET);
    write_cmos(RTC_HOURS, hours);
    write_cmos(RTC_MINUTES, minutes);
    write_cmos(RTC_SECONDS, seconds);
    write_cmos(RTC_DAY_OF_MONTH, 0x04);
    write_cmos(RTC_MONTH, 0x07);
    write_cmos(RTC_YEAR, 0x21);
    write_cmos(RTC_CENTURY, 0x20);
}

static void test_time_starts_as_the_hosts(void)
{
    uint8_t regs[RTC_CMOS_SIZE];
    int64_t before = g_get_real_time() / G_USEC_PER_SEC, time;

    for (unsigned i = 0; i < sizeof(regs); i++) {
        regs[i] = read_cmos(i);
    }
    time = rtc_time_decode(regs, regs[RTC_REG_B]);
    g_assert_cmpint(time, >=, before - 1);
    g_assert_cmpint(time, <=, g_get_real_time() / G_USEC_PER_SEC + 1);
    g_assert_cmphex(read_cmos(RTC_REG_D), ==, 0x80);
}

static void test_time_stands_while_it_is_set(void)
{
    reset();
    set_time(0x23, 0x00, 0x58);
    g_usleep(1100000);
    g_assert_cmphex(read_cmos(RTC_SECONDS), ==, 0x58);
    g_assert_cmphex(read_cmos(RTC_REG_A) & RTC_A_UIP, ==, 0);

    write_cmos(RTC_REG_B, RTC_B_24H);
    g_assert_cmphex(read_cmos(RTC_HOURS), ==, 0x23);
    g_assert_cmphex(read_cmos(RTC_DAY_OF_MONTH), ==, 0x04);
}

static void test_encoding_can_change_at_any_time(void)
{
    reset();
    set_time(0x15, 0x20, 0x00);
    write_cmos(RTC_REG_B, RTC_B_24H);

    write_cmos(RTC_REG_B, BINARY_24H);
    g_assert_cmpuint(read_cmos(RTC_HOURS), ==, 15);
    g_assert_cmpuint(read_cmos(RTC_MINUTES), ==, 20);
}

static void test_update_interrupt_comes_each_second(void)
{
    reset();
    write_cmos(RTC_REG_B, RTC_B_24H | RTC_B_UIE);

    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(wait_for_irq());
        g_assert_cmphex(read_cmos(RTC_REG_C) & (RTC_C_IRQF | RTC_C_UF), ==,
                        RTC_C_IRQF | RTC_C_UF);
        g_assert_cmpint(irq_level, ==, 0);
        g_assert_cmphex(read_cmos(RTC_REG_C) & RTC_C_IRQF, ==, 0);
    }
    reset();
}

static void test_alarm_interrupt_comes_at_its_time(void)
{
    reset();
    set_time(0x12, 0x00, 0x00);
    write_cmos(RTC_HOURS_ALARM, 0x12);
    write_cmos(RTC_MINUTES_ALARM, 0x00);
    write_cmos(RTC_SECONDS_ALARM, 0x02);
    write_cmos(RTC_REG_B, RTC_B_24H | RTC_B_AIE);

    g_assert_true(wait_for_irq());
    g_assert_cmphex(read_cmos(RTC_SECONDS), >=, 0x02);
    g_assert_cmphex(read_cmos(RTC_REG_C) & (RTC_C_IRQF | RTC_C_AF), ==,
                    RTC_C_IRQF | RTC_C_AF);
    reset();
}

static void test_periodic_interrupt_has_the_rate_of_register_a(void)
{
    int64_t start;

    reset();
    write_cmos(RTC_REG_A, 0x2a);          /* 64 Hz */
    write_cmos(RTC_REG_B, RTC_B_24H | RTC_B_PIE);
    start = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
    for (unsigned i = 0; i < 9; i++) {
        g_assert_true(wait_for_irq());
        g_assert_cmphex(read_cmos(RTC_REG_C) & RTC_C_PF, ==, RTC_C_PF);
    }
    /* Eight full periods of 15.6 ms; a busy host may add any time. */
    g_assert_cmpint(qemu_clock_get_ms(QEMU_CLOCK_REALTIME) - start, >=, 110);
    reset();
}

static void test_no_alarm_is_due_at_an_impossible_time(void)
{
    reset();
    write_cmos(RTC_HOURS_ALARM, 0x99);
    write_cmos(RTC_REG_B, RTC_B_24H | RTC_B_AIE);
    g_usleep(1100000);
    main_loop_wait(true);
    g_assert_cmphex(read_cmos(RTC_REG_C) & RTC_C_AF, ==, 0);
    reset();
}

static void test_memory_sizes_are_in_cmos(void)
{
    /* 2 GiB below, 3 GiB above; see create(). */
    g_assert_cmphex(read_cmos(0x34) | read_cmos(0x35) << 8, ==,
                    (2 * GiB - 16 * MiB) / (64 * KiB));
    g_assert_cmphex(read_cmos(0x5b) | read_cmos(0x5c) << 8 |
                    read_cmos(0x5d) << 16, ==, 3 * GiB / (64 * KiB));
    g_assert_cmphex(read_cmos(0x17) | read_cmos(0x18) << 8, ==, 0xffff);
}

static void create(void)
{
    DeviceState *dev = qdev_new(TYPE_RTC);

    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_abort);
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0,
                       qemu_allocate_irq(note_irq, NULL, 0));
    rtc_set_memory_sizes(RTC(dev), 2 * GiB, 3 * GiB);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    memory_map_init();
    create();

    g_test_add_func("/rtc/bcd-time-reads-like-a-clock",
                    test_bcd_time_reads_like_a_clock);
    g_test_add_func("/rtc/12-hours-have-a-pm-flag",
                    test_12_hours_have_a_pm_flag);
    g_test_add_func("/rtc/encoded-times-decode-to-themselves",
                    test_encoded_times_decode_to_themselves);
    g_test_add_func("/rtc/any-bytes-decode-to-some-time",
                    test_any_bytes_decode_to_some_time);
    g_test_add_func("/rtc/alarm-is-the-next-time-that-matches",
                    test_alarm_is_the_next_time_that_matches);
    g_test_add_func("/rtc/time-starts-as-the-hosts",
                    test_time_starts_as_the_hosts);
    g_test_add_func("/rtc/time-stands-while-it-is-set",
                    test_time_stands_while_it_is_set);
    g_test_add_func("/rtc/encoding-can-change-at-any-time",
                    test_encoding_can_change_at_any_time);
    g_test_add_func("/rtc/update-interrupt-comes-each-second",
                    test_update_interrupt_comes_each_second);
    g_test_add_func("/rtc/alarm-interrupt-comes-at-its-time",
                    test_alarm_interrupt_comes_at_its_time);
    g_test_add_func("/rtc/periodic-interrupt-has-the-rate-of-register-a",
                    test_periodic_interrupt_has_the_rate_of_register_a);
    g_test_add_func("/rtc/no-alarm-is-due-at-an-impossible-time",
                    test_no_alarm_is_due_at_an_impossible_time);
    g_test_add_func("/rtc/memory-sizes-are-in-cmos",
                    test_memory_sizes_are_in_cmos);
    return g_test_run();
}
