/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a QMP client's bytes: monitor/qmp-stream.c. */
#include "qemu/osdep.h"

#include "monitor/qmp-stream.h"
#include "qemu/units.h"

/* What the stream told, in order: values as text, errors as "!message". */
typedef struct Fixture {
    QmpStream *stream;
    GPtrArray *told;
    bool reset_at_next;                   /* from within the callback */
} Fixture;

static void tell(void *opaque, JsonNode *value, Error *err)
{
    Fixture *f = opaque;

    g_assert_true((value != NULL) != (err != NULL));
    if (value) {
        g_ptr_array_add(f->told, json_to_string(value, FALSE));
    } else {
        g_ptr_array_add(f->told, g_strconcat("!", error_get_pretty(err), NULL));
        error_free(err);
    }
    if (f->reset_at_next) {
        f->reset_at_next = false;
        qmp_stream_reset(f->stream);
    }
}

static void setup(Fixture *f, const void *data)
{
    f->told = g_ptr_array_new_with_free_func(g_free);
    f->stream = qmp_stream_new(tell, f);
}

static void teardown(Fixture *f, const void *data)
{
    qmp_stream_free(f->stream);
    g_ptr_array_unref(f->told);
}

static void feed(Fixture *f, const char *text)
{
    qmp_stream_feed(f->stream, text, strlen(text));
}

/* The next thing told; "" if there is none. */
static const char *next(Fixture *f)
{
    static char *last;

    g_free(last);
    last = f->told->len ? g_ptr_array_steal_index(f->told, 0) : g_strdup("");
    return last;
}

static void assert_error(Fixture *f, const char *part)
{
    const char *message = next(f);

    g_assert_cmpint(message[0], ==, '!');
    if (!strstr(message, part)) {
        g_error("'%s' does not hold '%s'", message, part);
    }
}

/* --- values -------------------------------------------------------------- */

static void test_values_need_no_newline(Fixture *f, const void *data)
{
    feed(f, "{\"a\":1}{\"b\":[true,false,null]} [ 1 ]\n{}");
    g_assert_cmpstr(next(f), ==, "{\"a\":1}");
    g_assert_cmpstr(next(f), ==, "{\"b\":[true,false,null]}");
    g_assert_cmpstr(next(f), ==, "[1]");
    g_assert_cmpstr(next(f), ==, "{}");
    g_assert_cmpstr(next(f), ==, "");
}

static void test_values_may_span_lines(Fixture *f, const void *data)
{
    feed(f, "{\r\n  \"a\"\t:\n1\n");
    g_assert_cmpstr(next(f), ==, "");
    feed(f, "}");
    g_assert_cmpstr(next(f), ==, "{\"a\":1}");
}

static void test_every_split_gives_the_same(Fixture *f, const void *data)
{
    const char *text = "{'a': \"x\\u00e4\\n\", 'b': -1.5e+3, 'c': [null]}\n";

    for (size_t cut = 0; cut <= strlen(text); cut++) {
        qmp_stream_feed(f->stream, text, cut);
        qmp_stream_feed(f->stream, text + cut, strlen(text) - cut);
        g_assert_cmpstr(next(f), ==,
                        "{\"a\":\"x\303\244\\n\",\"b\":-1500.0,\"c\":[null]}");
    }
    for (size_t i = 0; i < strlen(text); i++) {
        qmp_stream_feed(f->stream, text + i, 1);
    }
    g_assert_cmpstr(next(f), ==,
                    "{\"a\":\"x\303\244\\n\",\"b\":-1500.0,\"c\":[null]}");
}

static void test_outermost_scalars_end_with_a_blank(Fixture *f,
                                                    const void *data)
{
    feed(f, "12");
    g_assert_cmpstr(next(f), ==, "");
    feed(f, "3\ntrue \"x\"");
    g_assert_cmpstr(next(f), ==, "123");
    g_assert_cmpstr(next(f), ==, "true");
    g_assert_cmpstr(next(f), ==, "\"x\"");
}

static void test_single_quotes_are_quotes(Fixture *f, const void *data)
{
    feed(f, "{'a': 'say \"hi\" and \\'ho\\''}");
    g_assert_cmpstr(next(f), ==, "{\"a\":\"say \\\"hi\\\" and 'ho'\"}");
    feed(f, "[\"it's\", '']");
    g_assert_cmpstr(next(f), ==, "[\"it's\",\"\"]");
}

static void test_brackets_in_strings_do_not_count(Fixture *f,
                                                  const void *data)
{
    feed(f, "{\"}\": \"]{[\\\"}\"}");
    g_assert_cmpstr(next(f), ==, "{\"}\":\"]{[\\\"}\"}");
}

static void test_surrogate_pairs(Fixture *f, const void *data)
{
    feed(f, "[\"\\ud83d\\ude00\"]");
    g_assert_cmpstr(next(f), ==, "[\"\360\237\230\200\"]");
}

