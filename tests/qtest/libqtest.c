/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator's life, and the qtest protocol. The test listens on two sockets
 * in a directory of its own, which is gone again once the emulator has
 * connected to both, and the emulator dies with the test.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include "libqtest.h"

#define QTEST_MAX_IRQ 64
/* Of one memory transfer, bytes; longer ones are cut. */
#define QTEST_TRANSFER (1 << 20)

struct QTestState {
    pid_t pid;
    LineReader qtest;
    QmpClient *qmp;
    bool irq[QTEST_MAX_IRQ];
};

/* --- start --------------------------------------------------------------- */

static int listen_on(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(strlen(path), <, sizeof(addr.sun_path));
    strcpy(addr.sun_path, path);
    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert_no_errno(listen(fd, 1));
    return fd;
}

/* Takes the connection of @pid; closes and unlinks the listening socket. */
static int accept_from(int listener, const char *path, pid_t pid)
{
    struct pollfd pfd = { .fd = listener, .events = POLLIN };
    gint64 deadline = qtest_deadline();
    int fd, status;

    while (poll(&pfd, 1, 20) == 0) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            g_error("the emulator ended before it connected to %s (wait "
                    "status 0x%x)", path, status);
        }
        if (g_get_monotonic_time() > deadline) {
            g_error("the emulator did not connect to %s in time", path);
        }
    }
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    close(listener);
    g_unlink(path);
    return fd;
}

static void child_setup(void *opaque)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static pid_t spawn(const char *command_line)
{
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) err = NULL;
    GPid pid;

    g_shell_parse_argv(command_line, NULL, &argv, &err);
    g_assert_no_error(err);
    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH |
                  G_SPAWN_LEAVE_DESCRIPTORS_OPEN, child_setup, NULL, &pid,
                  &err);
    g_assert_no_error(err);
    return pid;
}

/* --- what it says --------------------------------------------------------- */

static int saved_stderr = -1;

char *qtest_begin_messages(void)
{
    char *path;
    int fd = g_file_open_tmp("messages-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return path;
}

void qtest_end_messages(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}

unsigned qtest_count_messages(const char *path, const char *text)
{
    g_autofree char *all = NULL;
    unsigned n = 0;

    g_assert_true(g_file_get_contents(path, &all, NULL, NULL));
    for (char *at = all; (at = strstr(at, text)); at++) {
        n++;
    }
    return n;
}

void qtest_wait_message(const char *path, const char *text)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!qtest_count_messages(path, text)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("'%s' is not said in time", text);
        }
    }
}

QTestState *qtest_init(const char *fmt, ...)
{
    QTestState *s = g_new0(QTestState, 1);
    g_autofree char *dir = g_dir_make_tmp("qtest-XXXXXX", NULL);
    g_autofree char *qtest_path = g_build_filename(dir, "qtest", NULL);
    g_autofree char *qmp_path = g_build_filename(dir, "qmp", NULL);
    g_autofree char *firmware = g_build_filename(dir, "halt.bin", NULL);
    g_autofree char *accel = qtest_accel_args(firmware);
    int qtest_fd = listen_on(qtest_path), qmp_fd = listen_on(qmp_path);
    g_autofree char *options = NULL;
    g_autofree char *command_line = NULL;
    va_list ap;

    va_start(ap, fmt);
    options = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    command_line = g_strdup_printf(
        "%s -qtest unix:%s -qtest-log %s "
        "-chardev socket,path=%s,id=char0 -mon chardev=char0,mode=control "
        "-display none -nodefaults %s %s",
        g_getenv("QTEST_QEMU_BINARY"), qtest_path,
        g_getenv("QTEST_LOG") ? "/dev/fd/2" : "none", qmp_path, accel, options);
    g_test_message("%s", command_line);
    s->pid = spawn(command_line);
    /* The emulator connects in the order of its choice. */
    line_reader_init(&s->qtest, accept_from(qtest_fd, qtest_path, s->pid));
    s->qmp = qmp_client_new(accept_from(qmp_fd, qmp_path, s->pid));
    /* It has read its firmware by the time it talks. */
    qmp_client_handshake(s->qmp);
    g_unlink(firmware);
    g_rmdir(dir);
    return s;
}

