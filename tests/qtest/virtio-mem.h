/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-mem driver (virtio 1.2, 5.15): requests, one at a time or many. */
#ifndef QTEST_VIRTIO_MEM_H
#define QTEST_VIRTIO_MEM_H

#include <linux/virtio_mem.h>

#include "virtio-pci.h"

/* The most requests of a kick here; each takes two descriptors. */
#define QVIRTIO_MEM_BATCH 64

typedef struct QVirtioMem {
    QVirtioPCI vdev;
    QVirtQueue vq;
    uint64_t features;
    uint64_t request;                     /* guest RAM of a request */
    uint64_t response;
    uint64_t requests;                    /* of QVIRTIO_MEM_BATCH of each */
    uint64_t responses;
} QVirtioMem;

/* The @nth virtio-mem device, started. */
void qvirtio_mem_init(QVirtioMem *vmem, QGuest *guest, unsigned nth);
/* Resets it and starts it again, as a driver does that is loaded anew. */
void qvirtio_mem_restart(QVirtioMem *vmem);
/* The configuration space, each field read by itself. */
void qvirtio_mem_config(QVirtioMem *vmem, struct virtio_mem_config *config);

/* Sends a request of @type for @nb_blocks at @addr; VIRTIO_MEM_RESP_*. *state,
 * if not NULL: VIRTIO_MEM_STATE_* of a STATE request. */
uint16_t qvirtio_mem_request(QVirtioMem *vmem, uint16_t type, uint64_t addr,
                             uint16_t nb_blocks, uint16_t *state);
/* Of plug, unplug and state. */
struct virtio_mem_req qvirtio_mem_make_request(uint16_t type, uint64_t addr,
                                               uint16_t nb_blocks);
/* Makes @n requests available, then kicks once. They are answered in order. */
void qvirtio_mem_batch(QVirtioMem *vmem, const struct virtio_mem_req *reqs,
                       struct virtio_mem_resp *resps, unsigned n);
uint16_t qvirtio_mem_plug(QVirtioMem *vmem, uint64_t addr, uint16_t nb_blocks);
uint16_t qvirtio_mem_unplug(QVirtioMem *vmem, uint64_t addr,
                            uint16_t nb_blocks);
uint16_t qvirtio_mem_unplug_all(QVirtioMem *vmem);
/* VIRTIO_MEM_STATE_*; the request must be acknowledged. */
uint16_t qvirtio_mem_state(QVirtioMem *vmem, uint64_t addr,
                           uint16_t nb_blocks);

#endif
