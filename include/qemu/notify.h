/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of functions to call when something happens. The Notifier is embedded
 * in, and owned by, who wants to know; it may remove itself while called.
 */
#ifndef QEMU_NOTIFY_H
#define QEMU_NOTIFY_H

#include "qemu/queue.h"

typedef struct Notifier Notifier;
struct Notifier {
    void (*notify)(Notifier *notifier, void *data);
    QLIST_ENTRY(Notifier) node;
};

typedef struct NotifierList {
    QLIST_HEAD(, Notifier) notifiers;
} NotifierList;

#define NOTIFIER_LIST_INITIALIZER(head)                                      \
    { QLIST_HEAD_INITIALIZER((head).notifiers) }

static inline void notifier_list_init(NotifierList *list)
{
    QLIST_INIT(&list->notifiers);
}

/* Last added, first told. */
static inline void notifier_list_add(NotifierList *list, Notifier *notifier)
{
    QLIST_INSERT_HEAD(&list->notifiers, notifier, node);
}

static inline void notifier_remove(Notifier *notifier)
{
    QLIST_REMOVE(notifier, node);
}

static inline void notifier_list_notify(NotifierList *list, void *data)
{
    Notifier *next;

    for (Notifier *n = QLIST_FIRST(&list->notifiers); n; n = next) {
        next = QLIST_NEXT(n, node);       /* it may remove itself */
        n->notify(n, data);
    }
}

#endif
