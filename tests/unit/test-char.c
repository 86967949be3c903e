/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices: options, short forms, file, pipe, pty, stdio. Sockets and
 * the mux have tests of their own.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "char-test.h"

static char *tmp_dir;

static Chardev *new(const char *fmt, const char *arg)
{
    g_autofree char *text = g_strdup_printf(fmt, arg);

    return qemu_chr_new_from_text(text, &error_abort);
}

static void write_str(CharBackend *be, const char *text)
{
    g_assert_cmpint(qemu_chr_fe_write(be, (const uint8_t *)text, strlen(text)),
                    ==, strlen(text));
}

/* --- options -------------------------------------------------------------- */

static void test_bad_options_are_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "null", "chardev: no id specified" },
        { "null,id=0", "Parameter 'id' expects an identifier: a letter, then "
                       "letters, digits, '-', '.', '_'" },
        { "tty,id=c", "'tty' is not a valid char driver name (-chardev help "
                      "lists them)" },
        { "id=c", "'' is not a valid char driver name (-chardev help lists "
                  "them)" },
        { "null,id=c,path=x", "Property 'chardev-null.path' not found" },
        { "null,id=c,mux=maybe", "Parameter 'mux' expects 'on' or 'off'" },
        { "file,id=c", "chardev: file: no filename given" },
        { "null,id=c,logfile=/no/such/dir/log",
          "logfile of chardev 'c': /no/such/dir/log: cannot be opened: No such "
          "file or directory" },
        { "pipe,id=c", "chardev: pipe: no device path given" },
        { "socket,id=c", "chardev: socket: no path (or host and port) given" },
        { "socket,id=c,path=a,port=1",
          "chardev: socket: path, host/port and fd are addresses: give one of "
          "them" },
        { "socket,id=c,path=a,fd=1",
          "chardev: socket: path, host/port and fd are addresses: give one of "
          "them" },
        { "socket,id=c,fd=1,reconnect=1",
          "'reconnect' option is incompatible with fd=: there is nothing to "
          "connect to again" },
        { "socket,id=c,fd=one",
          "fd=one: the number of a descriptor is expected" },
        { "socket,id=c,fd=99999",
          "fd=99999: a socket is expected: Bad file descriptor" },
        { "socket,id=c,fd=0",
          "fd=0: a socket is expected: Socket operation on non-socket" },
        { "socket,id=c,path=a,reconnect=1,reconnect-ms=1",
          "'reconnect' and 'reconnect-ms' are mutually exclusive" },
        { "socket,id=c,path=a,server=on,reconnect-ms=1",
          "'reconnect-ms' option is incompatible with socket in server listen "
          "mode" },
        { "socket,id=c,path=a,server=on,reconnect=1",
          "'reconnect' option is incompatible with socket in server listen "
          "mode" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Error *err = NULL;

        g_assert_null(qemu_chr_new_from_text(cases[i].text, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, cases[i].message);
        error_free(err);
        g_assert_null(qemu_chr_find("c"));
    }
}

