/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of an I/O thread: event notifiers of devices, and what is to be done
 * when one is signalled. An I/O thread never takes the big lock. What it uses,
 * it uses in a *turn*: it begins one when notifiers are signalled, handles them
 * all, and ends it before it waits again.
 *
 * Who holds the big lock may *pause* a thread: waits until its turn has ended,
 * and no other begins before it is resumed. So whoever has paused a thread has
 * all to himself that the thread uses in its turns; no other lock is needed, and
 * what the thread has seen in one turn may have changed in the next. Pauses
 * nest, and last as long as they last, but nothing that a turn waits for may be
 * the pauser's: a turn waits for the kernel, and for locks under which nobody
 * waits for anything.
 *
 * The order of locks: the big lock; pauses, of any number of threads; those
 * locks that a turn may take.
 */
#ifndef QEMU_AIO_CONTEXT_H
#define QEMU_AIO_CONTEXT_H

#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"

/* NULL stands for the main loop: it is always paused for who holds the big
 * lock. */
typedef struct AioContext AioContext;

/* Starts the thread, @name in messages. NULL: *errp. Big lock held here and
 * below, but where it says otherwise. */
AioContext *aio_context_new(const char *name, Error **errp);
/* Ends the thread. No notifier is left. */
void aio_context_free(AioContext *ctx);
/* The kernel's number of the thread. */
int aio_context_thread_id(const AioContext *ctx);

/*
 * A thread may look again and again, for a while, before it sleeps. Whenever it
 * has slept for less than the most that it may look, it looks longer the next
 * time, else less.
 */
typedef struct AioPolling {
    int64_t max_ns;                       /* 0, at first: it does not look */
    int64_t grow;                         /* a factor; 0: 2 */
    int64_t shrink;                       /* a divisor; 0: not at all then */
} AioPolling;
void aio_context_set_polling(AioContext *ctx, const AioPolling *polling);

/* From now on @fn is called in turns of the thread, or of the main loop, while
 * @e is signalled; NULL: no more, nor is it being called. */
void aio_set_event_notifier(AioContext *ctx, EventNotifier *e,
                            EventNotifierHandler *fn);

/* The same for a descriptor: as qemu_set_fd_handler(). In a turn of the thread, what
 * is called for a @fd of it may be changed, but it is forgotten by who has paused
 * the thread only. */
void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *fd_read,
                        IOHandler *fd_write, void *opaque);

void aio_context_pause(AioContext *ctx);
void aio_context_resume(AioContext *ctx);

/* Whether the caller is in an I/O thread's turn. Any thread. */
bool aio_in_turn(void);

/* Private to the two that follow. */
extern bool aio_contexts_exist;
void aio_contexts_pause(void);
void aio_contexts_resume(void);

/* All I/O threads; none starts or ends in between. Nothing is called if there
 * are none, as this is for the paths of requests. */
static inline void aio_pause_all(void)
{
    if (G_UNLIKELY(aio_contexts_exist)) {
        aio_contexts_pause();
    }
}

static inline void aio_resume_all(void)
{
    if (G_UNLIKELY(aio_contexts_exist)) {
        aio_contexts_resume();
    }
}

#endif
