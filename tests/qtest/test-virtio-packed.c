/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packed=on: a device whose driver takes packed queues (virtio 1.2, 2.8), or
 * leaves them, or writes nonsense into them.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define PACKED (1ULL << VIRTIO_F_RING_PACKED)

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    uint64_t addr;                        /* of the virtio-mem device */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    struct virtio_mem_config config;

    f->qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G "
        "-object memory-backend-ram,id=mem0,size=1G "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M,packed=on "
        "-device virtio-rng-pci,packed=on,disable-legacy=on "
        "-device virtio-balloon-pci,disable-legacy=on");
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &config);
    f->addr = config.addr;
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

static void plug_and_unplug(Fixture *f)
{
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->addr, 3), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, f->addr, 4), ==,
                     VIRTIO_MEM_STATE_MIXED);
    g_assert_cmpuint(qvirtio_mem_unplug(&f->vmem, f->addr, 3), ==,
                     VIRTIO_MEM_RESP_ACK);
}

static void test_offered_if_asked_for(Fixture *f, const void *data)
{
    QVirtioPCI balloon;

    qvirtio_pci_init(&balloon, &f->guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_features(&f->vmem.vdev) & PACKED);
    g_assert_false(qvirtio_features(&balloon) & PACKED);
}

/* A ring is gone round several times. */
static void test_requests_go_round(Fixture *f, const void *data)
{
    g_assert_true(f->vmem.vq.packed);
    for (unsigned i = 0; i < f->vmem.vq.size; i++) {
        plug_and_unplug(f);
    }
    g_assert_true(qvirtio_take_interrupt(&f->vmem.vdev, QVIRTIO_QUEUE_USED));
}

static void test_driver_may_leave_it(Fixture *f, const void *data)
{
    plug_and_unplug(f);
    f->vmem.features = qvirtio_start(
        &f->vmem.vdev, 1ULL << VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE);
    qvirtqueue_init(&f->vmem.vq, &f->vmem.vdev, 0, 0);
    qvirtio_driver_ok(&f->vmem.vdev);
    g_assert_false(f->vmem.vq.packed);
    plug_and_unplug(f);
    qvirtio_mem_restart(&f->vmem);
    g_assert_true(f->vmem.vq.packed);
    plug_and_unplug(f);
}

static void test_several_buffers_wait(Fixture *f, const void *data)
{
    uint64_t buffers = qguest_alloc(&f->guest, 8 * 16, 16);
    uint16_t ids[8];
    QVirtioPCI rng;
    QVirtQueue vq;

    qvirtio_pci_init(&rng, &f->guest, VIRTIO_ID_RNG, 0);
    g_assert_true(qvirtio_start(&rng, PACKED) & PACKED);
    qvirtqueue_init(&vq, &rng, 0, 0);
    qvirtio_driver_ok(&rng);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        QVirtioBuffer buf = { buffers + 16 * i, 16, true };

        ids[i] = qvirtqueue_add(&vq, &buf, 1);
    }
    qvirtqueue_kick(&vq);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        uint32_t len;

        g_assert_cmpuint(qvirtqueue_wait(&vq, &len), ==, ids[i]);
        g_assert_cmpuint(len, >, 0);
        g_assert_cmpuint(len, <=, 16);
    }
}

/* Every descriptor says that the chain goes on. */
static void test_nonsense_is_repaired_by_a_reset(Fixture *f, const void *data)
{
    QVirtQueue *vq = &f->vmem.vq;
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (unsigned i = 0; i < vq->size; i++) {
        struct vring_packed_desc desc = {
            .addr = f->vmem.request, .len = 1, .id = i,
            .flags = VRING_DESC_F_NEXT | 1U << VRING_PACKED_DESC_F_AVAIL,
        };

        qtest_memwrite(f->qts, vq->desc + i * sizeof(desc), &desc,
                       sizeof(desc));
    }
    qvirtqueue_kick(vq);
    while (!(qvirtio_status(&f->vmem.vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    qvirtio_mem_restart(&f->vmem);
    plug_and_unplug(f);
}

#define ADD(name, fn) \
    g_test_add("/virtio-packed/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("offered-if-asked-for", test_offered_if_asked_for);
    ADD("requests-go-round", test_requests_go_round);
    ADD("driver-may-leave-it", test_driver_may_leave_it);
    ADD("several-buffers-wait", test_several_buffers_wait);
    ADD("nonsense-is-repaired-by-a-reset",
        test_nonsense_is_repaired_by_a_reset);
    return g_test_run();
}
