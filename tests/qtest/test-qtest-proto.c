/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest protocol itself: what each command answers, and that no line of
 * whatever content does more than fail.
 */
#include <string.h>

#include "libqtest.h"

#define RANDOM_LINES 4000
#define RAM 0x100000

typedef struct Fixture {
    QTestState *qts;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init("-M q35 -m 64M");
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

static void check(Fixture *f, const char *line, const char *expected)
{
    g_autofree char *answer = qtest_line(f->qts, "%s", line);

    g_assert_cmpstr(answer, ==, expected);
}

static void check_fails(Fixture *f, const char *line)
{
    g_autofree char *answer = qtest_line(f->qts, "%s", line);

    if (!g_str_has_prefix(answer, "FAIL ")) {
        g_error("'%s' was answered '%s'", line, answer);
    }
}

/* --- what works ---------------------------------------------------------- */

static void test_accesses_of_each_width(Fixture *f, const void *data)
{
    check(f, "writeq 0x100000 0x8877665544332211", "OK");
    check(f, "readb 0x100000", "OK 0x0000000000000011");
    check(f, "readw 0x100001", "OK 0x0000000000003322");
    check(f, "readl 0x100003", "OK 0x0000000077665544");
    check(f, "readq 0x100000", "OK 0x8877665544332211");
    check(f, "writel 0x100004 0xdeadbeef", "OK");
    check(f, "writew 0x100002 0xcafe", "OK");
    check(f, "writeb 0x100000 255", "OK");
    check(f, "readq 1048576", "OK 0xdeadbeefcafe22ff");
}

static void test_bytes(Fixture *f, const void *data)
{
    check(f, "write 0x100000 4 0x00Ff12aB", "OK");
    check(f, "read 0x100000 4", "OK 0x00ff12ab");
    check(f, "read 0x100001 0x1", "OK 0xff");
    check(f, "b64write 0x100010 5 aGVsbG8=", "OK");
    check(f, "b64read 0x100010 5", "OK aGVsbG8=");
    check(f, "memset 0x100012 2 0x4c", "OK");
    check(f, "b64read 0x100010 5", "OK aGVMTG8=");
}

static void test_large_transfers(Fixture *f, const void *data)
{
    const size_t size = 5 << 20;
    g_autofree uint8_t *out = g_malloc(size), *in = g_malloc0(size);

    for (size_t i = 0; i < size; i++) {
        out[i] = i * 2654435761u >> 24;
    }
    qtest_memwrite(f->qts, RAM, out, size);
    qtest_memread(f->qts, RAM, in, size);
    g_assert_cmpmem(out, size, in, size);
    qtest_memset(f->qts, RAM, 0x77, size);
    g_assert_cmphex(qtest_readb(f->qts, RAM + size - 1), ==, 0x77);
}

static void test_where_nothing_answers(Fixture *f, const void *data)
{
    check(f, "readl 0x7000000000", "OK 0x0000000000000000");
    check(f, "writel 0x7000000000 1", "OK");
    check(f, "read 0x7000000000 3", "OK 0x000000");
    check(f, "inb 0x2345", "OK 0x00ff");
    check(f, "inw 0x2345", "OK 0xffff");
    check(f, "outl 0x2345 1", "OK");
}

static void test_endianness(Fixture *f, const void *data)
{
    check(f, "endianness", "OK little");
}

static void test_blanks_and_line_ends_do_not_matter(Fixture *f,
                                                    const void *data)
{
    check(f, "  memset\t0x100000  4 0  ", "OK");
    check(f, "readl 0x100000\r", "OK 0x0000000000000000");
}

static void test_line_in_pieces(Fixture *f, const void *data)
{
    const char *line = "readq 0x100000\n";
    g_autofree char *answer = NULL;

    for (size_t i = 0; i < strlen(line); i++) {
        qtest_send_bytes(f->qts, line + i, 1);
    }
    answer = qtest_answer(f->qts);
    g_assert_cmpstr(answer, ==, "OK 0x0000000000000000");
}

static void test_many_lines_in_one_piece(Fixture *f, const void *data)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 5000; i++) {
        g_string_append_printf(text, "writel 0x100000 %d\nreadl 0x100000\n", i);
    }
    qtest_send_bytes(f->qts, text->str, text->len);
    for (int i = 0; i < 5000; i++) {
        g_autofree char *expected = g_strdup_printf("OK 0x%016x", i);
        g_autofree char *done = qtest_answer(f->qts);
        g_autofree char *value = qtest_answer(f->qts);

        g_assert_cmpstr(done, ==, "OK");
        g_assert_cmpstr(value, ==, expected);
    }
}

/* --- the clock ----------------------------------------------------------- */

static void test_clock_moves_only_when_told(Fixture *f, const void *data)
{
    check(f, "clock_step 1000", "OK 1000");
    g_usleep(20000);
    check(f, "clock_step 0", "OK 1000");
    check(f, "clock_step 234", "OK 1234");
    check(f, "clock_set 5000000", "OK 5000000");
    check(f, "clock_set 10", "OK 5000000");
    check(f, "clock_step 0x10", "OK 5000016");
}

