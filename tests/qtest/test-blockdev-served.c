/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that QEMU's storage daemon opens for the emulator: qcow2 images and what
 * else is not raw. The guest's driver, clients and administrators see a
 * virtio-blk-pci as ever; the daemon comes and goes with the emulator.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "memfd.h"
#include "qemu/units.h"
#include "storage-daemon.h"
#include "virtio-blk.h"
#include "virtio-mem.h"

#define DISK (8 * MiB)
#define ERR "GenericError"
#define MACHINE "-M q35 -m 256M "

/* --- an image --- */

#define CLUSTER_BITS 16
#define CLUSTER (1 << CLUSTER_BITS)

/* What the format says of a file's beginning; big-endian. */
typedef struct Qcow2Header {
    uint32_t magic, version;
    uint64_t backing_offset;
    uint32_t backing_size, cluster_bits;
    uint64_t size;
    uint32_t crypt, l1_entries;
    uint64_t l1_offset, refcount_offset;
    uint32_t refcount_clusters, nr_snapshots;
    uint64_t snapshots_offset;
} Qcow2Header;

/* An empty one: its header, two levels of reference counts, one table. */
static char *make_qcow2(void)
{
    enum { HEADER, REFCOUNT_TABLE, REFCOUNTS, L1, CLUSTERS };
    g_autofree uint8_t *file = g_malloc0(CLUSTERS * CLUSTER);
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    uint16_t *counts = (void *)(file + REFCOUNTS * CLUSTER);
    int fd = g_mkstemp(path);

    *(Qcow2Header *)file = (Qcow2Header) {
        .magic = GUINT32_TO_BE(0x514649fb), .version = GUINT32_TO_BE(2),
        .cluster_bits = GUINT32_TO_BE(CLUSTER_BITS),
        .size = GUINT64_TO_BE(DISK), .l1_entries = GUINT32_TO_BE(1),
        .l1_offset = GUINT64_TO_BE(L1 * CLUSTER),
        .refcount_offset = GUINT64_TO_BE(REFCOUNT_TABLE * CLUSTER),
        .refcount_clusters = GUINT32_TO_BE(1),
    };
    *(uint64_t *)(file + REFCOUNT_TABLE * CLUSTER) =
        GUINT64_TO_BE(REFCOUNTS * CLUSTER);
    for (int i = 0; i < CLUSTERS; i++) {
        counts[i] = GUINT16_TO_BE(1);
    }
    g_assert_cmpint(write(fd, file, CLUSTERS * CLUSTER), ==,
                    CLUSTERS * CLUSTER);
    close(fd);
    return path;
}

static void remove_image(char *path)
{
    g_unlink(path);
    g_free(path);
}

/* --- a guest --- */

typedef struct Fixture {
    char *path;
    QTestState *qts;
    QGuest guest;
    QVirtioBlk blk;
    uint64_t data;                        /* 4 KiB of guest RAM */
} Fixture;

static void use_disk(Fixture *f, unsigned nth)
{
    qguest_init(&f->guest, f->qts);
    qvirtio_blk_init(&f->blk, &f->guest, nth);
    f->data = qguest_alloc(&f->guest, 4 * KiB, 4096);
}

/* @args has one %s, for the image. */
static void start(Fixture *f, const char *args)
{
    g_autofree char *all = g_strconcat(MACHINE, args, NULL);
    g_auto(GStrv) parts = g_strsplit(all, "%s", 2);

    f->qts = qtest_init("%s%s%s", parts[0], f->path, parts[1]);
}

static void assert_write(Fixture *f, uint64_t sector, uint8_t value)
{
    qtest_memset(f->qts, f->data, value, 4 * KiB);
    g_assert_cmpuint(qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_OUT, sector,
                                         f->data, 4 * KiB, false, NULL), ==,
                     VIRTIO_BLK_S_OK);
}

