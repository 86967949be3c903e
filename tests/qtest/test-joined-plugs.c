/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adjacent plugs of one kick are one message to a vhost-user back end, and yet
 * each gets the answer that it would get by itself: whatever the guest asks for
 * beside them, and whichever of them the back end does not take.
 *
 * SEED=n repeats a random run.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "coordination.h"
#include "tests/patience.h"
#include "vhost-user-server.h"

#define ADD_MEM_REG 37
#define BLOCKS 128
#define REQUESTED 100                     /* blocks that may be plugged */
#define SLOTS 1000                        /* regions are never joined */
#define STEPS 400

typedef struct Request {
    uint16_t type;
    int block;                            /* the first; may be nonsense */
    uint16_t n;
} Request;

typedef struct Fixture {
    QVhostServer *server;
    Coordination c;
    QVirtioMem *vmem;
    char *messages;                       /* what the emulator says */
    /* What should be: */
    bool plugged[BLOCKS];
    int refused;                          /* block that is not taken; -1 */
    unsigned refusals;
} Fixture;

#define PLUG(block, n) { VIRTIO_MEM_REQ_PLUG, block, n }
#define UNPLUG(block, n) { VIRTIO_MEM_REQ_UNPLUG, block, n }
#define STATE(block, n) { VIRTIO_MEM_REQ_STATE, block, n }

/* --- life ----------------------------------------------------------------- */

static void start(Fixture *f, const char *properties)
{
    *f = (Fixture) { .server = qvhost_server_new(SLOTS), .refused = -1,
                     .messages = qtest_begin_messages() };
    coordination_start(
        &f->c, 1, 0, "",
        " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "
        "-machine memory-backend=boot "
        "-object memory-backend-memfd,id=mem0,size=%" PRIu64 " "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=%" PRIu64 "%s "
        "-chardev socket,id=c0,path=%s,reconnect-ms=20 "
        "-global vhost-user-blk.x-msg-timeout=%u "
        "-device vhost-user-blk-pci,id=disk0,chardev=c0",
        BLOCKS * BLOCK, REQUESTED * BLOCK, properties, f->server->socket,
        (unsigned)(patience_us() / 1000));
    f->vmem = &f->c.mem[0];
}

static void stop(Fixture *f)
{
    coordination_stop(&f->c);
    qtest_end_messages();
    g_remove(f->messages);
    g_free(f->messages);
    qvhost_server_free(f->server);
}

/* --- the model: one request after the other ------------------------------- */

static unsigned count(const Fixture *f, int block, unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++) {
        sum += f->plugged[block + i];
    }
    return sum;
}

static uint16_t expect_plug(Fixture *f, int block, unsigned n)
{
    if (count(f, 0, BLOCKS) + n > REQUESTED) {
        return VIRTIO_MEM_RESP_NACK;
    }
    if (count(f, block, n)) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    if (f->refused >= block && f->refused < block + (int)n) {
        f->refusals++;
        return VIRTIO_MEM_RESP_BUSY;
    }
    memset(f->plugged + block, true, n);
    return VIRTIO_MEM_RESP_ACK;
}

static uint16_t expect(Fixture *f, const Request *r)
{
    if (r->block < 0 || !r->n || r->block + r->n > BLOCKS) {
        return VIRTIO_MEM_RESP_ERROR;
    }
    switch (r->type) {
    case VIRTIO_MEM_REQ_PLUG:
        return expect_plug(f, r->block, r->n);
    case VIRTIO_MEM_REQ_UNPLUG:
        if (count(f, r->block, r->n) < r->n) {
            return VIRTIO_MEM_RESP_ERROR;
        }
        memset(f->plugged + r->block, false, r->n);
        return VIRTIO_MEM_RESP_ACK;
    case VIRTIO_MEM_REQ_STATE:
        return VIRTIO_MEM_RESP_ACK;
    default:
        return VIRTIO_MEM_RESP_ERROR;
    }
}

/* --- checks --------------------------------------------------------------- */

static unsigned added(const Fixture *f)
{
    return qvhost_server_count(f->server, ADD_MEM_REG);
}

