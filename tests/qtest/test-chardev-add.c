/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices that come, go and are exchanged while the machine runs: by
 * QMP and by HMP, of each kind, under a serial port; and whatever is refused
 * leaves everything as it was.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "libqtest.h"

#define COM1 0x3f8
#define COM1_LSR (COM1 + 5)
#define LSR_DATA 0x01
#define LSR_BREAK 0x10

typedef struct Fixture {
    QTestState *qts;
    char *dir;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("chardev-XXXXXX", NULL);
    f->qts = qtest_init("-M q35 -m 64M -chardev null,id=c0 "
                         "-serial chardev:c0 %s", data ? (char *)data : "");
}

static void tear_down(Fixture *f, gconstpointer data)
{
    GDir *dir;
    const char *name;

    qtest_quit(f->qts);
    dir = g_dir_open(f->dir, 0, NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);

        g_unlink(path);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
}

/* @command of id @id and a backend of @type with @data, in which %s is the
 * directory; what it returns. */
static JsonNode *make(Fixture *f, const char *command, const char *id,
                      const char *type, const char *data)
{
    g_auto(GStrv) parts = g_strsplit(data, "DIR", -1);
    g_autofree char *text = g_strjoinv(f->dir, parts);

    return qmp_client_do(qtest_qmp(f->qts), "{'execute': '%s', 'arguments': "
                         "{'id': '%s', 'backend': {'type': '%s', 'data': %s}}}",
                         command, id, type, text);
}

static void expect_refusal(Fixture *f, const char *command, const char *id,
                           const char *type, const char *data,
                           const char *message)
{
    g_auto(GStrv) parts = g_strsplit(data, "DIR", -1);
    g_autofree char *text = g_strjoinv(f->dir, parts);

    qmp_client_expect_error(qtest_qmp(f->qts), "GenericError", message,
                            "{'execute': '%s', 'arguments': {'id': '%s', "
                            "'backend': {'type': '%s', 'data': %s}}}",
                            command, id, type, text);
}

static void remove_chardev(Fixture *f, const char *id)
{
    json_node_unref(qmp_client_do(qtest_qmp(f->qts), "{'execute': "
                                  "'chardev-remove', 'arguments': "
                                  "{'id': '%s'}}", id));
}

/* "filename" of the chardev @id; NULL: there is none. */
static char *filename(Fixture *f, const char *id)
{
    g_autoptr(JsonNode) list = qmp_client_do(qtest_qmp(f->qts),
                                             "{'execute': 'query-chardev'}");
    JsonArray *array = json_node_get_array(list);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *info = json_array_get_object_element(array, i);

        if (!strcmp(json_object_get_string_member(info, "label"), id)) {
            return g_strdup(json_object_get_string_member(info, "filename"));
        }
    }
    return NULL;
}

/* Descriptors that the emulator has open. */
static unsigned count_fds(Fixture *f)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", qtest_pid(f->qts));
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

/* A duplicate of @fd is the emulator's, by the name of "mine". */
static void send_fd(Fixture *f, int fd)
{
    QmpClient *c = qtest_qmp(f->qts);
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send_fds(c, "{'execute': 'getfd', 'arguments': "
                        "{'fdname': 'mine'}}", fd, 1);
    reply = qmp_client_reply(c);
    g_assert_true(json_object_has_member(reply, "return"));
}

static bool is_disconnected(Fixture *f, const char *id)
{
    g_autofree char *name = filename(f, id);

    return g_str_has_prefix(name, "disconnected:");
}

/* A peer for the chardev @id, which is a server at @name. */
static int connect_to(Fixture *f, const char *id, const char *name)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    g_snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", f->dir, name);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    while (is_disconnected(f, id)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    return fd;
}

static void guest_writes(Fixture *f, const char *text)
{
    for (; *text; text++) {
        qtest_outb(f->qts, COM1, *text);
    }
}

static void expect_read(int fd, const char *text)
{
    char buf[64];
    size_t done = 0, len = strlen(text);

    while (done < len) {
        ssize_t n = read(fd, buf + done, len - done);

        g_assert_cmpint(n, >, 0);
        done += n;
    }
    g_assert_cmpmem(buf, len, text, len);
}

static void wait_for_lsr(Fixture *f, uint8_t bits)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while ((qtest_inb(f->qts, COM1_LSR) & bits) != bits) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* The guest hears @fd, and is heard there. */
static void check_serial(Fixture *f, int fd)
{
    guest_writes(f, "hello");
    expect_read(fd, "hello");
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    wait_for_lsr(f, LSR_DATA);
    g_assert_cmphex(qtest_inb(f->qts, COM1), ==, 'x');
}

