/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock, a Motorola MC146818A at ports 0x70 and 0x71: time of
 * day, alarm, periodic and update-ended interrupts, and 128 bytes of memory
 * ("CMOS") in which a PC's firmware leaves the sizes of memory. It runs on the
 * host's clock, in UTC, also while the VM is stopped. Big lock held.
 */
#ifndef HW_I386_RTC_H
#define HW_I386_RTC_H

#include "hw/qdev-core.h"

#define TYPE_RTC "mc146818rtc"
OBJECT_DECLARE_SIMPLE_TYPE(RTCState, RTC)

#define RTC_BASE 0x70
#define RTC_ISA_IRQ 8

/* Registers (MC146818A data sheet); century and below are a PC's. */
enum {
    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_DAY_OF_WEEK = 0x06,
    RTC_DAY_OF_MONTH = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_REG_A = 0x0a,
    RTC_REG_B = 0x0b,
    RTC_REG_C = 0x0c,
    RTC_REG_D = 0x0d,
    RTC_CENTURY = 0x32,
};
#define RTC_CMOS_SIZE 128

#define RTC_A_UIP 0x80                    /* update in progress */
#define RTC_B_SET 0x80                    /* time is being set, and stands */
#define RTC_B_PIE 0x40
#define RTC_B_AIE 0x20
#define RTC_B_UIE 0x10
#define RTC_B_DM 0x04                     /* binary, not BCD */
#define RTC_B_24H 0x02
#define RTC_C_IRQF 0x80
#define RTC_C_PF 0x40
#define RTC_C_AF 0x20
#define RTC_C_UF 0x10

/* The bytes in which operating systems look for the size of RAM. */
void rtc_set_memory_sizes(RTCState *s, uint64_t below_4g, uint64_t above_4g);

/* Where firmware looks for what to boot from first: letters as in -boot, at
 * most BOOT_ORDER_MAX; and whether it looks for a boot sector on a floppy disk. */
void rtc_set_boot_order(RTCState *s, const char *order, bool check_floppy);

/*
 * Time and registers, as register B says they are encoded. @seconds: since
 * 1970. Pure; rtc_time_decode() reads any bytes and always answers something
 * from 1970 to 2200.
 */
void rtc_time_encode(uint8_t *regs, uint8_t reg_b, int64_t seconds);
int64_t rtc_time_decode(const uint8_t *regs, uint8_t reg_b);
/* When the alarm next goes off after @seconds; INT64_MAX: never. */
int64_t rtc_next_alarm(const uint8_t *regs, uint8_t reg_b, int64_t seconds);

#endif
