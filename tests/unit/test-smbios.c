/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS: the structures that a machine and -smbios make, walked as an operating
 * system does, and what -smbios refuses.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "hw/firmware/smbios.h"
#include "qemu/units.h"

typedef struct Fixture {
    SmbiosEntries *entries;
    SmbiosMachine machine;
    struct smbios_phys_mem_area ram[2];
    GByteArray *tables;
    char *uuid;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->ram[0] = (struct smbios_phys_mem_area) { 0, 2 * GiB };
    f->ram[1] = (struct smbios_phys_mem_area) { 4 * GiB, 38 * GiB };
    f->machine = (SmbiosMachine) {
        .product = "a board", .version = "board-1", .sockets = 2,
        .cores = 4, .threads = 8, .cpu_signature = 0x306c1,
        .cpu_features = 0xfabfbff, .ram_size = 40 * GiB, .ram = f->ram,
        .nr_ram = 2,
    };
    g_assert_cmpint(qemu_uuid_parse("550e8400-e29b-41d4-a716-44665544000f",
                                    &f->machine.uuid), ==, 0);
}

static void teardown(Fixture *f, const void *data)
{
    g_clear_pointer(&f->tables, g_byte_array_unref);
    smbios_entries_free(f->entries);
    g_free(f->uuid);
}

static void option(Fixture *f, const char *arg)
{
    g_free(g_steal_pointer(&f->uuid));
    smbios_entry_add(&f->entries, arg, &f->uuid, &error_abort);
}

static void build(Fixture *f)
{
    f->tables = smbios_build(f->entries, &f->machine, SMBIOS_ENTRY_POINT_TYPE_32,
                             &error_abort);
}

/* --- walking --- */

static uint64_t get(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, p, size);
    return GUINT64_FROM_LE(value);
}

/* What follows the structure @p, which is well formed; NULL: it was the last. */
static const uint8_t *next(const Fixture *f, const uint8_t *p)
{
    const uint8_t *end = f->tables->data + f->tables->len;
    bool is_last = p[0] == 127;

    g_assert_cmpuint(p[1], >=, 4);
    for (p += p[1]; p[0] || p[1]; p++) {
        g_assert_true(p + 2 < end);
    }
    p += 2;
    g_assert_cmpint(is_last, ==, p == end);
    return p == end ? NULL : p;
}

/* The @n-th structure of @type; NULL: there is none. */
static const uint8_t *find(const Fixture *f, unsigned type, unsigned n)
{
    const uint8_t *p;

    for (p = f->tables->data; p; p = next(f, p)) {
        if (p[0] == type && !n--) {
            break;
        }
    }
    return p;
}

static unsigned count(const Fixture *f, unsigned type)
{
    unsigned n = 0;

    while (find(f, type, n)) {
        n++;
    }
    return n;
}

/* The string whose number is at @offset of @p; "": there is none. */
static const char *text(const uint8_t *p, unsigned offset)
{
    const char *s = (const char *)p + p[1];

    g_assert_cmpuint(offset, <, p[1]);
    if (!p[offset]) {
        return "";
    }
    for (unsigned i = 1; i < p[offset]; i++) {
        g_assert_true(*s);
        s += strlen(s) + 1;
    }
    return s;
}

/* --- the machine's --- */

static void test_a_machine_has_its_structures(Fixture *f, const void *data)
{
    static const struct {
        unsigned type, number;
    } expected[] = {
        { 0, 0 }, { 1, 1 }, { 2, 0 }, { 3, 1 }, { 4, 2 }, { 11, 0 }, { 16, 1 },
        { 17, 3 }, { 19, 2 }, { 32, 1 }, { 127, 1 },
    };

    build(f);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        g_assert_cmpuint(count(f, expected[i].type), ==, expected[i].number);
    }
}

static void test_handles_differ(Fixture *f, const void *data)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    f->machine.sockets = 255;
    f->machine.ram_size = 64 * TiB;
    build(f);
    for (const uint8_t *p = f->tables->data; p; p = next(f, p)) {
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(get(p + 2, 2))));
    }
}

