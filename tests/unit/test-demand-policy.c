/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand/policy.h by traces: what it does when a guest's load steps, climbs,
 * goes up and down or leaks, when its figures are noisy, and when it swaps.
 */
#include "qemu/osdep.h"

#include "demand-world.h"

static void test_guest_that_needs_nothing_gets_nothing(void)
{
    DemandWorld w;

    demand_world_start(&w, 300 * MiB);
    g_assert_cmpuint(w.plugged, ==, 0);
    demand_world_steps(&w, 60 * MINUTE);
    g_assert_cmpuint(w.requests, ==, 0);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_IN_BAND);
}

static void test_step_up_is_followed_at_once(void)
{
    DemandWorld w;

    demand_world_start(&w, 300 * MiB);
    w.used = 900 * MiB;
    demand_world_step(&w);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_BELOW_BAND);
    g_assert_cmpuint(w.decision.sum, >, 64 * MiB);
    demand_world_steps(&w, SECOND);
    g_assert_cmpuint(demand_world_available(&w), >=, LOW);
    g_assert_cmpuint(w.starved, ==, 0);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

static void test_step_down_is_followed_slowly(void)
{
    DemandWorld w;
    uint64_t before;

    demand_world_start(&w, 6 * GiB);
    before = w.plugged;
    w.used = 1 * GiB;
    demand_world_steps(&w, DELAY - 1);
    g_assert_cmpuint(w.requests, ==, 0);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_WAITING);
    demand_world_steps(&w, DELAY / 2 + 2);
    g_assert_cmpuint(w.shrunk, >=, 1);
    g_assert_cmpuint(w.shrunk, <=, 2);
    g_assert_cmpuint(w.plugged, >, before / 3);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
    g_assert_cmpuint(w.grown, ==, 0);
    /* Half of it at a time: few requests, however much it is. */
    g_assert_cmpuint(w.shrunk, <=, 6);
}

/* The rate that policy.h states: the headroom in an interval, less what the
 * guest takes until it has plugged. */
static void test_ramp_is_followed(void)
{
    DemandWorld w;

    demand_world_start(&w, 800 * MiB);
    while (w.used < 12 * GiB) {
        w.used += w.figures.guest.total * 15 / 1000 * 7 / 2;
        demand_world_step(&w);
    }
    g_assert_cmpuint(w.starved, ==, 0);
    g_assert_cmpuint(w.shrunk, ==, 0);
    demand_world_assert_settles(&w);
    demand_world_assert_in_band(&w);
}

/* What it takes with the load at @used until less is requested. */
static unsigned steps_to_shrink(DemandWorld *w, uint64_t used)
{
    unsigned before = w->shrunk, steps = 0;

    w->used = used;
    for (; w->shrunk == before; steps++) {
        g_assert_cmpuint(steps, <, MINUTE);
        demand_world_step(w);
    }
    return steps;
}

/* What growing looked ahead for is not taken back at once. */
static void test_what_was_given_is_left_for_a_while(void)
{
    DemandWorld w;

    demand_world_start(&w, 1 * GiB);
    w.used = 2 * GiB;
    demand_world_steps(&w, SECOND);
    g_assert_cmpuint(w.grown, >, 0);
    g_assert_cmpuint(steps_to_shrink(&w, 1 * GiB), >=, 2 * DELAY - SECOND - 1);
}

/* A small guest, as the lab's are, fills a tmpfs, some 10 MiB a second, and stands
 * still now and then for one: what it has been given meanwhile it keeps. */
static void test_fill_is_not_taken_from(void)
{
    for (unsigned seed = 0; seed < 40; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        DemandWorld w;

        demand_world_init(&w);
        w.figures.boot = 256 * MiB;
        w.overhead = 115 * MiB;
        w.plugs = 25 * MiB;
        for (w.used = 26 * MiB; w.used < 346 * MiB; w.used += 4 * MiB) {
            demand_world_steps(&w, 1 + (g_rand_int_range(rand, 0, 2) != 0));
            demand_world_steps(&w, g_rand_int_range(rand, 0, 40) ? 0 : SECOND);
        }
        g_assert_cmpuint(w.starved, ==, 0);
        g_assert_cmpuint(w.shrunk, ==, 0);
    }
}

static void test_mistake_doubles_the_delay(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    g_assert_cmpuint(steps_to_shrink(&w, 1 * GiB), <=, DELAY + SECOND);
    demand_world_steps(&w, 2 * SECOND);
    w.used = 2 * GiB;
    demand_world_steps(&w, 20 * SECOND);
    g_assert_cmpuint(steps_to_shrink(&w, 1 * GiB), >=, 2 * DELAY - 1);
    /* Now it was right. */
    demand_world_steps(&w, MINUTE);
    w.used = 2 * GiB;
    demand_world_steps(&w, 20 * SECOND);
    g_assert_cmpuint(steps_to_shrink(&w, 1 * GiB), <=, DELAY + SECOND);
}

/* However long it had waited, it could not have known of it. */
static void test_new_need_is_no_mistake(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    g_assert_cmpuint(steps_to_shrink(&w, 1800 * MiB), <=, DELAY + SECOND);
    demand_world_steps(&w, 2 * SECOND);
    w.used = 2100 * MiB;
    demand_world_steps(&w, 20 * SECOND);
    g_assert_cmpuint(steps_to_shrink(&w, 1 * GiB), <=, DELAY + SECOND);
}

