/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem as its driver sees it (virtio 1.2, 5.15): what each request does,
 * with every kind of bad argument, and what the administrator sees by QMP.
 */
#include <linux/virtio_config.h>

#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define VM0 "/machine/peripheral/vm0"

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;      /* when the test began */
} Fixture;

/* One device of 1 GiB in blocks of 2 MiB; 64 MiB are requested. */
static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G "
        "-object memory-backend-ram,id=mem0,size=1G "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M");
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &f->config);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

static uint64_t plugged(Fixture *f)
{
    struct virtio_mem_config config;

    qvirtio_mem_config(&f->vmem, &config);
    g_assert_cmpuint(config.plugged_size, ==,
                     qtest_qom_get_uint(f->qts, VM0, "size"));
    return config.plugged_size;
}

#define assert_ack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ACK)
#define assert_nack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_NACK)
#define assert_error(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ERROR)

/* --- requests ------------------------------------------------------------ */

static void test_config_describes_device(Fixture *f, const void *data)
{
    g_assert_cmpuint(f->config.block_size, ==, BLOCK);
    g_assert_cmpuint(f->config.region_size, ==, 1 * GiB);
    g_assert_cmpuint(f->config.requested_size, ==, 64 * MiB);
    g_assert_cmpuint(f->config.plugged_size, ==, 0);
    g_assert_cmpuint(f->config.usable_region_size, >=, 64 * MiB);
    g_assert_cmpuint(f->config.usable_region_size, <=, 1 * GiB);
    g_assert_cmpuint(f->config.addr, >=, 4 * GiB);
    g_assert_cmpuint(f->config.addr % BLOCK, ==, 0);
}

static void test_plug_and_unplug_blocks(Fixture *f, const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 1));
    assert_ack(qvirtio_mem_plug(&f->vmem, addr + 3 * BLOCK, 5));
    g_assert_cmpuint(plugged(f), ==, 6 * BLOCK);
    assert_ack(qvirtio_mem_unplug(&f->vmem, addr + 4 * BLOCK, 2));
    g_assert_cmpuint(plugged(f), ==, 4 * BLOCK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 1), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr + 4 * BLOCK, 2), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr + 3 * BLOCK, 5), ==,
                     VIRTIO_MEM_STATE_MIXED);
}

static void test_plug_beyond_requested_size_is_nacked(Fixture *f,
                                                      const void *data)
{
    uint64_t addr = f->config.addr;

    assert_nack(qvirtio_mem_plug(&f->vmem, addr, 33));
    g_assert_cmpuint(plugged(f), ==, 0);
    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 32));
    assert_nack(qvirtio_mem_plug(&f->vmem, addr + 32 * BLOCK, 1));
    g_assert_cmpuint(plugged(f), ==, 32 * BLOCK);
}

static void test_plugging_the_plugged_is_an_error(Fixture *f,
                                                  const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_plug(&f->vmem, addr + 2 * BLOCK, 1));
    assert_error(qvirtio_mem_plug(&f->vmem, addr + 2 * BLOCK, 1));
    assert_error(qvirtio_mem_plug(&f->vmem, addr, 4));
    g_assert_cmpuint(plugged(f), ==, BLOCK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 2), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
}

static void test_unplugging_the_unplugged_is_an_error(Fixture *f,
                                                      const void *data)
{
    uint64_t addr = f->config.addr;

    assert_error(qvirtio_mem_unplug(&f->vmem, addr, 1));
    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 2));
    assert_error(qvirtio_mem_unplug(&f->vmem, addr, 3));
    g_assert_cmpuint(plugged(f), ==, 2 * BLOCK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 2), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
}