static void test_ids_are_unique(void)
{
    Error *err = NULL;

    new("null,id=%s", "c");
    g_assert_null(qemu_chr_new_from_text("null,id=c", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Chardev with id 'c' already exists");
    error_free(err);
    qemu_chr_cleanup();
    g_assert_null(qemu_chr_find("c"));
}

static void test_one_front_end_unless_shared(void)
{
    Chardev *chr = new("null,id=%s", "c");
    CharBackend a = { 0 }, b = { 0 };

    g_assert_true(qemu_chr_fe_init(&a, chr, &error_abort));
    g_assert_false(qemu_chr_fe_init(&b, chr, NULL));
    g_assert_null(qemu_chr_fe_get_driver(&b));
    qemu_chr_fe_deinit(&a, false);
    g_assert_true(qemu_chr_fe_init(&b, chr, &error_abort));
    qemu_chr_fe_deinit(&b, true);
    g_assert_null(qemu_chr_find("c"));
}

static void test_options_are_final_once_open(void)
{
    g_autofree char *path = g_build_filename(tmp_dir, "f", NULL);
    Chardev *chr = new("file,id=c,path=%s", path);

    g_assert_false(object_property_parse(OBJECT(chr), "append", "on", NULL));
    qemu_chr_cleanup();
    unlink(path);
}

static void test_detached_front_end_is_harmless(void)
{
    CharBackend be = { 0 };

    g_assert_cmpint(qemu_chr_fe_write(&be, (const uint8_t *)"ab", 2), ==, 2);
    g_assert_cmpuint(qemu_chr_fe_add_watch(&be, G_IO_OUT, NULL, NULL), ==, 0);
    qemu_chr_fe_accept_input(&be);
    qemu_chr_fe_disconnect(&be);
    qemu_chr_fe_deinit(&be, true);
    g_assert_false(qemu_chr_fe_backend_open(&be));
}

static void test_cleanup_detaches_front_ends(void)
{
    Fe fe;

    fe_init(&fe, qemu_chr_parse_compat("c", "mon:null", &error_abort), 10);
    qemu_chr_cleanup();
    g_assert_null(qemu_chr_fe_get_driver(&fe.be));
    fe_destroy(&fe);
}

/* --- short forms ---------------------------------------------------------- */

static void test_short_forms_are_understood(void)
{
    g_autofree char *file = g_strdup_printf("file:%s/a,b", tmp_dir);
    Chardev *chr = qemu_chr_parse_compat("s0", file, &error_abort);

    g_assert_cmpstr(chr->label, ==, "s0");
    g_assert_cmpstr(chr->filename, ==, file);
    g_assert_true(qemu_chr_parse_compat("s1", "chardev:s0", &error_abort) ==
                  chr);
    g_assert_nonnull(qemu_chr_parse_compat("s2", "null", &error_abort));
    qemu_chr_cleanup();
    unlink(file + strlen("file:"));
}

static void test_bad_short_forms_are_refused(void)
{
    static const char *const texts[] = {
        "", "vc", "stdoi", "chardev:nobody", "tcp:host", "tcp:[::1]4", "file:",
        "null,foo=1", "unix:", "mon:", "=x", NULL
    };

    for (const char *const *t = texts; *t; t++) {
        Error *err = NULL;

        g_assert_null(qemu_chr_parse_compat("s", *t, &err));
        g_test_message("%s: %s", *t, error_get_pretty(err));
        error_free_or_abort(&err);
        g_assert_null(qemu_chr_find("s"));
    }
}

/* --- file, pipe, pty ------------------------------------------------------ */

/* What is written is in the log, too, and what has been there stays. */
static void test_log_has_what_is_written(void)
{
    g_autofree char *path = g_build_filename(tmp_dir, "log", NULL);
    g_autofree char *text = NULL;
    Fe fe;

    for (int i = 0; i < 3; i++) {
        fe_init(&fe, new(i == 2 ? "null,id=c,logfile=%s,logappend=on"
                                : "null,id=c,logfile=%s", path), 10);
        write_str(&fe.be, i ? "abc" : "lost");
        fe_destroy(&fe);
        qemu_chr_cleanup();
    }
    g_file_get_contents(path, &text, NULL, NULL);
    g_assert_cmpstr(text, ==, "abcabc");
    unlink(path);
}

/* A file that is as long as this process may make it. */
static void test_log_that_cannot_be_written_ends(void)
{
    g_autofree char *path = g_build_filename(tmp_dir, "log", NULL);
    struct rlimit old, none = { 0, RLIM_INFINITY };
    Fe fe;

    signal(SIGXFSZ, SIG_IGN);
    g_assert_no_errno(getrlimit(RLIMIT_FSIZE, &old));
    fe_init(&fe, new("null,id=c,logfile=%s", path), 10);
    g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &none));
    g_assert_cmpint(qemu_chr_fe_write(&fe.be, (const uint8_t *)"x", 1), ==, 1);
    g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &old));
    g_assert_cmpint(qemu_chr_fe_get_driver(&fe.be)->log_fd, ==, -1);
    fe_destroy(&fe);
    qemu_chr_cleanup();
    unlink(path);
}

