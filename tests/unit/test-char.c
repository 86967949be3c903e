/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices but for sockets (test-char-socket.c): options, short forms,
 * file, pipe, pty, stdio, and the mux.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "chardev/char.h"
#include "qemu/main-loop.h"
#include "tests/patience.h"

static char *tmp_dir;

/* A front end that remembers. */
typedef struct Fe {
    CharBackend be;
    int room;                             /* what it takes */
    GString *input;
    GString *events;                      /* O C I(n) U(out) B */
} Fe;

static int fe_can_read(void *opaque)
{
    return ((Fe *)opaque)->room;
}

static void fe_read(void *opaque, const uint8_t *buf, int size)
{
    Fe *fe = opaque;

    g_assert_cmpint(size, <=, fe->room);
    fe->room -= size;
    g_string_append_len(fe->input, (const char *)buf, size);
}

static void fe_event(void *opaque, QEMUChrEvent event)
{
    static const char letters[] = { 'B', 'O', 'I', 'U', 'C' };

    g_string_append_c(((Fe *)opaque)->events, letters[event]);
}

static void fe_init(Fe *fe, Chardev *chr, int room)
{
    *fe = (Fe){ .room = room };
    fe->input = g_string_new(NULL);
    fe->events = g_string_new(NULL);
    g_assert_nonnull(chr);
    qemu_chr_fe_init(&fe->be, chr, &error_abort);
    qemu_chr_fe_set_handlers(&fe->be, fe_can_read, fe_read, fe_event, NULL, fe,
                             NULL, true);
}

static void fe_destroy(Fe *fe)
{
    qemu_chr_fe_deinit(&fe->be, false);
    g_string_free(fe->input, TRUE);
    g_string_free(fe->events, TRUE);
}

/* Runs the loop until @s is @expected; fails after a while. */
static void run_until(const GString *s, const char *expected)
{
    gint64 end = patience_deadline();

    while (strcmp(s->str, expected)) {
        patience_check(end);
        main_loop_wait(true);
        g_usleep(100);
    }
}

static void run_all(void)
{
    for (int i = 0; i < 10; i++) {
        main_loop_wait(true);
    }
}

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

/* --- mux ------------------------------------------------------------------ */

typedef struct MuxTest {
    Fe a, b;
    int fd;                               /* the other end of the device */
    char *path;
} MuxTest;

/* Two front ends on one pipe; b, the later, is in focus. */
static void mux_set_up(MuxTest *t)
{
    g_autofree char *text = NULL;
    Chardev *chr;

    t->path = g_build_filename(tmp_dir, "m", NULL);
    g_assert_cmpint(mkfifo(t->path, 0600), ==, 0);
    text = g_strdup_printf("mon:pipe:%s", t->path);
    chr = qemu_chr_parse_compat("m", text, &error_abort);
    fe_init(&t->a, chr, 100);
    fe_init(&t->b, chr, 100);
    g_assert_cmpstr(t->a.events->str, ==, "OU");
    g_assert_cmpstr(t->b.events->str, ==, "IO");
    g_string_truncate(t->a.events, 0);
    g_string_truncate(t->b.events, 0);
    t->fd = open(t->path, O_RDWR | O_NONBLOCK);
}

static void mux_tear_down(MuxTest *t)
{
    fe_destroy(&t->a);
    fe_destroy(&t->b);
    qemu_chr_cleanup();
    close(t->fd);
    unlink(t->path);
    g_free(t->path);
}

static void type(MuxTest *t, const char *keys)
{
    g_assert_cmpint(write(t->fd, keys, strlen(keys)), ==, strlen(keys));
}

static void test_mux_input_goes_to_the_focus(void)
{
    MuxTest t;

    mux_set_up(&t);
    type(&t, "x\x01" "cy\x01" "cz");
    run_until(t.b.input, "xz");
    g_assert_cmpstr(t.a.input->str, ==, "y");
    g_assert_cmpstr(t.a.events->str, ==, "IU");
    g_assert_cmpstr(t.b.events->str, ==, "UI");
    mux_tear_down(&t);
}

