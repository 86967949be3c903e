/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server that means harm: it cuts files that are mapped, and
 * signals without end, is silent or slow. The VM goes on, and says what has
 * happened.
 */
#include <glib/gstdio.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coordination.h"
#include "tests/patience.h"

#define FILE_BACKED \
    " -m 64M,maxmem=2G -object memory-backend-file,id=boot,size=64M," \
    "mem-path=/dev/shm,share=on -machine memory-backend=boot "
#define MEMFD_BACKED \
    " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M " \
    "-machine memory-backend=boot "

/* How long a server may be silent that is to be given up. */
#define LIMIT_MS ((unsigned)(patience_us() / 1000 / 12))

typedef struct Fixture {
    Coordination c;
    QVFIOUser *dev;
    QmpClient *qmp;
    char *messages;
} Fixture;

static void setup(Fixture *f, const void *options)
{
    f->messages = qtest_begin_messages();
    coordination_start(&f->c, 0, 1, "", "%s", (const char *)options);
    qtest_end_messages();
    f->dev = &f->c.dev[0];
    f->qmp = qtest_qmp(f->c.qts);
}

static void teardown(Fixture *f, const void *options)
{
    coordination_stop(&f->c);
    g_unlink(f->messages);
    g_free(f->messages);
}

static void expect_broken_device(Fixture *f)
{
    g_autoptr(JsonObject) event = qmp_client_event(f->qmp, "DEVICE_BROKEN");
    JsonObject *data = json_object_get_object_member(event, "data");

    g_assert_cmpstr(json_object_get_string_member(data, "device"), ==, "dev0");
    g_assert_nonnull(strstr(json_object_get_string_member(data, "reason"),
                            "somebody has cut its file short"));
    g_assert_cmphex(qvfio_user_readl(f->dev, TESTDEV_REG_ID), ==, UINT32_MAX);
    qmp_client_check_alive(f->qmp);
}

static void test_bar_is_cut(Fixture *f, const void *options)
{
    uint64_t bar2 = qpci_map_bar(&f->dev->pci, 2);
    uint64_t mapped = bar2 + TESTDEV_BAR2_MMAP_OFFSET;

    qtest_writel(f->c.qts, mapped, 0x12345678);
    qvfio_user_writel(f->dev, TESTDEV_REG_ARM, TESTDEV_FAULT_CUT_BAR);
    qtest_readl(f->c.qts, mapped);
    expect_broken_device(f);
    /* Nothing of it is reached any more, mapped or not. */
    g_assert_cmphex(qtest_readl(f->c.qts, mapped), ==, UINT32_MAX);
    g_assert_cmphex(qtest_readl(f->c.qts, bar2), ==, UINT32_MAX);
    g_assert_cmpuint(qtest_count_messages(f->messages, "memory of a region is "
                                          "gone"), ==, 1);
}

/* Whose pages come from somewhere that need not answer. */
static void test_bar_of_a_foreign_file(void)
{
    g_autofree char *messages = qtest_begin_messages();
    Coordination c;
    uint64_t bar2;

    coordination_start(&c, 0, 1, "--bar2-file=/dev/zero", "%s", MEMFD_BACKED);
    qtest_end_messages();
    g_assert_cmpuint(qtest_count_messages(messages, "the file of region 2 is not "
                                          "mapped"), ==, 1);
    bar2 = qpci_map_bar(&c.dev[0].pci, 2) + TESTDEV_BAR2_MMAP_OFFSET;
    qtest_writel(c.qts, bar2, 0x12345678);
    g_assert_cmphex(qtest_readl(c.qts, bar2), ==, 0x12345678);
    coordination_stop(&c);
    g_unlink(messages);
}