static void assert_read(Fixture *f, uint64_t sector, uint8_t value)
{
    qtest_memset(f->qts, f->data, ~value, 4 * KiB);
    g_assert_cmpuint(qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_IN, sector,
                                         f->data, 4 * KiB, true, NULL), ==,
                     VIRTIO_BLK_S_OK);
    for (unsigned i = 0; i < 4 * KiB; i += 511) {
        g_assert_cmphex(qtest_readb(f->qts, f->data + i), ==, value);
    }
}

static void do_qmp(QTestState *s, const char *fmt, const char *arg)
{
    json_node_unref(qmp_client_do(qtest_qmp(s), fmt, arg));
}

/* The process that @pid has started; 0: none. */
static pid_t child_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", pid,
                                            pid);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return atoi(text);
}

static pid_t daemon_of(QTestState *s)
{
    return child_of(qtest_pid(s));
}

/* Waits until @pid is no process any more, or one that nobody has waited for. */
static void wait_for_end(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (;;) {
        g_autofree char *text = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL) ||
            strstr(text, ") Z ")) {
            return;
        }
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* --- data --- */

#ifdef CONFIG_SANITIZERS
#define SANDBOX ""
#else
#define SANDBOX                                                              \
    "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,"           \
    "resourcecontrol=deny "
#endif

/* As people say it, as libvirt does, and in one node. */
static const char *const ways[] = {
    "-drive file=%s,format=qcow2,cache=none",
    "-drive if=none,id=x,file=%s,format=qcow2,discard=unmap "
    "-device virtio-blk-pci,drive=x,num-queues=2,packed=off",
    SANDBOX "-blockdev '{\"driver\":\"file\",\"filename\":\"%s\","
    "\"node-name\":\"libvirt-1-storage\",\"auto-read-only\":true,"
    "\"discard\":\"unmap\"}' -blockdev '{\"node-name\":\"libvirt-1-format\","
    "\"read-only\":false,\"driver\":\"qcow2\",\"file\":\"libvirt-1-storage\","
    "\"backing\":null}' -device '{\"driver\":\"virtio-blk-pci\","
    "\"drive\":\"libvirt-1-format\",\"id\":\"virtio-disk0\","
    "\"write-cache\":\"on\"}'",
    "-blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=%s,"
    "l2-cache-size=1M,lazy-refcounts=off,detect-zeroes=on,cache.direct=on "
    "-device virtio-blk-pci,drive=q,logical_block_size=512,"
    "physical_block_size=4096",
};

static void test_what_is_written_is_there_later(gconstpointer args)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, args);
    use_disk(&f, 0);
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==, DISK / QDISK_SECTOR);
    assert_read(&f, 64, 0);
    assert_write(&f, 64, 0x5a);
    assert_write(&f, 8192, 0xa5);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_FLUSH, 0, 0, 0,
                                         false, NULL), ==, VIRTIO_BLK_S_OK);
    assert_read(&f, 64, 0x5a);
    qtest_quit(f.qts);

    start(&f, args);
    use_disk(&f, 0);
    assert_read(&f, 64, 0x5a);
    assert_read(&f, 72, 0);
    assert_read(&f, 8192, 0xa5);
    qtest_quit(f.qts);
    remove_image(f.path);
}

