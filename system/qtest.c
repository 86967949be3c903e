/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest server: takes lines from a character device, has each carried out
 * (qtest-commands.c) and answers it; tells of the interrupt lines that the
 * test intercepts (qtest-irq.c); keeps the log. The peer is as hostile as a
 * guest: no line, of whatever length and content, may do more than fail.
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "chardev/char-output.h"
#include "qemu/regular-file.h"
#include "qtest.h"
#include "qtest-commands.h"
#include "qtest-irq.h"

/* Of one read of the character device, bytes. */
#define QTEST_READ_SIZE 4096

typedef struct QTestServer {
    CharBackend chr;
    CharOutput out;
    FILE *log;                            /* NULL: none */
    gint64 start;                         /* g_get_monotonic_time() */
    bool connected;
    GString *line;                        /* received, not yet complete */
    bool overlong;                        /* the line is being skipped */
} QTestServer;

/* The one server; a process has one machine. */
static QTestServer *qtest_server;

/* @tag is R (received), S (sent) or I (about the connection). */
static void qtest_log_line(QTestServer *s, char tag, const char *text)
{
    if (s->log) {
        fprintf(s->log, "[%c +%.6f] %s\n", tag,
                (g_get_monotonic_time() - s->start) / 1e6, text);
        fflush(s->log);
    }
}

static void qtest_send(QTestServer *s, GString *text)
{
    qtest_log_line(s, 'S', text->str);
    g_string_append_c(text, '\n');
    if (!char_output_add(&s->out, text->str, text->len)) {
        qtest_log_line(s, 'I', "nothing is read, DISCONNECTED");
        char_output_discard(&s->out);
        qemu_chr_fe_disconnect(&s->chr);
    }
}

static void qtest_irq_changed(int n, bool high)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (qtest_server && qtest_server->connected) {
        g_string_printf(text, "IRQ %s %d", high ? "raise" : "lower", n);
        qtest_send(qtest_server, text);
    }
}

/* --- lines --------------------------------------------------------------- */

static void qtest_handle_line(QTestServer *s, char *line)
{
    g_autoptr(GString) reply = g_string_new("OK");
    Error *err = NULL;

    qtest_log_line(s, 'R', line);
    if (!qtest_command(line, reply, &err)) {
        g_string_printf(reply, "FAIL %s", error_get_pretty(err));
        error_free(err);
    }
    qtest_send(s, reply);
}

static void qtest_fail_overlong(QTestServer *s)
{
    g_autoptr(GString) reply = g_string_new("FAIL line too long");

    g_string_truncate(s->line, 0);
    s->overlong = true;
    qtest_send(s, reply);
}

/* @len bytes without a newline, followed by one if @complete. */
static void qtest_feed(QTestServer *s, const char *data, size_t len,
                       bool complete)
{
    if (!s->overlong) {
        g_string_append_len(s->line, data, len);
        if (s->line->len > QTEST_MAX_LINE) {
            qtest_fail_overlong(s);
        } else if (complete) {
            qtest_handle_line(s, s->line->str);
        }
    }
    if (complete) {
        g_string_truncate(s->line, 0);
        s->overlong = false;
    }
}

static int qtest_can_read(void *opaque)
{
    QTestServer *s = opaque;

    /* A client that does not read its answers gets no further ones. */
    return char_output_pending(&s->out) < CHAR_OUTPUT_PAUSE ? QTEST_READ_SIZE
                                                            : 0;
}

static void qtest_read(void *opaque, const uint8_t *buf, int size)
{
    QTestServer *s = opaque;
    const char *data = (const char *)buf;
    const char *end = data + size;

    while (data < end) {
        const char *newline = memchr(data, '\n', end - data);

        qtest_feed(s, data, (newline ? newline : end) - data, newline != NULL);
        data = newline ? newline + 1 : end;
    }
}

static void qtest_event(void *opaque, QEMUChrEvent event)
{
    QTestServer *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        qtest_irq_reset();
        s->connected = true;
        qtest_log_line(s, 'I', "OPENED");
        break;
    case CHR_EVENT_CLOSED:
        s->connected = false;
        s->overlong = false;
        g_string_truncate(s->line, 0);
        char_output_discard(&s->out);
        qtest_log_line(s, 'I', "CLOSED");
        break;
    default:
        break;
    }
}

/* --- start and end ------------------------------------------------------- */

static bool qtest_open_log(QTestServer *s, const char *path, Error **errp)
{
    ERRP_GUARD();
    int fd;

    if (!path) {
        s->log = stderr;
    } else if (strcmp(path, "none") != 0) {
        fd = regular_file_open_write(path, O_TRUNC, errp);
        if (fd < 0) {
            error_prepend(errp, "could not open qtest log ");
            return false;
        }
        s->log = fdopen(fd, "w");
    }
    return true;
}

static void qtest_server_free(QTestServer *s)
{
    if (s->log && s->log != stderr) {
        fclose(s->log);
    }
    char_output_destroy(&s->out);
    g_string_free(s->line, TRUE);
    g_free(s);
}

bool qtest_server_init(const char *qtest_chrdev, const char *qtest_log,
                       Error **errp)
{
    QTestServer *s;
    Chardev *chr;

    g_assert(!qtest_server);
    s = g_new0(QTestServer, 1);
    s->start = g_get_monotonic_time();
    s->line = g_string_new(NULL);
    char_output_init(&s->out, &s->chr);
    if (!qtest_open_log(s, qtest_log, errp)) {
        qtest_server_free(s);
        return false;
    }
    chr = qemu_chr_parse_compat("qtest", qtest_chrdev, errp);
    if (!chr || !qemu_chr_fe_init(&s->chr, chr, errp)) {
        qtest_server_free(s);
        return false;
    }
    qtest_server = s;
    qtest_irq_set_observer(qtest_irq_changed);
    qemu_chr_fe_set_handlers(&s->chr, qtest_can_read, qtest_read, qtest_event,
                             NULL, s, NULL, true);
    return true;
}

void qtest_server_cleanup(void)
{
    QTestServer *s = g_steal_pointer(&qtest_server);

    if (s) {
        char_output_discard(&s->out);
        qemu_chr_fe_deinit(&s->chr, false);
        qtest_server_free(s);
    }
}
