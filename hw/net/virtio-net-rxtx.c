/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net's frames (VIRTIO 1.2, 5.1.6). A frame that the ring of the driver
 * has no room for is the netdev's to keep, one that the netdev has no room for
 * stays in the driver's ring: neither is copied to wait, and none of the guest's
 * memory is held on to, so that it can be unplugged.
 */
#include "qemu/osdep.h"

#include <linux/if_ether.h>

#include "qemu/iov.h"
#include "virtio-net.h"

/* Frames that are sent before others have their turn. */
#define TX_BURST 256

/* --- to the driver -------------------------------------------------------- */

/* Buffers of the driver that one frame is written to. */
typedef struct RxBuffers {
    VirtQueueElement *elems[VIRTQUEUE_MAX_SIZE];
    uint32_t used[VIRTQUEUE_MAX_SIZE];    /* bytes written */
    unsigned n;
} RxBuffers;

static void give_back(VirtQueue *vq, RxBuffers *b)
{
    while (b->n) {
        VirtQueueElement *elem = b->elems[--b->n];

        virtqueue_unpop(vq, elem, 0);
        virtqueue_free_element(vq, elem);
    }
}

/* The next buffer; NULL: there is none, or it cannot take what is needed. */
static VirtQueueElement *take_buffer(VirtIONet *n, VirtQueue *vq, RxBuffers *b,
                                     size_t needed, bool *too_small)
{
    bool merged = virtio_vdev_has_feature(VIRTIO_DEVICE(n),
                                          VIRTIO_NET_F_MRG_RXBUF);
    VirtQueueElement *elem = NULL;
    size_t room;

    if (b->n < VIRTQUEUE_MAX_SIZE) {
        elem = virtqueue_pop(vq, sizeof(*elem));
    }
    if (!elem) {
        return NULL;
    }
    b->elems[b->n++] = elem;
    room = iov_size(elem->in_sg, elem->in_num);
    *too_small = merged ? room < VNET_HDR_SIZE : room < needed;
    return *too_small ? NULL : elem;
}

/* Writes the header and the frame to as many buffers as it takes. False: there
 * are too few, or *too_small. */
static bool write_frame(VirtIONet *n, VirtQueue *vq, RxBuffers *b,
                        const struct iovec *iov, unsigned iov_cnt,
                        bool *too_small)
{
    struct virtio_net_hdr_v1 hdr = { };
    size_t at = n->has_vnet_hdr ? VNET_HDR_SIZE : 0;
    size_t left = iov_size(iov, iov_cnt) - at;

    iov_to_buf(iov, iov_cnt, 0, &hdr, at);
    do {
        size_t head = b->n ? 0 : VNET_HDR_SIZE, size;
        VirtQueueElement *elem = take_buffer(n, vq, b, head + left, too_small);

        if (!elem) {
            return false;
        }
        size = iov_to_iov(elem->in_sg, elem->in_num, head, iov, iov_cnt, at,
                          left);
        b->used[b->n - 1] = head + size;
        at += size;
        left -= size;
    } while (left);
    hdr.num_buffers = GUINT16_TO_LE(b->n);
    iov_from_buf(b->elems[0]->in_sg, b->elems[0]->in_num, 0, &hdr, sizeof(hdr));
    return true;
}

/* They are published, and the driver is interrupted, once for a burst. */
static void fill(VirtIONetPair *pair, RxBuffers *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        virtqueue_fill(pair->rx, b->elems[i], b->used[i], pair->rx_filled++);
        virtqueue_free_element(pair->rx, b->elems[i]);
    }
}

static VirtIONetPair *pair_of(VirtIONet *n, const NetEnd *end)
{
    return &n->pairs[end->index % n->pairs_used];
}

static void virtio_net_flush(NetEnd *end)
{
    VirtIONet *n = end->owner;
    VirtIONetPair *pair = pair_of(n, end);

    if (pair->rx_filled) {
        virtqueue_flush(pair->rx, pair->rx_filled);
        pair->rx_filled = 0;
        virtio_notify(VIRTIO_DEVICE(n), pair->rx);
    }
}

static bool is_wanted(const VirtIONet *n, const struct iovec *iov,
                      unsigned iov_cnt)
{
    uint8_t head[ETH_HLEN + 2];           /* with the number of a VLAN */
    size_t at = n->has_vnet_hdr ? VNET_HDR_SIZE : 0;
    size_t size = iov_to_buf(iov, iov_cnt, at, head, sizeof(head));

    return size >= ETH_HLEN && virtio_net_filter_passes(n, head, size);
}

