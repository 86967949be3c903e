/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand/policy.h by traces: what it does when bounds change, when figures are
 * missing or false, and when the host, a device or a clock does not do as it should.
 */
#include "qemu/osdep.h"

#include "demand-world.h"

/* --- bounds --------------------------------------------------------------- */

static void test_bounds_hold_without_statistics(void)
{
    DemandWorld w;

    demand_world_init(&w);
    w.silent = true;
    w.figures.guest.age_ms = -1;
    w.config.min = 2 * GiB;
    demand_world_step(&w);
    g_assert_cmpuint(w.decision.sum, ==, 2 * GiB);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_BELOW_MIN);
    w.config.min = 0;
    w.config.max = 1 * GiB;
    demand_world_step(&w);
    g_assert_cmpuint(w.decision.sum, ==, 1 * GiB);
    demand_world_steps(&w, MINUTE);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_NO_DRIVER);
    g_assert_cmpuint(w.requests, ==, 2);
}

static void test_new_bounds_are_followed(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    w.config.min = 8 * GiB;
    demand_world_step(&w);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_BELOW_MIN);
    g_assert_cmpuint(w.decision.sum, ==, 8 * GiB);
    w.config.min = 0;
    w.config.max = 1 * GiB;
    demand_world_step(&w);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_ABOVE_MAX);
    g_assert_cmpuint(w.decision.sum, ==, 1 * GiB);
}

/* --- the guest's statistics ------------------------------------------------ */

static void test_lost_statistics_stand_still(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    w.silent = true;
    demand_world_steps(&w, MINUTE);
    g_assert_cmpuint(w.requests, ==, 0);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_OLD_STATISTICS);
    w.silent = false;
    w.used = 1 * GiB;
    /* What was before is forgotten: the delay begins anew. */
    demand_world_steps(&w, DELAY - 1);
    g_assert_cmpuint(w.requests, ==, 0);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_false_statistics_stand_still(void)
{
    static const struct {
        uint64_t total, available;
        DemandReason reason;
    } lies[] = {
        { 1 * GiB, 1 * GiB + 1, DEMAND_FALSE_STATISTICS },
        { 0, 0, DEMAND_FALSE_STATISTICS },
        { 17 * GiB + 1, 0, DEMAND_FALSE_STATISTICS },
        { UINT64_MAX - 1, 0, DEMAND_FALSE_STATISTICS },
        { UINT64_MAX, 0, DEMAND_NO_STATISTICS },
        { 1 * GiB, UINT64_MAX, DEMAND_NO_STATISTICS },
    };
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    w.silent = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        w.figures.guest.age_ms = 0;
        w.figures.guest.total = lies[i].total;
        w.figures.guest.available = lies[i].available;
        demand_world_steps(&w, 4);
        g_assert_cmpint(w.decision.reason, ==, lies[i].reason);
    }
    g_assert_cmpuint(w.requests, ==, 0);
}

/* --- devices --------------------------------------------------------------- */

