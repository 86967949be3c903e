/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks as an administrator has them: nodes that come and go, locks, sizes,
 * queries, plugging, and what follows when the host fails.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qemu/units.h"
#include "storage-daemon.h"
#include "virtio-blk.h"

#define DISK (1 * MiB)
#define ERR "GenericError"

static char *make_image(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    int fd = g_mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, DISK), ==, 0);
    close(fd);
    return path;
}

static void remove_image(char *path)
{
    g_unlink(path);
    g_free(path);
}

static void do_qmp(QTestState *s, const char *fmt, const char *arg)
{
    json_node_unref(qmp_client_do(qtest_qmp(s), fmt, arg));
}

/* The only element of the list that @query returns; g_free(): as text. */
static char *query_one(QTestState *s, const char *query)
{
    JsonNode *node = qmp_client_do(qtest_qmp(s), "{'execute': '%s'}", query);
    JsonArray *list = json_node_get_array(node);
    char *text;

    g_assert_cmpuint(json_array_get_length(list), ==, 1);
    text = json_to_string(json_array_get_element(list, 0), FALSE);
    json_node_unref(node);
    return text;
}

static void assert_in(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        g_error("%s is not in %s", part, text);
    }
}

#define ADD_FILE "{'execute': 'blockdev-add', 'arguments': {"                \
    "'driver': 'file', 'filename': '%s', 'node-name': 'f'}}"
#define ADD_RAW "{'execute': 'blockdev-add', 'arguments': {"                 \
    "'driver': 'raw', 'file': 'f', 'node-name': '%s'}}"
#define DEL "{'execute': 'blockdev-del', 'arguments': {'node-name': '%s'}}"
#define PLUG "{'execute': 'device_add', 'arguments': {"                      \
    "'driver': 'virtio-blk-pci', 'id': 'd', 'drive': '%s', 'bus': 'rp'}}"

/* --- nodes --- */

static void test_nodes_come_and_go(void)
{
    QTestState *s = qtest_init("-M q35 -m 256M -device "
                               "pcie-root-port,id=rp,chassis=1");
    char *path = make_image();

    for (int i = 0; i < 3; i++) {
        do_qmp(s, ADD_FILE, path);
        do_qmp(s, ADD_RAW, "r");
        qmp_client_expect_error(qtest_qmp(s), ERR, "in use by node 'r'", DEL,
                                "f");
        qmp_client_expect_error(qtest_qmp(s), ERR, "there is a node", ADD_RAW,
                                "r");
        do_qmp(s, PLUG, "r");
        qmp_client_expect_error(qtest_qmp(s), ERR, "in use by", DEL, "r");
        do_qmp(s, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", "d");
        do_qmp(s, "{'execute': 'system_reset'}%s", "");
        json_object_unref(qmp_client_event(qtest_qmp(s), "DEVICE_DELETED"));
        do_qmp(s, DEL, "r");
        do_qmp(s, DEL, "f");
    }
    qmp_client_expect_error(qtest_qmp(s), ERR, "Failed to find node", DEL, "f");
    qtest_quit(s);
    remove_image(path);
}

/* Each level is opened within the one above it, on one stack. */
static void test_levels_have_a_limit(void)
{
    QTestState *s = qtest_init("-M q35 -m 256M");
    g_autoptr(GString) text = g_string_new("'x'");

    for (int i = 0; i < 101; i++) {
        g_string_prepend(text, "{'driver': 'raw', 'node-name': 'n', "
                         "'file': ");
        g_string_append_c(text, '}');
    }
    qmp_client_expect_error(
        qtest_qmp(s), ERR, "'file' has more than 100 levels",
        "{'execute': 'blockdev-add', 'arguments': %s}", text->str);
    qtest_quit(s);
}

static void test_what_a_node_cannot_be(void)
{
    static const char *const bad[][2] = {
        { "'driver': 'file'", "filename" },
        { "'driver': 'file', 'filename': '/nonexistent'", "No such file" },
        { "'driver': 'file', 'filename': '/dev/null'", "not a regular file" },
        { "'driver': 'file', 'filename': '/'", "directory" },
        { "'driver': 'host_device', 'filename': '/dev/null'",
          "not a block device" },
        { "'driver': 'raw'", "'file' is missing" },
        { "'driver': 'raw', 'file': 'none'", "Cannot find node 'none'" },
        { "'driver': 'raw', 'file': 3", "'file', expected" },
        { "'driver': 'file', 'filename': 7", "expected: string" },
        { "'driver': 'file', 'filename': '/x', 'color': 'red'", "'color'" },
        { "'driver': 'file', 'filename': '/x', 'cache': 'none'",
          "expected: object" },
        { "'driver': 'file', 'filename': '/x', 'cache': {'x': true}",
          "'cache.x' is unexpected" },
        { "'driver': 'file', 'filename': '/x', 'discard': 'on'", "discard" },
        { "'driver': 'file', 'filename': '/x', 'aio': 'native'",
          "aio=native: not supported" },
        { "'driver': 'file', 'filename': '/x', 'force-share': true",
          "force-share" },
    };
    QTestState *s = qtest_init("-M q35 -m 256M");

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(
            qtest_qmp(s), ERR, bad[i][1], "{'execute': 'blockdev-add', "
            "'arguments': {'node-name': 'n', %s}}", bad[i][0]);
    }
    qmp_client_expect_error(qtest_qmp(s), ERR, "node-name", "{'execute': "
                            "'blockdev-add', 'arguments': {'driver': 'raw', "
                            "'file': 'x'}}");
    qmp_client_expect_error(
        qtest_qmp(s), ERR,
        QTEST_SANITIZED ? "Cannot find" : "the sandbox starts no program",
        "{'execute': 'blockdev-add', 'arguments': {'node-name': 'n', "
        "'driver': 'qcow2', 'file': 'f'}}");
    qtest_quit(s);
}

