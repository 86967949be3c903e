/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP over a real connection: negotiation, replies, errors, events, and input
 * that is no QMP. Whatever is sent, the connection and the emulator live.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define VM0 "/machine/peripheral/vm0"

/* An emulator with a second monitor, whose client has said nothing yet. */
typedef struct Fixture {
    QTestState *qts;
    char *dir;
    char *path;                           /* of the second monitor */
    QmpClient *c;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->dir = g_dir_make_tmp("qmp-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "qmp2", NULL);
    f->qts = qtest_init(
        "-name test-vm -M q35 -m 64M,maxmem=2G "
        "-chardev socket,id=c2,path=%s,server=on,wait=off "
        "-mon chardev=c2,mode=control%s "
        "-object memory-backend-ram,id=mem0,size=512M,reserve=off "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=256M", f->path, data ? ",pretty=on" : "");
    f->c = qmp_client_connect(f->path);
}

static void teardown(Fixture *f, const void *data)
{
    qmp_client_free(f->c);
    qtest_quit(f->qts);
    g_unlink(f->path);
    g_assert_no_errno(g_rmdir(f->dir));
    g_free(f->path);
    g_free(f->dir);
}

/* Sends @text, without adding a newline, and returns the reply. */
static JsonObject *ask(Fixture *f, const char *text)
{
    qmp_client_send(f->c, text);
    return qmp_client_reply(f->c);
}

static void check_error(Fixture *f, const char *text, const char *class,
                        const char *part)
{
    g_autoptr(JsonObject) reply = ask(f, text);

    qmp_assert_error(reply, class, part);
}

/* --- negotiation --------------------------------------------------------- */

static void test_greeting_tells_the_version(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) greeting = qmp_client_receive(f->c);
    JsonObject *qmp = json_object_get_object_member(greeting, "QMP");
    JsonObject *version = json_object_get_object_member(qmp, "version");
    JsonObject *qemu = json_object_get_object_member(version, "qemu");

    g_assert_cmpint(json_object_get_int_member(qemu, "major"), >=, 5);
    g_assert_true(json_object_has_member(qemu, "minor"));
    g_assert_true(json_object_has_member(qemu, "micro"));
    g_assert_true(json_object_has_member(version, "package"));
    g_assert_true(JSON_NODE_HOLDS_ARRAY(
        json_object_get_member(qmp, "capabilities")));
}

static void test_commands_wait_for_negotiation(Fixture *f, const void *data)
{
    json_object_unref(qmp_client_receive(f->c));
    check_error(f, "{'execute': 'query-status'}\n", "CommandNotFound",
                "Expecting capabilities negotiation with 'qmp_capabilities'");
    check_error(f, "{'execute': 'quit'}\n", "CommandNotFound", "Expecting");
    check_error(f, "{'execute': 'nonsense'}\n", "CommandNotFound", "Expecting");
    check_error(f, "nonsense\n", "GenericError", "JSON parse error");
    json_object_unref(ask(f, "{'execute': 'qmp_capabilities'}\n"));
    qmp_client_check_alive(f->c);
}

static void test_negotiation_happens_once(Fixture *f, const void *data)
{
    qmp_client_handshake(f->c);
    check_error(f, "{'execute': 'qmp_capabilities'}\n", "CommandNotFound",
                "Capabilities negotiation is already complete");
    qmp_client_check_alive(f->c);
}

static void test_unknown_capability_is_refused(Fixture *f, const void *data)
{
    json_object_unref(qmp_client_receive(f->c));
    check_error(f, "{'execute': 'qmp_capabilities', "
                "'arguments': {'enable': ['time-travel']}}\n", "GenericError",
                "time-travel");
    check_error(f, "{'execute': 'qmp_capabilities', "
                "'arguments': {'enable': 'oob'}}\n", "GenericError",
                "expected: array");
    json_object_unref(ask(f, "{'execute': 'qmp_capabilities', "
                          "'arguments': {'enable': []}}\n"));
    qmp_client_check_alive(f->c);
}

static void test_a_client_may_come_back(Fixture *f, const void *data)
{
    qmp_client_handshake(f->c);
    qmp_client_check_alive(f->c);
    qmp_client_send(f->c, "{'execute': 'query-");
    qmp_client_free(f->c);
    f->c = qmp_client_connect(f->path);
    json_object_unref(qmp_client_receive(f->c));
    check_error(f, "{'execute': 'query-status'}\n", "CommandNotFound",
                "Expecting");
    json_object_unref(ask(f, "{'execute': 'qmp_capabilities'}\n"));
    qmp_client_check_alive(f->c);
}

/* --- commands ------------------------------------------------------------ */

static void test_ids_come_back(Fixture *f, const void *data)
{
    const char *const ids[] = { "1", "'x'", "null", "[1,{'a':true}]", "{}" };

    qmp_client_handshake(f->c);
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *good = g_strdup_printf(
            "{'execute': 'query-name', 'id': %s}\n", ids[i]);
        g_autofree char *bad = g_strdup_printf(
            "{'id': %s, 'execute': 'nonsense'}\n", ids[i]);
        g_autoptr(JsonObject) reply = ask(f, good);
        g_autoptr(JsonObject) error = ask(f, bad);

        g_assert_true(json_object_has_member(reply, "id"));
        g_assert_true(json_node_equal(json_object_get_member(reply, "id"),
                                      json_object_get_member(error, "id")));
        qmp_assert_error(error, "CommandNotFound",
                     "The command nonsense has not been found");
    }
}

