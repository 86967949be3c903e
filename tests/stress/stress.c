/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same thing very often: what the emulator has of descriptors and memory after
 * it must be what it had after the first tenth. "make stress" runs it and
 * docs/testing.md has the figures; no time is judged.
 *
 * usage: stress [DIVISOR]: everything DIVISOR times as seldom, for a look
 */
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../qtest/virtio-mem.h"

#define BLOCK (2ULL << 20)
/* Half of the chains of a kick plug a block each, the others unplug them. */
#define CHAINS 64
#define REQUEST_BYTES sizeof(struct virtio_mem_req)
#define RESPONSE_BYTES sizeof(struct virtio_mem_resp)
/* What a heap may grow by for reasons of its own, bytes. */
#define SLACK (1 << 20)

typedef struct Stress {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    uint64_t responses;
    char *socket;                         /* a second QMP server's */
    char *image;                          /* a disk's */
    unsigned divisor;
    bool failed;
} Stress;

/* --- what the emulator has ------------------------------------------------ */

static unsigned count_descriptors(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static long resident_bytes(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", pid);
    g_autofree char *text = NULL;
    long size, resident;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%ld %ld", &size, &resident), ==, 2);
    return resident * sysconf(_SC_PAGESIZE);
}

/* The emulator may still have to close what the last call has left. */
static unsigned settled_descriptors(Stress *s, unsigned expected)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0, n;

    while ((n = count_descriptors(qtest_pid(s->qts))) != expected &&
           qtest_wait_more(deadline, &round)) {
    }
    return n;
}

/* --- repeating ------------------------------------------------------------ */

typedef void Action(Stress *s, const void *data);

static void repeat(Stress *s, const char *what, unsigned times, unsigned per_call,
                   Action *action, const void *data)
{
    pid_t pid = qtest_pid(s->qts);
    unsigned calls = MAX(10, times / s->divisor / per_call), first = calls / 10;
    gint64 begin = g_get_monotonic_time();
    unsigned fds, fds_after;
    long rss, rss_after;
    bool flat;

    for (unsigned i = 0; i < first; i++) {
        action(s, data);
    }
    qmp_client_check_alive(qtest_qmp(s->qts));
    fds = count_descriptors(pid);
    rss = resident_bytes(pid);
    for (unsigned i = first; i < calls; i++) {
        action(s, data);
    }
    fds_after = settled_descriptors(s, fds);
    rss_after = resident_bytes(pid);
    flat = fds == fds_after && rss_after <= rss + SLACK;
    s->failed |= !flat;
    printf("%-52s %8u %7.1f s %4u -> %-4u %8ld -> %-8ld %s\n", what,
           calls * per_call, (g_get_monotonic_time() - begin) / 1e6, fds, fds_after,
           rss / 1024, rss_after / 1024, flat ? "" : "NOT FLAT");
    fflush(stdout);
}

/* --- plugs and unplugs ---------------------------------------------------- */

static void put_request(Stress *s, uint64_t requests, unsigned i, uint64_t region)
{
    struct virtio_mem_req req = {
        .type = i < CHAINS / 2 ? VIRTIO_MEM_REQ_PLUG : VIRTIO_MEM_REQ_UNPLUG,
        .u.plug = { .addr = region + i % (CHAINS / 2) * BLOCK, .nb_blocks = 1 },
    };
    const struct vring_desc desc[] = {
        { requests + i * REQUEST_BYTES, REQUEST_BYTES, VRING_DESC_F_NEXT, 2 * i + 1 },
        { s->responses + i * RESPONSE_BYTES, RESPONSE_BYTES, VRING_DESC_F_WRITE, 0 },
    };

    qtest_memwrite(s->qts, requests + i * REQUEST_BYTES, &req, sizeof(req));
    qtest_memwrite(s->qts, s->vmem.vq.desc + 2 * i * sizeof(desc[0]), desc,
                   sizeof(desc));
}

