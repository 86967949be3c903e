/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that leads a virtqueue into memory that is not plugged, or that it
 * unplugs meanwhile: each ring alone, tables, buffers, interrupts. The device
 * gets a transaction error and breaks at most; nothing is populated, and a
 * vfio-user device is shown nothing.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>

#include "coordination.h"
#include "memfd.h"
#include "qemu/units.h"

typedef struct Fixture {
    Coordination c;
    QVirtioMem *vmem;
    uint64_t addr;                        /* of the virtio-mem device */
    uint64_t hole;                        /* in it, never plugged */
    char *memfd;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
    f->vmem = &f->c.mem[0];
    f->addr = f->c.config[0].addr;
    f->hole = f->addr + 20 * BLOCK;
    f->memfd = qtest_find_memfd(f->c.qts, 256 * MiB);
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
    g_free(f->memfd);
}

/* --- a queue whose parts are apart ---------------------------------------- */

static void write_queue_address(Fixture *f, size_t low, uint64_t addr)
{
    uint64_t reg = f->vmem->vdev.common + low;

    qtest_writel(f->c.qts, reg, addr);
    qtest_writel(f->c.qts, reg + 4, addr >> 32);
}

/* Starts the device with its rings at these places; 0: in boot RAM. */
static void start_with_rings(Fixture *f, uint64_t desc, uint64_t avail,
                             uint64_t used, uint64_t features)
{
    QVirtioPCI *vdev = &f->vmem->vdev;
    QVirtQueue *vq = &f->vmem->vq;
    uint16_t size;

    qvirtio_start(vdev, f->vmem->features | features);
    qtest_writew(f->c.qts, vdev->common +
                 offsetof(struct virtio_pci_common_cfg, queue_select), 0);
    size = qtest_readw(f->c.qts, vdev->common +
                       offsetof(struct virtio_pci_common_cfg, queue_size));
    vq->desc = desc ?: qguest_alloc(&f->c.guest, 16 * size, 16);
    vq->avail = avail ?: qguest_alloc(&f->c.guest, 6 + 2 * size, 2);
    vq->used = used ?: qguest_alloc(&f->c.guest, 6 + 8 * size, 4);
    vq->next_desc = vq->avail_idx = vq->used_idx = 0;
    write_queue_address(f, VIRTIO_PCI_COMMON_Q_DESCLO, vq->desc);
    write_queue_address(f, VIRTIO_PCI_COMMON_Q_AVAILLO, vq->avail);
    write_queue_address(f, VIRTIO_PCI_COMMON_Q_USEDLO, vq->used);
    qtest_writew(f->c.qts, vdev->common + VIRTIO_PCI_COMMON_Q_MSIX, 1);
    qtest_writew(f->c.qts, vdev->common + VIRTIO_PCI_COMMON_Q_ENABLE, 1);
    qvirtio_driver_ok(vdev);
}

/* Makes @req, at @request, available, and kicks. */
static void send_request(Fixture *f, const struct virtio_mem_req *req,
                         uint64_t request, uint64_t response)
{
    const QVirtioBuffer bufs[] = {
        { request, sizeof(*req), false },
        { response, sizeof(struct virtio_mem_resp), true },
    };

    qtest_memwrite(f->c.qts, request, req, sizeof(*req));
    qvirtqueue_add(&f->vmem->vq, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&f->vmem->vq);
}

static void send_plug(Fixture *f, uint64_t request, uint64_t response)
{
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_PLUG };

    req.u.plug.addr = f->addr;
    req.u.plug.nb_blocks = 1;
    send_request(f, &req, request, response);
}

/* Until the device has given up. */
static void wait_broken(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!(qvirtio_status(&f->vmem->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* After a reset all is as if nothing had been. */
static void check_heals(Fixture *f, const char *plugged)
{
    g_assert_cmpuint(qtest_memfd_allocated(f->memfd), ==, 0);
    qvirtio_mem_restart(f->vmem);
    coordination_expect(&f->c, 0, plugged);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 10 * BLOCK, 1));
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + 10 * BLOCK, 1));
}

static void test_each_ring_in_discarded_memory(Fixture *f, const void *data)
{
    for (unsigned ring = 0; ring < 3; ring++) {
        start_with_rings(f, ring == 0 ? f->hole : 0, ring == 1 ? f->hole : 0,
                         ring == 2 ? f->hole : 0, 0);
        send_plug(f, f->vmem->request, f->vmem->response);
        wait_broken(f);
        check_heals(f, "");
    }
}

/* The device has used the ring already when it unplugs it: it cannot answer,
 * or finds out at the next kick. */
static void test_each_ring_unplugged_while_in_use(Fixture *f, const void *data)
{
    const uint64_t at = f->addr + 5 * BLOCK;

    for (unsigned ring = 0; ring < 3; ring++) {
        struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG };

        assert_ack(qvirtio_mem_plug(f->vmem, at, 1));
        start_with_rings(f, ring == 0 ? at : 0, ring == 1 ? at : 0,
                         ring == 2 ? at : 0, 0);
        g_assert_cmpuint(qvirtio_mem_state(f->vmem, at, 1), ==,
                         VIRTIO_MEM_STATE_PLUGGED);
        req.u.unplug.addr = at;
        req.u.unplug.nb_blocks = 1;
        send_request(f, &req, f->vmem->request, f->vmem->response);
        qvirtqueue_kick(&f->vmem->vq);
        wait_broken(f);
        check_heals(f, "");
    }
}

/* --- indirect tables ------------------------------------------------------ */

