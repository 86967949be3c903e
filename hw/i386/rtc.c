/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MC146818A (hw/i386/rtc.h). The machine makes one.
 *
 * Nothing ticks: the time of day is the host's plus an offset and is worked
 * out when it is read, and so are the flags of register C. A timer is set only
 * while the guest has an interrupt enabled. While the guest sets the time
 * (RTC_B_SET) the registers are what was written.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "qemu/units.h"
#include "rtc.h"
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/sysbus.h"
#include "qemu/timer.h"

/* The time is announced to change this long before it does. */
#define UIP_NS 244000
#define A_DEFAULT 0x26                    /* 32768 Hz crystal, 1024 Hz rate */
#define A_RATE(a) ((a) & 0x0f)
#define CRYSTAL_HZ 32768
#define D_VALID 0x80
/* In the byte of the third boot device: firmware need not look at the drive. */
#define NO_FLOPPY_CHECK 0x1
#define B_INTERRUPTS (RTC_B_PIE | RTC_B_AIE | RTC_B_UIE)

struct RTCState {
    SysBusDevice parent_obj;

    uint8_t index;                        /* of the register at 0x71 */
    uint8_t cmos[RTC_CMOS_SIZE];          /* times: only while being set */

    int64_t offset_ns;                    /* the guest's time less the host's */
    int64_t flags_ns;                     /* the guest's time of the flags */
    MemoryRegion io;
    qemu_irq irq;
    QEMUTimer *timer;
};

/* --- the time --- */

/* Never negative, should the host's clock jump far back. */
static int64_t now_ns(const RTCState *s)
{
    return MAX(0, qemu_clock_get_ns(QEMU_CLOCK_HOST) + s->offset_ns);
}

static int64_t to_seconds(int64_t ns)
{
    return ns / NANOSECONDS_PER_SECOND;
}

/* From the registers, which the guest has just set. */
static void set_time(RTCState *s)
{
    int64_t seconds = rtc_time_decode(s->cmos, s->cmos[RTC_REG_B]);

    s->offset_ns = seconds * NANOSECONDS_PER_SECOND -
                   qemu_clock_get_ns(QEMU_CLOCK_HOST);
    s->flags_ns = now_ns(s);
}

static bool is_time_register(unsigned index)
{
    return index == RTC_CENTURY ||
           (index <= RTC_YEAR && index != RTC_SECONDS_ALARM &&
            index != RTC_MINUTES_ALARM && index != RTC_HOURS_ALARM);
}

/* --- flags and interrupts --- */

/* 0: there is no periodic interrupt. */
static int64_t period_ns(const RTCState *s)
{
    unsigned rate = A_RATE(s->cmos[RTC_REG_A]);

    if (!rate) {
        return 0;
    }
    if (rate <= 2) {                      /* these mean the same as 8 and 9 */
        rate += 7;
    }
    return (NANOSECONDS_PER_SECOND << (rate - 1)) / CRYSTAL_HZ;
}

/* Flags for what has happened since they were last looked at. */
static void update_flags(RTCState *s)
{
    uint8_t b = s->cmos[RTC_REG_B];
    int64_t last = s->flags_ns, now = now_ns(s), period = period_ns(s);
    uint8_t flags = 0;

    s->flags_ns = now;
    if (period && last / period != now / period) {
        flags |= RTC_C_PF;
    }
    if (!(b & RTC_B_SET) && to_seconds(last) != to_seconds(now)) {
        flags |= RTC_C_UF;
        if (rtc_next_alarm(s->cmos, b, to_seconds(last)) <= to_seconds(now)) {
            flags |= RTC_C_AF;
        }
    }
    s->cmos[RTC_REG_C] |= flags;
    if (s->cmos[RTC_REG_C] & b & B_INTERRUPTS) {
        s->cmos[RTC_REG_C] |= RTC_C_IRQF;
        qemu_irq_raise(s->irq);
    }
}

