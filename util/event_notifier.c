/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event notifiers (qemu/event_notifier.h): eventfds, never pipes. */
#include "qemu/osdep.h"

#include <sys/eventfd.h>

#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"

int event_notifier_init(EventNotifier *e, int active)
{
    e->handler = NULL;
    e->fd = eventfd(active ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
    return e->fd < 0 ? -errno : 0;
}

void event_notifier_init_fd(EventNotifier *e, int fd)
{
    e->handler = NULL;
    e->fd = fd;
}

void event_notifier_cleanup(EventNotifier *e)
{
    if (e->fd >= 0) {
        close(e->fd);
        e->fd = -1;
    }
}

int event_notifier_get_fd(const EventNotifier *e)
{
    return e->fd;
}

int event_notifier_set(EventNotifier *e)
{
    ssize_t ret;

    do {
        ret = write(e->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    } while (ret < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so it is raised. */
    return ret < 0 && errno != EAGAIN ? -errno : 0;
}

int event_notifier_test_and_clear(EventNotifier *e)
{
    uint64_t count;
    ssize_t ret;

    do {
        ret = read(e->fd, &count, sizeof(count));
    } while (ret < 0 && errno == EINTR);
    return ret == sizeof(count);
}

static void event_notifier_ready(void *opaque)
{
    EventNotifier *e = opaque;

    e->handler(e);
}

int event_notifier_set_handler(EventNotifier *e, EventNotifierHandler *handler)
{
    e->handler = handler;
    qemu_set_fd_handler(e->fd, handler ? event_notifier_ready : NULL, NULL, e);
    return 0;
}
