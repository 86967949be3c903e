/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and timers (qemu/timer.h). */
#include "qemu/osdep.h"

#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "tests/patience.h"

#define FAR_NS (1000 * NANOSECONDS_PER_SECOND)

static GString *order;
static int calls;

static void note(void *opaque)
{
    g_string_append(order, opaque);
}

static void count(void *opaque)
{
    calls++;
}

/* Runs the loop until @calls is @expected; fails after a while. */
static void run_until(int expected)
{
    gint64 end = patience_deadline();

    while (calls != expected) {
        patience_check(end);
        main_loop_wait(false);
    }
}

static void set_up(void)
{
    qemu_clock_set_manual(true);
    g_string_truncate(order, 0);
    calls = 0;
}

static int64_t virtual_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void test_manual_clock_moves_by_warp_only(void)
{
    int64_t now;

    set_up();
    now = virtual_ns();
    g_usleep(2000);
    g_assert_cmpint(virtual_ns(), ==, now);
    qemu_clock_warp(now + 5);
    g_assert_cmpint(virtual_ns(), ==, now + 5);
    qemu_clock_warp(now);
    g_assert_cmpint(virtual_ns(), ==, now + 5);
}

static void test_warp_runs_timers_in_order(void)
{
    QEMUTimer *a = timer_new_ns(QEMU_CLOCK_VIRTUAL, note, (void *)"a");
    QEMUTimer *b = timer_new_ns(QEMU_CLOCK_VIRTUAL, note, (void *)"b");
    QEMUTimer *c = timer_new_ns(QEMU_CLOCK_VIRTUAL, note, (void *)"c");
    int64_t now;

    set_up();
    now = virtual_ns();
    timer_mod(a, now + 30);
    timer_mod(b, now + 10);
    timer_mod(c, now + 10);
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==, 10);
    qemu_clock_warp(now + 20);
    g_assert_cmpstr(order->str, ==, "bc");
    g_assert_true(timer_pending(a));
    g_assert_false(timer_pending(b));
    qemu_clock_warp(now + 30);
    g_assert_cmpstr(order->str, ==, "bca");
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==, -1);
    timer_free(a);
    timer_free(b);
    timer_free(c);
}

static QEMUTimer *periodic;
static int64_t periodic_seen[4];

static void fire_periodic(void *opaque)
{
    periodic_seen[calls++] = virtual_ns();
    if (calls < 4) {
        timer_mod(periodic, virtual_ns() + 7);
    }
}

static void test_warp_shows_each_timer_its_deadline(void)
{
    int64_t now;

    set_up();
    now = virtual_ns();
    periodic = timer_new_ns(QEMU_CLOCK_VIRTUAL, fire_periodic, NULL);
    timer_mod(periodic, now + 7);
    qemu_clock_warp(now + 1000);
    g_assert_cmpint(calls, ==, 4);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(periodic_seen[i], ==, now + 7 * (i + 1));
    }
    g_assert_cmpint(virtual_ns(), ==, now + 1000);
    timer_free(periodic);
}

static void rearm_for_the_past(void *opaque)
{
    calls++;
    timer_mod(periodic, 0);
}

static void test_timer_armed_for_the_past_does_not_hang(void)
{
    set_up();
    periodic = timer_new_ns(QEMU_CLOCK_VIRTUAL, rearm_for_the_past, NULL);
    timer_mod(periodic, virtual_ns() + 1);
    qemu_clock_warp(virtual_ns() + 10);
    g_assert_cmpint(calls, ==, 1);
    main_loop_wait(true);
    g_assert_cmpint(calls, ==, 2);
    timer_free(periodic);
}

static QEMUTimer *victim;

static void delete_victim(void *opaque)
{
    timer_del(victim);
    calls++;
}

static void test_callback_may_delete_one_that_is_due(void)
{
    QEMUTimer *killer = timer_new_ns(QEMU_CLOCK_VIRTUAL, delete_victim, NULL);

    set_up();
    victim = timer_new_ns(QEMU_CLOCK_VIRTUAL, count, NULL);
    timer_mod(killer, virtual_ns() + 1);
    timer_mod(victim, virtual_ns() + 1);
    qemu_clock_warp(virtual_ns() + 1);
    g_assert_cmpint(calls, ==, 1);
    timer_free(killer);
    timer_free(victim);
}

static void free_own(void *opaque)
{
    calls++;
    timer_free(*(QEMUTimer **)opaque);
}

static void test_callback_may_free_its_timer(void)
{
    QEMUTimer *t = timer_new_ns(QEMU_CLOCK_VIRTUAL, free_own, &t);

    set_up();
    timer_mod(t, virtual_ns() + 1);
    qemu_clock_warp(virtual_ns() + 1);
    g_assert_cmpint(calls, ==, 1);
}

