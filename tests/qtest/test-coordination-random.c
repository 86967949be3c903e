/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 10 000 random requests of a guest, some of them nonsense, several in one
 * kick, with resets and refusals among them. After each, what the vfio-user
 * devices count is what a naive model has plugged; now and then the whole set
 * of mappings is compared, which the log leads to by maps and exact unmaps.
 *
 * SEED=n repeats a run.
 */
#include <errno.h>

#include "coordination.h"
#include "qemu/units.h"

#define VM0 "/machine/peripheral/vm0"
#define MAX_BATCH 8
#define MAX_RUN 24                        /* blocks of one request */
#define MAX_PLUGGED 700                   /* in a region that is much larger */
#define WHOLE_CHECK 100                   /* steps between two */

typedef struct Model {
    Coordination c;
    GRand *rand;
    unsigned nb_blocks;
    bool *plugged;
    unsigned count;                       /* of these, plugged */
    uint64_t requested;                   /* blocks */
    uint64_t usable;                      /* blocks */
    /* The next refusal: by which device, after how many maps; -1: none. */
    unsigned refuser;
    int refuse_after;
    uint64_t requests, responses;         /* guest RAM of a batch */
} Model;

/* A request, and what the model says of it. */
typedef struct Request {
    struct virtio_mem_req req;
    uint16_t response;
    uint16_t state;
} Request;

static unsigned below(Model *m, unsigned n)
{
    return g_rand_int_range(m->rand, 0, n);
}

/* --- the model ------------------------------------------------------------ */

static unsigned count_plugged(const Model *m, uint64_t first, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        count += m->plugged[first + i];
    }
    return count;
}

static void set_plugged(Model *m, uint64_t first, unsigned n, bool value)
{
    m->count -= count_plugged(m, first, n);
    for (unsigned i = 0; i < n; i++) {
        m->plugged[first + i] = value;
    }
    m->count += value ? n : 0;
}

/* Whether one of the @n maps is refused. */
static bool is_refused(Model *m, unsigned n)
{
    bool refused = m->refuse_after >= 0 && m->refuse_after < (int)n;

    if (refused) {
        m->refuse_after = -1;
    } else if (m->refuse_after >= 0) {
        m->refuse_after -= n;
    }
    return refused;
}

