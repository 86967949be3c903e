/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/qdev-properties.h"
#include "pci-fixture.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "sysemu/reset.h"

#define TYPE_TEST_HOST "test-pcie-host"
#define CONF_PORT 0xcf8
#define DATA_PORT 0xcfc

static PCIBoard *the_board;

/* --- the function --- */

static uint64_t reg_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((TestPCI *)opaque)->reg[addr];
}

static void reg_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    ((TestPCI *)opaque)->reg[addr] = val;
}

static const MemoryRegionOps reg_ops = {
    .read = reg_read,
    .write = reg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static void test_pci_realize(PCIDevice *dev, Error **errp)
{
    TestPCI *t = TEST_PCI(dev);

    if (t->fail_realize) {
        error_setg(errp, "told to fail");
        return;
    }
    pci_config_set_interrupt_pin(dev->config, 1);
    memory_region_init(&t->bar0, OBJECT(dev), "bar0", 4 * KiB);
    memory_region_init_io(&t->bar2, OBJECT(dev), &reg_ops, t, "bar2", 64);
    memory_region_init_io(&t->bar3, OBJECT(dev), &reg_ops, t, "bar3", 64);
    memory_region_set_size(&t->bar3, 64 * KiB);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &t->bar0);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_IO, &t->bar2);
    pci_register_bar(dev, 3, PCI_BASE_ADDRESS_SPACE_MEMORY, &t->bar3);
}

static void test_pci_exit(PCIDevice *dev)
{
    TestPCI *t = TEST_PCI(dev);

    t->exits++;
    object_unparent(OBJECT(&t->bar3));
    object_unparent(OBJECT(&t->bar2));
    object_unparent(OBJECT(&t->bar0));
}

static void test_pci_reset(DeviceState *dev)
{
    TEST_PCI(dev)->resets++;
}

static const Property test_pci_properties[] = {
    DEFINE_PROP_UINT32("fail-realize", TestPCI, fail_realize, 0),
    DEFINE_PROP_END_OF_LIST(),
};

static void test_pci_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

    device_class_set_props(DEVICE_CLASS(klass), test_pci_properties);
    DEVICE_CLASS(klass)->reset = test_pci_reset;
    k->realize = test_pci_realize;
    k->exit = test_pci_exit;
    k->vendor_id = 0x1234;
    k->device_id = 0x5678;
    k->revision = 0x9a;
    k->class_id = PCI_CLASS_MEMORY_OTHER;
}

static void test_pcie_init(Object *obj)
{
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
}

static const TypeInfo test_pci_types[] = {
    {
        .name = TYPE_TEST_HOST,
        .parent = TYPE_PCIE_HOST_BRIDGE,
    }, {
        .name = TYPE_TEST_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(TestPCI),
        .class_init = test_pci_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    }, {
        .name = TYPE_TEST_PCIE,
        .parent = TYPE_TEST_PCI,
        .instance_init = test_pcie_init,
    },
};
DEFINE_TYPES(test_pci_types)

/* --- the board --- */

static uint64_t msi_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void msi_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    PCIBoard *b = opaque;

    b->last_msi = (MSIMessage) { TEST_MSI_BASE + addr, val };
    b->nr_msis++;
}

static const MemoryRegionOps msi_ops = {
    .read = msi_read,
    .write = msi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static void board_set_irq(void *opaque, int irq_num, int level)
{
    ((PCIBoard *)opaque)->level[irq_num] = level;
}

static PCIINTxRoute board_route_irq(void *opaque, int pin)
{
    return (PCIINTxRoute) { PCI_INTX_ENABLED, TEST_IRQ_BASE + pin };
}

static void board_create_host(PCIBoard *b)
{
    PCIHostState *phb;

    b->host = PCIE_HOST_BRIDGE(qdev_new(TYPE_TEST_HOST));
    phb = PCI_HOST_BRIDGE(b->host);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(b->host), &error_abort);
    b->bus = pci_root_bus_new(DEVICE(b->host), "pcie.0", get_system_memory(),
                              get_system_io(), 0, TYPE_PCIE_BUS);
    phb->bus = b->bus;
    pci_bus_irqs(b->bus, board_set_irq, pci_swizzle_map_irq_fn, b,
                 PCI_NUM_PINS);
    pci_bus_set_route_irq_fn(b->bus, board_route_irq);
    memory_region_add_subregion(get_system_io(), CONF_PORT, &phb->conf_mem);
    memory_region_add_subregion(get_system_io(), DATA_PORT, &phb->data_mem);
    pcie_host_mmcfg_init(b->host, PCIE_MMCFG_SIZE_MIN);
    pcie_host_mmcfg_map(b->host, TEST_MMCFG_BASE, PCIE_MMCFG_SIZE_MIN);
}

