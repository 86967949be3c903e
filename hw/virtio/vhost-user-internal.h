/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhost-user.c and vhost-user-memory.c need of each other. */
#ifndef HW_VIRTIO_VHOST_USER_INTERNAL_H
#define HW_VIRTIO_VHOST_USER_INTERNAL_H

#include "vhost-user.h"

static inline VhostUser *vhost_user_of(struct vhost_dev *dev)
{
    return container_of(dev, VhostUser, dev);
}

/* Returns when all that was told has been done, be it that nothing said so by
 * itself. false: *errp. */
bool vhost_user_sync(VhostUser *u, Error **errp);

/* VhostOps on memory: vhost-user-memory.c. */
bool vhost_user_accepts(const struct vhost_dev *dev, RAMBlock *block,
                        Error **errp);
uint64_t vhost_user_ring_addr(const VhostRegion *r, hwaddr gpa);
bool vhost_user_table_stops(const struct vhost_dev *dev,
                            const VhostTableChange *change);
bool vhost_user_set_mem_table(struct vhost_dev *dev,
                              const VhostTableChange *change, Error **errp);

#endif
