/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's view of VFIO groups: told of them, it minds DMA that bypasses caches.
 * The guest works without, only less exactly; so a kernel that does not have
 * this gets a warning, once. Used by hw/vfio/group.c.
 */
#include "qemu/osdep.h"

#include <linux/kvm.h>

#include "group.h"
#include "qemu/error-report.h"
#include "sysemu/kvm.h"

/* One for the virtual machine, made with the first group. */
static int kvm_vfio_fd = -1;
static bool kvm_vfio_missing;

static int vfio_kvm_group_set(int group_fd, uint64_t what)
{
    int32_t fd = group_fd;
    struct kvm_device_attr attr = {
        .group = KVM_DEV_VFIO_GROUP,
        .attr = what,
        .addr = (uintptr_t)&fd,
    };

    return kvm_device_ioctl(kvm_vfio_fd, KVM_SET_DEVICE_ATTR, &attr);
}

static void vfio_kvm_missing(int ret)
{
    kvm_vfio_missing = true;
    warn_report("vfio: KVM cannot be told of passed-through devices (%s); "
                "DMA that bypasses caches may be seen late",
                g_strerror(-ret));
}

void vfio_kvm_group_add(int group_fd)
{
    int ret;

    if (!kvm_enabled() || kvm_vfio_missing) {
        return;
    }
    if (kvm_vfio_fd < 0) {
        ret = kvm_create_device(kvm_state, KVM_DEV_TYPE_VFIO, false);
        if (ret < 0) {
            vfio_kvm_missing(ret);
            return;
        }
        kvm_vfio_fd = ret;
    }
    ret = vfio_kvm_group_set(group_fd, KVM_DEV_VFIO_GROUP_ADD);
    if (ret < 0) {
        vfio_kvm_missing(ret);
    }
}

void vfio_kvm_group_del(int group_fd)
{
    if (kvm_vfio_fd >= 0) {
        vfio_kvm_group_set(group_fd, KVM_DEV_VFIO_GROUP_DEL);
    }
}