static void test_system_is_the_machine(Fixture *f, const void *data)
{
    const uint8_t *p;

    build(f);
    p = find(f, 1, 0);
    g_assert_cmpstr(text(p, 4), ==, "QEMU");
    g_assert_cmpstr(text(p, 5), ==, "a board");
    g_assert_cmpstr(text(p, 6), ==, "board-1");
    g_assert_cmpstr(text(p, 7), ==, "");
    g_assert_cmpmem(p + 8, 16,
                    "\x00\x84\x0e\x55\x9b\xe2\xd4\x41\xa7\x16\x44\x66\x55\x44\x00"
                    "\x0f", 16);
}

static void test_each_socket_is_a_processor(Fixture *f, const void *data)
{
    const uint8_t *p;

    build(f);
    p = find(f, 4, 1);
    g_assert_cmpstr(text(p, 4), ==, "CPU 1");
    g_assert_cmphex(get(p + 8, 4), ==, 0x306c1);
    g_assert_cmphex(get(p + 12, 4), ==, 0xfabfbff);
    g_assert_cmpuint(p[0x23], ==, 4);
    g_assert_cmpuint(p[0x25], ==, 8);
}

/* A byte of 255 means that the word has the number; 2.1 has no such word. */
static void test_many_cores(Fixture *f, const void *data)
{
    const uint8_t *p;

    f->machine.cores = 255;
    f->machine.threads = 510;
    build(f);
    g_assert_cmphex(find(f, 4, 0)[1], ==, 0x2a);
    g_byte_array_unref(f->tables);
    f->tables = smbios_build(f->entries, &f->machine, SMBIOS_ENTRY_POINT_TYPE_64,
                             &error_abort);
    p = find(f, 4, 0);
    g_assert_cmphex(p[1], ==, 0x30);
    g_assert_cmphex(get(p + 0x23, 3), ==, 0xffffff);
    g_assert_cmpuint(get(p + 0x2a, 2), ==, 255);
    g_assert_cmpuint(get(p + 0x2c, 2), ==, 255);
    g_assert_cmpuint(get(p + 0x2e, 2), ==, 510);
}

/* MiB; from 32 GiB - 1 MiB on in the field for that. */
static uint64_t device_size(const uint8_t *p)
{
    return get(p + 12, 2) == 0x7fff ? get(p + 0x1c, 4) : get(p + 12, 2);
}

static void test_memory_devices_add_up(Fixture *f, const void *data)
{
    static const uint64_t sizes[] = { MiB, 40 * GiB, 3 * TiB, 64 * TiB };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint64_t sum = 0;
        const uint8_t *array;

        f->machine.ram_size = sizes[i];
        build(f);
        for (unsigned n = 0; n < count(f, 17); n++) {
            sum += device_size(find(f, 17, n));
        }
        array = find(f, 16, 0);
        g_assert_cmpuint(sum * MiB, ==, sizes[i]);
        g_assert_cmpuint(get(array + 13, 2), ==, count(f, 17));
        g_assert_cmpuint(get(array + 7, 4) == 0x80000000 ? get(array + 15, 8)
                                                         : get(array + 7, 4) * KiB,
                         ==, sizes[i]);
        g_clear_pointer(&f->tables, g_byte_array_unref);
    }
}

static void test_mapped_addresses_are_the_memory_map(Fixture *f, const void *data)
{
    const uint8_t *p;

    f->ram[1].length = 8 * TiB;
    build(f);
    p = find(f, 19, 0);
    g_assert_cmphex(get(p + 4, 4), ==, 0);
    g_assert_cmphex(get(p + 8, 4), ==, 2 * GiB / KiB - 1);
    p = find(f, 19, 1);
    g_assert_cmphex(get(p + 4, 4), ==, UINT32_MAX);
    g_assert_cmphex(get(p + 15, 8), ==, 4 * GiB);
    g_assert_cmphex(get(p + 23, 8), ==, 4 * GiB + 8 * TiB - 1);
}

/* --- options --- */