static void test_it_is_the_same_device(void)
{
    Fixture f = { .path = make_qcow2() };
    g_autoptr(JsonNode) node = NULL;

    start(&f, "-drive if=none,id=x,file=%s,format=qcow2 "
              "-device virtio-blk-pci,drive=x,id=d,serial=abc");
    node = qmp_client_do(qtest_qmp(f.qts), "{'execute': 'qom-get', 'arguments': "
                         "{'path': '/machine/peripheral/d/virtio-backend', "
                         "'property': 'type'}}");
    g_assert_cmpstr(json_node_get_string(node), ==, "virtio-blk-device");
    json_node_unref(g_steal_pointer(&node));
    node = qmp_client_do(qtest_qmp(f.qts), "{'execute': 'qom-get', 'arguments': "
                         "{'path': '/machine/peripheral/d', 'property': "
                         "'serial'}}");
    g_assert_cmpstr(json_node_get_string(node), ==, "abc");
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* --- nodes --- */

#define ADD_FILE "{'execute': 'blockdev-add', 'arguments': {"                \
    "'driver': 'file', 'filename': '%s', 'node-name': 'f'}}"
#define ADD_QCOW2 "{'execute': 'blockdev-add', 'arguments': {"               \
    "'driver': 'qcow2', 'file': 'f', 'node-name': '%s'}}"
#define ADD_NULL "'driver': 'null-co', 'node-name': 'n', 'size': 1048576, "  \
    "'read-zeroes': true"
#define DEL "{'execute': 'blockdev-del', 'arguments': {'node-name': '%s'}}"
#define PLUG "{'execute': 'device_add', 'arguments': {"                      \
    "'driver': 'virtio-blk-pci', 'id': 'd', 'drive': '%s', 'bus': 'rp'}}"
#define UNPLUG "{'execute': 'device_del', 'arguments': {'id': '%s'}}"

/* Something that has the daemon started, for what comes later. */
#define NULL_DISK "-blockdev driver=null-co,node-name=null,size=1M,"         \
    "read-zeroes=on "

/* A disk without an image, by QEMU's name of it. */
static void test_drive_without_an_image(void)
{
    QTestState *qts = qtest_init(
        MACHINE "-drive if=none,id=x,file=null-co://,file.size=1M,format=raw,"
        "file.read-zeroes=on -device virtio-blk-pci,drive=x");
    g_autoptr(JsonNode) disks = qmp_client_do(qtest_qmp(qts),
                                              "{'execute': 'query-block'}");

    g_assert_cmpuint(json_array_get_length(json_node_get_array(disks)), ==, 1);
    qtest_quit(qts);
}

static void test_nodes_and_devices_come_and_go(void)
{
    Fixture f = { .path = make_qcow2() };

    f.qts = qtest_init(MACHINE NULL_DISK "-device pcie-root-port,id=rp,"
                       "chassis=1");
    for (int i = 0; i < 3; i++) {
        do_qmp(f.qts, ADD_FILE, f.path);
        do_qmp(f.qts, ADD_QCOW2, "q");
        qmp_client_expect_error(qtest_qmp(f.qts), ERR, "in use", DEL, "f");
        do_qmp(f.qts, PLUG, "q");
        qmp_client_expect_error(qtest_qmp(f.qts), ERR, "in use by", DEL, "q");
        do_qmp(f.qts, UNPLUG, "d");
        do_qmp(f.qts, "{'execute': 'system_reset'}%s", "");
        json_object_unref(qmp_client_event(qtest_qmp(f.qts),
                                           "DEVICE_DELETED"));
        do_qmp(f.qts, DEL, "q");
        do_qmp(f.qts, DEL, "f");
    }
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* Whether the list that @query returns has @part in its text. */
static bool says(QTestState *s, const char *query, const char *part)
{
    g_autoptr(JsonNode) node = qmp_client_do(qtest_qmp(s), "{'execute': '%s'}",
                                             query);
    g_autofree char *text = json_to_string(node, FALSE);

    return strstr(text, part);
}

static void test_queries_tell_of_them(void)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, NULL_DISK "-drive file=%s,format=qcow2,id=q");
    g_assert_true(says(f.qts, "query-block", "\"drv\":\"qcow2\""));
    g_assert_true(says(f.qts, "query-block", "\"virtual-size\":8388608"));
    g_assert_true(says(f.qts, "query-block", "\"cluster-size\":65536"));
    g_assert_true(says(f.qts, "query-named-block-nodes",
                       "\"drv\":\"null-co\""));
    g_assert_true(says(f.qts, "query-blockstats", "\"device\":\"q\""));
    do_qmp(f.qts, "{'execute': 'human-monitor-command', 'arguments': "
           "{'command-line': '%s'}}", "info block");
    qtest_quit(f.qts);
    remove_image(f.path);
}

