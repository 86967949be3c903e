/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-rng: what its sources have reaches the driver's buffers, no more than
 * the limit allows, and a source that has nothing yet, or fails, holds up
 * nobody. /dev/zero and a terminal serve as sources that can be foretold.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "virtio-pci.h"

#define ROOM 64
#define MOST 4096                         /* that one buffer gets */
#define MS 1000000LL
#define PORT_VENDOR 0x1b36                /* pcie-root-port */
#define PORT_DEVICE 0x000c
#define RNG " -device virtio-rng-pci,id=rng0"

#define IOTHREAD "-object iothread,id=io0 -global virtio-rng-device.iothread=io0"

static const char *extra = "";            /* options of all that are started */

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue vq;
    uint64_t room;                        /* guest RAM, 2 * MOST bytes */
} Fixture;

/* As firmware does: what is behind port rp0, if there is one, is bus 1, and it
 * hears of all that is beyond 4 GiB, where BARs are. */
static void open_port(Fixture *f)
{
    int devfn = qpci_find(f->qts, PORT_VENDOR, PORT_DEVICE, 0);

    if (devfn >= 0) {
        qpci_config_writeb(f->qts, devfn, PCI_SECONDARY_BUS, 1);
        qpci_config_writeb(f->qts, devfn, PCI_SUBORDINATE_BUS, 1);
        qpci_config_writel(f->qts, devfn, PCI_PREF_BASE_UPPER32, 1);
        qpci_config_writel(f->qts, devfn, PCI_PREF_LIMIT_UPPER32, UINT32_MAX);
        qpci_config_writel(f->qts, devfn, PCI_PREF_MEMORY_BASE, 0xfff00000);
        qpci_config_writew(f->qts, devfn, PCI_COMMAND,
                           PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    }
}

static void start(Fixture *f, const char *options)
{
    f->qts = qtest_init("-M q35 -m 64M %s %s", extra, options);
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    open_port(f);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_RNG, 0);
    qvirtio_start(&f->dev, 0);
    qvirtqueue_init(&f->vq, &f->dev, 0, 0);
    qvirtio_driver_ok(&f->dev);
    f->room = qguest_alloc(&f->guest, 2 * MOST, MOST);
}

static void ask(Fixture *f, uint32_t len)
{
    const QVirtioBuffer buf = { f->room, len, true };

    qtest_memset(f->qts, f->room, 0xaa, 2 * MOST);
    qvirtqueue_add(&f->vq, &buf, 1);
    qvirtqueue_kick(&f->vq);
}

/* How many of @len bytes the driver is given; puts them into @bytes. */
static uint32_t get(Fixture *f, uint32_t len, uint8_t *bytes)
{
    uint32_t got;

    ask(f, len);
    qvirtqueue_wait(&f->vq, &got);
    qtest_memread(f->qts, f->room, bytes, len);
    return got;
}

/* --- sources -------------------------------------------------------------- */

/* @data: options of a source that is random. */
static void test_bytes_are_random(const void *data)
{
    uint8_t first[ROOM], second[ROOM];
    Fixture f;

    start(&f, data);
    g_assert_cmpuint(get(&f, ROOM, first), ==, ROOM);
    g_assert_cmpuint(get(&f, ROOM, second), ==, ROOM);
    g_assert_cmpint(memcmp(first, second, ROOM), !=, 0);
    for (unsigned i = 0; i + 8 <= ROOM; i += 8) {
        static const uint8_t untouched[] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                                             0xaa, 0xaa };

        g_assert_cmpint(memcmp(first + i, untouched, 8), !=, 0);
    }
    qtest_quit(f.qts);
}

static void test_device_is_read(void)
{
    static const uint8_t zeros[MOST];
    uint8_t bytes[2 * MOST];
    Fixture f;

    start(&f, "-object rng-random,id=src,filename=/dev/zero" RNG ",rng=src");
    g_assert_cmpuint(get(&f, 2 * MOST, bytes), ==, MOST);
    g_assert_cmpmem(bytes, MOST, zeros, MOST);
    g_assert_cmphex(bytes[MOST], ==, 0xaa);
    qtest_quit(f.qts);
}

/* A source without end must not keep the emulator from anything else. */
static void test_full_ring_is_served(void)
{
    const QVirtioBuffer buf = { 32 << 20, 1 << 20, true };
    Fixture f;

    start(&f, RNG);
    for (unsigned i = 0; i < f.vq.size; i++) {
        qvirtqueue_add(&f.vq, &buf, 1);
    }
    qvirtqueue_kick(&f.vq);
    for (unsigned i = 0; i < f.vq.size; i++) {
        uint32_t got;

        qvirtqueue_wait(&f.vq, &got);
        g_assert_cmpuint(got, ==, MOST);
    }
    qtest_quit(f.qts);
}

