/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests on their way: what a device asks for becomes something that the host
 * can do (a flush that is not wanted becomes nothing, zeroes become a hole,
 * buffers that direct I/O cannot use are copied), an engine does it, maybe in
 * several steps, and the device is told. Used by devices and engines.
 *
 * A request that fails after some of it was done has failed as a whole.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include "block-internal.h"
#include "qemu/cutils.h"
#include "qemu/iov.h"
#include "qemu/units.h"

/* What zeroes are written from, again and again. */
#define ZEROES (64 * KiB)
/* Before a request is given up that the host asks to try again. */
#define RETRIES_MAX 100
static const uint8_t zeroes[ZEROES] __attribute__((aligned(4096)));

static BlockImage *image_of(const BlockRequest *req)
{
    return block_node_image(req->blk->node);
}

static bool has_data(const BlockRequest *req)
{
    return req->does == BLOCK_READ || req->does == BLOCK_WRITE;
}

/* --- figures --- */

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * G_GINT64_CONSTANT(1000000000) + t.tv_nsec;
}

static void account(BlockRequest *req, int ret)
{
    BlockBackend *blk = req->blk;
    BlockFigures *f = &blk->figures[req->op];

    blk->last_ns = now_ns();
    if (ret) {
        f->failed++;
        return;
    }
    f->operations++;
    f->bytes += req->bytes;
    f->time_ns += blk->last_ns - req->start_ns;
    if (req->op == BLOCK_WRITE) {
        blk->wr_highest_offset = MAX(blk->wr_highest_offset,
                                     req->offset + req->bytes);
    }
}

void blk_account_invalid(BlockBackend *blk, BlockOp op)
{
    blk->figures[op].invalid++;
}

/* --- the end of a request --- */

static void finish(BlockRequest *req, int ret)
{
    BlockBackend *blk = req->blk;

    if (req->bounce) {
        if (req->op == BLOCK_READ && !ret) {
            iov_from_buf(req->iov, req->niov, 0, req->bounce, req->bytes);
        }
        free(req->bounce);
    }
    g_free(req->own_iov);
    account(req, ret);
    if (!blk->batch) {
        blk->batch = true;
        QTAILQ_INSERT_TAIL(&blk->ctx->batch, blk, next_batch);
    }
    blk->in_flight--;
    req->done(req, ret);
}

/* Has @req told of later, as its device is still handing it over. */
static void finish_later(BlockRequest *req, int ret)
{
    req->ret = ret;
    QTAILQ_INSERT_TAIL(&req->blk->ctx->done_at_once, req, next);
}

void block_requests_batch_end(BlockContext *ctx)
{
    BlockBackend *blk;

    while ((blk = QTAILQ_FIRST(&ctx->batch))) {
        QTAILQ_REMOVE(&ctx->batch, blk, next_batch);
        blk->batch = false;
        if (blk->ops && blk->ops->batch_done) {
            blk->ops->batch_done(blk->opaque);
        }
    }
}

static void finish_those_done_at_once(BlockContext *ctx)
{
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&ctx->done_at_once))) {
        QTAILQ_REMOVE(&ctx->done_at_once, req, next);
        finish(req, req->ret);
    }
    block_requests_batch_end(ctx);
}

/* --- steps --- */

/* What is left of @iov after @skip bytes, as an array of its own. */
static struct iovec *iov_rest(const struct iovec *iov, unsigned int *niov,
                              size_t skip)
{
    struct iovec *rest;

    while (skip >= iov->iov_len) {
        skip -= iov->iov_len;
        iov++;
        (*niov)--;
    }
    rest = g_memdup2(iov, *niov * sizeof(*iov));
    rest[0].iov_base = (uint8_t *)rest[0].iov_base + skip;
    rest[0].iov_len -= skip;
    return rest;
}

/* As many pieces of zeroes as make @bytes. */
static struct iovec *iov_of_zeroes(uint64_t bytes, unsigned int *niov)
{
    struct iovec *iov;

    *niov = DIV_ROUND_UP(bytes, ZEROES);
    iov = g_new(struct iovec, *niov);
    for (unsigned int i = 0; i < *niov; i++) {
        iov[i].iov_base = (void *)zeroes;
        iov[i].iov_len = MIN(bytes, ZEROES);
        bytes -= iov[i].iov_len;
    }
    return iov;
}

static struct iovec *iov_of_buffer(void *buffer, uint64_t bytes,
                                   unsigned int *niov)
{
    const struct iovec whole = { buffer, bytes };

    *niov = 1;
    return g_memdup2(&whole, sizeof(whole));
}

void block_request_left(BlockRequest *req, const struct iovec **iov,
                        unsigned int *niov, uint64_t *offset)
{
    *offset = req->offset + req->progress;
    if (!req->progress && !req->bounce && req->op == req->does) {
        *iov = req->iov;
        *niov = req->niov;
        return;
    }
    g_clear_pointer(&req->own_iov, g_free);
    if (req->bounce) {
        req->own_iov = iov_of_buffer((uint8_t *)req->bounce + req->progress,
                                     req->bytes - req->progress, niov);
    } else if (req->op == BLOCK_WRITE_ZEROES) {
        req->own_iov = iov_of_zeroes(req->bytes - req->progress, niov);
    } else {
        *niov = req->niov;
        req->own_iov = iov_rest(req->iov, niov, req->progress);
    }
    *iov = req->own_iov;
}

