/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI fixed hardware (hw/i386/pm.h): PM1 events, PM1 control, PM timer. The
 * machine makes one. There is no SMM and no legacy mode: SCI_EN always reads
 * as set, and so does what tells firmware that there is no SMI to prepare for.
 * Status bits are latched here and must only be cleared by the guest.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "acpi.h"
#include "pm.h"
#include "hw/irq.h"
#include "hw/sysbus.h"
#include "qemu/timer.h"
#include "sysemu/runstate.h"

OBJECT_DECLARE_SIMPLE_TYPE(ACPIPMState, ACPI_PM)

#define IO_PRIORITY (-1)
#define PM1_SIZE 0x8
#define PM1_STS 0x0
#define PM1_EN 0x2
#define PM1_CNT 0x4
#define PM_TMR 0x8
#define PM_TMR_SIZE 0x4
#define SMI_EN 0x30
#define SMI_EN_SIZE 0x4
/* A write to the APM port raises an SMI: firmware that sees it set takes the
 * SMI handler for installed, and leaves it alone. */
#define SMI_EN_APMC 0x20

/* PM1 status and enable bits. */
#define PM1_TMR (1U << 0)
#define PM1_GBL (1U << 5)
#define PM1_PWRBTN (1U << 8)
#define PM1_RTC (1U << 10)
#define PM1_EN_MASK (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC)
/* PM1 control. */
#define PM1_SCI_EN (1U << 0)
#define PM1_SLP_TYP(v) (((v) >> 10) & 7)
#define PM1_SLP_EN (1U << 13)

#define TIMER_HZ 3579545
/* The status bit is set when bit 31 of the timer changes. */
#define TIMER_HALF (1ULL << 31)

struct ACPIPMState {
    SysBusDevice parent_obj;

    uint16_t sts;
    uint16_t en;
    uint16_t cnt;                         /* as written, without SLP_EN */

    uint64_t half_seen;                   /* of the timer, by status */
    MemoryRegion io;                      /* all, where PMBASE says */
    MemoryRegion pm1_io;
    MemoryRegion timer_io;
    MemoryRegion smi_io;
    qemu_irq sci;
    QEMUTimer *half_timer;                /* runs while PM1_TMR is enabled */
    Notifier powerdown;
};

/* --- the timer and the interrupt --- */

static uint64_t timer_ticks(void)
{
    __uint128_t ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    return ns * TIMER_HZ / NANOSECONDS_PER_SECOND;
}

/* The first nanosecond at which the timer has reached @ticks. */
static int64_t ticks_to_ns(uint64_t ticks)
{
    return ((__uint128_t)ticks * NANOSECONDS_PER_SECOND + TIMER_HZ - 1) /
           TIMER_HZ;
}

static void latch_timer(ACPIPMState *s)
{
    uint64_t half = timer_ticks() / TIMER_HALF;

    if (half != s->half_seen) {
        s->half_seen = half;
        s->sts |= PM1_TMR;
    }
}

static void update_sci(ACPIPMState *s)
{
    latch_timer(s);
    qemu_set_irq(s->sci, (s->sts & s->en & PM1_EN_MASK) != 0);
    if (s->en & PM1_TMR) {
        timer_mod(s->half_timer, ticks_to_ns((s->half_seen + 1) * TIMER_HALF));
    } else {
        timer_del(s->half_timer);
    }
}

static void on_half_timer(void *opaque)
{
    update_sci(opaque);
}

static void on_powerdown(Notifier *notifier, void *data)
{
    ACPIPMState *s = container_of(notifier, ACPIPMState, powerdown);

    s->sts |= PM1_PWRBTN;
    update_sci(s);
}

/* --- what the guest does --- */

static void write_control(ACPIPMState *s, uint16_t val)
{
    s->cnt = val & ~PM1_SLP_EN;
    if ((val & PM1_SLP_EN) && PM1_SLP_TYP(val) == ACPI_SLP_TYP_S5) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static uint64_t pm1_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPMState *s = opaque;

    switch (addr) {
    case PM1_STS:
        latch_timer(s);
        return s->sts;
    case PM1_EN:
        return s->en;
    case PM1_CNT:
        return s->cnt | PM1_SCI_EN;
    default:
        return 0;
    }
}