static void test_malformed_requests_are_refused(Fixture *f, const void *data)
{
    qmp_client_handshake(f->c);
    check_error(f, "{}\n", "GenericError", "lacks member 'execute'");
    check_error(f, "[]\n", "GenericError", "must be a JSON object");
    check_error(f, "{'execute': 5}\n", "GenericError", "must be a string");
    check_error(f, "{'execute': 'query-name', 'argument': {}}\n",
                "GenericError", "'argument' is unexpected");
    check_error(f, "{'execute': 'query-name', 'arguments': 1}\n",
                "GenericError", "must be an object");
    check_error(f, "{'execute': 'query-name', 'arguments': {'x': 1}}\n",
                "GenericError", "Parameter 'x' is unexpected");
    check_error(f, "{'execute': 'qom-get', 'arguments': {'path': '/'}}\n",
                "GenericError", "Parameter 'property' is missing");
    check_error(f, "{'execute': 'qom-get', 'arguments': {'path': 1}}\n",
                "GenericError",
                "Invalid parameter type for 'path', expected: string");
    qmp_client_check_alive(f->c);
}

static void test_status_and_name(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) name = NULL, status = NULL;

    qmp_client_handshake(f->c);
    name = qmp_client_do(f->c, "{'execute': 'query-name'}");
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(name),
                                                  "name"), ==, "test-vm");
    status = qmp_client_do(f->c, "{'execute': 'query-status'}");
    g_assert_cmpint(json_object_get_boolean_member(
                        json_node_get_object(status), "running"), ==,
                    qtest_has_clock());
}

static void test_paused_start_is_prelaunch(void)
{
    QTestState *qts = qtest_init("-S -M q35 -m 64M");
    g_autoptr(JsonNode) node = qmp_client_do(qtest_qmp(qts),
                                             "{'execute': 'query-status'}");
    JsonObject *status = json_node_get_object(node);

    g_assert_cmpstr(json_object_get_string_member(status, "status"), ==,
                    "prelaunch");
    g_assert_false(json_object_get_boolean_member(status, "running"));
    g_assert_false(json_object_get_boolean_member(status, "singlestep"));
    qtest_quit(qts);
}

