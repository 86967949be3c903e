/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices in an I/O thread (qemu_chr_fe_set_aio_context()): what is read
 * and written there, what is left to the main loop, and each call of the kernel
 * that a turn makes failing once.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "char-test.h"
#include "qemu/aio-context.h"
#include "qemu/keyval.h"

#define NR_CALLS 12                       /* more than the scenario makes */

static char *tmp_dir, *socket_path;

/* --- a kernel that fails --------------------------------------------------- */

static int calls_left;                    /* until one fails; negative: none */
static int call_error;

/* For the call that is to fail. */
static bool fails(void)
{
    if (__atomic_fetch_sub(&calls_left, 1, __ATOMIC_RELAXED) == 1) {
        errno = call_error;
        return true;
    }
    return false;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    return fails() ? -1 : syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    return fails() ? -1 : syscall(SYS_recvmsg, fd, m, flags);
}

/* --- a front end, whose thread it is ---------------------------------------- */

typedef struct Turns {
    Fe fe;                                /* first: its handlers' opaque */
    AioContext *ctx;
    int rooms;                            /* times that there was room */
    bool room_in_turn;                    /* the last one */
    EventNotifier e;
    void (*fn)(struct Turns *t);          /* what a turn is to do */
    int done;
} Turns;

static int can_read(void *opaque)
{
    Turns *t = opaque;

    return t->fe.room;
}

static void read_in_turn(void *opaque, const uint8_t *buf, int size)
{
    g_assert_true(aio_in_turn());
    g_assert_false(qemu_mutex_iothread_locked());
    fe_read(opaque, buf, size);
}

static void event(void *opaque, QEMUChrEvent event)
{
    g_assert_true(qemu_in_main_thread());
    fe_event(opaque, event);
}

static void room(void *opaque)
{
    Turns *t = opaque;

    t->room_in_turn = aio_in_turn();
    __atomic_fetch_add(&t->rooms, 1, __ATOMIC_SEQ_CST);
}

static int be_change(void *opaque);

static void use(Turns *t)
{
    qemu_chr_fe_set_handlers(&t->fe.be, can_read, read_in_turn, event, be_change,
                             t, NULL, true);
}

static int change_result;

static int be_change(void *opaque)
{
    if (change_result == 0) {
        use(opaque);
    }
    return change_result;
}

static void run_fn(EventNotifier *e)
{
    Turns *t = container_of(e, Turns, e);

    event_notifier_test_and_clear(e);
    t->fn(t);
    __atomic_fetch_add(&t->done, 1, __ATOMIC_SEQ_CST);
}

/* Has a turn do @fn. */
static void in_turn(Turns *t, void (*fn)(Turns *t))
{
    gint64 end = patience_deadline();
    int done = __atomic_load_n(&t->done, __ATOMIC_SEQ_CST);

    aio_context_pause(t->ctx);
    t->fn = fn;
    aio_context_resume(t->ctx);
    event_notifier_set(&t->e);
    while (__atomic_load_n(&t->done, __ATOMIC_SEQ_CST) == done) {
        patience_check(end);
        g_thread_yield();
    }
}

static void begin(Turns *t, const char *text, int space)
{
    *t = (Turns) { 0 };
    change_result = 0;
    t->ctx = aio_context_new("tested", &error_abort);
    g_assert_cmpint(event_notifier_init(&t->e, 0), ==, 0);
    aio_set_event_notifier(t->ctx, &t->e, run_fn);
    aio_context_pause(t->ctx);
    fe_init(&t->fe, qemu_chr_new_from_text(text, &error_abort), space);
    use(t);
    g_string_truncate(t->fe.events, 0);
    qemu_chr_fe_set_aio_context(&t->fe.be, t->ctx, &error_abort);
    aio_context_resume(t->ctx);
}

static void end(Turns *t)
{
    aio_context_pause(t->ctx);
    qemu_chr_fe_set_aio_context(&t->fe.be, NULL, &error_abort);
    aio_context_resume(t->ctx);
    fe_destroy(&t->fe);
    qemu_chr_cleanup();
    aio_set_event_notifier(t->ctx, &t->e, NULL);
    event_notifier_cleanup(&t->e);
    aio_context_free(t->ctx);
}

static void begin_server(Turns *t, int space)
{
    g_autofree char *text = g_strdup_printf("socket,id=c,path=%s,server=on,"
                                            "wait=off", socket_path);

    begin(t, text, space);
}

