/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-balloon: what the guest gives back costs the host nothing any more,
 * and nothing else is touched; together with a device that needs memory to
 * stay in place, the guest sees the same and nothing is given back.
 */
#include <glib/gstdio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "coordination.h"
#include "memfd.h"
#include "qemu/units.h"

#define PAGE 4096ULL
#define BOOT (64 * MiB)
#define SECOND 1000000000LL
#define BALLOON " -device virtio-balloon-pci,id=balloon0,free-page-reporting=on,"   \
                "free-page-hint=on "
#define MEMORY                                                               \
    " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "       \
    "-machine memory-backend=boot "                                          \
    "-object memory-backend-memfd,id=mem0,size=256M "                        \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=64M "

typedef struct Fixture {
    Coordination c;                       /* one virtio-mem device */
    QTestState *qts;
    QmpClient *qmp;
    QVirtioPCI dev;
    QVirtQueue inflate, deflate, report;
    uint64_t pfns;                        /* guest RAM of a request */
    char *boot;                           /* the memfd of boot RAM */
    char *sparse;
    char *messages;                       /* file of the emulator's stderr */
} Fixture;

static void start_driver(Fixture *f)
{
    qvirtio_pci_init(&f->dev, &f->c.guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_start(&f->dev, 1ULL << VIRTIO_BALLOON_F_REPORTING));
    qvirtqueue_init(&f->inflate, &f->dev, 0, 0);
    qvirtqueue_init(&f->deflate, &f->dev, 1, 0);
    qvirtqueue_init(&f->report, &f->dev, 2, 0);
    qvirtio_driver_ok(&f->dev);
    f->pfns = qguest_alloc(&f->c.guest, 128 * 1024, PAGE);
}

/* @data: the number of vfio-user devices. */
static void setup(Fixture *f, const void *data)
{
    f->messages = qtest_begin_messages();
    coordination_start(&f->c, 1, GPOINTER_TO_UINT(data), "",
                       MEMORY BALLOON);
    qtest_end_messages();
    f->qts = f->c.qts;
    f->qmp = qtest_qmp(f->qts);
    f->boot = qtest_find_memfd(f->qts, BOOT);
    f->sparse = qtest_find_memfd(f->qts, 256 * MiB);
    start_driver(f);
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
    g_unlink(f->messages);
    g_free(f->messages);
    g_free(f->boot);
    g_free(f->sparse);
}

/* Gives the device @n frame numbers; they must come back. */
static void send_pfns(Fixture *f, QVirtQueue *vq, const uint32_t *pfns,
                      unsigned n)
{
    const QVirtioBuffer buf = { f->pfns, n * sizeof(*pfns), false };

    qtest_memwrite(f->qts, f->pfns, pfns, n * sizeof(*pfns));
    qvirtqueue_add(vq, &buf, 1);
    qvirtqueue_kick(vq);
    qvirtqueue_wait(vq, NULL);
}

static uint64_t allocated(Fixture *f, uint64_t offset, uint64_t size)
{
    return qtest_memfd_allocated_in(f->boot, offset, size);
}

/* --- giving back ---------------------------------------------------------- */

static void test_inflate(Fixture *f, const void *data)
{
    const uint64_t base = 32 * MiB;
    const uint32_t first = base / PAGE;
    const uint32_t pfns[] = { first + 5, first + 1, first + 2, first + 2,
                              first + 3, first + 9 };

    qtest_memset(f->qts, base, 0xaa, 16 * PAGE);
    g_assert_cmpuint(allocated(f, base, 16 * PAGE), ==, 16 * PAGE);
    send_pfns(f, &f->inflate, pfns, G_N_ELEMENTS(pfns));
    g_assert_cmpuint(allocated(f, base, 16 * PAGE), ==, 11 * PAGE);
    g_assert_cmphex(qtest_readb(f->qts, base + 1 * PAGE - 1), ==, 0xaa);
    g_assert_cmphex(qtest_readb(f->qts, base + 1 * PAGE), ==, 0);
    g_assert_cmphex(qtest_readb(f->qts, base + 4 * PAGE - 1), ==, 0);
    g_assert_cmphex(qtest_readb(f->qts, base + 4 * PAGE), ==, 0xaa);

    send_pfns(f, &f->deflate, pfns, G_N_ELEMENTS(pfns));
    qtest_writeb(f->qts, base + 1 * PAGE, 0xbb);
    g_assert_cmphex(qtest_readb(f->qts, base + 1 * PAGE), ==, 0xbb);
}

