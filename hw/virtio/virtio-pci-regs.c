/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structures of a virtio PCI function in its modern BAR (VIRTIO 1.2,
 * 4.1.4): common configuration, ISR status, device configuration, queue
 * notification. Translates the driver's accesses into calls of the virtio
 * core; keeps no state but the two feature selectors. Accesses are aligned, of
 * 1, 2 or 4 bytes, and otherwise whatever the driver likes. The device's I/O
 * thread stands still meanwhile; a kick that an ioeventfd carries does not come
 * here.
 */
#include "qemu/osdep.h"

#include "virtio-pci-regs.h"
#include "qemu/units.h"

#define REGION_SIZE (4 * KiB)

static VirtIODevice *proxy_device(VirtIOPCIProxy *proxy)
{
    return virtio_bus_get_device(&proxy->bus);
}

/* --- common configuration, 4.1.4.3 --- */

static uint32_t features_word(uint64_t features, uint32_t select)
{
    return select <= 1 ? features >> (32 * select) : 0;
}

/* Registers of the selected queue. */
static uint32_t common_queue_read(VirtIODevice *vdev, hwaddr addr)
{
    int n = vdev->queue_sel;

    switch (addr) {
    case VIRTIO_PCI_COMMON_Q_SIZE:
        return virtio_queue_get_num(vdev, n);
    case VIRTIO_PCI_COMMON_Q_MSIX:
        return virtio_queue_vector(vdev, n);
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        return virtio_queue_enabled(vdev, n);
    case VIRTIO_PCI_COMMON_Q_NOFF:
        return virtio_get_queue(vdev, n) ? n : 0;
    case VIRTIO_PCI_COMMON_Q_DESCLO:
        return virtio_queue_get_desc_addr(vdev, n);
    case VIRTIO_PCI_COMMON_Q_DESCHI:
        return virtio_queue_get_desc_addr(vdev, n) >> 32;
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
        return virtio_queue_get_avail_addr(vdev, n);
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
        return virtio_queue_get_avail_addr(vdev, n) >> 32;
    case VIRTIO_PCI_COMMON_Q_USEDLO:
        return virtio_queue_get_used_addr(vdev, n);
    case VIRTIO_PCI_COMMON_Q_USEDHI:
        return virtio_queue_get_used_addr(vdev, n) >> 32;
    default:
        return 0;
    }
}

static uint64_t common_read(void *opaque, hwaddr addr, unsigned size)
{
    VirtIOPCIProxy *proxy = opaque;
    VirtIODevice *vdev = proxy_device(proxy);

    switch (addr) {
    case VIRTIO_PCI_COMMON_DFSELECT:
        return proxy->dfselect;
    case VIRTIO_PCI_COMMON_DF:
        return features_word(vdev->host_features, proxy->dfselect);
    case VIRTIO_PCI_COMMON_GFSELECT:
        return proxy->gfselect;
    case VIRTIO_PCI_COMMON_GF:
        return features_word(vdev->guest_features, proxy->gfselect);
    case VIRTIO_PCI_COMMON_MSIX:
        return vdev->config_vector;
    case VIRTIO_PCI_COMMON_NUMQ:
        return vdev->nvqs;
    case VIRTIO_PCI_COMMON_STATUS:
        return vdev->status;
    case VIRTIO_PCI_COMMON_CFGGENERATION:
        return virtio_config_generation(vdev);
    case VIRTIO_PCI_COMMON_Q_SELECT:
        return vdev->queue_sel;
    default:
        return common_queue_read(vdev, addr);
    }
}

/* The vector that the driver gets for @vector in place of @old (4.1.5.1.2). */
static uint16_t exchange_vector(VirtIOPCIProxy *proxy, uint16_t old,
                                uint16_t vector)
{
    if (old != VIRTIO_NO_VECTOR) {
        msix_vector_unuse(&proxy->pci_dev, old);
    }
    if (vector != VIRTIO_NO_VECTOR &&
        msix_vector_use(&proxy->pci_dev, vector) < 0) {
        return VIRTIO_NO_VECTOR;
    }
    return vector;
}

static hwaddr replace_lo(hwaddr addr, uint32_t lo)
{
    return (addr & ~(hwaddr)UINT32_MAX) | lo;
}

static hwaddr replace_hi(hwaddr addr, uint32_t hi)
{
    return (hwaddr)hi << 32 | (uint32_t)addr;
}

static void common_ring_write(VirtIODevice *vdev, hwaddr addr, uint32_t val)
{
    int n = vdev->queue_sel;
    hwaddr desc = virtio_queue_get_desc_addr(vdev, n);
    hwaddr avail = virtio_queue_get_avail_addr(vdev, n);
    hwaddr used = virtio_queue_get_used_addr(vdev, n);

    switch (addr) {
    case VIRTIO_PCI_COMMON_Q_DESCLO:
        desc = replace_lo(desc, val);
        break;
    case VIRTIO_PCI_COMMON_Q_DESCHI:
        desc = replace_hi(desc, val);
        break;
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
        avail = replace_lo(avail, val);
        break;
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
        avail = replace_hi(avail, val);
        break;
    case VIRTIO_PCI_COMMON_Q_USEDLO:
        used = replace_lo(used, val);
        break;
    case VIRTIO_PCI_COMMON_Q_USEDHI:
        used = replace_hi(used, val);
        break;
    default:
        return;
    }
    virtio_queue_set_rings(vdev, n, desc, avail, used);
}