/* Whether the back end has what is plugged, and nothing else. */
static bool has_memory(Fixture *f)
{
    g_autoptr(GArray) have = qvhost_server_regions(
        f->server, f->c.config[0].addr, f->c.config[0].region_size);
    bool has[BLOCKS] = { false };

    for (guint i = 0; i < have->len; i++) {
        const QVhostRegion *r = &g_array_index(have, QVhostRegion, i);

        memset(has + (r->gpa - f->c.config[0].addr) / BLOCK, true,
               r->size / BLOCK);
    }
    return memcmp(has, f->plugged, sizeof(has)) == 0;
}

static void check_memory(Fixture *f)
{
    g_assert_true(has_memory(f));
    g_assert_cmpuint(qtest_qom_get_uint(f->c.qts, "/machine/peripheral/vm0",
                                        "size"), ==,
                     count(f, 0, BLOCKS) * BLOCK);
}

/* Each request that was refused counts, and no attempt that was not one. */
static void check_refusals(Fixture *f)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        qtest_qmp(f->c.qts), "{'execute': 'query-ram-discard'}");
    JsonArray *all = json_node_get_array(node);
    unsigned seen = 0;

    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonObject *info = json_array_get_object_element(all, i);

        if (json_object_has_member(info, "last-refusal")) {
            seen += json_object_get_int_member(
                json_object_get_object_member(info, "last-refusal"), "count");
        }
    }
    g_assert_cmpuint(seen, ==, f->refusals);
}

/* What a kick with all of @reqs, @n of them, has for answers. */
static void send_all(Fixture *f, const Request *reqs, unsigned n,
                     struct virtio_mem_resp *resps)
{
    struct virtio_mem_req wire[QVIRTIO_MEM_BATCH] = { };

    for (unsigned i = 0; i < n; i++) {
        wire[i] = qvirtio_mem_make_request(
            reqs[i].type, f->c.config[0].addr + (int64_t)reqs[i].block *
                          (int64_t)BLOCK, reqs[i].n);
    }
    qvirtio_mem_batch(f->vmem, wire, resps, n);
}

/* One kick; all is as if the requests had come one by one. */
static void kick(Fixture *f, const Request *reqs, unsigned n)
{
    struct virtio_mem_resp resps[QVIRTIO_MEM_BATCH];

    send_all(f, reqs, n, resps);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(resps[i].type, ==, expect(f, &reqs[i]));
    }
    check_memory(f);
    check_refusals(f);
}

#define KICK(f, ...)                                                         \
    do {                                                                     \
        const Request all_[] = { __VA_ARGS__ };                              \
                                                                             \
        kick(f, all_, G_N_ELEMENTS(all_));                                   \
    } while (0)

/* @block is not taken from now on; -1: all are. */
static void refuse(Fixture *f, int block)
{
    f->refused = block;
    qvhost_server_refuse(f->server,
                         block < 0 ? 0 : coordination_block(&f->c, 0, block));
}

/* --- messages ------------------------------------------------------------- */

static void plug_each(Fixture *f, unsigned first, unsigned n, bool down)
{
    Request reqs[QVIRTIO_MEM_BATCH];

    for (unsigned i = 0; i < n; i++) {
        reqs[i] = (Request) PLUG(first + (down ? n - 1 - i : i), 1);
    }
    kick(f, reqs, n);
}

static void test_one_message_a_run(const void *properties)
{
    unsigned before;
    Fixture f;

    start(&f, properties);
    before = added(&f);
    plug_each(&f, 0, 40, false);
    g_assert_cmpuint(added(&f), ==, before + 1);
    plug_each(&f, 60, 30, true);
    g_assert_cmpuint(added(&f), ==, before + 2);
    /* From the middle on, in both directions and sizes that differ. */
    KICK(&f, PLUG(44, 1), PLUG(45, 3), PLUG(42, 2), PLUG(48, 1), PLUG(41, 1));
    g_assert_cmpuint(added(&f), ==, before + 3);
    KICK(&f, UNPLUG(0, 40), UNPLUG(60, 30), UNPLUG(41, 8));
    /* Three runs, two of which meet. */
    KICK(&f, PLUG(0, 1), PLUG(1, 1), PLUG(10, 1), PLUG(11, 1), PLUG(13, 1),
         PLUG(12, 1));
    g_assert_cmpuint(added(&f), ==, before + 6);
    stop(&f);
}