/* The near end of a terminal whose far end is the source; @path: its name. */
static int open_source(char **path)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(grantpt(fd));
    g_assert_no_errno(unlockpt(fd));
    *path = g_strdup(ptsname(fd));
    g_assert_no_errno(tcgetattr(fd, &raw));
    cfmakeraw(&raw);
    g_assert_no_errno(tcsetattr(fd, TCSANOW, &raw));
    return fd;
}

static void start_with_source(Fixture *f, int *fd, const char *more)
{
    g_autofree char *path = NULL, *options = NULL;

    *fd = open_source(&path);
    options = g_strdup_printf("-object rng-random,id=src,filename=%s "
                              "-device pcie-root-port,id=rp0 " RNG
                              ",rng=src%s", path, more);
    start(f, options);
}

static void test_source_that_is_slow(void)
{
    uint8_t bytes[5];
    uint32_t got;
    Fixture f;
    int fd;

    start_with_source(&f, &fd, "");
    for (unsigned i = 0; i < 2; i++) {
        ask(&f, ROOM);
        qmp_client_check_alive(f.qmp);
        g_assert_false(qvirtqueue_has_used(&f.vq));
        g_assert_cmpint(write(fd, "dice5", 5), ==, 5);
        qvirtqueue_wait(&f.vq, &got);
        g_assert_cmpuint(got, ==, 5);
        qtest_memread(f.qts, f.room, bytes, 5);
        g_assert_cmpmem(bytes, 5, "dice5", 5);
    }
    qtest_quit(f.qts);
    close(fd);
}

static void test_stopped_vm_gets_nothing(void)
{
    uint32_t got;
    Fixture f;
    int fd;

    start_with_source(&f, &fd, "");
    ask(&f, ROOM);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'stop'}"));
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    for (unsigned i = 0; i < 10; i++) {
        qmp_client_check_alive(f.qmp);
    }
    g_assert_false(qvirtqueue_has_used(&f.vq));
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'cont'}"));
    qvirtqueue_wait(&f.vq, &got);
    g_assert_cmpuint(got, ==, 1);
    qtest_quit(f.qts);
    close(fd);
}

/* The source goes, the device stays, and both end well. */
static void test_end_while_it_waits(void)
{
    Fixture f;
    int fd;

    start_with_source(&f, &fd, "");
    ask(&f, ROOM);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'src'}}"));
    close(fd);
    qmp_client_check_alive(f.qmp);
    qtest_quit(f.qts);
}

/* The device leaves, and the source must have forgotten it. */
static void test_removed_while_it_waits(void)
{
    Fixture f;
    int fd;

    start_with_source(&f, &fd, ",vectors=0,bus=rp0");
    ask(&f, ROOM);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'device_del', "
                                  "'arguments': {'id': 'rng0'}}"));
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(f.qmp, "DEVICE_DELETED"));
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    qmp_client_check_alive(f.qmp);
    json_node_unref(qmp_client_do(f.qmp, "{'execute': 'object-del', "
                                  "'arguments': {'id': 'src'}}"));
    qtest_quit(f.qts);
    close(fd);
}

/* Told once, and the driver may try again. */
static void test_source_that_fails(void)
{
    g_autofree char *messages = qtest_begin_messages(), *text = NULL;
    Fixture f;

    start(&f, "-object rng-random,id=src,filename=/dev/null" RNG ",rng=src");
    qtest_end_messages();
    for (unsigned i = 0; i < 3; i++) {
        ask(&f, ROOM);
        qmp_client_check_alive(f.qmp);
        g_assert_false(qvirtqueue_has_used(&f.vq));
    }
    qtest_wait_message(messages, "the source of random bytes has failed");
    qtest_quit(f.qts);
    g_assert_true(g_file_get_contents(messages, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "the source of random bytes has failed"));
    g_assert_null(strstr(strstr(text, "has failed") + 1, "has failed: "));
    g_unlink(messages);
}

/* --- the limit ------------------------------------------------------------ */

static void test_limit(void)
{
    uint8_t bytes[ROOM];
    uint32_t got;
    Fixture f;

    if (!qtest_has_clock()) {
        g_test_skip("the emulator has no qtest clock");
        return;
    }
    start(&f, RNG ",max-bytes=40,period=1000");
    for (unsigned period = 0; period < 3; period++) {
        g_assert_cmpuint(get(&f, 30, bytes), ==, 30);
        g_assert_cmpuint(get(&f, 30, bytes), ==, 10);
        ask(&f, ROOM);
        qtest_clock_step(f.qts, 999 * MS);
        g_assert_false(qvirtqueue_has_used(&f.vq));
        qtest_clock_step(f.qts, MS);
        qvirtqueue_wait(&f.vq, &got);
        g_assert_cmpuint(got, ==, 40);
        qtest_clock_step(f.qts, 1000 * MS);
    }
    qtest_quit(f.qts);
}