/* A chain of one descriptor that names a table of two at @table. */
static void send_indirect(Fixture *f, uint64_t table)
{
    const struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    const struct vring_desc entries[] = {
        { f->vmem->request, sizeof(req), VRING_DESC_F_NEXT, 1 },
        { f->vmem->response, sizeof(struct virtio_mem_resp),
          VRING_DESC_F_WRITE, 0 },
    };
    const QVirtioBuffer bufs[] = { { table, sizeof(entries), false } };
    QVirtQueue *vq = &f->vmem->vq;
    uint16_t head;

    qtest_memwrite(f->c.qts, f->vmem->request, &req, sizeof(req));
    qtest_memwrite(f->c.qts, table, entries, sizeof(entries));
    head = qvirtqueue_add(vq, bufs, G_N_ELEMENTS(bufs));
    qtest_writew(f->c.qts, vq->desc + head * sizeof(struct vring_desc) +
                 offsetof(struct vring_desc, flags), VRING_DESC_F_INDIRECT);
    qvirtqueue_kick(vq);
}

static void test_indirect_table_in_discarded_memory(Fixture *f,
                                                    const void *data)
{
    const uint64_t feature = 1ULL << VIRTIO_RING_F_INDIRECT_DESC;

    start_with_rings(f, 0, 0, 0, feature);
    send_indirect(f, qguest_alloc(&f->c.guest, 32, 16));
    qvirtqueue_wait(&f->vmem->vq, NULL);
    send_indirect(f, f->hole);
    wait_broken(f);
    check_heals(f, "");
}

/* The second descriptor is behind the edge. */
static void test_indirect_table_across_the_edge(Fixture *f, const void *data)
{
    const uint64_t feature = 1ULL << VIRTIO_RING_F_INDIRECT_DESC;

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    start_with_rings(f, 0, 0, 0, feature);
    send_indirect(f, f->addr + BLOCK - 16);
    wait_broken(f);
    g_assert_cmpuint(qtest_memfd_allocated_in(f->memfd, BLOCK, 127 * BLOCK),
                     ==, 0);
    qvirtio_mem_restart(f->vmem);
    coordination_expect(&f->c, 0, "#");
}

/* --- buffers -------------------------------------------------------------- */

static void test_response_across_the_edge(Fixture *f, const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + BLOCK, 1));
    send_plug(f, f->vmem->request, f->addr + 2 * BLOCK - 4);
    wait_broken(f);
    g_assert_cmpuint(qtest_memfd_allocated_in(f->memfd, 2 * BLOCK, 126 * BLOCK),
                     ==, 0);
    qvirtio_mem_restart(f->vmem);
    coordination_expect(&f->c, 0, ".#");
}

/* The first request takes away what the second one's answer goes to. */
static void test_batch_that_unplugs_its_own_buffers(Fixture *f,
                                                    const void *data)
{
    uint64_t at = f->addr + 3 * BLOCK;
    uint64_t in = qguest_alloc(&f->c.guest, 2 * sizeof(struct virtio_mem_req),
                               8);
    struct virtio_mem_req reqs[2] = {
        { .type = VIRTIO_MEM_REQ_UNPLUG }, { .type = VIRTIO_MEM_REQ_STATE },
    };

    assert_ack(qvirtio_mem_plug(f->vmem, at, 1));
    for (unsigned i = 0; i < 2; i++) {
        const QVirtioBuffer bufs[] = {
            { in + i * sizeof(reqs[0]), sizeof(reqs[0]), false },
            { i ? at + 4096 : f->vmem->response,
              sizeof(struct virtio_mem_resp), true },
        };

        reqs[i].u.unplug.addr = at;
        reqs[i].u.unplug.nb_blocks = 1;
        qvirtqueue_add(&f->vmem->vq, bufs, G_N_ELEMENTS(bufs));
    }
    qtest_memwrite(f->c.qts, in, reqs, sizeof(reqs));
    qvirtqueue_kick(&f->vmem->vq);
    wait_broken(f);
    check_heals(f, "....");
}

/* --- interrupts ----------------------------------------------------------- */

static void test_interrupt_into_discarded_memory(Fixture *f, const void *data)
{
    uint64_t entry = f->vmem->vdev.pci.msix_table +
                     QVIRTIO_QUEUE_USED * PCI_MSIX_ENTRY_SIZE;

    qtest_writel(f->c.qts, entry + PCI_MSIX_ENTRY_LOWER_ADDR, f->hole);
    qtest_writel(f->c.qts, entry + PCI_MSIX_ENTRY_UPPER_ADDR, f->hole >> 32);
    for (unsigned i = 0; i < 3; i++) {
        assert_ack(qvirtio_mem_plug(f->vmem, f->addr + i * BLOCK, 1));
    }
    g_assert_cmpuint(qtest_memfd_allocated(f->memfd), ==, 0);
    coordination_expect(&f->c, 0, "###");
}

#define ADD(name, fn) \
    g_test_add("/virtqueue-discarded/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("each-ring-in-discarded-memory", test_each_ring_in_discarded_memory);
    ADD("each-ring-unplugged-while-in-use",
        test_each_ring_unplugged_while_in_use);
    ADD("indirect-table-in-discarded-memory",
        test_indirect_table_in_discarded_memory);
    ADD("indirect-table-across-the-edge",
        test_indirect_table_across_the_edge);
    ADD("response-across-the-edge", test_response_across_the_edge);
    ADD("batch-that-unplugs-its-own-buffers",
        test_batch_that_unplugs_its_own_buffers);
    ADD("interrupt-into-discarded-memory",
        test_interrupt_into_discarded_memory);
    return g_test_run();
}
