/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops of I/O threads: who is called when, and above all that a pause is one:
 * no turn goes on, or begins, between it and the resume.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "qemu/aio-context.h"
#include "qemu/main-loop.h"
#include "tests/patience.h"

#define ROUNDS 2000

typedef struct Fixture {
    AioContext *ctx[2];
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    for (unsigned i = 0; i < ARRAY_SIZE(f->ctx); i++) {
        f->ctx[i] = aio_context_new("tested", &error_abort);
    }
}

static void teardown(Fixture *f, gconstpointer data)
{
    for (unsigned i = 0; i < ARRAY_SIZE(f->ctx); i++) {
        aio_context_free(f->ctx[i]);
    }
}

static void wait_for(const int *value, int expected)
{
    gint64 end = patience_deadline();

    while (g_atomic_int_get(value) < expected) {
        patience_check(end);
        g_thread_yield();
    }
}

/* --- calls --- */

typedef struct Counter {
    EventNotifier e;
    int calls;
    GThread *thread;
} Counter;

static void count(EventNotifier *e)
{
    Counter *c = container_of(e, Counter, e);

    g_assert_true(aio_in_turn());
    g_assert_false(qemu_mutex_iothread_locked());
    g_assert_true(event_notifier_test_and_clear(e));
    c->thread = g_thread_self();
    g_atomic_int_inc(&c->calls);
}

static void test_each_thread_handles_its_own(Fixture *f, gconstpointer data)
{
    Counter c[4] = { 0 };

    g_assert_false(aio_in_turn());
    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        event_notifier_init(&c[i].e, 0);
        aio_set_event_notifier(f->ctx[i % 2], &c[i].e, count);
    }
    for (int n = 1; n <= 100; n++) {
        for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
            event_notifier_set(&c[i].e);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
            wait_for(&c[i].calls, n);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        aio_set_event_notifier(f->ctx[i % 2], &c[i].e, NULL);
        event_notifier_cleanup(&c[i].e);
    }
    g_assert_true(c[0].thread == c[2].thread && c[1].thread == c[3].thread);
    g_assert_true(c[0].thread != c[1].thread);
    g_assert_true(c[0].thread != g_thread_self());
}

/* What is signalled while nobody handles it is handled by who comes next. */
static void test_a_signal_is_not_lost(Fixture *f, gconstpointer data)
{
    Counter c = { 0 };

    event_notifier_init(&c.e, 0);
    for (int n = 1; n <= ROUNDS; n++) {
        event_notifier_set(&c.e);
        aio_set_event_notifier(f->ctx[n % 2], &c.e, count);
        wait_for(&c.calls, n);
        aio_set_event_notifier(f->ctx[n % 2], &c.e, NULL);
    }
    event_notifier_cleanup(&c.e);
}

/* Descriptors are closed, and used anew, right after that. */
static void test_a_removed_handler_is_not_called(Fixture *f, gconstpointer data)
{
    for (int n = 0; n < ROUNDS; n++) {
        Counter c = { 0 };
        int calls;

        event_notifier_init(&c.e, 0);
        aio_set_event_notifier(f->ctx[0], &c.e, count);
        event_notifier_set(&c.e);
        aio_set_event_notifier(f->ctx[0], &c.e, NULL);
        calls = c.calls;
        event_notifier_set(&c.e);
        g_thread_yield();
        g_assert_cmpint(c.calls, ==, calls);
        event_notifier_cleanup(&c.e);
    }
}

/* --- pauses --- */

/* Plain memory, of turns and of who has paused the thread. */
typedef struct Shared {
    EventNotifier e;
    uint64_t a, b;
    int turns;
} Shared;

/* Signals itself for ever; between the two it is seen by nobody. */
static void change_in_turn(EventNotifier *e)
{
    Shared *s = container_of(e, Shared, e);

    g_assert_cmpuint(s->a, ==, s->b);
    s->a++;
    g_thread_yield();
    s->b++;
    g_atomic_int_inc(&s->turns);
}

static void shared_begin(Shared *s, AioContext *ctx)
{
    *s = (Shared) { 0 };
    event_notifier_init(&s->e, 1);
    aio_set_event_notifier(ctx, &s->e, change_in_turn);
}

static void shared_end(Shared *s, AioContext *ctx)
{
    aio_set_event_notifier(ctx, &s->e, NULL);
    event_notifier_cleanup(&s->e);
}

static void change_while_paused(Shared *s)
{
    uint64_t a = s->a;

    g_assert_cmpuint(s->a, ==, s->b);
    g_thread_yield();
    g_assert_cmpuint(s->a, ==, a);
    s->a = s->b = a + 1000;
}

static void test_a_pause_waits_for_the_turn(Fixture *f, gconstpointer data)
{
    Shared s;

    shared_begin(&s, f->ctx[0]);
    for (int n = 0; n < ROUNDS; n++) {
        aio_context_pause(f->ctx[0]);
        change_while_paused(&s);
        aio_context_resume(f->ctx[0]);
        if (n % 16 == 0) {
            wait_for(&s.turns, g_atomic_int_get(&s.turns) + 1);
        }
    }
    shared_end(&s, f->ctx[0]);
}

static void test_pauses_nest(Fixture *f, gconstpointer data)
{
    Shared s;
    int turns;

    shared_begin(&s, f->ctx[0]);
    aio_context_pause(f->ctx[0]);
    aio_pause_all();
    aio_context_pause(f->ctx[0]);
    turns = s.turns;
    aio_context_resume(f->ctx[0]);
    change_while_paused(&s);
    aio_resume_all();
    change_while_paused(&s);
    g_assert_cmpint(s.turns, ==, turns);
    aio_context_resume(f->ctx[0]);
    wait_for(&s.turns, turns + 1);
    shared_end(&s, f->ctx[0]);
}

