/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of NVMe drives, an engine: each becomes a command, or several. See
 * nvme.h. Requests wait for their turn until the engine is kicked, so that none
 * is told of while its device is still handing over others.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "nvme.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"

/* How often it is looked for requests that take too long. */
#define LOOK_MS 1000

static QLIST_HEAD(, NVMe) drives = QLIST_HEAD_INITIALIZER(drives);

static NVMe *nvme_of(const BlockRequest *req)
{
    return block_node_image(req->blk->node)->nvme;
}

static bool has_data(const BlockRequest *req)
{
    return req->does == BLOCK_READ || req->does == BLOCK_WRITE;
}

/* --- starting --- */

static void set_blocks(const NVMe *n, NVMeCommand *cmd, uint64_t offset,
                       uint64_t bytes, uint32_t flags)
{
    uint64_t first = offset >> n->block_bits;

    cmd->dw10 = GUINT32_TO_LE((uint32_t)first);
    cmd->dw11 = GUINT32_TO_LE(first >> 32);
    cmd->dw12 = GUINT32_TO_LE(((bytes >> n->block_bits) - 1) | flags);
}

/* Without a cache what is written has to be on the medium. */
static uint32_t fua(const BlockRequest *req)
{
    return req->does != BLOCK_READ && !req->blk->write_cache ? NVME_RW_FUA : 0;
}

/* false: there is no buffer for what the drive cannot reach. */
static bool prepare_data(NVMe *n, NVMeSlot *slot, NVMeCommand *cmd,
                         BlockRequest *req)
{
    const struct iovec *iov;
    unsigned int niov;
    uint64_t offset, left = req->bytes - req->progress;

    block_request_left(req, &iov, &niov, &offset);
    slot->bytes = nvme_prp_guest(n, slot, cmd, iov, niov,
                                 MIN(left, n->max_bytes));
    if (!slot->bytes && !n->nr_bounces) {
        return false;
    }
    if (!slot->bytes) {
        slot->bytes = MIN(left, MIN(NVME_BOUNCE_SIZE, n->max_bytes));
        slot->bounce = n->bounces[--n->nr_bounces];
        if (req->does == BLOCK_WRITE) {
            iov_to_buf(iov, niov, 0, slot->bounce, slot->bytes);
        }
        nvme_prp_own(n, slot, cmd, slot->bounce, slot->bytes);
    }
    cmd->opcode = req->does == BLOCK_READ ? NVME_CMD_READ : NVME_CMD_WRITE;
    set_blocks(n, cmd, offset, slot->bytes, fua(req));
    return true;
}

/* false: the drive does not have it. */
static bool prepare_zeroes(NVMe *n, NVMeCommand *cmd, BlockRequest *req)
{
    bool deallocate = req->may_unmap && req->blk->node->discard;

    if (!(n->oncs & NVME_ONCS_WRITE_ZEROES) ||
        req->bytes >> n->block_bits > NVME_BLOCKS_MAX) {
        return false;
    }
    cmd->opcode = NVME_CMD_WRITE_ZEROES;
    set_blocks(n, cmd, req->offset, req->bytes,
               fua(req) | (deallocate ? NVME_ZEROES_DEALLOCATE : 0));
    return true;
}

static bool prepare_discard(NVMe *n, NVMeSlot *slot, NVMeCommand *cmd,
                            BlockRequest *req)
{
    const NVMeRange range = {
        .blocks = GUINT32_TO_LE(req->bytes >> n->block_bits),
        .first = GUINT64_TO_LE(req->offset >> n->block_bits),
    };

    if (!(n->oncs & NVME_ONCS_DATASET) ||
        req->bytes >> n->block_bits > UINT32_MAX) {
        return false;
    }
    memcpy(slot->prps, &range, sizeof(range));
    cmd->opcode = NVME_CMD_DATASET;
    cmd->prp1 = GUINT64_TO_LE(slot->prps_iova);
    cmd->dw11 = GUINT32_TO_LE(NVME_DATASET_DEALLOCATE);
    return true;
}

