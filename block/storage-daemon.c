/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage daemon's QMP: see storage-daemon.h. What it says is not trusted
 * further than its own disks: answers have a limit of size, depth and time, and one
 * that is no answer ends the use of it.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/socket.h>

#include "hw/qdev-core.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/json-text.h"
#include "qemu/main-loop.h"
#include "qemu/may-open.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "storage-daemon-process.h"
#include "storage-daemon.h"

#define PROGRAM STORAGE_DAEMON_PROGRAM
#define PACKAGE "qemu-system-common"
/* Its schema, the longest of its answers, has 110 KiB. */
#define ANSWER_MAX (16 * MiB)
#define CHUNK 4096
/* A chain of images is closed when it ends. */
#define STOP_TIMEOUT_MS 10000

/* A command that it has not answered yet; its answers come in order. */
typedef struct Question {
    bool told;                            /* nobody waits; it is on the heap */
    bool answered;
    JsonNode *answer;                     /* NULL: it has gone */
    QTAILQ_ENTRY(Question) next;
} Question;

static struct {
    int fd;                               /* of its QMP; -1: it does not run */
    const StorageDaemonOps *ops;
    GString *input;                       /* what is not a whole line yet */
    GString *output;                      /* what is not sent yet */
    QTAILQ_HEAD(, Question) questions;
    char *gone;                           /* why it is used no more, or NULL */
    bool told_to_go;
    const char *directory;                /* for its sockets */
} daemon_state = {
    .fd = -1, .questions = QTAILQ_HEAD_INITIALIZER(daemon_state.questions),
};

/* --- answers --- */

static JsonNode *take_return(JsonNode *answer, Error **errp)
{
    JsonObject *o = json_node_get_object(answer);
    JsonNode *error = json_object_get_member(o, "error");
    JsonNode *value = json_object_dup_member(o, "return");
    const char *text = error && JSON_NODE_HOLDS_OBJECT(error)
        ? json_object_get_string_member_with_default(
              json_node_get_object(error), "desc", NULL)
        : NULL;

    if (!value) {
        error_setg(errp, "%s", text ?: PROGRAM " answers without a result");
    }
    return value;
}

static void end_told(Question *q)
{
    g_autoptr(JsonNode) value = NULL;
    Error *err = NULL;

    if (q->answer) {
        value = take_return(q->answer, &err);
        json_node_unref(q->answer);
    }
    if (err) {
        error_prepend(&err, PROGRAM ": ");
        warn_report_err(err);
    }
    g_free(q);
}

/* Takes @answer. */
static void answer_to(Question *q, JsonNode *answer)
{
    QTAILQ_REMOVE(&daemon_state.questions, q, next);
    q->answer = answer;
    q->answered = true;
    if (q->told) {
        end_told(q);
    }
}

/* --- what it says --- */

/* All who wait have no answer, then. */
static void lose(const char *why)
{
    Question *q;

    qemu_set_fd_handler(daemon_state.fd, NULL, NULL, NULL);
    close(daemon_state.fd);
    daemon_state.fd = -1;
    g_clear_pointer(&daemon_state.gone, g_free);
    daemon_state.gone = g_strdup(why);
    while ((q = QTAILQ_FIRST(&daemon_state.questions))) {
        answer_to(q, NULL);
    }
    daemon_state.ops->gone();
}

/* The same, at a moment at which perhaps nobody waits. */
static void note_loss(const char *why)
{
    bool is_awaited = daemon_state.told_to_go;
    Question *q;

    QTAILQ_FOREACH(q, &daemon_state.questions, next) {
        is_awaited |= !q->told;
    }
    lose(why);
    if (!is_awaited) {
        warn_report(PROGRAM " has gone (%s): requests of its disks wait, and "
                    "for good", why);
    }
}

