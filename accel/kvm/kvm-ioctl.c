/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ioctls of KVM, with errno as -errno: what all of accel/kvm, and devices
 * that know KVM, talk to the kernel by.
 */
#include "qemu/osdep.h"

#include <stdarg.h>
#include <sys/ioctl.h>

#include "kvm-internal.h"

/* The one argument of an ioctl: an integer or a pointer. */
#define IOCTL_WITH_ARG(fd, type)                                             \
    ({                                                                       \
        va_list ap_;                                                         \
        void *arg_;                                                          \
        int ret_;                                                            \
        va_start(ap_, type);                                                 \
        arg_ = va_arg(ap_, void *);                                          \
        va_end(ap_);                                                         \
        ret_ = ioctl(fd, type, arg_);                                        \
        ret_ < 0 ? -errno : ret_;                                            \
    })

int kvm_ioctl(KVMState *s, unsigned long type, ...)
{
    return IOCTL_WITH_ARG(s->fd, type);
}

int kvm_vm_ioctl(KVMState *s, unsigned long type, ...)
{
    return IOCTL_WITH_ARG(s->vmfd, type);
}

int kvm_vcpu_ioctl(KVMVcpu *vcpu, unsigned long type, ...)
{
    return IOCTL_WITH_ARG(vcpu->fd, type);
}

int kvm_device_ioctl(int fd, unsigned long type, ...)
{
    return IOCTL_WITH_ARG(fd, type);
}

int kvm_check_extension(KVMState *s, unsigned int extension)
{
    return MAX(0, kvm_ioctl(s, KVM_CHECK_EXTENSION, (unsigned long)extension));
}

int kvm_vm_check_extension(KVMState *s, unsigned int extension)
{
    return MAX(0, kvm_vm_ioctl(s, KVM_CHECK_EXTENSION,
                               (unsigned long)extension));
}

int kvm_create_device(KVMState *s, uint64_t type, bool test)
{
    struct kvm_create_device device = {
        .type = type,
        .fd = -1,
        .flags = test ? KVM_CREATE_DEVICE_TEST : 0,
    };
    int ret = kvm_vm_ioctl(s, KVM_CREATE_DEVICE, &device);

    return ret < 0 || test ? ret : (int)device.fd;
}
