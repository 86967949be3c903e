/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem and the host's lack of memory: a plug that the host cannot back
 * is refused so that the guest tries again, and the VM lives. First with a file
 * that is too short, which needs no rights; then with real huge pages, of which
 * the test reserves a few if it is root and none are in use.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "memfd.h"
#include "qemu/units.h"
#include "virtio-mem.h"

#define VM0 "/machine/peripheral/vm0"
#define REGION (64 * MiB)

#define assert_ack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ACK)
#define assert_busy(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_BUSY)

typedef struct Guest {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    uint64_t addr;                        /* of the region */
    uint64_t block;
} Guest;

/* A device of REGION bytes, all requested, with the options @device. */
static void start(Guest *g, const char *backend, const char *device)
{
    struct virtio_mem_config config;

    g->qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G -object %s,id=mem0,size=64M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,requested-size=64M%s",
        backend, device);
    qguest_init(&g->guest, g->qts);
    qvirtio_mem_init(&g->vmem, &g->guest, 0);
    qvirtio_mem_config(&g->vmem, &config);
    g->addr = config.addr;
    g->block = config.block_size;
}

static uint16_t plug(Guest *g, unsigned first, unsigned n)
{
    return qvirtio_mem_plug(&g->vmem, g->addr + first * g->block, n);
}

static uint64_t plugged(Guest *g)
{
    return qtest_qom_get_uint(g->qts, VM0, "size");
}

/* query-memory-devices must know a refusal for want of memory. */
static void check_refusal(Guest *g, int count, bool standing)
{
    g_autoptr(JsonNode) list = qmp_client_do(
        qtest_qmp(g->qts), "{'execute': 'query-memory-devices'}");
    JsonObject *info = json_array_get_object_element(
        json_node_get_array(list), 0);
    JsonObject *refusal = json_object_get_object_member(
        json_object_get_object_member(info, "data"), "last-refusal");

    g_assert_nonnull(refusal);
    g_assert_cmpstr(json_object_get_string_member(refusal, "kind"), ==,
                    "prealloc");
    g_assert_nonnull(strstr(json_object_get_string_member(refusal, "reason"),
                            "the host cannot back"));
    g_assert_cmpint(json_object_get_int_member(refusal, "count"), ==, count);
    g_assert_cmpint(json_object_get_boolean_member(refusal, "standing"), ==,
                    standing);
}

/* --- without huge pages --------------------------------------------------- */

static void test_off_leaves_it_to_the_guest(void)
{
    Guest g;
    g_autofree char *memfd = NULL;

    start(&g, "memory-backend-memfd", "");
    memfd = qtest_find_memfd(g.qts, REGION);
    assert_ack(plug(&g, 0, 4));
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 0);
    qtest_quit(g.qts);
}

static void test_on_backs_what_is_plugged(void)
{
    Guest g;
    g_autofree char *memfd = NULL;

    start(&g, "memory-backend-memfd,reserve=off,prealloc-threads=3",
          ",prealloc=on");
    memfd = qtest_find_memfd(g.qts, REGION);
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 0);
    assert_ack(plug(&g, 3, 20));
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 20 * g.block);
    g_assert_cmpuint(qtest_memfd_allocated_in(memfd, 3 * g.block,
                                              20 * g.block), ==, 20 * g.block);
    assert_ack(qvirtio_mem_unplug(&g.vmem, g.addr + 4 * g.block, 5));
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 15 * g.block);
    qtest_quit(g.qts);
}

/* The one request that waits in the queue. */
static void put_plug(Guest *g, unsigned first)
{
    struct virtio_mem_req req = {
        .type = GUINT16_TO_LE(VIRTIO_MEM_REQ_PLUG),
        .u.plug.addr = GUINT64_TO_LE(g->addr + first * g->block),
        .u.plug.nb_blocks = GUINT16_TO_LE(1),
    };
    const QVirtioBuffer bufs[] = {
        { g->vmem.request, sizeof(req), false },
        { g->vmem.response, sizeof(struct virtio_mem_resp), true },
    };

    qtest_memwrite(g->qts, g->vmem.request, &req, sizeof(req));
    qvirtqueue_add(&g->vmem.vq, bufs, 2);
    qvirtqueue_kick(&g->vmem.vq);
}

static void set_rate(Guest *g, const char *rate)
{
    json_node_unref(qmp_client_do(
        qtest_qmp(g->qts), "{'execute': 'qom-set', 'arguments': {'path': '" VM0
        "', 'property': 'populate-rate', 'value': %s}}", rate));
}