static void test_ram_is_cut(Fixture *f, const void *options)
{
    g_autoptr(JsonObject) event = NULL;
    JsonObject *data;

    g_assert_cmpuint(qtest_count_messages(f->messages, "'boot' is given to "
                                          "another process"), ==, 1);
    qtest_memset(f->c.qts, 32 * MiB, 0xaa, 4096);
    qvfio_user_writel(f->dev, TESTDEV_REG_ARM, TESTDEV_FAULT_CUT_RAM);
    g_assert_cmpuint(qvfio_user_readl(f->dev, TESTDEV_REG_STATUS), ==,
                     TESTDEV_DONE);
    g_assert_cmphex(qtest_readl(f->c.qts, 32 * MiB), ==, 0);
    event = qmp_client_event(f->qmp, "MEMORY_BACKEND_BROKEN");
    data = json_object_get_object_member(event, "data");
    g_assert_cmpstr(json_object_get_string_member(data, "id"), ==, "boot");
    qtest_memset(f->c.qts, 0, 0x55, 64 * 1024);
    g_assert_cmphex(qtest_readl(f->c.qts, 4096), ==, 0x55555555);
    g_assert_cmpuint(qtest_count_messages(f->messages, "memory 'boot' is "
                                          "broken"), ==, 1);
    qmp_client_check_alive(f->qmp);
}

static void test_dump_of_cut_ram_fails(Fixture *f, const void *options)
{
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), "cut.XXXXXX",
                                             NULL);
    int fd = g_mkstemp(file);

    qvfio_user_writel(f->dev, TESTDEV_REG_ARM, TESTDEV_FAULT_CUT_RAM);
    qmp_client_expect_error(f->qmp, "GenericError", "somebody has cut its file "
                            "short", "{'execute': 'dump-guest-memory', "
                            "'arguments': {'paging': false, 'protocol': "
                            "'file:%s'}}", file);
    qmp_client_check_alive(f->qmp);
    close(fd);
    g_unlink(file);
}

static void test_sealed_ram_cannot_be_cut(Fixture *f, const void *options)
{
    g_assert_cmpuint(qtest_count_messages(f->messages, "is given to another "
                                          "process"), ==, 0);
    qtest_memset(f->c.qts, 32 * MiB, 0xaa, 4096);
    qvfio_user_writel(f->dev, TESTDEV_REG_ARM, TESTDEV_FAULT_CUT_RAM);
    g_assert_cmpuint(qvfio_user_readl(f->dev, TESTDEV_REG_STATUS), ==,
                     TESTDEV_FAILED);
    g_assert_cmphex(qtest_readl(f->c.qts, 32 * MiB), ==, 0xaaaaaaaa);
}

/* --- time ----------------------------------------------------------------- */

/* A socket on which connections are made and nobody takes them. */
static int listen_and_do_nothing(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(fd, 5), ==, 0);
    return fd;
}

/* Who adds a device waits for its server; others do not. */
static void test_silent_server_holds_only_who_asked(void)
{
    g_autofree char *dir = g_dir_make_tmp("silent-XXXXXX", NULL);
    g_autofree char *server = g_build_filename(dir, "server", NULL);
    g_autofree char *monitor = g_build_filename(dir, "qmp", NULL);
    int fd = listen_and_do_nothing(server);
    QTestState *s = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0 "
                               "-qmp unix:%s,server=on,wait=off", monitor);
    QmpClient *other = qmp_client_connect(monitor);
    unsigned limit_ms = LIMIT_MS;
    g_autofree char *add = g_strdup_printf(
        "{\"execute\": \"device_add\", \"arguments\": {\"driver\": "
        "\"vfio-user-pci\", \"bus\": \"rp0\", \"id\": \"u0\", \"socket\": "
        "\"%s\", \"x-msg-timeout\": %u}}", server, limit_ms);
    g_autoptr(JsonObject) reply = NULL;
    gint64 begun;
    unsigned n = 0;

    qmp_client_handshake(other);
    begun = g_get_monotonic_time();
    qmp_client_send(qtest_qmp(s), add);
    /* Within that time there are many answers, not one at its end. */
    while (g_get_monotonic_time() - begun < limit_ms * 500) {
        qmp_client_check_alive(other);
        n++;
    }
    g_assert_cmpuint(n, >, 10);
    reply = qmp_client_reply(qtest_qmp(s));
    qmp_assert_error(reply, "GenericError", "has not answered VERSION");
    qmp_client_free(other);
    qtest_quit(s);
    close(fd);
    g_unlink(server);
    g_unlink(monitor);
    g_rmdir(dir);
}