static void test_bad_ranges_are_errors(Fixture *f, const void *data)
{
    uint64_t addr = f->config.addr, end = addr + f->config.region_size;
    uint64_t usable_end = addr + f->config.usable_region_size;
    const struct {
        uint64_t addr;
        uint16_t nb_blocks;
    } bad[] = {
        { addr, 0 },
        { addr + 1, 1 },
        { addr + BLOCK / 2, 1 },
        { addr - BLOCK, 1 },
        { addr - BLOCK, 2 },
        { end, 1 },
        { end - BLOCK, 2 },
        { usable_end, 1 },
        { usable_end - BLOCK, 2 },
        { addr, UINT16_MAX },
        { 0, 1 },
        { 0, UINT16_MAX },
        { UINT64_MAX, 1 },
        { UINT64_MAX - BLOCK + 1, 1 },
        { UINT64_MAX - BLOCK + 1, 2 },
        { UINT64_MAX - 3 * BLOCK + 1, UINT16_MAX },
        { addr | 1ULL << 63, 1 },
    };
    const uint16_t types[] = {
        VIRTIO_MEM_REQ_PLUG, VIRTIO_MEM_REQ_UNPLUG, VIRTIO_MEM_REQ_STATE,
    };

    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
            assert_error(qvirtio_mem_request(&f->vmem, types[t], bad[i].addr,
                                             bad[i].nb_blocks, NULL));
        }
    }
    g_assert_cmpuint(plugged(f), ==, 0);
}

static void test_unplug_all(Fixture *f, const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_unplug_all(&f->vmem));
    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 1));
    assert_ack(qvirtio_mem_plug(&f->vmem, addr + 7 * BLOCK, 2));
    assert_ack(qvirtio_mem_unplug_all(&f->vmem));
    g_assert_cmpuint(plugged(f), ==, 0);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 32), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
}

static void test_unplugged_memory_comes_back_zeroed(Fixture *f,
                                                    const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 2));
    qtest_writeq(f->qts, addr + BLOCK - 8, 0x1122334455667788);
    qtest_writeq(f->qts, addr + BLOCK, 0x99aabbccddeeff00);
    g_assert_cmphex(qtest_readq(f->qts, addr + BLOCK), ==, 0x99aabbccddeeff00);
    assert_ack(qvirtio_mem_unplug(&f->vmem, addr + BLOCK, 1));
    g_assert_cmphex(qtest_readq(f->qts, addr + BLOCK), ==, 0);
    assert_ack(qvirtio_mem_plug(&f->vmem, addr + BLOCK, 1));
    g_assert_cmphex(qtest_readq(f->qts, addr + BLOCK), ==, 0);
    g_assert_cmphex(qtest_readq(f->qts, addr + BLOCK - 8), ==,
                    0x1122334455667788);
}

/* --- chains that are no requests ----------------------------------------- */

/* A chain that the device cannot answer breaks it, and a reset heals it. */
static void check_chain_breaks_device(Fixture *f, const QVirtioBuffer *bufs,
                                      unsigned n)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    qvirtqueue_add(&f->vmem.vq, bufs, n);
    qvirtqueue_kick(&f->vmem.vq);
    while (!(qvirtio_status(&f->vmem.vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    qvirtio_mem_restart(&f->vmem);
    g_assert_false(qvirtio_status(&f->vmem.vdev) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_malformed_chains_break_the_device_only(Fixture *f,
                                                        const void *data)
{
    uint64_t in = f->vmem.request, out = f->vmem.response;
    const QVirtioBuffer short_request[] = {
        { in, sizeof(struct virtio_mem_req) - 1, false },
        { out, sizeof(struct virtio_mem_resp), true },
    };
    const QVirtioBuffer short_response[] = {
        { in, sizeof(struct virtio_mem_req), false },
        { out, sizeof(struct virtio_mem_resp) - 1, true },
    };
    const QVirtioBuffer no_response[] = {
        { in, sizeof(struct virtio_mem_req), false },
    };
    const QVirtioBuffer no_request[] = {
        { out, sizeof(struct virtio_mem_resp), true },
    };
    const QVirtioBuffer empty[] = { { in, 0, false } };
    const QVirtioBuffer wrong_order[] = {
        { out, sizeof(struct virtio_mem_resp), true },
        { in, sizeof(struct virtio_mem_req), false },
    };

    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 1));
    check_chain_breaks_device(f, short_request, 2);
    check_chain_breaks_device(f, short_response, 2);
    check_chain_breaks_device(f, no_response, 1);
    check_chain_breaks_device(f, no_request, 1);
    check_chain_breaks_device(f, empty, 1);
    check_chain_breaks_device(f, wrong_order, 2);
    g_assert_cmpuint(plugged(f), ==, BLOCK);
    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr + BLOCK, 1));
}

