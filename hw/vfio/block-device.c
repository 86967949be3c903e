/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of the host for drivers in block/ (block/dma-device.h). Such a device
 * is opened by its group, as one that is passed through, and is in the container
 * that follows guest memory: what is boot RAM or plugged is mapped there, once for
 * all devices, at the guest's own addresses. The driver's memory is mapped beside
 * it, from the highest address down that the IOMMU translates.
 */
#include "qemu/osdep.h"

#include "block/dma-device.h"
#include "exec/address-spaces.h"
#include "group.h"
#include "hw/pci/pci.h"
#include "qemu/units.h"

/* Of BAR 0, what is mapped: registers, and doorbells of some queues. */
#define MAPPED_REGISTERS (8 * KiB)
/* Where an IOMMU ends that does not say where. */
#define IOVA_LAST ((UINT64_C(1) << 39) - 1)
/* How many places are tried, a step apart. */
#define PLACES 64
#define PLACE_STEP (1 * MiB)

typedef struct VFIOBlockDevice {
    BlockDma dma;
    VFIODevice vdev;
    uint8_t *registers;                   /* NULL: by the slow path */
} VFIOBlockDevice;

static VFIOBlockDevice *dev_of(BlockDma *dma)
{
    return container_of(dma, VFIOBlockDevice, dma);
}

static VFIODMASpace *space_of(VFIOBlockDevice *dev)
{
    return &dev->vdev.group->type1->container.space;
}

/* --- registers --- */

static bool is_mapped(const VFIOBlockDevice *dev, uint32_t offset, unsigned size)
{
    return dev->registers && offset + (uint64_t)size <= MAPPED_REGISTERS;
}

/* A device that is gone reads as ones. */
static uint64_t read_slowly(VFIOBlockDevice *dev, uint32_t offset, unsigned size)
{
    uint64_t value = 0;

    return dev->vdev.io->region_read(&dev->vdev, VFIO_PCI_BAR0_REGION_INDEX,
                                     offset, &value, size)
           ? UINT64_MAX : GUINT64_FROM_LE(value);
}

static void write_slowly(VFIOBlockDevice *dev, uint32_t offset, uint64_t value,
                         unsigned size)
{
    const uint64_t le = GUINT64_TO_LE(value);

    dev->vdev.io->region_write(&dev->vdev, VFIO_PCI_BAR0_REGION_INDEX, offset,
                               &le, size);
}

static uint32_t dma_read32(BlockDma *dma, uint32_t offset)
{
    VFIOBlockDevice *dev = dev_of(dma);

    return is_mapped(dev, offset, 4)
           ? GUINT32_FROM_LE(*(volatile uint32_t *)(dev->registers + offset))
           : read_slowly(dev, offset, 4);
}

static uint64_t dma_read64(BlockDma *dma, uint32_t offset)
{
    VFIOBlockDevice *dev = dev_of(dma);

    return is_mapped(dev, offset, 8)
           ? GUINT64_FROM_LE(*(volatile uint64_t *)(dev->registers + offset))
           : read_slowly(dev, offset, 8);
}

static void dma_write32(BlockDma *dma, uint32_t offset, uint32_t value)
{
    VFIOBlockDevice *dev = dev_of(dma);

    if (is_mapped(dev, offset, 4)) {
        *(volatile uint32_t *)(dev->registers + offset) = GUINT32_TO_LE(value);
    } else {
        write_slowly(dev, offset, value, 4);
    }
}

static void dma_write64(BlockDma *dma, uint32_t offset, uint64_t value)
{
    VFIOBlockDevice *dev = dev_of(dma);

    if (is_mapped(dev, offset, 8)) {
        *(volatile uint64_t *)(dev->registers + offset) = GUINT64_TO_LE(value);
    } else {
        write_slowly(dev, offset, value, 8);
    }
}

/* --- the function --- */

static void set_command(VFIOBlockDevice *dev, uint16_t set, uint16_t clear)
{
    const VFIODeviceIOOps *io = dev->vdev.io;
    uint16_t command = 0;

    if (io->region_read(&dev->vdev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
                        &command, sizeof(command)) == 0) {
        command = GUINT16_TO_LE((GUINT16_FROM_LE(command) | set) & ~clear);
        io->region_write(&dev->vdev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
                         &command, sizeof(command));
    }
}

/* Without being the bus's master it makes no DMA, even if it cannot be reset. */
static void dma_quiesce(BlockDma *dma)
{
    VFIOBlockDevice *dev = dev_of(dma);

    set_command(dev, 0, PCI_COMMAND_MASTER);
    if (dev->vdev.flags & VFIO_DEVICE_FLAGS_RESET) {
        dev->vdev.io->reset(&dev->vdev);
    }
}

static bool dma_set_interrupt(BlockDma *dma, int fd, Error **errp)
{
    static const uint32_t kinds[] = {
        VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
    };
    VFIOBlockDevice *dev = dev_of(dma);
    int ret;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!vfio_device_irq_count(&dev->vdev, kinds[i])) {
            continue;
        }
        ret = vfio_device_irq_connect(&dev->vdev, kinds[i], 0, &fd, 1,
                                      VFIO_IRQ_SET_ACTION_TRIGGER);
        if (ret) {
            error_setg_errno(errp, -ret, "cannot connect its interrupt");
        }
        return !ret;
    }
    error_setg(errp, "it has neither MSI-X nor MSI");
    return false;
}

/* --- memory --- */

static hwaddr iova_last(const VFIODMASpace *space)
{
    const GArray *ranges = space->info.iova_ranges;

    return ranges && ranges->len
           ? g_array_index(ranges, VFIOIOVARange, ranges->len - 1).last
           : IOVA_LAST;
}

