/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine: a few threads that make the calls, for hosts without io_uring. They
 * are started with the first image, for all contexts, never take the big lock,
 * and touch nothing of a request but what says what to do.
 *
 * To wake a thread costs more than to read what the host has in its cache. So
 * reads are tried first where they come from, without waiting, as io_uring does;
 * the others of a kick are handed over together, and one thread is woken, which
 * wakes another one as long as there is more to do. A context is told once of all
 * that is done until it looks.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "block-internal.h"
#include "qemu/event_notifier.h"
#include "qemu/thread.h"

#define THREADS 4

/* A call that a request needs, and what came of it. */
typedef struct Call {
    BlockRequest *req;
    struct BlockThreads *from;
    BlockOp op;
    int fd;
    const struct iovec *iov;
    unsigned int niov;
    uint64_t offset;
    uint64_t bytes;
    int flags;                            /* of pwritev2() or fallocate() */
    int64_t ret;
    QTAILQ_ENTRY(Call) next;
} Call;

typedef QTAILQ_HEAD(CallList, Call) CallList;

/* Of a context. */
typedef struct BlockThreads {
    BlockContext *ctx;
    /* Submitted since the last kick. */
    QTAILQ_HEAD(, BlockRequest) submitted;
    EventNotifier completed;
    CallList done;                        /* of the lock */
    GCond progress;                       /* something is done */
} BlockThreads;

static bool started;
static GMutex lock;                       /* of what follows */
static GCond work;                        /* there is something to do */
static unsigned int idle;                 /* threads that wait for it */
static CallList to_do = QTAILQ_HEAD_INITIALIZER(to_do);

/* --- the threads --- */

static int64_t make_call(const Call *c)
{
    ssize_t ret;

    switch (c->op) {
    case BLOCK_READ:
        ret = preadv(c->fd, c->iov, c->niov, c->offset);
        break;
    case BLOCK_WRITE:
        ret = pwritev2(c->fd, c->iov, c->niov, c->offset, c->flags);
        break;
    case BLOCK_FLUSH:
        ret = fdatasync(c->fd);
        break;
    default:
        ret = fallocate(c->fd, c->flags, c->offset, c->bytes);
        break;
    }
    return ret < 0 ? -errno : ret;
}

/* Lock held. */
static void wake_one(void)
{
    if (idle && !QTAILQ_EMPTY(&to_do)) {
        g_cond_signal(&work);
    }
}

/* Lock held. The context may have gone after that. */
static void add_done(Call *c)
{
    BlockThreads *t = c->from;
    bool first = QTAILQ_EMPTY(&t->done);

    QTAILQ_INSERT_TAIL(&t->done, c, next);
    if (first) {
        g_cond_signal(&t->progress);
        event_notifier_set(&t->completed);
    }
}

static gpointer worker(gpointer unused)
{
    g_mutex_lock(&lock);
    for (;;) {
        Call *c = QTAILQ_FIRST(&to_do);

        if (!c) {
            idle++;
            g_cond_wait(&work, &lock);
            idle--;
            continue;
        }
        QTAILQ_REMOVE(&to_do, c, next);
        wake_one();
        g_mutex_unlock(&lock);
        c->ret = make_call(c);
        g_mutex_lock(&lock);
        add_done(c);
    }
    return NULL;
}

/* --- the context --- */

static void threads_submit(BlockRequest *req)
{
    QTAILQ_INSERT_TAIL(&req->blk->ctx->threads->submitted, req, next);
}

/* Direct I/O waits for the disk, whatever the flag says. */
static bool try_now(BlockRequest *req)
{
    BlockImage *image = block_node_image(req->blk->node);
    const struct iovec *iov;
    unsigned int niov;
    uint64_t offset;
    ssize_t ret;

    if (req->does != BLOCK_READ || image->direct || image->never_now) {
        return false;
    }
    block_request_left(req, &iov, &niov, &offset);
    ret = preadv2(image->fd, iov, niov, offset, RWF_NOWAIT);
    if (ret < 0) {
        image->never_now = errno == EOPNOTSUPP;
        return false;
    }
    block_request_complete(req, ret);
    return true;
}

