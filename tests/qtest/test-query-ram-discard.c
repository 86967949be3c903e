/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-ram-discard: what it tells of regions, runs, listeners and refusals is
 * what the guest and the devices did, in pages of bounded size.
 */
#include <errno.h>
#include <string.h>

#include "coordination.h"
#include "qemu/units.h"

static JsonNode *query(QTestState *s, const char *arguments)
{
    return qmp_client_do(
        qtest_qmp(s),
        "{'execute': 'query-ram-discard', 'arguments': {%s}}", arguments);
}

static JsonObject *region_of(JsonNode *regions, unsigned nth)
{
    return json_array_get_object_element(json_node_get_array(regions), nth);
}

static uint64_t number(JsonObject *object, const char *name)
{
    g_assert_true(json_object_has_member(object, name));
    return (uint64_t)json_object_get_int_member(object, name);
}

static const char *text(JsonObject *object, const char *name)
{
    g_assert_true(json_object_has_member(object, name));
    return json_object_get_string_member(object, name);
}

/* The runs of @region as "offset+length", in blocks, separated by blanks. */
static char *runs_text(JsonObject *region)
{
    JsonArray *runs = json_object_get_array_member(region, "runs");
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonObject *run = json_array_get_object_element(runs, i);

        g_string_append_printf(out, "%s%" PRIu64 "+%" PRIu64, i ? " " : "",
                               number(run, "offset") / (uint64_t)BLOCK,
                               number(run, "length") / (uint64_t)BLOCK);
    }
    return g_string_free(out, FALSE);
}

static void expect_runs(JsonObject *region, const char *runs)
{
    g_autofree char *is = runs_text(region);

    g_assert_cmpstr(is, ==, runs);
}

static void expect_error(QTestState *s, const char *part,
                         const char *arguments)
{
    qmp_client_expect_error(
        qtest_qmp(s), "GenericError", part,
        "{'execute': 'query-ram-discard', 'arguments': {%s}}", arguments);
}

/* What the monitor for people says to @line must hold @part. */
static void expect_hmp(QTestState *s, const char *line, const char *part)
{
    g_autofree char *said = qtest_hmp(s, "%s", line);

    if (!strstr(said, part)) {
        g_error("%s says '%s'", line, said);
    }
}

/* --- with a vfio-user device ---------------------------------------------- */

typedef struct Fixture {
    Coordination c;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
}

static void plug(Fixture *f, uint64_t block, uint16_t nb)
{
    assert_ack(qvirtio_mem_plug(&f->c.mem[0],
                                coordination_block(&f->c, 0, block), nb));
}

static void test_region(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) regions = query(f->c.qts, "");
    JsonObject *region = region_of(regions, 0);
    JsonArray *managers = json_object_get_array_member(region, "managers");
    JsonObject *manager = json_array_get_object_element(managers, 0);

    g_assert_cmpuint(json_array_get_length(json_node_get_array(regions)), ==,
                     1);
    g_assert_cmpstr(text(region, "region"), ==, "mem0");
    g_assert_cmpuint(json_array_get_length(managers), ==, 1);
    g_assert_cmpstr(text(manager, "type"), ==, "virtio-mem");
    g_assert_true(g_str_has_prefix(text(manager, "path"),
                                   "/machine/peripheral/vm0/"));
    g_assert_cmpuint(number(region, "size"), ==, 256 * MiB);
    g_assert_cmpuint(number(region, "granularity"), ==, BLOCK);
    g_assert_cmpuint(number(region, "populated"), ==, 0);
    expect_runs(region, "");
    g_assert_false(json_object_has_member(region, "last-refusal"));
    g_assert_false(json_object_has_member(region, "next"));
}

/* How many times @object has under @name. */
static uint64_t count_times(JsonObject *object, const char *name)
{
    JsonArray *times = json_object_get_array_member(object, name);
    uint64_t sum = 0, before = 0;

    for (guint i = 0; i < json_array_get_length(times); i++) {
        JsonObject *info = json_array_get_object_element(times, i);

        sum += number(info, "count");
        g_assert_cmpuint(number(info, "count"), >, 0);
        if (json_object_has_member(info, "below")) {
            g_assert_cmpuint(number(info, "below"), >, before);
            before = number(info, "below");
        }
    }
    return sum;
}

static void test_times_are_counted(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) regions = NULL;
    JsonObject *region, *listener, *manager;

    plug(f, 2, 3);
    plug(f, 9, 1);
    assert_ack(qvirtio_mem_unplug(&f->c.mem[0],
                                  coordination_block(&f->c, 0, 2), 3));
    qvfio_user_arm(&f->c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 0, EINVAL);
    assert_busy(qvirtio_mem_plug(&f->c.mem[0],
                                 coordination_block(&f->c, 0, 4), 2));
    regions = query(f->c.qts, "'region': 'mem0'");
    region = region_of(regions, 0);
    listener = json_array_get_object_element(
        json_object_get_array_member(region, "listeners"), 0);
    manager = json_array_get_object_element(
        json_object_get_array_member(region, "managers"), 0);
    g_assert_cmpuint(count_times(manager, "plug-times"), ==, 3);
    /* A map that is refused is none. */
    g_assert_cmpuint(count_times(listener, "map-times"), ==, 4);
    g_assert_cmpuint(count_times(listener, "unmap-times"), >=, 1);
    expect_hmp(f->c.qts, "info ram-discard", "  plug requests: ");
    expect_hmp(f->c.qts, "info ram-discard", "    maps: ");
    expect_hmp(f->c.qts, "info ram-discard", "    unmaps: ");
}