static void test_refusal_is_backed_off_from(void)
{
    DemandWorld w;

    demand_world_start(&w, 900 * MiB);
    w.refused_above = w.plugged;
    w.used = 2 * GiB;
    demand_world_steps(&w, SECOND);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_REFUSED);
    g_assert_cmpuint(w.decision.sum, ==, w.plugged);
    g_assert_cmpuint(w.requests, ==, 2);
    /* Again after 10, 20, 40 ... 300 seconds; each is two requests. */
    demand_world_steps(&w, 60 * MINUTE);
    g_assert_cmpuint(w.requests, >=, 20);
    g_assert_cmpuint(w.requests, <=, 36);
    w.refused_above = UINT64_MAX;
    demand_world_steps(&w, 5 * MINUTE);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_guest_that_cannot_unplug_is_left_alone(void)
{
    DemandWorld w;
    uint64_t plugged;

    demand_world_start(&w, 6 * GiB);
    plugged = w.keeps = w.plugged;
    w.used = 1 * GiB;
    demand_world_steps(&w, 60 * MINUTE);
    g_assert_cmpuint(w.plugged, ==, plugged);
    g_assert_cmpuint(w.requests, >=, 20);
    g_assert_cmpuint(w.requests, <=, 36);
    w.keeps = 0;
    demand_world_steps(&w, 6 * MINUTE);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_guest_that_does_not_plug(void)
{
    DemandWorld w;

    demand_world_start(&w, 900 * MiB);
    w.plugs = 0;
    w.used = 940 * MiB;
    demand_world_steps(&w, 60 * MINUTE);
    g_assert_cmpuint(w.requests, ==, 1);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_NOT_PLUGGED);
    w.plugs = 512 * MiB;
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_devices_share(void)
{
    DemandWorld w;

    demand_world_init(&w);
    w.figures.nr_devices = 0;
    demand_world_add(&w, 8 * GiB, 2 * MiB, 512 * MiB);
    demand_world_add(&w, 8 * GiB, 2 * MiB, 512 * MiB);
    w.used = 6 * GiB;
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
    g_assert_cmpuint(w.figures.devices[0].plugged, <=,
                     w.figures.devices[1].plugged + 2 * MiB);
    g_assert_cmpuint(w.figures.devices[1].plugged, <=,
                     w.figures.devices[0].plugged + 2 * MiB);
}

/* --- the host -------------------------------------------------------------- */

static void test_pressure_takes_memory_back_down_to_min(void)
{
    DemandWorld w;

    demand_world_start(&w, 1 * GiB);
    w.config.min = 1 * GiB;
    w.used = 8 * GiB;
    demand_world_steps(&w, MINUTE);
    w.used = 300 * MiB;
    w.figures.host.pressure = demand_pressure_limit(w.config.priority);
    demand_world_steps(&w, 10 * SECOND);
    g_assert_cmpint(w.decision.reason, !=, DEMAND_WAITING);
    g_assert_cmpuint(w.plugged, ==, 1 * GiB);
    w.requests = 0;
    demand_world_steps(&w, MINUTE);
    g_assert_cmpuint(w.requests, ==, 0);
}

/* What a guest uses it keeps; under pressure a quarter of the headroom. */
static void test_pressure_lowers_the_band(void)
{
    DemandWorld w;

    demand_world_start(&w, 6 * GiB);
    w.figures.host.pressure = 1000;
    demand_world_assert_settles(&w);
    g_assert_cmpuint(demand_world_available(&w), >=, LOW / 4);
    g_assert_cmpuint(demand_world_available(&w), <=, LOW / 2);
    w.figures.host.pressure = 0;
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_pressure_begins_with_the_lowest_priority(void)
{
    static const unsigned priorities[] = { 0, 50, 100 };

    for (unsigned i = 0; i < G_N_ELEMENTS(priorities); i++) {
        DemandWorld w;

        demand_world_start(&w, 6 * GiB);
        w.config.priority = priorities[i];
        w.figures.host.pressure = demand_pressure_limit(priorities[i]) - 1;
        demand_world_step(&w);
        g_assert_false(w.decision.pressed);
        w.figures.host.pressure++;
        demand_world_step(&w);
        g_assert_true(w.decision.pressed);
    }
    g_assert_cmpuint(demand_pressure_limit(100), <, 500);
}

/*
 * Three VMs on a host of 13 GiB, which use 2 GiB each and have more than that. Then
 * the most important one uses 4: others give, the least important first, and it
 * never does.
 */
static void test_vms_share_a_host_by_priority(void)
{
    static const unsigned priorities[] = { 0, 50, 100 };
    const uint64_t room = 13 * GiB;
    DemandWorld w[3];
    unsigned pressure = 0, first_pressed[3] = { 0 };

    for (unsigned i = 0; i < 3; i++) {
        demand_world_start(&w[i], 2 * GiB);
        w[i].config.priority = priorities[i];
        w[i].config.headroom = 400;
    }
    for (unsigned step = 1; step <= 4 * MINUTE; step++) {
        uint64_t sum = 0;

        w[2].used = step < MINUTE ? 2 * GiB : 4 * GiB;
        for (unsigned i = 0; i < 3; i++) {
            w[i].figures.host.pressure = pressure;
            demand_world_step(&w[i]);
            sum += GiB + w[i].plugged;
            if (w[i].decision.pressed && !first_pressed[i]) {
                first_pressed[i] = step;
            }
        }
        /* The average of ten seconds follows slowly. */
        pressure = sum > room ? MIN(pressure + 4, 1000) : pressure * 39 / 40;
    }
    g_assert_cmpuint(first_pressed[0], >, 0);
    g_assert_true(!first_pressed[1] || first_pressed[1] > first_pressed[0]);
    g_assert_cmpuint(first_pressed[2], ==, 0);
    g_assert_cmpuint(demand_world_available(&w[2]), >=, 400);
    g_assert_cmpuint(demand_world_available(&w[0]), <, 400);
}

static void test_room_of_the_host_bounds_growth(void)
{
    DemandWorld w;
    uint64_t plugged;

    demand_world_start(&w, 900 * MiB);
    plugged = w.plugged;
    w.figures.host.room = 101 * MiB;
    w.used = 1100 * MiB;
    demand_world_step(&w);
    g_assert_cmpuint(w.decision.sum, ==, plugged + 100 * MiB);
    w.figures.host.room = 1;
    demand_world_steps(&w, MINUTE);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_HOST_LIMIT);
    g_assert_cmpuint(w.requests, ==, 1);
}

/* --- the clock ------------------------------------------------------------- */

static void test_clock_that_jumps(void)
{
    static const int64_t jumps[] = { -500000, 100000000, -100000000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(jumps); i++) {
        DemandWorld w;

        demand_world_start(&w, 2 * GiB);
        w.figures.now_ms += jumps[i];
        demand_world_steps(&w, MINUTE);
        g_assert_cmpuint(w.requests, ==, 0);
        w.used = 1 * GiB;
        w.figures.now_ms += jumps[i];
        /* No jump makes the delay pass, nor last longer than it should. */
        demand_world_steps(&w, DELAY - 1);
        g_assert_cmpuint(w.requests, ==, 0);
        demand_world_steps(&w, SECOND);
        g_assert_cmpuint(w.requests, >=, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/demand/care/" #name, test_##name)
    ADD(bounds_hold_without_statistics);
    ADD(new_bounds_are_followed);
    ADD(lost_statistics_stand_still);
    ADD(false_statistics_stand_still);
    ADD(refusal_is_backed_off_from);
    ADD(guest_that_cannot_unplug_is_left_alone);
    ADD(guest_that_does_not_plug);
    ADD(devices_share);
    ADD(pressure_takes_memory_back_down_to_min);
    ADD(pressure_lowers_the_band);
    ADD(pressure_begins_with_the_lowest_priority);
    ADD(vms_share_a_host_by_priority);
    ADD(room_of_the_host_bounds_growth);
    ADD(clock_that_jumps);
    return g_test_run();
}
