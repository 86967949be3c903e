/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all VFIO devices have in common, whoever serves them: finding out what
 * there is, and connecting interrupts to eventfds. Used by hw/vfio/pci*.c. It
 * must not know a kind of bus, nor how the device is talked to.
 */
#include "qemu/osdep.h"

#include "hw/vfio/device.h"
#include "qemu/units.h"

/* No device has nearly as many, nor as much to say of them; a server may say
 * anything. */
#define VFIO_MAX_REGIONS 256
#define VFIO_MAX_INFO (4 * MiB)           /* bytes, of all regions */

static void vfio_device_free_regions(VFIODevice *vdev)
{
    for (uint32_t i = 0; vdev->regions && i < vdev->num_regions; i++) {
        g_free(vdev->regions[i]);
    }
    g_clear_pointer(&vdev->regions, g_free);
    vdev->num_regions = 0;
}

static bool vfio_device_get_region(VFIODevice *vdev, uint32_t index,
                                   Error **errp)
{
    int ret = vdev->io->region_info(vdev, index, &vdev->regions[index]);

    if (ret == -EINVAL) {
        /* An index that the device does not have, e.g. VGA. */
        vdev->regions[index] = g_new0(struct vfio_region_info, 1);
        vdev->regions[index]->index = index;
    } else if (ret) {
        error_setg_errno(errp, -ret, "vfio %s: cannot get information on "
                         "region %" PRIu32, vdev->name, index);
        return false;
    }
    return true;
}

static bool vfio_device_get_regions(VFIODevice *vdev, uint32_t count,
                                    Error **errp)
{
    uint64_t total = 0;

    if (count > VFIO_MAX_REGIONS) {
        error_setg(errp, "vfio %s: claims to have %" PRIu32 " regions, "
                   "the limit is %d", vdev->name, count, VFIO_MAX_REGIONS);
        return false;
    }
    vdev->num_regions = count;
    vdev->regions = g_new0(struct vfio_region_info *, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!vfio_device_get_region(vdev, i, errp)) {
            vfio_device_free_regions(vdev);
            return false;
        }
        total += vdev->regions[i]->argsz;
        if (total > VFIO_MAX_INFO) {
            error_setg(errp, "vfio %s: describes its regions by more than "
                       "%" PRIu64 " bytes", vdev->name, VFIO_MAX_INFO);
            vfio_device_free_regions(vdev);
            return false;
        }
    }
    return true;
}

bool vfio_device_probe(VFIODevice *vdev, Error **errp)
{
    struct vfio_device_info info = { .argsz = sizeof(info) };
    int ret;

    if (vdev->regions) {
        return true;
    }
    ret = vdev->io->device_info(vdev, &info);
    if (ret) {
        error_setg_errno(errp, -ret, "vfio %s: cannot get device information",
                         vdev->name);
        return false;
    }
    vdev->flags = info.flags;
    vdev->num_irqs = info.num_irqs;
    return vfio_device_get_regions(vdev, info.num_regions, errp);
}

void vfio_device_cleanup(VFIODevice *vdev)
{
    vfio_device_free_regions(vdev);
    vdev->flags = 0;
    vdev->num_irqs = 0;
}

const struct vfio_region_info *vfio_device_region(const VFIODevice *vdev,
                                                  uint32_t index)
{
    return index < vdev->num_regions ? vdev->regions[index] : NULL;
}

uint32_t vfio_device_irq_count(VFIODevice *vdev, uint32_t index)
{
    struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

    if (index >= vdev->num_irqs || vdev->io->irq_info(vdev, &info) ||
        !(info.flags & VFIO_IRQ_INFO_EVENTFD)) {
        return 0;
    }
    return info.count;
}

int vfio_device_irq_connect(VFIODevice *vdev, uint32_t index, uint32_t start,
                            const int32_t *fds, uint32_t count,
                            uint32_t action)
{
    size_t size = sizeof(struct vfio_irq_set) + count * sizeof(*fds);
    g_autofree struct vfio_irq_set *set = g_malloc0(size);

    set->argsz = size;
    set->flags = VFIO_IRQ_SET_DATA_EVENTFD | action;
    set->index = index;
    set->start = start;
    set->count = count;
    memcpy(set->data, fds, count * sizeof(*fds));
    return vdev->io->set_irqs(vdev, set);
}

int vfio_device_irq_disable(VFIODevice *vdev, uint32_t index)
{
    struct vfio_irq_set set = {
        .argsz = sizeof(set),
        .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
        .index = index,
    };

    return vdev->io->set_irqs(vdev, &set);
}

int vfio_device_irq_mask(VFIODevice *vdev, uint32_t index, bool mask)
{
    struct vfio_irq_set set = {
        .argsz = sizeof(set),
        .flags = VFIO_IRQ_SET_DATA_NONE |
                 (mask ? VFIO_IRQ_SET_ACTION_MASK : VFIO_IRQ_SET_ACTION_UNMASK),
        .index = index,
        .count = 1,
    };

    return vdev->io->set_irqs(vdev, &set);
}
