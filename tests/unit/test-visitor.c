/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Visitors: typed JSON, text, and output (qapi/visitor.h). */
#include "qemu/osdep.h"

#include "qapi/json-uint64.h"
#include "qapi/visitor.h"
#include "qemu/units.h"

static Visitor *typed(const char *json)
{
    g_autoptr(JsonNode) node = json_from_string(json, NULL);

    g_assert_nonnull(node);
    return visitor_input_new(node, false);
}

static Visitor *text(const char *value)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), value);

    return visitor_input_new(node, true);
}

static void assert_error(Error *err, const char *message)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

/* --- typed input --- */

static void test_typed_values_are_read(void)
{
    g_autoptr(Visitor) b = typed("true"), i = typed("-5"), s = typed("\"x\"");
    g_autofree char *str = NULL;
    bool flag = false;
    int64_t number = 0;

    g_assert_true(visit_type_bool(b, "b", &flag, &error_abort));
    g_assert_true(visit_type_int64(i, "i", &number, &error_abort));
    g_assert_true(visit_type_str(s, "s", &str, &error_abort));
    g_assert_true(flag);
    g_assert_cmpint(number, ==, -5);
    g_assert_cmpstr(str, ==, "x");
}

static void test_typed_input_refuses_other_types(void)
{
    static const char *const values[] = { "null", "\"5\"", "true", "{}", "[]",
                                          "1.5", NULL };

    for (const char *const *value = values; *value; value++) {
        g_autoptr(Visitor) v = typed(*value);
        Error *err = NULL;
        uint64_t number = 9;

        g_assert_false(visit_type_size(v, "x", &number, &err));
        g_assert_cmpuint(number, ==, 9);
        assert_error(err, "Invalid parameter type for 'x', expected: integer");
    }
}

static void test_typed_booleans_and_strings_are_strict(void)
{
    g_autoptr(Visitor) v = typed("1");
    Error *err = NULL;
    char *str = NULL;
    bool flag = false;

    g_assert_false(visit_type_bool(v, "x", &flag, &err));
    assert_error(err, "Invalid parameter type for 'x', expected: boolean");
    err = NULL;
    g_assert_false(visit_type_str(v, "x", &str, &err));
    g_assert_null(str);
    assert_error(err, "Invalid parameter type for 'x', expected: string");
}

static void test_numbers_keep_their_range(void)
{
    g_autoptr(Visitor) fits = typed("255"), big = typed("256");
    g_autoptr(Visitor) negative = typed("-1"), huge = typed("4294967296");
    Error *err = NULL;
    uint8_t u8 = 1;
    uint16_t u16 = 1;
    uint32_t u32 = 1;
    int32_t i32 = 1;

    g_assert_true(visit_type_uint8(fits, "x", &u8, &error_abort));
    g_assert_cmpuint(u8, ==, 255);
    g_assert_false(visit_type_uint8(big, "x", &u8, &err));
    assert_error(err, "Parameter 'x' expects uint8_t");
    g_assert_false(visit_type_uint16(negative, "x", &u16, NULL));
    g_assert_false(visit_type_uint32(huge, "x", &u32, NULL));
    g_assert_false(visit_type_int32(huge, "x", &i32, NULL));
    g_assert_true(visit_type_int32(negative, "x", &i32, &error_abort));
    g_assert_cmpint(i32, ==, -1);
    g_assert_cmpuint(u16 + u32, ==, 2);
}

/* --- text --- */

static void test_text_values_are_read(void)
{
    g_autoptr(Visitor) on = text("on"), hex = text("0x10"), size = text("2G");
    bool flag = false;
    uint32_t u32 = 0;
    uint64_t bytes = 0;

    g_assert_true(visit_type_bool(on, "x", &flag, &error_abort));
    g_assert_true(visit_type_uint32(hex, "x", &u32, &error_abort));
    g_assert_true(visit_type_size(size, "x", &bytes, &error_abort));
    g_assert_true(flag);
    g_assert_cmpuint(u32, ==, 16);
    g_assert_cmpuint(bytes, ==, 2 * GiB);
}