static void test_listener_follows_plugs(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) regions = NULL;
    JsonObject *region, *listener;

    plug(f, 2, 3);
    plug(f, 9, 1);
    regions = query(f->c.qts, "'region': 'mem0'");
    region = region_of(regions, 0);
    expect_runs(region, "2+3 9+1");
    g_assert_cmpuint(number(region, "populated"), ==, 4 * BLOCK);
    listener = json_array_get_object_element(
        json_object_get_array_member(region, "listeners"), 0);
    g_assert_cmpstr(text(listener, "kind"), ==, "vfio");
    g_assert_cmpstr(json_array_get_string_element(
                        json_object_get_array_member(listener, "devices"), 0),
                    ==, "dev0");
    expect_hmp(f->c.qts, "info ram-discard", "listener \"vfio\" of dev0: ");
    g_assert_cmpuint(number(listener, "mapped"), ==, 4 * BLOCK);
    g_assert_cmpuint(number(listener, "mappings"), ==, 4);
    g_assert_cmpuint(number(listener, "mappings-budget"), >, 4);
}

static void test_runs_come_in_pages(Fixture *f, const void *data)
{
    static const char *const pages[] = { "0+1 2+2", "7+1 10+5", "20+1", NULL };
    uint64_t offset = 0;

    plug(f, 0, 1);
    plug(f, 2, 2);
    plug(f, 7, 1);
    plug(f, 10, 5);
    plug(f, 20, 1);
    for (unsigned i = 0; pages[i]; i++) {
        g_autofree char *arguments = g_strdup_printf(
            "'region': 'mem0', 'limit': 2, 'offset': %" PRIu64, offset);
        g_autoptr(JsonNode) regions = query(f->c.qts, arguments);
        JsonObject *region = region_of(regions, 0);

        expect_runs(region, pages[i]);
        g_assert_cmpuint(number(region, "populated"), ==, 10 * BLOCK);
        g_assert_cmpint(json_object_has_member(region, "next"), ==,
                        pages[i + 1] != NULL);
        if (pages[i + 1]) {
            offset = number(region, "next");
        }
    }
}

static void test_limit_none_and_offsets_within(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) none = NULL, within = NULL, end = NULL;

    plug(f, 4, 4);
    none = query(f->c.qts, "'limit': 0");
    expect_runs(region_of(none, 0), "");
    g_assert_cmpuint(number(region_of(none, 0), "next"), ==, 4 * BLOCK);
    within = query(f->c.qts, "'region': 'mem0', 'offset': 10485761");
    expect_runs(region_of(within, 0), "6+2");
    end = query(f->c.qts, "'region': 'mem0', 'offset': 268435456");
    expect_runs(region_of(end, 0), "");
}

static void test_hostile_arguments(Fixture *f, const void *data)
{
    QTestState *s = f->c.qts;

    expect_error(s, "'nowhere' does not exist", "'region': 'nowhere'");
    expect_error(s, "'boot' does not exist or has no manager",
                 "'region': 'boot'");
    expect_error(s, "from 0 to 268435456",
                 "'region': 'mem0', 'offset': 268435457");
    expect_error(s, "from 0 to", "'region': 'mem0', 'offset': -1");
    expect_error(s, "from 0 to",
                 "'region': 'mem0', 'offset': 9223372036854775807");
    expect_error(s, "'offset' needs 'region'", "'offset': 0");
    expect_error(s, "'limit' expects a number from 0 to 65536",
                 "'limit': 65537");
    expect_error(s, "'limit'", "'limit': -1");
    expect_error(s, "'limit'", "'limit': '5'");
    expect_error(s, "'region'", "'region': ['mem0']");
    expect_error(s, "'colour'", "'colour': 1");
    qmp_client_check_alive(qtest_qmp(s));
}

/* The device's server accepts no more; the guest gets an error it may retry,
 * and the reason is to be read here. */
