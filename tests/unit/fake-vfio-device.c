/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake device of fake-vfio-device.h: VFIODeviceIOOps on memory. */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "fake-vfio-device.h"
#include "qemu/units.h"

static FakeVFIODevice *offered;

static FakeVFIODevice *fake_of(VFIODevice *vbasedev)
{
    g_assert_nonnull(offered);
    return offered;
}

static bool fake_fails(FakeVFIODevice *f)
{
    return f->fail_after >= 0 && f->fail_after-- == 0;
}

static int fake_device_info(VFIODevice *vbasedev, struct vfio_device_info *info)
{
    if (fake_fails(fake_of(vbasedev))) {
        return -EIO;
    }
    info->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
    info->num_regions = VFIO_PCI_NUM_REGIONS;
    info->num_irqs = VFIO_PCI_NUM_IRQS;
    return 0;
}

/* BAR 0's answer carries a capability that says what can be mapped. */
static struct vfio_region_info *fake_sparse_info(const FakeVFIODevice *f)
{
    uint32_t nr = f->nr_areas ? f->nr_areas : 1;
    uint32_t room = sizeof(struct vfio_region_info) +
                    sizeof(struct vfio_region_info_cap_sparse_mmap) +
                    nr * sizeof(struct vfio_region_sparse_mmap_area);
    struct vfio_region_info *info = g_malloc0(room);
    struct vfio_region_info_cap_sparse_mmap *cap = (void *)(info + 1);

    info->argsz = room;
    info->flags = VFIO_REGION_INFO_FLAG_CAPS;
    info->cap_offset = sizeof(*info);
    cap->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
    cap->header.version = 1;
    cap->nr_areas = nr;
    cap->areas[0].offset = 0;
    cap->areas[0].size = f->bar_size[0] - 4 * KiB;
    for (uint32_t i = 0; i < f->nr_areas; i++) {
        cap->areas[i].offset = (nr - 1 - i) * f->area_stride;
        cap->areas[i].size = f->area_size;
    }
    return info;
}

static int fake_region_info(VFIODevice *vbasedev, uint32_t index,
                            struct vfio_region_info **out)
{
    FakeVFIODevice *f = fake_of(vbasedev);
    struct vfio_region_info *info;

    if (fake_fails(f)) {
        return -EIO;
    }
    if (index == VFIO_PCI_VGA_REGION_INDEX) {
        return -EINVAL;
    }
    if (index == 0 && f->bar_mmap[0]) {
        info = fake_sparse_info(f);
    } else {
        info = g_new0(struct vfio_region_info, 1);
        info->argsz = sizeof(*info);
    }
    info->index = index;
    info->flags |= f->region_flags;
    if (index < PCI_STD_NUM_BARS) {
        info->size = f->bar_size[index];
        info->flags |= f->bar_mmap[index] ? VFIO_REGION_INFO_FLAG_MMAP : 0;
    } else if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
        info->size = sizeof(f->config);
    } else if (index == VFIO_PCI_ROM_REGION_INDEX) {
        info->size = f->rom_size;
    }
    *out = info;
    return 0;
}

static int fake_irq_info(VFIODevice *vbasedev, struct vfio_irq_info *info)
{
    FakeVFIODevice *f = fake_of(vbasedev);

    info->count = f->irq_count[info->index];
    info->flags = VFIO_IRQ_INFO_EVENTFD;
    return 0;
}

static int fake_connect(FakeVFIODevice *f, const struct vfio_irq_set *set)
{
    uint32_t *enabled = &f->enabled[set->index];
    bool many = set->index == VFIO_PCI_MSI_IRQ_INDEX ||
                set->index == VFIO_PCI_MSIX_IRQ_INDEX;

    if (set->start + set->count > f->irq_count[set->index]) {
        return -EINVAL;
    }
    if (!*enabled && many && set->start + set->count > f->max_vectors) {
        return -ENOSPC;
    }
    if (!*enabled) {
        *enabled = set->start + set->count;
    }
    /* As old kernels: what is set up is not extended. */
    g_assert_cmpuint(set->start + set->count, <=, *enabled);
    memcpy(&f->fd[set->index][set->start], set->data,
           set->count * sizeof(int32_t));
    return 0;
}

static int fake_set_irqs(VFIODevice *vbasedev, struct vfio_irq_set *set)
{
    FakeVFIODevice *f = fake_of(vbasedev);

    if (set->flags & (VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK)) {
        f->intx_masked = set->flags & VFIO_IRQ_SET_ACTION_MASK;
        return 0;
    }
    if (set->flags & VFIO_IRQ_SET_DATA_NONE && !set->count) {
        memset(f->fd[set->index], 0xff, sizeof(f->fd[set->index]));
        f->enabled[set->index] = 0;
        return 0;
    }
    return fake_fails(f) ? -EIO : fake_connect(f, set);
}