static bool dma_map(BlockDma *dma, void *memory, size_t size, uint64_t *iova,
                    Error **errp)
{
    VFIODMASpace *space = space_of(dev_of(dma));
    hwaddr first = QEMU_ALIGN_DOWN(iova_last(space) - (size - 1), PLACE_STEP);
    int ret = -EEXIST;

    for (unsigned i = 0; i < PLACES && ret == -EEXIST; i++) {
        const VFIODMAMapping mapping = {
            .iova = first - i * ROUND_UP(size, PLACE_STEP),
            .size = size,
            .vaddr = memory,
        };

        ret = vfio_dma_space_map(space, &mapping);
        *iova = mapping.iova;
    }
    if (ret) {
        error_setg_errno(errp, -ret, "cannot map %zu bytes for its queues",
                         size);
        return false;
    }
    space->own += size;
    space->own_mappings++;
    return true;
}

static void dma_unmap(BlockDma *dma, uint64_t iova, size_t size)
{
    VFIODMASpace *space = space_of(dev_of(dma));

    space->ops->dma_unmap(space, iova, size);
    space->own -= size;
    space->own_mappings--;
}

/* Bytes from @host on in @size bytes of @mr at @offset; 0: it is not in them. */
static uint64_t bytes_in(MemoryRegion *mr, ram_addr_t offset, uint64_t size,
                         const uint8_t *host, uint64_t *at)
{
    const uint8_t *start;

    if (memory_region_is_ram_device(mr)) {
        return 0;
    }
    start = (const uint8_t *)memory_region_get_ram_ptr(mr) + offset;
    *at = (uintptr_t)host - (uintptr_t)start;
    return *at < size ? size - *at : 0;
}

static uint64_t dma_translate(BlockDma *dma, const void *host, uint64_t *iova)
{
    VFIODMASpace *space = space_of(dev_of(dma));
    const VFIORamDiscardListener *managed;
    const VFIOPlainSection *plain;
    uint64_t at, bytes;

    QLIST_FOREACH(plain, &space->plain, next) {
        bytes = bytes_in(plain->mr, plain->offset, plain->size, host, &at);
        if (bytes) {
            *iova = plain->iova + at;
            return bytes;
        }
    }
    QLIST_FOREACH(managed, &space->managed, next) {
        bytes = bytes_in(managed->mr, managed->extent.offset,
                         managed->extent.size, host, &at);
        if (bytes) {
            *iova = managed->extent.iova + at;
            return bytes;
        }
    }
    return 0;
}

/* --- life --- */

static char *sysfs_path(const char *address, Error **errp)
{
    unsigned domain = 0, bus, slot, function;
    int end = -1;

    if (sscanf(address, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function,
               &end) != 4 || end < 0 || address[end]) {
        error_setg(errp, "device=%s: expected is the address of a PCI function,"
                   " such as 0000:01:00.0", address);
        return NULL;
    }
    return g_strdup_printf("/sys/bus/pci/devices/%04x:%02x:%02x.%x", domain,
                           bus, slot, function);
}

static void map_registers(VFIOBlockDevice *dev)
{
    const struct vfio_region_info *info = vfio_device_region(
        &dev->vdev, VFIO_PCI_BAR0_REGION_INDEX);
    g_autoptr(GArray) areas = vfio_info_mmap_areas(info);
    const VFIOArea *area = areas->len ? &g_array_index(areas, VFIOArea, 0)
                                      : NULL;

    dev->dma.registers = info->size;
    if (area && !area->offset && area->size >= MAPPED_REGISTERS) {
        dev->registers = dev->vdev.io->region_mmap(&dev->vdev,
                                                   VFIO_PCI_BAR0_REGION_INDEX,
                                                   0, MAPPED_REGISTERS);
    }
}

static void dma_close(BlockDma *dma)
{
    VFIOBlockDevice *dev = dev_of(dma);

    if (dev->registers) {
        dev->vdev.io->region_munmap(&dev->vdev, dev->registers,
                                    MAPPED_REGISTERS);
    }
    vfio_device_cleanup(&dev->vdev);
    vfio_group_close_device(&dev->vdev);
    g_free(dev);
}

static BlockDma *dma_open(const char *address, Error **errp);

static const BlockDmaOps dma_ops = {
    .open = dma_open,
    .close = dma_close,
    .read32 = dma_read32,
    .read64 = dma_read64,
    .write32 = dma_write32,
    .write64 = dma_write64,
    .set_interrupt = dma_set_interrupt,
    .quiesce = dma_quiesce,
    .map = dma_map,
    .unmap = dma_unmap,
    .translate = dma_translate,
};

static BlockDma *dma_open(const char *address, Error **errp)
{
    g_autofree char *path = sysfs_path(address, errp);
    const VFIOHostPath where = { .sysfsdev = path };
    VFIOBlockDevice *dev;

    if (!path) {
        return NULL;
    }
    dev = g_new0(VFIOBlockDevice, 1);
    dev->dma.ops = &dma_ops;
    if (!vfio_group_open_device(&dev->vdev, &where, &address_space_memory,
                                errp)) {
        g_free(dev);
        return NULL;
    }
    if (!vfio_device_probe(&dev->vdev, errp)) {
        dma_close(&dev->dma);
        return NULL;
    }
    dma_quiesce(&dev->dma);
    set_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    map_registers(dev);
    return &dev->dma;
}

static void vfio_block_init(void)
{
    block_dma_register(&dma_ops);
}
type_init(vfio_block_init)