/* QEMU takes an unknown request for a broken driver; an error would do, too. */
static void test_unknown_requests_change_nothing(Fixture *f, const void *data)
{
    const uint16_t types[] = { 4, 5, 0x100, 0xfffe, 0xffff };
    const QVirtioBuffer bufs[] = {
        { f->vmem.request, sizeof(struct virtio_mem_req), false },
        { f->vmem.response, sizeof(struct virtio_mem_resp), true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        struct virtio_mem_req req = { .type = types[i] };
        gint64 deadline = qtest_deadline();
        unsigned round = 0;

        req.u.plug.addr = f->config.addr;
        req.u.plug.nb_blocks = 1;
        qtest_memwrite(f->qts, f->vmem.request, &req, sizeof(req));
        qvirtqueue_add(&f->vmem.vq, bufs, 2);
        qvirtqueue_kick(&f->vmem.vq);
        while (!qvirtqueue_has_used(&f->vmem.vq) &&
               !(qvirtio_status(&f->vmem.vdev) &
                 VIRTIO_CONFIG_S_NEEDS_RESET)) {
            g_assert_true(qtest_wait_more(deadline, &round));
        }
        if (qvirtqueue_has_used(&f->vmem.vq)) {
            g_assert_cmpuint(qtest_readw(f->qts, f->vmem.response), ==,
                             VIRTIO_MEM_RESP_ERROR);
        }
        qvirtio_mem_restart(&f->vmem);
    }
    g_assert_cmpuint(plugged(f), ==, 0);
    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 1));
}

static void test_request_in_pieces_is_understood(Fixture *f, const void *data)
{
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_PLUG };
    struct virtio_mem_resp resp = { .type = 0xffff };
    QVirtioBuffer bufs[16 + 10];
    unsigned n = 0;

    req.u.plug.addr = f->config.addr;
    req.u.plug.nb_blocks = 1;
    qtest_memwrite(f->qts, f->vmem.request, &req, sizeof(req));
    qtest_memwrite(f->qts, f->vmem.response, &resp, sizeof(resp));
    for (unsigned i = 0; i < 15; i++) {
        bufs[n++] = (QVirtioBuffer) { f->vmem.request + i, 1, false };
    }
    bufs[n++] = (QVirtioBuffer) { f->vmem.request + 15, sizeof(req) - 15,
                                  false };
    for (unsigned i = 0; i < sizeof(resp); i++) {
        bufs[n++] = (QVirtioBuffer) { f->vmem.response + i, 1, true };
    }
    qvirtqueue_add(&f->vmem.vq, bufs, n);
    qvirtqueue_kick(&f->vmem.vq);
    qvirtqueue_wait(&f->vmem.vq, NULL);
    qtest_memread(f->qts, f->vmem.response, &resp, sizeof(resp));
    g_assert_cmpuint(resp.type, ==, VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(plugged(f), ==, BLOCK);
}

/* --- many requests in one kick ------------------------------------------- */

#define BATCH 30

static void send_batch(Fixture *f, const struct virtio_mem_req *reqs,
                       const uint16_t *expected, unsigned n)
{
    struct virtio_mem_resp resps[QVIRTIO_MEM_BATCH];

    qvirtio_mem_batch(&f->vmem, reqs, resps, n);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(resps[i].type, ==, expected[i]);
    }
}

static void test_requests_of_one_kick_are_answered_in_order(Fixture *f,
                                                            const void *data)
{
    struct virtio_mem_req reqs[BATCH];
    uint16_t expected[BATCH];
    uint64_t addr = f->config.addr;

    for (unsigned i = 0; i < BATCH; i++) {
        reqs[i] = qvirtio_mem_make_request(VIRTIO_MEM_REQ_PLUG,
                                           addr + i * BLOCK, 1);
        expected[i] = VIRTIO_MEM_RESP_ACK;
    }
    send_batch(f, reqs, expected, BATCH);
    g_assert_cmpuint(plugged(f), ==, BATCH * BLOCK);

    /* Neighbours, up and down, one twice, a plug and a query among them. */
    for (unsigned i = 0; i < BATCH; i++) {
        unsigned block = i < 15 ? i : BATCH + 14 - i;

        reqs[i] = qvirtio_mem_make_request(VIRTIO_MEM_REQ_UNPLUG,
                                           addr + block * BLOCK, 1);
    }
    reqs[7] = qvirtio_mem_make_request(VIRTIO_MEM_REQ_UNPLUG, addr + 6 * BLOCK,
                                       1);
    expected[7] = VIRTIO_MEM_RESP_ERROR;
    reqs[10] = qvirtio_mem_make_request(VIRTIO_MEM_REQ_PLUG, addr + 9 * BLOCK,
                                        1);
    reqs[20] = qvirtio_mem_make_request(VIRTIO_MEM_REQ_STATE, addr, 5);
    send_batch(f, reqs, expected, BATCH);
    /* Blocks 7, 10 and 24, which no request named, are left, and block 9, which
     * came back. */
    g_assert_cmpuint(plugged(f), ==, 4 * BLOCK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr + 7 * BLOCK, 1), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr + 9 * BLOCK, 2), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr + 24 * BLOCK, 1), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
}

