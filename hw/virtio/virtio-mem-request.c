/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: the guest's requests (virtio 1.2, 5.15.6). All that one kick
 * finds in the ring, a ring's worth at most, is handled in one pass: adjacent
 * unplugs in a row are carried out by one discard, adjacent plugs by one
 * populate where that pays, and all responses are published, and the guest is
 * interrupted, once. A request is wholly carried out or has no effect.
 *
 * Everything here is the guest's word: it is copied once, checked, then acted
 * upon. Nothing is allocated.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "qemu/iov.h"
#include "trace.h"

typedef VirtIOMEMRequest Request;

/* In place of a VIRTIO_MEM_RESP_*: carry_out_joined() will answer. */
#define LATER UINT16_MAX

/* --- pure helpers --- */

/* For a response; nearly always in the first buffer. */
static bool has_room(const VirtQueueElement *elem)
{
    const size_t needed = sizeof(struct virtio_mem_resp);

    return (elem->in_num && elem->in_sg[0].iov_len >= needed) ||
           iov_size(elem->in_sg, elem->in_num) >= needed;
}

static bool read_request(const VirtIOMEM *vmem, const VirtQueueElement *elem,
                         Request *req)
{
    struct virtio_mem_req raw;

    if (iov_to_buf(elem->out_sg, elem->out_num, 0, &raw, sizeof(raw)) !=
            sizeof(raw) || !has_room(elem)) {
        return false;
    }
    /* The three requests that have a range have it in the same place. */
    req->type = GUINT16_FROM_LE(raw.type);
    req->gpa = GUINT64_FROM_LE(raw.u.plug.addr);
    req->offset = req->gpa - vmem->addr;
    req->size = GUINT16_FROM_LE(raw.u.plug.nb_blocks) * vmem->block_size;
    return true;
}

/* Whole blocks, at least one, inside the usable region. */
static bool is_valid_range(const VirtIOMEM *vmem, const Request *req)
{
    return req->size && req->gpa >= vmem->addr &&
           QEMU_IS_ALIGNED(req->offset, vmem->block_size) &&
           req->offset < vmem->usable_region_size &&
           req->size <= vmem->usable_region_size - req->offset;
}

/* --- responses --- */

/*
 * Writes to the guest's buffer the careful way: a request of this batch may
 * have unplugged the memory that the buffer is in. Whatever cannot be written
 * is lost; a driver that gives up its own buffer breaks its device.
 */
static bool write_to_guest(VirtIODevice *vdev, const VirtQueueElement *elem,
                           const void *buf, size_t len)
{
    const uint8_t *src = buf;

    for (unsigned i = 0; i < elem->in_num && len; i++) {
        size_t n = MIN(len, elem->in_sg[i].iov_len);

        if (address_space_write(vdev->dma_as, elem->in_addr[i],
                                MEMTXATTRS_UNSPECIFIED, src, n) != MEMTX_OK) {
            return false;
        }
        src += n;
        len -= n;
    }
    return true;
}

static void write_response(VirtIOMEM *vmem, VirtQueueElement *elem,
                           uint16_t type, uint16_t state)
{
    struct virtio_mem_resp resp = {
        .type = GUINT16_TO_LE(type),
        .u.state.state = GUINT16_TO_LE(state),
    };

    trace_virtio_mem_send_response(elem->index, type, state);
    if (memory_map_generation() == vmem->batch.generation) {
        iov_from_buf(elem->in_sg, elem->in_num, 0, &resp, sizeof(resp));
    } else if (!write_to_guest(VIRTIO_DEVICE(vmem), elem, &resp,
                               sizeof(resp))) {
        virtio_error(VIRTIO_DEVICE(vmem),
                     "the response to a request would go to "
                     "unplugged memory");
    }
}

/* --- plugs --- */

/* What there is to say against a plug, even when those that are joined have taken
 * effect; or ACK. */