static void test_integers_keep_64_bits(Fixture *f, const void *data)
{
    feed(f, "[-9223372036854775808, 9223372036854775807]");
    g_assert_cmpstr(next(f), ==,
                    "[-9223372036854775808,9223372036854775807]");
    /* Larger ones are no integers, and do not wrap around. */
    feed(f, "[18446744073709551616]");
    g_assert_cmpstr(next(f), ==, "[1.8446744073709552e+19]");
    feed(f, "[-9223372036854775809]");
    g_assert_cmpstr(next(f), ==, "[-9.2233720368547758e+18]");
}

/* --- what is no value ---------------------------------------------------- */

static void test_malformed_input_is_one_error_a_line(Fixture *f,
                                                     const void *data)
{
    static const char *const bad[] = {
        "nonsense", "}", "]", "{]", "[}", "{\"a\": [}", "{\"a\" 1}", "{1: 2}",
        "{\"a\":}", "{,}", "[,]", "[1 2]", "[1,]", "{\"a\":1,}", ",", ":",
        "{\"a\":1 \"b\":2}", "[01]", "[+1]", "[1.]", "[.5]", "[1e]", "[0x10]",
        "[1-2]", "[--1]", "[-]", "[1e999]", "[True]", "[nul]", "[truefalse]",
        "[NaN]", "[Infinity]", "[undefined]", "var x = 1", "[/* c */ 1]",
        "// comment", "# comment", "[\"\\x\"]", "[\"\\u12g4\"]",
        "[\"\\ud83d\"]", "[\"\\ud83dx\"]", "[\"\\ud83d\\n\"]", "[\"\\ude00\"]",
        "[\"\\ud83d\\ud83d\"]", "[\"\\u0000\"]", "[\"tab\there\"]",
        "[\"\377\"]", "[\"\303\"]", "\377", "\001", "[\"unfinished", "$", "(",
        "@[]", "`", "[;]", "[\"a\":1]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        feed(f, bad[i]);
        feed(f, "\n[\"next\"]\n");
        assert_error(f, "JSON parse error, ");
        g_assert_cmpstr(next(f), ==, "[\"next\"]");
        g_assert_cmpstr(next(f), ==, "");
    }
}

static void test_nul_bytes_are_errors(Fixture *f, const void *data)
{
    static const char in_between[] = "[\0]\n", in_string[] = "[\"\0\"]\n";

    qmp_stream_feed(f->stream, in_between, sizeof(in_between) - 1);
    assert_error(f, "stray byte 0x00");
    qmp_stream_feed(f->stream, in_string, sizeof(in_string) - 1);
    assert_error(f, "control character");
    g_assert_cmpstr(next(f), ==, "");
}

static void test_bad_line_is_skipped_to_a_brace(Fixture *f, const void *data)
{
    feed(f, "} ] [ \"a\" 1 {\"execute\":\"quit\"}");
    assert_error(f, "stray '}'");
    g_assert_cmpstr(next(f), ==, "{\"execute\":\"quit\"}");
    feed(f, "] [ 1");
    assert_error(f, "stray ']'");
    feed(f, "still the same line ]");
    g_assert_cmpstr(next(f), ==, "");
    feed(f, "\n[1]");
    g_assert_cmpstr(next(f), ==, "[1]");
}

/* No newline is needed, wherever in a value the lexical error is. */
static void test_command_after_a_lexical_error(Fixture *f, const void *data)
{
    static const char *const bad[] = {
        "{\377", "{\001", "{'bad \377", "{'bad \300", "{'bad \365", "%p",
        "{'a': 'b\n", "{'a': 'b\\x", "{'a': tru ",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        feed(f, bad[i]);
        feed(f, "{'next': 1}");
        assert_error(f, "JSON parse error, ");
        g_assert_cmpstr(next(f), ==, "{\"next\":1}");
        g_assert_cmpstr(next(f), ==, "");
    }
}

static void test_too_much_is_skipped_to_the_end_of_the_line(Fixture *f,
                                                            const void *data)
{
    g_autofree char *text = g_strnfill(3 * QMP_STREAM_MAX_DEPTH, '{');

    feed(f, text);
    assert_error(f, "nesting");
    g_assert_cmpstr(next(f), ==, "");
    feed(f, "\n[1]");
    g_assert_cmpstr(next(f), ==, "[1]");
}

/* --- limits -------------------------------------------------------------- */

static char *nested(unsigned depth)
{
    char *text = g_malloc0(2 * depth + 1);

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return text;
}

static void test_depth_is_limited(Fixture *f, const void *data)
{
    g_autofree char *deepest = nested(QMP_STREAM_MAX_DEPTH);
    g_autofree char *too_deep = nested(QMP_STREAM_MAX_DEPTH + 1);
    g_autofree char *far_too_deep = nested(1000000);

    feed(f, deepest);
    g_assert_cmpstr(next(f), ==, deepest);
    feed(f, too_deep);
    assert_error(f, "nesting depth limit");
    feed(f, "\n");
    feed(f, far_too_deep);
    assert_error(f, "nesting depth limit");
    feed(f, "\n{}");
    g_assert_cmpstr(next(f), ==, "{}");
    g_assert_cmpstr(next(f), ==, "");
}

