/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net (VIRTIO 1.2, 5.1): a network device with queue pairs, merged receive
 * buffers, a control queue, and, where the netdev can (tap), checksums and
 * segmentation left to the host.
 *
 * virtio-net.c has the device and its configuration, virtio-net-rxtx.c frames,
 * virtio-net-ctrl.c the control queue and what it sets: which frames the driver
 * wants to see; virtio-net-vhost.c those who move frames instead of this process.
 * Nobody else looks inside. With iothread=, queues and the netdev are of turns of that
 * thread, all else pauses it.
 */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

/* Before virtio.h, which includes it without the names of the legacy header. */
#include <linux/virtio_net.h>

#include "hw/virtio/vhost-net.h"
#include "hw/virtio/vhost-user-net.h"
#include "hw/virtio/virtio.h"
#include "net/net-device.h"
#include "qemu/bitmap.h"

#define TYPE_VIRTIO_NET "virtio-net-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIONet, VIRTIO_NET)

/* Before each frame, in either direction. */
#define VNET_HDR_SIZE sizeof(struct virtio_net_hdr_v1)
#define MAC_TABLE_SIZE 64                 /* addresses to which it listens */
#define VLANS 4096

/* What the driver wants to receive. */
typedef struct VirtIONetFilter {
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    MACAddr mac;                          /* its own */
    MACAddr uni[MAC_TABLE_SIZE];
    MACAddr multi[MAC_TABLE_SIZE];
    unsigned nr_uni, nr_multi;
    bool any_uni, any_multi;              /* more than the table has room for */
    unsigned long vlans[BITS_TO_LONGS(VLANS)];
} VirtIONetFilter;

typedef struct VirtIONetPair {
    VirtQueue *rx;
    VirtQueue *tx;
    unsigned rx_filled;                   /* buffers that are not published yet */
    VhostNet *vhost;                      /* the kernel works them; or NULL */
} VirtIONetPair;

struct VirtIONet {
    VirtIODevice parent_obj;

    /* Properties, beside feature bits. */
    char *netdev;
    MACAddr mac;
    uint16_t rx_queue_size, tx_queue_size;
    uint16_t host_mtu;                    /* 0: not told */
    IOThread *iothread;                   /* has the queues and the netdev */

    NetDevice net;
    NetEnd ends[NET_QUEUES_MAX];
    VirtIONetPair pairs[NET_QUEUES_MAX];
    VirtQueue *ctrl;
    unsigned max_pairs, pairs_used;       /* used: as the driver says */
    VhostUserNet *vhost_user;             /* works all pairs; or NULL */
    bool served;                          /* it does, or has until its netdev
                                             went: no pair is ours */
    bool has_vnet_hdr;                    /* the netdev's frames have one */
    bool link_up;                         /* as the driver was told */
    bool announce;                        /* the driver is to tell the network
                                             of its addresses, and has not yet */
    VirtIONetFilter filter;
};

/* The driver uses @pairs queue pairs. */
void virtio_net_use_pairs(VirtIONet *n, unsigned pairs);

/* --- virtio-net-rxtx.c --- */

extern const NetEndOps virtio_net_end_ops;

/* The driver has made room, or frames, available. */
void virtio_net_handle_rx(VirtIONet *n, unsigned pair);
void virtio_net_handle_tx(VirtIONet *n, unsigned pair);

/* --- virtio-net-ctrl.c --- */

void virtio_net_handle_ctrl(VirtIONet *n);
/* The driver sees all that is for it, as one without a control queue needs. */
void virtio_net_filter_reset(VirtIONet *n);
/* Whether the driver wants the frame that begins with these @size bytes, at
 * least an Ethernet header. */
bool virtio_net_filter_passes(const VirtIONet *n, const uint8_t *frame,
                              size_t size);

/* --- virtio-net-vhost.c --- */

/* DeviceClass.prepare of the device that @n is a part of. */
void virtio_net_prepare(VirtIONet *n, Error **errp);
/* Queues are there. False and *errp: nothing is left of it. */
bool virtio_net_add_vhost(VirtIONet *n, Error **errp);
void virtio_net_remove_vhost(VirtIONet *n);
/* If the netdev has gone, so does a back end that had its character device. */
void virtio_net_lose_vhost_user(VirtIONet *n);
/* Whether who works the pairs, if it is not this process, is there. */
bool virtio_net_vhost_is_up(const VirtIONet *n);
/* @features without those that it has not. */
uint64_t virtio_net_vhost_features(const VirtIONet *n, uint64_t features);
/* VirtioDeviceClass.run_changed; the link has changed, too. */
void virtio_net_run_changed(VirtIODevice *vdev);

/* --- virtio-net.c --- */

/* NULL: none, or none any more. */
Netdev *virtio_net_netdev(const VirtIONet *n);

/* The netdev shall hand on what these features allow. */
void virtio_net_set_offload(VirtIONet *n, uint64_t features);
/* Tells the driver if the link has changed. */
void virtio_net_link_changed(NetEnd *end);

#endif