/* After 32 MiB at 16 MiB a second the next plug waits for two seconds. */
static void test_plugs_are_paced(void)
{
    const int64_t second = 1000000000;
    Guest g;

    start(&g, "memory-backend-ram", ",prealloc=on,populate-rate=16M");
    assert_ack(plug(&g, 0, 32 * MiB / g.block));
    put_plug(&g, 32 * MiB / g.block);
    qtest_clock_step(g.qts, 2 * second - 1);
    g_assert_cmpuint(plugged(&g), ==, 32 * MiB);
    qtest_clock_step(g.qts, 1);
    qvirtqueue_wait(&g.vmem.vq, NULL);
    g_assert_cmpuint(plugged(&g), ==, 32 * MiB + g.block);
    qtest_quit(g.qts);
}

static void test_pace_can_be_changed(void)
{
    Guest g;

    start(&g, "memory-backend-ram", ",prealloc=on,populate-rate=16M");
    set_rate(&g, "0");
    assert_ack(plug(&g, 0, 4));
    assert_ack(plug(&g, 4, 4));
    qmp_client_expect_error(qtest_qmp(g.qts), "GenericError", "at least 16777216",
                            "{'execute': 'qom-set', 'arguments': {'path': '" VM0
                            "', 'property': 'populate-rate', 'value': 1}}");
    qtest_quit(g.qts);
}

/* What populates nothing is no load: it does not wait. */
static void test_plugs_of_bits_are_not_paced(void)
{
    Guest g;

    start(&g, "memory-backend-ram", ",populate-rate=16M");
    assert_ack(plug(&g, 0, 4));
    assert_ack(plug(&g, 4, 4));
    qtest_quit(g.qts);
}

/* A system reset in the midst of it: the driver that comes next is served. */
static void test_pace_survives_a_reset(void)
{
    Guest g;

    start(&g, "memory-backend-ram", ",prealloc=on,populate-rate=16M");
    assert_ack(plug(&g, 0, 4));
    put_plug(&g, 4);
    json_node_unref(qmp_client_do(qtest_qmp(g.qts),
                                  "{'execute': 'system_reset'}"));
    g_assert_cmpuint(plugged(&g), ==, 0);
    qtest_clock_step(g.qts, 4 * 1000000000LL);
    g_assert_cmpuint(plugged(&g), ==, 0);
    qtest_quit(g.qts);
}

static void test_property_is_visible_and_settled(void)
{
    Guest g;
    g_autoptr(JsonNode) value = NULL;

    start(&g, "memory-backend-ram", ",prealloc=on");
    value = qmp_client_do(qtest_qmp(g.qts), "{'execute': 'qom-get', "
                          "'arguments': {'path': '" VM0 "', "
                          "'property': 'prealloc'}}");
    g_assert_true(json_node_get_boolean(value));
    qmp_client_expect_error(qtest_qmp(g.qts), "GenericError", "prealloc",
                            "{'execute': 'qom-set', "
                            "'arguments': {'path': '" VM0 "', "
                            "'property': 'prealloc', 'value': false}}");
    qtest_quit(g.qts);
}

static uint64_t resident(QTestState *qts)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", qtest_pid(qts));
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtoull(strchr(text, ' '), NULL, 10) * getpagesize();
}

/* It has allocated all memory, for virtio-mem to discard. */
static void test_backend_with_prealloc_gives_it_back(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G -device pcie-root-port,id=rp0,chassis=1 "
        "-object memory-backend-ram,id=mem0,size=64M,prealloc=on");

    g_assert_cmpuint(resident(qts), >=, 64 * MiB);
    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'device_add', "
                                  "'arguments': {'driver': 'virtio-mem-pci', "
                                  "'bus': 'rp0', 'id': 'vm0', "
                                  "'memdev': 'mem0'}}"));
    g_assert_cmpuint(resident(qts), <, 64 * MiB);
    qtest_quit(qts);
}

/*
 * The file of the memory is cut short behind the emulator's back: to touch
 * what is beyond its end would raise SIGBUS.
 */