/* Nor does the end of the emulator, which no time-out of ten minutes holds up. */
static void test_silent_server_does_not_hold_the_end(void)
{
    g_autofree char *dir = g_dir_make_tmp("silent-XXXXXX", NULL);
    g_autofree char *server = g_build_filename(dir, "server", NULL);
    int fd = listen_and_do_nothing(server), peer;
    QTestState *s = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0");
    g_autofree char *add = g_strdup_printf(
        "{\"execute\": \"device_add\", \"arguments\": {\"driver\": "
        "\"vfio-user-pci\", \"bus\": \"rp0\", \"id\": \"u0\", \"socket\": "
        "\"%s\", \"x-msg-timeout\": 600000}}", server);

    qmp_client_send(qtest_qmp(s), add);
    peer = accept(fd, NULL, NULL);
    g_assert_cmpint(peer, >=, 0);
    qtest_quit(s);
    close(peer);
    close(fd);
    g_unlink(server);
    g_rmdir(dir);
}

/* Nobody has the connection of a device that was not to be. */
static void test_device_without_a_place_disconnects(void)
{
    QVFIOUserServer *server = qvfio_user_server_new("%s", "");
    QTestState *s = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0");

    qmp_client_expect_error(
        qtest_qmp(s), "GenericError", "Duplicate ID 'rp0'",
        "{'execute': 'device_add', 'arguments': {'driver': 'vfio-user-pci', "
        "'bus': 'rp0', 'id': 'rp0', 'socket': '%s'}}", server->socket);
    qvfio_user_server_wait_disconnect(server);
    qtest_quit(s);
    qvfio_user_server_free(server);
}

static void setup_impatient(Fixture *f, const void *options)
{
    g_autofree char *all = g_strdup_printf(
        "%s -global vfio-user-pci.x-msg-timeout=%u", (const char *)options,
        LIMIT_MS);

    setup(f, all);
}

static void test_slow_accesses_end_the_device(Fixture *f, const void *options)
{
    g_autoptr(JsonObject) event = NULL;

    qvfio_user_arm(f->dev, TESTDEV_FAULT_SLOW, 0, LIMIT_MS / 4);
    for (unsigned i = 0; i < 10; i++) {
        qvfio_user_readl(f->dev, TESTDEV_REG_ID);
    }
    event = qmp_client_event(f->qmp, "DEVICE_BROKEN");
    g_assert_cmphex(qvfio_user_readl(f->dev, TESTDEV_REG_ID), ==, UINT32_MAX);
    g_assert_cmpuint(qtest_count_messages(f->messages, "the peer is too slow"),
                     ==, 1);
}

/* --- noise ---------------------------------------------------------------- */

/* VFIO_PCI_ERR_IRQ_INDEX again and again: it is told once, then counted. */
static void test_error_interrupts_are_counted(Fixture *f, const void *options)
{
    for (unsigned i = 0; i < 500; i++) {
        qvfio_user_writel(f->dev, TESTDEV_REG_TRIGGER,
                          VFIO_PCI_ERR_IRQ_INDEX << 16);
    }
    qtest_wait_message(f->messages, "(10 times by now)");
    qmp_client_check_alive(f->qmp);
    g_assert_cmpuint(qtest_count_messages(f->messages, "cannot recover from"),
                     <=, 3);
}

#define ADD(name, options, fn) \
    g_test_add("/hostile-server/" name, Fixture, options, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("bar-is-cut", MEMFD_BACKED, test_bar_is_cut);
    g_test_add_func("/hostile-server/bar-of-a-foreign-file",
                    test_bar_of_a_foreign_file);
    ADD("ram-is-cut", FILE_BACKED, test_ram_is_cut);
    ADD("dump-of-cut-ram-fails", FILE_BACKED, test_dump_of_cut_ram_fails);
    ADD("sealed-ram-cannot-be-cut", MEMFD_BACKED,
        test_sealed_ram_cannot_be_cut);
    g_test_add_func("/hostile-server/silent-one-holds-only-who-asked",
                    test_silent_server_holds_only_who_asked);
    g_test_add_func("/hostile-server/silent-one-does-not-hold-the-end",
                    test_silent_server_does_not_hold_the_end);
    g_test_add_func("/hostile-server/device-without-a-place-disconnects",
                    test_device_without_a_place_disconnects);
    g_test_add("/hostile-server/slow-accesses-end-the-device", Fixture,
               MEMFD_BACKED, setup_impatient,
               test_slow_accesses_end_the_device, teardown);
    ADD("error-interrupts-are-counted", MEMFD_BACKED,
        test_error_interrupts_are_counted);
    return g_test_run();
}
