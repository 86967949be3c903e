/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts one emulator with a virtio-mem device, sends it requests as a driver
 * does, and prints what they cost it: CPU time of the emulator, user and
 * system, in ns for each request. tests/bench/requests runs it.
 *
 * A kick's cost is what the emulator's CPU clock says after it less what it
 * said before; the cost of a kick that finds nothing, which is that of the
 * qtest protocol and of the notification, is taken off. The median of all
 * kicks counts. Requests are written, and responses checked, outside of that.
 *
 * usage: request-driver [--kicks N] FIGURE...
 * --kicks: just N kicks of each figure are sent, and no time is measured: what
 * N more of them add to an instruction counter around the emulator is theirs.
 */
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../qtest/vhost-user-server.h"
#include "../qtest/virtio-mem.h"
#include "driver.h"

#define BLOCK (2ULL << 20)
#define GIB_BLOCKS 512u
#define REGION_GIB 64
/* With --kicks: valgrind has less room for a program. */
#define SMALL_REGION_GIB 32
/* A request and its response are two descriptors of the 128. */
#define CHAINS 64
#define REQUEST_BYTES sizeof(struct virtio_mem_req)
#define RESPONSE_BYTES sizeof(struct virtio_mem_resp)
#define SLOTS 32                          /* of the vhost-user back end */
#define ADD_MEM_REG 37
#define REM_MEM_REG 38

typedef struct Bench {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    clockid_t clock;                      /* the emulator's CPU time */
    uint64_t region;                      /* guest physical */
    uint64_t requests;                    /* guest RAM: CHAINS of each */
    uint64_t responses;
    GArray *kicks;                        /* ns, of the figure being measured */
    unsigned limit;                       /* kicks of a figure; 0: none */
    QVhostServer *server;                 /* NULL: nobody else has the memory */
} Bench;

/* What each request of a kick is. */
typedef struct Plan {
    uint16_t type;
    unsigned blocks;                      /* of each request */
    unsigned stride;                      /* blocks from one to the next */
    uint16_t state;                       /* STATE: the expected answer */
} Plan;

/* --- the device ---------------------------------------------------------- */

static void put_chain(Bench *b, unsigned i)
{
    struct vring_desc desc[2] = {
        { .addr = b->requests + i * REQUEST_BYTES, .len = REQUEST_BYTES,
          .flags = VRING_DESC_F_NEXT, .next = 2 * i + 1 },
        { .addr = b->responses + i * RESPONSE_BYTES, .len = RESPONSE_BYTES,
          .flags = VRING_DESC_F_WRITE },
    };

    qtest_memwrite(b->qts, b->vmem.vq.desc + 2 * i * sizeof(desc[0]), desc,
                   sizeof(desc));
}

/* Chain i is the i-th entry from the driver's index on, wherever that is. */
static void put_entries(Bench *b)
{
    QVirtQueue *vq = &b->vmem.vq;
    uint16_t ring[2 * CHAINS];

    for (unsigned i = 0; i < G_N_ELEMENTS(ring); i++) {
        ring[(vq->avail_idx + i) % G_N_ELEMENTS(ring)] = 2 * (i % CHAINS);
    }
    qtest_memwrite(b->qts, vq->avail + offsetof(struct vring_avail, ring),
                   ring, sizeof(ring));
}

static unsigned region_gib(const Bench *b)
{
    return b->limit ? SMALL_REGION_GIB : REGION_GIB;
}

/* Options of a device that another process, here this one, would serve. */
static char *vhost_options(Bench *b)
{
    if (!b->server) {
        return g_strdup("-m 256M,maxmem=80G");
    }
    return g_strdup_printf(
        "-m 256M,maxmem=80G -object memory-backend-memfd,id=ram,size=256M "
        "-machine memory-backend=ram -chardev socket,id=c0,path=%s "
        "-device vhost-user-blk-pci,chardev=c0", b->server->socket);
}

static void start(Bench *b, const char *backend)
{
    struct virtio_mem_config config;
    unsigned gib = region_gib(b);
    g_autofree char *options = vhost_options(b);

    /* QEMU's TCG has no eventfds for kicks; without them both handle a kick
     * before they answer. */
    b->qts = qtest_init(
        "-M q35 %s -object %s,id=mem0,size=%uG,reserve=off "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=%uG%s", options, backend, gib, gib,
        qtest_has_clock() ? ",ioeventfd=off" : "");
    g_assert_no_errno(clock_getcpuclockid(qtest_pid(b->qts), &b->clock));
    qguest_init(&b->guest, b->qts);
    qvirtio_mem_init(&b->vmem, &b->guest, 0);
    qvirtio_mem_config(&b->vmem, &config);
    g_assert_cmpuint(config.block_size, ==, BLOCK);
    b->region = config.addr;
    b->requests = qguest_alloc(&b->guest, CHAINS * REQUEST_BYTES, 16);
    b->responses = qguest_alloc(&b->guest, CHAINS * RESPONSE_BYTES, 16);
    g_assert_cmpuint(b->vmem.vq.size, ==, 2 * CHAINS);
    for (unsigned i = 0; i < CHAINS; i++) {
        put_chain(b, i);
    }
}

