/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage daemon as a child of the emulator: when it comes and goes, what is
 * refused before it starts, and daemons that are none.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli.h"
#include "qcow2.h"
#include "storage-daemon.h"

#define ERR "GenericError"
#define ADD_NULL "'driver': 'null-co', 'node-name': 'n', 'size': 1048576, "  \
    "'read-zeroes': true"

/* --- looking --- */

/* @args has one %s, for the image. */
static QTestState *start(const char *path, const char *args)
{
    g_autofree char *all = g_strconcat("-M q35 -m 256M ", args, NULL);
    g_auto(GStrv) parts = g_strsplit(all, "%s", 2);

    return qtest_init("%s%s%s", parts[0], path, parts[1]);
}

static void do_qmp(QTestState *s, const char *fmt, const char *arg)
{
    json_node_unref(qmp_client_do(qtest_qmp(s), fmt, arg));
}

/* Whether the list that @query returns has @part in its text. */
static bool says(QTestState *s, const char *query, const char *part)
{
    g_autoptr(JsonNode) node = qmp_client_do(qtest_qmp(s), "{'execute': '%s'}",
                                             query);
    g_autofree char *text = json_to_string(node, FALSE);

    return strstr(text, part);
}

static pid_t daemon_of(QTestState *s)
{
    return qprocess_child(qtest_pid(s));
}

/* --- the daemon's life --- */

/* It has let go of the image. */
static void assert_image_is_free(const char *path)
{
    qtest_quit(start(path, "-drive file=%s,format=qcow2,id=q"));
}

static void test_it_ends_with_the_emulator(void)
{
    char *path = qcow2_make();
    QTestState *qts;
    pid_t daemon;

    qts = start(path, "-drive file=%s,format=qcow2,id=q");
    daemon = daemon_of(qts);
    g_assert_cmpint(daemon, >, 0);
    qtest_quit(qts);
    assert_image_is_free(path);
    qprocess_wait_end(daemon);
    qcow2_remove(path);
}

static void test_it_ends_when_the_emulator_is_killed(void)
{
    char *path = qcow2_make();
    g_autofree char *drive = g_strdup_printf("file=%s,format=qcow2", path);
    char *argv[] = {
        (char *)g_getenv("QTEST_QEMU_BINARY"), "-accel", "qtest", "-display",
        "none", "-nodefaults", "-drive", drive, NULL
    };
    gint64 deadline = qtest_deadline();
    g_autoptr(GError) err = NULL;
    pid_t daemon = 0;
    unsigned round = 0;
    GPid pid;

    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                  &err);
    g_assert_no_error(err);
    while (!daemon) {
        g_assert_true(qtest_wait_more(deadline, &round));
        daemon = qprocess_child(pid);
    }
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    qprocess_wait_end(daemon);
    assert_image_is_free(path);
    qcow2_remove(path);
}

static void test_the_emulator_outlives_it(void)
{
    char *path = qcow2_make();
    g_autofree char *messages = qtest_begin_messages();
    QTestState *qts;

    qts = start(path, "-device pcie-root-port,id=rp,chassis=1 "
                "-drive if=none,file=%s,format=qcow2,id=q "
                "-device virtio-blk-pci,drive=q,id=d,bus=rp");
    kill(daemon_of(qts), SIGKILL);
    qtest_wait_message(messages, "qemu-storage-daemon has gone");
    qtest_wait_message(messages, "drive 'q': the back end has gone");
    g_assert_true(says(qts, "query-block", "\"device\":\"q\""));
    g_assert_false(says(qts, "query-block", "inserted"));
    do_qmp(qts, "{'execute': 'human-monitor-command', 'arguments': "
           "{'command-line': '%s'}}", "info block");
    do_qmp(qts, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", "d");
    do_qmp(qts, "{'execute': 'system_reset'}%s", "");
    json_object_unref(qmp_client_event(qtest_qmp(qts), "DEVICE_DELETED"));
    qtest_quit(qts);
    qtest_end_messages();
    qcow2_remove(path);
}

/* In the background: who started it sees the end of its output. */
static void test_output_ends_with_the_emulator(void)
{
    char *path = qcow2_make();
    g_autofree char *pid_file = g_strconcat(path, ".pid", NULL);
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-daemonize -pidfile %s -drive file=%s,format=qcow2",
        pid_file, path);
    g_autofree char *pid = NULL;

    cli_expect_end(cli_run_with_pipe(args));
    g_assert_true(g_file_get_contents(pid_file, &pid, NULL, NULL));
    kill(atoi(pid), SIGTERM);
    qprocess_wait_end(atoi(pid));
    assert_image_is_free(path);
    qcow2_remove(path);
}