static uint16_t check_plug(const VirtIOMEM *vmem, const Request *req)
{
    uint64_t plugged = vmem->blocks.populated + vmem->batch.joined_size;

    if (!is_valid_range(vmem, req)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    if (plugged > vmem->requested_size ||
        req->size > vmem->requested_size - plugged) {
        return VIRTIO_MEM_RESP_NACK;
    }
    return ram_discard_blocks_are_discarded(&vmem->blocks, req->offset,
                                            req->size)
           ? VIRTIO_MEM_RESP_ACK : VIRTIO_MEM_RESP_ERROR;
}

/* Whether somebody else has a part in a plug: a consumer, or the host. */
static bool plug_takes_time(const VirtIOMEM *vmem)
{
    return !QTAILQ_EMPTY(&vmem->blocks.state->listeners) ||
           vmem->blocks.backed || vmem->protect;
}

/*
 * When the plug that comes begins; 0: nobody cares. Of plugs in a row, one begins
 * when the one before has ended: reading the clock is a good part of what a plug
 * costs. One that changes bits only is not worth it.
 */
static int64_t plug_begins(const VirtIOMEM *vmem)
{
    if (!plug_takes_time(vmem)) {
        return 0;
    }
    return vmem->batch.plugged ?: g_get_monotonic_time();
}

/* @size: what was plugged. */
static void plug_ends(VirtIOMEM *vmem, int64_t start, uint64_t size)
{
    if (start) {
        vmem->batch.plugged = ram_discard_times_add(&vmem->blocks.plug_times,
                                                    start);
        if (size && vmem->populate_rate) {
            virtio_mem_pace(vmem, size);
        }
    }
}

/*
 * Of a request that passed the checks. An objection, or a lack of host memory,
 * may pass. NACK says that the requested size has changed: the driver would try
 * again at once. Inline, as most plugs come alone.
 */
static inline uint16_t plug(VirtIOMEM *vmem, const Request *req)
{
    int64_t start = plug_begins(vmem);
    uint16_t type = VIRTIO_MEM_RESP_ACK;

    if (virtio_mem_prepare_plug(vmem, req->offset, req->size)) {
        type = VIRTIO_MEM_RESP_BUSY;
    } else if (ram_discard_blocks_populate(&vmem->blocks, req->offset,
                                           req->size)) {
        virtio_mem_cancel_plug(vmem, req->offset, req->size);
        type = VIRTIO_MEM_RESP_BUSY;
    }
    plug_ends(vmem, start, type == VIRTIO_MEM_RESP_ACK ? req->size : 0);
    return type;
}

/* --- requests that are carried out together --- */

/* Whether @req, which may be invalid, begins or ends where the joined range ends
 * or begins: then it does not overlap it. */
static bool is_adjacent(const VirtIOMEMBatch *batch, const Request *req)
{
    return req->offset == batch->joined_offset + batch->joined_size ||
           req->offset + req->size == batch->joined_offset;
}

/* @req, which is valid, and adjacent if there are others. */
static void join(VirtIOMEMBatch *batch, const Request *req)
{
    if (!batch->nr_joined || req->offset < batch->joined_offset) {
        batch->joined_offset = req->offset;
    }
    batch->joined_type = req->type;
    batch->joined_size += req->size;
    batch->nr_joined++;
}

static void carry_out_unplugs(VirtIOMEM *vmem, unsigned first, unsigned end)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    uint16_t type = VIRTIO_MEM_RESP_ACK;

    if (ram_discard_blocks_discard(&vmem->blocks, batch->joined_offset,
                                   batch->joined_size)) {
        type = VIRTIO_MEM_RESP_BUSY;
    }
    for (unsigned i = first; i < end; i++) {
        write_response(vmem, batch->elems[i], type, 0);
    }
}

/*
 * All at once; or, if that is refused, one by one: then each has its own answer,
 * and its own refusal is told. For the rest of the kick no others are joined, so
 * that a kick takes one attempt more than it has requests, at most.
 */