#define UNIX_SERVER(name)                                                    \
    "{'addr': {'type': 'unix', 'data': {'path': 'DIR/" name "'}}}"

/* --- each kind ------------------------------------------------------------ */

static void test_each_kind_comes_and_goes(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *type, *data, *filename;
    } kinds[] = {
        { "null", "{}", "null" },
        { "file", "{'out': 'DIR/out', 'logfile': 'DIR/log'}", "file:DIR/out" },
        { "pipe", "{'device': 'DIR/pipe'}", "pipe:DIR/pipe" },
        { "socket", UNIX_SERVER("s"),
          "disconnected:unix:DIR/s,server=on" },
        { "socket", "{'addr': {'type': 'inet', 'data': {'host': '127.0.0.1', "
          "'port': '0'}}, 'nodelay': true, 'telnet': false}", NULL },
        { "socket", "{'addr': {'type': 'unix', 'data': {'path': 'DIR/none'}}, "
          "'server': false, 'reconnect': 1}", "disconnected:unix:DIR/none" },
    };
    g_autofree char *pipe_path = g_build_filename(f->dir, "pipe", NULL);
    unsigned before = count_fds(f);

    g_assert_cmpint(mkfifo(pipe_path, 0600), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *name = NULL;
        g_auto(GStrv) parts = g_strsplit(kinds[i].filename ?: "", "DIR", -1);
        g_autofree char *expected = g_strjoinv(f->dir, parts);

        json_node_unref(make(f, "chardev-add", "c1", kinds[i].type,
                             kinds[i].data));
        name = filename(f, "c1");
        g_assert_nonnull(name);
        if (kinds[i].filename) {
            g_assert_cmpstr(name, ==, expected);
        }
        remove_chardev(f, "c1");
        g_assert_null(filename(f, "c1"));
    }
    g_assert_cmpuint(count_fds(f), ==, before);
}

static void test_terminal_says_where_it_is(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonNode) result = make(f, "chardev-add", "c1", "pty", "{}");
    const char *path = json_object_get_string_member(
        json_node_get_object(result), "pty");
    g_autofree char *name = filename(f, "c1");

    g_assert_true(g_str_has_prefix(path, "/dev/pts/"));
    g_assert_true(g_str_has_suffix(name, path));
    g_assert_cmpint(access(path, R_OK), ==, 0);
    remove_chardev(f, "c1");
    g_assert_cmpint(access(path, R_OK), <, 0);
}

/* A device that comes later has it, and it is busy until that has gone. */
static void test_device_takes_what_came(Fixture *f, gconstpointer data)
{
    json_node_unref(make(f, "chardev-add", "c1", "null", "{}"));
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'object-add', 'arguments': "
        "{'qom-type': 'rng-builtin', 'id': 'r0'}}"));
    qmp_client_expect_error(qtest_qmp(f->qts), "GenericError",
                            "Chardev 'c0' is busy",
                            "{'execute': 'chardev-remove', 'arguments': "
                            "{'id': 'c0'}}");
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'device_add', 'arguments': "
        "{'driver': 'virtserialport', 'id': 'p0', 'chardev': 'c1', "
        "'name': 'a'}}"));
    qmp_client_expect_error(qtest_qmp(f->qts), "GenericError",
                            "Chardev 'c1' is busy",
                            "{'execute': 'chardev-remove', 'arguments': "
                            "{'id': 'c1'}}");
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'device_del', 'arguments': "
        "{'id': 'p0'}}"));
    remove_chardev(f, "c1");
}

/* --- exchange ------------------------------------------------------------- */

static void test_serial_port_uses_the_new_one(Fixture *f, gconstpointer data)
{
    unsigned before = count_fds(f);
    int fd;

    json_node_unref(make(f, "chardev-change", "c0", "socket",
                         UNIX_SERVER("a")));
    fd = connect_to(f, "c0", "a");
    check_serial(f, fd);
    json_node_unref(make(f, "chardev-change", "c0", "socket",
                         UNIX_SERVER("b")));
    g_assert_cmpint(read(fd, &(char){ 0 }, 1), ==, 0);
    close(fd);
    fd = connect_to(f, "c0", "b");
    check_serial(f, fd);
    json_node_unref(make(f, "chardev-change", "c0", "null", "{}"));
    close(fd);
    g_assert_cmpuint(count_fds(f), ==, before);
}