/* --- files that are open already --- */

/* The number of a new set with @path, open with @flags. */
static int64_t add_fd(QTestState *s, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send_fds(qtest_qmp(s), "{'execute': 'add-fd'}", fd, 1);
    close(fd);
    reply = qmp_client_reply(qtest_qmp(s));
    return json_object_get_int_member(
        json_object_get_object_member(reply, "return"), "fdset-id");
}

static void test_file_that_is_open_already(void)
{
    QTestState *s = qtest_init("-M q35 -m 256M -device "
                               "pcie-root-port,id=rp,chassis=1");
    char *path = make_image();
    g_autofree char *write = g_strdup_printf("/dev/fdset/%d",
                                             (int)add_fd(s, path, O_RDWR));
    g_autofree char *read = g_strdup_printf("/dev/fdset/%d",
                                            (int)add_fd(s, path, O_RDONLY));

    qmp_client_expect_error(qtest_qmp(s), ERR, "no file of the set", ADD_FILE,
                            read);
    qmp_client_expect_error(qtest_qmp(s), ERR, "no file of the set", ADD_FILE,
                            "/dev/fdset/99");
    do_qmp(s, ADD_FILE, write);
    do_qmp(s, PLUG, "f");
    qtest_quit(s);
    remove_image(path);
}

/* --- locks --- */

/* Who opens an image that is written to, or writes to one that is open, is
 * refused; readers may be many. */
static void test_no_image_is_opened_twice(void)
{
    char *path = make_image();
    QTestState *s = qtest_init("-M q35 -m 256M -drive file=%s,format=raw,"
                               "if=none", path);
    QTestState *other = qtest_init("-M q35 -m 256M");
    const char *read_only = "{'execute': 'blockdev-add', 'arguments': {"
        "'driver': 'file', 'filename': '%s', 'node-name': '%s', "
        "'read-only': true}}";

    qmp_client_expect_error(qtest_qmp(other), ERR, "lock", ADD_FILE, path);
    qmp_client_expect_error(qtest_qmp(s), ERR, "lock", ADD_FILE, path);
    qmp_client_expect_error(qtest_qmp(other), ERR, "lock", read_only, path,
                            "f");
    qtest_quit(s);
    json_node_unref(qmp_client_do(qtest_qmp(other), read_only, path, "a"));
    json_node_unref(qmp_client_do(qtest_qmp(other), read_only, path, "b"));
    qmp_client_expect_error(qtest_qmp(other), ERR, "lock", ADD_FILE, path);
    do_qmp(other, DEL, "a");
    do_qmp(other, DEL, "b");
    do_qmp(other, ADD_FILE, path);
    qtest_quit(other);
    remove_image(path);
}

#define PLUG_SHARED "{'execute': 'device_add', 'arguments': {"               \
    "'driver': 'virtio-blk-pci', 'drive': '%s', 'bus': 'rp', "               \
    "'share-rw': true}}"
#define PLUG_ALONE "{'execute': 'device_add', 'arguments': {"                \
    "'driver': 'virtio-blk-pci', 'drive': '%s', 'bus': 'rp'}}"

