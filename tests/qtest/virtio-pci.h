/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver for modern virtio devices over PCI (virtio 1.2, 4.1) with split
 * virtqueues (2.7), or packed ones (2.8) if these are negotiated: enough to be a
 * well-behaved one, and to be a bad one by writing to the rings' memory.
 */
#ifndef QTEST_VIRTIO_PCI_H
#define QTEST_VIRTIO_PCI_H

#include "pci.h"

#define QVIRTIO_VENDOR 0x1af4
#define QVIRTIO_DEVICE(type) (0x1040 + (type))
/* Why a device interrupts; with MSI-X, also the vectors. */
typedef enum QVirtioInterrupt {
    QVIRTIO_CONFIG_CHANGED,
    QVIRTIO_QUEUE_USED,
    QVIRTIO_NR_INTERRUPTS,
} QVirtioInterrupt;

typedef struct QVirtioPCI {
    QPCIDevice pci;
    uint64_t common;                      /* guest physical addresses */
    uint64_t notify;
    uint32_t notify_multiplier;
    uint64_t isr;
    uint64_t config;
    uint64_t features;                    /* taken by qvirtio_start() */
    bool has_msix;
    bool isr_seen[QVIRTIO_NR_INTERRUPTS]; /* read from isr, not yet asked for */
} QVirtioPCI;

/* The most entries that a queue may have here. */
#define QVIRTQUEUE_MAX 1024

typedef struct QVirtQueue {
    QVirtioPCI *dev;
    uint16_t index;
    uint16_t size;
    uint64_t desc;                        /* guest physical addresses */
    uint64_t avail;
    uint64_t used;
    uint64_t doorbell;
    uint16_t next_desc;
    uint16_t avail_idx;
    uint16_t used_idx;                    /* what has been taken */
    bool packed;
    bool wrap;                            /* the counter at next_desc */
    bool used_wrap;                       /* ... at used_idx */
    uint16_t chain[QVIRTQUEUE_MAX];       /* packed: descriptors of each id */
} QVirtQueue;

/* One buffer of a chain. */
typedef struct QVirtioBuffer {
    uint64_t addr;
    uint32_t len;
    bool device_writes;
} QVirtioBuffer;

/* The @nth device of virtio type @type; finds its structures, enables MSI-X if
 * there is. */
void qvirtio_pci_init(QVirtioPCI *dev, QGuest *guest, uint16_t type,
                      unsigned nth);
/* Resets, then goes as far as FEATURES_OK with what of @wanted is offered; the
 * features taken. */
uint64_t qvirtio_start(QVirtioPCI *dev, uint64_t wanted);
void qvirtio_driver_ok(QVirtioPCI *dev);
void qvirtio_reset(QVirtioPCI *dev);
uint8_t qvirtio_status(QVirtioPCI *dev);
uint64_t qvirtio_features(QVirtioPCI *dev);
/* Waits for an interrupt that has not been taken yet. */
void qvirtio_wait_interrupt(QVirtioPCI *dev, QVirtioInterrupt which);
/* Whether there is one, now; takes it. */
bool qvirtio_take_interrupt(QVirtioPCI *dev, QVirtioInterrupt which);

/* Sets up queue @index with rings in new boot RAM, or at @rings if not 0. */
void qvirtqueue_init(QVirtQueue *vq, QVirtioPCI *dev, uint16_t index,
                     uint64_t rings);
/* Bytes that the rings of a queue of @size take. */
uint64_t qvirtqueue_ring_bytes(uint16_t size);
/* Makes @n buffers available as one chain; the head. Without a kick. */
uint16_t qvirtqueue_add(QVirtQueue *vq, const QVirtioBuffer *bufs, unsigned n);
void qvirtqueue_kick(QVirtQueue *vq);
/* Waits for the next used element; its head, and *len if not NULL. */
uint16_t qvirtqueue_wait(QVirtQueue *vq, uint32_t *len);
/* Whether there is one, now. */
bool qvirtqueue_has_used(QVirtQueue *vq);

#endif