static uint16_t expect_plug(Model *m, uint64_t first, unsigned n)
{
    if (m->count + n > m->requested) {
        return VIRTIO_MEM_RESP_NACK;
    }
    if (count_plugged(m, first, n)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    if (is_refused(m, n)) {
        return VIRTIO_MEM_RESP_BUSY;
    }
    set_plugged(m, first, n, true);
    return VIRTIO_MEM_RESP_ACK;
}

static uint16_t expect_unplug(Model *m, uint64_t first, unsigned n)
{
    if (count_plugged(m, first, n) < n) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    set_plugged(m, first, n, false);
    return VIRTIO_MEM_RESP_ACK;
}

static void expect_all_unplugged(Model *m)
{
    uint64_t extent = 256 * MiB / BLOCK;

    set_plugged(m, 0, m->nb_blocks, false);
    m->usable = m->requested ? MIN(m->nb_blocks, m->requested + extent) : 0;
}

/* Carries out @r on the model. */
static void expect(Model *m, Request *r)
{
    uint64_t offset = r->req.u.plug.addr - m->c.config[0].addr;
    unsigned n = r->req.u.plug.nb_blocks;
    uint64_t first = offset / BLOCK;
    unsigned have;

    if (r->req.type == VIRTIO_MEM_REQ_UNPLUG_ALL) {
        expect_all_unplugged(m);
        r->response = VIRTIO_MEM_RESP_ACK;
        return;
    }
    if (offset % BLOCK || !n || first >= m->usable || n > m->usable - first) {
        r->response = VIRTIO_MEM_RESP_ERROR;
        return;
    }
    switch (r->req.type) {
    case VIRTIO_MEM_REQ_PLUG:
        r->response = expect_plug(m, first, n);
        break;
    case VIRTIO_MEM_REQ_UNPLUG:
        r->response = expect_unplug(m, first, n);
        break;
    case VIRTIO_MEM_REQ_STATE:
        have = count_plugged(m, first, n);
        r->response = VIRTIO_MEM_RESP_ACK;
        r->state = have == n ? VIRTIO_MEM_STATE_PLUGGED
                   : have ? VIRTIO_MEM_STATE_MIXED : VIRTIO_MEM_STATE_UNPLUGGED;
        break;
    default:
        r->response = VIRTIO_MEM_RESP_ERROR;
        break;
    }
}

/* --- random requests ------------------------------------------------------ */

static Request make_request(Model *m, uint16_t type, uint64_t block,
                            unsigned n)
{
    Request r = { .req.type = type };

    r.req.u.plug.addr = coordination_block(&m->c, 0, block);
    r.req.u.plug.nb_blocks = n;
    return r;
}

/* A run that fits into the region. */
static Request random_request(Model *m, uint16_t type)
{
    unsigned first = below(m, m->nb_blocks);
    unsigned n = 1 + below(m, MIN(MAX_RUN, m->nb_blocks - first));

    return make_request(m, type, first, n);
}

/* A plugged block, if there is one, from a random one on. */
static unsigned find_plugged(Model *m)
{
    unsigned at = below(m, m->nb_blocks);

    for (unsigned i = 0; m->count && !m->plugged[at] && i < m->nb_blocks; i++) {
        at = (at + 1) % m->nb_blocks;
    }
    return at;
}

/* Of what is plugged, mostly; across several plugs where they touch. */
static Request unplug_request(Model *m)
{
    unsigned first = find_plugged(m), n = 1;
    unsigned limit = 1 + below(m, MAX_RUN);

    while (n < limit && first + n < m->nb_blocks && m->plugged[first + n]) {
        n++;
    }
    if (below(m, 10) == 0 && first + n < m->nb_blocks) {
        n++;
    }
    return make_request(m, VIRTIO_MEM_REQ_UNPLUG, first, n);
}

static Request bad_request(Model *m)
{
    Request r = random_request(m, below(m, 6));

    switch (below(m, 6)) {
    case 0:
        r.req.u.plug.addr += 1 + below(m, BLOCK - 1);
        break;
    case 1:
        r.req.u.plug.nb_blocks = 0;
        break;
    case 2:
        r.req.u.plug.addr -= (1 + (uint64_t)m->nb_blocks) * BLOCK;
        break;
    case 3:
        r.req.u.plug.addr = UINT64_MAX - below(m, 4 * BLOCK);
        break;
    case 4:
        r.req.u.plug.addr = coordination_block(&m->c, 0, m->nb_blocks - 1);
        r.req.u.plug.nb_blocks = 2 + below(m, UINT16_MAX - 1);
        break;
    default:
        r.req.type = 4 + below(m, UINT16_MAX - 4);
        break;
    }
    if (r.req.type == VIRTIO_MEM_REQ_UNPLUG_ALL) {
        r.req.type = VIRTIO_MEM_REQ_STATE;
    }
    return r;
}

static Request any_request(Model *m)
{
    unsigned dice = below(m, 100);

    if (dice < 45 && m->count < MAX_PLUGGED) {
        return random_request(m, VIRTIO_MEM_REQ_PLUG);
    }
    if (dice < 85) {
        return unplug_request(m);
    }
    if (dice < 92) {
        return random_request(m, VIRTIO_MEM_REQ_STATE);
    }
    return bad_request(m);
}

/* --- steps ---------------------------------------------------------------- */

/* Makes all available, kicks once, and compares the answers. */
static void send_requests(Model *m, Request *reqs, unsigned n)
{
    QVirtioMem *vmem = &m->c.mem[0];
    struct virtio_mem_resp resps[MAX_BATCH];

    for (unsigned i = 0; i < n; i++) {
        const QVirtioBuffer bufs[] = {
            { m->requests + i * sizeof(reqs[i].req), sizeof(reqs[i].req),
              false },
            { m->responses + i * sizeof(resps[0]), sizeof(resps[0]), true },
        };

        expect(m, &reqs[i]);
        qtest_memwrite(m->c.qts, bufs[0].addr, &reqs[i].req, bufs[0].len);
        qvirtqueue_add(&vmem->vq, bufs, G_N_ELEMENTS(bufs));
    }
    qvirtqueue_kick(&vmem->vq);
    for (unsigned i = 0; i < n; i++) {
        qvirtqueue_wait(&vmem->vq, NULL);
    }
    qtest_memread(m->c.qts, m->responses, resps, n * sizeof(resps[0]));
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(resps[i].type, ==, reqs[i].response);
        g_assert_cmpuint(resps[i].u.state.state, ==, reqs[i].state);
    }
}