static void test_a_size_changes(void)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, "-drive file=%s,format=qcow2,id=q");
    use_disk(&f, 0);
    do_qmp(f.qts, "{'execute': 'block_resize', 'arguments': {'device': '%s', "
           "'size': 16777216}}", "q");
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==,
                     2 * DISK / QDISK_SECTOR);
    assert_write(&f, 2 * DISK / QDISK_SECTOR - 8, 0x11);
    assert_read(&f, 2 * DISK / QDISK_SECTOR - 8, 0x11);
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* What the guest asks for the daemon does not count, but where it wrote last. */
static void test_figures(void)
{
    static const char *const ways[] = {
        "{'execute': 'query-blockstats'}",
        "{'execute': 'query-blockstats', 'arguments': {'query-nodes': true}}",
    };
    Fixture f = { .path = make_qcow2() };

    start(&f, "-blockdev driver=qcow2,node-name=q,file.driver=file,"
              "file.filename=%s -device virtio-blk-pci,drive=q");
    use_disk(&f, 0);
    assert_write(&f, 64, 0x5a);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(JsonNode) list = qmp_client_do(qtest_qmp(f.qts), "%s",
                                                 ways[i]);
        JsonArray *array = json_node_get_array(list);
        JsonObject *o = json_array_get_object_element(array, 0);
        JsonObject *stats = json_object_get_object_member(o, "stats");

        g_assert_cmpuint(json_array_get_length(array), ==, 1);
        g_assert_cmpstr(json_object_get_string_member(o, "node-name"), ==, "q");
        g_assert_cmpint(json_object_get_int_member(stats, "wr_highest_offset"),
                        ==, 64 * QDISK_SECTOR + 4 * KiB);
        g_assert_cmpint(json_object_get_int_member(stats, "wr_operations"), ==, 0);
        g_assert_false(json_object_get_boolean_member(stats, "account_failed"));
    }
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* --- properties --- */

static uint32_t config(Fixture *f, unsigned offset)
{
    return qtest_readl(f->qts, f->blk.vdev.config + offset);
}

#define CONFIG(member) offsetof(struct virtio_blk_config, member)

static void test_what_the_device_says_the_guest_sees(void)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, "-drive if=none,id=x,file=%s,format=qcow2,discard=unmap -device "
              "virtio-blk-pci,drive=x,logical_block_size=4096,"
              "physical_block_size=8192,discard_granularity=16384,"
              "max-discard-sectors=64,write-cache=off,num-queues=3,"
              "queue-size=64,opt_io_size=65536");
    use_disk(&f, 0);
    g_assert_cmpuint(config(&f, CONFIG(blk_size)), ==, 4096);
    g_assert_cmpuint(config(&f, CONFIG(physical_block_exp)) & 0xff, ==, 1);
    g_assert_cmpuint(config(&f, CONFIG(opt_io_size)), ==, 16);
    g_assert_cmpuint(config(&f, CONFIG(wce)) & 0xff, ==, 0);
    g_assert_cmpuint(config(&f, CONFIG(wce)) >> 16, ==, 3);
    g_assert_cmpuint(config(&f, CONFIG(max_discard_sectors)), ==, 64);
    g_assert_cmpuint(config(&f, CONFIG(discard_sector_alignment)), ==, 32);
    g_assert_cmpuint(config(&f, CONFIG(seg_max)), ==, 62);
    assert_write(&f, 64, 0x5a);
    /* The daemon knows of the block size. */
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_OUT, 1, f.data,
                                         4 * KiB, false, NULL), ==,
                     VIRTIO_BLK_S_IOERR);
    qtest_quit(f.qts);
    remove_image(f.path);
}

static void test_read_only(void)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, "-drive file=%s,format=qcow2,readonly=on");
    use_disk(&f, 0);
    g_assert_true(f.blk.features & 1ULL << VIRTIO_BLK_F_RO);
    g_assert_false(f.blk.features & 1ULL << VIRTIO_BLK_F_DISCARD);
    assert_read(&f, 64, 0);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_OUT, 64, f.data,
                                         4 * KiB, false, NULL), ==,
                     VIRTIO_BLK_S_IOERR);
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* How much the host has allocated for the image. */
static int64_t allocated(Fixture *f)
{
    struct stat st;

    g_assert_no_errno(stat(f->path, &st));
    return st.st_blocks * INT64_C(512);
}

