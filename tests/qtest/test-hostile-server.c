/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server that means harm: it cuts files that are mapped, and
 * signals without end. The VM goes on, and says what has happened.
 */
#include <glib/gstdio.h>
#include <linux/vfio.h>
#include <string.h>
#include <unistd.h>

#include "coordination.h"

#define FILE_BACKED \
    " -m 64M,maxmem=2G -object memory-backend-file,id=boot,size=64M," \
    "mem-path=/dev/shm,share=on -machine memory-backend=boot "
#define MEMFD_BACKED \
    " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M " \
    "-machine memory-backend=boot "

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

#define ADD(name, options, fn) \
    g_test_add("/hostile-server/" name, Fixture, options, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("bar-is-cut", MEMFD_BACKED, test_bar_is_cut);
    ADD("ram-is-cut", FILE_BACKED, test_ram_is_cut);
    ADD("dump-of-cut-ram-fails", FILE_BACKED, test_dump_of_cut_ram_fails);
    ADD("sealed-ram-cannot-be-cut", MEMFD_BACKED,
        test_sealed_ram_cannot_be_cut);
    return g_test_run();
}
