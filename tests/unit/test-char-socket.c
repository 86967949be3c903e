/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket character devices: servers, clients, peers that come and go. */
#include "qemu/osdep.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "char-test.h"
#include "qemu/units.h"

static char *tmp_dir;
static char *socket_path;

/* On the device that @fmt says, with socket_path in it. */
static void fe_open(Fe *fe, const char *fmt)
{
    g_autofree char *text = g_strdup_printf(fmt, socket_path);

    fe_init(fe, qemu_chr_parse_compat("c", text, &error_abort), 1000);
}

static void fe_close(Fe *fe)
{
    fe_destroy(fe);
    qemu_chr_cleanup();
    g_assert_false(g_file_test(socket_path, G_FILE_TEST_EXISTS));
}

static struct sockaddr_un unix_address(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    g_strlcpy(a.sun_path, socket_path, sizeof(a.sun_path));
    return a;
}

/* Connects as a client would. */
static int dial(void)
{
    struct sockaddr_un a = unix_address();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    return fd;
}

/* Listens as a server would. */
static int serve(void)
{
    struct sockaddr_un a = unix_address();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(listen(fd, 5), ==, 0);
    return fd;
}

static void write_str(CharBackend *be, const char *text)
{
    g_assert_cmpint(qemu_chr_fe_write(be, (const uint8_t *)text, strlen(text)),
                    ==, strlen(text));
}

static void assert_received(int fd, const char *expected)
{
    char buf[64] = "";

    g_assert_cmpint(recv(fd, buf, sizeof(buf) - 1, 0), ==, strlen(expected));
    g_assert_cmpstr(buf, ==, expected);
}

/* --- server --------------------------------------------------------------- */

static void test_server_talks_to_its_client(void)
{
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server,nowait");
    g_assert_true(g_str_has_prefix(fe.be.chr->filename, "disconnected:unix:"));
    write_str(&fe.be, "to nobody");
    g_assert_cmpuint(qemu_chr_fe_add_watch(&fe.be, G_IO_OUT, NULL, NULL), ==,
                     0);
    fd = dial();
    run_until(fe.events, "O");
    g_assert_true(qemu_chr_fe_backend_open(&fe.be));
    g_assert_cmpint(send(fd, "hello", 5, 0), ==, 5);
    run_until(fe.input, "hello");
    write_str(&fe.be, "answer");
    assert_received(fd, "answer");
    close(fd);
    run_until(fe.events, "OC");
    fe_close(&fe);
}

static void test_server_serves_one_after_the_other(void)
{
    int first, second;
    Fe fe;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    first = dial();
    run_until(fe.events, "O");
    second = dial();
    g_assert_cmpint(send(second, "2", 1, 0), ==, 1);
    run_all();
    g_assert_cmpstr(fe.events->str, ==, "O");
    g_assert_cmpint(send(first, "1", 1, 0), ==, 1);
    run_until(fe.input, "1");
    close(first);
    run_until(fe.events, "OCO");
    run_until(fe.input, "12");
    close(second);
    run_until(fe.events, "OCOC");
    fe_close(&fe);
}

static void test_input_waits_until_there_is_room(void)
{
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fe.room = 0;
    fd = dial();
    g_assert_cmpint(send(fd, "abc", 3, 0), ==, 3);
    close(fd);
    run_until(fe.events, "O");
    run_all();
    g_assert_cmpstr(fe.input->str, ==, "");
    fe.room = 2;
    qemu_chr_fe_accept_input(&fe.be);
    run_until(fe.input, "ab");
    run_all();
    g_assert_cmpstr(fe.events->str, ==, "O");
    fe.room = 2;
    run_until(fe.events, "OC");
    g_assert_cmpstr(fe.input->str, ==, "abc");
    fe_close(&fe);
}

static void test_last_words_of_a_peer_are_read(void)
{
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fd = dial();
    run_until(fe.events, "O");
    g_assert_cmpint(send(fd, "quit", 4, 0), ==, 4);
    close(fd);
    write_str(&fe.be, "nobody reads this");
    run_until(fe.events, "OC");
    g_assert_cmpstr(fe.input->str, ==, "quit");
    fe_close(&fe);
}

static void test_dead_peer_is_found_by_writing(void)
{
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fe.room = 0;
    fd = dial();
    run_until(fe.events, "O");
    close(fd);
    write_str(&fe.be, "x");
    run_until(fe.events, "OC");
    fe_close(&fe);
}

static void test_front_end_can_hang_up(void)
{
    char byte;
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fd = dial();
    run_until(fe.events, "O");
    qemu_chr_fe_disconnect(&fe.be);
    qemu_chr_fe_disconnect(&fe.be);
    g_assert_cmpstr(fe.events->str, ==, "OC");
    g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 0);
    close(fd);
    fd = dial();
    run_until(fe.events, "OCO");
    close(fd);
    fe_close(&fe);
}