/* Each option of text, and where its string's number is. */
static const struct {
    unsigned type;
    const char *name;
    unsigned offset;
    const char *shown;                    /* of "x"; NULL: "x" */
} texts[] = {
    { 0, "vendor", 4, NULL }, { 0, "version", 5, NULL }, { 0, "date", 8, NULL },
    { 1, "manufacturer", 4, NULL }, { 1, "product", 5, NULL },
    { 1, "version", 6, NULL }, { 1, "serial", 7, NULL }, { 1, "sku", 25, NULL },
    { 1, "family", 26, NULL },
    { 2, "manufacturer", 4, NULL }, { 2, "product", 5, NULL },
    { 2, "version", 6, NULL }, { 2, "serial", 7, NULL }, { 2, "asset", 8, NULL },
    { 2, "location", 10, NULL },
    { 3, "manufacturer", 4, NULL }, { 3, "version", 6, NULL },
    { 3, "serial", 7, NULL }, { 3, "asset", 8, NULL }, { 3, "sku", 21, NULL },
    { 4, "sock_pfx", 4, "x 0" }, { 4, "manufacturer", 7, NULL },
    { 4, "version", 16, NULL }, { 4, "serial", 0x20, NULL },
    { 4, "asset", 0x21, NULL }, { 4, "part", 0x22, NULL },
    { 11, "value", 4, NULL },
    { 17, "loc_pfx", 16, "x 0" }, { 17, "bank", 17, NULL },
    { 17, "manufacturer", 0x17, NULL }, { 17, "serial", 0x18, NULL },
    { 17, "asset", 0x19, NULL }, { 17, "part", 0x1a, NULL },
};

static void test_each_text_has_its_place(Fixture *f, const void *data)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        g_autofree char *arg = g_strdup_printf("type=%u,%s=x", texts[i].type,
                                               texts[i].name);

        g_test_message("%s", arg);
        option(f, arg);
        build(f);
        g_assert_cmpstr(text(find(f, texts[i].type, 0), texts[i].offset), ==,
                        texts[i].shown ?: "x");
        g_clear_pointer(&f->tables, g_byte_array_unref);
        smbios_entries_free(g_steal_pointer(&f->entries));
    }
}

static void test_numbers_have_their_places(Fixture *f, const void *data)
{
    const uint8_t *p;

    option(f, "type=0,release=12.34,uefi=on");
    option(f, "type=4,max-speed=4321,current-speed=1234");
    option(f, "type=4,processor-id=0x1122334455667788");
    option(f, "type=17,speed=3200");
    build(f);
    p = find(f, 0, 0);
    g_assert_cmpuint(p[20], ==, 12);
    g_assert_cmpuint(p[21], ==, 34);
    g_assert_cmphex(p[19], ==, 0x18);
    p = find(f, 4, 0);
    g_assert_cmphex(get(p + 8, 8), ==, 0x1122334455667788);
    g_assert_cmpuint(get(p + 0x14, 2), ==, 4321);
    g_assert_cmpuint(get(p + 0x16, 2), ==, 1234);
    p = find(f, 17, 2);
    g_assert_cmpuint(get(p + 0x15, 2), ==, 3200);
    g_assert_cmpuint(get(p + 0x20, 2), ==, 3200);
}

static void test_later_options_add_and_replace(Fixture *f, const void *data)
{
    option(f, "type=1,serial=one,family=f");
    option(f, "type=1,serial=two,,three");
    build(f);
    g_assert_cmpstr(text(find(f, 1, 0), 7), ==, "two,three");
    g_assert_cmpstr(text(find(f, 1, 0), 26), ==, "f");
    g_assert_cmpuint(count(f, 1), ==, 1);
}

static void test_uuid_is_handed_out(Fixture *f, const void *data)
{
    option(f, "type=1,uuid=3dd750ce-d910-44d0-9493-525c0be4e687");
    g_assert_cmpstr(f->uuid, ==, "3dd750ce-d910-44d0-9493-525c0be4e687");
    option(f, "type=1,serial=x");
    g_assert_null(f->uuid);
}

static char *write_file(const void *data, gssize size)
{
    char *path;
    int fd = g_file_open_tmp("smbios-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, data, size, NULL));
    return path;
}

static void test_oem_strings_keep_their_order(Fixture *f, const void *data)
{
    g_autofree char *path = write_file("from a file", -1);
    g_autofree char *arg = g_strdup_printf("type=11,path=%s,value=c", path);
    const uint8_t *p;

    option(f, "type=11,value=a,value=");
    option(f, arg);
    g_unlink(path);
    build(f);
    p = find(f, 11, 0);
    g_assert_cmpuint(p[4], ==, 4);
    g_assert_cmpmem(p + p[1], 19, "a\0 \0c\0from a file\0", 18 + 1);
}

static void test_file_takes_the_place_of_a_structure(Fixture *f, const void *data)
{
    static const uint8_t chassis[] = { 3, 9, 0x77, 0x77, 1, 1, 0, 0, 0, 'm', 'e',
                                       0, 0 };
    g_autofree char *path = write_file(chassis, sizeof(chassis));
    g_autofree char *arg = g_strdup_printf("file=%s", path);

    option(f, arg);
    g_unlink(path);
    build(f);
    g_assert_cmpuint(count(f, 3), ==, 1);
    g_assert_cmphex(get(find(f, 3, 0) + 2, 2), ==, 0x7777);
    g_assert_cmpstr(text(find(f, 3, 0), 4), ==, "me");
}

/* --- entry points --- */

static uint8_t sum(const uint8_t *p, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++) {
        total += p[i];
    }
    return total;
}

