/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line from outside: runs the program named by SPARSEVM and looks
 * at its exit status and what it says. Each run ends within seconds: it is
 * refused, prints help, or is told to end.
 */
#include "qemu/osdep.h"
#include <signal.h>
#include <sys/wait.h>

#include "tests/patience.h"


static const char *program;

typedef struct Run {
    int status;                           /* of exit(); -1: a signal */
    char *out;
    char *err;
} Run;

static void run_clear(Run *r)
{
    g_free(r->out);
    g_free(r->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* The program's argv for @args, words separated by blanks. */
static char **make_argv(const char *args)
{
    g_autofree char *line = g_strdup_printf("%s %s", program, args);

    return g_strsplit(line, " ", -1);
}

static Run run(const char *args)
{
    g_auto(GStrv) argv = make_argv(args);
    GError *err = NULL;
    int status;
    Run r;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &r.out, &r.err,
                 &status, &err);
    g_assert_no_error(err);
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return r;
}

/* --- what is refused: status 1 and one line --- */

#define QTEST "-accel qtest -nodefaults "

typedef struct RefusalCase {
    const char *args;
    const char *says;
} RefusalCase;

static const RefusalCase refusal_cases[] = {
    { "-foo", "sparsevm: -foo: invalid option\n" },
    { "--foo", "sparsevm: --foo: invalid option\n" },
    { "disk.img", "disk.img: not an option" },
    { "-m", "sparsevm: -m: requires an argument\n" },
    { "-iscsi x", "-iscsi: not supported: sparsevm has no disks" },
    { "-display gtk", "-display gtk: not supported" },
    { "-rtc base=localtime", "-rtc base=localtime" },
    { "-overcommit cpu-pm=on", "-overcommit cpu-pm=on: cpu-pm=on: not supp" },
    { "-overcommit mem-lock=yes", "mem-lock=yes: on or off is expected" },
    { "-overcommit lock=on", "Invalid parameter 'lock'" },
    { "-action reboot=never", "reboot=never: not supported" },
    { "-action fire=water", "Invalid parameter 'fire'" },
    { "-msg colour=on", "Invalid parameter 'colour'" },
    { "-msg timestamp=now", "Parameter 'timestamp' expects 'on' or 'off'" },
    { "-audiodev alsa,id=a", "driver=alsa: not supported" },
    { "-audiodev {\"id\":\"a\",\"driver\":\"alsa\"}", "driver=alsa" },
    { "-smp 2,dies=2", "dies=2: not supported; possible: 1" },
    { "-M acpi=off", "acpi=off: not supported" },
    { "-M mem_merge=maybe", "Parameter 'mem-merge' expects 'on' or 'off'" },
    { "-global driver=x,value=1", "driver=, property= and value= are" },
    { "-object secret,id=s", "a secret has either data= or file=" },
    { "-object secret,id=s,file=/nowhere/key",
      "the secret cannot be read: file=/nowhere/key: cannot be opened: No such "
      "file" },
    { "-object secret,id=s,file=/dev/zero", "it is not a regular file" },
    { "-M isapc", "unsupported machine type 'isapc'" },
    { "-M q35,usb=on", "usb=on: not supported" },
    { "-M q35,foo=1", "Property 'pc-q35-7.2-machine.foo' not found" },
    { "-M kernel-irqchip=off", "kernel-irqchip=off" },
    { "-M accel=kvm -accel qtest", "incompatible" },
    { "-accel tcg", "-accel tcg: invalid accelerator 'tcg'" },
    { "-m 4G,maxmem=2G", "-m 4G,maxmem=2G: invalid value of maxmem" },
    { "-m 1G -m maxmem=2M", "-m 1G -m maxmem=2M: invalid value of maxmem" },
    { "-m 1G,slots=2", "'slots' was given without 'maxmem'" },
    { "-smp 3,cores=2", "-smp 3,cores=2: Invalid CPU topology" },
    { "-smp 100000", "invalid value of cpus" },
    { "-cpu pentium", "-cpu pentium: " },
    { "-uuid 1234", "-uuid 1234: " },
    { "-name x,foo=y", "Invalid parameter 'foo'" },
    { "-append x", "-append only allowed with -kernel option" },
    { "-initrd x", "-initrd only allowed with -kernel option" },
    { "-object foo,id=x", "-object foo,id=x: " },
    { "-object memory-backend-ram,id=x", "-object memory-backend-ram,id=x: " },
    { "-chardev foo,id=x -accel qtest", "-chardev foo,id=x: " },
    { "-set device.x", "-set device.x: OPTION.ID.KEY=VALUE is expected" },
    { "-set device.x.y=1", "there is no device \"x\" defined before it" },
    { "-set fire.x.y=1", "there is no fire \"x\" defined before it" },
    { "-set device.x.y=1 -device pcie-root-port,id=x", "defined before it" },
    { "-device {\"driver\":\"pcie-root-port\",\"id\":\"x\"} "
      "-set device.x.y=1", "device \"x\" is JSON" },
    { "-device pcie-root-port,id=x,chassis=1 -set device.x.warp=1",
      "Property 'pcie-root-port.warp' not found" },
    { "-global x", "-global x: DRIVER.PROPERTY=VALUE is expected" },
    { QTEST "-numa node,nodeid=1", "Node ID missing: 0" },
    { QTEST "-numa cpu,node-id=1", "Invalid node-id=1: -numa node,nodeid=1" },
    { QTEST "-numa wheel", "type=wheel: one of node, dist, cpu, hmat-lb" },
    { QTEST "-machine hmat=maybe", "hmat" },
    { QTEST "-device foo", "-device foo: 'foo' is not a valid device model" },
    { QTEST "-device virtio-mem-pci,foo=1",
      "-device virtio-mem-pci,foo=1: Property 'virtio-mem-pci.foo' not found" },
    { QTEST "-object memory-backend-ram,id=m,size=1G "
      "-device virtio-mem-pci,memdev=m", "please specify the maxmem option" },
    { QTEST "-device {\"driver\":1", "JSON parse error" },
    { QTEST "-device {\"driver\":1}//", "JSON parse error: stray '/'" },
    { QTEST "-pidfile /nowhere/pid", "cannot create PID file /nowhere/pid" },
    { QTEST "-M memory-backend=nobody", "Memory backend 'nobody' not found" },
    { "-device foo,help", "'foo' is not a valid device model name" },
};

static void test_refused(gconstpointer data)
{
    const RefusalCase *c = data;
    g_auto(Run) r = run(c->args);

    g_assert_cmpint(r.status, ==, 1);
    g_assert_cmpstr(r.out, ==, "");
    if (!strstr(r.err, c->says) || !g_str_has_prefix(r.err, "sparsevm: ") ||
        strchr(r.err, '\n') != r.err + strlen(r.err) - 1) {
        g_test_message("%s", r.err);
        g_test_fail();
    }
}

/* --- help: status 0, on standard output --- */

static const RefusalCase help_cases[] = {
    { "-help", "usage: sparsevm" },
    { "-h", "Device and memory options" },
    { "-version", "sparsevm version" },
    { "-M help", "q35" },
    { "-machine q35,help", "memory-backend=<" },
    { "-accel help", "qtest" },
    { "-cpu help", "host" },
    { "-device help", "name \"virtio-mem-pci\", bus PCI" },
    { "-device virtio-mem-pci,help", "requested-size=<size>" },
    { "-object help", "memory-backend-memfd" },
    { "-object memory-backend-file,help", "mem-path=<" },
    { "-chardev help", "socket" },
};

static void test_help(gconstpointer data)
{
    const RefusalCase *c = data;
    g_auto(Run) r = run(c->args);

    g_assert_cmpint(r.status, ==, 0);
    g_assert_cmpstr(r.err, ==, "");
    g_assert_nonnull(strstr(r.out, c->says));
}

/* --- a run that is told to end --- */

static GPid start(const char *args)
{
    g_auto(GStrv) argv = make_argv(args);
    GError *err = NULL;
    GPid pid;

    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                  NULL, &pid, &err);
    g_assert_no_error(err);
    return pid;
}

