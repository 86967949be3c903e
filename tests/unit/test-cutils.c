/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, sizes, ids and option texts: cutils, id, keyval. */
#include "qemu/osdep.h"

#include <limits.h>

#include "qemu/cutils.h"
#include "qemu/id.h"
#include "qemu/keyval.h"
#include "qemu/units.h"
#include "qemu/uuid.h"

/* --- numbers --- */

static void test_integers(void)
{
    static const struct {
        const char *text;
        int ret;
        int64_t value;
    } cases[] = {
        { "0", 0, 0 },
        { "-12", 0, -12 },
        { "0x10", 0, 16 },
        { "9223372036854775807", 0, INT64_MAX },
        { "-9223372036854775808", 0, INT64_MIN },
        { "9223372036854775808", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "x", -EINVAL, 0 },
        { "12k", -EINVAL, 0 },
        { " 12", -EINVAL, 0 },
        { "12 ", -EINVAL, 0 },
        { "-", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = 99;

        g_assert_cmpint(qemu_strtoi64(cases[i].text, NULL, 0, &value), ==,
                        cases[i].ret);
        g_assert_cmpint(value, ==, cases[i].ret ? 99 : cases[i].value);
    }
}

static void test_unsigned_integers_refuse_a_sign(void)
{
    uint64_t value = 99;

    g_assert_cmpint(qemu_strtou64("18446744073709551615", NULL, 0, &value), ==,
                    0);
    g_assert_cmpuint(value, ==, UINT64_MAX);
    g_assert_cmpint(qemu_strtou64("18446744073709551616", NULL, 0, &value), ==,
                    -ERANGE);
    g_assert_cmpint(qemu_strtou64("-1", NULL, 0, &value), ==, -EINVAL);
    g_assert_cmpint(qemu_strtou64(NULL, NULL, 0, &value), ==, -EINVAL);
}

static void test_end_pointer_allows_a_rest(void)
{
    const char *end;
    int64_t value;

    g_assert_cmpint(qemu_strtoi64("12,rest", &end, 10, &value), ==, 0);
    g_assert_cmpint(value, ==, 12);
    g_assert_cmpstr(end, ==, ",rest");
    g_assert_cmpint(qemu_strtoi64("rest", &end, 10, &value), ==, -EINVAL);
    g_assert_cmpstr(end, ==, "rest");
}

/* --- sizes --- */

static void test_sizes(void)
{
    static const struct {
        const char *text;
        int ret;
        uint64_t value;
    } cases[] = {
        { "0", 0, 0 },
        { "4096", 0, 4096 },
        { "1B", 0, 1 },
        { "1k", 0, KiB },
        { "1K", 0, KiB },
        { "512M", 0, 512 * MiB },
        { "1.5G", 0, GiB + 512 * MiB },
        { "0.25M", 0, 256 * KiB },
        { "2T", 0, 2 * TiB },
        { "1P", 0, 1024 * TiB },
        { "15E", 0, 15ULL << 60 },
        { "0x1000", 0, 4096 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "9007199254740993", 0, 9007199254740993 },
        { "16E", -ERANGE, 0 },
        { "15.9999999999999999999E", -ERANGE, 0 },
        { "18446744073709551616", -ERANGE, 0 },
        { "1.5", -EINVAL, 0 },
        { "1.5B", -EINVAL, 0 },
        { "-1G", -EINVAL, 0 },
        { "+1G", -EINVAL, 0 },
        { "G", -EINVAL, 0 },
        { "1GG", -EINVAL, 0 },
        { "1 G", -EINVAL, 0 },
        { " 1G", -EINVAL, 0 },
        { "0x", -EINVAL, 0 },
        { "inf", -EINVAL, 0 },
        { "nan", -EINVAL, 0 },
        { "1e3", -EINVAL, 0 },
        { "", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t value = 99;

        g_test_message("%s", cases[i].text);
        g_assert_cmpint(qemu_strtosz(cases[i].text, NULL, &value), ==,
                        cases[i].ret);
        g_assert_cmpuint(value, ==, cases[i].ret ? 99 : cases[i].value);
    }
}

static void test_mebibytes_are_the_unit_on_request(void)
{
    const char *end;
    uint64_t value;

    g_assert_cmpint(qemu_strtosz_MiB("512", NULL, &value), ==, 0);
    g_assert_cmpuint(value, ==, 512 * MiB);
    g_assert_cmpint(qemu_strtosz_MiB("512k,x", &end, &value), ==, 0);
    g_assert_cmpuint(value, ==, 512 * KiB);
    g_assert_cmpstr(end, ==, ",x");
    g_assert_cmpint(qemu_strtosz_MiB("17592186044416", NULL, &value), ==,
                    -ERANGE);
}

static void test_sizes_are_told_shortly(void)
{
    static const struct {
        uint64_t size;
        const char *text;
    } cases[] = {
        { 0, "0 B" }, { 999, "999 B" }, { 1000, "0.977 KiB" },
        { 1536 * MiB, "1.5 GiB" }, { 4 * KiB, "4 KiB" },
        { UINT64_MAX, "16 EiB" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *text = size_to_str(cases[i].size);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* --- words --- */

static void test_booleans(void)
{
    bool value = false;

    g_assert_true(qemu_parse_bool("on", &value) && value);
    g_assert_true(qemu_parse_bool("no", &value) && !value);
    g_assert_true(qemu_parse_bool("true", &value) && value);
    g_assert_false(qemu_parse_bool("ON", &value));
    g_assert_false(qemu_parse_bool("1", &value));
    g_assert_false(qemu_parse_bool("", &value));
}

static void test_ids(void)
{
    g_assert_true(id_wellformed("a"));
    g_assert_true(id_wellformed("mem-0.x_Y"));
    g_assert_false(id_wellformed(NULL));
    g_assert_false(id_wellformed(""));
    g_assert_false(id_wellformed("0mem"));
    g_assert_false(id_wellformed("a/b"));
    g_assert_false(id_wellformed("a b"));
    g_assert_false(id_wellformed("\xc3\xa4"));
}

/* --- key=value --- */

static const char *member(JsonObject *obj, const char *name)
{
    return json_object_get_string_member_with_default(obj, name, NULL);
}

static void test_keyval_splits_at_single_commas(void)
{
    g_autoptr(JsonObject) o = keyval_parse("pc,id=a,path=x,,y=z,empty=", "type",
                                           NULL, &error_abort);

    g_assert_cmpuint(json_object_get_size(o), ==, 4);
    g_assert_cmpstr(member(o, "type"), ==, "pc");
    g_assert_cmpstr(member(o, "id"), ==, "a");
    g_assert_cmpstr(member(o, "path"), ==, "x,y=z");
    g_assert_cmpstr(member(o, "empty"), ==, "");
}

static void test_keyval_bare_key_is_on(void)
{
    g_autoptr(JsonObject) o = keyval_parse("path=x,server", "type", NULL,
                                           &error_abort);

    g_assert_cmpstr(member(o, "server"), ==, "on");
    g_assert_null(member(o, "type"));
}

static void test_keyval_last_value_counts(void)
{
    g_autoptr(JsonObject) o = keyval_parse("a=1,a=2", NULL, NULL, &error_abort);

    g_assert_cmpstr(member(o, "a"), ==, "2");
}

static void test_keyval_takes_lists(void)
{
    static const char *const lists[] = { "a", NULL };
    g_autoptr(JsonObject) o = keyval_parse_lists("a=1,b=x,a=2,b=y", NULL, lists,
                                                 NULL, &error_abort);
    JsonArray *a = json_object_get_array_member(o, "a");

    g_assert_cmpuint(json_array_get_length(a), ==, 2);
    g_assert_cmpstr(json_array_get_string_element(a, 0), ==, "1");
    g_assert_cmpstr(json_array_get_string_element(a, 1), ==, "2");
    g_assert_cmpstr(member(o, "b"), ==, "y");
}

static void test_keyval_finds_help(void)
{
    static const char *const texts[] = { "help", "?", "pc,help", "a=b,help,c",
                                         NULL };

    for (const char *const *t = texts; *t; t++) {
        bool help = false;
        g_autoptr(JsonObject) o = keyval_parse(*t, "type", &help, &error_abort);

        g_assert_true(help);
        g_assert_false(json_object_has_member(o, "help"));
    }
}

static void test_keyval_without_help_it_is_a_value(void)
{
    g_autoptr(JsonObject) o = keyval_parse("help", "type", NULL, &error_abort);

    g_assert_cmpstr(member(o, "type"), ==, "help");
}

static void test_keyval_refuses_empty_keys(void)
{
    static const char *const texts[] = { "=x", "a=b,=x", ",a=b", "a=b,,,,=c,=",
                                         NULL };

    for (const char *const *t = texts; *t; t++) {
        Error *err = NULL;

        g_assert_null(keyval_parse(*t, NULL, NULL, &err));
        error_free_or_abort(&err);
    }
}

static void test_keyval_of_nothing_is_empty(void)
{
    g_autoptr(JsonObject) o = keyval_parse("", "type", NULL, &error_abort);

    g_assert_cmpuint(json_object_get_size(o), ==, 0);
}

static void test_uuids(void)
{
    static const char *const bad[] = {
        "", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f", "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 ", "0f1e2d3c-4b5a-6978-8796a-5b4c3d2e1f0",
        "gf1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    };
    const QemuUUID expected = {
        { 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4,
          0xc3, 0xd2, 0xe1, 0xf0 },
    };
    const QemuUUID swapped = {
        { 0x3c, 0x2d, 0x1e, 0x0f, 0x5a, 0x4b, 0x78, 0x69, 0x87, 0x96, 0xa5, 0xb4,
          0xc3, 0xd2, 0xe1, 0xf0 },
    };
    QemuUUID uuid, other;
    g_autofree char *text = NULL;

    g_assert_cmpint(qemu_uuid_parse("0f1E2d3c-4b5a-6978-8796-a5b4c3d2e1F0", &uuid),
                    ==, 0);
    g_assert_cmpmem(uuid.data, 16, expected.data, 16);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(qemu_uuid_parse(bad[i], &uuid), ==, -1);
        g_assert_cmpmem(uuid.data, 16, expected.data, 16);
    }
    text = qemu_uuid_unparse_strdup(&uuid);
    g_assert_cmpstr(text, ==, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    uuid = qemu_uuid_bswap(uuid);
    g_assert_cmpmem(uuid.data, 16, swapped.data, 16);
    qemu_uuid_generate(&uuid);
    qemu_uuid_generate(&other);
    g_assert_true(memcmp(uuid.data, other.data, 16));
}

/* One byte, wherever it is. */
static void test_zeros_are_told(void)
{
    uint8_t buf[129] = {};

    for (size_t len = 0; len <= sizeof(buf); len++) {
        g_assert_true(buffer_is_zero(buf, len));
        for (size_t i = 0; i < sizeof(buf); i++) {
            buf[i] = 0x80;
            g_assert_cmpint(buffer_is_zero(buf, len), ==, i >= len);
            buf[i] = 0;
        }
    }
}

static void test_checksum_makes_the_sum_0(void)
{
    g_assert_cmphex(buffer_checksum("\x01\xff\x7f", 3), ==, 0x81);
    g_assert_cmphex(buffer_checksum("\x01\xff\x7f\x81", 4), ==, 0);
    g_assert_cmphex(buffer_checksum("", 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cutils/integers", test_integers);
    g_test_add_func("/cutils/unsigned-integers-refuse-a-sign",
                    test_unsigned_integers_refuse_a_sign);
    g_test_add_func("/cutils/end-pointer-allows-a-rest",
                    test_end_pointer_allows_a_rest);
    g_test_add_func("/cutils/sizes", test_sizes);
    g_test_add_func("/cutils/mebibytes-are-the-unit-on-request",
                    test_mebibytes_are_the_unit_on_request);
    g_test_add_func("/cutils/sizes-are-told-shortly",
                    test_sizes_are_told_shortly);
    g_test_add_func("/cutils/booleans", test_booleans);
    g_test_add_func("/cutils/ids", test_ids);
    g_test_add_func("/cutils/uuids", test_uuids);
    g_test_add_func("/cutils/zeros-are-told", test_zeros_are_told);
    g_test_add_func("/cutils/checksum-makes-the-sum-0",
                    test_checksum_makes_the_sum_0);
    g_test_add_func("/keyval/splits-at-single-commas",
                    test_keyval_splits_at_single_commas);
    g_test_add_func("/keyval/bare-key-is-on", test_keyval_bare_key_is_on);
    g_test_add_func("/keyval/last-value-counts", test_keyval_last_value_counts);
    g_test_add_func("/keyval/takes-lists", test_keyval_takes_lists);
    g_test_add_func("/keyval/finds-help", test_keyval_finds_help);
    g_test_add_func("/keyval/without-help-it-is-a-value",
                    test_keyval_without_help_it_is_a_value);
    g_test_add_func("/keyval/refuses-empty-keys",
                    test_keyval_refuses_empty_keys);
    g_test_add_func("/keyval/of-nothing-is-empty",
                    test_keyval_of_nothing_is_empty);
    return g_test_run();
}
