/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP sessions: greeting, negotiation, and the traffic of one client on one
 * character device. A client may connect, leave and come back any number of
 * times; each connection starts with the greeting. Whatever a client sends, it
 * gets an answer and keeps its connection; only one that reads nothing while
 * CHAR_OUTPUT_MAX bytes have piled up is dropped.
 *
 * On a socket, a client may enable out-of-band execution: from then on its
 * connection is a thread's (qmp-oob.h), which hands over all other requests.
 */
#include "qemu/osdep.h"

#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "qapi/json-uint64.h"
#include "qemu/queue.h"
#include "qemu/sandbox-need.h"
#include "qemu/socket-fds.h"

#include "monitor-internal.h"
#include "qmp-oob.h"
#include "qmp-stream.h"

/* Of one read of the character device, bytes. */
#define QMP_READ_SIZE 4096

typedef struct QmpSession {
    CharBackend chr;
    CharOutput out;
    QmpStream *stream;
    bool pretty;
    bool negotiated;                      /* qmp_capabilities has been done */
    QmpOob *oob;                          /* NULL: all is carried out in order */
    bool oob_begun;                       /* the thread reads and sends */
    QTAILQ_ENTRY(QmpSession) next;
} QmpSession;

static QTAILQ_HEAD(, QmpSession) qmp_sessions =
    QTAILQ_HEAD_INITIALIZER(qmp_sessions);

/* Whose command is being carried out: qmp_capabilities needs to know. */
static QmpSession *qmp_current;

char *qmp_message_line(JsonObject *message, bool pretty)
{
    g_autoptr(JsonNode) node = json_object_node(message);
    g_autofree char *text = json_uint64_to_string(node, pretty);

    return g_strconcat(text, "\r\n", NULL);
}

/* Takes @message. */
static void qmp_session_send(QmpSession *s, JsonObject *message)
{
    g_autofree char *line = qmp_message_line(message, s->pretty);

    if (s->oob_begun) {
        qmp_oob_send(s->oob, line, strlen(line));
    } else if (!char_output_add(&s->out, line, strlen(line))) {
        char_output_discard(&s->out);
        qemu_chr_fe_disconnect(&s->chr);
    }
}

void qmp_sessions_broadcast(JsonObject *event)
{
    QmpSession *s, *next;

    QTAILQ_FOREACH_SAFE(s, &qmp_sessions, next, next) {
        if (s->negotiated) {
            qmp_session_send(s, json_object_ref(event));
        }
    }
}

/* --- requests ------------------------------------------------------------ */

/* QmpFindFunc: what the session may use depends on the negotiation. */
static const QmpCommand *qmp_session_find(const char *name, void *opaque,
                                          Error **errp)
{
    QmpSession *s = opaque;
    bool negotiates = !strcmp(name, "qmp_capabilities");

    if (!s->negotiated && !negotiates) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND,
                  "Expecting capabilities negotiation with "
                  "'qmp_capabilities'");
        return NULL;
    }
    if (s->negotiated && negotiates) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND,
                  "Capabilities negotiation is already complete, command "
                  "ignored");
        return NULL;
    }
    return qmp_find_any(name, NULL, errp);
}

/* QmpStreamFunc. */
static void qmp_session_handle(void *opaque, JsonNode *request, Error *err)
{
    QmpSession *s = opaque;

    if (err) {
        qmp_session_send(s, qmp_error_response(err));
        return;
    }
    qmp_current = s;
    qmp_session_send(s, qmp_dispatch(request, s->oob, qmp_session_find, s));
    qmp_current = NULL;
}

int qmp_current_get_msgfd(void)
{
    if (!qmp_current) {
        return -1;
    }
    return qmp_current->oob_begun ? qmp_oob_get_msgfd(qmp_current->oob)
                                  : qemu_chr_fe_get_msgfd(&qmp_current->chr);
}

/* --- out-of-band execution ------------------------------------------------- */

/* Only a socket can be left to a thread, which has to be started. */
static bool qmp_session_offers_oob(QmpSession *s)
{
    return qemu_chr_fe_get_socket(&s->chr) >= 0 && sandbox_may_start_threads();
}

static void qmp_session_end_oob(QmpSession *s, gint64 deadline)
{
    if (s->oob) {
        qmp_oob_free(s->oob, deadline);
    }
    s->oob = NULL;
    s->oob_begun = false;
}

static void qmp_session_oob_ended(void *opaque)
{
    QmpSession *s = opaque;

    qemu_chr_fe_disconnect(&s->chr);
}

static const QmpOobOps qmp_session_oob_ops = {
    .handle = qmp_session_handle,
    .ended = qmp_session_oob_ended,
};

static bool qmp_session_enable_oob(QmpSession *s, Error **errp)
{
    s->oob = qmp_oob_new(qemu_chr_fe_get_driver(&s->chr),
                         qemu_chr_fe_get_socket(&s->chr), s->pretty,
                         &qmp_session_oob_ops, s, errp);
    qmp_stream_pause(s->stream);
    return s->oob;
}

/* Leaves the connection to the thread, with the @len bytes that follow what
 * enabled it. */
