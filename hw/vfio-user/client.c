/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a vfio-user client: version, container, disconnection. Used by
 * hw/vfio-user/pci.c. What a broken connection means for the guest is in
 * hw/vfio-user/client.h; it must never end, or stop, the emulator.
 */
#include "qemu/osdep.h"

#include "client.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"

static void user_command(VFIOUserSocket *s, VFIOUserMessage *msg, void *opaque)
{
    vfio_user_serve(opaque, msg);
}

static void user_broken(VFIOUserSocket *s, void *opaque)
{
    VFIOUserDevice *user = opaque;
    Error *err = error_copy(vfio_user_socket_error(s));

    if (user->attached) {
        qemu_set_fd_handler(vfio_user_socket_fd(s), NULL, NULL, NULL);
    }
    /* There is nobody left to run out of them. */
    user->container.space.info.dma_max_mappings = 0;
    if (user->live) {
        if (user->live->lost) {
            user->live->lost(user->live, error_get_pretty(err));
        }
        error_prepend(&err, "a device has failed, it reads as ones from now "
                      "on: ");
        error_report_err(err);
    } else {
        error_free(err);
    }
}

static const VFIOUserSocketOps user_socket_ops = {
    .command = user_command,
    .broken = user_broken,
};

static void user_readable(void *opaque)
{
    VFIOUserDevice *user = opaque;

    vfio_user_socket_process(user->socket);
}

/* The reason why @ret came back: the broken connection's, or the server's. */
static void user_set_error(VFIOUserDevice *user, int ret, const char *name,
                           Error **errp)
{
    if (vfio_user_device_broken(user)) {
        error_propagate(errp,
                        error_copy(vfio_user_socket_error(user->socket)));
    } else {
        error_setg_errno(errp, -ret, "vfio-user %s: the server refuses the "
                         "connection", name);
    }
}

static bool user_negotiate(VFIOUserDevice *user, const char *name, Error **errp)
{
    g_auto(VFIOUserMessage) reply = { 0 };
    VFIOUserBody body = { 0 };
    g_autofree VFIOUserVersion *version =
        vfio_user_version_new(&vfio_user_our_caps, &body.head_size);
    int ret;

    body.head = version;
    ret = vfio_user_socket_request(user->socket, VFIO_USER_VERSION, &body,
                                   &reply);
    if (ret) {
        user_set_error(user, ret, name, errp);
        return false;
    }
    if (!vfio_user_version_parse(&reply, &user->caps, errp)) {
        error_prepend(errp, "vfio-user %s: ", name);
        return false;
    }
    return true;
}

VFIOUserDevice *vfio_user_device_new(int fd, const char *name,
                                     uint32_t timeout_ms, int64_t since,
                                     Error **errp)
{
    VFIOUserDevice *user = g_new0(VFIOUserDevice, 1);

    user->region_fds = g_array_new(false, false, sizeof(int));
    user->mappings = g_hash_table_new_full(NULL, NULL, NULL,
                                           (GDestroyNotify)file_mapping_free);
    user->name = g_strdup(name);
    user->socket = vfio_user_socket_new(fd, name, timeout_ms, &user_socket_ops,
                                        user);
    vfio_user_socket_begin(user->socket, since);
    if (!user_negotiate(user, name, errp)) {
        vfio_user_device_free(user);
        return NULL;
    }
    return user;
}

bool vfio_user_device_attach(VFIOUserDevice *user, AddressSpace *as,
                             Error **errp)
{
    ERRP_GUARD();

    if (!vfio_user_container_init(user, as, errp)) {
        if (vfio_user_device_broken(user)) {
            g_clear_error(errp);
            user_set_error(user, 0, user->name, errp);
        } else {
            error_prepend(errp, "vfio-user %s: ", user->name);
        }
        return false;
    }
    user->attached = true;
    if (!vfio_user_device_broken(user)) {
        qemu_set_fd_handler(vfio_user_socket_fd(user->socket), user_readable,
                            NULL, user);
    }
    return true;
}

void vfio_user_device_set_live(VFIOUserDevice *user, VFIODevice *vdev)
{
    vfio_user_socket_end(user->socket);
    vfio_user_socket_forgive(user->socket);
    user->live = vdev;
}

void vfio_user_device_free(VFIOUserDevice *user)
{
    user->live = NULL;
    if (user->attached) {
        vfio_container_destroy(&user->container);
        qemu_set_fd_handler(vfio_user_socket_fd(user->socket), NULL, NULL,
                            NULL);
    }
    for (guint i = 0; i < user->region_fds->len; i++) {
        int fd = g_array_index(user->region_fds, int, i);

        if (fd >= 0) {
            close(fd);
        }
    }
    g_array_unref(user->region_fds);
    g_hash_table_unref(user->mappings);
    vfio_user_socket_free(user->socket);
    g_free(user->name);
    g_free(user);
}
