/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices of the guest, as net/ knows them: by a name, and by their ends
 * of the queue pairs. For set_link and for people. Big lock held.
 */
#ifndef NET_NET_DEVICE_H
#define NET_NET_DEVICE_H

#include "net/net.h"
#include "qemu/queue.h"

/* An Ethernet address; all zero: none. */
#define NET_MAC_SIZE 6
typedef struct MACAddr {
    uint8_t a[NET_MAC_SIZE];
} MACAddr;

/* A device of the guest; part of its state. */
typedef struct NetDevice {
    const char *model;                    /* for people, e.g. "virtio-net-pci" */
    char *name;                           /* its id, or one that it was given */
    MACAddr mac;
    NetEnd *ends;
    unsigned nr_ends;
    /* Optional: the driver is to tell the network of its addresses. */
    void (*announce)(struct NetDevice *dev);
    QTAILQ_ENTRY(NetDevice) node;
} NetDevice;

/*
 * Adds @dev, of which model, mac, ends and nr_ends are set, and connects it to
 * the netdev @netdev (NULL: to none). @id: NULL if it has none; a mac that is
 * zero becomes the next free one. False and *errp: nothing was done.
 */
bool net_device_add(NetDevice *dev, const char *id, const char *netdev,
                    Error **errp);
/* The reverse. */
void net_device_remove(NetDevice *dev);

/* Calls @fn for each device. */
void net_device_foreach(void (*fn)(NetDevice *dev, void *opaque), void *opaque);

/* Puts the link of the device or netdev @name up or down; false and *errp: there
 * is none. */
bool net_set_link(const char *name, bool up, Error **errp);

/* "52:54:00:12:34:56"; g_free(). */
char *net_mac_text(const MACAddr *mac);
/* The reverse; false: it is no address of one station. */
bool net_mac_parse(const char *text, MACAddr *mac);

#endif
