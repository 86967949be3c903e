/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-qmp-schema: that it is complete, and that libqtest, which holds every
 * reply of every test against it, would notice one that does not fit.
 */
#include <string.h>

#include "libqtest.h"

/* --- the emulator's ------------------------------------------------------ */

static JsonNode *query_schema(QTestState *qts)
{
    return qmp_client_do(qtest_qmp(qts), "{'execute': 'query-qmp-schema'}");
}

/* The entry that the member @name of the object type @type refers to. */
static JsonObject *find_member_type(JsonNode *schema, JsonObject *type,
                                    const char *name)
{
    JsonArray *members = json_object_get_array_member(type, "members");

    for (guint i = 0; i < json_array_get_length(members); i++) {
        JsonObject *member = json_array_get_object_element(members, i);

        if (!strcmp(json_object_get_string_member(member, "name"), name)) {
            return qmp_schema_entry(
                schema, json_object_get_string_member(member, "type"));
        }
    }
    g_error("there is no member '%s'", name);
}

static JsonObject *find_argument_type(JsonNode *schema, const char *command)
{
    return qmp_schema_entry(
        schema, json_object_get_string_member(
                    qmp_schema_entry(schema, command), "arg-type"));
}

/* Whatever an element of @array's member @key names must be there. */
static void check_references(JsonNode *schema, JsonObject *entry,
                             const char *list, const char *key)
{
    JsonArray *array = json_object_has_member(entry, list)
        ? json_object_get_array_member(entry, list) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        qmp_schema_entry(schema, json_object_get_string_member(
                       json_array_get_object_element(array, i), key));
    }
}

static void check_entry(JsonNode *schema, JsonObject *entry)
{
    static const char *const references[] = {
        "arg-type", "ret-type", "element-type",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(references); i++) {
        if (json_object_has_member(entry, references[i])) {
            qmp_schema_entry(schema, json_object_get_string_member(entry,
                                                             references[i]));
        }
    }
    if (!strcmp(json_object_get_string_member(entry, "meta-type"), "object")) {
        check_references(schema, entry, "members", "type");
        check_references(schema, entry, "variants", "type");
    }
}

static void test_references_lead_somewhere(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) schema = query_schema(qts);
    JsonArray *array = json_node_get_array(schema);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        check_entry(schema, json_array_get_object_element(array, i));
    }
    qtest_quit(qts);
}

static void test_every_command_has_an_entry(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) schema = query_schema(qts);
    g_autoptr(JsonNode) commands = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-commands'}");
    JsonArray *array = json_node_get_array(commands);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *command = json_array_get_object_element(array, i);
        JsonObject *entry = qmp_schema_entry(
            schema, json_object_get_string_member(command, "name"));

        g_assert_cmpstr(json_object_get_string_member(entry, "meta-type"), ==,
                        "command");
    }
    qtest_quit(qts);
}

/* What libvirt looks at before it sends an object in today's form. */
static void test_objects_have_their_properties(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) schema = query_schema(qts);
    JsonObject *options = find_argument_type(schema, "object-add");
    JsonArray *variants = json_object_get_array_member(options, "variants");
    JsonObject *memfd = NULL;

    g_assert_cmpstr(json_object_get_string_member(options, "tag"), ==,
                    "qom-type");
    for (guint i = 0; i < json_array_get_length(variants); i++) {
        JsonObject *variant = json_array_get_object_element(variants, i);

        if (!strcmp(json_object_get_string_member(variant, "case"),
                    "memory-backend-memfd")) {
            memfd = qmp_schema_entry(schema, json_object_get_string_member(variant,
                                                                     "type"));
        }
    }
    g_assert_nonnull(memfd);
    g_assert_cmpstr(json_object_get_string_member(
                        find_member_type(schema, memfd, "size"), "name"), ==,
                    "int");
    g_assert_cmpstr(json_object_get_string_member(
                        find_member_type(schema, memfd, "share"), "name"), ==,
                    "bool");
    qtest_quit(qts);
}