static bool appears(const char *path)
{
    gint64 deadline = patience_deadline();
    unsigned round = 0;

    do {
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL) && *text) {
            return true;
        }
    } while (patience_more(deadline, &round));
    return false;
}

static bool socket_appears(const char *path)
{
    gint64 deadline = patience_deadline();
    unsigned round = 0;

    while (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!patience_more(deadline, &round)) {
            return false;
        }
    }
    return true;
}

static int end(GPid pid, int signal)
{
    int status;

    kill(pid, signal);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

typedef struct Place {
    char *dir;
    char *pidfile;
    char *socket;
    char *args;
} Place;

static void set_up(Place *p, gconstpointer data)
{
    p->dir = g_dir_make_tmp("sparsevm-XXXXXX", NULL);
    p->pidfile = g_build_filename(p->dir, "pid", NULL);
    p->socket = g_build_filename(p->dir, "qmp", NULL);
    p->args = g_strdup_printf(QTEST "-pidfile %s -qmp "
                              "unix:%s,server=on,wait=off", p->pidfile,
                              p->socket);
}

static void tear_down(Place *p, gconstpointer data)
{
    /* Fails if the program left something. */
    g_assert_cmpint(rmdir(p->dir), ==, 0);
    g_free(p->dir);
    g_free(p->pidfile);
    g_free(p->socket);
    g_free(p->args);
}

static void test_signal_ends_it_in_order(Place *p, gconstpointer data)
{
    GPid pid = start(p->args);
    g_autofree char *text = NULL;

    g_assert_true(appears(p->pidfile));
    g_assert_true(socket_appears(p->socket));
    g_file_get_contents(p->pidfile, &text, NULL, NULL);
    g_assert_cmpint(atoi(text), ==, pid);

    g_assert_cmpint(end(pid, GPOINTER_TO_INT(data)), ==, 0);
}

static void test_failure_after_the_socket_leaves_nothing(Place *p,
                                                         gconstpointer data)
{
    g_autofree char *args = g_strconcat(p->args, " -device nothing", NULL);
    g_auto(Run) r = run(args);

    g_assert_cmpint(r.status, ==, 1);
}

static void test_second_with_the_same_pidfile_is_refused(Place *p,
                                                         gconstpointer data)
{
    GPid pid = start(p->args);
    g_autofree char *args = g_strdup_printf(QTEST "-pidfile %s", p->pidfile);

    g_assert_true(appears(p->pidfile));
    {
        g_auto(Run) r = run(args);

        g_assert_cmpint(r.status, ==, 1);
        g_assert_nonnull(strstr(r.err, "cannot lock PID file"));
    }
    g_assert_true(g_file_test(p->pidfile, G_FILE_TEST_EXISTS));
    g_assert_true(socket_appears(p->socket));
    g_assert_cmpint(end(pid, SIGTERM), ==, 0);
}

static void test_daemon_is_ready_when_the_command_returns(Place *p,
                                                          gconstpointer data)
{
    g_autofree char *args = g_strconcat(p->args, " -daemonize", NULL);
    g_autofree char *text = NULL;
    g_auto(Run) r = run(args);
    unsigned round = 0;
    gint64 deadline;

    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_file_test(p->socket, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_get_contents(p->pidfile, &text, NULL, NULL));
    g_assert_cmpint(atoi(text), >, 1);
    g_assert_cmpint(kill(atoi(text), SIGTERM), ==, 0);
    deadline = patience_deadline();
    while (g_file_test(p->pidfile, G_FILE_TEST_EXISTS)) {
        g_assert_true(patience_more(deadline, &round));
    }
}

static void test_daemon_that_fails_says_so(Place *p, gconstpointer data)
{
    g_autofree char *args = g_strconcat(p->args, " -daemonize -device nothing",
                                        NULL);
    g_auto(Run) r = run(args);

    g_assert_cmpint(r.status, ==, 1);
    g_assert_nonnull(strstr(r.err, "'nothing' is not a valid device model"));
}

static void add_cases(const char *prefix, const RefusalCase *cases, size_t n,
                      GTestDataFunc fn)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *name = g_strdelimit(g_strdup(cases[i].args), "/ ",
                                             '_');
        g_autofree char *path = g_strdup_printf("/command-line/%s/%s", prefix,
                                                name);

        g_test_add_data_func(path, &cases[i], fn);
    }
}

#define ADD(path, data, fn) \
    g_test_add("/command-line/" path, Place, data, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    program = g_getenv("SPARSEVM");
    g_assert_nonnull(program);
    add_cases("refused", refusal_cases, ARRAY_SIZE(refusal_cases),
              test_refused);
    add_cases("help", help_cases, ARRAY_SIZE(help_cases), test_help);
    ADD("sigterm-ends-it-in-order", GINT_TO_POINTER(SIGTERM),
        test_signal_ends_it_in_order);
    ADD("sigint-ends-it-in-order", GINT_TO_POINTER(SIGINT),
        test_signal_ends_it_in_order);
    ADD("sighup-ends-it-in-order", GINT_TO_POINTER(SIGHUP),
        test_signal_ends_it_in_order);
    ADD("failure-after-the-socket-leaves-nothing", NULL,
        test_failure_after_the_socket_leaves_nothing);
    ADD("second-with-the-same-pidfile-is-refused", NULL,
        test_second_with_the_same_pidfile_is_refused);
    ADD("daemon-is-ready-when-the-command-returns", NULL,
        test_daemon_is_ready_when_the_command_returns);
    ADD("daemon-that-fails-says-so", NULL, test_daemon_that_fails_says_so);
    return g_test_run();
}