/* --- kicks --------------------------------------------------------------- */

static int64_t cpu_ns(const Bench *b)
{
    struct timespec t;

    g_assert_no_errno(clock_gettime(b->clock, &t));
    return t.tv_sec * G_GINT64_CONSTANT(1000000000) + t.tv_nsec;
}

/* Kicks; ns of CPU time that went by until the kick was handled. */
static int64_t kick(Bench *b)
{
    int64_t before = cpu_ns(b);

    qvirtqueue_kick(&b->vmem.vq);
    return cpu_ns(b) - before;
}

/* Kicks in vain, then for @n new entries; what the latter cost more. */
static int64_t kick_for(Bench *b, unsigned n)
{
    QVirtQueue *vq = &b->vmem.vq;
    int64_t empty = b->limit ? 0 : kick(b);
    int64_t ns;

    vq->avail_idx += n;
    qtest_writew(b->qts, vq->avail + offsetof(struct vring_avail, idx),
                 vq->avail_idx);
    ns = kick(b);
    vq->used_idx = qtest_readw(b->qts,
                               vq->used + offsetof(struct vring_used, idx));
    if (vq->used_idx != vq->avail_idx) {
        g_error("%u of %u requests were not answered",
                (uint16_t)(vq->avail_idx - vq->used_idx), n);
    }
    return ns - empty;
}

static void put_requests(Bench *b, const Plan *plan, unsigned first,
                         unsigned n)
{
    struct virtio_mem_req reqs[CHAINS] = { };

    for (unsigned i = 0; i < n; i++) {
        reqs[i].type = plan->type;
        reqs[i].u.plug.addr = b->region + (first + i * plan->stride) * BLOCK;
        reqs[i].u.plug.nb_blocks = plan->blocks;
    }
    put_entries(b);
    qtest_memwrite(b->qts, b->requests, reqs, n * REQUEST_BYTES);
}

static void check_responses(Bench *b, const Plan *plan, unsigned n)
{
    uint8_t bytes[CHAINS * RESPONSE_BYTES];

    qtest_memread(b->qts, b->responses, bytes, n * RESPONSE_BYTES);
    for (unsigned i = 0; i < n; i++) {
        struct virtio_mem_resp resp;

        memcpy(&resp, bytes + i * RESPONSE_BYTES, sizeof(resp));
        if (resp.type != VIRTIO_MEM_RESP_ACK ||
            (plan->type == VIRTIO_MEM_REQ_STATE &&
             resp.u.state.state != plan->state)) {
            g_error("request %u of type %u: response %u, state %u", i,
                    plan->type, resp.type, resp.u.state.state);
        }
    }
}

/* One kick of @n requests, block @first on; noted for the figure. */
static void run_kick(Bench *b, const Plan *plan, unsigned first, unsigned n)
{
    int64_t ns;

    put_requests(b, plan, first, n);
    ns = kick_for(b, n);
    check_responses(b, plan, n);
    g_array_append_val(b->kicks, ns);
}

/* The whole region, one kick after another; at most @limit, if that is not 0. */
static void run_over_region(Bench *b, const Plan *plan, unsigned limit)
{
    unsigned step = CHAINS * plan->stride;
    unsigned kicks = region_gib(b) * GIB_BLOCKS / step;

    for (unsigned i = 0; i < (limit ? MIN(limit, kicks) : kicks); i++) {
        run_kick(b, plan, i * step, CHAINS);
    }
}

static const Plan plug_1 = { VIRTIO_MEM_REQ_PLUG, 1, 1, 0 };
static const Plan plug_every_second = { VIRTIO_MEM_REQ_PLUG, 1, 2, 0 };
static const Plan plug_64 = { VIRTIO_MEM_REQ_PLUG, 64, 64, 0 };
static const Plan unplug_1 = { VIRTIO_MEM_REQ_UNPLUG, 1, 1, 0 };
static const Plan unplug_all = { VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0, 0 };
static const Plan state_1 = {
    VIRTIO_MEM_REQ_STATE, 1, 2, VIRTIO_MEM_STATE_PLUGGED,
};
static const Plan state_64 = {
    VIRTIO_MEM_REQ_STATE, 64, 64, VIRTIO_MEM_STATE_MIXED,
};

/* Leaves the region unplugged, and what that took out of the count. */
static void unplug_region(Bench *b)
{
    unsigned kept = b->kicks->len;

    run_kick(b, &unplug_all, 0, 1);
    g_array_set_size(b->kicks, kept);
}

static void prepare(Bench *b, const Plan *plan)
{
    unplug_region(b);
    run_over_region(b, plan, 0);
    g_array_set_size(b->kicks, 0);
}

