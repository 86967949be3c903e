/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user-blk with QEMU's storage daemon: a disk that works, whose back end
 * has just the plugged part of guest memory, and which comes back with another
 * back end.
 */
#include <glib/gstdio.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <string.h>

#include "coordination.h"
#include "storage-daemon.h"

#define BLOCK_SIZE (2 * MiB)
#define IMAGE_SIZE (4 * MiB)

/* A guest with a virtio-mem device of blocks of 2 MiB and a disk. */
typedef struct Fixture {
    QStorageDaemon *daemon;
    Coordination c;
    QDisk disk;
} Fixture;

#define MEMORY                                                               \
    "-m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "        \
    "-machine memory-backend=boot "                                          \
    "-object memory-backend-memfd,id=mem0,size=256M "                        \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=256M "

static void start(Fixture *f, unsigned queues, const char *chardev,
                  const char *device)
{
    f->daemon = qstorage_daemon_new(IMAGE_SIZE, queues);
    coordination_start(&f->c, 1, 0, "",
                       " " MEMORY "-chardev socket,id=c0,path=%s%s "
                       "-device vhost-user-blk-pci,id=disk0,chardev=c0%s",
                       f->daemon->socket, chardev, device);
    qdisk_init(&f->disk, &f->c.guest, 0, UINT64_MAX);
}

static void stop(Fixture *f)
{
    coordination_stop(&f->c);
    qstorage_daemon_free(f->daemon);
}

/* The disk's sectors from @sector on are read to, or written from, @addr. */
static void check_io(Fixture *f, uint64_t sector, uint64_t addr)
{
    uint8_t expected[4 * KiB], got[4 * KiB];

    g_assert_cmpuint(qdisk_do(&f->disk, VIRTIO_BLK_T_IN, sector, addr,
                              sizeof(got)), ==, VIRTIO_BLK_S_OK);
    qtest_memread(f->c.qts, addr, got, sizeof(got));
    qstorage_daemon_read(f->daemon, sector * QDISK_SECTOR, expected,
                         sizeof(expected));
    g_assert_cmpmem(got, sizeof(got), expected, sizeof(expected));

    for (size_t i = 0; i < sizeof(got); i++) {
        got[i] ^= 0x5a;
    }
    qtest_memwrite(f->c.qts, addr, got, sizeof(got));
    g_assert_cmpuint(qdisk_do(&f->disk, VIRTIO_BLK_T_OUT, sector, addr,
                              sizeof(got)), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(qdisk_do(&f->disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0), ==,
                     VIRTIO_BLK_S_OK);
    qstorage_daemon_read(f->daemon, sector * QDISK_SECTOR, expected,
                         sizeof(expected));
    g_assert_cmpmem(got, sizeof(got), expected, sizeof(expected));
}

/* Each of the @n ends, in blocks, is that of one mapping of the daemon's. */
static void check_maps(Fixture *f, const unsigned *ends, unsigned n)
{
    g_autoptr(GArray) got = qprocess_mapped_ends(f->daemon->pid, "mem0");

    g_assert_cmpuint(got->len, ==, n);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(g_array_index(got, uint64_t, i), ==,
                        ends[i] * BLOCK_SIZE);
    }
}

#define CHECK_MAPS(f, ...)                                                   \
    check_maps(f, (unsigned[]) { __VA_ARGS__ },                              \
               G_N_ELEMENTS(((unsigned[]) { __VA_ARGS__ })))

static void plug(Fixture *f, unsigned block, unsigned n)
{
    g_assert_cmpuint(qvirtio_mem_plug(&f->c.mem[0],
                                      coordination_block(&f->c, 0, block), n),
                     ==, VIRTIO_MEM_RESP_ACK);
}

static void unplug(Fixture *f, unsigned block, unsigned n)
{
    g_assert_cmpuint(qvirtio_mem_unplug(&f->c.mem[0],
                                        coordination_block(&f->c, 0, block),
                                        n), ==, VIRTIO_MEM_RESP_ACK);
}

/* --- a disk that works ---------------------------------------------------- */

static void test_disk(void)
{
    Fixture f;
    uint64_t buffer;

    start(&f, 1, "", "");
    buffer = qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB);
    g_assert_cmpuint(qdisk_capacity(&f.disk), ==, IMAGE_SIZE / QDISK_SECTOR);
    g_assert_true(f.disk.features & 1 << VIRTIO_BLK_F_FLUSH);
    g_assert_false(f.disk.features & 1 << VIRTIO_BLK_F_MQ);
    check_io(&f, 0, buffer);
    check_io(&f, IMAGE_SIZE / QDISK_SECTOR - 8, buffer);
    stop(&f);
}

static void test_disk_without_ioeventfd(void)
{
    Fixture f;

    start(&f, 1, "", ",ioeventfd=off,vectors=0");
    check_io(&f, 0, qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB));
    stop(&f);
}

