/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage daemon's process and its QMP: see storage-daemon.h. What it says
 * is not trusted further than its own disks: answers have a limit of size and
 * time, and one that is no answer ends the use of it.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/may-open.h"
#include "qemu/units.h"
#include "storage-daemon.h"

#define PROGRAM "qemu-storage-daemon"
#define PACKAGE "qemu-system-common"
/* Its schema, the longest of its answers, has 110 KiB. */
#define ANSWER_MAX (16 * MiB)
#define CHUNK 4096
/* A chain of images is closed when it ends. */
#define STOP_TIMEOUT_MS 10000

static struct {
    int fd;                               /* of its QMP; -1: it does not run */
    GString *input;                       /* what is not a whole line yet */
    char *gone;                           /* why it is used no more, or NULL */
    const char *directory;                /* for its sockets */
} daemon_state = { .fd = -1 };

/* --- the process --- */

/*
 * In the child, which has the parent's memory until it executes the program:
 * nothing is changed in it, and the parent waits. Its sockets are for this user
 * only. What is wrong it says by QMP: whoever waits for the end of our output, of
 * one that goes into the background say, does not wait for the daemon's.
 */
static void G_GNUC_NORETURN be_daemon(const char *path, char *const argv[],
                                      int fd, int null, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    umask(S_IRWXG | S_IRWXO);
    setsid();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
        dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0 && fcntl(fd, F_SETFD, 0) == 0) {
        if (fd > STDERR_FILENO + 1) {
            syscall(SYS_close_range, STDERR_FILENO + 1, fd - 1, 0);
        }
        syscall(SYS_close_range, fd + 1, ~0U, 0);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(path, argv);
    }
    _exit(127);
}

/* fork() would copy the tables of all guest memory, and have pages that devices
 * write to copied for one of the two. */
static bool spawn(const char *path, char *const argv[], int fd, Error **errp)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t parent = getpid(), pid;
    sigset_t all, before;

    if (null < 0) {
        error_setg_errno(errp, errno, "/dev/null cannot be opened");
        return false;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        be_daemon(path, argv, fd, null, parent);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(null);
    if (pid < 0) {
        error_setg_errno(errp, errno, "%s cannot be started", path);
    }
    return pid >= 0;
}

/* --- what it says --- */

static void lose(const char *why)
{
    qemu_set_fd_handler(daemon_state.fd, NULL, NULL, NULL);
    close(daemon_state.fd);
    daemon_state.fd = -1;
    g_clear_pointer(&daemon_state.gone, g_free);
    daemon_state.gone = g_strdup(why);
}

/* Reads what there is. false: it has gone, which everybody will be told. */
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
        lose("it has ended");
        return false;
    }
    if (daemon_state.input->len + n > ANSWER_MAX) {
        lose("it says too much");
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

/* Events of the daemon are its own affairs. */
static void on_readable(void *opaque)
{
    char *line;

    if (!receive()) {
        warn_report(PROGRAM " has gone (%s): requests of its disks wait, and "
                    "for good", daemon_state.gone);
        return;
    }
    while ((line = take_line())) {
        g_free(line);
    }
}

static bool wait_for_input(int64_t deadline)
{
    struct pollfd p = { .fd = daemon_state.fd, .events = POLLIN };
    int64_t left = (deadline - g_get_monotonic_time()) / 1000;
    int n;

    if (left <= 0) {
        return false;
    }
    n = qemu_poll_ms(&p, 1, MIN(left, STORAGE_DAEMON_TIMEOUT_MS));
    return n > 0 || (n < 0 && errno == EINTR);
}

/* The next line that is an object and no event; NULL: it has gone. */
static JsonNode *next_answer(int64_t deadline)
{
    for (;;) {
        g_autofree char *line = take_line();
        g_autoptr(JsonNode) node = NULL;

        if (!line) {
            if (!wait_for_input(deadline)) {
                lose("it does not answer in time");
                return NULL;
            }
            if (!receive()) {
                return NULL;
            }
            continue;
        }
        node = json_from_string(line, NULL);
        if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
            lose("what it says is no QMP");
            return NULL;
        }
        if (!json_object_has_member(json_node_get_object(node), "event")) {
            return g_steal_pointer(&node);
        }
    }
}

