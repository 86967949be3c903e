/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors and messages: qapi/error.h, qemu/error-report.h. */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/error-report.h"

static void fail(Error **errp)
{
    error_setg(errp, "broken by %d", 7);
}

static void fail_with_guard(Error **errp, bool *seen)
{
    ERRP_GUARD();

    fail(errp);
    *seen = *errp != NULL;
    error_prepend(errp, "outer: ");
}

static void test_carries_message_and_class(void)
{
    g_autoptr(GError) err = NULL;

    fail(&err);
    g_assert_cmpstr(error_get_pretty(err), ==, "broken by 7");
    g_assert_cmpint(error_get_class(err), ==, ERROR_CLASS_GENERIC_ERROR);
    g_assert_cmpstr(error_class_str(error_get_class(err)), ==, "GenericError");
}

static void test_names_the_class(void)
{
    g_autoptr(GError) err = NULL;

    error_set(&err, ERROR_CLASS_DEVICE_NOT_FOUND, "no %s", "x");
    g_assert_cmpstr(error_class_str(error_get_class(err)), ==,
                    "DeviceNotFound");
}

static void test_appends_errno_of_either_sign(void)
{
    g_autoptr(GError) plus = NULL, minus = NULL, none = NULL;

    error_setg_errno(&plus, ENOENT, "cannot open");
    error_setg_errno(&minus, -ENOENT, "cannot open");
    error_setg_errno(&none, 0, "cannot open");
    g_assert_cmpstr(plus->message, ==,
                    "cannot open: No such file or directory");
    g_assert_cmpstr(minus->message, ==, plus->message);
    g_assert_cmpstr(none->message, ==, "cannot open");
}

static void test_keeps_errno(void)
{
    g_autoptr(GError) err = NULL;

    errno = EXDEV;
    fail(&err);
    g_assert_cmpint(errno, ==, EXDEV);
}

static void test_guard_works_for_every_destination(void)
{
    g_autoptr(GError) err = NULL;
    bool seen = false;

    fail_with_guard(NULL, &seen);
    g_assert_true(seen);
    fail_with_guard(&err, &seen);
    g_assert_cmpstr(err->message, ==, "outer: broken by 7");
}

static void test_propagates_the_first_error(void)
{
    Error *first = NULL, *second = NULL, *dest = NULL;

    error_setg(&first, "first");
    error_setg(&second, "second");
    error_propagate(&dest, NULL);
    error_propagate(&dest, first);
    error_propagate(&dest, second);
    g_assert_cmpstr(error_get_pretty(dest), ==, "first");
    error_free_or_abort(&dest);
    g_assert_null(dest);
}

static void test_copy_is_independent(void)
{
    Error *err = NULL;
    g_autoptr(GError) copy = NULL;

    error_set(&err, ERROR_CLASS_COMMAND_NOT_FOUND, "x");
    copy = error_copy(err);
    error_free(err);
    g_assert_cmpint(error_get_class(copy), ==, ERROR_CLASS_COMMAND_NOT_FOUND);
}

static void test_fatal_prints_and_exits_with_1(void)
{
    if (g_test_subprocess()) {
        error_set_location("-device x");
        fail(&error_fatal);
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("sparsevm: -device x: broken by 7\n");
}

static void test_abort_aborts(void)
{
    if (g_test_subprocess()) {
        fail(&error_abort);
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*broken by 7*");
}

static void collect_line(const char *line, void *opaque)
{
    g_string_append_printf(opaque, "<%s>", line);
}

static void test_printer_gets_the_lines(void)
{
    g_autoptr(GString) lines = g_string_new(NULL);

    error_set_printer(collect_line, lines);
    error_set_location("-m 5");
    error_report("too %s", "small");
    warn_report("w");
    error_set_location(NULL);
    info_report("i");
    error_set_printer(NULL, NULL);
    g_assert_cmpstr(lines->str, ==,
                    "<-m 5: too small><-m 5: warning: w><info: i>");
}

/* The 1st, the 10th, the 100th ... time, and which it is. */
static void test_counted_reports(void)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    uint64_t errors = 0, warnings = 0;

    error_set_printer(collect_line, lines);
    for (unsigned i = 1; i <= 2000; i++) {
        error_report_counted(&errors, "e%u", i);
    }
    for (unsigned i = 1; i <= 11; i++) {
        warn_report_counted(&warnings, "w%u", i);
    }
    error_set_printer(NULL, NULL);
    g_assert_cmpstr(lines->str, ==,
                    "<e1><e10 (10 times by now)><e100 (100 times by now)>"
                    "<e1000 (1000 times by now)>"
                    "<warning: w1><warning: w10 (10 times by now)>");
    g_assert_cmpuint(errors, ==, 2000);
}

static gpointer report_from_thread(gpointer data)
{
    error_report("from a thread");
    return NULL;
}

static void test_printer_is_the_threads_own(void)
{
    g_autoptr(GString) lines = g_string_new(NULL);

    if (g_test_subprocess()) {
        error_set_printer(collect_line, lines);
        g_thread_join(g_thread_new("t", report_from_thread, NULL));
        exit(lines->len != 0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*sparsevm: from a thread\n*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/carries-message-and-class",
                    test_carries_message_and_class);
    g_test_add_func("/error/names-the-class", test_names_the_class);
    g_test_add_func("/error/appends-errno-of-either-sign",
                    test_appends_errno_of_either_sign);
    g_test_add_func("/error/keeps-errno", test_keeps_errno);
    g_test_add_func("/error/guard-works-for-every-destination",
                    test_guard_works_for_every_destination);
    g_test_add_func("/error/propagates-the-first-error",
                    test_propagates_the_first_error);
    g_test_add_func("/error/copy-is-independent", test_copy_is_independent);
    g_test_add_func("/error/fatal-prints-and-exits-with-1",
                    test_fatal_prints_and_exits_with_1);
    g_test_add_func("/error/abort-aborts", test_abort_aborts);
    g_test_add_func("/error/printer-gets-the-lines",
                    test_printer_gets_the_lines);
    g_test_add_func("/error/counted-reports", test_counted_reports);
    g_test_add_func("/error/printer-is-the-threads-own",
                    test_printer_is_the_threads_own);
    return g_test_run();
}