static void test_commands_are_listed(Fixture *f, const void *data)
{
    static const char *const expected[] = {
        "qmp_capabilities", "query-version", "query-commands", "query-status",
        "query-name", "query-memory-devices", "query-memory-size-summary",
        "query-cpus-fast", "qom-list", "qom-list-types", "qom-get", "qom-set",
        "device-list-properties", "object-add", "object-del", "device_add",
        "device_del", "stop", "cont", "system_reset", "system_powerdown",
        "quit", "human-monitor-command",
    };
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(JsonNode) node = NULL;
    JsonArray *list;

    qmp_client_handshake(f->c);
    node = qmp_client_do(f->c, "{'execute': 'query-commands'}");
    list = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(list); i++) {
        g_hash_table_add(names, (void *)json_object_get_string_member(
            json_array_get_object_element(list, i), "name"));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        if (!g_hash_table_contains(names, expected[i])) {
            g_error("%s is not listed", expected[i]);
        }
    }
}

static void test_objects_and_properties(Fixture *f, const void *data)
{
    static const struct {
        const char *command, *class, *part;
    } bad[] = {
        { "{'execute': 'qom-list', 'arguments': {'path': '/nowhere'}}",
          "DeviceNotFound", "Device '/nowhere' not found" },
        { "{'execute': 'qom-get', 'arguments': {'path': '/machine/x', "
          "'property': 'type'}}", "DeviceNotFound",
          "Device '/machine/x' not found" },
        { "{'execute': 'qom-get', 'arguments': {'path': '" VM0 "', "
          "'property': 'colour'}}", "GenericError", "colour" },
        { "{'execute': 'qom-set', 'arguments': {'path': '" VM0 "', "
          "'property': 'colour', 'value': 1}}", "GenericError", "colour" },
        { "{'execute': 'qom-set', 'arguments': {'path': '/y', "
          "'property': 'a', 'value': 1}}", "DeviceNotFound",
          "Device '/y' not found" },
        { "{'execute': 'qom-set', 'arguments': {'path': '" VM0 "', "
          "'property': 'memdev', 'value': '/objects/mem0'}}", "GenericError",
          "memdev" },
        { "{'execute': 'device-list-properties', "
          "'arguments': {'typename': 'no-such-type'}}", "DeviceNotFound",
          "Device 'no-such-type' not found" },
        { "{'execute': 'device-list-properties', "
          "'arguments': {'typename': 'memory-backend-ram'}}", "GenericError",
          "typename" },
        { "{'execute': 'device-list-properties', "
          "'arguments': {'typename': 'pci-device'}}", "GenericError",
          "typename" },
        { "{'execute': 'object-add', 'arguments': {'qom-type': 'no-such', "
          "'id': 'o1'}}", "GenericError", "" },
        { "{'execute': 'object-add', 'arguments': {'qom-type': "
          "'memory-backend-ram', 'id': 'mem0', 'size': 2097152}}",
          "GenericError", "mem0" },
        { "{'execute': 'object-add', 'arguments': {'qom-type': "
          "'memory-backend-ram', 'id': 'o1', 'size': 0}}", "GenericError",
          "size" },
        { "{'execute': 'object-add', 'arguments': {'qom-type': "
          "'memory-backend-ram', 'id': 'o1', 'size': 'big'}}", "GenericError",
          "size" },
        { "{'execute': 'object-del', 'arguments': {'id': 'o1'}}",
          "GenericError", "o1" },
        { "{'execute': 'object-del', 'arguments': {'id': 'mem0'}}",
          "GenericError", "mem0" },
        { "{'execute': 'device_del', 'arguments': {'id': 'nobody'}}",
          "DeviceNotFound", "Device 'nobody' not found" },
    };

    qmp_client_handshake(f->c);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        check_error(f, bad[i].command, bad[i].class, bad[i].part);
    }
    json_node_unref(qmp_client_do(
        f->c, "{'execute': 'object-add', 'arguments': {'qom-type': "
        "'memory-backend-ram', 'id': 'o1', 'size': 2097152}}"));
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/objects/o1", "size"), ==,
                     BLOCK);
    json_node_unref(qmp_client_do(
        f->c, "{'execute': 'object-del', 'arguments': {'id': 'o1'}}"));
    check_error(f, "{'execute': 'qom-list', 'arguments': "
                "{'path': '/objects/o1'}}", "DeviceNotFound", "/objects/o1");
}

