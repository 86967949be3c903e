/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loops of I/O threads (qemu/aio-context.h). Each has a list of notifiers and
 * descriptors, which changes only while the thread is paused, and an array to poll,
 * which the thread makes of it in its next turn. What was polled before that is not
 * looked at: a notifier that is signalled stays so. In a turn the list stays as
 * long as it is, but what is called of it may change.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/syscall.h>

#include "qemu/aio-context.h"
#include "qemu/main-loop.h"
#include "qemu/queue.h"
#include "qemu/thread.h"

/* How long a thread looks before it sleeps, when it begins to look at all. */
#define POLL_NS_FIRST 4000

typedef struct AioHandler {
    EventNotifier *e;                     /* or NULL: a descriptor */
    EventNotifierHandler *fn;
    int fd;
    IOHandler *fd_read, *fd_write;        /* both NULL: for now, none is called */
    void *opaque;
} AioHandler;

struct AioContext {
    GThread *thread;
    int thread_id;
    EventNotifier wake;                   /* something has changed */
    QTAILQ_ENTRY(AioContext) next;

    /* Of who is in a turn, or has paused the thread. */
    GArray *handlers;                     /* of AioHandler */
    bool handlers_changed;                /* since fds was made */
    AioPolling polling;

    /* The thread's. */
    GArray *fds;                          /* struct pollfd */
    int64_t poll_ns;                      /* how long it looks at present */

    GMutex lock;                          /* of what follows */
    GCond changed;
    unsigned int paused;                  /* how many times */
    bool in_turn;
    bool waits;                           /* to begin a turn */
    bool quit;
};

static __thread AioContext *current;      /* NULL: this is no I/O thread */

/* Of the big lock. */
static QTAILQ_HEAD(, AioContext) contexts = QTAILQ_HEAD_INITIALIZER(contexts);
bool aio_contexts_exist;

/* --- pauses --- */

void aio_context_pause(AioContext *ctx)
{
    if (!ctx) {
        return;
    }
    g_assert(!current);
    g_mutex_lock(&ctx->lock);
    ctx->paused++;
    while (ctx->in_turn) {
        g_cond_wait(&ctx->changed, &ctx->lock);
    }
    g_mutex_unlock(&ctx->lock);
}

void aio_context_resume(AioContext *ctx)
{
    if (!ctx) {
        return;
    }
    g_mutex_lock(&ctx->lock);
    g_assert(ctx->paused);
    if (!--ctx->paused && ctx->waits) {
        g_cond_signal(&ctx->changed);
    }
    g_mutex_unlock(&ctx->lock);
}

void aio_contexts_pause(void)
{
    AioContext *ctx;

    QTAILQ_FOREACH(ctx, &contexts, next) {
        aio_context_pause(ctx);
    }
}

void aio_contexts_resume(void)
{
    AioContext *ctx;

    QTAILQ_FOREACH(ctx, &contexts, next) {
        aio_context_resume(ctx);
    }
}

bool aio_in_turn(void)
{
    return current;
}

/* --- the thread --- */

/* false: the thread shall end. */
static bool begin_turn(AioContext *ctx)
{
    g_mutex_lock(&ctx->lock);
    ctx->waits = true;
    while (ctx->paused && !ctx->quit) {
        g_cond_wait(&ctx->changed, &ctx->lock);
    }
    ctx->waits = false;
    ctx->in_turn = !ctx->quit;
    g_mutex_unlock(&ctx->lock);
    return ctx->in_turn;
}

/* false: the thread shall end. It was told in this turn, which may have cleared
 * the notifier that should wake it up for that. */
static bool end_turn(AioContext *ctx)
{
    bool quit;

    g_mutex_lock(&ctx->lock);
    ctx->in_turn = false;
    quit = ctx->quit;
    if (ctx->paused) {
        g_cond_signal(&ctx->changed);
    }
    g_mutex_unlock(&ctx->lock);
    return !quit;
}

/* The thread runs. */
static void announce(AioContext *ctx)
{
    g_mutex_lock(&ctx->lock);
    ctx->thread_id = syscall(SYS_gettid);
    g_cond_signal(&ctx->changed);
    g_mutex_unlock(&ctx->lock);
}

