/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sent to a QMP server and is no QMP, or too much of it: each piece
 * gets its answer, and the connection stays in step.
 */
#include <string.h>

#include "libqtest.h"
#include "qemu/units.h"

typedef struct Fixture {
    QTestState *qts;
    QmpClient *c;                         /* of qts, negotiated */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init("-M q35 -m 64M");
    f->c = qtest_qmp(f->qts);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

/* Sends @text, without adding a newline; the answer must be an error. */
static void check_error(Fixture *f, const char *text, const char *class,
                        const char *part)
{
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send(f->c, text);
    reply = qmp_client_reply(f->c);
    qmp_assert_error(reply, class, part);
}

static void test_malformed_json_keeps_the_connection(Fixture *f,
                                                     const void *data)
{
    static const char *const bad[] = {
        "hello\n", "{'execute': }\n", "}\n", "{'execute' 'quit'}\n", "[1,]\n",
        "{'a': 'b\n", "\xff\xfe\n", "\\u0041\n", "{'execute': 'quit',}\n",
        "var x = [1]\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        check_error(f, bad[i], "GenericError", "JSON parse error, ");
        qmp_client_check_alive(f->c);
    }
}

/* A client that sends no newlines is understood again, too. */
static void test_command_follows_a_lexical_error(Fixture *f, const void *data)
{
    static const char *const bad[] = { "{\xff", "{'bad \xff", "{\x01", "%p" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        check_error(f, bad[i], "GenericError", "JSON parse error, ");
        check_error(f, "{'execute': 'no-such-cmd'}", "CommandNotFound",
                    "no-such-cmd");
    }
}

/* Sends @head, 10 MiB of @c and @tail. */
static void send_10_mib(Fixture *f, const char *head, char c,
                        const char *tail)
{
    g_autofree char *text = g_malloc(10 * MiB);

    memset(text, c, 10 * MiB);
    qmp_client_send(f->c, head);
    qmp_client_send_bytes(f->c, text, 10 * MiB);
    qmp_client_send(f->c, tail);
}

static void test_line_of_10_mib_is_one_error(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) reply = NULL;

    send_10_mib(f, "", 'x', "\n");
    reply = qmp_client_reply(f->c);
    qmp_assert_error(reply, "GenericError", "JSON parse error, ");
    qmp_client_check_alive(f->c);
}

static void test_argument_of_10_mib_is_one_reply(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) error = NULL, reply = NULL;

    send_10_mib(f, "{'execute': 'qom-list', 'arguments': {'path': '/", 'x',
                "'}}\n");
    error = qmp_client_reply(f->c);
    qmp_assert_error(error, "DeviceNotFound", "not found");
    send_10_mib(f, "{'execute': 'query-name', 'id': '", 'y', "'}\n");
    reply = qmp_client_reply(f->c);
    g_assert_cmpuint(strlen(json_object_get_string_member(reply, "id")), ==,
                     10 * MiB);
    qmp_client_check_alive(f->c);
}

static void test_deep_nesting_is_one_error(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) reply = NULL;

    send_10_mib(f, "{'execute': 'query-name', 'id': ", '[', "\n");
    reply = qmp_client_reply(f->c);
    qmp_assert_error(reply, "GenericError", "nesting");
    qmp_client_check_alive(f->c);
}

static void test_commands_in_one_piece_are_answered_in_order(
    Fixture *f, const void *data)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 1000; i++) {
        g_string_append_printf(text, "{'execute':'query-name','id':%d}", i);
    }
    qmp_client_send(f->c, text->str);
    for (int i = 0; i < 1000; i++) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->c);

        g_assert_cmpint(json_object_get_int_member(reply, "id"), ==, i);
    }
}

static void test_slow_reader_gets_everything(Fixture *f, const void *data)
{
    for (unsigned i = 0; i < 200; i++) {
        qmp_client_send(f->c, "{'execute': 'qom-list-types'}\n");
    }
    for (unsigned i = 0; i < 200; i++) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->c);

        g_assert_true(json_object_has_member(reply, "return"));
    }
    qmp_client_check_alive(f->c);
}

static void test_random_input_does_no_harm(Fixture *f, const void *data)
{
    static const char *const pieces[] = {
        "{", "}", "[", "]", ",", ":", "'execute'", "'arguments'", "'id'",
        "'qom-get'", "'query-name'", "'path'", "1", "-", "1e5", "true", "null",
        " ", "\n", "\"", "'", "\\", "\xff", "nonsense", "{'execute': ",
    };
    g_autoptr(GRand) rand = qtest_rand_new();
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < 20000; i++) {
        g_string_append(text, pieces[g_rand_int_range(
            rand, 0, G_N_ELEMENTS(pieces))]);
    }
    qmp_client_send_bytes(f->c, text->str, text->len);
    /* Ends whatever is open, so that the next line is understood. */
    qmp_client_send(f->c, "}]}]\x01\n");
    qmp_client_send(f->c, "{'execute': 'query-status', 'id': 'end'}\n");
    for (;;) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->c);

        if (!g_strcmp0(json_object_get_string_member_with_default(
                           reply, "id", NULL), "end")) {
            break;
        }
    }
    qmp_client_check_alive(f->c);
}

#define ADD(name, fn) \
    g_test_add("/qmp-input/" name, Fixture, NULL, setup, fn, teardown)

/* QEMU words it otherwise, and has other limits. */
static void add_strict_tests(void)
{
    ADD("malformed-json-keeps-the-connection",
        test_malformed_json_keeps_the_connection);
    ADD("command-follows-a-lexical-error",
        test_command_follows_a_lexical_error);
    ADD("line-of-10-mib-is-one-error", test_line_of_10_mib_is_one_error);
    ADD("deep-nesting-is-one-error", test_deep_nesting_is_one_error);
    ADD("random-input-does-no-harm", test_random_input_does_no_harm);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("argument-of-10-mib-is-one-reply",
        test_argument_of_10_mib_is_one_reply);
    ADD("commands-in-one-piece-are-answered-in-order",
        test_commands_in_one_piece_are_answered_in_order);
    ADD("slow-reader-gets-everything", test_slow_reader_gets_everything);
    if (qtest_has_clock()) {
        add_strict_tests();
    }
    return g_test_run();
}
