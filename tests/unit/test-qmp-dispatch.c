/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a QMP request to its reply: monitor/qmp-dispatch.c. */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

/* --- commands to call ---------------------------------------------------- */

static unsigned calls;
static bool oob = true;                   /* "exec-oob" is understood */

static JsonNode *echo(JsonObject *args, Error **errp)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    calls++;
    json_node_set_object(node, args);
    return node;
}

static JsonNode *nothing(JsonObject *args, Error **errp)
{
    calls++;
    return NULL;
}

static JsonNode *lost(JsonObject *args, Error **errp)
{
    calls++;
    error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found", "x");
    return NULL;
}

static const QmpType test_types[] = {
    { .name = "TestEnum", .values = "one,two", .help = "" },
    { .name = "TestObject", .members = "?l:[TestObject2]",
      .help = "\nl: a list" },
    { .name = "TestObject2", .members = "i:int", .help = "\ni: a number" },
    { .name = "TestUnion", .members = "e:TestEnum", .tag = "e",
      .variants = "two:TestObject2", .help = "\ne: which" },
};

static const QmpCommand commands[] = {
    { .name = "test-echo", .fn = echo,
      .args = "s:str,?b:bool,?i:int,?n:number,?o:TestObject,?a:[int],?x:any,"
              "?e:TestEnum,?u:TestUnion",
      .help = "\ns: \nb: \ni: \nn: \no: \na: \nx: \ne: \nu: " },
    { .name = "test-open", .args = "s:str,**", .fn = echo,
      .help = "\ns: \n**: " },
    { .name = "test-nothing", .fn = nothing, .help = "" },
    { .name = "test-lost", .fn = lost, .help = "" },
    { .name = "test-quick", .fn = nothing, .help = "", .allow_oob = true },
};

static const QmpCommand *find(const char *name, void *opaque, Error **errp)
{
    const QmpCommand *cmd = qmp_find_command(name);

    if (!cmd) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND, "no %s", name);
    }
    return cmd;
}

/* The reply to @request, as text; the caller's. */
static char *reply_to(const char *request)
{
    g_autoptr(GError) err = NULL;
    g_autoptr(JsonNode) node = json_from_string(request, &err);
    g_autoptr(JsonObject) reply = NULL;
    g_autoptr(JsonNode) reply_node = NULL;

    g_assert_no_error(err);
    reply = qmp_dispatch(node, oob, find, NULL);
    reply_node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(reply_node, reply);
    return json_to_string(reply_node, FALSE);
}

static void check(const char *request, const char *expected)
{
    g_autofree char *reply = reply_to(request);

    g_assert_cmpstr(reply, ==, expected);
}

/* The same for a generic error, and no command is called. */
static void check_error(const char *request, const char *desc)
{
    g_autofree char *expected = g_strdup_printf(
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"%s\"}}", desc);
    unsigned before = calls;

    check(request, expected);
    g_assert_cmpuint(calls, ==, before);
}

/* --- tests --------------------------------------------------------------- */

static void test_reply_is_what_the_command_returns(void)
{
    check("{\"execute\":\"test-echo\",\"arguments\":{\"s\":\"v\"}}",
          "{\"return\":{\"s\":\"v\"}}");
    check("{\"execute\":\"test-nothing\"}", "{\"return\":{}}");
    check("{\"execute\":\"test-nothing\",\"arguments\":{}}",
          "{\"return\":{}}");
}

static void test_out_of_band_is_for_commands_that_allow_it(void)
{
    g_autoptr(JsonNode) in_band = json_from_string("{\"execute\":1}", NULL);
    g_autoptr(JsonNode) other = json_from_string("{\"exec-oob\":1}", NULL);
    g_autoptr(JsonNode) list = json_from_string("[\"exec-oob\"]", NULL);

    g_assert_false(qmp_request_is_oob(in_band));
    g_assert_true(qmp_request_is_oob(other));
    g_assert_false(qmp_request_is_oob(list));
    check("{\"exec-oob\":\"test-quick\"}", "{\"return\":{}}");
    check("{\"execute\":\"test-quick\"}", "{\"return\":{}}");
    check_error("{\"exec-oob\":\"test-nothing\"}",
                "The command test-nothing does not support OOB");
    check_error("{\"exec-oob\":\"test-quick\",\"execute\":\"test-quick\"}",
                "QMP input member 'exec-oob' clashes with 'execute'");
    check_error("{\"exec-oob\":1}",
                "QMP input member 'exec-oob' must be a string");
}

static void test_error_has_class_and_text(void)
{
    check("{\"execute\":\"test-lost\"}",
          "{\"error\":{\"class\":\"DeviceNotFound\","
          "\"desc\":\"Device 'x' not found\"}}");
    check("{\"execute\":\"foo\"}",
          "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"no foo\"}}");
}