static void test_leak_takes_few_requests_up_to_max(void)
{
    DemandWorld w;

    demand_world_start(&w, 800 * MiB);
    for (unsigned i = 0; w.used < 17 * GiB; i++) {
        w.used += 1 * MiB;
        demand_world_step(&w);
    }
    g_assert_cmpuint(w.plugged, ==, 16 * GiB);
    g_assert_cmpuint(w.shrunk, ==, 0);
    g_assert_cmpuint(w.requests, <=, 100);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_AT_MAX);
    demand_world_steps(&w, MINUTE);
    g_assert_cmpuint(w.requests, <=, 100);
}

static void test_sawtooth_leads_to_no_request_after_a_while(void)
{
    DemandWorld w;
    unsigned requests = 0;

    demand_world_start(&w, 2 * GiB);
    for (unsigned i = 0; i < 10 * MINUTE; i++) {
        if (i == MINUTE) {
            requests = w.requests;
        }
        w.used = 2 * GiB + i % (3 * SECOND) * 100 * MiB;
        demand_world_step(&w);
    }
    g_assert_cmpuint(w.requests, ==, requests);
    g_assert_cmpuint(w.starved, ==, 0);
}

/* Slower than the delay, so it is followed: never more often than it turns. */
static void test_slow_waves_are_followed(void)
{
    DemandWorld w;

    demand_world_start(&w, 1 * GiB);
    for (unsigned i = 0; i < 20 * MINUTE; i++) {
        w.used = i / MINUTE % 2 ? 1 * GiB : 4 * GiB;
        demand_world_step(&w);
        g_assert_cmpuint(w.grown, <=, 4 * (i / (2 * MINUTE) + 1));
    }
    g_assert_cmpuint(w.shrunk, <=, 10 * 16);
    g_assert_cmpuint(w.plugged, <, 2 * GiB);
}

static void test_noise_is_not_followed(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    DemandWorld w;
    unsigned requests = 0;

    demand_world_start(&w, 2 * GiB);
    for (unsigned i = 0; i < 30 * MINUTE; i++) {
        if (i == 5 * MINUTE) {
            requests = w.requests;
        }
        w.noise = g_rand_int_range(rand, -60, 60) * (int64_t)MiB;
        demand_world_step(&w);
    }
    g_assert_cmpuint(w.requests, ==, requests);
    g_assert_cmpuint(requests, <=, 30);
}

static void test_late_total_is_not_taken_for_need(void)
{
    DemandWorld w, prompt;

    demand_world_start(&prompt, 800 * MiB);
    demand_world_start(&w, 800 * MiB);
    w.late = true;
    w.used = prompt.used = 2 * GiB;
    demand_world_assert_settles(&w);
    demand_world_assert_settles(&prompt);
    g_assert_cmpuint(w.plugged, ==, prompt.plugged);
}

static void test_swapping_guest_gets_more(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    while (demand_world_available(&w) > 160) {
        w.used += MiB;
        demand_world_step(&w);
    }
    g_assert_cmpint(w.decision.reason, ==, DEMAND_IN_BAND);
    for (unsigned i = 0; i < 10 * MINUTE; i++) {
        w.figures.guest.swapped_out += MiB;
        demand_world_step(&w);
        g_assert_cmpuint(w.grown, ==, 1);
        g_assert_cmpuint(w.shrunk, ==, 0);
    }
    demand_world_assert_in_band(&w);
}

/* Programs are read again and again: what is available tells too much. */
static void test_guest_that_reads_again_gets_more(void)
{
    DemandWorld w;

    demand_world_start(&w, 2 * GiB);
    while (demand_world_available(&w) > 160) {
        w.used += MiB;
        demand_world_step(&w);
    }
    w.figures.guest.major_faults += 40;     /* a program that starts */
    demand_world_step(&w);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_IN_BAND);
    w.figures.guest.major_faults += 60;
    demand_world_step(&w);
    g_assert_cmpint(w.decision.reason, ==, DEMAND_GUEST_FAULTS);
    g_assert_cmpuint(w.grown, ==, 1);
    w.used = 300 * MiB;
    for (unsigned i = 0; i < MINUTE; i++) {
        w.figures.guest.major_faults += 60;
        demand_world_step(&w);
        g_assert_cmpuint(w.shrunk, ==, 0);
    }
    /* A counter that begins anew is no fault. */
    w.figures.guest.major_faults = 0;
    demand_world_steps(&w, MINUTE);
    g_assert_cmpuint(w.shrunk, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/demand/policy/" #name, test_##name)
    ADD(guest_that_needs_nothing_gets_nothing);
    ADD(step_up_is_followed_at_once);
    ADD(step_down_is_followed_slowly);
    ADD(ramp_is_followed);
    ADD(what_was_given_is_left_for_a_while);
    ADD(fill_is_not_taken_from);
    ADD(mistake_doubles_the_delay);
    ADD(new_need_is_no_mistake);
    ADD(leak_takes_few_requests_up_to_max);
    ADD(sawtooth_leads_to_no_request_after_a_while);
    ADD(slow_waves_are_followed);
    ADD(noise_is_not_followed);
    ADD(late_total_is_not_taken_for_need);
    ADD(swapping_guest_gets_more);
    ADD(guest_that_reads_again_gets_more);
    return g_test_run();
}