static void test_text_refusals_name_the_parameter(void)
{
    g_autoptr(Visitor) v = text("2X"), big = text("99E");
    Error *err = NULL;
    bool flag;
    uint64_t number;

    g_assert_false(visit_type_bool(v, "share", &flag, &err));
    assert_error(err, "Parameter 'share' expects 'on' or 'off'");
    err = NULL;
    g_assert_false(visit_type_size(v, "size", &number, &err));
    assert_error(err, "Parameter 'size' expects a size in bytes, with an "
                      "optional suffix k, M, G, T, P or E");
    err = NULL;
    g_assert_false(visit_type_size(big, "size", &number, &err));
    assert_error(err, "Parameter 'size' expects a size below 2^64 bytes");
    g_assert_false(visit_type_uint64(v, "n", &number, NULL));
    g_assert_false(visit_type_int64(v, "n", (int64_t *)&number, NULL));
}

/* --- enumerations and lists --- */

static const char *const colour_names[] = { "red", "green" };
static const QEnumLookup colours = { colour_names, 2 };

static void test_enum_accepts_its_names_only(void)
{
    g_autoptr(Visitor) good = typed("\"green\""), bad = text("blue");
    Error *err = NULL;
    int value = 0;

    g_assert_true(visit_type_enum(good, "c", &value, &colours, &error_abort));
    g_assert_cmpint(value, ==, 1);
    g_assert_false(visit_type_enum(bad, "c", &value, &colours, &err));
    assert_error(err, "Parameter 'c' does not accept value 'blue' (it accepts: "
                      "red, green)");
    g_assert_cmpint(value, ==, 1);
}

static void assert_list(GArray *list, const uint16_t *values, guint n)
{
    g_assert_cmpmem(list->data, list->len * sizeof(uint16_t), values,
                    n * sizeof(uint16_t));
}

static void test_lists_are_ranges_or_arrays(void)
{
    static const uint16_t expected[] = { 0, 1, 3 };
    g_autoptr(Visitor) ranges = text("0-1,3"), array = typed("[0,1,3]");
    g_autoptr(GArray) a = NULL, b = NULL;

    g_assert_true(visit_type_uint16List(ranges, "n", &a, &error_abort));
    g_assert_true(visit_type_uint16List(array, "n", &b, &error_abort));
    assert_list(a, expected, 3);
    assert_list(b, expected, 3);
}

static void test_bad_lists_are_refused(void)
{
    static const char *const texts[] = { "", "a", "3-1", "0-65536", "1,", "1--2",
                                         "0-1x", "-1", NULL };
    g_autoptr(Visitor) object = typed("{}"), big = typed("[65536]");
    g_autoptr(Visitor) mixed = typed("[1,\"2\"]");
    GArray *list = NULL;

    for (const char *const *t = texts; *t; t++) {
        g_autoptr(Visitor) v = text(*t);

        g_assert_false(visit_type_uint16List(v, "n", &list, NULL));
    }
    g_assert_false(visit_type_uint16List(object, "n", &list, NULL));
    g_assert_false(visit_type_uint16List(big, "n", &list, NULL));
    g_assert_false(visit_type_uint16List(mixed, "n", &list, NULL));
    g_assert_null(list);
}

/* --- output --- */

static char *take_json(Visitor *v)
{
    g_autoptr(JsonNode) node = visitor_output_take(v);

    return json_to_string(node, FALSE);
}

static char *print_uint64(uint64_t value, bool pretty)
{
    g_autoptr(Visitor) v = visitor_output_new();
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

    visit_type_uint64(v, "x", &value, &error_abort);
    json_object_set_member(object, "n", visitor_output_take(v));
    json_object_set_string_member(object, "s", "\xff\xfeuint64:x");
    return json_uint64_to_string(node, pretty);
}

