/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP sessions: greeting, negotiation, and the traffic of one client on one
 * character device. A client may connect, leave and come back any number of
 * times; each connection starts with the greeting. Whatever a client sends, it
 * gets an answer and keeps its connection; only one that reads nothing while
 * CHAR_OUTPUT_MAX bytes have piled up is dropped.
 */
#include "qemu/osdep.h"

#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "qemu/queue.h"

#include "monitor-internal.h"
#include "qmp-stream.h"

/* Of one read of the character device, bytes. */
#define QMP_READ_SIZE 4096

typedef struct QmpSession {
    CharBackend chr;
    CharOutput out;
    QmpStream *stream;
    bool pretty;
    bool negotiated;                      /* qmp_capabilities has been done */
    QTAILQ_ENTRY(QmpSession) next;
} QmpSession;

static QTAILQ_HEAD(, QmpSession) qmp_sessions =
    QTAILQ_HEAD_INITIALIZER(qmp_sessions);

/* Whose command is being carried out: qmp_capabilities needs to know. */
static QmpSession *qmp_current;

/* Takes @message. */
static void qmp_session_send(QmpSession *s, JsonObject *message)
{
    g_autoptr(JsonNode) node = json_object_node(message);
    g_autofree char *text = json_to_string(node, s->pretty);
    g_autofree char *line = g_strconcat(text, "\r\n", NULL);

    if (!char_output_add(&s->out, line, strlen(line))) {
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
    const QmpCommand *cmd = qmp_find_command(name);
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
    if (!cmd) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND,
                  "The command %s has not been found", name);
    }
    return cmd;
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
    qmp_session_send(s, qmp_dispatch(request, qmp_session_find, s));
    qmp_current = NULL;
}

int qmp_current_get_msgfd(void)
{
    return qmp_current ? qemu_chr_fe_get_msgfd(&qmp_current->chr) : -1;
}

/* None is offered: every command is carried out in order. */
static JsonNode *qmp_capabilities(JsonObject *args, Error **errp)
{
    if (json_object_has_member(args, "enable")) {
        JsonArray *enable = json_object_get_array_member(args, "enable");

        for (guint i = 0; i < json_array_get_length(enable); i++) {
            error_setg(errp, "Capability %s not available",
                       json_array_get_string_element(enable, i));
            return NULL;
        }
    }
    qmp_current->negotiated = true;
    return NULL;
}

static const QmpCommand qmp_session_commands[] = {
    { .name = "qmp_capabilities", .args = "?enable:[str]",
      .fn = qmp_capabilities,
      .help =
      "Ends the negotiation, after which all other commands can be used.\n"
      "enable: capabilities to turn on; none is offered, so an empty list\n"
      "Errors: CommandNotFound, if the negotiation is over" },
};

static void qmp_session_register(void)
{
    qmp_register_commands(qmp_session_commands,
                          ARRAY_SIZE(qmp_session_commands));
}
type_init(qmp_session_register)

/* --- the character device ------------------------------------------------ */

static int qmp_session_can_read(void *opaque)
{
    QmpSession *s = opaque;

    /* A client that does not read its replies gets no further ones. */
    return char_output_pending(&s->out) < CHAR_OUTPUT_PAUSE
           ? QMP_READ_SIZE : 0;
}

static void qmp_session_read(void *opaque, const uint8_t *buf, int size)
{
    QmpSession *s = opaque;

    qmp_stream_feed(s->stream, (const char *)buf, size);
    if (qmp_stream_is_idle(s->stream)) {
        qemu_chr_fe_discard_msgfds(&s->chr);
    }
}

static void qmp_session_greet(QmpSession *s)
{
    JsonObject *greeting = json_object_new();
    JsonObject *qmp = json_object_new();

    json_object_set_object_member(qmp, "version", qmp_version_object());
    json_object_set_array_member(qmp, "capabilities", json_array_new());
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
        char_output_drain(&s->out, deadline);
        char_output_destroy(&s->out);
        qemu_chr_fe_deinit(&s->chr, false);
        qmp_stream_free(s->stream);
        g_free(s);
    }
}