/* --- end ----------------------------------------------------------------- */

static void state_free(QTestState *s)
{
    qmp_client_free(s->qmp);
    line_reader_destroy(&s->qtest);
    g_free(s);
}

int qtest_wait_exit(QTestState *s)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    int status;
    pid_t pid;

    while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0) {
        if (!qtest_wait_more(deadline, &round)) {
            kill(s->pid, SIGKILL);
            g_error("the emulator did not end in time");
        }
    }
    g_assert_cmpint(pid, ==, s->pid);
    state_free(s);
    if (WIFSIGNALED(status)) {
        g_error("the emulator died of signal %d", WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

void qtest_quit(QTestState *s)
{
    kill(s->pid, SIGTERM);
    g_assert_cmpint(qtest_wait_exit(s), ==, 0);
}

void qtest_kill(QTestState *s)
{
    kill(s->pid, SIGKILL);
    g_assert_cmpint(waitpid(s->pid, NULL, 0), ==, s->pid);
    state_free(s);
}

pid_t qtest_pid(QTestState *s)
{
    return s->pid;
}

QmpClient *qtest_qmp(QTestState *s)
{
    return s->qmp;
}

char *qtest_hmp(QTestState *s, const char *fmt, ...)
{
    g_autofree char *line = NULL;
    g_autoptr(JsonNode) said = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    said = qmp_client_do(qtest_qmp(s), "{'execute': 'human-monitor-command', "
                         "'arguments': {'command-line': '%s'}}", line);
    return json_node_dup_string(said);
}

/* --- the protocol -------------------------------------------------------- */

/* Notes "IRQ raise N" and "IRQ lower N"; false if @line is neither. */
static bool note_irq(QTestState *s, const char *line)
{
    int n;

    if (sscanf(line, "IRQ raise %d", &n) == 1 && n >= 0 && n < QTEST_MAX_IRQ) {
        s->irq[n] = true;
    } else if (sscanf(line, "IRQ lower %d", &n) == 1 && n >= 0 &&
               n < QTEST_MAX_IRQ) {
        s->irq[n] = false;
    } else {
        return false;
    }
    return true;
}

void qtest_send_bytes(QTestState *s, const void *data, size_t len)
{
    line_reader_send(&s->qtest, data, len);
}

char *qtest_answer(QTestState *s)
{
    for (;;) {
        char *line = line_reader_read(&s->qtest);

        if (!line) {
            g_error("the emulator closed the qtest connection");
        }
        if (!note_irq(s, line)) {
            return line;
        }
        g_free(line);
    }
}

char *qtest_line(QTestState *s, const char *fmt, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    va_list ap;

    va_start(ap, fmt);
    g_string_vprintf(line, fmt, ap);
    va_end(ap);
    g_string_append_c(line, '\n');
    qtest_send_bytes(s, line->str, line->len);
    return qtest_answer(s);
}

/* Takes @answer, which must be "OK" with what is returned (g_free()). */
static char *expect_ok(char *answer)
{
    g_autofree char *line = answer;

    if (strcmp(line, "OK") != 0 && !g_str_has_prefix(line, "OK ")) {
        g_error("qtest: %s", line);
    }
    return g_strdup(line[2] ? line + 3 : "");
}

static void expect_done(char *answer)
{
    g_free(expect_ok(answer));
}

static uint64_t expect_number(char *answer)
{
    g_autofree char *text = expect_ok(answer);
    char *end;
    uint64_t value = g_ascii_strtoull(text, &end, 0);

    g_assert_true(end > text && !*end);
    return value;
}

/* --- ports and memory ---------------------------------------------------- */

#define DEFINE_PORT_ACCESS(suffix, type)                                     \
    type qtest_in##suffix(QTestState *s, uint16_t port)                      \
    {                                                                        \
        return expect_number(qtest_line(s, "in" #suffix " 0x%x", port));     \
    }                                                                        \
    void qtest_out##suffix(QTestState *s, uint16_t port, type value)         \
    {                                                                        \
        expect_done(qtest_line(s, "out" #suffix " 0x%x 0x%x", port, value)); \
    }
DEFINE_PORT_ACCESS(b, uint8_t)
DEFINE_PORT_ACCESS(w, uint16_t)
DEFINE_PORT_ACCESS(l, uint32_t)

#define DEFINE_MEMORY_ACCESS(suffix, type)                                   \
    type qtest_read##suffix(QTestState *s, uint64_t addr)                    \
    {                                                                        \
        return expect_number(qtest_line(s, "read" #suffix " 0x%" PRIx64,     \
                                        addr));                              \
    }                                                                        \
    void qtest_write##suffix(QTestState *s, uint64_t addr, type value)       \
    {                                                                        \
        expect_done(qtest_line(s, "write" #suffix " 0x%" PRIx64              \
                               " 0x%" PRIx64, addr, (uint64_t)value));       \
    }
DEFINE_MEMORY_ACCESS(b, uint8_t)
DEFINE_MEMORY_ACCESS(w, uint16_t)
DEFINE_MEMORY_ACCESS(l, uint32_t)
DEFINE_MEMORY_ACCESS(q, uint64_t)

void qtest_memread(QTestState *s, uint64_t addr, void *data, size_t size)
{
    uint8_t *to = data;

    while (size > 0) {
        size_t n = MIN(size, QTEST_TRANSFER);
        g_autofree char *text = expect_ok(
            qtest_line(s, "read 0x%" PRIx64 " 0x%zx", addr, n));

        g_assert_cmpuint(strlen(text), ==, 2 + 2 * n);
        for (size_t i = 0; i < n; i++) {
            to[i] = g_ascii_xdigit_value(text[2 + 2 * i]) << 4 |
                    g_ascii_xdigit_value(text[3 + 2 * i]);
        }
        addr += n;
        to += n;
        size -= n;
    }
}

void qtest_memwrite(QTestState *s, uint64_t addr, const void *data,
                    size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        size_t n = MIN(size, QTEST_TRANSFER);
        g_autoptr(GString) hex = g_string_sized_new(2 * n);

        for (size_t i = 0; i < n; i++) {
            g_string_append_printf(hex, "%02x", from[i]);
        }
        expect_done(qtest_line(s, "write 0x%" PRIx64 " 0x%zx 0x%s", addr, n,
                               hex->str));
        addr += n;
        from += n;
        size -= n;
    }
}

void qtest_memset(QTestState *s, uint64_t addr, uint8_t value, size_t size)
{
    expect_done(qtest_line(s, "memset 0x%" PRIx64 " 0x%zx 0x%x", addr, size,
                           value));
}

int64_t qtest_clock_step(QTestState *s, int64_t ns)
{
    return expect_number(qtest_line(s, "clock_step %" PRIi64, ns));
}

void qtest_irq_intercept_in(QTestState *s, const char *path)
{
    expect_done(qtest_line(s, "irq_intercept_in %s", path));
}

bool qtest_get_irq(QTestState *s, int n)
{
    /* What has been told by now precedes the answer to this. */
    g_free(qtest_line(s, "endianness"));
    return s->irq[n];
}

/* --- QMP on properties --------------------------------------------------- */

uint64_t qtest_qom_get_uint(QTestState *s, const char *path,
                            const char *property)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        s->qmp, "{'execute': 'qom-get', 'arguments': {'path': '%s', "
        "'property': '%s'}}", path, property);

    return json_node_get_int(node);
}

void qtest_qom_set_uint(QTestState *s, const char *path, const char *property,
                        uint64_t value)
{
    json_node_unref(qmp_client_do(
        s->qmp, "{'execute': 'qom-set', 'arguments': {'path': '%s', "
        "'property': '%s', 'value': %" PRIu64 "}}", path, property, value));
}

/* --- a test program ------------------------------------------------------ */

void qtest_main_init(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!g_getenv("QTEST_QEMU_BINARY")) {
        puts("1..0 # SKIP QTEST_QEMU_BINARY names no emulator");
        exit(0);
    }
}

GRand *qtest_rand_new(void)
{
    const char *text = g_getenv("SEED");
    guint32 seed = text ? strtoul(text, NULL, 0) : g_random_int();

    g_test_message("SEED=%u", seed);
    return g_rand_new_with_seed(seed);
}
