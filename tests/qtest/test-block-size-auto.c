/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block-size=auto of virtio-mem, beside a vfio-user device with a mapping limit
 * and without: whichever comes first, and however many there are, what starts
 * can be plugged to the last block.
 */
#include "coordination.h"
#include "qemu/units.h"

#define MAX_MEMS 4

/* A server that is asked for ten thousands of mappings may be busy. */
#define DEVICE "vfio-user-pci,id=dev0"

static const struct Limit {
    unsigned mappings;                    /* of the server */
    uint64_t size;                        /* of a device, large for it */
} limits[] = {
    { 10, 256 * MiB },
    { 1000, 64 * GiB },
    { 65535, 1 * TiB },
};

typedef struct Guest {
    QTestState *qts;
    QVFIOUserServer *server;              /* NULL: none */
    QGuest guest;
    unsigned nr_mems;
} Guest;

static void G_GNUC_PRINTF(3, 4) start(Guest *g, QVFIOUserServer *server,
                                      const char *fmt, ...)
{
    g_autofree char *options = NULL;
    va_list ap;

    va_start(ap, fmt);
    options = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    *g = (Guest) { .server = server };
    g->qts = qtest_init("-M q35 -m 64M,maxmem=8T,slots=8 %s %s",
                        qvfio_user_patience(), options);
}

static void stop(Guest *g)
{
    qtest_quit(g->qts);
    if (g->server) {
        qvfio_user_server_wait_disconnect(g->server);
        qvfio_user_server_free(g->server);
    }
}

static uint64_t block_size(Guest *g, unsigned n)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/vm%u", n);

    return qtest_qom_get_uint(g->qts, path, "block-size");
}

/* Options for @n devices of @size each. */
static char *mems(unsigned n, uint64_t size, const char *block_size)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(
            s, " -object memory-backend-ram,id=mem%u,size=%" PRIu64
            ",reserve=off -device virtio-mem-pci,id=vm%u,memdev=mem%u,"
            "requested-size=%" PRIu64 "%s", i, size, i, i, size, block_size);
    }
    return g_string_free(s, FALSE);
}

/* Plugs all blocks of all @n devices; the server must have taken them all. */
static void plug_everything(Guest *g, unsigned n, unsigned limit)
{
    struct virtio_mem_config config;
    QVirtioMem vmem;
    uint64_t blocks = 0;

    qguest_init(&g->guest, g->qts);
    for (unsigned i = 0; i < n; i++) {
        qvirtio_mem_init(&vmem, &g->guest, i);
        qvirtio_mem_config(&vmem, &config);
        assert_ack(qvirtio_mem_plug(&vmem, config.addr, config.region_size /
                                                        config.block_size));
        qvirtio_mem_config(&vmem, &config);
        g_assert_cmpuint(config.plugged_size, ==, config.region_size);
        blocks += config.region_size / config.block_size;
    }
    qvfio_user_server_update(g->server);
    g_assert_cmpuint(g->server->refusals, ==, 0);
    g_assert_cmpuint(g_tree_nnodes(g->server->mappings), >, blocks);
    g_assert_cmpuint(g_tree_nnodes(g->server->mappings), <=, limit);
}

/* --- the device is there first -------------------------------------------- */

static void test_after_a_device(gconstpointer data)
{
    const struct Limit *limit = data;
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=%u",
                                                    limit->mappings);
    g_autofree char *mem = mems(1, limit->size, "");
    Guest g;

    start(&g, server, "-device " DEVICE ",socket=%s %s", server->socket, mem);
    plug_everything(&g, 1, limit->mappings);
    /* A size below would not have fitted. */
    g_assert_cmpuint(limit->size / (block_size(&g, 0) / 2), >,
                     MIN(limit->mappings, 32768) - 10);
    stop(&g);
}

static void test_several_after_a_device(gconstpointer data)
{
    const struct Limit *limit = data;
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=%u",
                                                    limit->mappings);
    g_autofree char *mem = mems(3, limit->size, ",block-size=auto");
    Guest g;

    start(&g, server, "-device " DEVICE ",socket=%s %s", server->socket, mem);
    plug_everything(&g, 3, limit->mappings);
    stop(&g);
}

/* --- the memory is there first -------------------------------------------- */

static JsonNode *add_device(Guest *g)
{
    return qmp_client_do(qtest_qmp(g->qts), "{'execute': 'device_add', "
                         "'arguments': {'driver': 'vfio-user-pci', 'id': "
                         "'dev0', 'bus': 'rp0', 'socket': '%s'}}", g->server->socket);
}

static void test_several_before_a_device(void)
{
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=65535");
    g_autofree char *mem = mems(MAX_MEMS, 1 * TiB, "");
    Guest g;

    start(&g, server, "%s -device pcie-root-port,id=rp0", mem);
    for (unsigned i = 0; i < MAX_MEMS; i++) {
        g_assert_cmpuint(block_size(&g, i), ==, 128 * MiB);
    }
    json_node_unref(add_device(&g));
    plug_everything(&g, MAX_MEMS, 65535);
    stop(&g);
}

/* Auto cannot know of a limit below the kernel's: then the device is refused,
 * by the block size that would have fitted. */
static void test_before_a_device_with_a_low_limit(gconstpointer data)
{
    const struct Limit *limit = data;
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=%u",
                                                    limit->mappings);
    g_autofree char *mem = mems(1, limit->size, "");
    g_autofree char *numbers = g_strdup_printf("the IOMMU allows %u: use "
                                               "block-size=", limit->mappings);
    Guest g;

    start(&g, server, "%s -device pcie-root-port,id=rp0", mem);
    qmp_client_expect_error(
        qtest_qmp(g.qts), "GenericError", numbers,
        "{'execute': 'device_add', 'arguments': {'driver': 'vfio-user-pci', "
        "'bus': 'rp0', 'socket': '%s'}}", server->socket);
    stop(&g);
}