/* As many as Linux sends at once: sorting so many, the C library asks the kernel
 * for the size of memory, which the sandbox has to allow. */
static void test_inflate_by_many(Fixture *f, const void *data)
{
    const uint64_t base = 32 * MiB;
    uint32_t pfns[512];

    for (unsigned i = 0; i < G_N_ELEMENTS(pfns); i++) {
        pfns[i] = base / PAGE + (i * 7) % G_N_ELEMENTS(pfns);
    }
    qtest_memset(f->qts, base, 0xaa, sizeof(pfns) / sizeof(*pfns) * PAGE);
    send_pfns(f, &f->inflate, pfns, G_N_ELEMENTS(pfns));
    g_assert_cmpuint(allocated(f, base, G_N_ELEMENTS(pfns) * PAGE), ==, 0);
}

static void report_free(Fixture *f, uint64_t addr, uint32_t size)
{
    const QVirtioBuffer buf = { addr, size, true };

    qvirtqueue_add(&f->report, &buf, 1);
    qvirtqueue_kick(&f->report);
    qvirtqueue_wait(&f->report, NULL);
}

static void test_report(Fixture *f, const void *data)
{
    const uint64_t base = 40 * MiB;

    qtest_memset(f->qts, base, 0xaa, 4 * MiB);
    report_free(f, base + MiB, 2 * MiB);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 2 * MiB);
    /* Only whole pages of it. */
    report_free(f, base + 100, 2 * PAGE);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 2 * MiB - PAGE);
}

/* Nobody has asked for hints, and what a driver hints all the same is kept; what
 * it reports is not. Each has a queue. */
static void test_hints(Fixture *f, const void *data)
{
    const uint64_t base = 40 * MiB;
    QVirtQueue report;

    qvirtio_pci_init(&f->dev, &f->c.guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_start(&f->dev, 1ULL << VIRTIO_BALLOON_F_STATS_VQ |
                                1ULL << VIRTIO_BALLOON_F_FREE_PAGE_HINT |
                                1ULL << VIRTIO_BALLOON_F_REPORTING));
    qvirtqueue_init(&f->report, &f->dev, 3, 0);
    qvirtqueue_init(&report, &f->dev, 4, 0);
    qvirtio_driver_ok(&f->dev);
    qtest_memset(f->qts, base, 0xaa, 4 * MiB);
    report_free(f, base, 2 * MiB);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 4 * MiB);
    g_assert_cmphex(qtest_readb(f->qts, base), ==, 0xaa);
    f->report = report;
    report_free(f, base + 2 * MiB, 2 * MiB);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 2 * MiB);
}

/* --- a region with a manager ---------------------------------------------- */

static void test_populated_stays_populated(Fixture *f, const void *data)
{
    uint64_t addr = coordination_block(&f->c, 0, 0);
    const uint32_t pfns[] = { addr / PAGE, (addr + BLOCK) / PAGE };

    assert_ack(qvirtio_mem_plug(&f->c.mem[0], addr, 1));
    qtest_memset(f->qts, addr, 0xaa, BLOCK);
    send_pfns(f, &f->inflate, pfns, 2);
    g_assert_cmpuint(qtest_memfd_allocated(f->sparse), ==, BLOCK - PAGE);
    coordination_expect(&f->c, 0, "#.");
    g_assert_cmphex(qtest_readb(f->qts, addr), ==, 0);
    g_assert_cmphex(qtest_readb(f->qts, addr + PAGE), ==, 0xaa);
}