/* A cluster that the guest discards, or wants to be zero, is given back. */
static void test_discard(gconstpointer type)
{
    Fixture f = { .path = make_qcow2() };
    struct virtio_blk_discard_write_zeroes range = {
        .sector = GUINT64_TO_LE(0),
        .num_sectors = GUINT32_TO_LE(CLUSTER / QDISK_SECTOR),
    };
    int64_t before;

    if (GPOINTER_TO_UINT(type) == VIRTIO_BLK_T_WRITE_ZEROES) {
        range.flags = GUINT32_TO_LE(VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
    }
    start(&f, "-drive file=%s,format=qcow2,discard=unmap");
    use_disk(&f, 0);
    for (unsigned i = 0; i < CLUSTER; i += 4 * KiB) {
        assert_write(&f, i / QDISK_SECTOR, 0x5a);
    }
    before = allocated(&f);
    qtest_memwrite(f.qts, f.data, &range, sizeof(range));
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, GPOINTER_TO_UINT(type), 0, f.data,
                                         sizeof(range), false, NULL), ==,
                     VIRTIO_BLK_S_OK);
    assert_read(&f, 0, 0);
    g_assert_cmpint(allocated(&f), <=, before - CLUSTER + 4096);
    qtest_quit(f.qts);
    remove_image(f.path);
}

/*
 * Memory is unplugged while the daemon reads into it: when that is answered, the
 * daemon has it no more, nor has the host anything of it. What became of the reads
 * is the guest's affair.
 */
static void test_memory_under_io_is_not_written_later(void)
{
    Fixture f = { .path = make_qcow2() };
    struct virtio_mem_config config;
    g_autofree char *memfd = NULL;
    QVirtioMem vmem;

    f.qts = qtest_init(
        "-M q35 -m 256M,maxmem=2G -object memory-backend-memfd,id=m,size=512M "
        "-device virtio-mem-pci,memdev=m,block-size=2M,requested-size=64M "
        "-drive file=%s,format=qcow2", f.path);
    memfd = qtest_find_memfd(f.qts, 512 * MiB);
    use_disk(&f, 0);
    qvirtio_mem_init(&vmem, &f.guest, 0);
    qvirtio_mem_config(&vmem, &config);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t addr = config.addr + i * config.block_size;

        g_assert_cmpuint(qvirtio_mem_plug(&vmem, addr, 1), ==,
                         VIRTIO_MEM_RESP_ACK);
        for (unsigned j = 0; j < 4; j++) {
            qvirtio_blk_add(&f.blk, VIRTIO_BLK_T_IN, 0, addr, 2 * MiB, true);
        }
        qvirtqueue_kick(&f.blk.vq);
        g_assert_cmpuint(qvirtio_mem_unplug(&vmem, addr, 1), ==,
                         VIRTIO_MEM_RESP_ACK);
        g_assert_cmpuint(qtest_memfd_allocated_in(memfd, addr - config.addr,
                                                  config.block_size), ==, 0);
        qvirtio_blk_init(&f.blk, &f.guest, 0);
        g_assert_cmpuint(qtest_memfd_allocated_in(memfd, addr - config.addr,
                                                  config.block_size), ==, 0);
    }
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* What the daemon has instead is said. */
static void test_what_is_different_is_said(void)
{
    Fixture f = { .path = make_qcow2() };
    g_autofree char *messages = qtest_begin_messages();

    start(&f, "-object iothread,id=io0 -drive if=none,file=%s,format=qcow2,id=q "
              "-device virtio-blk-pci,drive=q,serial=abc,iothread=io0");
    qtest_wait_message(messages, "serial=abc: the guest sees");
    qtest_wait_message(messages, "iothread=io0: qemu-storage-daemon processes");
    use_disk(&f, 0);
    assert_write(&f, 64, 0x5a);
    qtest_quit(f.qts);
    qtest_end_messages();
    remove_image(f.path);
}

/* --- what the daemon refuses --- */

/* A node of this process that another one names is closed here first; refused,
 * it is as it was. */
