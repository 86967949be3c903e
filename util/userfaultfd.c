/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of userfaultfd, with their errors made sense of. What is
 * done about a fault is the caller's affair.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "qemu/userfaultfd.h"

#define UFFD_DEVICE "/dev/userfaultfd"    /* since Linux 6.1 */

static int uffd_ioctl(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* Whom the device's owner lets, and whom the kernel lets. -1 and errno. */
static int open_fd(void)
{
    int device = open(UFFD_DEVICE, O_RDWR | O_CLOEXEC);
    int fd = -1;

    if (device >= 0) {
        fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
        close(device);
    }
    return fd >= 0 ? fd : (int)syscall(SYS_userfaultfd,
                                       O_CLOEXEC | O_NONBLOCK);
}

/* Agrees on *features and on the version; which, the kernel says, too. */
static int shake_hands(int fd, uint64_t *features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = *features };
    int ret = uffd_ioctl(fd, UFFDIO_API, &api);

    *features = api.features;
    return ret;
}

static void set_open_error(Error **errp, int err)
{
    const char *cure = "";

    if (err == EPERM || err == EACCES) {
        cure = " (it takes sysctl vm.unprivileged_userfaultfd=1, or access to "
               UFFD_DEVICE ", or CAP_SYS_PTRACE)";
    } else if (err == ENOSYS) {
        cure = " (the kernel is built without CONFIG_USERFAULTFD)";
    }
    error_setg(errp, "userfaultfd cannot be used: %s%s", g_strerror(err), cure);
}

/* A descriptor agrees once; so one is opened just to ask what there is. */
int uffd_create_fd(uint64_t *features, Error **errp)
{
    uint64_t known = 0;
    int fd = open_fd();
    int ret = fd < 0 ? -errno : shake_hands(fd, &known);

    if (!ret) {
        close(fd);
        *features &= known;
        fd = open_fd();
        known = *features;
        ret = fd < 0 ? -errno : shake_hands(fd, &known);
    }
    if (ret) {
        set_open_error(errp, -ret);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

int uffd_register_memory(int fd, void *addr, uint64_t length, uint64_t *ioctls)
{
    struct uffdio_register reg = {
        .range = { .start = (uintptr_t)addr, .len = length },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    int ret = uffd_ioctl(fd, UFFDIO_REGISTER, &reg);

    if (!ret && ioctls) {
        *ioctls = reg.ioctls;
    }
    return ret;
}

int uffd_unregister_memory(int fd, void *addr, uint64_t length)
{
    struct uffdio_range range = { .start = (uintptr_t)addr, .len = length };

    return uffd_ioctl(fd, UFFDIO_UNREGISTER, &range);
}

int uffd_zero_page(int fd, void *addr, uint64_t length)
{
    struct uffdio_zeropage zero = {
        .range = { .start = (uintptr_t)addr, .len = length },
    };

    return uffd_ioctl(fd, UFFDIO_ZEROPAGE, &zero);
}

int uffd_wakeup(int fd, void *addr, uint64_t length)
{
    struct uffdio_range range = { .start = (uintptr_t)addr, .len = length };

    return uffd_ioctl(fd, UFFDIO_WAKE, &range);
}

int uffd_read_events(int fd, struct uffd_msg *msgs, int count)
{
    ssize_t n;

    do {
        n = read(fd, msgs, count * sizeof(*msgs));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN ? 0 : -errno;
    }
    return n / sizeof(*msgs);
}
