/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO device: regions that are read, written and mapped, interrupts that
 * arrive by eventfd, a reset. Its operations hide who serves it: the kernel
 * (hw/vfio/kernel-device.c), or a process behind a socket. Structures and
 * constants are those of <linux/vfio.h>, which vfio-user shares.
 *
 * What a device answers is checked before it is used. Big lock held
 * throughout. Sizes and offsets are bytes.
 */
#ifndef HW_VFIO_DEVICE_H
#define HW_VFIO_DEVICE_H

#include <linux/vfio.h>

#include "qapi/error.h"

typedef struct VFIODevice VFIODevice;
typedef struct VFIOContainer VFIOContainer;
typedef struct VFIOGroup VFIOGroup;
typedef struct VFIOUserDevice VFIOUserDevice;

/* How a device is talked to. All return 0 or -errno unless said otherwise. */
typedef struct VFIODeviceIOOps {
    int (*device_info)(VFIODevice *vdev, struct vfio_device_info *info);
    /* *info is newly allocated, with all capabilities behind it; its argsz is
     * the size of the allocation. The caller's to g_free(). */
    int (*region_info)(VFIODevice *vdev, uint32_t index,
                       struct vfio_region_info **info);
    /* info->index says which. */
    int (*irq_info)(VFIODevice *vdev, struct vfio_irq_info *info);
    /* -ENOSPC: there are fewer vectors than asked for, and none is on. */
    int (*set_irqs)(VFIODevice *vdev, struct vfio_irq_set *set);
    /* All of @size, or -errno. */
    int (*region_read)(VFIODevice *vdev, uint32_t index, uint64_t offset,
                       void *buf, size_t size);
    int (*region_write)(VFIODevice *vdev, uint32_t index, uint64_t offset,
                        const void *buf, size_t size);
    /* A part of a region in this process, to read and write. NULL: errno. */
    void *(*region_mmap)(VFIODevice *vdev, uint32_t index, uint64_t offset,
                         size_t size);
    void (*region_munmap)(VFIODevice *vdev, void *ptr, size_t size);
    int (*reset)(VFIODevice *vdev);
} VFIODeviceIOOps;

struct VFIODevice {
    const VFIODeviceIOOps *io;
    char *name;                           /* for messages; whoever sets io */
    VFIOContainer *container;             /* what it is in; NULL: in none */
    /* The kernel's: */
    int fd;
    VFIOGroup *group;
    /* Of a process behind a socket: */
    VFIOUserDevice *user;
    /* From vfio_device_probe(): */
    uint32_t flags;                       /* VFIO_DEVICE_FLAGS_* */
    uint32_t num_regions;
    uint32_t num_irqs;
    struct vfio_region_info **regions;    /* num_regions; never NULL */
    /* Called after each access to a region that took the slow path; may be
     * NULL. */
    void (*region_accessed)(VFIODevice *vdev);
    /* Called once when whoever serves the device is gone, and @reason says why:
     * all of it reads as ones, what is mapped of it must not be used any more.
     * Set while the guest has the device. */
    void (*lost)(VFIODevice *vdev, const char *reason);
};

/*
 * Asks @vdev, whose io and name are set, what it consists of, if nobody has yet.
 * false: *errp, and nothing is to be cleaned up.
 */
bool vfio_device_probe(VFIODevice *vdev, Error **errp);
/* Forgets what vfio_device_probe() found out. */
void vfio_device_cleanup(VFIODevice *vdev);

/* The information on region @index, or NULL if there is none. */
const struct vfio_region_info *vfio_device_region(const VFIODevice *vdev,
                                                  uint32_t index);
/* How many interrupts the index has; 0 if it has none or cannot signal. */
uint32_t vfio_device_irq_count(VFIODevice *vdev, uint32_t index);

/*
 * Connects @count interrupts from @start of @index to @fds, -1 meaning none.
 * @action: VFIO_IRQ_SET_ACTION_TRIGGER or _UNMASK. 0 or -errno.
 */
int vfio_device_irq_connect(VFIODevice *vdev, uint32_t index, uint32_t start,
                            const int32_t *fds, uint32_t count,
                            uint32_t action);
/* Turns all interrupts of @index off. */
int vfio_device_irq_disable(VFIODevice *vdev, uint32_t index);
/* Masks or unmasks interrupt 0 of @index. */
int vfio_device_irq_mask(VFIODevice *vdev, uint32_t index, bool mask);

/* --- capability chains of VFIO's answers (hw/vfio/info.c) --- */

/*
 * The first capability @id, of at least @min_size bytes, in the @size bytes at
 * @info, the chain beginning at @offset (0: empty); NULL: none, or nonsense.
 * *avail (may be NULL): the bytes there are from it on.
 */
const void *vfio_info_cap(const void *info, uint32_t size, uint32_t offset,
                          uint16_t id, uint32_t min_size, uint32_t *avail);

/* A part of a region. */
typedef struct VFIOArea {
    uint64_t offset;
    uint64_t size;
} VFIOArea;

/* What can be mapped of the region that @info (argsz: as large as it is) tells
 * of: VFIOArea, whole pages that can be read and written, ascending, none
 * touching the next; g_array_unref(). */
GArray *vfio_info_mmap_areas(const struct vfio_region_info *info);

#endif
