/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-mem driver. */
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stddef.h>

#include "virtio-mem.h"

static void start(QVirtioMem *vmem)
{
    /* Packed queues where packed=on offers them. */
    vmem->features = qvirtio_start(
        &vmem->vdev, 1ULL << VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE |
        1ULL << VIRTIO_F_RING_PACKED);
    qvirtqueue_init(&vmem->vq, &vmem->vdev, 0, 0);
    qvirtio_driver_ok(&vmem->vdev);
}

void qvirtio_mem_init(QVirtioMem *vmem, QGuest *guest, unsigned nth)
{
    qvirtio_pci_init(&vmem->vdev, guest, VIRTIO_ID_MEM, nth);
    vmem->request = qguest_alloc(guest, sizeof(struct virtio_mem_req), 8);
    vmem->response = qguest_alloc(guest, sizeof(struct virtio_mem_resp), 8);
    vmem->requests = qguest_alloc(
        guest, QVIRTIO_MEM_BATCH * sizeof(struct virtio_mem_req), 8);
    vmem->responses = qguest_alloc(
        guest, QVIRTIO_MEM_BATCH * sizeof(struct virtio_mem_resp), 8);
    start(vmem);
}

void qvirtio_mem_restart(QVirtioMem *vmem)
{
    start(vmem);
}

#define READ_CONFIG(width, field)                                            \
    (config->field = qtest_read##width(                                      \
         s, vmem->vdev.config + offsetof(struct virtio_mem_config, field)))

void qvirtio_mem_config(QVirtioMem *vmem, struct virtio_mem_config *config)
{
    QTestState *s = vmem->vdev.pci.guest->qts;

    READ_CONFIG(q, block_size);
    READ_CONFIG(w, node_id);
    READ_CONFIG(q, addr);
    READ_CONFIG(q, region_size);
    READ_CONFIG(q, usable_region_size);
    READ_CONFIG(q, plugged_size);
    READ_CONFIG(q, requested_size);
}

struct virtio_mem_req qvirtio_mem_make_request(uint16_t type, uint64_t addr,
                                               uint16_t nb_blocks)
{
    struct virtio_mem_req req = { .type = type };

    /* The three kinds of request with a range are laid out alike. */
    req.u.plug.addr = addr;
    req.u.plug.nb_blocks = nb_blocks;
    return req;
}

void qvirtio_mem_batch(QVirtioMem *vmem, const struct virtio_mem_req *reqs,
                       struct virtio_mem_resp *resps, unsigned n)
{
    QTestState *s = vmem->vdev.pci.guest->qts;
    uint16_t heads[QVIRTIO_MEM_BATCH];

    g_assert_cmpuint(n, <=, QVIRTIO_MEM_BATCH);
    qtest_memwrite(s, vmem->requests, reqs, n * sizeof(*reqs));
    for (unsigned i = 0; i < n; i++) {
        const QVirtioBuffer bufs[] = {
            { vmem->requests + i * sizeof(*reqs), sizeof(*reqs), false },
            { vmem->responses + i * sizeof(*resps), sizeof(*resps), true },
        };

        heads[i] = qvirtqueue_add(&vmem->vq, bufs, G_N_ELEMENTS(bufs));
    }
    qvirtqueue_kick(&vmem->vq);
    for (unsigned i = 0; i < n; i++) {
        uint32_t len;

        g_assert_cmpuint(qvirtqueue_wait(&vmem->vq, &len), ==, heads[i]);
        g_assert_cmpuint(len, ==, sizeof(*resps));
    }
    qtest_memread(s, vmem->responses, resps, n * sizeof(*resps));
}

uint16_t qvirtio_mem_request(QVirtioMem *vmem, uint16_t type, uint64_t addr,
                             uint16_t nb_blocks, uint16_t *state)
{
    QTestState *s = vmem->vdev.pci.guest->qts;
    struct virtio_mem_req req = qvirtio_mem_make_request(type, addr, nb_blocks);
    struct virtio_mem_resp resp = { .type = 0xffff };
    const QVirtioBuffer bufs[] = {
        { vmem->request, sizeof(req), false },
        { vmem->response, sizeof(resp), true },
    };

    qtest_memwrite(s, vmem->request, &req, sizeof(req));
    qtest_memwrite(s, vmem->response, &resp, sizeof(resp));
    qvirtqueue_add(&vmem->vq, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&vmem->vq);
    qvirtqueue_wait(&vmem->vq, NULL);
    qtest_memread(s, vmem->response, &resp, sizeof(resp));
    if (state) {
        *state = resp.u.state.state;
    }
    return resp.type;
}

uint16_t qvirtio_mem_plug(QVirtioMem *vmem, uint64_t addr, uint16_t nb_blocks)
{
    return qvirtio_mem_request(vmem, VIRTIO_MEM_REQ_PLUG, addr, nb_blocks,
                               NULL);
}

uint16_t qvirtio_mem_unplug(QVirtioMem *vmem, uint64_t addr,
                            uint16_t nb_blocks)
{
    return qvirtio_mem_request(vmem, VIRTIO_MEM_REQ_UNPLUG, addr, nb_blocks,
                               NULL);
}

uint16_t qvirtio_mem_unplug_all(QVirtioMem *vmem)
{
    return qvirtio_mem_request(vmem, VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0, NULL);
}

uint16_t qvirtio_mem_state(QVirtioMem *vmem, uint64_t addr, uint16_t nb_blocks)
{
    uint16_t state;

    g_assert_cmpuint(qvirtio_mem_request(vmem, VIRTIO_MEM_REQ_STATE, addr,
                                         nb_blocks, &state), ==,
                     VIRTIO_MEM_RESP_ACK);
    return state;
}