static void prepare_requests(Stress *s)
{
    uint64_t requests = qguest_alloc(&s->guest, CHAINS * REQUEST_BYTES, 8);
    QVirtQueue *vq = &s->vmem.vq;
    struct virtio_mem_config config;
    uint16_t ring[2 * CHAINS];

    g_assert_cmpuint(vq->size, ==, G_N_ELEMENTS(ring));
    qvirtio_mem_config(&s->vmem, &config);
    g_assert_cmpuint(config.block_size, ==, BLOCK);
    s->responses = qguest_alloc(&s->guest, CHAINS * RESPONSE_BYTES, 8);
    for (unsigned i = 0; i < CHAINS; i++) {
        put_request(s, requests, i, config.addr);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(ring); i++) {
        ring[i] = 2 * (i % CHAINS);
    }
    qtest_memwrite(s->qts, vq->avail + offsetof(struct vring_avail, ring), ring,
                   sizeof(ring));
}

static void plug_and_unplug(Stress *s, const void *data)
{
    struct virtio_mem_resp resp[CHAINS];
    QVirtQueue *vq = &s->vmem.vq;
    gint64 deadline = 0;
    unsigned round = 0;
    uint16_t used;

    qtest_memset(s->qts, s->responses, 0xff, sizeof(resp));
    vq->avail_idx += CHAINS;
    qtest_writew(s->qts, vq->avail + offsetof(struct vring_avail, idx),
                 vq->avail_idx);
    qvirtqueue_kick(vq);
    while ((used = qtest_readw(s->qts, vq->used + offsetof(struct vring_used, idx)))
           != vq->avail_idx) {
        deadline = deadline ? deadline : qtest_deadline();
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    vq->used_idx = used;
    qtest_memread(s->qts, s->responses, resp, sizeof(resp));
    for (unsigned i = 0; i < CHAINS; i++) {
        g_assert_cmpuint(resp[i].type, ==, VIRTIO_MEM_RESP_ACK);
    }
}

/* --- an administrator ----------------------------------------------------- */

static void ask(Stress *s, const void *data)
{
    json_node_unref(qmp_client_do(qtest_qmp(s->qts), "{'execute': '%s'}",
                                  (const char *)data));
}

static void connect_and_leave(Stress *s, const void *data)
{
    QmpClient *c = qmp_client_connect(s->socket);

    qmp_client_handshake(c);
    qmp_client_free(c);
}

static void fail_to_add(Stress *s, const void *data)
{
    qmp_client_expect_error(qtest_qmp(s->qts), "GenericError", "",
                            "{'execute': 'device_add', 'arguments': {%s}}",
                            (const char *)data);
}

static void fail(Stress *s, const void *data)
{
    qmp_client_expect_error(qtest_qmp(s->qts), "GenericError", "",
                            "{'execute': %s}", (const char *)data);
}

static const struct {
    const char *what, *arguments;
} failures[] = {
    { "no such driver", "'driver': 'nothing'" },
    { "no such bus", "'driver': 'virtio-balloon-pci', 'bus': 'nowhere'" },
    { "slot in use", "'driver': 'virtio-balloon-pci', 'bus': 'full'" },
    { "id in use", "'driver': 'virtio-balloon-pci', 'bus': 'rp0', 'id': 'vm0'" },
    { "no such property",
      "'driver': 'virtio-balloon-pci', 'bus': 'rp0', 'colour': 'red'" },
    { "no memory backend", "'driver': 'virtio-mem-pci', 'bus': 'rp0'" },
    { "memory backend in use",
      "'driver': 'virtio-mem-pci', 'bus': 'rp0', 'memdev': 'mem0'" },
    { "requested-size above size", "'driver': 'virtio-mem-pci', 'bus': 'rp0', "
      "'memdev': 'spare', 'requested-size': 8589934592" },
    { "block-size that is none", "'driver': 'virtio-mem-pci', 'bus': 'rp0', "
      "'memdev': 'spare', 'block-size': 12345" },
    { "no room for the memory", "'driver': 'virtio-mem-pci', 'bus': 'rp0', "
      "'memdev': 'spare', 'memaddr': 1099511627776" },
    { "vfio-pci without a device", "'driver': 'vfio-pci', 'bus': 'rp0', "
      "'host': '0000:ff:1f.7'" },
    { "vfio-user-pci without a server", "'driver': 'vfio-user-pci', 'bus': 'rp0', "
      "'socket': '/nonexistent/socket'" },
    { "virtio-blk-pci without a disk",
      "'driver': 'virtio-blk-pci', 'bus': 'rp0', 'drive': 'none'" },
    { "disk in use", "'driver': 'virtio-blk-pci', 'bus': 'rp0', 'drive': 'disk'" },
    { "virtio-net-pci without a network",
      "'driver': 'virtio-net-pci', 'bus': 'rp0', 'netdev': 'none'" },
    { "vhost-user-blk-pci without a chardev",
      "'driver': 'vhost-user-blk-pci', 'bus': 'rp0', 'chardev': 'none'" },
    { "vhost-user-fs-pci without a tag",
      "'driver': 'vhost-user-fs-pci', 'bus': 'rp0', 'chardev': 'spare'" },
    { "vhost-vsock-pci without a number",
      "'driver': 'vhost-vsock-pci', 'bus': 'rp0'" },
};
/* The same for what is no device. */
static const struct {
    const char *what, *command;
} others[] = {
    { "object-add: no such type", "'object-add', 'arguments': {"
      "'qom-type': 'nothing', 'id': 'o'}" },
    { "object-add: memory-controller of nothing", "'object-add', 'arguments': {"
      "'qom-type': 'memory-controller', 'id': 'o', 'devices': 'none'}" },
    { "object-add: no such file", "'object-add', 'arguments': {"
      "'qom-type': 'memory-backend-file', 'id': 'o', 'size': 4096, "
      "'mem-path': '/nonexistent/file'}" },
    { "blockdev-add: no such file", "'blockdev-add', 'arguments': {"
      "'driver': 'file', 'node-name': 'n', 'filename': '/nonexistent/file'}" },
    { "netdev_add: nobody listens", "'netdev_add', 'arguments': {"
      "'type': 'stream', 'id': 'n', 'addr': {'type': 'unix', "
      "'path': '/nonexistent/socket'}}" },
};

static void repeat_image_in_use(Stress *s)
{
    g_autofree char *command = g_strdup_printf(
        "'blockdev-add', 'arguments': {'driver': 'file', 'node-name': 'n', "
        "'filename': '%s'}", s->image);

    repeat(s, "blockdev-add: image in use", 10000, 1, fail, command);
}

/* --- all ------------------------------------------------------------------ */

static void start(Stress *s, const char *directory)
{
    s->socket = g_build_filename(directory, "qmp", NULL);
    s->qts = qtest_init(
        "-M q35 -m 64M,maxmem=8G,slots=4 -qmp unix:%s,server=on,wait=off "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-object memory-backend-ram,id=spare,size=64M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=256M "
        "-device pcie-root-port,id=rp0,chassis=1 "
        "-device pcie-root-port,id=full,chassis=2 "
        "-device virtio-balloon-pci,id=balloon,bus=full "
        "-blockdev driver=file,node-name=disk,filename=%s "
        "-chardev null,id=spare "
        "-device virtio-blk-pci,drive=disk", s->socket, s->image);
    qguest_init(&s->guest, s->qts);
    qvirtio_mem_init(&s->vmem, &s->guest, 0);
    prepare_requests(s);
}

int main(int argc, char **argv)
{
    g_autofree char *directory = g_dir_make_tmp("stress-XXXXXX", NULL);
    Stress s = { .divisor = argc > 1 ? MAX(1, atoi(argv[1])) : 1 };

    g_assert_nonnull(directory);
    s.image = g_build_filename(directory, "image", NULL);
    g_assert_true(g_file_set_contents(s.image, "", 0, NULL));
    g_assert_cmpint(truncate(s.image, 1 << 20), ==, 0);
    start(&s, directory);
    printf("%-52s %8s %9s %-12s %-20s\n", "what", "times", "", "descriptors",
           "resident KiB");
    repeat(&s, "plugs and unplugs", 2000000, CHAINS, plug_and_unplug, NULL);
    repeat(&s, "QMP query-memory-devices", 50000, 1, ask, "query-memory-devices");
    repeat(&s, "QMP query-ram-discard", 50000, 1, ask, "query-ram-discard");
    repeat(&s, "QMP connections", 10000, 1, connect_and_leave, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *what = g_strdup_printf("device_add: %s", failures[i].what);

        repeat(&s, what, 10000, 1, fail_to_add, failures[i].arguments);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        repeat(&s, others[i].what, 10000, 1, fail, others[i].command);
    }
    repeat_image_in_use(&s);
    qtest_quit(s.qts);
    unlink(s.image);
    unlink(s.socket);
    rmdir(directory);
    g_free(s.socket);
    g_free(s.image);
    return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