static void carry_out_plugs(VirtIOMEM *vmem, unsigned first, unsigned end)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    bool at_once = end - first > 1 &&
                   !virtio_mem_try_plug(vmem, batch->joined_offset,
                                        batch->joined_size);

    batch->joins_plugs = at_once || end - first == 1;
    batch->plugged = batch->joined_begun;
    for (unsigned i = first; i < end; i++) {
        const Request *req = &batch->plugs[i];
        uint16_t type = VIRTIO_MEM_RESP_ACK;

        if (at_once) {
            plug_ends(vmem, batch->joined_begun, req->size);
        } else {
            type = plug(vmem, req);
        }
        write_response(vmem, batch->elems[i], type, 0);
    }
}

/* The joined requests at the end of the batch. */
static void carry_out_joined(VirtIOMEM *vmem)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    unsigned end = batch->nr_elems, first = end - batch->nr_joined;

    if (!batch->nr_joined) {
        return;
    }
    if (batch->joined_type == VIRTIO_MEM_REQ_PLUG) {
        carry_out_plugs(vmem, first, end);
    } else {
        carry_out_unplugs(vmem, first, end);
    }
    batch->nr_joined = 0;
    batch->joined_size = 0;
}

/* Publishes the responses of the batch and interrupts the guest once. */
static void publish_batch(VirtIOMEM *vmem)
{
    VirtIOMEMBatch *batch = &vmem->batch;

    carry_out_joined(vmem);
    if (!batch->nr_elems) {
        return;
    }
    for (unsigned i = 0; i < batch->nr_elems; i++) {
        virtqueue_fill(vmem->vq, batch->elems[i],
                       sizeof(struct virtio_mem_resp), i);
        virtqueue_free_element(vmem->vq, batch->elems[i]);
    }
    virtqueue_flush(vmem->vq, batch->nr_elems);
    batch->nr_elems = 0;
    virtio_notify(VIRTIO_DEVICE(vmem), vmem->vq);
}

/* --- the requests; each returns its response's type --- */

/*
 * A plug, or an unplug, is joined to those before it if it passes the checks also
 * when these have taken effect. Else they are carried out, and it is checked
 * again.
 */
static uint16_t admit_plug(VirtIOMEM *vmem, const VirtQueueElement *elem,
                           const Request *req)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    uint16_t type;

    trace_virtio_mem_plug_request(elem->index, req->offset, req->size);
    if (batch->nr_joined && !is_adjacent(batch, req)) {
        carry_out_joined(vmem);
    }
    while ((type = check_plug(vmem, req)) != VIRTIO_MEM_RESP_ACK &&
           batch->nr_joined) {
        carry_out_joined(vmem);
    }
    if (type != VIRTIO_MEM_RESP_ACK) {
        plug_ends(vmem, plug_begins(vmem), 0);
    } else if (batch->joins_plugs) {
        if (!batch->nr_joined) {
            batch->joined_begun = plug_begins(vmem);
        }
        join(batch, req);
        batch->plugs[batch->nr_elems] = *req;
        type = LATER;
    }
    return type;
}

static bool can_unplug(const VirtIOMEM *vmem, const Request *req)
{
    return is_valid_range(vmem, req) &&
           ram_discard_blocks_are_populated(&vmem->blocks, req->offset,
                                            req->size);
}

static uint16_t admit_unplug(VirtIOMEM *vmem, const VirtQueueElement *elem,
                             const Request *req)
{
    VirtIOMEMBatch *batch = &vmem->batch;

    trace_virtio_mem_unplug_request(elem->index, req->offset, req->size);
    if (batch->nr_joined && !is_adjacent(batch, req)) {
        carry_out_joined(vmem);
    }
    if (!can_unplug(vmem, req)) {
        carry_out_joined(vmem);
        return VIRTIO_MEM_RESP_ERROR;
    }
    join(batch, req);
    return LATER;
}

