/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: the guest's requests (virtio 1.2, 5.15.6). All that one kick
 * finds in the ring, a ring's worth at most, is handled in one pass: adjacent unplugs in a row are
 * carried out by one discard, and all responses are published, and the guest
 * is interrupted, once. A request is wholly carried out or has no effect.
 *
 * Everything here is the guest's word: it is copied once, checked, then acted
 * upon. Nothing is allocated.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "qemu/iov.h"
#include "trace.h"

/* A request in the host's byte order, its range as an offset. */
typedef struct Request {
    uint16_t type;
    uint64_t gpa;
    uint64_t offset;                  /* into the region */
    uint64_t size;
} Request;

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

/* Discards what the joined unplugs at the end of the batch cover. */
static void carry_out_joined(VirtIOMEM *vmem)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    uint16_t type = VIRTIO_MEM_RESP_ACK;

    if (!batch->nr_joined) {
        return;
    }
    if (ram_discard_blocks_discard(&vmem->blocks, batch->joined_offset,
                                   batch->joined_size)) {
        type = VIRTIO_MEM_RESP_BUSY;
    }
    for (unsigned i = 1; i <= batch->nr_joined; i++) {
        write_response(vmem, batch->elems[batch->nr_elems - i], type, 0);
    }
    batch->nr_joined = 0;
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

static uint16_t plug(VirtIOMEM *vmem, const VirtQueueElement *elem,
                     const Request *req)
{
    uint64_t plugged = vmem->blocks.populated;

    trace_virtio_mem_plug_request(elem->index, req->offset, req->size);
    if (!is_valid_range(vmem, req)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    if (plugged > vmem->requested_size ||
        req->size > vmem->requested_size - plugged) {
        return VIRTIO_MEM_RESP_NACK;
    }
    if (!ram_discard_blocks_are_discarded(&vmem->blocks, req->offset,
                                        req->size)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    /*
     * An objection, or a lack of host memory, may pass. NACK says that the
     * requested size has changed: the driver would try again at once.
     */
    if (virtio_mem_prepare_plug(vmem, req->offset, req->size)) {
        return VIRTIO_MEM_RESP_BUSY;
    }
    if (ram_discard_blocks_populate(&vmem->blocks, req->offset, req->size)) {
        virtio_mem_cancel_plug(vmem, req->offset, req->size);
        return VIRTIO_MEM_RESP_BUSY;
    }
    return VIRTIO_MEM_RESP_ACK;
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

/* Extends the joined range by an adjacent one; false if it is not adjacent. */
static bool join(VirtIOMEMBatch *batch, const Request *req)
{
    if (req->offset == batch->joined_offset + batch->joined_size) {
        batch->joined_size += req->size;
        return true;
    }
    if (req->offset + req->size == batch->joined_offset) {
        batch->joined_offset = req->offset;
        batch->joined_size += req->size;
        return true;
    }
    return false;
}

/*
 * Leaves the unplug for carry_out_joined() and returns true; or false: ERROR.
 * A range that overlaps the joined one is not adjacent to it, so that the
 * joined one is discarded before the check finds it unplugged.
 */
static bool unplug_later(VirtIOMEM *vmem, const VirtQueueElement *elem,
                         const Request *req)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    bool joined;

    trace_virtio_mem_unplug_request(elem->index, req->offset, req->size);
    if (!is_valid_range(vmem, req)) {
        return false;
    }
    joined = batch->nr_joined &&
             ram_discard_blocks_are_populated(&vmem->blocks, req->offset,
                                            req->size) &&
             join(batch, req);
    if (!joined) {
        carry_out_joined(vmem);
        if (!ram_discard_blocks_are_populated(&vmem->blocks, req->offset,
                                            req->size)) {
            return false;
        }
        batch->joined_offset = req->offset;
        batch->joined_size = req->size;
    }
    batch->nr_joined++;
    return true;
}

static void handle_request(VirtIOMEM *vmem, VirtQueueElement *elem,
                           const Request *req)
{
    VirtIOMEMBatch *batch = &vmem->batch;
    uint16_t type = VIRTIO_MEM_RESP_ERROR;
    uint16_t state = 0;
    int64_t start;

    vmem->nr_requests++;
    if (req->type != VIRTIO_MEM_REQ_PLUG) {
        batch->plugged = 0;
    }
    if (req->type == VIRTIO_MEM_REQ_UNPLUG && unplug_later(vmem, elem, req)) {
        batch->elems[batch->nr_elems++] = elem;
        return;
    }
    carry_out_joined(vmem);
    switch (req->type) {
    case VIRTIO_MEM_REQ_PLUG:
        start = plug_begins(vmem);
        type = plug(vmem, elem, req);
        plug_ends(vmem, start, type == VIRTIO_MEM_RESP_ACK ? req->size : 0);
        break;
    case VIRTIO_MEM_REQ_UNPLUG_ALL:
        type = unplug_all(vmem, elem);
        break;
    case VIRTIO_MEM_REQ_STATE:
        type = get_state(vmem, elem, req, &state);
        break;
    default:
        /* An unplug that is not valid, or what we do not know. */
        break;
    }
    write_response(vmem, elem, type, state);
    batch->elems[batch->nr_elems++] = elem;
}

void virtio_mem_handle_request(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOMEM *vmem = VIRTIO_MEM(vdev);
    uint64_t old_size = vmem->blocks.populated;
    VirtQueueElement *elem;
    Request req;

    vmem->batch.generation = memory_map_generation();
    vmem->batch.plugged = 0;
    while (vmem->batch.nr_elems < VIRTIO_MEM_QUEUE_SIZE &&
           !virtio_mem_rests(vmem) &&
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
    if (vmem->batch.nr_elems == VIRTIO_MEM_QUEUE_SIZE) {
        virtio_queue_kick_later(vq);
    }
    publish_batch(vmem);
    virtio_mem_notify_size_change(vmem, old_size);
}