static void test_id_of_any_type_comes_back(void)
{
    static const char *const ids[] = {
        "1", "-1", "0.5", "\"x\"", "null", "true", "{\"a\":[1,{}]}", "[]", "\"\"",
    };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        g_autofree char *good = g_strdup_printf(
            "{\"execute\":\"test-nothing\",\"id\":%s}", ids[i]);
        g_autofree char *bad = g_strdup_printf(
            "{\"id\":%s,\"execute\":\"test-lost\"}", ids[i]);
        g_autofree char *no_command = g_strdup_printf("{\"id\":%s}", ids[i]);
        g_autofree char *ok = g_strdup_printf("{\"return\":{},\"id\":%s}",
                                              ids[i]);
        g_autofree char *tail = g_strdup_printf("\"id\":%s}", ids[i]);
        g_autofree char *error = reply_to(bad);
        g_autofree char *lacking = reply_to(no_command);

        check(good, ok);
        g_assert_true(g_str_has_suffix(error, tail));
        g_assert_true(g_str_has_suffix(lacking, tail));
        g_assert_nonnull(strstr(lacking, "lacks member"));
    }
}

static void test_requests_are_objects_with_execute(void)
{
    static const char *const no_objects[] = { "[]", "1", "\"x\"", "null" };

    for (size_t i = 0; i < ARRAY_SIZE(no_objects); i++) {
        check_error(no_objects[i], "QMP input must be a JSON object");
    }
    check_error("{}", "QMP input lacks member 'execute'");
    check_error("{\"arguments\":{}}", "QMP input lacks member 'execute'");
    check_error("{\"execute\":1}",
                "QMP input member 'execute' must be a string");
    check_error("{\"execute\":null}",
                "QMP input member 'execute' must be a string");
    check_error("{\"execute\":[\"test-nothing\"]}",
                "QMP input member 'execute' must be a string");
    check_error("{\"execute\":\"test-nothing\",\"extra\":1}",
                "QMP input member 'extra' is unexpected");
    oob = false;
    check_error("{\"exec-oob\":\"test-quick\"}",
                "QMP input member 'exec-oob' is unexpected");
    oob = true;
    check_error("{\"execute\":\"test-nothing\",\"arguments\":[]}",
                "QMP input member 'arguments' must be an object");
    check_error("{\"execute\":\"test-nothing\",\"arguments\":null}",
                "QMP input member 'arguments' must be an object");
}

/* The arguments @args of test-echo must be refused with @desc. */
static void check_args(const char *args, const char *desc)
{
    g_autofree char *request = g_strdup_printf(
        "{\"execute\":\"test-echo\",\"arguments\":%s}", args);

    check_error(request, desc);
}

static void test_arguments_are_checked(void)
{
    check_error("{\"execute\":\"test-echo\"}", "Parameter 's' is missing");
    check_args("{}", "Parameter 's' is missing");
    check_args("{\"b\":true}", "Parameter 's' is missing");
    check_args("{\"s\":\"\",\"y\":1}", "Parameter 'y' is unexpected");
    check_args("{\"s\":\"\",\"S\":1}", "Parameter 'S' is unexpected");
    check_error("{\"execute\":\"test-nothing\",\"arguments\":{\"a\":1}}",
                "Parameter 'a' is unexpected");
}

static void test_types_of_arguments_are_checked(void)
{
    static const struct {
        const char *name, *type, *good[3], *bad[6];
    } types[] = {
        { "s", "string", { "\"\"" },
          { "1", "true", "null", "{}", "[]", "1.5" } },
        { "b", "boolean", { "true", "false" },
          { "1", "\"on\"", "null", "{}", "[]", "0.0" } },
        { "i", "integer", { "0", "-5" },
          { "1.5", "\"1\"", "null", "{}", "[]", "true" } },
        { "n", "number", { "0", "1.5" },
          { "\"1\"", "null", "{}", "[]", "true" } },
        { "o", "object", { "{}" },
          { "[]", "null", "1", "\"{}\"", "true" } },
        { "a", "array", { "[]", "[1]" },
          { "{}", "null", "1", "\"[]\"", "true" } },
        { "x", "any", { "null", "{}", "1" }, { NULL } },
    };

    for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
        const char *s = t ? "\"s\":\"\"," : "";

        for (size_t i = 0; i < 3 && types[t].good[i]; i++) {
            g_autofree char *request = g_strdup_printf(
                "{\"execute\":\"test-echo\",\"arguments\":{%s\"%s\":%s}}", s,
                types[t].name, types[t].good[i]);
            g_autofree char *reply = reply_to(request);

            g_assert_true(g_str_has_prefix(reply, "{\"return\":"));
        }
        for (size_t i = 0; i < 6 && types[t].bad[i]; i++) {
            g_autofree char *args = g_strdup_printf(
                "{%s\"%s\":%s}", s, types[t].name, types[t].bad[i]);
            g_autofree char *desc = g_strdup_printf(
                "Invalid parameter type for '%s', expected: %s", types[t].name,
                types[t].type);

            check_args(args, desc);
        }
    }
}

static void test_open_commands_take_more(void)
{
    check("{\"execute\":\"test-open\",\"arguments\":{\"s\":\"\",\"y\":[1]}}",
          "{\"return\":{\"s\":\"\",\"y\":[1]}}");
    check_error("{\"execute\":\"test-open\",\"arguments\":{\"y\":1}}",
                "Parameter 's' is missing");
}