/* --- asking --- */

static bool tell(const char *text, int64_t deadline)
{
    size_t len = strlen(text), done = 0;

    while (done < len) {
        struct iovec iov = { (char *)text + done, len - done };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n = sendmsg(daemon_state.fd, &msg,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd p = { .fd = daemon_state.fd, .events = POLLOUT };

        if (n > 0) {
            done += n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            lose("it has ended");
            return false;
        } else if (g_get_monotonic_time() >= deadline) {
            lose("it does not listen in time");
            return false;
        } else {
            qemu_poll_ms(&p, 1, STORAGE_DAEMON_TIMEOUT_MS);
        }
    }
    return true;
}

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

static char *format_command(const char *command, JsonObject *args)
{
    g_autoptr(JsonObject) o = json_object_new();
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), o);

    json_object_set_string_member(o, "execute", command);
    if (args) {
        json_object_set_object_member(o, "arguments", json_object_ref(args));
    }
    return json_to_string(node, FALSE);
}

static int64_t deadline_from_now(void)
{
    return g_get_monotonic_time() + STORAGE_DAEMON_TIMEOUT_MS * 1000LL;
}

JsonNode *storage_daemon_execute(const char *command, JsonObject *args,
                                 Error **errp)
{
    g_autofree char *text = format_command(command, args);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    int64_t deadline = deadline_from_now();
    g_autoptr(JsonNode) answer = NULL;

    if (daemon_state.fd >= 0 && tell(line, deadline)) {
        answer = next_answer(deadline);
    }
    if (!answer) {
        error_setg(errp, PROGRAM " has gone: %s",
                   daemon_state.gone ?: "it was not started");
        return NULL;
    }
    return take_return(answer, errp);
}

/* --- its life --- */

/* It is told to go, and has closed its images when it has closed the socket. */
static void stop(void)
{
    int64_t deadline = g_get_monotonic_time() + STOP_TIMEOUT_MS * 1000LL;

    if (daemon_state.fd >= 0 && tell("{\"execute\": \"quit\"}\n", deadline)) {
        while (wait_for_input(deadline) && receive()) {
            /* to the end */
        }
    }
}

/* The greeting, and what every QMP session begins with. */
static bool greet(Error **errp)
{
    g_autoptr(JsonNode) greeting = next_answer(deadline_from_now());
    g_autoptr(JsonNode) done = NULL;

    if (!greeting) {
        error_setg(errp, PROGRAM " cannot be used: %s", daemon_state.gone);
        return false;
    }
    done = storage_daemon_execute("qmp_capabilities", NULL, errp);
    return done != NULL;
}

static bool start_program(const char *path, Error **errp)
{
    g_autofree char *chardev = NULL;
    char *argv[] = { (char *)PROGRAM, (char *)"--chardev", NULL,
                     (char *)"--monitor", (char *)"chardev=qmp", NULL };
    int fds[2];
    bool ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_setg_errno(errp, errno, "cannot create a pair of sockets");
        return false;
    }
    chardev = g_strdup_printf("socket,id=qmp,fd=%d", fds[1]);
    argv[2] = chardev;
    ok = spawn(path, argv, fds[1], errp);
    close(fds[1]);
    if (!ok) {
        close(fds[0]);
        return false;
    }
    daemon_state.fd = fds[0];
    return true;
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

bool storage_daemon_start(Error **errp)
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
        daemon_state.directory = find_directory();
        atexit(stop);
    }
    g_string_truncate(daemon_state.input, 0);
    if (!start_program(path, errp) || !greet(errp)) {
        return false;
    }
    qemu_set_fd_handler(daemon_state.fd, on_readable, NULL, NULL);
    return true;
}
