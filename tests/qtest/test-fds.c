/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that are handed to the emulator: inherited ones (fd=, -add-fd)
 * and those that a QMP client sends. Whatever a client sends, none is left
 * open that nobody asked for.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libqtest.h"

/* --- a client that sends descriptors ------------------------------------- */

typedef struct Fixture {
    QTestState *qts;
    char *path;                           /* of a second QMP server */
    QmpClient *c;                         /* its client */
    unsigned before;                      /* descriptors of the emulator */
} Fixture;

/* How many descriptors the emulator has. */
static unsigned count_fds(QTestState *qts)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", qtest_pid(qts));
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

/* It must soon have @more than at first: what was not asked for is closed
 * behind the reply. */
static void check_fds(Fixture *f, unsigned more)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (count_fds(f->qts) != f->before + more) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void setup(Fixture *f, const void *data)
{
    int fd = g_file_open_tmp("fds-XXXXXX", &f->path, NULL);

    close(fd);
    g_unlink(f->path);
    f->qts = qtest_init("-M q35 -m 64M -qmp unix:%s,server=on,wait=off",
                        f->path);
    f->c = qmp_client_connect(f->path);
    qmp_client_handshake(f->c);
    f->before = count_fds(f->qts);
}

static void teardown(Fixture *f, const void *data)
{
    qmp_client_free(f->c);
    qtest_quit(f->qts);
    g_free(f->path);
}

static JsonObject *execute(Fixture *f, const char *text, unsigned n)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    qmp_client_send_fds(f->c, text, fd, n);
    close(fd);
    return qmp_client_reply(f->c);
}

static void check_ok(Fixture *f, const char *text, unsigned n)
{
    g_autoptr(JsonObject) reply = execute(f, text, n);

    g_assert_true(json_object_has_member(reply, "return"));
}

static void check_error(Fixture *f, const char *text, unsigned n,
                        const char *part)
{
    g_autoptr(JsonObject) reply = execute(f, text, n);

    qmp_assert_error(reply, "GenericError", part);
}

#define GETFD "{'execute': 'getfd', 'arguments': {'fdname': 'x'}}"
#define CLOSEFD "{'execute': 'closefd', 'arguments': {'fdname': 'x'}}"

/* --- getfd --------------------------------------------------------------- */

static void test_named_descriptor_can_be_closed(Fixture *f, const void *data)
{
    check_ok(f, GETFD, 1);
    check_fds(f, 1);
    check_ok(f, CLOSEFD, 0);
    check_fds(f, 0);
    check_error(f, CLOSEFD, 0, "File descriptor named 'x' has not been found");
}

static void test_name_is_given_anew(Fixture *f, const void *data)
{
    check_ok(f, GETFD, 1);
    check_ok(f, GETFD, 1);
    check_fds(f, 1);
}

static void test_refusals_close_what_was_sent(Fixture *f, const void *data)
{
    check_error(f, GETFD, 0, "No file descriptor supplied via SCM_RIGHTS");
    check_error(f, "{'execute': 'getfd', 'arguments': {'fdname': '1x'}}", 1,
                "not starting with a digit");
    check_error(f, "{'execute': 'getfd', 'arguments': {'fdname': ''}}", 1,
                "not starting with a digit");
    check_error(f, "{'execute': 'getfd'}", 1, "Parameter 'fdname' is missing");
    check_fds(f, 0);
}

static void test_what_nobody_asked_for_is_closed(Fixture *f, const void *data)
{
    static const unsigned counts[] = { 1, 2, QMP_CLIENT_MAX_FDS };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        check_ok(f, "{'execute': 'query-name'}", counts[i]);
        check_fds(f, 0);
        check_ok(f, GETFD, counts[i]);
        check_fds(f, 1);
        check_ok(f, CLOSEFD, counts[i]);
        check_fds(f, 0);
    }
}

/* A thousand, four messages long, before the command is complete: those of
 * earlier messages are gone. */
static void test_thousand_descriptors_are_no_leak(Fixture *f, const void *data)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    for (unsigned i = 0; i < 4; i++) {
        qmp_client_send_fds(f->c, " ", fd, 250);
    }
    close(fd);
    check_ok(f, GETFD, 1);
    check_ok(f, CLOSEFD, 0);
    check_fds(f, 0);
}

static void test_client_that_leaves_takes_them_along(Fixture *f,
                                                     const void *data)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    /* Half a command, so that they wait for the other half. */
    qmp_client_send_fds(f->c, "{'execute': ", fd, 10);
    close(fd);
    qmp_client_free(f->c);
    f->c = qmp_client_connect(f->path);
    qmp_client_handshake(f->c);
    check_fds(f, 0);
}

static void test_names_are_bounded(Fixture *f, const void *data)
{
    for (unsigned i = 0; i < 64; i++) {
        g_autofree char *text = g_strdup_printf(
            "{'execute': 'getfd', 'arguments': {'fdname': 'n%u'}}", i);

        check_ok(f, text, 1);
    }
    check_error(f, GETFD, 1, "64 file descriptors have names");
    check_fds(f, 64);
}

/* --- sets ---------------------------------------------------------------- */