/* When the next enabled interrupt is due, in the guest's time. */
static int64_t next_event(const RTCState *s)
{
    uint8_t b = s->cmos[RTC_REG_B];
    int64_t now = now_ns(s), period = period_ns(s), next = INT64_MAX;
    int64_t alarm = rtc_next_alarm(s->cmos, b, to_seconds(now));

    if ((b & RTC_B_PIE) && period) {
        next = (now / period + 1) * period;
    }
    if ((b & RTC_B_UIE) && !(b & RTC_B_SET)) {
        next = MIN(next, (to_seconds(now) + 1) * NANOSECONDS_PER_SECOND);
    }
    if ((b & RTC_B_AIE) && !(b & RTC_B_SET) && alarm != INT64_MAX) {
        next = MIN(next, alarm * NANOSECONDS_PER_SECOND);
    }
    return next;
}

static void set_timer(RTCState *s)
{
    int64_t next = next_event(s);

    if (next == INT64_MAX) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, next - s->offset_ns);
    }
}

static void on_timer(void *opaque)
{
    RTCState *s = opaque;

    update_flags(s);
    set_timer(s);
}

/* --- ports --- */

static uint8_t read_c(RTCState *s)
{
    uint8_t value;

    update_flags(s);
    value = s->cmos[RTC_REG_C];
    s->cmos[RTC_REG_C] = 0;
    qemu_irq_lower(s->irq);
    return value;
}

static uint8_t read_register(RTCState *s, unsigned index)
{
    uint8_t b = s->cmos[RTC_REG_B];
    int64_t now = now_ns(s);

    switch (index) {
    case RTC_REG_A:
        if (!(b & RTC_B_SET) && now % NANOSECONDS_PER_SECOND >=
                                    NANOSECONDS_PER_SECOND - UIP_NS) {
            return s->cmos[index] | RTC_A_UIP;
        }
        return s->cmos[index];
    case RTC_REG_C:
        return read_c(s);
    case RTC_REG_D:
        return D_VALID;
    default:
        if (is_time_register(index) && !(b & RTC_B_SET)) {
            rtc_time_encode(s->cmos, b, to_seconds(now));
        }
        return s->cmos[index];
    }
}

static void write_b(RTCState *s, uint8_t value)
{
    uint8_t old = s->cmos[RTC_REG_B];

    if (!(old & RTC_B_SET)) {
        update_flags(s);
        rtc_time_encode(s->cmos, old, to_seconds(now_ns(s)));
    }
    s->cmos[RTC_REG_B] = value;
    if ((old & RTC_B_SET) && !(value & RTC_B_SET)) {
        set_time(s);
    } else if (!(value & RTC_B_SET)) {
        /* The encoding may have changed. */
        rtc_time_encode(s->cmos, value, to_seconds(now_ns(s)));
    }
    update_flags(s);
}

static void write_time(RTCState *s, unsigned index, uint8_t value)
{
    bool setting = s->cmos[RTC_REG_B] & RTC_B_SET;

    if (!setting) {
        rtc_time_encode(s->cmos, s->cmos[RTC_REG_B], to_seconds(now_ns(s)));
    }
    s->cmos[index] = value;
    if (!setting) {
        set_time(s);
    }
}

static void write_register(RTCState *s, unsigned index, uint8_t value)
{
    switch (index) {
    case RTC_REG_A:
        update_flags(s);
        s->cmos[index] = value & ~RTC_A_UIP;
        break;
    case RTC_REG_B:
        write_b(s, value);
        break;
    case RTC_REG_C:
    case RTC_REG_D:
        return;                           /* read only */
    default:
        if (is_time_register(index)) {
            write_time(s, index, value);
        } else {
            update_flags(s);
            s->cmos[index] = value;
        }
        break;
    }
    set_timer(s);
}

static uint64_t rtc_read(void *opaque, hwaddr addr, unsigned size)
{
    RTCState *s = opaque;

    return addr == 0 ? 0xff : read_register(s, s->index);
}

