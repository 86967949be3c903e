/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine: io_uring. One ring for the process, made with the first image that
 * uses it; the main loop hears of completions by an eventfd.
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

static struct io_uring ring;
static bool started;
static EventNotifier completed;
static unsigned int in_ring;
/* Those that have no room yet. */
static QTAILQ_HEAD(, BlockRequest) waiting = QTAILQ_HEAD_INITIALIZER(waiting);

/* --- handing over --- */

/* NULL: there is no room. */
static struct io_uring_sqe *get_sqe(void)
{
    struct io_uring_sqe *sqe;

    if (in_ring == IN_RING_MAX) {
        return NULL;
    }
    sqe = io_uring_get_sqe(&ring);
    if (!sqe) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
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

static bool put_into_ring(BlockRequest *req)
{
    struct io_uring_sqe *sqe = get_sqe();

    if (!sqe) {
        return false;
    }
    prepare(sqe, req, block_node_image(req->blk->node)->fd);
    io_uring_sqe_set_data(sqe, req);
    in_ring++;
    return true;
}

static void uring_submit(BlockRequest *req)
{
    if (!QTAILQ_EMPTY(&waiting) || !put_into_ring(req)) {
        QTAILQ_INSERT_TAIL(&waiting, req, next);
    }
}

static void uring_kick(void)
{
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&waiting)) && put_into_ring(req)) {
        QTAILQ_REMOVE(&waiting, req, next);
    }
    if (io_uring_sq_ready(&ring)) {
        io_uring_submit(&ring);
    }
}

/* --- completions --- */

static void complete_all(void)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&ring, &cqe) == 0) {
        BlockRequest *req = io_uring_cqe_get_data(cqe);
        int ret = cqe->res;

        io_uring_cqe_seen(&ring, cqe);
        in_ring--;
        block_request_complete(req, ret);
    }
    uring_kick();
    block_requests_batch_end();
}

static void uring_completed(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    complete_all();
}

static void uring_wait(void)
{
    struct io_uring_cqe *cqe;

    uring_kick();
    if (io_uring_wait_cqe(&ring, &cqe) == 0) {
        complete_all();
    }
}

/* --- life --- */

/* 0 or -errno. Debian's library has no function for these. */
static int register_with_ring(unsigned int opcode, void *arg, unsigned int n)
{
    return syscall(SYS_io_uring_register, ring.ring_fd, opcode, arg, n) < 0
           ? -errno : 0;
}

static int restrict_ring(void)
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
    ret = register_with_ring(IORING_REGISTER_RESTRICTIONS, res,
                             ARRAY_SIZE(res));
    return ret < 0 ? ret
                   : register_with_ring(IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int set_up(void)
{
    int ret = io_uring_queue_init(ENTRIES, &ring, IORING_SETUP_R_DISABLED);

    if (ret < 0) {
        return ret;
    }
    ret = event_notifier_init(&completed, 0);
    if (!ret) {
        ret = io_uring_register_eventfd(&ring,
                                        event_notifier_get_fd(&completed));
        ret = ret < 0 ? ret : restrict_ring();
        if (ret >= 0) {
            return 0;
        }
        event_notifier_cleanup(&completed);
    }
    io_uring_queue_exit(&ring);
    return ret;
}

static bool uring_start(Error **errp)
{
    int ret = started ? 0 : set_up();

    if (ret < 0) {
        error_setg_errno(errp, -ret, "aio=io_uring: the host does not allow "
                         "it; aio=threads works everywhere");
        return false;
    }
    if (!started) {
        event_notifier_set_handler(&completed, uring_completed);
        started = true;
    }
    return true;
}

const BlockEngine block_engine_uring = {
    .name = "io_uring",
    .start = uring_start,
    .submit = uring_submit,
    .kick = uring_kick,
    .wait = uring_wait,
};