static void test_entry_point_21(Fixture *f, const void *data)
{
    uint8_t ep[SMBIOS_ENTRY_POINT_MAX];
    unsigned n = 0;

    build(f);
    for (const uint8_t *p = f->tables->data; p; p = next(f, p)) {
        n++;
    }
    g_assert_cmpuint(smbios_entry_point(f->tables, 0xf0020,
                                        SMBIOS_ENTRY_POINT_TYPE_32, ep), ==, 31);
    g_assert_cmpmem(ep, 4, "_SM_", 4);
    g_assert_cmpmem(ep + 16, 5, "_DMI_", 5);
    g_assert_cmpuint(sum(ep, 31), ==, 0);
    g_assert_cmpuint(sum(ep + 16, 15), ==, 0);
    g_assert_cmpuint(get(ep + 22, 2), ==, f->tables->len);
    g_assert_cmphex(get(ep + 24, 4), ==, 0xf0020);
    g_assert_cmpuint(get(ep + 28, 2), ==, n);
}

static void test_entry_point_30(Fixture *f, const void *data)
{
    uint8_t ep[SMBIOS_ENTRY_POINT_MAX];

    build(f);
    g_assert_cmpuint(smbios_entry_point(f->tables, 0x123456789a,
                                        SMBIOS_ENTRY_POINT_TYPE_64, ep), ==, 24);
    g_assert_cmpmem(ep, 5, "_SM3_", 5);
    g_assert_cmpuint(sum(ep, 24), ==, 0);
    g_assert_cmpuint(get(ep + 12, 4), ==, f->tables->len);
    g_assert_cmphex(get(ep + 16, 8), ==, 0x123456789a);
}

static void test_what_is_too_much_for_21(Fixture *f, const void *data)
{
    g_autofree char *big = g_strnfill(40 * KiB, 'x');
    g_autofree char *arg = g_strdup_printf("type=11,value=%s,value=%s", big, big);
    Error *err = NULL;

    option(f, arg);
    g_assert_null(smbios_build(f->entries, &f->machine,
                               SMBIOS_ENTRY_POINT_TYPE_32, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "65535 are possible"));
    error_free(err);
    f->tables = smbios_build(f->entries, &f->machine, SMBIOS_ENTRY_POINT_TYPE_64,
                             &error_abort);
}

/* --- what is refused --- */

static void check_refused(Fixture *f, const char *arg, const char *part)
{
    Error *err = NULL;
    char *uuid = NULL;

    g_assert_false(smbios_entry_add(&f->entries, arg, &uuid, &err));
    g_test_message("%s: %s", arg, error_get_pretty(err));
    g_assert_nonnull(strstr(error_get_pretty(err), part));
    g_assert_null(uuid);
    error_free(err);
}