static void rtc_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    RTCState *s = opaque;

    if (addr == 0) {
        s->index = val % RTC_CMOS_SIZE;   /* bit 7 masks NMIs, elsewhere */
    } else {
        write_register(s, s->index, val);
    }
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* --- for the machine --- */

/* Stores @val in the CMOS byte @addr, which is not one of the clock's. */
static void rtc_set_memory(RTCState *s, unsigned addr, uint8_t val)
{
    g_assert(addr > RTC_REG_D && addr < RTC_CMOS_SIZE && addr != RTC_CENTURY);
    s->cmos[addr] = val;
}

static void set_word(RTCState *s, unsigned addr, uint16_t value)
{
    rtc_set_memory(s, addr, value);
    rtc_set_memory(s, addr + 1, value >> 8);
}

void rtc_set_memory_sizes(RTCState *s, uint64_t below_4g, uint64_t above_4g)
{
    uint64_t extended = below_4g > MiB ? below_4g - MiB : 0;
    uint64_t above_16m = below_4g > 16 * MiB ? below_4g - 16 * MiB : 0;

    set_word(s, 0x15, 640);                             /* KiB */
    set_word(s, 0x17, MIN(extended / KiB, UINT16_MAX));
    set_word(s, 0x30, MIN(extended / KiB, UINT16_MAX));
    set_word(s, 0x34, MIN(above_16m / (64 * KiB), UINT16_MAX));
    set_word(s, 0x5b, above_4g / (64 * KiB));           /* of three bytes */
    rtc_set_memory(s, 0x5d, above_4g / (64 * KiB) >> 16);
}

/* The number of what a PC boots from, as its firmware reads it. */
static uint8_t boot_device(char letter)
{
    switch (letter) {
    case 'a':
    case 'b':
        return 1;
    case 'c':
        return 2;
    case 'd':
        return 3;
    case 'n':
        return 4;
    }
    return 0;
}

void rtc_set_boot_order(RTCState *s, const char *order, bool check_floppy)
{
    uint8_t devices[BOOT_ORDER_MAX] = {};

    for (unsigned i = 0; i < BOOT_ORDER_MAX && order[i]; i++) {
        devices[i] = boot_device(order[i]);
    }
    rtc_set_memory(s, 0x38, devices[2] << 4 | (check_floppy ? 0 : NO_FLOPPY_CHECK));
    rtc_set_memory(s, 0x3d, devices[1] << 4 | devices[0]);
}

/* --- life --- */

static void rtc_reset(DeviceState *dev)
{
    RTCState *s = RTC(dev);

    s->cmos[RTC_REG_B] &= ~B_INTERRUPTS;
    s->cmos[RTC_REG_C] = 0;
    s->flags_ns = now_ns(s);
    qemu_irq_lower(s->irq);
    set_timer(s);
}

static void rtc_realize(DeviceState *dev, Error **errp)
{
    RTCState *s = RTC(dev);

    s->cmos[RTC_REG_A] = A_DEFAULT;
    s->cmos[RTC_REG_B] = RTC_B_24H;
    s->flags_ns = now_ns(s);
    s->timer = timer_new_ns(QEMU_CLOCK_HOST, on_timer, s);
    memory_region_init_io(&s->io, OBJECT(s), &rtc_ops, s, "rtc", 2);
    memory_region_add_subregion(get_system_io(), RTC_BASE, &s->io);
}

static void rtc_unrealize(DeviceState *dev)
{
    RTCState *s = RTC(dev);

    memory_region_del_subregion(get_system_io(), &s->io);
    object_unparent(OBJECT(&s->io));
    timer_free(s->timer);
}

static void rtc_instance_init(Object *obj)
{
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &RTC(obj)->irq);
}

static void rtc_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = rtc_realize;
    dc->unrealize = rtc_unrealize;
    dc->reset = rtc_reset;
}

static const TypeInfo rtc_types[] = {
    {
        .name = TYPE_RTC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(RTCState),
        .instance_init = rtc_instance_init,
        .class_init = rtc_class_init,
    },
};
DEFINE_TYPES(rtc_types)
