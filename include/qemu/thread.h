/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads: each has a kind, by which the sandbox knows what it may do, and a
 * name, by which people find it. Every thread but the main one is started
 * here. Asynchronous signals are the main thread's: others start with all of
 * them blocked, and open what they need.
 */
#ifndef QEMU_THREAD_H
#define QEMU_THREAD_H

#include "qapi/error.h"

typedef enum QemuThreadKind {
    QEMU_THREAD_MAIN,                     /* the main loop */
    QEMU_THREAD_VCPU,                     /* runs the guest, emulates devices */
    QEMU_THREAD_WORKER,                   /* does one thing for another */
    QEMU_THREAD_IO,                       /* processes queues of devices */
    QEMU_THREAD__MAX,
} QemuThreadKind;

/*
 * Starts a thread that runs @fn(@data); @name is cut to 15 bytes. Any thread.
 * The reference is the caller's: g_thread_join() or g_thread_unref(). NULL:
 * *errp, and @fn will not run.
 */
GThread *qemu_thread_try_new(QemuThreadKind kind, const char *name,
                             GThreadFunc fn, void *data, Error **errp);

/* Of the calling thread. Both may be used in a signal handler. */
QemuThreadKind qemu_thread_kind(void);
const char *qemu_thread_name(void);

/* How many CPUs this process may use: counted by the first call, for which the C
 * library opens a file of /sys. sandbox_warm_up() makes one; any thread. */
unsigned qemu_num_processors(void);

/*
 * Has every thread but the calling one run @fn by itself: those that there
 * are, before this returns, in the handler of a signal; those that come, before
 * anything else. So @fn does what a signal handler may do, and nothing more.
 * @inherits: the thread is one of those that come, and has what the thread that
 * started it had. Main thread, once.
 */
typedef void QemuThreadFunc(QemuThreadKind kind, bool inherits);
void qemu_threads_confine(QemuThreadFunc *fn);

#endif
