/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of a VFIO device that the kernel serves: ioctls, pread and
 * pwrite on its file descriptor. Used by hw/vfio/group.c, which opens it.
 */
#include "qemu/osdep.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "group.h"

static int kernel_ioctl(VFIODevice *vdev, unsigned long request, void *arg)
{
    return ioctl(vdev->fd, request, arg) < 0 ? -errno : 0;
}

static int kernel_device_info(VFIODevice *vdev, struct vfio_device_info *info)
{
    return kernel_ioctl(vdev, VFIO_DEVICE_GET_INFO, info);
}

static int kernel_region_info(VFIODevice *vdev, uint32_t index,
                              struct vfio_region_info **info)
{
    uint32_t size = sizeof(**info);

    /* The first answer tells how much room the capabilities need. */
    for (int i = 0; i < 3; i++) {
        g_autofree struct vfio_region_info *got = g_malloc0(size);
        int ret;

        got->argsz = size;
        got->index = index;
        ret = kernel_ioctl(vdev, VFIO_DEVICE_GET_REGION_INFO, got);
        if (ret) {
            return ret;
        }
        if (got->argsz <= size) {
            got->argsz = size;
            *info = g_steal_pointer(&got);
            return 0;
        }
        size = got->argsz;
    }
    return -E2BIG;
}

static int kernel_irq_info(VFIODevice *vdev, struct vfio_irq_info *info)
{
    return kernel_ioctl(vdev, VFIO_DEVICE_GET_IRQ_INFO, info);
}

static int kernel_set_irqs(VFIODevice *vdev, struct vfio_irq_set *set)
{
    int ret = ioctl(vdev->fd, VFIO_DEVICE_SET_IRQS, set);

    /* Above 0: so many vectors there are, fewer than asked for; none is on. */
    return ret < 0 ? -errno : ret > 0 ? -ENOSPC : 0;
}

static int kernel_region_read(VFIODevice *vdev, uint32_t index,
                              uint64_t offset, void *buf, size_t size)
{
    ssize_t n = pread(vdev->fd, buf, size,
                      (off_t)(vdev->regions[index]->offset + offset));

    if (n < 0) {
        return -errno;
    }
    return (size_t)n == size ? 0 : -EIO;
}

static int kernel_region_write(VFIODevice *vdev, uint32_t index,
                               uint64_t offset, const void *buf, size_t size)
{
    ssize_t n = pwrite(vdev->fd, buf, size,
                       (off_t)(vdev->regions[index]->offset + offset));

    if (n < 0) {
        return -errno;
    }
    return (size_t)n == size ? 0 : -EIO;
}

static void *kernel_region_mmap(VFIODevice *vdev, uint32_t index,
                                uint64_t offset, size_t size)
{
    void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vdev->fd,
                     (off_t)(vdev->regions[index]->offset + offset));

    return ptr == MAP_FAILED ? NULL : ptr;
}

static int kernel_reset(VFIODevice *vdev)
{
    return kernel_ioctl(vdev, VFIO_DEVICE_RESET, NULL);
}

static void kernel_region_munmap(VFIODevice *vdev, void *ptr, size_t size)
{
    munmap(ptr, size);
}

const VFIODeviceIOOps vfio_kernel_device_io = {
    .device_info = kernel_device_info,
    .region_info = kernel_region_info,
    .irq_info = kernel_irq_info,
    .set_irqs = kernel_set_irqs,
    .region_read = kernel_region_read,
    .region_write = kernel_region_write,
    .region_mmap = kernel_region_mmap,
    .region_munmap = kernel_region_munmap,
    .reset = kernel_reset,
};