/* --- a guest that lies ---------------------------------------------------- */

static void test_bad_frame_numbers(Fixture *f, const void *data)
{
    const uint32_t pfns[] = { BOOT / PAGE, 0xfee00000 / PAGE, UINT32_MAX,
                              UINT32_MAX - 1, 0xb0000000 / PAGE };
    uint64_t before = qtest_memfd_allocated(f->boot);

    send_pfns(f, &f->inflate, pfns, G_N_ELEMENTS(pfns));
    send_pfns(f, &f->deflate, pfns, G_N_ELEMENTS(pfns));
    g_assert_cmpuint(qtest_memfd_allocated(f->boot), >=, before);
    g_assert_cmpuint(qtest_memfd_allocated(f->sparse), ==, 0);
    g_assert_false(qvirtio_status(&f->dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_too_many_frame_numbers(Fixture *f, const void *data)
{
    const QVirtioBuffer buf = { f->pfns, 128 * 1024, false };
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    qvirtqueue_add(&f->inflate, &buf, 1);
    qvirtqueue_kick(&f->inflate);
    while (!(qvirtio_status(&f->dev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    start_driver(f);
    send_pfns(f, &f->inflate, (uint32_t[]) { 20 * MiB / PAGE }, 1);
}

/* --- how much ------------------------------------------------------------- */

static int64_t query(Fixture *f)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-balloon'}");

    return json_object_get_int_member(json_node_get_object(node), "actual");
}

static void test_size(Fixture *f, const void *data)
{
    QTestState *s = f->qts;
    uint64_t actual = f->dev.config +
                      offsetof(struct virtio_balloon_config, actual);
    g_autoptr(JsonObject) event = NULL;

    g_assert_cmpint(query(f), ==, BOOT);
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'balloon', "
                                  "'arguments': {'value': 50331648}}"));
    qvirtio_wait_interrupt(&f->dev, QVIRTIO_CONFIG_CHANGED);
    g_assert_cmpuint(qtest_readl(s, f->dev.config), ==, 16 * MiB / PAGE);
    qtest_writel(s, actual, 100);
    event = qmp_client_event(f->qmp, "BALLOON_CHANGE");
    g_assert_cmpint(json_object_get_int_member(
                        json_object_get_object_member(event, "data"),
                        "actual"), ==, BOOT - 100 * PAGE);
    g_assert_cmpint(query(f), ==, BOOT - 100 * PAGE);
    qtest_writel(s, actual, UINT32_MAX);
    g_assert_cmpint(query(f), ==, 0);
    coordination_system_reset(&f->c);
    g_assert_cmpint(query(f), ==, BOOT);
    qmp_client_expect_error(f->qmp, "GenericError", "expects a size",
                            "{'execute': 'balloon', "
                            "'arguments': {'value': 0}}");
}

/* The emulator does not start with a balloon and @device beside it. */
static void check_refused(const char *device, const char *part)
{
    const char *argv[] = { g_getenv("QTEST_QEMU_BINARY"), "-accel", "qtest",
                           "-nodefaults", "-device", "virtio-balloon-pci",
                           "-device", device, NULL };
    g_autofree char *err = NULL;
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL,
                               NULL, NULL, &err, &status, NULL));
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(err, part));
}

static void test_refused_balloons(void)
{
    check_refused("virtio-balloon-pci", "there is a balloon already");
    check_refused("virtio-balloon-pci,free-page-hint=off",
                  "there is a balloon already");
}

static void test_no_balloon(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    qmp_client_expect_error(qtest_qmp(s), "DeviceNotActive", "No balloon",
                            "{'execute': 'query-balloon'}");
    qmp_client_expect_error(qtest_qmp(s), "DeviceNotActive", "No balloon",
                            "{'execute': 'balloon', "
                            "'arguments': {'value': 1048576}}");
    qtest_quit(s);
}

