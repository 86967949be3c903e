/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-blk driver (virtio 1.2, 5.2): requests, one at a time or not. */
#ifndef QTEST_VIRTIO_BLK_H
#define QTEST_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#include "virtio-pci.h"

typedef struct QVirtioBlk {
    QVirtioPCI vdev;
    QVirtQueue vq;
    uint64_t features;
    uint64_t header;                      /* guest RAM of a request */
    uint64_t status;
} QVirtioBlk;

/* The @nth virtio-blk device, started with all that it offers. */
void qvirtio_blk_init(QVirtioBlk *blk, QGuest *guest, unsigned nth);
/* Makes a request available, of one buffer @data (@len 0: none), which the
 * device writes if @in. Without a kick. */
void qvirtio_blk_add(QVirtioBlk *blk, uint32_t type, uint64_t sector,
                     uint64_t data, uint32_t len, bool in);
/* The same with a kick; waits; the status. *written: may be NULL. */
uint8_t qvirtio_blk_request(QVirtioBlk *blk, uint32_t type, uint64_t sector,
                            uint64_t data, uint32_t len, bool in,
                            uint32_t *written);
/* Waits for the next one; its status, if it is the only one. */
uint8_t qvirtio_blk_wait(QVirtioBlk *blk, uint32_t *written);
uint64_t qvirtio_blk_capacity(QVirtioBlk *blk);

#endif
