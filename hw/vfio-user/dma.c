/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory that a vfio-user server reads and writes by messages, because
 * it has no descriptor for it. Only what the server has been shown is
 * accessed, and that through the address space: discarded memory answers with
 * an error and is not populated. Nor may a server that reads everything make the
 * guest larger than it is.
 */
#include "qemu/osdep.h"

#include "client.h"

/* BARs of other devices are among what it is shown, so not .memory. */
static const MemTxAttrs attrs_shown = { .keep_unbacked = 1 };

static void serve_read(VFIOUserDevice *user, const VFIOUserMessage *msg)
{
    const VFIOUserDMAAccess *access = (const void *)msg->payload;
    g_autofree uint8_t *data = g_malloc(access->count);
    const VFIOUserBody body = {
        .head = access,
        .head_size = sizeof(*access),
        .data = data,
        .data_size = access->count,
    };
    MemTxResult result = address_space_read(user->container.as, access->address,
                                            attrs_shown, data, access->count);

    vfio_user_socket_reply(user->socket, msg, result ? EFAULT : 0, &body);
}

static void serve_write(VFIOUserDevice *user, const VFIOUserMessage *msg)
{
    const VFIOUserDMAAccess *access = (const void *)msg->payload;
    const VFIOUserBody body = { .head = access, .head_size = sizeof(*access) };
    MemTxResult result = address_space_write(user->container.as,
                                             access->address, attrs_shown,
                                             access->data, access->count);

    vfio_user_socket_reply(user->socket, msg, result ? EFAULT : 0, &body);
}

void vfio_user_serve(VFIOUserDevice *user, const VFIOUserMessage *msg)
{
    const VFIOUserDMAAccess *access = (const void *)msg->payload;
    bool write = msg->header.command == VFIO_USER_DMA_WRITE;

    if (!write && msg->header.command != VFIO_USER_DMA_READ) {
        vfio_user_socket_reply(user->socket, msg, ENOTSUP, NULL);
    } else if (!vfio_user_container_exports(&user->container, access->address,
                                            access->count)) {
        vfio_user_socket_reply(user->socket, msg, EFAULT, NULL);
    } else if (write) {
        serve_write(user, msg);
    } else {
        serve_read(user, msg);
    }
}
