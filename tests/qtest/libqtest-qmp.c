/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A QMP client: replies in order, events kept aside. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libqtest.h"
#include "tests/patience.h"

struct QmpClient {
    LineReader reader;
    GQueue events;                        /* JsonObject *, oldest first */
    GQueue commands;                      /* char *, sent, not replied to */
};

/* Of the one emulator that a test program tests. */
static QmpSchema *schema;

QmpClient *qmp_client_new(int fd)
{
    QmpClient *c = g_new0(QmpClient, 1);

    line_reader_init(&c->reader, fd);
    g_queue_init(&c->events);
    g_queue_init(&c->commands);
    return c;
}

QmpClient *qmp_client_connect(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(strlen(path), <, sizeof(addr.sun_path));
    strcpy(addr.sun_path, path);
    while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("%s: %s", path, g_strerror(errno));
        }
    }
    return qmp_client_new(fd);
}

void qmp_client_free(QmpClient *c)
{
    g_queue_clear_full(&c->events, (GDestroyNotify)json_object_unref);
    g_queue_clear_full(&c->commands, g_free);
    line_reader_destroy(&c->reader);
    g_free(c);
}

void qmp_client_send_bytes(QmpClient *c, const void *data, size_t len)
{
    line_reader_send(&c->reader, data, len);
}

/* Notes which commands @text asks for. */
static void note_commands(QmpClient *c, const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new(
        "['\"]execute['\"]:\\s*['\"]([\\w-]+)['\"]", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    g_regex_match(regex, text, 0, &match);
    while (g_match_info_matches(match)) {
        g_queue_push_tail(&c->commands, g_match_info_fetch(match, 1));
        g_match_info_next(match, NULL);
    }
}

void qmp_client_send(QmpClient *c, const char *text)
{
    note_commands(c, text);
    qmp_client_send_bytes(c, text, strlen(text));
}

void qmp_client_send_fds(QmpClient *c, const char *text, int fd, unsigned n)
{
    union {
        char bytes[CMSG_SPACE(QMP_CLIENT_MAX_FDS * sizeof(int))];
        struct cmsghdr header;
    } control = { { 0 } };
    struct iovec iov = { (void *)text, strlen(text) };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = n ? &control : NULL,
        .msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0,
    };

    if (n) {
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
        for (unsigned i = 0; i < n; i++) {
            memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd,
                   sizeof(int));
        }
    }
    note_commands(c, text);
    g_assert_cmpint(sendmsg(c->reader.fd, &msg, 0), ==, strlen(text));
}

void qmp_client_end_input(QmpClient *c)
{
    shutdown(c->reader.fd, SHUT_WR);
}

unsigned qmp_client_flood(QmpClient *c, const char *text, const char **rest)
{
    const unsigned limit = 1000000;
    /* In which who reads would have read. */
    const int pause_ms = patience_us() / 1000 / 40;
    struct pollfd pfd = { .fd = c->reader.fd, .events = POLLOUT };
    size_t len = strlen(text), sent = 0;
    unsigned n = 0;

    while (n < limit && poll(&pfd, 1, pause_ms) > 0) {
        ssize_t part = send(c->reader.fd, text + sent, len - sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);

        if (part > 0) {
            sent += part;
            n += sent == len;
            sent %= len;
        } else {
            g_assert_cmpint(errno, ==, EAGAIN);
        }
    }
    g_assert_cmpuint(n, <, limit);
    *rest = text + sent;
    return n;
}

char *qmp_client_receive_line(QmpClient *c)
{
    return line_reader_read(&c->reader);
}

JsonObject *qmp_client_receive(QmpClient *c)
{
    g_autofree char *line = qmp_client_receive_line(c);
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GError) err = NULL;

    if (!line) {
        return NULL;
    }
    node = json_from_string(line, &err);
    g_assert_no_error(err);
    g_assert_true(node && JSON_NODE_HOLDS_OBJECT(node));
    return json_node_dup_object(node);
}

/*
 * Holds @message against the schema. After an error it is not known which
 * requests are still to be replied to: it may have been for none that was
 * noted.
 */
