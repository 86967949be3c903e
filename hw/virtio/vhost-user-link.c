/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back end of a device at a socket of its own: see vhost-user-link.h. The
 * protocol is vhost-user.c's; here is what is left without a character device.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "hw/virtio/vhost-user-link.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "vhost-user-peer.h"
#include "vhost-user.h"

#define ANSWER_TIMEOUT_MS 5000

struct VhostUserLink {
    VirtIODevice *vdev;
    char *name;
    int fd;                               /* -1: it has gone */
    bool started;                         /* it has guest memory */
    VhostUser user;
};

/* --- when it goes --- */

static void link_close(VhostUserLink *link)
{
    if (link->fd >= 0) {
        qemu_set_fd_handler(link->fd, NULL, NULL, NULL);
        close(link->fd);
        link->fd = -1;
    }
}

static void link_lost(VhostUserLink *link)
{
    VhostUser *u = &link->user;

    warn_report("%s: the back end has gone: %s; requests wait for good",
                link->name,
                u->channel.error ? error_get_pretty(u->channel.error)
                                 : "it has closed the connection");
    if (link->started) {
        vhost_dev_lost(&u->dev);
    }
    vhost_user_disconnect(u);
    link_close(link);
}

/* Answers are awaited elsewhere; who breaks the protocol is cut off here. */
static void link_readable(void *opaque)
{
    VhostUserLink *link = opaque;
    char byte;
    struct iovec iov = { &byte, sizeof(byte) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = recvmsg(link->fd, &msg, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n > 0) {
        vhost_user_channel_break(&link->user.channel,
                                 "it speaks without being asked");
    }
    link_lost(link);
}

/* --- life --- */

bool vhost_user_link_await(int fd, const char *name, Error **errp)
{
    if (!vhost_user_await_answer(fd, ANSWER_TIMEOUT_MS, errp)) {
        error_prepend(errp, "%s: the back end cannot be used: ", name);
        return false;
    }
    return true;
}

VhostUserLink *vhost_user_link_new(VirtIODevice *vdev, const char *name, int fd,
                                   Error **errp)
{
    VhostUserLink *link = g_new0(VhostUserLink, 1);

    link->vdev = vdev;
    link->name = g_strdup(name);
    link->fd = fd;
    vhost_user_init(&link->user, ANSWER_TIMEOUT_MS, VHOST_USER_BASE_FEATURES);
    if (!vhost_user_connect(&link->user, fd, errp)) {
        error_prepend(errp, "%s: the back end cannot be used: ", name);
        vhost_user_link_free(link);
        return NULL;
    }
    return link;
}

void vhost_user_link_free(VhostUserLink *link)
{
    if (link->started) {
        vhost_dev_cleanup(&link->user.dev);
    }
    vhost_user_cleanup(&link->user);
    link_close(link);
    g_free(link->name);
    g_free(link);
}

bool vhost_user_link_start(VhostUserLink *link, unsigned nvqs,
                           uint16_t queue_size, Error **errp)
{
    VhostUser *u = &link->user;

    u->queue_size = queue_size;
    if (!vhost_dev_init(&u->dev, link->vdev, nvqs, u->slots,
                        vhost_user_whole(u), errp)) {
        error_prepend(errp, "%s: ", link->name);
        return false;
    }
    link->started = true;
    if (!vhost_user_channel_works(&u->channel)) {
        error_propagate(errp, error_copy(u->channel.error));
        return false;
    }
    qemu_set_fd_handler(link->fd, link_readable, NULL, link);
    return true;
}

/* --- what it can, and its configuration --- */

unsigned vhost_user_link_queues(const VhostUserLink *link)
{
    return link->user.queues;
}

uint64_t vhost_user_link_features(const VhostUserLink *link,
                                  const int *feature_bits, uint64_t features)
{
    for (; *feature_bits >= 0; feature_bits++) {
        if (!virtio_has_feature(link->user.dev.features, *feature_bits)) {
            virtio_clear_feature(&features, *feature_bits);
        }
    }
    return features;
}

bool vhost_user_link_get_config(VhostUserLink *link, void *config, uint32_t len,
                                Error **errp)
{
    return vhost_user_get_config(&link->user, config, len, errp);
}

bool vhost_user_link_set_config(VhostUserLink *link, const void *data,
                                uint32_t offset, uint32_t len, Error **errp)
{
    return vhost_user_set_config(&link->user, data, offset, len, errp);
}

/* --- the device's course --- */

void vhost_user_link_run_changed(VhostUserLink *link)
{
    if (link->started) {
        vhost_dev_run_changed(&link->user.dev);
    }
}

void vhost_user_link_reset(VhostUserLink *link)
{
    vhost_user_forget_inflight(&link->user);
}