/* The main loop and the thread go on until @s is @expected. */
static void run_both_until(Turns *t, const GString *s, const char *expected)
{
    gint64 deadline = patience_deadline();
    bool is_so = false;

    while (!is_so) {
        patience_check(deadline);
        main_loop_wait(true);
        aio_context_pause(t->ctx);
        is_so = !strcmp(s->str, expected);
        aio_context_resume(t->ctx);
    }
}

static void do_nothing(Turns *t)
{
}

/* Once a turn has passed, the thread knows that nobody waits for room. */
static int dial(Turns *t)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(addr.sun_path, socket_path, sizeof(addr.sun_path));
    g_assert_no_errno(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
    run_both_until(t, t->fe.events, "O");
    in_turn(t, do_nothing);
    return fd;
}

static void put(int fd, const char *text)
{
    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
}

static void expect(int fd, const char *text)
{
    char buf[64];

    g_assert_cmpint(recv(fd, buf, strlen(text), MSG_WAITALL), ==, strlen(text));
    g_assert_cmpmem(buf, strlen(text), text, strlen(text));
}

/* --- what turns do ----------------------------------------------------------- */

static void write_abc(Turns *t)
{
    g_assert_cmpint(qemu_chr_fe_write(&t->fe.be, (const uint8_t *)"abc", 3), ==,
                    3);
}

/* Until the peer, which does not read, takes no more. */
static void fill(Turns *t)
{
    static const uint8_t data[4096];
    int n;

    do {
        n = qemu_chr_fe_write(&t->fe.be, data, sizeof(data));
    } while (n > 0);
    g_assert_cmpint(errno, ==, EAGAIN);
    g_assert_true(qemu_chr_fe_await_room(&t->fe.be, room));
    g_assert_true(qemu_chr_fe_awaits_room(&t->fe.be));
}

static void take_more(Turns *t)
{
    t->fe.room = 10;
    qemu_chr_fe_accept_input(&t->fe.be);
}

static void test_bytes_pass_in_turns(void)
{
    Turns t;
    int fd;

    begin_server(&t, 3);
    fd = dial(&t);
    in_turn(&t, write_abc);
    expect(fd, "abc");
    put(fd, "defghi");
    run_both_until(&t, t.fe.input, "def");
    in_turn(&t, take_more);
    run_both_until(&t, t.fe.input, "defghi");
    /* Whoever has paused the thread may say so, too. */
    aio_context_pause(t.ctx);
    t.fe.room = 0;
    aio_context_resume(t.ctx);
    put(fd, "j");
    run_all();
    aio_context_pause(t.ctx);
    g_assert_cmpstr(t.fe.input->str, ==, "defghi");
    take_more(&t);
    aio_context_resume(t.ctx);
    run_both_until(&t, t.fe.input, "defghij");
    close(fd);
    end(&t);
}

static void wait_for_room(Turns *t)
{
    gint64 deadline = patience_deadline();

    while (!__atomic_load_n(&t->rooms, __ATOMIC_SEQ_CST)) {
        patience_check(deadline);
        main_loop_wait(true);
    }
}

static void test_room_is_awaited(void)
{
    g_autofree char *buf = g_malloc(65536);
    Turns t;
    int fd;

    begin_server(&t, 0);
    fd = dial(&t);
    in_turn(&t, fill);
    run_all();
    g_assert_cmpint(__atomic_load_n(&t.rooms, __ATOMIC_SEQ_CST), ==, 0);
    while (recv(fd, buf, 65536, MSG_DONTWAIT) > 0) {
        continue;
    }
    wait_for_room(&t);
    aio_context_pause(t.ctx);
    g_assert_true(t.room_in_turn);
    g_assert_false(qemu_chr_fe_awaits_room(&t.fe.be));
    aio_context_resume(t.ctx);
    close(fd);
    end(&t);
}

static void test_room_may_not_be_awaited_any_more(void)
{
    g_autofree char *buf = g_malloc(65536);
    Turns t;
    int fd;

    begin_server(&t, 0);
    fd = dial(&t);
    in_turn(&t, fill);
    aio_context_pause(t.ctx);
    qemu_chr_fe_cancel_room(&t.fe.be);
    aio_context_resume(t.ctx);
    while (recv(fd, buf, 65536, MSG_DONTWAIT) > 0) {
        continue;
    }
    in_turn(&t, write_abc);
    expect(fd, "abc");
    g_assert_cmpint(t.rooms, ==, 0);
    close(fd);
    end(&t);
}