static void test_reset(void)
{
    Fixture f;
    uint64_t buffer;

    start(&f, 1, "", "");
    buffer = qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB);
    check_io(&f, 0, buffer);
    qvirtio_reset(&f.disk.vdev);
    qdisk_init(&f.disk, &f.c.guest, 0, 0);
    check_io(&f, 8, buffer);
    coordination_system_reset(&f.c);
    coordination_restart_drivers(&f.c);
    buffer = qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB);
    qdisk_init(&f.disk, &f.c.guest, 0, 0);
    check_io(&f, 16, buffer);
    stop(&f);
}

/* A request that is made while the VM is stopped is served afterwards. */
static void test_stopped_vm(void)
{
    QmpClient *qmp;
    Fixture f;
    uint64_t buffer;

    start(&f, 1, "", "");
    qmp = qtest_qmp(f.c.qts);
    buffer = qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB);
    check_io(&f, 0, buffer);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'stop'}"));
    qdisk_send(&f.disk, VIRTIO_BLK_T_IN, 0, buffer, 4 * KiB);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'query-status'}"));
    g_assert_false(qvirtqueue_has_used(&f.disk.vq));
    json_node_unref(qmp_client_do(qmp, "{'execute': 'cont'}"));
    qvirtqueue_wait(&f.disk.vq, NULL);
    qvirtio_take_interrupt(&f.disk.vdev, QVIRTIO_QUEUE_USED);
    check_io(&f, 0, buffer);
    stop(&f);
}

/* --- memory that comes and goes ------------------------------------------- */

static void test_plug_and_unplug(void)
{
    Fixture f;
    uint64_t buffer;

    start(&f, 1, "", "");
    check_maps(&f, NULL, 0);
    plug(&f, 0, 4);
    CHECK_MAPS(&f, 4);
    buffer = coordination_block(&f.c, 0, 3);
    check_io(&f, 0, buffer);
    plug(&f, 10, 2);
    CHECK_MAPS(&f, 4, 12);
    /* In use is what stays, and in both. */
    unplug(&f, 1, 1);
    CHECK_MAPS(&f, 1, 4, 12);
    check_io(&f, 8, buffer);
    check_io(&f, 16, coordination_block(&f.c, 0, 11));
    unplug(&f, 10, 2);
    CHECK_MAPS(&f, 1, 4);
    check_io(&f, 24, buffer);
    g_assert_cmpuint(qvirtio_mem_unplug_all(&f.c.mem[0]), ==,
                     VIRTIO_MEM_RESP_ACK);
    check_maps(&f, NULL, 0);
    check_io(&f, 32, qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB));
    stop(&f);
}

/* What query-ram-discard says of the back end: one of "mapped", "mappings",
 * "surplus". */
static uint64_t listener_value(Fixture *f, const char *member)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        qtest_qmp(f->c.qts), "{'execute': 'query-ram-discard'}");
    JsonObject *region = json_array_get_object_element(
        json_node_get_array(node), 0);
    JsonArray *listeners = json_object_get_array_member(region, "listeners");

    for (guint i = 0; i < json_array_get_length(listeners); i++) {
        JsonObject *l = json_array_get_object_element(listeners, i);

        if (!strcmp(json_object_get_string_member(l, "kind"), "vhost-user")) {
            g_assert_cmpstr(
                json_array_get_string_element(
                    json_object_get_array_member(l, "devices"), 0), ==, "disk0");
            return json_object_get_int_member_with_default(l, member, 0);
        }
    }
    g_assert_not_reached();
}

/* More runs than the daemon has slots: the smallest holes are covered. */
static void test_more_runs_than_slots(void)
{
    unsigned runs = 0;
    Fixture f;

    start(&f, 1, "", "");
    for (unsigned block = 0; block < 128; block += 3) {
        plug(&f, block, 1);
        runs++;
    }
    g_assert_cmpuint(runs, >, listener_value(&f, "mappings"));
    g_assert_cmpuint(listener_value(&f, "mapped"), ==, runs * BLOCK_SIZE);
    g_assert_cmpuint(listener_value(&f, "surplus"), ==,
                     (runs - listener_value(&f, "mappings")) * 2 * BLOCK_SIZE);
    check_io(&f, 0, coordination_block(&f.c, 0, 0));
    check_io(&f, 8, coordination_block(&f.c, 0, 126));
    for (unsigned block = 0; block < 60; block += 3) {
        unplug(&f, block, 1);
    }
    g_assert_cmpuint(listener_value(&f, "surplus"), ==, 0);
    check_io(&f, 16, coordination_block(&f.c, 0, 126));
    stop(&f);
}