static void test_mux_passes_an_escaped_escape(void)
{
    MuxTest t;

    mux_set_up(&t);
    type(&t, "\x01\x01\x01" "b\x01" "?q");
    run_until(t.b.input, "\x01q");
    g_assert_cmpstr(t.b.events->str, ==, "B");
    mux_tear_down(&t);
}

static int quits;

static void count_quit(Notifier *notifier, void *data)
{
    quits++;
}

static void test_mux_tells_who_can_end_the_emulator(void)
{
    static Notifier notifier = { .notify = count_quit };
    MuxTest t;

    qemu_chr_add_quit_notifier(&notifier);
    mux_set_up(&t);
    type(&t, "x\x01" "xy");
    run_until(t.b.input, "xy");
    g_assert_cmpint(quits, ==, 1);
    mux_tear_down(&t);
}

static void test_mux_keeps_what_a_front_end_cannot_take(void)
{
    MuxTest t;

    mux_set_up(&t);
    t.b.room = 1;
    type(&t, "123");
    run_until(t.b.input, "1");
    run_all();
    t.b.room = 10;
    qemu_chr_fe_accept_input(&t.b.be);
    g_assert_cmpstr(t.b.input->str, ==, "123");
    mux_tear_down(&t);
}

static void test_mux_takes_no_more_than_fits(void)
{
    g_autofree char *many = g_strnfill(100, 'k');
    MuxTest t;

    mux_set_up(&t);
    t.b.room = 0;
    type(&t, many);
    run_all();
    t.b.room = 200;
    qemu_chr_fe_accept_input(&t.b.be);
    run_until(t.b.input, many);
    mux_tear_down(&t);
}

static void test_mux_focus_moves_when_a_front_end_leaves(void)
{
    MuxTest t;

    mux_set_up(&t);
    qemu_chr_fe_deinit(&t.b.be, false);
    g_assert_cmpstr(t.a.events->str, ==, "I");
    type(&t, "x");
    run_until(t.a.input, "x");
    mux_tear_down(&t);
}

static void test_mux_has_room_for_four(void)
{
    Chardev *chr = qemu_chr_new_from_text("null,id=c,mux=on", &error_abort);
    CharBackend be[5] = { 0 };
    Error *err = NULL;

    for (int i = 0; i < 4; i++) {
        g_assert_true(qemu_chr_fe_init(&be[i], chr, &error_abort));
    }
    g_assert_false(qemu_chr_fe_init(&be[4], chr, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "too many uses of multiplexed "
                    "chardev 'c' (maximum is 4)");
    error_free(err);
    g_assert_nonnull(qemu_chr_find("c-base"));
    qemu_chr_cleanup();
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
    add_test("pty-opens-and-closes-with-its-peer",
             test_pty_opens_and_closes_with_its_peer);
    add_test("mux-input-goes-to-the-focus", test_mux_input_goes_to_the_focus);
    add_test("mux-passes-an-escaped-escape",
             test_mux_passes_an_escaped_escape);
    add_test("mux-tells-who-can-end-the-emulator",
             test_mux_tells_who_can_end_the_emulator);
    add_test("mux-keeps-what-a-front-end-cannot-take",
             test_mux_keeps_what_a_front_end_cannot_take);
    add_test("mux-takes-no-more-than-fits", test_mux_takes_no_more_than_fits);
    add_test("mux-focus-moves-when-a-front-end-leaves",
             test_mux_focus_moves_when_a_front_end_leaves);
    add_test("mux-has-room-for-four", test_mux_has_room_for_four);
    add_test("stdio-leaves-shared-pipes-blocking",
             test_stdio_leaves_shared_pipes_blocking);
    ret = g_test_run();
    g_rmdir(tmp_dir);
    g_free(tmp_dir);
    return ret;
}