PCIBoard *pci_board(void)
{
    PCIBoard *b = the_board;

    if (b) {
        return b;
    }
    qemu_init_main_loop(&error_abort);
    memory_map_init();
    b = the_board = g_new0(PCIBoard, 1);
    memory_region_init_ram(&b->ram, NULL, "ram", TEST_RAM_SIZE, &error_abort);
    memory_region_add_subregion(get_system_memory(), 0, &b->ram);
    memory_region_init_io(&b->msi, NULL, &msi_ops, b, "msi", TEST_MSI_SIZE);
    memory_region_add_subregion(get_system_memory(), TEST_MSI_BASE, &b->msi);
    board_create_host(b);
    return b;
}

void pci_board_clear(void)
{
    PCIBoard *b = pci_board();

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (b->bus->devices[devfn]) {
            pci_board_unplug(b->bus->devices[devfn]);
        }
    }
    qemu_devices_reset();
    b->nr_msis = 0;
    memset(memory_region_get_ram_ptr(&b->ram), 0, TEST_RAM_SIZE);
}

static PCIDevice *board_new(const char *type, va_list ap)
{
    Object *obj = OBJECT(qdev_new(type));
    const char *prop;

    while ((prop = va_arg(ap, const char *))) {
        g_auto(GStrv) pair = g_strsplit(prop, "=", 2);

        object_property_parse(obj, pair[0], pair[1], &error_abort);
    }
    return PCI_DEVICE(obj);
}

PCIDevice *pci_board_new(const char *type, ...)
{
    PCIDevice *dev;
    va_list ap;

    pci_board();
    va_start(ap, type);
    dev = board_new(type, ap);
    va_end(ap);
    return dev;
}

PCIDevice *pci_board_plug(const char *type, ...)
{
    PCIBoard *b = pci_board();
    PCIDevice *dev;
    va_list ap;

    va_start(ap, type);
    dev = board_new(type, ap);
    va_end(ap);
    qdev_realize_and_unref(DEVICE(dev), BUS(b->bus), &error_abort);
    return dev;
}

void pci_board_unplug(PCIDevice *dev)
{
    object_unparent(OBJECT(dev));
}

/* --- accesses --- */

static void select_register(PCIDevice *dev, uint8_t offset)
{
    address_space_stl_le(&address_space_io, CONF_PORT,
                         1U << 31 | dev->devfn << 8 | (offset & ~3),
                         MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint32_t as_read(AddressSpace *as, hwaddr addr, unsigned len)
{
    uint32_t val = 0;

    address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, &val, len);
    return GUINT32_FROM_LE(val);
}

static void as_write(AddressSpace *as, hwaddr addr, uint64_t val, unsigned len)
{
    val = GUINT64_TO_LE(val);
    address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, &val, len);
}

uint32_t cfg_read(PCIDevice *dev, uint8_t offset, unsigned len)
{
    select_register(dev, offset);
    return as_read(&address_space_io, DATA_PORT + offset % 4, len);
}

void cfg_write(PCIDevice *dev, uint8_t offset, uint32_t val, unsigned len)
{
    select_register(dev, offset);
    as_write(&address_space_io, DATA_PORT + offset % 4, val, len);
}

uint32_t ecam_read(uint8_t devfn, uint16_t offset, unsigned len)
{
    return mem_read(TEST_MMCFG_BASE + (devfn << 12) + offset, len);
}

void ecam_write(uint8_t devfn, uint16_t offset, uint32_t val, unsigned len)
{
    mem_write(TEST_MMCFG_BASE + (devfn << 12) + offset, val, len);
}

void pci_board_map_bar(PCIDevice *dev, int n, uint64_t addr)
{
    uint8_t reg = PCI_BASE_ADDRESS_0 + 4 * n;
    uint32_t type = cfg_read(dev, reg, 4);

    cfg_write(dev, reg, addr, 4);
    if (!(type & PCI_BASE_ADDRESS_SPACE_IO) &&
        (type & PCI_BASE_ADDRESS_MEM_TYPE_64)) {
        cfg_write(dev, reg + 4, addr >> 32, 4);
    }
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                                PCI_COMMAND_MASTER, 2);
}

uint32_t mem_read(uint64_t addr, unsigned len)
{
    return as_read(&address_space_memory, addr, len);
}

void mem_write(uint64_t addr, uint64_t val, unsigned len)
{
    as_write(&address_space_memory, addr, val, len);
}

MemTxResult mem_result(uint64_t addr, unsigned len)
{
    uint64_t val;

    return address_space_read(&address_space_memory, addr,
                              MEMTXATTRS_UNSPECIFIED, &val, len);
}

void pci_board_poll(void)
{
    for (int i = 0; i < 4; i++) {
        main_loop_wait(true);
    }
}