/* --- watches -------------------------------------------------------------- */

static gboolean note_condition(void *do_not_use, GIOCondition cond, void *data)
{
    *(GIOCondition *)data |= cond;
    return G_SOURCE_REMOVE;
}

/* Writes until the peer, which does not read, takes no more. */
static void fill(Fe *fe)
{
    static const uint8_t data[4096];
    int n;

    do {
        n = qemu_chr_fe_write(&fe->be, data, sizeof(data));
    } while (n > 0);
    g_assert_cmpint(errno, ==, EAGAIN);
}

static void test_watch_waits_for_room(void)
{
    g_autofree char *buf = g_malloc(MiB);
    GIOCondition seen = 0;
    Fe fe;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fd = dial();
    run_until(fe.events, "O");
    fill(&fe);
    g_assert_cmpuint(qemu_chr_fe_add_watch(&fe.be, G_IO_OUT | G_IO_HUP,
                                           note_condition, &seen), !=, 0);
    run_all();
    g_assert_cmpint(seen, ==, 0);
    g_assert_cmpint(recv(fd, buf, MiB, 0), >, 0);
    while (recv(fd, buf, MiB, MSG_DONTWAIT) > 0) {
        continue;
    }
    run_all();
    g_assert_cmpint(seen & G_IO_OUT, !=, 0);
    close(fd);
    fe_close(&fe);
}

static void test_watch_is_told_of_a_hang_up(void)
{
    GIOCondition seen = 0, removed = 0;
    Fe fe;
    guint tag;
    int fd;

    fe_open(&fe, "unix:%s,server=on,wait=off");
    fd = dial();
    run_until(fe.events, "O");
    fill(&fe);
    qemu_chr_fe_add_watch(&fe.be, G_IO_OUT | G_IO_HUP, note_condition, &seen);
    tag = qemu_chr_fe_add_watch(&fe.be, G_IO_OUT, note_condition, &removed);
    g_assert_true(g_source_remove(tag));
    qemu_chr_fe_disconnect(&fe.be);
    g_assert_cmpint(seen, ==, 0);
    run_all();
    g_assert_cmpint(seen, ==, G_IO_HUP);
    g_assert_cmpint(removed, ==, 0);
    close(fd);
    fe_close(&fe);
}

/* --- socket files --------------------------------------------------------- */

static void test_live_server_is_not_replaced(void)
{
    g_autofree char *text = g_strdup_printf("unix:%s,server=on,wait=off",
                                            socket_path);
    Error *err = NULL;
    int fd = serve();

    g_assert_null(qemu_chr_parse_compat("c", text, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "in use by a running "
                                                   "server"));
    error_free(err);
    g_assert_true(g_file_test(socket_path, G_FILE_TEST_EXISTS));
    close(fd);
    unlink(socket_path);
}

static void test_stale_socket_is_replaced(void)
{
    Fe fe;

    close(serve());
    g_assert_true(g_file_test(socket_path, G_FILE_TEST_EXISTS));
    fe_open(&fe, "unix:%s,server=on,wait=off");
    close(dial());
    run_until(fe.events, "OC");
    fe_close(&fe);
}

static void test_other_files_are_not_touched(void)
{
    g_autofree char *text = g_strdup_printf("unix:%s,server=on,wait=off",
                                            socket_path);
    g_autofree char *contents = NULL;
    int fd;

    g_file_set_contents(socket_path, "data", -1, NULL);
    g_assert_null(qemu_chr_parse_compat("c", text, NULL));
    g_assert_true(g_file_get_contents(socket_path, &contents, NULL, NULL));
    g_assert_cmpstr(contents, ==, "data");
    unlink(socket_path);

    /* A socket that took the name over is not ours either. */
    g_assert_nonnull(qemu_chr_parse_compat("c", text, &error_abort));
    unlink(socket_path);
    fd = serve();
    qemu_chr_cleanup();
    g_assert_true(g_file_test(socket_path, G_FILE_TEST_EXISTS));
    close(fd);
    unlink(socket_path);
}

static void test_long_path_is_refused(void)
{
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *text = g_strdup_printf("unix:/%s,server=on", name);
    Error *err = NULL;

    g_assert_null(qemu_chr_parse_compat("c", text, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "is too long"));
    error_free(err);
}

/* --- clients -------------------------------------------------------------- */

