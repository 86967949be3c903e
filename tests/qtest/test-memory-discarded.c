/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is unplugged costs the host nothing, and no access of a device
 * or of this protocol changes that: what is not there does not answer. How much
 * there is tells the memfd behind it.
 */
#include <linux/virtio_config.h>
#include <string.h>

#include "memfd.h"
#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;
    char *memfd;                          /* /proc/PID/fd/N of the memory */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init(
        "-M q35 -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=sparse,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=sparse,block-size=2M,"
        "requested-size=256M");
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &f->config);
    f->memfd = qtest_find_memfd(f->qts, 256 * MiB);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    g_free(f->memfd);
}

/* Bytes that the host has allocated behind the device's memory. */
static uint64_t allocated(Fixture *f)
{
    return qtest_memfd_allocated(f->memfd);
}

static void test_nothing_is_allocated_at_start(Fixture *f, const void *data)
{
    g_assert_cmpuint(allocated(f), ==, 0);
}

static void test_plugged_memory_is_allocated_when_used(Fixture *f,
                                                       const void *data)
{
    uint64_t addr = f->config.addr;

    qvirtio_mem_plug(&f->vmem, addr, 4);
    qtest_memset(f->qts, addr, 0xaa, 4 * BLOCK);
    g_assert_cmpuint(allocated(f), ==, 4 * BLOCK);
    qvirtio_mem_unplug(&f->vmem, addr + BLOCK, 1);
    g_assert_cmpuint(allocated(f), ==, 3 * BLOCK);
    qvirtio_mem_unplug_all(&f->vmem);
    g_assert_cmpuint(allocated(f), ==, 0);
}

static void test_system_reset_gives_all_back(Fixture *f, const void *data)
{
    qvirtio_mem_plug(&f->vmem, f->config.addr, 8);
    qtest_memset(f->qts, f->config.addr, 0xaa, 8 * BLOCK);
    g_assert_cmpuint(allocated(f), ==, 8 * BLOCK);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    g_assert_cmpuint(allocated(f), ==, 0);
}

static void test_accesses_do_not_populate(Fixture *f, const void *data)
{
    uint64_t addr = f->config.addr;
    uint8_t bytes[64], zeros[64] = { 0 };

    qvirtio_mem_plug(&f->vmem, addr, 1);
    qtest_writeq(f->qts, addr + BLOCK, 0x1111111111111111);
    qtest_writeb(f->qts, addr + 3 * BLOCK - 1, 0x22);
    qtest_memset(f->qts, addr + 2 * BLOCK, 0x33, BLOCK);
    memset(bytes, 0x44, sizeof(bytes));
    qtest_memwrite(f->qts, addr + 5 * BLOCK - 32, bytes, sizeof(bytes));
    g_assert_cmphex(qtest_readq(f->qts, addr + BLOCK), ==, 0);
    qtest_memread(f->qts, addr + 5 * BLOCK - 32, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, sizeof(bytes), zeros, sizeof(zeros));
    g_assert_cmpuint(allocated(f), ==, 0);
}

/* Half of it is there, half is not: it fails as a whole. */
static void test_access_across_the_edge(Fixture *f, const void *data)
{
    uint64_t edge = f->config.addr + BLOCK;
    uint8_t bytes[64], zeros[64] = { 0 };
    uint64_t before;

    qvirtio_mem_plug(&f->vmem, f->config.addr, 1);
    qtest_writel(f->qts, edge - 32, 0);
    before = allocated(f);
    memset(bytes, 0x55, sizeof(bytes));
    qtest_memwrite(f->qts, edge - 32, bytes, sizeof(bytes));
    g_assert_cmpuint(allocated(f), ==, before);
    qtest_memread(f->qts, edge - 32, bytes, 32);
    g_assert_cmpmem(bytes, 32, zeros, 32);
    qvirtio_mem_plug(&f->vmem, edge, 1);
    qtest_memread(f->qts, edge, bytes, 32);
    g_assert_cmpmem(bytes, 32, zeros, 32);
}

