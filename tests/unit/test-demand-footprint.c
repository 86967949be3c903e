/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand/policy.h: what a guest that builds and pauses has plugged over time, beside
 * static memory, and beside a script that looks once a second, as people write them:
 * by free memory, of which files that were read leave little, or by available memory.
 * tests/bench/footprint measures the same with a real guest.
 */
#include "qemu/osdep.h"

#include "demand-world.h"

#define SECOND 4                          /* steps */
#define MINUTE (60 * SECOND)
#define BOOT (1 * GiB)
#define MOST (16 * GiB)                   /* with boot RAM */
#define STEP (MOST / 16)
/* Of files, in a step, while what is used grows. */
#define READS (4 * MiB)

/* What the guest uses from a minute on, until the next, linearly. */
typedef struct Point {
    double minute;
    double gib;
} Point;

/* Three builds: compiling, which goes up and down, linking, which takes most, and
 * cleaning up; pauses between them. */
static const Point trace[] = {
    { 0, 0.3 }, { 1, 0.4 },
    { 2, 4.0 }, { 5, 7.0 }, { 6, 11.5 }, { 6.5, 11.5 }, { 6.6, 2.0 }, { 12, 1.0 },
    { 13, 5.0 }, { 15, 8.0 }, { 16, 12.0 }, { 16.5, 12.0 }, { 16.6, 2.0 },
    { 22, 1.0 }, { 23, 4.0 }, { 26, 7.0 }, { 27, 11.0 }, { 27.1, 1.0 }, { 34, 0.8 },
};

static uint64_t used_at(unsigned step)
{
    double minute = (double)step / MINUTE;
    unsigned i = 0;

    while (i + 2 < G_N_ELEMENTS(trace) && trace[i + 1].minute < minute) {
        i++;
    }
    return (uint64_t)((trace[i].gib + (trace[i + 1].gib - trace[i].gib) *
                       (minute - trace[i].minute) /
                       (trace[i + 1].minute - trace[i].minute)) * GiB);
}

/* How long the trace is. */
static unsigned nr_steps(void)
{
    return (unsigned)(trace[G_N_ELEMENTS(trace) - 1].minute * MINUTE);
}

typedef enum Who {
    CONTROLLER,
    SCRIPT_AVAILABLE,
    SCRIPT_FREE,
} Who;

static const char *const names[] = {
    "controller", "script by available memory", "script by free memory",
};

/* What the script requests next, of @request. */
static uint64_t script(const DemandWorld *w, Who who, uint64_t request)
{
    uint64_t free = w->figures.guest.available -
                    (who == SCRIPT_FREE ? w->cached : 0);

    if (free < STEP / 2) {
        request += 2 * STEP;
    } else if (free < STEP) {
        request += STEP;
    } else if (free > 2 * STEP) {
        request -= MIN(request, STEP);
    }
    return MIN(request, MOST - BOOT);
}

/* Lives through the trace; the average of all memory, in bytes. With a script the
 * bounds leave the policy no choice. */
static uint64_t footprint(Who who)
{
    DemandWorld w;
    uint64_t request = 0, before = 0;

    demand_world_init(&w);
    w.config.max = MOST - BOOT;
    w.plugs = GiB / 2;
    for (unsigned step = 0; step < nr_steps(); step++) {
        w.used = used_at(step);
        w.reads = w.used > before ? READS : 0;
        before = w.used;
        if (who != CONTROLLER) {
            request = step % SECOND || !step ? request : script(&w, who, request);
            w.config.min = w.config.max = request;
        }
        demand_world_step(&w);
    }
    g_test_message("%s: %.2f GiB, %u decisions", names[who],
                   (double)(BOOT + w.spent / nr_steps()) / GiB,
                   w.grown + w.shrunk);
    g_assert_cmpuint(w.starved, ==, 0);
    return BOOT + w.spent / nr_steps();
}

static void test_footprint(void)
{
    uint64_t controller = footprint(CONTROLLER);
    uint64_t available = footprint(SCRIPT_AVAILABLE);
    uint64_t free = footprint(SCRIPT_FREE);

    g_test_message("of static: %.3f, of the scripts: %.3f, %.3f",
                   (double)controller / MOST, (double)controller / available,
                   (double)controller / free);
    g_assert_cmpuint(controller, <=, MOST / 100 * 30);
    g_assert_cmpuint(controller, <=, available / 100 * 90);
    g_assert_cmpuint(controller, <=, free / 100 * 85);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/footprint", test_footprint);
    return g_test_run();
}