static void test_sets_are_listed_and_emptied(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) added = execute(
        f, "{'execute': 'add-fd', 'arguments': {'opaque': 'words'}}", 1);
    JsonObject *info = json_object_get_object_member(added, "return");
    gint64 id = json_object_get_int_member(info, "fdset-id");
    g_autoptr(JsonNode) sets = NULL, none = NULL;
    JsonObject *set;

    sets = qmp_client_do(f->c, "{'execute': 'query-fdsets'}");
    set = json_array_get_object_element(json_node_get_array(sets), 0);
    g_assert_cmpint(json_object_get_int_member(set, "fdset-id"), ==, id);
    g_assert_cmpstr(json_object_get_string_member(
        json_array_get_object_element(
            json_object_get_array_member(set, "fds"), 0), "opaque"), ==,
        "words");
    qmp_client_expect_error(f->c, "GenericError", "not found",
                            "{'execute': 'remove-fd', 'arguments': "
                            "{'fdset-id': %d, 'fd': 9999}}", (int)id);
    json_node_unref(qmp_client_do(f->c, "{'execute': 'remove-fd', 'arguments': "
                                  "{'fdset-id': %d}}", (int)id));
    none = qmp_client_do(f->c, "{'execute': 'query-fdsets'}");
    g_assert_cmpuint(json_array_get_length(json_node_get_array(none)), ==, 0);
    check_fds(f, 0);
}

static void test_sets_are_checked(Fixture *f, const void *data)
{
    check_error(f, "{'execute': 'add-fd'}", 0, "No file descriptor supplied");
    check_error(f, "{'execute': 'add-fd', 'arguments': {'fdset-id': -2}}", 1,
                "Parameter 'fdset-id' expects a number from 0");
    check_error(f, "{'execute': 'remove-fd', 'arguments': {'fdset-id': 7}}", 0,
                "File descriptor named 'fdset-id:7' not found");
    check_fds(f, 0);
}

/* --- without UNIX sockets ------------------------------------------------ */

/* The port is the kernel's choice, and the other side's to connect to. */
static void test_tcp_has_none(void)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QTestState *qts;
    QmpClient *c;

    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert_no_errno(listen(fd, 1));
    g_assert_no_errno(getsockname(fd, (struct sockaddr *)&addr, &len));
    qts = qtest_init("-M q35 -m 64M -qmp tcp:127.0.0.1:%u,server=off",
                     ntohs(addr.sin_port));
    c = qmp_client_new(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
    qmp_client_handshake(c);
    qmp_client_expect_error(c, "GenericError", "No file descriptor supplied",
                            GETFD);
    qmp_client_free(c);
    close(fd);
    qtest_quit(qts);
}

/* --- inherited descriptors ----------------------------------------------- */

/* libvirt opens the monitor's socket itself and hands it over. */
static void test_listening_socket_is_inherited(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char *path = NULL;
    QTestState *qts;
    QmpClient *c;

    close(g_file_open_tmp("fds-XXXXXX", &path, NULL));
    g_unlink(path);
    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert_no_errno(listen(fd, 1));
    qts = qtest_init("-M q35 -m 64M -chardev socket,id=m,fd=%d,server=on,"
                     "wait=off -mon chardev=m,mode=control", fd);
    close(fd);
    for (unsigned i = 0; i < 2; i++) {
        c = qmp_client_connect(path);
        qmp_client_handshake(c);
        qmp_client_check_alive(c);
        qmp_client_free(c);
    }
    qtest_quit(qts);
    /* Who has made the socket removes it. */
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_free(path);
}

static void test_connected_socket_is_inherited(void)
{
    int fds[2];
    QTestState *qts;
    QmpClient *c;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    qts = qtest_init("-M q35 -m 64M -qmp unix:fd=%d,server=off", fds[1]);
    close(fds[1]);
    c = qmp_client_new(fds[0]);
    qmp_client_handshake(c);
    qmp_client_check_alive(c);
    qmp_client_free(c);
    qtest_quit(qts);
}

static void test_file_of_a_set_is_written(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("fds-XXXXXX", &path, NULL);
    g_autoptr(JsonNode) sets = NULL;
    g_autofree char *text = NULL;
    QTestState *qts;

    close(fd);
    fd = open(path, O_WRONLY);
    qts = qtest_init("-M q35 -m 64M -add-fd fd=%d,set=2,opaque=log "
                     "-chardev file,id=c,path=/dev/fdset/2 "
                     "-serial chardev:c", fd);
    close(fd);
    qtest_outb(qts, 0x3f8, 'x');
    sets = qmp_client_do(qtest_qmp(qts), "{'execute': 'query-fdsets'}");
    g_assert_cmpuint(json_array_get_length(json_node_get_array(sets)), ==, 1);
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "x");
    g_unlink(path);
    g_free(path);
}

#define ADD(path, fn)                                                         \
    g_test_add("/fds/" path, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("named-descriptor-can-be-closed", test_named_descriptor_can_be_closed);
    ADD("name-is-given-anew", test_name_is_given_anew);
    ADD("refusals-close-what-was-sent", test_refusals_close_what_was_sent);
    ADD("what-nobody-asked-for-is-closed",
        test_what_nobody_asked_for_is_closed);
    ADD("thousand-descriptors-are-no-leak",
        test_thousand_descriptors_are_no_leak);
    ADD("client-that-leaves-takes-them-along",
        test_client_that_leaves_takes_them_along);
    ADD("names-are-bounded", test_names_are_bounded);
    ADD("sets-are-listed-and-emptied", test_sets_are_listed_and_emptied);
    ADD("sets-are-checked", test_sets_are_checked);
    g_test_add_func("/fds/tcp-has-none", test_tcp_has_none);
    g_test_add_func("/fds/listening-socket-is-inherited",
                    test_listening_socket_is_inherited);
    g_test_add_func("/fds/connected-socket-is-inherited",
                    test_connected_socket_is_inherited);
    g_test_add_func("/fds/file-of-a-set-is-written",
                    test_file_of_a_set_is_written);
    return g_test_run();
}
