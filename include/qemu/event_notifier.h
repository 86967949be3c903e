/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flag that threads, processes and the kernel can raise and wait for: an
 * eventfd. KVM (ioeventfd, irqfd) and VFIO take its descriptor. QEMU's names.
 */
#ifndef QEMU_EVENT_NOTIFIER_H
#define QEMU_EVENT_NOTIFIER_H

typedef void EventNotifierHandler(EventNotifier *e);

/* Private. Zeroed memory is not a valid notifier; it must not move in memory
 * while it has a handler. */
struct EventNotifier {
    int fd;                               /* -1: none */
    EventNotifierHandler *handler;
};

/* Raised from the start if @active. 0 or -errno. */
int event_notifier_init(EventNotifier *e, int active);
/* Takes over @fd, a nonblocking eventfd. */
void event_notifier_init_fd(EventNotifier *e, int fd);
/* Closes it; the handler must be gone. A second call does nothing. */
void event_notifier_cleanup(EventNotifier *e);
/* Stays the notifier's. */
int event_notifier_get_fd(const EventNotifier *e);

/* Raises it. Any thread. 0 or -errno. */
int event_notifier_set(EventNotifier *e);
/* Lowers it. Any thread. 1 if it was raised, else 0. */
int event_notifier_test_and_clear(EventNotifier *e);

/* @handler (NULL: none any more) is called by the main loop while it is
 * raised, and has to lower it. Big lock held. Returns 0. */
int event_notifier_set_handler(EventNotifier *e, EventNotifierHandler *handler);

#endif
