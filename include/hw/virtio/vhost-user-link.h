/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user back end for a device that is otherwise its own, such as a disk
 * that does without one as a rule: the back end is at a socket which the device
 * has, and processes all of its queues. Unlike a vhost-user-*-pci device this one
 * has nobody who would bring another back end.
 *
 * Big lock held throughout. When the back end goes, the guest's requests wait.
 */
#ifndef HW_VIRTIO_VHOST_USER_LINK_H
#define HW_VIRTIO_VHOST_USER_LINK_H

#include "hw/virtio/virtio.h"

typedef struct VhostUserLink VhostUserLink;

/*
 * While the machine runs, before a device has @fd, which stays the caller's: waits
 * until the back end answers at all, and lets the main loop go on. false: *errp.
 */
bool vhost_user_link_await(int fd, const char *name, Error **errp);
/*
 * @fd, a connected nonblocking socket which is taken in any case, leads to the
 * back end of @vdev, whose messages have name @name in front. NULL: *errp.
 */
VhostUserLink *vhost_user_link_new(VirtIODevice *vdev, const char *name, int fd,
                                   Error **errp);
/* The device is stopped, or was never started. */
void vhost_user_link_free(VhostUserLink *link);

/* How many queues it has. */
unsigned vhost_user_link_queues(const VhostUserLink *link);
/* @features without those that it lacks; @feature_bits ends with -1. */
uint64_t vhost_user_link_features(const VhostUserLink *link,
                                  const int *feature_bits, uint64_t features);
/* The first @len bytes of its configuration space; and changing @len bytes at
 * @offset of it. false: *errp. */
bool vhost_user_link_get_config(VhostUserLink *link, void *config, uint32_t len,
                                Error **errp);
bool vhost_user_link_set_config(VhostUserLink *link, const void *data,
                                uint32_t offset, uint32_t len, Error **errp);

/* The device has @nvqs queues of at most @queue_size entries: gives it guest
 * memory. false: *errp says what of the memory is not shared, say. */
bool vhost_user_link_start(VhostUserLink *link, unsigned nvqs,
                           uint16_t queue_size, Error **errp);
/* For VirtioDeviceClass.run_changed and .reset. */
void vhost_user_link_run_changed(VhostUserLink *link);
void vhost_user_link_reset(VhostUserLink *link);

#endif