static void test_file_is_written(void)
{
    g_autofree char *path = g_build_filename(tmp_dir, "f", NULL);
    g_autofree char *once = NULL, *twice = NULL;
    Fe fe;

    for (int i = 0; i < 2; i++) {
        fe_init(&fe, new(i ? "file,id=c,append=on,path=%s"
                           : "file,id=c,path=%s", path), 10);
        g_assert_cmpstr(fe.events->str, ==, "O");
        write_str(&fe.be, "abc");
        fe_destroy(&fe);
        qemu_chr_cleanup();
        g_file_get_contents(path, i ? &twice : &once, NULL, NULL);
    }
    g_assert_cmpstr(once, ==, "abc");
    g_assert_cmpstr(twice, ==, "abcabc");
    unlink(path);
}

static void test_failing_output_is_dropped_and_told(void)
{
    Fe fe;

    if (g_test_subprocess()) {
        g_autofree char *path = g_build_filename(tmp_dir, "limited", NULL);
        const struct rlimit none = { 0, RLIM_INFINITY };

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &none);
        fe_init(&fe, new("file,id=c,append=on,path=%s", path), 10);
        write_str(&fe.be, "abc");
        write_str(&fe.be, "def");
        g_assert_cmpuint(qemu_chr_fe_add_watch(&fe.be, G_IO_OUT, NULL, NULL),
                         ==, 0);
        fe_destroy(&fe);
        qemu_chr_cleanup();
        g_clear_pointer(&path, g_free);
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*chardev 'c': cannot write to 'file:*/limited'*"
                              "File too large*");
}

static void test_pipes_go_both_ways(void)
{
    g_autofree char *base = g_build_filename(tmp_dir, "p", NULL);
    g_autofree char *in = g_strconcat(base, ".in", NULL);
    g_autofree char *out = g_strconcat(base, ".out", NULL);
    char buf[4] = "";
    int in_fd, out_fd;
    Fe fe;

    g_assert_cmpint(mkfifo(in, 0600), ==, 0);
    g_assert_cmpint(mkfifo(out, 0600), ==, 0);
    fe_init(&fe, new("pipe,id=c,path=%s", base), 2);
    in_fd = open(in, O_WRONLY | O_NONBLOCK);
    out_fd = open(out, O_RDONLY | O_NONBLOCK);
    g_assert_cmpint(write(in_fd, "abcd", 4), ==, 4);
    run_until(fe.input, "ab");
    run_all();
    g_assert_cmpstr(fe.input->str, ==, "ab");
    fe.room = 10;
    qemu_chr_fe_accept_input(&fe.be);
    run_until(fe.input, "abcd");
    write_str(&fe.be, "xyz");
    g_assert_cmpint(read(out_fd, buf, 3), ==, 3);
    g_assert_cmpstr(buf, ==, "xyz");
    fe_destroy(&fe);
    qemu_chr_cleanup();
    close(in_fd);
    close(out_fd);
    unlink(in);
    unlink(out);
}

static void expect_no_pipe(const char *path)
{
    g_autofree char *options = g_strdup_printf("pipe,id=c,path=%s", path);
    Error *err = NULL;

    g_assert_null(qemu_chr_new_from_text(options, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "no named pipe"));
    error_free(err);
}