static void test_devices_take_json(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) schema = query_schema(qts);
    JsonArray *features = json_object_get_array_member(
        qmp_schema_entry(schema, "device_add"), "features");

    g_assert_cmpstr(json_array_get_string_element(features, 1), ==,
                    "json-cli-hotplug");
    qtest_quit(qts);
}

/* --- libqtest's check ---------------------------------------------------- */

static const char fake_schema[] =
    "[{\"name\":\"int\",\"meta-type\":\"builtin\",\"json-type\":\"int\"},"
    " {\"name\":\"q\",\"meta-type\":\"command\",\"arg-type\":\"1\","
    "  \"ret-type\":\"[1]\"},"
    " {\"name\":\"E\",\"meta-type\":\"event\",\"arg-type\":\"1\"},"
    " {\"name\":\"[1]\",\"meta-type\":\"array\",\"element-type\":\"1\"},"
    " {\"name\":\"1\",\"meta-type\":\"object\",\"tag\":\"k\",\"members\":["
    "  {\"name\":\"k\",\"type\":\"2\"},"
    "  {\"name\":\"n\",\"type\":\"int\",\"default\":null}],"
    "  \"variants\":[{\"case\":\"two\",\"type\":\"3\"}]},"
    " {\"name\":\"2\",\"meta-type\":\"enum\",\"values\":[\"one\",\"two\"]},"
    " {\"name\":\"3\",\"meta-type\":\"object\",\"members\":["
    "  {\"name\":\"x\",\"type\":\"int\"}]}]";

static const char *const fitting[] = {
    "[]", "[{\"k\":\"one\"}]", "[{\"k\":\"one\",\"n\":1}]",
    "[{\"k\":\"two\",\"x\":1},{\"k\":\"one\"}]",
};

static const struct {
    const char *value;
    const char *complaint;
} lies[] = {
    { "{}", "*its type*" },
    { "[1]", "*its type*" },
    { "[{\"n\":1}]", "*schema: k*" },
    { "[{\"k\":\"three\"}]", "*schema: k*" },
    { "[{\"k\":\"one\",\"n\":true}]", "*schema: n*" },
    { "[{\"k\":\"one\",\"m\":1}]", "*schema: m, which the schema has not*" },
    { "[{\"k\":\"one\",\"x\":1}]", "*schema: x, which the schema has not*" },
    { "[{\"k\":\"two\"}]", "*schema: x*" },
};

static void check_fake(const char *text)
{
    g_autoptr(JsonNode) entries = json_from_string(fake_schema, NULL);
    g_autoptr(JsonNode) value = json_from_string(text, NULL);
    QmpSchema *schema = qmp_schema_new(json_node_get_array(entries));

    qmp_schema_check_return(schema, "q", value);
    qmp_schema_free(schema);
}

static void test_reply_that_fits_passes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fitting); i++) {
        check_fake(fitting[i]);
    }
}

static void test_reply_that_lies_ends_the_test(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autofree char *path = g_strdup_printf("/qmp-schema/subprocess/%zu",
                                                i);

        g_test_trap_subprocess(path, 0, 0);
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr(lies[i].complaint);
    }
}

static void test_lie(const void *data)
{
    check_fake(data);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    g_test_add_func("/qmp-schema/references-lead-somewhere",
                    test_references_lead_somewhere);
    g_test_add_func("/qmp-schema/every-command-has-an-entry",
                    test_every_command_has_an_entry);
    g_test_add_func("/qmp-schema/objects-have-their-properties",
                    test_objects_have_their_properties);
    g_test_add_func("/qmp-schema/devices-take-json", test_devices_take_json);
    g_test_add_func("/qmp-schema/reply-that-fits-passes",
                    test_reply_that_fits_passes);
    g_test_add_func("/qmp-schema/reply-that-lies-ends-the-test",
                    test_reply_that_lies_ends_the_test);
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autofree char *path = g_strdup_printf("/qmp-schema/subprocess/%zu",
                                                i);

        g_test_add_data_func(path, lies[i].value, test_lie);
    }
    return g_test_run();
}