static void test_human_monitor_command(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) status = NULL, unknown = NULL;

    qmp_client_handshake(f->c);
    status = qmp_client_do(f->c, "{'execute': 'human-monitor-command', "
                           "'arguments': {'command-line': 'info status'}}");
    g_assert_true(g_str_has_prefix(json_node_get_string(status),
                                   "VM status: "));
    unknown = qmp_client_do(f->c, "{'execute': 'human-monitor-command', "
                            "'arguments': {'command-line': 'dance now'}}");
    g_assert_nonnull(strstr(json_node_get_string(unknown), "dance"));
}

/* --- events -------------------------------------------------------------- */

static void test_every_client_hears_events(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) first = NULL, second = NULL;
    JsonObject *timestamp;

    qmp_client_handshake(f->c);
    json_node_unref(qmp_client_do(f->c, "{'execute': 'system_reset'}"));
    first = qmp_client_event(f->c, "RESET");
    second = qmp_client_event(qtest_qmp(f->qts), "RESET");
    g_assert_false(json_object_get_boolean_member(
        json_object_get_object_member(first, "data"), "guest"));
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(first, "data"),
                        "reason"), ==, "host-qmp-system-reset");
    timestamp = json_object_get_object_member(first, "timestamp");
    g_assert_cmpint(json_object_get_int_member(timestamp, "seconds"), >, 0);
    g_assert_cmpint(json_object_get_int_member(timestamp, "microseconds"), <,
                    1000000);
}

static void test_no_events_before_negotiation(Fixture *f, const void *data)
{
    json_object_unref(qmp_client_receive(f->c));
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    json_object_unref(ask(f, "{'execute': 'qmp_capabilities'}"));
    g_assert_cmpuint(qmp_client_count_events(f->c, "RESET"), ==, 0);
}

static void test_stop_and_cont_tell_events(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) node = NULL;

    if (!qtest_has_clock()) {
        g_test_skip("needs a running machine");
        return;
    }
    qmp_client_handshake(f->c);
    json_node_unref(qmp_client_do(f->c, "{'execute': 'stop'}"));
    json_object_unref(qmp_client_event(f->c, "STOP"));
    node = qmp_client_do(f->c, "{'execute': 'query-status'}");
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node),
                                                  "status"), ==, "paused");
    json_node_unref(qmp_client_do(f->c, "{'execute': 'stop'}"));
    json_node_unref(qmp_client_do(f->c, "{'execute': 'cont'}"));
    json_object_unref(qmp_client_event(f->c, "RESUME"));
    json_node_unref(qmp_client_do(f->c, "{'execute': 'cont'}"));
    g_assert_cmpuint(qmp_client_count_events(f->c, "STOP"), ==, 0);
}

static void test_powerdown_tells_an_event(Fixture *f, const void *data)
{
    qmp_client_handshake(f->c);
    json_node_unref(qmp_client_do(f->c, "{'execute': 'system_powerdown'}"));
    json_object_unref(qmp_client_event(f->c, "POWERDOWN"));
    qmp_client_check_alive(f->c);
}

static void test_quit_ends_with_an_event(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M -no-shutdown");
    g_autoptr(JsonObject) event = NULL;

    json_node_unref(qmp_client_do(qtest_qmp(qts), "{'execute': 'quit'}"));
    event = qmp_client_event(qtest_qmp(qts), "SHUTDOWN");
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(event, "data"),
                        "reason"), ==, "host-qmp-quit");
    g_assert_null(qmp_client_receive(qtest_qmp(qts)));
    g_assert_cmpint(qtest_wait_exit(qts), ==, 0);
}

