/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem with several devices and with many blocks: nobody's index is too
 * narrow, nobody's block is taken for another's, and a long random sequence of
 * requests leaves what a naive model says.
 */
#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define VM0 "/machine/peripheral/vm0"
#define VM1 "/machine/peripheral/vm1"

#define assert_ack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ACK)
#define assert_error(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ERROR)

static JsonObject *memory_device(JsonNode *list, unsigned i)
{
    JsonObject *info = json_array_get_object_element(json_node_get_array(list),
                                                     i);

    g_assert_cmpstr(json_object_get_string_member(info, "type"), ==,
                    "virtio-mem");
    return json_object_get_object_member(info, "data");
}

static void test_two_devices_are_apart(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 128M,maxmem=8G "
        "-object memory-backend-ram,id=mem0,size=1G "
        "-object memory-backend-ram,id=mem1,size=2G "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=1G "
        "-device virtio-mem-pci,id=vm1,memdev=mem1,block-size=4M,"
        "requested-size=2G,memaddr=0x140000000");
    QGuest guest;
    QVirtioMem a, b;
    struct virtio_mem_config ca, cb;
    g_autoptr(JsonNode) list = NULL;

    qguest_init(&guest, qts);
    qvirtio_mem_init(&a, &guest, 0);
    qvirtio_mem_init(&b, &guest, 1);
    qvirtio_mem_config(&a, &ca);
    qvirtio_mem_config(&b, &cb);
    g_assert_cmphex(cb.addr, ==, 0x140000000);
    g_assert_cmpuint(cb.block_size, ==, 4 * MiB);
    g_assert_true(ca.addr + ca.region_size <= cb.addr ||
                  cb.addr + cb.region_size <= ca.addr);

    assert_error(qvirtio_mem_plug(&a, cb.addr, 1));
    assert_ack(qvirtio_mem_plug(&a, ca.addr, 3));
    assert_ack(qvirtio_mem_plug(&b, cb.addr + 4 * MiB, 5));
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM0, "size"), ==, 6 * MiB);
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM1, "size"), ==, 20 * MiB);
    assert_ack(qvirtio_mem_unplug_all(&a));
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM1, "size"), ==, 20 * MiB);

    list = qmp_client_do(qtest_qmp(qts), "{'execute': 'query-memory-devices'}");
    g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 2);
    g_assert_cmpint(json_object_get_int_member(memory_device(list, 0), "size"),
                    ==, 0);
    g_assert_cmpint(json_object_get_int_member(memory_device(list, 1), "size"),
                    ==, 20 * MiB);
    g_assert_cmphex(json_object_get_int_member(memory_device(list, 1),
                                               "memaddr"), ==, cb.addr);
    g_assert_cmpstr(json_object_get_string_member(memory_device(list, 1),
                                                  "memdev"), ==,
                    "/objects/mem1");
    qtest_quit(qts);
}

/* Blocks by the tens of thousands: no index is too narrow. */
static void check_many_blocks(uint64_t nb_blocks, const char *reserve)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 128M,maxmem=256G "
        "-object memory-backend-ram,id=mem0,size=%" PRIu64 "M%s "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=%" PRIu64 "M", nb_blocks * 2, reserve, nb_blocks * 2);
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;
    uint64_t addr, last;

    qguest_init(&guest, qts);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    addr = config.addr;
    last = addr + (nb_blocks - 1) * BLOCK;

    for (uint64_t done = 0; done < nb_blocks; ) {
        uint16_t n = MIN(nb_blocks - done, 40000);

        assert_ack(qvirtio_mem_plug(&vmem, addr + done * BLOCK, n));
        done += n;
    }
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM0, "size"), ==,
                     nb_blocks * BLOCK);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, addr, 1), !=,
                     VIRTIO_MEM_RESP_ACK);
    qtest_writel(qts, last, 0x5a5a5a5a);
    assert_ack(qvirtio_mem_unplug(&vmem, addr + 60 * BLOCK,
                                  MIN(nb_blocks - 61, 65000)));
    g_assert_cmpuint(qvirtio_mem_state(&vmem, last, 1), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&vmem, addr, 60), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    g_assert_cmpuint(qvirtio_mem_state(&vmem, addr + 59 * BLOCK, 2), ==,
                     VIRTIO_MEM_STATE_MIXED);
    g_assert_cmphex(qtest_readl(qts, last), ==, 0x5a5a5a5a);
    assert_ack(qvirtio_mem_unplug_all(&vmem));
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM0, "size"), ==, 0);
    g_assert_cmphex(qtest_readl(qts, last), ==, 0);
    qtest_quit(qts);
}