static void test_refusal_is_told(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) refused = NULL, resolved = NULL;
    JsonObject *refusal;

    qvfio_user_arm(&f->c.dev[0], TESTDEV_FAULT_REFUSE_MAP, 0, ENOMEM);
    g_assert_cmpuint(qvirtio_mem_plug(&f->c.mem[0],
                                      coordination_block(&f->c, 0, 3), 1),
                     !=, VIRTIO_MEM_RESP_ACK);
    refused = query(f->c.qts, "");
    g_assert_cmpuint(number(region_of(refused, 0), "populated"), ==, 0);
    refusal = json_object_get_object_member(region_of(refused, 0),
                                            "last-refusal");
    g_assert_cmpstr(text(refusal, "kind"), ==, "vfio");
    g_assert_cmpuint(number(refusal, "offset"), ==, 3 * BLOCK);
    g_assert_cmpuint(number(refusal, "size"), ==, BLOCK);
    g_assert_cmpuint(number(refusal, "count"), ==, 1);
    g_assert_true(json_object_get_boolean_member(refusal, "standing"));
    g_assert_cmpstr(text(refusal, "reason"), !=, "");
    expect_hmp(f->c.qts, "info ram-discard", "  last-refusal: \"vfio\" said: ");
    expect_hmp(f->c.qts, "info memory-devices",
               "  last-refusal: \"vfio\" said: ");
    plug(f, 3, 1);
    resolved = query(f->c.qts, "");
    refusal = json_object_get_object_member(region_of(resolved, 0),
                                            "last-refusal");
    g_assert_false(json_object_get_boolean_member(refusal, "standing"));
}

/* Of several managers each is told, and what they agree on. */
static void test_several_managers(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) regions = NULL;
    JsonObject *region, *second;
    JsonArray *managers;

    plug(f, 0, 8);
    json_node_unref(qmp_client_do(
        qtest_qmp(f->c.qts), "{'execute': 'object-add', 'arguments': "
        "{'qom-type': 'ram-discard-test-mgr', 'id': 'more', "
        "'memdev': 'mem0', 'granularity': 2097152, 'populated': true}}"));
    json_node_unref(qmp_client_do(
        qtest_qmp(f->c.qts), "{'execute': 'qom-set', 'arguments': "
        "{'path': '/objects/more', 'property': 'discard', "
        "'value': '4M+4M'}}"));
    regions = query(f->c.qts, "");
    region = region_of(regions, 0);
    managers = json_object_get_array_member(region, "managers");
    g_assert_cmpuint(json_array_get_length(managers), ==, 2);
    second = json_array_get_object_element(managers, 1);
    g_assert_cmpstr(text(second, "type"), ==, "ram-discard-test-mgr");
    g_assert_cmpstr(text(second, "path"), ==, "/objects/more");
    g_assert_cmpuint(number(second, "populated"), ==, 252 * MiB);
    g_assert_cmpuint(number(region, "populated"), ==, 6 * BLOCK);
    expect_runs(region, "0+2 4+4");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
                         region, "listeners")), ==, 1);
}

/* --- without ---------------------------------------------------------------- */

/* Every second block of 2 GiB: 512 runs, more than one reply tells. */
static void test_fragmented_regions_have_bounded_replies(void)
{
    Coordination c;
    g_autoptr(JsonNode) all = NULL, most = NULL;

    coordination_start(
        &c, 2, 0, "", " -m 64M,maxmem=8G "
        "-object memory-backend-memfd,id=mem0,size=2G "
        "-object memory-backend-memfd,id=mem1,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=2G "
        "-device virtio-mem-pci,id=vm1,memdev=mem1,block-size=2M,"
        "requested-size=256M");
    for (unsigned i = 0; i < 1024; i += 2) {
        assert_ack(qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, i),
                                    1));
    }
    assert_ack(qvirtio_mem_plug(&c.mem[1], coordination_block(&c, 1, 5), 1));
    all = query(c.qts, "");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
                         region_of(all, 0), "runs")), ==, 256);
    g_assert_cmpuint(number(region_of(all, 0), "next"), ==, 512 * BLOCK);
    expect_runs(region_of(all, 1), "");
    g_assert_cmpuint(number(region_of(all, 1), "next"), ==, 5 * BLOCK);
    most = query(c.qts, "'limit': 65536");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
                         region_of(most, 0), "runs")), ==, 512);
    expect_runs(region_of(most, 1), "5+1");
    coordination_stop(&c);
}

static void test_no_region_is_managed(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) regions = query(s, "");

    g_assert_cmpuint(json_array_get_length(json_node_get_array(regions)), ==,
                     0);
    expect_error(s, "'pc.ram' does not exist or has no manager",
                 "'region': 'pc.ram'");
    qtest_quit(s);
}

#define ADD(name, fn) \
    g_test_add("/query-ram-discard/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("region", test_region);
    ADD("times-are-counted", test_times_are_counted);
    ADD("listener-follows-plugs", test_listener_follows_plugs);
    ADD("runs-come-in-pages", test_runs_come_in_pages);
    ADD("limit-none-and-offsets-within", test_limit_none_and_offsets_within);
    ADD("hostile-arguments", test_hostile_arguments);
    ADD("refusal-is-told", test_refusal_is_told);
    ADD("several-managers", test_several_managers);
    g_test_add_func(
        "/query-ram-discard/fragmented-regions-have-bounded-replies",
        test_fragmented_regions_have_bounded_replies);
    g_test_add_func("/query-ram-discard/no-region-is-managed",
                    test_no_region_is_managed);
    return g_test_run();
}
