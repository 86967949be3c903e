/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand/policy.h: what guests that build and pause have over time, beside static
 * memory, and beside a script that looks once a second, as people write them: by free
 * memory, of which files that were read leave little, or by available memory. One
 * guest is large and slow; the other is as small, and has as little time, as that of
 * tests/bench/footprint, which measures the same with a real guest. Nothing here
 * depends on how fast the machine is that runs it.
 */
#include "qemu/osdep.h"

#include "demand-world.h"

/* Of files, in a step, while what is used grows. */
#define READS (4 * MiB)

/* What the guest uses from a time on, until the next, linearly. */
typedef struct Point {
    double at;
    double used;
} Point;

/* A guest, and what it does. */
typedef struct Life {
    const char *name;
    const Point *trace;
    unsigned nr_points;
    unsigned steps;                       /* in the trace's unit of time */
    uint64_t unit;                        /* of its sizes */
    uint64_t boot, overhead, pluggable;
    uint64_t plugs, unplugs;              /* in a step, at most */
    uint64_t noise;                       /* more is used, at most, for a step */
} Life;

/* Minutes and GiB. Three builds: compiling, which goes up and down, linking, which
 * takes most, and cleaning up; pauses between them. */
static const Point builds[] = {
    { 0, 0.3 }, { 1, 0.4 },
    { 2, 4.0 }, { 5, 7.0 }, { 6, 11.5 }, { 6.5, 11.5 }, { 6.6, 2.0 }, { 12, 1.0 },
    { 13, 5.0 }, { 15, 8.0 }, { 16, 12.0 }, { 16.5, 12.0 }, { 16.6, 2.0 },
    { 22, 1.0 }, { 23, 4.0 }, { 26, 7.0 }, { 27, 11.0 }, { 27.1, 1.0 }, { 34, 0.8 },
};

/* Seconds and MiB, of the bench's guest: files are copied to a tmpfs, packed and
 * sorted there, and removed after a pause; once more with half of them. */
static const Point bench[] = {
    { 0, 28 }, { 8.2, 28 },
    { 24.3, 188 }, { 44, 348 }, { 46, 362 }, { 46.2, 349 }, { 49, 349 }, { 49.2, 29 },
    { 65.2, 29 }, { 73.3, 109 }, { 83.2, 189 }, { 84.8, 200 }, { 87.9, 190 },
    { 88.1, 29 }, { 104.2, 29 },
};

static const Life large = {
    "three builds", builds, G_N_ELEMENTS(builds), MINUTE, GiB,
    .boot = GiB, .overhead = 40 * MiB, .pluggable = 15 * GiB, .plugs = GiB / 2, .unplugs = GiB / 2,
};

/* As the lab's guest is, and as fast. Processes come and go. */
static const Life small = {
    "the bench's guest", bench, G_N_ELEMENTS(bench), SECOND, MiB,
    .boot = 256 * MiB, .overhead = 115 * MiB, .pluggable = 512 * MiB,
    .plugs = 25 * MiB, .unplugs = 125 * MiB, .noise = 5 * MiB,
};

/* The same beside others on the host: noisier, and slower. */
static const Life disturbed = {
    "the same, disturbed", bench, G_N_ELEMENTS(bench), SECOND + 1, MiB,
    .boot = 256 * MiB, .overhead = 115 * MiB, .pluggable = 512 * MiB,
    .plugs = 15 * MiB, .unplugs = 75 * MiB, .noise = 12 * MiB,
};

static uint64_t used_at(const Life *life, unsigned step)
{
    const Point *p = life->trace;
    double at = (double)step / life->steps;

    for (unsigned i = 2; i < life->nr_points && p[1].at < at; i++) {
        p++;
    }
    return (uint64_t)((p[0].used + (p[1].used - p[0].used) * (at - p[0].at) /
                       (p[1].at - p[0].at)) * life->unit);
}

/* How long the trace is. */
static unsigned nr_steps(const Life *life)
{
    return (unsigned)(life->trace[life->nr_points - 1].at * life->steps);
}

typedef enum Who {
    CONTROLLER,
    SCRIPT_AVAILABLE,
    SCRIPT_FREE,
} Who;

static const char *const names[] = {
    "controller", "script by available memory", "script by free memory",
};

/* What the script requests next, of @request: a sixteenth of the most is a step. */
static uint64_t script(const DemandWorld *w, Who who, uint64_t request,
                       const Life *life)
{
    const uint64_t step = (life->boot + life->pluggable) / 16;
    uint64_t free = w->figures.guest.available -
                    (who == SCRIPT_FREE ? w->cached : 0);

    if (free < step / 2) {
        request += 2 * step;
    } else if (free < step) {
        request += step;
    } else if (free > 2 * step) {
        request -= MIN(request, step);
    }
    return MIN(request, life->pluggable);
}

static void be_born(DemandWorld *w, const Life *life)
{
    demand_world_init(w);
    w->figures.nr_devices = 0;
    w->figures.boot = life->boot;
    w->overhead = life->overhead;
    w->plugs = life->plugs;
    w->unplugs = life->unplugs;
    w->config.max = life->pluggable;
    demand_world_add(w, life->pluggable, 2 * MiB, life->boot);
}

/* Lives through the trace; the average of all memory, in bytes. With a script the
 * bounds leave the policy no choice. */
static uint64_t footprint(const Life *life, Who who)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    const unsigned steps = nr_steps(life);
    DemandWorld w;
    uint64_t request = 0, before = 0, average;

    be_born(&w, life);
    for (unsigned step = 0; step < steps; step++) {
        uint64_t used = used_at(life, step);

        w.used = used + (uint64_t)(g_rand_double(rand) * life->noise);
        w.reads = used > before ? READS : 0;
        before = used;
        if (who != CONTROLLER) {
            request = step % SECOND || !step ? request
                                             : script(&w, who, request, life);
            w.config.min = w.config.max = request;
        }
        demand_world_step(&w);
    }
    average = life->boot + w.spent / steps;
    g_test_message("%s, %s: %.0f MiB, %u decisions", life->name, names[who],
                   (double)average / MiB, w.grown + w.shrunk);
    g_assert_cmpuint(w.starved, ==, 0);
    return average;
}

static void test_builds(void)
{
    uint64_t controller = footprint(&large, CONTROLLER);

    g_assert_cmpuint(controller, <=, 16 * GiB / 100 * 29);
    g_assert_cmpuint(controller, <=,
                     footprint(&large, SCRIPT_AVAILABLE) / 100 * 90);
    g_assert_cmpuint(controller, <=, footprint(&large, SCRIPT_FREE) / 100 * 85);
}

/* Most of it is boot RAM, so that is left out. */
static void compare_small(const Life *life, unsigned percent)
{
    uint64_t controller = footprint(life, CONTROLLER) - life->boot;
    uint64_t script = footprint(life, SCRIPT_AVAILABLE) - life->boot;

    g_test_message("%.3f of the script", (double)controller / script);
    g_assert_cmpuint(controller, <=, script / 100 * percent);
}

static void test_bench(void)
{
    compare_small(&small, 100);
}

static void test_disturbed_bench(void)
{
    compare_small(&disturbed, 105);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/footprint/builds", test_builds);
    g_test_add_func("/demand/footprint/bench", test_bench);
    g_test_add_func("/demand/footprint/disturbed_bench", test_disturbed_bench);
    return g_test_run();
}
