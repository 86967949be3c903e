/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line for a person on stderr: "sparsevm: MESSAGE". A test reads it, if it
 * takes over by error_set_printer().
 * Any thread; location and printer are those of the calling thread.
 */
#ifndef QEMU_ERROR_REPORT_H
#define QEMU_ERROR_REPORT_H

void error_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void info_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/*
 * For what a guest or another process can make happen again and again: said the
 * first time, then the 10th, the 100th and so on, with the number. *count, 0 at
 * first, belongs to the message, or to the message of one device.
 */
void error_report_counted(uint64_t *count, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
void warn_report_counted(uint64_t *count, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);

/*
 * What is being carried out, e.g. "-device virtio-mem-pci,...": put before
 * each message until it is replaced or cleared with NULL. Copied.
 */
void error_set_location(const char *location);

/* The program's name in messages; "sparsevm" until set. Not copied. */
void error_set_progname(const char *name);

/* Puts the time (RFC 3339, UTC), and @guest_name (NULL: none; copied) behind
 * it, before each message on stderr: -msg. */
void error_set_prefix(bool timestamp, const char *guest_name);

/* GLib's warnings and errors are such messages from now on, by whichever thread, and
 * failed assertions are printed as they are: its own way of printing asks the
 * terminal, and reads the time zone and tables of characters. Once. */
void error_report_messages_of_glib(void);

/*
 * From now on messages of the calling thread go to @printer (as one line
 * without newline or program name) instead of stderr; NULL: to stderr again.
 */
typedef void ErrorPrinter(const char *line, void *opaque);
void error_set_printer(ErrorPrinter *printer, void *opaque);

#endif