static int fake_rom_read(FakeVFIODevice *f, uint64_t offset, void *buf,
                         size_t size)
{
    f->rom_reads++;
    g_assert_cmpuint(offset + size, <=, sizeof(f->rom));
    memcpy(buf, f->rom + offset, size);
    return f->rom_fails ? -EIO : 0;
}

static int fake_region_read(VFIODevice *vbasedev, uint32_t index,
                            uint64_t offset, void *buf, size_t size)
{
    FakeVFIODevice *f = fake_of(vbasedev);

    if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
        if (size > 4 && fake_fails(f)) {
            return -EIO;
        }
        g_assert_cmpuint(offset + size, <=, sizeof(f->config));
        memcpy(buf, f->config + offset, size);
        if (f->changes_its_mind && f->config_reads++) {
            for (uint64_t i = offset; i < MIN(offset + size, 0x40); i++) {
                ((uint8_t *)buf)[i - offset] ^= 0xff;
            }
        }
        return 0;
    }
    if (index == VFIO_PCI_ROM_REGION_INDEX) {
        return fake_rom_read(f, offset, buf, size);
    }
    f->slow_accesses++;
    g_assert_cmpuint(offset + size, <=, f->bar_size[index]);
    return pread(f->bar_fd[index], buf, size, offset) == (ssize_t)size ? 0
                                                                       : -EIO;
}

static int fake_region_write(VFIODevice *vbasedev, uint32_t index,
                             uint64_t offset, const void *buf, size_t size)
{
    FakeVFIODevice *f = fake_of(vbasedev);

    if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
        g_assert_cmpuint(offset + size, <=, sizeof(f->config));
        memcpy(f->config + offset, buf, size);
        f->config_writes++;
        return 0;
    }
    f->slow_accesses++;
    g_assert_cmpuint(offset + size, <=, f->bar_size[index]);
    return pwrite(f->bar_fd[index], buf, size, offset) == (ssize_t)size ? 0
                                                                        : -EIO;
}

static void *fake_region_mmap(VFIODevice *vbasedev, uint32_t index,
                              uint64_t offset, size_t size)
{
    FakeVFIODevice *f = fake_of(vbasedev);
    void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     f->bar_fd[index], offset);

    return ptr == MAP_FAILED ? NULL : ptr;
}

static void fake_region_munmap(VFIODevice *vbasedev, void *ptr, size_t size)
{
    munmap(ptr, size);
}

static int fake_reset(VFIODevice *vbasedev)
{
    fake_of(vbasedev)->resets++;
    return 0;
}

static const VFIODeviceIOOps fake_io = {
    .device_info = fake_device_info,
    .region_info = fake_region_info,
    .irq_info = fake_irq_info,
    .set_irqs = fake_set_irqs,
    .region_read = fake_region_read,
    .region_write = fake_region_write,
    .region_mmap = fake_region_mmap,
    .region_munmap = fake_region_munmap,
    .reset = fake_reset,
};

/* --- what the device is like --- */

