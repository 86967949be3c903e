/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demand/policy.h against guests whose load, figures, driver, host and clock do
 * anything at all: a decision is always between min and max, in whole blocks
 * (demand-world.c asserts it), requests are few for the time that passes, and
 * once the load is steady they come to an end.
 *
 * SEED=n repeats a run, ROUNDS=n makes it longer.
 */
#include "qemu/osdep.h"

#include "demand-world.h"

static uint64_t number_from_env(const char *name, uint64_t fallback)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 0) : fallback;
}

static uint64_t below(GRand *rand, uint64_t limit)
{
    return (uint64_t)g_rand_double_range(rand, 0, (double)limit);
}

/* One to four devices, of any sizes and blocks; bounds between which there is
 * something. */
static void random_machine(DemandWorld *w, GRand *rand)
{
    uint64_t all = 0;

    demand_world_init(w);
    w->figures.nr_devices = 0;
    for (uint64_t n = 1 + below(rand, 4); n; n--) {
        uint64_t block = 2 * MiB << below(rand, 7);
        uint64_t size = block * (1 + below(rand, 200));

        demand_world_add(w, size, block, below(rand, 2) * 512 * MiB);
        all += size;
    }
    w->config.max = QEMU_ALIGN_DOWN(below(rand, all + 1), 128 * MiB);
    w->config.min = QEMU_ALIGN_DOWN(below(rand, w->config.max + 1), 128 * MiB);
    w->config.headroom = 1 + (unsigned)below(rand, 999);
    w->config.priority = (unsigned)below(rand, 101);
    w->config.interval_ms = 100 + (int64_t)below(rand, 2000);
    w->config.shrink_delay_ms = 1000 + (int64_t)below(rand, 20000);
}

/* Something changes. */
static void random_event(DemandWorld *w, GRand *rand)
{
    DemandGuest *g = &w->figures.guest;

    switch (below(rand, 12)) {
    case 0:
        w->silent = !w->silent;
        break;
    case 1:
        w->refused_above = below(rand, 2) ? UINT64_MAX : below(rand, 8 * GiB);
        break;
    case 2:
        w->keeps = below(rand, 2) ? 0 : below(rand, 8 * GiB);
        break;
    case 3:
        w->plugs = w->unplugs = below(rand, 2) ? 0 : below(rand, 2 * GiB);
        break;
    case 4:
        w->figures.host.pressure = (unsigned)below(rand, 1001);
        break;
    case 5:
        w->figures.host.room = below(rand, 2) ? UINT64_MAX : below(rand, GiB);
        break;
    case 6:
        w->figures.now_ms += (int64_t)below(rand, 1 << 30) - (1 << 29);
        break;
    case 7:
        g->swapped_out += below(rand, 2) * MiB;
        g->major_faults += below(rand, 100);
        break;
    case 8:                                   /* a lie, if it is silent */
        g->total = (uint64_t)g_rand_int(rand) << below(rand, 33);
        g->available = (uint64_t)g_rand_int(rand) << below(rand, 33);
        g->age_ms = 0;
        break;
    case 9:
        w->late = !w->late;
        break;
    default:
        w->used = below(rand, 8 * GiB);
        break;
    }
}

/* Everything works from now on, and the load is as it is. */
static void calm(DemandWorld *w)
{
    w->silent = false;
    w->late = false;
    w->refused_above = UINT64_MAX;
    w->keeps = 0;
    w->plugs = w->unplugs = GiB;
    w->noise = 0;
    w->figures.host.pressure = 0;
    w->figures.host.room = UINT64_MAX;
}

static void one_life(GRand *rand)
{
    DemandWorld w;
    const unsigned steps = 5 * MINUTE;

    random_machine(&w, rand);
    for (unsigned i = 0; i < steps; i++) {
        if (below(rand, 4) == 0) {
            random_event(&w, rand);
        }
        demand_world_step(&w);
    }
    g_assert_cmpuint(w.requests, <=, steps * w.figures.nr_devices);
    calm(&w);
    /* Pauses of up to five minutes must pass. */
    demand_world_steps(&w, (unsigned)(600000 / w.config.interval_ms));
    g_assert_true(demand_world_settles(
        &w, (unsigned)(400000 / w.config.interval_ms),
        (unsigned)(4000000 / w.config.interval_ms)));
}

static void test_random(void)
{
    uint32_t seed = (uint32_t)number_from_env("SEED", g_random_int());
    uint64_t rounds = number_from_env("ROUNDS", 150);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_test_message("SEED=%u, %" PRIu64 " rounds", seed, rounds);
    while (rounds--) {
        one_life(rand);
    }
}

/* A load that is another one in each step, which no memory of the last seconds
 * foretells: still no more than one request in ten seconds. */
static void test_bounded_requests(void)
{
    uint32_t seed = (uint32_t)number_from_env("SEED", g_random_int());
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_test_message("SEED=%u", seed);
    for (unsigned round = 0; round < 30; round++) {
        DemandWorld w;
        uint64_t wide;

        demand_world_init(&w);
        w.config.headroom = 50 + (unsigned)below(rand, 400);
        wide = below(rand, 4 * GiB);
        for (unsigned i = 0; i < 60 * MINUTE; i++) {
            w.used = GiB + below(rand, wide);
            demand_world_step(&w);
        }
        g_assert_cmpuint(w.requests, <=, 60 * MINUTE / (10 * SECOND));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/random/lives", test_random);
    g_test_add_func("/demand/random/bounded_requests", test_bounded_requests);
    return g_test_run();
}