/* A ring's worth again and again: the indexes go round. */
static void test_rings_wrap(const void *properties)
{
    unsigned before;
    Fixture f;

    start(&f, properties);
    before = added(&f);
    for (unsigned i = 0; i < 9; i++) {
        plug_each(&f, 0, 60, i & 1);
        KICK(&f, UNPLUG(0, 30), UNPLUG(30, 30), STATE(0, 60));
    }
    g_assert_cmpuint(added(&f), ==, before + 9);
    stop(&f);
}

/* What comes between ends a run, and takes effect in its turn. */
static void test_other_requests_between(const void *properties)
{
    unsigned before;
    Fixture f;

    start(&f, properties);
    before = added(&f);
    KICK(&f, PLUG(0, 1), PLUG(1, 1), STATE(0, 2), PLUG(2, 1), PLUG(3, 1),
         UNPLUG(1, 2), PLUG(1, 1), PLUG(2, 1), { 77, 4, 1 }, PLUG(4, 1));
    g_assert_cmpuint(added(&f) - before, >=, 4);
    KICK(&f, UNPLUG(4, 1), PLUG(4, 1), UNPLUG(0, 1), UNPLUG(1, 1), PLUG(0, 1));
    stop(&f);
}

/* --- a driver that lies --------------------------------------------------- */

static void test_lies(const void *properties)
{
    Fixture f;

    start(&f, properties);
    /* The same twice; overlaps, at either end and around. */
    KICK(&f, PLUG(0, 1), PLUG(0, 1), PLUG(1, 1), PLUG(1, 1), PLUG(2, 1));
    KICK(&f, PLUG(10, 2), PLUG(11, 2), PLUG(12, 1), PLUG(9, 2), PLUG(9, 1),
         PLUG(8, 8), PLUG(8, 1));
    /* Into what was plugged before the kick. */
    KICK(&f, PLUG(13, 1), PLUG(14, 2), PLUG(16, 4), PLUG(7, 1), PLUG(6, 2),
         PLUG(3, 4), PLUG(4, 3));
    /* Nonsense that is adjacent, by its numbers. */
    KICK(&f, PLUG(BLOCKS - 2, 1), PLUG(BLOCKS - 1, 1), PLUG(BLOCKS, 1),
         PLUG(BLOCKS - 3, 1), PLUG(BLOCKS - 3, 0), PLUG(-1, 1), PLUG(20, 1),
         PLUG(21, UINT16_MAX), PLUG(21, 0), PLUG(21, 1));
    KICK(&f, UNPLUG(0, 1), PLUG(0, 1), PLUG(-1, 1), PLUG(-2, 2));
    stop(&f);
}

/* Beyond the requested size, counted with those that are not carried out yet. */
static void test_requested_size(const void *properties)
{
    Fixture f;

    start(&f, properties);
    KICK(&f, PLUG(0, 60), PLUG(60, 39), PLUG(99, 2), PLUG(99, 1), PLUG(100, 1));
    KICK(&f, UNPLUG(0, 99));
    /* The room that a refused one does not take is there for the next. */
    refuse(&f, 30);
    KICK(&f, PLUG(0, 60), PLUG(60, 39), PLUG(99, 1), PLUG(100, 20));
    stop(&f);
}

/* --- a back end that refuses ---------------------------------------------- */

static void test_one_is_refused(const void *properties)
{
    Fixture f;

    for (int at = 0; at < 10; at++) {
        unsigned before;

        start(&f, properties);
        before = added(&f);
        refuse(&f, at);
        plug_each(&f, 0, 10, false);
        g_assert_cmpuint(f.refusals, ==, 1);
        /* All at once, then each. */
        g_assert_cmpuint(added(&f), ==, before + 11);
        g_assert_cmpuint(qtest_count_messages(
                             f.messages, "a plug is refused by vhost-user"),
                         ==, 1);
        refuse(&f, -1);
        KICK(&f, PLUG(at, 1), PLUG(20, 1), PLUG(21, 1));
        g_assert_cmpuint(added(&f), ==, before + 13);
        stop(&f);
    }
}

