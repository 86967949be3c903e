/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for a person (qemu/error-report.h). Each is one write, so that
 * lines of several threads do not mix. It must never touch an Error.
 */
#include "qemu/osdep.h"

#include "qemu/error-report.h"
#include "qemu/timer.h"

static const char *progname = "sparsevm";
static bool with_timestamp;
static char *guest_name;

/* By thread: a printer must not catch what others have to say. */
static __thread char *location;
static __thread ErrorPrinter *printer;
static __thread void *printer_opaque;

void error_set_progname(const char *name)
{
    progname = name;
}

void error_set_prefix(bool timestamp, const char *name)
{
    with_timestamp = timestamp;
    g_free(guest_name);
    guest_name = g_strdup(name);
}

void error_set_location(const char *text)
{
    g_free(location);
    location = g_strdup(text);
}

void error_set_printer(ErrorPrinter *fn, void *opaque)
{
    printer = fn;
    printer_opaque = opaque;
}

/* What -msg asks for: a text to be put first; the caller's. */
static char *prefix(void)
{
    GString *text = g_string_new(NULL);

    if (with_timestamp) {
        int64_t ns = qemu_clock_get_ns(QEMU_CLOCK_HOST);
        g_autoptr(GDateTime) now =
            g_date_time_new_from_unix_utc(ns / NANOSECONDS_PER_SECOND);
        g_autofree char *second = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

        g_string_append_printf(text, "%s.%06dZ ", second,
                               (int)(ns % NANOSECONDS_PER_SECOND / SCALE_US));
    }
    if (guest_name) {
        g_string_append_printf(text, "%s ", guest_name);
    }
    return g_string_free(text, FALSE);
}

/* @text: to be put behind the message. */
static void G_GNUC_PRINTF(3, 0)
report(const char *kind, const char *text, const char *fmt, va_list ap)
{
    int saved_errno = errno;
    g_autoptr(GString) line = g_string_new(NULL);

    if (location) {
        g_string_append_printf(line, "%s: ", location);
    }
    g_string_append(line, kind);
    g_string_append_vprintf(line, fmt, ap);
    g_string_append(line, text);
    if (printer) {
        printer(line->str, printer_opaque);
    } else {
        g_autofree char *first = prefix();

        fprintf(stderr, "%s%s: %s\n", first, progname, line->str);
    }
    errno = saved_errno;
}

#define DEFINE_REPORT(name, kind)                                            \
    void name(const char *fmt, ...)                                          \
    {                                                                        \
        va_list ap;                                                          \
                                                                             \
        va_start(ap, fmt);                                                   \
        report(kind, "", fmt, ap);                                           \
        va_end(ap);                                                          \
    }

DEFINE_REPORT(error_report, "")
DEFINE_REPORT(warn_report, "warning: ")
DEFINE_REPORT(info_report, "info: ")

/* --- GLib's --- */

static const char *find_field(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return fields[i].value;
        }
    }
    return "";
}

static GLogWriterOutput write_message(GLogLevelFlags level,
                                      const GLogField *fields, gsize n,
                                      gpointer opaque)
{
    const char *domain = find_field(fields, n, "GLIB_DOMAIN");
    const char *text = find_field(fields, n, "MESSAGE");

    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
        error_report("%s: %s", domain, text);
    } else if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE)) {
        warn_report("%s: %s", domain, text);
    }
    return G_LOG_WRITER_HANDLED;
}

/* What assertions that fail say last. */
static void print_as_it_is(const char *text)
{
    fputs(text, stderr);
}

void error_report_messages_of_glib(void)
{
    g_set_printerr_handler(print_as_it_is);
    g_log_set_writer_func(write_message, NULL, NULL);
}

/* --- again and again --- */

static bool is_power_of_10(uint64_t n)
{
    while (n % 10 == 0) {
        n /= 10;
    }
    return n == 1;
}

static void G_GNUC_PRINTF(3, 0)
report_counted(const char *kind, uint64_t *count, const char *fmt, va_list ap)
{
    g_autofree char *times = NULL;

    if (!is_power_of_10(++*count)) {
        return;
    }
    if (*count > 1) {
        times = g_strdup_printf(" (%" PRIu64 " times by now)", *count);
    }
    report(kind, times ? times : "", fmt, ap);
}

#define DEFINE_COUNTED_REPORT(name, kind)                                    \
    void name(uint64_t *count, const char *fmt, ...)                         \
    {                                                                        \
        va_list ap;                                                          \
                                                                             \
        va_start(ap, fmt);                                                   \
        report_counted(kind, count, fmt, ap);                                \
        va_end(ap);                                                          \
    }

DEFINE_COUNTED_REPORT(error_report_counted, "")
DEFINE_COUNTED_REPORT(warn_report_counted, "warning: ")
