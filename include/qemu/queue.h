/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intrusive lists under the names of a QEMU tree; the work is done by the C
 * library's <sys/queue.h>. The _SAFE walks, which glibc lacks, allow the
 * element in hand (and no other) to be removed.
 */
#ifndef QEMU_QUEUE_H
#define QEMU_QUEUE_H

#include <sys/queue.h>

#define QLIST_HEAD(name, type) LIST_HEAD(name, type)
#define QLIST_HEAD_INITIALIZER(head) LIST_HEAD_INITIALIZER(head)
#define QLIST_ENTRY(type) LIST_ENTRY(type)
#define QLIST_INIT(head) LIST_INIT(head)
#define QLIST_EMPTY(head) LIST_EMPTY(head)
#define QLIST_FIRST(head) LIST_FIRST(head)
#define QLIST_NEXT(elm, field) LIST_NEXT(elm, field)
#define QLIST_INSERT_HEAD(head, elm, field) LIST_INSERT_HEAD(head, elm, field)
#define QLIST_INSERT_BEFORE(listelm, elm, field) \
    LIST_INSERT_BEFORE(listelm, elm, field)
#define QLIST_INSERT_AFTER(listelm, elm, field) \
    LIST_INSERT_AFTER(listelm, elm, field)
#define QLIST_REMOVE(elm, field) LIST_REMOVE(elm, field)
#define QLIST_FOREACH(var, head, field) LIST_FOREACH(var, head, field)
#define QLIST_FOREACH_SAFE(var, head, field, next)                       \
    for ((var) = LIST_FIRST(head);                                       \
         (var) && ((next) = LIST_NEXT(var, field), 1); (var) = (next))

#define QTAILQ_HEAD(name, type) TAILQ_HEAD(name, type)
#define QTAILQ_HEAD_INITIALIZER(head) TAILQ_HEAD_INITIALIZER(head)
#define QTAILQ_ENTRY(type) TAILQ_ENTRY(type)
#define QTAILQ_INIT(head) TAILQ_INIT(head)
#define QTAILQ_EMPTY(head) TAILQ_EMPTY(head)
#define QTAILQ_FIRST(head) TAILQ_FIRST(head)
#define QTAILQ_NEXT(elm, field) TAILQ_NEXT(elm, field)
/* A head is laid out as an entry is, so that the last pointer of each leads to
 * the last pointer of the one before, without the name of the head's type. */
#define QTAILQ_LAST(head) \
    (*((__typeof__(head))(head)->tqh_last)->tqh_last)
#define QTAILQ_PREV(elm, field) \
    (*((__typeof__(&(elm)->field))(elm)->field.tqe_prev)->tqe_prev)
#define QTAILQ_INSERT_HEAD(head, elm, field) TAILQ_INSERT_HEAD(head, elm, field)
#define QTAILQ_INSERT_TAIL(head, elm, field) TAILQ_INSERT_TAIL(head, elm, field)
#define QTAILQ_INSERT_BEFORE(listelm, elm, field) \
    TAILQ_INSERT_BEFORE(listelm, elm, field)
#define QTAILQ_INSERT_AFTER(head, listelm, elm, field) \
    TAILQ_INSERT_AFTER(head, listelm, elm, field)
#define QTAILQ_REMOVE(head, elm, field) TAILQ_REMOVE(head, elm, field)
#define QTAILQ_CONCAT(head, from, field) TAILQ_CONCAT(head, from, field)
#define QTAILQ_FOREACH(var, head, field) TAILQ_FOREACH(var, head, field)
#define QTAILQ_FOREACH_REVERSE(var, head, field)                         \
    for ((var) = QTAILQ_LAST(head); (var); (var) = QTAILQ_PREV(var, field))
#define QTAILQ_FOREACH_SAFE(var, head, field, next)                      \
    for ((var) = TAILQ_FIRST(head);                                      \
         (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))

#endif
