/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -preconfig: a machine that is described over QMP before it is built. What
 * set-numa-node refuses is what -numa refuses (tests/unit/test-numa.c).
 */
#include <glib/gstdio.h>
#include <string.h>

#include "libqtest.h"

#define TWO_SOCKETS "-nodefaults -preconfig -smp 2,sockets=2 -m 128M "

/* Builds the machine, which runs then. */
static void build(QTestState *qts)
{
    QmpClient *qmp = qtest_qmp(qts);

    json_node_unref(qmp_client_do(qmp, "{'execute': 'x-exit-preconfig'}"));
    json_object_unref(qmp_client_event(qmp, "RESUME"));
}

static void set_node(QTestState *qts, const char *arguments)
{
    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'set-numa-node', "
                                  "'arguments': {%s}}", arguments));
}

static void refuse_node(QTestState *qts, const char *arguments, const char *part)
{
    qmp_client_expect_error(qtest_qmp(qts), "GenericError", part,
                            "{'execute': 'set-numa-node', 'arguments': {%s}}",
                            arguments);
}

static int64_t node_of_socket(QTestState *qts, int64_t socket)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-hotpluggable-cpus'}");
    JsonArray *cpus = json_node_get_array(node);

    for (guint i = 0; i < json_array_get_length(cpus); i++) {
        JsonObject *props = json_object_get_object_member(
            json_array_get_object_element(cpus, i), "props");

        if (json_object_get_int_member(props, "socket-id") == socket) {
            return json_object_get_int_member(props, "node-id");
        }
    }
    g_assert_not_reached();
}

static void test_nodes_are_described(void)
{
    QTestState *qts = qtest_init(TWO_SOCKETS);

    set_node(qts, "'type': 'node', 'nodeid': 0");
    set_node(qts, "'type': 'node', 'nodeid': '1'");
    set_node(qts, "'type': 'cpu', 'node-id': 0, 'socket-id': 1");
    set_node(qts, "'type': 'cpu', 'node-id': 1, 'socket-id': 0");
    set_node(qts, "'type': 'dist', 'src': 0, 'dst': 1, 'val': 21");
    build(qts);
    g_assert_cmpint(node_of_socket(qts, 0), ==, 1);
    g_assert_cmpint(node_of_socket(qts, 1), ==, 0);
    refuse_node(qts, "'type': 'node'", "only before machine initialization");
    qmp_client_expect_error(qtest_qmp(qts), "GenericError",
                            "only before machine initialization",
                            "{'execute': 'x-exit-preconfig'}");
    qtest_quit(qts);
}

/* What is wrong is said, and changes nothing. */
static void test_errors_are_replies(void)
{
    QTestState *qts = qtest_init(TWO_SOCKETS "-machine hmat=on");

    refuse_node(qts, "'type': 'wheel'", "type");
    refuse_node(qts, "'type': 'node', 'nodeid': []", "nodeid");
    set_node(qts, "'type': 'node', 'cpus': '0-1'");
    refuse_node(qts, "'type': 'node', 'nodeid': 0", "Duplicate");
    refuse_node(qts, "'type': 'hmat-lb', 'initiator': 0, 'target': 0, "
                "'hierarchy': 'memory', 'data-type': 'access-latency', "
                "'bandwidth': 1048576", "wants 'latency'");
    set_node(qts, "'type': 'hmat-lb', 'initiator': 0, 'target': 0, "
             "'hierarchy': 'memory', 'data-type': 'access-latency', "
             "'latency': 5");
    build(qts);
    g_assert_cmpint(node_of_socket(qts, 1), ==, 0);
    qtest_quit(qts);
}

static void test_only_what_needs_no_machine_is_done(void)
{
    static const char *const later[] = {
        "query-balloon", "query-memory-devices", "cont", "stop", "system_reset",
        "query-ram-discard", "query-cpus-fast", "system_powerdown",
    };
    QTestState *qts = qtest_init(TWO_SOCKETS);
    QmpClient *qmp = qtest_qmp(qts);
    JsonNode *status = qmp_client_do(qmp, "{'execute': 'query-status'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(status),
                                                  "status"), ==, "prelaunch");
    json_node_unref(status);
    for (size_t i = 0; i < G_N_ELEMENTS(later); i++) {
        qmp_client_expect_error(qmp, "GenericError", "permitted only after "
                                "machine initialization", "{'execute': '%s'}",
                                later[i]);
    }
    qmp_client_expect_error(qmp, "GenericError", "'device_add' is permitted "
                            "only after", "{'execute': 'device_add', "
                            "'arguments': {'driver': 'virtio-balloon-pci'}}");
    json_node_unref(qmp_client_do(
        qmp, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'memory-backend-ram', 'id': 'mem0', 'size': 2097152}}"));
    build(qts);
    json_node_unref(qmp_client_do(qmp, "{'execute': 'query-cpus-fast'}"));
    qtest_quit(qts);
}

static void test_it_can_end_before_there_is_a_machine(void)
{
    QTestState *qts = qtest_init(TWO_SOCKETS);

    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'quit'}"));
    g_assert_cmpint(qtest_wait_exit(qts), ==, 0);
}

/* What does not fit together is found when the machine is built. */
static void test_machine_that_cannot_be(void)
{
    g_autofree char *messages = qtest_begin_messages();
    QTestState *qts = qtest_init(TWO_SOCKETS);

    set_node(qts, "'type': 'node', 'mem': '1G'");
    qmp_client_send(qtest_qmp(qts), "{\"execute\": \"x-exit-preconfig\"}\n");
    g_assert_cmpint(qtest_wait_exit(qts), ==, 1);
    g_assert_cmpuint(qtest_count_messages(messages, "total memory for NUMA "
                                          "nodes"), ==, 1);
    qtest_end_messages();
    g_unlink(messages);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/preconfig/nodes-are-described", test_nodes_are_described);
    g_test_add_func("/preconfig/errors-are-replies", test_errors_are_replies);
    g_test_add_func("/preconfig/only-what-needs-no-machine-is-done",
                    test_only_what_needs_no_machine_is_done);
    g_test_add_func("/preconfig/it-can-end-before-there-is-a-machine",
                    test_it_can_end_before_there_is_a_machine);
    g_test_add_func("/preconfig/machine-that-cannot-be",
                    test_machine_that_cannot_be);
    return g_test_run();
}
