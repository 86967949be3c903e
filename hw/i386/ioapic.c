/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board's interrupt inputs (hw/i386/ioapic.h). The machine makes one, puts
 * it at /machine/ioapic, and hands its inputs to the devices. Under KVM a level
 * or a message goes straight to the kernel; without, nobody takes it here.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "ioapic.h"
#include "memory-map.h"
#include "hw/intc.h"
#include "hw/pci/msi.h"
#include "hw/sysbus.h"
#include "sysemu/kvm.h"

OBJECT_DECLARE_SIMPLE_TYPE(IOAPICState, IOAPIC)

QEMU_BUILD_BUG_ON(IOAPIC_NUM_PINS != KVM_IRQCHIP_PINS);

struct IOAPICState {
    SysBusDevice parent_obj;

    MemoryRegion msi_io;

    uint32_t raised;                      /* inputs, a bit each */
    uint64_t counts[IOAPIC_NUM_PINS];     /* how often each was raised */
};

/* Levels that KVM alone raises (irqfds) are not seen here. */
static void ioapic_set_irq(void *opaque, int n, int level)
{
    IOAPICState *s = opaque;
    uint32_t bit = 1U << n;

    s->counts[n] += level && !(s->raised & bit);
    s->raised = level ? s->raised | bit : s->raised & ~bit;
    if (kvm_irqchip_in_kernel()) {
        kvm_set_irq(kvm_state, n, level);
    }
}

static uint64_t msi_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

/* A message that no local APIC takes is lost, as on a bus. */
static void msi_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    MSIMessage msg = { .address = X86_LAPIC_BASE + addr, .data = val };

    if (kvm_irqchip_in_kernel()) {
        kvm_irqchip_send_msi(kvm_state, msg);
    }
}

static const MemoryRegionOps msi_ops = {
    .read = msi_read,
    .write = msi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static void ioapic_realize(DeviceState *dev, Error **errp)
{
    IOAPICState *s = IOAPIC(dev);

    memory_region_init_io(&s->msi_io, OBJECT(s), &msi_ops, s, "kvm-apic-msi",
                          X86_LAPIC_SIZE);
    memory_region_clear_global_locking(&s->msi_io);
    memory_region_add_subregion(get_system_memory(), X86_LAPIC_BASE,
                                &s->msi_io);
}

static void ioapic_unrealize(DeviceState *dev)
{
    IOAPICState *s = IOAPIC(dev);

    memory_region_del_subregion(get_system_memory(), &s->msi_io);
    object_unparent(OBJECT(&s->msi_io));
}

static bool ioapic_get_statistics(InterruptStatsProvider *obj,
                                  uint64_t **irq_counts, unsigned int *nb_irqs)
{
    *irq_counts = IOAPIC(obj)->counts;
    *nb_irqs = IOAPIC_NUM_PINS;
    return true;
}

static void ioapic_instance_init(Object *obj)
{
    qdev_init_gpio_in(DEVICE(obj), ioapic_set_irq, IOAPIC_NUM_PINS);
}

static void ioapic_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = ioapic_realize;
    dc->unrealize = ioapic_unrealize;
    INTERRUPT_STATS_PROVIDER_CLASS(klass)->get_statistics =
        ioapic_get_statistics;
}

static const TypeInfo ioapic_types[] = {
    {
        .name = TYPE_IOAPIC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(IOAPICState),
        .instance_init = ioapic_instance_init,
        .class_init = ioapic_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_INTERRUPT_STATS_PROVIDER },
            { }
        },
    },
};
DEFINE_TYPES(ioapic_types)