/* Who shares an image shares it with those who do so, and with nobody else. */
static void test_an_image_is_shared_on_purpose(void)
{
    char *path = make_image();
    QTestState *s = qtest_init("-M q35 -m 256M -drive file=%s,format=raw,"
                               "if=none,id=x -device virtio-blk-pci,drive=x,"
                               "share-rw=on", path);
    QTestState *other = qtest_init("-M q35 -m 256M -device pcie-root-port,id=rp,"
                                   "chassis=1");

    do_qmp(other, ADD_FILE, path);
    qmp_client_expect_error(qtest_qmp(other), ERR, "Failed to get \"write\" lock",
                            PLUG_ALONE, "f");
    do_qmp(other, PLUG_SHARED, "f");
    /* Two in one process. */
    do_qmp(s, ADD_FILE, path);
    do_qmp(s, DEL, "f");
    qtest_quit(other);
    qtest_quit(s);
    remove_image(path);
}

/* A device that goes leaves the node to one that is not to share it. */
static void test_sharing_ends_with_the_next_device(void)
{
    char *path = make_image();
    QTestState *s = qtest_init("-M q35 -m 256M -device pcie-root-port,id=rp,"
                               "chassis=1");
    QTestState *other = qtest_init("-M q35 -m 256M");

    do_qmp(s, ADD_FILE, path);
    do_qmp(s, "{'execute': 'device_add', 'arguments': {'id': 'd', 'driver': "
           "'virtio-blk-pci', 'drive': '%s', 'bus': 'rp', 'share-rw': true}}",
           "f");
    do_qmp(other, ADD_FILE, path);
    do_qmp(other, DEL, "f");
    do_qmp(s, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", "d");
    do_qmp(s, "{'execute': 'system_reset'}%s", "");
    json_object_unref(qmp_client_event(qtest_qmp(s), "DEVICE_DELETED"));
    do_qmp(s, PLUG_ALONE, "f");
    qmp_client_expect_error(qtest_qmp(other), ERR, "lock", ADD_FILE, path);
    qtest_quit(other);
    qtest_quit(s);
    remove_image(path);
}

/* Whether QEMU's storage daemon opens the image to write to it: then it goes into
 * the background. */
static bool qemu_opens(const char *path)
{
    g_autofree char *blockdev = g_strdup_printf(
        "driver=file,node-name=n,filename=%s", path);
    g_autofree char *socket = g_strconcat(path, ".sock", NULL);
    g_autofree char *pid_file = g_strconcat(path, ".pid", NULL);
    g_autofree char *export = g_strdup_printf(
        "type=vhost-user-blk,id=e,node-name=n,writable=on,addr.type=unix,"
        "addr.path=%s", socket);
    char *argv[] = {
        (char *)"qemu-storage-daemon", (char *)"--daemonize",
        (char *)"--pidfile", pid_file, (char *)"--blockdev", blockdev,
        (char *)"--export", export, NULL
    };
    g_autofree char *said = NULL;
    g_autofree char *pid = NULL;
    g_autoptr(GError) err = NULL;
    int status;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said,
                 &status, &err);
    g_assert_no_error(err);
    if (status) {
        assert_in(said, "lock");
        return false;
    }
    g_assert_true(g_file_get_contents(pid_file, &pid, NULL, NULL));
    g_assert_no_errno(kill(atoi(pid), SIGKILL));
    g_unlink(pid_file);
    g_unlink(socket);
    return true;
}

/* The locks are QEMU's. */
static void test_qemu_goes_by_the_locks(gconstpointer share)
{
    g_autofree char *daemon = g_find_program_in_path("qemu-storage-daemon");
    char *path;
    QTestState *s;

    if (!daemon) {
        g_test_skip("qemu-storage-daemon is not installed");
        return;
    }
    path = make_image();
    s = qtest_init("-M q35 -m 256M -drive file=%s,format=raw,if=none,id=x "
                   "-device virtio-blk-pci,drive=x,share-rw=%s", path,
                   (const char *)share);
    g_assert_cmpint(qemu_opens(path), ==, strcmp(share, "on") == 0);
    qtest_quit(s);
    remove_image(path);
}

/* What the daemon writes to, and shares, a device shares, or does not get. */
static void test_locks_of_qemu_are_minded(void)
{
    g_autofree char *daemon = g_find_program_in_path("qemu-storage-daemon");
    QStorageDaemon *d;
    QTestState *s;

    if (!daemon) {
        g_test_skip("qemu-storage-daemon is not installed");
        return;
    }
    d = qstorage_daemon_new(DISK, 1);
    s = qtest_init("-M q35 -m 256M -device pcie-root-port,id=rp,chassis=1");
    do_qmp(s, ADD_FILE, d->image);
    qmp_client_expect_error(qtest_qmp(s), ERR, "lock", PLUG_ALONE, "f");
    do_qmp(s, PLUG_SHARED, "f");
    qtest_quit(s);
    qstorage_daemon_free(d);
}