static void test_lack_makes_the_guest_wait(void)
{
    Guest g;
    g_autofree char *memfd = NULL;

    start(&g, "memory-backend-memfd,seal=off", ",prealloc=on");
    memfd = qtest_find_memfd(g.qts, REGION);
    g_assert_cmpint(truncate(memfd, 8 * g.block), ==, 0);
    assert_ack(plug(&g, 0, 4));
    assert_busy(plug(&g, 4, 20));
    assert_busy(plug(&g, 8, 1));
    g_assert_cmpuint(plugged(&g), ==, 4 * g.block);
    /* What was populated before the end of the file is given back. */
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 4 * g.block);
    g_assert_cmpuint(qvirtio_mem_state(&g.vmem, g.addr + 4 * g.block, 28), ==,
                     VIRTIO_MEM_STATE_UNPLUGGED);
    check_refusal(&g, 2, true);

    g_assert_cmpint(truncate(memfd, REGION), ==, 0);
    assert_ack(plug(&g, 4, 20));
    check_refusal(&g, 2, false);
    g_assert_cmpuint(plugged(&g), ==, 24 * g.block);
    g_assert_cmpuint(qtest_memfd_allocated(memfd), ==, 24 * g.block);
    qtest_quit(g.qts);
}

/* --- with huge pages ------------------------------------------------------ */

#define HUGE_DIR "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define HUGE (2 * MiB)

typedef struct HugePages {
    int lock;                             /* of the pool, against other runs */
    uint64_t former;                      /* size of the pool */
} HugePages;

static uint64_t huge_read(const char *name)
{
    g_autofree char *path = g_build_filename(HUGE_DIR, name, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL)
               ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* A test that fails must not keep the pages. */
static void huge_abort(int sig)
{
    int fd = open(HUGE_DIR "nr_hugepages", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "0", 1) != 1) {
        _exit(1);                         /* nothing can be done about it */
    }
}

static bool huge_set_pool(uint64_t pages)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, pages);
    int fd = open(HUGE_DIR "nr_hugepages", O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return ok && huge_read("nr_hugepages") == pages;
}

/* Has @pages free huge pages of 2 MiB, or skips the test and returns false. */
static bool huge_reserve(HugePages *h, uint64_t pages)
{
    h->lock = open(HUGE_DIR "nr_hugepages", O_RDONLY | O_CLOEXEC);
    if (h->lock < 0) {
        g_test_skip("the host's kernel has no huge pages of 2 MiB");
        return false;
    }
    g_assert_cmpint(flock(h->lock, LOCK_EX), ==, 0);
    h->former = huge_read("nr_hugepages");
    if (h->former) {
        g_test_skip("the host's huge pages are somebody else's");
    } else if (!huge_set_pool(pages)) {
        huge_set_pool(0);
        g_test_skip("the host will not reserve huge pages (it takes root, and "
                    "memory that is not fragmented)");
    } else {
        signal(SIGABRT, huge_abort);
        return true;
    }
    close(h->lock);
    return false;
}

static void huge_release(HugePages *h)
{
    g_assert_true(huge_set_pool(h->former));
    signal(SIGABRT, SIG_DFL);
    close(h->lock);
}

static void test_huge_pages_shape_the_blocks(void)
{
    HugePages h;
    Guest g;

    if (!huge_reserve(&h, 8)) {
        return;
    }
    start(&g, "memory-backend-memfd,hugetlb=on,hugetlbsize=2M,reserve=off", "");
    g_assert_cmpuint(g.block, ==, HUGE);
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 8);
    assert_ack(plug(&g, 2, 3));
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 5);
    qtest_writel(g.qts, g.addr + 2 * HUGE, 42);
    g_assert_cmpuint(qtest_readl(g.qts, g.addr + 2 * HUGE), ==, 42);
    assert_ack(qvirtio_mem_unplug(&g.vmem, g.addr + 2 * HUGE, 2));
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 7);
    qtest_quit(g.qts);
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 8);
    huge_release(&h);
}

/* With any @backend: too few huge pages, then enough. */
static void check_huge_pages_run_out(const char *backend)
{
    HugePages h;
    Guest g;

    if (!huge_reserve(&h, 8)) {
        return;
    }
    start(&g, backend, "");
    assert_ack(plug(&g, 0, 6));
    assert_busy(plug(&g, 6, 4));
    assert_busy(plug(&g, 20, 3));
    g_assert_cmpuint(plugged(&g), ==, 6 * HUGE);
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 2);
    qmp_client_check_alive(qtest_qmp(g.qts));

    g_assert_true(huge_set_pool(10));
    assert_ack(plug(&g, 6, 4));
    qtest_writel(g.qts, g.addr + 10 * HUGE - 4, 42);
    g_assert_cmpuint(qtest_readl(g.qts, g.addr + 10 * HUGE - 4), ==, 42);
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 0);
    assert_ack(qvirtio_mem_unplug(&g.vmem, g.addr, 1));
    assert_ack(plug(&g, 31, 1));
    qtest_quit(g.qts);
    huge_release(&h);
}

