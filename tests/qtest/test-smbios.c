/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS as a guest finds it: as files for firmware, and in memory if there is
 * none. dmidecode, if it is installed, has to read the same of both.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "bzimage.h"
#include "cli.h"
#include "fw-cfg.h"
#include "qemu/units.h"

#define TABLES "etc/smbios/smbios-tables"
#define ANCHOR "etc/smbios/smbios-anchor"
#define DUMP_TABLES 32                    /* where dmidecode's files have them */
#define UUID "3dd750ce-d910-44d0-9493-525c0be4e687"

static uint8_t sum(const uint8_t *p, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++) {
        total += p[i];
    }
    return total;
}

/* --- in memory --- */

/* As Linux looks for it: the address of the entry point, @size bytes of which are in
 * @ep; 0: there is none. */
static uint64_t find_entry_point(QTestState *s, const char *anchor, uint8_t *ep,
                                 size_t size)
{
    for (uint64_t at = 0xf0000; at < MiB; at += 16) {
        qtest_memread(s, at, ep, size);
        if (!memcmp(ep, anchor, strlen(anchor)) && !sum(ep, size)) {
            return at;
        }
    }
    return 0;
}

static QTestState *start_kernel(const char *options)
{
    g_autofree char *kernel = bzimage_make();
    QTestState *s = qtest_init("-m 64M -kernel %s %s", kernel, options);

    g_unlink(kernel);
    return s;
}

static void check_memory_is_file(QTestState *s, uint64_t address, size_t size)
{
    g_autoptr(GByteArray) file = qfw_cfg_read_file(s, TABLES);
    g_autofree uint8_t *seen = g_malloc(size);

    qtest_memread(s, address, seen, size);
    g_assert_cmpmem(seen, size, file->data, file->len);
}

static void test_without_firmware_they_are_in_memory(void)
{
    QTestState *s = start_kernel("-smbios type=1,serial=abc");
    uint8_t ep[31];

    g_assert_cmphex(find_entry_point(s, "_SM_", ep, sizeof(ep)), !=, 0);
    check_memory_is_file(s, ep[24] | ep[25] << 8 | ep[26] << 16 | ep[27] << 24,
                         ep[22] | ep[23] << 8);
    qtest_quit(s);
}

static void test_entry_point_64(void)
{
    QTestState *s = start_kernel("-M q35,smbios-entry-point-type=64");
    uint8_t ep[24], other[31];
    uint64_t address;
    uint32_t size;

    g_assert_cmphex(find_entry_point(s, "_SM3_", ep, sizeof(ep)), !=, 0);
    g_assert_cmphex(find_entry_point(s, "_SM_", other, sizeof(other)), ==, 0);
    memcpy(&size, ep + 12, sizeof(size));
    memcpy(&address, ep + 16, sizeof(address));
    check_memory_is_file(s, address, size);
    qtest_quit(s);
}

/* A guest that has overwritten them gets them back. */
static void test_they_are_there_after_a_reset(void)
{
    QTestState *s = start_kernel("");
    uint8_t ep[31];

    qtest_memset(s, 0xe0000, 0xaa, 128 * KiB);
    g_assert_cmphex(find_entry_point(s, "_SM_", ep, sizeof(ep)), ==, 0);
    json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    g_assert_cmphex(find_entry_point(s, "_SM_", ep, sizeof(ep)), !=, 0);
    qtest_quit(s);
}

/* --- what the guest is told --- */

static void test_uuid_is_the_guests(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -smbios type=1,uuid=" UUID);
    g_autoptr(GByteArray) tables = qfw_cfg_read_file(s, TABLES);
    JsonNode *reply = qmp_client_do(qtest_qmp(s), "{'execute': 'query-uuid'}");
    uint8_t uuid[16];

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(reply),
                                                  "UUID"), ==, UUID);
    qfw_cfg_read(s, FW_CFG_UUID, uuid, sizeof(uuid));
    g_assert_cmphex(uuid[0], ==, 0x3d);
    g_assert_nonnull(memmem(tables->data, tables->len, "\xce\x50\xd7\x3d\x10\xd9",
                            6));
    json_node_unref(reply);
    qtest_quit(s);
}