static void test_what_the_daemon_refuses_stays_here(void)
{
    Fixture f = { .path = make_qcow2() };

    f.qts = qtest_init(MACHINE NULL_DISK);
    do_qmp(f.qts, ADD_FILE, f.path);
    qmp_client_expect_error(
        qtest_qmp(f.qts), ERR, "color", "{'execute': 'blockdev-add', "
        "'arguments': {'driver': 'qcow2', 'file': 'f', 'node-name': 'q', "
        "'color': 'red'}}");
    qmp_client_expect_error(qtest_qmp(f.qts), ERR, "there is a node", ADD_QCOW2,
                            "f");
    g_assert_true(says(f.qts, "query-named-block-nodes", "\"node-name\":\"f\""));
    g_assert_false(says(f.qts, "query-named-block-nodes",
                        "\"node-name\":\"q\""));
    do_qmp(f.qts, ADD_QCOW2, "q");
    do_qmp(f.qts, DEL, "q");
    do_qmp(f.qts, DEL, "f");
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* --- the daemon's life --- */

/* It has let go of the image. */
static void assert_image_is_free(Fixture *f)
{
    start(f, "-drive file=%s,format=qcow2,id=q");
    qtest_quit(f->qts);
}

static void test_it_ends_with_the_emulator(void)
{
    Fixture f = { .path = make_qcow2() };
    pid_t daemon;

    start(&f, "-drive file=%s,format=qcow2,id=q");
    daemon = daemon_of(f.qts);
    g_assert_cmpint(daemon, >, 0);
    qtest_quit(f.qts);
    assert_image_is_free(&f);
    wait_for_end(daemon);
    remove_image(f.path);
}

static void test_it_ends_when_the_emulator_is_killed(void)
{
    Fixture f = { .path = make_qcow2() };
    g_autofree char *drive = g_strdup_printf("file=%s,format=qcow2", f.path);
    char *argv[] = {
        (char *)g_getenv("QTEST_QEMU_BINARY"), "-accel", "qtest", "-display",
        "none", "-nodefaults", "-drive", drive, NULL
    };
    gint64 deadline = qtest_deadline();
    g_autoptr(GError) err = NULL;
    pid_t daemon = 0;
    unsigned round = 0;
    GPid pid;

    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                  &err);
    g_assert_no_error(err);
    while (!daemon) {
        g_assert_true(qtest_wait_more(deadline, &round));
        daemon = child_of(pid);
    }
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    wait_for_end(daemon);
    assert_image_is_free(&f);
    remove_image(f.path);
}

static void test_the_emulator_outlives_it(void)
{
    Fixture f = { .path = make_qcow2() };
    g_autofree char *messages = qtest_begin_messages();

    start(&f, "-device pcie-root-port,id=rp,chassis=1 -drive if=none,file=%s,"
              "format=qcow2,id=q -device virtio-blk-pci,drive=q,id=d,bus=rp");
    kill(daemon_of(f.qts), SIGKILL);
    qtest_wait_message(messages, "qemu-storage-daemon has gone");
    qtest_wait_message(messages, "drive 'q': the back end has gone");
    g_assert_true(says(f.qts, "query-block", "\"device\":\"q\""));
    g_assert_false(says(f.qts, "query-block", "inserted"));
    do_qmp(f.qts, "{'execute': 'human-monitor-command', 'arguments': "
           "{'command-line': '%s'}}", "info block");
    do_qmp(f.qts, UNPLUG, "d");
    do_qmp(f.qts, "{'execute': 'system_reset'}%s", "");
    json_object_unref(qmp_client_event(qtest_qmp(f.qts), "DEVICE_DELETED"));
    qtest_quit(f.qts);
    qtest_end_messages();
    remove_image(f.path);
}