static void test_huge_pages_run_out(void)
{
    check_huge_pages_run_out("memory-backend-memfd,hugetlb=on,hugetlbsize=2M,"
                             "reserve=off");
}

static void test_private_huge_pages_run_out(void)
{
    check_huge_pages_run_out("memory-backend-memfd,hugetlb=on,hugetlbsize=2M,"
                             "reserve=off,share=off");
}

/* A promise of huge pages is kept or not given at all. */
static void test_reserved_huge_pages_are_refused_at_the_start(void)
{
    HugePages h;
    QTestState *qts;

    if (!huge_reserve(&h, 8)) {
        return;
    }
    qts = qtest_init("-M q35 -m 128M,maxmem=4G");
    qmp_client_expect_error(qtest_qmp(qts), "GenericError",
                            "too few free huge pages",
                            "{'execute': 'object-add', 'arguments': "
                            "{'qom-type': 'memory-backend-memfd', 'id': 'm', "
                            "'hugetlb': true, 'hugetlbsize': 2097152, "
                            "'size': 67108864}}");
    json_node_unref(qmp_client_do(qtest_qmp(qts),
                            "{'execute': 'object-add', 'arguments': "
                            "{'qom-type': 'memory-backend-memfd', 'id': 'm', "
                            "'hugetlb': true, 'hugetlbsize': 2097152, "
                            "'prealloc': true, 'size': 16777216}}"));
    g_assert_cmpuint(huge_read("free_hugepages"), ==, 0);
    qtest_quit(qts);
    huge_release(&h);
}

/* Of these no host has any by chance, but it knows how to map them. */
static void test_block_is_never_less_than_a_page(void)
{
    const char *dir = "/sys/kernel/mm/hugepages/hugepages-1048576kB";
    struct virtio_mem_config config;
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;

    if (!g_file_test(dir, G_FILE_TEST_EXISTS)) {
        g_test_skip("the host's kernel has no huge pages of 1 GiB");
        return;
    }
    qts = qtest_init(
        "-M q35 -m 128M,maxmem=8G -device pcie-root-port,id=rp0,chassis=1 "
        "-object memory-backend-memfd,id=mem0,size=2G,hugetlb=on,"
        "hugetlbsize=1G,reserve=off "
        "-object memory-backend-memfd,id=mem1,size=2G,hugetlb=on,"
        "hugetlbsize=1G,reserve=off "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,requested-size=2G");
    qguest_init(&guest, qts);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    g_assert_cmpuint(config.block_size, ==, 1024 * MiB);
    qmp_client_expect_error(qtest_qmp(qts), "GenericError", "block-size",
                            "{'execute': 'device_add', 'arguments': "
                            "{'driver': 'virtio-mem-pci', 'bus': 'rp0', "
                            "'id': 'vm1', 'memdev': 'mem1', "
                            "'block-size': 2097152}}");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/prealloc/off-leaves-it-to-the-guest",
                    test_off_leaves_it_to_the_guest);
    g_test_add_func("/prealloc/on-backs-what-is-plugged",
                    test_on_backs_what_is_plugged);
    g_test_add_func("/prealloc/plugs-are-paced", test_plugs_are_paced);
    g_test_add_func("/prealloc/pace-can-be-changed", test_pace_can_be_changed);
    g_test_add_func("/prealloc/plugs-of-bits-are-not-paced",
                    test_plugs_of_bits_are_not_paced);
    g_test_add_func("/prealloc/pace-survives-a-reset",
                    test_pace_survives_a_reset);
    g_test_add_func("/prealloc/property-is-visible-and-settled",
                    test_property_is_visible_and_settled);
    g_test_add_func("/prealloc/backend-with-prealloc-gives-it-back",
                    test_backend_with_prealloc_gives_it_back);
    g_test_add_func("/prealloc/lack-makes-the-guest-wait",
                    test_lack_makes_the_guest_wait);
    g_test_add_func("/prealloc/huge-pages-shape-the-blocks",
                    test_huge_pages_shape_the_blocks);
    g_test_add_func("/prealloc/block-is-never-less-than-a-page",
                    test_block_is_never_less_than_a_page);
    g_test_add_func("/prealloc/huge-pages-run-out", test_huge_pages_run_out);
    g_test_add_func("/prealloc/private-huge-pages-run-out",
                    test_private_huge_pages_run_out);
    g_test_add_func("/prealloc/reserved-huge-pages-are-refused-at-the-start",
                    test_reserved_huge_pages_are_refused_at_the_start);
    return g_test_run();
}