/* Waits until the device has used the chain or given up. */
static void wait_served_or_broken(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!qvirtqueue_has_used(&f->vmem.vq) &&
           !(qvirtio_status(&f->vmem.vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void test_request_in_discarded_memory(Fixture *f, const void *data)
{
    uint64_t hole = f->config.addr + 4 * BLOCK;
    const QVirtioBuffer bufs[] = {
        { hole, sizeof(struct virtio_mem_req), false },
        { f->vmem.response, sizeof(struct virtio_mem_resp), true },
    };

    qvirtqueue_add(&f->vmem.vq, bufs, 2);
    qvirtqueue_kick(&f->vmem.vq);
    wait_served_or_broken(f);
    g_assert_cmpuint(allocated(f), ==, 0);
    qvirtio_mem_restart(&f->vmem);
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->config.addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
}

static void test_response_in_discarded_memory(Fixture *f, const void *data)
{
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    uint64_t hole = f->config.addr + 4 * BLOCK;
    const QVirtioBuffer bufs[] = {
        { f->vmem.request, sizeof(req), false },
        { hole, sizeof(struct virtio_mem_resp), true },
    };

    qtest_memwrite(f->qts, f->vmem.request, &req, sizeof(req));
    qvirtqueue_add(&f->vmem.vq, bufs, 2);
    qvirtqueue_kick(&f->vmem.vq);
    wait_served_or_broken(f);
    g_assert_cmpuint(allocated(f), ==, 0);
    qvirtio_mem_restart(&f->vmem);
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->config.addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
}

/* A driver that unplugs the very memory that the answer goes to. */
static void test_request_that_unplugs_its_own_response(Fixture *f,
                                                       const void *data)
{
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG };
    uint64_t addr = f->config.addr;
    const QVirtioBuffer bufs[] = {
        { f->vmem.request, sizeof(req), false },
        { addr + 64, sizeof(struct virtio_mem_resp), true },
    };

    qvirtio_mem_plug(&f->vmem, addr, 1);
    req.u.unplug.addr = addr;
    req.u.unplug.nb_blocks = 1;
    qtest_memwrite(f->qts, f->vmem.request, &req, sizeof(req));
    qvirtqueue_add(&f->vmem.vq, bufs, 2);
    qvirtqueue_kick(&f->vmem.vq);
    wait_served_or_broken(f);
    g_assert_cmpuint(allocated(f), ==, 0);
    qvirtio_mem_restart(&f->vmem);
    qvirtio_mem_config(&f->vmem, &f->config);
    g_assert_cmpuint(f->config.plugged_size, ==, 0);
}

static void test_rings_in_discarded_memory(Fixture *f, const void *data)
{
    QVirtQueue vq;

    qvirtio_start(&f->vmem.vdev, f->vmem.features);
    qvirtqueue_init(&vq, &f->vmem.vdev, 0, f->config.addr + 8 * BLOCK);
    qvirtio_driver_ok(&f->vmem.vdev);
    qvirtqueue_kick(&vq);
    qvirtqueue_kick(&vq);
    g_assert_cmpuint(allocated(f), ==, 0);
    qvirtio_mem_restart(&f->vmem);
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->config.addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
}

/* Rings that were there when the queue was set up, and are gone at the kick. */
static void test_rings_unplugged_under_the_device(Fixture *f,
                                                  const void *data)
{
    uint64_t addr = f->config.addr;
    QVirtQueue first = f->vmem.vq;
    const QVirtioBuffer bufs[] = {
        { f->vmem.request, sizeof(struct virtio_mem_req), false },
        { f->vmem.response, sizeof(struct virtio_mem_resp), true },
    };
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    QVirtQueue vq;

    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
    qvirtio_start(&f->vmem.vdev, f->vmem.features);
    qvirtqueue_init(&vq, &f->vmem.vdev, 0, addr);
    qvirtio_driver_ok(&f->vmem.vdev);
    qtest_memwrite(f->qts, f->vmem.request, &req, sizeof(req));
    qvirtqueue_add(&vq, bufs, 2);
    qvirtqueue_kick(&vq);
    /* Whether or not the answer could be published, nothing is left. */
    qvirtqueue_kick(&vq);
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
    g_assert_cmpuint(allocated(f), ==, 0);
    f->vmem.vq = first;
    qvirtio_mem_restart(&f->vmem);
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
}

#define ADD(name, fn) \
    g_test_add("/memory-discarded/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("nothing-is-allocated-at-start", test_nothing_is_allocated_at_start);
    ADD("plugged-memory-is-allocated-when-used",
        test_plugged_memory_is_allocated_when_used);
    ADD("system-reset-gives-all-back", test_system_reset_gives_all_back);
    ADD("accesses-do-not-populate", test_accesses_do_not_populate);
    ADD("access-across-the-edge", test_access_across_the_edge);
    ADD("request-in-discarded-memory", test_request_in_discarded_memory);
    ADD("response-in-discarded-memory", test_response_in_discarded_memory);
    ADD("request-that-unplugs-its-own-response",
        test_request_that_unplugs_its_own_response);
    ADD("rings-in-discarded-memory", test_rings_in_discarded_memory);
    ADD("rings-unplugged-under-the-device",
        test_rings_unplugged_under_the_device);
    return g_test_run();
}