static void test_unplugged_blocks_of_one_kick_are_zeroed(Fixture *f,
                                                         const void *data)
{
    const uint64_t addr = f->config.addr;
    const struct virtio_mem_req reqs[] = {
        qvirtio_mem_make_request(VIRTIO_MEM_REQ_UNPLUG, addr + BLOCK, 1),
        qvirtio_mem_make_request(VIRTIO_MEM_REQ_PLUG, addr + BLOCK, 1),
        qvirtio_mem_make_request(VIRTIO_MEM_REQ_UNPLUG, addr + 2 * BLOCK, 2),
        qvirtio_mem_make_request(VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0),
        qvirtio_mem_make_request(VIRTIO_MEM_REQ_PLUG, addr, 4),
    };
    const uint16_t expected[G_N_ELEMENTS(reqs)] = { VIRTIO_MEM_RESP_ACK };

    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 4));
    for (unsigned i = 0; i < 4; i++) {
        qtest_writel(f->qts, addr + i * BLOCK, 0xcafe);
    }
    send_batch(f, reqs, expected, G_N_ELEMENTS(reqs));
    g_assert_cmpuint(plugged(f), ==, 4 * BLOCK);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readl(f->qts, addr + i * BLOCK), ==, 0);
    }
}

/* --- requested size and usable region ------------------------------------ */

static void test_requested_size_interrupts_the_driver(Fixture *f,
                                                      const void *data)
{
    struct virtio_mem_config config;

    qvirtio_take_interrupt(&f->vmem.vdev, QVIRTIO_CONFIG_CHANGED);
    qtest_qom_set_uint(f->qts, VM0, "requested-size", 512 * MiB);
    qvirtio_wait_interrupt(&f->vmem.vdev, QVIRTIO_CONFIG_CHANGED);
    qvirtio_mem_config(&f->vmem, &config);
    g_assert_cmpuint(config.requested_size, ==, 512 * MiB);
    g_assert_cmpuint(config.usable_region_size, >=, 512 * MiB);
    assert_ack(qvirtio_mem_plug(&f->vmem, config.addr, 256));
    g_assert_cmpuint(plugged(f), ==, 512 * MiB);
}

static void test_request_interrupts_the_driver(Fixture *f, const void *data)
{
    g_assert_false(qvirtio_take_interrupt(&f->vmem.vdev, QVIRTIO_QUEUE_USED));
    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 1));
    qvirtio_wait_interrupt(&f->vmem.vdev, QVIRTIO_QUEUE_USED);
}

static void test_usable_region_shrinks_only_when_all_is_unplugged(
    Fixture *f, const void *data)
{
    struct virtio_mem_config grown, kept, shrunk;

    qtest_qom_set_uint(f->qts, VM0, "requested-size", 1 * GiB);
    qvirtio_mem_config(&f->vmem, &grown);
    g_assert_cmpuint(grown.usable_region_size, >, f->config.usable_region_size);
    qtest_qom_set_uint(f->qts, VM0, "requested-size", 0);
    qvirtio_mem_config(&f->vmem, &kept);
    g_assert_cmpuint(kept.usable_region_size, ==, grown.usable_region_size);
    assert_ack(qvirtio_mem_unplug_all(&f->vmem));
    qvirtio_mem_config(&f->vmem, &shrunk);
    g_assert_cmpuint(shrunk.usable_region_size, <, kept.usable_region_size);
}