/* --- statistics ----------------------------------------------------------- */

/* The balloon once more, with a driver that takes statistics, too. */
static void start_stats_driver(Fixture *f, QVirtQueue *stats)
{
    qvirtio_pci_init(&f->dev, &f->c.guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_start(&f->dev, 1ULL << VIRTIO_BALLOON_F_STATS_VQ |
                                1ULL << VIRTIO_BALLOON_F_REPORTING));
    qvirtqueue_init(stats, &f->dev, 2, 0);
    qvirtqueue_init(&f->report, &f->dev, 3, 0);
    qvirtio_driver_ok(&f->dev);
}

static void put_stat(Fixture *f, unsigned i, uint16_t tag, uint64_t value)
{
    uint64_t addr = f->pfns + i * sizeof(struct virtio_balloon_stat);

    qtest_writew(f->qts, addr, tag);
    qtest_writeq(f->qts, addr + sizeof(tag), value);
}

/* Makes @n figures available, from then on to be waited for by their return. */
static void offer_stats(Fixture *f, QVirtQueue *stats, unsigned n)
{
    const QVirtioBuffer buf = {
        f->pfns, n * sizeof(struct virtio_balloon_stat), false
    };

    qvirtqueue_add(stats, &buf, 1);
    qvirtqueue_kick(stats);
}

static JsonNode *get_stats(Fixture *f)
{
    return qmp_client_do(f->qmp, "{'execute': 'qom-get', 'arguments': "
                         "{'path': '/machine/peripheral/balloon0', "
                         "'property': 'guest-stats'}}");
}

static int64_t get_stat(Fixture *f, const char *name)
{
    g_autoptr(JsonNode) node = get_stats(f);
    JsonObject *value = json_node_get_object(node);

    return json_object_get_int_member(
        json_object_get_object_member(value, "stats"), name);
}

/* What no figure was told of is 2^64 - 1, which readers that know signed numbers
 * only take for -1. */
static void expect_not_told(Fixture *f, const char *name)
{
    g_autofree char *part = g_strdup_printf("\"%s\":18446744073709551615",
                                            name);
    static const char ask[] =
        "{'execute': 'qom-get', 'arguments': {'property': 'guest-stats', "
        "'path': '/machine/peripheral/balloon0'}}";
    g_autofree char *line = NULL;

    qmp_client_send_bytes(f->qmp, ask, strlen(ask));
    line = qmp_client_receive_line(f->qmp);
    g_assert_nonnull(strstr(line, part));
}

/* Waits until it is so: a kick is handled when the main loop gets to it. */
static void expect_stat(Fixture *f, const char *name, int64_t value)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (get_stat(f, name) != value) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static int64_t last_update(Fixture *f)
{
    g_autoptr(JsonNode) node = get_stats(f);

    return json_object_get_int_member(json_node_get_object(node),
                                      "last-update");
}

static void set_interval(Fixture *f, int seconds)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'qom-set', 'arguments': "
        "{'path': '/machine/peripheral/balloon0', "
        "'property': 'guest-stats-polling-interval', 'value': %d}}", seconds));
}