/* Rings may be where one region of the back end's ends and the next begins. */
static void test_rings_across_regions(void)
{
    Fixture f;
    uint64_t rings;

    start(&f, 1, "", "");
    plug(&f, 0, 1);
    plug(&f, 1, 1);
    CHECK_MAPS(&f, 1, 2);
    rings = coordination_block(&f.c, 0, 1) - 16;
    qtest_memset(f.c.qts, rings, 0, 64 * KiB);
    qvirtio_start(&f.disk.vdev, 0);
    qvirtqueue_init(&f.disk.vq, &f.disk.vdev, 0, rings);
    qvirtio_driver_ok(&f.disk.vdev);
    check_io(&f, 0, coordination_block(&f.c, 0, 0));
    CHECK_MAPS(&f, 2);
    stop(&f);
}

/* The device breaks, not the back end, and a reset repairs it. */
static void test_rings_are_unplugged(void)
{
    Fixture f;

    start(&f, 1, "", "");
    plug(&f, 0, 1);
    plug(&f, 1, 1);
    qtest_memset(f.c.qts, coordination_block(&f.c, 0, 1), 0, 64 * KiB);
    qvirtio_start(&f.disk.vdev, 0);
    qvirtqueue_init(&f.disk.vq, &f.disk.vdev, 0,
                    coordination_block(&f.c, 0, 1));
    qvirtio_driver_ok(&f.disk.vdev);
    check_io(&f, 0, coordination_block(&f.c, 0, 0));
    unplug(&f, 1, 1);
    CHECK_MAPS(&f, 1);
    g_assert_true(qvirtio_status(&f.disk.vdev) & VIRTIO_CONFIG_S_NEEDS_RESET);
    qdisk_init(&f.disk, &f.c.guest, 0, 0);
    check_io(&f, 0, coordination_block(&f.c, 0, 0));
    stop(&f);
}

/* --- a back end that goes ------------------------------------------------- */

/* Plugs, requests and queries go on without it; then it is given everything. */
static void test_back_end_comes_back(void)
{
    Fixture f;
    uint64_t buffer;

    start(&f, 1, ",reconnect-ms=50", "");
    buffer = qguest_alloc(&f.c.guest, 4 * KiB, 4 * KiB);
    check_io(&f, 0, buffer);
    plug(&f, 0, 1);
    qstorage_daemon_kill(f.daemon);
    plug(&f, 4, 2);
    unplug(&f, 0, 1);
    qdisk_send(&f.disk, VIRTIO_BLK_T_IN, 0, buffer, 4 * KiB);
    json_node_unref(qmp_client_do(qtest_qmp(f.c.qts),
                                  "{'execute': 'query-status'}"));
    g_assert_false(qvirtqueue_has_used(&f.disk.vq));
    qstorage_daemon_start(f.daemon);
    qvirtqueue_wait(&f.disk.vq, NULL);
    qvirtio_take_interrupt(&f.disk.vdev, QVIRTIO_QUEUE_USED);
    CHECK_MAPS(&f, 6);
    check_io(&f, 8, coordination_block(&f.c, 0, 5));
    stop(&f);
}

/* Where a back end stopped is asked, and told, of split queues only. */
static void test_packed_queues_are_refused(void)
{
    Fixture f;

    f.daemon = qstorage_daemon_new(IMAGE_SIZE, 1);
    coordination_start(&f.c, 1, 0, "",
                       " " MEMORY "-device pcie-root-port,id=port0 "
                       "-chardev socket,id=c0,path=%s", f.daemon->socket);
    qmp_client_expect_error(qtest_qmp(f.c.qts), "GenericError",
                            "packed=on is not possible",
                            "{'execute': 'device_add', 'arguments': "
                            "{'driver': 'vhost-user-blk-pci', 'bus': 'port0', "
                            "'chardev': 'c0', 'packed': true}}");
    stop(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    g_test_add_func("/vhost-user-blk/disk", test_disk);
    g_test_add_func("/vhost-user-blk/without-ioeventfd",
                    test_disk_without_ioeventfd);
    g_test_add_func("/vhost-user-blk/reset", test_reset);
    g_test_add_func("/vhost-user-blk/stopped-vm", test_stopped_vm);
    g_test_add_func("/vhost-user-blk/packed-queues-are-refused",
                    test_packed_queues_are_refused);
    g_test_add_func("/vhost-user-blk/plug-and-unplug", test_plug_and_unplug);
    g_test_add_func("/vhost-user-blk/more-runs-than-slots",
                    test_more_runs_than_slots);
    g_test_add_func("/vhost-user-blk/rings-across-regions",
                    test_rings_across_regions);
    g_test_add_func("/vhost-user-blk/rings-are-unplugged",
                    test_rings_are_unplugged);
    g_test_add_func("/vhost-user-blk/back-end-comes-back",
                    test_back_end_comes_back);
    return g_test_run();
}
