/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers (qemu/timer.h). A machine has a dozen timers, so each
 * clock keeps its own in a sorted list. The main loop asks for the nearest
 * deadline and runs what is due. It must never run a timer twice in one pass,
 * or one that re-arms itself for the past would keep the loop for ever.
 */
#include "qemu/osdep.h"

#include <time.h>

#include "qemu/queue.h"
#include "qemu/timer.h"

typedef QLIST_HEAD(TimerList, QEMUTimer) TimerList;

struct QEMUTimer {
    QEMUClockType type;
    int scale;                            /* ns in its unit */
    QEMUTimerCB *cb;
    void *opaque;
    int64_t expire;                       /* ns; -1: not pending */
    QLIST_ENTRY(QEMUTimer) next;
};

/* By ascending deadline. */
static TimerList timer_lists[QEMU_CLOCK_MAX];

/* The virtual clock: @value while it stands, monotonic - @base while it runs. */
static struct {
    bool enabled;
    bool manual;
    int64_t value;
    int64_t base;
} vclock;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static bool vclock_runs(void)
{
    return vclock.enabled && !vclock.manual;
}

static int64_t vclock_get(void)
{
    return vclock_runs() ? read_clock(CLOCK_MONOTONIC) - vclock.base
                         : vclock.value;
}

static void wake_main_loop(void)
{
    g_main_context_wakeup(NULL);
}

/* Keeps the time while whether it runs changes. */
static void vclock_change(bool enabled, bool manual)
{
    vclock.value = vclock_get();
    vclock.base = read_clock(CLOCK_MONOTONIC) - vclock.value;
    vclock.enabled = enabled;
    vclock.manual = manual;
    wake_main_loop();
}

void cpu_enable_ticks(void)
{
    vclock_change(true, vclock.manual);
}

void cpu_disable_ticks(void)
{
    vclock_change(false, vclock.manual);
}

void qemu_clock_set_manual(bool manual)
{
    vclock_change(vclock.enabled, manual);
}

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    switch (type) {
    case QEMU_CLOCK_VIRTUAL:
        return vclock_get();
    case QEMU_CLOCK_HOST:
        return read_clock(CLOCK_REALTIME);
    default:
        return read_clock(CLOCK_MONOTONIC);
    }
}

/* --- deadlines ----------------------------------------------------------- */

int64_t qemu_clock_deadline_ns(QEMUClockType type)
{
    QEMUTimer *first = QLIST_FIRST(&timer_lists[type]);

    return first ? MAX(first->expire - qemu_clock_get_ns(type), 0) : -1;
}

/* The same as far as time alone brings it nearer. */
static int64_t clock_wait_ns(QEMUClockType type)
{
    int64_t deadline;

    if (type != QEMU_CLOCK_VIRTUAL || vclock_runs()) {
        return qemu_clock_deadline_ns(type);
    }
    deadline = vclock.manual ? qemu_clock_deadline_ns(type) : -1;
    return deadline == 0 ? 0 : -1;
}

int64_t qemu_timers_deadline_ns(void)
{
    int64_t nearest = -1;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        int64_t deadline = clock_wait_ns(type);

        if (deadline >= 0 && (nearest < 0 || deadline < nearest)) {
            nearest = deadline;
        }
    }
    return nearest;
}

/* --- running ------------------------------------------------------------- */

static void run_due(QEMUClockType type)
{
    TimerList due = QLIST_HEAD_INITIALIZER(due);
    int64_t now = qemu_clock_get_ns(type);
    QEMUTimer *last = NULL, *ts;

    while ((ts = QLIST_FIRST(&timer_lists[type])) && ts->expire <= now) {
        QLIST_REMOVE(ts, next);
        if (last) {
            QLIST_INSERT_AFTER(last, ts, next);
        } else {
            QLIST_INSERT_HEAD(&due, ts, next);
        }
        last = ts;
    }
    /* A callback may delete or move any of those that still wait in @due. */
    while ((ts = QLIST_FIRST(&due))) {
        timer_del(ts);
        ts->cb(ts->opaque);
    }
}

void qemu_timers_run(void)
{
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        if (clock_wait_ns(type) == 0) {
            run_due(type);
        }
    }
}

void qemu_clock_warp(int64_t dest)
{
    QEMUTimer *ts;

    g_assert(vclock.manual);
    run_due(QEMU_CLOCK_VIRTUAL);
    /* One that is armed for the past runs with the main loop's next pass. */
    while ((ts = QLIST_FIRST(&timer_lists[QEMU_CLOCK_VIRTUAL])) &&
           ts->expire > vclock.value && ts->expire <= dest) {
        vclock.value = ts->expire;
        run_due(QEMU_CLOCK_VIRTUAL);
    }
    vclock.value = MAX(vclock.value, dest);
}

/* --- timers -------------------------------------------------------------- */

QEMUTimer *timer_new(QEMUClockType type, int scale, QEMUTimerCB *cb,
                     void *opaque)
{
    QEMUTimer *ts = g_new0(QEMUTimer, 1);

    ts->type = type;
    ts->scale = scale;
    ts->cb = cb;
    ts->opaque = opaque;
    ts->expire = -1;
    return ts;
}

void timer_free(QEMUTimer *ts)
{
    if (!ts) {
        return;
    }
    timer_del(ts);
    g_free(ts);
}

void timer_del(QEMUTimer *ts)
{
    if (timer_pending(ts)) {
        QLIST_REMOVE(ts, next);
        ts->expire = -1;
    }
}

/* Behind those with the same deadline, so that they run in order. */
static void timer_insert(QEMUTimer *ts)
{
    TimerList *list = &timer_lists[ts->type];
    QEMUTimer *before = NULL, *t;

    QLIST_FOREACH(t, list, next) {
        if (t->expire > ts->expire) {
            break;
        }
        before = t;
    }
    if (before) {
        QLIST_INSERT_AFTER(before, ts, next);
    } else {
        QLIST_INSERT_HEAD(list, ts, next);
    }
}

void timer_mod_ns(QEMUTimer *ts, int64_t expire_ns)
{
    timer_del(ts);
    ts->expire = MAX(expire_ns, 0);
    timer_insert(ts);
    /* The main loop looks at the deadlines before it polls; if it may poll
     * already, as nobody is called by it here, it has to look again. */
    if (QLIST_FIRST(&timer_lists[ts->type]) == ts &&
        !g_main_context_is_owner(NULL)) {
        wake_main_loop();
    }
}

void timer_mod(QEMUTimer *ts, int64_t expire)
{
    int64_t ns;

    if (__builtin_mul_overflow(expire, (int64_t)ts->scale, &ns)) {
        ns = expire < 0 ? 0 : INT64_MAX;
    }
    timer_mod_ns(ts, ns);
}

bool timer_pending(const QEMUTimer *ts)
{
    return ts->expire >= 0;
}