static void wait_until_it_runs(AioContext *ctx)
{
    g_mutex_lock(&ctx->lock);
    while (!ctx->thread_id) {
        g_cond_wait(&ctx->changed, &ctx->lock);
    }
    g_mutex_unlock(&ctx->lock);
}

static AioHandler *handler_at(AioContext *ctx, guint i)
{
    return &g_array_index(ctx->handlers, AioHandler, i);
}

/* The first one is that of ctx->wake; then those of the handlers, in order. */
static void collect_fds(AioContext *ctx)
{
    struct pollfd fd = {
        .fd = event_notifier_get_fd(&ctx->wake), .events = POLLIN,
    };

    g_array_set_size(ctx->fds, 0);
    g_array_append_val(ctx->fds, fd);
    for (guint i = 0; i < ctx->handlers->len; i++) {
        const AioHandler *h = handler_at(ctx, i);

        fd.events = h->e ? POLLIN : (h->fd_read ? POLLIN : 0) |
                                    (h->fd_write ? POLLOUT : 0);
        fd.fd = h->e ? event_notifier_get_fd(h->e) : fd.events ? h->fd : -1;
        g_array_append_val(ctx->fds, fd);
    }
    ctx->handlers_changed = false;
}

/* What is called may change what is called next. */
static void handle(const AioHandler *h, short events)
{
    const short broken = POLLERR | POLLHUP | POLLNVAL;

    if (h->e) {
        h->fn(h->e);
        return;
    }
    if (h->fd_read && events & (POLLIN | broken)) {
        h->fd_read(h->opaque);
    }
    if (h->fd_write && events & (POLLOUT | broken)) {
        h->fd_write(h->opaque);
    }
}

static void handle_notifiers(AioContext *ctx)
{
    const struct pollfd *fds = (const struct pollfd *)ctx->fds->data;

    if (fds[0].revents) {
        event_notifier_test_and_clear(&ctx->wake);
    }
    for (guint i = 0; i < ctx->handlers->len; i++) {
        if (fds[i + 1].revents) {
            handle(handler_at(ctx, i), fds[i + 1].revents);
        }
    }
    if (ctx->handlers_changed) {
        collect_fds(ctx);
    }
}

/* Waits, or looks if @timeout is zero; how many are signalled. Not poll(), which
 * the kernel would go on with by another system call. */
static int poll_fds(AioContext *ctx, const struct timespec *timeout)
{
    struct pollfd *fds = (struct pollfd *)ctx->fds->data;
    int n;

    /* Interrupted, or the kernel is short of memory. */
    do {
        n = ppoll(fds, ctx->fds->len, timeout, NULL);
    } while (n < 0);
    return n;
}

/* How long to look the next time, after the thread has slept for @ns. */
static int64_t next_poll_ns(int64_t now, int64_t ns, const AioPolling *p)
{
    int64_t more = POLL_NS_FIRST;

    if (ns <= p->max_ns) {
        return now && __builtin_mul_overflow(now, p->grow ?: 2, &more)
               ? p->max_ns : MIN(more, p->max_ns);
    }
    return p->shrink ? now / p->shrink : 0;
}

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * G_GINT64_CONSTANT(1000000000) + t.tv_nsec;
}

/* Looks for a while, then sleeps. */
static void look_and_wait(AioContext *ctx, const AioPolling *p)
{
    const struct timespec at_once = { 0 };
    int64_t start = clock_ns();

    while (clock_ns() - start < ctx->poll_ns) {
        if (poll_fds(ctx, &at_once)) {
            return;
        }
    }
    poll_fds(ctx, NULL);
    ctx->poll_ns = next_poll_ns(ctx->poll_ns, clock_ns() - start, p);
}

static gpointer io_thread(gpointer opaque)
{
    AioContext *ctx = opaque;
    AioPolling polling;

    current = ctx;
    announce(ctx);
    while (begin_turn(ctx)) {
        if (ctx->handlers_changed) {
            collect_fds(ctx);
        } else {
            handle_notifiers(ctx);
        }
        polling = ctx->polling;
        if (!end_turn(ctx)) {
            break;
        }
        if (polling.max_ns) {
            look_and_wait(ctx, &polling);
        } else {
            poll_fds(ctx, NULL);
        }
    }
    return NULL;
}