static void pm1_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    ACPIPMState *s = opaque;

    switch (addr) {
    case PM1_STS:
        latch_timer(s);
        s->sts &= ~val;                   /* write 1 to clear */
        update_sci(s);
        break;
    case PM1_EN:
        s->en = val & PM1_EN_MASK;
        update_sci(s);
        break;
    case PM1_CNT:
        write_control(s, val);
        break;
    default:
        break;
    }
}

static uint64_t timer_read(void *opaque, hwaddr addr, unsigned size)
{
    return (timer_ticks() & UINT32_MAX) >> (8 * addr);
}

static void timer_write(void *opaque, hwaddr addr, uint64_t val,
                        unsigned size)
{
}

static const MemoryRegionOps pm1_ops = {
    .read = pm1_read,
    .write = pm1_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 2, .max_access_size = 2 },
};

/* The timer is read as a whole, lest its halves be of different times. */
static const MemoryRegionOps timer_ops = {
    .read = timer_read,
    .write = timer_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

static uint64_t smi_read(void *opaque, hwaddr addr, unsigned size)
{
    return SMI_EN_APMC;
}

static void smi_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
}

static const MemoryRegionOps smi_ops = {
    .read = smi_read,
    .write = smi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* --- life --- */

static void pm_reset(DeviceState *dev)
{
    ACPIPMState *s = ACPI_PM(dev);

    s->sts = 0;
    s->en = 0;
    s->cnt = 0;
    s->half_seen = timer_ticks() / TIMER_HALF;
    update_sci(s);
}

void acpi_pm_place(DeviceState *dev, uint16_t base, bool enabled)
{
    ACPIPMState *s = ACPI_PM(dev);

    memory_region_transaction_begin();
    memory_region_set_enabled(&s->io, enabled);
    memory_region_set_address(&s->io, base);
    memory_region_transaction_commit();
}

static void pm_realize(DeviceState *dev, Error **errp)
{
    ACPIPMState *s = ACPI_PM(dev);

    memory_region_init(&s->io, OBJECT(s), "acpi-pm", ACPI_PM_SIZE);
    memory_region_init_io(&s->pm1_io, OBJECT(s), &pm1_ops, s, "acpi-pm1",
                          PM1_SIZE);
    memory_region_init_io(&s->timer_io, OBJECT(s), &timer_ops, s,
                          "acpi-timer", PM_TMR_SIZE);
    memory_region_init_io(&s->smi_io, OBJECT(s), &smi_ops, s, "acpi-smi",
                          SMI_EN_SIZE);
    s->half_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_half_timer, s);
    memory_region_add_subregion(&s->io, 0, &s->pm1_io);
    memory_region_add_subregion(&s->io, PM_TMR, &s->timer_io);
    memory_region_add_subregion(&s->io, SMI_EN, &s->smi_io);
    /* A guest may put it over other ports: those keep theirs. */
    memory_region_add_subregion_overlap(get_system_io(), ACPI_PM_BASE, &s->io,
                                        IO_PRIORITY);
    s->powerdown.notify = on_powerdown;
    qemu_register_powerdown_notifier(&s->powerdown);
}

static void pm_unrealize(DeviceState *dev)
{
    ACPIPMState *s = ACPI_PM(dev);

    qemu_unregister_powerdown_notifier(&s->powerdown);
    memory_region_del_subregion(get_system_io(), &s->io);
    memory_region_del_subregion(&s->io, &s->smi_io);
    memory_region_del_subregion(&s->io, &s->timer_io);
    memory_region_del_subregion(&s->io, &s->pm1_io);
    timer_free(s->half_timer);
    object_unparent(OBJECT(&s->smi_io));
    object_unparent(OBJECT(&s->timer_io));
    object_unparent(OBJECT(&s->pm1_io));
    object_unparent(OBJECT(&s->io));
}

static void pm_instance_init(Object *obj)
{
    qdev_init_gpio_out_named(DEVICE(obj), &ACPI_PM(obj)->sci, "sci", 1);
}

static void pm_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pm_realize;
    dc->unrealize = pm_unrealize;
    dc->reset = pm_reset;
}

static const TypeInfo pm_types[] = {
    {
        .name = TYPE_ACPI_PM,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ACPIPMState),
        .instance_init = pm_instance_init,
        .class_init = pm_class_init,
    },
};
DEFINE_TYPES(pm_types)
