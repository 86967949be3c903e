/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user back end behind a character device: its coming and going. It must
 * be there when the device is made; when it goes later, the device stays and its
 * requests wait, and a character device that connects again (reconnect=, or a
 * server) brings the next one. Part of whoever has the device.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_USER_PEER_H
#define HW_VIRTIO_VHOST_USER_PEER_H

#include "chardev/char.h"
#include "vhost-user.h"

typedef struct VhostUserPeer VhostUserPeer;

typedef struct VhostUserPeerOps {
    /* A back end has come, not the first one if @again, and has told what it can:
     * whether it is one for this device. false: *errp. */
    bool (*get_acquainted)(VhostUserPeer *p, bool again, Error **errp);
    /* Optional: it has gone, or another one has all that it needs; whether one is
     * there, vhost_user_peer_works() tells. */
    void (*changed)(VhostUserPeer *p);
} VhostUserPeerOps;

struct VhostUserPeer {
    const VhostUserPeerOps *ops;
    CharBackend *chardev;                 /* somebody else's */
    VhostUser user;
    char *name;                           /* "vhost-user-blk 'ID'" */
    uint64_t losses;                      /* of back ends, that were told */
};

/*
 * @chardev, which is attached, leads to the back end of a device that is a @kind.
 * Protocol features beside @protocol_features are not used.
 */
void vhost_user_peer_init(VhostUserPeer *p, const VhostUserPeerOps *ops,
                          CharBackend *chardev, const char *kind,
                          uint32_t timeout_ms, uint64_t protocol_features);
/*
 * Before all that, and only while the machine runs: waits until whoever is behind
 * @chardev answers at all, and lets the main loop go on meanwhile, so that one who
 * does not holds up nobody else. false: *errp.
 */
bool vhost_user_peer_await(CharBackend *chardev, const char *kind,
                           uint32_t timeout_ms, Error **errp);
/* The same of whoever is at the other end of @socket, which stays the caller's. */
bool vhost_user_await_answer(int socket, uint32_t timeout_ms, Error **errp);
/* Makes the acquaintance of the back end. false: *errp. */
bool vhost_user_peer_find(VhostUserPeer *p, Error **errp);
/* Gives it guest memory, for the first @nvqs queues of @vdev. false: *errp. */
bool vhost_user_peer_give_memory(VhostUserPeer *p, VirtIODevice *vdev,
                                 unsigned nvqs, Error **errp);
/* The device is complete: from now on back ends come and go. */
void vhost_user_peer_watch(VhostUserPeer *p);
/* The reverse, of a device that is stopped; the next user of the character device
 * finds another back end. */
void vhost_user_peer_unwatch(VhostUserPeer *p);
/* The reverse of init. */
void vhost_user_peer_destroy(VhostUserPeer *p);

static inline bool vhost_user_peer_works(const VhostUserPeer *p)
{
    return vhost_user_channel_works(&p->user.channel);
}

#endif