static void qmp_session_begin_oob(QmpSession *s, const uint8_t *rest,
                                  size_t len)
{
    g_autofree int *fds = g_new(int, SOCKET_FDS_MAX);
    GString *unsent = char_output_take(&s->out);
    unsigned nr = 0;
    int fd;

    while (nr < SOCKET_FDS_MAX &&
           (fd = qemu_chr_fe_get_msgfd(&s->chr)) >= 0) {
        fds[nr++] = fd;
    }
    qmp_oob_begin(s->oob, rest, len, fds, nr, unsent);
    s->oob_begun = true;
    g_string_free(unsent, TRUE);
}

static JsonNode *qmp_capabilities(JsonObject *args, Error **errp)
{
    QmpSession *s = qmp_current;
    JsonArray *enable = json_object_has_member(args, "enable")
        ? json_object_get_array_member(args, "enable") : NULL;
    guint n = enable ? json_array_get_length(enable) : 0;

    if (n && !qmp_session_offers_oob(s)) {
        error_setg(errp, "Capability oob not available");
        return NULL;
    }
    if (n && !qmp_session_enable_oob(s, errp)) {
        return NULL;
    }
    s->negotiated = true;
    return NULL;
}

static const QmpType qmp_session_types[] = {
    { .name = "QMPCapability", .values = "oob",
      .help = "What a client may turn on: oob, out-of-band execution of the "
      "commands that allow it." },
};

static const QmpCommand qmp_session_commands[] = {
    { .name = "qmp_capabilities", .args = "?enable:[QMPCapability]",
      .fn = qmp_capabilities,
      .help =
      "Ends the negotiation, after which all other commands can be used.\n"
      "enable: capabilities to turn on, of those that the greeting offers\n"
      "Errors: CommandNotFound, if the negotiation is over" },
};

static void qmp_session_register(void)
{
    qmp_register_types(qmp_session_types, ARRAY_SIZE(qmp_session_types));
    qmp_register_commands(qmp_session_commands,
                          ARRAY_SIZE(qmp_session_commands));
}
type_init(qmp_session_register)

/* --- the character device ------------------------------------------------ */

static int qmp_session_can_read(void *opaque)
{
    QmpSession *s = opaque;

    if (s->oob) {
        return 0;                         /* the thread reads */
    }
    /* A client that does not read its replies gets no further ones. */
    return char_output_pending(&s->out) < CHAR_OUTPUT_PAUSE
           ? QMP_READ_SIZE : 0;
}

static void qmp_session_read(void *opaque, const uint8_t *buf, int size)
{
    QmpSession *s = opaque;

    size_t n = qmp_stream_feed(s->stream, (const char *)buf, size);

    if (s->oob) {
        qmp_session_begin_oob(s, buf + n, size - n);
    } else if (qmp_stream_is_idle(s->stream)) {
        qemu_chr_fe_discard_msgfds(&s->chr);
    }
}

static void qmp_session_greet(QmpSession *s)
{
    JsonObject *greeting = json_object_new();
    JsonObject *qmp = json_object_new();
    JsonArray *capabilities = json_array_new();

    if (qmp_session_offers_oob(s)) {
        json_array_add_string_element(capabilities, "oob");
    }
    json_object_set_object_member(qmp, "version", qmp_version_object());
    json_object_set_array_member(qmp, "capabilities", capabilities);
    json_object_set_object_member(greeting, "QMP", qmp);
    qmp_session_send(s, greeting);
}

static void qmp_session_event(void *opaque, QEMUChrEvent event)
{
    QmpSession *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        s->negotiated = false;
        qmp_session_greet(s);
        break;
    case CHR_EVENT_CLOSED:
        s->negotiated = false;
        qmp_session_end_oob(s, 0);
        qmp_stream_reset(s->stream);
        char_output_discard(&s->out);
        break;
    default:
        break;
    }
}

bool monitor_init_qmp(Chardev *chr, bool pretty, Error **errp)
{
    QmpSession *s = g_new0(QmpSession, 1);

    if (!qemu_chr_fe_init(&s->chr, chr, errp)) {
        g_free(s);
        return false;
    }
    s->pretty = pretty;
    s->stream = qmp_stream_new(qmp_session_handle, s);
    char_output_init(&s->out, &s->chr);
    QTAILQ_INSERT_TAIL(&qmp_sessions, s, next);
    qemu_chr_fe_set_echo(&s->chr, true);
    qemu_chr_fe_set_handlers(&s->chr, qmp_session_can_read, qmp_session_read,
                             qmp_session_event, NULL, s, NULL, true);
    return true;
}

void qmp_sessions_close(gint64 deadline)
{
    QmpSession *s, *next;

    QTAILQ_FOREACH_SAFE(s, &qmp_sessions, next, next) {
        QTAILQ_REMOVE(&qmp_sessions, s, next);
        qmp_session_end_oob(s, deadline);
        char_output_drain(&s->out, deadline);
        char_output_destroy(&s->out);
        qemu_chr_fe_deinit(&s->chr, false);
        qmp_stream_free(s->stream);
        g_free(s);
    }
}
