/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that QEMU's storage daemon opens for the emulator: qcow2 images and what
 * else is not raw. The guest's driver, clients and administrators see a
 * virtio-blk-pci as ever. The daemon itself: test-storage-daemon-child.c.
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
#include "qcow2.h"
#include "qemu/units.h"
#include "storage-daemon.h"
#include "virtio-blk.h"
#include "virtio-mem.h"

#define ERR "GenericError"
#define MACHINE "-M q35 -m 256M "

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
    "-drive driver=qcow2,file.filename=%s",
    "-blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=%s,"
    "l2-cache-size=1M,lazy-refcounts=off,detect-zeroes=on,cache.direct=on "
    "-device virtio-blk-pci,drive=q,logical_block_size=512,"
    "physical_block_size=4096",
};

static void test_what_is_written_is_there_later(gconstpointer args)
{
    Fixture f = { .path = qcow2_make() };

    start(&f, args);
    use_disk(&f, 0);
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==, QCOW2_DISK / QDISK_SECTOR);
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
    qcow2_remove(f.path);
}

static void test_it_is_the_same_device(void)
{
    Fixture f = { .path = qcow2_make() };
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
    qcow2_remove(f.path);
}

/* --- nodes --- */

#define ADD_FILE "{'execute': 'blockdev-add', 'arguments': {"                \
    "'driver': 'file', 'filename': '%s', 'node-name': 'f'}}"
#define ADD_QCOW2 "{'execute': 'blockdev-add', 'arguments': {"               \
    "'driver': 'qcow2', 'file': 'f', 'node-name': '%s'}}"
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

/* Lists of nodes: as keywords, and of a node that was this process's. */
static void test_children_of_a_quorum(void)
{
    Fixture f = { .path = qcow2_make() };

    start(&f, "-blockdev driver=quorum,node-name=k,vote-threshold=1,"
              "children.0.driver=null-co,children.1.driver=null-co "
              "-blockdev driver=file,node-name=f,filename=%s");
    do_qmp(f.qts, "{'execute': 'blockdev-add', 'arguments': {'driver': 'quorum', "
           "'node-name': '%s', 'vote-threshold': 1, 'children': ['f']}}", "q");
    qmp_client_expect_error(qtest_qmp(f.qts), ERR, "in use", DEL, "f");
    qtest_quit(f.qts);
    qcow2_remove(f.path);
}

static void test_nodes_and_devices_come_and_go(void)
{
    Fixture f = { .path = qcow2_make() };

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
    qcow2_remove(f.path);
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
    Fixture f = { .path = qcow2_make() };

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
    qcow2_remove(f.path);
}

static void test_a_size_changes(void)
{
    Fixture f = { .path = qcow2_make() };

    start(&f, "-drive file=%s,format=qcow2,id=q");
    use_disk(&f, 0);
    do_qmp(f.qts, "{'execute': 'block_resize', 'arguments': {'device': '%s', "
           "'size': 16777216}}", "q");
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==,
                     2 * QCOW2_DISK / QDISK_SECTOR);
    assert_write(&f, 2 * QCOW2_DISK / QDISK_SECTOR - 8, 0x11);
    assert_read(&f, 2 * QCOW2_DISK / QDISK_SECTOR - 8, 0x11);
    qtest_quit(f.qts);
    qcow2_remove(f.path);
}

/* What the guest asks for the daemon does not count, but where it wrote last. */
static void test_figures(void)
{
    static const char *const ways[] = {
        "{'execute': 'query-blockstats'}",
        "{'execute': 'query-blockstats', 'arguments': {'query-nodes': true}}",
    };
    Fixture f = { .path = qcow2_make() };

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
    qcow2_remove(f.path);
}

/* --- properties --- */

static uint32_t config(Fixture *f, unsigned offset)
{
    return qtest_readl(f->qts, f->blk.vdev.config + offset);
}

#define CONFIG(member) offsetof(struct virtio_blk_config, member)

static void test_what_the_device_says_the_guest_sees(void)
{
    Fixture f = { .path = qcow2_make() };

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
    qcow2_remove(f.path);
}

static void test_read_only(void)
{
    Fixture f = { .path = qcow2_make() };

    start(&f, "-drive file=%s,format=qcow2,readonly=on");
    use_disk(&f, 0);
    g_assert_true(f.blk.features & 1ULL << VIRTIO_BLK_F_RO);
    g_assert_false(f.blk.features & 1ULL << VIRTIO_BLK_F_DISCARD);
    assert_read(&f, 64, 0);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_OUT, 64, f.data,
                                         4 * KiB, false, NULL), ==,
                     VIRTIO_BLK_S_IOERR);
    qtest_quit(f.qts);
    qcow2_remove(f.path);
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
    Fixture f = { .path = qcow2_make() };
    struct virtio_blk_discard_write_zeroes range = {
        .sector = GUINT64_TO_LE(0),
        .num_sectors = GUINT32_TO_LE(QCOW2_CLUSTER / QDISK_SECTOR),
    };
    int64_t before;

    if (GPOINTER_TO_UINT(type) == VIRTIO_BLK_T_WRITE_ZEROES) {
        range.flags = GUINT32_TO_LE(VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
    }
    start(&f, "-drive file=%s,format=qcow2,discard=unmap");
    use_disk(&f, 0);
    for (unsigned i = 0; i < QCOW2_CLUSTER; i += 4 * KiB) {
        assert_write(&f, i / QDISK_SECTOR, 0x5a);
    }
    before = allocated(&f);
    qtest_memwrite(f.qts, f.data, &range, sizeof(range));
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, GPOINTER_TO_UINT(type), 0, f.data,
                                         sizeof(range), false, NULL), ==,
                     VIRTIO_BLK_S_OK);
    assert_read(&f, 0, 0);
    g_assert_cmpint(allocated(&f), <=, before - QCOW2_CLUSTER + 4096);
    qtest_quit(f.qts);
    qcow2_remove(f.path);
}

/*
 * Memory is unplugged while the daemon reads into it: when that is answered, the
 * daemon has it no more, nor has the host anything of it. What became of the reads
 * is the guest's affair.
 */
static void test_memory_under_io_is_not_written_later(void)
{
    Fixture f = { .path = qcow2_make() };
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
    qcow2_remove(f.path);
}

/* What the daemon has instead is said. */
static void test_what_is_different_is_said(void)
{
    Fixture f = { .path = qcow2_make() };
    g_autofree char *messages = qtest_begin_messages();

    start(&f, "-object iothread,id=io0 -drive if=none,file=%s,format=qcow2,id=q "
              "-device virtio-blk-pci,drive=q,serial=abc,iothread=io0");
    qtest_wait_message(messages, "serial=abc: the guest sees");
    qtest_wait_message(messages, "iothread=io0: qemu-storage-daemon processes");
    use_disk(&f, 0);
    assert_write(&f, 64, 0x5a);
    qtest_quit(f.qts);
    qtest_end_messages();
    qcow2_remove(f.path);
}

/* --- what the daemon refuses --- */

/* A node of this process that another one names is closed here first; refused,
 * it is as it was. */
static void test_what_the_daemon_refuses_stays_here(void)
{
    Fixture f = { .path = qcow2_make() };

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
    qcow2_remove(f.path);
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
    g_test_add_func("/blockdev-served/quorum", test_children_of_a_quorum);
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
    return g_test_run();
}