static void test_bad_requested_sizes_are_refused(Fixture *f, const void *data)
{
    const uint64_t bad[] = {
        1, BLOCK - 1, BLOCK + 1, 1 * GiB + BLOCK, 2 * GiB, UINT64_MAX,
        UINT64_MAX - BLOCK + 1, 1ULL << 63,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(
            qtest_qmp(f->qts), "GenericError", "",
            "{'execute': 'qom-set', 'arguments': {'path': '" VM0 "', "
            "'property': 'requested-size', 'value': %" PRIu64 "}}", bad[i]);
    }
    qmp_client_expect_error(
        qtest_qmp(f->qts), "GenericError", "",
        "{'execute': 'qom-set', 'arguments': {'path': '" VM0 "', "
        "'property': 'requested-size', 'value': 'many'}}");
    qmp_client_expect_error(
        qtest_qmp(f->qts), "GenericError", "",
        "{'execute': 'qom-set', 'arguments': {'path': '" VM0 "', "
        "'property': 'size', 'value': 0}}");
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, VM0, "requested-size"), ==,
                     64 * MiB);
}

/* --- resets -------------------------------------------------------------- */

static void test_device_reset_keeps_memory_plugged(Fixture *f,
                                                   const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 4));
    qtest_writel(f->qts, addr, 0xabcd1234);
    qvirtio_mem_restart(&f->vmem);
    g_assert_cmpuint(plugged(f), ==, 4 * BLOCK);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 4), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmphex(qtest_readl(f->qts, addr), ==, 0xabcd1234);
}

static void test_system_reset_unplugs_all(Fixture *f, const void *data)
{
    uint64_t addr = f->config.addr;

    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 4));
    qtest_writel(f->qts, addr, 0xabcd1234);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, VM0, "size"), ==, 0);
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    g_assert_cmpuint(plugged(f), ==, 0);
    g_assert_cmpuint(qvirtio_mem_state(&f->vmem, addr, 4), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
    assert_ack(qvirtio_mem_plug(&f->vmem, addr, 1));
    g_assert_cmphex(qtest_readl(f->qts, addr), ==, 0);
}

/* --- QMP ------------------------------------------------------------------ */

static void test_summary_counts_plugged_memory(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) summary = NULL;

    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 3));
    summary = qmp_client_do(qtest_qmp(f->qts),
                            "{'execute': 'query-memory-size-summary'}");
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(summary),
                                               "base-memory"), ==, 128 * MiB);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(summary),
                                               "plugged-memory"), ==,
                    3 * BLOCK);
}

#define ADD(name, fn) \
    g_test_add("/virtio-mem/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("config-describes-device", test_config_describes_device);
    ADD("plug-and-unplug-blocks", test_plug_and_unplug_blocks);
    ADD("plug-beyond-requested-size-is-nacked",
        test_plug_beyond_requested_size_is_nacked);
    ADD("plugging-the-plugged-is-an-error",
        test_plugging_the_plugged_is_an_error);
    ADD("unplugging-the-unplugged-is-an-error",
        test_unplugging_the_unplugged_is_an_error);
    ADD("bad-ranges-are-errors", test_bad_ranges_are_errors);
    ADD("unknown-requests-change-nothing",
        test_unknown_requests_change_nothing);
    ADD("unplug-all", test_unplug_all);
    ADD("unplugged-memory-comes-back-zeroed",
        test_unplugged_memory_comes_back_zeroed);
    ADD("malformed-chains-break-the-device-only",
        test_malformed_chains_break_the_device_only);
    ADD("request-in-pieces-is-understood",
        test_request_in_pieces_is_understood);
    ADD("requests-of-one-kick-are-answered-in-order",
        test_requests_of_one_kick_are_answered_in_order);
    ADD("unplugged-blocks-of-one-kick-are-zeroed",
        test_unplugged_blocks_of_one_kick_are_zeroed);
    ADD("requested-size-interrupts-the-driver",
        test_requested_size_interrupts_the_driver);
    ADD("request-interrupts-the-driver", test_request_interrupts_the_driver);
    ADD("usable-region-shrinks-only-when-all-is-unplugged",
        test_usable_region_shrinks_only_when_all_is_unplugged);
    ADD("bad-requested-sizes-are-refused",
        test_bad_requested_sizes_are_refused);
    ADD("device-reset-keeps-memory-plugged",
        test_device_reset_keeps_memory_plugged);
    ADD("system-reset-unplugs-all", test_system_reset_unplugs_all);
    ADD("summary-counts-plugged-memory", test_summary_counts_plugged_memory);
    return g_test_run();
}