static void test_it_is_not_needed_for_raw(void)
{
    char *path = qcow2_make();
    QTestState *qts;

    qts = start(path, "-drive file=%s,format=raw,id=q");
    g_assert_cmpint(daemon_of(qts), ==, 0);
    if (!QTEST_SANITIZED) {
        qmp_client_expect_error(
            qtest_qmp(qts), ERR, "spawn=deny",
            "{'execute': 'blockdev-add', 'arguments': {" ADD_NULL "}}");
    }
    qtest_quit(qts);

    qts = start(path, "-sandbox off -drive file=%s,format=raw,id=q");
    do_qmp(qts, "{'execute': 'blockdev-add', 'arguments': {%s}}", ADD_NULL);
    g_assert_cmpint(daemon_of(qts), >, 0);
    qtest_quit(qts);
    qcow2_remove(path);
}

/* --- what is refused --- */

#define QCOW2 "-drive if=none,id=x,file=image,format=qcow2 "

static const CliBadCase bad[] = {
    { QTEST_ARGS "-drive file=none,format=qcow2", "-drive|none|No such file" },
    { QTEST_ARGS "-drive file=image,format=qcow2,driver=raw",
      "-drive|are the same" },
    { QTEST_ARGS "-drive file.driver=file,file.filename=image",
      "-drive|is a qcow2 image" },
    { QTEST_ARGS "-drive file=image,format=qcow3", "-drive|qcow3" },
    { QTEST_ARGS "-drive file=image,format=vmdk", "-drive|image" },
    { QTEST_ARGS "-blockdev driver=qcow2,node-name=q,file=f",
      "-blockdev|Cannot find" },
    { QTEST_ARGS "-drive file=image,format=luks,key-secret=none",
      "-drive|No secret with id 'none'" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,werror=stop",
      "-device|werror=stop|report only" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,rerror=ignore",
      "-device|rerror=ignore|report only" },
    { QTEST_ARGS "-drive if=none,id=x,file=image,format=qcow2,werror=stop "
      "-device virtio-blk-pci,drive=x", "-device|werror=stop|report only" },
    { QTEST_ARGS "-drive if=none,id=x,file=image,format=qcow2,rerror=stop "
      "-device virtio-blk-pci,drive=x", "-device|rerror=stop|report only" },
    { QTEST_ARGS "-drive file=image,format=qcow2,bps=1000,bps_rd=1",
      "-drive|bps-total and bps-read exclude each other" },
    { QTEST_ARGS "-drive file=image,format=qcow2,iops_max=1000",
      "-drive|iops-total-max=1000: a burst needs iops-total" },
    { QTEST_ARGS "-drive file=image,format=qcow2,iops=1,throttling.iops-total=2",
      "-drive|are the same" },
    { QTEST_ARGS "-drive file=image,format=qcow2,throttling.speed=1",
      "-drive|'speed'" },
    { QTEST_ARGS "-drive file=nbd+unix:///e?socket=/nowhere,format=raw",
      "-drive|Failed to connect to '/nowhere'" },
    { QTEST_ARGS "-drive file=nbd+tcp://127.0.0.1:1/e,format=raw",
      "-drive|Failed to connect to '127.0.0.1:1'" },
    { QTEST_ARGS "-drive file=nbd+unix:///e,format=raw", "-drive|socket=PATH" },
    { QTEST_ARGS "-drive file=rbd:pool/image,format=raw",
      "-drive|./rbd:pool/image means a file" },
    { QTEST_ARGS "-drive file=nvme://0000:01:00.0/1,iops=1",
      "-drive|cannot be held back" },
    { QTEST_ARGS "-blockdev driver=throttle,node-name=t,throttle-group=no,"
      "file.driver=null-co", "-blockdev|No throttle-group with id 'no'" },
    { QTEST_ARGS "-blockdev driver=nbd,node-name=t,server.type=unix,server.path=x,"
      "tls-creds=no", "-blockdev|No tls-creds with id 'no'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,copy-on-read=on",
      "-drive|'copy-on-read'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,snapshot=on",
      "-drive|'snapshot'" },
    { QTEST_ARGS "-drive file=image,format=qcow2,locking=off",
      "-drive|'locking'" },
    { QTEST_ARGS QCOW2 "-device virtio-blk-pci,drive=x,packed=on",
      "-device|packed=on" },
    { QTEST_ARGS "-m 64M -object memory-backend-ram,id=m,size=64M,share=off "
      "-machine memory-backend=m " QCOW2 "-device virtio-blk-pci,drive=x",
      "-device|'m' cannot be shared|share=on" },
};

