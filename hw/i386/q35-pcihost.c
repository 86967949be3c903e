/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The q35 host bridge (hw/i386/q35-pcihost.h). The machine makes one, as
 * /machine/q35. MMCONFIG is where firmware would have put it, from the start.
 *
 * BARs live in a container below everything else: a guest that puts one over
 * RAM gets RAM.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "acpi.h"
#include "pam.h"
#include "q35-pcihost.h"
#include "hw/irq.h"
#include "hw/sysbus.h"
#include "sysemu/runstate.h"
#include "trace.h"

OBJECT_DECLARE_SIMPLE_TYPE(Q35PCIHost, Q35_PCIHOST)

#define TYPE_MCH "mch"

#define CONFIG_PORT 0xcf8
#define CONFIG_PORTS 8
#define CONFIG_DATA 4                     /* from CONFIG_PORT */
#define CONFIG_ENABLE (1U << 31)
/* The reset control register lies within the address register. */
#define RESET_CONTROL (ACPI_RESET_PORT - CONFIG_PORT)
#define RESET_CPU 0x4

#define MCH_PCIEXBAR 0x60
#define MCH_PCIEXBAR_SIZE 8
#define MCH_PCIEXBAR_ENABLE 0x1
/* 256, 128 or 64 buses; 3 is reserved. */
#define MCH_PCIEXBAR_LENGTH(bar) (((bar) >> 1) & 3)
#define MCH_PCIEXBAR_MASK 0xffc000007ULL
#define MCH_PCIEXBAR_BASE 0xffc000000ULL
#define MCH_PAM0 0x90
/* Memory of system management mode (Intel 316966, 5.1). No CPU has that mode, so
 * nothing is ever hidden; what the registers hold, and their lock, are the chip's. */
#define MCH_SMBASE 0x9c                   /* not the chip's: a byte to write to */
#define MCH_SMRAM 0x9d
#define MCH_SMRAM_OPEN 0x40
#define MCH_SMRAM_CLOSED 0x20
#define MCH_SMRAM_LOCK 0x10
#define MCH_SMRAM_ENABLE 0x08
#define MCH_SMRAM_DEFAULT 0x02            /* at 0xa0000, always */
#define MCH_ESMRAMC 0x9e
#define MCH_ESMRAMC_MASK 0x87
#define MCH_ESMRAMC_DEFAULT 0x38
#define PCI_MEMORY_PRIORITY (-1)

struct Q35PCIHost {
    PCIExpressHost parent_obj;

    PCIDevice *mch;
    bool has_pam;
    PAMState pam;

    uint8_t reset_control;
    MemoryRegion config_io;
    MemoryRegion pci_memory;
    qemu_irq gsi[Q35_PCI_GSIS];
};

/* --- configuration ports --- */

static uint64_t config_read(void *opaque, hwaddr addr, unsigned size)
{
    Q35PCIHost *s = opaque;
    PCIHostState *host = PCI_HOST_BRIDGE(s);

    if (addr >= CONFIG_DATA && (host->config_reg & CONFIG_ENABLE)) {
        return pci_data_read(host->bus, host->config_reg | (addr & 3), size);
    }
    if (addr == 0 && size == 4) {
        return host->config_reg;
    }
    if (addr == RESET_CONTROL && size == 1) {
        return s->reset_control;
    }
    return PCI_NO_ANSWER;
}

static void config_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    Q35PCIHost *s = opaque;
    PCIHostState *host = PCI_HOST_BRIDGE(s);

    if (addr >= CONFIG_DATA && (host->config_reg & CONFIG_ENABLE)) {
        pci_data_write(host->bus, host->config_reg | (addr & 3), val, size);
    } else if (addr == 0 && size == 4) {
        host->config_reg = val;
    } else if (addr == RESET_CONTROL && size == 1) {
        /* Which kind of reset the other bits say; all are the same here. */
        s->reset_control = val & ~RESET_CPU;
        if (val & RESET_CPU) {
            trace_guest_reset("port 0xcf9");
            qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        }
    }
}

static const MemoryRegionOps config_ops = {
    .read = config_read,
    .write = config_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

/* --- interrupts --- */

static int map_irq(PCIDevice *pci_dev, int pin)
{
    return ACPI_PCI_GSI(pci_dev->devfn >> 3, pin) - Q35_PCI_GSI_BASE;
}

static void set_irq(void *opaque, int irq_num, int level)
{
    Q35PCIHost *s = opaque;

    qemu_set_irq(s->gsi[irq_num], level);
}

static PCIINTxRoute route_irq(void *opaque, int pin)
{
    return (PCIINTxRoute) { .mode = PCI_INTX_ENABLED,
                            .irq = Q35_PCI_GSI_BASE + pin };
}

/* --- life --- */

static void q35_host_reset(DeviceState *dev)
{
    PCI_HOST_BRIDGE(dev)->config_reg = 0;
    Q35_PCIHOST(dev)->reset_control = 0;
}

static void q35_host_realize(DeviceState *dev, Error **errp)
{
    Q35PCIHost *s = Q35_PCIHOST(dev);
    PCIHostState *host = PCI_HOST_BRIDGE(s);

    memory_region_init_io(&s->config_io, OBJECT(s), &config_ops, s,
                          "pci-config", CONFIG_PORTS);
    memory_region_init(&s->pci_memory, OBJECT(s), "pci", UINT64_MAX);
    memory_region_add_subregion(get_system_io(), CONFIG_PORT, &s->config_io);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->pci_memory,
                                        PCI_MEMORY_PRIORITY);
    host->bus = pci_root_bus_new(dev, "pcie.0", &s->pci_memory,
                                 get_system_io(), 0, TYPE_PCIE_BUS);
    pci_bus_irqs(host->bus, set_irq, map_irq, s, Q35_PCI_GSIS);
    pci_bus_set_route_irq_fn(host->bus, route_irq);
    pcie_host_mmcfg_init(PCIE_HOST_BRIDGE(s), X86_MMCONFIG_SIZE);
    s->mch = pci_create_simple(host->bus, 0, TYPE_MCH);
}

