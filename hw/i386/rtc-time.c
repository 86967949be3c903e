/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time of day as the registers of an MC146818A hold it: BCD or binary, 12
 * or 24 hours (hw/i386/rtc.h). Pure. The registers are the guest's, so any
 * byte may be in any of them.
 */
#include "qemu/osdep.h"

#include "rtc.h"

#define SECONDS_PER_DAY 86400
#define YEAR_2200 7258118400LL            /* in 2262 nanoseconds overflow */
#define PM_FLAG 0x80                      /* in the hours, 12-hour mode */
#define ALARM_ANY 0xc0                    /* these bits: any value matches */

static uint8_t encode(unsigned value, uint8_t reg_b)
{
    return reg_b & RTC_B_DM ? value : value / 10 << 4 | value % 10;
}

static unsigned decode(uint8_t value, uint8_t reg_b)
{
    return reg_b & RTC_B_DM ? value : (value >> 4) * 10 + (value & 0xf);
}

static uint8_t encode_hours(unsigned hours, uint8_t reg_b)
{
    if (reg_b & RTC_B_24H) {
        return encode(hours, reg_b);
    }
    return encode(hours % 12 ? hours % 12 : 12, reg_b) |
           (hours >= 12 ? PM_FLAG : 0);
}

static unsigned decode_hours(uint8_t value, uint8_t reg_b)
{
    if (reg_b & RTC_B_24H) {
        return decode(value, reg_b);
    }
    return decode(value & ~PM_FLAG, reg_b) % 12 + (value & PM_FLAG ? 12 : 0);
}

void rtc_time_encode(uint8_t *regs, uint8_t reg_b, int64_t seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

    if (!time) {                          /* beyond the year 9999 */
        return;
    }
    regs[RTC_SECONDS] = encode(g_date_time_get_second(time), reg_b);
    regs[RTC_MINUTES] = encode(g_date_time_get_minute(time), reg_b);
    regs[RTC_HOURS] = encode_hours(g_date_time_get_hour(time), reg_b);
    /* GLib: Monday 1 .. Sunday 7; here Sunday is 1. */
    regs[RTC_DAY_OF_WEEK] = g_date_time_get_day_of_week(time) % 7 + 1;
    regs[RTC_DAY_OF_MONTH] = encode(g_date_time_get_day_of_month(time), reg_b);
    regs[RTC_MONTH] = encode(g_date_time_get_month(time), reg_b);
    regs[RTC_YEAR] = encode(g_date_time_get_year(time) % 100, reg_b);
    regs[RTC_CENTURY] = encode(g_date_time_get_year(time) / 100, reg_b);
}

int64_t rtc_time_decode(const uint8_t *regs, uint8_t reg_b)
{
    unsigned century = decode(regs[RTC_CENTURY], reg_b) % 100;
    unsigned year = century * 100 + decode(regs[RTC_YEAR], reg_b) % 100;
    g_autoptr(GDateTime) time = NULL;
    int64_t seconds;

    /* What no calendar has is moved to the nearest that has it. */
    time = g_date_time_new_utc(
        MAX(year, 1), CLAMP(decode(regs[RTC_MONTH], reg_b), 1, 12), 1,
        MIN(decode_hours(regs[RTC_HOURS], reg_b), 23),
        MIN(decode(regs[RTC_MINUTES], reg_b), 59),
        MIN(decode(regs[RTC_SECONDS], reg_b), 59));
    seconds = g_date_time_to_unix(time) + (int64_t)SECONDS_PER_DAY *
              (CLAMP(decode(regs[RTC_DAY_OF_MONTH], reg_b), 1, 31) - 1);
    return CLAMP(seconds, 0, YEAR_2200);
}

static bool alarm_matches(uint8_t alarm, unsigned wanted, unsigned value)
{
    return (alarm & ALARM_ANY) == ALARM_ANY || wanted == value;
}

/* Goes from one candidate to the next: at most one day, in some 150 steps. */
int64_t rtc_next_alarm(const uint8_t *regs, uint8_t reg_b, int64_t seconds)
{
    uint8_t h = regs[RTC_HOURS_ALARM], m = regs[RTC_MINUTES_ALARM];
    uint8_t s = regs[RTC_SECONDS_ALARM];
    int64_t t = seconds + 1, end = t + SECONDS_PER_DAY;

    while (t < end) {
        int64_t of_day = (t % SECONDS_PER_DAY + SECONDS_PER_DAY) %
                         SECONDS_PER_DAY;

        if (!alarm_matches(h, decode_hours(h, reg_b), of_day / 3600)) {
            t += 3600 - of_day % 3600;
        } else if (!alarm_matches(m, decode(m, reg_b), of_day / 60 % 60)) {
            t += 60 - of_day % 60;
        } else if (!alarm_matches(s, decode(s, reg_b), of_day % 60)) {
            t++;
        } else {
            return t;
        }
    }
    return INT64_MAX;                     /* there is no such time of day */
}
