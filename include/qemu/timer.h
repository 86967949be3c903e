/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers.
 *
 * Times are nanoseconds unless a name says otherwise. Timers are run by the
 * main loop, big lock held, in the order of their deadlines; all functions on
 * timers need the big lock. QEMU's names.
 */
#ifndef QEMU_TIMER_H
#define QEMU_TIMER_H

#define NANOSECONDS_PER_SECOND 1000000000LL
#define SCALE_MS 1000000
#define SCALE_US 1000
#define SCALE_NS 1

typedef enum QEMUClockType {
    QEMU_CLOCK_REALTIME,                  /* since boot; never stops */
    QEMU_CLOCK_VIRTUAL,                   /* the guest's; see below */
    QEMU_CLOCK_HOST,                      /* since 1970; may jump */
    QEMU_CLOCK_MAX,
} QEMUClockType;

/* REALTIME and HOST: any thread. VIRTUAL: big lock held. */
int64_t qemu_clock_get_ns(QEMUClockType type);
static inline int64_t qemu_clock_get_ms(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_MS;
}
/* Until the first timer of the clock is due; 0: one is; -1: it has none. */
int64_t qemu_clock_deadline_ns(QEMUClockType type);

/*
 * The virtual clock begins at 0, stopped; it runs between cpu_enable_ticks()
 * and cpu_disable_ticks(), which runstate.c calls when the VM starts and stops.
 * Timers of a stopped clock wait.
 */
void cpu_enable_ticks(void);
void cpu_disable_ticks(void);
/* With @manual the virtual clock moves by qemu_clock_warp() only. */
void qemu_clock_set_manual(bool manual);
/* Manual mode: moves the clock to @dest, running timers on the way, each at
 * its own deadline. Never backwards. */
void qemu_clock_warp(int64_t dest);

typedef void QEMUTimerCB(void *opaque);
typedef struct QEMUTimer QEMUTimer;

/* A timer that is not pending; its unit, for timer_mod(), is @scale ns. */
QEMUTimer *timer_new(QEMUClockType type, int scale, QEMUTimerCB *cb,
                     void *opaque);
#define timer_new_ns(type, cb, opaque) timer_new(type, SCALE_NS, cb, opaque)
#define timer_new_ms(type, cb, opaque) timer_new(type, SCALE_MS, cb, opaque)
/* Forgets the timer if it is pending. NULL is fine; so is its own callback. */
void timer_free(QEMUTimer *ts);

/* The callback is to run once when the clock reaches @expire, in the timer's
 * unit; replaces an earlier deadline. A time before 0 counts as 0. */
void timer_mod(QEMUTimer *ts, int64_t expire);
void timer_mod_ns(QEMUTimer *ts, int64_t expire_ns);
void timer_del(QEMUTimer *ts);
bool timer_pending(const QEMUTimer *ts);

/* For the main loop: ns until a timer is due, -1: none is set; and runs those
 * that are. */
int64_t qemu_timers_deadline_ns(void);
void qemu_timers_run(void);

#endif
