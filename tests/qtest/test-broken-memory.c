/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory backend whose file another process has cut short: the guest keeps
 * what it has, but no more of it is plugged.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define NR_PLUGGED 4

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioMem vmem;
    uint64_t addr;
    char *path;
    int fd;
    char *messages;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    struct virtio_mem_config config;

    f->fd = g_file_open_tmp("memory-XXXXXX", &f->path, NULL);
    f->messages = qtest_begin_messages();
    f->qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G "
        "-object memory-backend-file,id=mem0,size=256M,share=on,mem-path=%s "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M", f->path);
    qtest_end_messages();
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &config);
    f->addr = config.addr;
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->addr, NR_PLUGGED), ==,
                     VIRTIO_MEM_RESP_ACK);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    close(f->fd);
    g_unlink(f->path);
    g_free(f->path);
    g_unlink(f->messages);
    g_free(f->messages);
}

/* And the emulator finds out. */
static void cut(Fixture *f)
{
    g_assert_no_errno(ftruncate(f->fd, BLOCK));
    g_assert_cmphex(qtest_readl(f->qts, f->addr + 2 * BLOCK), ==, 0);
    json_object_unref(qmp_client_event(qtest_qmp(f->qts),
                                       "MEMORY_BACKEND_BROKEN"));
}

static void test_no_more_is_plugged(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    JsonObject *refusal;

    cut(f);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(qvirtio_mem_plug(&f->vmem,
                                          f->addr + NR_PLUGGED * BLOCK, 3), ==,
                         VIRTIO_MEM_RESP_BUSY);
    }
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, NR_PLUGGED * BLOCK);
    event = qmp_client_event(qtest_qmp(f->qts), "RAM_DISCARD_REFUSED");
    refusal = json_object_get_object_member(event, "data");
    g_assert_cmpstr(json_object_get_string_member(refusal, "kind"), ==,
                    "backend");
    g_assert_nonnull(strstr(json_object_get_string_member(refusal, "reason"),
                            "is broken: somebody has cut its file short"));
}

static void test_what_is_plugged_stays_and_goes(Fixture *f, const void *data)
{
    qtest_writel(f->qts, f->addr + 16, 0x12345678);
    cut(f);
    g_assert_cmphex(qtest_readl(f->qts, f->addr + 16), ==, 0x12345678);
    qtest_writel(f->qts, f->addr + 3 * BLOCK, 0x87654321);
    g_assert_cmphex(qtest_readl(f->qts, f->addr + 3 * BLOCK), ==, 0x87654321);
    g_assert_cmpuint(qvirtio_mem_unplug(&f->vmem, f->addr, NR_PLUGGED), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, f->addr, 1), ==,
                     VIRTIO_MEM_RESP_BUSY);
}

#define ADD(name, fn) \
    g_test_add("/broken-memory/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("no-more-is-plugged", test_no_more_is_plugged);
    ADD("what-is-plugged-stays-and-goes", test_what_is_plugged_stays_and_goes);
    return g_test_run();
}
