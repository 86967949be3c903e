/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all virtio devices have in common that a vhost-user back end serves and
 * that are nothing beside: the character device by which it is reached
 * (vhost-user-peer.h), its configuration space. A device derives from
 * TYPE_VHOST_USER_BASE and says in its class what it is.
 *
 * Big lock held throughout.
 */
#ifndef HW_VIRTIO_VHOST_USER_BASE_H
#define HW_VIRTIO_VHOST_USER_BASE_H

#include "vhost-user-peer.h"

#define TYPE_VHOST_USER_BASE "vhost-user-base"
typedef struct VhostUserBase VhostUserBase;
typedef struct VhostUserBaseClass VhostUserBaseClass;
DECLARE_OBJ_CHECKERS(VhostUserBase, VhostUserBaseClass, VHOST_USER_BASE,
                     TYPE_VHOST_USER_BASE)

/* num-queues=: as many as there are CPUs, and the back end has. */
#define VHOST_USER_AUTO_QUEUES UINT16_MAX

struct VhostUserBase {
    VirtIODevice parent_obj;

    /* Properties. */
    CharBackend chardev;
    uint16_t num_queues;
    uint16_t queue_size;
    uint32_t timeout_ms;                  /* for an answer of the back end */

    VhostUserPeer peer;
    uint8_t config[VHOST_USER_CONFIG_MAX];  /* the back end's, as last seen */
};

struct VhostUserBaseClass {
    VirtioDeviceClass parent_class;

    const char *name;
    uint16_t device_id;                   /* VIRTIO_ID_* */
    const int *feature_bits;              /* of the device, that a back end may
                                             have; VHOST_INVALID_FEATURE_BIT */
    uint32_t config_size;                 /* bytes */
    bool own_config;                      /* get_config makes it; the back end is
                                             not asked */
    /* Optional: whether the properties can be; sets num_queues if there is no
     * such property. */
    bool (*check)(VhostUserBase *base, Error **errp);
    /* Optional: there is a back end, not the first one if @again, of which
     * @config has come, while base->config is as it was. false: *errp, and it is
     * not what is needed. */
    bool (*arrived)(VhostUserBase *base, uint8_t *config, bool again,
                    Error **errp);
};

/* DeviceClass.prepare of the device that @base is a part of. */
void vhost_user_base_prepare(VhostUserBase *base, Error **errp);

#endif