/* Reads what there is. false: it has gone. */
static bool receive(void)
{
    char chunk[CHUNK];
    struct iovec iov = { chunk, sizeof(chunk) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = recvmsg(daemon_state.fd, &msg, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n <= 0) {
        note_loss("it has ended");
        return false;
    }
    if (daemon_state.input->len + n > ANSWER_MAX) {
        note_loss("it says too much");
        return false;
    }
    g_string_append_len(daemon_state.input, chunk, n);
    return true;
}

/* The first whole line, taken out; NULL: there is none. */
static char *take_line(void)
{
    GString *in = daemon_state.input;
    char *end = memchr(in->str, '\n', in->len);
    char *line;

    if (!end) {
        return NULL;
    }
    line = g_strndup(in->str, end - in->str);
    g_string_erase(in, 0, end + 1 - in->str);
    return line;
}

/* An event, or the answer to the first question. */
static void handle_line(const char *line)
{
    Question *first = QTAILQ_FIRST(&daemon_state.questions);
    g_autoptr(JsonNode) node = json_text_parse(line, NULL);
    JsonObject *o = node && JSON_NODE_HOLDS_OBJECT(node)
        ? json_node_get_object(node) : NULL;

    if (!o) {
        note_loss("what it says is no QMP");
    } else if (json_object_has_member(o, "event")) {
        daemon_state.ops->event(o);
    } else if (first) {
        answer_to(first, g_steal_pointer(&node));
    } else {
        note_loss("it answers what nobody has asked");
    }
}

static void handle_input(void)
{
    char *line;

    if (!receive()) {
        return;
    }
    while (storage_daemon_runs() && (line = take_line())) {
        handle_line(line);
        g_free(line);
    }
}

static void on_readable(void *opaque)
{
    handle_input();
}

/* --- telling --- */

static void on_writable(void *opaque);

static void listen_to_it(void)
{
    qemu_set_fd_handler(daemon_state.fd, on_readable,
                        daemon_state.output->len ? on_writable : NULL, NULL);
}

/* As much as it takes now. */
static void send_output(void)
{
    GString *out = daemon_state.output;
    struct iovec iov = { out->str, out->len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = sendmsg(daemon_state.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0) {
        g_string_erase(out, 0, n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        note_loss("it has ended");
    }
}

static void on_writable(void *opaque)
{
    send_output();
    if (storage_daemon_runs() && !daemon_state.output->len) {
        listen_to_it();
    }
}

/* The main loop sends it. */
static void add_command(const char *command, JsonObject *args)
{
    g_autoptr(JsonObject) o = json_object_new();
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), o);
    g_autofree char *text = NULL;

    json_object_set_string_member(o, "execute", command);
    if (args) {
        json_object_set_object_member(o, "arguments", json_object_ref(args));
    }
    text = json_to_string(node, FALSE);
    g_string_append_printf(daemon_state.output, "%s\n", text);
    listen_to_it();
}

void storage_daemon_tell(const char *command, JsonObject *args)
{
    if (storage_daemon_runs()) {
        Question *q = g_new0(Question, 1);

        q->told = true;
        QTAILQ_INSERT_TAIL(&daemon_state.questions, q, next);
        add_command(command, args);
    }
}

/* --- asking --- */

/* What the main loop would do, once. */
static void exchange(int64_t left_ms)
{
    struct pollfd p = {
        .fd = daemon_state.fd,
        .events = POLLIN | (daemon_state.output->len ? POLLOUT : 0),
    };

    if (qemu_poll_ms(&p, 1, MIN(left_ms, INT_MAX)) <= 0) {
        return;
    }
    if (p.revents & POLLOUT) {
        send_output();
    }
    if (storage_daemon_runs() && p.revents & ~POLLOUT) {
        handle_input();
    }
}

/* No guest runs yet, or any more. */
static bool wait_alone(bool (*is_over)(const void *opaque), const void *opaque,
                       int64_t deadline)
{
    int64_t left = 1;

    while (!is_over(opaque) && storage_daemon_runs() && left > 0) {
        left = (deadline - g_get_monotonic_time()) / 1000;
        exchange(MAX(left, 0));
    }
    return is_over(opaque);
}

static void wake_main_loop(void *opaque)
{
}

bool storage_daemon_wait(bool (*is_over)(const void *opaque),
                         const void *opaque, uint32_t timeout_ms)
{
    int64_t deadline = g_get_monotonic_time() + timeout_ms * INT64_C(1000);
    QEMUTimer *timer;

    g_assert(qemu_in_main_thread());
    if (!qdev_hotplug) {
        return wait_alone(is_over, opaque, deadline);
    }
    timer = timer_new_ms(QEMU_CLOCK_REALTIME, wake_main_loop, NULL);
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + timeout_ms + 1);
    while (!is_over(opaque) && storage_daemon_runs() &&
           g_get_monotonic_time() < deadline) {
        main_loop_wait(false);
    }
    timer_free(timer);
    return is_over(opaque);
}

