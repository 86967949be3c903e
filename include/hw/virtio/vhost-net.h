/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue pair of virtio-net that somebody else works: frames between its rings
 * and the netdev do not pass through this process. The device keeps its control
 * queue and its configuration. Big lock held.
 */
#ifndef HW_VIRTIO_VHOST_NET_H
#define HW_VIRTIO_VHOST_NET_H

#include "hw/virtio/virtio.h"

typedef struct VhostNet VhostNet;

/*
 * Queues 2 * @pair and 2 * @pair + 1 of @vdev, which it has, are worked by the
 * kernel, by a copy of @vhost_fd (/dev/vhost-net), over the tap interface @tap_fd,
 * whose frames have a header if @has_header; both stay the caller's and open. NULL
 * and *errp. Begins held.
 */
VhostNet *vhost_net_new(VirtIODevice *vdev, unsigned pair, int vhost_fd,
                        int tap_fd, bool has_header, Error **errp);
/* NULL is fine. */
void vhost_net_free(VhostNet *net);
/* @features without those of rings that it has not. */
uint64_t vhost_net_get_features(const VhostNet *net, uint64_t features);
/* For VirtioDeviceClass.run_changed, and when @held, that is, the queues shall
 * stand still anyhow, changes. */
void vhost_net_run_changed(VhostNet *net, bool held);

#endif
