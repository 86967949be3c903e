/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that arrive while the machine is stopped wait, and are handled when
 * it goes on: no memory comes or goes, and nothing is mapped, in a guest that
 * stands still.
 */
#include <string.h>

#include "coordination.h"

typedef struct Fixture {
    Coordination c;
    unsigned nr_requests;                 /* sent while stopped */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, GPOINTER_TO_UINT(data));
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
}

static void command(Fixture *f, const char *name)
{
    json_node_unref(qmp_client_do(qtest_qmp(f->c.qts), "{'execute': '%s'}",
                                  name));
}

/* A request with guest RAM of its own, so that several can be under way. */
static uint64_t send_request(Fixture *f, uint16_t type, uint64_t block,
                             uint16_t nb_blocks)
{
    QVirtioMem *vmem = &f->c.mem[0];
    uint64_t request = qguest_alloc(&f->c.guest, 4096, 4096);
    uint64_t response = request + 2048;
    struct virtio_mem_req req = { .type = type };
    const struct virtio_mem_resp resp = { .type = 0xffff };
    const QVirtioBuffer bufs[] = {
        { request, sizeof(req), false },
        { response, sizeof(resp), true },
    };

    req.u.plug.addr = coordination_block(&f->c, 0, block);
    req.u.plug.nb_blocks = nb_blocks;
    qtest_memwrite(f->c.qts, request, &req, sizeof(req));
    qtest_memwrite(f->c.qts, response, &resp, sizeof(resp));
    qvirtqueue_add(&vmem->vq, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&vmem->vq);
    f->nr_requests++;
    return response;
}

static void check_ack(Fixture *f, uint64_t response)
{
    struct virtio_mem_resp resp;

    qtest_memread(f->c.qts, response, &resp, sizeof(resp));
    assert_ack(resp.type);
}

static uint64_t plugged_size(Fixture *f)
{
    struct virtio_mem_config config;

    qvirtio_mem_config(&f->c.mem[0], &config);
    return config.plugged_size;
}

static uint64_t nr_mapped(Fixture *f)
{
    if (!f->c.nr_devs) {
        return 0;
    }
    qvfio_user_server_update(f->c.server[0]);
    return f->c.server[0]->maps + f->c.server[0]->unmaps;
}

/* Nothing has happened, and does not when everybody has had the time. */
static void check_untouched(Fixture *f, uint64_t size, uint64_t mapped)
{
    for (int i = 0; i < 10; i++) {
        qmp_client_check_alive(qtest_qmp(f->c.qts));
        g_assert_false(qvirtqueue_has_used(&f->c.mem[0].vq));
        g_assert_cmpuint(plugged_size(f), ==, size);
        g_assert_cmpuint(nr_mapped(f), ==, mapped);
        g_usleep(5000);
    }
    g_assert_cmpuint(qmp_client_count_events(qtest_qmp(f->c.qts),
                                             "MEMORY_DEVICE_SIZE_CHANGE"), ==,
                     0);
}

static void finish(Fixture *f)
{
    command(f, "cont");
    while (f->nr_requests) {
        qvirtqueue_wait(&f->c.mem[0].vq, NULL);
        f->nr_requests--;
    }
}

static void expect_size_event(Fixture *f, uint64_t size)
{
    g_autoptr(JsonObject) event = qmp_client_event(
        qtest_qmp(f->c.qts), "MEMORY_DEVICE_SIZE_CHANGE");

    g_assert_cmpuint(json_object_get_int_member(
                         json_object_get_object_member(event, "data"), "size"),
                     ==, size);
}

static void test_plug_waits(Fixture *f, const void *data)
{
    uint64_t mapped = nr_mapped(f);
    uint64_t response;

    command(f, "stop");
    response = send_request(f, VIRTIO_MEM_REQ_PLUG, 2, 3);
    check_untouched(f, 0, mapped);
    finish(f);
    check_ack(f, response);
    expect_size_event(f, 3 * BLOCK);
    coordination_expect(&f->c, 0, "..###");
}

/* In order, and each of them, even if one undoes another. */
static void test_several_requests_wait(Fixture *f, const void *data)
{
    uint64_t responses[4], mapped;

    assert_ack(qvirtio_mem_plug(&f->c.mem[0], f->c.config[0].addr, 2));
    expect_size_event(f, 2 * BLOCK);
    mapped = nr_mapped(f);
    command(f, "stop");
    responses[0] = send_request(f, VIRTIO_MEM_REQ_PLUG, 4, 4);
    responses[1] = send_request(f, VIRTIO_MEM_REQ_UNPLUG, 0, 1);
    responses[2] = send_request(f, VIRTIO_MEM_REQ_UNPLUG, 4, 2);
    responses[3] = send_request(f, VIRTIO_MEM_REQ_PLUG, 0, 1);
    check_untouched(f, 2 * BLOCK, mapped);
    finish(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(responses); i++) {
        check_ack(f, responses[i]);
    }
    coordination_expect(&f->c, 0, "##....##");
}

/* What was asked for before a reset has been forgotten with it. */
static void test_reset_while_stopped(Fixture *f, const void *data)
{
    command(f, "stop");
    send_request(f, VIRTIO_MEM_REQ_PLUG, 2, 3);
    coordination_system_reset(&f->c);
    command(f, "cont");
    coordination_restart_drivers(&f->c);
    coordination_expect(&f->c, 0, "");
    assert_ack(qvirtio_mem_plug(&f->c.mem[0], f->c.config[0].addr, 2));
    coordination_expect(&f->c, 0, "##");
}

static void add(const char *name, void (*fn)(Fixture *, const void *))
{
    for (unsigned nr_devs = 0; nr_devs <= 1; nr_devs++) {
        g_autofree char *path = g_strdup_printf(
            "/stopped/%s%s", name, nr_devs ? "/beside-a-device" : "");

        g_test_add(path, Fixture, GUINT_TO_POINTER(nr_devs), setup, fn,
                   teardown);
    }
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    add("a-plug-waits", test_plug_waits);
    add("several-requests-wait", test_several_requests_wait);
    add("a-reset-forgets", test_reset_while_stopped);
    return g_test_run();
}