static void check_message(QmpClient *c, JsonObject *message)
{
    g_autofree char *command = NULL;

    if (json_object_has_member(message, "return")) {
        command = g_queue_pop_head(&c->commands);
        if (schema && command) {
            qmp_schema_check_return(schema, command,
                                    json_object_get_member(message, "return"));
        }
    } else if (json_object_has_member(message, "error")) {
        g_queue_clear_full(&c->commands, g_free);
    } else if (schema && json_object_has_member(message, "event")) {
        qmp_schema_check_event(schema, message);
    }
}

/* The next message, which must come. */
static JsonObject *receive_one(QmpClient *c)
{
    JsonObject *message = qmp_client_receive(c);

    if (!message) {
        g_error("the emulator closed the QMP connection");
    }
    check_message(c, message);
    return message;
}

JsonObject *qmp_client_reply(QmpClient *c)
{
    for (;;) {
        JsonObject *message = receive_one(c);

        if (!json_object_has_member(message, "event")) {
            return message;
        }
        g_queue_push_tail(&c->events, message);
    }
}

void qmp_client_handshake(QmpClient *c)
{
    g_autoptr(JsonObject) greeting = receive_one(c);

    g_assert_true(json_object_has_member(greeting, "QMP"));
    json_node_unref(qmp_client_do(c, "{'execute': 'qmp_capabilities'}"));
    if (!schema) {
        g_autoptr(JsonNode) node =
            qmp_client_do(c, "{'execute': 'query-qmp-schema'}");

        schema = qmp_schema_new(json_node_get_array(node));
    }
}

JsonObject *qmp_client_event(QmpClient *c, const char *name)
{
    for (;;) {
        JsonObject *event = g_queue_pop_head(&c->events);

        if (!event) {
            event = receive_one(c);
        }
        if (!strcmp(json_object_get_string_member_with_default(event, "event",
                                                               ""), name)) {
            return event;
        }
        json_object_unref(event);
    }
}

unsigned qmp_client_count_events(QmpClient *c, const char *name)
{
    unsigned n = 0;
    JsonObject *event;

    /* What was sent by now precedes the reply to this. */
    json_node_unref(qmp_client_do(c, "{'execute': 'query-name'}"));
    while ((event = g_queue_pop_head(&c->events))) {
        n += !strcmp(json_object_get_string_member(event, "event"), name);
        json_object_unref(event);
    }
    return n;
}

static JsonObject *send_formatted(QmpClient *c, const char *fmt, va_list ap)
    G_GNUC_PRINTF(2, 0);

static JsonObject *send_formatted(QmpClient *c, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    qmp_client_send(c, line);
    return qmp_client_reply(c);
}

JsonNode *qmp_client_do(QmpClient *c, const char *fmt, ...)
{
    g_autoptr(JsonObject) reply = NULL;
    va_list ap;

    va_start(ap, fmt);
    reply = send_formatted(c, fmt, ap);
    va_end(ap);
    if (!json_object_has_member(reply, "return")) {
        g_error("QMP: %s: %s", fmt, json_object_get_string_member(
                json_object_get_object_member(reply, "error"), "desc"));
    }
    return json_object_dup_member(reply, "return");
}

void qmp_assert_error(JsonObject *reply, const char *class, const char *part)
{
    JsonObject *error;
    const char *desc;

    if (!json_object_has_member(reply, "error")) {
        g_error("QMP: succeeded, expected: '%s'", part);
    }
    error = json_object_get_object_member(reply, "error");
    desc = json_object_get_string_member(error, "desc");
    g_assert_cmpstr(json_object_get_string_member(error, "class"), ==, class);
    if (!strstr(desc, part)) {
        g_error("QMP: '%s', expected: '%s'", desc, part);
    }
}

void qmp_client_expect_error(QmpClient *c, const char *class, const char *part,
                             const char *fmt, ...)
{
    g_autoptr(JsonObject) reply = NULL;
    va_list ap;

    va_start(ap, fmt);
    reply = send_formatted(c, fmt, ap);
    va_end(ap);
    qmp_assert_error(reply, class, part);
}

void qmp_client_check_alive(QmpClient *c)
{
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send(c, "{'execute': 'query-status', 'id': 'alive'}\n");
    reply = qmp_client_reply(c);
    g_assert_true(json_object_has_member(reply, "return"));
    g_assert_cmpstr(json_object_get_string_member(reply, "id"), ==, "alive");
}