static void test_bad_options_are_refused(Fixture *f, const void *data)
{
    static const char *const cases[][2] = {
        { "", "type=N or file=FILE is expected" },
        { "serial=x", "type=N or file=FILE is expected" },
        { "type=5", "type=5: not supported; possible: 0, 1, 2, 3, 4, 11, 17" },
        { "type=-1", "not supported" },
        { "type=1x", "not supported" },
        { "type=127", "not supported" },
        { "type=1,bios=x", "what type=1 has: manufacturer," },
        { "type=11,serial=x", "what type=11 has: value, path" },
        { "type=1,uuid=x", "a UUID is expected" },
        { "type=0,uefi=maybe", "on or off is expected" },
        { "type=0,release=1", "MAJOR.MINOR is expected" },
        { "type=0,release=1.256", "each from 0 to 255" },
        { "type=0,release=1.2x", "MAJOR.MINOR is expected" },
        { "type=4,max-speed=65536", "a number from 0 to 65535 is expected" },
        { "type=4,processor-id=x", "a number from 0 to" },
        { "type=17,speed=-1", "a number from 0 to 65535" },
        { "type=11,path=/nowhere/x", "/nowhere/x" },
        { "file=/nowhere/x", "/nowhere/x" },
        { "file=/nowhere/x,type=1", "nothing else goes with it" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_refused(f, cases[i][0], cases[i][1]);
    }
}

static void test_bad_files_are_refused(Fixture *f, const void *data)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } cases[] = {
        { "", 0, "is no SMBIOS structure: 0 bytes" },
        { "\3\4\0", 3, "is no SMBIOS structure" },
        { "\3\3\0\0\0\0", 6, "is no SMBIOS structure" },
        { "\3\xff\0\0\0\0", 6, "is no SMBIOS structure" },
        { "\3\4\0\0\0", 5, "is no SMBIOS structure" },
        { "\3\4\0\0a\0", 6, "two zeros" },
        { "\3\4\0\0a\0b", 7, "two zeros" },
        { "\3\4\0\0a\0\0b\0\0", 10, "two zeros at byte 5 of 10" },
        { "\3\4\0\0\0\0\0", 7, "two zeros at byte 4 of 7" },
        { "\x7f\4\0\x7f\0\0", 6, "the structure that ends all (type 127)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = write_file(cases[i].bytes, cases[i].size);
        g_autofree char *arg = g_strdup_printf("file=%s", path);

        check_refused(f, arg, cases[i].part);
        g_unlink(path);
    }
}

static void test_a_string_has_no_zeros(Fixture *f, const void *data)
{
    g_autofree char *path = write_file("a\0b", 3);
    g_autofree char *arg = g_strdup_printf("type=11,path=%s", path);

    check_refused(f, arg, "has a byte 0");
    g_unlink(path);
}

static void test_file_and_options_contradict(Fixture *f, const void *data)
{
    g_autofree char *path = write_file("\1\4\0\0\0\0", 6);
    g_autofree char *arg = g_strdup_printf("file=%s", path);

    option(f, arg);
    check_refused(f, "type=1,serial=x", "type=1 is given, and a file=FILE");
    smbios_entries_free(g_steal_pointer(&f->entries));
    option(f, "type=1,serial=x");
    check_refused(f, arg, "type=1 is given, and a file=FILE");
    g_unlink(path);
}

static void test_strings_have_numbers_of_a_byte(Fixture *f, const void *data)
{
    for (unsigned i = 0; i < 255; i++) {
        option(f, "type=11,value=x");
    }
    check_refused(f, "type=11,value=x", "more than 255 strings");
}

#define TEST(name, function)                                                 \
    g_test_add("/smbios/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("a machine has its structures", test_a_machine_has_its_structures);
    TEST("handles differ", test_handles_differ);
    TEST("the system is the machine", test_system_is_the_machine);
    TEST("each socket is a processor", test_each_socket_is_a_processor);
    TEST("memory devices add up", test_memory_devices_add_up);
    TEST("mapped addresses are the memory map",
         test_mapped_addresses_are_the_memory_map);
    TEST("each text has its place", test_each_text_has_its_place);
    TEST("numbers have their places", test_numbers_have_their_places);
    TEST("later options add and replace", test_later_options_add_and_replace);
    TEST("many cores", test_many_cores);
    TEST("the UUID is handed out", test_uuid_is_handed_out);
    TEST("OEM strings keep their order", test_oem_strings_keep_their_order);
    TEST("a file takes the place of a structure",
         test_file_takes_the_place_of_a_structure);
    TEST("entry point 2.1", test_entry_point_21);
    TEST("entry point 3.0", test_entry_point_30);
    TEST("what is too much for 2.1", test_what_is_too_much_for_21);
    TEST("bad options are refused", test_bad_options_are_refused);
    TEST("bad files are refused", test_bad_files_are_refused);
    TEST("a string has no zeros", test_a_string_has_no_zeros);
    TEST("file and options contradict", test_file_and_options_contradict);
    TEST("strings have numbers of a byte", test_strings_have_numbers_of_a_byte);
    return g_test_run();
}
