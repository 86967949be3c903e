/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keys do in a monitor for people: monitor/hmp-readline.c. */
#include "qemu/osdep.h"

#include "monitor/hmp-readline.h"

typedef struct Fixture {
    Readline *rl;
    GString *screen;                      /* all that was printed */
    GString *lines;                       /* "[line]" for each that was run */
} Fixture;

static void print(void *opaque, const char *text, size_t len)
{
    Fixture *f = opaque;

    g_string_append_len(f->screen, text, len);
}

static void execute(void *opaque, const char *line)
{
    Fixture *f = opaque;

    g_string_append_printf(f->lines, "[%s]", line);
}

static char **complete(void *opaque, const char *line)
{
    static const char *const words[] = { "stop", "system_powerdown",
                                         "system_reset" };
    GPtrArray *found = g_ptr_array_new();

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (g_str_has_prefix(words[i], line)) {
            g_ptr_array_add(found, g_strdup(words[i]));
        }
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}

static const ReadlineOps ops = { print, execute, complete };

static void setup(Fixture *f, const void *data)
{
    f->screen = g_string_new(NULL);
    f->lines = g_string_new(NULL);
    f->rl = readline_new(&ops, f, "> ");
}

static void teardown(Fixture *f, const void *data)
{
    readline_free(f->rl);
    g_string_free(f->screen, TRUE);
    g_string_free(f->lines, TRUE);
}

/* Types @keys; the lines that were run are exactly @lines. */
static void check(Fixture *f, const char *keys, const char *lines)
{
    g_string_truncate(f->lines, 0);
    readline_feed(f->rl, keys, strlen(keys));
    g_assert_cmpstr(f->lines->str, ==, lines);
}

static void test_lines_end_as_terminals_end_them(Fixture *f, const void *data)
{
    check(f, "one\rtwo\nthree\r\nfour\r\rfive\n",
          "[one][two][three][four][][five]");
}

static void test_typing_is_echoed(Fixture *f, const void *data)
{
    readline_show(f->rl);
    check(f, "ab\r", "[ab]");
    g_assert_cmpstr(f->screen->str, ==, "> ab\r\n> ");
}

static void test_line_is_edited(Fixture *f, const void *data)
{
    check(f, "abx\177c\r", "[abc]");
    check(f, "abx\bc\r", "[abc]");
    check(f, "\177\177\b\r", "[]");
    check(f, "bc\033[D\033[Da\r", "[abc]");
    check(f, "bc\001a\005d\r", "[abcd]");
    check(f, "bc\033[Ha\033[Fd\r", "[abcd]");
    check(f, "bc\033[1~a\033[4~d\r", "[abcd]");
    check(f, "abxc\033[D\033[D\033[3~\r", "[abc]");
    check(f, "junk\025abc\r", "[abc]");
    check(f, "abcjunk\033[D\033[D\033[D\033[D\013\r", "[abc]");
    check(f, "one two  \027three\r", "[one three]");
    check(f, "\033[D\033[C\033[Cx\r", "[x]");
}

static void test_unknown_keys_are_ignored(Fixture *f, const void *data)
{
    check(f, "a\033[99~b\033Oz\033xc\033[1;5Xd\007\r", "[abcd]");
}

static void test_history_goes_back_and_forth(Fixture *f, const void *data)
{
    check(f, "first\rsecond\rsecond\r\r", "[first][second][second][]");
    check(f, "\033[A\r", "[second]");
    check(f, "\033[A\033[A\r", "[first]");
    check(f, "\033[A\033[A\033[A\033[A\033[A!\r", "[first!]");
    check(f, "\020\016x\r", "[x]");
    check(f, "\033[B\033[By\r", "[y]");
}

static void test_history_is_bounded(Fixture *f, const void *data)
{
    for (int i = 0; i < 500; i++) {
        g_autofree char *line = g_strdup_printf("%d\r", i);

        readline_feed(f->rl, line, strlen(line));
    }
    for (int i = 0; i < 500; i++) {
        readline_feed(f->rl, "\033[A", 3);
    }
    check(f, "\r", "[436]");
}

static void test_tab_completes(Fixture *f, const void *data)
{
    check(f, "st\t\r", "[stop ]");
    check(f, "sy\tr\t\r", "[system_reset ]");
    check(f, "x\t\r", "[x]");
    g_string_truncate(f->screen, 0);
    check(f, "system_\t\025\r", "[]");
    g_assert_nonnull(strstr(f->screen->str,
                            "system_powerdown  system_reset\r\n> system_"));
}

static void test_lines_are_bounded(Fixture *f, const void *data)
{
    g_autofree char *text = g_strnfill(100000, 'x');

    readline_feed(f->rl, text, 100000);
    readline_feed(f->rl, "\r", 1);
    g_assert_cmpuint(f->lines->len, ==, 4096 + 2);
}

static void test_reset_forgets_the_line_only(Fixture *f, const void *data)
{
    check(f, "kept\rlost\033", "[kept]");
    readline_reset(f->rl);
    check(f, "\033[A\r", "[kept]");
}

static void test_random_keys_do_no_harm(Fixture *f, const void *data)
{
    static const char keys[] = "ab \t\r\n\b\177\001\002\005\013\020\016\025"
                               "\027\033[OABCDHF~;0139";

    for (unsigned i = 0; i < 200000; i++) {
        readline_feed(f->rl, &keys[g_test_rand_int_range(0, sizeof(keys) - 1)],
                      1);
        if (f->screen->len > 100000) {
            g_string_truncate(f->screen, 0);
        }
    }
    readline_reset(f->rl);
    check(f, "alive\r", "[alive]");
}

#define ADD(name, fn) \
    g_test_add("/hmp-readline/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("lines-end-as-terminals-end-them",
        test_lines_end_as_terminals_end_them);
    ADD("typing-is-echoed", test_typing_is_echoed);
    ADD("line-is-edited", test_line_is_edited);
    ADD("unknown-keys-are-ignored", test_unknown_keys_are_ignored);
    ADD("history-goes-back-and-forth", test_history_goes_back_and_forth);
    ADD("history-is-bounded", test_history_is_bounded);
    ADD("tab-completes", test_tab_completes);
    ADD("lines-are-bounded", test_lines_are_bounded);
    ADD("reset-forgets-the-line-only", test_reset_forgets_the_line_only);
    ADD("random-keys-do-no-harm", test_random_keys_do_no_harm);
    return g_test_run();
}
