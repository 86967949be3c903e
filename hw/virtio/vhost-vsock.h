/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-vsock: sockets between the guest and the host (AF_VSOCK), by the host's
 * kernel. The emulator only has the configuration space and the third queue, by
 * which nothing is ever told: connections end with the VM.
 */
#ifndef HW_VIRTIO_VHOST_VSOCK_H
#define HW_VIRTIO_VHOST_VSOCK_H

#include "vhost-kernel.h"

#define TYPE_VHOST_VSOCK "vhost-vsock-device"
OBJECT_DECLARE_SIMPLE_TYPE(VhostVsock, VHOST_VSOCK)

struct VhostVsock {
    VirtIODevice parent_obj;

    /* Properties. */
    uint64_t guest_cid;                   /* the guest's address; 0: not given */
    char *vhostfd;                        /* NULL: /dev/vhost-vsock is opened */

    VhostKernel kernel;
    char *name;                           /* "vhost-vsock 3" */
};

#endif