static void test_stats(Fixture *f, const void *data)
{
    QVirtQueue stats;

    start_stats_driver(f, &stats);
    g_assert_cmpint(last_update(f), ==, 0);
    expect_stat(f, "stat-free-memory", -1);
    put_stat(f, 0, VIRTIO_BALLOON_S_MEMFREE, 12345678);
    put_stat(f, 1, 999, 1);
    put_stat(f, 2, VIRTIO_BALLOON_S_HTLB_PGFAIL, 7);
    offer_stats(f, &stats, 3);
    expect_stat(f, "stat-free-memory", 12345678);
    expect_stat(f, "stat-htlb-pgfail", 7);
    expect_stat(f, "stat-total-memory", -1);
    expect_not_told(f, "stat-total-memory");
    g_assert_cmpint(last_update(f), >, 0);

    /* Nobody asks for more until the interval is set, and has passed. */
    qtest_clock_step(f->qts, 10 * SECOND);
    g_assert_false(qvirtqueue_has_used(&stats));
    set_interval(f, 5);
    qtest_clock_step(f->qts, 4 * SECOND);
    g_assert_false(qvirtqueue_has_used(&stats));
    qtest_clock_step(f->qts, SECOND);
    qvirtqueue_wait(&stats, NULL);
    put_stat(f, 0, VIRTIO_BALLOON_S_MEMFREE, 4096);
    offer_stats(f, &stats, 1);
    expect_stat(f, "stat-free-memory", 4096);
    expect_stat(f, "stat-htlb-pgfail", -1);
    qtest_clock_step(f->qts, 5 * SECOND);
    qvirtqueue_wait(&stats, NULL);

    set_interval(f, 0);
    offer_stats(f, &stats, 1);
    qtest_clock_step(f->qts, 100 * SECOND);
    g_assert_false(qvirtqueue_has_used(&stats));
    coordination_system_reset(&f->c);
    expect_stat(f, "stat-free-memory", -1);
    g_assert_cmpint(last_update(f), ==, 0);
}

static void test_stats_made_available_early(Fixture *f, const void *data)
{
    QVirtQueue stats;

    qvirtio_pci_init(&f->dev, &f->c.guest, VIRTIO_ID_BALLOON, 0);
    g_assert_true(qvirtio_start(&f->dev, 1ULL << VIRTIO_BALLOON_F_STATS_VQ));
    qvirtqueue_init(&stats, &f->dev, 2, 0);
    put_stat(f, 0, VIRTIO_BALLOON_S_MEMFREE, 1);
    offer_stats(f, &stats, 1);
    qvirtio_driver_ok(&f->dev);
    qtest_clock_step(f->qts, 1);
    qvirtqueue_wait(&stats, NULL);
    put_stat(f, 0, VIRTIO_BALLOON_S_MEMFREE, 2);
    offer_stats(f, &stats, 1);
    expect_stat(f, "stat-free-memory", 2);
}

static void test_stats_beside_reports(Fixture *f, const void *data)
{
    const uint64_t base = 40 * MiB;
    QVirtQueue stats;

    start_stats_driver(f, &stats);
    qtest_memset(f->qts, base, 0xaa, 4 * MiB);
    report_free(f, base + MiB, 2 * MiB);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 2 * MiB);
}