/* json-glib's integers end at 2^63; those of a reply do not. */
static void test_output_of_large_numbers(void)
{
    g_autofree char *below = print_uint64(INT64_MAX, false);
    g_autofree char *above = print_uint64(INT64_MAX + 1ULL, false);
    g_autofree char *most = print_uint64(UINT64_MAX, true);

    g_assert_true(g_str_has_prefix(below, "{\"n\":9223372036854775807,"));
    g_assert_true(g_str_has_prefix(above, "{\"n\":9223372036854775808,"));
    g_assert_nonnull(strstr(most, "\"n\" : 18446744073709551615,\n"));
    g_assert_true(g_str_has_suffix(above, "\"s\":\"\xff\xfeuint64:x\"}"));
}

static void test_output_is_typed_json(void)
{
    g_autoptr(Visitor) v = visitor_output_new();
    uint64_t size = 2 * GiB;
    char *none = NULL;
    int green = 1;
    bool on = true;
    g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL;

    visit_type_size(v, "x", &size, &error_abort);
    a = take_json(v);
    visit_type_str(v, "x", &none, &error_abort);
    b = take_json(v);
    visit_type_enum(v, "x", &green, &colours, &error_abort);
    c = take_json(v);
    visit_type_bool(v, "x", &on, &error_abort);
    d = take_json(v);
    e = take_json(v);
    g_assert_cmpstr(a, ==, "2147483648");
    g_assert_cmpstr(b, ==, "\"\"");
    g_assert_cmpstr(c, ==, "\"green\"");
    g_assert_cmpstr(d, ==, "true");
    g_assert_cmpstr(e, ==, "null");
}

static void test_output_of_lists_and_any(void)
{
    g_autoptr(Visitor) v = visitor_output_new();
    g_autoptr(GArray) list = g_array_new(false, false, sizeof(uint16_t));
    g_autoptr(JsonNode) any = json_from_string("{\"a\":[1]}", NULL);
    g_autofree char *a = NULL, *b = NULL, *c = NULL;
    uint16_t seven = 7;
    GArray *none = NULL;

    g_array_append_val(list, seven);
    visit_type_uint16List(v, "x", &list, &error_abort);
    a = take_json(v);
    visit_type_uint16List(v, "x", &none, &error_abort);
    b = take_json(v);
    visit_type_any(v, "x", &any, &error_abort);
    c = take_json(v);
    g_assert_cmpstr(a, ==, "[7]");
    g_assert_cmpstr(b, ==, "[]");
    g_assert_cmpstr(c, ==, "{\"a\":[1]}");
}

static void test_any_is_a_new_reference(void)
{
    g_autoptr(Visitor) v = typed("[1]");
    JsonNode *node = NULL;

    g_assert_true(visit_type_any(v, "x", &node, &error_abort));
    g_assert_true(JSON_NODE_HOLDS_ARRAY(node));
    json_node_unref(node);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/visitor/output-of-large-numbers",
                    test_output_of_large_numbers);
    g_test_add_func("/visitor/typed-values-are-read",
                    test_typed_values_are_read);
    g_test_add_func("/visitor/typed-input-refuses-other-types",
                    test_typed_input_refuses_other_types);
    g_test_add_func("/visitor/typed-booleans-and-strings-are-strict",
                    test_typed_booleans_and_strings_are_strict);
    g_test_add_func("/visitor/numbers-keep-their-range",
                    test_numbers_keep_their_range);
    g_test_add_func("/visitor/text-values-are-read", test_text_values_are_read);
    g_test_add_func("/visitor/text-refusals-name-the-parameter",
                    test_text_refusals_name_the_parameter);
    g_test_add_func("/visitor/enum-accepts-its-names-only",
                    test_enum_accepts_its_names_only);
    g_test_add_func("/visitor/lists-are-ranges-or-arrays",
                    test_lists_are_ranges_or_arrays);
    g_test_add_func("/visitor/bad-lists-are-refused",
                    test_bad_lists_are_refused);
    g_test_add_func("/visitor/output-is-typed-json", test_output_is_typed_json);
    g_test_add_func("/visitor/output-of-lists-and-any",
                    test_output_of_lists_and_any);
    g_test_add_func("/visitor/any-is-a-new-reference",
                    test_any_is_a_new_reference);
    return g_test_run();
}
