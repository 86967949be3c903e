/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object iothread: a thread in which devices have their queues processed, any
 * number of devices in one thread. A device names it by its property iothread=,
 * a link. What such a thread may do, and who waits for it, is said in
 * qemu/aio-context.h. Big lock held.
 */
#ifndef SYSEMU_IOTHREAD_H
#define SYSEMU_IOTHREAD_H

#include "qemu/aio-context.h"
#include "qom/object.h"

#define TYPE_IOTHREAD "iothread"
typedef struct IOThread IOThread;
DECLARE_INSTANCE_CHECKER(IOThread, IOTHREAD, TYPE_IOTHREAD)

/* The thread's loop, for a device that is realized; the object cannot be deleted
 * before iothread_release(). NULL of NULL: the main loop. */
AioContext *iothread_use(IOThread *iothread);
void iothread_release(IOThread *iothread);

#endif