static void test_clock_steps_to_the_next_timer(Fixture *f, const void *data)
{
    g_autofree char *answer = qtest_line(f->qts, "clock_step");

    g_assert_true(g_str_has_prefix(answer, "OK "));
}

static void test_bad_times_are_refused(Fixture *f, const void *data)
{
    check_fails(f, "clock_step soon");
    check_fails(f, "clock_step -1");
    check_fails(f, "clock_step 9223372036854775808");
    check_fails(f, "clock_set");
    check_fails(f, "clock_set 0xffffffffffffffff");
    check(f, "clock_step 5", "OK 5");
    check_fails(f, "clock_step 9223372036854775807");
    check(f, "clock_step 0", "OK 5");
}

/* --- interrupts ---------------------------------------------------------- */

static void test_interrupts_are_told(Fixture *f, const void *data)
{
    qtest_irq_intercept_in(f->qts, "ioapic");
    qtest_irq_intercept_in(f->qts, "ioapic");
    g_assert_false(qtest_get_irq(f->qts, 5));
    check(f, "set_irq_in ioapic unnamed-gpio-in 5 1", "OK");
    g_assert_true(qtest_get_irq(f->qts, 5));
    g_assert_false(qtest_get_irq(f->qts, 6));
    check(f, "set_irq_in ioapic unnamed-gpio-in 5 0", "OK");
    g_assert_false(qtest_get_irq(f->qts, 5));
}

static void test_bad_intercepts_are_refused(Fixture *f, const void *data)
{
    check_fails(f, "irq_intercept_in");
    check_fails(f, "irq_intercept_in /nowhere");
    check_fails(f, "irq_intercept_in /machine/unattached");
    check_fails(f, "irq_intercept_out /objects");
    check_fails(f, "set_irq_in ioapic unnamed-gpio-in 99 1");
    check_fails(f, "set_irq_in ioapic unnamed-gpio-in -1 1");
    check_fails(f, "set_irq_in ioapic no-such-lines 0 1");
    check_fails(f, "set_irq_in /nowhere unnamed-gpio-in 0 1");
    check_fails(f, "set_irq_in a b c d");
    qtest_irq_intercept_in(f->qts, "ioapic");
    check_fails(f, "irq_intercept_out ioapic");
}

/* --- what fails ---------------------------------------------------------- */

static void test_malformed_lines_fail(Fixture *f, const void *data)
{
    static const char *const bad[] = {
        "", "   ", "hello", "READB 0", "readx 0", "readb", "readb 0 0", "inb",
        "inb 0x", "inb zero", "inb 1x", "inb 65536", "inw 65535", "inl 65533",
        "inb 0x10000000000000000", "outb 1", "outb 1 2 3", "outl 65533 0",
        "readq 0x1ffffffffffffffff", "writeb 1", "writeb a 1", "writeb 1 a",
        "read 0", "read 0 0", "read 0 -1", "read 0 0xffffffffffffffff",
        "read 0xfffffffffffffff8 9", "read 0 1 1", "read 0 99999999999",
        "write 0 1", "write 0 1 0x", "write 0 1 0x1", "write 0 1 12",
        "write 0 1 0x1234", "write 0 2 0x12", "write 0 1 0xzz", "write 0 0 0x",
        "write 0 1 0x12 3", "write 0xffffffffffffffff 2 0x1234",
        "memset 0 1", "memset 0 0 0", "memset 0 0xffffffffffffffff 0",
        "memset 0 99999999999999 0", "memset 0 1 x", "b64read 0",
        "b64read 0 0", "b64read 0 0x7fffffffffffffff", "b64write 0 4 AAAA",
        "b64write 0 3 AA", "b64write 0 1 ====", "b64write 0 5 aGVsbG8= x",
        "endianness please", "a b c d e f g h i j k l m n o p",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        check_fails(f, bad[i]);
    }
    check(f, "readb 0x100000", "OK 0x0000000000000000");
}

static void test_failing_write_changes_nothing(Fixture *f, const void *data)
{
    check(f, "writel 0x100000 0x12345678", "OK");
    check_fails(f, "write 0x100000 4 0xffffff0x");
    check_fails(f, "write 0x100000 4 0xffffff");
    check_fails(f, "b64write 0x100000 4 aGVsbG8=");
    check(f, "readl 0x100000", "OK 0x0000000012345678");
}

static void test_overlong_line_fails_once(Fixture *f, const void *data)
{
    const size_t size = 80 << 20;
    g_autofree char *text = g_malloc(size);
    g_autofree char *answer = NULL;

    memset(text, 'x', size);
    qtest_send_bytes(f->qts, text, size);
    qtest_send_bytes(f->qts, "\n", 1);
    answer = qtest_answer(f->qts);
    g_assert_true(g_str_has_prefix(answer, "FAIL "));
    check(f, "endianness", "OK little");
}

