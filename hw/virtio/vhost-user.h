/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost back end that is another process: the vhost-user protocol as VhostOps,
 * over the socket of a character device. What one device needs is here; what it
 * is (a disk, a file system) is vhost-user-base.h's users' business.
 *
 * Guest memory travels as descriptors, so it must be shared. A back end that can
 * (CONFIGURE_MEM_SLOTS) is told of each region as it comes and goes, others get
 * the whole table, of up to 8 regions, each time. The addresses by which rings
 * are named are made up: they tell nothing of this process.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_USER_H
#define HW_VIRTIO_VHOST_USER_H

#include "vhost.h"
#include "vhost-user-channel.h"

/* Regions that are used of those that a back end offers. */
#define VHOST_USER_MAX_SLOTS 4096

typedef struct VhostUser {
    struct vhost_dev dev;                 /* its vhost_ops are vhost_user_ops */
    VhostUserChannel channel;
    uint64_t protocol_features;           /* both sides' */
    uint64_t usable_features;             /* of the protocol, that the device uses */
    unsigned queues;                      /* that the back end can have */
    guint slots;                          /* regions that it takes */
    uint16_t queue_size;                  /* entries, at most */
    int inflight_fd;                      /* its notes on what it is doing; -1 */
    VhostUserInflight inflight;
} VhostUser;

extern const VhostOps vhost_user_ops;

/* What any device, and a device beside networks, uses of the protocol. */
#define VHOST_USER_COMMON_FEATURES                                           \
    (1ULL << VHOST_USER_PROTOCOL_F_MQ |                                      \
     1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK |                               \
     1ULL << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS)
#define VHOST_USER_BASE_FEATURES                                             \
    (VHOST_USER_COMMON_FEATURES |                                            \
     1ULL << VHOST_USER_PROTOCOL_F_CONFIG |                                  \
     1ULL << VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD)

/* Protocol features beside @protocol_features are not used. */
void vhost_user_init(VhostUser *u, uint32_t timeout_ms,
                     uint64_t protocol_features);
void vhost_user_cleanup(VhostUser *u);

/*
 * A back end is at @fd, a nonblocking socket that stays the caller's: finds out
 * what it can. false: *errp.
 */
bool vhost_user_connect(VhostUser *u, int fd, Error **errp);
/* It has gone. */
void vhost_user_disconnect(VhostUser *u);
static inline bool vhost_user_has(const VhostUser *u, unsigned protocol_feature)
{
    return virtio_has_feature(u->protocol_features, protocol_feature);
}
/* Whether it is told whole tables. */
static inline bool vhost_user_whole(const VhostUser *u)
{
    return !vhost_user_has(u, VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS);
}

/* The first @len bytes, at most VHOST_USER_CONFIG_MAX, of the configuration
 * space; and changing @len bytes from @offset on. */
bool vhost_user_get_config(VhostUser *u, void *config, uint32_t len,
                           Error **errp);
bool vhost_user_set_config(VhostUser *u, const void *data, uint32_t offset,
                           uint32_t len, Error **errp);
/* The largest packet that the network passes, and who it is to tell where a
 * station is; of back ends that have these features. */
bool vhost_user_set_mtu(VhostUser *u, uint16_t mtu, Error **errp);
bool vhost_user_send_rarp(VhostUser *u, const uint8_t *mac, Error **errp);
/* The driver's reset: what was being done is not gone on with. */
void vhost_user_forget_inflight(VhostUser *u);

#endif
