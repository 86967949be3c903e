/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LPC bridge (hw/i386/ich9-lpc.h; Intel 316972, chapter 13). The machine
 * makes one. What firmware would have written is there from the start: power
 * management at ACPI_PM_BASE. There is no SMM, no watchdog (TCO), and nothing at
 * RCBA, which keeps what is written.
 */
#include "qemu/osdep.h"

#include "acpi.h"
#include "hw/irq.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "ich9-lpc.h"
#include "pm.h"
#include "qapi/error.h"

OBJECT_DECLARE_SIMPLE_TYPE(ICH9LPCState, ICH9_LPC)

#define PMBASE 0x40
#define PMBASE_IO 0x1                     /* reads as set: I/O space */
#define PMBASE_MASK 0xff80
#define ACPI_CNTL 0x44
#define ACPI_CNTL_EN 0x80
#define ACPI_CNTL_MASK 0x87               /* and which interrupt the SCI is */
#define PIRQ_AD 0x60                      /* PIRQA to PIRQD */
#define PIRQ_EH 0x68
#define PIRQ_OFF 0x80
#define PIRQ_MASK 0x8f
#define RCBA 0xf0
#define RCBA_MASK 0xffffc001
/* Others are the board's own. */
#define ROUTABLE_IRQS 0xdef8              /* 3 to 7, 9 to 12, 14, 15 */

struct ICH9LPCState {
    PCIDevice parent_obj;

    uint8_t disable_s3;
    uint8_t disable_s4;
    bool bridge_hotplug;

    uint8_t levels;                       /* bit n: PIRQ n is asserted */
    uint16_t isa_levels;                  /* what it makes of them */
    DeviceState *pm;
    qemu_irq apic[ICH9_LPC_PIRQS];
    qemu_irq isa[ICH9_LPC_ISA_IRQS];
};

/* --- interrupts --- */

static uint8_t pirq_register(const ICH9LPCState *s, unsigned n)
{
    return s->parent_obj.config[n < 4 ? PIRQ_AD + n : PIRQ_EH + n - 4];
}

static void update_isa(ICH9LPCState *s)
{
    uint16_t levels = 0, changed;

    for (unsigned n = 0; n < ICH9_LPC_PIRQS; n++) {
        uint8_t pirq = pirq_register(s, n);

        if ((s->levels >> n & 1) && !(pirq & PIRQ_OFF)) {
            levels |= 1U << (pirq & 0xf);
        }
    }
    levels &= ROUTABLE_IRQS;
    changed = levels ^ s->isa_levels;
    s->isa_levels = levels;
    for (unsigned irq = 0; irq < ICH9_LPC_ISA_IRQS; irq++) {
        if (changed >> irq & 1) {
            qemu_set_irq(s->isa[irq], levels >> irq & 1);
        }
    }
}

static void set_pirq(void *opaque, int n, int level)
{
    ICH9LPCState *s = opaque;

    s->levels = (s->levels & ~(1U << n)) | (level ? 1U << n : 0);
    qemu_set_irq(s->apic[n], level);
    update_isa(s);
}

/* --- configuration space --- */

static void update_pm(ICH9LPCState *s)
{
    const uint8_t *config = s->parent_obj.config;

    if (s->pm) {
        acpi_pm_place(s->pm, pci_get_word(config + PMBASE) & PMBASE_MASK,
                      config[ACPI_CNTL] & ACPI_CNTL_EN);
    }
}

static void lpc_config_write(PCIDevice *dev, uint32_t addr, uint32_t val,
                             int len)
{
    pci_default_write_config(dev, addr, val, len);
    update_pm(ICH9_LPC(dev));
    update_isa(ICH9_LPC(dev));
}

void ich9_lpc_connect_pm(PCIDevice *lpc, DeviceState *pm)
{
    ICH9_LPC(lpc)->pm = pm;
    update_pm(ICH9_LPC(lpc));
}

/* --- life --- */

static void lpc_reset(DeviceState *dev)
{
    ICH9LPCState *s = ICH9_LPC(dev);
    uint8_t *config = s->parent_obj.config;

    pci_set_long(config + PMBASE, ACPI_PM_BASE | PMBASE_IO);
    config[ACPI_CNTL] = ACPI_CNTL_EN;
    memset(config + PIRQ_AD, PIRQ_OFF, 4);
    memset(config + PIRQ_EH, PIRQ_OFF, 4);
    pci_set_long(config + RCBA, 0);
    update_pm(s);
    update_isa(s);
}

static bool check_absent_features(const ICH9LPCState *s, Error **errp)
{
    if (s->disable_s3 != 1 || s->disable_s4 != 1) {
        error_setg(errp, "disable_%s=%u: a guest cannot be suspended; possible: "
                   "1", s->disable_s3 != 1 ? "s3" : "s4",
                   s->disable_s3 != 1 ? s->disable_s3 : s->disable_s4);
        return false;
    }
    if (s->bridge_hotplug) {
        error_setg(errp, "acpi-pci-hotplug-with-bridge-support=on: hot plug is "
                   "that of PCI Express; possible: off");
        return false;
    }
    return true;
}

static void lpc_realize(PCIDevice *dev, Error **errp)
{
    if (!check_absent_features(ICH9_LPC(dev), errp)) {
        return;
    }
    pci_set_long(dev->wmask + PMBASE, PMBASE_MASK);
    dev->wmask[ACPI_CNTL] = ACPI_CNTL_MASK;
    memset(dev->wmask + PIRQ_AD, PIRQ_MASK, 4);
    memset(dev->wmask + PIRQ_EH, PIRQ_MASK, 4);
    pci_set_long(dev->wmask + RCBA, RCBA_MASK);
    lpc_reset(DEVICE(dev));
}

static void lpc_instance_init(Object *obj)
{
    ICH9LPCState *s = ICH9_LPC(obj);

    qdev_init_gpio_in(DEVICE(obj), set_pirq, ICH9_LPC_PIRQS);
    qdev_init_gpio_out_named(DEVICE(obj), s->apic, "apic", ICH9_LPC_PIRQS);
    qdev_init_gpio_out_named(DEVICE(obj), s->isa, "isa", ICH9_LPC_ISA_IRQS);
}

static const Property lpc_properties[] = {
    DEFINE_PROP_UINT8("disable_s3", ICH9LPCState, disable_s3, 1),
    DEFINE_PROP_UINT8("disable_s4", ICH9LPCState, disable_s4, 1),
    DEFINE_PROP_BOOL("acpi-pci-hotplug-with-bridge-support", ICH9LPCState,
                     bridge_hotplug, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void lpc_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    pc->realize = lpc_realize;
    pc->config_write = lpc_config_write;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_ICH9_8;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    dc->reset = lpc_reset;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    device_class_set_props(dc, lpc_properties);
}

static const TypeInfo ich9_lpc_types[] = {
    {
        .name = TYPE_ICH9_LPC,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(ICH9LPCState),
        .instance_init = lpc_instance_init,
        .class_init = lpc_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { NULL }
        },
    },
};
DEFINE_TYPES(ich9_lpc_types)