static void test_client_must_find_its_server(void)
{
    g_autofree char *text = g_strdup_printf("unix:%s", socket_path);
    g_autofree char *expected = g_strdup_printf("Failed to connect to '%s': "
                                                "No such file or directory",
                                                socket_path);
    Error *err = NULL;

    g_assert_null(qemu_chr_parse_compat("c", text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, expected);
    error_free(err);
}

static void test_client_connects_and_ends(void)
{
    int server = serve(), fd;
    Fe fe;

    fe_open(&fe, "unix:%s");
    g_assert_cmpstr(fe.events->str, ==, "O");
    fd = accept(server, NULL, NULL);
    write_str(&fe.be, "hi");
    assert_received(fd, "hi");
    close(fd);
    run_until(fe.events, "OC");
    close(server);
    unlink(socket_path);
    fe_close(&fe);
}

static void check_client_reconnects(const char *form)
{
    int server, fd;
    Fe fe;

    fe_open(&fe, form);
    g_assert_cmpstr(fe.events->str, ==, "");
    server = serve();
    run_until(fe.events, "O");
    fd = accept(server, NULL, NULL);
    close(fd);
    run_until(fe.events, "OC");
    run_until(fe.events, "OCO");
    close(server);
    unlink(socket_path);
    fe_close(&fe);
}

static void test_client_reconnects(void)
{
    check_client_reconnects("unix:%s,reconnect=1");
    check_client_reconnects("unix:%s,reconnect-ms=20");
}

static gpointer dial_later(gpointer data)
{
    g_usleep(50000);
    return GINT_TO_POINTER(dial());
}

static void test_server_waits_if_asked_to(void)
{
    GThread *thread;
    Fe fe;

    if (g_test_subprocess()) {
        thread = g_thread_new("t", dial_later, NULL);
        fe_open(&fe, "unix:%s,server=on");
        g_assert_cmpstr(fe.events->str, ==, "O");
        close(GPOINTER_TO_INT(g_thread_join(thread)));
        fe_close(&fe);
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*info: QEMU waiting for connection on: "
                              "disconnected:unix:*,server=on*");
}

/* --- TCP ------------------------------------------------------------------ */

/* A port that nobody listens on. */
static char *free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&a, &len), ==, 0);
    close(fd);
    return g_strdup_printf("%d", ntohs(a.sin_port));
}

static void test_tcp_client_and_server_meet(void)
{
    g_autofree char *port = free_port();
    g_autofree char *server = g_strdup_printf("tcp:127.0.0.1:%s,server=on,"
                                              "wait=off,nodelay", port);
    g_autofree char *client = g_strdup_printf("socket,id=d,host=127.0.0.1,"
                                              "port=%s,reconnect=1", port);
    Fe fe;

    fe_open(&fe, server);
    g_assert_nonnull(qemu_chr_new_from_text(client, &error_abort));
    run_until(fe.events, "O");
    object_unparent(OBJECT(qemu_chr_find("d")));
    run_until(fe.events, "OC");
    fe_close(&fe);
}

static void test_unknown_host_is_told(void)
{
    Error *err = NULL;

    g_assert_null(qemu_chr_parse_compat("c", "tcp:127.0.0.1:no-such-port",
                                        &err));
    g_assert_true(g_str_has_prefix(error_get_pretty(err), "address resolution "
                                   "failed for 127.0.0.1:no-such-port: "));
    error_free(err);
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/char-socket/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    tmp_dir = g_dir_make_tmp("test-char-XXXXXX", NULL);
    socket_path = g_build_filename(tmp_dir, "sock", NULL);
    add_test("server-talks-to-its-client", test_server_talks_to_its_client);
    add_test("server-serves-one-after-the-other",
             test_server_serves_one_after_the_other);
    add_test("input-waits-until-there-is-room",
             test_input_waits_until_there_is_room);
    add_test("last-words-of-a-peer-are-read",
             test_last_words_of_a_peer_are_read);
    add_test("dead-peer-is-found-by-writing",
             test_dead_peer_is_found_by_writing);
    add_test("front-end-can-hang-up", test_front_end_can_hang_up);
    add_test("watch-waits-for-room", test_watch_waits_for_room);
    add_test("watch-is-told-of-a-hang-up", test_watch_is_told_of_a_hang_up);
    add_test("live-server-is-not-replaced", test_live_server_is_not_replaced);
    add_test("stale-socket-is-replaced", test_stale_socket_is_replaced);
    add_test("other-files-are-not-touched", test_other_files_are_not_touched);
    add_test("long-path-is-refused", test_long_path_is_refused);
    add_test("client-must-find-its-server", test_client_must_find_its_server);
    add_test("client-connects-and-ends", test_client_connects_and_ends);
    add_test("client-reconnects", test_client_reconnects);
    add_test("server-waits-if-asked-to", test_server_waits_if_asked_to);
    add_test("tcp-client-and-server-meet", test_tcp_client_and_server_meet);
    add_test("unknown-host-is-told", test_unknown_host_is_told);
    ret = g_test_run();
    g_rmdir(tmp_dir);
    g_free(tmp_dir);
    g_free(socket_path);
    return ret;
}