static void test_bytes_that_are_no_text(Fixture *f, const void *data)
{
    static const char nul[] = "readb\0 0\n", high[] = "\xff\xfe\x80 \x01\n";

    qtest_send_bytes(f->qts, nul, sizeof(nul) - 1);
    g_free(qtest_answer(f->qts));
    qtest_send_bytes(f->qts, high, sizeof(high) - 1);
    g_free(qtest_answer(f->qts));
    check(f, "endianness", "OK little");
}

/* A line of random words, most of them numbers or commands. */
static void append_random_line(GString *text, GRand *rand)
{
    static const char *const words[] = {
        "readb", "readw", "readl", "readq", "writeb", "writew", "writel",
        "writeq", "read", "write", "memset", "b64read", "b64write", "inb",
        "clock_step", "clock_set", "endianness", "irq_intercept_in",
        "set_irq_in", "0", "1", "-1", "8", "0x1000", "0x100000",
        "0xffffffffffffffff", "18446744073709551616", "0x", "0x00", "AAAA",
        "=", "/machine", "/", "", "x", "\t",
    };
    int n = g_rand_int_range(rand, 0, 6);

    for (int i = 0; i < n; i++) {
        if (g_rand_int_range(rand, 0, 4) == 0) {
            g_string_append_printf(text, "%#" PRIx64 " ",
                                   (uint64_t)g_rand_int(rand) <<
                                   g_rand_int_range(rand, 0, 33));
        } else {
            g_string_append(text, words[g_rand_int_range(
                rand, 0, G_N_ELEMENTS(words))]);
            g_string_append_c(text, ' ');
        }
    }
    if (g_rand_int_range(rand, 0, 3) == 0 && text->len > 0) {
        g_string_truncate(text, g_rand_int_range(rand, 0, text->len));
    }
    g_string_append_c(text, '\n');
}

static void test_random_lines_get_one_answer_each(Fixture *f,
                                                  const void *data)
{
    g_autoptr(GRand) rand = qtest_rand_new();

    for (unsigned i = 0; i < RANDOM_LINES; i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        g_autofree char *answer = NULL;

        append_random_line(line, rand);
        qtest_send_bytes(f->qts, line->str, line->len);
        answer = qtest_answer(f->qts);
        if (strcmp(answer, "OK") != 0 && !g_str_has_prefix(answer, "OK ") &&
            !g_str_has_prefix(answer, "FAIL ")) {
            g_error("'%s' was answered '%s'", line->str, answer);
        }
    }
    check(f, "endianness", "OK little");
}

/* A client that does not read its answers waits, others do not. */
static void test_unread_answers_hold_nobody(Fixture *f, const void *data)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    const unsigned n = 3000;

    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(lines, "read 0x%x 0x1000\n", i * 4096);
    }
    qtest_send_bytes(f->qts, lines->str, lines->len);
    for (unsigned i = 0; i < 10; i++) {
        qmp_client_check_alive(qtest_qmp(f->qts));
    }
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *answer = qtest_answer(f->qts);

        g_assert_cmpuint(strlen(answer), ==, strlen("OK 0x") + 2 * 0x1000);
    }
    check(f, "readb 0x0", "OK 0x0000000000000000");
}

#define ADD(name, fn) \
    g_test_add("/qtest-proto/" name, Fixture, NULL, setup, fn, teardown)

/* Of these QEMU, which is built for well-behaved clients, knows nothing. */
static void add_strict_tests(void)
{
    ADD("clock-moves-only-when-told", test_clock_moves_only_when_told);
    ADD("clock-steps-to-the-next-timer", test_clock_steps_to_the_next_timer);
    ADD("bad-times-are-refused", test_bad_times_are_refused);
    ADD("blanks-and-line-ends-do-not-matter",
        test_blanks_and_line_ends_do_not_matter);
    ADD("bad-intercepts-are-refused", test_bad_intercepts_are_refused);
    ADD("malformed-lines-fail", test_malformed_lines_fail);
    ADD("failing-write-changes-nothing", test_failing_write_changes_nothing);
    ADD("overlong-line-fails-once", test_overlong_line_fails_once);
    ADD("bytes-that-are-no-text", test_bytes_that_are_no_text);
    ADD("random-lines-get-one-answer-each",
        test_random_lines_get_one_answer_each);
    ADD("unread-answers-hold-nobody", test_unread_answers_hold_nobody);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("accesses-of-each-width", test_accesses_of_each_width);
    ADD("bytes", test_bytes);
    ADD("large-transfers", test_large_transfers);
    ADD("where-nothing-answers", test_where_nothing_answers);
    ADD("endianness", test_endianness);
    ADD("line-in-pieces", test_line_in_pieces);
    ADD("many-lines-in-one-piece", test_many_lines_in_one_piece);
    ADD("interrupts-are-told", test_interrupts_are_told);
    if (qtest_emulator_has(QTEST_NEEDS_SPARSEVM)) {
        add_strict_tests();
    }
    return g_test_run();
}