typedef enum Preparation { READY, LATER, IMPOSSIBLE } Preparation;

static Preparation prepare(NVMe *n, NVMeSlot *slot, NVMeCommand *cmd,
                           BlockRequest *req)
{
    bool ok;

    slot->bytes = 0;
    slot->bounce = NULL;
    if (has_data(req)) {
        return prepare_data(n, slot, cmd, req) ? READY : LATER;
    }
    if (req->does == BLOCK_FLUSH) {
        cmd->opcode = NVME_CMD_FLUSH;
        return READY;
    }
    ok = req->does == BLOCK_DISCARD ? prepare_discard(n, slot, cmd, req)
                                    : prepare_zeroes(n, cmd, req);
    return ok ? READY : IMPOSSIBLE;
}

static void nvme_send(NVMe *n, NVMeSlot *slot, NVMeCommand *cmd, BlockRequest *req)
{
    slot->req = req;
    slot->deadline_ms = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                        NVME_REQUEST_TIMEOUT_MS;
    cmd->cid = GUINT16_TO_LE(slot - n->slots);
    cmd->nsid = GUINT32_TO_LE(n->nsid);
    n->nr_free--;
    nvme_queue_put(&n->io, cmd);
    if (!timer_pending(n->timer)) {
        timer_mod(n->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + LOOK_MS);
    }
}

/* The first of those that wait. false: it has to go on waiting. */
static bool start_one(NVMe *n, BlockRequest *req)
{
    NVMeCommand cmd = { 0 };
    NVMeSlot *slot;

    if (!n->broken && !n->nr_free) {
        return false;
    }
    slot = n->broken ? NULL : &n->slots[n->free_slots[n->nr_free - 1]];
    switch (slot ? prepare(n, slot, &cmd, req) : READY) {
    case LATER:
        return false;
    case IMPOSSIBLE:
        QTAILQ_REMOVE(&n->waiting, req, next);
        block_request_complete(req, -EOPNOTSUPP);
        return true;
    case READY:
        break;
    }
    QTAILQ_REMOVE(&n->waiting, req, next);
    if (slot) {
        nvme_send(n, slot, &cmd, req);
    } else {
        block_request_complete(req, -EIO);
    }
    return true;
}

static void start_all(NVMe *n)
{
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&n->waiting)) && start_one(n, req)) {
        /* as many as there is room for */
    }
    if (!n->broken) {
        nvme_queue_kick(&n->io);
    }
}

static void nvme_submit(BlockRequest *req)
{
    QTAILQ_INSERT_TAIL(&nvme_of(req)->waiting, req, next);
}

static void nvme_kick(BlockContext *ctx)
{
    NVMe *n;

    QLIST_FOREACH(n, &drives, next) {
        start_all(n);
    }
}

/* --- completions --- */

static int64_t result_of(uint16_t status, const NVMeSlot *slot)
{
    if (!status) {
        return slot->bytes;
    }
    return status == NVME_SC_CAPACITY_EXCEEDED ? -ENOSPC : -EIO;
}

/* @ret: of its command. Nothing of the request is the drive's any more. */
static void end(NVMe *n, NVMeSlot *slot, int64_t ret)
{
    BlockRequest *req = slot->req;
    const struct iovec *iov;
    unsigned int niov;
    uint64_t offset;

    if (slot->bounce) {
        if (ret > 0 && req->does == BLOCK_READ) {
            block_request_left(req, &iov, &niov, &offset);
            iov_from_buf(iov, niov, 0, slot->bounce, ret);
        }
        n->bounces[n->nr_bounces++] = slot->bounce;
    }
    slot->req = NULL;
    n->free_slots[n->nr_free++] = slot - n->slots;
    block_request_complete(req, ret);
}

