/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine: io_uring. A ring for each context, made with the first image that
 * uses it there; the loop hears of completions by an eventfd.
 *
 * The kernel carries out what is in the ring whatever the filter of system
 * calls says, so the ring itself is told, before it is used, that it may read,
 * write, sync and allocate, and nothing else.
 */
#include "qemu/osdep.h"

#include <liburing.h>
#include <sys/syscall.h>

#include "block-internal.h"
#include "qemu/event_notifier.h"

/* Requests that are handed over by one system call, at most, and that are in
 * the ring: as many completions have room in it. */
#define ENTRIES 256
#define IN_RING_MAX (2 * ENTRIES)

typedef struct BlockUring {
    struct io_uring ring;
    BlockContext *ctx;
    EventNotifier completed;
    unsigned int in_ring;
    /* Those that have no room yet. */
    QTAILQ_HEAD(, BlockRequest) waiting;
} BlockUring;

/* --- handing over --- */

/* NULL: there is no room. */
static struct io_uring_sqe *get_sqe(BlockUring *u)
{
    struct io_uring_sqe *sqe;

    if (u->in_ring == IN_RING_MAX) {
        return NULL;
    }
    sqe = io_uring_get_sqe(&u->ring);
    if (!sqe) {
        io_uring_submit(&u->ring);
        sqe = io_uring_get_sqe(&u->ring);
    }
    return sqe;
}

static void prepare(struct io_uring_sqe *sqe, BlockRequest *req, int fd)
{
    const struct iovec *iov;
    unsigned int niov;
    uint64_t offset;

    switch (req->does) {
    case BLOCK_READ:
        block_request_left(req, &iov, &niov, &offset);
        io_uring_prep_readv(sqe, fd, iov, niov, offset);
        break;
    case BLOCK_WRITE:
        block_request_left(req, &iov, &niov, &offset);
        io_uring_prep_writev2(sqe, fd, iov, niov, offset,
                              req->blk->write_cache ? 0 : RWF_DSYNC);
        break;
    case BLOCK_FLUSH:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    default:
        io_uring_prep_fallocate(sqe, fd, block_request_fallocate_mode(req),
                                req->offset, req->bytes);
        break;
    }
}

static bool put_into_ring(BlockUring *u, BlockRequest *req)
{
    struct io_uring_sqe *sqe = get_sqe(u);

    if (!sqe) {
        return false;
    }
    prepare(sqe, req, block_node_image(req->blk->node)->fd);
    io_uring_sqe_set_data(sqe, req);
    u->in_ring++;
    return true;
}

static void uring_submit(BlockRequest *req)
{
    BlockUring *u = req->blk->ctx->uring;

    if (!QTAILQ_EMPTY(&u->waiting) || !put_into_ring(u, req)) {
        QTAILQ_INSERT_TAIL(&u->waiting, req, next);
    }
}

static void kick(BlockUring *u)
{
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&u->waiting)) && put_into_ring(u, req)) {
        QTAILQ_REMOVE(&u->waiting, req, next);
    }
    if (io_uring_sq_ready(&u->ring)) {
        io_uring_submit(&u->ring);
    }
}

static void uring_kick(BlockContext *ctx)
{
    kick(ctx->uring);
}

/* --- completions --- */

static void complete_all(BlockUring *u)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
        BlockRequest *req = io_uring_cqe_get_data(cqe);
        int ret = cqe->res;

        io_uring_cqe_seen(&u->ring, cqe);
        u->in_ring--;
        block_request_complete(req, ret);
    }
    kick(u);
    block_requests_batch_end(u->ctx);
}

static void uring_completed(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    complete_all(container_of(e, BlockUring, completed));
}

static void uring_wait(BlockContext *ctx)
{
    struct io_uring_cqe *cqe;

    kick(ctx->uring);
    if (io_uring_wait_cqe(&ctx->uring->ring, &cqe) == 0) {
        complete_all(ctx->uring);
    }
}

/* --- life --- */

/* 0 or -errno. Debian's library has no function for these. */
static int register_with_ring(const struct io_uring *ring, unsigned int opcode,
                              void *arg, unsigned int n)
{
    return syscall(SYS_io_uring_register, ring->ring_fd, opcode, arg, n) < 0
           ? -errno : 0;
}

static int restrict_ring(const struct io_uring *ring)
{
    static const uint8_t ops[] = {
        IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_FALLOCATE,
    };
    struct io_uring_restriction res[ARRAY_SIZE(ops)] = { };
    int ret;

    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        res[i].opcode = IORING_RESTRICTION_SQE_OP;
        res[i].sqe_op = ops[i];
    }
    ret = register_with_ring(ring, IORING_REGISTER_RESTRICTIONS, res,
                             ARRAY_SIZE(res));
    return ret < 0 ? ret
                   : register_with_ring(ring, IORING_REGISTER_ENABLE_RINGS,
                                        NULL, 0);
}

static int set_up(BlockUring *u)
{
    int ret = io_uring_queue_init(ENTRIES, &u->ring, IORING_SETUP_R_DISABLED);

    if (ret < 0) {
        return ret;
    }
    ret = event_notifier_init(&u->completed, 0);
    if (!ret) {
        ret = io_uring_register_eventfd(&u->ring,
                                        event_notifier_get_fd(&u->completed));
        ret = ret < 0 ? ret : restrict_ring(&u->ring);
        if (ret >= 0) {
            return 0;
        }
        event_notifier_cleanup(&u->completed);
    }
    io_uring_queue_exit(&u->ring);
    return ret;
}

static bool uring_start(BlockContext *ctx, Error **errp)
{
    g_autofree BlockUring *u = NULL;
    int ret;

    if (ctx->uring) {
        return true;
    }
    u = g_new0(BlockUring, 1);
    u->ctx = ctx;
    QTAILQ_INIT(&u->waiting);
    ret = set_up(u);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "aio=io_uring: the host does not allow "
                         "it; aio=threads works everywhere");
        return false;
    }
    ctx->uring = g_steal_pointer(&u);
    aio_set_event_notifier(ctx->aio, &ctx->uring->completed, uring_completed);
    return true;
}

static void uring_stop(BlockContext *ctx)
{
    BlockUring *u = g_steal_pointer(&ctx->uring);

    if (u) {
        g_assert(!u->in_ring);
        aio_set_event_notifier(ctx->aio, &u->completed, NULL);
        io_uring_queue_exit(&u->ring);
        event_notifier_cleanup(&u->completed);
        g_free(u);
    }
}

const BlockEngine block_engine_uring = {
    .name = "io_uring",
    .start = uring_start,
    .stop = uring_stop,
    .submit = uring_submit,
    .kick = uring_kick,
    .wait = uring_wait,
};