/* However many runs there are, one attempt is in vain. */
static void test_one_vain_attempt_a_kick(const void *properties)
{
    Request reqs[30];
    unsigned before;
    Fixture f;

    start(&f, properties);
    before = added(&f);
    refuse(&f, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(reqs); i += 2) {
        reqs[i] = (Request) PLUG(i * 2, 1);
        reqs[i + 1] = (Request) PLUG(i * 2 + 1, 1);
    }
    kick(&f, reqs, G_N_ELEMENTS(reqs));
    g_assert_cmpuint(added(&f), ==, before + 1 + G_N_ELEMENTS(reqs));
    /* The next kick is another one. */
    refuse(&f, -1);
    KICK(&f, PLUG(100, 1), PLUG(101, 1), PLUG(102, 1));
    g_assert_cmpuint(added(&f), ==, before + 2 + G_N_ELEMENTS(reqs));
    stop(&f);
}

/* The n-th message is refused, for each n; each request has its own answer. */
static void test_nth_message_is_refused(const void *properties)
{
    static const Request reqs[] = {
        PLUG(0, 1), PLUG(1, 1), PLUG(2, 1), PLUG(10, 2), PLUG(12, 1),
        PLUG(20, 1), PLUG(31, 1), PLUG(30, 1),
    };
    struct virtio_mem_resp resps[G_N_ELEMENTS(reqs)];

    for (unsigned n = 0; n < 5; n++) {
        Fixture f;

        start(&f, properties);
        qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE, ADD_MEM_REG, n);
        send_all(&f, reqs, G_N_ELEMENTS(reqs), resps);
        for (unsigned i = 0; i < G_N_ELEMENTS(reqs); i++) {
            /* Only who was alone is refused for good: the others are tried
             * again. */
            if (n == 2 && reqs[i].block == 20) {
                g_assert_cmpuint(resps[i].type, ==, VIRTIO_MEM_RESP_BUSY);
                f.refusals++;
                continue;
            }
            g_assert_cmpuint(resps[i].type, ==, VIRTIO_MEM_RESP_ACK);
            memset(f.plugged + reqs[i].block, true, reqs[i].n);
        }
        check_memory(&f);
        check_refusals(&f);
        stop(&f);
    }
}

