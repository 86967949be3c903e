/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demand/share.h: sums among devices. */
#include "qemu/osdep.h"

#include "demand/share.h"
#include "qemu/units.h"

static void test_fuller_nodes_wait(void)
{
    const DemandDevice devices[2] = {
        { .block = 2 * MiB, .size = 4 * GiB, .boot = 1 * GiB },
        { .block = 2 * MiB, .size = 4 * GiB },
    };
    DemandShare shares[2] = { { .high = 4 * GiB }, { .high = 4 * GiB } };

    /* 1 of 5 GiB is there already: the other is filled up to a fifth, too. */
    demand_share_out(devices, shares, 2, 512 * MiB, 8 * GiB);
    g_assert_cmpuint(shares[0].size, ==, 0);
    g_assert_cmpuint(shares[1].size, ==, 512 * MiB);
    demand_share_out(devices, shares, 2, 8 * GiB, 8 * GiB);
    g_assert_cmpuint(shares[0].size, ==, 4 * GiB);
    g_assert_cmpuint(shares[1].size, ==, 4 * GiB);
}

static void test_lows_and_highs_hold(void)
{
    const DemandDevice devices[2] = {
        { .block = 2 * MiB, .size = 4 * GiB },
        { .block = 128 * MiB, .size = 4 * GiB },
    };
    DemandShare shares[2] = {
        { .low = 1 * GiB, .high = 1 * GiB },
        { .low = 0, .high = 4 * GiB },
    };

    demand_share_out(devices, shares, 2, 1 * GiB + 1, 8 * GiB);
    g_assert_cmpuint(shares[0].size, ==, 1 * GiB);
    g_assert_cmpuint(shares[1].size, ==, 128 * MiB);
    demand_share_out(devices, shares, 2, 512 * MiB, 8 * GiB);
    g_assert_cmpuint(shares[0].size + shares[1].size, ==, 1 * GiB);
    demand_share_out(devices, shares, 2, 8 * GiB, 8 * GiB);
    g_assert_cmpuint(shares[0].size + shares[1].size, ==, 5 * GiB);
}

/* Whatever is asked for: whole blocks, inside, and no block too much. */
static void test_random(void)
{
    for (unsigned round = 0; round < 2000; round++) {
        unsigned n = (unsigned)g_test_rand_int_range(1, 17);
        DemandDevice devices[16] = { 0 };
        DemandShare shares[16] = { 0 };
        uint64_t all = 0, goal, sum = 0;

        for (unsigned i = 0; i < n; i++) {
            uint64_t block = MiB << g_test_rand_int_range(1, 8);
            unsigned blocks = (unsigned)g_test_rand_int_range(1, 500);

            devices[i] = (DemandDevice) {
                .block = block, .size = block * blocks,
                .boot = (uint64_t)g_test_rand_int_range(0, 5000) * MiB,
            };
            shares[i].low = block * (unsigned)g_test_rand_int_range(0, 2);
            shares[i].high = devices[i].size;
            all += shares[i].high;
        }
        goal = (uint64_t)g_test_rand_double_range(0, (double)all);
        demand_share_out(devices, shares, n, goal, all);
        for (unsigned i = 0; i < n; i++) {
            g_assert_cmpuint(shares[i].size % devices[i].block, ==, 0);
            g_assert_cmpuint(shares[i].size, >=, shares[i].low);
            g_assert_cmpuint(shares[i].size, <=, shares[i].high);
            sum += shares[i].size;
        }
        g_assert_cmpuint(sum, >=, goal);
        for (unsigned i = 0; i < n; i++) {
            g_assert_true(shares[i].size == shares[i].low ||
                          sum - goal < devices[i].block);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/share/fuller_nodes_wait", test_fuller_nodes_wait);
    g_test_add_func("/demand/share/lows_and_highs_hold",
                    test_lows_and_highs_hold);
    g_test_add_func("/demand/share/random", test_random);
    return g_test_run();
}
