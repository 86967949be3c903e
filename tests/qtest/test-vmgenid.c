/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmgenid: one number for the guest's memory, for firmware and for management, and
 * how an option chooses it.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "bzimage.h"
#include "cli.h"
#include "fw-cfg.h"
#include "qemu/units.h"

#define GUID "54d1c06c-8f5b-440f-b5b2-6eab1380e13d"
#define FILE_NAME "etc/vmgenid_guid"
#define GUID_OFFSET 40

/* As a guest has it. */
static const uint8_t guid_bytes[16] = {
    0x6c, 0xc0, 0xd1, 0x54, 0x5b, 0x8f, 0x0f, 0x44,
    0xb5, 0xb2, 0x6e, 0xab, 0x13, 0x80, 0xe1, 0x3d,
};

/* g_free(). */
static char *query(QTestState *s)
{
    g_autoptr(JsonNode) reply =
        qmp_client_do(qtest_qmp(s), "{'execute': 'query-vm-generation-id'}");

    return g_strdup(json_object_get_string_member(json_node_get_object(reply),
                                                  "guid"));
}

/* What "info" says; g_free(). */
static char *info(QTestState *s)
{
    return qtest_hmp(s, "info vm-generation-id");
}

static void test_guid_is_told(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -device vmgenid,guid=" GUID);
    g_autoptr(GByteArray) file = qfw_cfg_read_file(s, FILE_NAME);
    g_autofree char *guid = query(s), *text = info(s);

    g_assert_cmpstr(guid, ==, GUID);
    g_assert_cmpstr(g_strstrip(text), ==, GUID);
    g_assert_cmpuint(file->len, ==, 4096);
    g_assert_cmpmem(file->data + GUID_OFFSET, 16, guid_bytes, 16);
    qtest_quit(s);
}

static char *start_and_query(const char *device)
{
    QTestState *s = qtest_init("-M q35 -m 64M -device %s", device);
    char *guid = query(s);

    g_assert_true(g_uuid_string_is_valid(guid));
    qtest_quit(s);
    return guid;
}

static void test_auto_is_another_each_time(void)
{
    g_autofree char *first = start_and_query("vmgenid,guid=auto");
    g_autofree char *second = start_and_query("vmgenid,guid=auto");
    g_autofree char *third = start_and_query("vmgenid");

    g_assert_cmpstr(first, !=, second);
    g_assert_cmpstr(second, !=, third);
}

/* Without firmware the DSDT's PLAT region leads to it, which begins the tables. */
static void test_without_firmware_it_is_in_memory(void)
{
    g_autofree char *kernel = bzimage_make();
    QTestState *s = qtest_init("-M q35 -m 64M -kernel %s -device vmgenid,guid="
                               GUID, kernel);
    uint64_t page = qtest_readq(s, 0xe0000 + 24);
    uint8_t seen[16];

    qtest_memread(s, page + GUID_OFFSET, seen, sizeof(seen));
    g_assert_cmpmem(seen, 16, guid_bytes, 16);
    json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    qtest_memread(s, page + GUID_OFFSET, seen, sizeof(seen));
    g_assert_cmpmem(seen, 16, guid_bytes, 16);
    qtest_quit(s);
    s = qtest_init("-M q35 -m 64M -kernel %s", kernel);
    g_assert_cmphex(qtest_readq(s, 0xe0000 + 24), ==, 0);
    qtest_quit(s);
    g_unlink(kernel);
}

static void test_it_cannot_be_changed(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -device vmgenid,id=g,guid=" GUID);
    g_autofree char *guid = NULL;

    qmp_client_expect_error(qtest_qmp(s), "GenericError", "cannot be changed",
                            "{'execute': 'qom-set', 'arguments': {"
                            " 'path': '/machine/peripheral/g',"
                            " 'property': 'guid', 'value': 'auto'}}");
    guid = query(s);
    g_assert_cmpstr(guid, ==, GUID);
    qtest_quit(s);
}

static void test_without_the_device_there_is_none(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    qmp_client_expect_error(qtest_qmp(s), "GenericError", "not found",
                            "{'execute': 'query-vm-generation-id'}");
    g_assert_null(qfw_cfg_read_file(s, FILE_NAME));
    qtest_quit(s);
}

static void test_what_is_refused(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-device vmgenid,guid=x", "guid=x: auto or a UUID" },
        { QTEST_ARGS "-device vmgenid -device vmgenid", "etc/vmgenid_guid" },
        { QTEST_ARGS "-machine none -device vmgenid", "no fw_cfg device" },
    };

    cli_begin();
    cli_check_all(cases, ARRAY_SIZE(cases));
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/vmgenid/the GUID is told", test_guid_is_told);
    g_test_add_func("/vmgenid/auto is another each time",
                    test_auto_is_another_each_time);
    g_test_add_func("/vmgenid/without firmware it is in memory",
                    test_without_firmware_it_is_in_memory);
    g_test_add_func("/vmgenid/it cannot be changed", test_it_cannot_be_changed);
    g_test_add_func("/vmgenid/without the device there is none",
                    test_without_the_device_there_is_none);
    g_test_add_func("/vmgenid/what is refused", test_what_is_refused);
    return g_test_run();
}