static void common_queue_write(VirtIOPCIProxy *proxy, VirtIODevice *vdev,
                               hwaddr addr, uint32_t val)
{
    int n = vdev->queue_sel;

    switch (addr) {
    case VIRTIO_PCI_COMMON_Q_SIZE:
        virtio_queue_set_num(vdev, n, val);
        break;
    case VIRTIO_PCI_COMMON_Q_MSIX:
        if (virtio_get_queue(vdev, n)) {
            uint16_t old = virtio_queue_vector(vdev, n);

            virtio_queue_set_vector(vdev, n, exchange_vector(proxy, old, val));
            virtio_pci_irqfd_update(proxy, n);
        }
        break;
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        if (val == 1) {
            virtio_queue_enable(vdev, n);
        }
        break;
    default:
        common_ring_write(vdev, addr, val);
        break;
    }
}

void virtio_pci_update_bus_master(VirtIOPCIProxy *proxy)
{
    uint16_t cmd = pci_get_word(proxy->pci_dev.config + PCI_COMMAND);
    VirtIODevice *vdev = proxy_device(proxy);

    if (vdev) {
        virtio_set_disabled(vdev, !(cmd & PCI_COMMAND_MASTER));
    }
}

static void common_write_status(VirtIOPCIProxy *proxy, VirtIODevice *vdev,
                                uint8_t val)
{
    if (val == 0) {
        msix_unuse_all_vectors(&proxy->pci_dev);
    }
    virtio_pci_update_bus_master(proxy);
    virtio_set_status(vdev, val);
}

/* Both sides' features are seen a word at a time: the selected one. */
static void common_write_features(VirtIOPCIProxy *proxy, VirtIODevice *vdev,
                                  hwaddr addr, uint32_t val)
{
    if (addr == VIRTIO_PCI_COMMON_DFSELECT) {
        proxy->dfselect = val;
    } else if (addr == VIRTIO_PCI_COMMON_GFSELECT) {
        proxy->gfselect = val;
    } else {
        virtio_set_features_word(vdev, proxy->gfselect, val);
    }
}

static void common_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    VirtIOPCIProxy *proxy = opaque;
    VirtIODevice *vdev = proxy_device(proxy);

    switch (addr) {
    case VIRTIO_PCI_COMMON_STATUS:
        common_write_status(proxy, vdev, val);
        break;
    case VIRTIO_PCI_COMMON_MSIX:
        vdev->config_vector = exchange_vector(proxy, vdev->config_vector, val);
        break;
    case VIRTIO_PCI_COMMON_DFSELECT:
    case VIRTIO_PCI_COMMON_GFSELECT:
    case VIRTIO_PCI_COMMON_GF:
        common_write_features(proxy, vdev, addr, val);
        break;
    case VIRTIO_PCI_COMMON_Q_SELECT:
        vdev->queue_sel = val;
        break;
    default:
        common_queue_write(proxy, vdev, addr, val);
        break;
    }
}

/* --- ISR status, 4.1.4.5: reading it takes the interrupt back --- */

static uint64_t isr_read(void *opaque, hwaddr addr, unsigned size)
{
    VirtIOPCIProxy *proxy = opaque;
    VirtIODevice *vdev = proxy_device(proxy);
    uint8_t isr;

    if (addr != 0) {
        return 0;
    }
    isr = vdev->isr;
    vdev->isr = 0;
    pci_irq_deassert(&proxy->pci_dev);
    return isr;
}

static void isr_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    /* Read only. */
}

/* --- device configuration, 4.1.4.6 --- */

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    return virtio_config_read(proxy_device(opaque), addr, size);
}

static void device_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    virtio_config_write(proxy_device(opaque), addr, val, size);
}

/* --- notification, 4.1.4.4: the address says which queue --- */

static uint64_t notify_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void notify_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    virtio_queue_notify(proxy_device(opaque),
                        addr / VIRTIO_PCI_NOTIFY_MULTIPLIER);
}

void virtio_pci_notify_assign(VirtIOPCIProxy *proxy, EventNotifier *notifier,
                              int n, bool assign)
{
    MemoryRegion *mr = &proxy->regions[VIRTIO_PCI_REGION_NOTIFY].mr;
    hwaddr addr = (hwaddr)n * VIRTIO_PCI_NOTIFY_MULTIPLIER;

    /* Of any width, with any value: then KVM need not look at either. */
    if (assign) {
        memory_region_add_eventfd(mr, addr, 0, false, 0, notifier);
    } else {
        memory_region_del_eventfd(mr, addr, 0, false, 0, notifier);
    }
}