/* Properties that no disk can have. */
static void test_bad_properties(void)
{
    static const char *const bad[][2] = {
        { "'max-discard-sectors': 0",
          "max-discard-sectors=0: expected is 1 to 65536" },
        { "'max-write-zeroes-sectors': 65537",
          "max-write-zeroes-sectors=65537: expected is 1 to 65536" },
        { "'queue-size': 3", "queue-size=3: expected is a power of two" },
        { "'num-queues': 0", "num-queues=0: expected is 1 to 1023" },
        { "'logical_block_size': 100", "logical_block_size=100: expected is" },
        { "'min_io_size': 7", "min_io_size=7: expected is a multiple" },
        { "'cyls': 1", "cyls=1, heads=0, secs=0: expected are" },
    };
    char *path = make_image();
    QTestState *s = qtest_init("-M q35 -device pcie-root-port,id=rp "
                               "-drive file=%s,format=raw,if=none,id=x", path);

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(qtest_qmp(s), ERR, bad[i][1],
                                "{'execute': 'device_add', 'arguments': "
                                "{'driver': 'virtio-blk-pci', 'drive': 'x', "
                                "'bus': 'rp', %s}}", bad[i][0]);
    }
    qtest_quit(s);
    g_unlink(path);
    g_free(path);
}

/* --- sizes and figures --- */

static QTestState *start(QGuest *guest, QVirtioBlk *blk, const char *path,
                         const char *drive)
{
    QTestState *s = qtest_init("-M q35 -m 256M -drive file=%s,format=raw,"
                               "if=none,id=x,%s -device virtio-blk-pci,"
                               "drive=x,id=d", path, drive);

    qguest_init(guest, s);
    qvirtio_blk_init(blk, guest, 0);
    return s;
}

static void test_resize_is_told(void)
{
    char *path = make_image();
    QVirtioBlk blk;
    QGuest guest;
    QTestState *s = start(&guest, &blk, path, "readonly=off");
    uint64_t data = qguest_alloc(&guest, 4096, 4096);

    g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, DISK / 512,
                                         data, 512, true, NULL), ==,
                     VIRTIO_BLK_S_IOERR);
    do_qmp(s, "{'execute': 'block_resize', 'arguments': {'device': 'x', "
           "'size': %s}}", "2097152");
    qvirtio_wait_interrupt(&blk.vdev, QVIRTIO_CONFIG_CHANGED);
    g_assert_cmpuint(qvirtio_blk_capacity(&blk), ==, 4096);
    g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, DISK / 512,
                                         data, 512, true, NULL), ==,
                     VIRTIO_BLK_S_OK);
    qmp_client_expect_error(qtest_qmp(s), ERR, "no number", "{'execute': "
                            "'block_resize', 'arguments': {'device': 'x', "
                            "'size': -1}}");
    qmp_client_expect_error(qtest_qmp(s), ERR, "Cannot find", "{'execute': "
                            "'block_resize', 'arguments': {'device': 'y', "
                            "'size': 1}}");
    qtest_quit(s);
    remove_image(path);
}

static void test_queries_tell_what_was_done(void)
{
    char *path = make_image();
    QVirtioBlk blk;
    QGuest guest;
    QTestState *s = start(&guest, &blk, path, "cache=unsafe");
    uint64_t data = qguest_alloc(&guest, 4096, 4096);
    g_autofree char *info = query_one(s, "query-block");
    g_autofree char *stats = NULL;

    assert_in(info, "\"device\":\"x\"");
    assert_in(info, "\"virtual-size\":1048576");
    assert_in(info, "\"no-flush\":true");
    qvirtio_blk_request(&blk, VIRTIO_BLK_T_OUT, 8, data, 4096, false, NULL);
    qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, 8, data, 1024, true, NULL);
    qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, 0, data, 512, true, NULL);
    qvirtio_blk_request(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false, NULL);
    qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, 99999, data, 512, true, NULL);
    stats = query_one(s, "query-blockstats");
    assert_in(stats, "\"rd_operations\":2");
    assert_in(stats, "\"rd_bytes\":1536");
    assert_in(stats, "\"invalid_rd_operations\":1");
    assert_in(stats, "\"wr_operations\":1");
    assert_in(stats, "\"wr_bytes\":4096");
    assert_in(stats, "\"flush_operations\":1");
    assert_in(stats, "\"wr_highest_offset\":8192");
    qtest_quit(s);
    remove_image(path);
}