static bool virtio_net_receive(NetEnd *end, const struct iovec *iov,
                               unsigned iov_cnt)
{
    VirtIONet *n = end->owner;
    VirtIODevice *vdev = VIRTIO_DEVICE(n);
    VirtIONetPair *pair = pair_of(n, end);
    VirtQueue *vq = pair->rx;
    bool too_small = false;
    RxBuffers b;

    if (n->served || !virtio_device_ready(vdev)) {
        return true;
    }
    if (!vdev->vm_running) {
        virtio_queue_kick_later(vq);
        return false;
    }
    if (!is_wanted(n, iov, iov_cnt)) {
        return true;
    }
    b.n = 0;
    if (write_frame(n, vq, &b, iov, iov_cnt, &too_small)) {
        fill(pair, &b);
        return true;
    }
    give_back(vq, &b);
    return too_small || vdev->broken;
}

/* All pairs: a frame of any may go to this queue. */
void virtio_net_handle_rx(VirtIONet *n, unsigned pair)
{
    for (unsigned i = 0; i < n->max_pairs; i++) {
        if (i % n->pairs_used == pair) {
            net_end_has_room(&n->ends[i]);
        }
    }
}

/* --- from the driver ------------------------------------------------------ */

/* Sends without the header, which the netdev does not know. */
static bool send_without_header(NetEnd *end, const VirtQueueElement *elem)
{
    struct iovec iov[VIRTQUEUE_MAX_SIZE];
    unsigned n = 0;
    size_t skip = VNET_HDR_SIZE;

    for (unsigned i = 0; i < elem->out_num; i++) {
        const struct iovec *from = &elem->out_sg[i];

        if (from->iov_len > skip) {
            iov[n++] = (struct iovec) { (char *)from->iov_base + skip,
                                        from->iov_len - skip };
            skip = 0;
        } else {
            skip -= from->iov_len;
        }
    }
    return net_end_send(end, iov, n);
}

/* False: the netdev has no room. */
static bool send_frame(VirtIONet *n, unsigned pair, const VirtQueueElement *elem)
{
    NetEnd *end = &n->ends[pair];

    if (iov_size(elem->out_sg, elem->out_num) > VNET_HDR_SIZE + NET_FRAME_MAX) {
        return true;                      /* no network takes that */
    }
    return n->has_vnet_hdr ? net_end_send(end, elem->out_sg, elem->out_num)
                           : send_without_header(end, elem);
}

static bool check_frame(VirtIONet *n, const VirtQueueElement *elem)
{
    size_t size = iov_size(elem->out_sg, elem->out_num);

    if (size < VNET_HDR_SIZE + ETH_HLEN) {
        virtio_error(VIRTIO_DEVICE(n), "a frame to send has %zu bytes with its "
                     "header, fewer than %zu", size, VNET_HDR_SIZE + ETH_HLEN);
        return false;
    }
    return true;
}

/* The next; NULL: there is none. */
static VirtQueueElement *next_to_send(VirtIONet *n, VirtQueue *vq)
{
    VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem));

    if (elem && !check_frame(n, elem)) {
        virtqueue_detach_element(vq, elem, 0);
        virtqueue_free_element(vq, elem);
        return NULL;
    }
    return elem;
}

void virtio_net_handle_tx(VirtIONet *n, unsigned pair)
{
    VirtQueue *vq = n->pairs[pair].tx;
    VirtQueueElement *elem;
    unsigned sent = 0;
    bool room = !n->served;

    while (room && sent < TX_BURST && (elem = next_to_send(n, vq))) {
        room = send_frame(n, pair, elem);
        if (room) {
            virtqueue_fill(vq, elem, 0, sent++);
        } else {
            virtqueue_unpop(vq, elem, 0);
        }
        virtqueue_free_element(vq, elem);
    }
    net_end_flush(&n->ends[pair]);
    if (sent) {
        virtqueue_flush(vq, sent);
        virtio_notify(VIRTIO_DEVICE(n), vq);
    }
    if (sent == TX_BURST) {
        virtio_queue_kick_later(vq);
    }
}

/* Later: the VM may be stopped, and the netdev is in the midst of something. */
static void virtio_net_peer_has_room(NetEnd *end)
{
    VirtIONet *n = end->owner;

    virtio_queue_kick_later(n->pairs[end->index].tx);
}

const NetEndOps virtio_net_end_ops = {
    .receive = virtio_net_receive,
    .flush = virtio_net_flush,
    .peer_has_room = virtio_net_peer_has_room,
    .link_changed = virtio_net_link_changed,
};