/* In dmidecode's form. */
static char *write_dump(QTestState *s)
{
    g_autoptr(GByteArray) tables = qfw_cfg_read_file(s, TABLES);
    g_autoptr(GByteArray) dump = qfw_cfg_read_file(s, ANCHOR);
    char *path;
    int fd = g_file_open_tmp("dump-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_cmpuint(dump->len, ==, 31);
    g_assert_cmpuint(sum(dump->data, 31), ==, 0);
    dump->data[24] = DUMP_TABLES;
    dump->data[21] -= DUMP_TABLES;
    g_byte_array_set_size(dump, DUMP_TABLES);
    dump->data[31] = 0;
    g_byte_array_append(dump, tables->data, tables->len);
    g_assert_true(g_file_set_contents(path, (char *)dump->data, dump->len, NULL));
    return path;
}

static char *dmidecode(const char *dump)
{
    char *argv[] = { (char *)"dmidecode", (char *)"--from-dump", (char *)dump,
                     NULL };
    g_autofree char *path = g_strdup_printf("%s:/usr/sbin:/sbin",
                                            g_getenv("PATH"));
    g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "PATH", path, TRUE);
    g_autofree char *err = NULL;
    char *out = NULL;
    int status;

    if (!g_spawn_sync(NULL, argv, env,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_SEARCH_PATH_FROM_ENVP, NULL,
                      NULL, &out, &err, &status, NULL)) {
        return NULL;
    }
    g_test_message("%s", out);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(err, ==, "");
    return out;
}

static void test_dmidecode_reads_them(void)
{
    static const char *const expected[] = {
        "SMBIOS 2.8 present.", "Manufacturer: Someone", "Serial Number: s-1",
        ("UUID: " UUID), "Version: 1.0\n", "UEFI is supported", "Asset Tag: a-3",
        "Socket Designation: CPU 1", "Core Count: 2", "Thread Count: 4",
        "String 2: two", "Size: 16 GB", "Locator: DIMM 1",
        "Speed: 3200 MT/s", "Range Size: 2 GB", "End Of Table",
    };
    QTestState *s = qtest_init(
        "-M q35 -m 20G -smp 8,sockets=2,cores=2,threads=2 "
        "-smbios type=0,vendor=V,version=1.0,date=01/01/2026,release=1.2,uefi=on "
        "-smbios type=1,manufacturer=Someone,serial=s-1,uuid=" UUID " "
        "-smbios type=2,asset=a-2 -smbios type=3,asset=a-3 "
        "-smbios type=11,value=one,value=two -smbios type=17,speed=3200");
    g_autofree char *dump = write_dump(s), *out = dmidecode(dump);

    g_unlink(dump);
    qtest_quit(s);
    if (!out) {
        g_test_skip("dmidecode is not installed");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        if (!strstr(out, expected[i])) {
            g_error("dmidecode does not say: %s", expected[i]);
        }
    }
    g_assert_null(strstr(out, "Wrong"));
    g_assert_null(strstr(out, "TRUNCATED"));
    g_assert_null(strstr(out, "BROKEN"));
    g_assert_null(strstr(out, "Invalid entry"));
}

/* --- what is refused --- */

static void test_bad_options_are_refused(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-smbios type=9",
          "-smbios type=9: type=9: not supported|0, 1, 2, 3, 4, 11, 17" },
        { QTEST_ARGS "-smbios type=1,bios=x", "Invalid parameter 'bios'|serial" },
        { QTEST_ARGS "-smbios file=/nowhere/x", "-smbios file=/nowhere/x|No such" },
        { QTEST_ARGS "-machine none -smbios type=1", "no fw_cfg device" },
        { QTEST_ARGS "-M q35,smbios-entry-point-type=3", "entry-point-type" },
    };

    cli_begin();
    cli_check_all(cases, ARRAY_SIZE(cases));
    cli_end();
}

/* Below 1 MiB there are 128 KiB for ACPI's and these. */
static void test_too_much_for_memory_is_refused(void)
{
    g_autofree char *kernel = bzimage_make();
    g_autofree char *big = g_strnfill(40 * KiB, 'x'), *path = NULL, *args = NULL;
    int fd = g_file_open_tmp("string-XXXXXX", &path, NULL);

    close(fd);
    g_assert_true(g_file_set_contents(path, big, -1, NULL));
    args = g_strdup_printf(
        QTEST_ARGS "-M q35,smbios-entry-point-type=64 -m 64M -kernel %s "
        "-smbios type=11,path=%s,path=%s", kernel, path, path);
    cli_begin();
    cli_check_refused(args, "the SMBIOS tables have|there is room for");
    cli_end();
    g_unlink(path);
    g_unlink(kernel);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/smbios/without firmware they are in memory",
                    test_without_firmware_they_are_in_memory);
    g_test_add_func("/smbios/entry point 64", test_entry_point_64);
    g_test_add_func("/smbios/they are there after a reset",
                    test_they_are_there_after_a_reset);
    g_test_add_func("/smbios/the UUID is the guest's", test_uuid_is_the_guests);
    g_test_add_func("/smbios/dmidecode reads them", test_dmidecode_reads_them);
    g_test_add_func("/smbios/bad options are refused",
                    test_bad_options_are_refused);
    g_test_add_func("/smbios/too much for memory is refused",
                    test_too_much_for_memory_is_refused);
    return g_test_run();
}
