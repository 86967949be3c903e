/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting, and lines over a socket. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libqtest.h"
#include "tests/patience.h"

/* Within this time there usually is an answer; only then is it asked how long
 * the machine may take. */
#define USUAL_MS 100

gint64 qtest_deadline(void)
{
    const char *seconds = g_getenv("QTEST_TIMEOUT");

    return seconds ? g_get_monotonic_time() + atoi(seconds) * G_USEC_PER_SEC :
                     patience_deadline();
}

bool qtest_wait_more(gint64 deadline, unsigned *round)
{
    return patience_more(deadline, round);
}

void line_reader_init(LineReader *r, int fd)
{
    r->fd = fd;
    r->buffer = g_string_new(NULL);
}

void line_reader_destroy(LineReader *r)
{
    close(r->fd);
    g_string_free(r->buffer, TRUE);
}

/* Waits until @events are there; a time-out ends the test. */
static void wait_for(LineReader *r, short events)
{
    struct pollfd pfd = { .fd = r->fd, .events = events };
    int n = poll(&pfd, 1, USUAL_MS);
    gint64 left;

    if (n <= 0) {
        left = qtest_deadline() - g_get_monotonic_time();
        do {
            n = poll(&pfd, 1, left / 1000);
        } while (n < 0 && errno == EINTR);
    }
    if (n == 0) {
        g_error("no answer in time; received so far: '%s'", r->buffer->str);
    }
}

/* Takes what is there; false at the end of the stream. */
static bool line_reader_fill(LineReader *r)
{
    char data[65536];
    ssize_t n;

    wait_for(r, POLLIN);
    n = read(r->fd, data, sizeof(data));
    if (n > 0) {
        g_string_append_len(r->buffer, data, n);
    }
    return n > 0;
}

char *line_reader_read(LineReader *r)
{
    size_t searched = 0;
    const char *newline;
    char *line;

    while (!(newline = memchr(r->buffer->str + searched, '\n',
                              r->buffer->len - searched))) {
        searched = r->buffer->len;
        if (!line_reader_fill(r)) {
            return NULL;
        }
    }
    line = g_strndup(r->buffer->str, newline - r->buffer->str);
    g_string_erase(r->buffer, 0, newline - r->buffer->str + 1);
    return g_strchomp(line);
}

void line_reader_send(LineReader *r, const void *data, size_t len)
{
    const char *from = data;

    while (len > 0) {
        ssize_t n = send(r->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            wait_for(r, POLLOUT);
        } else if (n < 0) {
            g_error("the emulator does not listen: %s", g_strerror(errno));
        } else {
            from += n;
            len -= n;
        }
    }
}

/* --- servers -------------------------------------------------------------- */

bool qtest_is_listening(const char *path)
{
    const char *flag_listening = " 00010000 ";
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/net/unix", &text, NULL, NULL)) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_str_has_suffix(*line, path) && strstr(*line, flag_listening)) {
            return true;
        }
    }
    return false;
}
