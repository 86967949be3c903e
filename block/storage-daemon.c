/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage daemon's QMP: see storage-daemon.h. What it says is not trusted
 * further than its own disks: answers have a limit of size, depth and time, and one
 * that is no answer ends the use of it.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <signal.h>
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
/* One that has not answered for as long when it is to end hangs; but if somebody
 * had stopped it, it needs a moment. */
#define STOP_SILENCE_MS 1000
#define STOP_MOMENT_MS 200
/* No signal handler of ours ends a poll for sure. */
#define LOOK_MS 100

/* A command that it has not answered yet; its answers come in order. */
typedef struct Question {
    bool told;                            /* nobody waits; freed when answered */
    bool forgotten;                       /* and nobody wants to know */
    bool answered;
    JsonNode *answer;                     /* NULL: it has gone */
    int64_t asked_us;                     /* g_get_monotonic_time() */
    QTAILQ_ENTRY(Question) next;
} Question;

static struct {
    int fd;                               /* of its QMP; -1: it does not run */
    int pidfd;                            /* -1: none */
    const StorageDaemonOps *ops;
    GString *input;                       /* what is not a whole line yet */
    GString *output;                      /* what is not sent yet */
    QTAILQ_HEAD(, Question) questions;
    char *gone;                           /* why it is used no more, or NULL */
    bool told_to_go;
    const char *directory;                /* for its sockets */
} daemon_state = {
    .fd = -1, .pidfd = -1,
    .questions = QTAILQ_HEAD_INITIALIZER(daemon_state.questions),
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
    if (err && q->forgotten) {
        error_free(err);
    } else if (err) {
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

static Question *question_new(void)
{
    Question *q = g_new0(Question, 1);

    q->asked_us = g_get_monotonic_time();
    QTAILQ_INSERT_TAIL(&daemon_state.questions, q, next);
    return q;
}

void storage_daemon_tell(const char *command, JsonObject *args)
{
    if (storage_daemon_runs()) {
        question_new()->told = true;
        add_command(command, args);
    }
}

/* --- asking --- */

static int ms_until(int64_t deadline)
{
    return CLAMP((deadline - g_get_monotonic_time()) / 1000, 0, INT_MAX);
}

/* What the main loop would do, once. */
static void exchange(int left_ms)
{
    struct pollfd p = {
        .fd = daemon_state.fd,
        .events = POLLIN | (daemon_state.output->len ? POLLOUT : 0),
    };

    if (qemu_poll_ms(&p, 1, left_ms) <= 0) {
        return;
    }
    if (p.revents & POLLOUT) {
        send_output();
    }
    if (storage_daemon_runs() && p.revents & ~POLLOUT) {
        handle_input();
    }
}

static bool is_worth_waiting(int64_t deadline)
{
    return storage_daemon_runs() && !main_loop_is_ending() &&
           g_get_monotonic_time() < deadline;
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
    /* No guest runs yet. */
    while (!qdev_hotplug && !is_over(opaque) && is_worth_waiting(deadline)) {
        exchange(MIN(ms_until(deadline), LOOK_MS));
    }
    timer = timer_new_ms(QEMU_CLOCK_REALTIME, wake_main_loop, NULL);
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + timeout_ms + 1);
    while (!is_over(opaque) && is_worth_waiting(deadline)) {
        main_loop_wait(false);
        main_loop_obey();
    }
    timer_free(timer);
    return is_over(opaque);
}

static bool is_answered(const void *question)
{
    return ((const Question *)question)->answered;
}

/* The answer to @q, which is freed, now or later; NULL: there is none. */
static JsonNode *await(Question *q)
{
    JsonNode *answer;

    if (!storage_daemon_wait(is_answered, q, STORAGE_DAEMON_TIMEOUT_MS)) {
        if (main_loop_is_ending()) {
            q->told = q->forgotten = true;
            return NULL;
        }
        lose("it does not answer in time");
    }
    answer = q->answer;
    g_free(q);
    return answer;
}

JsonNode *storage_daemon_execute(const char *command, JsonObject *args,
                                 Error **errp)
{
    g_autoptr(JsonNode) node = NULL;

    if (storage_daemon_runs()) {
        Question *q = question_new();

        add_command(command, args);
        node = await(q);
    }
    if (!node && storage_daemon_runs()) {
        error_setg(errp, PROGRAM " has not answered, and the program ends");
    } else if (!node) {
        error_setg(errp, PROGRAM " has gone: %s",
                   daemon_state.gone ?: "it was not started");
    }
    return node ? take_return(node, errp) : NULL;
}

/* --- its life --- */

/* Whether it answers to quit. */
static bool agrees_to_go(void)
{
    Question *q = question_new(), *first = QTAILQ_FIRST(&daemon_state.questions);
    int64_t deadline = MAX(first->asked_us + STOP_SILENCE_MS * INT64_C(1000),
                           q->asked_us + STOP_MOMENT_MS * INT64_C(1000));
    bool agrees;

    add_command("quit", NULL);
    while (storage_daemon_runs() && !q->answered && ms_until(deadline)) {
        exchange(ms_until(deadline));
    }
    agrees = q->answered;
    if (agrees) {
        g_clear_pointer(&q->answer, json_node_unref);
        g_free(q);
    } else {
        q->told = q->forgotten = true;
    }
    return agrees;
}

/* Whether it ends: it closes its images, and then the socket. */
static bool ends(void)
{
    int64_t deadline = g_get_monotonic_time() + STOP_TIMEOUT_MS * INT64_C(1000);

    while (storage_daemon_runs() && ms_until(deadline)) {
        exchange(ms_until(deadline));
    }
    return !storage_daemon_runs() &&
           storage_daemon_process_ends(daemon_state.pidfd, STOP_SILENCE_MS);
}

/* Somebody may have stopped it: what it has not closed would be left as after a
 * crash. One that hangs, in opening an image say, would stay for ever. */
static void stop(void)
{
    daemon_state.told_to_go = true;
    storage_daemon_process_kill(daemon_state.pidfd, SIGCONT);
    if (!storage_daemon_runs()) {
        storage_daemon_process_kill(daemon_state.pidfd, SIGTERM);
    }
    if ((storage_daemon_runs() && !agrees_to_go()) || !ends()) {
        storage_daemon_process_kill(daemon_state.pidfd, SIGKILL);
        storage_daemon_process_ends(daemon_state.pidfd, STOP_SILENCE_MS);
    }
}

/* The greeting, and what every QMP session begins with: both are awaited before
 * anybody else can ask. */
static bool greet(Error **errp)
{
    Question *greeting = question_new();
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(JsonNode) done = NULL;
    Error *err = NULL;

    done = storage_daemon_execute("qmp_capabilities", NULL, &err);
    if (storage_daemon_runs() && !greeting->answered) {
        greeting->told = greeting->forgotten = true;
        error_propagate(errp, err);
        return false;
    }
    node = greeting->answer;
    g_free(greeting);
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

/* One that is used no more may have images open, and serve disks. */
static bool forget_old_process(Error **errp)
{
    if (!storage_daemon_process_ends(daemon_state.pidfd, 0)) {
        error_setg(errp, PROGRAM " has gone: %s", daemon_state.gone);
        return false;
    }
    if (daemon_state.pidfd >= 0) {
        close(daemon_state.pidfd);
    }
    daemon_state.pidfd = -1;
    return true;
}

bool storage_daemon_start(const StorageDaemonOps *ops, Error **errp)
{
    g_autofree char *path = NULL;
    StorageDaemonProcess process;

    if (storage_daemon_runs()) {
        return true;
    }
    if (!forget_old_process(errp)) {
        return false;
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
    if (!storage_daemon_spawn(path, &process, errp)) {
        return false;
    }
    daemon_state.ops = ops;
    daemon_state.fd = process.qmp;
    daemon_state.pidfd = process.pidfd;
    return greet(errp);
}
