/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine: a few threads that make the calls, for hosts without io_uring. They
 * are started with the first image, for all contexts, never take the big lock,
 * and touch nothing of a request but what says what to do.
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
    EventNotifier completed;
    CallList done;                        /* of the lock */
    GCond progress;                       /* something is done */
} BlockThreads;

static bool started;
static GMutex lock;                       /* of what follows */
static GCond work;                        /* there is something to do */
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

static gpointer worker(gpointer unused)
{
    g_mutex_lock(&lock);
    for (;;) {
        Call *c = QTAILQ_FIRST(&to_do);

        if (!c) {
            g_cond_wait(&work, &lock);
            continue;
        }
        QTAILQ_REMOVE(&to_do, c, next);
        g_mutex_unlock(&lock);
        c->ret = make_call(c);
        g_mutex_lock(&lock);
        QTAILQ_INSERT_TAIL(&c->from->done, c, next);
        g_cond_signal(&c->from->progress);
        event_notifier_set(&c->from->completed);
    }
    return NULL;
}

/* --- the context --- */

static void threads_submit(BlockRequest *req)
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
    g_mutex_lock(&lock);
    QTAILQ_INSERT_TAIL(&to_do, c, next);
    g_cond_signal(&work);
    g_mutex_unlock(&lock);
}

static void threads_kick(BlockContext *ctx)
{
}

static Call *take_done(BlockThreads *t, bool wait)
{
    Call *c;

    g_mutex_lock(&lock);
    while (!(c = QTAILQ_FIRST(&t->done)) && wait) {
        g_cond_wait(&t->progress, &lock);
    }
    if (c) {
        QTAILQ_REMOVE(&t->done, c, next);
    }
    g_mutex_unlock(&lock);
    return c;
}

static void complete_all(BlockThreads *t, Call *first)
{
    for (Call *c = first; c; c = take_done(t, false)) {
        BlockRequest *req = c->req;
        int64_t ret = c->ret;

        g_free(c);
        block_request_complete(req, ret);
    }
    block_requests_batch_end(t->ctx);
}

static void threads_completed(EventNotifier *e)
{
    BlockThreads *t = container_of(e, BlockThreads, completed);

    event_notifier_test_and_clear(e);
    complete_all(t, take_done(t, false));
}

static void threads_wait(BlockContext *ctx)
{
    complete_all(ctx->threads, take_done(ctx->threads, true));
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
        g_assert(QTAILQ_EMPTY(&t->done));
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
