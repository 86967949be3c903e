/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that another process emulates and serves over the vfio-user
 * protocol. Its DMA goes through a container of its own: the server is told of
 * guest memory by the same listeners as the kernel is, with a descriptor where
 * the memory has one that can be shared (memory-backend-memfd, share=on); other
 * memory it reads and writes by messages, which are answered here.
 *
 * A server that breaks the connection (hw/vfio-user/socket.h) leaves the guest
 * with a device that reads as ones. As there is nobody any more who could use
 * guest memory, its container then agrees to everything, so that the guest can
 * go on plugging.
 *
 * Big lock held throughout.
 */
#ifndef HW_VFIO_USER_CLIENT_H
#define HW_VFIO_USER_CLIENT_H

#include "hw/vfio/container.h"
#include "hw/vfio/device.h"
#include "qemu/file-mapping.h"
#include "socket.h"

struct VFIOUserDevice {
    VFIOUserSocket *socket;
    char *name;                           /* for messages */
    VFIOUserCaps caps;                    /* the server's */
    bool attached;                        /* container is valid, and the server
                                             is listened to */
    VFIOContainer container;
    /* The device that the guest has, to be told when the connection breaks.
     * NULL: not yet, or not any more; whoever opens it gets the error. */
    VFIODevice *live;
    GArray *region_fds;                   /* int, by index; -1: no mmap */
    GHashTable *mappings;                 /* FileMapping, by its address */
};

/*
 * Agrees on a version with the server at @fd, which is taken over even on
 * failure. @name is for messages, @timeout_ms the longest wait for a reply;
 * until the device is live, for all replies together, from @since on
 * (g_get_monotonic_time()). NULL: *errp.
 *
 * Needs no lock, nor does what is in vfio_user_device_io: any thread, as long
 * as it is the only one, until the device is attached.
 */
VFIOUserDevice *vfio_user_device_new(int fd, const char *name,
                                     uint32_t timeout_ms, int64_t since,
                                     Error **errp);
/* Shows the server all of @as, and listens to it. false: *errp, and @user is to
 * be freed. */
bool vfio_user_device_attach(VFIOUserDevice *user, AddressSpace *as,
                             Error **errp);
/* The guest has @vdev now: from here on each wait has its own time-out. */
void vfio_user_device_set_live(VFIOUserDevice *user, VFIODevice *vdev);
/* Takes guest memory away from the server and disconnects. */
void vfio_user_device_free(VFIOUserDevice *user);
static inline bool vfio_user_device_broken(const VFIOUserDevice *user)
{
    return vfio_user_socket_error(user->socket) != NULL;
}

/* For a VFIODevice whose user is set. */
extern const VFIODeviceIOOps vfio_user_device_io;

/* --- the container: user-container.c --- */

/* false: *errp, and nothing is left. */
bool vfio_user_container_init(VFIOUserDevice *user, AddressSpace *as,
                              Error **errp);
/* Whether the server may access all of @iova .. @iova + @size - 1. */
bool vfio_user_container_exports(const VFIOContainer *container, hwaddr iova,
                                 uint64_t size);

/* --- DMA by messages: user-dma.c --- */

/* Answers the server's DMA_READ or DMA_WRITE; anything else is refused. */
void vfio_user_serve(VFIOUserDevice *user, const VFIOUserMessage *msg);

#endif