static void test_bad_stats(Fixture *f, const void *data)
{
    QVirtQueue stats;

    start_stats_driver(f, &stats);
    put_stat(f, 0, VIRTIO_BALLOON_S_MEMTOT, 1);
    /* Cut short, none at all, and more than there are. */
    offer_stats(f, &stats, 1);
    expect_stat(f, "stat-total-memory", 1);
    set_interval(f, 1);
    for (unsigned n = 0; n < 2; n++) {
        const QVirtioBuffer buf = { f->pfns, n ? 128 * 1024 : 9, false };

        qtest_clock_step(f->qts, SECOND);
        qvirtqueue_wait(&stats, NULL);
        qvirtqueue_add(&stats, &buf, 1);
        qvirtqueue_kick(&stats);
        expect_stat(f, "stat-total-memory", n ? 1 : -1);
    }
    g_assert_false(qvirtio_status(&f->dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
    qmp_client_expect_error(f->qmp, "GenericError", "expected are seconds",
                            "{'execute': 'qom-set', 'arguments': "
                            "{'path': '/machine/peripheral/balloon0', "
                            "'property': 'guest-stats-polling-interval', "
                            "'value': -1}}");
}

/* --- where discards are forbidden ----------------------------------------- */

static void test_with_vfio(Fixture *f, const void *data)
{
    const uint64_t base = 32 * MiB;
    g_autofree char *messages = NULL;
    const char *message;

    qtest_memset(f->qts, base, 0xaa, 4 * MiB);
    for (unsigned i = 0; i < 3; i++) {
        send_pfns(f, &f->inflate, (uint32_t[]) { base / PAGE + i }, 1);
    }
    report_free(f, base + 2 * MiB, 2 * MiB);
    g_assert_cmpuint(allocated(f, base, 4 * MiB), ==, 4 * MiB);
    g_assert_cmphex(qtest_readb(f->qts, base), ==, 0xaa);

    g_assert_true(g_file_get_contents(f->messages, &messages, NULL, NULL));
    message = strstr(messages, "vfio forbids uncoordinated discards");
    g_assert_nonnull(message);
    g_assert_null(strstr(message + strlen("vfio forbids"), "forbids"));
    coordination_expect(&f->c, 0, ".");
}

/* The index for which the device wants to be kicked (2.7.10). */
static uint16_t avail_event(Fixture *f, QVirtQueue *vq)
{
    return qtest_readw(f->qts, vq->used + offsetof(struct vring_used, ring) +
                       vq->size * sizeof(struct vring_used_elem));
}

/* A driver that kicks only when it is asked to must be asked to again, however
 * many buffers were there at once. */
static void test_full_ring_is_not_the_last(Fixture *f, const void *data)
{
    const QVirtioBuffer buf = { f->pfns, 4, false };
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    qvirtio_start(&f->dev, 1ULL << VIRTIO_RING_F_EVENT_IDX);
    qvirtqueue_init(&f->deflate, &f->dev, 1, 0);
    qvirtio_driver_ok(&f->dev);
    for (unsigned i = 0; i < f->deflate.size; i++) {
        qvirtqueue_add(&f->deflate, &buf, 1);
    }
    qvirtqueue_kick(&f->deflate);
    for (unsigned i = 0; i < f->deflate.size; i++) {
        qvirtqueue_wait(&f->deflate, NULL);
    }
    while (avail_event(f, &f->deflate) != f->deflate.size) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("the device asks for no further kick");
        }
    }
    qvirtqueue_add(&f->deflate, &buf, 1);
    qvirtqueue_kick(&f->deflate);
    qvirtqueue_wait(&f->deflate, NULL);
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
#define ADD(name, fn, nr_vfio)                                               \
    g_test_add("/virtio-balloon/" name, Fixture, GUINT_TO_POINTER(nr_vfio),  \
               setup, fn, teardown)
    ADD("inflate-gives-pages-back", test_inflate, 0);
    ADD("many-pages-come-back-at-once", test_inflate_by_many, 0);
    ADD("free-page-reporting-gives-pages-back", test_report, 0);
    ADD("free-page-hints-change-nothing", test_hints, 0);
    ADD("populated-blocks-stay-populated", test_populated_stays_populated, 0);
    ADD("bad-frame-numbers-do-nothing", test_bad_frame_numbers, 0);
    ADD("too-many-frame-numbers-break-the-device",
        test_too_many_frame_numbers, 0);
    ADD("full-ring-is-not-the-last", test_full_ring_is_not_the_last, 0);
    ADD("size-is-asked-for-and-told", test_size, 0);
    ADD("statistics-are-read-and-asked-for", test_stats, 0);
    ADD("statistics-may-come-before-driver-ok",
        test_stats_made_available_early, 0);
    ADD("statistics-and-reports-have-their-queues", test_stats_beside_reports,
        0);
    ADD("bad-statistics-do-nothing", test_bad_stats, 0);
    g_test_add_func("/virtio-balloon/refused-balloons",
                    test_refused_balloons);
    g_test_add_func("/virtio-balloon/no-balloon-says-so", test_no_balloon);
    ADD("with-vfio-nothing-is-given-back", test_with_vfio, 1);
    return g_test_run();
}
