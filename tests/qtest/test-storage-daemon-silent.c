/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator ends while its storage daemon does not answer: somebody has stopped
 * it, or it waits for a server that says nothing. Nobody waits for the daemon's
 * time-out then, and no daemon is left.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qcow2.h"
#include "storage-daemon.h"

#define SILENT_NODE "'driver': 'nbd', 'node-name': 'n', 'server': "             \
    "{'type': 'unix', 'path': '%s'}"

typedef struct Fixture {
    char *path;                           /* of an image */
    char *dir;
    char *monitor;                        /* a second one */
    char *server;                         /* its socket */
    int listen_fd;
    QTestState *qts;
    pid_t daemon;
} Fixture;

/* A server that can be connected to, and says nothing. */
static void listen_in_silence(Fixture *f)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_strlcpy(addr.sun_path, f->server, sizeof(addr.sun_path));
    f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(f->listen_fd);
    g_assert_no_errno(bind(f->listen_fd, (void *)&addr, sizeof(addr)));
    g_assert_no_errno(listen(f->listen_fd, 1));
}

static void begin(Fixture *f)
{
    *f = (Fixture) { .path = qcow2_make() };
    f->dir = g_dir_make_tmp("silent-XXXXXX", NULL);
    f->monitor = g_build_filename(f->dir, "qmp", NULL);
    f->server = g_build_filename(f->dir, "nbd", NULL);
    listen_in_silence(f);
}

static void start(Fixture *f)
{
    begin(f);
    f->qts = qtest_init("-M q35 -m 256M -drive file=%s,format=qcow2,id=q "
                        "-qmp unix:%s,server=on,wait=off", f->path, f->monitor);
    f->daemon = qprocess_child(qtest_pid(f->qts));
    g_assert_cmpint(f->daemon, >, 0);
}

/* No daemon is left, nor its lock of the image. */
static void finish(Fixture *f)
{
    qprocess_wait_end(f->daemon);
    qtest_quit(qtest_init("-M q35 -drive file=%s,format=qcow2", f->path));
    close(f->listen_fd);
    unlink(f->server);
    unlink(f->monitor);
    g_assert_no_errno(rmdir(f->dir));
    g_free(f->server);
    g_free(f->monitor);
    g_free(f->dir);
    qcow2_remove(f->path);
}

/* It is in the midst of opening a disk of the server. */
static void have_it_hang(Fixture *f)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int fd;

    g_string_printf(text, "{'execute': 'blockdev-add', 'arguments': {"
                    SILENT_NODE "}}", f->server);
    qmp_client_send(qtest_qmp(f->qts), text->str);
    fd = accept(f->listen_fd, NULL, NULL);
    g_assert_no_errno(fd);
    /* Open until the emulator ends, and the test with it. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void expect_that_nobody_waited(Fixture *f)
{
    qmp_assert_error(qmp_client_reply(qtest_qmp(f->qts)), "GenericError",
                     "has not answered, and the program ends");
}

/* --- tests --- */

static void test_one_that_was_stopped_goes_on_and_ends(void)
{
    Fixture f;

    start(&f);
    g_assert_no_errno(kill(f.daemon, SIGSTOP));
    qtest_quit(f.qts);
    finish(&f);
}

static void test_sigterm_while_it_hangs(void)
{
    Fixture f;

    start(&f);
    have_it_hang(&f);
    g_assert_no_errno(kill(qtest_pid(f.qts), SIGTERM));
    expect_that_nobody_waited(&f);
    g_assert_cmpint(qtest_wait_exit(f.qts), ==, 0);
    finish(&f);
}

static void test_quit_while_it_hangs(void)
{
    QmpClient *other;
    Fixture f;

    start(&f);
    other = qmp_client_connect(f.monitor);
    qmp_client_handshake(other);
    have_it_hang(&f);
    g_assert_no_errno(kill(f.daemon, SIGSTOP));
    json_node_unref(qmp_client_do(other, "{'execute': 'quit'}"));
    expect_that_nobody_waited(&f);
    g_assert_cmpint(qtest_wait_exit(f.qts), ==, 0);
    qmp_client_free(other);
    finish(&f);
}

/* Before there is a main loop that would hear of the signal. */
static void test_sigterm_while_it_hangs_at_the_start(void)
{
    Fixture f;
    g_autofree char *blockdev = NULL, *drive = NULL;
    g_autoptr(GError) err = NULL;
    GPid pid;
    int fd, status;

    begin(&f);
    drive = g_strdup_printf("file=%s,format=qcow2", f.path);
    blockdev = g_strdup_printf("driver=nbd,node-name=n,server.type=unix,"
                               "server.path=%s", f.server);
    char *argv[] = {
        (char *)g_getenv("QTEST_QEMU_BINARY"), "-accel", "qtest", "-display",
        "none", "-nodefaults", "-drive", drive, "-blockdev", blockdev, NULL
    };

    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                  &err);
    g_assert_no_error(err);
    fd = accept(f.listen_fd, NULL, NULL);
    g_assert_no_errno(fd);
    f.daemon = qprocess_child(pid);
    g_assert_cmpint(f.daemon, >, 0);
    g_assert_no_errno(kill(pid, SIGTERM));
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    close(fd);
    finish(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    g_test_add_func("/storage-daemon-silent/stopped",
                    test_one_that_was_stopped_goes_on_and_ends);
    g_test_add_func("/storage-daemon-silent/sigterm",
                    test_sigterm_while_it_hangs);
    g_test_add_func("/storage-daemon-silent/quit", test_quit_while_it_hangs);
    g_test_add_func("/storage-daemon-silent/start",
                    test_sigterm_while_it_hangs_at_the_start);
    return g_test_run();
}