static void test_bad_command_lines(void)
{
    char *image = qcow2_make();
    g_autofree char *text = NULL;
    g_autofree char *path = NULL;
    g_autofree char *dots = NULL;
    g_autofree char *deep = NULL;
    gsize len;

    cli_begin();
    path = g_build_filename(cli_dir, "image", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_true(g_file_get_contents(image, &text, &len, NULL));
        g_assert_true(g_file_set_contents(path, text, len, NULL));
        g_clear_pointer(&text, g_free);
        cli_check_refused(bad[i].args, bad[i].parts);
        g_unlink(path);
        cli_assert_dir_empty(bad[i].args);
    }
    dots = g_strnfill(100, '.');
    deep = g_strdup_printf(QTEST_ARGS "-blockdev driver=qcow2,a%sb=1", dots);
    cli_check_refused(deep, "-blockdev|has more than 100 levels");
    cli_check_refused_by("env PATH=/nonexistent", QTEST_ARGS
                         "-drive file=x,format=qcow2",
                         "not installed|qemu-system-common");
    cli_end();
    qcow2_remove(image);
}

/* --- daemons that lie --- */

/* What they do once "s" is their end of QMP. */
static const struct { const char *does, *message; } liars[] = {
    { "pass", "it has ended" },
    { "s.send(b'hello\\n')", "no QMP" },
    { "s.send(b'[1]\\n')", "no QMP" },
    { "s.send(b'{}\\n'); s.recv(99)", "has ended" },
    { "s.sendall(b'[' * 1000000 + b'\\n')", "no QMP" },
    { "s.send(b'{}\\n{\"error\": {\"desc\": \"no way\"}}\\n'); s.recv(99)",
      "no way" },
    { "s.send(b'{}\\n{\"error\": 7}\\n'); s.recv(99)", "without a result" },
    { "s.send(b'{}\\n')\n"
      "while s.recv(9999): s.send(b'{\"event\": 1}\\n{\"return\": {}}\\n')",
      "does not know its node" },
    { "s.send(b'{}\\n')\n"
      "while s.recv(9999): s.send(b'{\"return\": [[], {}, {\"node-name\": 3}]}"
      "\\n')", "does not know its node" },
    { "s.send(b'{}\\n')\n"
      "while b'named' not in s.recv(9999): s.send(b'{\"return\": {}}\\n')",
      "has gone" },
};

static void test_daemon_that_lies(void)
{
    g_autofree char *program = NULL;
    g_autofree char *wrapper = NULL;

    cli_begin();
    program = g_build_filename(cli_dir, "qemu-storage-daemon", NULL);
    wrapper = g_strdup_printf("env PATH=%s:%s", cli_dir, g_getenv("PATH"));
    for (size_t i = 0; i < G_N_ELEMENTS(liars); i++) {
        g_autofree char *text = g_strdup_printf(
            "#!/usr/bin/env python3\n"
            "import socket, sys\n"
            "s = socket.socket(fileno=int(sys.argv[2].split('fd=')[1]))\n"
            "%s\n", liars[i].does);

        g_assert_true(g_file_set_contents(program, text, -1, NULL));
        g_assert_no_errno(g_chmod(program, 0755));
        cli_check_refused_by(wrapper, QTEST_ARGS "-drive file=x,format=qcow2",
                             liars[i].message);
    }
    g_unlink(program);
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    g_test_add_func("/storage-daemon-child/quit",
                    test_it_ends_with_the_emulator);
    g_test_add_func("/storage-daemon-child/kill",
                    test_it_ends_when_the_emulator_is_killed);
    g_test_add_func("/storage-daemon-child/gone", test_the_emulator_outlives_it);
    g_test_add_func("/storage-daemon-child/background",
                    test_output_ends_with_the_emulator);
    g_test_add_func("/storage-daemon-child/late", test_it_is_not_needed_for_raw);
    g_test_add_func("/storage-daemon-child/bad", test_bad_command_lines);
    g_test_add_func("/storage-daemon-child/lies", test_daemon_that_lies);
    return g_test_run();
}