static Call *new_call(BlockRequest *req)
{
    Call *c = g_new0(Call, 1);

    c->req = req;
    c->from = req->blk->ctx->threads;
    c->op = req->does;
    c->fd = block_node_image(req->blk->node)->fd;
    c->offset = req->offset;
    c->bytes = req->bytes;
    if (c->op == BLOCK_READ || c->op == BLOCK_WRITE) {
        block_request_left(req, &c->iov, &c->niov, &c->offset);
        c->flags = req->blk->write_cache ? 0 : RWF_DSYNC;
    } else if (c->op != BLOCK_FLUSH) {
        c->flags = block_request_fallocate_mode(req);
    }
    return c;
}

/* What is completed may be submitted again, for the rest of it. */
static void hand_over(BlockThreads *t)
{
    CallList calls = QTAILQ_HEAD_INITIALIZER(calls);
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&t->submitted))) {
        QTAILQ_REMOVE(&t->submitted, req, next);
        if (!try_now(req)) {
            Call *c = new_call(req);

            QTAILQ_INSERT_TAIL(&calls, c, next);
        }
    }
    if (!QTAILQ_EMPTY(&calls)) {
        g_mutex_lock(&lock);
        QTAILQ_CONCAT(&to_do, &calls, next);
        wake_one();
        g_mutex_unlock(&lock);
    }
}

static void threads_kick(BlockContext *ctx)
{
    hand_over(ctx->threads);
    block_requests_batch_end(ctx);
}

/* All that is done; if @wait, there is something. */
static void take_done(BlockThreads *t, bool wait, CallList *done)
{
    g_mutex_lock(&lock);
    while (QTAILQ_EMPTY(&t->done) && wait) {
        g_cond_wait(&t->progress, &lock);
    }
    QTAILQ_CONCAT(done, &t->done, next);
    g_mutex_unlock(&lock);
}

static void complete_all(BlockThreads *t, bool wait)
{
    CallList done = QTAILQ_HEAD_INITIALIZER(done);
    Call *c;

    take_done(t, wait, &done);
    while ((c = QTAILQ_FIRST(&done))) {
        BlockRequest *req = c->req;
        int64_t ret = c->ret;

        QTAILQ_REMOVE(&done, c, next);
        g_free(c);
        block_request_complete(req, ret);
    }
    threads_kick(t->ctx);
}

static void threads_completed(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    complete_all(container_of(e, BlockThreads, completed), false);
}

static void threads_wait(BlockContext *ctx)
{
    /* What is handed over may be done at once. */
    bool wait = QTAILQ_EMPTY(&ctx->threads->submitted);

    complete_all(ctx->threads, wait);
}

/* --- life --- */

/* For all contexts; they stay. */
static bool start_threads(Error **errp)
{
    for (unsigned i = 0; i < THREADS && !started; i++) {
        g_autofree char *name = g_strdup_printf("block-%u", i);
        GThread *t = qemu_thread_try_new(QEMU_THREAD_WORKER, name, worker, NULL,
                                         i ? NULL : errp);

        if (!t && !i) {
            return false;
        }
        if (t) {
            g_thread_unref(t);
        }
    }
    started = true;
    return true;
}

static bool threads_start(BlockContext *ctx, Error **errp)
{
    BlockThreads *t;
    int ret;

    if (ctx->threads) {
        return true;
    }
    t = g_new0(BlockThreads, 1);
    ret = event_notifier_init(&t->completed, 0);
    if (ret || !start_threads(errp)) {
        if (ret) {
            error_setg_errno(errp, -ret, "cannot create an eventfd");
        }
        event_notifier_cleanup(&t->completed);
        g_free(t);
        return false;
    }
    t->ctx = ctx;
    QTAILQ_INIT(&t->submitted);
    QTAILQ_INIT(&t->done);
    g_cond_init(&t->progress);
    aio_set_event_notifier(ctx->aio, &t->completed, threads_completed);
    ctx->threads = t;
    return true;
}

static void threads_stop(BlockContext *ctx)
{
    BlockThreads *t = g_steal_pointer(&ctx->threads);

    if (t) {
        g_assert(QTAILQ_EMPTY(&t->submitted) && QTAILQ_EMPTY(&t->done));
        aio_set_event_notifier(ctx->aio, &t->completed, NULL);
        event_notifier_cleanup(&t->completed);
        g_cond_clear(&t->progress);
        g_free(t);
    }
}

const BlockEngine block_engine_threads = {
    .name = "threads",
    .start = threads_start,
    .stop = threads_stop,
    .submit = threads_submit,
    .kick = threads_kick,
    .wait = threads_wait,
};