void nvme_break(NVMe *n, const char *fmt, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    va_start(ap, fmt);
    why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    n->broken = true;
    n->dma->ops->quiesce(n->dma);
    error_report("nvme %s: %s; it has been stopped, and all of its requests fail",
                 n->name, why);
    for (size_t i = 0; i < NVME_SLOTS; i++) {
        if (n->slots[i].req) {
            end(n, &n->slots[i], -EIO);
        }
    }
}

/* Not more than there are commands: while it looks, none is started. */
static void process(NVMe *n)
{
    const uint32_t head = n->io.head;
    NVMeCompletion c;
    int ret = 0;

    while (!n->broken && (ret = nvme_queue_get(&n->io, &c)) > 0) {
        if (c.cid >= NVME_SLOTS || !n->slots[c.cid].req) {
            ret = -EPROTO;
            break;
        }
        end(n, &n->slots[c.cid],
            result_of(NVME_STATUS(c.status), &n->slots[c.cid]));
    }
    if (ret < 0) {
        nvme_break(n, "it completes what nobody has asked it for");
    } else if (!n->broken && n->io.head != head) {
        nvme_queue_got(&n->io);
    }
    start_all(n);
}

static void check_deadlines(NVMe *n)
{
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    for (size_t i = 0; i < NVME_SLOTS && !n->broken; i++) {
        if (n->slots[i].req && n->slots[i].deadline_ms <= now) {
            nvme_break(n, "it has not carried out a command for %d seconds",
                       NVME_REQUEST_TIMEOUT_MS / 1000);
        }
    }
}

static void on_interrupt(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    process(container_of(e, NVMe, interrupt));
    block_requests_batch_end(block_context_main());
}

/* An interrupt may have been lost, too. */
static void on_timer(void *opaque)
{
    NVMe *n = opaque;

    process(n);
    check_deadlines(n);
    start_all(n);
    if (n->io.in_flight && !n->broken) {
        timer_mod(n->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + LOOK_MS);
    }
    block_requests_batch_end(block_context_main());
}

/* Until one of them has something to say, but not for long. */
static void poll_all(void)
{
    g_autoptr(GArray) fds = g_array_new(false, false, sizeof(struct pollfd));
    NVMe *n;

    QLIST_FOREACH(n, &drives, next) {
        struct pollfd p = { event_notifier_get_fd(&n->interrupt), POLLIN, 0 };

        if (n->io.in_flight && !n->broken) {
            g_array_append_val(fds, p);
        }
    }
    if (fds->len) {
        qemu_poll_ms((struct pollfd *)fds->data, fds->len, LOOK_MS);
    }
}

static void nvme_wait(BlockContext *ctx)
{
    NVMe *n;

    nvme_kick(ctx);
    poll_all();
    QLIST_FOREACH(n, &drives, next) {
        event_notifier_test_and_clear(&n->interrupt);
        process(n);
        check_deadlines(n);
        start_all(n);
    }
    block_requests_batch_end(block_context_main());
}

/* --- life --- */

void nvme_io_begin(NVMe *n)
{
    n->nr_free = n->io.entries - 1;
    for (unsigned i = 0; i < n->nr_free; i++) {
        n->free_slots[i] = i;
    }
    QTAILQ_INIT(&n->waiting);
    n->timer = timer_new_ms(QEMU_CLOCK_REALTIME, on_timer, n);
    event_notifier_set_handler(&n->interrupt, on_interrupt);
    QLIST_INSERT_HEAD(&drives, n, next);
}

void nvme_io_end(NVMe *n)
{
    QLIST_REMOVE(n, next);
    event_notifier_set_handler(&n->interrupt, NULL);
    timer_free(n->timer);
}

/* It is started with its drive, whose timer is the main loop's. */
static bool nvme_start(BlockContext *ctx, Error **errp)
{
    if (ctx->aio) {
        error_setg(errp, "iothread=: an NVMe drive of the host is driven by "
                   "the main loop: leave it out");
        return false;
    }
    return true;
}

const BlockEngine block_engine_nvme = {
    .name = "nvme",
    .start = nvme_start,
    .submit = nvme_submit,
    .kick = nvme_kick,
    .wait = nvme_wait,
};