static void test_65_blocks(void)
{
    check_many_blocks(65, "");
}

static void test_257_blocks(void)
{
    check_many_blocks(257, "");
}

static void test_66000_blocks(void)
{
    if (!qtest_skip_without("-object memory-backend-ram,help", "reserve")) {
        check_many_blocks(66000, ",reserve=off");
    }
}

/* --- against a model ----------------------------------------------------- */

#define MODEL_BLOCKS 300
#define MODEL_STEPS 1500

typedef struct Model {
    bool plugged[MODEL_BLOCKS];
    unsigned count;
} Model;

/* Plugged blocks among @n from @first. */
static unsigned model_count(const Model *m, unsigned first, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = first; i < first + n; i++) {
        count += m->plugged[i];
    }
    return count;
}

static void model_set(Model *m, unsigned first, unsigned n, bool value)
{
    m->count -= model_count(m, first, n);
    for (unsigned i = first; i < first + n; i++) {
        m->plugged[i] = value;
    }
    m->count += model_count(m, first, n);
}

/* One random request; the device must do as the model says. */
static void model_step(Model *m, QVirtioMem *vmem, uint64_t addr, GRand *rand)
{
    unsigned first = g_rand_int_range(rand, 0, MODEL_BLOCKS);
    unsigned n = g_rand_int_range(rand, 1, MIN(MODEL_BLOCKS - first, 40) + 1);
    uint64_t at = addr + first * BLOCK;
    unsigned have = model_count(m, first, n);

    switch (g_rand_int_range(rand, 0, 9)) {
    case 0 ... 3:
        if (have == 0) {
            assert_ack(qvirtio_mem_plug(vmem, at, n));
            model_set(m, first, n, true);
        } else {
            assert_error(qvirtio_mem_plug(vmem, at, n));
        }
        break;
    case 4 ... 6:
        if (have == n) {
            assert_ack(qvirtio_mem_unplug(vmem, at, n));
            model_set(m, first, n, false);
        } else {
            assert_error(qvirtio_mem_unplug(vmem, at, n));
        }
        break;
    case 7:
        if (g_rand_int_range(rand, 0, 20) == 0) {
            assert_ack(qvirtio_mem_unplug_all(vmem));
            model_set(m, 0, MODEL_BLOCKS, false);
        }
        break;
    default:
        g_assert_cmpuint(qvirtio_mem_state(vmem, at, n), ==,
                         have == 0 ? VIRTIO_MEM_STATE_UNPLUGGED
                         : have == n ? VIRTIO_MEM_STATE_PLUGGED
                         : VIRTIO_MEM_STATE_MIXED);
        break;
    }
}

static void test_random_requests_follow_the_model(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 128M,maxmem=4G "
        "-object memory-backend-ram,id=mem0,size=600M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=600M");
    g_autoptr(GRand) rand = qtest_rand_new();
    g_autofree Model *model = g_new0(Model, 1);
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;

    qguest_init(&guest, qts);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    for (unsigned i = 0; i < MODEL_STEPS; i++) {
        model_step(model, &vmem, config.addr, rand);
    }
    g_assert_cmpuint(qtest_qom_get_uint(qts, VM0, "size"), ==,
                     model->count * BLOCK);
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        g_assert_cmpuint(qvirtio_mem_state(&vmem, config.addr + i * BLOCK, 1),
                         ==, model->plugged[i] ? VIRTIO_MEM_STATE_PLUGGED
                                               : VIRTIO_MEM_STATE_UNPLUGGED);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    g_test_add_func("/virtio-mem-blocks/two-devices-are-apart",
                    test_two_devices_are_apart);
    g_test_add_func("/virtio-mem-blocks/65-blocks", test_65_blocks);
    g_test_add_func("/virtio-mem-blocks/257-blocks", test_257_blocks);
    g_test_add_func("/virtio-mem-blocks/66000-blocks", test_66000_blocks);
    g_test_add_func("/virtio-mem-blocks/random-requests-follow-the-model",
                    test_random_requests_follow_the_model);
    return g_test_run();
}