/* --- figures ------------------------------------------------------------- */

static void run_plug_1(Bench *b)
{
    run_over_region(b, &plug_1, b->limit);
}

static void run_plug_64(Bench *b)
{
    /* Few kicks fill it. */
    for (int i = 0; i < (b->limit ? 1 : 16); i++) {
        run_over_region(b, &plug_64, b->limit);
        unplug_region(b);
    }
}

static void run_unplug_1(Bench *b)
{
    prepare(b, &plug_1);
    run_over_region(b, &unplug_1, b->limit);
}

static void run_state_1(Bench *b)
{
    prepare(b, &plug_every_second);
    run_over_region(b, &state_1, b->limit);
}

static void run_state_64(Bench *b)
{
    prepare(b, &plug_every_second);
    for (int i = 0; i < (b->limit ? 1 : 32); i++) {
        run_over_region(b, &state_64, b->limit);
    }
}

static void run_unplug_all(Bench *b)
{
    g_autoptr(GArray) each = g_array_new(FALSE, FALSE, sizeof(int64_t));

    for (unsigned i = 0; i < (b->limit ? b->limit : 31); i++) {
        prepare(b, &plug_every_second);
        run_kick(b, &unplug_all, 0, 1);
        g_array_append_val(each, g_array_index(b->kicks, int64_t, 0));
    }
    g_array_set_size(b->kicks, 0);
    g_array_append_vals(b->kicks, each->data, each->len);
}

static const struct Figure {
    const char *name;
    const char *backend;
    void (*run)(Bench *b);
    unsigned requests;                    /* of each kick that counts */
    bool is_shared;                       /* with a vhost-user back end */
} figures[] = {
    { "plug-1", "memory-backend-ram", run_plug_1, CHAINS, false },
    { "plug-64", "memory-backend-ram", run_plug_64, CHAINS, false },
    { "unplug-1", "memory-backend-memfd", run_unplug_1, CHAINS, false },
    { "state-1", "memory-backend-ram", run_state_1, CHAINS, false },
    { "state-64", "memory-backend-ram", run_state_64, CHAINS, false },
    { "unplug-all", "memory-backend-ram", run_unplug_all, 1, false },
    { "unplug-all-memfd", "memory-backend-memfd", run_unplug_all, 1, false },
    { "plug-vhost-1", "memory-backend-memfd", run_plug_1, CHAINS, true },
    { "plug-vhost-64", "memory-backend-memfd", run_plug_64, CHAINS, true },
};

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t take_median(Bench *b)
{
    unsigned n = b->kicks->len;
    int64_t ns;

    g_assert_cmpuint(n, >, 0);
    qsort(b->kicks->data, n, sizeof(ns), compare_ns);
    ns = g_array_index(b->kicks, int64_t, n / 2);
    g_array_set_size(b->kicks, 0);
    return ns;
}

/* Messages so far that tell of memory. */
static unsigned count_messages(Bench *b)
{
    return qvhost_server_count(b->server, ADD_MEM_REG) +
           qvhost_server_count(b->server, REM_MEM_REG);
}

/* Runs @f, and says how often the back end was told of memory. */
static void run_counting_messages(Bench *b, const struct Figure *f)
{
    unsigned before = count_messages(b);

    f->run(b);
    printf("# %s: %u messages in %u kicks of %u requests\n", f->name,
           count_messages(b) - before, b->kicks->len, f->requests);
}

static void run_figure(const struct Figure *f, unsigned limit)
{
    Bench b = {
        .limit = limit,
        .server = f->is_shared ? qvhost_server_new(SLOTS) : NULL,
    };

    b.kicks = g_array_new(FALSE, FALSE, sizeof(int64_t));
    start(&b, f->backend);
    /* What is slower the first time is so before it counts. */
    run_over_region(&b, &plug_1, limit ? 1 : 0);
    unplug_region(&b);
    g_array_set_size(b.kicks, 0);
    if (b.server) {
        run_counting_messages(&b, f);
    } else {
        f->run(&b);
    }
    if (!limit) {
        printf("%s %.1f\n", f->name, (double)take_median(&b) / f->requests);
    }
    g_array_unref(b.kicks);
    qtest_quit(b.qts);
    if (b.server) {
        qvhost_server_free(b.server);
    }
}

/* --- the program --------------------------------------------------------- */

int main(int argc, char **argv)
{
    bool limited = argc > 2 && strcmp(argv[1], "--kicks") == 0;
    int first = limited ? 3 : 1;

    bench_one_line_errors();
    if (!g_getenv("QTEST_QEMU_BINARY") || argc <= first) {
        fputs("usage: QTEST_QEMU_BINARY=... request-driver [--kicks N] "
              "FIGURE...\n", stderr);
        return 1;
    }
    for (int i = first; i < argc; i++) {
        run_figure(BENCH_FIGURE(argv[i], figures),
                   limited ? MAX(1, atoi(argv[2])) : 0);
    }
    return 0;
}
