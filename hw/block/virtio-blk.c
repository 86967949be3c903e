/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk, the requests: see virtio-blk.h. Each is a header to read, data to
 * read or to write, and a byte to write for the status (VIRTIO 1.2, 5.2.6); how
 * the driver cuts that into segments is its business. The header is copied once.
 * The segments are the request's own, and are cut down to the data.
 */
#include "qemu/osdep.h"

#include "qemu/iov.h"
#include "sysemu/runstate.h"
#include "virtio-blk.h"

/* --- the end of a request --- */

static void req_free(VirtIOBlockReq *req)
{
    virtqueue_free_element(req->vq, req);
}

static void req_complete(VirtIOBlockReq *req, uint8_t status)
{
    VirtIOBlock *s = req->s;
    bool wrote = status == VIRTIO_BLK_S_OK && req->in_num;

    *req->status = status;
    virtqueue_fill(req->vq, &req->elem, (wrote ? req->in_len : 0) + 1, 0);
    virtqueue_flush(req->vq, 1);
    s->to_notify[virtio_get_queue_index(req->vq)] = true;
    req_free(req);
}

void virtio_blk_notify_queues(void *opaque)
{
    VirtIOBlock *s = opaque;

    for (unsigned int i = 0; i < s->num_queues; i++) {
        if (s->to_notify[i]) {
            s->to_notify[i] = false;
            virtio_notify(VIRTIO_DEVICE(s),
                          virtio_get_queue(VIRTIO_DEVICE(s), i));
        }
    }
}

static void req_failed(VirtIOBlockReq *req)
{
    VirtIOBlock *s = req->s;

    switch (blk_error_action(s->blk, req->block.op == BLOCK_READ, req->error)) {
    case BLOCK_ACTION_STOP:
        QTAILQ_INSERT_TAIL(&s->stopped, req, next);
        break;
    case BLOCK_ACTION_IGNORE:
        req_complete(req, VIRTIO_BLK_S_OK);
        break;
    case BLOCK_ACTION_REPORT:
        req_complete(req, VIRTIO_BLK_S_IOERR);
        break;
    }
}

void virtio_blk_handle_failed(VirtIOBlock *s)
{
    VirtIOBlockReq *req;

    while ((req = QTAILQ_FIRST(&s->failed))) {
        QTAILQ_REMOVE(&s->failed, req, next);
        req_failed(req);
    }
    virtio_blk_notify_queues(s);
}

static void req_done(BlockRequest *block, int ret)
{
    VirtIOBlockReq *req = container_of(block, VirtIOBlockReq, block);

    if (ret) {
        req->error = -ret;
        QTAILQ_INSERT_TAIL(&req->s->failed, req, next);
        qemu_bh_schedule(req->s->failed_bh);
    } else {
        req_complete(req, VIRTIO_BLK_S_OK);
    }
}

void virtio_blk_restart_stopped(VirtIOBlock *s)
{
    VirtIOBlockReq *req;

    blk_reset_status(s->blk);
    while ((req = QTAILQ_FIRST(&s->stopped))) {
        QTAILQ_REMOVE(&s->stopped, req, next);
        blk_submit(s->blk, &req->block);
    }
    blk_kick(s->blk);
}

void virtio_blk_drop_stopped(VirtIOBlock *s)
{
    VirtIOBlockReq *req;

    blk_reset_status(s->blk);
    while ((req = QTAILQ_FIRST(&s->stopped))) {
        QTAILQ_REMOVE(&s->stopped, req, next);
        virtqueue_detach_element(req->vq, &req->elem, 0);
        req_free(req);
    }
}

/* --- taking a request apart --- */

/* Takes the first @len bytes off *@iov; false: there are fewer. */
static bool discard_front(struct iovec **iov, unsigned int *num, size_t len)
{
    while (*num && len >= (*iov)->iov_len) {
        len -= (*iov)->iov_len;
        (*iov)++;
        (*num)--;
    }
    if (len && *num) {
        (*iov)->iov_base = (uint8_t *)(*iov)->iov_base + len;
        (*iov)->iov_len -= len;
        len = 0;
    }
    return !len;
}

/* Takes the status byte off the end of req->in; false: there is none. */
static bool take_status(VirtIOBlockReq *req)
{
    struct iovec *last = req->in + req->in_num - 1;

    if (!req->in_num) {
        return false;
    }
    last->iov_len--;
    req->status = (uint8_t *)last->iov_base + last->iov_len;
    req->in_num -= !last->iov_len;
    req->in_len = iov_size(req->in, req->in_num);
    return true;
}

static bool req_parse(VirtIOBlockReq *req, struct virtio_blk_outhdr *header)
{
    req->in = req->elem.in_sg;
    req->in_num = req->elem.in_num;
    req->out = req->elem.out_sg;
    req->out_num = req->elem.out_num;
    return iov_to_buf(req->out, req->out_num, 0, header, sizeof(*header)) ==
               sizeof(*header) &&
           discard_front(&req->out, &req->out_num, sizeof(*header)) &&
           take_status(req);
}

/* --- starting it --- */

/* Whether the disk has such a range; sets it. */
static bool set_range(VirtIOBlockReq *req, uint64_t sector, uint64_t bytes)
{
    VirtIOBlock *s = req->s;
    uint64_t offset, end;

    if (__builtin_mul_overflow(sector, BLOCK_SECTOR, &offset) ||
        __builtin_add_overflow(offset, bytes, &end) || end > blk_size(s->blk) ||
        !QEMU_IS_ALIGNED(offset | bytes, s->logical_block_size)) {
        return false;
    }
    req->block.offset = offset;
    req->block.bytes = bytes;
    return true;
}