/* A peer that takes nothing is exchanged for one that does. */
static void test_what_waits_goes_to_the_new_one(Fixture *f, gconstpointer data)
{
    g_autofree char *out = g_build_filename(f->dir, "out", NULL);
    g_autofree char *text = NULL;
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    int fd;

    json_node_unref(make(f, "chardev-change", "c0", "socket",
                         UNIX_SERVER("a")));
    fd = connect_to(f, "c0", "a");
    qtest_outb(f->qts, COM1, '.');
    expect_read(fd, ".");
    while (qtest_inb(f->qts, COM1_LSR) & 0x20) {     /* room in the FIFO */
        qtest_outb(f->qts, COM1, 'w');
        g_assert_true(g_get_monotonic_time() < deadline);
    }
    json_node_unref(make(f, "chardev-change", "c0", "file",
                         "{'out': 'DIR/out'}"));
    g_assert_true(qtest_inb(f->qts, COM1_LSR) & 0x20);
    while (!g_file_get_contents(out, &text, NULL, NULL) || !*text) {
        g_clear_pointer(&text, g_free);
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    g_assert_true(g_str_has_prefix(text, "w"));
    close(fd);
}

static void test_console_and_channel_use_the_new_one(Fixture *f,
                                                     gconstpointer data)
{
    static const char *const ids[] = { "c2", "c3" };

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        int fd;

        json_node_unref(make(f, "chardev-change", ids[i], "socket",
                             UNIX_SERVER("p")));
        fd = connect_to(f, ids[i], "p");
        json_node_unref(make(f, "chardev-change", ids[i], "null", "{}"));
        g_assert_cmpint(read(fd, &(char){ 0 }, 1), ==, 0);
        close(fd);
    }
}

static void test_break_reaches_the_guest(Fixture *f, gconstpointer data)
{
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'chardev-send-break', 'arguments': "
        "{'id': 'c0'}}"));
    wait_for_lsr(f, LSR_BREAK);
    qmp_client_expect_error(qtest_qmp(f->qts), "GenericError",
                            "Chardev 'c9' not found",
                            "{'execute': 'chardev-send-break', 'arguments': "
                            "{'id': 'c9'}}");
}

/* --- descriptors that clients send ---------------------------------------- */

static void test_descriptor_that_a_client_sent(Fixture *f, gconstpointer data)
{
    static const char *const backend =
        "{'addr': {'type': 'fd', 'data': {'str': 'mine'}}, 'server': false}";
    unsigned before = count_fds(f);
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                    ==, 0);
    send_fd(f, pair[1]);
    json_node_unref(make(f, "chardev-change", "c0", "socket", backend));
    close(pair[1]);
    check_serial(f, pair[0]);
    expect_refusal(f, "chardev-add", "c1", "socket", backend,
                   "named 'mine' has not been found");
    json_node_unref(make(f, "chardev-change", "c0", "null", "{}"));
    g_assert_cmpint(read(pair[0], &(char){ 0 }, 1), ==, 0);
    /* What is no socket is closed with its name. */
    send_fd(f, STDIN_FILENO);
    expect_refusal(f, "chardev-add", "c1", "socket", backend,
                   "a socket is expected");
    close(pair[0]);
    g_assert_cmpuint(count_fds(f), ==, before);
}

/* --- what is refused ------------------------------------------------------ */

static void test_refused_and_nothing_is_left(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *command, *id, *type, *data, *message;
    } cases[] = {
        { "chardev-add", "c0", "null", "{}", "'c0' already exists" },
        { "chardev-add", "1c", "null", "{}", "expects an identifier" },
        { "chardev-add", "c1", "warp", "{}", "does not accept value 'warp'" },
        { "chardev-add", "c1", "stdio", "{}", "stdio is for the command line" },
        { "chardev-add", "c1", "file", "{'out': 'DIR/none/x'}",
          "No such file" },
        { "chardev-add", "c1", "file", "{}", "data.out' is missing" },
        { "chardev-add", "c1", "file", "{'out': 'DIR/x', 'in': 'DIR/y'}",
          "'backend.data.in' is unexpected" },
        { "chardev-add", "c1", "null", "{'logfile': 'DIR/none/x'}",
          "logfile of chardev 'c1'" },
        { "chardev-add", "c1", "pipe", "{'device': 'DIR/none'}",
          "No such file" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'unix', 'data': "
          "{'path': 'DIR/none'}}, 'server': false}", "Failed to connect" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'unix', 'data': "
          "{'path': 'DIR/s'}}, 'wait': true}", "possible: wait=off" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'unix', 'data': "
          "{'path': 'DIR/s'}}, 'telnet': true}", "telnet=on: not supported" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'unix', 'data': "
          "{'path': 'DIR/s', 'abstract': true}}}", "abstract=on: not supp" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'unix', 'data': "
          "{'path': 'DIR/s'}}, 'reconnect': 1}", "incompatible" },
        { "chardev-add", "c1", "socket", "{'addr': {'type': 'fd', 'data': "
          "{'str': '0'}}}", "named '0' has not been found" },
        { "chardev-change", "c9", "null", "{}", "'c9' does not exist" },
        { "chardev-change", "char0", "null", "{}",
          "does not support chardev hotswap" },
        { "chardev-change", "c4", "null", "{}", "is shared (mux=on)" },
        { "chardev-change", "c0", "file", "{'out': 'DIR/none/x'}",
          "No such file" },
    };
    unsigned before = count_fds(f);
    g_autofree char *name = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        expect_refusal(f, cases[i].command, cases[i].id, cases[i].type,
                       cases[i].data, cases[i].message);
        g_assert_null(filename(f, "c1"));
    }
    name = filename(f, "c0");
    g_assert_cmpstr(name, ==, "null");
    g_assert_cmpuint(count_fds(f), ==, before);
}