/* In the background: who started it sees the end of its output. */
static void test_output_ends_with_the_emulator(void)
{
    Fixture f = { .path = make_qcow2() };
    g_autofree char *pid_file = g_strconcat(f.path, ".pid", NULL);
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-daemonize -pidfile %s -drive file=%s,format=qcow2",
        pid_file, f.path);
    g_autofree char *pid = NULL;

    cli_expect_end(cli_run_with_pipe(args));
    g_assert_true(g_file_get_contents(pid_file, &pid, NULL, NULL));
    kill(atoi(pid), SIGTERM);
    wait_for_end(atoi(pid));
    assert_image_is_free(&f);
    remove_image(f.path);
}

static void test_it_is_not_needed_for_raw(void)
{
    Fixture f = { .path = make_qcow2() };

    start(&f, "-drive file=%s,format=raw,id=q");
    g_assert_cmpint(daemon_of(f.qts), ==, 0);
    if (!QTEST_SANITIZED) {
        qmp_client_expect_error(
            qtest_qmp(f.qts), ERR, "spawn=deny",
            "{'execute': 'blockdev-add', 'arguments': {" ADD_NULL "}}");
    }
    qtest_quit(f.qts);

    start(&f, "-sandbox off -drive file=%s,format=raw,id=q");
    do_qmp(f.qts, "{'execute': 'blockdev-add', 'arguments': {%s}}", ADD_NULL);
    g_assert_cmpint(daemon_of(f.qts), >, 0);
    qtest_quit(f.qts);
    remove_image(f.path);
}

/* --- what is refused --- */

#define QCOW2 "-drive if=none,id=x,file=image,format=qcow2 "

static const CliBadCase bad[] = {
    { QTEST_ARGS "-drive file=none,format=qcow2", "-drive|none|No such file" },
    { QTEST_ARGS "-drive file=image,format=qcow3", "-drive|qcow3" },
    { QTEST_ARGS "-drive file=image,format=vmdk", "-drive|image" },
    { QTEST_ARGS "-blockdev driver=qcow2,node-name=q,file=f",
      "-blockdev|Cannot find" },
    { QTEST_ARGS "-drive file=image,format=luks,key-secret=none",
      "-drive|No secret with id 'none'" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,werror=stop",
      "-device|werror=stop|report only" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,rerror=ignore",
      "-device|rerror=ignore|report only" },
    { QTEST_ARGS "-drive if=none,id=x,file=image,format=qcow2,werror=stop "
      "-device virtio-blk-pci,drive=x", "-device|werror=stop|report only" },
    { QTEST_ARGS "-drive if=none,id=x,file=image,format=qcow2,rerror=stop "
      "-device virtio-blk-pci,drive=x", "-device|rerror=stop|report only" },
    { QTEST_ARGS "-drive file=image,format=qcow2,bps=1000", "-drive|'bps'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,copy-on-read=on",
      "-drive|'copy-on-read'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,snapshot=on",
      "-drive|'snapshot'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,locking=off",
      "-drive|'locking'" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,packed=on",
      "-device|packed=on" },
    { QTEST_ARGS "-m 64M -object memory-backend-ram,id=m,size=64M,share=off "
      "-machine memory-backend=m " QCOW2 "-device virtio-blk-pci,drive=x",
      "-device|'m' cannot be shared|share=on" },
};

static void test_bad_command_lines(void)
{
    char *image = make_qcow2();
    g_autofree char *text = NULL;
    g_autofree char *path = NULL;
    gsize len;

    cli_begin();
    path = g_build_filename(cli_dir, "image", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_true(g_file_get_contents(image, &text, &len, NULL));
        g_assert_true(g_file_set_contents(path, text, len, NULL));
        g_clear_pointer(&text, g_free);
        cli_check_refused(bad[i].args, bad[i].parts);
        g_unlink(path);
        cli_assert_dir_empty(bad[i].args);
    }
    cli_check_refused_by("env PATH=/nonexistent", QTEST_ARGS
                         "-drive file=x,format=qcow2",
                         "not installed|qemu-system-common");
    cli_end();
    remove_image(image);
}

/* --- daemons that lie --- */