/* Feeds @n times @c. */
static void feed_many(Fixture *f, char c, size_t n)
{
    g_autofree char *text = g_malloc(n);

    memset(text, c, n);
    qmp_stream_feed(f->stream, text, n);
}

static void test_size_is_limited(Fixture *f, const void *data)
{
    feed(f, "[\"");
    feed_many(f, 'x', 10 * MiB);
    feed(f, "\"]");
    g_assert_cmpuint(strlen(next(f)), ==, 10 * MiB + 4);
    feed(f, "[\"");
    feed_many(f, 'x', 3 * QMP_STREAM_MAX_BYTES);
    assert_error(f, "size limit");
    g_assert_cmpstr(next(f), ==, "");
    feed(f, "\"]\n{}");
    g_assert_cmpstr(next(f), ==, "{}");
}

static void test_long_garbage_is_one_error(Fixture *f, const void *data)
{
    feed_many(f, 'x', 10 * MiB);
    feed(f, "\n");
    assert_error(f, "invalid keyword 'xxx");
    feed_many(f, '7', 10 * MiB);
    feed(f, "\n");
    assert_error(f, "number too large");
    feed_many(f, '(', 10 * MiB);
    feed(f, "\n{}");
    assert_error(f, "stray '('");
    g_assert_cmpstr(next(f), ==, "{}");
}

static void test_number_of_tokens_is_limited(Fixture *f, const void *data)
{
    feed(f, "[");
    for (unsigned i = 0; i < QMP_STREAM_MAX_TOKENS / 2; i++) {
        feed(f, "1,");
    }
    assert_error(f, "token count limit");
    feed(f, "1]\n{}");
    g_assert_cmpstr(next(f), ==, "{}");
}

/* --- reset --------------------------------------------------------------- */

static void test_reset_forgets_an_unfinished_value(Fixture *f,
                                                   const void *data)
{
    feed(f, "{\"a\": [\"");
    qmp_stream_reset(f->stream);
    feed(f, "{}");
    g_assert_cmpstr(next(f), ==, "{}");
}

static void test_reset_in_the_callback_drops_the_rest(Fixture *f,
                                                      const void *data)
{
    f->reset_at_next = true;
    feed(f, "[1] [2] [3");
    g_assert_cmpstr(next(f), ==, "[1]");
    f->reset_at_next = true;
    feed(f, "[4] ]\n");
    g_assert_cmpstr(next(f), ==, "[4]");
    f->reset_at_next = true;
    feed(f, "} [5]");
    assert_error(f, "stray");
    feed(f, "[6]");
    g_assert_cmpstr(next(f), ==, "[6]");
}

static void test_random_bytes_do_no_harm(Fixture *f, const void *data)
{
    static const char alphabet[] =
        "{}[]{}[],:\"'\\ \n0123456789-+.eEtruefalsnuxd/\t\377\303\244";

    for (unsigned i = 0; i < 400000; i++) {
        char c = alphabet[g_test_rand_int_range(0, sizeof(alphabet))];

        qmp_stream_feed(f->stream, &c, 1);
    }
    g_assert_cmpuint(f->told->len, >, 0);
    g_ptr_array_set_size(f->told, 0);
    qmp_stream_reset(f->stream);
    feed(f, "{}");
    g_assert_cmpstr(next(f), ==, "{}");
}

#define ADD(name, fn) \
    g_test_add("/qmp-stream/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("values-need-no-newline", test_values_need_no_newline);
    ADD("values-may-span-lines", test_values_may_span_lines);
    ADD("every-split-gives-the-same", test_every_split_gives_the_same);
    ADD("outermost-scalars-end-with-a-blank",
        test_outermost_scalars_end_with_a_blank);
    ADD("single-quotes-are-quotes", test_single_quotes_are_quotes);
    ADD("brackets-in-strings-do-not-count",
        test_brackets_in_strings_do_not_count);
    ADD("surrogate-pairs", test_surrogate_pairs);
    ADD("integers-keep-64-bits", test_integers_keep_64_bits);
    ADD("malformed-input-is-one-error-a-line",
        test_malformed_input_is_one_error_a_line);
    ADD("nul-bytes-are-errors", test_nul_bytes_are_errors);
    ADD("bad-line-is-skipped-to-a-brace", test_bad_line_is_skipped_to_a_brace);
    ADD("command-after-a-lexical-error", test_command_after_a_lexical_error);
    ADD("too-much-is-skipped-to-the-end-of-the-line",
        test_too_much_is_skipped_to_the_end_of_the_line);
    ADD("depth-is-limited", test_depth_is_limited);
    ADD("size-is-limited", test_size_is_limited);
    ADD("long-garbage-is-one-error", test_long_garbage_is_one_error);
    ADD("number-of-tokens-is-limited", test_number_of_tokens_is_limited);
    ADD("reset-forgets-an-unfinished-value",
        test_reset_forgets_an_unfinished_value);
    ADD("reset-in-the-callback-drops-the-rest",
        test_reset_in_the_callback_drops_the_rest);
    ADD("random-bytes-do-no-harm", test_random_bytes_do_no_harm);
    return g_test_run();
}
