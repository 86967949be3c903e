/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test device as a PCI function: configuration space and BARs (registers.h
 * has their layout).
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "testdev.h"

/* In configuration space. */
#define MSIX_CAP 0x40

static void put16(uint8_t *p, uint16_t val)
{
    val = GUINT16_TO_LE(val);
    memcpy(p, &val, sizeof(val));
}

static void put32(uint8_t *p, uint32_t val)
{
    val = GUINT32_TO_LE(val);
    memcpy(p, &val, sizeof(val));
}

void testdev_pci_init(TestDev *dev)
{
    uint8_t *config = dev->config;

    memset(config, 0, sizeof(dev->config));
    put16(config + PCI_VENDOR_ID, TESTDEV_VENDOR_ID);
    put16(config + PCI_DEVICE_ID, TESTDEV_DEVICE_ID);
    put16(config + PCI_STATUS, PCI_STATUS_CAP_LIST);
    put16(config + PCI_CLASS_DEVICE, TESTDEV_CLASS);
    put16(config + PCI_SUBSYSTEM_VENDOR_ID, TESTDEV_VENDOR_ID);
    put16(config + PCI_SUBSYSTEM_ID, TESTDEV_DEVICE_ID);
    put32(config + PCI_BASE_ADDRESS_2, PCI_BASE_ADDRESS_MEM_TYPE_64 |
                                       PCI_BASE_ADDRESS_MEM_PREFETCH);
    config[PCI_INTERRUPT_PIN] = 1;
    config[PCI_CAPABILITY_LIST] = MSIX_CAP;
    config[MSIX_CAP] = PCI_CAP_ID_MSIX;
    put16(config + MSIX_CAP + PCI_MSIX_FLAGS, TESTDEV_NR_VECTORS - 1);
    put32(config + MSIX_CAP + PCI_MSIX_TABLE, 1);
    put32(config + MSIX_CAP + PCI_MSIX_PBA, TESTDEV_PBA_OFFSET | 1);
}

static uint64_t region_size(const TestDev *dev, uint32_t index)
{
    switch (index) {
    case VFIO_PCI_BAR0_REGION_INDEX:
        return TESTDEV_BAR0_SIZE;
    case VFIO_PCI_BAR1_REGION_INDEX:
        return TESTDEV_BAR1_SIZE;
    case VFIO_PCI_BAR2_REGION_INDEX:
        return TESTDEV_BAR2_SIZE;
    case VFIO_PCI_ROM_REGION_INDEX:
        return dev->rom_size;
    case VFIO_PCI_CONFIG_REGION_INDEX:
        return PCI_CFG_SPACE_SIZE;
    default:
        return 0;
    }
}

/* The capability that says what of BAR 2 can be mapped. */
static void add_sparse_mmap(struct vfio_region_info *info)
{
    struct vfio_region_info_cap_sparse_mmap *cap = (void *)(info + 1);

    info->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
    info->cap_offset = sizeof(*info);
    cap->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
    cap->header.version = 1;
    cap->nr_areas = 1;
    cap->areas[0].offset = TESTDEV_BAR2_MMAP_OFFSET;
    cap->areas[0].size = TESTDEV_BAR2_SIZE - TESTDEV_BAR2_MMAP_OFFSET;
}

struct vfio_region_info *testdev_region_info(const TestDev *dev,
                                             const struct vfio_region_info *ask,
                                             size_t *size, int *fd)
{
    const size_t sparse = sizeof(struct vfio_region_info_cap_sparse_mmap) +
                          sizeof(struct vfio_region_sparse_mmap_area);
    struct vfio_region_info *info;

    if (ask->index >= VFIO_PCI_NUM_REGIONS) {
        return NULL;
    }
    info = g_malloc0(sizeof(*info) + sparse);
    info->index = ask->index;
    info->size = region_size(dev, ask->index);
    info->argsz = sizeof(*info);
    info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ |
                               VFIO_REGION_INFO_FLAG_WRITE : 0;
    *fd = -1;
    if (ask->index == VFIO_PCI_BAR2_REGION_INDEX) {
        add_sparse_mmap(info);
        info->argsz += sparse;
        *fd = dev->bar2_shown_fd >= 0 ? dev->bar2_shown_fd : dev->bar2_fd;
    }
    /* Too little room: the client asks again. */
    *size = info->argsz <= ask->argsz ? info->argsz : sizeof(*info);
    return info;
}

/* What of configuration space can be written; the client emulates the rest. */
static void config_write(TestDev *dev, uint64_t offset, const uint8_t *data,
                         uint32_t count)
{
    uint8_t mask[PCI_CFG_SPACE_SIZE] = { 0 };

    put16(mask + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                              PCI_COMMAND_INTX_DISABLE);
    mask[PCI_INTERRUPT_LINE] = 0xff;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t m = mask[offset + i];

        dev->config[offset + i] = (dev->config[offset + i] & ~m) |
                                  (data[i] & m);
    }
}

void testdev_bar2_cut(TestDev *dev)
{
    void *ptr = mmap(dev->bar2, TESTDEV_BAR2_SIZE, PROT_READ | PROT_WRITE,
                     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    g_assert(ptr == dev->bar2 && ftruncate(dev->bar2_fd, 0) == 0);
}

static void bar2_access(TestDev *dev, uint64_t offset, uint8_t *data,
                        uint32_t count, bool write)
{
    if (write) {
        memcpy(dev->bar2 + offset, data, count);
    } else {
        memcpy(data, dev->bar2 + offset, count);
    }
}

static int rom_access(uint64_t offset, uint8_t *data, uint32_t count, bool write)
{
    if (write || offset + count > TESTDEV_ROM_MAX) {
        return -EIO;
    }
    for (uint32_t i = 0; i < count; i++) {
        data[i] = TESTDEV_ROM_BYTE(offset + i);
    }
    return 0;
}

int testdev_region_access(TestDev *dev, uint32_t index, uint64_t offset,
                          uint8_t *data, uint32_t count, bool write)
{
    uint64_t size = region_size(dev, index);

    if (offset > size || count > size - offset) {
        return -EINVAL;
    }
    if (!write) {
        memset(data, 0, count);
    }
    if (index == VFIO_PCI_BAR0_REGION_INDEX && write) {
        testdev_regs_write(dev, offset, data, count);
    } else if (index == VFIO_PCI_BAR0_REGION_INDEX) {
        testdev_regs_read(dev, offset, data, count);
    } else if (index == VFIO_PCI_BAR2_REGION_INDEX) {
        bar2_access(dev, offset, data, count, write);
    } else if (index == VFIO_PCI_CONFIG_REGION_INDEX && write) {
        config_write(dev, offset, data, count);
    } else if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
        memcpy(data, dev->config + offset, count);
    } else if (index == VFIO_PCI_ROM_REGION_INDEX) {
        return rom_access(offset, data, count, write);
    }
    return 0;
}