/* As one unplug, and as many, in either direction. */
static void step_adjacent_unplugs(Model *m)
{
    Request reqs[MAX_BATCH], whole = unplug_request(m);
    unsigned n = MIN(whole.req.u.unplug.nb_blocks, MAX_BATCH);
    unsigned first = (whole.req.u.unplug.addr - m->c.config[0].addr) / BLOCK;
    bool down = below(m, 2);

    for (unsigned i = 0; i < n; i++) {
        reqs[i] = make_request(m, VIRTIO_MEM_REQ_UNPLUG,
                               first + (down ? n - 1 - i : i), 1);
    }
    send_requests(m, reqs, n);
}

/* The same with what is not plugged, and now and then a plug that is. */
static void step_adjacent_plugs(Model *m)
{
    Request reqs[MAX_BATCH];
    unsigned n = 2 + below(m, MAX_BATCH - 1), blocks = 1 + below(m, 3);
    unsigned first = below(m, m->nb_blocks - n * blocks);
    bool down = below(m, 2);

    if (m->count >= MAX_PLUGGED) {
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        reqs[i] = make_request(m, VIRTIO_MEM_REQ_PLUG,
                               first + (down ? n - 1 - i : i) * blocks, blocks);
    }
    send_requests(m, reqs, n);
}

static void step_batch(Model *m)
{
    Request reqs[MAX_BATCH];
    unsigned n = 2 + below(m, MAX_BATCH - 1);

    for (unsigned i = 0; i < n; i++) {
        reqs[i] = any_request(m);
    }
    send_requests(m, reqs, n);
}

static void step_one(Model *m)
{
    Request r = any_request(m);

    send_requests(m, &r, 1);
}

static void step_unplug_all(Model *m)
{
    Request r = { .req.type = VIRTIO_MEM_REQ_UNPLUG_ALL };

    send_requests(m, &r, 1);
}

static void step_arm_refusal(Model *m)
{
    if (m->refuse_after < 0) {
        m->refuser = below(m, m->c.nr_devs);
        m->refuse_after = below(m, 3 * MAX_RUN);
        qvfio_user_arm(&m->c.dev[m->refuser], TESTDEV_FAULT_REFUSE_MAP,
                       m->refuse_after, ENOMEM);
    }
}

static void step_dma(Model *m)
{
    unsigned block = below(m, 2) ? find_plugged(m) : below(m, m->nb_blocks);
    uint64_t addr = coordination_block(&m->c, 0, block) + below(m, BLOCK - 64);
    QVFIOUser *dev = &m->c.dev[below(m, m->c.nr_devs)];
    uint8_t value = 1 + below(m, 255);

    g_assert_cmpuint(qvfio_user_fill(dev, addr, value, 64), ==,
                     m->plugged[block] ? 0 : EFAULT);
    g_assert_cmphex(qtest_readb(m->c.qts, addr + 63), ==,
                    m->plugged[block] ? value : 0);
}

