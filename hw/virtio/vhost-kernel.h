/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost back end that is the host's kernel: /dev/vhost-*, as VhostOps. What one
 * device needs is here; what it is (a socket, a network) is its user's business.
 *
 * The kernel reads and writes guest memory by this process's addresses, in threads
 * of its own, so memory need not be shared. It has a table of the memory that it
 * may use, which is replaced as a whole while queues run: between the request and
 * its return the old table is used, afterwards the new one, by all of them.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_KERNEL_H
#define HW_VIRTIO_VHOST_KERNEL_H

#include <linux/vhost.h>

#include "vhost.h"

typedef struct VhostKernel VhostKernel;

/* What the kinds of devices do differently. @n is a queue of the back end. */
typedef struct VhostKernelClass {
    /* Lets queue @n, of which all is told, begin. */
    bool (*start)(VhostKernel *k, unsigned n, Error **errp);
    /* The reverse; it is not using the queue any more when this returns. */
    bool (*stop)(VhostKernel *k, unsigned n, Error **errp);
    /* ioctl(), but for tests. */
    int (*ioctl)(int fd, unsigned long request, void *arg);
} VhostKernelClass;

struct VhostKernel {
    struct vhost_dev dev;
    const VhostKernelClass *class;
    const char *name;                     /* of the device, for messages */
    int fd;                               /* -1: there is no back end any more */
    guint slots;                          /* regions that the kernel takes */
    struct QEMUBH *lost_bh;
};

extern const VhostOps vhost_kernel_ops;

/*
 * The descriptor @fd_text, the number of one that is open or the name of one that
 * a client has sent; NULL: @path is opened. -1 and *errp.
 */
int vhost_kernel_open(const char *path, const char *fd_text, Error **errp);

/* Takes over @fd, and finds out what it can. false: *errp, and @fd is closed.
 * @name is not copied. */
bool vhost_kernel_init(VhostKernel *k, const VhostKernelClass *class,
                       const char *name, int fd, Error **errp);
/* The device has been cleaned up, or never begun. */
void vhost_kernel_cleanup(VhostKernel *k);

/* ioctl(); false: *errp names @what. */
bool vhost_kernel_call(VhostKernel *k, unsigned long request, void *arg,
                       const char *what, Error **errp);
#define VHOST_KERNEL_CALL(k, request, arg, errp) \
    vhost_kernel_call(k, request, arg, #request, errp)

#endif