static void fake_fill_caps(uint8_t *config)
{
    config[PCI_CAPABILITY_LIST] = 0x40;
    config[0x40] = PCI_CAP_ID_PM;
    config[0x41] = 0x50;
    config[0x50] = PCI_CAP_ID_MSI;
    config[0x51] = 0x70;
    pci_set_word(config + 0x52, 1 << 1 | PCI_MSI_FLAGS_64BIT |
                                PCI_MSI_FLAGS_MASKBIT);
    config[0x70] = PCI_CAP_ID_EXP;
    config[0x71] = 0xb0;
    pci_set_word(config + 0x72, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
    pci_set_long(config + 0x70 + PCI_EXP_DEVCAP, 0x8000);
    pci_set_long(config + 0x70 + PCI_EXP_LNKCAP, 0x12345678);
    config[0xb0] = PCI_CAP_ID_MSIX;
    pci_set_word(config + 0xb2, 4 - 1);
    pci_set_long(config + 0xb4, 0x2000);
    pci_set_long(config + 0xb8, 0x3000);
    /* Extended: ARI, AER, SR-IOV, serial number. */
    pci_set_long(config + 0x100, PCI_EXT_CAP_ID_ARI | 1 << 16 | 0x110U << 20);
    pci_set_long(config + 0x110, PCI_EXT_CAP_ID_ERR | 2 << 16 | 0x160U << 20);
    pci_set_long(config + 0x160, PCI_EXT_CAP_ID_SRIOV | 1 << 16 |
                                 0x1a0U << 20);
    pci_set_long(config + 0x164, 0xdeadbeef);
    pci_set_long(config + 0x1a0, PCI_EXT_CAP_ID_DSN | 1 << 16);
    pci_set_long(config + 0x1a4, 0xcafe);
}

static void fake_fill_config(uint8_t *config)
{
    pci_set_word(config + PCI_VENDOR_ID, 0x1b36);
    pci_set_word(config + PCI_DEVICE_ID, 0x0010);
    pci_set_word(config + PCI_COMMAND, PCI_COMMAND_MEMORY);
    pci_set_word(config + PCI_STATUS, PCI_STATUS_CAP_LIST);
    pci_set_word(config + PCI_CLASS_DEVICE, 0x0108);
    config[PCI_INTERRUPT_PIN] = 1;
    config[PCI_INTERRUPT_LINE] = 77;
    pci_set_long(config + PCI_BASE_ADDRESS_0,
                 0xfe000000 | PCI_BASE_ADDRESS_MEM_TYPE_64);
    pci_set_long(config + PCI_BASE_ADDRESS_2, 0xfd000000);
    pci_set_long(config + PCI_ROM_ADDRESS, 0xfc000001);
    fake_fill_caps(config);
}

FakeVFIODevice *fake_vfio_device_new(void)
{
    FakeVFIODevice *f = g_new0(FakeVFIODevice, 1);

    fake_fill_config(f->config);
    memset(f->fd, 0xff, sizeof(f->fd));
    memset(f->bar_fd, 0xff, sizeof(f->bar_fd));
    f->bar_size[0] = 64 * KiB;
    f->bar_mmap[0] = true;
    f->bar_size[2] = 256;
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        f->bar_fd[i] = memfd_create("bar", MFD_CLOEXEC);
        g_assert_cmpint(f->bar_fd[i], >=, 0);
        g_assert_cmpint(ftruncate(f->bar_fd[i], 1 * MiB), ==, 0);
    }
    f->irq_count[VFIO_PCI_INTX_IRQ_INDEX] = 1;
    f->irq_count[VFIO_PCI_MSI_IRQ_INDEX] = 2;
    f->irq_count[VFIO_PCI_MSIX_IRQ_INDEX] = 4;
    f->irq_count[VFIO_PCI_ERR_IRQ_INDEX] = 1;
    f->irq_count[VFIO_PCI_REQ_IRQ_INDEX] = 1;
    f->max_vectors = FAKE_MAX_VECTORS;
    f->fail_after = -1;
    f->region_flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    return f;
}

void fake_vfio_device_free(FakeVFIODevice *f)
{
    g_assert_cmpint(f->opened, ==, 0);
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        close(f->bar_fd[i]);
    }
    g_free(f);
}

void fake_vfio_device_offer(FakeVFIODevice *f)
{
    offered = f;
}

uint8_t fake_vfio_bar_read(FakeVFIODevice *f, int bar, uint64_t offset)
{
    uint8_t byte;

    g_assert_cmpint(pread(f->bar_fd[bar], &byte, 1, offset), ==, 1);
    return byte;
}

void fake_vfio_interrupt(FakeVFIODevice *f, uint32_t index, uint32_t nr)
{
    EventNotifier e;

    g_assert_cmpint(f->fd[index][nr], >=, 0);
    event_notifier_init_fd(&e, f->fd[index][nr]);
    g_assert_cmpint(event_notifier_set(&e), ==, 0);
}

/* --- the type --- */

static bool fake_open(VFIOPCIDevice *vdev, Error **errp)
{
    if (fake_fails(offered)) {
        error_setg(errp, "fake: cannot open");
        return false;
    }
    vdev->vbasedev.io = &fake_io;
    vdev->vbasedev.name = g_strdup("fake");
    offered->opened++;
    return true;
}

static void fake_close(VFIOPCIDevice *vdev)
{
    offered->opened--;
    vdev->vbasedev.io = NULL;
    g_clear_pointer(&vdev->vbasedev.name, g_free);
}

static void fake_class_init(ObjectClass *klass, void *data)
{
    VFIOPCIDeviceClass *vc = VFIO_PCI_BASE_CLASS(klass);

    vc->open = fake_open;
    vc->close = fake_close;
}

static const TypeInfo fake_types[] = {
    {
        .name = TYPE_FAKE_VFIO_PCI,
        .parent = TYPE_VFIO_PCI_BASE,
        .class_init = fake_class_init,
    },
};

DEFINE_TYPES(fake_types)