static void test_nothing_comes_without_hot_plug(Fixture *f, gconstpointer data)
{
    if (QTEST_SANITIZED) {
        g_test_skip("a build with sanitizers is not confined");
        return;
    }
    expect_refusal(f, "chardev-add", "c1", "null", "{}", "hotplug=off");
    expect_refusal(f, "chardev-change", "c0", "pty", "{}", "hotplug=off");
    /* What needs nothing new is possible. */
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'chardev-send-break', 'arguments': "
        "{'id': 'c0'}}"));
}

/* --- for people ----------------------------------------------------------- */

static void check_hmp(Fixture *f, const char *line, const char *expected)
{
    g_autofree char *text = qtest_hmp(f->qts, "%s", line);

    g_assert_cmpstr(text, ==, expected);
}

static void test_people_have_the_words_of_the_option(Fixture *f,
                                                     gconstpointer data)
{
    g_autofree char *socket = g_strdup_printf(
        "chardev-add socket,id=c1,server=on,path=%s/s", f->dir);
    g_autofree char *waits = g_strdup_printf("%s,wait=on", socket);
    g_autofree char *change = g_strdup_printf(
        "chardev-change c0 file,path=%s/out", f->dir);
    g_autofree char *name = NULL;

    check_hmp(f, waits, "Error: wait=on: not possible while the VM exists, which "
              "would stand still; possible: wait=off\n");
    check_hmp(f, socket, "");
    close(connect_to(f, "c1", "s"));
    check_hmp(f, socket, "Error: Chardev with id 'c1' already exists\n");
    check_hmp(f, change, "");
    name = filename(f, "c0");
    g_assert_true(g_str_has_suffix(name, "/out"));
    check_hmp(f, "chardev-change c0", "Error: an id and a character device are "
              "expected\n");
    check_hmp(f, "chardev-remove c0", "Error: Chardev 'c0' is busy\n");
    check_hmp(f, "chardev-remove c1", "");
    check_hmp(f, "chardev-remove c1", "Error: Chardev 'c1' not found\n");
    check_hmp(f, "chardev-send-break c0", "");
    /* A shared one is two, which go together. */
    check_hmp(f, "chardev-add null,id=c1,mux=on", "");
    check_hmp(f, "chardev-remove c1-base", "Error: Chardev 'c1-base' is busy\n");
    check_hmp(f, "chardev-remove c1", "");
    check_hmp(f, "chardev-remove c1-base", "Error: Chardev 'c1-base' not "
              "found\n");
}

#define PORTS "-device virtio-serial-pci -chardev null,id=c2 -device "       \
              "virtconsole,chardev=c2 -chardev null,id=c3 -device "          \
              "virtserialport,chardev=c3,name=x"
#define ADD(path, fn, args)                                                  \
    g_test_add("/chardev-add/" path, Fixture, args, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("each-kind-comes-and-goes", test_each_kind_comes_and_goes, NULL);
    ADD("terminal-says-where-it-is", test_terminal_says_where_it_is, NULL);
    ADD("device-takes-what-came", test_device_takes_what_came,
        "-device virtio-serial-pci");
    ADD("serial-port-uses-the-new-one", test_serial_port_uses_the_new_one,
        NULL);
    ADD("what-waits-goes-to-the-new-one", test_what_waits_goes_to_the_new_one,
        NULL);
    ADD("console-and-channel-use-the-new-one",
        test_console_and_channel_use_the_new_one, PORTS);
    ADD("break-reaches-the-guest", test_break_reaches_the_guest, NULL);
    ADD("descriptor-that-a-client-sent", test_descriptor_that_a_client_sent,
        NULL);
    ADD("refused-and-nothing-is-left", test_refused_and_nothing_is_left,
        "-chardev null,id=c4,mux=on");
    ADD("nothing-comes-without-hot-plug", test_nothing_comes_without_hot_plug,
        QTEST_SANITIZED ? NULL : "-sandbox on,hotplug=off");
    ADD("people-have-the-words-of-the-option",
        test_people_have_the_words_of_the_option, NULL);
    return g_test_run();
}