static void step_requested_size(Model *m)
{
    m->requested = below(m, 3) ? m->nb_blocks : below(m, m->nb_blocks + 1);
    qtest_qom_set_uint(m->c.qts, VM0, "requested-size", m->requested * BLOCK);
    if (m->requested) {
        m->usable = MAX(m->usable, MIN(m->nb_blocks, m->requested +
                                       256 * MiB / BLOCK));
    }
}

static void place_buffers(Model *m)
{
    m->requests = qguest_alloc(&m->c.guest,
                               MAX_BATCH * sizeof(struct virtio_mem_req), 8);
    m->responses = qguest_alloc(&m->c.guest,
                                MAX_BATCH * sizeof(struct virtio_mem_resp), 8);
}

static void step_system_reset(Model *m)
{
    coordination_system_reset(&m->c);
    coordination_restart_drivers(&m->c);
    place_buffers(m);
    expect_all_unplugged(m);
}

static void step_device_reset(Model *m)
{
    qvirtio_mem_restart(&m->c.mem[0]);
}

static void random_step(Model *m)
{
    static const struct {
        unsigned weight;
        void (*step)(Model *m);
    } steps[] = {
        { 600, step_one }, { 100, step_batch }, { 100, step_adjacent_unplugs },
        { 100, step_adjacent_plugs },
        { 100, step_dma }, { 60, step_arm_refusal }, { 5, step_device_reset },
        { 5, step_requested_size }, { 5, step_unplug_all },
        { 2, step_system_reset },
    };
    unsigned sum = 0, dice, i = 0;

    for (unsigned j = 0; j < G_N_ELEMENTS(steps); j++) {
        sum += steps[j].weight;
    }
    dice = below(m, sum);
    while (dice >= steps[i].weight) {
        dice -= steps[i++].weight;
    }
    steps[i].step(m);
}

/* --- runs ----------------------------------------------------------------- */

static guint32 seed;                      /* of all runs */

static void run(unsigned nb_blocks, unsigned nr_devs, unsigned nr_steps)
{
    g_autofree Model *m = g_new0(Model, 1);
    uint64_t size = nb_blocks * BLOCK;

    m->rand = g_rand_new_with_seed(seed);
    m->nb_blocks = m->requested = m->usable = nb_blocks;
    m->plugged = g_new0(bool, nb_blocks);
    m->refuse_after = -1;
    coordination_start(
        &m->c, 1, nr_devs, "--max-dma-maps=1000000",
        " -m 64M,maxmem=512G -object memory-backend-memfd,id=mem0,size=%" PRIu64
        " -device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=%" PRIu64, size, size);
    place_buffers(m);
    for (unsigned step = 1; step <= nr_steps; step++) {
        random_step(m);
        for (unsigned dev = 0; dev < nr_devs; dev++) {
            coordination_check_sums(&m->c, dev, m->count * BLOCK);
        }
        if (step % WHOLE_CHECK == 0) {
            coordination_check(&m->c, 0, m->plugged, nb_blocks);
        }
    }
    /* Not all of it was refused. */
    g_assert_cmpuint(m->c.server[0]->unmaps, >, nr_steps);
    coordination_stop(&m->c);
    g_rand_free(m->rand);
    g_free(m->plugged);
}

static void test_65_blocks(void)
{
    run(65, 1, 2000);
}

static void test_300_blocks_and_two_devices(void)
{
    run(300, 2, 5000);
}

static void test_70000_blocks(void)
{
    run(70000, 1, 3000);
}

int main(int argc, char **argv)
{
    g_autoptr(GRand) rand = NULL;

    qvfio_user_main_init(&argc, &argv);
    rand = qtest_rand_new();
    seed = g_rand_int(rand);
    g_test_add_func("/coordination-random/65-blocks", test_65_blocks);
    g_test_add_func("/coordination-random/300-blocks-and-two-devices",
                    test_300_blocks_and_two_devices);
    g_test_add_func("/coordination-random/70000-blocks", test_70000_blocks);
    return g_test_run();
}