/* Neither the one file for both ways, nor one of two, is written to. */
static void test_pipe_is_no_plain_file(void)
{
    g_autofree char *base = g_build_filename(tmp_dir, "plain", NULL);
    g_autofree char *in = g_strconcat(base, ".in", NULL);

    g_assert_true(g_file_set_contents(base, "x", 1, NULL));
    expect_no_pipe(base);
    unlink(base);
    g_assert_true(g_file_set_contents(in, "x", 1, NULL));
    expect_no_pipe(base);
    unlink(in);
}

/* Its name, which goes to stdout, would disturb the report. */
static void pty_session(void)
{
    Chardev *chr = new("pty,id=%s", "c");
    g_autofree char *name = g_strdup(chr->filename + strlen("pty:"));
    char buf[4] = "";
    int fd;
    Fe fe;

    fe_init(&fe, chr, 10);
    g_assert_cmpint(qemu_chr_fe_write(&fe.be, (const uint8_t *)"no", 2), ==, 2);
    fd = open(name, O_RDWR | O_NOCTTY);
    g_assert_cmpint(fd, >=, 0);
    run_until(fe.events, "O");
    g_assert_cmpint(write(fd, "\x03q\r", 3), ==, 3);
    run_until(fe.input, "\x03q\r");
    write_str(&fe.be, "x\n");
    g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 2);
    close(fd);
    run_until(fe.events, "OC");
    fe_destroy(&fe);
    qemu_chr_cleanup();
}

static void test_pty_opens_and_closes_with_its_peer(void)
{
    if (g_test_subprocess()) {
        pty_session();
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*char device redirected to /dev/pts/* (label "
                              "c)*");
}

/* --- stdio ---------------------------------------------------------------- */

static void test_stdio_leaves_shared_pipes_blocking(void)
{
    Fe fe;

    if (g_test_subprocess()) {
        int p[2];

        g_assert_cmpint(pipe(p), ==, 0);
        g_assert_cmpint(dup2(p[0], STDIN_FILENO), ==, STDIN_FILENO);
        fe_init(&fe, qemu_chr_parse_compat("c", "stdio", &error_abort), 10);
        g_assert_null(qemu_chr_parse_compat("d", "stdio", NULL));
        g_assert_cmpint(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, ==, 0);
        g_assert_cmpint(write(p[1], "in", 2), ==, 2);
        run_until(fe.input, "in");
        write_str(&fe.be, "out");
        fe_destroy(&fe);
        qemu_chr_cleanup();
        g_assert_nonnull(qemu_chr_parse_compat("d", "stdio", NULL));
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*out*");
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/char/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    tmp_dir = g_dir_make_tmp("test-char-XXXXXX", NULL);
    add_test("bad-options-are-refused", test_bad_options_are_refused);
    add_test("ids-are-unique", test_ids_are_unique);
    add_test("one-front-end-unless-shared", test_one_front_end_unless_shared);
    add_test("options-are-final-once-open", test_options_are_final_once_open);
    add_test("detached-front-end-is-harmless",
             test_detached_front_end_is_harmless);
    add_test("cleanup-detaches-front-ends", test_cleanup_detaches_front_ends);
    add_test("short-forms-are-understood", test_short_forms_are_understood);
    add_test("bad-short-forms-are-refused", test_bad_short_forms_are_refused);
    add_test("log-has-what-is-written", test_log_has_what_is_written);
    add_test("log-that-cannot-be-written-ends",
             test_log_that_cannot_be_written_ends);
    add_test("file-is-written", test_file_is_written);
    add_test("failing-output-is-dropped-and-told",
             test_failing_output_is_dropped_and_told);
    add_test("pipes-go-both-ways", test_pipes_go_both_ways);
    add_test("pipe-is-no-plain-file", test_pipe_is_no_plain_file);
    add_test("pty-opens-and-closes-with-its-peer",
             test_pty_opens_and_closes_with_its_peer);
    add_test("stdio-leaves-shared-pipes-blocking",
             test_stdio_leaves_shared_pipes_blocking);
    ret = g_test_run();
    g_rmdir(tmp_dir);
    g_free(tmp_dir);
    return ret;
}
