/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop and the big lock.
 *
 * The loop is GLib's default main context, run by the main thread. Whoever
 * touches the machine (devices, memory, QOM) holds the big lock. The main
 * thread holds it from qemu_init_main_loop() on and gives it up only while it
 * polls; so every callback of the loop (descriptors, bottom halves, timers,
 * GSources) runs with it. Other threads take it and must not block under it.
 * QEMU's names.
 */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include "qapi/error.h"

/* --- the big lock -------------------------------------------------------- */

/* Not recursive: the caller must not hold it. */
void qemu_mutex_lock_iothread(void);
void qemu_mutex_unlock_iothread(void);
/* Whether the calling thread holds it. */
bool qemu_mutex_iothread_locked(void);
/* Waits for @cond with the big lock given up meanwhile. May wake for nothing. */
void qemu_cond_wait_iothread(GCond *cond);

/* --- the loop: main thread ----------------------------------------------- */

/* Takes the big lock for the calling thread. 0, or -errno and *errp. Further
 * calls do nothing. */
int qemu_init_main_loop(Error **errp);
/* Whether the calling thread is the one that called it. */
bool qemu_in_main_thread(void);
/* Waits, unless @nonblocking, until something is ready, and handles what is. */
void main_loop_wait(bool nonblocking);
/* Whether the program is to end: who waits for something else need not any more. */
bool main_loop_is_ending(void);
/* Does what has been requested of the machine, a reset say. For who waits within the
 * loop, with nothing half done that devices could see. */
void main_loop_obey(void);
/* For vl.c: who knows, and who does it. Until they are set, nothing ends. */
void main_loop_set_hooks(bool (*is_ending)(void), void (*obey)(void));
/* Makes a main_loop_wait() that waits return. Any thread; a signal handler
 * must not. */
void qemu_notify_event(void);

/* --- descriptors: big lock held ------------------------------------------ */

typedef void IOHandler(void *opaque);

/*
 * From now on @fd_read is called while @fd can be read (or is at its end, or
 * has failed), @fd_write while it can be written. Replaces what was set for
 * @fd; both NULL: forgets it, which must come before @fd is closed. @fd stays
 * the caller's. A callback may change or remove any handler, its own included.
 */
void qemu_set_fd_handler(int fd, IOHandler *fd_read, IOHandler *fd_write,
                         void *opaque);

/* --- bottom halves ------------------------------------------------------- */

typedef struct QEMUBH QEMUBH;
typedef void QEMUBHFunc(void *opaque);

/* A function to be called by the main loop when scheduled. */
QEMUBH *qemu_bh_new(QEMUBHFunc *cb, void *opaque);
/* Cancels and frees. Big lock held; fine within its own callback. */
void qemu_bh_delete(QEMUBH *bh);
/* It runs once, soon; scheduling it again before that adds nothing. Any
 * thread, no lock needed. */
void qemu_bh_schedule(QEMUBH *bh);
/* Forgets a scheduled call. Big lock held. */
void qemu_bh_cancel(QEMUBH *bh);

#endif