static void test_mod_replaces_the_deadline(void)
{
    QEMUTimer *t = timer_new(QEMU_CLOCK_VIRTUAL, SCALE_US, count, NULL);

    set_up();
    qemu_clock_warp(MAX(virtual_ns(), 100));
    timer_mod(t, 1);
    timer_mod(t, virtual_ns() / SCALE_US + 50);
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==,
                    50 * SCALE_US - virtual_ns() % SCALE_US);
    qemu_clock_warp(virtual_ns() + 10);
    g_assert_cmpint(calls, ==, 0);
    timer_del(t);
    timer_del(t);
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==, -1);
    timer_mod(t, -5);
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==, 0);
    timer_mod(t, INT64_MAX);
    g_assert_cmpint(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), ==,
                    INT64_MAX - virtual_ns());
    timer_free(t);
    timer_free(NULL);
}

static void test_virtual_clock_stands_while_ticks_are_disabled(void)
{
    QEMUTimer *t = timer_new_ms(QEMU_CLOCK_VIRTUAL, count, NULL);
    int64_t now;

    set_up();
    qemu_clock_set_manual(false);
    now = virtual_ns();
    timer_mod(t, now / SCALE_MS + 2);
    g_usleep(5000);
    main_loop_wait(true);
    g_assert_cmpint(virtual_ns(), ==, now);
    g_assert_cmpint(calls, ==, 0);
    cpu_enable_ticks();
    run_until(1);
    g_assert_cmpint(virtual_ns(), >=, now + 1 * SCALE_MS);
    cpu_disable_ticks();
    now = virtual_ns();
    g_usleep(2000);
    g_assert_cmpint(virtual_ns(), ==, now);
    timer_free(t);
}

static void test_realtime_timer_is_not_early(void)
{
    QEMUTimer *t = timer_new_ns(QEMU_CLOCK_REALTIME, count, NULL);
    int64_t due;

    set_up();
    due = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 3 * SCALE_MS + 300 * SCALE_US;
    timer_mod(t, due);
    run_until(1);
    g_assert_cmpint(qemu_clock_get_ns(QEMU_CLOCK_REALTIME), >=, due);
    timer_free(t);
}

static gpointer arm_from_thread(gpointer data)
{
    g_usleep(10000);
    qemu_mutex_lock_iothread();
    timer_mod(data, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + SCALE_MS);
    qemu_mutex_unlock_iothread();
    return NULL;
}

static void test_timer_of_another_thread_wakes_the_loop(void)
{
    QEMUTimer *far = timer_new_ns(QEMU_CLOCK_REALTIME, count, NULL);
    QEMUTimer *t = timer_new_ns(QEMU_CLOCK_REALTIME, count, NULL);
    GThread *thread;

    set_up();
    timer_mod(far, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + FAR_NS);
    thread = g_thread_new("t", arm_from_thread, t);
    run_until(1);
    g_assert_true(timer_pending(far));
    g_thread_join(thread);
    timer_free(far);
    timer_free(t);
}

static void test_host_clock_is_the_time_of_day(void)
{
    int64_t before = g_get_real_time() / G_USEC_PER_SEC;
    int64_t seconds = qemu_clock_get_ms(QEMU_CLOCK_HOST) / 1000;

    g_assert_cmpint(seconds, <=, g_get_real_time() / G_USEC_PER_SEC + 1);
    g_assert_cmpint(seconds, >=, before - 1);
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/timer/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    int ret;

    order = g_string_new(NULL);
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    add_test("manual-clock-moves-by-warp-only",
             test_manual_clock_moves_by_warp_only);
    add_test("warp-runs-timers-in-order", test_warp_runs_timers_in_order);
    add_test("warp-shows-each-timer-its-deadline",
             test_warp_shows_each_timer_its_deadline);
    add_test("timer-armed-for-the-past-does-not-hang",
             test_timer_armed_for_the_past_does_not_hang);
    add_test("callback-may-delete-one-that-is-due",
             test_callback_may_delete_one_that_is_due);
    add_test("callback-may-free-its-timer", test_callback_may_free_its_timer);
    add_test("mod-replaces-the-deadline", test_mod_replaces_the_deadline);
    add_test("virtual-clock-stands-while-ticks-are-disabled",
             test_virtual_clock_stands_while_ticks_are_disabled);
    add_test("realtime-timer-is-not-early", test_realtime_timer_is_not_early);
    add_test("timer-of-another-thread-wakes-the-loop",
             test_timer_of_another_thread_wakes_the_loop);
    add_test("host-clock-is-the-time-of-day",
             test_host_clock_is_the_time_of_day);
    ret = g_test_run();
    g_string_free(order, TRUE);
    return ret;
}
