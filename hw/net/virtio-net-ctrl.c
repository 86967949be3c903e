/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net's control queue (VIRTIO 1.2, 5.1.6.5), and the filter of received
 * frames that it sets. A command that makes no sense is answered by
 * VIRTIO_NET_ERR and changes nothing.
 */
#include "qemu/osdep.h"

#include <linux/if_ether.h>

#include "qemu/iov.h"
#include "virtio-net.h"

/* Commands that are served before others have their turn. */
#define CTRL_BURST 64
/* The largest command: two tables of addresses, each of any length that a driver
 * may send before it resorts to all. */
#define CTRL_MAX (64 * 1024)

/* What is left to read of a command. */
typedef struct Args {
    const uint8_t *at;
    size_t left;
} Args;

static bool take(Args *args, void *value, size_t size)
{
    if (args->left < size) {
        return false;
    }
    memcpy(value, args->at, size);
    args->at += size;
    args->left -= size;
    return true;
}

static bool take_u16(Args *args, uint16_t *value)
{
    uint16_t le;

    if (!take(args, &le, sizeof(le))) {
        return false;
    }
    *value = GUINT16_FROM_LE(le);
    return true;
}

/* --- what is received ----------------------------------------------------- */

static bool set_rx_mode(VirtIONetFilter *f, uint8_t cmd, Args *args)
{
    bool *const modes[] = {
        [VIRTIO_NET_CTRL_RX_PROMISC] = &f->promisc,
        [VIRTIO_NET_CTRL_RX_ALLMULTI] = &f->allmulti,
        [VIRTIO_NET_CTRL_RX_ALLUNI] = &f->alluni,
        [VIRTIO_NET_CTRL_RX_NOMULTI] = &f->nomulti,
        [VIRTIO_NET_CTRL_RX_NOUNI] = &f->nouni,
        [VIRTIO_NET_CTRL_RX_NOBCAST] = &f->nobcast,
    };
    uint8_t on;

    if (cmd >= ARRAY_SIZE(modes) || !take(args, &on, sizeof(on))) {
        return false;
    }
    *modes[cmd] = on;
    return true;
}

/* A table of addresses; one that is too long means all of its kind. */
static bool take_table(Args *args, MACAddr *table, unsigned *n, bool *any)
{
    uint32_t entries;
    size_t size;

    if (!take(args, &entries, sizeof(entries))) {
        return false;
    }
    entries = GUINT32_FROM_LE(entries);
    if (entries > args->left / NET_MAC_SIZE) {
        return false;
    }
    size = entries * NET_MAC_SIZE;
    *any = entries > MAC_TABLE_SIZE;
    *n = *any ? 0 : entries;
    memcpy(table, args->at, *n * NET_MAC_SIZE);
    args->at += size;
    args->left -= size;
    return true;
}

static bool set_mac(VirtIONet *n, uint8_t cmd, Args *args)
{
    VirtIONetFilter new = n->filter;
    bool ok = false;

    if (cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET) {
        ok = take(args, &new.mac, NET_MAC_SIZE);
    } else if (cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET) {
        ok = take_table(args, new.uni, &new.nr_uni, &new.any_uni) &&
             take_table(args, new.multi, &new.nr_multi, &new.any_multi);
    }
    if (ok && !args->left) {
        n->filter = new;
    }
    return ok && !args->left;
}

static bool set_vlan(VirtIONetFilter *f, uint8_t cmd, Args *args)
{
    uint16_t vlan;

    if (!take_u16(args, &vlan) || vlan >= VLANS) {
        return false;
    }
    if (cmd == VIRTIO_NET_CTRL_VLAN_ADD) {
        set_bit(vlan, f->vlans);
    } else if (cmd == VIRTIO_NET_CTRL_VLAN_DEL) {
        clear_bit(vlan, f->vlans);
    } else {
        return false;
    }
    return true;
}

/* --- queues and offloads -------------------------------------------------- */

static bool set_pairs(VirtIONet *n, uint8_t cmd, Args *args)
{
    uint16_t pairs;

    if (cmd != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || !take_u16(args, &pairs) ||
        !virtio_vdev_has_feature(VIRTIO_DEVICE(n), VIRTIO_NET_F_MQ) ||
        pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || pairs > n->max_pairs) {
        return false;
    }
    virtio_net_use_pairs(n, pairs);
    return true;
}

