/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-qmp-schema as clients use it that look for what there is, libvirt first of
 * all, and arguments of which the schema leaves a choice. What QEMU has, and says,
 * depends on its version.
 */
#include <string.h>

#include "libqtest.h"

/* --- ways through it ------------------------------------------------------ */

/* The element of @entry's array @list whose @key is @value; NULL: there is none. */
static JsonObject *find_element(JsonObject *entry, const char *list,
                                const char *key, const char *value)
{
    JsonArray *array = json_object_has_member(entry, list)
        ? json_object_get_array_member(entry, list) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonObject *o = json_array_get_object_element(array, i);

        if (!strcmp(json_object_get_string_member(o, key), value)) {
            return o;
        }
    }
    return NULL;
}

/*
 * One step on the way of a client that looks for what it may use: the name of a
 * member, *NAME if it may be left out, +NAME for what an object has in that case,
 * ^NAME for a value of an enumeration. NULL: it does not exist.
 */
static JsonObject *step(JsonNode *schema, JsonObject *entry, const char *name)
{
    JsonObject *found;

    switch (*name) {
    case '^':
        return find_element(entry, "members", "name", name + 1);
    case '+':
        found = find_element(entry, "variants", "case", name + 1);
        break;
    case '*':
        found = find_element(entry, "members", "name", name + 1);
        found = found && json_object_has_member(found, "default") ? found : NULL;
        break;
    default:
        if (json_object_has_member(entry, name)) {
            return qmp_schema_entry(
                schema, json_object_get_string_member(entry, name));
        }
        found = find_element(entry, "members", "name", name);
        break;
    }
    return found ? qmp_schema_entry(
                       schema, json_object_get_string_member(found, "type"))
                 : NULL;
}

static bool leads_somewhere(JsonNode *schema, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    JsonObject *entry = qmp_schema_entry(schema, names[0]);

    for (char **name = names + 1; *name && entry; name++) {
        entry = step(schema, entry, *name);
    }
    return entry;
}

/* Of these libvirt makes up its mind. */
static const char *const ways[] = {
    "blockdev-add/arg-type/driver/^qcow2",
    "blockdev-add/arg-type/discard",
    "blockdev-add/arg-type/detect-zeroes/^unmap",
    "blockdev-add/arg-type/*cache/direct",
    "blockdev-add/arg-type/+nvme",
    "blockdev-add/arg-type/+nvme/namespace",
    "blockdev-add/arg-type/+file/aio/^threads",
    "blockdev-add/arg-type/+file/locking/^off",
    "blockdev-add/arg-type/+host_device/filename",
    "blockdev-add/arg-type/+raw/offset",
    "blockdev-add/arg-type/+qcow2/encrypt/+luks/key-secret",
    "blockdev-add/arg-type/+nbd/tls-hostname",
    "query-named-block-nodes/arg-type/flat",
    "netdev_add/arg-type/type/^dgram",
    "netdev_add/arg-type/type/^stream",
    "netdev_add/arg-type/+dgram/remote",
    "netdev_add/arg-type/+stream",
    "netdev_add/arg-type/+stream/reconnect",
    "netdev_add/arg-type/+tap/vhost",
    "netdev_add/arg-type/+vhost-user/chardev",
};

static const char *const ways_to_nowhere[] = {
    "blockdev-add/arg-type/+vxhs",
    "blockdev-add/arg-type/+file/drop-cache",
    "blockdev-add/arg-type/*driver",
    "blockdev-add/arg-type/driver/^qcow9",
    "netdev_add/arg-type/+vhost-vdpa",
    "netdev_add/arg-type/*type",
    "netdev_add/arg-type/+socket",
};

static void test_what_can_be_used_is_found(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) schema = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-qmp-schema'}");

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (!leads_somewhere(schema, ways[i])) {
            g_error("%s leads nowhere", ways[i]);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ways_to_nowhere); i++) {
        g_assert_false(leads_somewhere(schema, ways_to_nowhere[i]));
    }
#ifdef CONFIG_LINUX_IO_URING
    g_assert_true(leads_somewhere(schema,
                                  "blockdev-add/arg-type/+file/aio/^io_uring"));
#endif
#ifdef CONFIG_SLIRP
    g_assert_true(leads_somewhere(schema, "netdev_add/arg-type/+user/hostfwd"));
#endif
    qtest_quit(qts);
}

/* Each type of a choice is taken, and no other; nesting may be deep. */
static void test_choices(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    QmpClient *c = qtest_qmp(qts);
    g_autoptr(GString) deep = g_string_new(NULL);
    const unsigned depth = 900;
    g_autoptr(JsonObject) reply = NULL;

#define ADD_RAW "{'execute': 'blockdev-add', 'arguments': {"                     \
    "'node-name': 'r', 'driver': 'raw', 'file': %s}}"
    qmp_client_expect_error(c, "GenericError", "Cannot find node 'x'", ADD_RAW,
                            "'x'");
    qmp_client_expect_error(c, "GenericError", "No such file", ADD_RAW,
                            "{'driver': 'file', 'filename': '/nonexistent'}");
    qmp_client_expect_error(c, "GenericError", "'file.filename' is missing",
                            ADD_RAW, "{'driver': 'file'}");
    qmp_client_expect_error(c, "GenericError", "'file', expected: "
                            "BlockdevOptions,str", ADD_RAW, "null");
    qmp_client_expect_error(c, "GenericError", "'file.read-only', expected: "
                            "boolean", ADD_RAW,
                            "{'driver': 'file', 'read-only': 'on'}");
    g_string_append(deep, "{\"execute\":\"blockdev-add\",\"arguments\":");
    for (unsigned i = 0; i < depth; i++) {
        g_string_append(deep, "{\"driver\":\"raw\",\"file\":");
    }
    g_string_append(deep, "7");
    for (unsigned i = 0; i < depth; i++) {
        g_string_append(deep, "}");
    }
    g_string_append(deep, "}");
    qmp_client_send(c, deep->str);
    reply = qmp_client_reply(c);
    qmp_assert_error(reply, "GenericError", "expected: BlockdevOptions,str");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/qmp-schema-use/what-there-is", test_what_can_be_used_is_found);
    g_test_add_func("/qmp-schema-use/choices", test_choices);
    return g_test_run();
}