/* The image ends within the request: what is behind its end reads as zero. */
static void read_zeroes(BlockRequest *req)
{
    static const uint8_t none[BLOCK_SECTOR];
    const struct iovec buffer = { req->bounce, req->bytes };
    const struct iovec *iov = req->bounce ? &buffer : req->iov;
    unsigned int niov = req->bounce ? 1 : req->niov;

    while (req->progress < req->bytes) {
        req->progress += iov_from_buf(iov, niov, req->progress, none,
                                      MIN(sizeof(none),
                                          req->bytes - req->progress));
    }
}

static bool is_aligned(const BlockRequest *req, uint32_t alignment)
{
    for (unsigned int i = 0; i < req->niov; i++) {
        if (!QEMU_IS_ALIGNED((uintptr_t)req->iov[i].iov_base |
                             req->iov[i].iov_len, alignment)) {
            return false;
        }
    }
    return true;
}

/* A copy of buffers that direct I/O cannot use. false: no memory. */
static bool prepare_buffers(BlockRequest *req)
{
    BlockImage *image = image_of(req);
    size_t page = qemu_real_host_page_size();

    if (req->op != req->does || !has_data(req) || !image->direct ||
        is_aligned(req, image->mem_alignment)) {
        return true;
    }
    req->bounce = aligned_alloc(page, ROUND_UP(req->bytes, page));
    if (req->bounce && req->op == BLOCK_WRITE) {
        iov_to_buf(req->iov, req->niov, 0, req->bounce, req->bytes);
    }
    return req->bounce;
}

/* Whether @req, which came to @ret, is worth another attempt: the same again, or
 * zeroes that are written instead of allocated. */
static bool try_again(BlockRequest *req, int64_t ret)
{
    if (ret == -EINTR || ret == -EAGAIN) {
        return req->retries++ < RETRIES_MAX;
    }
    if (ret == -EOPNOTSUPP && req->does == BLOCK_WRITE_ZEROES) {
        req->does = BLOCK_WRITE;
        return prepare_buffers(req);
    }
    return false;
}

void block_request_complete(BlockRequest *req, int64_t ret)
{
    BlockImage *image = image_of(req);

    if (try_again(req, ret)) {
        image->engine->submit(req);
        return;
    }
    if (req->does == BLOCK_DISCARD && ret == -EOPNOTSUPP) {
        ret = 0;                          /* it was only a hint */
    }
    if (ret < 0 || !has_data(req)) {
        finish(req, ret < 0 ? ret : 0);
        return;
    }
    req->progress += ret;
    if (!ret && req->does == BLOCK_READ) {
        read_zeroes(req);
    } else if (!ret) {
        finish(req, -EIO);
        return;
    }
    if (req->progress < req->bytes) {
        image->engine->submit(req);
        return;
    }
    if (req->does == BLOCK_WRITE) {
        image->size = MAX(image->size, req->offset + req->bytes);
    }
    finish(req, 0);
}

int block_request_fallocate_mode(const BlockRequest *req)
{
    bool hole = req->does == BLOCK_DISCARD ||
                (req->may_unmap && req->blk->node->discard);

    return (hole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) |
           FALLOC_FL_KEEP_SIZE;
}

/* --- the beginning --- */

static bool is_all_zero(const struct iovec *iov, unsigned int niov)
{
    unsigned int i = 0;

    while (i < niov && buffer_is_zero(iov[i].iov_base, iov[i].iov_len)) {
        i++;
    }
    return i == niov;
}

static bool has_zeroes_to_detect(const BlockRequest *req)
{
    return req->op == BLOCK_WRITE &&
           req->blk->node->detect_zeroes != BLOCK_DETECT_ZEROES_OFF &&
           is_all_zero(req->iov, req->niov);
}

/* What comes to the same as the device's operation. */
static BlockOp what_to_do(BlockRequest *req)
{
    BlockBackend *blk = req->blk;

    /* Without a cache it has to be on the disk: that can be asked of a write. */
    if (req->op == BLOCK_WRITE_ZEROES && !blk->write_cache) {
        return BLOCK_WRITE;
    }
    if (has_zeroes_to_detect(req) && blk->write_cache) {
        req->may_unmap = blk->node->detect_zeroes == BLOCK_DETECT_ZEROES_UNMAP;
        return BLOCK_WRITE_ZEROES;
    }
    return req->op;
}

void blk_submit(BlockBackend *blk, BlockRequest *req)
{
    BlockImage *image = block_node_image(blk->node);

    req->blk = blk;
    req->start_ns = now_ns();
    req->retries = 0;
    req->progress = 0;
    req->own_iov = NULL;
    req->bounce = NULL;
    req->does = what_to_do(req);
    blk->in_flight++;
    if ((req->op == BLOCK_FLUSH && blk->node->no_flush) ||
        (req->op == BLOCK_DISCARD && !blk->node->discard)) {
        finish_later(req, 0);
    } else if (!prepare_buffers(req)) {
        finish_later(req, -ENOMEM);
    } else {
        image->engine->submit(req);
    }
}

void blk_kick(BlockBackend *blk)
{
    block_node_image(blk->node)->engine->kick(blk->ctx);
    finish_those_done_at_once(blk->ctx);
}

void blk_drain(BlockBackend *blk)
{
    const BlockEngine *engine;
    BlockContext *ctx = blk->ctx;

    if (blk_is_served(blk)) {
        return;
    }
    engine = block_node_image(blk->node)->engine;
    aio_context_pause(ctx->aio);
    blk_kick(blk);
    while (blk->in_flight) {
        engine->wait(ctx);
    }
    aio_context_resume(ctx->aio);
}