static void req_invalid(VirtIOBlockReq *req, BlockOp op)
{
    blk_account_invalid(req->s->blk, op);
    req_complete(req, VIRTIO_BLK_S_IOERR);
}

static void submit(VirtIOBlockReq *req, BlockOp op)
{
    req->block.op = op;
    req->block.done = req_done;
    blk_submit(req->s->blk, &req->block);
}

static void start_read(VirtIOBlockReq *req, uint64_t sector)
{
    if (!req->in_len || !set_range(req, sector, req->in_len)) {
        req_invalid(req, BLOCK_READ);
        return;
    }
    req->block.iov = req->in;
    req->block.niov = req->in_num;
    submit(req, BLOCK_READ);
}

static void start_write(VirtIOBlockReq *req, uint64_t sector)
{
    uint64_t bytes = iov_size(req->out, req->out_num);

    if (blk_is_read_only(req->s->blk) || !bytes ||
        !set_range(req, sector, bytes)) {
        req_invalid(req, BLOCK_WRITE);
        return;
    }
    req->block.iov = req->out;
    req->block.niov = req->out_num;
    submit(req, BLOCK_WRITE);
}

static void start_flush(VirtIOBlockReq *req)
{
    req->block.offset = 0;
    req->block.bytes = 0;
    submit(req, BLOCK_FLUSH);
}

/* The serial number, cut or filled up with zeros. */
static void answer_id(VirtIOBlockReq *req)
{
    char id[VIRTIO_BLK_ID_BYTES] = { 0 };

    if (req->s->serial) {
        memcpy(id, req->s->serial, MIN(strlen(req->s->serial), sizeof(id)));
    }
    req->in_len = iov_from_buf(req->in, req->in_num, 0, id, sizeof(id));
    req_complete(req, VIRTIO_BLK_S_OK);
}

/* Of discards and zeroes, one range each, as the configuration says. */
static void start_zeroes(VirtIOBlockReq *req, BlockOp op, bool offered,
                         uint32_t max_sectors)
{
    struct virtio_blk_discard_write_zeroes range;
    uint32_t flags, sectors;

    if (!offered || blk_is_read_only(req->s->blk)) {
        req_complete(req, VIRTIO_BLK_S_UNSUPP);
        return;
    }
    if (iov_size(req->out, req->out_num) != sizeof(range)) {
        req_invalid(req, op);
        return;
    }
    iov_to_buf(req->out, req->out_num, 0, &range, sizeof(range));
    flags = GUINT32_FROM_LE(range.flags);
    sectors = GUINT32_FROM_LE(range.num_sectors);
    if (flags & ~(op == BLOCK_DISCARD ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)) {
        req_complete(req, VIRTIO_BLK_S_UNSUPP);
        return;
    }
    if (!sectors || sectors > max_sectors ||
        !set_range(req, GUINT64_FROM_LE(range.sector),
                   (uint64_t)sectors * BLOCK_SECTOR)) {
        req_invalid(req, op);
        return;
    }
    req->block.may_unmap = flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
    req->block.iov = NULL;
    req->block.niov = 0;
    submit(req, op);
}

static void req_start(VirtIOBlockReq *req,
                      const struct virtio_blk_outhdr *header)
{
    uint64_t sector = GUINT64_FROM_LE(header->sector);

    switch (GUINT32_FROM_LE(header->type)) {
    case VIRTIO_BLK_T_IN:
        start_read(req, sector);
        break;
    case VIRTIO_BLK_T_OUT:
        start_write(req, sector);
        break;
    case VIRTIO_BLK_T_FLUSH:
        start_flush(req);
        break;
    case VIRTIO_BLK_T_GET_ID:
        answer_id(req);
        break;
    case VIRTIO_BLK_T_DISCARD:
        start_zeroes(req, BLOCK_DISCARD, req->s->discard,
                     req->s->max_discard_sectors);
        break;
    case VIRTIO_BLK_T_WRITE_ZEROES:
        start_zeroes(req, BLOCK_WRITE_ZEROES, req->s->write_zeroes,
                     req->s->max_write_zeroes_sectors);
        break;
    default:
        req_complete(req, VIRTIO_BLK_S_UNSUPP);
        break;
    }
}

/* What the guest adds meanwhile waits for its next turn. */
void virtio_blk_handle_output(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOBlock *s = VIRTIO_BLK(vdev);
    struct virtio_blk_outhdr header;
    VirtIOBlockReq *req;
    unsigned int n = 0;

    if (s->served) {
        return;                           /* a kick for whom it comes back to */
    }
    while (n++ < s->queue_size && (req = virtqueue_pop(vq, sizeof(*req)))) {
        req->s = s;
        req->vq = vq;
        virtqueue_pin_element(vq, &req->elem);
        if (!req_parse(req, &header)) {
            virtio_error(vdev, "a request without a header of %zu bytes to "
                         "read and a byte to write", sizeof(header));
            virtqueue_detach_element(vq, &req->elem, 0);
            req_free(req);
            break;
        }
        req_start(req, &header);
    }
    if (n > s->queue_size) {
        virtio_queue_kick_later(vq);
    }
    blk_kick(s->blk);
    virtio_blk_notify_queues(s);
}