static void test_all_threads_are_paused(Fixture *f, gconstpointer data)
{
    Shared s[2];

    shared_begin(&s[0], f->ctx[0]);
    shared_begin(&s[1], f->ctx[1]);
    for (int n = 0; n < ROUNDS; n++) {
        aio_pause_all();
        change_while_paused(&s[0]);
        change_while_paused(&s[1]);
        aio_resume_all();
    }
    wait_for(&s[1].turns, 1);
    shared_end(&s[0], f->ctx[0]);
    shared_end(&s[1], f->ctx[1]);
}

/* Of one thread alone; the other goes on. */
static void test_a_pause_is_of_one_thread(Fixture *f, gconstpointer data)
{
    Shared s[2];

    shared_begin(&s[0], f->ctx[0]);
    shared_begin(&s[1], f->ctx[1]);
    aio_context_pause(f->ctx[0]);
    wait_for(&s[1].turns, g_atomic_int_get(&s[1].turns) + 10);
    change_while_paused(&s[0]);
    aio_context_resume(f->ctx[0]);
    shared_end(&s[0], f->ctx[0]);
    shared_end(&s[1], f->ctx[1]);
}

/* --- looking before sleeping --- */

static void test_looking_loses_nothing(Fixture *f, gconstpointer data)
{
    const AioPolling ways[] = {
        { 0, 0, 0 }, { 1000, 0, 0 }, { 100000, 3, 2 }, { INT64_MAX, 8, 0 },
    };
    Counter c = { 0 };
    int n = 0;

    event_notifier_init(&c.e, 0);
    aio_set_event_notifier(f->ctx[0], &c.e, count);
    for (unsigned i = 0; i < 3 * ARRAY_SIZE(ways); i++) {
        aio_context_set_polling(f->ctx[0], &ways[i % ARRAY_SIZE(ways)]);
        for (unsigned k = 0; k < 50; k++) {
            event_notifier_set(&c.e);
            wait_for(&c.calls, ++n);
        }
    }
    aio_set_event_notifier(f->ctx[0], &c.e, NULL);
    event_notifier_cleanup(&c.e);
}

/* The main loop stands for itself. */
static void test_null_is_the_main_loop(void)
{
    aio_context_pause(NULL);
    aio_context_resume(NULL);
    aio_pause_all();
    aio_resume_all();
    g_assert_false(aio_in_turn());
}

/* --- descriptors --- */

/* One end of a pair: what comes is counted; when it is told to, it fills the
 * other end until that takes no more. */
typedef struct Pair {
    AioContext *ctx;
    int fd, other;
    int bytes;                            /* read */
    int filled;                           /* times that it found no room */
} Pair;

static void pair_read(void *opaque);

static void pair_write(void *opaque)
{
    Pair *p = opaque;
    char bytes[4096] = { 0 };

    g_assert_true(aio_in_turn());
    while (write(p->fd, bytes, sizeof(bytes)) > 0) {
    }
    g_assert_cmpint(errno, ==, EAGAIN);
    g_atomic_int_inc(&p->filled);
    aio_set_fd_handler(p->ctx, p->fd, pair_read, NULL, p);
}

static void pair_read(void *opaque)
{
    Pair *p = opaque;
    char byte;

    g_assert_true(aio_in_turn());
    g_assert_cmpint(read(p->fd, &byte, 1), ==, 1);
    g_atomic_int_inc(&p->bytes);
    if (byte == 'w') {
        aio_set_fd_handler(p->ctx, p->fd, pair_read, pair_write, p);
    } else if (byte == 's') {
        aio_set_fd_handler(p->ctx, p->fd, NULL, NULL, p);
    }
}

static void tell(const Pair *p, const char *bytes)
{
    g_assert_cmpint(write(p->other, bytes, strlen(bytes)), ==, strlen(bytes));
}

/* In a turn, a descriptor's handlers may change, be it to none for now. */
static void test_descriptors(Fixture *f, gconstpointer data)
{
    Pair p = { .ctx = f->ctx[0] };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==,
                    0);
    p.fd = fds[0];
    p.other = fds[1];
    aio_set_fd_handler(p.ctx, p.fd, pair_read, NULL, &p);
    tell(&p, "abc");
    wait_for(&p.bytes, 3);
    tell(&p, "w");
    wait_for(&p.filled, 1);
    tell(&p, "s");
    wait_for(&p.bytes, 5);
    tell(&p, "d");
    aio_context_pause(p.ctx);
    g_assert_cmpint(p.bytes, ==, 5);
    aio_context_resume(p.ctx);
    /* Who holds the big lock may ask for it again. */
    aio_set_fd_handler(p.ctx, p.fd, pair_read, NULL, &p);
    wait_for(&p.bytes, 6);
    aio_set_fd_handler(p.ctx, p.fd, NULL, NULL, NULL);
    close(p.fd);
    close(p.other);
}

#define ADD(name, fn)                                                        \
    g_test_add("/aio-context/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    ADD("calls", test_each_thread_handles_its_own);
    ADD("signals", test_a_signal_is_not_lost);
    ADD("removal", test_a_removed_handler_is_not_called);
    ADD("pause", test_a_pause_waits_for_the_turn);
    ADD("nested", test_pauses_nest);
    ADD("all", test_all_threads_are_paused);
    ADD("one", test_a_pause_is_of_one_thread);
    ADD("descriptors", test_descriptors);
    ADD("polling", test_looking_loses_nothing);
    g_test_add_func("/aio-context/none", test_null_is_the_main_loop);
    return g_test_run();
}
