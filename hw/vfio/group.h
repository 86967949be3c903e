/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU groups: the devices that the host's IOMMU cannot tell apart, and that
 * are therefore given away together. Opening a device opens its group and puts
 * that into a container; closing the last device undoes both.
 */
#ifndef HW_VFIO_GROUP_H
#define HW_VFIO_GROUP_H

#include "exec/memory.h"
#include "hw/vfio/device.h"
#include "type1.h"

struct VFIOGroup {
    dev_t device;                         /* of its file: who the group is */
    int fd;
    AddressSpace *as;
    VFIOType1 *type1;
    unsigned nr_devices;
    QLIST_ENTRY(VFIOGroup) next;
};

/* Where a host device is. */
typedef struct VFIOHostPath {
    const char *sysfsdev;                 /* its directory in sysfs */
    /* Files, or /dev/fdset/N. NULL: that which sysfs, if the group is not given,
     * or the kernel has for it. */
    const char *group;
    const char *container;
} VFIOHostPath;

/*
 * Opens the host device for @vdev: fills in name, io, fd and group. Its DMA then
 * reaches @as. false: *errp names the device, the group and what to do; nothing
 * is left open.
 */
bool vfio_group_open_device(VFIODevice *vdev, const VFIOHostPath *path,
                            AddressSpace *as, Error **errp);
/* The reverse; nothing if @vdev is not open. */
void vfio_group_close_device(VFIODevice *vdev);

/* --- what sysfs says about host devices (hw/vfio/sysfs.c) --- */

/*
 * The IOMMU group of the device at @sysfsdev, which must exist and be bound to
 * a VFIO driver; -1: *errp.
 */
int vfio_sysfs_group(const char *sysfsdev, Error **errp);
/* The other devices of its group that are in use by the host, for a message:
 * "0000:00:1f.0 (lpc_ich), ..."; "" if there are none. g_free() it. */
char *vfio_sysfs_group_obstacles(const char *sysfsdev);

/* --- KVM (hw/vfio/kvm-group.c) --- */

/* Tells KVM that devices of the group are the guest's, or no longer are.
 * Nothing without KVM. */
void vfio_kvm_group_add(int group_fd);
void vfio_kvm_group_del(int group_fd);

/* --- the kernel's devices (hw/vfio/kernel-device.c) --- */

extern const VFIODeviceIOOps vfio_kernel_device_io;

#endif
