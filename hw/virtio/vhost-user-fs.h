/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of the host that another process serves (VIRTIO 1.2, 5.11), apart
 * from the bus. */
#ifndef HW_VIRTIO_VHOST_USER_FS_H
#define HW_VIRTIO_VHOST_USER_FS_H

#include "vhost-user-base.h"

#define TYPE_VHOST_USER_FS "vhost-user-fs-device"
OBJECT_DECLARE_SIMPLE_TYPE(VhostUserFs, VHOST_USER_FS)

struct VhostUserFs {
    VhostUserBase parent_obj;

    char *tag;                            /* by which the guest mounts it */
    uint16_t num_request_queues;
};

#endif
