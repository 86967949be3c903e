/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of connections that can be cut (qemu/yank.h). Used by -chardev
 * socket and by QMP. Its lock is held for a shutdown() at most, and while it is
 * held no socket of the list is closed.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "qemu/queue.h"
#include "qemu/yank.h"

struct YankInstance {
    char *id;
    int fd;                               /* -1: none */
    QTAILQ_ENTRY(YankInstance) next;
};

static GMutex yank_lock;                  /* of all of it */
static QTAILQ_HEAD(, YankInstance) yank_instances =
    QTAILQ_HEAD_INITIALIZER(yank_instances);

YankInstance *yank_instance_new(const char *id)
{
    YankInstance *y = g_new0(YankInstance, 1);

    y->id = g_strdup(id);
    y->fd = -1;
    g_mutex_lock(&yank_lock);
    QTAILQ_INSERT_TAIL(&yank_instances, y, next);
    g_mutex_unlock(&yank_lock);
    return y;
}

void yank_instance_free(YankInstance *y)
{
    g_mutex_lock(&yank_lock);
    QTAILQ_REMOVE(&yank_instances, y, next);
    g_mutex_unlock(&yank_lock);
    g_free(y->id);
    g_free(y);
}

void yank_instance_set_socket(YankInstance *y, int fd)
{
    g_mutex_lock(&yank_lock);
    y->fd = fd;
    g_mutex_unlock(&yank_lock);
}

void yank_foreach(void (*fn)(const char *id, void *opaque), void *opaque)
{
    YankInstance *y;

    g_mutex_lock(&yank_lock);
    QTAILQ_FOREACH(y, &yank_instances, next) {
        fn(y->id, opaque);
    }
    g_mutex_unlock(&yank_lock);
}

/* With the lock held. */
static YankInstance *yank_find(const char *id)
{
    YankInstance *y;

    QTAILQ_FOREACH(y, &yank_instances, next) {
        if (!strcmp(y->id, id)) {
            return y;
        }
    }
    return NULL;
}

bool yank_exists(const char *id)
{
    bool found;

    g_mutex_lock(&yank_lock);
    found = yank_find(id);
    g_mutex_unlock(&yank_lock);
    return found;
}

void yank(const char *id)
{
    YankInstance *y;

    g_mutex_lock(&yank_lock);
    y = yank_find(id);
    if (y && y->fd >= 0) {
        shutdown(y->fd, SHUT_RDWR);
    }
    g_mutex_unlock(&yank_lock);
}
