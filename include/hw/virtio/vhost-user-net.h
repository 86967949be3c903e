/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue pairs of a virtio-net that another process works: a switch, say. It
 * has all of them over one connection, and of guest memory what is plugged. The
 * device keeps its control queue and its configuration. Big lock held.
 *
 * A back end that goes leaves the queues where they are: until there is another,
 * or the device is reset, nobody else may process them.
 */
#ifndef HW_VIRTIO_VHOST_USER_NET_H
#define HW_VIRTIO_VHOST_USER_NET_H

#include "chardev/char-fe.h"
#include "hw/virtio/virtio.h"

typedef struct VhostUserNet VhostUserNet;

typedef struct VhostUserNetConfig {
    CharBackend *chardev;                 /* the caller's; attached */
    uint32_t timeout_ms;                  /* for an answer */
    unsigned pairs;                       /* its queues are the first of the
                                             device's */
    uint16_t mtu;                         /* that the driver is told; 0: none */
    /* The back end has come or gone. */
    void (*changed)(VirtIODevice *vdev);
} VhostUserNetConfig;

/*
 * Before that, while the machine runs: waits until whoever is behind @chardev, which
 * stays attached meanwhile, answers at all, and lets the main loop go on. false:
 * *errp.
 */
bool vhost_user_net_await(CharBackend *chardev, uint32_t timeout_ms,
                          Error **errp);
/* @vdev has its queues. NULL and *errp. Begins held. */
VhostUserNet *vhost_user_net_new(VirtIODevice *vdev,
                                 const VhostUserNetConfig *config, Error **errp);
/* NULL is fine; it is held. */
void vhost_user_net_free(VhostUserNet *net);
/* @features without those that the back end has not. */
uint64_t vhost_user_net_get_features(const VhostUserNet *net, uint64_t features);
/* Whether a back end is there. */
bool vhost_user_net_works(const VhostUserNet *net);
/* For VirtioDeviceClass.run_changed, and when @held, that is, the queues shall
 * stand still anyhow, changes. The driver has @pairs of them. */
void vhost_user_net_run_changed(VhostUserNet *net, bool held, unsigned pairs);
/* The driver uses the first @pairs. */
void vhost_user_net_use_pairs(VhostUserNet *net, unsigned pairs);
/* Has the back end tell the network where @mac is, if it can. */
void vhost_user_net_announce(VhostUserNet *net, const uint8_t *mac);

#endif