int aio_context_thread_id(const AioContext *ctx)
{
    return ctx->thread_id;
}

/* --- notifiers --- */

/* Of @e, or if that is NULL, of @fd; -1: there is none. */
static int find_handler(AioContext *ctx, const EventNotifier *e, int fd)
{
    for (guint i = 0; i < ctx->handlers->len; i++) {
        const AioHandler *h = handler_at(ctx, i);

        if (h->e == e && (e || h->fd == fd)) {
            return i;
        }
    }
    return -1;
}

/* The thread is paused: @h in place of the one of the same kind; with @remove,
 * nothing. */
static void replace_handler(AioContext *ctx, const AioHandler *h, bool remove)
{
    int i = find_handler(ctx, h->e, h->fd);

    if (i >= 0) {
        g_array_remove_index(ctx->handlers, i);
    }
    if (!remove) {
        g_array_append_vals(ctx->handlers, h, 1);
    }
    ctx->handlers_changed = true;
    event_notifier_set(&ctx->wake);
}

void aio_set_event_notifier(AioContext *ctx, EventNotifier *e,
                            EventNotifierHandler *fn)
{
    const AioHandler h = { .e = e, .fn = fn };

    if (!ctx) {
        event_notifier_set_handler(e, fn);
        return;
    }
    aio_context_pause(ctx);
    replace_handler(ctx, &h, !fn);
    aio_context_resume(ctx);
}

void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *fd_read,
                        IOHandler *fd_write, void *opaque)
{
    const AioHandler h = { .fd = fd, .fd_read = fd_read, .fd_write = fd_write,
                           .opaque = opaque };

    if (!ctx) {
        qemu_set_fd_handler(fd, fd_read, fd_write, opaque);
    } else if (current) {
        int i = find_handler(ctx, NULL, fd);

        g_assert(current == ctx && i >= 0);
        *handler_at(ctx, i) = h;
        ctx->handlers_changed = true;
    } else {
        aio_context_pause(ctx);
        replace_handler(ctx, &h, !fd_read && !fd_write);
        aio_context_resume(ctx);
    }
}

void aio_context_set_polling(AioContext *ctx, const AioPolling *polling)
{
    aio_context_pause(ctx);
    ctx->polling = *polling;
    event_notifier_set(&ctx->wake);
    aio_context_resume(ctx);
}

/* --- life --- */

static void release(AioContext *ctx)
{
    event_notifier_cleanup(&ctx->wake);
    g_array_free(ctx->handlers, true);
    g_array_free(ctx->fds, true);
    g_cond_clear(&ctx->changed);
    g_mutex_clear(&ctx->lock);
    g_free(ctx);
}

AioContext *aio_context_new(const char *name, Error **errp)
{
    AioContext *ctx = g_new0(AioContext, 1);
    int ret = event_notifier_init(&ctx->wake, 0);

    g_mutex_init(&ctx->lock);
    g_cond_init(&ctx->changed);
    ctx->handlers = g_array_new(false, false, sizeof(AioHandler));
    ctx->fds = g_array_new(false, true, sizeof(struct pollfd));
    ctx->handlers_changed = true;
    if (ret) {
        error_setg_errno(errp, -ret, "cannot create an eventfd");
    } else {
        ctx->thread = qemu_thread_try_new(QEMU_THREAD_IO, name, io_thread, ctx,
                                          errp);
    }
    if (!ctx->thread) {
        release(ctx);
        return NULL;
    }
    wait_until_it_runs(ctx);
    QTAILQ_INSERT_TAIL(&contexts, ctx, next);
    aio_contexts_exist = true;
    return ctx;
}

void aio_context_free(AioContext *ctx)
{
    g_assert(!ctx->handlers->len);
    QTAILQ_REMOVE(&contexts, ctx, next);
    aio_contexts_exist = !QTAILQ_EMPTY(&contexts);
    g_mutex_lock(&ctx->lock);
    ctx->quit = true;
    g_cond_signal(&ctx->changed);
    g_mutex_unlock(&ctx->lock);
    event_notifier_set(&ctx->wake);
    g_thread_join(ctx->thread);
    release(ctx);
}