/* What they do once "s" is their end of QMP. */
static const struct { const char *does, *message; } liars[] = {
    { "pass", "it has ended" },
    { "s.send(b'hello\\n')", "no QMP" },
    { "s.send(b'[1]\\n')", "no QMP" },
    { "s.send(b'{}\\n'); s.recv(99)", "has ended" },
    { "s.send(b'{}\\n{\"error\": {\"desc\": \"no way\"}}\\n'); s.recv(99)",
      "no way" },
    { "s.send(b'{}\\n{\"error\": 7}\\n'); s.recv(99)", "without a result" },
    { "s.send(b'{}\\n')\n"
      "while s.recv(9999): s.send(b'{\"event\": 1}\\n{\"return\": {}}\\n')",
      "does not know its node" },
    { "s.send(b'{}\\n')\n"
      "while s.recv(9999): s.send(b'{\"return\": [[], {}, {\"node-name\": 3}]}"
      "\\n')", "does not know its node" },
    { "s.send(b'{}\\n')\n"
      "while b'named' not in s.recv(9999): s.send(b'{\"return\": {}}\\n')",
      "has gone" },
};

static void test_daemon_that_lies(void)
{
    g_autofree char *program = NULL;
    g_autofree char *wrapper = NULL;

    cli_begin();
    program = g_build_filename(cli_dir, "qemu-storage-daemon", NULL);
    wrapper = g_strdup_printf("env PATH=%s:%s", cli_dir, g_getenv("PATH"));
    for (size_t i = 0; i < G_N_ELEMENTS(liars); i++) {
        g_autofree char *text = g_strdup_printf(
            "#!/usr/bin/env python3\n"
            "import socket, sys\n"
            "s = socket.socket(fileno=int(sys.argv[2].split('fd=')[1]))\n"
            "%s\n", liars[i].does);

        g_assert_true(g_file_set_contents(program, text, -1, NULL));
        g_assert_no_errno(g_chmod(program, 0755));
        cli_check_refused_by(wrapper, QTEST_ARGS "-drive file=x,format=qcow2",
                             liars[i].message);
    }
    g_unlink(program);
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *name = g_strdup_printf("/blockdev-served/data/%zu", i);

        g_test_add_data_func(name, ways[i],
                             test_what_is_written_is_there_later);
    }
    g_test_add_func("/blockdev-served/drive-without-an-image",
                    test_drive_without_an_image);
    g_test_add_func("/blockdev-served/same-device", test_it_is_the_same_device);
    g_test_add_func("/blockdev-served/nodes", test_nodes_and_devices_come_and_go);
    g_test_add_func("/blockdev-served/queries", test_queries_tell_of_them);
    g_test_add_func("/blockdev-served/resize", test_a_size_changes);
    g_test_add_func("/blockdev-served/figures", test_figures);
    g_test_add_func("/blockdev-served/properties",
                    test_what_the_device_says_the_guest_sees);
    g_test_add_func("/blockdev-served/read-only", test_read_only);
    g_test_add_data_func("/blockdev-served/discard",
                         GUINT_TO_POINTER(VIRTIO_BLK_T_DISCARD), test_discard);
    g_test_add_data_func("/blockdev-served/write-zeroes",
                         GUINT_TO_POINTER(VIRTIO_BLK_T_WRITE_ZEROES),
                         test_discard);
    g_test_add_func("/blockdev-served/unplug",
                    test_memory_under_io_is_not_written_later);
    g_test_add_func("/blockdev-served/different", test_what_is_different_is_said);
    g_test_add_func("/blockdev-served/refused",
                    test_what_the_daemon_refuses_stays_here);
    g_test_add_func("/blockdev-served/life/quit",
                    test_it_ends_with_the_emulator);
    g_test_add_func("/blockdev-served/life/kill",
                    test_it_ends_when_the_emulator_is_killed);
    g_test_add_func("/blockdev-served/life/gone", test_the_emulator_outlives_it);
    g_test_add_func("/blockdev-served/life/background",
                    test_output_ends_with_the_emulator);
    g_test_add_func("/blockdev-served/life/late", test_it_is_not_needed_for_raw);
    g_test_add_func("/blockdev-served/bad", test_bad_command_lines);
    g_test_add_func("/blockdev-served/lies", test_daemon_that_lies);
    return g_test_run();
}
