/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing host devices by way of their IOMMU groups. A group is
 * opened with its first device, put into a container that follows the guest's
 * address space, and told to KVM; the last device to be closed undoes that.
 * Used by hw/vfio/pci-host.c. Messages name the device, the group and a cure.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "group.h"
#include "qemu/fdset.h"

#define VFIO_GROUP_DIR "/dev/vfio"

static QLIST_HEAD(, VFIOGroup) vfio_groups =
    QLIST_HEAD_INITIALIZER(vfio_groups);

static VFIOGroup *group_find(dev_t device)
{
    VFIOGroup *group;

    QLIST_FOREACH(group, &vfio_groups, next) {
        if (group->device == device) {
            break;
        }
    }
    return group;
}

static int group_open_fd(const char *path, Error **errp)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int err = errno;

    if (fd >= 0) {
        return fd;
    }
    switch (err) {
    case EBUSY:
        error_setg(errp, "cannot open %s: another process has the group", path);
        break;
    case EACCES:
    case EPERM:
        error_setg_errno(errp, err, "cannot open %s: give it to this user "
                         "(chown)", path);
        break;
    case ENOENT:
        error_setg(errp, "cannot open %s: there is no VFIO on this host; "
                   "modprobe vfio-pci", path);
        break;
    default:
        error_setg_errno(errp, err, "cannot open %s", path);
    }
    return -1;
}

static bool group_check_viable(int fd, const char *sysfsdev, Error **errp)
{
    struct vfio_group_status status = { .argsz = sizeof(status) };
    g_autofree char *obstacles = NULL;

    if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status)) {
        error_setg_errno(errp, errno, "cannot get the group's status");
        return false;
    }
    if (status.flags & VFIO_GROUP_FLAGS_VIABLE) {
        return true;
    }
    obstacles = vfio_sysfs_group_obstacles(sysfsdev);
    error_setg(errp, "the host uses other devices of the group: %s; bind all "
               "of them to vfio-pci", *obstacles ? obstacles : "unknown");
    return false;
}

static VFIOGroup *group_new(int fd, dev_t device, const VFIOHostPath *path,
                            AddressSpace *as, Error **errp)
{
    VFIOType1 *type1 = group_check_viable(fd, path->sysfsdev, errp)
                       ? vfio_type1_attach(fd, path->container, as, errp) : NULL;
    VFIOGroup *group;

    if (!type1) {
        return NULL;
    }
    group = g_new0(VFIOGroup, 1);
    group->device = device;
    group->fd = fd;
    group->as = as;
    group->type1 = type1;
    QLIST_INSERT_HEAD(&vfio_groups, group, next);
    vfio_kvm_group_add(fd);
    return group;
}

/* Closes a group without devices. */
static void group_put(VFIOGroup *group)
{
    if (group->nr_devices) {
        return;
    }
    vfio_kvm_group_del(group->fd);
    QLIST_REMOVE(group, next);
    vfio_type1_detach(group->type1, group->fd);
    close(group->fd);
    g_free(group);
}

/* The group's file @file, open; -1 in *fd: it is not, as the kernel lets it be
 * opened once, and the group is known. NULL, *fd -1: *errp. */
static VFIOGroup *group_open(const char *file, int *fd, dev_t *device,
                             Error **errp)
{
    bool known = fdset_is_path(file);
    struct stat st = { 0 };
    VFIOGroup *group;

    *fd = known ? fdset_open(file, O_RDWR, errp) : -1;
    if (known ? *fd >= 0 && fstat(*fd, &st) == 0 : stat(file, &st) == 0) {
        *device = st.st_rdev;
    }
    group = group_find(st.st_rdev);
    if (group && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    if (!group && !known) {
        *fd = group_open_fd(file, errp);
    }
    return group;
}

static VFIOGroup *group_get(const char *file, const VFIOHostPath *path,
                            AddressSpace *as, Error **errp)
{
    dev_t device = 0;
    int fd;
    VFIOGroup *group = group_open(file, &fd, &device, errp);

    if (group && group->as != as) {
        error_setg(errp, "another device of the group is behind another "
                   "IOMMU of the guest");
        return NULL;
    }
    if (!group && fd >= 0) {
        group = group_new(fd, device, path, as, errp);
        if (!group) {
            close(fd);
        }
    }
    return group;
}

/* The group's file; NULL: *errp. */
static char *group_file(const VFIOHostPath *path, Error **errp)
{
    int id;

    if (path->group) {
        return g_strdup(path->group);
    }
    id = vfio_sysfs_group(path->sysfsdev, errp);
    return id < 0 ? NULL : g_strdup_printf(VFIO_GROUP_DIR "/%d", id);
}

bool vfio_group_open_device(VFIODevice *vdev, const VFIOHostPath *path,
                            AddressSpace *as, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *name = g_path_get_basename(path->sysfsdev);
    g_autofree char *file = group_file(path, errp);
    VFIOGroup *group;
    int fd;

    if (!file) {
        return false;
    }
    group = group_get(file, path, as, errp);
    if (!group) {
        error_prepend(errp, "vfio %s: IOMMU group %s: ", name, file);
        return false;
    }
    fd = ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, name);
    if (fd < 0) {
        error_setg_errno(errp, errno, "vfio %s: cannot open the device in "
                         "IOMMU group %s", name, file);
        group_put(group);
        return false;
    }
    group->nr_devices++;
    vdev->group = group;
    vdev->container = &group->type1->container;
    vdev->fd = fd;
    vdev->io = &vfio_kernel_device_io;
    vdev->name = g_steal_pointer(&name);
    return true;
}

void vfio_group_close_device(VFIODevice *vdev)
{
    VFIOGroup *group = vdev->group;

    if (!group) {
        return;
    }
    close(vdev->fd);
    vdev->fd = -1;
    vdev->group = NULL;
    vdev->container = NULL;
    vdev->io = NULL;
    g_clear_pointer(&vdev->name, g_free);
    group->nr_devices--;
    group_put(group);
}
