/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends behind a character device: see vhost-user-peer.h. The character
 * device tells when one comes and goes; what is said in between goes over its
 * descriptor, past it. It must never wait for a back end to come.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "sysemu/runstate.h"
#include "vhost-user-peer.h"

/* --- one comes, or goes --- */

static bool peer_get_acquainted(VhostUserPeer *p, bool again, Error **errp)
{
    VhostUser *u = &p->user;

    return vhost_user_connect(u, qemu_chr_fe_get_socket(p->chardev), errp) &&
           p->ops->get_acquainted(p, again, errp);
}

static void peer_changed(VhostUserPeer *p)
{
    if (p->ops->changed) {
        p->ops->changed(p);
    }
}

/* Another one, for a device that the guest has. */
static void peer_found(VhostUserPeer *p)
{
    VhostUser *u = &p->user;
    Error *err = NULL;

    vhost_user_channel_begin(&u->channel);
    if (peer_get_acquainted(p, true, &err) &&
        vhost_dev_found(&u->dev, u->slots, vhost_user_whole(u), &err)) {
        peer_changed(p);
    } else {
        vhost_user_channel_break(&u->channel, "%s", error_get_pretty(err));
        error_free(err);
    }
    vhost_user_channel_end(&u->channel);
}

static void peer_lost(VhostUserPeer *p)
{
    VhostUser *u = &p->user;

    warn_report_counted(&p->losses, "%s: the back end has gone: %s; "
                        "requests wait for another one", p->name,
                        u->channel.error ? error_get_pretty(u->channel.error)
                                         : "it has closed the connection");
    vhost_dev_lost(&u->dev);
    vhost_user_disconnect(u);
    peer_changed(p);
}

static void peer_event(void *opaque, QEMUChrEvent event)
{
    if (event == CHR_EVENT_OPENED) {
        peer_found(opaque);
    } else if (event == CHR_EVENT_CLOSED) {
        peer_lost(opaque);
    }
}

/* Answers are awaited elsewhere. */
static int peer_can_read(void *opaque)
{
    return 1;
}

static void peer_read(void *opaque, const uint8_t *buf, int size)
{
    VhostUserPeer *p = opaque;

    qemu_chr_fe_discard_msgfds(p->chardev);
    vhost_user_channel_break(&p->user.channel,
                             "it speaks without being asked");
}

/* --- whether it answers --- */

typedef struct Question {
    VhostUserChannel channel;
    Error *err;
    gint done;                            /* atomic */
} Question;

static gpointer question_thread(gpointer opaque)
{
    Question *q = opaque;
    VhostUserPayload payload;

    vhost_user_channel_ask(&q->channel, VHOST_USER_GET_FEATURES, &payload, 0,
                           sizeof(payload.u64), NULL, &q->err);
    g_atomic_int_set(&q->done, 1);
    qemu_notify_event();
    return NULL;
}

/* The program ends: whoever waits is told that nothing more will come. */
static void give_up(void *opaque)
{
    shutdown(*(int *)opaque, SHUT_RDWR);
}

/* By a descriptor of its own: the character device may close its own. */
static bool ask_in_thread(Question *q, int fd, Error **errp)
{
    GThread *thread = qemu_thread_try_new(QEMU_THREAD_MAIN, "vhost-user",
                                          question_thread, q, errp);

    if (!thread) {
        return false;
    }
    qemu_main_loop_await(&q->done, give_up, &fd);
    g_thread_join(thread);
    error_propagate(errp, q->err);
    return !q->err;
}

bool vhost_user_await_answer(int socket, uint32_t timeout_ms, Error **errp)
{
    int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    Question q = { .err = NULL };
    bool ok;

    if (fd < 0) {
        error_setg_errno(errp, errno, "no descriptor is left");
        return false;
    }
    vhost_user_channel_init(&q.channel, timeout_ms);
    vhost_user_channel_set_fd(&q.channel, fd);
    ok = ask_in_thread(&q, fd, errp);
    vhost_user_channel_destroy(&q.channel);
    close(fd);
    return ok;
}

bool vhost_user_peer_await(CharBackend *chardev, const char *kind,
                           uint32_t timeout_ms, Error **errp)
{
    int fd = qemu_chr_fe_get_socket(chardev);

    if (fd < 0) {
        return true;                      /* vhost_user_peer_find() tells */
    }
    if (vhost_user_await_answer(fd, timeout_ms, errp)) {
        return true;
    }
    error_prepend(errp, "%s '%s': the back end cannot be used: ", kind,
                  qemu_chr_fe_get_driver(chardev)->label);
    /* Whoever uses the character device next shall find another one. */
    qemu_chr_fe_disconnect(chardev);
    return false;
}

/* --- life --- */

void vhost_user_peer_init(VhostUserPeer *p, const VhostUserPeerOps *ops,
                          CharBackend *chardev, const char *kind,
                          uint32_t timeout_ms, uint64_t protocol_features)
{
    *p = (VhostUserPeer) { .ops = ops, .chardev = chardev };
    p->name = g_strdup_printf("%s '%s'", kind,
                              qemu_chr_fe_get_driver(chardev)->label);
    vhost_user_init(&p->user, timeout_ms, protocol_features);
}

void vhost_user_peer_destroy(VhostUserPeer *p)
{
    /* The next user of the character device shall find one that works. */
    if (p->user.channel.error) {
        qemu_chr_fe_disconnect(p->chardev);
    }
    vhost_user_cleanup(&p->user);
    g_clear_pointer(&p->name, g_free);
}

bool vhost_user_peer_find(VhostUserPeer *p, Error **errp)
{
    Chardev *chr = qemu_chr_fe_get_driver(p->chardev);

    if (qemu_chr_fe_get_socket(p->chardev) < 0) {
        error_setg(errp, "%s: %s", p->name,
                   object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_SOCKET)
                   ? "no back end is connected: start it first"
                   : "its character device must be a socket");
        return false;
    }
    if (!peer_get_acquainted(p, false, errp)) {
        error_prepend(errp, "%s: the back end cannot be used: ", p->name);
        return false;
    }
    return true;
}

/* A back end that goes at this moment is no reason for vhost_dev_init() to fail,
 * but for a device that nobody has yet. */
bool vhost_user_peer_give_memory(VhostUserPeer *p, VirtIODevice *vdev,
                                 unsigned nvqs, Error **errp)
{
    VhostUser *u = &p->user;

    if (!vhost_dev_init(&u->dev, vdev, nvqs, u->slots, vhost_user_whole(u),
                        errp)) {
        error_prepend(errp, "%s: ", p->name);
        return false;
    }
    if (!vhost_user_channel_works(&u->channel)) {
        error_propagate(errp, error_copy(u->channel.error));
        error_prepend(errp, "%s: ", p->name);
        vhost_dev_cleanup(&u->dev);
        return false;
    }
    return true;
}

void vhost_user_peer_watch(VhostUserPeer *p)
{
    qemu_chr_fe_set_handlers(p->chardev, peer_can_read, peer_read, peer_event,
                             NULL, p, NULL, false);
}

void vhost_user_peer_unwatch(VhostUserPeer *p)
{
    qemu_chr_fe_set_handlers(p->chardev, NULL, NULL, NULL, NULL, NULL, NULL,
                             false);
    vhost_dev_cleanup(&p->user.dev);
    /* It still has guest memory. */
    qemu_chr_fe_disconnect(p->chardev);
}