static void q35_host_instance_init(Object *obj)
{
    qdev_init_gpio_out(DEVICE(obj), Q35_PCIHOST(obj)->gsi, Q35_PCI_GSIS);
}

static void q35_host_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = q35_host_realize;
    dc->reset = q35_host_reset;
}

/* --- function 00.0 --- */

/* Where the register says that configuration space is. */
static void mch_update_mmcfg(PCIDevice *dev)
{
    PCIExpressHost *host = PCIE_HOST_BRIDGE(BUS(pci_get_bus(dev))->parent);
    uint64_t bar = pci_get_quad(dev->config + MCH_PCIEXBAR);
    unsigned length = MCH_PCIEXBAR_LENGTH(bar);
    uint64_t size = X86_MMCONFIG_SIZE >> MIN(length, 2);
    uint64_t base = bar & MCH_PCIEXBAR_BASE & -size;
    bool enable = (bar & MCH_PCIEXBAR_ENABLE) && length <= 2;

    pcie_host_mmcfg_update(host, enable, base, size);
}

static void mch_update_pam(PCIDevice *dev)
{
    Q35PCIHost *s = Q35_PCIHOST(BUS(pci_get_bus(dev))->parent);

    if (s->has_pam) {
        pam_update(&s->pam, dev->config + MCH_PAM0);
    }
}

/* What is locked is not open, and stays as it is until a reset. */
static void mch_update_smram(PCIDevice *dev)
{
    bool locked = dev->config[MCH_SMRAM] & MCH_SMRAM_LOCK;

    if (locked) {
        dev->config[MCH_SMRAM] &= ~MCH_SMRAM_OPEN;
    }
    dev->wmask[MCH_ESMRAMC] = locked ? 0 : MCH_ESMRAMC_MASK;
    dev->wmask[MCH_SMRAM] = MCH_SMRAM_CLOSED;
    if (!locked) {
        dev->wmask[MCH_SMRAM] |= MCH_SMRAM_OPEN | MCH_SMRAM_LOCK |
                                 MCH_SMRAM_ENABLE;
    }
}

static void mch_config_write(PCIDevice *dev, uint32_t addr, uint32_t val,
                             int len)
{
    pci_default_write_config(dev, addr, val, len);
    if (ranges_overlap(addr, len, MCH_PCIEXBAR, MCH_PCIEXBAR_SIZE)) {
        mch_update_mmcfg(dev);
    }
    if (ranges_overlap(addr, len, MCH_PAM0, PAM_REGISTERS)) {
        mch_update_pam(dev);
    }
    if (range_covers_byte(addr, len, MCH_SMRAM)) {
        mch_update_smram(dev);
    }
}

static void mch_reset(DeviceState *dev)
{
    PCIDevice *pd = PCI_DEVICE(dev);

    pci_set_quad(pd->config + MCH_PCIEXBAR,
                 X86_MMCONFIG_BASE | MCH_PCIEXBAR_ENABLE);
    mch_update_mmcfg(pd);
    memset(pd->config + MCH_PAM0, 0, PAM_REGISTERS);
    mch_update_pam(pd);
    pd->config[MCH_SMBASE] = 0;
    pd->config[MCH_SMRAM] = MCH_SMRAM_DEFAULT;
    pd->config[MCH_ESMRAMC] = MCH_ESMRAMC_DEFAULT;
    mch_update_smram(pd);
}

static void mch_realize(PCIDevice *dev, Error **errp)
{
    pci_set_quad(dev->wmask + MCH_PCIEXBAR, MCH_PCIEXBAR_MASK);
    dev->wmask[MCH_SMBASE] = 0xff;
    mch_reset(DEVICE(dev));
}

static void mch_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    DEVICE_CLASS(klass)->user_creatable = false;
    DEVICE_CLASS(klass)->hotpluggable = false;
    DEVICE_CLASS(klass)->reset = mch_reset;
    pc->realize = mch_realize;
    pc->config_write = mch_config_write;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_Q35_MCH;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
}

/* --- for the machine --- */

void q35_pcihost_enable_pam(DeviceState *host, MemoryRegion *ram)
{
    Q35PCIHost *s = Q35_PCIHOST(host);

    for (unsigned i = 0; i < PAM_REGISTERS; i++) {
        s->mch->wmask[MCH_PAM0 + i] = PAM_MASK(i);
    }
    pam_init(&s->pam, OBJECT(s), get_system_memory(), ram);
    s->has_pam = true;
}

MemoryRegion *q35_pcihost_memory(DeviceState *host)
{
    return &Q35_PCIHOST(host)->pci_memory;
}

static const TypeInfo q35_host_types[] = {
    {
        .name = TYPE_Q35_PCIHOST,
        .parent = TYPE_PCIE_HOST_BRIDGE,
        .instance_size = sizeof(Q35PCIHost),
        .instance_init = q35_host_instance_init,
        .class_init = q35_host_class_init,
    }, {
        .name = TYPE_MCH,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCIDevice),
        .class_init = mch_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            {},
        },
    },
};
DEFINE_TYPES(q35_host_types)