/* It hangs up instead of answering: nobody is left to refuse. */
static void test_back_end_goes(const void *properties)
{
    static const Request reqs[] = { PLUG(0, 1), PLUG(1, 1), PLUG(4, 1) };
    struct virtio_mem_resp resps[G_N_ELEMENTS(reqs)];
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    Fixture f;

    start(&f, properties);
    qvhost_server_fault(f.server, QVHOST_FAULT_CLOSE, ADD_MEM_REG, 0);
    send_all(&f, reqs, G_N_ELEMENTS(reqs), resps);
    for (unsigned i = 0; i < G_N_ELEMENTS(reqs); i++) {
        g_assert_cmpuint(resps[i].type, ==, expect(&f, &reqs[i]));
    }
    qtest_wait_message(f.messages, "the back end has gone: ");
    while (!has_memory(&f)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    KICK(&f, PLUG(2, 1), PLUG(3, 1));
    stop(&f);
}

/* --- where plugs are not joined ------------------------------------------- */

static void test_backed_plugs(void)
{
    unsigned before;
    Fixture f;

    start(&f, ",prealloc=on");
    before = added(&f);
    plug_each(&f, 0, 10, false);
    g_assert_cmpuint(added(&f), ==, before + 10);
    refuse(&f, 15);
    plug_each(&f, 10, 10, true);
    g_assert_cmpuint(added(&f), ==, before + 20);
    stop(&f);
}

/* One at a time, as the rate says. */
static void test_paced_plugs(void)
{
    unsigned before;
    Fixture f;

    start(&f, ",populate-rate=16M");
    before = added(&f);
    for (unsigned i = 0; i < 2; i++) {
        struct virtio_mem_req req = qvirtio_mem_make_request(
            VIRTIO_MEM_REQ_PLUG, coordination_block(&f.c, 0, i), 1);
        const QVirtioBuffer bufs[] = {
            { f.vmem->requests + i * sizeof(req), sizeof(req), false },
            { f.vmem->responses + i * sizeof(struct virtio_mem_resp),
              sizeof(struct virtio_mem_resp), true },
        };

        qtest_memwrite(f.c.qts, bufs[0].addr, &req, sizeof(req));
        qvirtqueue_add(&f.vmem->vq, bufs, 2);
    }
    qvirtqueue_kick(&f.vmem->vq);
    qvirtqueue_wait(&f.vmem->vq, NULL);
    g_assert_cmpuint(added(&f), ==, before + 1);
    g_assert_false(qvirtqueue_has_used(&f.vmem->vq));
    qtest_clock_step(f.c.qts, 1000000000LL / 8);
    qvirtqueue_wait(&f.vmem->vq, NULL);
    g_assert_cmpuint(added(&f), ==, before + 2);
    stop(&f);
}

/* --- random kicks --------------------------------------------------------- */

/* Mostly beside what came before it, now and then what is not taken. */
static Request random_request(const Fixture *f, GRand *rand,
                              const Request *last)
{
    static const uint16_t types[] = {
        VIRTIO_MEM_REQ_PLUG, VIRTIO_MEM_REQ_PLUG, VIRTIO_MEM_REQ_UNPLUG,
        VIRTIO_MEM_REQ_UNPLUG, VIRTIO_MEM_REQ_STATE,
    };
    Request r = {
        .type = types[g_rand_int_range(rand, 0, G_N_ELEMENTS(types))],
        .block = g_rand_int_range(rand, -2, BLOCKS + 2),
        .n = g_rand_int_range(rand, 0, 5),
    };
    int dice = g_rand_int_range(rand, 0, 12);

    if (last && dice < 8) {
        r.type = last->type;
        r.block = dice & 1 ? last->block + last->n : last->block - r.n;
    } else if (last && dice == 8) {
        r = *last;
    } else if (f->refused >= 0 && dice > 9) {
        r.type = VIRTIO_MEM_REQ_PLUG;
        r.block = f->refused - g_rand_int_range(rand, 0, 2);
    }
    return r;
}

/* A block that is not plugged may be one that the back end does not take. */
static void choose_refused(Fixture *f, GRand *rand)
{
    int block = g_rand_int_range(rand, 0, BLOCKS);

    refuse(f, f->plugged[block] || g_rand_boolean(rand) ? -1 : block);
}

static void test_random(const void *properties)
{
    g_autoptr(GRand) rand = qtest_rand_new();
    Request reqs[QVIRTIO_MEM_BATCH / 2];
    Fixture f;

    start(&f, properties);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = g_rand_int_range(rand, 1, G_N_ELEMENTS(reqs) + 1);
        unsigned before = added(&f);

        choose_refused(&f, rand);
        for (unsigned i = 0; i < n; i++) {
            reqs[i] = random_request(&f, rand, i ? &reqs[i - 1] : NULL);
        }
        kick(&f, reqs, n);
        /* An unplug within a region adds up to two of what is left of it. */
        g_assert_cmpuint(added(&f) - before, <=, 2 * n + 1);
    }
    g_test_message("%u refusals", f.refusals);
    g_assert_cmpuint(f.refusals, >, 0);
    g_assert_cmpuint(f.server->connections, ==, 1);
    stop(&f);
}

/* --- the program ---------------------------------------------------------- */

/* @test with either kind of ring. */
static void add(const char *name, GTestDataFunc test)
{
    g_autofree char *split = g_strdup_printf("/joined-plugs/split/%s", name);
    g_autofree char *packed = g_strdup_printf("/joined-plugs/packed/%s", name);

    g_test_add_data_func(split, "", test);
    g_test_add_data_func(packed, ",packed=on", test);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    add("one-message-a-run", test_one_message_a_run);
    add("rings-wrap", test_rings_wrap);
    add("other-requests-between", test_other_requests_between);
    add("lies", test_lies);
    add("requested-size", test_requested_size);
    add("one-is-refused", test_one_is_refused);
    add("one-vain-attempt-a-kick", test_one_vain_attempt_a_kick);
    add("nth-message-is-refused", test_nth_message_is_refused);
    add("back-end-goes", test_back_end_goes);
    add("random", test_random);
    g_test_add_func("/joined-plugs/backed", test_backed_plugs);
    g_test_add_func("/joined-plugs/paced", test_paced_plugs);
    return g_test_run();
}