static void test_size_changes_are_told_once_a_second(Fixture *f,
                                                     const void *data)
{
    struct virtio_mem_config config;
    g_autoptr(JsonObject) first = NULL, last = NULL;
    QGuest guest;
    QVirtioMem vmem;

    qmp_client_handshake(f->c);
    qguest_init(&guest, f->qts);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr + i * BLOCK, 1),
                         ==, VIRTIO_MEM_RESP_ACK);
    }
    first = qmp_client_event(f->c, "MEMORY_DEVICE_SIZE_CHANGE");
    g_assert_cmpint(json_object_get_int_member(
                        json_object_get_object_member(first, "data"), "size"),
                    ==, BLOCK);
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(first, "data"),
                        "qom-path"), ==, VM0);
    if (!qtest_has_clock()) {
        g_test_skip("needs a clock that the test moves");
        return;
    }
    g_assert_cmpuint(qmp_client_count_events(f->c, "MEMORY_DEVICE_SIZE_CHANGE"),
                     ==, 0);
    qtest_clock_step(f->qts, 999999999);
    g_assert_cmpuint(qmp_client_count_events(f->c, "MEMORY_DEVICE_SIZE_CHANGE"),
                     ==, 0);
    qtest_clock_step(f->qts, 1);
    last = qmp_client_event(f->c, "MEMORY_DEVICE_SIZE_CHANGE");
    g_assert_cmpint(json_object_get_int_member(
                        json_object_get_object_member(last, "data"), "size"),
                    ==, 10 * BLOCK);
    /* A quiet second, and the next change is told at once. */
    qtest_clock_step(f->qts, 2000000000);
    g_assert_cmpuint(qmp_client_count_events(f->c, "MEMORY_DEVICE_SIZE_CHANGE"),
                     ==, 0);
    qvirtio_mem_unplug(&vmem, config.addr, 1);
    json_object_unref(qmp_client_event(f->c, "MEMORY_DEVICE_SIZE_CHANGE"));
}

static void test_client_that_does_not_read_harms_nobody(Fixture *f,
                                                        const void *data)
{
    const char *text = "{'execute': 'qom-list-types'}";
    const char *rest;
    unsigned n;

    qmp_client_handshake(f->c);
    n = qmp_client_flood(f->c, text, &rest);
    qmp_client_check_alive(qtest_qmp(f->qts));
    /* It has lost nothing, once it does read. */
    for (unsigned i = 0; i < n; i++) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->c);

        g_assert_true(json_object_has_member(reply, "return"));
    }
    if (rest != text) {
        json_object_unref(ask(f, rest));
    }
    qmp_client_check_alive(f->c);
}

static void test_pretty_replies_have_many_lines(Fixture *f, const void *data)
{
    g_autofree char *first = qmp_client_receive_line(f->c);
    g_autofree char *second = qmp_client_receive_line(f->c);

    g_assert_cmpstr(first, ==, "{");
    g_assert_nonnull(strstr(second, "\"QMP\""));
}

#define ADD(name, fn) \
    g_test_add("/qmp/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("greeting-tells-the-version", test_greeting_tells_the_version);
    ADD("commands-wait-for-negotiation", test_commands_wait_for_negotiation);
    ADD("negotiation-happens-once", test_negotiation_happens_once);
    ADD("unknown-capability-is-refused", test_unknown_capability_is_refused);
    ADD("a-client-may-come-back", test_a_client_may_come_back);
    ADD("ids-come-back", test_ids_come_back);
    ADD("malformed-requests-are-refused", test_malformed_requests_are_refused);
    ADD("status-and-name", test_status_and_name);
    g_test_add_func("/qmp/paused-start-is-prelaunch",
                    test_paused_start_is_prelaunch);
    ADD("commands-are-listed", test_commands_are_listed);
    ADD("objects-and-properties", test_objects_and_properties);
    ADD("human-monitor-command", test_human_monitor_command);
    ADD("every-client-hears-events", test_every_client_hears_events);
    ADD("no-events-before-negotiation", test_no_events_before_negotiation);
    ADD("stop-and-cont-tell-events", test_stop_and_cont_tell_events);
    ADD("powerdown-tells-an-event", test_powerdown_tells_an_event);
    g_test_add_func("/qmp/quit-ends-with-an-event",
                    test_quit_ends_with_an_event);
    ADD("size-changes-are-told-once-a-second",
        test_size_changes_are_told_once_a_second);
    ADD("client-that-does-not-read-harms-nobody",
        test_client_that_does_not_read_harms_nobody);
    g_test_add("/qmp/pretty-replies-have-many-lines", Fixture, "pretty", setup,
               test_pretty_replies_have_many_lines, teardown);
    return g_test_run();
}