/* --- hot plug of memory --------------------------------------------------- */

static void hot_plug(Guest *g, unsigned n, uint64_t size)
{
    QmpClient *qmp = qtest_qmp(g->qts);

    json_node_unref(qmp_client_do(
        qmp, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'memory-backend-ram', 'id': 'mem%u', 'size': %" PRIu64
        ", 'reserve': false}}", n, size));
    json_node_unref(qmp_client_do(
        qmp, "{'execute': 'device_add', 'arguments': {'driver': "
        "'virtio-mem-pci', 'id': 'vm%u', 'bus': 'rp%u', 'memdev': 'mem%u', "
        "'requested-size': %" PRIu64 ", 'block-size': 'auto'}}", n, n, n,
        size));
}

/* One after the other, each has to do with what is left, and can. */
static void test_hot_plugged_one_by_one(void)
{
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=500");
    Guest g;

    start(&g, server, "-device " DEVICE ",socket=%s "
          "-device pcie-root-port,id=rp0,chassis=1 "
          "-device pcie-root-port,id=rp1,chassis=2 "
          "-device pcie-root-port,id=rp2,chassis=3", server->socket);
    for (unsigned i = 0; i < 3; i++) {
        hot_plug(&g, i, 256 * GiB);
        g_assert_cmpuint(block_size(&g, i), ==, GiB << i);
    }
    stop(&g);
}

/* --- without a device ----------------------------------------------------- */

static void test_without_a_device(void)
{
    static const struct { uint64_t size, block; } sizes[] = {
        { 2 * MiB, 2 * MiB }, { 64 * GiB, 2 * MiB }, { 128 * GiB, 4 * MiB },
        { 1 * TiB, 32 * MiB }, { 4 * TiB, 128 * MiB },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *mem = mems(1, sizes[i].size, "");
        Guest g;

        start(&g, NULL, "%s", mem);
        g_assert_cmpuint(block_size(&g, 0), ==, sizes[i].block);
        stop(&g);
    }
}

static void test_explicit_size_stays(void)
{
    g_autofree char *mem = mems(2, 1 * TiB, ",block-size=2M");
    Guest g;

    start(&g, NULL, "%s", mem);
    g_assert_cmpuint(block_size(&g, 0), ==, 2 * MiB);
    g_assert_cmpuint(block_size(&g, 1), ==, 2 * MiB);
    stop(&g);
}

static void test_size_that_no_block_divides(void)
{
    g_autofree char *line = g_strdup_printf(
        "%s -accel qtest -qtest null -display none -nodefaults -M q35 "
        "-m 64M,maxmem=8T -object memory-backend-ram,id=mem0,reserve=off,"
        "size=%" PRIu64 " -device virtio-mem-pci,memdev=mem0",
        g_getenv("QTEST_QEMU_BINARY"), (uint64_t)(1 * TiB + 2 * MiB));
    g_autofree char *said = NULL;
    g_autoptr(GError) err = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &said, &status, &err));
    g_assert_no_error(err);
    g_assert_false(g_spawn_check_wait_status(status, NULL));
    g_assert_nonnull(strstr(said, "'block-size=auto' finds that 'mem0' "
                            "(0x10000200000 bytes) needs blocks of 0x4000000"));
    g_assert_nonnull(strstr(said, "is a multiple of 0x200000 only"));
}

/* A server that maps nothing smaller: its pages are the least. */
static void test_pages_of_a_device(void)
{
    QVFIOUserServer *server = qvfio_user_server_new("--pgsizes=%" PRIu64,
                                                    8 * MiB);
    Guest g;

    start(&g, server, "-object memory-backend-memfd,id=boot,size=64M "
          "-machine memory-backend=boot "
          "-device " DEVICE ",socket=%s "
          "-object memory-backend-memfd,id=mem0,size=256M "
          "-device virtio-mem-pci,id=vm0,memdev=mem0,requested-size=256M",
          server->socket);
    g_assert_cmpuint(block_size(&g, 0), ==, 8 * MiB);
    plug_everything(&g, 1, 65535);
    stop(&g);
}

static void add(const char *name, const struct Limit *limit,
                void (*fn)(gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/block-size-auto/%s-%u-mappings",
                                            name, limit->mappings);

    g_test_add_data_func(path, limit, fn);
}

int main(int argc, char **argv)
{
#ifdef CONFIG_TSAN
    puts("1..0 # SKIP the thread sanitizer leaves no room for TiBs of memory");
    return 0;
#endif
    qvfio_user_main_init(&argc, &argv);
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        add("after-a-device-of", &limits[i], test_after_a_device);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        add("several-after-a-device-of", &limits[i],
            test_several_after_a_device);
    }
    for (unsigned i = 0; i < 2; i++) {
        add("before-a-device-of", &limits[i],
            test_before_a_device_with_a_low_limit);
    }
    g_test_add_func("/block-size-auto/several-before-a-device",
                    test_several_before_a_device);
    g_test_add_func("/block-size-auto/hot-plugged-one-by-one",
                    test_hot_plugged_one_by_one);
    g_test_add_func("/block-size-auto/without-a-device", test_without_a_device);
    g_test_add_func("/block-size-auto/explicit-size-stays",
                    test_explicit_size_stays);
    g_test_add_func("/block-size-auto/size-that-no-block-divides",
                    test_size_that_no_block_divides);
    g_test_add_func("/block-size-auto/pages-of-a-device",
                    test_pages_of_a_device);
    return g_test_run();
}