static bool is_answered(const void *question)
{
    return ((const Question *)question)->answered;
}

/* The answer to @q; NULL: it has gone. */
static JsonNode *await(Question *q)
{
    if (!storage_daemon_wait(is_answered, q, STORAGE_DAEMON_TIMEOUT_MS)) {
        lose("it does not answer in time");
    }
    return q->answer;
}

JsonNode *storage_daemon_execute(const char *command, JsonObject *args,
                                 Error **errp)
{
    Question q = { .answer = NULL };
    g_autoptr(JsonNode) node = NULL;

    if (storage_daemon_runs()) {
        QTAILQ_INSERT_TAIL(&daemon_state.questions, &q, next);
        add_command(command, args);
        node = await(&q);
    }
    if (!node) {
        error_setg(errp, PROGRAM " has gone: %s",
                   daemon_state.gone ?: "it was not started");
        return NULL;
    }
    return take_return(node, errp);
}

/* --- its life --- */

static bool has_gone(const void *unused)
{
    return !storage_daemon_runs();
}

/* It is told to go, and has closed its images when it has closed the socket. */
static void stop(void)
{
    daemon_state.told_to_go = true;
    storage_daemon_tell("quit", NULL);
    wait_alone(has_gone, NULL,
               g_get_monotonic_time() + STOP_TIMEOUT_MS * INT64_C(1000));
}

/* The greeting, and what every QMP session begins with: both are awaited before
 * anybody else can ask. */
static bool greet(Error **errp)
{
    Question greeting = { .answer = NULL };
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(JsonNode) done = NULL;
    Error *err = NULL;

    QTAILQ_INSERT_TAIL(&daemon_state.questions, &greeting, next);
    done = storage_daemon_execute("qmp_capabilities", NULL, &err);
    node = greeting.answer;
    if (!node) {
        error_free(err);
        error_setg(errp, PROGRAM " cannot be used: %s", daemon_state.gone);
        return false;
    }
    if (!done && storage_daemon_runs()) {
        lose("it does not work");
    }
    error_propagate(errp, err);
    return done != NULL;
}

/* It is looked for while any file may be looked at. */
static const char *find_directory(void)
{
    const char *const candidates[] = {
        g_get_tmp_dir(), "/dev/shm", "/var/tmp", "/run"
    };

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (access(candidates[i], W_OK | X_OK) == 0) {
            return candidates[i];
        }
    }
    return candidates[0];
}

const char *storage_daemon_directory(void)
{
    return daemon_state.directory;
}

bool storage_daemon_runs(void)
{
    return daemon_state.fd >= 0;
}

bool storage_daemon_start(const StorageDaemonOps *ops, Error **errp)
{
    g_autofree char *path = NULL;

    if (storage_daemon_runs()) {
        return true;
    }
    if (!qemu_may_spawn(errp)) {
        error_prepend(errp, PROGRAM " does not run: ");
        return false;
    }
    path = g_find_program_in_path(PROGRAM);
    if (!path) {
        error_setg(errp, PROGRAM " is not installed (Debian: package " PACKAGE
                   "), which serves what is not raw");
        return false;
    }
    if (!daemon_state.input) {
        daemon_state.input = g_string_new(NULL);
        daemon_state.output = g_string_new(NULL);
        daemon_state.directory = find_directory();
        atexit(stop);
    }
    g_string_truncate(daemon_state.input, 0);
    g_string_truncate(daemon_state.output, 0);
    daemon_state.ops = ops;
    daemon_state.fd = storage_daemon_spawn(path, errp);
    return storage_daemon_runs() && greet(errp);
}