static bool set_offloads(VirtIONet *n, uint8_t cmd, Args *args)
{
    uint64_t bits;

    if (cmd != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
        !virtio_vdev_has_feature(VIRTIO_DEVICE(n),
                                 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
        !take(args, &bits, sizeof(bits))) {
        return false;
    }
    bits = GUINT64_FROM_LE(bits);
    if (bits & ~VIRTIO_DEVICE(n)->guest_features) {
        return false;
    }
    virtio_net_set_offload(n, bits);
    return true;
}

/* The driver has announced itself. */
static bool acknowledge_announce(VirtIONet *n, uint8_t cmd)
{
    if (cmd != VIRTIO_NET_CTRL_ANNOUNCE_ACK || !n->announce) {
        return false;
    }
    n->announce = false;
    return true;
}

/* --- commands ------------------------------------------------------------- */

static bool obey(VirtIONet *n, const struct virtio_net_ctrl_hdr *hdr, Args *args)
{
    switch (hdr->class) {
    case VIRTIO_NET_CTRL_RX:
        return set_rx_mode(&n->filter, hdr->cmd, args);
    case VIRTIO_NET_CTRL_MAC:
        return set_mac(n, hdr->cmd, args);
    case VIRTIO_NET_CTRL_VLAN:
        return set_vlan(&n->filter, hdr->cmd, args);
    case VIRTIO_NET_CTRL_MQ:
        return set_pairs(n, hdr->cmd, args);
    case VIRTIO_NET_CTRL_ANNOUNCE:
        return acknowledge_announce(n, hdr->cmd);
    case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
        return set_offloads(n, hdr->cmd, args);
    default:
        return false;
    }
}

/* A copy is obeyed: the driver may change its own meanwhile. */
static virtio_net_ctrl_ack handle_command(VirtIONet *n,
                                          const VirtQueueElement *elem)
{
    size_t size = iov_size(elem->out_sg, elem->out_num);
    g_autofree uint8_t *copy = size <= CTRL_MAX ? g_malloc(size) : NULL;
    Args args = { copy, size };
    struct virtio_net_ctrl_hdr hdr;

    if (!copy) {
        return VIRTIO_NET_ERR;
    }
    iov_to_buf(elem->out_sg, elem->out_num, 0, copy, size);
    return take(&args, &hdr, sizeof(hdr)) && obey(n, &hdr, &args)
               ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
}

void virtio_net_handle_ctrl(VirtIONet *n)
{
    VirtQueueElement *elem;
    unsigned done = 0;

    while (done < CTRL_BURST && (elem = virtqueue_pop(n->ctrl, sizeof(*elem)))) {
        virtio_net_ctrl_ack ack = handle_command(n, elem);
        size_t size = iov_from_buf(elem->in_sg, elem->in_num, 0, &ack,
                                   sizeof(ack));

        virtqueue_fill(n->ctrl, elem, size, done++);
        virtqueue_free_element(n->ctrl, elem);
    }
    if (done) {
        virtqueue_flush(n->ctrl, done);
        virtio_notify(VIRTIO_DEVICE(n), n->ctrl);
    }
    if (done == CTRL_BURST) {
        virtio_queue_kick_later(n->ctrl);
    }
}

/* --- the filter ----------------------------------------------------------- */

void virtio_net_filter_reset(VirtIONet *n)
{
    n->filter = (VirtIONetFilter) { .promisc = true, .mac = n->mac };
}

static bool is_in(const MACAddr *table, unsigned n, const uint8_t *mac)
{
    for (unsigned i = 0; i < n; i++) {
        if (!memcmp(&table[i], mac, NET_MAC_SIZE)) {
            return true;
        }
    }
    return false;
}

/* Of the VLANs that the driver has named, if it says which it is in. */
static bool vlan_passes(const VirtIONet *n, const uint8_t *frame, size_t size)
{
    unsigned vlan;

    if (!virtio_vdev_has_feature(&n->parent_obj, VIRTIO_NET_F_CTRL_VLAN) ||
        size < ETH_HLEN + 2 || frame[12] != ETH_P_8021Q >> 8 ||
        frame[13] != (ETH_P_8021Q & 0xff)) {
        return true;
    }
    vlan = (frame[14] << 8 | frame[15]) % VLANS;
    return test_bit(vlan, n->filter.vlans);
}

bool virtio_net_filter_passes(const VirtIONet *n, const uint8_t *frame,
                              size_t size)
{
    static const uint8_t broadcast[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff,
                                                     0xff, 0xff };
    const VirtIONetFilter *f = &n->filter;

    if (f->promisc) {
        return true;
    }
    if (!vlan_passes(n, frame, size)) {
        return false;
    }
    if (!memcmp(frame, broadcast, NET_MAC_SIZE)) {
        return !f->nobcast;
    }
    if (frame[0] & 1) {
        return !f->nomulti && (f->allmulti || f->any_multi ||
                               is_in(f->multi, f->nr_multi, frame));
    }
    return !f->nouni && (f->alluni || f->any_uni ||
                         is_in(&f->mac, 1, frame) ||
                         is_in(f->uni, f->nr_uni, frame));
}
