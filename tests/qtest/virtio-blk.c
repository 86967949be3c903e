/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "virtio-blk.h"

void qvirtio_blk_init(QVirtioBlk *blk, QGuest *guest, unsigned nth)
{
    *blk = (QVirtioBlk) { 0 };
    qvirtio_pci_init(&blk->vdev, guest, VIRTIO_ID_BLOCK, nth);
    blk->features = qvirtio_start(
        &blk->vdev, ~(1ULL << VIRTIO_RING_F_EVENT_IDX |
                      1ULL << VIRTIO_F_RING_PACKED));
    qvirtqueue_init(&blk->vq, &blk->vdev, 0, 0);
    qvirtio_driver_ok(&blk->vdev);
    blk->header = qguest_alloc(guest, sizeof(struct virtio_blk_outhdr), 16);
    blk->status = qguest_alloc(guest, 1, 1);
}

void qvirtio_blk_add(QVirtioBlk *blk, uint32_t type, uint64_t sector,
                     uint64_t data, uint32_t len, bool in)
{
    const struct virtio_blk_outhdr header = { .type = type, .sector = sector };
    QVirtioBuffer bufs[3] = { { blk->header, sizeof(header), false } };
    unsigned n = 1;

    if (len) {
        bufs[n++] = (QVirtioBuffer) { data, len, in };
    }
    bufs[n++] = (QVirtioBuffer) { blk->status, 1, true };
    qtest_memwrite(blk->vdev.pci.guest->qts, blk->header, &header,
                   sizeof(header));
    qtest_writeb(blk->vdev.pci.guest->qts, blk->status, 0xff);
    qvirtqueue_add(&blk->vq, bufs, n);
}

uint8_t qvirtio_blk_wait(QVirtioBlk *blk, uint32_t *written)
{
    qvirtqueue_wait(&blk->vq, written);
    return qtest_readb(blk->vdev.pci.guest->qts, blk->status);
}

uint8_t qvirtio_blk_request(QVirtioBlk *blk, uint32_t type, uint64_t sector,
                            uint64_t data, uint32_t len, bool in,
                            uint32_t *written)
{
    qvirtio_blk_add(blk, type, sector, data, len, in);
    qvirtqueue_kick(&blk->vq);
    return qvirtio_blk_wait(blk, written);
}

uint64_t qvirtio_blk_capacity(QVirtioBlk *blk)
{
    return qtest_readq(blk->vdev.pci.guest->qts, blk->vdev.config +
                       offsetof(struct virtio_blk_config, capacity));
}
