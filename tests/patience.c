/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The known step is a shell that counts to ten thousand: some 10 ms when idle. */
#include "patience.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

/* What must happen takes much less than a step: this is for a machine that has
 * just become much slower than it was. */
#define STEPS 1500
#define FRESH_US G_USEC_PER_SEC

extern char **environ;

static gint64 measure_step(void)
{
    char *argv[] = {
        (char *)"sh", (char *)"-c",
        (char *)"i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done", NULL
    };
    gint64 begin = g_get_monotonic_time();
    int err, status;
    pid_t pid;

    err = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
    if (err) {
        g_error("/bin/sh: %s", g_strerror(err));
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return g_get_monotonic_time() - begin;
}

/* A step that takes much longer than the one before may have met something that
 * passes, such as a disk that was busy; waits that go by it would be as long. */
static gint64 measure_again_if_odd(gint64 former)
{
    gint64 step = measure_step();

    return former && step <= 2 * former ? step : MIN(step, measure_step());
}

gint64 patience_us(void)
{
    static GMutex lock;
    static gint64 step, slowest, measured_at;
    gint64 result;

    g_mutex_lock(&lock);
    if (!step || g_get_monotonic_time() - measured_at > FRESH_US) {
        gint64 former = step;

        step = measure_again_if_odd(former);
        slowest = MAX(step, former);
        measured_at = g_get_monotonic_time();
    }
    result = STEPS * slowest;
    g_mutex_unlock(&lock);
    return result;
}

gint64 patience_deadline(void)
{
    gint64 limit = patience_us();

    return g_get_monotonic_time() + limit;
}

bool patience_more(gint64 deadline, unsigned *round)
{
    if (g_get_monotonic_time() > deadline) {
        return false;
    }
    g_usleep(MIN(50u << MIN(*round, 8u), 5000u));
    (*round)++;
    return true;
}

void patience_check(gint64 deadline)
{
    if (g_get_monotonic_time() > deadline) {
        g_error("it has not happened in time, which is %" G_GINT64_FORMAT
                " ms here and now", patience_us() / 1000);
    }
}