/* --- bad input ------------------------------------------------------------ */

static void expect(QmpClient *qmp, const char *part, const char *command)
{
    qmp_client_expect_error(qmp, "GenericError", part, "%s", command);
}

static void test_bad_input(void)
{
    g_autofree char *dir = g_dir_make_tmp("rng-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
    g_autofree char *file = g_build_filename(dir, "file", NULL);
    const char *const names[] = { dir, fifo, file, "/nowhere/at/all" };
    QTestState *qts = qtest_init("-M q35 -device pcie-root-port,id=rp0");
    QmpClient *qmp = qtest_qmp(qts);

    g_assert_no_errno(mkfifo(fifo, 0600));
    g_assert_true(g_file_set_contents(file, "4", 1, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        qmp_client_expect_error(qmp, "GenericError", names[i],
                                "{'execute': 'object-add', 'arguments': "
                                "{'qom-type': 'rng-random', 'id': 'src', "
                                "'filename': '%s'}}", names[i]);
    }
    expect(qmp, "'max-bytes' is 0", "{'execute': 'device_add', 'arguments': "
           "{'driver': 'virtio-rng-pci', 'bus': 'rp0', 'max-bytes': 0}}");
    expect(qmp, "'max-bytes' is 9223372036854775808", "{'execute': "
           "'device_add', 'arguments': {'driver': 'virtio-rng-pci', "
           "'bus': 'rp0', 'max-bytes': '9223372036854775808'}}");
    expect(qmp, "'period' is 0", "{'execute': 'device_add', 'arguments': "
           "{'driver': 'virtio-rng-pci', 'bus': 'rp0', 'period': 0}}");
    qmp_client_expect_error(qmp, "DeviceNotFound", "nosuch",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-rng-pci', 'bus': 'rp0', 'rng': 'nosuch'}}");
    json_node_unref(qmp_client_do(qmp, "{'execute': 'device_add', 'arguments': "
                                  "{'driver': 'virtio-rng-pci', "
                                  "'bus': 'rp0'}}"));
    qtest_quit(qts);
    g_unlink(fifo);
    g_unlink(file);
    g_rmdir(dir);
}

typedef struct Case {
    const char *path;
    void (*fn)(void);
} Case;

/* @test: a Case; the same with the queue in an I/O thread. */
static void in_io_thread(const void *test)
{
    const Case *c = test;

    extra = IOTHREAD;
    c->fn();
    extra = "";
}

int main(int argc, char **argv)
{
    static const Case in_io_threads[] = {
        { "/virtio-rng/iothread/device-is-read", test_device_is_read },
        { "/virtio-rng/iothread/full-ring-is-served", test_full_ring_is_served },
        { "/virtio-rng/iothread/source-that-is-slow", test_source_that_is_slow },
        { "/virtio-rng/iothread/stopped-vm-gets-nothing",
          test_stopped_vm_gets_nothing },
        { "/virtio-rng/iothread/end-while-it-waits", test_end_while_it_waits },
        { "/virtio-rng/iothread/removed-while-it-waits",
          test_removed_while_it_waits },
        { "/virtio-rng/iothread/source-that-fails", test_source_that_fails },
    };

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_data_func("/virtio-rng/random/default", RNG,
                         test_bytes_are_random);
    g_test_add_data_func("/virtio-rng/random/builtin",
                         "-object rng-builtin,id=src" RNG ",rng=src",
                         test_bytes_are_random);
    g_test_add_data_func("/virtio-rng/random/device",
                         "-object rng-random,id=src" RNG ",rng=src",
                         test_bytes_are_random);
    g_test_add_data_func("/virtio-rng/random/vcpu-thread", RNG ",ioeventfd=off",
                         test_bytes_are_random);
    g_test_add_func("/virtio-rng/device-is-read", test_device_is_read);
    g_test_add_func("/virtio-rng/full-ring-is-served", test_full_ring_is_served);
    g_test_add_func("/virtio-rng/source-that-is-slow", test_source_that_is_slow);
    g_test_add_func("/virtio-rng/stopped-vm-gets-nothing",
                    test_stopped_vm_gets_nothing);
    g_test_add_func("/virtio-rng/removed-while-it-waits",
                    test_removed_while_it_waits);
    g_test_add_func("/virtio-rng/end-while-it-waits", test_end_while_it_waits);
    g_test_add_func("/virtio-rng/source-that-fails", test_source_that_fails);
    g_test_add_func("/virtio-rng/limit", test_limit);
    g_test_add_func("/virtio-rng/bad-input", test_bad_input);
    for (unsigned i = 0; i < G_N_ELEMENTS(in_io_threads); i++) {
        g_test_add_data_func(in_io_threads[i].path, &in_io_threads[i],
                             in_io_thread);
    }
    return g_test_run();
}