/* --- the BAR --- */

/* What an access sees and changes is the device's I/O thread's, too. */
#define DEFINE_PAUSING_ACCESS(name)                                          \
    static uint64_t name##_read_paused(void *opaque, hwaddr addr,            \
                                       unsigned size)                        \
    {                                                                        \
        AioContext *ctx = ((VirtIOPCIProxy *)opaque)->pci_dev.aio_context;   \
        uint64_t val;                                                        \
                                                                             \
        aio_context_pause(ctx);                                              \
        val = name##_read(opaque, addr, size);                               \
        aio_context_resume(ctx);                                             \
        return val;                                                          \
    }                                                                        \
    static void name##_write_paused(void *opaque, hwaddr addr, uint64_t val, \
                                    unsigned size)                           \
    {                                                                        \
        AioContext *ctx = ((VirtIOPCIProxy *)opaque)->pci_dev.aio_context;   \
                                                                             \
        aio_context_pause(ctx);                                              \
        name##_write(opaque, addr, val, size);                               \
        aio_context_resume(ctx);                                             \
    }

DEFINE_PAUSING_ACCESS(common)
DEFINE_PAUSING_ACCESS(isr)
DEFINE_PAUSING_ACCESS(device)
DEFINE_PAUSING_ACCESS(notify)

#define VIRTIO_PCI_OPS(name)                                                 \
    { .read = name##_read_paused, .write = name##_write_paused,              \
      .endianness = DEVICE_LITTLE_ENDIAN }

static const struct {
    const char *name;
    uint8_t type;
    MemoryRegionOps ops;
} virtio_pci_layout[VIRTIO_PCI_REGIONS] = {
    [VIRTIO_PCI_REGION_COMMON] = {
        "virtio-pci-common", VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_OPS(common),
    },
    [VIRTIO_PCI_REGION_ISR] = {
        "virtio-pci-isr", VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PCI_OPS(isr),
    },
    [VIRTIO_PCI_REGION_DEVICE] = {
        "virtio-pci-device", VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_OPS(device),
    },
    [VIRTIO_PCI_REGION_NOTIFY] = {
        "virtio-pci-notify", VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_OPS(notify),
    },
};

QEMU_BUILD_BUG_ON(VIRTIO_PCI_REGIONS * REGION_SIZE !=
                  VIRTIO_PCI_MODERN_BAR_SIZE);
QEMU_BUILD_BUG_ON(VIRTIO_QUEUE_MAX * VIRTIO_PCI_NOTIFY_MULTIPLIER >
                  REGION_SIZE);

void virtio_pci_regions_init(VirtIOPCIProxy *proxy)
{
    memory_region_init(&proxy->modern_bar, OBJECT(proxy), "virtio-pci",
                       VIRTIO_PCI_MODERN_BAR_SIZE);
    for (int i = 0; i < VIRTIO_PCI_REGIONS; i++) {
        VirtIOPCIRegion *r = &proxy->regions[i];

        r->offset = i * REGION_SIZE;
        r->size = REGION_SIZE;
        r->type = virtio_pci_layout[i].type;
        memory_region_init_io(&r->mr, OBJECT(proxy), &virtio_pci_layout[i].ops,
                              proxy, virtio_pci_layout[i].name, r->size);
        memory_region_add_subregion(&proxy->modern_bar, r->offset, &r->mr);
    }
}

void virtio_pci_regions_fini(VirtIOPCIProxy *proxy)
{
    for (int i = VIRTIO_PCI_REGIONS - 1; i >= 0; i--) {
        memory_region_del_subregion(&proxy->modern_bar, &proxy->regions[i].mr);
        object_unparent(OBJECT(&proxy->regions[i].mr));
    }
    object_unparent(OBJECT(&proxy->modern_bar));
}

/* The region that has all of the access, and in *@offset where; or NULL. */
static MemoryRegion *region_at(VirtIOPCIProxy *proxy, uint32_t *offset,
                               unsigned len)
{
    uint32_t i = *offset / REGION_SIZE;

    if (i >= VIRTIO_PCI_REGIONS || *offset % len) {
        return NULL;
    }
    *offset %= REGION_SIZE;
    return &proxy->regions[i].mr;
}

uint32_t virtio_pci_bar_read(VirtIOPCIProxy *proxy, uint32_t offset,
                             unsigned len)
{
    MemoryRegion *mr = region_at(proxy, &offset, len);
    uint64_t val = 0;

    if (mr) {
        memory_region_dispatch_read(mr, offset, &val, len,
                                    MEMTXATTRS_UNSPECIFIED);
    }
    return val;
}

void virtio_pci_bar_write(VirtIOPCIProxy *proxy, uint32_t offset, uint32_t val,
                          unsigned len)
{
    MemoryRegion *mr = region_at(proxy, &offset, len);

    if (mr) {
        memory_region_dispatch_write(mr, offset, val, len,
                                     MEMTXATTRS_UNSPECIFIED);
    }
}
