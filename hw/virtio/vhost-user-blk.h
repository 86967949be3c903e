/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that another process serves (VIRTIO 1.2, 5.2), apart from the bus. */
#ifndef HW_VIRTIO_VHOST_USER_BLK_H
#define HW_VIRTIO_VHOST_USER_BLK_H

#include "vhost-user-base.h"

#define TYPE_VHOST_USER_BLK "vhost-user-blk"
OBJECT_DECLARE_SIMPLE_TYPE(VhostUserBlk, VHOST_USER_BLK)

struct VhostUserBlk {
    VhostUserBase parent_obj;

    bool config_wce;                      /* property: the guest may switch the
                                             write cache */
};

#endif
