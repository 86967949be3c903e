/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main loop, the big lock, bottom halves, descriptors, event notifiers. */
#include "qemu/osdep.h"

#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "tests/patience.h"


/* Runs the loop until *@value is @expected; fails after a while. */
static void run_until(const int *value, int expected)
{
    gint64 end = patience_deadline();

    while (g_atomic_int_get(value) != expected) {
        patience_check(end);
        main_loop_wait(true);
        g_thread_yield();
    }
}

/* Nothing is left that could happen now. */
static void run_all(void)
{
    for (int i = 0; i < 10; i++) {
        main_loop_wait(true);
    }
}

/* --- the big lock --------------------------------------------------------- */

static int in_thread;

static gpointer lock_and_unlock(gpointer data)
{
    g_assert_false(qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    g_assert_true(qemu_mutex_iothread_locked());
    g_assert_false(qemu_in_main_thread());
    g_atomic_int_inc(&in_thread);
    qemu_mutex_unlock_iothread();
    qemu_notify_event();
    return NULL;
}

static void test_lock_is_free_only_while_polling(void)
{
    GThread *thread;

    in_thread = 0;
    thread = g_thread_new("t", lock_and_unlock, NULL);
    g_usleep(20000);
    g_assert_cmpint(g_atomic_int_get(&in_thread), ==, 0);
    main_loop_wait(false);
    g_assert_true(qemu_mutex_iothread_locked());
    run_until(&in_thread, 1);
    g_thread_join(thread);
}

static GCond cond;
static bool signalled;

static gpointer signal_cond(gpointer data)
{
    qemu_mutex_lock_iothread();
    signalled = true;
    g_cond_broadcast(&cond);
    qemu_mutex_unlock_iothread();
    return NULL;
}

static void test_condition_gives_up_the_lock(void)
{
    GThread *thread = g_thread_new("t", signal_cond, NULL);

    while (!signalled) {
        qemu_cond_wait_iothread(&cond);
    }
    g_assert_true(qemu_mutex_iothread_locked());
    g_thread_join(thread);
}

static void test_locking_twice_aborts(void)
{
    if (g_test_subprocess()) {
        qemu_mutex_lock_iothread();
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

/* --- bottom halves -------------------------------------------------------- */

static void count(void *opaque)
{
    g_assert_true(qemu_mutex_iothread_locked());
    g_atomic_int_inc((int *)opaque);
}

static void test_bh_runs_once_per_schedule(void)
{
    int calls = 0;
    QEMUBH *bh = qemu_bh_new(count, &calls);

    run_all();
    g_assert_cmpint(calls, ==, 0);
    qemu_bh_schedule(bh);
    qemu_bh_schedule(bh);
    g_assert_cmpint(calls, ==, 0);
    run_all();
    g_assert_cmpint(calls, ==, 1);
    qemu_bh_schedule(bh);
    run_all();
    g_assert_cmpint(calls, ==, 2);
    qemu_bh_delete(bh);
}

static void test_cancelled_bh_does_not_run(void)
{
    int calls = 0;
    QEMUBH *bh = qemu_bh_new(count, &calls);

    qemu_bh_schedule(bh);
    qemu_bh_cancel(bh);
    run_all();
    qemu_bh_schedule(bh);
    qemu_bh_delete(bh);
    run_all();
    g_assert_cmpint(calls, ==, 0);
}

static QEMUBH *own_bh;
static int own_bh_calls;

static void reschedule_then_delete(void *opaque)
{
    if (++own_bh_calls == 3) {
        qemu_bh_delete(own_bh);
    } else {
        qemu_bh_schedule(own_bh);
    }
}

static void test_bh_may_reschedule_and_delete_itself(void)
{
    own_bh = qemu_bh_new(reschedule_then_delete, NULL);
    qemu_bh_schedule(own_bh);
    run_all();
    g_assert_cmpint(own_bh_calls, ==, 3);
}

static gpointer schedule_from_thread(gpointer data)
{
    g_usleep(20000);
    qemu_bh_schedule(data);
    return NULL;
}

static void test_bh_of_another_thread_wakes_the_loop(void)
{
    int calls = 0;
    QEMUBH *bh = qemu_bh_new(count, &calls);
    GThread *thread = g_thread_new("t", schedule_from_thread, bh);

    for (int i = 0; i < 100 && !calls; i++) {
        main_loop_wait(false);
    }
    g_assert_cmpint(calls, ==, 1);
    g_thread_join(thread);
    qemu_bh_delete(bh);
}

/* --- descriptors ---------------------------------------------------------- */

typedef struct Pipe {
    int fd[2];
    int reads;
    int writes;
    char last;
} Pipe;

static void pipe_init(Pipe *p)
{
    *p = (Pipe){ .last = 0 };
    g_assert_cmpint(pipe(p->fd), ==, 0);
}

static void pipe_destroy(Pipe *p)
{
    qemu_set_fd_handler(p->fd[0], NULL, NULL, NULL);
    qemu_set_fd_handler(p->fd[1], NULL, NULL, NULL);
    close(p->fd[0]);
    if (p->fd[1] >= 0) {
        close(p->fd[1]);
    }
}

static void pipe_read(void *opaque)
{
    Pipe *p = opaque;

    p->reads++;
    if (read(p->fd[0], &p->last, 1) == 0) {
        qemu_set_fd_handler(p->fd[0], NULL, NULL, NULL);
    }
}

static void pipe_write(void *opaque)
{
    Pipe *p = opaque;

    p->writes++;
    qemu_set_fd_handler(p->fd[1], NULL, NULL, NULL);
}

static void test_fd_handlers_are_called_while_ready(void)
{
    Pipe p;

    pipe_init(&p);
    qemu_set_fd_handler(p.fd[0], pipe_read, NULL, &p);
    qemu_set_fd_handler(p.fd[1], NULL, pipe_write, &p);
    run_until(&p.writes, 1);
    run_all();
    g_assert_cmpint(p.writes, ==, 1);
    g_assert_cmpint(p.reads, ==, 0);
    g_assert_cmpint(write(p.fd[1], "ab", 2), ==, 2);
    run_until(&p.reads, 2);
    run_all();
    g_assert_cmpint(p.reads, ==, 2);
    g_assert_cmpint(p.last, ==, 'b');
    pipe_destroy(&p);
}

static void test_fd_handler_hears_of_the_end(void)
{
    Pipe p;

    pipe_init(&p);
    qemu_set_fd_handler(p.fd[0], pipe_read, NULL, &p);
    close(p.fd[1]);
    p.fd[1] = p.fd[0];
    run_until(&p.reads, 1);
    run_all();
    g_assert_cmpint(p.reads, ==, 1);
    p.fd[1] = -1;
    close(p.fd[0]);
}

static void pipe_count(void *opaque)
{
    ((Pipe *)opaque)->reads += 100;
    qemu_set_fd_handler(((Pipe *)opaque)->fd[0], NULL, NULL, NULL);
}

static void test_fd_handler_can_be_replaced_and_removed(void)
{
    Pipe p;

    pipe_init(&p);
    qemu_set_fd_handler(p.fd[0], pipe_read, NULL, &p);
    qemu_set_fd_handler(p.fd[0], pipe_count, NULL, &p);
    g_assert_cmpint(write(p.fd[1], "a", 1), ==, 1);
    run_until(&p.reads, 100);
    run_all();
    g_assert_cmpint(p.reads, ==, 100);
    pipe_destroy(&p);
}

/* --- event notifiers ------------------------------------------------------ */

static int notified;

static void on_event(EventNotifier *e)
{
    notified += event_notifier_test_and_clear(e);
}

static void test_notifier_is_a_flag(void)
{
    EventNotifier e;

    g_assert_cmpint(event_notifier_init(&e, 1), ==, 0);
    g_assert_cmpint(event_notifier_test_and_clear(&e), ==, 1);
    g_assert_cmpint(event_notifier_test_and_clear(&e), ==, 0);
    g_assert_cmpint(event_notifier_set(&e), ==, 0);
    g_assert_cmpint(event_notifier_set(&e), ==, 0);
    g_assert_cmpint(event_notifier_test_and_clear(&e), ==, 1);
    g_assert_cmpint(event_notifier_test_and_clear(&e), ==, 0);
    event_notifier_cleanup(&e);
    event_notifier_cleanup(&e);
    g_assert_cmpint(event_notifier_get_fd(&e), ==, -1);
}

static gpointer set_from_thread(gpointer data)
{
    event_notifier_set(data);
    return NULL;
}

static void test_notifier_calls_its_handler(void)
{
    EventNotifier e;

    notified = 0;
    event_notifier_init(&e, 0);
    event_notifier_set_handler(&e, on_event);
    run_all();
    g_assert_cmpint(notified, ==, 0);
    g_thread_join(g_thread_new("t", set_from_thread, &e));
    run_until(&notified, 1);
    event_notifier_set_handler(&e, NULL);
    event_notifier_set(&e);
    run_all();
    g_assert_cmpint(notified, ==, 1);
    event_notifier_cleanup(&e);
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/main-loop/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    qemu_init_main_loop(&error_abort);
    add_test("lock-is-free-only-while-polling",
             test_lock_is_free_only_while_polling);
    add_test("condition-gives-up-the-lock", test_condition_gives_up_the_lock);
    add_test("locking-twice-aborts", test_locking_twice_aborts);
    add_test("bh-runs-once-per-schedule", test_bh_runs_once_per_schedule);
    add_test("cancelled-bh-does-not-run", test_cancelled_bh_does_not_run);
    add_test("bh-may-reschedule-and-delete-itself",
             test_bh_may_reschedule_and_delete_itself);
    add_test("bh-of-another-thread-wakes-the-loop",
             test_bh_of_another_thread_wakes_the_loop);
    add_test("fd-handlers-are-called-while-ready",
             test_fd_handlers_are_called_while_ready);
    add_test("fd-handler-hears-of-the-end", test_fd_handler_hears_of_the_end);
    add_test("fd-handler-can-be-replaced-and-removed",
             test_fd_handler_can_be_replaced_and_removed);
    add_test("notifier-is-a-flag", test_notifier_is_a_flag);
    add_test("notifier-calls-its-handler", test_notifier_calls_its_handler);
    return g_test_run();
}
