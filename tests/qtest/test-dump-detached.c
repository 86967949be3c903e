/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory while it is written: the VM stopped, the emulator awake, and
 * no half file, whatever happens meanwhile.
 */
#include "dump-test.h"

/* Blocks: more than is written in one turn of the main loop. */
#define NR_DIRTY 32

static void dirty_all(Fixture *f)
{
    plug(f, 0, NR_DIRTY);
    qtest_memset(f->qts, block_addr(f, 0), 0x55, NR_DIRTY * BLOCK);
}

static void test_detached(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    g_autoptr(JsonObject) query = NULL;
    JsonObject *result;

    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}} {'execute': 'query-dump'}"
              "{'execute': 'cont'} {'execute': 'stop'}" DUMP "}}", f->path,
              f->path);
    assert_success(f);
    query = qmp_client_reply(f->qmp);
    result = json_object_get_object_member(query, "return");
    g_assert_cmpstr(json_object_get_string_member(result, "status"), ==,
                    "active");
    g_assert_cmpuint(json_object_get_int_member(result, "completed"), <,
                     json_object_get_int_member(result, "total"));
    for (int i = 0; i < 3; i++) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->qmp);

        qmp_assert_error(reply, "GenericError", "There is a dump in process");
    }
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    result = json_object_get_object_member(
        json_object_get_object_member(event, "data"), "result");
    check_result(result, "completed", BOOT + NR_DIRTY * BLOCK,
                 BOOT + NR_DIRTY * BLOCK);
    g_assert_true(is_running(f));
    assert_files(f, 1);
}

static void test_reset_fails_it(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    JsonObject *fields;

    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}} {'execute': 'system_reset'}", f->path);
    assert_success(f);
    assert_success(f);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    fields = json_object_get_object_member(event, "data");
    g_assert_nonnull(strstr(json_object_get_string_member(fields, "error"),
                            "the machine was reset"));
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(fields, "result"),
                        "status"), ==, "failed");
    assert_files(f, 0);
    g_assert_true(is_running(f));
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
}

static void test_quit_leaves_nothing(Fixture *f, const void *data)
{
    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}} {'execute': 'quit'}", f->path);
    assert_success(f);
    assert_success(f);
    g_assert_cmpint(qtest_wait_exit(f->qts), ==, 0);
    f->qts = NULL;
    assert_files(f, 0);
}

/* A guest's request that comes meanwhile is handled afterwards. */
static void test_plug_waits(Fixture *f, const void *data)
{
    QVirtQueue *vq = &f->vmem.vq;
    struct virtio_mem_req request = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    g_autoptr(JsonNode) query = NULL;
    g_auto(Core) c = { 0 };
    bool used;

    dirty_all(f);
    qtest_memwrite(f->qts, f->vmem.request, &request, sizeof(request));
    send_text(f, DUMP ", 'detach': true}}", f->path);
    assert_success(f);
    qvirtqueue_add(vq, (QVirtioBuffer[]) {
        { f->vmem.request, sizeof(struct virtio_mem_req), false },
        { f->vmem.response, sizeof(struct virtio_mem_resp), true },
    }, 2);
    qvirtqueue_kick(vq);
    used = qvirtqueue_has_used(vq);
    query = qmp_client_do(f->qmp, "{'execute': 'query-dump'}");
    if (g_str_equal(json_object_get_string_member(json_node_get_object(query),
                                                  "status"), "active")) {
        g_assert_false(used);
    }
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    qvirtqueue_wait(vq, NULL);
    c = read_core(f);
    g_assert_cmphex(core_byte(&c, block_addr(f, NR_DIRTY) - 1), ==, 0x55);
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("detached-leaves-the-emulator-responsive", test_detached);
    ADD("reset-makes-it-fail", test_reset_fails_it);
    ADD("quit-leaves-nothing", test_quit_leaves_nothing);
    ADD("guest-requests-wait", test_plug_waits);
    return g_test_run();
}