static uint16_t unplug_all(VirtIOMEM *vmem, const VirtQueueElement *elem)
{
    trace_virtio_mem_unplug_all_request(elem->index);
    return virtio_mem_unplug_all(vmem) ? VIRTIO_MEM_RESP_BUSY
                                       : VIRTIO_MEM_RESP_ACK;
}

static uint16_t get_state(VirtIOMEM *vmem, const VirtQueueElement *elem,
                          const Request *req, uint16_t *state)
{
    trace_virtio_mem_state_request(elem->index, req->offset, req->size);
    if (!is_valid_range(vmem, req)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    if (ram_discard_blocks_are_populated(&vmem->blocks, req->offset,
                                       req->size)) {
        *state = VIRTIO_MEM_STATE_PLUGGED;
    } else if (ram_discard_blocks_are_discarded(&vmem->blocks, req->offset,
                                              req->size)) {
        *state = VIRTIO_MEM_STATE_UNPLUGGED;
    } else {
        *state = VIRTIO_MEM_STATE_MIXED;
    }
    return VIRTIO_MEM_RESP_ACK;
}

static void handle_request(VirtIOMEM *vmem, VirtQueueElement *elem,
                           const Request *req)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    uint16_t type = VIRTIO_MEM_RESP_ERROR;
    uint16_t state = 0;

    vmem->nr_requests++;
    if (batch->nr_joined && req->type != batch->joined_type) {
        carry_out_joined(vmem);
    }
    if (req->type != VIRTIO_MEM_REQ_PLUG) {
        batch->plugged = 0;
    }
    switch (req->type) {
    case VIRTIO_MEM_REQ_PLUG:
        type = admit_plug(vmem, elem, req);
        if (type == VIRTIO_MEM_RESP_ACK) {
            type = plug(vmem, req);
        }
        break;
    case VIRTIO_MEM_REQ_UNPLUG:
        type = admit_unplug(vmem, elem, req);
        break;
    case VIRTIO_MEM_REQ_UNPLUG_ALL:
        type = unplug_all(vmem, elem);
        break;
    case VIRTIO_MEM_REQ_STATE:
        type = get_state(vmem, elem, req, &state);
        break;
    default:
        /* What we do not know. */
        break;
    }
    if (type != LATER) {
        write_response(vmem, elem, type, state);
    }
    batch->elems[batch->nr_elems++] = elem;
}

void virtio_mem_handle_request(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOMEM *vmem = VIRTIO_MEM(vdev);
    uint64_t old_size = vmem->blocks.populated;
    VirtIOMEMBatch *batch = &vmem->batch;
    VirtQueueElement *elem;
    Request req;

    batch->generation = memory_map_generation();
    batch->plugged = 0;
    batch->joins_plugs = virtio_mem_joins_plugs(vmem);
    while (batch->nr_elems < VIRTIO_MEM_QUEUE_SIZE && !virtio_mem_rests(vmem) &&
           (elem = virtqueue_pop(vq, sizeof(VirtQueueElement)))) {
        if (!read_request(vmem, elem, &req)) {
            virtio_error(vdev, "a request has %zu bytes and room "
                         "for %zu of response; needed are %zu and %zu",
                         iov_size(elem->out_sg, elem->out_num),
                         iov_size(elem->in_sg, elem->in_num),
                         sizeof(struct virtio_mem_req),
                         sizeof(struct virtio_mem_resp));
            virtqueue_detach_element(vq, elem, 0);
            virtqueue_free_element(vq, elem);
            break;
        }
        handle_request(vmem, elem, &req);
    }
    /* A guest that adds requests as fast as they are handled must not keep the
     * main loop from everything else. */
    if (batch->nr_elems == VIRTIO_MEM_QUEUE_SIZE) {
        virtio_queue_kick_later(vq);
    }
    publish_batch(vmem);
    virtio_mem_notify_size_change(vmem, old_size);
}