/* Every registered command has a description and a specification that can be
 * checked. */
static void test_values_of_enumerations_are_checked(void)
{
    check("{\"execute\":\"test-echo\",\"arguments\":{\"s\":\"\",\"e\":\"one\"}}",
          "{\"return\":{\"s\":\"\",\"e\":\"one\"}}");
    check_args("{\"s\":\"\",\"e\":\"three\"}",
               "Parameter 'e' does not accept value 'three'; it accepts: "
               "one, two");
    check_args("{\"s\":\"\",\"e\":1}",
               "Invalid parameter type for 'e', expected: string");
}

static void test_what_is_inside_an_argument_is_checked(void)
{
    static const struct {
        const char *args, *desc;
    } bad[] = {
        { "{\"s\":\"\",\"a\":[1,\"x\"]}",
          "Invalid parameter type for 'a[1]', expected: integer" },
        { "{\"s\":\"\",\"o\":{\"l\":[{}]}}", "Parameter 'o.l[0].i' is missing" },
        { "{\"s\":\"\",\"o\":{\"l\":[{\"i\":1,\"j\":1}]}}",
          "Parameter 'o.l[0].j' is unexpected" },
        { "{\"s\":\"\",\"o\":{\"l\":[1]}}",
          "Invalid parameter type for 'o.l[0]', expected: object" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        check_args(bad[i].args, bad[i].desc);
    }
}

static void test_members_of_the_other_case_are_unexpected(void)
{
    check("{\"execute\":\"test-echo\",\"arguments\":{\"s\":\"\","
          "\"u\":{\"e\":\"two\",\"i\":1}}}",
          "{\"return\":{\"s\":\"\",\"u\":{\"e\":\"two\",\"i\":1}}}");
    check_args("{\"s\":\"\",\"u\":{\"e\":\"two\"}}",
               "Parameter 'u.i' is missing");
    check_args("{\"s\":\"\",\"u\":{\"e\":\"one\",\"i\":1}}",
               "Parameter 'u.i' is unexpected");
    check_args("{\"s\":\"\",\"u\":{\"i\":1}}", "Parameter 'u.e' is missing");
}

/* --- the schema ---------------------------------------------------------- */

static void check_schema(const char *complaint)
{
    Error *err = NULL;
    bool ok = qmp_check_schema(&err);

    g_assert_cmpint(ok, ==, !complaint);
    g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, complaint);
    g_clear_error(&err);
}

/* What is registered stays, and the first in the order of names is told: hence
 * the names. Last of all tests. */
static void test_schema_with_a_hole_is_noticed(void)
{
    static const QmpCommand broken[] = {
        { .name = "test-d", .args = "a:str", .help = "It does.", .fn = echo },
        { .name = "test-c", .args = "a:Nothing", .help = "It does.\na: it",
          .fn = echo },
        { .name = "test-b", .returns = "[Nothing]", .help = "It does.",
          .fn = echo },
        { .name = "test-a", .args = "Nothing", .help = "It does.", .fn = echo },
    };
    static const char *const complaints[] = {
        "test-d: 'a' is not described", "test-c: there is no type 'Nothing'",
        "test-b: there is no type 'Nothing'",
        "test-a: there is no type 'Nothing'",
    };

    check_schema(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        qmp_register_commands(&broken[i], 1);
        check_schema(complaints[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qmp_register_types(test_types, ARRAY_SIZE(test_types));
    qmp_register_commands(commands, ARRAY_SIZE(commands));
    g_test_add_func("/qmp-dispatch/reply-is-what-the-command-returns",
                    test_reply_is_what_the_command_returns);
    g_test_add_func("/qmp-dispatch/out-of-band-is-for-commands-that-allow-it",
                    test_out_of_band_is_for_commands_that_allow_it);
    g_test_add_func("/qmp-dispatch/error-has-class-and-text",
                    test_error_has_class_and_text);
    g_test_add_func("/qmp-dispatch/id-of-any-type-comes-back",
                    test_id_of_any_type_comes_back);
    g_test_add_func("/qmp-dispatch/requests-are-objects-with-execute",
                    test_requests_are_objects_with_execute);
    g_test_add_func("/qmp-dispatch/arguments-are-checked",
                    test_arguments_are_checked);
    g_test_add_func("/qmp-dispatch/types-of-arguments-are-checked",
                    test_types_of_arguments_are_checked);
    g_test_add_func("/qmp-dispatch/open-commands-take-more",
                    test_open_commands_take_more);
    g_test_add_func("/qmp-dispatch/values-of-enumerations-are-checked",
                    test_values_of_enumerations_are_checked);
    g_test_add_func("/qmp-dispatch/what-is-inside-an-argument-is-checked",
                    test_what_is_inside_an_argument_is_checked);
    g_test_add_func("/qmp-dispatch/members-of-the-other-case-are-unexpected",
                    test_members_of_the_other_case_are_unexpected);
    g_test_add_func("/qmp-dispatch/schema-with-a-hole-is-noticed",
                    test_schema_with_a_hole_is_noticed);
    return g_test_run();
}