/* --- when the host fails --- */

/* An image that from now on cannot be written to. */
static void fail_writes(int fd)
{
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), ==, 0);
}

static QTestState *start_failing(QGuest *guest, QVirtioBlk *blk,
                                 const char *werror)
{
    int fd = memfd_create("disk", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", getpid(), fd);
    g_autofree char *drive = g_strconcat("werror=", werror, NULL);
    QTestState *s;

    g_assert_cmpint(ftruncate(fd, DISK), ==, 0);
    s = start(guest, blk, path, drive);
    fail_writes(fd);
    close(fd);
    return s;
}

static void assert_io_error(QTestState *s, const char *action)
{
    JsonObject *event = qmp_client_event(qtest_qmp(s), "BLOCK_IO_ERROR");
    JsonObject *data = json_object_get_object_member(event, "data");

    g_assert_cmpstr(json_object_get_string_member(data, "device"), ==, "x");
    g_assert_cmpstr(json_object_get_string_member(data, "operation"), ==,
                    "write");
    g_assert_cmpstr(json_object_get_string_member(data, "action"), ==, action);
    json_object_unref(event);
}

static void test_error_is_reported_or_ignored(void)
{
    static const char *const policies[] = { "report", "enospc", "ignore" };

    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        bool ignored = strcmp(policies[i], "ignore") == 0;
        QVirtioBlk blk;
        QGuest guest;
        QTestState *s = start_failing(&guest, &blk, policies[i]);
        uint64_t data = qguest_alloc(&guest, 512, 512);

        g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_OUT, 0, data,
                                             512, false, NULL), ==,
                         ignored ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
        assert_io_error(s, ignored ? "ignore" : "report");
        g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, 0, data,
                                             512, true, NULL), ==,
                         VIRTIO_BLK_S_OK);
        qtest_quit(s);
    }
}

/* The request stays the device's; it is tried again, and a reset ends it. */
static void test_error_stops_the_vm(void)
{
    QVirtioBlk blk;
    QGuest guest;
    QTestState *s = start_failing(&guest, &blk, "stop");
    uint64_t data = qguest_alloc(&guest, 512, 512);
    g_autofree char *info = NULL;

    qvirtio_blk_add(&blk, VIRTIO_BLK_T_OUT, 0, data, 512, false);
    qvirtqueue_kick(&blk.vq);
    for (int i = 0; i < 3; i++) {
        assert_io_error(s, "stop");
        json_object_unref(qmp_client_event(qtest_qmp(s), "STOP"));
        g_assert_false(qvirtqueue_has_used(&blk.vq));
        g_clear_pointer(&info, g_free);
        info = query_one(s, "query-block");
        assert_in(info, "\"io-status\":\"failed\"");
        if (i < 2) {
            do_qmp(s, "{'execute': 'cont'}%s", "");
        }
    }
    do_qmp(s, "{'execute': 'system_reset'}%s", "");
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    do_qmp(s, "{'execute': 'cont'}%s", "");
    qvirtio_blk_init(&blk, &guest, 0);
    g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_IN, 0, data, 512,
                                         true, NULL), ==, VIRTIO_BLK_S_OK);
    qtest_quit(s);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/blockdev/bad-properties", test_bad_properties);
    g_test_add_func("/blockdev/nodes", test_nodes_come_and_go);
    g_test_add_func("/blockdev/bad", test_what_a_node_cannot_be);
    g_test_add_func("/blockdev/levels", test_levels_have_a_limit);
    g_test_add_func("/blockdev/fdset", test_file_that_is_open_already);
    g_test_add_func("/blockdev/locks", test_no_image_is_opened_twice);
    g_test_add_func("/blockdev/share", test_an_image_is_shared_on_purpose);
    g_test_add_func("/blockdev/share-ends", test_sharing_ends_with_the_next_device);
    g_test_add_data_func("/blockdev/qemu/alone", "off",
                         test_qemu_goes_by_the_locks);
    g_test_add_data_func("/blockdev/qemu/shared", "on",
                         test_qemu_goes_by_the_locks);
    g_test_add_func("/blockdev/qemu/before", test_locks_of_qemu_are_minded);
    g_test_add_func("/blockdev/resize", test_resize_is_told);
    g_test_add_func("/blockdev/queries", test_queries_tell_what_was_done);
    g_test_add_func("/blockdev/error/report",
                    test_error_is_reported_or_ignored);
    g_test_add_func("/blockdev/error/stop", test_error_stops_the_vm);
    return g_test_run();
}