/* While nobody reads, somebody must say so. */
static void test_a_hang_up_makes_room(void)
{
    Turns t;
    int fd;

    begin_server(&t, 0);
    fd = dial(&t);
    in_turn(&t, fill);
    qemu_chr_fe_disconnect(&t.fe.be);
    g_assert_cmpstr(t.fe.events->str, ==, "OC");
    g_assert_cmpint(t.rooms, ==, 1);
    in_turn(&t, write_abc);               /* to nobody */
    g_assert_false(qemu_chr_fe_await_room(&t.fe.be, room));
    close(fd);
    end(&t);
}

static void test_a_peer_may_come_back(void)
{
    Turns t;

    begin_server(&t, 100);
    for (unsigned i = 0; i < 3; i++) {
        int fd = dial(&t);

        put(fd, "last words");
        close(fd);
        run_both_until(&t, t.fe.events, "OC");
        g_assert_cmpstr(t.fe.input->str, ==, "last words");
        g_string_truncate(t.fe.events, 0);
        g_string_truncate(t.fe.input, 0);
    }
    end(&t);
}

/* A peer's descriptors are of no use here, and must not pile up. */
static void test_descriptors_do_not_come(void)
{
    union { struct cmsghdr h; char bytes[CMSG_SPACE(sizeof(int))]; } c = { 0 };
    struct iovec iov = { (char *)"x", 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c,
                        .msg_controllen = sizeof(c) };
    Turns t;
    int fd;

    begin_server(&t, 10);
    fd = dial(&t);
    c.h.cmsg_level = SOL_SOCKET;
    c.h.cmsg_type = SCM_RIGHTS;
    c.h.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&c.h), &fd, sizeof(int));
    g_assert_cmpint(sendmsg(fd, &m, 0), ==, 1);
    run_both_until(&t, t.fe.input, "x");
    g_assert_cmpint(qemu_chr_fe_get_msgfd(&t.fe.be), ==, -1);
    close(fd);
    end(&t);
}

/* --- failures ------------------------------------------------------------------ */

static void write_and_take(Turns *t)
{
    qemu_chr_fe_write(&t->fe.be, (const uint8_t *)"abc", 3);
    take_more(t);
}

/* Whatever call fails, the peer that is lost by it is announced to have gone, and
 * the next one is served. */
static void fail_call(int n, int error)
{
    Turns t;
    int fd;

    begin_server(&t, 0);
    fd = dial(&t);
    put(fd, "d");
    call_error = error;
    __atomic_store_n(&calls_left, n, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < NR_CALLS / 2; i++) {
        in_turn(&t, write_and_take);
        if (write(fd, "d", 1) < 0) {
            g_assert_cmpint(errno, ==, EPIPE);
        }
        main_loop_wait(true);
    }
    __atomic_store_n(&calls_left, -1, __ATOMIC_SEQ_CST);
    close(fd);
    run_both_until(&t, t.fe.events, "OC");
    g_string_truncate(t.fe.events, 0);
    fd = dial(&t);
    in_turn(&t, write_abc);
    expect(fd, "abc");
    close(fd);
    end(&t);
}

static void test_any_call_may_fail(void)
{
    for (int n = 1; n <= NR_CALLS; n++) {
        fail_call(n, ECONNRESET);
        fail_call(n, EINTR);
    }
}

static void fail_output(const char *text)
{
    struct rlimit old, none = { 0, RLIM_INFINITY };
    Turns t;

    begin(&t, text, 0);
    signal(SIGXFSZ, SIG_IGN);
    g_assert_no_errno(getrlimit(RLIMIT_FSIZE, &old));
    g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &none));
    in_turn(&t, write_abc);
    in_turn(&t, write_abc);
    g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &old));
    run_all();                            /* the message is the main loop's */
    in_turn(&t, write_abc);
    end(&t);
}

/* And told, once, by the main loop. */
static void test_output_that_fails_is_dropped(void)
{
    g_autofree char *path = g_build_filename(tmp_dir, "limited", NULL);
    g_autofree char *text = g_strdup_printf("file,id=c,path=%s", path);
    g_autofree char *log = g_strdup_printf("null,id=c,logfile=%s", path);

    if (g_test_subprocess()) {
        fail_output(text);
        fail_output(log);
        unlink(path);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*chardev 'c': cannot write to 'file:*limited'*"
                              "chardev 'c': logfile '*limited' cannot be "
                              "written*");
    g_test_trap_assert_stderr_unmatched("*cannot write*cannot write*");
}

