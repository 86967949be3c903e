/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON in one piece: what is taken, and that no text is too deep for the stack. */
#include "qemu/osdep.h"

#include "qemu/json-text.h"

static char *brackets(unsigned depth, const char *before)
{
    GString *text = g_string_new(before);

    for (unsigned i = 0; i < depth; i++) {
        g_string_append_c(text, '[');
    }
    for (unsigned i = 0; i < depth; i++) {
        g_string_append_c(text, ']');
    }
    return g_string_free(text, FALSE);
}

static void assert_refused(const char *text, const char *why)
{
    Error *err = NULL;

    g_assert_null(json_text_parse(text, &err));
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free(err);
}

static void test_values(void)
{
    static const struct { const char *text, *same; } good[] = {
        { "{\"a\": [1, true, null]}", "{\"a\":[1,true,null]}" },
        { "{'a': 'b'}", "{\"a\":\"b\"}" },
        { "\"/#[{\\\"[\"", "\"/#[{\\\"[\"" },
        { "'/#[{\"['", "\"/#[{\\\"[\"" },
        { "[]", "[]" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        g_autoptr(JsonNode) node = json_text_parse(good[i].text, &error_abort);
        g_autofree char *text = json_to_string(node, FALSE);

        g_assert_cmpstr(text, ==, good[i].same);
    }
}

static void test_depth_has_a_limit(void)
{
    g_autofree char *most = brackets(JSON_TEXT_MAX_DEPTH, "");
    g_autofree char *more = brackets(JSON_TEXT_MAX_DEPTH + 1, "");
    g_autofree char *most_of_all = brackets(1000000, "");
    g_autoptr(JsonNode) node = json_text_parse(most, &error_abort);

    g_assert_nonnull(node);
    assert_refused(more, "more than 1024 levels");
    assert_refused(most_of_all, "more than 1024 levels");
}

/* Brackets that only json-glib would see. */
static void test_depth_cannot_be_hidden(void)
{
    static const char *const before[] = {
        "{/*\"*/'a':", "{#\"\n'a':", "{//'\n'a':", "{'\\':", "{'a\\'':", "[']',",
        "[\"\\\"]\",",
    };

    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        g_autofree char *text = brackets(1000000, before[i]);

        assert_refused(text, "");
    }
}

static void test_what_is_no_json(void)
{
    assert_refused("", "there is none");
    assert_refused("{", "Parse error");
    assert_refused("]", "Parse error");
    assert_refused("\"", "Parse error");
    assert_refused("\"\\", "Parse error");
    assert_refused("'", "Parse error");
    assert_refused("{} // end", "stray '/'");
    assert_refused("# {}", "stray '#'");
    assert_refused("'\\u0041'", "double quotes");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-text/values", test_values);
    g_test_add_func("/json-text/depth-has-a-limit", test_depth_has_a_limit);
    g_test_add_func("/json-text/depth-cannot-be-hidden",
                    test_depth_cannot_be_hidden);
    g_test_add_func("/json-text/what-is-no-json", test_what_is_no_json);
    return g_test_run();
}