/* --- other kinds --------------------------------------------------------------- */

static void test_a_terminal_may_be_left(void)
{
    Turns t;
    int fd;

    begin(&t, "pty,id=c", 100);
    for (unsigned i = 0; i < 2; i++) {
        fd = open(qemu_chr_find("c")->filename + strlen("pty:"),
                  O_RDWR | O_NOCTTY);
        g_assert_cmpint(fd, >=, 0);
        run_both_until(&t, t.fe.events, "O");
        put(fd, "typed");
        run_both_until(&t, t.fe.input, "typed");
        close(fd);
        run_both_until(&t, t.fe.events, "OC");
        g_string_truncate(t.fe.events, 0);
        g_string_truncate(t.fe.input, 0);
    }
    end(&t);
}

static void test_a_shared_one_stays_with_the_main_loop(void)
{
    AioContext *ctx = aio_context_new("tested", &error_abort);
    Error *err = NULL;
    Fe fe;

    fe_init(&fe, qemu_chr_new_from_text("null,id=c,mux=on", &error_abort), 1);
    g_assert_false(qemu_chr_fe_set_aio_context(&fe.be, ctx, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "chardev 'c' is shared (mux=on), "
                    "which only the main loop can do; one without mux=on is "
                    "possible");
    error_free(err);
    g_assert_null(qemu_chr_find("c")->ctx);
    fe_destroy(&fe);
    qemu_chr_cleanup();
    aio_context_free(ctx);
}

/* --- changes -------------------------------------------------------------------- */

static void change(const char *text, bool works)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "backend", NULL,
                                              &error_abort);
    Error *err = NULL;

    g_assert_true((qemu_chr_change(opts, true, &err) != NULL) == works);
    error_free(err);
}

/* The new one is in the thread; the old one stays there if it stays at all. */
static void test_it_may_be_exchanged(void)
{
    Turns t;
    int fd;

    begin_server(&t, 100);
    fd = dial(&t);
    change_result = -1;
    change("null,id=c", false);
    g_assert_cmpstr(t.fe.events->str, ==, "OCO");
    put(fd, "still");
    run_both_until(&t, t.fe.input, "still");
    in_turn(&t, fill);
    change_result = 0;
    aio_context_pause(t.ctx);
    qemu_chr_fe_cancel_room(&t.fe.be);
    aio_context_resume(t.ctx);
    change("file,id=c,path=/dev/null", true);
    g_assert_true(qemu_chr_find("c")->ctx == t.ctx);
    in_turn(&t, write_abc);
    close(fd);
    end(&t);
}

/* The process ends; the thread does not know. */
static void test_it_may_go_first(void)
{
    Turns t;
    int fd;

    begin_server(&t, 100);
    fd = dial(&t);
    put(fd, "unread");
    qemu_chr_cleanup();
    in_turn(&t, write_abc);
    in_turn(&t, take_more);
    close(fd);
    end(&t);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    signal(SIGPIPE, SIG_IGN);
    tmp_dir = g_dir_make_tmp("char-turns-XXXXXX", NULL);
    socket_path = g_build_filename(tmp_dir, "s", NULL);
#define ADD(name, fn) g_test_add_func("/char-turns/" name, fn)
    ADD("bytes-pass-in-turns", test_bytes_pass_in_turns);
    ADD("room-is-awaited", test_room_is_awaited);
    ADD("room-may-not-be-awaited-any-more",
        test_room_may_not_be_awaited_any_more);
    ADD("a-hang-up-makes-room", test_a_hang_up_makes_room);
    ADD("a-peer-may-come-back", test_a_peer_may_come_back);
    ADD("descriptors-do-not-come", test_descriptors_do_not_come);
    ADD("any-call-may-fail", test_any_call_may_fail);
    ADD("output-that-fails-is-dropped", test_output_that_fails_is_dropped);
    ADD("a-terminal-may-be-left", test_a_terminal_may_be_left);
    ADD("a-shared-one-stays-with-the-main-loop",
        test_a_shared_one_stays_with_the_main_loop);
    ADD("it-may-be-exchanged", test_it_may_be_exchanged);
    ADD("it-may-go-first", test_it_may_go_first);
    ret = g_test_run();
    rmdir(tmp_dir);
    g_free(tmp_dir);
    g_free(socket_path);
    return ret;
}
